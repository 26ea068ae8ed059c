//! The networks that look at the pad: the weights of up to four runs.

use std::collections::HashMap;
use std::sync::Arc;

use kiln_model::checkpoint::Values;
use leptos::prelude::*;

use crate::browser::store::StoreError;
use crate::page::state::library::Library;
use crate::page::state::trainer::Trainer;
use kiln_run::classes::Classes;
use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::{Run, Status, Weights};

/// Most runs side by side.
pub const MOST: usize = 4;

/// Weights of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// All of them.
    pub values: Values,
    /// The step that they are of.
    step: u32,
    /// Whether there will be newer ones.
    is_open: bool,
    /// Where they were found.
    checkpoint: Arc<Checkpoint>,
}

impl Taken {
    /// Which weights these are: a sentence.
    pub fn describe(&self) -> String {
        let step = format::count(self.step.into());
        if self.is_open {
            format!("Weights of step {step}; the run goes on.")
        } else {
            format!("Best weights, those of step {step}.")
        }
    }
}

/// What is there of a run's weights.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// They are being read.
    Reading,
    /// They are there.
    Here(Arc<Taken>),
    /// There are none, and why: a sentence.
    Absent(&'static str),
    /// They cannot be read, and why.
    Unreadable(StoreError),
}

/// A run that looks at the pad.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its colour in CSS.
    pub colour: &'static str,
    /// What it can answer.
    pub classes: Classes,
    /// Its weights.
    pub state: State,
}

impl Network {
    /// Its weights, where they are there.
    pub fn taken(&self) -> Option<&Arc<Taken>> {
        match &self.state {
            State::Here(taken) => Some(taken),
            State::Reading | State::Absent(_) | State::Unreadable(_) => None,
        }
    }
}

/// The weights to look with: those of the newest checkpoint while the run is open, else the best.
fn state_of(run: &Run, status: Status, before: Option<&State>) -> State {
    let is_open = status.is_open();
    let which = if is_open {
        Weights::Last
    } else {
        Weights::Best
    };
    let (Some(checkpoint), Some(step)) = (run.checkpoint(), run.weights_step(which)) else {
        return State::Absent(if is_open {
            "Its first weights come a few seconds after its first step."
        } else {
            "It ended before any weights were kept."
        });
    };
    let before = match before {
        Some(State::Here(taken)) if (taken.step, taken.is_open) == (step, is_open) => Some(taken),
        _ => None,
    };
    if let Some(taken) = before.filter(|taken| Arc::ptr_eq(&taken.checkpoint, checkpoint)) {
        return State::Here(Arc::clone(taken));
    }
    match run.weights(which) {
        Ok(Some(values)) => match before.filter(|taken| taken.values.0 == values) {
            // Whoever was asked with these need not be asked again.
            Some(taken) => State::Here(Arc::clone(taken)),
            None => State::Here(Arc::new(Taken {
                values: Values(values),
                step,
                is_open,
                checkpoint: Arc::clone(checkpoint),
            })),
        },
        Ok(None) => State::Absent("It ended before any weights were kept."),
        Err(error) => State::Unreadable(error.into()),
    }
}

/// The runs that look at the pad: those that are asked for, else the shown one, else those that
/// are ticked in the list of runs and have weights.
pub fn chosen(trainer: Trainer, asked: Signal<Vec<RunId>>) -> Memo<Vec<RunId>> {
    Memo::new(move |_| {
        let mut ids: Vec<RunId> = Vec::new();
        for id in asked.get() {
            if ids.len() < MOST && !ids.contains(&id) {
                ids.push(id);
            }
        }
        if !ids.is_empty() {
            return ids;
        }
        let shown = trainer.run.with(|run| {
            let run = run.as_ref()?;
            (run.status().is_open() || run.checkpoint().is_some()).then_some(run.identity.id)
        });
        if let Some(id) = shown {
            return vec![id];
        }
        let with_weights = runs_with_weights(trainer.library);
        let ticked = trainer.library.shown.get();
        let ids = with_weights.into_iter().filter(|id| ticked.contains(id));
        ids.take(MOST).collect()
    })
}

/// Runs that have been kept with weights, the newest first.
pub fn runs_with_weights(library: Library) -> Vec<RunId> {
    library.records.with(|records| {
        let kept = records.iter().filter(|record| record.has_checkpoint);
        kept.rev().map(|record| record.identity.id).collect()
    })
}

/// What a kept run looked like when its weights were read: other figures, other weights.
type Version = (Status, u32);

/// The runs with their weights, as they are now.
pub fn networks(trainer: Trainer, chosen: Memo<Vec<RunId>>) -> Memo<Vec<Network>> {
    let library = trainer.library;
    let shown = Memo::new(move |before: Option<&Option<(RunId, State)>>| {
        let before = before.and_then(Option::as_ref);
        trainer.run.with(|run| {
            let run = run.as_ref()?;
            let id = run.identity.id;
            let before = before.filter(|(other, _)| *other == id);
            let state = state_of(run, run.status(), before.map(|(_, state)| state));
            Some((id, state))
        })
    });
    let shown_id = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|(id, _)| *id)));
    let kept = RwSignal::new(HashMap::<RunId, (Version, State)>::new());
    Effect::new(move |_| {
        for id in chosen.get() {
            let record = library.records.with(|records| {
                let record = records.iter().find(|record| record.identity.id == id)?;
                Some((record.status, record.summary.steps))
            });
            if let Some(version) = record.filter(|_| shown_id.get() != Some(id)) {
                read(library, kept, id, version);
            }
        }
    });
    Memo::new(move |_| {
        let ids = chosen.get();
        let network = |id: RunId| {
            let identity = library.records.with(|records| {
                let record = records.iter().find(|record| record.identity.id == id);
                record.map(|record| record.identity.clone())
            });
            let Some(identity) = identity else {
                let state = if library.is_read.get() {
                    State::Absent("It was deleted, perhaps in another tab.")
                } else {
                    State::Reading
                };
                return Network {
                    id,
                    name: "Deleted run".to_owned(),
                    colour: "var(--muted)",
                    classes: Classes::default(),
                    state,
                };
            };
            let state = shown.with(|shown| {
                let shown = shown.as_ref().filter(|(other, _)| *other == id);
                shown.map(|(_, state)| state.clone())
            });
            let state = state.unwrap_or_else(|| {
                kept.with(|kept| kept.get(&id).map(|(_, state)| state.clone()))
                    .unwrap_or(State::Reading)
            });
            Network {
                id,
                colour: identity.css_colour(),
                name: identity.name,
                classes: identity.classes,
                state,
            }
        };
        ids.into_iter().map(network).collect()
    })
}

/// Reads a kept run's weights, unless they were read from it as it is now.
fn read(
    library: Library,
    kept: RwSignal<HashMap<RunId, (Version, State)>>,
    id: RunId,
    version: Version,
) {
    let before = kept.with_untracked(|kept| kept.get(&id).cloned());
    if before.as_ref().is_some_and(|(read, _)| *read == version) {
        return;
    }
    // Until the newer ones are read, the earlier ones look on.
    let state = before.map_or(State::Reading, |(_, state)| state);
    kept.update(|kept| {
        kept.insert(id, (version, state));
    });
    wasm_bindgen_futures::spawn_local(async move {
        let state = match library.store() {
            None => State::Absent("This window keeps no runs; only the one under Train is there."),
            Some(store) => match store.run(id).await {
                Ok(run) => state_of(&run, version.0, None),
                Err(StoreError::Gone) => State::Absent("It was deleted, perhaps in another tab."),
                Err(error) => State::Unreadable(error),
            },
        };
        kept.try_update(|kept| {
            if let Some((read, old)) = kept.get_mut(&id)
                && *read == version
            {
                *old = state;
            }
        });
    });
}
