//! A run as lists and tables show it: all but its measurements and weights.

use kiln_model::config::Config;
use kiln_model::event::{Quality, Score};
use kiln_model::history::History;
use serde::{Deserialize, Serialize};

use crate::run::{Identity, Run, Status};

/// Points of a sparkline, at most.
const SPARKLINE_POINTS: usize = 32;

/// A run but for its measurements and weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it is known by.
    pub identity: Identity,
    /// Where it is.
    pub status: Status,
    /// Its settings.
    pub config: Config,
    /// What its data is known by.
    pub data: String,
    /// Whether it has weights to look at. Without, an older Kiln kept no run.
    #[serde(default = "is_true")]
    pub has_checkpoint: bool,
    /// What came of it until now.
    pub summary: Summary,
}

const fn is_true() -> bool {
    true
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Training steps done.
    pub steps: u32,
    /// Seconds of training and measuring, pauses left out.
    pub elapsed_secs: f64,
    /// The validation with the lowest loss.
    pub best: Option<Quality>,
    /// The last validation.
    pub last: Option<Quality>,
    /// The last epoch's mean over its training images.
    pub last_epoch: Option<Quality>,
    /// The score on the test images.
    pub test: Option<Score>,
    /// Training images a second, over the whole run.
    pub images_per_sec: Option<f64>,
    /// What tells its losses from any other's; none while the run is open.
    pub fingerprint: Option<String>,
    /// Training loss over the run, means of equal stretches; of long ones, of some of their steps.
    pub sparkline: Vec<f32>,
}

impl Summary {
    /// What came of a run with this history.
    pub fn of(history: &History) -> Self {
        let value = |measured: &kiln_model::history::Measured<Quality>| measured.value;
        let finite = history.validations.iter().map(value);
        let best = finite
            .filter(|quality| quality.loss.is_finite())
            .min_by(|a, b| a.loss.total_cmp(&b.loss));
        let moment = history.steps.last().map(|last| last.moment);
        let measured = [
            moment,
            history.validations.last().map(|last| last.moment),
            history.score.map(|score| score.moment),
        ];
        let seconds = measured.iter().flatten().map(|moment| moment.elapsed_secs);
        let rates = history.throughput.iter().map(|rate| rate.value);
        let count = history.throughput.len();
        Self {
            steps: moment.map_or(0, |moment| moment.step),
            elapsed_secs: seconds.fold(0.0, f64::max),
            best,
            last: history.validations.last().map(value),
            last_epoch: history.epochs.last().map(value),
            test: history.score.map(|score| score.value),
            // Each was measured over about the same time.
            images_per_sec: (count > 0).then(|| rates.sum::<f64>() / count as f64),
            fingerprint: None,
            sparkline: sparkline(history),
        }
    }
}

/// However long the run is, so many steps of each stretch are looked at, evenly spread.
const SPARKLINE_SAMPLES: usize = 64;

fn sparkline(history: &History) -> Vec<f32> {
    let stretch = history.steps.len().div_ceil(SPARKLINE_POINTS).max(1);
    let mean = |start: usize| {
        let count = stretch.min(history.steps.len() - start);
        let steps = history.steps.since(start).take(count);
        let samples = steps.step_by(count.div_ceil(SPARKLINE_SAMPLES));
        let looked_at = samples.len() as f64;
        samples.map(|step| step.value.quality.loss).sum::<f64>() / looked_at
    };
    (0..history.steps.len())
        .step_by(stretch)
        .map(|start| mean(start) as f32)
        .filter(|loss| loss.is_finite())
        .collect()
}

impl Record {
    /// A run as it is now; while it is open, its losses have no fingerprint yet.
    pub fn of(run: &Run) -> Self {
        let mut summary = Summary::of(run.history());
        if !run.status().is_open() {
            summary.fingerprint = run.history().fingerprint();
        }
        Self {
            identity: run.identity.clone(),
            status: run.status(),
            config: *run.config(),
            data: run.data().to_owned(),
            has_checkpoint: run.checkpoint().is_some(),
            summary,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::run::tests::scored_run;

    #[test]
    fn a_record_says_what_came_of_the_run() {
        let record = Record::of(&scored_run());
        let summary = record.summary;
        assert_eq!(summary.steps, 2);
        assert_eq!(summary.best.map(|best| best.accuracy), Some(0.75));
        assert_eq!(summary.test.map(|test| test.correct), Some(9_000));
        assert_eq!(summary.images_per_sec, Some(800.0));
        assert_eq!(summary.sparkline, [2.25, 1.5]);
        assert_eq!(record.data, "data");
    }

    #[test]
    fn a_record_that_lacks_a_figure_or_a_setting_is_read() {
        let whole = serde_json::to_value(Record::of(&scored_run())).unwrap();
        for part in ["summary", "config"] {
            for name in whole[part].as_object().unwrap().keys() {
                let mut fewer = whole.clone();
                fewer[part].as_object_mut().unwrap().remove(name);
                let read: Result<Record, _> = serde_json::from_value(fewer);
                assert!(read.is_ok(), "{part} without {name}: {read:?}");
            }
        }
    }

    #[test]
    fn a_run_lasts_until_it_is_scored() {
        let mut history = scored_run().history().clone();
        if let Some(score) = &mut history.score {
            score.moment.elapsed_secs = 4.0;
        }
        assert_eq!(Summary::of(&history).elapsed_secs, 4.0);
        history.score = None;
        if let Some(last) = history.validations.last_mut() {
            last.moment.elapsed_secs = 3.0;
        }
        assert_eq!(Summary::of(&history).elapsed_secs, 3.0);
    }

    #[test]
    fn a_sparkline_is_short_and_has_no_broken_points() {
        let mut history = History::default();
        let run = scored_run();
        let rows = (0..100).flat_map(|_| run.history().steps.iter());
        history.steps = rows
            .enumerate()
            .map(|(index, mut row)| {
                if index == 0 {
                    row.value.quality.loss = f64::NAN;
                }
                row
            })
            .collect();
        let line = sparkline(&history);
        assert!(line.len() <= SPARKLINE_POINTS, "{}", line.len());
        assert!(line.iter().all(|loss| (1.5..=2.25).contains(loss)));
    }
}
