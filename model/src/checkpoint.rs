//! A run as a file: everything that is needed to go on as if it had never stopped.
//!
//! The file is a header of 24 bytes (magic, version, length and CRC-32 of what follows) and a body
//! in the safetensors format: weights, best weights and optimiser state by name, the measurements
//! as tables, and all else as JSON in the metadata.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Edit};
use crate::evaluation::Tally;
use crate::event::{Moment, Quality, Score, Trained};
use crate::history::{History, Measured};
use crate::spec::{PARAMETER_COUNT, PARAMETERS};
use crate::weights;

const MAGIC: [u8; 8] = *b"KILNCKPT";
/// The only version there is; a reader refuses any other.
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 24;
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

/// A run between two steps: the session, and all that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The session.
    pub snapshot: Snapshot,
    /// What was measured up to its step; of a failed run, whose session is one from before it
    /// failed, up to its end.
    pub history: History,
}

/// Why bytes are not a checkpoint that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// They are something else.
    #[error("this is not a checkpoint of Kiln")]
    NotACheckpoint,
    /// Another version of Kiln wrote it.
    #[error(
        "the checkpoint has version {found}, and this Kiln reads version {VERSION}; reload the page to get the newest Kiln"
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
    edits: Vec<Measured<Edit>>,
    // What follows was not kept at first.
    #[serde(default)]
    weights_step: Option<u32>,
    #[serde(default)]
    warm_up_steps: Option<u32>,
    #[serde(default)]
    stopped_early: Option<Measured<u32>>,
}

/// A measurement as the columns of a table, after the four of its moment.
trait Columns: Sized {
    const COUNT: usize;
    fn write(&self, row: &mut Vec<f64>);
    fn read(row: &[f64]) -> Option<Self>;
}

impl Columns for f64 {
    const COUNT: usize = 1;

    fn write(&self, row: &mut Vec<f64>) {
        row.push(*self);
    }

    fn read(row: &[f64]) -> Option<Self> {
        row.first().copied()
    }
}

impl Columns for Quality {
    const COUNT: usize = 2;

    fn write(&self, row: &mut Vec<f64>) {
        row.extend([self.loss, self.accuracy]);
    }

    fn read(row: &[f64]) -> Option<Self> {
        let [loss, accuracy] = row.try_into().ok()?;
        Some(Self { loss, accuracy })
    }
}

impl Columns for Trained {
    const COUNT: usize = 4;

    fn write(&self, row: &mut Vec<f64>) {
        self.quality.write(row);
        row.extend([self.learning_rate, self.gradient_norm]);
    }

    fn read(row: &[f64]) -> Option<Self> {
        let [loss, accuracy, learning_rate, gradient_norm] = row.try_into().ok()?;
        Some(Self {
            quality: Quality { loss, accuracy },
            learning_rate,
            gradient_norm,
        })
    }
}

impl Columns for Score {
    const COUNT: usize = 4;

    fn write(&self, row: &mut Vec<f64>) {
        self.quality.write(row);
        row.extend([f64::from(self.correct), f64::from(self.images)]);
    }

    fn read(row: &[f64]) -> Option<Self> {
        let [loss, accuracy, correct, images] = row.try_into().ok()?;
        Some(Self {
            quality: Quality { loss, accuracy },
            correct: correct as u32,
            images: images as u32,
        })
    }
}

const MOMENT_COLUMNS: usize = 4;
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

fn table<T: Columns>(name: &str, rows: &[Measured<T>]) -> Part {
    let mut values = Vec::with_capacity(rows.len() * (MOMENT_COLUMNS + T::COUNT));
    for Measured { moment, value } in rows {
        values.extend([
            moment.step.into(),
            moment.epoch,
            moment.images as f64,
            moment.elapsed_secs,
        ]);
        value.write(&mut values);
    }
    Part {
        name: name.to_owned(),
        dtype: Dtype::F64,
        shape: vec![rows.len(), MOMENT_COLUMNS + T::COUNT],
        bytes: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    }
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

/// The file of a checkpoint.
///
/// # Errors
/// Weights of another network, or a number that cannot be written.
pub fn write(checkpoint: &Checkpoint) -> Result<Vec<u8>, CheckpointError> {
    let refused = |reason: String| CheckpointError::Write(reason);
    let Checkpoint { snapshot, history } = checkpoint;
    let best_measured = snapshot.best.as_ref().map(|best| best.measured);
    let mut parts = parameters(WEIGHTS, &snapshot.weights)?;
    if let Some(best) = &snapshot.best {
        parts.extend(parameters(BEST, &best.weights)?);
    }
    for (name, values) in &snapshot.optimizer {
        parts.extend(parameters(&format!("{OPTIMIZER}.{name}"), values)?);
    }
    parts.extend([
        table(STEPS, &history.steps),
        table(EPOCHS, &history.epochs),
        table(VALIDATIONS, &history.validations),
        table(THROUGHPUT, &history.throughput),
        table(SCORE, history.score.as_slice()),
        table(BEST_MEASURED, best_measured.as_slice()),
        table(TO_BEAT, snapshot.to_beat.as_slice()),
        table(DIVERGED, history.diverged.as_slice()),
    ]);
    let head = Head {
        config: snapshot.config,
        data: snapshot.data.clone(),
        step: snapshot.step,
        next: snapshot.next,
        is_stopped: snapshot.is_stopped,
        epoch: snapshot.epoch,
        elapsed_secs: snapshot.elapsed_secs,
        edits: history.edits.clone(),
        weights_step: Some(snapshot.weights_step),
        warm_up_steps: Some(snapshot.warm_up_steps),
        stopped_early: history.stopped_early,
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

    let mut file = Vec::with_capacity(HEADER_BYTES + body.len());
    file.extend(MAGIC);
    file.extend(VERSION.to_le_bytes());
    file.extend((body.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(&body).to_le_bytes());
    file.extend(body);
    Ok(file)
}

/// The checkpoint in a file.
///
/// # Errors
/// Bytes that are no checkpoint, not whole, altered, of another version or another network.
pub fn read(file: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let body = checked_body(file)?;
    let inconsistent = |reason: &dyn ToString| CheckpointError::Inconsistent(reason.to_string());
    let (_, metadata) = SafeTensors::read_metadata(body).map_err(|error| inconsistent(&error))?;
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
        let reason = format!("{} of {total_steps} steps are done", head.step);
        return Err(CheckpointError::Inconsistent(reason));
    }
    let mut optimizer = BTreeMap::new();
    for name in head.config.optimizer.state_names() {
        let values = read_parameters(&tensors, &format!("{OPTIMIZER}.{name}"))?;
        optimizer.insert((*name).to_owned(), values);
    }
    let best_measured = read_table(&tensors, BEST_MEASURED)?.pop();
    let best = match best_measured {
        Some(measured) => Some(Best {
            measured,
            weights: read_parameters(&tensors, BEST)?,
        }),
        None => None,
    };
    let to_beat = if has_table(&tensors, TO_BEAT) {
        read_table(&tensors, TO_BEAT)?.pop()
    } else {
        best_measured
    };
    let diverged = if has_table(&tensors, DIVERGED) {
        read_table(&tensors, DIVERGED)?.pop()
    } else {
        None
    };
    let warm_up_steps = head.config.schedule.warm_up_steps(total_steps);
    Ok(Checkpoint {
        snapshot: Snapshot {
            config: head.config,
            data: head.data,
            step: head.step,
            next: head.next,
            is_stopped: head.is_stopped,
            epoch: head.epoch,
            elapsed_secs: head.elapsed_secs,
            weights: read_parameters(&tensors, WEIGHTS)?,
            weights_step: head.weights_step.unwrap_or(head.step),
            optimizer,
            best,
            to_beat,
            warm_up_steps: head.warm_up_steps.unwrap_or(warm_up_steps),
        },
        history: History {
            steps: read_table(&tensors, STEPS)?,
            epochs: read_table(&tensors, EPOCHS)?,
            validations: read_table(&tensors, VALIDATIONS)?,
            throughput: read_table(&tensors, THROUGHPUT)?,
            edits: head.edits,
            score: read_table(&tensors, SCORE)?.pop(),
            stopped_early: head.stopped_early,
            diverged,
        },
    })
}

/// What follows the header, once it is known to be what was written.
fn checked_body(file: &[u8]) -> Result<&[u8], CheckpointError> {
    let Some((header, body)) = file.split_at_checked(HEADER_BYTES) else {
        return Err(if MAGIC.starts_with(&file[..file.len().min(MAGIC.len())]) {
            CheckpointError::Length {
                found: file.len() as u64,
                expected: HEADER_BYTES as u64,
            }
        } else {
            CheckpointError::NotACheckpoint
        });
    };
    let (magic, header) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(CheckpointError::NotACheckpoint);
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let found = word(0);
    if found != VERSION {
        return Err(CheckpointError::Version { found });
    }
    let length = u64::from(word(4)) | u64::from(word(8)) << 32;
    let expected = length.saturating_add(HEADER_BYTES as u64);
    if file.len() as u64 != expected {
        return Err(CheckpointError::Length {
            found: file.len() as u64,
            expected,
        });
    }
    if crc32fast::hash(body) != word(12) {
        return Err(CheckpointError::Altered);
    }
    Ok(body)
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

/// Whether a file has a table that the first ones lacked.
fn has_table(tensors: &SafeTensors<'_>, name: &str) -> bool {
    tensors.tensor(name).is_ok()
}

fn read_table<T: Columns>(
    tensors: &SafeTensors<'_>,
    name: &str,
) -> Result<Vec<Measured<T>>, CheckpointError> {
    let wrong = || CheckpointError::Inconsistent(format!("its table {name} cannot be read"));
    let tensor = tensors.tensor(name).map_err(|_| wrong())?;
    let columns = MOMENT_COLUMNS + T::COUNT;
    if tensor.dtype() != Dtype::F64 || tensor.shape().get(1) != Some(&columns) {
        return Err(wrong());
    }
    let (values, _) = tensor.data().as_chunks::<8>();
    let values: Vec<f64> = values
        .iter()
        .map(|value| f64::from_le_bytes(*value))
        .collect();
    values
        .chunks_exact(columns)
        .map(|row| {
            let ([step, epoch, images, elapsed_secs], value) =
                row.split_first_chunk().ok_or_else(wrong)?;
            Ok(Measured {
                moment: Moment {
                    step: *step as u32,
                    epoch: *epoch,
                    images: *images as u64,
                    elapsed_secs: *elapsed_secs,
                },
                value: T::read(value).ok_or_else(wrong)?,
            })
        })
        .collect()
}
