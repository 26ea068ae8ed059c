//! Runs that come back from files.

use futures::channel::oneshot;
use gloo::file::File;
use gloo::file::futures::read_as_bytes;
use leptos::prelude::*;

use super::notice::{Notice, Remedy, Taking};
use super::trainer::Trainer;
use crate::browser::bridge::Bridge;
use crate::browser::clock::new_run_id;
use crate::browser::lock::is_alive;
use crate::browser::store::StoreError;
use crate::browser::tab::News;
use kiln_run::device::Backend;
use kiln_run::format;
use kiln_run::import::archive::Unpacked;
use kiln_run::import::unzip::Archive;
use kiln_run::protocol::{DataFile, FromWorker, ToWorker};
use kiln_run::run::names::unused_name;

/// Most bytes of an archive.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes that tell an archive from anything else.
const BEGINNING: u64 = 4;

impl Trainer {
    /// Takes in what files hold: the runs of archives, or else data to train on.
    pub fn import(self, files: Vec<File>) {
        wasm_bindgen_futures::spawn_local(async move {
            let (mut archives, mut others) = (Vec::new(), Vec::new());
            for file in files {
                let beginning = read_as_bytes(&file.slice(0, BEGINNING)).await;
                // What cannot be read is named where all of it is read.
                if beginning.is_ok_and(|bytes| Archive::is_one(&bytes)) {
                    archives.push(file);
                } else {
                    others.push(file);
                }
            }
            for archive in archives {
                self.import_archive(archive).await;
            }
            if !others.is_empty() {
                // What comes of data is told beside it.
                drop(window().location().set_hash("#/data"));
                self.import_data(others);
            }
        });
    }

    async fn import_archive(self, file: File) {
        let name = file.name();
        let reading = Notice::info(format!("Reading {name}."));
        self.notify(reading.clone());
        let unpacked = unpack(file).await;
        self.library.dismiss(&reading);
        match unpacked {
            Ok(runs) => self.sort(&name, runs).await,
            Err(reason) => self.notify(Notice::problem(reason, [])),
        }
    }

    /// Takes in what is not here yet, and asks about what is here otherwise.
    async fn sort(self, archive: &str, runs: Vec<Unpacked>) {
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
            self.notify(Notice::info(format!(
                "{} {} here already, just as in {archive}.",
                listed(&same),
                if same.len() == 1 { "is" } else { "are" }
            )));
        }
        if !new.is_empty() {
            self.take_in(new).await;
        }
        if !differing.is_empty() {
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
            // One question at a time: an older one goes with what it asked about.
            self.library.withdraw(&Remedy::TakeIn(Taking::KeepBoth));
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
            self.take_in(runs).await;
        });
    }

    /// Keeps runs, each in place of what is here under its number, unless that is in use.
    async fn take_in(self, runs: Vec<Unpacked>) {
        let Some(store) = self.library.store() else {
            return;
        };
        let mut free = Vec::new();
        for mut run in runs {
            let id = run.record.identity.id;
            let name = run.record.identity.name.clone();
            let is_busy = untrack(|| self.is_busy_with(id));
            match is_alive(id).await {
                Ok(is_alive) if !is_alive && !is_busy => {}
                Ok(_) => {
                    self.notify(Notice::info(format!(
                        "{name} is being trained, so it was not replaced. Stop it first, then import it again."
                    )));
                    continue;
                }
                Err(reason) => return self.library.tell_storage(StoreError::Refused(reason)),
            }
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
            return;
        }
        if let Err(error) = store.take_in(&free).await {
            return self.notify(Notice::problem(
                format!("Nothing was imported: {error}. All that was here is as it was."),
                [Remedy::FreeSpace],
            ));
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
        self.notify(Notice::info_with(
            format!("Imported {}.", listed(&names)),
            [Remedy::ShowRuns],
        ));
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

/// Reads an archive, and has a worker of its own take it apart, so that neither the page nor the
/// trainer waits, and its memory goes with it.
async fn unpack(file: File) -> Result<Vec<Unpacked>, String> {
    let name = file.name();
    if file.size() > MOST_BYTES {
        return Err(format!(
            "{name} is larger than {}. Nothing was changed. Choose another file.",
            format::bytes(MOST_BYTES)
        ));
    }
    let bytes = read_as_bytes(&file)
        .await
        .map_err(|error| format!("{name} could not be read: {error}. Nothing was changed."))?;
    let (sender, answered) = oneshot::channel();
    let sender = std::cell::RefCell::new(Some(sender));
    let receive = std::rc::Rc::new(move |message| {
        let outcome = match message {
            FromWorker::Unpacked { outcome } => outcome,
            FromWorker::Fatal { details } => Err(format!(
                "The worker that reads archives stopped: {details}."
            )),
            _ => return,
        };
        if let Some(sender) = sender.take() {
            // Whoever asked waits until the answer is here.
            drop(sender.send(outcome));
        }
    });
    let bridge = Bridge::start(Backend::Cpu, move |message| receive(message))?;
    bridge.send(&ToWorker::Unpack {
        archive: DataFile { name, bytes },
    })?;
    let outcome = answered.await;
    outcome.map_err(|_| "The worker that reads archives stopped.".to_owned())?
}
