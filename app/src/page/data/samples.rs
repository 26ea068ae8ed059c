//! Images, a hundred at a time.

use crate::page::parts::device::waiting;
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::spec::{CLASSES, IMAGE_SIDE, PIXELS};
use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::page::parts::digit::Digit;
use crate::page::state::trainer::Trainer;
use kiln_run::classes::Classes;
use kiln_run::format;
use kiln_run::protocol::{Answer, Pictures, Question};

/// Images of a row of samples.
pub(super) const COLUMNS: usize = 10;

/// Images that are sampled.
pub(super) const SAMPLES: usize = COLUMNS * COLUMNS;

/// One image of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    part: Part,
    index: u32,
    label: u8,
    pixels: Vec<u8>,
}

impl Sample {
    fn name(&self, classes: &Classes) -> String {
        let class = classes.name(self.label.into());
        format!("{class}, image {}", self.index)
    }
}

/// A hundred images drawn at random.
#[component]
pub(super) fn Samples(trainer: Trainer, config: Memo<Option<Config>>) -> AnyView {
    let part = RwSignal::new(Part::Training);
    let class = RwSignal::new(None::<u8>);
    let seed = RwSignal::new(1_u32);
    let enlarged = RwSignal::new(None::<Sample>);
    let answer = LocalResource::new(move || {
        let (config, part, class, seed) = (config.get(), part.get(), class.get(), seed.get());
        async move {
            let question = Question::Sample {
                config: config?,
                part,
                class,
                count: SAMPLES as u32,
                seed,
            };
            Some((part, trainer.examiner.ask(question).await))
        }
    });
    let names = Memo::new(move |_| trainer.sources.used.with(|used| used.classes.clone()));
    let shown = move || match answer.get().flatten() {
        None => waiting(trainer),
        Some((part, Ok(Answer::Pictures(pictures)))) => {
            view! { <Grid samples=samples(part, &pictures) names=names.get() enlarged /> }
                .into_any()
        }
        Some((_, Ok(_))) => ().into_any(),
        Some((_, Err(reason))) => view! { <p class="error" role="alert">{reason}</p> }.into_any(),
    };
    let parts = Part::ALL.map(|part| view! { <option value=part.label()>{part.label()}</option> });
    let classes = (0..CLASSES)
        .map(|class| {
            let name = move || names.with(|names| names.name(class).to_owned());
            view! { <option value=class.to_string()>{name}</option> }
        })
        .collect_view();
    view! {
        <section class="panel" aria-labelledby="samples">
            <header>
                <h2 id="samples">"Samples"</h2>
                <label>
                    "Split"
                    <select on:change=move |event| {
                        let label = event_target_value(&event);
                        if let Some(chosen) = Part::ALL.into_iter().find(|part| part.label() == label) {
                            part.set(chosen);
                        }
                    }>{parts}</select>
                </label>
                <label>
                    "Class"
                    <select on:change=move |event| class.set(event_target_value(&event).parse().ok())>
                        <option value="">"All"</option>
                        {classes}
                    </select>
                </label>
                <button on:click=move |_| seed.update(|seed| *seed = seed.wrapping_add(1))>
                    "Shuffle"
                </button>
            </header>
            <div class="samples">{shown}</div>
        </section>
        <Enlarged sample=enlarged names />
    }
    .into_any()
}

pub(super) fn samples(part: Part, pictures: &Pictures) -> Vec<Sample> {
    let images = pictures.indices.iter().zip(&pictures.labels);
    let images = images.zip(pictures.pixels.chunks(PIXELS));
    images
        .map(|((index, label), pixels)| Sample {
            part,
            index: *index,
            label: *label,
            pixels: pixels.to_vec(),
        })
        .collect()
}

/// Images in rows of ten: one stop of the Tab key, and arrow keys from there.
#[component]
pub(super) fn Grid(
    samples: Vec<Sample>,
    names: Classes,
    enlarged: RwSignal<Option<Sample>>,
) -> AnyView {
    if samples.is_empty() {
        return view! { <p class="muted">"There are no such images."</p> }.into_any();
    }
    let current = RwSignal::new(0_usize);
    let last = samples.len() - 1;
    let go = move |event: web_sys::KeyboardEvent| {
        let at = current.get_untracked();
        let next = match event.key().as_str() {
            "ArrowLeft" => at.saturating_sub(1),
            "ArrowRight" => (at + 1).min(last),
            "ArrowUp" => at.checked_sub(COLUMNS).unwrap_or(at),
            "ArrowDown" if at + COLUMNS <= last => at + COLUMNS,
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        current.set(next);
        let button = document()
            .get_element_by_id(&format!("sample-{next}"))
            .and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok());
        // A button that is there takes the focus.
        drop(button.map(|button| button.focus()));
    };
    let images = samples
        .into_iter()
        .enumerate()
        .map(|(place, sample)| {
            let name = sample.name(&names);
            let pixels = Signal::stored(sample.pixels.clone());
            view! {
                <button
                    id=format!("sample-{place}")
                    class="sample"
                    aria-label=name.clone()
                    title=name
                    tabindex=move || if current.get() == place { "0" } else { "-1" }
                    on:click=move |_| {
                        current.set(place);
                        enlarged.set(Some(sample.clone()));
                    }
                >
                    <Digit pixels />
                </button>
            }
        })
        .collect_view();
    view! {
        <div class="grid-of-ten" role="group" aria-label="Samples" on:keydown=go>
            {images}
        </div>
    }
    .into_any()
}

/// An image with its pixel values, over the page until it is closed.
#[component]
pub(super) fn Enlarged(sample: RwSignal<Option<Sample>>, names: Memo<Classes>) -> AnyView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get()
            && sample.with(Option::is_some)
            && !dialog.open()
        {
            // Refused only where it is open already.
            drop(dialog.show_modal());
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let content = move || {
        let shown = sample.get()?;
        let title = names.with(|names| match names.are_digits() {
            true => format!("Digit {}", shown.label),
            false => names.name(shown.label.into()).to_owned(),
        });
        let place = format!(
            "{} image {}",
            shown.part.label(),
            format::count(shown.index.into())
        );
        let columns = (0..IMAGE_SIDE)
            .map(|column| view! { <th scope="col">{column}</th> })
            .collect_view();
        let rows = shown
            .pixels
            .chunks(IMAGE_SIDE)
            .enumerate()
            .map(|(place, row)| {
                let cells = row
                    .iter()
                    .map(|pixel| {
                        let share = u32::from(*pixel) * 30 / 255;
                        let style = format!("--share:{share}%");
                        view! { <td class:zero=*pixel == 0 prop:style=style>{*pixel}</td> }
                    })
                    .collect_view();
                view! {
                    <tr>
                        <th scope="row">{place}</th>
                        {cells}
                    </tr>
                }
            })
            .collect_view();
        Some(view! {
            <header>
                <h2 id="enlarged">{title}</h2>
                <span class="muted">{place}</span>
                <button on:click=close>"Close"</button>
            </header>
            <div class="enlarged">
                <Digit pixels=Signal::stored(shown.pixels) />
                <div class="scroll" tabindex="0" role="region" aria-label="Pixel values">
                    <table>
                        <caption class="hidden">"Pixel values, 0 to 255"</caption>
                        <thead>
                            <tr>
                                <td></td>
                                {columns}
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </div>
        })
    };
    view! {
        <dialog node_ref=dialog aria-labelledby="enlarged" on:close=move |_| sample.set(None)>
            {content}
        </dialog>
    }
    .into_any()
}
