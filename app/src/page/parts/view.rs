//! How charts are looked at: one way for all of them.

use leptos::prelude::*;

use kiln_run::protocol::RunId;
use kiln_run::series::Axis;
use kiln_run::sight::{Beginning, Sight};

/// How all charts are looked at; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct View {
    /// What the x axis counts.
    pub axis: RwSignal<Axis>,
    /// Where the x axis begins.
    pub from: RwSignal<Beginning>,
    /// How strongly training curves are smoothed, 0 to 0.99.
    pub smoothing: RwSignal<f64>,
    /// Whether values grow by factors.
    pub is_log: RwSignal<bool>,
    /// Whether the few values that lie far from all others are cut off.
    pub cuts_outliers: RwSignal<bool>,
    /// Whether runs that differ in nothing but their seed are shown as one.
    pub groups_seeds: RwSignal<bool>,
    /// The part of the x axis in sight; nothing for all of it.
    pub zoom: RwSignal<Option<(f64, f64)>>,
    /// The x under the pointer in any chart.
    pub hovered: RwSignal<Option<f64>>,
    /// The run that was clicked.
    pub focused: RwSignal<Option<RunId>>,
}

impl View {
    /// Counts something else along the x axis; what was zoomed into is another part of it.
    pub fn set_axis(self, axis: Axis) {
        self.axis.set(axis);
        self.zoom.set(None);
        self.hovered.set(None);
    }

    /// As charts are looked at first.
    pub fn new() -> Self {
        let Sight {
            axis,
            from,
            smoothing,
            is_log,
            cuts_outliers,
            groups_seeds,
        } = Sight::default();
        Self {
            axis: RwSignal::new(axis),
            from: RwSignal::new(from),
            smoothing: RwSignal::new(smoothing),
            is_log: RwSignal::new(is_log),
            cuts_outliers: RwSignal::new(cuts_outliers),
            groups_seeds: RwSignal::new(groups_seeds),
            zoom: RwSignal::new(None),
            hovered: RwSignal::new(None),
            focused: RwSignal::new(None),
        }
    }

    /// What of it is the same for whoever has the address.
    pub fn sight(self) -> Sight {
        Sight {
            axis: self.axis.get(),
            from: self.from.get(),
            smoothing: self.smoothing.get(),
            is_log: self.is_log.get(),
            cuts_outliers: self.cuts_outliers.get(),
            groups_seeds: self.groups_seeds.get(),
        }
    }

    /// Looks at charts this way; all of the x axis is in sight.
    pub fn set_sight(self, sight: Sight) {
        let Sight {
            axis,
            from,
            smoothing,
            is_log,
            cuts_outliers,
            groups_seeds,
        } = sight;
        self.set_axis(axis);
        self.from.set(from);
        self.smoothing.set(smoothing);
        self.is_log.set(is_log);
        self.cuts_outliers.set(cuts_outliers);
        self.groups_seeds.set(groups_seeds);
    }
}
