//! A sweep while it is under way: whose turn is next, over the page's own queue.

use std::rc::Rc;

use kiln_model::config::Config;
use kiln_run::format;
use kiln_run::id::RunId;
use kiln_run::order::{OfSweep, Order, Queued, Turn};
use kiln_run::sweep::{Member, Standing, Sweep, SweepError, better, names, standings};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::browser::remembered;
use crate::page::state::notice::Notice;
use crate::page::state::trainer::Trainer;

const KEY: &str = "kiln.sweep";

/// A sweep that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Its name, which its runs have as a tag.
    pub name: String,
    /// What it is.
    pub sweep: Sweep,
    /// The settings that it leaves as they are.
    pub base: Config,
}

/// The sweep that was begun last, and whether it takes its turns.
#[derive(Clone, Copy)]
pub struct Turns {
    trainer: Trainer,
    begun: RwSignal<Option<Begun>>,
}

/// What is to be trained next.
enum Next {
    /// A run that is not there yet.
    New(Order),
    /// One that goes on, up to so many epochs.
    Old(RunId, u32),
}

impl Begun {
    /// Its runs.
    ///
    /// # Errors
    /// None of one that was begun here.
    pub fn members(&self) -> Result<Vec<Member>, SweepError> {
        self.sweep.members(self.base)
    }

    /// What came of each of its runs; read by whoever is told of changes.
    pub fn standings(&self, trainer: Trainer) -> Vec<Standing> {
        let data = trainer.data.get().map(|data| data.hash).unwrap_or_default();
        let members = self.members().unwrap_or_default();
        trainer
            .library
            .records
            .with(|records| standings(&members, records, &self.name, &data))
    }

    fn next(&self, trainer: Trainer) -> Option<Next> {
        let members = self.members().ok()?;
        let standings = untrack(|| self.standings(trainer));
        let epochs: Vec<u32> = members.iter().map(|member| member.config.epochs).collect();
        let (rung, waiting) = self.sweep.now(&standings, &epochs)?;
        let index = *waiting.first()?;
        let member = &members[index];
        let epochs = rung.min(member.config.epochs);
        if let Some(record) = &standings[index].record {
            return Some(Next::Old(record.identity.id, epochs));
        }
        let name = names(&self.name, members.len()).into_iter().nth(index)?;
        Some(Next::New(Order {
            single_step: false,
            run: Queued {
                config: Config {
                    epochs,
                    ..member.config
                },
                name: None,
            },
            of_sweep: Some(OfSweep {
                name,
                tag: self.name.clone(),
            }),
        }))
    }

    /// Runs that will do nothing more, of all.
    pub fn done(&self, trainer: Trainer) -> (usize, usize) {
        let standings = self.standings(trainer);
        let Ok(members) = self.members() else {
            return (0, 0);
        };
        let epochs: Vec<u32> = members.iter().map(|member| member.config.epochs).collect();
        match self.sweep.now(&standings, &epochs) {
            None => (members.len(), members.len()),
            Some((rung, _)) => {
                let has_done =
                    |(standing, epochs): &(&Standing, &u32)| standing.has_done(rung.min(**epochs));
                let done = standings.iter().zip(&epochs).filter(has_done).count();
                (done, members.len())
            }
        }
    }
}

impl Turns {
    /// The sweep that was begun last, in this visit or one before.
    pub fn new(trainer: Trainer) -> Self {
        Self {
            trainer,
            begun: RwSignal::new(remembered::get(KEY)),
        }
    }

    /// The sweep that was begun last.
    pub fn begun(self) -> Option<Begun> {
        self.begun.get()
    }

    /// Its name.
    pub fn latest(self) -> Option<String> {
        let begun = self.begun.get_untracked();
        begun.map(|begun| begun.name)
    }

    /// Whether a sweep of this name takes its turns now.
    pub fn is_under_way(self) -> bool {
        self.trainer.is_sweeping.get()
    }

    /// Begins a sweep.
    pub fn begin(self, begun: Begun) {
        remembered::set(KEY, &begun);
        self.begun.set(Some(begun));
        self.go_on();
    }

    /// Has the sweep take its turns from now on.
    pub fn go_on(self) {
        let Some(begun) = self.begun.get_untracked() else {
            return;
        };
        let trainer = self.trainer;
        let sweeper = move |turn| take(trainer, &begun, turn);
        trainer.sweep_with(Some(Rc::new(sweeper)));
        trainer.begin_next();
    }

    /// Has it take none any more; the run that is open goes on to its end.
    pub fn pause(self) {
        self.trainer.sweep_with(None);
    }
}

/// Takes a turn of a sweep, where there is one to take.
fn take(trainer: Trainer, begun: &Begun, turn: Turn) -> bool {
    if let Turn::Failed(run) = turn {
        let record = trainer.library.record_untracked(run);
        let Some(record) = record.filter(|record| record.identity.tags.contains(&begun.name))
        else {
            return false;
        };
        trainer.notify(Notice::info(format!(
            "{} has failed and comes last in {}.",
            record.identity.name, begun.name
        )));
        trainer.begin_next();
        return true;
    }
    match begun.next(trainer) {
        Some(Next::New(order)) => trainer.ask_for(order),
        Some(Next::Old(run, epochs)) => trainer.go_on_with(run, epochs),
        None => {
            trainer.sweep_with(None);
            let mut standings = untrack(|| begun.standings(trainer));
            standings.sort_by(better);
            let best = standings.into_iter().next();
            let best = best.and_then(|best| Some((best.loss()?, best.record?)));
            let said = best.map_or_else(String::new, |(loss, record)| {
                let name = record.identity.name;
                format!(
                    " The best is {name}, validation loss {}.",
                    format::loss(loss)
                )
            });
            trainer.notify(Notice::info(format!("{} is done.{said}", begun.name)));
            return false;
        }
    }
    true
}
