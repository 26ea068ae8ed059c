//! One run: what a person says of it; and the room that all take.

use crate::page::parts::last_saved::LastSaved;
use crate::page::parts::run_cells::record_of;
use leptos::prelude::*;

use crate::browser::tab;
use crate::page::state::trainer::Trainer;
use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::Status;
use kiln_run::run::identity::NOTES_LETTERS;
use kiln_run::run::names::NAME_LETTERS;

/// What it means that the browser has not promised to keep what it stores.
const UNPROMISED: &str = "The browser has not promised to keep them: it may delete them when the disk is full, \
    and Safari does after seven days without a visit. Save what matters to a file.";
/// Storage that is fuller than this is nearly full.
pub(super) const NEARLY_FULL: f64 = 0.8;

/// Everything about one run.
#[component]
pub(super) fn Details(trainer: Trainer, id: RunId) -> AnyView {
    let library = trainer.library;
    let record = record_of(trainer, id);
    let field = move |of: fn(&Record) -> String| {
        Memo::new(move |_| record.with(|record| record.as_ref().map(of).unwrap_or_default()))
    };
    let name = field(|record| record.identity.name.clone());
    let tags = field(|record| record.identity.tags.join(", "));
    let notes = field(|record| record.identity.notes.clone());
    let set_tags = move |event| {
        let text = event_target_value(&event);
        let tags: Vec<String> = text
            .split(',')
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect();
        trainer.relabel(id, |identity| identity.tags = tags.clone());
    };
    let set_notes = move |event| {
        let text: String = event_target_value(&event);
        trainer.relabel(id, |identity| identity.notes = text.clone());
    };
    let fingerprint = move || {
        let record = record.get()?;
        let fingerprint = record.summary.fingerprint.clone()?;
        let others = library.reproduces(&record);
        let reproduced = (!others.is_empty()).then(|| {
            let others = others.join(", ");
            view! { <strong class="good" title=format!("The same losses as {others}")>"Reproduced"</strong> }
        });
        Some(view! { <p>"Fingerprint " <code>{fingerprint}</code> " " {reproduced}</p> })
    };
    let is_baseline = move || library.baseline.get() == Some(id);
    let pin = move |_| {
        let now = library.baseline.get_untracked();
        library.baseline.set((now != Some(id)).then_some(id));
    };
    let is_held = Memo::new(move |_| trainer.phase().is_open() && trainer.shown_id() != Some(id));
    let open_title = move || {
        is_held
            .get()
            .then_some("Another run is open. Stop it first.")
    };
    let set_name = move |event: web_sys::Event| {
        trainer.rename(id, &event_target_value(&event));
        // A name that was not taken does not stay in the field.
        let field: web_sys::HtmlInputElement = event_target(&event);
        field.set_value(&name.get_untracked());
    };
    let status = move || {
        record.with(|record| {
            let record = record.as_ref()?;
            let adapter = record.identity.adapter.clone();
            let on = adapter.unwrap_or_else(|| record.identity.backend.label().to_owned());
            let hint = (record.status == Status::Interrupted).then_some(" · open it to resume");
            Some(view! { <p class="muted">{record.status.label()} " · " {on}{hint}</p> })
        })
    };
    view! {
        <aside class="details" aria-label="Run">
            <h2>{name}</h2>
            {status}
            <p class="muted"><LastSaved trainer id /></p>
            {fingerprint}
            <div class="buttons">
                <button
                    disabled=is_held
                    title=open_title
                    on:click=move |_| {
                        trainer.look_at(id);
                        drop(window().location().set_hash("#/train"));
                    }
                >
                    "Open"
                </button>
                <button aria-pressed=move || is_baseline().to_string() on:click=pin>
                    {move || if is_baseline() { "Unpin baseline" } else { "Pin as baseline" }}
                </button>
            </div>
            <label>
                "Name"
                <input
                    type="text"
                    maxlength=NAME_LETTERS
                    prop:value=name
                    on:change=set_name
                />
            </label>
            <label>
                "Tags"
                <input type="text" placeholder="With commas between" prop:value=tags on:change=set_tags />
            </label>
            <label>
                "Notes"
                <textarea rows="5" maxlength=NOTES_LETTERS prop:value=notes on:change=set_notes></textarea>
            </label>
        </aside>
    }
    .into_any()
}

#[component]
pub(super) fn StorageMeter(trainer: Trainer) -> AnyView {
    let library = trainer.library;
    let persist = move |_| {
        wasm_bindgen_futures::spawn_local(async move {
            if !tab::persist().await {
                trainer.notify(crate::page::state::notice::Notice::info(
                    "The browser makes no promise to keep the runs. It may delete them when the \
                     disk is full; download what matters.",
                ));
            }
            library.measure();
        });
    };
    let room = move || {
        let meter = library.meter.get()?;
        let share = meter.used_bytes / meter.quota_bytes.max(1.0);
        let nearly_full = share > NEARLY_FULL;
        let text = format!(
            "{} {} of about {}",
            if meter.is_of_runs {
                "Runs use"
            } else {
                "Kiln uses"
            },
            format::bytes(meter.used_bytes as u64),
            format::bytes(meter.quota_bytes as u64)
        );
        Some(view! {
            <div class="meter" class:warn=nearly_full>
                <meter aria-label="Storage used" min="0" max="1" high=NEARLY_FULL value=share></meter>
                <span>{text}</span>
            </div>
        })
    };
    let promise = move || {
        let is_persistent = library.meter.get().is_some_and(|meter| meter.is_persistent);
        if is_persistent {
            return view! { <span class="good">"Kept until you delete them"</span> }.into_any();
        }
        let button = tab::can_persist().then(|| {
            view! { <button on:click=persist>"Keep my runs"</button> }
        });
        view! { <span>{UNPROMISED}</span> {button} }.into_any()
    };
    view! {
        {room}
        <div class="meter">{promise}</div>
    }
    .into_any()
}
