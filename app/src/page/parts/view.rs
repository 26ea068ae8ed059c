//! How charts are looked at: one way for all of them.

use leptos::prelude::*;

use kiln_run::protocol::RunId;
use kiln_run::series::Axis;
use kiln_run::share::Sight;

/// How all charts are looked at; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct View {
    /// What the x axis counts.
    pub axis: RwSignal<Axis>,
    /// How strongly training curves are smoothed, 0 to 0.99.
    pub smoothing: RwSignal<f64>,
    /// Whether values grow by factors.
    pub is_log: RwSignal<bool>,
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
            smoothing,
            is_log,
        } = Sight::default();
        Self {
            axis: RwSignal::new(axis),
            smoothing: RwSignal::new(smoothing),
            is_log: RwSignal::new(is_log),
            zoom: RwSignal::new(None),
            hovered: RwSignal::new(None),
            focused: RwSignal::new(None),
        }
    }
}
