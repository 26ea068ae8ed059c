//! The Data route: what is trained on, how often each digit occurs, what the images look like, and
//! data of one's own.

use gloo::file::{File, FileList};
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::histogram::Histogram;
use kiln_model::mnist;
use kiln_model::spec::{CLASSES, IMAGE_SIDE, PIXELS};
use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;

use super::network::Network;
use super::train::data_text;
use crate::browser::store::OwnData;
use crate::page::parts::digit::Digit;
use crate::page::parts::later::Later;
use crate::page::state::sources::Outcome;
use crate::page::state::trainer::{Loading, Trainer};
use kiln_run::data::{Source, counts, fairness, label};
use kiln_run::format;
use kiln_run::protocol::{Answer, Pictures, Question};

/// Why the data cannot be changed now.
const FIXED: &str = "Fixed for this run. Stop to change.";
/// Images of a row of samples.
const COLUMNS: usize = 10;
/// Images that are sampled.
const SAMPLES: usize = COLUMNS * COLUMNS;

/// The route.
#[component]
pub fn DataView(trainer: Trainer) -> AnyView {
    // What the parts are made of, of all settings; nothing until the data is there.
    let config = Memo::new(move |_| {
        let set = trainer.config.get();
        let data = trainer.data.get()?;
        Some(Config {
            training_images: set.training_images.min(data.training_images),
            validation_split: set.validation_split,
            validate_on: set.validate_on,
            ..Config::default()
        })
    });
    let is_over = RwSignal::new(false);
    let drop_files = move |event: web_sys::DragEvent| {
        event.prevent_default();
        is_over.set(false);
        let files = event.data_transfer().and_then(|data| data.files());
        if let Some(files) = files {
            trainer.import_data(FileList::from(files).to_vec());
        }
    };
    view! {
        <div
            class="data"
            class:over=is_over
            on:dragover=move |event| {
                event.prevent_default();
                is_over.set(true);
            }
            on:dragleave=move |_| is_over.set(false)
            on:drop=drop_files
        >
            <h1 tabindex="-1">"Data"</h1>
            <Own trainer />
            <div class="columns-of-two">
                <Labels trainer config />
                <Later><Samples trainer config /></Later>
            </div>
            <Later><Network trainer /></Later>
        </div>
    }
    .into_any()
}

/// The data in use, the data that is kept, and where more comes in.
#[component]
fn Own(trainer: Trainer) -> AnyView {
    let sources = trainer.sources;
    let is_fixed = Memo::new(move |_| trainer.phase().is_open());
    let is_checking = move || sources.outcome.get() == Outcome::Checking;
    let choose = move |event: web_sys::Event| {
        let input: Option<HtmlInputElement> =
            event.target().and_then(|target| target.dyn_into().ok());
        if let Some(input) = input {
            let files: Vec<File> = input
                .files()
                .map(|files| FileList::from(files).to_vec())
                .unwrap_or_default();
            // The same files can then be chosen again.
            input.set_value("");
            trainer.import_data(files);
        }
    };
    let outcome = move || match sources.outcome.get() {
        Outcome::Nothing => ().into_any(),
        Outcome::Checking => view! { <p role="status">"Checking the files"</p> }.into_any(),
        Outcome::Taken(text) => view! { <p role="status">{text}</p> }.into_any(),
        Outcome::Refused(text) => view! { <p class="error" role="alert">{text}</p> }.into_any(),
    };
    let row = move |source: Source, details: String, own: Option<OwnData>| {
        view! { <SourceRow trainer source details is_kept=own.is_some() is_fixed /> }
    };
    let rows = move || {
        let mnist = format!(
            "{} training and {} test images",
            format::count(mnist::TRAINING_IMAGES.into()),
            format::count(mnist::TEST_IMAGES.into())
        );
        let mut rows = vec![row(Source::mnist(), mnist, None)];
        for own in sources.kept.get() {
            let mut details = vec![counts(&own.summary), format::bytes(own.bytes)];
            if own.summary.is_test_cut_off {
                details.push("last seventh is the test set".to_owned());
            }
            details.push(own.files.join(", "));
            let source = Source {
                name: own.name.clone(),
                hash: own.summary.hash.clone(),
            };
            rows.push(row(source, details.join(" · "), Some(own)));
        }
        rows
    };
    let removed = move || {
        let own = sources.removed.get()?;
        let hash = own.summary.hash.clone();
        let runs = trainer
            .library
            .records
            .with(|records| records.iter().filter(|run| run.data == hash).count());
        let mut text = format!("Removed {}.", own.name);
        if runs > 0 {
            text += &format!(" Runs that cannot go on without it: {runs}.");
        }
        Some(view! {
            <p role="status">
                {text}
                <button on:click=move |_| trainer.bring_data_back()>"Undo"</button>
            </p>
        })
    };
    let progress = move || {
        (trainer.loading.get() != Loading::Done)
            .then(|| view! { <p role="status">{data_text(trainer)}</p> })
    };
    view! {
        <section class="panel sources" aria-label="Data in use">
            <ul>{rows}</ul>
            <div class="import">
                <label
                    class="button"
                    class:disabled=is_fixed
                    title=move || is_fixed.get().then_some(FIXED)
                >
                    "Import"
                    <input
                        class="hidden"
                        type="file"
                        multiple
                        disabled=move || is_fixed.get() || is_checking()
                        on:change=choose
                    />
                </label>
                <p class="hint">
                    "Or drop files here: idx images and labels, one pair or two, gzipped or not; 28 × 28 pixels, labels 0 to 9, at most 70\u{2009}000 images. They stay in this browser."
                </p>
            </div>
            <div class="outcome">{progress} {outcome} {removed}</div>
        </section>
    }
    .into_any()
}

/// Data that can be used.
#[component]
fn SourceRow(
    trainer: Trainer,
    source: Source,
    details: String,
    is_kept: bool,
    is_fixed: Memo<bool>,
) -> AnyView {
    let used = trainer.sources.used;
    let hash = source.hash.clone();
    let is_used = Memo::new(move |_| used.with(|used| used.hash == hash));
    let shown = label(&source.name, &source.hash);
    let (name, digits) = match shown.split_once(" · ") {
        Some((name, digits)) => (name.to_owned(), Some(digits.to_owned())),
        None => (shown.clone(), None),
    };
    let hash = StoredValue::new(source.hash);
    let label = if is_kept {
        format!("Use {shown}")
    } else {
        "Use MNIST again".to_owned()
    };
    let text = if is_kept { "Use" } else { "Use MNIST again" };
    let button = move || {
        if is_used.get() {
            view! { <strong class="in-use">"In use"</strong> }.into_any()
        } else {
            view! {
                <button
                    aria-label=label.clone()
                    disabled=is_fixed
                    title=move || is_fixed.get().then_some(FIXED)
                    on:click=move |_| trainer.switch_data(hash.get_value())
                >
                    {text}
                </button>
            }
            .into_any()
        }
    };
    let remove = is_kept.then(|| {
        view! {
            <button
                class="quiet"
                aria-label=format!("Remove {shown}")
                disabled=is_used
                title=move || is_used.get().then_some("In use. Use other data to remove it.")
                on:click=move |_| trainer.remove_data(hash.get_value())
            >
                "Remove"
            </button>
        }
    });
    view! {
        <li class:used=is_used>
            <p>
                <strong>{name}</strong>
                " "
                {digits.map(|digits| view! { <code>{digits}</code> })}
                <small>{details}</small>
            </p>
            {button}
            {remove}
        </li>
    }
    .into_any()
}

/// Two buttons of which one is pressed.
fn segment(label: &'static str, is_second: bool, chosen: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            aria-pressed=move || (chosen.get() == is_second).to_string()
            on:click=move |_| chosen.set(is_second)
        >
            {label}
        </button>
    }
}

/// What stands in place of an answer that is not there.
fn waiting(trainer: Trainer) -> AnyView {
    view! { <p class="muted">{move || data_text(trainer)}</p> }.into_any()
}

/// How often each digit occurs in each part.
#[component]
fn Labels(trainer: Trainer, config: Memo<Option<Config>>) -> AnyView {
    let in_percent = RwSignal::new(false);
    let again = Trigger::new();
    let answer = LocalResource::new(move || {
        again.track();
        let config = config.get();
        async move {
            let question = Question::Labels { config: config? };
            Some(trainer.examiner.ask(question).await)
        }
    });
    let shown = move || match answer.get().flatten() {
        None => waiting(trainer),
        Some(Ok(Answer::Labels(counts))) => {
            let parts = counts.map(|counts| Histogram {
                counts: counts.map(|count| count as usize),
            });
            view! { <LabelTable parts in_percent /> }.into_any()
        }
        Some(Ok(_)) => ().into_any(),
        Some(Err(reason)) => view! {
            <div role="alert">
                <p class="error">{reason}</p>
                <button on:click=move |_| again.notify()>"Try again"</button>
            </div>
        }
        .into_any(),
    };
    view! {
        <section class="panel" aria-labelledby="labels">
            <header>
                <h2 id="labels">"Images of each digit"</h2>
                <div class="segments" role="group" aria-label="Figures">
                    {segment("Count", false, in_percent)} {segment("%", true, in_percent)}
                </div>
            </header>
            <div class="labels">{shown}</div>
        </section>
    }
    .into_any()
}

/// A table whose cells are bars too.
#[component]
fn LabelTable(parts: [Histogram; 3], in_percent: RwSignal<bool>) -> AnyView {
    let figure = move |part: Histogram, class: usize| {
        if in_percent.get() {
            part.share(class)
                .map_or_else(|| format::NOTHING.to_owned(), format::percent)
        } else {
            format::count(part.counts[class] as u64)
        }
    };
    let rows = (0..CLASSES)
        .map(|class| {
            let cells = parts.map(|part| {
                let most = part.counts[part.largest()].max(1);
                let length = 100.0 * part.counts[class] as f64 / most as f64;
                view! {
                    <td>
                        <span>{move || figure(part, class)}</span>
                        <i style=format!("width:{length:.1}%")></i>
                    </td>
                }
            });
            view! { <tr><th scope="row">{class}</th>{cells}</tr> }
        })
        .collect_view();
    let heads = Part::ALL.map(|part| view! { <th scope="col">{part.label()}</th> });
    let all = parts.map(|part| {
        let images = format::count(part.images() as u64);
        view! { <td>{images}</td> }
    });
    let sentences = Part::ALL
        .into_iter()
        .zip(parts)
        .map(|(part, histogram)| {
            view! {
                <dt>{part.label()}</dt>
                <dd>{fairness(&histogram)}</dd>
            }
        })
        .collect_view();
    view! {
        <table class="bars">
            <caption class="hidden">"Images of each digit"</caption>
            <thead>
                <tr>
                    <th scope="col">"Digit"</th>
                    {heads}
                </tr>
            </thead>
            <tbody>
                {rows}
                <tr class="total">
                    <th scope="row">"All"</th>
                    {all}
                </tr>
            </tbody>
        </table>
        <dl>{sentences}</dl>
    }
    .into_any()
}

/// One image of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    part: Part,
    index: u32,
    label: u8,
    pixels: Vec<u8>,
}

impl Sample {
    fn name(&self) -> String {
        format!("{}, image {}", self.label, self.index)
    }
}

/// A hundred images drawn at random.
#[component]
fn Samples(trainer: Trainer, config: Memo<Option<Config>>) -> AnyView {
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
    let shown = move || match answer.get().flatten() {
        None => waiting(trainer),
        Some((part, Ok(Answer::Pictures(pictures)))) => {
            view! { <Grid samples=samples(part, &pictures) enlarged /> }.into_any()
        }
        Some((_, Ok(_))) => ().into_any(),
        Some((_, Err(reason))) => view! { <p class="error" role="alert">{reason}</p> }.into_any(),
    };
    let parts = Part::ALL.map(|part| view! { <option value=part.label()>{part.label()}</option> });
    let classes = (0..CLASSES)
        .map(|class| view! { <option value=class.to_string()>{class}</option> })
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
        <Enlarged sample=enlarged />
    }
    .into_any()
}

fn samples(part: Part, pictures: &Pictures) -> Vec<Sample> {
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
fn Grid(samples: Vec<Sample>, enlarged: RwSignal<Option<Sample>>) -> AnyView {
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
            let name = sample.name();
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
fn Enlarged(sample: RwSignal<Option<Sample>>) -> AnyView {
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
        let title = format!("Digit {}", shown.label);
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
                        view! { <td class:zero=*pixel == 0 style=style>{*pixel}</td> }
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
