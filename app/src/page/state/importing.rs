//! Runs that come back from files.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use gloo::file::File;
use gloo::file::futures::read_as_bytes;
use leptos::prelude::*;

use super::notice::{Notice, Remedy, Taking};
use super::trainer::Trainer;
use crate::browser::bridge::{Bridge, Program};
use crate::browser::clock::new_run_id;
use crate::browser::dropped::Dropped;
use crate::browser::lock::{Alive, Patience};
use crate::browser::store::StoreError;
use crate::browser::tab::News;
use kiln_run::device::Backend;
use kiln_run::format;
use kiln_run::import::Refusal;
use kiln_run::import::archive::{Taken, Unpacked};
use kiln_run::import::imported::Newcomer;
use kiln_run::protocol::{DataFile, FromWorker, ToWorker};
use kiln_run::run::Identity;
use kiln_run::run::identity::rarest_colour;
use kiln_run::run::names::unused_name;

/// Most bytes of a file with runs.
const MOST_BYTES: u64 = 1 << 30;
/// How a file of images or labels begins: as idx, or gzipped.
const DATA: [[u8; 2]; 2] = [[0, 0], [0x1f, 0x8b]];

/// What came of files, told once all of them are read.
#[derive(Default)]
struct Outcome {
    /// Runs that are here now.
    imported: Vec<String>,
    /// Runs that were here before, just as they are.
    same: Vec<String>,
    /// The files that have those.
    same_in: Vec<String>,
}

impl Trainer {
    /// Takes in what files hold: runs, weights of other programs, or else data to train on.
    pub fn import(self, files: Vec<File>) {
        wasm_bindgen_futures::spawn_local(async move {
            let (mut data, mut outcome) = (Vec::new(), Outcome::default());
            for file in files {
                let beginning = read_as_bytes(&file.slice(0, 2)).await;
                let is_data = beginning.is_ok_and(|two| DATA.iter().any(|data| *data == two[..]));
                // What cannot be read is named where all of it is read.
                if is_data || !self.import_runs(&file, &mut outcome).await {
                    data.push(file);
                }
            }
            self.tell_imported(outcome);
            if !data.is_empty() {
                // What comes of data is told beside it.
                drop(window().location().set_hash("#/data"));
                self.import_data(data);
            }
        });
    }

    /// Takes in what was dropped, out of folders too.
    pub fn import_dropped(self, dropped: Dropped) {
        wasm_bindgen_futures::spawn_local(async move {
            match dropped.files().await {
                Ok(files) => self.import(files),
                Err(reason) => self.notify(Notice::problem(
                    format!("What was dropped could not be read: {reason}. Nothing was changed."),
                    [],
                )),
            }
        });
    }

    /// Takes in the runs of a file, and says whether it is one of runs at all.
    async fn import_runs(self, file: &File, outcome: &mut Outcome) -> bool {
        let name = file.name();
        let reading = Notice::info(format!("Reading {name}."));
        self.notify(reading.clone());
        let used = self.sources.used.get_untracked();
        let colour = self.library.records.with_untracked(|records| {
            rarest_colour(records.iter().map(|record| record.identity.colour))
        });
        let newcomer = Newcomer {
            identity: Identity {
                id: new_run_id(),
                name: String::new(),
                backend: Backend::Cpu,
                adapter: None,
                started_at: js_sys::Date::new_0().to_iso_string().into(),
                colour,
                tags: Vec::new(),
                notes: String::new(),
                data_name: used.name,
                classes: used.classes,
                taken_up: Vec::new(),
            },
            data: used.hash,
        };
        let unpacked = unpack(file, newcomer).await;
        self.library.dismiss(&reading);
        match unpacked {
            Ok(taken) => {
                for reason in taken.refused {
                    let text = format!("A run was left out: {name} {reason}.");
                    self.notify(Notice::problem(text, []));
                }
                self.sort(&name, taken.runs, outcome).await;
            }
            Err(refusal) if refusal.may_be_data => return false,
            Err(Refusal { reason, .. }) => self.notify(Notice::problem(
                format!("{name} {reason}. Nothing was changed. Choose another file."),
                [],
            )),
        }
        true
    }

    /// Takes in what is not here yet, and asks about what is here otherwise.
    async fn sort(self, archive: &str, runs: Vec<Unpacked>, outcome: &mut Outcome) {
        let Some(store) = self.library.store() else {
            return self.notify(Notice::problem(
                "This window keeps no data, so no run can be imported. Open Kiln in a window that does.",
                [],
            ));
        };
        let (mut new, mut same, mut differing) = (Vec::new(), Vec::new(), Vec::new());
        for run in runs {
            match store.parcel(run.record.identity.id).await {
                Ok(None) => new.push(run),
                Ok(Some(kept)) if kept == run.parcel => same.push(run.record.identity.name),
                Ok(Some(_)) => differing.push(run),
                Err(error) => return self.library.tell_storage(error),
            }
        }
        if !same.is_empty() {
            outcome.same.extend(same);
            outcome.same_in.push(archive.to_owned());
        }
        if !new.is_empty() {
            outcome.imported.extend(self.take_in(new).await);
        }
        if !differing.is_empty() {
            // One question at a time, about all of which it is still to be asked.
            self.library.withdraw(&Remedy::TakeIn(Taking::KeepBoth));
            let is_new = |run: &Unpacked| {
                let id = run.record.identity.id;
                differing
                    .iter()
                    .all(|other: &Unpacked| other.record.identity.id != id)
            };
            let before = self
                .private
                .try_update_value(|private| std::mem::take(&mut private.offered));
            differing.extend(
                before
                    .unwrap_or_default()
                    .into_iter()
                    .filter(is_new)
                    .collect::<Vec<_>>(),
            );
            let told: Vec<String> = differing
                .iter()
                .map(|run| {
                    let id = run.record.identity.id;
                    let here = self.library.record_untracked(id);
                    let steps = |steps: u32| format::count(steps.into());
                    format!(
                        "{} ({} steps here, {} there)",
                        run.record.identity.name,
                        here.map_or(format::NOTHING.to_owned(), |here| steps(here.summary.steps)),
                        steps(run.record.summary.steps)
                    )
                })
                .collect();
            self.private
                .update_value(|private| private.offered = differing);
            self.notify(Notice::info_with(
                format!(
                    "{archive} holds another state of what is here: {}.",
                    listed(&told)
                ),
                [
                    Remedy::TakeIn(Taking::KeepBoth),
                    Remedy::TakeIn(Taking::Replace),
                ],
            ));
        }
    }

    /// Takes in the runs of which it was asked what is to become of them.
    pub fn take_in_offered(self, taking: Taking) {
        let offered = self
            .private
            .try_update_value(|private| std::mem::take(&mut private.offered));
        let mut runs = offered.unwrap_or_default();
        wasm_bindgen_futures::spawn_local(async move {
            if taking == Taking::KeepBoth {
                for run in &mut runs {
                    let id = new_run_id();
                    run.record.identity.id = id;
                    run.parcel.identity.id = id;
                }
            }
            let outcome = Outcome {
                imported: self.take_in(runs).await,
                ..Outcome::default()
            };
            self.tell_imported(outcome);
        });
    }

    /// Says once for all files what came of them.
    fn tell_imported(self, outcome: Outcome) {
        let Outcome {
            imported,
            same,
            same_in,
        } = outcome;
        if !same.is_empty() {
            self.notify(Notice::info(format!(
                "{} {} here already, just as in {}.",
                listed(&same),
                if same.len() == 1 { "is" } else { "are" },
                listed(&same_in)
            )));
        }
        if !imported.is_empty() {
            self.notify(Notice::info_with(
                format!("Imported {}.", listed(&imported)),
                [Remedy::ShowRuns],
            ));
        }
    }

    /// Keeps runs, each in place of what is here under its number, unless that is in use; the names of
    /// those that are kept.
    async fn take_in(self, runs: Vec<Unpacked>) -> Vec<String> {
        let Some(store) = self.library.store() else {
            return Vec::new();
        };
        // Held until all is written: whoever would go on with one of them meanwhile waits.
        let (mut free, mut locks) = (Vec::new(), Vec::new());
        for mut run in runs {
            let id = run.record.identity.id;
            let name = run.record.identity.name.clone();
            let lock = match Alive::claim(id, Patience::None).await {
                Ok(lock) => lock,
                Err(reason) => {
                    self.library.tell_storage(StoreError::Refused(reason));
                    return Vec::new();
                }
            };
            if lock.is_none() || untrack(|| self.is_busy_with(id)) {
                self.notify(Notice::info(format!(
                    "{name} is being trained, so it was not replaced. Stop it first, then import it again."
                )));
                continue;
            }
            locks.push(lock);
            let given = self.library.records.with_untracked(|records| {
                let others = records.iter().filter(|record| record.identity.id != id);
                let others = others.map(|record| &record.identity.name);
                let taken =
                    others.chain(free.iter().map(|run: &Unpacked| &run.record.identity.name));
                unused_name(Some(&name), 0, |name| {
                    taken.clone().any(|other| other == name)
                })
            });
            run.record.identity.name.clone_from(&given);
            run.parcel.identity.name = given;
            free.push(run);
        }
        if free.is_empty() {
            return Vec::new();
        }
        let taken = store.take_in(&free).await;
        drop(locks);
        if let Err(error) = taken {
            self.notify(Notice::problem(
                format!("Nothing was imported: {error}. All that was here is as it was."),
                [Remedy::FreeSpace],
            ));
            return Vec::new();
        }
        let mut names = Vec::new();
        for run in free {
            let id = run.record.identity.id;
            names.push(run.record.identity.name.clone());
            // Whatever was shown of it is read again.
            self.show_none(id);
            self.library.show(run.record);
            self.library.refresh(id);
            self.library.set_shown(id, true);
            self.library.tell(News::Changed(id));
        }
        self.library.measure();
        names
    }
}

/// Such as `a, b and 3 more`.
fn listed(names: &[String]) -> String {
    /// Names that are said.
    const SAID: usize = 3;
    match names {
        names if names.len() <= SAID => names.join(", "),
        names => format!(
            "{} and {} more",
            names[..SAID].join(", "),
            names.len() - SAID
        ),
    }
}

/// Reads a file, and has a worker of its own take it apart, so that neither the page nor the trainer
/// waits, and its memory goes with it.
async fn unpack(file: &File, newcomer: Newcomer) -> Result<Taken, Refusal> {
    let refused = |reason: String| Refusal {
        reason,
        may_be_data: false,
    };
    if file.size() > MOST_BYTES {
        let limit = format::bytes(MOST_BYTES);
        return Err(refused(format!("is larger than {limit}")));
    }
    let bytes = read_as_bytes(file)
        .await
        .map_err(|error| refused(format!("could not be read: {error}")))?;
    let (sender, answered) = oneshot::channel();
    let sender = RefCell::new(Some(sender));
    let receive = Rc::new(move |message| {
        let outcome = match message {
            FromWorker::Unpacked { outcome } => outcome,
            FromWorker::Fatal { details } => Err(refused(format!(
                "could not be read, for the worker that reads files stopped: {details}"
            ))),
            _ => return,
        };
        if let Some(sender) = sender.take() {
            // Whoever asked waits until the answer is here.
            drop(sender.send(outcome));
        }
    });
    let asked = Bridge::start(Program::Files, move |message| receive(message)).and_then(|bridge| {
        let (name, newcomer) = (file.name(), Box::new(newcomer));
        bridge.send(&ToWorker::Unpack {
            file: DataFile { name, bytes },
            newcomer,
        })?;
        Ok(bridge)
    });
    let bridge = asked.map_err(|error| refused(format!("could not be read: {error}")))?;
    let outcome = answered.await;
    drop(bridge);
    outcome.map_err(|_| refused("could not be read: its reader stopped".to_owned()))?
}
