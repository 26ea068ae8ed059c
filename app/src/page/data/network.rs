//! The network as it is trained: its layers, and what its first layer looks for.

use kiln_model::spec::{CONV1_CHANNELS, CONV1_WEIGHT, KERNEL_SIDE, LAYERS, PARAMETER_COUNT};
use leptos::prelude::*;

use crate::page::state::trainer::Trainer;
use kiln_run::format;
use kiln_run::run::Weights;

/// Layers with their shapes and parameters, and the filters of the shown run.
#[component]
pub fn Network(trainer: Trainer) -> AnyView {
    let rows = LAYERS
        .map(|layer| {
            let sides = layer.output.iter();
            let output: Vec<String> = sides.map(|side| format::count(*side as u64)).collect();
            let parameters = match layer.parameter_count() {
                0 => format::NOTHING.to_owned(),
                count => format::count(count as u64),
            };
            view! {
                <tr>
                    <th scope="row">{layer.name}</th>
                    <td class="number">{output.join(" × ")}</td>
                    <td class="number">{parameters}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="panel network" aria-labelledby="network">
            <h2 id="network">"The network"</h2>
            <table>
                <caption class="hidden">"Layers of the network"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Layer"</th>
                        <th scope="col" class="number">"Output"</th>
                        <th scope="col" class="number">"Parameters"</th>
                    </tr>
                </thead>
                <tbody>
                    {rows}
                    <tr class="total">
                        <th scope="row">"All"</th>
                        <td></td>
                        <td class="number">{format::count(PARAMETER_COUNT as u64)}</td>
                    </tr>
                </tbody>
            </table>
            <div class="seen"><Filters trainer /></div>
        </section>
    }
    .into_any()
}

/// The kernels of the first layer at the last checkpoint of the shown run.
#[component]
fn Filters(trainer: Trainer) -> AnyView {
    let shown = Memo::new(move |_| {
        trainer.kept.track();
        trainer.run.with(|run| {
            let run = run.as_ref()?;
            let step = run.weights_step(Weights::Last)?;
            Some((run.identity.id, run.identity.name.clone(), step))
        })
    });
    let text = move || match shown.get() {
        Some((_, name, step)) => format!(
            "Filters of the first layer in {name} after step {}. Ember adds, ink takes away.",
            format::count(step.into())
        ),
        None => "The filters of the first layer will be here once a run has trained an epoch."
            .to_owned(),
    };
    // Weights that cannot be read are told where they are asked: here there is nothing to draw.
    let filters = move || {
        shown.track();
        trainer.run.with_untracked(|run| {
            let weights = run.as_ref()?.weights(Weights::Last).ok()??;
            let filters = weights.get(CONV1_WEIGHT.range())?;
            let most = filters.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
            let squares = KERNEL_SIDE * KERNEL_SIDE;
            let pictures = filters
                .chunks(squares)
                .map(|filter| filter_picture(filter, most))
                .collect_view();
            Some(view! {
                <div
                    class="filters"
                    role="img"
                    aria-label=format!("{CONV1_CHANNELS} filters of {KERNEL_SIDE} × {KERNEL_SIDE} weights")
                >
                    {pictures}
                </div>
            })
        })
    };
    view! {
        <p class="hint">{text}</p>
        {filters}
    }
    .into_any()
}

/// One filter; the strongest weight of all is the darkest.
fn filter_picture(filter: &[f32], most: f32) -> impl IntoView + use<> {
    let squares = filter.iter().enumerate().map(|(index, weight)| {
        let strength = (weight.abs() / most.max(f32::MIN_POSITIVE)).min(1.0);
        let class = if *weight < 0.0 { "takes" } else { "adds" };
        view! {
            <rect
                class=class
                x=index % KERNEL_SIDE
                y=index / KERNEL_SIDE
                width="1"
                height="1"
                fill-opacity=format!("{strength:.3}")
            ></rect>
        }
    });
    let squares = squares.collect_view();
    view! { <svg viewBox=format!("0 0 {KERNEL_SIDE} {KERNEL_SIDE}") aria-hidden="true">{squares}</svg> }
}
