//! Runs that differ in nothing but their seed, shown as one: their mean, from the lowest to the highest.

use std::collections::BTreeSet;
use std::sync::Arc;

use kiln_model::config::Config;

use crate::figure::Strand;
use crate::id::RunId;
use crate::record::Record;
use crate::series::{Curve, Kind, Point};

/// Runs that differ in nothing but their seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The runs.
    pub ids: Vec<RunId>,
    /// How many seeds they have, at least two.
    pub seeds: usize,
}

/// The groups among these runs, in their order.
pub fn groups<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<Group> {
    let mut alike: Vec<Vec<&Record>> = Vec::new();
    for record in records {
        match alike.iter_mut().find(|others| are_alike(others[0], record)) {
            Some(others) => others.push(record),
            None => alike.push(vec![record]),
        }
    }
    let group = |records: Vec<&Record>| {
        let seeds: BTreeSet<u32> = records.iter().map(|record| record.config.seed).collect();
        (seeds.len() > 1).then(|| Group {
            ids: records.iter().map(|record| record.identity.id).collect(),
            seeds: seeds.len(),
        })
    };
    alike.into_iter().filter_map(group).collect()
}

fn are_alike(a: &Record, b: &Record) -> bool {
    let without_seed = |record: &Record| Config {
        seed: 0,
        ..record.config
    };
    a.data == b.data && without_seed(a) == without_seed(b)
}

/// A run of a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// How it is drawn by itself, or the means that are its part of the group's.
    pub strand: Arc<Strand>,
    /// The same means over steps; nothing where it is drawn by itself.
    pub steps: Vec<Curve>,
}

/// The runs of a group as one: at each step the mean of those that have a value there, as long as two
/// have. It stands where the run does that goes on longest.
pub fn strand(members: &[Arc<Member>], seeds: usize) -> Option<Strand> {
    let reached = |member: &&Arc<Member>| {
        let last = member.steps.first().and_then(|curve| curve.points.last());
        last.map_or(0.0, |point| point.0)
    };
    let first = &members.first()?.strand;
    let longest = members
        .iter()
        .max_by(|a, b| reached(a).total_cmp(&reached(b)))?;
    let mean = |placed: &Curve| {
        let steps = of_kind(&longest.steps, placed.kind)?;
        let all = members.iter();
        let all = all.filter_map(|member| Some(&of_kind(&member.steps, placed.kind)?.points[..]));
        let all: Vec<&[Point]> = all.collect();
        let curve = mean(placed, &steps.points, &all);
        (!curve.points.is_empty()).then_some(curve)
    };
    let curves: Vec<Curve> = longest.strand.curves.iter().filter_map(mean).collect();
    let ends = curves.iter().filter_map(|curve| {
        let (first, last) = (curve.points.first()?, curve.points.last()?);
        Some((first.0, last.0))
    });
    let strands = || members.iter().map(|member| &member.strand);
    Some(Strand {
        name: format!(
            "{} and {} more, {seeds} seeds",
            first.name,
            members.len() - 1
        ),
        colour: first.colour,
        ends: ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
        first_epoch: strands()
            .filter_map(|strand| strand.first_epoch)
            .reduce(f64::min),
        curves,
        changes: strands()
            .flat_map(|strand| strand.changes.clone())
            .collect(),
    })
}

fn of_kind(curves: &[Curve], kind: Kind) -> Option<&Curve> {
    curves.iter().find(|curve| curve.kind == kind)
}

/// The mean of all curves over steps, at the places of one of them, whose `steps` are these.
fn mean(placed: &Curve, steps: &[Point], all: &[&[Point]]) -> Curve {
    let mut curve = Curve {
        points: Vec::with_capacity(placed.points.len()),
        band: Vec::with_capacity(placed.points.len()),
        is_thinned: placed.is_thinned,
        is_smoothed: placed.is_smoothed,
        ..Curve::new(placed.kind)
    };
    // Of a run whose clock was not kept from the start on the first places are not known.
    let steps = steps.iter().rev().take(placed.points.len()).rev();
    let mut next = vec![0; all.len()];
    for ((step, _), (x, _)) in steps.zip(&placed.points) {
        let mut values = Vec::with_capacity(all.len());
        for (points, next) in all.iter().zip(&mut next) {
            while points.get(*next).is_some_and(|point| point.0 < *step) {
                *next += 1;
            }
            // What is measured now and then holds for the stretch until then.
            let is_here = |point: &&Point| placed.kind == Kind::Plain || point.0 == *step;
            let value = points.get(*next).filter(is_here).map(|point| point.1);
            values.extend(value.filter(|value| value.is_finite()));
        }
        if values.len() > 1 {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            // Sums are rounded, and a mean is never beyond what it is of.
            curve.points.push((*x, mean.clamp(low, high)));
            curve.band.push((low, high));
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use kiln_model::history::History;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::levels::Levels;
    use crate::run::tests::scored_run;
    use crate::series::{Axis, EXACT, Subject};

    fn record(id: u64, change: impl FnOnce(&mut Record)) -> Record {
        let mut record = Record::of(&scored_run());
        record.identity.id = RunId(id);
        change(&mut record);
        record
    }

    #[test]
    fn runs_are_alike_that_differ_in_the_seed_alone() {
        let records = [
            record(1, |_| ()),
            record(2, |record| record.config.seed = 43),
            record(3, |record| record.config.epochs = 7),
            record(4, |record| {
                record.config.seed = 44;
                record.data = "other".to_owned();
            }),
            record(5, |record| record.config.seed = 43),
        ];
        let found = groups(records.iter());
        let group = Group {
            ids: [1, 2, 5].map(RunId).to_vec(),
            seeds: 2,
        };
        assert_eq!(found, [group]);
        // The same seed twice is the same run twice.
        assert_eq!(groups([&records[1], &records[4]].into_iter()), []);
    }

    /// A run of so many steps with losses of its own.
    fn member(axis: Axis, smoothing: f64, losses: &[f64]) -> Arc<Member> {
        let run = scored_run();
        let row = run.history().steps.first().unwrap();
        let rows = losses.iter().zip(1..).map(|(loss, step)| {
            let mut row = row;
            (row.moment.step, row.moment.images) = (step, 128 * u64::from(step));
            row.value.quality.loss = *loss;
            row
        });
        let mut history = History::default();
        history.steps = rows.collect();
        let identity = &run.identity;
        let means = |axis| {
            let levels = &mut Levels::default();
            Subject::Loss.means(&history, identity, axis, smoothing, levels)
        };
        Arc::new(Member {
            strand: Arc::new(Strand {
                name: identity.name.clone(),
                colour: identity.css_colour(),
                ends: None,
                first_epoch: None,
                curves: means(axis),
                changes: Vec::new(),
            }),
            steps: means(Axis::Step),
        })
    }

    #[test]
    fn a_group_is_the_mean_of_its_runs_as_long_as_two_go_on() {
        let runs = [
            member(Axis::Images, 0.0, &[3.0, 2.0, 1.0, 1.0]),
            member(Axis::Images, 0.0, &[5.0, f64::NAN, 2.0]),
            member(Axis::Images, 0.0, &[4.0, 4.0]),
        ];
        let strand = strand(&runs, 3).unwrap();
        assert_eq!(strand.name, "amber-bowl-1 and 2 more, 3 seeds");
        assert_eq!(strand.ends, Some((128.0, 384.0)));
        let curve = &strand.curves[0];
        assert_eq!(curve.points, [(128.0, 4.0), (256.0, 3.0), (384.0, 1.5)]);
        assert_eq!(curve.band, [(3.0, 5.0), (2.0, 4.0), (1.0, 2.0)]);
    }

    /// However long the runs are: the mean is within its band, the band is that of all runs, and it
    /// reaches as far as the second of them.
    #[test]
    fn runs_of_any_length_are_measured_at_the_same_steps() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for smoothing in [0.0, 0.6] {
            let mut runs: Vec<Arc<Member>> = Vec::new();
            for count in [EXACT + 4_000, 300, EXACT, 3 * EXACT] {
                let losses: Vec<f64> = (0..count).map(|_| random.random_range(0.0..2.5)).collect();
                runs.push(member(Axis::Step, smoothing, &losses));
            }
            let strand = strand(&runs, 4).unwrap();
            let curve = &strand.curves[0];
            let second = &runs[0].steps[0].points;
            assert_eq!(curve.points.len(), second.len());
            assert!(curve.points.iter().zip(second).all(|(a, b)| a.0 == b.0));
            for (index, ((x, mean), (low, high))) in
                curve.points.iter().zip(&curve.band).enumerate()
            {
                assert!(low <= mean && mean <= high, "{x}");
                let values = runs.iter().filter_map(|run| run.steps[0].points.get(index));
                let values: Vec<f64> = values.map(|point| point.1).collect();
                assert!(values.contains(low) && values.contains(high), "{x}");
                assert!(
                    values.iter().all(|value| (low..=high).contains(&value)),
                    "{x}"
                );
            }
        }
    }

    #[test]
    fn figures_measured_at_other_steps_hold_for_the_stretch_until_then() {
        let placed = Curve {
            points: vec![(10.0, 1.0), (20.0, 1.0), (30.0, 1.0)],
            ..Curve::new(Kind::Plain)
        };
        let other = [(14.0, 3.0), (27.0, 5.0)];
        let curve = mean(&placed, &placed.points, &[&placed.points, &other]);
        assert_eq!(curve.points, [(10.0, 2.0), (20.0, 3.0)]);
    }
}
