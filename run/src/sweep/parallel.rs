//! Runs as lines across parallel axes (Inselberg 1985): one axis for each setting that differs, and the
//! last for what came of them.

use kiln_model::config::Setting;

use crate::format;
use crate::id::RunId;
use crate::record::Record;
use crate::settings;
use crate::share::NUMBERS;
use crate::sweep::standing::loss;

/// Values that are marked by themselves; of more, the ends and what lies between.
const MOST_MARKED: usize = 6;
/// Marks of an axis whose values are not.
const MARKS: usize = 5;
/// A scale over this is a logarithmic one.
const LOG_OVER: f64 = 20.0;
/// The name of the last axis.
const LOSS: &str = "Validation loss";

/// Runs across axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parallel {
    /// The axes, from left to right.
    pub axes: Vec<Axis>,
    /// The runs, the best first.
    pub lines: Vec<Line>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it is of, as a person reads it.
    pub label: &'static str,
    /// Places from 0, at its lower end, to 1, with what stands there.
    pub marks: Vec<(f64, String)>,
    scale: Scale,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The run.
    pub id: RunId,
    /// Its place on each axis; nothing where it has none.
    pub places: Vec<Option<f64>>,
    /// How good it is, from 0 for the best to 1; a run without a loss is none.
    pub shade: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
enum Scale {
    /// Between two ends.
    Numbers { from: f64, to: f64, is_log: bool },
    /// One beside the other.
    Words(Vec<String>),
}

impl Parallel {
    /// These runs across the settings in which they differ.
    pub fn of(records: &[Record]) -> Self {
        let mut sorted: Vec<&Record> = records.iter().collect();
        let key = |record: &Record| loss(record).unwrap_or(f64::INFINITY);
        sorted.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let lines: Vec<Vec<settings::Line>> = sorted
            .iter()
            .map(|record| settings::lines(record))
            .collect();
        let count = lines.first().map_or(0, Vec::len);
        let mut columns: Vec<(Axis, Vec<Option<f64>>)> = Vec::new();
        for index in 0..count {
            let texts: Vec<&str> = lines.iter().map(|line| &*line[index].text).collect();
            if texts.iter().all(|text| *text == texts[0]) {
                continue;
            }
            let settings::Line { key, label, .. } = lines[0][index];
            let named = NUMBERS.into_iter().find(|(name, _)| *name == key);
            let axis = match named {
                Some((_, setting)) => Axis::of_setting(label, setting, &sorted),
                None => Axis::of_words(label, &texts),
            };
            let place = |(record, text): (&&Record, &&str)| match named {
                Some((_, setting)) => setting
                    .is_used_by(&record.config)
                    .then(|| axis.place(setting.get(&record.config))),
                None => axis.place_of(text),
            };
            let places = sorted.iter().zip(&texts).map(place).collect();
            columns.push((axis, places));
        }
        let losses: Vec<Option<f64>> = sorted.iter().map(|record| loss(record)).collect();
        if let Some(axis) = Axis::of_numbers(LOSS, losses.iter().flatten().copied(), format::loss) {
            let places = losses
                .iter()
                .map(|found| found.map(|found| axis.place(found)));
            let places = places.collect();
            columns.push((axis, places));
        }
        let with_loss = losses.iter().flatten().count();
        let last = with_loss.saturating_sub(1).max(1) as f64;
        let line = |(rank, record): (usize, &&Record)| Line {
            id: record.identity.id,
            places: columns.iter().map(|(_, places)| places[rank]).collect(),
            shade: loss(record).map(|_| rank as f64 / last),
        };
        Self {
            lines: sorted.iter().enumerate().map(line).collect(),
            axes: columns.into_iter().map(|(axis, _)| axis).collect(),
        }
    }
}

impl Axis {
    fn of_setting(label: &'static str, setting: Setting, records: &[&Record]) -> Self {
        let used = records
            .iter()
            .filter(|record| setting.is_used_by(&record.config));
        let values = used.map(|record| setting.get(&record.config));
        let axis = Self::of_numbers(label, values, |value| value.to_string());
        // A setting that differs has two values at least.
        axis.unwrap_or_else(|| Self::of_words(label, &[]))
    }

    /// An axis of numbers; nothing without any.
    fn of_numbers(
        label: &'static str,
        values: impl Iterator<Item = f64>,
        write: fn(f64) -> String,
    ) -> Option<Self> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (from, to) = (*values.first()?, *values.last()?);
        let is_log = from > 0.0 && to / from > LOG_OVER;
        let mut axis = Self {
            label,
            marks: Vec::new(),
            scale: Scale::Numbers { from, to, is_log },
        };
        axis.marks = if values.len() <= MOST_MARKED {
            let mark = |value: &f64| (axis.place(*value), write(*value));
            values.iter().map(mark).collect()
        } else {
            let mark = |index: usize| {
                let place = index as f64 / (MARKS - 1) as f64;
                let value = axis.value(place).unwrap_or(from);
                (place, format::significant(value))
            };
            (0..MARKS).map(mark).collect()
        };
        Some(axis)
    }

    fn of_words(label: &'static str, texts: &[&str]) -> Self {
        let mut words: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        words.sort();
        words.dedup();
        let mut axis = Self {
            label,
            marks: Vec::new(),
            scale: Scale::Words(words.clone()),
        };
        let mark = |word: String| axis.place_of(&word).map(|place| (place, word));
        axis.marks = words.into_iter().filter_map(mark).collect();
        axis
    }

    /// Where a number is, from 0 to 1; in the middle where there is no other.
    pub fn place(&self, value: f64) -> f64 {
        let Scale::Numbers { from, to, is_log } = self.scale else {
            return 0.5;
        };
        if from == to {
            return 0.5;
        }
        let place = if is_log {
            (value / from).ln() / (to / from).ln()
        } else {
            (value - from) / (to - from)
        };
        place.clamp(0.0, 1.0)
    }

    /// The number at a place; nothing on an axis of words.
    pub fn value(&self, place: f64) -> Option<f64> {
        match self.scale {
            Scale::Numbers { from, to, is_log } => Some(if is_log {
                from * (to / from).powf(place)
            } else {
                from + place * (to - from)
            }),
            Scale::Words(_) => None,
        }
    }

    /// What stands nearest to a place.
    pub fn nearest(&self, place: f64) -> Option<&str> {
        let distance = |mark: &&(f64, String)| (mark.0 - place).abs();
        let nearest = self
            .marks
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map(|(_, text)| text.as_str())
    }

    fn place_of(&self, word: &str) -> Option<f64> {
        let Scale::Words(words) = &self.scale else {
            return None;
        };
        let index = words.iter().position(|other| other == word)?;
        Some((index as f64 + 0.5) / words.len() as f64)
    }
}

impl Line {
    /// Whether it runs through all of these stretches of axes, each with its lower and upper end.
    pub fn is_within(&self, stretches: &[Option<(f64, f64)>]) -> bool {
        let is_within = |(place, stretch): (&Option<f64>, &Option<(f64, f64)>)| match stretch {
            Some((low, high)) => place.is_some_and(|place| (*low..=*high).contains(&place)),
            None => true,
        };
        self.places.iter().zip(stretches).all(is_within)
    }
}

#[cfg(test)]
mod tests {
    use kiln_model::event::Quality;
    use kiln_model::optimizer::Optimizer;

    use super::*;
    use crate::run::tests::scored_run;

    /// Rounding of a logarithm.
    const TOLERANCE: f64 = 1e-12;

    fn record(id: u64, rate: f64, optimizer: Optimizer, loss: Option<f64>) -> Record {
        let mut record = Record::of(&scored_run());
        record.identity.id = RunId(id);
        record.config.learning_rate = rate;
        record.config.optimizer = optimizer;
        record.summary.best = loss.map(|loss| Quality {
            loss,
            accuracy: 0.5,
        });
        record
    }

    fn three() -> Parallel {
        Parallel::of(&[
            record(1, 0.1, Optimizer::Adam, None),
            record(2, 0.001, Optimizer::Sgd { momentum: 0.5 }, Some(0.4)),
            record(3, 0.01, Optimizer::Adam, Some(0.2)),
        ])
    }

    #[test]
    fn what_differs_has_an_axis_and_the_best_comes_first() {
        let parallel = three();
        let labels: Vec<_> = parallel.axes.iter().map(|axis| axis.label).collect();
        assert_eq!(labels, ["Learning rate", "Optimizer", "Momentum", LOSS]);
        let ids: Vec<_> = parallel.lines.iter().map(|line| line.id.0).collect();
        assert_eq!(ids, [3, 2, 1]);
        let shades: Vec<_> = parallel.lines.iter().map(|line| line.shade).collect();
        assert_eq!(shades, [Some(0.0), Some(1.0), None]);
        // A hundredfold is a logarithmic scale.
        let middle = parallel.lines[0].places[0].unwrap();
        assert!((middle - 0.5).abs() < TOLERANCE, "{middle}");
        assert!((parallel.axes[0].value(0.5).unwrap() - 0.01).abs() < TOLERANCE);
        // Adam has no momentum, and the run that failed no loss.
        assert_eq!(parallel.lines[0].places[2], None);
        assert_eq!(parallel.lines[2].places[3], None);
        let words: Vec<_> = parallel.axes[1]
            .marks
            .iter()
            .map(|(_, word)| word.as_str())
            .collect();
        assert_eq!(words, ["Adam", "SGD"]);
    }

    #[test]
    fn a_line_is_within_what_it_runs_through() {
        let parallel = three();
        let within = |stretches: &[Option<(f64, f64)>]| -> Vec<u64> {
            let lines = parallel
                .lines
                .iter()
                .filter(|line| line.is_within(stretches));
            lines.map(|line| line.id.0).collect()
        };
        assert_eq!(within(&[None, None, None, None]), [3, 2, 1]);
        assert_eq!(within(&[Some((0.4, 1.0)), None, None, None]), [3, 1]);
        assert_eq!(within(&[None, None, None, Some((0.0, 0.5))]), [3]);
    }

    #[test]
    fn a_run_that_failed_is_not_the_best_whatever_it_measured_before() {
        let mut failed = record(1, 0.1, Optimizer::Adam, Some(0.1));
        failed.status = crate::run::Status::Session(kiln_model::event::State::Failed);
        let parallel = Parallel::of(&[failed, record(2, 0.01, Optimizer::Adam, Some(0.2))]);
        let ids: Vec<_> = parallel.lines.iter().map(|line| line.id.0).collect();
        assert_eq!(ids, [2, 1]);
        assert_eq!(parallel.lines[1].shade, None);
    }

    #[test]
    fn without_runs_there_is_nothing() {
        assert_eq!(Parallel::of(&[]), Parallel::default());
        let one = Parallel::of(&[record(1, 0.1, Optimizer::Adam, Some(0.3))]);
        assert_eq!(one.axes.len(), 1);
        assert_eq!(one.lines[0].places, [Some(0.5)]);
    }
}
