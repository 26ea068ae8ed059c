//! The drawing pad: a canvas that pointers draw on, its buttons, and the image that networks see.

use gloo::events::{EventListener, EventListenerOptions};
use js_sys::{Function, Reflect};
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::drawing;
use kiln_model::spec::{IMAGE_SIDE, PIXELS};
use leptos::prelude::*;
use leptos::web_sys::CanvasRenderingContext2d;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent};

use super::canvas::{CanvasError, context, enlarge, put};
use crate::mosaic::{opacities, opaque};
use crate::page::state::trainer::Trainer;
use crate::sketch::{BRUSHES, Place, SIDE, Sketch, Stroke, TestImage};
use kiln_run::format;
use kiln_run::protocol::{Answer, Question};

/// Chooses the example among the test images.
const EXAMPLE_SEED: u32 = 0;

/// 28 × 28 pixels, 0 to 255: what networks see.
pub type Image = [u8; PIXELS];

/// What is drawn and what with; it stays while other views are looked at. A handle that is copied
/// about.
#[derive(Clone, Copy)]
pub struct Board {
    sketch: RwSignal<Sketch>,
    brush: RwSignal<u32>,
    /// Whether a drawing is scaled and centred as MNIST's digits are.
    is_centred: RwSignal<bool>,
    /// Whether an example was asked for: what is cleared stays clear.
    had_example: StoredValue<bool>,
}

impl Board {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            sketch: RwSignal::new(Sketch::default()),
            brush: RwSignal::new(BRUSHES.2),
            is_centred: RwSignal::new(true),
            had_example: StoredValue::new(false),
        }
    }

    /// The test image on the pad, as long as it is untouched.
    pub fn untouched(&self) -> Option<TestImage> {
        self.sketch.with(|sketch| sketch.untouched().cloned())
    }
}

/// The pad. `image` becomes what networks see of it, nothing where that is blank; `trouble` why
/// it cannot be read.
#[component]
pub fn Pad(
    board: Board,
    trainer: Trainer,
    image: RwSignal<Option<Image>>,
    trouble: RwSignal<Option<String>>,
) -> AnyView {
    let sketch = board.sketch;
    let canvas = NodeRef::<leptos::html::Canvas>::new();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let is_centred = board.is_centred.get();
        match sketch.with(|sketch| seen(&canvas, sketch, is_centred)) {
            Ok(seen) => image.set(seen),
            Err(error) => trouble.set(Some(format!(
                "The drawing cannot be read: {error}. Reload the page."
            ))),
        }
    });

    show_example(board, trainer);

    let pointer = StoredValue::new(None::<i32>);
    let press = move |event: PointerEvent| {
        let is_free = pointer.get_value().is_none() && event.button() == 0;
        let Some(canvas) = canvas.get_untracked().filter(|_| is_free) else {
            return;
        };
        event.prevent_default();
        // A pointer that is gone already draws a dot.
        drop(canvas.set_pointer_capture(event.pointer_id()));
        pointer.set_value(Some(event.pointer_id()));
        let brush = board.brush.get_untracked();
        sketch.update(|sketch| sketch.begin(brush, place(&canvas, &event)));
    };
    let draws = move |event: &PointerEvent| pointer.get_value() == Some(event.pointer_id());
    let draw = move |event: PointerEvent| {
        if let Some(canvas) = canvas.get_untracked().filter(|_| draws(&event)) {
            sketch.update(|sketch| sketch.extend(places(&canvas, &event)));
        }
    };
    let release = move |event: PointerEvent| {
        if draws(&event) {
            pointer.set_value(None);
        }
    };

    let drawn = move || {
        let are_digits = trainer.sources.used.with(|used| used.classes.are_digits());
        if are_digits { "a digit" } else { "something" }
    };
    let undo = move || sketch.update(Sketch::undo);
    let is_empty = Memo::new(move |_| sketch.with(Sketch::is_empty));
    // Before the page's own Ctrl+Z, which brings deleted runs back.
    let on_key = EventListener::new_with_options(
        &window(),
        "keydown",
        EventListenerOptions::run_in_capture_phase(),
        move |event| {
            let event: &KeyboardEvent = event.unchecked_ref();
            let is_undo =
                (event.ctrl_key() || event.meta_key()) && !event.shift_key() && event.key() == "z";
            if is_undo && !is_empty.get_untracked() {
                event.stop_propagation();
                undo();
            }
        },
    );
    let on_key = StoredValue::new_local(on_key);
    on_cleanup(move || on_key.dispose());

    view! {
        <div class="pad">
            <canvas
                node_ref=canvas
                class="ink"
                role="img"
                aria-label="Drawing pad"
                width=SIDE
                height=SIDE
                on:pointerdown=press
                on:pointermove=draw
                on:pointerup=release
                on:pointercancel=release
            ></canvas>
            <p class="empty" aria-hidden="true">
                {move || is_empty.get().then(|| format!("Draw {} here", drawn()))}
            </p>
        </div>
        <div class="buttons">
            <button disabled=is_empty on:click=move |_| undo()>"Undo"</button>
            <button disabled=is_empty on:click=move |_| sketch.update(Sketch::clear)>"Clear"</button>
            <TestImageButton sketch trainer trouble />
        </div>
        <Brush board />
        <Preview board image />
    }
    .into_any()
}

#[component]
fn Brush(board: Board) -> AnyView {
    let (thinnest, thickest, _) = BRUSHES;
    let brush = board.brush;
    let filled = move || {
        let share = f64::from(brush.get() - thinnest) / f64::from(thickest - thinnest);
        format!("{}%", 100.0 * share)
    };
    view! {
        <label class="brush">
            "Brush"
            <input
                type="range"
                min=thinnest
                max=thickest
                prop:value=brush
                aria-valuetext=move || format!("{} pixels", brush.get())
                style=("--filled", filled)
                on:input=move |event| {
                    if let Ok(width) = event_target_value(&event).parse::<u32>() {
                        brush.set(width.clamp(thinnest, thickest));
                    }
                }
            />
            <output>{move || format!("{}\u{2009}px", brush.get())}</output>
        </label>
    }
    .into_any()
}

/// Puts another image of the test set on the pad each time.
#[component]
fn TestImageButton(
    sketch: RwSignal<Sketch>,
    trainer: Trainer,
    trouble: RwSignal<Option<String>>,
) -> AnyView {
    let is_asking = RwSignal::new(false);
    let ask = move |_| {
        if is_asking.get_untracked() {
            return;
        }
        is_asking.set(true);
        wasm_bindgen_futures::spawn_local(async move {
            let seed = (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
            let found = test_image(trainer, seed).await;
            // The view may have been left meanwhile.
            is_asking.try_update(|is_asking| *is_asking = false);
            let (image, reason) = match found {
                Ok(image) => (Some(image), None),
                Err(reason) => (None, Some(reason)),
            };
            trouble.try_update(|trouble| *trouble = reason);
            if let Some(image) = image {
                sketch.try_update(|sketch| sketch.show(image));
            }
        });
    };
    view! {
        <button aria-busy=move || is_asking.get().to_string() on:click=ask>"Use a test image"</button>
    }
    .into_any()
}

/// An image of the test set, the same for the same seed.
async fn test_image(trainer: Trainer, seed: u32) -> Result<TestImage, String> {
    let question = Question::Sample {
        config: Config::default(),
        part: Part::Test,
        class: None,
        count: 1,
        seed,
    };
    let names = trainer.sources.used.get_untracked().classes;
    let answer = trainer.examiner.ask(question).await?;
    let image = || {
        let Answer::Pictures(pictures) = answer else {
            return None;
        };
        let label = *pictures.labels.first()?;
        Some(TestImage {
            index: *pictures.indices.first()?,
            label,
            called: names.one(label.into()),
            pixels: pictures.pixels.as_slice().try_into().ok()?,
        })
    };
    image().ok_or_else(|| "There is no test image.".to_owned())
}

/// Shows what networks say to an image, the first time that there is a pad and until the first stroke.
fn show_example(board: Board, trainer: Trainer) {
    if board.had_example.get_value() {
        return;
    }
    board.had_example.set_value(true);
    wasm_bindgen_futures::spawn_local(async move {
        // Without one the pad asks for a drawing; what is wrong is told with the first answer.
        if let Ok(image) = test_image(trainer, EXAMPLE_SEED).await {
            board.sketch.try_update(|sketch| sketch.show_example(image));
        }
    });
}

/// The image as networks see it, and where it is from.
#[component]
fn Preview(board: Board, image: RwSignal<Option<Image>>) -> AnyView {
    let canvas = NodeRef::<leptos::html::Canvas>::new();
    Effect::new(move |_| {
        let pixels = opaque(image.get().unwrap_or([0; PIXELS]));
        if let Some(canvas) = canvas.get() {
            // A browser without canvases has said so at the pad.
            drop(put(&canvas, &pixels, (IMAGE_SIDE, IMAGE_SIDE)));
        }
    });
    let text = move || {
        let touched = board.sketch.with(|sketch| {
            let image = sketch.image()?;
            let place = format::count(image.index.into());
            let what = format!("Test image {place}, {}.", image.called);
            Some((what, sketch.strokes().is_empty()))
        });
        let is_example = board.sketch.with(Sketch::is_example);
        match touched {
            Some((what, true)) if is_example => format!("An example: {what} Draw, and it goes."),
            Some((what, true)) => format!("{what} The network sees it as it is."),
            Some((what, false)) if board.is_centred.get() => {
                format!("{what} You drew over it, so it is centred anew.")
            }
            Some((what, false)) => format!("{what} You drew over it."),
            None if board.is_centred.get() => {
                "What the network sees: the drawing, scaled and centred as MNIST's digits are."
                    .to_owned()
            }
            None => "What the network sees: the whole pad, as it is drawn.".to_owned(),
        }
    };
    let summary = move || match image.with(Option::is_some) {
        true => "What the network sees, 28 by 28 pixels",
        false => "What the network sees: nothing yet",
    };
    view! {
        <div class="preview">
            <div><canvas node_ref=canvas class="ink" role="img" aria-label=summary></canvas></div>
            <p>
                {text}
                <label>
                    <input
                        type="checkbox"
                        prop:checked=board.is_centred
                        on:change=move |event| board.is_centred.set(event_target_checked(&event))
                    />
                    "Centre as MNIST"
                </label>
            </p>
        </div>
    }
    .into_any()
}

/// Paints what is on the pad and says what networks see of it.
fn seen(
    canvas: &HtmlCanvasElement,
    sketch: &Sketch,
    is_centred: bool,
) -> Result<Option<Image>, CanvasError> {
    let context = context(canvas)?;
    let side = f64::from(SIDE);
    context.clear_rect(0.0, 0.0, side, side);
    if let Some(image) = sketch.image() {
        let scale = SIDE as usize / IMAGE_SIDE;
        let pixels = opaque(image.pixels);
        enlarge(&context, &pixels, (IMAGE_SIDE, IMAGE_SIDE), scale)?;
    }
    for stroke in sketch.strokes() {
        paint(&context, stroke);
    }
    if let Some(image) = sketch.untouched() {
        return Ok(Some(image.pixels));
    }
    if sketch.is_empty() {
        return Ok(None);
    }
    let pixels = context.get_image_data(0.0, 0.0, side, side)?;
    let ink = opacities(&pixels.data());
    let seen = if is_centred {
        drawing::centred(&ink)
    } else {
        drawing::as_drawn(&ink)
    };
    // The pad is square.
    Ok(seen.unwrap_or_default())
}

fn paint(context: &CanvasRenderingContext2d, stroke: &Stroke) {
    let Some(first) = stroke.places.first() else {
        return;
    };
    context.set_line_width(stroke.brush.into());
    context.set_line_cap("round");
    context.set_line_join("round");
    context.begin_path();
    context.move_to(first.0, first.1);
    // Where the brush only touched the pad this draws a dot.
    for (x, y) in &stroke.places {
        context.line_to(*x, *y);
    }
    context.stroke();
}

/// Where a pointer is on the pad.
fn place(canvas: &HtmlCanvasElement, event: &PointerEvent) -> Place {
    let pad = canvas.get_bounding_client_rect();
    let on_pad = |at: i32, start: f64, length: f64| {
        (f64::from(at) - start) / length.max(1.0) * f64::from(SIDE)
    };
    (
        on_pad(event.client_x(), pad.left(), pad.width()),
        on_pad(event.client_y(), pad.top(), pad.height()),
    )
}

/// Every place that a pointer went to since the last event, where the browser tells.
fn places(canvas: &HtmlCanvasElement, event: &PointerEvent) -> Vec<Place> {
    let tells = Reflect::get(event, &"getCoalescedEvents".into());
    let all: Vec<JsValue> = match tells {
        Ok(tells) if tells.is_instance_of::<Function>() => event.get_coalesced_events().to_vec(),
        _ => Vec::new(),
    };
    if all.is_empty() {
        return vec![place(canvas, event)];
    }
    all.iter()
        .map(|event| place(canvas, event.unchecked_ref()))
        .collect()
}
