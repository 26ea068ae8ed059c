//! A sweep while it is under way: whose turn is next, over the page's own queue.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use kiln_model::config::Config;
use kiln_run::format;
use kiln_run::id::RunId;
use kiln_run::order::{OfSweep, Order, Queued, Turn};
use kiln_run::sweep::{Member, Standing, Sweep, better, names};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::browser::clock::new_run_id;
use crate::browser::lock::{Alive, Patience};
use crate::browser::remembered;
use crate::browser::store::StoreError;
use crate::page::state::notice::Notice;
use crate::page::state::trainer::Trainer;

const KEY: &str = "kiln.sweep";
/// Why a run of a sweep is not trained that was there before.
const DELETED: &str = "It was deleted.";

/// A sweep that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// What its lock goes by: one tab takes its turns.
    id: RunId,
    /// Its name, which its runs have as a tag.
    pub name: String,
    sweep: Sweep,
    /// The settings that it leaves as they are.
    base: Config,
    /// What its data is known by.
    data: String,
    /// The run of each member, once it was asked for.
    asked: Vec<Option<RunId>>,
    /// Whether that was seen among the kept runs: where it is not any more, a person has deleted it.
    seen: Vec<bool>,
}

thread_local! {
    /// The sweep that was begun last, in this visit or one before; it outlives the screen.
    static BEGUN: ArcRwSignal<Option<Begun>> = ArcRwSignal::new(kept());
    /// Who notes what becomes of its runs, whichever screen is shown.
    static WATCH: OnceCell<Owner> = const { OnceCell::new() };
}

/// The sweep that was begun last, and whether it takes its turns.
#[derive(Clone, Copy)]
pub struct Turns {
    trainer: Trainer,
    begun: RwSignal<Option<Begun>>,
}

/// What is to be trained next.
enum Next {
    /// The run of a member that is not there yet.
    New(usize, Order),
    /// One that goes on, up to so many epochs.
    Old(RunId, u32),
    /// All are done.
    Nothing,
    /// So many were tried and did not go on.
    Stuck(usize),
}

impl Begun {
    fn members(&self) -> Vec<Member> {
        // One that was begun has some.
        self.sweep.members(self.base).unwrap_or_default()
    }

    /// What came of each of its runs; read by whoever is told of changes.
    fn standings(&self, trainer: Trainer) -> Vec<Standing> {
        let runs = self.asked.iter().zip(&self.seen);
        let standing = |(asked, was_seen): (&Option<RunId>, &bool)| {
            let record = asked.and_then(|id| trainer.library.record(id));
            let library = trainer.library;
            let is_read = library.is_read.get() && library.store().is_some();
            let is_gone = *was_seen && record.is_none() && is_read;
            Standing {
                record,
                refused: is_gone.then(|| DELETED.to_owned()),
            }
        };
        runs.map(standing).collect()
    }

    /// The next that was not tried yet.
    fn next(
        &self,
        trainer: Trainer,
        standings: &[Standing],
        tried: &mut BTreeSet<(usize, u32)>,
    ) -> Next {
        let members = self.members();
        let epochs: Vec<u32> = members.iter().map(|member| member.config.epochs).collect();
        let Some((rung, waiting)) = self.sweep.now(standings, &epochs) else {
            return Next::Nothing;
        };
        let untried = waiting
            .iter()
            .find(|index| !tried.contains(&(**index, rung)));
        let Some(index) = untried.copied() else {
            return Next::Stuck(waiting.len());
        };
        tried.insert((index, rung));
        let epochs = rung.min(epochs[index]);
        let begun = standings[index].record.as_ref();
        let begun = begun.map(|record| record.identity.id);
        // One that was lost before it was kept is nowhere to go on with.
        let can_be_shown =
            |id: &RunId| trainer.library.is_kept(*id) || trainer.shown_id() == Some(*id);
        if let Some(id) = begun.filter(can_be_shown) {
            return Next::Old(id, epochs);
        }
        let mut names = names(&self.name, members.len()).into_iter();
        let order = Order {
            single_step: false,
            run: Queued {
                config: Config {
                    epochs,
                    ..members[index].config
                },
                name: None,
            },
            of_sweep: Some(OfSweep {
                name: names.nth(index).unwrap_or_default(),
                tag: self.name.clone(),
            }),
        };
        Next::New(index, order)
    }

    /// Runs that will do nothing more for now, of all.
    pub fn done(&self, trainer: Trainer) -> (usize, usize) {
        let standings = self.standings(trainer);
        let members = self.members();
        let epochs: Vec<u32> = members.iter().map(|member| member.config.epochs).collect();
        let waiting = self.sweep.now(&standings, &epochs);
        let waiting = waiting.map_or(0, |(_, waiting)| waiting.len());
        (members.len() - waiting, members.len())
    }
}

/// The sweep that the browser remembers, where its runs are still those that it was begun with.
fn kept() -> Option<Begun> {
    let begun: Begun = remembered::get(KEY)?;
    let members = begun.members().len();
    let is_whole = members > 0 && begun.asked.len() == members && begun.seen.len() == members;
    is_whole.then_some(begun)
}

/// Changes the sweep that was begun last; the browser remembers it unless another tab has begun one since.
fn change(trainer: Trainer, change: impl FnOnce(&mut Begun)) {
    let Some(mut begun) = latest() else {
        return;
    };
    let kept = kept();
    let is_remembered = kept.as_ref().is_none_or(|kept| kept.id == begun.id);
    // Where another tab takes its turns, that one knows more of it.
    let is_of_other = is_remembered && !trainer.is_sweeping.get_untracked();
    let of_other = kept.filter(|_| is_of_other);
    begun = of_other.unwrap_or(begun);
    change(&mut begun);
    if is_remembered {
        remembered::set(KEY, &begun);
    }
    BEGUN.with(|signal| signal.set(Some(begun)));
}

/// Notes which runs the browser has kept. Of one that it has not, or that has no step, it is no wonder
/// that it is gone after a reload or after Cancel: nobody has deleted it.
fn note_seen(trainer: Trainer, standings: &[Standing]) {
    let is_there = |standing: &Standing| {
        standing.record.as_ref().is_some_and(|record| {
            record.summary.steps > 0 && trainer.library.is_kept(record.identity.id)
        })
    };
    let is_new = latest().is_some_and(|begun| {
        let mut runs = begun.seen.iter().zip(standings);
        runs.any(|(seen, standing)| !seen && is_there(standing))
    });
    if is_new {
        change(trainer, |begun| {
            let seen = begun.seen.iter_mut().zip(standings);
            seen.for_each(|(seen, standing)| *seen |= is_there(standing));
        });
    }
}

/// Notes which of its runs are there, whenever that changes: one that is not any more was deleted.
fn watch_over(trainer: Trainer) -> Owner {
    // By itself: what is shown is not its own, nor is it theirs.
    let owner = Owner::default();
    owner.with(|| {
        // Another tab may take its turns, and remembers what it asks for.
        let told = window_event_listener(leptos::ev::storage, move |event| {
            let of_this = kept().filter(|kept| latest().is_none_or(|begun| begun.id == kept.id));
            let is_followed =
                event.key().as_deref() == Some(KEY) && !trainer.is_sweeping.get_untracked();
            if let Some(kept) = of_this.filter(|_| is_followed) {
                BEGUN.with(|signal| signal.set(Some(kept)));
            }
        });
        on_cleanup(move || told.remove());
        let begun: RwSignal<Option<Begun>> = BEGUN.with(|begun| begun.clone().into());
        Effect::new(move |_| {
            if let Some(begun) = begun.get() {
                note_seen(trainer, &begun.standings(trainer));
            }
        });
    });
    owner
}

fn latest() -> Option<Begun> {
    BEGUN.with(GetUntracked::get_untracked)
}

impl Turns {
    /// The sweep that was begun last, in this visit or one before.
    pub fn new(trainer: Trainer) -> Self {
        WATCH.with(|watch| {
            watch.get_or_init(|| watch_over(trainer));
        });
        Self {
            trainer,
            begun: BEGUN.with(|begun| begun.clone().into()),
        }
    }

    /// The sweep that was begun last.
    pub fn begun(self) -> Option<Begun> {
        self.begun.get()
    }

    /// Its name.
    pub fn latest(self) -> Option<String> {
        latest().map(|begun| begun.name)
    }

    /// Whether it takes its turns.
    pub fn is_under_way(self) -> bool {
        self.trainer.is_sweeping.get()
    }

    /// Whether it could take a turn now, and none is taken: it was paused, or what was asked for did not
    /// come about.
    pub fn can_go_on(self) -> bool {
        let trainer = self.trainer;
        // A trainer that is gone is begun anew.
        let is_there = trainer.data.with(Option::is_some) && trainer.library.is_read.get();
        is_there && !trainer.phase().is_open()
    }

    /// Begins a sweep, on the data that is there.
    pub fn begin(self, name: String, sweep: Sweep, base: Config, members: usize) {
        let data = self.trainer.data.get_untracked();
        let begun = Begun {
            id: new_run_id(),
            name,
            sweep,
            base,
            data: data.map(|data| data.hash).unwrap_or_default(),
            asked: vec![None; members],
            seen: vec![false; members],
        };
        remembered::set(KEY, &begun);
        BEGUN.with(|signal| signal.set(Some(begun)));
        self.go_on();
    }

    /// Has the sweep take its turns from now on, unless another tab does.
    pub fn go_on(self) {
        let trainer = self.trainer;
        trainer.stop_sweeping();
        wasm_bindgen_futures::spawn_local(async move {
            let Some(begun) = latest() else {
                return;
            };
            let alive = match Alive::claim(begun.id, Patience::None).await {
                Ok(Some(alive)) => alive,
                Ok(None) => {
                    return trainer.notify(Notice::info(format!(
                        "Another tab goes on with {}.",
                        begun.name
                    )));
                }
                Err(reason) => {
                    return trainer.library.tell_storage(StoreError::Refused(reason));
                }
            };
            // Another tab may have gone on with it meanwhile.
            if let Some(kept) = kept().filter(|kept| kept.id == begun.id) {
                BEGUN.with(|signal| signal.set(Some(kept)));
            }
            // Whose turn has been since then, with the epochs they were to come to.
            let tried = RefCell::new(BTreeSet::new());
            trainer.sweep_with(Rc::new(move |turn| {
                // Held for as long as it takes turns.
                let _held = &alive;
                take(trainer, &tried, turn)
            }));
            trainer.begin_next();
        });
    }

    /// Has it take none any more; the run that is open goes on to its end.
    pub fn pause(self) {
        self.trainer.stop_sweeping();
    }
}

/// Takes a turn of the sweep, where there is one to take.
fn take(trainer: Trainer, tried: &RefCell<BTreeSet<(usize, u32)>>, turn: Turn) -> bool {
    let Some(begun) = latest() else {
        return false;
    };
    if let Turn::Failed(run) = turn {
        if !begun.asked.contains(&Some(run)) {
            return false;
        }
        let record = trainer.library.record_untracked(run);
        let name = record.map(|record| record.identity.name);
        trainer.notify(Notice::info(format!(
            "{} has failed and comes last in {}.",
            name.unwrap_or_default(),
            begun.name
        )));
        trainer.begin_next();
        return true;
    }
    let data = trainer.data.get_untracked().map(|data| data.hash);
    if data.as_ref() != Some(&begun.data) {
        trainer.stop_sweeping();
        trainer.notify(Notice::info(format!(
            "{} rests: its runs are trained on other data than there is now. Choose theirs under Data, \
             then go on.",
            begun.name
        )));
        return false;
    }
    let standings = untrack(|| begun.standings(trainer));
    let is_away = |(standing, seen): (&Standing, &bool)| *seen && standing.record.is_none();
    if trainer.library.store().is_none() && standings.iter().zip(&begun.seen).any(is_away) {
        trainer.stop_sweeping();
        trainer.notify(Notice::info(format!(
            "{} rests: its runs are kept by this browser, which does not open its store now. Reload the \
             page, then go on.",
            begun.name
        )));
        return false;
    }
    note_seen(trainer, &standings);
    let next = untrack(|| begun.next(trainer, &standings, &mut tried.borrow_mut()));
    match next {
        Next::New(index, order) => {
            let asked = trainer.ask_for(order);
            if asked.is_some() {
                change(trainer, |begun| {
                    begun.asked[index] = asked;
                    begun.seen[index] = false;
                });
            }
            true
        }
        Next::Old(run, epochs) => {
            trainer.go_on_with(run, epochs);
            true
        }
        Next::Nothing => {
            trainer.stop_sweeping();
            let best = standings.iter().min_by(|a, b| better(a, b));
            let best = best.and_then(|best| Some((best.loss()?, best.record.as_ref()?)));
            let said = best.map_or_else(String::new, |(loss, record)| {
                let name = &record.identity.name;
                let loss = format::loss(loss);
                format!(" The best is {name}, validation loss {loss}.")
            });
            trainer.notify(Notice::info(format!("{} is done.{said}", begun.name)));
            false
        }
        Next::Stuck(count) => {
            trainer.stop_sweeping();
            let runs = if count == 1 { "run" } else { "runs" };
            trainer.notify(Notice::info(format!(
                "{} rests: {count} {runs} of it did not go on.",
                begun.name
            )));
            false
        }
    }
}
