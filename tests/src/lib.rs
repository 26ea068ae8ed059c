//! Drives real browsers against the built page, finding everything by role and name.

pub mod browser;
pub mod drill;
pub mod engine;
pub mod faults;
pub mod measurements;
pub mod native;
pub mod npm;
pub mod old_stores;
pub mod page;
pub mod python;
pub mod server;

/// What stops a test before it can judge the page.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// A browser or its driver could not be used.
    #[error(transparent)]
    Driver(#[from] thirtyfour::error::WebDriverError),
    /// A file or a socket could not be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The page did not come to what was waited for.
    #[error("waited {secs} s for {what}; the page shows: {shown}")]
    Waited {
        /// What for.
        what: String,
        /// How long, in seconds.
        secs: u64,
        /// What the page showed then.
        shown: String,
    },
    /// The page answered something that cannot be read.
    #[error("{what} cannot be read: {answer}")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// What came.
        answer: String,
    },
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Something that a person has to bring.
    #[error("{what} {remedy}")]
    Missing {
        /// What is missing.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Another program does not train.
    #[error("cannot be measured: {0}")]
    Peer(String),
}
