//! What each layer of a network makes of the image.

use kiln_model::spec::{CONV1_CHANNELS, CONV2_CHANNELS, IMAGE_SIDE};
use leptos::prelude::*;
use web_sys::HtmlCanvasElement;

use super::asker::Asker;
use super::canvas::{CanvasError, context, enlarge};
use super::networks::Network;
use crate::mosaic::{COLUMNS, Mosaic};
use kiln_run::format;
use kiln_run::protocol::{Answer, RunId};

/// The layers in the order in which an image passes them, and how many maps each makes.
const LAYERS: [(&str, usize); 4] = [
    ("First convolution", CONV1_CHANNELS),
    ("First pooling", CONV1_CHANNELS),
    ("Second convolution", CONV2_CHANNELS),
    ("Second pooling", CONV2_CHANNELS),
];
/// Pixels of a canvas for each map, at most: twice what is shown, so that it is sharp on any
/// screen.
const MAP_PX: usize = 80;

/// The maps of one network for the image on the pad; `looks` is the run whose network it is.
#[component]
pub fn Layers(
    networks: Memo<Vec<Network>>,
    looks: Memo<Option<RunId>>,
    picked: RwSignal<Option<RunId>>,
    asker: Asker,
) -> AnyView {
    let mosaics = Memo::new(move |_| {
        asker.answered.with(|answered| {
            let Ok(Answer::Maps(layers)) = &answered.as_ref()?.answer else {
                return None;
            };
            layers.iter().map(Mosaic::new).collect::<Option<Vec<_>>>()
        })
    });
    let several = Memo::new(move |_| {
        networks.with(|networks| {
            let able = networks.iter().filter(|network| network.taken().is_some());
            let able: Vec<(RunId, String)> = able
                .map(|network| (network.id, network.name.clone()))
                .collect();
            (able.len() > 1).then_some(able)
        })
    });
    let pick = move || {
        several.get().map(|able| {
            let options = able
                .iter()
                .map(|(id, name)| {
                    let id = *id;
                    view! {
                        <option value=id.0.to_string() selected=move || looks.get() == Some(id)>
                            {name.clone()}
                        </option>
                    }
                })
                .collect_view();
            view! {
                <label>
                    "Of"
                    <select
                        aria-label="Layers of"
                        on:change=move |event| {
                            picked.set(event_target_value(&event).parse().ok().map(RunId));
                        }
                    >
                        {options}
                    </select>
                </label>
            }
        })
    };
    let layers = LAYERS
        .into_iter()
        .enumerate()
        .map(|(index, (name, count))| {
            let mosaic =
                Memo::new(move |_| mosaics.with(|mosaics| mosaics.as_ref()?.get(index).cloned()));
            view! { <Layer name count mosaic /> }
        })
        .collect_view();
    view! {
        <section class="layers" aria-label="Layers">
            <div class="toolbar">
                <h2>"Layers"</h2>
                {pick}
                <p>
                    {format!(
                        "What each layer makes of the {IMAGE_SIDE} × {IMAGE_SIDE} image: the stronger \
                         the colour, the larger the value, up to the largest of its layer.",
                    )}
                </p>
            </div>
            <div class="mosaics">{layers}</div>
        </section>
    }
    .into_any()
}

#[component]
fn Layer(name: &'static str, count: usize, mosaic: Memo<Option<Mosaic>>) -> AnyView {
    let canvas = NodeRef::<leptos::html::Canvas>::new();
    Effect::new(move |_| {
        if let Some(canvas) = canvas.get() {
            // A browser without canvases has said so at the pad.
            drop(mosaic.with(|mosaic| paint(&canvas, mosaic.as_ref())));
        }
    });
    let shape = move || {
        mosaic.with(|mosaic| {
            let mosaic = mosaic.as_ref()?;
            Some(format!(
                "{} maps of {} × {}",
                mosaic.count, mosaic.side, mosaic.side
            ))
        })
    };
    let figures = move || {
        mosaic.with(|mosaic| {
            let mosaic = mosaic.as_ref()?;
            let largest = format::significant(mosaic.largest.into());
            Some(match mosaic.largest_in {
                Some(index) => format!(
                    "{} active, largest value {largest} in map {}",
                    mosaic.active,
                    index + 1
                ),
                None => "none active".to_owned(),
            })
        })
    };
    let summary = move || match (shape(), figures()) {
        (Some(shape), Some(figures)) => format!("{name}: {shape}, {figures}"),
        _ => format!("{name}: nothing yet"),
    };
    // Its room is kept before the first answer.
    let rows = format!("--rows:{}", count.div_ceil(COLUMNS));
    view! {
        <figure>
            <figcaption><strong>{name}</strong>{move || shape().map(|shape| format!(" · {shape}"))}</figcaption>
            <div class="mosaic" prop:style=rows>
                <canvas node_ref=canvas role="img" aria-label=summary></canvas>
            </div>
            <p class="muted">{move || figures().unwrap_or_else(|| "Nothing yet".to_owned())}</p>
        </figure>
    }
    .into_any()
}

fn paint(canvas: &HtmlCanvasElement, mosaic: Option<&Mosaic>) -> Result<(), CanvasError> {
    let Some(mosaic) = mosaic else {
        let (width, height) = (canvas.width().into(), canvas.height().into());
        context(canvas)?.clear_rect(0.0, 0.0, width, height);
        return Ok(());
    };
    let size = mosaic.size();
    let scale = (MAP_PX / mosaic.side).max(1);
    // A new size blanks it too.
    canvas.set_width((size.0 * scale) as u32);
    canvas.set_height((size.1 * scale) as u32);
    enlarge(&context(canvas)?, &mosaic.pixels, size, scale)
}
