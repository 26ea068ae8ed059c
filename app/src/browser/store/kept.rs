//! What is kept, and how the page asks for it. The code behind it is known to nothing here, so that
//! it need not be there before it is wanted.

use std::future::Future;
use std::pin::Pin;

use kiln_model::checkpoint::{CheckpointError, Outline};
use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use kiln_run::classes::Classes;
use kiln_run::data::Source;
use kiln_run::import::archive::Unpacked;
use kiln_run::log::segment::LogError;
use kiln_run::parcel::Parcel;
use kiln_run::protocol::{DataFile, DataSummary, RunId};
use kiln_run::record::Record;
use kiln_run::run::{Run, Unkept};
use leptos::wasm_split::SplitLoaderError;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

/// Why a run could not be kept or found again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The browser keeps nothing for this page.
    #[error("this window keeps no data: {0}")]
    Unavailable(String),
    /// There is no room left.
    #[error("storage is full")]
    Full,
    /// The browser refused for another reason.
    #[error("the browser's storage refused: {0}")]
    Refused(String),
    /// A record is not a run.
    #[error(transparent)]
    Unreadable(#[from] CheckpointError),
    /// A log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The code that keeps did not arrive.
    #[error("a part of the page could not be loaded")]
    NotThere,
    /// The run is no longer there.
    #[error("it was deleted, perhaps in another tab")]
    Gone,
}

/// What happens to the store itself while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Another tab has an older Kiln open and holds the store back.
    Blocked,
    /// A newer Kiln in another tab has taken the store over.
    Outdated,
    /// All that was kept has been deleted.
    Deleted,
    /// The browser closed it, for reasons of its own; what was kept may be there or not.
    Closed,
}

impl From<SplitLoaderError> for StoreError {
    fn from(_: SplitLoaderError) -> Self {
        Self::NotThere
    }
}

/// A run that was taken out of the store and can be put back as it was.
#[derive(Clone, Debug)]
pub struct Removed {
    pub(super) record: JsValue,
    pub(super) checkpoint: Option<JsValue>,
    pub(super) segments: Vec<JsValue>,
    pub(super) answers: Vec<JsValue>,
}

/// A run ready to be kept.
#[derive(Clone, Debug)]
pub struct Kept {
    pub(super) record: JsValue,
    pub(super) segment: Option<JsValue>,
    pub(super) checkpoint: Option<JsValue>,
    pub(super) taken: Option<Unkept>,
}

impl Kept {
    /// What of a run this keeps; nothing where it is the record alone.
    pub fn taken(&self) -> Option<&Unkept> {
        self.taken.as_ref()
    }
}

/// What a run answered in a validation, or in its score.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptAnswers {
    /// Whose; the key's first part.
    pub run: RunId,
    /// To which images; the key's second part.
    pub part: Part,
    /// Training steps done; the key's third part.
    pub step: u32,
    /// [`Predictions`] as bytes.
    #[serde(with = "serde_bytes")]
    pub predictions: Vec<u8>,
}

/// Data of a person's own, but for its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnData {
    /// What there is; its hash is the key.
    pub summary: DataSummary,
    /// Names it for a person.
    pub name: String,
    /// What its classes are called.
    #[serde(default)]
    pub classes: Classes,
    /// The names of its files.
    pub files: Vec<String>,
    /// Bytes of its files.
    pub bytes: u64,
    /// When it was imported: ISO 8601, UTC.
    pub imported_at: String,
}

impl OwnData {
    /// What runs that are trained on it know of it.
    pub fn source(&self) -> Source {
        Source {
            name: self.name.clone(),
            hash: self.summary.hash.clone(),
            classes: self.classes.clone(),
        }
    }
}

/// What the store will have done.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + 'a>>;

/// All that was kept.
pub trait Store {
    /// What lists show of a run, ready to be kept; the rest of it stays as it was kept before.
    ///
    /// # Errors
    /// A record that JavaScript cannot hold.
    fn of_record(&self, record: &Record) -> Result<Kept, StoreError>;

    /// What is new of a run, ready to be kept.
    ///
    /// # Errors
    /// A log that cannot be written.
    fn of_run(&self, run: &Run) -> Result<Kept, StoreError>;

    /// Keeps what is new of a run, and its record in place of what was kept before.
    ///
    /// # Errors
    /// No room, or a browser that refuses; what was kept before stays, whole.
    fn keep<'a>(&'a self, kept: &'a Kept) -> Wait<'a, ()>;

    /// Takes a run out of the store.
    ///
    /// # Errors
    /// A run that is not there, or a browser that refuses.
    fn remove(&self, id: RunId) -> Wait<'_, Removed>;

    /// Puts a run back that was taken out, and says what lists show of it.
    ///
    /// # Errors
    /// No room, or a browser that refuses.
    fn put_back<'a>(&'a self, removed: &'a Removed) -> Wait<'a, Record>;

    /// What lists show of every run that was kept, and why some cannot be read.
    ///
    /// # Errors
    /// A browser that refuses.
    fn records(&self) -> Wait<'_, (Vec<Record>, Vec<StoreError>)>;

    /// What lists show of one run; nothing where it is not kept.
    ///
    /// # Errors
    /// A record that cannot be read, or a browser that refuses.
    fn record(&self, id: RunId) -> Wait<'_, Option<Record>>;

    /// A run as it was kept last. One of which a part is damaged is read as far as it is whole, and
    /// says so.
    ///
    /// # Errors
    /// A run that is not there or cannot be read, or a browser that refuses.
    fn run(&self, id: RunId) -> Wait<'_, Run>;

    /// What the newest checkpoint of a run says without its tensors; nothing where none is kept.
    ///
    /// # Errors
    /// A checkpoint that cannot be read, or a browser that refuses.
    fn outline(&self, id: RunId) -> Wait<'_, Option<Outline>>;

    /// All that is kept of a run, as it is at one moment but for its answers; nothing where it is not
    /// kept.
    ///
    /// # Errors
    /// A part that cannot be read, or a browser that refuses.
    fn parcel(&self, id: RunId) -> Wait<'_, Option<Parcel>>;

    /// Keeps runs that came out of an archive, all or none, each in place of what was kept of it.
    ///
    /// # Errors
    /// No room, or a browser that refuses; what was kept before stays, whole.
    fn take_in<'a>(&'a self, runs: &'a [Unpacked]) -> Wait<'a, ()>;

    /// Keeps what a run answered in a validation or in its score.
    ///
    /// # Errors
    /// A run that is not kept, no room, or a browser that refuses.
    fn keep_answers<'a>(&'a self, answers: &'a KeptAnswers) -> Wait<'a, ()>;

    /// The parts and steps of which a run's answers are kept, in order of steps.
    ///
    /// # Errors
    /// A browser that refuses.
    fn answer_steps(&self, run: RunId) -> Wait<'_, Vec<(Part, u32)>>;

    /// What a run answered; nothing where that is not kept.
    ///
    /// # Errors
    /// Answers that cannot be read, or a browser that refuses.
    fn answers(&self, run: RunId, part: Part, step: u32) -> Wait<'_, Option<Predictions>>;

    /// Keeps data of a person's own in place of what was kept under its hash before.
    ///
    /// # Errors
    /// No room, or a browser that refuses.
    fn keep_data<'a>(&'a self, data: &'a OwnData, files: &'a [DataFile]) -> Wait<'a, ()>;

    /// Keeps what is said of data whose files are kept already.
    ///
    /// # Errors
    /// No room, or a browser that refuses.
    fn describe_data<'a>(&'a self, data: &'a OwnData) -> Wait<'a, ()>;

    /// All data of a person's own that is kept, but for its files.
    ///
    /// # Errors
    /// A record that cannot be read, or a browser that refuses.
    fn all_data(&self) -> Wait<'_, Vec<OwnData>>;

    /// The files of the data with this hash; nothing where it is not kept.
    ///
    /// # Errors
    /// Files that cannot be read, or a browser that refuses.
    fn data_files<'a>(&'a self, hash: &'a str) -> Wait<'a, Option<Vec<DataFile>>>;

    /// Takes data out of the store.
    ///
    /// # Errors
    /// A browser that refuses.
    fn remove_data<'a>(&'a self, hash: &'a str) -> Wait<'a, ()>;
}
