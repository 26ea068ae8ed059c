//! The life of the run that a page holds: what each thing that happens makes of it, and what is to be
//! done about that. Nothing is done here, so that every state can meet every event in a test.

use kiln_model::event::State;

use crate::id::RunId;
use crate::run::Status;

/// Why nobody trains a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It can go on from its last checkpoint.
    Interrupted,
    /// A person ended it.
    Stopped,
    /// It came to its last epoch, or was patient for long enough.
    Finished,
    /// Its loss was no number any more.
    Failed,
}

impl Rest {
    /// Why nobody trains a run of this status; nothing where somebody may.
    pub const fn of(status: Status) -> Option<Self> {
        match status {
            Status::Interrupted => Some(Self::Interrupted),
            Status::Session(State::Stopped) => Some(Self::Stopped),
            Status::Session(State::Finished) => Some(Self::Finished),
            Status::Session(State::Failed) => Some(Self::Failed),
            Status::Preparing | Status::Session(_) => None,
        }
    }
}

/// What an open run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Steps follow one another.
    Running,
    /// It waits for a person.
    Paused,
    /// The test images are being scored.
    Finishing,
}

/// How a run that rests is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// From its last checkpoint.
    Resume {
        /// And then wait.
        paused: bool,
    },
    /// Up to so many epochs, though it had ended.
    Continue {
        /// All of them, not those to come.
        epochs: u32,
    },
}

/// What a run was before it was asked of the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It was not; this one was shown.
    New(Option<(RunId, Rest)>),
    /// It could be resumed.
    Resumed,
    /// It had ended, and is to go on up to so many epochs.
    Continued(Rest, u32),
}

/// Where the run of a page is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// There is none.
    #[default]
    Empty,
    /// Nobody trains the one that is shown.
    Resting(RunId, Rest),
    /// Its lock was asked for, so that no two tabs train it.
    Claiming(RunId, Rest, Goal),
    /// A new one waits for device and data, while another may be shown.
    AwaitingNew(Option<(RunId, Rest)>, RunId),
    /// One that goes on waits for device and data.
    AwaitingOld(RunId, Rest, Goal),
    /// It was asked of the trainer, which has not said a word yet.
    Preparing(RunId, Before),
    /// It is trained.
    Open(RunId, Activity),
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person, or the queue, asks for a new run.
    Begin(RunId),
    /// A person has the interrupted run go on.
    Resume,
    /// A person has the ended run go on.
    Continue {
        /// Up to so many epochs.
        epochs: u32,
    },
    /// A person ends the interrupted run as far as it got.
    Close,
    /// A person thinks better of what was asked for.
    Cancel,
    /// A kept run was read, to be shown.
    Read(RunId, Rest),
    /// A run is not here any more: it was deleted, or another tab has it.
    Gone(RunId),
    /// The lock of a run was given to this tab, or another tab holds it.
    Claimed(RunId, bool),
    /// Device and data are there.
    Ready,
    /// The trainer says anything of a run; this comes before all that it says.
    Heard(RunId),
    /// The trainer says what a run is doing.
    Told(RunId, State),
    /// The trainer says that a run cannot go on.
    Refused(RunId),
    /// The trainer broke, the first time in a while or not.
    Broke {
        /// Whether it is.
        is_first: bool,
    },
    /// Another tab wants to go on with a run, which has just been kept.
    Wanted(RunId),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Have a trainer open device and data.
    OpenTrainer,
    /// Ask for the lock of a run.
    Claim(RunId),
    /// Give back whatever lock there is, and let the screen go dark.
    LetGo,
    /// Make a new run and ask it of the trainer.
    Start(RunId),
    /// Ask the trainer to go on with a run.
    GoOn(RunId, Goal),
    /// Have the trainer forget a run.
    CancelTraining(RunId),
    /// Take a run back to its last checkpoint, from which the trainer goes on.
    GoBack(RunId),
    /// Open a run again that had ended, to go on up to so many epochs.
    Reopen(RunId, u32),
    /// Note that training begins or goes on.
    TakeUp(RunId),
    /// Keep the screen on while steps follow one another, and not otherwise.
    MindScreen,
    /// Note that nobody trains a run any more.
    Interrupt(RunId),
    /// Note that a run was ended by a person.
    Close(RunId),
    /// Keep what is new of a run.
    Keep(RunId),
    /// Forget a new run of which nothing happened, and show the one before, where there was one.
    Forget(RunId, Option<RunId>),
    /// Hand a run to the tab that wants it, once it is kept.
    HandOver(RunId),
    /// Begin the next run of the queue, where there is one.
    TakeNext,
    /// Find out how fast training would be, while nothing trains.
    Measure,
    /// Say why a run has failed, and ask what is to become of it.
    AskAboutFailure(RunId),
    /// Say that the trainer broke again, and ask what is to become of the run.
    AskAboutLoss(RunId),
    /// Say that the trainer broke, and that the run goes on.
    SayGoesOn(RunId),
    /// Say that the trainer broke while no run was open.
    SayBroken,
    /// Say that another tab trains a run.
    SayElsewhere(RunId),
}

impl Stage {
    /// The run that is shown; nothing where there is none.
    pub const fn shown(self) -> Option<RunId> {
        match self {
            Self::Empty | Self::AwaitingNew(None, _) => None,
            Self::Resting(run, _)
            | Self::Claiming(run, ..)
            | Self::AwaitingNew(Some((run, _)), _)
            | Self::AwaitingOld(run, ..)
            | Self::Preparing(run, _)
            | Self::Open(run, _) => Some(run),
        }
    }

    /// The run that the trainer trains, or was asked to.
    pub const fn trained(self) -> Option<RunId> {
        match self {
            Self::Preparing(run, _) | Self::Open(run, _) => Some(run),
            Self::Empty
            | Self::Resting(..)
            | Self::Claiming(..)
            | Self::AwaitingNew(..)
            | Self::AwaitingOld(..) => None,
        }
    }

    /// The run whose lock this tab needs.
    pub const fn locked(self) -> Option<RunId> {
        match self {
            Self::AwaitingOld(run, ..) => Some(run),
            _ => self.trained(),
        }
    }

    /// Whether something was asked for that can be thought better of, or is under way.
    pub const fn is_busy(self) -> bool {
        !matches!(self, Self::Empty | Self::Resting(..) | Self::Claiming(..))
    }

    /// What it becomes, and what is to be done about it; nothing is done where an event has no
    /// meaning for a stage, as a late one has.
    pub fn on(self, event: Event, is_ready: bool) -> (Self, Vec<Effect>) {
        use Effect as Do;
        let nothing = || (self, Vec::new());
        match (event, self) {
            (Event::Begin(new), Self::Empty) => begin(None, new, is_ready),
            (Event::Begin(new), Self::Resting(run, rest)) => {
                begin(Some((run, rest)), new, is_ready)
            }

            (Event::Resume, Self::Resting(run, rest @ Rest::Interrupted)) => (
                Self::Claiming(run, rest, Goal::Resume { paused: false }),
                vec![Do::Claim(run)],
            ),
            (
                Event::Continue { epochs },
                Self::Resting(run, rest @ (Rest::Stopped | Rest::Finished)),
            ) => (
                Self::Claiming(run, rest, Goal::Continue { epochs }),
                vec![Do::Claim(run)],
            ),
            (Event::Close, Self::Resting(run, Rest::Interrupted)) => (
                Self::Resting(run, Rest::Stopped),
                vec![Do::Close(run), Do::Keep(run)],
            ),

            (Event::Claimed(given, true), Self::Claiming(run, rest, goal)) if given == run => {
                go_on(run, rest, goal, is_ready)
            }
            (Event::Claimed(refused, false), Self::Claiming(run, rest, _)) if refused == run => {
                (Self::Resting(run, rest), vec![Do::SayElsewhere(run)])
            }
            // It comes too late, and nobody here needs it.
            (Event::Claimed(run, true), _) if self.locked() != Some(run) => (self, vec![Do::LetGo]),

            (Event::Ready, Self::AwaitingNew(before, new)) => begin(before, new, true),
            (Event::Ready, Self::AwaitingOld(run, rest, goal)) => go_on(run, rest, goal, true),
            (Event::Ready, _) => (self, vec![Do::Measure]),

            (Event::Cancel, Self::Claiming(run, rest, _)) => (Self::Resting(run, rest), vec![]),
            (Event::Cancel, Self::AwaitingNew(before, _)) => (resting(before), vec![Do::Measure]),
            (Event::Cancel, Self::AwaitingOld(run, rest, goal)) => give_up(run, rest, goal),
            (Event::Cancel, Self::Preparing(run, Before::New(before))) => {
                let shown = before.map(|(run, _)| run);
                let effects = vec![
                    Do::CancelTraining(run),
                    Do::LetGo,
                    Do::Forget(run, shown),
                    Do::Measure,
                ];
                (resting(before), effects)
            }
            (Event::Cancel, Self::Preparing(run, Before::Resumed)) => {
                interrupt(run, vec![Do::CancelTraining(run)], vec![Do::Measure])
            }
            (Event::Cancel, Self::Preparing(run, Before::Continued(rest, _))) => (
                Self::Resting(run, rest),
                vec![Do::CancelTraining(run), Do::LetGo, Do::Measure],
            ),

            (Event::Read(run, rest), Self::Empty | Self::Resting(..)) => {
                (Self::Resting(run, rest), vec![])
            }
            (Event::Gone(gone), Self::Resting(run, _) | Self::Claiming(run, ..)) if gone == run => {
                (Self::Empty, vec![])
            }
            (Event::Gone(gone), Self::AwaitingNew(Some((run, _)), new)) if gone == run => {
                (Self::AwaitingNew(None, new), vec![])
            }

            (Event::Heard(heard), Self::Preparing(run, before)) if heard == run => {
                let first = match before {
                    Before::New(_) => None,
                    Before::Resumed => Some(Do::GoBack(run)),
                    Before::Continued(_, epochs) => Some(Do::Reopen(run, epochs)),
                };
                let then = [Do::TakeUp(run), Do::MindScreen];
                let stage = Self::Open(run, Activity::Running);
                (stage, first.into_iter().chain(then).collect())
            }
            (Event::Told(told, state), Self::Open(run, activity)) if told == run => {
                follow(run, activity, state)
            }
            // Nothing of it was told yet, so that it is as it was when it ended.
            (Event::Refused(refused), Self::Preparing(run, Before::Continued(rest, _)))
                if refused == run =>
            {
                (Self::Resting(run, rest), vec![Do::LetGo, Do::Measure])
            }
            (Event::Refused(refused), Self::Preparing(run, _) | Self::Open(run, _))
                if refused == run =>
            {
                interrupt(run, vec![], vec![Do::Measure])
            }

            (Event::Broke { .. }, Self::Empty | Self::Resting(..) | Self::Claiming(..)) => {
                (self, vec![Do::SayBroken])
            }
            (Event::Broke { .. }, Self::AwaitingNew(before, _)) => {
                (resting(before), vec![Do::SayBroken])
            }
            // It was open until a trainer broke, and so did the next one.
            (Event::Broke { is_first: false }, Self::AwaitingOld(run, _, Goal::Resume { .. })) => {
                interrupt(run, vec![], vec![Do::AskAboutLoss(run)])
            }
            (Event::Broke { .. }, Self::AwaitingOld(run, rest, goal)) => {
                let (stage, mut effects) = give_up(run, rest, goal);
                effects.push(Do::SayBroken);
                (stage, effects)
            }
            (
                Event::Broke { is_first: true },
                Self::Preparing(run, Before::Continued(rest, epochs)),
            ) => (
                Self::AwaitingOld(run, rest, Goal::Continue { epochs }),
                vec![Do::SayGoesOn(run), Do::OpenTrainer],
            ),
            (Event::Broke { is_first: true }, Self::Preparing(run, _) | Self::Open(run, _)) => {
                let paused = matches!(self, Self::Open(_, Activity::Paused));
                (
                    Self::AwaitingOld(run, Rest::Interrupted, Goal::Resume { paused }),
                    vec![Do::SayGoesOn(run), Do::OpenTrainer],
                )
            }
            (
                Event::Broke { is_first: false },
                Self::Preparing(run, Before::Continued(rest, _)),
            ) => (Self::Resting(run, rest), vec![Do::LetGo, Do::SayBroken]),
            (Event::Broke { is_first: false }, Self::Preparing(run, _) | Self::Open(run, _)) => {
                interrupt(run, vec![], vec![Do::AskAboutLoss(run)])
            }

            (Event::Wanted(wanted), Self::Preparing(run, _) | Self::Open(run, _))
                if wanted == run =>
            {
                let effects = vec![
                    Do::CancelTraining(run),
                    Do::Interrupt(run),
                    Do::LetGo,
                    Do::HandOver(run),
                    Do::Measure,
                ];
                (Self::Empty, effects)
            }

            (Event::Begin(_), _)
            | (Event::Resume | Event::Continue { .. } | Event::Close, _)
            | (Event::Cancel, Self::Empty | Self::Resting(..) | Self::Open(..))
            | (Event::Read(..) | Event::Gone(_) | Event::Claimed(..), _)
            | (Event::Heard(_) | Event::Told(..), _)
            | (Event::Refused(_) | Event::Wanted(_), _) => nothing(),
        }
    }
}

const fn resting(shown: Option<(RunId, Rest)>) -> Stage {
    match shown {
        Some((run, rest)) => Stage::Resting(run, rest),
        None => Stage::Empty,
    }
}

fn begin(before: Option<(RunId, Rest)>, new: RunId, is_ready: bool) -> (Stage, Vec<Effect>) {
    if is_ready {
        let stage = Stage::Preparing(new, Before::New(before));
        (stage, vec![Effect::Start(new)])
    } else {
        let stage = Stage::AwaitingNew(before, new);
        (stage, vec![Effect::OpenTrainer])
    }
}

fn go_on(run: RunId, rest: Rest, goal: Goal, is_ready: bool) -> (Stage, Vec<Effect>) {
    if !is_ready {
        let stage = Stage::AwaitingOld(run, rest, goal);
        return (stage, vec![Effect::OpenTrainer]);
    }
    let before = match goal {
        Goal::Resume { .. } => Before::Resumed,
        Goal::Continue { epochs } => Before::Continued(rest, epochs),
    };
    let stage = Stage::Preparing(run, before);
    (stage, vec![Effect::GoOn(run, goal)])
}

/// What was to go on waits no longer; the trainer has not heard of it.
fn give_up(run: RunId, rest: Rest, goal: Goal) -> (Stage, Vec<Effect>) {
    match goal {
        Goal::Resume { .. } => interrupt(run, vec![], vec![Effect::Measure]),
        Goal::Continue { .. } => (
            Stage::Resting(run, rest),
            vec![Effect::LetGo, Effect::Measure],
        ),
    }
}

fn interrupt(run: RunId, first: Vec<Effect>, then: Vec<Effect>) -> (Stage, Vec<Effect>) {
    let own = [Effect::Interrupt(run), Effect::LetGo];
    let effects = first.into_iter().chain(own).chain(then).collect();
    (Stage::Resting(run, Rest::Interrupted), effects)
}

fn follow(run: RunId, before: Activity, state: State) -> (Stage, Vec<Effect>) {
    let open = |activity, effects| (Stage::Open(run, activity), effects);
    let ended = |rest, last| {
        let effects = vec![Effect::LetGo, Effect::Keep(run), last, Effect::Measure];
        (Stage::Resting(run, rest), effects)
    };
    match state {
        State::Running if before == Activity::Running => open(before, vec![]),
        State::Running => {
            let effects = vec![Effect::TakeUp(run), Effect::MindScreen];
            open(Activity::Running, effects)
        }
        State::Paused => open(Activity::Paused, vec![Effect::MindScreen]),
        State::Finishing => open(Activity::Finishing, vec![Effect::MindScreen]),
        State::Stopped => ended(Rest::Stopped, Effect::TakeNext),
        State::Finished => ended(Rest::Finished, Effect::TakeNext),
        State::Failed => ended(Rest::Failed, Effect::AskAboutFailure(run)),
    }
}
