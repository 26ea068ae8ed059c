//! What comes back: files that a person chooses, read and checked.

pub mod archive;
pub mod data;
pub mod imported;
pub mod reread;
pub mod unzip;
pub mod weights;

use serde::{Deserialize, Serialize};

use archive::{ArchiveError, Taken};
use imported::Newcomer;
use weights::WeightsError;

/// Why a file gives no runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The end of a sentence that begins with the file's name.
    pub reason: String,
    /// Whether it is nothing that is known here, and so may be data to train on.
    pub may_be_data: bool,
}

/// The runs in a file: those of an archive, or one of the weights of another program.
///
/// # Errors
/// Why there are none.
pub fn runs(name: &str, bytes: &[u8], newcomer: Newcomer) -> Result<Taken, Refusal> {
    let refused = |reason: String| Refusal {
        reason,
        may_be_data: false,
    };
    let as_archive = match archive::runs(bytes) {
        Ok(taken) => return Ok(taken),
        Err(error) => error,
    };
    match weights::read(name, bytes) {
        Ok(found) => match imported::run(newcomer, name, found) {
            Ok(run) => Ok(Taken {
                runs: vec![run],
                refused: Vec::new(),
            }),
            Err(reason) => Err(refused(reason)),
        },
        Err(error) => Err(match (as_archive, error) {
            // A zip that is neither is told of what it was most likely meant to be.
            (archive, WeightsError::OtherZip) => Refusal {
                may_be_data: matches!(archive, ArchiveError::NoRun),
                reason: archive.to_string(),
            },
            (ArchiveError::Unzip(_) | ArchiveError::NoRun, error) => Refusal {
                may_be_data: matches!(error, WeightsError::Unknown),
                reason: error.to_string(),
            },
            // It is an archive of Kiln's, and something in it is wrong.
            (archive, _) => refused(archive.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::unzip::tests::zipped;
    use super::*;
    use crate::run::tests::new_run;

    fn refusal(bytes: &[u8]) -> Refusal {
        let newcomer = Newcomer {
            identity: new_run().identity,
            data: "data".to_owned(),
        };
        runs("file", bytes, newcomer).unwrap_err()
    }

    #[test]
    fn what_is_nothing_that_is_known_may_be_data() {
        let zip = refusal(&zipped(&[("images", b"")]));
        assert!(
            zip.may_be_data && zip.reason.contains("holds no run of Kiln"),
            "{zip:?}"
        );
        let text = refusal(b"some text");
        assert!(
            text.may_be_data && text.reason.contains("no weights"),
            "{text:?}"
        );
        assert!(!refusal(&zipped(&[("run.json", b"{}")])).may_be_data);
        let mut altered = zipped(&[("run.json", b"some bytes")]);
        let at = altered.windows(4).position(|four| four == b"some").unwrap();
        altered[at] ^= 1;
        let altered = refusal(&altered);
        assert!(
            !altered.may_be_data && altered.reason.contains("run.json"),
            "{altered:?}"
        );
        assert!(!refusal(b"PK\x03\x04 and no more").may_be_data);
    }
}
