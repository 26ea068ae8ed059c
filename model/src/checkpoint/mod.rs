//! A session as a file: everything that is needed to go on as if it had never stopped.
//!
//! The file is a header of 24 bytes (see [`crate::frame`]) and a body in the safetensors format:
//! weights, best weights and optimiser state by name, and all else as JSON in the metadata. Version
//! 1 had all that was measured too, as tables.

mod table;

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Edit};
use crate::evaluation::Tally;
use crate::event::{Event, Quality};
use crate::frame::{self, FrameError};
use crate::history::{History, Measured};
use crate::spec::{PARAMETER_COUNT, PARAMETERS};
use crate::weights;

const MAGIC: [u8; 8] = *b"KILNCKPT";
/// The newest version; a reader refuses a newer one.
const VERSION: u32 = 2;
/// The metadata's key.
const KEY: &str = "checkpoint";

const WEIGHTS: &str = "weights";
const BEST: &str = "best";
const OPTIMIZER: &str = "optimizer";

/// Many 32-bit numbers, which travel as bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(pub Vec<f32>);

impl Values {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 * self.0.len());
        for value in &self.0 {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let (values, _) = bytes.as_chunks::<4>();
        Self(
            values
                .iter()
                .map(|value| f32::from_le_bytes(*value))
                .collect(),
        )
    }
}

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(&self.to_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        Ok(Self::from_bytes(&bytes))
    }
}

/// What a session does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// The step after the last one done.
    Train,
    /// The validation that is due after the last step.
    Validate,
    /// The score on the test images.
    Score,
    /// Nothing: the run has ended.
    Nothing,
}

/// The weights with the lowest validation loss so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// When they were validated, and what came of it.
    pub measured: Measured<Quality>,
    /// All parameters, in the order of [`PARAMETERS`].
    pub weights: Values,
}

/// A session between two steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The settings in force.
    pub config: Config,
    /// What the data is known by.
    pub data: String,
    /// Training steps done.
    pub step: u32,
    /// What comes next.
    pub next: Next,
    /// Whether a person ended the training before its last epoch.
    pub is_stopped: bool,
    /// What the epoch's images gave so far.
    pub epoch: Tally,
    /// Seconds of training and measuring so far.
    pub elapsed_secs: f64,
    /// All parameters, in the order of [`PARAMETERS`].
    pub weights: Values,
    /// The step after which the weights were these: an earlier one where training has ended for
    /// want of patience.
    pub weights_step: u32,
    /// The optimiser's state by name, each as long as the weights.
    pub optimizer: BTreeMap<String, Values>,
    /// The best weights; none before the first validation.
    pub best: Option<Best>,
    /// The lowest validation loss since training began or was continued: what patience waits for
    /// to be beaten.
    pub to_beat: Option<Measured<Quality>>,
    /// Steps over which the learning rate rises. A change of epochs can lower it but not raise it,
    /// so that a warm-up that is over stays over.
    pub warm_up_steps: u32,
}

impl Snapshot {
    /// A run that has not done its first step, with the settings' own weights.
    pub fn initial(config: Config, data: String) -> Self {
        Self {
            config,
            data,
            step: 0,
            next: Next::Train,
            is_stopped: false,
            epoch: Tally::default(),
            elapsed_secs: 0.0,
            weights: Values(weights::initial(config.seed)),
            weights_step: 0,
            optimizer: config.optimizer.initial_state(PARAMETER_COUNT),
            best: None,
            to_beat: None,
            warm_up_steps: config.schedule.warm_up_steps(config.plan().total_steps()),
        }
    }

    /// The same, open again after it has ended: training goes on as long as there are epochs left,
    /// and patience starts anew, as Keras' does with each `fit`.
    pub fn reopened(self) -> Self {
        Self {
            next: Next::Train,
            is_stopped: false,
            to_beat: None,
            ..self
        }
    }

    /// The weights to score and to download: the best ones, or the last where nothing was
    /// validated.
    pub fn best_weights(&self) -> &[f32] {
        self.best
            .as_ref()
            .map_or(&self.weights, |best| &best.weights)
            .0
            .as_slice()
    }
}

/// What a checkpoint says without its tensors being read.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The settings in force.
    pub config: Config,
    /// What the data is known by.
    pub data: String,
    /// Training steps done.
    pub step: u32,
    /// Seconds of training and measuring so far.
    pub elapsed_secs: f64,
    /// The step after which the weights were what they are.
    pub weights_step: u32,
    /// The step of the best weights; nothing before the first validation.
    pub best_step: Option<u32>,
}

/// Why bytes are not a checkpoint that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// They are something else.
    #[error("this is not a checkpoint of Kiln")]
    NotACheckpoint,
    /// Another version of Kiln wrote it.
    #[error(
        "the checkpoint has version {found}, and this Kiln reads version {VERSION} at most; reload the page to get the newest Kiln"
    )]
    Version {
        /// The version found.
        found: u32,
    },
    /// It ends early, or goes on too long.
    #[error("the checkpoint has {found} bytes, not {expected}")]
    Length {
        /// Bytes found.
        found: u64,
        /// Bytes that its header promises.
        expected: u64,
    },
    /// Its bytes are not those that were written.
    #[error("the checkpoint was altered or damaged")]
    Altered,
    /// Its weights belong to another network.
    #[error("the checkpoint belongs to another network: {0}")]
    OtherNetwork(String),
    /// Its parts do not fit together.
    #[error("the checkpoint contradicts itself: {0}")]
    Inconsistent(String),
    /// It cannot be written.
    #[error("the checkpoint could not be written: {0}")]
    Write(String),
}

impl From<FrameError> for CheckpointError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Other => Self::NotACheckpoint,
            FrameError::Version { found } => Self::Version { found },
            FrameError::Length { found, expected } => Self::Length { found, expected },
            FrameError::Altered => Self::Altered,
        }
    }
}

/// Everything of a checkpoint but its tensors.
#[derive(Serialize, Deserialize)]
struct Head {
    config: Config,
    data: String,
    step: u32,
    next: Next,
    is_stopped: bool,
    epoch: Tally,
    elapsed_secs: f64,
    // Of version 1 alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edits: Vec<Measured<Edit>>,
    // What follows was not kept at first.
    #[serde(default)]
    weights_step: Option<u32>,
    #[serde(default)]
    warm_up_steps: Option<u32>,
    // Of version 1 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped_early: Option<Measured<u32>>,
}

const STEPS: &str = "history.steps";
const EPOCHS: &str = "history.epochs";
const VALIDATIONS: &str = "history.validations";
const THROUGHPUT: &str = "history.throughput";
const SCORE: &str = "history.score";
const BEST_MEASURED: &str = "best.measured";
const TO_BEAT: &str = "patience.to_beat";
const DIVERGED: &str = "history.diverged";

/// A tensor of the file.
struct Part {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn parameters(prefix: &str, weights: &Values) -> Result<Vec<Part>, CheckpointError> {
    if weights.0.len() != PARAMETER_COUNT {
        let reason = format!("{} weights, not {PARAMETER_COUNT}", weights.0.len());
        return Err(CheckpointError::Write(reason));
    }
    let part = |parameter: &crate::spec::Parameter| Part {
        name: format!("{prefix}.{}", parameter.name),
        dtype: Dtype::F32,
        shape: parameter.shape.to_vec(),
        bytes: Values(weights.0[parameter.range()].to_vec()).to_bytes(),
    };
    Ok(PARAMETERS.iter().map(part).collect())
}

/// The file of a session.
///
/// # Errors
/// Weights of another network, or a number that cannot be written.
pub fn write(snapshot: &Snapshot) -> Result<Vec<u8>, CheckpointError> {
    let refused = |reason: String| CheckpointError::Write(reason);
    let mut parts = parameters(WEIGHTS, &snapshot.weights)?;
    if let Some(best) = &snapshot.best {
        parts.extend(parameters(BEST, &best.weights)?);
    }
    for (name, values) in &snapshot.optimizer {
        parts.extend(parameters(&format!("{OPTIMIZER}.{name}"), values)?);
    }
    let best_measured = snapshot.best.as_ref().map(|best| best.measured);
    parts.extend([
        table::of_quality(BEST_MEASURED, best_measured),
        table::of_quality(TO_BEAT, snapshot.to_beat),
    ]);
    let head = Head {
        config: snapshot.config,
        data: snapshot.data.clone(),
        step: snapshot.step,
        next: snapshot.next,
        is_stopped: snapshot.is_stopped,
        epoch: snapshot.epoch,
        elapsed_secs: snapshot.elapsed_secs,
        edits: Vec::new(),
        weights_step: Some(snapshot.weights_step),
        warm_up_steps: Some(snapshot.warm_up_steps),
        stopped_early: None,
    };
    let head = serde_json::to_string(&head).map_err(|error| refused(error.to_string()))?;
    let views = parts
        .iter()
        .map(|part| {
            let view = TensorView::new(part.dtype, part.shape.clone(), &part.bytes)?;
            Ok((part.name.as_str(), view))
        })
        .collect::<Result<Vec<_>, SafeTensorError>>();
    let body = views
        .and_then(|views| serialize(views, Some(HashMap::from([(KEY.to_owned(), head)]))))
        .map_err(|error| refused(error.to_string()))?;
    Ok(frame::wrap(MAGIC, VERSION, &body))
}

/// A file that is known to be whole, with its head read.
struct Opened<'a> {
    version: u32,
    head: Head,
    tensors: SafeTensors<'a>,
}

fn inconsistent(reason: &dyn ToString) -> CheckpointError {
    CheckpointError::Inconsistent(reason.to_string())
}

impl<'a> Opened<'a> {
    fn new(file: &'a [u8]) -> Result<Self, CheckpointError> {
        let (version, body) = frame::open(MAGIC, VERSION, file)?;
        let (_, metadata) =
            SafeTensors::read_metadata(body).map_err(|error| inconsistent(&error))?;
        let tensors = SafeTensors::deserialize(body).map_err(|error| inconsistent(&error))?;
        let head = metadata
            .metadata()
            .as_ref()
            .and_then(|pairs| pairs.get(KEY));
        let head = head.ok_or_else(|| inconsistent(&"it has no settings"))?;
        let head: Head = serde_json::from_str(head).map_err(|error| inconsistent(&error))?;
        head.config.check().map_err(|error| inconsistent(&error))?;
        let total_steps = head.config.plan().total_steps();
        if head.step > total_steps {
            return Err(inconsistent(&format!(
                "{} of {total_steps} steps are done",
                head.step
            )));
        }
        Ok(Self {
            version,
            head,
            tensors,
        })
    }

    fn best_measured(&self) -> Result<Option<Measured<Quality>>, CheckpointError> {
        Ok(table::read(&self.tensors, BEST_MEASURED)?.pop())
    }
}

/// What a file says without its tensors.
///
/// # Errors
/// Bytes that are no checkpoint, not whole, altered or of another version.
pub fn outline(file: &[u8]) -> Result<Outline, CheckpointError> {
    let opened = Opened::new(file)?;
    let best = opened.best_measured()?;
    let Head {
        config,
        data,
        step,
        elapsed_secs,
        weights_step,
        ..
    } = opened.head;
    Ok(Outline {
        config,
        data,
        step,
        elapsed_secs,
        weights_step: weights_step.unwrap_or(step),
        best_step: best.map(|best| best.moment.step),
    })
}

/// The session in a file.
///
/// # Errors
/// Bytes that are no checkpoint, not whole, altered, of another version or another network.
pub fn read(file: &[u8]) -> Result<Snapshot, CheckpointError> {
    let opened = Opened::new(file)?;
    let (head, tensors) = (&opened.head, &opened.tensors);
    let mut optimizer = BTreeMap::new();
    for name in head.config.optimizer.state_names() {
        let values = read_parameters(tensors, &format!("{OPTIMIZER}.{name}"))?;
        optimizer.insert((*name).to_owned(), values);
    }
    let best_measured = opened.best_measured()?;
    let best = match best_measured {
        Some(measured) => Some(Best {
            measured,
            weights: read_parameters(tensors, BEST)?,
        }),
        None => None,
    };
    let to_beat = if table::is_there(tensors, TO_BEAT) {
        table::read(tensors, TO_BEAT)?.pop()
    } else {
        best_measured
    };
    let warm_up_steps = head
        .config
        .schedule
        .warm_up_steps(head.config.plan().total_steps());
    Ok(Snapshot {
        config: head.config,
        data: head.data.clone(),
        step: head.step,
        next: head.next,
        is_stopped: head.is_stopped,
        epoch: head.epoch,
        elapsed_secs: head.elapsed_secs,
        weights: read_parameters(tensors, WEIGHTS)?,
        weights_step: head.weights_step.unwrap_or(head.step),
        optimizer,
        best,
        to_beat,
        warm_up_steps: head.warm_up_steps.unwrap_or(warm_up_steps),
    })
}

/// All that was measured, where the file is of version 1, which had that too.
///
/// # Errors
/// Bytes that are no checkpoint, not whole, altered, of another version or another network.
pub fn history(file: &[u8]) -> Result<Option<History>, CheckpointError> {
    let opened = Opened::new(file)?;
    if opened.version > 1 {
        return Ok(None);
    }
    let tensors = &opened.tensors;
    let diverged = if table::is_there(tensors, DIVERGED) {
        table::read(tensors, DIVERGED)?.pop()
    } else {
        None
    };
    let mut history = History::default();
    for Measured { moment, value } in table::read(tensors, STEPS)? {
        history.apply(&Event::Step(moment, value));
    }
    history.epochs = table::read(tensors, EPOCHS)?;
    history.validations = table::read(tensors, VALIDATIONS)?;
    history.throughput = table::read(tensors, THROUGHPUT)?;
    history.edits = opened.head.edits;
    history.score = table::read(tensors, SCORE)?.pop();
    history.stopped_early = opened.head.stopped_early;
    history.diverged = diverged;
    Ok(Some(history))
}

fn read_parameters(tensors: &SafeTensors<'_>, prefix: &str) -> Result<Values, CheckpointError> {
    let mut weights = Vec::with_capacity(PARAMETER_COUNT);
    for parameter in PARAMETERS {
        let name = format!("{prefix}.{}", parameter.name);
        let tensor = tensors
            .tensor(&name)
            .map_err(|_| CheckpointError::OtherNetwork(format!("it has no {name}")))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != parameter.shape {
            return Err(CheckpointError::OtherNetwork(format!(
                "{name} is {:?} {:?}, not F32 {:?}",
                tensor.dtype(),
                tensor.shape(),
                parameter.shape
            )));
        }
        weights.extend(Values::from_bytes(tensor.data()).0);
    }
    Ok(Values(weights))
}
