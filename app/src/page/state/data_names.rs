//! What data of a person's own is called, and its classes.

use leptos::prelude::*;

use super::trainer::Trainer;
use crate::browser::store::OwnData;
use kiln_run::classes::Classes;
use kiln_run::record::Record;
use kiln_run::run::names::{NAME_LETTERS, cut};

impl Trainer {
    /// Calls data and its classes so from now on, in all runs that were trained on it too.
    pub fn name_data(&self, own: OwnData, name: &str, classes: Classes) {
        let own = OwnData {
            name: cut(name.trim(), NAME_LETTERS).to_owned(),
            classes,
            ..own
        };
        self.sources.describe(&own);
        let is_of_it = |record: &&Record| record.data == own.summary.hash;
        let runs: Vec<_> = self.library.records.with_untracked(|records| {
            let of_it = records.iter().filter(is_of_it);
            of_it.map(|record| record.identity.id).collect()
        });
        for run in runs {
            self.relabel(run, |identity| {
                identity.data_name.clone_from(&own.name);
                identity.classes.clone_from(&own.classes);
            });
        }
        self.library
            .with_store(|store| async move { store.describe_data(&own).await });
    }

    /// What data is called already: by the data that it is made of again, by itself where it is kept,
    /// or by the last of its runs.
    pub(super) fn called(&self, before: Option<&OwnData>, hash: &str) -> Option<(String, Classes)> {
        let kept = before.cloned().or_else(|| self.sources.of_kept(hash));
        if let Some(kept) = kept {
            return Some((kept.name, kept.classes));
        }
        self.library.records.with_untracked(|records| {
            let run = records.iter().rev().find(|run| run.data == hash)?;
            let identity = run.identity.clone();
            (!identity.data_name.is_empty()).then_some((identity.data_name, identity.classes))
        })
    }
}
