//! Whose files are looked at.

use kiln_model::checkpoint::Outline;
use leptos::prelude::*;

use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;
use kiln_run::run::Weights;

/// The run whose files are looked at; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Chosen {
    trainer: Trainer,
    /// The run; nothing where there is none.
    pub id: Memo<Option<RunId>>,
    picked: RwSignal<Option<RunId>>,
    /// What the kept checkpoint of a run says that is not the open one.
    outline: RwSignal<Option<(RunId, Outline)>>,
}

impl Chosen {
    /// The run that the address names, or else the one that is shown, or else the newest.
    pub fn new(trainer: Trainer, asked: Signal<Option<RunId>>) -> Self {
        let picked = RwSignal::new(None);
        Effect::new(move |_| {
            if let Some(run) = asked.get() {
                picked.set(Some(run));
            }
        });
        let id = Memo::new(move |_| {
            let shown = trainer
                .run
                .with(|run| run.as_ref().map(|run| run.identity.id));
            trainer.library.records.with(|records| {
                let is_there = |id: &RunId| records.iter().any(|record| record.identity.id == *id);
                let newest = records.last().map(|record| record.identity.id);
                let picked = picked.get().filter(is_there);
                picked.or(shown.filter(is_there)).or(newest)
            })
        });
        let chosen = Self {
            trainer,
            id,
            picked,
            outline: RwSignal::new(None),
        };
        Effect::new(move |_| {
            if let (Some(id), Some(store)) = (id.get(), trainer.library.store()) {
                wasm_bindgen_futures::spawn_local(async move {
                    // Where it cannot be read, the files say so as they are made.
                    let outline = store.outline(id).await;
                    if let (Ok(Some(outline)), Some(Some(now))) =
                        (outline, chosen.id.try_get_untracked())
                        && now == id
                    {
                        chosen.outline.try_set(Some((id, outline)));
                    }
                });
            }
        });
        chosen
    }

    /// Looks at another run.
    pub fn pick(self, id: RunId) {
        self.picked.set(Some(id));
    }

    /// What its newest checkpoint says; nothing before there is one.
    fn outline(self) -> Option<Outline> {
        let id = self.id.get()?;
        self.trainer.kept.track();
        let shown = self.trainer.run.with(|run| {
            let run = run.as_ref().filter(|run| run.identity.id == id)?;
            Some(run.checkpoint().map(|kept| kept.outline.clone()))
        });
        let read = || {
            let read = self.outline.get().filter(|(run, _)| *run == id)?;
            Some(read.1)
        };
        shown.unwrap_or_else(read)
    }

    /// The step of its best or last weights.
    pub fn weights_step(self, which: Weights) -> Option<u32> {
        let outline = self.outline()?;
        let best = outline.best_step.filter(|_| which == Weights::Best);
        Some(best.unwrap_or(outline.weights_step))
    }

    /// Where it was kept last, while it is under way.
    pub fn kept_step(self) -> Option<u32> {
        let id = self.id.get()?;
        let is_open = self.trainer.run.with(|run| {
            let run = run.as_ref().filter(|run| run.identity.id == id)?;
            Some(run.status().is_open())
        });
        let outline = self.outline()?;
        is_open?.then_some(outline.step)
    }
}
