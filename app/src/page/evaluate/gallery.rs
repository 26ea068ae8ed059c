//! Images of a split, each with what it was taken for.

use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast as _};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use crate::page::state::trainer::Trainer;
use kiln_run::classes::Classes;
use kiln_run::format;
use kiln_run::protocol::{Answer, Question};

/// Images drawn at once.
const AT_ONCE: usize = 100;
/// Said where a run was trained on other data than is loaded.
pub const OTHER_DATA: &str =
    "This run was trained on other data than is loaded. Choose its data under Data.";
/// Rows and columns of an image.
const SIDE: u32 = 28;

/// One image, and what the network said to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// Its place in the split.
    pub index: usize,
    /// What it is.
    pub label: u8,
    /// What it was taken for.
    pub answer: u8,
    /// How sure the network was of that, 0 to 1.
    pub confidence: f32,
}

impl Item {
    /// What was said to an image, if there is one of that place.
    pub fn of(predictions: &Predictions, index: usize) -> Option<Self> {
        let prediction = predictions.get(index)?;
        Some(Self {
            index,
            label: prediction.label,
            answer: prediction.answer,
            confidence: prediction.confidence(),
        })
    }

    fn is_wrong(&self) -> bool {
        self.label != self.answer
    }
}

/// Images to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// The settings of the run, which say what the split is.
    pub config: Config,
    /// The split.
    pub part: Part,
    /// What its classes are called.
    pub classes: Classes,
    /// The images.
    pub items: Vec<Item>,
}

/// The images, as many as there are; the pictures of a long list come as they are asked for.
#[component]
pub fn Gallery(trainer: Trainer, images: Signal<Images>) -> AnyView {
    let drawn = RwSignal::new(AT_ONCE);
    Effect::new(move |_| {
        images.with(|_| ());
        drawn.set(AT_ONCE);
    });
    let count = Memo::new(move |_| images.with(|images| images.items.len()));
    let rows = move || {
        images.with(|images| {
            images
                .items
                .chunks(AT_ONCE)
                .enumerate()
                .map(|(place, items)| {
                    let batch = Images {
                        items: items.to_vec(),
                        ..images.clone()
                    };
                    let is_drawn = Memo::new(move |_| drawn.get() > place * AT_ONCE);
                    move || {
                        let images = batch.clone();
                        is_drawn.get().then(|| view! { <Batch trainer images /> })
                    }
                })
                .collect_view()
        })
    };
    let more = move || {
        let left = count.get().saturating_sub(drawn.get());
        (left > 0).then(|| {
            view! {
                <p class="more">
                    <button on:click=move |_| drawn.update(|drawn| *drawn += AT_ONCE)>
                        "Show more"
                    </button>
                    <span class="hint">{format!("{} left", format::count(left as u64))}</span>
                </p>
            }
        })
    };
    view! {
        <div class="gallery" tabindex="0" role="group" aria-label="Images">{rows}</div>
        {more}
    }
    .into_any()
}

#[component]
fn Batch(trainer: Trainer, images: Images) -> AnyView {
    let pixels = RwSignal::new(None::<Result<Vec<u8>, String>>);
    let (items, names) = (images.items.clone(), images.classes.clone());
    let attempt = RwSignal::new(0);
    Effect::new(move |_| {
        attempt.track();
        pixels.set(None);
        let question = Question::Pictures {
            config: images.config,
            part: images.part,
            indices: images.items.iter().map(|item| item.index as u32).collect(),
        };
        let labels: Vec<u8> = images.items.iter().map(|item| item.label).collect();
        wasm_bindgen_futures::spawn_local(async move {
            let answer = trainer.examiner.ask(question).await;
            // Whoever asked may have left meanwhile.
            pixels.try_set(Some(match answer {
                // The digits tell a run's own data from any other.
                Ok(Answer::Pictures(pictures)) if pictures.labels == labels => Ok(pictures.pixels),
                Ok(_) => Err(OTHER_DATA.to_owned()),
                Err(reason) => Err(reason),
            }));
        });
    });
    let problem = move || {
        let reason = pixels.with(|pixels| match pixels {
            Some(Err(reason)) => Some(reason.clone()),
            _ => None,
        })?;
        Some(view! {
            <p class="error">
                {reason} " "
                <button class="link" on:click=move |_| attempt.update(|attempt| *attempt += 1)>
                    "Try again"
                </button>
            </p>
        })
    };
    let figures = items
        .into_iter()
        .enumerate()
        .map(|(place, item)| {
            let canvas = NodeRef::<leptos::html::Canvas>::new();
            Effect::new(move |_| {
                if let Some(canvas) = canvas.get() {
                    pixels.with(|pixels| {
                        if let Some(Ok(pixels)) = pixels {
                            draw(&canvas, pixels, place);
                        }
                    });
                }
            });
            view! { <Figure canvas item names=&names /> }
        })
        .collect_view();
    view! {
        {problem}
        {figures}
    }
    .into_any()
}

#[component]
fn Figure<'a>(canvas: NodeRef<leptos::html::Canvas>, item: Item, names: &'a Classes) -> AnyView {
    let [label, answer] = [item.label, item.answer].map(usize::from);
    let taken = format!("{}→{}", names.name(label), names.name(answer));
    let corner = item
        .is_wrong()
        .then(|| view! { <span class="taken" aria-hidden="true">{taken}</span> });
    let name = if item.is_wrong() {
        format!("{} taken for {}", names.one(label), names.name(answer))
    } else {
        names.one(label)
    };
    view! {
        <figure>
            <canvas
                node_ref=canvas
                width=SIDE
                height=SIDE
                role="img"
                aria-label=format!("Image {}: {name}", item.index)
            ></canvas>
            {corner}
            <figcaption>
                {format!("{:.3}", item.confidence)} <span>{format!("#{}", item.index)}</span>
            </figcaption>
        </figure>
    }
    .into_any()
}

/// Draws the image at a place among the pixels of many: black ink, as strong as its pixels are.
fn draw(canvas: &HtmlCanvasElement, pixels: &[u8], place: usize) {
    let size = (SIDE * SIDE) as usize;
    let Some(image) = pixels.get(place * size..(place + 1) * size) else {
        return;
    };
    let inked: Vec<u8> = image.iter().flat_map(|pixel| [0, 0, 0, *pixel]).collect();
    let context = canvas.get_context("2d").ok().flatten();
    let context: Option<CanvasRenderingContext2d> =
        context.and_then(|context| context.dyn_into().ok());
    if let (Some(context), Ok(data)) = (
        context,
        ImageData::new_with_u8_clamped_array(Clamped(&inked), SIDE),
    ) {
        // A canvas of this page takes any picture of its size.
        drop(context.put_image_data(&data, 0.0, 0.0));
    }
}
