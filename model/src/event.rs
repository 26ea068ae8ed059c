//! What happens while a run trains, as the session tells it.

use serde::{Deserialize, Serialize};

use crate::config::Edit;
use crate::evaluation::Tally;

/// Where in a run something happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Training steps done.
    pub step: u32,
    /// Epochs done, with their fraction.
    pub epoch: f64,
    /// Training images seen.
    pub images: u64,
    /// Seconds of training and measuring so far, pauses left out.
    pub elapsed_secs: f64,
}

/// Something measured at a moment of the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured<T> {
    /// When.
    pub moment: Moment,
    /// What.
    pub value: T,
}

/// Loss and accuracy over some images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Mean softmax cross-entropy, in nats.
    pub loss: f64,
    /// Share of right answers, 0 to 1.
    pub accuracy: f64,
}

impl Quality {
    /// What a tally comes to.
    pub fn of(tally: &Tally) -> Self {
        Self {
            loss: tally.loss(),
            accuracy: tally.accuracy(),
        }
    }
}

/// What one training step did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Over the step's own images, dropout on.
    pub quality: Quality,
    /// The learning rate of its update.
    pub learning_rate: f64,
    /// Euclidean length of the gradient by all parameters.
    pub gradient_norm: f64,
}

/// The result on the test images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Loss and accuracy.
    pub quality: Quality,
    /// Images answered rightly.
    pub correct: u32,
    /// Images asked.
    pub images: u32,
}

impl Score {
    /// What a tally of all test images comes to.
    pub fn of(tally: &Tally) -> Self {
        Self {
            quality: Quality::of(tally),
            correct: tally.correct() as u32,
            images: tally.images() as u32,
        }
    }
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Steps follow one another.
    Running,
    /// Waits for Resume, Step or Stop.
    Paused,
    /// Training is over; the test images are being scored.
    Finishing,
    /// Ended by a person before the last epoch.
    Stopped,
    /// Ended after the last epoch.
    Finished,
    /// Ended because the loss was no longer a number.
    Failed,
}

impl State {
    /// Whether nothing more can happen.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Finished | Self::Failed)
    }
}

/// What a person asks of a session; taken up between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Wait after the step in progress.
    Pause,
    /// Go on.
    Resume,
    /// Do one step, then wait.
    Step,
    /// End training and score the test images.
    Stop,
    /// Leave the test images.
    SkipScoring,
    /// Change a setting from the next step on.
    Edit(Edit),
}

/// One thing that happened in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The session's state changed.
    State(State),
    /// A training step was done.
    Step(Moment, Trained),
    /// An epoch was done; means over all its training images, dropout on, as Keras reports.
    Epoch(Moment, Quality),
    /// The validation images were measured, dropout off.
    Validation(Moment, Quality),
    /// Training images a second since the last such event.
    Throughput(Moment, f64),
    /// Images measured so far in the validation or scoring under way.
    Measuring {
        /// Images measured.
        images: u32,
        /// Images to measure.
        total: u32,
    },
    /// The test images were scored, dropout off, with the weights that the run ends with.
    Score(Moment, Score),
    /// A setting was changed, and the run goes on with this.
    Edited(Moment, Edit),
    /// A setting was to be changed, but training is over: the run has kept what it had.
    EditRefused(Moment, Edit),
    /// Validation has not improved for as long as the settings say; training has ended and the
    /// weights are again those of this step.
    StoppedEarly(Moment, u32),
    /// The step's loss or gradient is no longer a number; training has ended.
    Diverged(Moment, Trained),
}
