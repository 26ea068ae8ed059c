//! The charts of all runs that are looked at, and the toolbar that they share.

use std::collections::BTreeSet;

use kiln_model::event::State;
use leptos::prelude::*;

use crate::keymap::Control;
use crate::page::parts::chart::Chart;
use crate::page::parts::later::Later;
use crate::page::parts::view::View;
use crate::page::state::trainer::{Phase, Trainer};
use kiln_run::groups::groups;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::series::{Axis, Subject};
use kiln_run::sight::Beginning;

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
    let beginnings = Beginning::ALL.map(|from| {
        let label = from.label();
        view! { <option value=label selected=move || view.from.get() == from>{label}</option> }
    });
    let choose_beginning = move |event| {
        let label = event_target_value(&event);
        if let Some(from) = Beginning::ALL
            .into_iter()
            .find(|from| from.label() == label)
        {
            view.from.set(from);
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
    let has_seeds = Memo::new(move |_| {
        let shown = runs.get();
        trainer.library.records.with(|records| {
            let is_shown = |record: &&Record| shown.contains(&record.identity.id);
            !groups(records.iter().filter(is_shown)).is_empty()
        })
    });
    view! {
        <div class="toolbar" role="group" aria-label="Charts">
            <label>
                "X axis"
                <select aria-label="X axis" on:change=choose_axis>{axes}</select>
            </label>
            <label>
                "From"
                <select aria-label="From" on:change=choose_beginning>{beginnings}</select>
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
            <Switch label="Log scale" is_on=view.is_log control=Control::LogScale />
            <Switch label="Cut outliers" is_on=view.cuts_outliers />
            {move || {
                has_seeds
                    .get()
                    .then(|| view! { <Switch label="Group seeds" is_on=view.groups_seeds /> })
            }}
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

/// A way to look at charts that is on or off.
#[component]
fn Switch(
    label: &'static str,
    is_on: RwSignal<bool>,
    /// What a key finds it by.
    #[prop(optional)]
    control: Option<Control>,
) -> AnyView {
    view! {
        <label>
            <input
                type="checkbox"
                aria-label=label
                data-control=control.map(Control::name)
                prop:checked=is_on
                on:change=move |event| is_on.set(event_target_checked(&event))
            />
            {label}
        </label>
    }
    .into_any()
}
