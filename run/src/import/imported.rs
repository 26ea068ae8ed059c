//! A run out of weights alone: nothing was measured in it, and training goes on from them.

use kiln_model::checkpoint::{self, CheckpointError, Next, Snapshot, Values};
use kiln_model::config::Config;
use kiln_model::event::{Event, State};
use kiln_model::spec::PARAMETER_COUNT;
use serde::{Deserialize, Serialize};

use super::archive::Unpacked;
use super::weights::Found;
use crate::parcel::Parcel;
use crate::record::Record;
use crate::run::checkpoint::Checkpoint;
use crate::run::identity::NOTES_LETTERS;
use crate::run::names::{NAME_LETTERS, cut};
use crate::run::{Identity, Run};

/// What tells such runs from those that were trained here.
const TAG: &str = "imported";

/// What a run of imported weights is known by, and the data that it is looked at and trained on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Newcomer {
    /// What it is known by, but for its name, tags and notes.
    pub identity: Identity,
    /// What its data is known by.
    pub data: String,
}

/// A run of these weights, out of the file with this name.
///
/// # Errors
/// Another number of weights than the network has, and whatever else keeps a log or a checkpoint from
/// being written: a sentence.
pub fn run(newcomer: Newcomer, file: &str, found: Found) -> Result<Unpacked, String> {
    let Newcomer { mut identity, data } = newcomer;
    let name = file.rsplit_once('.').map_or(file, |(name, _)| name);
    identity.name = cut(name, NAME_LETTERS).to_owned();
    identity.tags = vec![TAG.to_owned()];
    let mut notes = vec![format!("Weights out of {file}.")];
    notes.extend(found.remarks);
    identity.notes = cut(&notes.join("\n"), NOTES_LETTERS).to_owned();

    if found.weights.len() != PARAMETER_COUNT {
        return Err(format!(
            "These are {} weights, not {PARAMETER_COUNT}.",
            found.weights.len()
        ));
    }
    let config = Config::default();
    let snapshot = Snapshot {
        weights: Values(found.weights),
        next: Next::Nothing,
        is_stopped: true,
        ..Snapshot::initial(config, data.clone())
    };
    let mut run = Run::new(identity, config, data);
    let kept = checkpoint::write(&snapshot).and_then(Checkpoint::new);
    run.keep(kept.map_err(|error: CheckpointError| format!("{error}."))?);
    run.apply(Event::State(State::Stopped));
    let unkept = run.unkept().map_err(|error| format!("{error}."))?;
    let (firsts, segments) = unkept
        .segment
        .into_iter()
        .map(|segment| (segment.first, segment.bytes.into()))
        .unzip();
    Ok(Unpacked {
        record: Record::of(&run),
        parcel: Parcel {
            identity: run.identity.clone(),
            status: run.status(),
            segments,
            checkpoint: run.checkpoint().map(|kept| kept.file.clone().into()),
            answers: Vec::new(),
        },
        firsts,
    })
}

#[cfg(test)]
mod tests {
    use kiln_model::weights;

    use super::*;
    use crate::run::Weights;
    use crate::run::tests::new_run;

    #[test]
    fn the_run_has_the_weights_and_can_go_on() {
        let newcomer = Newcomer {
            identity: new_run().identity,
            data: "data".to_owned(),
        };
        let found = Found {
            weights: weights::initial(7),
            remarks: vec!["They were half floats.".to_owned()],
        };
        let Unpacked { record, parcel, .. } =
            run(newcomer, "course.model.pt", found.clone()).unwrap();
        assert_eq!(record.identity.name, "course.model");
        assert_eq!(record.identity.tags, [TAG]);
        assert!(
            record
                .identity
                .notes
                .contains("course.model.pt.\nThey were half floats.")
        );
        assert!(record.has_checkpoint && record.status.has_ended());
        let run = parcel.read().unwrap();
        assert_eq!(run.damage(), None);
        for which in [Weights::Best, Weights::Last] {
            assert_eq!(run.weights(which).unwrap().as_ref(), Some(&found.weights));
            assert_eq!(run.weights_step(which), Some(0));
        }
        assert_eq!(run.steps_done(), 0);
        let snapshot = run.checkpoint().unwrap().snapshot().unwrap().reopened();
        assert_eq!(snapshot.next, Next::Train);
    }

    #[test]
    fn too_few_weights_are_a_sentence() {
        let newcomer = Newcomer {
            identity: new_run().identity,
            data: "data".to_owned(),
        };
        let found = Found {
            weights: vec![0.0; 3],
            remarks: Vec::new(),
        };
        let error = run(newcomer, "a.pt", found).unwrap_err();
        assert_eq!(error, "These are 3 weights, not 34826.");
    }
}
