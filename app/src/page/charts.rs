//! The charts of all runs that are looked at, and the toolbar that they share.

use std::collections::BTreeSet;

use kiln_model::event::State;
use leptos::prelude::*;

use super::chart::Chart;
use crate::page::parts::later::Later;
use crate::page::state::trainer::{Phase, Trainer};
use kiln_run::protocol::RunId;
use kiln_run::series::{Axis, Subject};

/// How strongly training curves are smoothed at first.
const SMOOTHING: f64 = 0.6;

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
    fn set_axis(self, axis: Axis) {
        self.axis.set(axis);
        self.zoom.set(None);
        self.hovered.set(None);
    }

    /// As charts are looked at first.
    pub fn new() -> Self {
        Self {
            axis: RwSignal::new(Axis::default()),
            smoothing: RwSignal::new(SMOOTHING),
            is_log: RwSignal::new(false),
            zoom: RwSignal::new(None),
            hovered: RwSignal::new(None),
            focused: RwSignal::new(None),
        }
    }
}

/// Toolbar and charts of these runs.
#[component]
pub fn Charts(
    trainer: Trainer,
    #[prop(into)] runs: Signal<BTreeSet<RunId>>,
    view: View,
) -> AnyView {
    let is_live = move || trainer.phase() == Phase::Session(State::Running);
    let charts =
        Subject::ALL.map(|subject| view! { <Later><Chart trainer runs subject view /></Later> });
    view! {
        <Toolbar trainer runs view />
        <div class="charts" class:live=is_live>{charts}</div>
    }
    .into_any()
}

#[component]
fn Toolbar(trainer: Trainer, runs: Signal<BTreeSet<RunId>>, view: View) -> AnyView {
    let axes = Axis::ALL.map(|axis| {
        let label = axis.label();
        view! { <option value=label selected=move || view.axis.get() == axis>{label}</option> }
    });
    let choose_axis = move |event| {
        let label = event_target_value(&event);
        if let Some(axis) = Axis::ALL.into_iter().find(|axis| axis.label() == label) {
            view.set_axis(axis);
        }
    };
    let smooth = move |event| {
        if let Ok(smoothing) = event_target_value(&event).parse() {
            view.smoothing.set(smoothing);
        }
    };
    let differ = Memo::new(move |_| {
        let shown = runs.get();
        view.axis.get() == Axis::Step
            && trainer.library.records.with(|records| {
                let mut sizes = records
                    .iter()
                    .filter(|record| {
                        shown.contains(&record.identity.id) && record.summary.steps > 0
                    })
                    .map(|record| record.config.batch_size);
                let first = sizes.next();
                sizes.any(|size| Some(size) != first)
            })
    });
    view! {
        <div class="toolbar" role="group" aria-label="Charts">
            <label>
                "X axis"
                <select aria-label="X axis" on:change=choose_axis>{axes}</select>
            </label>
            <label>
                "Smoothing"
                <input
                    type="range"
                    aria-label="Smoothing"
                    min="0"
                    max="0.99"
                    step="0.01"
                    prop:value=move || view.smoothing.get()
                    style=("--filled", move || format!("{}%", 100.0 * view.smoothing.get() / 0.99))
                    on:input=smooth
                />
                <output>{move || format!("{:.2}", view.smoothing.get())}</output>
            </label>
            <label>
                <input
                    type="checkbox"
                    aria-label="Log scale"
                    prop:checked=view.is_log
                    on:change=move |event| view.is_log.set(event_target_checked(&event))
                />
                "Log scale"
            </label>
            {move || {
                view.zoom
                    .get()
                    .map(|_| {
                        view! {
                            <button class="quiet" on:click=move |_| view.zoom.set(None)>
                                "Reset zoom"
                            </button>
                        }
                    })
            }}
            {move || {
                differ
                    .get()
                    .then(|| {
                        view! {
                            <p class="hint">
                                "Steps differ in size: use "
                                <button class="link" on:click=move |_| view.set_axis(Axis::Images)>
                                    "Images seen"
                                </button>
                            </p>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}
