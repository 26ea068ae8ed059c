//! Things a person should know, with the next step; they stay until dismissed.

use kiln_run::protocol::RunId;

/// Runs that were deleted together, by number.
pub type Deletion = u32;

/// One notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// Whether something went wrong.
    pub is_problem: bool,
    /// What can be done about it.
    pub remedies: Vec<Remedy>,
}

/// What a person can do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Remedy {
    /// Load the data again.
    LoadAgain,
    /// Show where other data can be chosen.
    ChooseFiles,
    /// Do this with a run that cannot go on by itself.
    Answer(RunId, Answer),
    /// Copy these details.
    Copy(String),
    /// Show the run's files.
    DownloadRun,
    /// Forget ended runs.
    FreeSpace,
    /// Bring deleted runs back.
    Undo(Deletion),
    /// Take in runs of which others are here under their numbers.
    TakeIn(Taking),
    /// Show the list of runs.
    ShowRuns,
    /// Go on here with a run that another tab trains.
    MoveHere(RunId),
    /// Load the page anew, in a newer version.
    NewVersion,
}

/// What is to become of a run that is here in another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It gets another number and name.
    KeepBoth,
    /// It takes the place of the one that is here.
    Replace,
}

/// What is to become of a run that cannot go on by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// A new one begins with its settings but for this learning rate.
    RestartWith(f64),
    /// It stays as it is, and the next in the queue begins.
    KeepAsFailed,
    /// It goes on from its last checkpoint; the button's name.
    Resume(&'static str),
    /// It goes on from its last checkpoint, on the CPU.
    ContinueOnCpu,
    /// It ends as far as it got.
    Stop,
}

impl Answer {
    /// The button's name.
    pub fn label(self) -> String {
        match self {
            Self::RestartWith(rate) => format!("Restart with {rate}"),
            Self::KeepAsFailed => "Keep as failed".to_owned(),
            Self::Resume(label) => label.to_owned(),
            Self::ContinueOnCpu => "Continue on CPU".to_owned(),
            Self::Stop => "Stop".to_owned(),
        }
    }
}

impl Notice {
    /// Something to know; nothing is wrong.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_problem: false,
            remedies: Vec::new(),
        }
    }

    /// Something to know, with what can be done about it.
    pub fn info_with(text: impl Into<String>, remedies: impl Into<Vec<Remedy>>) -> Self {
        Self {
            remedies: remedies.into(),
            ..Self::info(text)
        }
    }

    /// Whether it offers to do this.
    pub fn offers(&self, remedy: &Remedy) -> bool {
        self.remedies.contains(remedy)
    }

    /// Something went wrong.
    pub fn problem(text: impl Into<String>, remedies: impl Into<Vec<Remedy>>) -> Self {
        Self {
            text: text.into(),
            is_problem: true,
            remedies: remedies.into(),
        }
    }

    /// The run of which it asks what is to become; nothing where it asks no such thing.
    pub fn asks_about(&self) -> Option<RunId> {
        self.remedies.iter().find_map(|remedy| match remedy {
            Remedy::Answer(run, _) => Some(*run),
            _ => None,
        })
    }
}
