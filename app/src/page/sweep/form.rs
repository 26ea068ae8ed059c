//! What is to differ, and how it is searched.

use std::collections::BTreeMap;

use kiln_model::config::Config;
use kiln_run::export::name::file_stem;
use kiln_run::format;
use kiln_run::set::SetError;
use kiln_run::share::{choices, label, names};
use kiln_run::sweep::{Member, Search, Sweep, SweepError, read};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::turns::Turns;
use crate::browser::{download, remembered};
use crate::page::state::notice::Notice;
use crate::page::state::trainer::Trainer;

const KEY: &str = "kiln.sweep.form";
/// Letters of a name.
const NAME_LETTERS: usize = 40;
/// Settings that are offered at once; the others are below them.
const FIRST: [&str; 4] = ["learning_rate", "batch_size", "optimizer", "dropout"];
const SEARCHES: [(Search, &str, &str); 3] = [
    (Search::Grid, "Grid", "Every value with every other."),
    (
        Search::Random,
        "Random",
        "As many runs as you say, drawn from the values.",
    ),
    (
        Search::Halving,
        "Halving",
        "Drawn too; all begin with few epochs, and the best of them go on.",
    ),
];

/// What a person has said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Said {
    search: Search,
    runs: u32,
    first_epochs: u32,
    keep_one_of: u32,
    seed: u32,
    /// What stands beside each setting.
    values: BTreeMap<String, String>,
}

impl Default for Said {
    fn default() -> Self {
        let values = [
            ("learning_rate", "0.0003, 0.001, 0.003"),
            ("dropout", "0, 0.4"),
        ];
        Self {
            search: Search::Grid,
            runs: 9,
            first_epochs: 1,
            keep_one_of: 3,
            seed: 0,
            values: values
                .map(|(key, text)| (key.to_owned(), text.to_owned()))
                .into(),
        }
    }
}

impl Said {
    fn sweep(&self) -> Result<Sweep, SweepError> {
        let is_drawn = self.search != Search::Grid;
        let is_halving = self.search == Search::Halving;
        let mut vary = BTreeMap::new();
        for (key, text) in &self.values {
            if let Some(value) = read(key, text)? {
                vary.insert(key.clone(), value);
            }
        }
        Ok(Sweep {
            search: self.search,
            runs: is_drawn.then_some(self.runs),
            seed: self.seed,
            first_epochs: is_halving.then_some(self.first_epochs),
            keep_one_of: is_halving.then_some(self.keep_one_of),
            settings: BTreeMap::new(),
            vary,
        })
    }
}

#[component]
pub fn Form(trainer: Trainer, turns: Turns, chosen: RwSignal<Option<String>>) -> AnyView {
    let said = RwSignal::new(remembered::get::<Said>(KEY).unwrap_or_default());
    Effect::new(move |_| said.with(|said| remembered::set(KEY, said)));
    let name = RwSignal::new(unused(trainer, turns));
    let planned = Memo::new(move |_| {
        let base = trainer.next.get();
        let sweep = said.with(Said::sweep).map_err(sentence)?;
        let members = sweep.members(base).map_err(sentence)?;
        Ok::<_, String>((sweep, members))
    });
    let search = move |(search, label, tip): (Search, &'static str, &'static str)| {
        let is_chosen = move || said.with(|said| said.search == search);
        view! {
            <label title=tip>
                <input type="radio" name="search" prop:checked=is_chosen
                    on:change=move |_| said.update(|said| said.search = search) />
                {label}
            </label>
        }
    };
    let tip = move || {
        let search = said.with(|said| said.search);
        let found = SEARCHES.into_iter().find(|(other, ..)| *other == search);
        found.map(|(_, _, tip)| tip)
    };
    let is_drawn = Memo::new(move |_| said.with(|said| said.search != Search::Grid));
    let is_halving = Memo::new(move |_| said.with(|said| said.search == Search::Halving));
    let start = move |_| {
        let Some(Ok((sweep, members))) = planned.try_get_untracked() else {
            return;
        };
        let begun = name.get_untracked().trim().to_owned();
        chosen.set(Some(begun.clone()));
        turns.begin(begun, sweep, trainer.next.get_untracked(), members.len());
        name.set(unused(trainer, turns));
    };
    let save = move |_| {
        let Some(Ok((sweep, _))) = planned.try_get_untracked() else {
            return;
        };
        let mut base = trainer.next.get_untracked();
        // Here a run is told so when it begins; there it would be refused.
        if let Some(data) = trainer.data.get_untracked() {
            base.training_images = base.training_images.min(data.training_images);
        }
        let used = trainer.sources.used.get_untracked();
        match sweep.file(base) {
            Ok(mut text) => {
                if !used.is_mnist() {
                    let name = used.name;
                    text.insert_str(
                        0,
                        &format!(
                            "# On {name:?}, not MNIST: say --data FILES with every command.\n"
                        ),
                    );
                }
                let stem = file_stem(name.get_untracked().trim());
                download::save(&format!("{stem}.toml"), "application/toml", text.as_bytes());
            }
            Err(error) => trainer.notify(Notice::info(format!("{error}."))),
        }
    };
    let is_taken = move || {
        let name = name.get().trim().to_owned();
        let is_tag = trainer.library.records.with(|records| {
            let mut tags = records.iter().flat_map(|record| &record.identity.tags);
            tags.any(|tag| *tag == name)
        });
        is_tag || turns.begun().is_some_and(|begun| begun.name == name)
    };
    let why_not = move || {
        let library = trainer.library;
        let keeps_none = || library.is_read.get() && library.store().is_none();
        if let Err(error) = planned.get() {
            Some(error)
        } else if name.with(|name| name.trim().is_empty() || name.contains(',')) {
            Some("Give the sweep a name without commas.".to_owned())
        } else if is_halving.get() && keeps_none() {
            Some("Halving goes on with kept runs, and this window keeps none. Choose another search.".to_owned())
        } else if !turns.can_go_on() {
            Some("It can start once data is there and no run is open.".to_owned())
        } else if is_taken() {
            Some("Another sweep or tag has this name. Give it another.".to_owned())
        } else if turns.is_under_way() {
            Some("A sweep is under way. Pause it first.".to_owned())
        } else {
            None
        }
    };
    let others: Vec<&'static str> = names().filter(|key| !FIRST.contains(key)).collect();
    let row = move |key: &'static str| view! { <Values said key /> };
    view! {
        <section class="plan-of-sweep" aria-label="New sweep">
            <details open=true>
                <summary><h2>"New sweep"</h2></summary>
                <div class="plan-fields">
                    <p class="hint">"Settings that have no values here are as Train has them."</p>
                    <div class="field">
                        <label for="sweep-name">"Name"</label>
                        <input id="sweep-name" type="text" maxlength=NAME_LETTERS prop:value=name
                            on:input=move |event| name.set(event_target_value(&event)) />
                    </div>
                    <fieldset class="searches">
                        <legend>"Search"</legend>
                        {SEARCHES.map(search)}
                        <p class="hint">{tip}</p>
                    </fieldset>
                    <Show when=move || is_drawn.get()>
                        <Whole said label="Runs" of=|said| &mut said.runs />
                        <Whole said label="Seed of the draw" of=|said| &mut said.seed />
                    </Show>
                    <Show when=move || is_halving.get()>
                        <Whole said label="Epochs before runs are compared" of=|said| &mut said.first_epochs />
                        <Whole said label="One goes on of" of=|said| &mut said.keep_one_of />
                    </Show>
                    <fieldset class="values">
                        <legend>"Values"</legend>
                        <p class="hint">"A list, such as 0.001, 0.01, or a range, such as 0.0001 to 0.1 log in 4."</p>
                        {FIRST.map(row)}
                        <details>
                            <summary>"More settings"</summary>
                            {others.into_iter().map(row).collect_view()}
                        </details>
                    </fieldset>
                    <p class="plan" role="status">{move || planned.get().ok().map(|(sweep, members)| in_words(trainer, &sweep, &members))}</p>
                    <p class="error" role="status">{why_not}</p>
                    <div class="buttons">
                        <button class="primary" disabled=move || why_not().is_some() on:click=start>"Start the sweep"</button>
                        <button
                            title="This sweep for the program kiln, on a workstation or a cluster."
                            disabled=move || planned.with(Result::is_err)
                            on:click=save
                        >
                            "Save for kiln sweep"
                        </button>
                    </div>
                </div>
            </details>
        </section>
    }
    .into_any()
}

/// The values of one setting.
#[component]
fn Values(said: RwSignal<Said>, key: &'static str) -> AnyView {
    let id = format!("sweep-{key}");
    let label = label(key);
    let options = choices(key).join(", ");
    let value = move || said.with(|said| said.values.get(key).cloned().unwrap_or_default());
    let set = move |event| {
        said.update(|said| {
            said.values
                .insert(key.to_owned(), event_target_value(&event));
        });
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input id=id type="text" autocomplete="off" spellcheck="false" placeholder=options prop:value=value on:input=set />
        </div>
    }
    .into_any()
}

/// A whole number that the search has.
#[component]
fn Whole(said: RwSignal<Said>, label: &'static str, of: fn(&mut Said) -> &mut u32) -> AnyView {
    let value = move || said.with(|said| *of(&mut said.clone()));
    let set = move |event| {
        // What is no such number is shown as the one that holds.
        let number = event_target_value(&event).parse().ok();
        said.update(|said| *of(said) = number.unwrap_or(*of(said)));
    };
    view! {
        <div class="field">
            <label>{label}<input type="number" min="0" step="1" prop:value=value on:change=set /></label>
        </div>
    }
    .into_any()
}

/// An error as a form says it, whose values stand in no file.
fn sentence(error: SweepError) -> String {
    match error {
        SweepError::NothingVaries => "Give a setting two values or more.".to_owned(),
        SweepError::Setting(SetError::Unused { key, optimizer }) => format!(
            "{key} is no setting of {optimizer}. Choose its optimizer in Train, or take its values out."
        ),
        SweepError::Short { first, .. } => format!(
            "Runs that are compared after {first} epochs need more epochs than that. Raise Epochs in Train."
        ),
        SweepError::OutOfRange { reason, .. }
        | SweepError::Setting(SetError::OutOfRange { reason, .. }) => reason.to_string(),
        error => error.to_string().replace(" in [vary]", ""),
    }
}

/// A name that no sweep has.
fn unused(trainer: Trainer, turns: Turns) -> String {
    let latest = turns.latest();
    let is_taken = |name: &String| {
        latest.as_ref() == Some(name)
            || trainer.library.records.with_untracked(|records| {
                let mut tags = records.iter().flat_map(|record| &record.identity.tags);
                tags.any(|tag| tag == name)
            })
    };
    let mut names = (1..).map(|number| format!("sweep-{number}"));
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// How many runs there will be, and how long they take.
fn in_words(trainer: Trainer, sweep: &Sweep, members: &[Member]) -> String {
    let most = members.iter().map(|member| member.config.epochs).max();
    let rungs = sweep.rungs(members.len(), most.unwrap_or_default());
    let runs = members.len();
    let noun = if runs == 1 { "run" } else { "runs" };
    let mut parts = vec![format!("{runs} {noun}")];
    if rungs.len() > 1 {
        let rungs = rungs
            .iter()
            .map(|rung| format!("{} to epoch {}", rung.runs, rung.epochs));
        parts.push(rungs.collect::<Vec<_>>().join(", "));
    }
    // Of a halving each rung's runs do what the rung before has not done.
    let mut secs = Some(0.0);
    let mut before = 0;
    for rung in &rungs {
        for member in members.iter().take(rung.runs) {
            let until = |epochs: u32| {
                let epochs = epochs.min(member.config.epochs).max(1);
                trainer.estimated_secs(&Config {
                    epochs,
                    ..member.config
                })
            };
            let done = if before == 0 {
                Some(0.0)
            } else {
                until(before)
            };
            let more = until(rung.epochs).zip(done).map(|(all, done)| all - done);
            secs = secs.zip(more).map(|(sum, more)| sum + more);
        }
        before = rung.epochs;
    }
    parts.extend(secs.map(|secs| format!("≈ {}", format::duration(secs))));
    parts.join(" · ")
}
