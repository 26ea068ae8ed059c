//! Curves out of measurements: what a chart shows of a run, and the ticks of its axes.

use kiln_model::event::{Moment, Quality, Trained};
use kiln_model::history::{History, Measured};

pub use crate::axis::Axis;
use crate::format;
use crate::levels::Levels;
use crate::run::Identity;
pub use crate::smoothing::Point;
use crate::smoothing::{Mean, smooth};

/// Four to six round numbers that cover `low` to `high`, with the step between them.
pub fn ticks(low: f64, high: f64) -> Vec<f64> {
    const MOST: f64 = 5.0;
    let span = (high - low).max(f64::MIN_POSITIVE);
    let rough = span / MOST;
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    let first = (low / step).ceil();
    let count = ((high / step) - first + 1e-9).floor().max(0.0) as usize;
    (0..=count)
        .map(|index| (first + index as f64) * step)
        .collect()
}

/// What a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Mean cross-entropy.
    Loss,
    /// Share of right answers.
    Accuracy,
    /// Training images a second.
    Throughput,
    /// The learning rate of each step.
    LearningRate,
    /// Euclidean length of each step's gradient.
    GradientNorm,
}

/// What a curve of a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of every step; shown smoothed over its measurements.
    Training,
    /// Means over epochs.
    EpochMean,
    /// Of every validation.
    Validation,
    /// As measured.
    Plain,
}

impl Kind {
    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::EpochMean => "Epoch mean",
            Self::Validation => "Validation",
            Self::Plain => "Measured",
        }
    }
}

/// One curve of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it is.
    pub kind: Kind,
    /// As measured, in order.
    pub points: Vec<Point>,
    /// Smoothed, at the same places; empty where it is shown as measured.
    pub smoothed: Vec<Point>,
    /// Of runs shown as one, the least and the greatest at each point, which is their mean; empty for
    /// one run.
    pub band: Vec<(f64, f64)>,
    /// Whether there are more measurements in sight than points.
    pub is_thinned: bool,
    /// Whether the points themselves are smoothed, because nothing else of them is known.
    pub is_smoothed: bool,
}

impl Curve {
    /// Without any point.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            points: Vec::new(),
            smoothed: Vec::new(),
            band: Vec::new(),
            is_thinned: false,
            is_smoothed: false,
        }
    }

    /// The name a person reads.
    pub const fn label(&self) -> &'static str {
        match self.kind {
            Kind::Training if self.is_smoothed => "Training, smoothed",
            kind => kind.label(),
        }
    }

    /// What is drawn boldly: smoothed where it is.
    pub fn shown(&self) -> &[Point] {
        if self.smoothed.is_empty() {
            &self.points
        } else {
            &self.smoothed
        }
    }
}

impl Subject {
    /// Every subject, in the order of the page.
    pub const ALL: [Self; 5] = [
        Self::Loss,
        Self::Accuracy,
        Self::Throughput,
        Self::LearningRate,
        Self::GradientNorm,
    ];

    /// The chart's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::Accuracy => "Accuracy",
            Self::Throughput => "Images/s",
            Self::LearningRate => "Learning rate",
            Self::GradientNorm => "Gradient norm",
        }
    }

    /// A value as a person reads it.
    pub fn write(self, value: f64) -> String {
        match self {
            Self::Loss => format::loss(value),
            Self::Accuracy => format::percent(value),
            Self::Throughput => format::count(value.max(0.0).round() as u64),
            Self::LearningRate | Self::GradientNorm => format::significant(value),
        }
    }

    /// The same of a mean, with the least and the greatest of what it is of.
    pub fn write_mean(self, value: f64, band: Option<(f64, f64)>) -> String {
        let value = self.write(value);
        match band {
            Some((low, high)) => {
                format!("mean {value}, {} to {}", self.write(low), self.write(high))
            }
            None => value,
        }
    }

    /// The largest value there can be, where there is one.
    pub const fn top(self) -> Option<f64> {
        match self {
            Self::Accuracy => Some(1.0),
            _ => None,
        }
    }

    /// Where a run's first and last measurement are on an axis; nothing where there is none.
    pub fn ends(self, history: &History, identity: &Identity, axis: Axis) -> Option<(f64, f64)> {
        let place = |moment: Option<&Moment>| axis.place(moment?, identity);
        let steps = history.steps.first().zip(history.steps.last());
        let rates = history.throughput.first().zip(history.throughput.last());
        let (first, last) = match self {
            Self::Throughput => rates.map(|(first, last)| (first.moment, last.moment))?,
            _ => steps.map(|(first, last)| (first.moment, last.moment))?,
        };
        // The last validation and the step that failed come after the last step.
        let validated = history.validations.last().map(|row| row.moment);
        let diverged = history.diverged.map(|row| row.moment);
        let later = [validated, diverged].into_iter().flatten();
        let later = later.filter(|_| self != Self::Throughput);
        let places = later.filter_map(|moment| place(Some(&moment)));
        let last = places.fold(place(Some(&last))?, f64::max);
        Some((place(Some(&first))?, last))
    }

    /// A run's curves. `smoothing` is that of [`smooth`]. Of more than [`EXACT`] measurements those are
    /// kept that matter to the part of the axis in `sight`, and what is smoothed are means of short
    /// stretches beyond so many; `levels` are this subject's, of this history.
    pub fn curves(
        self,
        history: &History,
        identity: &Identity,
        axis: Axis,
        smoothing: f64,
        sight: Option<(f64, f64)>,
        levels: &mut Levels,
    ) -> Vec<Curve> {
        let look = Look {
            identity,
            axis,
            smoothing,
            detail: Detail::Measured(sight),
        };
        self.seen(history, &look, levels)
    }

    /// A run's curves as groups of runs are made of them: at the same steps in every run, however
    /// long it is. They are smoothed as [`Self::curves`] smooths, and means of the same stretches.
    pub fn means(
        self,
        history: &History,
        identity: &Identity,
        axis: Axis,
        smoothing: f64,
        levels: &mut Levels,
    ) -> Vec<Curve> {
        let look = Look {
            identity,
            axis,
            smoothing,
            detail: Detail::Means,
        };
        self.seen(history, &look, levels)
    }

    fn seen(self, history: &History, look: &Look, levels: &mut Levels) -> Vec<Curve> {
        let mut long = |kind, figure: fn(&Trained) -> f64| {
            let steps = &history.steps;
            look.long_curve(kind, steps.len(), |index| steps.get(index), figure, levels)
        };
        let mut curves = match self {
            Self::Loss => vec![long(Kind::Training, |step| step.quality.loss)],
            Self::Accuracy => vec![long(Kind::Training, |step| step.quality.accuracy)],
            Self::LearningRate => vec![long(Kind::Plain, |step| step.learning_rate)],
            Self::GradientNorm => vec![long(Kind::Training, |step| step.gradient_norm)],
            Self::Throughput => {
                let rates = &history.throughput;
                let rate = |index: usize| rates.get(index).copied();
                vec![look.long_curve(Kind::Plain, rates.len(), rate, |rate| *rate, levels)]
            }
        };
        let quality: Option<fn(&Quality) -> f64> = match self {
            Self::Loss => Some(|quality| quality.loss),
            Self::Accuracy => Some(|quality| quality.accuracy),
            Self::Throughput | Self::LearningRate | Self::GradientNorm => None,
        };
        if let Some(figure) = quality {
            curves.push(look.curve(Kind::EpochMean, &history.epochs, figure));
            curves.push(look.curve(Kind::Validation, &history.validations, figure));
        }
        curves.retain(|curve| !curve.points.is_empty());
        curves
    }
}

/// Most measurements of a curve that has all of them.
pub const EXACT: usize = 8_192;

/// How a run is looked at.
struct Look<'a> {
    identity: &'a Identity,
    axis: Axis,
    smoothing: f64,
    detail: Detail,
}

/// What there is of a long curve.
enum Detail {
    /// What was measured that matters to this part of the axis, or to all of it.
    Measured(Option<(f64, f64)>),
    /// Means of short stretches.
    Means,
}

impl Look<'_> {
    fn place<T>(&self, measured: &Measured<T>) -> Option<f64> {
        self.axis.place(&measured.moment, self.identity)
    }

    fn curve<T>(&self, kind: Kind, rows: &[Measured<T>], figure: fn(&T) -> f64) -> Curve {
        let point = |row: &Measured<T>| Some((self.place(row)?, figure(&row.value)));
        Curve {
            points: rows.iter().filter_map(point).collect(),
            ..Curve::new(kind)
        }
    }

    /// A curve that may have very many measurements; where the levels are behind, as far as they
    /// reach.
    fn long_curve<T>(
        &self,
        kind: Kind,
        count: usize,
        row: impl Fn(usize) -> Option<Measured<T>>,
        figure: fn(&T) -> f64,
        levels: &mut Levels,
    ) -> Curve {
        let place = |index: usize| self.place(&row(index)?);
        let value = |index: usize| row(index).map_or(f64::NAN, |row| figure(&row.value));
        let is_long = count > EXACT;
        let count = if is_long {
            levels.follow(count, value)
        } else {
            count
        };
        let levels = &*levels;
        let line = |weight| {
            let single = (0..count.min(EXACT)).map(|index| (index, value(index)));
            let means: Vec<Mean> = single.chain(levels.means(EXACT)).collect();
            let smoothed = means.iter().zip(smooth(&means, weight));
            let point = |((last, _), y): (&Mean, f64)| Some((place(*last)?, y));
            smoothed.filter_map(point).collect()
        };
        let is_smoothed = kind == Kind::Training && self.smoothing > 0.0;
        let sight = match self.detail {
            Detail::Measured(sight) => sight.filter(|_| is_long),
            Detail::Means => {
                return Curve {
                    points: line(if is_smoothed { self.smoothing } else { 0.0 }),
                    is_thinned: is_long,
                    is_smoothed,
                    ..Curve::new(kind)
                };
            }
        };
        let in_sight = sight.map_or(0..count, |(from, to)| {
            let before = |x: f64| first(count, |index| place(index).is_some_and(|at| at >= x));
            // A line goes on beyond what is in sight.
            let start = before(from).saturating_sub(1);
            start..(before(to) + 2).min(count).max(start)
        });
        let is_thinned = in_sight.len() > EXACT;
        let point = |index: usize| {
            let row = row(index)?;
            Some((self.place(&row)?, figure(&row.value)))
        };
        let points = levels.matter(in_sight, EXACT).into_iter().filter_map(point);
        Curve {
            points: points.collect(),
            smoothed: if is_smoothed {
                line(self.smoothing)
            } else {
                Vec::new()
            },
            is_thinned,
            ..Curve::new(kind)
        }
    }
}

/// The first of so many places for which this holds, and for all that follow; `count` where there is
/// none.
fn first(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::run::tests::scored_run;

    #[test]
    fn a_run_becomes_curves_over_any_axis() {
        let run = scored_run();
        let curves = |axis| {
            let levels = &mut Levels::default();
            Subject::Loss.curves(run.history(), &run.identity, axis, 0.0, None, levels)
        };
        let steps = curves(Axis::Step);
        assert_eq!(
            steps.iter().map(|curve| curve.kind).collect::<Vec<_>>(),
            [Kind::Training, Kind::EpochMean, Kind::Validation]
        );
        assert_eq!(steps[0].points, [(1.0, 2.25), (2.0, 1.5)]);
        assert_eq!(curves(Axis::Images)[0].points[1].0, 256.0);
        assert_eq!(curves(Axis::Elapsed)[2].points, [(1.0, 1.25)]);
        // Of this run nobody noted the clock.
        assert_eq!(curves(Axis::Clock), []);
        let levels = &mut Levels::default();
        let smoothed =
            Subject::Loss.curves(run.history(), &run.identity, Axis::Step, 0.6, None, levels);
        assert_eq!(smoothed[0].smoothed.len(), 2);
        assert!(smoothed[2].smoothed.is_empty());
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            ticks(0.0, 1.0),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        assert_eq!(ticks(0.0, 168.0), [0.0, 50.0, 100.0, 150.0]);
        for high in [0.001, 2.3, 7.0, 99.0, 123_456.0] {
            let count = ticks(0.0, high).len();
            assert!((3..=7).contains(&count), "{high}: {count}");
        }
    }

    #[test]
    fn a_long_run_has_few_points_and_every_extreme_in_sight() {
        let mut run = scored_run();
        let row = run.history().steps.first().unwrap();
        let mut history = run.history().clone();
        history.steps = (1..=100_000)
            .map(|step| {
                let mut row = row;
                (row.moment.step, row.moment.elapsed_secs) = (step, f64::from(step));
                row.value.quality.loss =
                    f64::from(step).sin() + if step == 54_321 { 9.0 } else { 0.0 };
                row
            })
            .collect();
        run.identity.name.clear();
        let levels = &mut Levels::default();
        let mut curves =
            |sight| Subject::Loss.curves(&history, &run.identity, Axis::Step, 0.6, sight, levels);
        let whole = &curves(None)[0];
        assert!(whole.points.len() <= 2 * EXACT, "{}", whole.points.len());
        assert!(whole.smoothed.len() <= 2 * EXACT);
        let greatest = |curve: &Curve| {
            let values = curve.points.iter().map(|point| point.1);
            values.fold(f64::NEG_INFINITY, f64::max)
        };
        assert!(greatest(whole) > 8.0);
        // Zoomed in, every measurement is there, and the one before and after.
        let near = &curves(Some((54_000.0, 55_000.0)))[0];
        assert_eq!(near.points.len(), 1_003);
        assert!(greatest(near) > 8.0);
        // The smoothed line is where that of all measurements would be.
        let losses = history.steps.iter().map(|row| row.value.quality.loss);
        let all: Vec<Mean> = losses.enumerate().collect();
        let exact = smooth(&all, 0.6);
        for (x, y) in whole.smoothed.iter().skip(100).step_by(50) {
            let wanted = exact[*x as usize - 1];
            assert!((y - wanted).abs() < 0.05, "{x}: {y} instead of {wanted}");
        }
    }

    /// What was measured is only added to, and so is its line: at any step it is made of the steps
    /// up to there.
    #[test]
    fn the_smoothed_line_of_a_prefix_is_the_prefix_of_the_smoothed_line() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let rows: Vec<_> = {
            let row = scored_run().history().steps.first().unwrap();
            let grown = (1..=40_000_u32).map(|step| {
                let mut row = row;
                (row.moment.step, row.moment.elapsed_secs) = (step, 0.1 * f64::from(step));
                row.value.quality.loss = if random.random_ratio(1, 500) {
                    f64::NAN
                } else {
                    random.random_range(0.0..2.5)
                };
                row
            });
            grown.collect()
        };
        let line = |count: usize, axis, smoothing| {
            let mut history = History::default();
            history.steps = rows[..count].iter().copied().collect();
            let identity = scored_run().identity;
            let levels = &mut Levels::default();
            let sight = None;
            let curves = Subject::Loss.curves(&history, &identity, axis, smoothing, sight, levels);
            let bits = |(x, y): &Point| (x.to_bits(), y.to_bits());
            curves[0].smoothed.iter().map(bits).collect::<Vec<_>>()
        };
        for (axis, smoothing) in [(Axis::Step, 0.6), (Axis::Elapsed, 0.99)] {
            let all = line(rows.len(), axis, smoothing);
            let cases = (0..8).map(|_| random.random_range(1..rows.len()));
            for count in cases.chain([1, 1_000, 1_001, EXACT, EXACT + 1]) {
                let prefix = line(count, axis, smoothing);
                assert!(prefix.len() >= count.min(EXACT), "{count}");
                assert_eq!(prefix, all[..prefix.len()], "{count}");
            }
        }
    }
}
