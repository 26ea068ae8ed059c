//! What a chart shows of each run, made once for each change of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kiln_model::event::Trained;
use kiln_model::history::History;
use leptos::prelude::*;

use crate::page::parts::view::View;
use crate::page::state::trainer::Trainer;
use kiln_run::figure::reading::Reading;
use kiln_run::figure::{Frame, Strand};
use kiln_run::protocol::RunId;
use kiln_run::run::Identity;
use kiln_run::series::{Axis, Curve, Kind, Subject};

/// One run in the chart.
#[derive(Clone)]
pub(super) struct Sight {
    pub(super) id: RunId,
    pub(super) is_live: bool,
    pub(super) strand: Arc<Strand>,
}

/// What a strand was made from: another history, axis, smoothing, name or colour makes another.
#[derive(PartialEq)]
pub(super) struct Source {
    history: (usize, usize),
    view: (Axis, u64),
    label: (String, &'static str),
}

pub(super) type Cache = HashMap<RunId, (Source, Arc<Strand>)>;

/// These runs, each made into lines once.
pub(super) fn sights(
    trainer: Trainer,
    shown: &BTreeSet<RunId>,
    subject: Subject,
    view: View,
    cache: &mut Cache,
) -> Vec<Sight> {
    let (axis, smoothing) = (view.axis.get(), view.smoothing.get());
    let mut strand = |identity: &Identity, history: &History, at: usize| {
        let source = Source {
            history: (at, history.len()),
            view: (axis, smoothing.to_bits()),
            label: (identity.name.clone(), identity.css_colour()),
        };
        match cache.get(&identity.id) {
            Some((before, strand)) if *before == source => Arc::clone(strand),
            _ => {
                let strand = Arc::new(strand_of(identity, history, subject, axis, smoothing));
                cache.insert(identity.id, (source, Arc::clone(&strand)));
                strand
            }
        }
    };
    let latest = trainer.run.with(|run| {
        let run = run
            .as_ref()
            .filter(|run| shown.contains(&run.identity.id))?;
        Some(Sight {
            id: run.identity.id,
            is_live: run.status().is_open(),
            strand: strand(&run.identity, run.history(), 0),
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
    sights
}

/// Ends a run's training curve in the step whose figure is no number, if it is this chart's.
pub(super) fn break_off(strand: &mut Strand, subject: Subject, x: f64, diverged: &Trained) {
    let figure = match subject {
        Subject::Loss => diverged.quality.loss,
        Subject::GradientNorm => diverged.gradient_norm,
        Subject::Accuracy | Subject::Throughput | Subject::LearningRate => return,
    };
    let training = |curve: &&mut Curve| curve.kind == Kind::Training;
    if !figure.is_finite()
        && let Some(curve) = strand.curves.iter_mut().find(training)
    {
        curve.points.push((x, f64::NAN));
    }
}

pub(super) fn strand_of(
    identity: &Identity,
    history: &History,
    subject: Subject,
    axis: Axis,
    smoothing: f64,
) -> Strand {
    let changes = history.edits.iter().filter_map(|edit| {
        let place = axis.place(&edit.moment, identity)?;
        Some((place, edit.value.describe()))
    });
    let mut strand = Strand {
        name: identity.name.clone(),
        colour: identity.css_colour(),
        curves: subject.curves(history, identity, axis, smoothing),
        changes: changes.collect(),
    };
    if let Some(diverged) = &history.diverged
        && let Some(x) = axis.place(&diverged.moment, identity)
    {
        break_off(&mut strand, subject, x, &diverged.value);
    }
    strand
}

pub(super) fn readings(sights: &[Sight], frame: &Frame, x: f64) -> Vec<Reading> {
    let read = |sight: &Sight| frame.read(sight.id, &sight.strand, x);
    sights.iter().flat_map(read).collect()
}
