//! What a chart shows of each run, made once for each change of it.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use kiln_model::history::{History, Measured};
use leptos::prelude::*;

use crate::page::parts::view::View;
use crate::page::state::trainer::Trainer;
use kiln_run::figure::reading::Reading;
use kiln_run::figure::{Frame, Strand};
use kiln_run::levels::Levels;
use kiln_run::protocol::RunId;
use kiln_run::run::Identity;
use kiln_run::series::{Axis, Curve, EXACT, Kind, Subject};

/// The runs in the chart.
#[derive(Clone, Default)]
pub(super) struct Sights {
    all: Vec<Sight>,
    /// Whether a line goes on further than it was made yet.
    pub(super) is_behind: bool,
}

impl Deref for Sights {
    type Target = [Sight];

    fn deref(&self) -> &[Sight] {
        &self.all
    }
}

/// One run in the chart.
#[derive(Clone)]
pub(super) struct Sight {
    pub(super) id: RunId,
    pub(super) is_live: bool,
    pub(super) strand: Arc<Strand>,
}

/// What a strand was made from: another history, axis, smoothing, name or colour makes another, and
/// of a long history another part in sight.
#[derive(PartialEq)]
struct Source {
    history: (usize, usize),
    view: (Axis, u64, Option<(u64, u64)>),
    label: (String, &'static str),
}

/// A strand that was made, with the levels that the next one is made from.
pub(super) struct Made {
    source: Source,
    strand: Arc<Strand>,
    levels: Levels,
}

pub(super) type Cache = HashMap<RunId, Made>;

/// These runs, each made into lines once.
pub(super) fn sights(
    trainer: Trainer,
    shown: &BTreeSet<RunId>,
    subject: Subject,
    view: View,
    cache: &mut Cache,
) -> Sights {
    let (axis, smoothing, zoom) = (view.axis.get(), view.smoothing.get(), view.zoom.get());
    let mut is_behind = false;
    let mut strand = |identity: &Identity, history: &History, at: usize| {
        let sight = zoom.filter(|_| history.steps.len() > EXACT);
        let bits = |(from, to): (f64, f64)| (from.to_bits(), to.to_bits());
        let source = Source {
            history: (at, history.len()),
            view: (axis, smoothing.to_bits(), sight.map(bits)),
            label: (identity.name.clone(), identity.css_colour()),
        };
        let before = cache.remove(&identity.id);
        let is_whole = |made: &&Made| made.source == source && !made.levels.is_behind();
        if let Some(made) = before.as_ref().filter(is_whole) {
            let strand = Arc::clone(&made.strand);
            cache.extend(before.map(|made| (identity.id, made)));
            return strand;
        }
        // What was only added to keeps its levels.
        let grew = before
            .filter(|made| made.source.history.0 == at && made.source.history.1 <= history.len());
        let mut levels = grew.map(|made| made.levels).unwrap_or_default();
        let mut made = Strand {
            name: identity.name.clone(),
            colour: identity.css_colour(),
            ends: subject.ends(history, identity, axis),
            first_epoch: axis.first_epoch(history, identity),
            curves: subject.curves(history, identity, axis, smoothing, sight, &mut levels),
            changes: changes(identity, history, axis),
        };
        is_behind |= levels.is_behind();
        if !levels.is_behind() {
            break_off(&mut made, subject, history, axis, identity);
        }
        let strand = Arc::new(made);
        let made = Made {
            source,
            strand: Arc::clone(&strand),
            levels,
        };
        cache.insert(identity.id, made);
        strand
    };
    let latest = trainer.run.with(|run| {
        let run = run
            .as_ref()
            .filter(|run| shown.contains(&run.identity.id))?;
        Some(Sight {
            id: run.identity.id,
            is_live: run.status().is_open(),
            strand: strand(&run.identity, run.history(), run.generation() as usize),
        })
    });
    let latest_id = latest.as_ref().map(|latest| latest.id);
    let mut sights: Vec<Sight> = trainer.library.records.with(|records| {
        trainer.library.histories.with(|histories| {
            records
                .iter()
                .map(|record| &record.identity)
                .filter(|identity| shown.contains(&identity.id) && Some(identity.id) != latest_id)
                .filter_map(|identity| {
                    let history = histories.get(&identity.id)?;
                    let at = Arc::as_ptr(history) as usize;
                    Some(Sight {
                        id: identity.id,
                        is_live: false,
                        strand: strand(identity, history, at),
                    })
                })
                .collect()
        })
    });
    sights.extend(latest);
    Sights {
        all: sights,
        is_behind,
    }
}

/// What is drawn of each.
pub(super) fn strands(sights: &[Sight]) -> impl Iterator<Item = &Strand> + Clone {
    sights.iter().map(|sight| &*sight.strand)
}

/// Whether there is more to draw than can be drawn with everything else.
pub(super) fn are_long(sights: &[Sight]) -> bool {
    let curves = sights.iter().flat_map(|sight| &sight.strand.curves);
    curves.map(|curve| curve.points.len()).sum::<usize>() > EXACT
}

/// Ends a run's training curve in the step whose figure is no number, if it is this chart's.
fn break_off(
    strand: &mut Strand,
    subject: Subject,
    history: &History,
    axis: Axis,
    identity: &Identity,
) {
    let Some(Measured { moment, value }) = &history.diverged else {
        return;
    };
    let figure = match subject {
        Subject::Loss => value.quality.loss,
        Subject::GradientNorm => value.gradient_norm,
        Subject::Accuracy | Subject::Throughput | Subject::LearningRate => return,
    };
    let training = |curve: &&mut Curve| curve.kind == Kind::Training;
    if !figure.is_finite()
        && let Some(x) = axis.place(moment, identity)
        && let Some(curve) = strand.curves.iter_mut().find(training)
    {
        curve.points.push((x, f64::NAN));
    }
}

/// Settings that were changed under way, and where.
fn changes(identity: &Identity, history: &History, axis: Axis) -> Vec<(f64, String)> {
    let changes = history.edits.iter().filter_map(|edit| {
        let place = axis.place(&edit.moment, identity)?;
        Some((place, edit.value.describe()))
    });
    changes.collect()
}

pub(super) fn readings(sights: &[Sight], frame: &Frame, x: f64) -> Vec<Reading> {
    let read = |sight: &Sight| frame.read(sight.id, &sight.strand, x);
    sights.iter().flat_map(read).collect()
}
