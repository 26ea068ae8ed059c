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
use kiln_run::groups::{Group, Member, groups, strand};
use kiln_run::levels::Levels;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
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

/// What is one in the chart: a run, or runs that differ in nothing but their seed.
#[derive(Clone)]
pub(super) struct Sight {
    /// The run that gives it its colour comes first.
    pub(super) ids: Vec<RunId>,
    pub(super) is_live: bool,
    pub(super) strand: Arc<Strand>,
}

impl Sight {
    /// Whether this run is in it.
    pub(super) fn has(&self, id: Option<RunId>) -> bool {
        id.is_some_and(|id| self.ids.contains(&id))
    }

    /// Whether it is several runs.
    pub(super) const fn is_group(&self) -> bool {
        self.ids.len() > 1
    }
}

/// What a run was made into lines from: another history, axis, smoothing, name or colour makes others,
/// and of a long history another part in sight.
#[derive(PartialEq)]
struct Source {
    history: (usize, usize),
    view: (Axis, u64, Option<(u64, u64)>),
    label: (String, &'static str),
    is_grouped: bool,
}

/// A run that was made into lines, with the levels that the next ones are made from.
struct Made {
    source: Source,
    member: Arc<Member>,
    levels: Levels,
}

/// Runs that were made into one, with what they were made from.
struct Joined {
    members: Vec<Arc<Member>>,
    strand: Arc<Strand>,
}

/// What was made already.
#[derive(Default)]
pub(super) struct Cache {
    runs: HashMap<RunId, Made>,
    /// By their first runs.
    groups: HashMap<RunId, Joined>,
}

/// A run that is looked at.
struct Seen<'a> {
    identity: &'a Identity,
    history: &'a History,
    /// Tells the history from any other.
    at: usize,
    is_live: bool,
}

/// These runs, each made into lines once.
pub(super) fn sights(
    trainer: Trainer,
    shown: &BTreeSet<RunId>,
    subject: Subject,
    view: View,
    cache: &mut Cache,
) -> Sights {
    trainer.library.records.with(|records| {
        trainer.library.histories.with(|histories| {
            trainer.run.with(|run| {
                let latest = run.as_ref().filter(|run| shown.contains(&run.identity.id));
                let latest = latest.map(|run| Seen {
                    identity: &run.identity,
                    history: run.history(),
                    at: run.generation() as usize,
                    is_live: run.status().is_open(),
                });
                let latest_id = latest.as_ref().map(|latest| latest.identity.id);
                let kept = records
                    .iter()
                    .map(|record| &record.identity)
                    .filter(|identity| shown.contains(&identity.id))
                    .filter(|identity| Some(identity.id) != latest_id)
                    .filter_map(|identity| {
                        let history = histories.get(&identity.id)?;
                        Some(Seen {
                            identity,
                            history,
                            at: Arc::as_ptr(history) as usize,
                            is_live: false,
                        })
                    });
                let seen: Vec<Seen> = kept.chain(latest).collect();
                let groups = if view.groups_seeds.get() {
                    let begun = seen.iter().filter(|run| !run.history.steps.is_empty());
                    let begun: BTreeSet<RunId> = begun.map(|run| run.identity.id).collect();
                    let has_begun = |record: &&Record| begun.contains(&record.identity.id);
                    groups(records.iter().filter(has_begun))
                } else {
                    Vec::new()
                };
                drawn(&seen, &groups, subject, view, cache)
            })
        })
    })
}

/// Runs and groups of them, each where its last run is.
fn drawn(
    seen: &[Seen],
    groups: &[Group],
    subject: Subject,
    view: View,
    cache: &mut Cache,
) -> Sights {
    let firsts: Vec<RunId> = groups
        .iter()
        .filter_map(|group| group.ids.first().copied())
        .collect();
    cache.groups.retain(|id, _| firsts.contains(id));
    let mut sights = Sights::default();
    let mut made: HashMap<RunId, (Arc<Member>, bool)> = HashMap::new();
    for run in seen {
        let id = run.identity.id;
        let group = groups.iter().find(|group| group.ids.contains(&id));
        let (member, is_behind) = cache.member(run, subject, view, group.is_some());
        sights.is_behind |= is_behind;
        let Some(group) = group else {
            sights.all.push(Sight {
                ids: vec![id],
                is_live: run.is_live,
                strand: Arc::clone(&member.strand),
            });
            continue;
        };
        made.insert(id, (member, run.is_live));
        let members = group.ids.iter().map(|id| made.get(id).cloned());
        let Some(members) = members.collect::<Option<Vec<_>>>() else {
            continue;
        };
        let is_live = members.iter().any(|(_, is_live)| *is_live);
        let members = members.into_iter().map(|(member, _)| member).collect();
        if let Some(strand) = cache.joined(group, members) {
            sights.all.push(Sight {
                ids: group.ids.clone(),
                is_live,
                strand,
            });
        }
    }
    sights
}

impl Cache {
    /// A run as lines, and whether it goes on further than they do yet.
    fn member(
        &mut self,
        run: &Seen,
        subject: Subject,
        view: View,
        is_grouped: bool,
    ) -> (Arc<Member>, bool) {
        let (axis, smoothing) = (view.axis.get(), view.smoothing.get());
        let Seen {
            identity,
            history,
            at,
            ..
        } = *run;
        let is_cut_out = history.steps.len() > EXACT && !is_grouped;
        let sight = view.zoom.get().filter(|_| is_cut_out);
        let bits = |(from, to): (f64, f64)| (from.to_bits(), to.to_bits());
        let source = Source {
            history: (at, history.len()),
            view: (axis, smoothing.to_bits(), sight.map(bits)),
            label: (identity.name.clone(), identity.css_colour()),
            is_grouped,
        };
        let before = self.runs.remove(&identity.id);
        let is_whole = |made: &&Made| made.source == source && !made.levels.is_behind();
        if let Some(made) = before.as_ref().filter(is_whole) {
            let member = Arc::clone(&made.member);
            self.runs.extend(before.map(|made| (identity.id, made)));
            return (member, false);
        }
        // What was only added to keeps its levels.
        let grew = before
            .filter(|made| made.source.history.0 == at && made.source.history.1 <= history.len());
        let mut levels = grew.map(|made| made.levels).unwrap_or_default();
        let curves = |axis, levels: &mut Levels| {
            if is_grouped {
                subject.means(history, identity, axis, smoothing, levels)
            } else {
                subject.curves(history, identity, axis, smoothing, sight, levels)
            }
        };
        let mut strand = Strand {
            name: identity.name.clone(),
            colour: identity.css_colour(),
            ends: subject.ends(history, identity, axis),
            first_epoch: axis.first_epoch(history, identity),
            curves: curves(axis, &mut levels),
            changes: changes(identity, history, axis),
        };
        let steps = if !is_grouped || levels.is_behind() {
            Vec::new()
        } else if axis == Axis::Step {
            strand.curves.clone()
        } else {
            curves(Axis::Step, &mut levels)
        };
        if !levels.is_behind() && !is_grouped {
            break_off(&mut strand, subject, history, axis, identity);
        }
        let member = Arc::new(Member {
            strand: Arc::new(strand),
            steps,
        });
        let is_behind = levels.is_behind();
        let made = Made {
            source,
            member: Arc::clone(&member),
            levels,
        };
        self.runs.insert(identity.id, made);
        (member, is_behind)
    }

    /// Runs as one, made anew where one of them was.
    fn joined(&mut self, group: &Group, members: Vec<Arc<Member>>) -> Option<Arc<Strand>> {
        let first = *group.ids.first()?;
        let are_same = |joined: &&Joined| {
            joined.members.len() == members.len()
                && joined
                    .members
                    .iter()
                    .zip(&members)
                    .all(|(a, b)| Arc::ptr_eq(a, b))
        };
        if let Some(joined) = self.groups.get(&first).filter(are_same) {
            return Some(Arc::clone(&joined.strand));
        }
        let strand = Arc::new(strand(&members, group.seeds)?);
        let joined = Joined {
            members,
            strand: Arc::clone(&strand),
        };
        self.groups.insert(first, joined);
        Some(strand)
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
    let read = |sight: &Sight| frame.read(sight.ids[0], &sight.strand, x);
    sights.iter().flat_map(read).collect()
}
