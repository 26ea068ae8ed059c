//! Which data is trained on: MNIST, or files of a person's own, which the browser keeps.

use std::rc::Rc;

use kiln_model::import::PairNames;
use kiln_model::mnist;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use crate::browser::remembered;
use crate::browser::store::OwnData;
use kiln_run::data::Source;
use kiln_run::protocol::{Data, DataFile};

const KEY: &str = "kiln.data";

/// Which data is used, and which could be; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Sources {
    /// The data in use, loaded or not.
    pub used: RwSignal<Source>,
    /// The data of a person's own that is kept.
    pub kept: RwSignal<Vec<OwnData>>,
    /// What came of the last files that were chosen.
    pub outcome: RwSignal<Outcome>,
    /// What was removed last and can be brought back.
    pub removed: RwSignal<Option<OwnData>>,
    private: StoredValue<Private, ThisThread>,
}

/// What came of files that were chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// None were chosen.
    #[default]
    Nothing,
    /// They are being read and checked.
    Checking,
    /// They are several pairs, of which one or two are to be chosen.
    WhichPairs(Vec<PairNames>),
    /// They are data now: a sentence.
    Taken(String),
    /// They are no data, and nothing was changed: a sentence or two.
    Refused(String),
}

#[derive(Default)]
struct Private {
    /// The data in use; none while it has still to be read from the store.
    data: Option<Rc<Data>>,
    removed: Vec<DataFile>,
    /// Files of which it was asked which pairs are meant.
    asked: Vec<DataFile>,
}

impl Sources {
    /// Puts files aside of which it is asked which pairs are meant.
    pub(super) fn ask_about(&self, files: Vec<DataFile>) {
        self.private.update_value(|private| private.asked = files);
    }

    /// The files of which it was asked which pairs are meant.
    pub(super) fn take_asked(&self) -> Vec<DataFile> {
        let asked = self
            .private
            .try_update_value(|private| std::mem::take(&mut private.asked));
        asked.unwrap_or_default()
    }

    /// The data that was used last.
    pub fn new() -> Self {
        let remembered: Option<Source> = remembered::get(KEY);
        let used = remembered.unwrap_or_else(Source::mnist);
        let data = used.is_mnist().then(Rc::default);
        Self {
            used: RwSignal::new(used),
            kept: RwSignal::new(Vec::new()),
            outcome: RwSignal::new(Outcome::Nothing),
            removed: RwSignal::new(None),
            private: StoredValue::new_local(Private {
                data,
                removed: Vec::new(),
                asked: Vec::new(),
            }),
        }
    }

    /// The data in use; nothing while it has still to be read from the store.
    pub fn data(&self) -> Option<Rc<Data>> {
        self.private.with_value(|private| private.data.clone())
    }

    /// Bytes of the files of the data in use.
    pub fn bytes(&self) -> u64 {
        match self.data().as_deref() {
            Some(Data::Own { files, .. }) => files.iter().map(|file| file.bytes.len() as u64).sum(),
            _ => mnist::GZIP_BYTES,
        }
    }

    /// Uses this data from now on.
    pub(super) fn use_data(&self, source: Source, data: Rc<Data>) {
        // Where the browser keeps nothing, the next visit begins with MNIST.
        remembered::set(KEY, &source);
        self.used.set(source);
        self.private
            .update_value(|private| private.data = Some(data));
    }

    /// Notes what was removed, so that it can be brought back.
    pub(super) fn set_aside(&self, removed: Option<OwnData>, files: Vec<DataFile>) {
        self.private.update_value(|private| private.removed = files);
        self.removed.set(removed);
    }

    /// What was removed last, once.
    pub(super) fn take_removed(&self) -> Option<(OwnData, Vec<DataFile>)> {
        let removed = self.removed.try_update(Option::take).flatten();
        let files = self
            .private
            .try_update_value(|private| std::mem::take(&mut private.removed));
        removed.zip(files)
    }

    /// The data of this hash, where it is kept.
    pub(super) fn of_kept(&self, hash: &str) -> Option<OwnData> {
        self.kept.with_untracked(|kept| {
            let is_it = |data: &&OwnData| data.summary.hash == hash;
            kept.iter().find(is_it).cloned()
        })
    }

    /// What is said of data has changed.
    pub(super) fn describe(&self, own: &OwnData) {
        let is_it = |other: &&mut OwnData| other.summary.hash == own.summary.hash;
        self.kept.update(|kept| {
            if let Some(kept) = kept.iter_mut().find(is_it) {
                kept.clone_from(own);
            }
        });
        if self
            .used
            .with_untracked(|used| used.hash == own.summary.hash)
        {
            let source = own.source();
            remembered::set(KEY, &source);
            self.used.set(source);
        }
    }
}
