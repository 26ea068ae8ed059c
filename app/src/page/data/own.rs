//! Which data there is, and how more of it comes in.

use crate::page::parts::FIXED;
use crate::page::parts::device::data_text;
use crate::page::parts::import::import;
use gloo::file::{File, FileList};
use kiln_model::dataset::Part;
use kiln_model::import::{Choices, PairNames, Remark as OfImages};
use kiln_model::mnist;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;

use super::naming::Naming;
use crate::browser::store::OwnData;
use crate::page::state::sources::Outcome;
use crate::page::state::trainer::{Loading, Trainer};
use kiln_run::data::{Remark, Source, counts, label};
use kiln_run::format;

/// Another seed mixes otherwise; one is enough.
const SHUFFLE_SEED: u32 = 1;

/// The data in use, the data that is kept, and where more comes in.
#[component]
pub(super) fn Own(trainer: Trainer) -> AnyView {
    let sources = trainer.sources;
    let is_fixed = Memo::new(move |_| trainer.phase().is_open());
    let is_checking = move || sources.outcome.get() == Outcome::Checking;
    let choose = move |event: web_sys::Event| {
        let input: Option<HtmlInputElement> =
            event.target().and_then(|target| target.dyn_into().ok());
        if let Some(input) = input {
            let files: Vec<File> = input
                .files()
                .map(|files| FileList::from(files).to_vec())
                .unwrap_or_default();
            // The same files can then be chosen again.
            input.set_value("");
            import(trainer, files);
        }
    };
    let outcome = move || match sources.outcome.get() {
        Outcome::Nothing => ().into_any(),
        Outcome::Checking => view! { <p role="status">"Checking the files"</p> }.into_any(),
        Outcome::WhichPairs(pairs) => view! { <WhichPairs trainer pairs /> }.into_any(),
        Outcome::Taken(text) => view! { <p role="status">{text}</p> }.into_any(),
        Outcome::Refused(text) => view! { <p class="error" role="alert">{text}</p> }.into_any(),
    };
    let row = move |source: Source, details: String, own: Option<OwnData>| {
        view! { <SourceRow trainer source details own is_fixed /> }
    };
    let rows = move || {
        let mnist = format!(
            "{} training and {} test images",
            format::count(mnist::TRAINING_IMAGES.into()),
            format::count(mnist::TEST_IMAGES.into())
        );
        let mut rows = vec![row(Source::mnist(), mnist, None)];
        for own in sources.kept.get() {
            let mut details = vec![counts(&own.summary), format::bytes(own.bytes)];
            if own.summary.is_test_cut_off {
                details.push("last seventh is the test set".to_owned());
            }
            details.push(own.files.join(", "));
            rows.push(row(own.source(), details.join(" · "), Some(own)));
        }
        rows
    };
    let removed = move || {
        let own = sources.removed.get()?;
        let hash = own.summary.hash.clone();
        let runs = trainer
            .library
            .records
            .with(|records| records.iter().filter(|run| run.data == hash).count());
        let mut text = format!("Removed {}.", own.name);
        if runs > 0 {
            text += &format!(" Runs that cannot go on without it: {runs}.");
        }
        Some(view! {
            <p role="status">
                {text}
                <button on:click=move |_| trainer.bring_data_back()>"Undo"</button>
            </p>
        })
    };
    let progress = move || {
        (trainer.loading.get() != Loading::Done)
            .then(|| view! { <p role="status">{data_text(trainer)}</p> })
    };
    view! {
        <section class="panel sources" aria-label="Data in use">
            <ul>{rows}</ul>
            <div class="import">
                <label
                    class="button"
                    class:disabled=is_fixed
                    title=move || is_fixed.get().then_some(FIXED)
                >
                    "Import"
                    <input
                        class="hidden"
                        type="file"
                        multiple
                        disabled=move || is_fixed.get() || is_checking()
                        on:change=choose
                    />
                </label>
                <p class="hint">
                    "Or drop files, a folder or a zip here: idx images and labels, one pair or two, gzipped or not; 28 × 28 pixels, labels 0 to 9, at most 600\u{2009}000 images. They stay in this browser."
                </p>
            </div>
            <div class="outcome">{progress} {outcome} {removed}</div>
        </section>
    }
    .into_any()
}

/// Data that can be used.
#[component]
pub(super) fn SourceRow(
    trainer: Trainer,
    source: Source,
    details: String,
    own: Option<OwnData>,
    is_fixed: Memo<bool>,
) -> AnyView {
    let is_kept = own.is_some();
    let used = trainer.sources.used;
    let hash = source.hash.clone();
    let is_used = Memo::new(move |_| used.with(|used| used.hash == hash));
    let shown = label(&source.name, &source.hash);
    let (name, digits) = match shown.split_once(" · ") {
        Some((name, digits)) => (name.to_owned(), Some(digits.to_owned())),
        None => (shown.clone(), None),
    };
    let hash = StoredValue::new(source.hash);
    let label = if is_kept {
        format!("Use {shown}")
    } else {
        "Use MNIST again".to_owned()
    };
    let text = if is_kept { "Use" } else { "Use MNIST again" };
    let kept = own.clone();
    let rearranging = own.map(|own| {
        let is_shown = move || is_used.get();
        view! {
            <Show when=is_shown>
                <Rearranging trainer own=own.clone() is_fixed />
            </Show>
        }
    });
    let button = move || {
        if is_used.get() {
            view! { <strong class="in-use">"In use"</strong> }.into_any()
        } else {
            view! {
                <button
                    aria-label=label.clone()
                    disabled=is_fixed
                    title=move || is_fixed.get().then_some(FIXED)
                    on:click=move |_| trainer.switch_data(hash.get_value())
                >
                    {text}
                </button>
            }
            .into_any()
        }
    };
    let is_naming = RwSignal::new(false);
    let naming = kept.map(|own| {
        move || {
            is_naming
                .get()
                .then(|| view! { <Naming trainer own=own.clone() is_open=is_naming /> })
        }
    });
    let rename = is_kept.then(|| {
        view! {
            <button
                class="quiet"
                aria-label=format!("Rename {shown}")
                aria-expanded=move || is_naming.get().to_string()
                on:click=move |_| is_naming.update(|is_naming| *is_naming = !*is_naming)
            >
                "Rename"
            </button>
        }
    });
    let remove = is_kept.then(|| {
        view! {
            <button
                class="quiet"
                aria-label=format!("Remove {shown}")
                disabled=is_used
                title=move || is_used.get().then_some("In use. Use other data to remove it.")
                on:click=move |_| trainer.remove_data(hash.get_value())
            >
                "Remove"
            </button>
        }
    });
    view! {
        <li class:used=is_used>
            <p>
                <strong>{name}</strong>
                " "
                {digits.map(|digits| view! { <code>{digits}</code> })}
                <small>{details}</small>
            </p>
            {rearranging}
            {rename}
            {button}
            {remove}
            {naming}
        </li>
    }
    .into_any()
}

/// What can be done with the images of data in use, where they look as if it should be; what it comes
/// to is seen among the samples.
#[component]
fn Rearranging(trainer: Trainer, own: OwnData, is_fixed: Memo<bool>) -> AnyView {
    let now = own.summary.choices.images;
    let says = |what: OfImages| own.summary.remarks.contains(&Remark::Images(what));
    let button = |label: &'static str, title: &'static str, is_done: bool, images: Choices| {
        let own = own.clone();
        view! {
            <button
                class="quiet"
                aria-pressed=is_done.to_string()
                disabled=move || {
                    is_fixed.get() || trainer.sources.outcome.get() == Outcome::Checking
                }
                title=move || if is_fixed.get() { FIXED } else { title }
                on:click=move |_| trainer.rearrange(own.clone(), images)
            >
                {label}
            </button>
        }
    };
    let transpose = (now.transpose || says(OfImages::LooksTransposed)).then(|| {
        let images = Choices {
            transpose: !now.transpose,
            ..now
        };
        button(
            "Transpose",
            "Exchange rows and columns of every image",
            now.transpose,
            images,
        )
    });
    let shuffle = (now.shuffle.is_some() || says(OfImages::SortedByClass)).then(|| {
        let images = Choices {
            shuffle: now.shuffle.xor(Some(SHUFFLE_SEED)),
            ..now
        };
        button(
            "Shuffle",
            "Mix the classes before images are kept for validation",
            now.shuffle.is_some(),
            images,
        )
    });
    view! {
        {transpose}
        {shuffle}
    }
    .into_any()
}

/// Asks which of several pairs of files to train on, and which to test on.
#[component]
fn WhichPairs(trainer: Trainer, pairs: Vec<PairNames>) -> AnyView {
    let place = |part: Part| pairs.iter().position(|pair| pair.part == Some(part));
    let training = RwSignal::new(place(Part::Training).unwrap_or(0));
    let test = RwSignal::new(place(Part::Test).filter(|test| *test != training.get_untracked()));
    let options = |chosen: Option<usize>| {
        let option = |(index, pair): (usize, &PairNames)| {
            let text = format!(
                "{} with {}, {} images",
                pair.images,
                pair.labels,
                format::count(pair.count.into())
            );
            view! { <option value=index selected=chosen == Some(index)>{text}</option> }
        };
        pairs.iter().enumerate().map(option).collect_view()
    };
    let (to_train, to_test) = (
        options(Some(training.get_untracked())),
        options(test.get_untracked()),
    );
    let names = pairs.clone();
    let take = move |_| {
        let chosen = [Some(training.get_untracked()), test.get_untracked()];
        let chosen = chosen
            .into_iter()
            .flatten()
            .filter_map(|index| names.get(index));
        let files = chosen.flat_map(|pair| [pair.images.clone(), pair.labels.clone()]);
        trainer.import_pairs(files.collect());
    };
    view! {
        <fieldset class="which-pairs" role="group" aria-label="Which files">
            <p role="status">"These are several pairs of images and labels. Which are meant?"</p>
            <label>
                "Train on"
                <select on:change=move |event| {
                    if let Ok(index) = event_target_value(&event).parse() {
                        training.set(index);
                    }
                }>{to_train}</select>
            </label>
            <label>
                "Test on"
                <select on:change=move |event| test.set(event_target_value(&event).parse().ok())>
                    <option value="">"The last seventh of the training images"</option>
                    {to_test}
                </select>
            </label>
            <button
                class="primary"
                disabled=move || test.get() == Some(training.get())
                title=move || {
                    (test.get() == Some(training.get())).then_some("Test on others than are trained on")
                }
                on:click=take
            >
                "Use these"
            </button>
        </fieldset>
    }
    .into_any()
}
