//! What a person says of runs, and runs that a person deletes.

use leptos::prelude::*;

use super::notice::Notice;
use super::trainer::Trainer;
use kiln_run::protocol::RunId;
use kiln_run::run::Identity;
use kiln_run::run::identity::NOTES_LETTERS;
use kiln_run::run::names::{NAME_LETTERS, cut, unused_name};

impl Trainer {
    /// Changes what a person says of a run: its name, colour, tags or notes.
    pub fn relabel(&self, id: RunId, change: impl Fn(&mut Identity)) {
        let change = |identity: &mut Identity| {
            change(identity);
            identity.name = cut(&identity.name, NAME_LETTERS).to_owned();
            identity.notes = cut(&identity.notes, NOTES_LETTERS).to_owned();
        };
        if self.shown_id() == Some(id) {
            self.run.update(|run| {
                if let Some(run) = run {
                    change(&mut run.identity);
                }
            });
        }
        self.library.edit(id, change);
    }

    /// Gives a run another name, with a number behind it where another run has that name; an empty
    /// one changes nothing.
    pub fn rename(&self, id: RunId, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        let given = self.library.records.with_untracked(|records| {
            let others = records.iter().filter(|run| run.identity.id != id);
            unused_name(Some(name), 0, |name| {
                others.clone().any(|run| run.identity.name == name)
            })
        });
        if given != cut(name, NAME_LETTERS) {
            self.notify(Notice::info(format!(
                "Another run is called {name}; this one is {given}."
            )));
        }
        self.relabel(id, |identity| identity.name.clone_from(&given));
    }

    /// Deletes a run that no tab trains; for ten seconds it can be brought back.
    pub fn delete(&self, id: RunId) {
        if untrack(|| self.is_busy_with(id)) {
            return;
        }
        let Some(record) = self.library.record_untracked(id) else {
            return;
        };
        let trainer = *self;
        let delete = move || {
            trainer.show_none(id);
            trainer.library.delete(vec![id]);
        };
        let elsewhere = format!(
            "Another tab is training {}. Stop it there first.",
            record.identity.name
        );
        self.unless_elsewhere(id, Notice::info(elsewhere), delete);
    }
}
