//! The open store as the page sees it.

use kiln_model::checkpoint::Outline;
use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use kiln_run::import::archive::Unpacked;
use kiln_run::parcel::Parcel;
use kiln_run::protocol::{DataFile, RunId};
use kiln_run::record::Record;
use kiln_run::run::Run;

use super::kept::{Kept, KeptAnswers, OwnData, Removed, Store, StoreError, Wait};
use super::opened::Opened;

impl Store for Opened {
    fn of_record(&self, record: &Record) -> Result<Kept, StoreError> {
        Opened::of_record(record)
    }

    fn of_run(&self, run: &Run) -> Result<Kept, StoreError> {
        Opened::of_run(run)
    }

    fn keep<'a>(&'a self, kept: &'a Kept) -> Wait<'a, ()> {
        Box::pin(Opened::keep(self, kept))
    }

    fn remove(&self, id: RunId) -> Wait<'_, Removed> {
        Box::pin(Opened::remove(self, id))
    }

    fn put_back<'a>(&'a self, removed: &'a Removed) -> Wait<'a, Record> {
        Box::pin(Opened::put_back(self, removed))
    }

    fn records(&self) -> Wait<'_, (Vec<Record>, Vec<StoreError>)> {
        Box::pin(Opened::records(self))
    }

    fn record(&self, id: RunId) -> Wait<'_, Option<Record>> {
        Box::pin(Opened::record(self, id))
    }

    fn run(&self, id: RunId) -> Wait<'_, Run> {
        Box::pin(Opened::run(self, id))
    }

    fn outline(&self, id: RunId) -> Wait<'_, Option<Outline>> {
        Box::pin(Opened::outline(self, id))
    }

    fn parcel(&self, id: RunId) -> Wait<'_, Option<Parcel>> {
        Box::pin(Opened::parcel(self, id))
    }

    fn take_in<'a>(&'a self, runs: &'a [Unpacked]) -> Wait<'a, ()> {
        Box::pin(Opened::take_in(self, runs))
    }

    fn keep_answers<'a>(&'a self, answers: &'a KeptAnswers) -> Wait<'a, ()> {
        Box::pin(Opened::keep_answers(self, answers))
    }

    fn answer_steps(&self, run: RunId) -> Wait<'_, Vec<(Part, u32)>> {
        Box::pin(Opened::answer_steps(self, run))
    }

    fn answers(&self, run: RunId, part: Part, step: u32) -> Wait<'_, Option<Predictions>> {
        Box::pin(Opened::answers(self, run, part, step))
    }

    fn describe_data<'a>(&'a self, data: &'a OwnData) -> Wait<'a, ()> {
        Box::pin(Opened::describe_data(self, data))
    }

    fn keep_data<'a>(&'a self, data: &'a OwnData, files: &'a [DataFile]) -> Wait<'a, ()> {
        Box::pin(Opened::keep_data(self, data, files))
    }

    fn all_data(&self) -> Wait<'_, Vec<OwnData>> {
        Box::pin(Opened::all_data(self))
    }

    fn data_files<'a>(&'a self, hash: &'a str) -> Wait<'a, Option<Vec<DataFile>>> {
        Box::pin(Opened::data_files(self, hash))
    }

    fn remove_data<'a>(&'a self, hash: &'a str) -> Wait<'a, ()> {
        Box::pin(Opened::remove_data(self, hash))
    }
}
