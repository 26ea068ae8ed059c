//! Every message between the page and a worker.
//!
//! The two meet nowhere else.

use kiln_model::checkpoint::Values;
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::event::{Command, Event, Moment, Score};
use kiln_model::import::PairNames;
use kiln_model::spec::CLASSES;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

pub use crate::data::{DataChoices, DataSummary};
use crate::device::Adapter;
use crate::evaluation::ranked::Ranked;
use crate::export::Format;
pub use crate::id::RunId;
use crate::import::Refusal;
use crate::import::archive::Taken;
use crate::import::imported::Newcomer;
use crate::parcel::Parcel;
use crate::run::Weights;
use crate::run::checkpoint::Checkpoint;

/// What the page asks of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Open the device, then load the data; also loads again after [`FromWorker::LoadFailed`].
    Open {
        /// What to load.
        data: Data,
        /// Workers that train together on the CPU; nothing for as many as there are cores.
        workers: Option<u32>,
    },
    /// Find out how fast training would be, and answer with [`FromWorker::Timed`]; anything else that
    /// is asked meanwhile comes first, and then there is no answer.
    Time,
    /// Train with another number of workers on the CPU, from the next step on.
    Employ {
        /// How many; nothing for as many as there are cores.
        workers: Option<u32>,
    },
    /// Say whether these files are data to train on, with [`FromWorker::Checked`]; whatever is
    /// loaded stays.
    Check {
        /// The files.
        files: Vec<DataFile>,
        /// What was chosen of them.
        #[serde(default)]
        choices: DataChoices,
    },
    /// Hold a stretch of the log of a run, ahead of the question that is asked of it and comes without:
    /// all of a long log in one message would hold the page up.
    Hold {
        /// Which of the question's runs, counted from 0.
        place: u32,
        /// Files of [`crate::log::segment`], which follow those that are held.
        segments: Vec<ByteBuf>,
    },
    /// Make a file of a run, and answer with [`FromWorker::Exporting`] and [`FromWorker::Exported`].
    Export {
        /// Which.
        format: Format,
        /// Which weights, where the file has any.
        which: Weights,
        /// The run.
        parcel: Box<Parcel>,
    },
    /// Make one archive of several runs, and answer as to [`ToWorker::Export`].
    Pack {
        /// The runs.
        parcels: Vec<Parcel>,
    },
    /// Make every file of a run, to say how large each is with [`FromWorker::Weighed`].
    Weigh {
        /// Which weights, where a file has any.
        which: Weights,
        /// The run.
        parcel: Box<Parcel>,
    },
    /// Take the runs out of a file, and answer with [`FromWorker::Unpacked`].
    Unpack {
        /// The file.
        file: DataFile,
        /// What the run is to be, where the file holds weights alone.
        newcomer: Box<Newcomer>,
    },
    /// Answer a question, with [`FromWorker::Answered`].
    Ask {
        /// Names it in the answer.
        request: u32,
        /// The question.
        question: Question,
    },
    /// Nobody waits for this answer any more.
    Forget {
        /// The question.
        request: u32,
    },
    /// Begin a run.
    Start {
        /// Names it in all that follows.
        run: RunId,
        /// Its settings.
        config: Config,
        /// Do one step, then wait.
        single_step: bool,
    },
    /// Go on with a run.
    Resume {
        /// Names it in all that follows.
        run: RunId,
        /// Where it was: a file of [`kiln_model::checkpoint`].
        #[serde(with = "serde_bytes")]
        checkpoint: Vec<u8>,
        /// The epochs with which it goes on, where it had ended.
        reopened: Option<u32>,
    },
    /// Answer with [`FromWorker::Kept`] after the step in progress.
    Keep {
        /// The run.
        run: RunId,
    },
    /// Tell the run something.
    Tell {
        /// The run.
        run: RunId,
        /// What it is to do.
        command: Command,
    },
    /// Forget the run.
    Cancel {
        /// The run.
        run: RunId,
    },
}

impl ToWorker {
    /// The runs of which something is asked.
    pub fn parcels_mut(&mut self) -> &mut [Parcel] {
        match self {
            Self::Export { parcel, .. } | Self::Weigh { parcel, .. } => {
                std::slice::from_mut(&mut **parcel)
            }
            Self::Pack { parcels } => parcels,
            _ => &mut [],
        }
    }
}

/// What is trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Data {
    /// MNIST, from the page's own origin.
    #[default]
    Mnist,
    /// Files of a person's own.
    Own {
        /// The files, archives among them.
        files: Vec<DataFile>,
        /// What was chosen of them.
        #[serde(default)]
        choices: DataChoices,
    },
}

/// A file of images or labels, or an archive of such.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// What the page asks about data and networks beside training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// How often each digit occurs in each part that a run with these settings sees.
    Labels {
        /// The settings.
        config: Config,
    },
    /// These images of a part, in this order; those that there are not are left out.
    Pictures {
        /// The settings of the run.
        config: Config,
        /// The part.
        part: Part,
        /// Their places in the part.
        indices: Vec<u32>,
    },
    /// Images drawn at random from a part.
    Sample {
        /// The settings of the run.
        config: Config,
        /// The part.
        part: Part,
        /// Of this digit alone.
        class: Option<u8>,
        /// How many, at most.
        count: u32,
        /// Another seed draws others.
        seed: u32,
    },
    /// What networks say to one image.
    Classify {
        /// The weights of each network.
        weights: Vec<Values>,
        /// 784 pixels, 0 to 255.
        #[serde(with = "serde_bytes")]
        pixels: Vec<u8>,
    },
    /// What the layers of a network make of one image.
    Maps {
        /// The weights.
        weights: Values,
        /// 784 pixels, 0 to 255.
        #[serde(with = "serde_bytes")]
        pixels: Vec<u8>,
    },
    /// What a network says to every image of a part.
    Evaluate {
        /// The weights.
        weights: Values,
        /// The settings of the run.
        config: Config,
        /// The part.
        part: Part,
    },
    /// What follows from the order of the scores. Needs neither data nor device.
    Rank {
        /// [`kiln_model::evaluation::Predictions`] as bytes.
        #[serde(with = "serde_bytes")]
        predictions: Vec<u8>,
    },
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Images of each digit, in training, validation and test.
    Labels([[u32; CLASSES]; 3]),
    /// Images.
    Pictures(Pictures),
    /// The ten probabilities from each network.
    Probabilities(Vec<[f32; CLASSES]>),
    /// What each layer made.
    Maps(Vec<Maps>),
    /// What a network says to every image of a split.
    Evaluated {
        /// [`kiln_model::evaluation::Predictions`] as bytes.
        #[serde(with = "serde_bytes")]
        predictions: Vec<u8>,
        /// What it comes to, of the logits themselves.
        score: Score,
    },
    /// What follows from the order of the scores.
    Ranked(Box<Ranked>),
    /// There is none, and why: a sentence.
    Failed(String),
}

/// Some images of a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pictures {
    /// Their places in the part.
    pub indices: Vec<u32>,
    /// Their digits, as many as there are images.
    #[serde(with = "serde_bytes")]
    pub labels: Vec<u8>,
    /// 784 pixels each, 0 to 255.
    #[serde(with = "serde_bytes")]
    pub pixels: Vec<u8>,
}

/// What a layer makes of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    /// Rows and columns of each map.
    pub side: u32,
    /// The maps one after the other, row by row.
    pub values: Values,
}

/// What came of making a file only to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// How large it is.
    pub bytes: u64,
    /// Whether Kiln's own reader found every bit in it again; nothing where Kiln reads no such files.
    pub is_identical: Option<bool>,
}

/// What a worker tells the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// It listens; what was sent before this may be lost.
    Ready,
    /// The device is open.
    Opened {
        /// The graphics adapter; none on the CPU.
        adapter: Option<Adapter>,
    },
    /// This worker cannot train here.
    Unfit {
        /// Why.
        reason: String,
    },
    /// Data arrives.
    Loading {
        /// Bytes loaded.
        loaded_bytes: u64,
        /// Bytes of all files.
        total_bytes: u64,
    },
    /// All data is there and is what it should be.
    Loaded {
        /// What there is.
        data: DataSummary,
    },
    /// What was found in files.
    Checked {
        /// What there is, or why they are no data: a sentence without its full stop.
        outcome: Result<DataSummary, String>,
        /// Where they are no data only because they make several pairs: these, of which one or two
        /// are to be chosen, for [`DataChoices::files`].
        #[serde(default)]
        pairs: Vec<PairNames>,
    },
    /// The next part of a file that is being made.
    Exporting {
        /// What comes next in it.
        #[serde(with = "serde_bytes")]
        part: Vec<u8>,
        /// How much of it is done then, 0 to 1.
        done: f64,
    },
    /// A file is all there, or why it cannot be: a sentence.
    Exported {
        /// Which of the two.
        outcome: Result<(), String>,
    },
    /// How large a file of a run is.
    Weighed {
        /// Which.
        format: Format,
        /// What came of making it, or why it cannot be made: a sentence.
        outcome: Result<Weight, String>,
    },
    /// What was in a file.
    Unpacked {
        /// Its runs, or why there are none.
        outcome: Result<Taken, Refusal>,
    },
    /// The answer to a question is on its way.
    Answering {
        /// The question.
        request: u32,
        /// Images done.
        images: u32,
        /// Images to do.
        total: u32,
    },
    /// The answer to a question.
    Answered {
        /// The question.
        request: u32,
        /// The answer.
        answer: Answer,
    },
    /// What the network answered in a validation or in the score.
    Measured {
        /// The run.
        run: RunId,
        /// When.
        moment: Moment,
        /// Which images.
        part: Part,
        /// [`kiln_model::evaluation::Predictions`] as bytes.
        #[serde(with = "serde_bytes")]
        predictions: Vec<u8>,
    },
    /// How fast a few steps went that were only done to find out.
    Timed {
        /// Training images a second.
        images_per_sec: f64,
    },
    /// The data could not be had.
    LoadFailed {
        /// Bytes loaded until then.
        loaded_bytes: u64,
        /// What went wrong.
        reason: String,
    },
    /// Things happened in a run, in this order.
    Happened {
        /// The run.
        run: RunId,
        /// What happened.
        events: Vec<Event>,
    },
    /// Where a run is, so that it can be gone on with; all that happened until then was told.
    Kept {
        /// The run.
        run: RunId,
        /// Where it is.
        checkpoint: Checkpoint,
    },
    /// A run cannot go on; the worker can.
    RunFailed {
        /// The run.
        run: RunId,
        /// What went wrong.
        reason: String,
    },
    /// The worker is broken.
    Fatal {
        /// What it knows of why.
        details: String,
    },
}
