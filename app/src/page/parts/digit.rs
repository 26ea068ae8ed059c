//! A digit as a picture: ink on whatever is behind it.

use kiln_model::spec::{IMAGE_SIDE, PIXELS};
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast as _};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

/// 784 pixels as a picture without a name of its own; as large as it is laid out. The style sheet
/// turns black ink into white in the dark theme.
#[component]
pub fn Digit(
    /// 0 to 255, row by row.
    #[prop(into)]
    pixels: Signal<Vec<u8>>,
) -> AnyView {
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move |_| {
        if let Some(canvas) = canvas.get() {
            pixels.with(|pixels| draw(&canvas, pixels));
        }
    });
    view! {
        <canvas
            class="digit"
            node_ref=canvas
            width=IMAGE_SIDE
            height=IMAGE_SIDE
            aria-hidden="true"
        ></canvas>
    }
    .into_any()
}

/// Draws what there are of the pixels; a browser without a canvas shows nothing.
fn draw(canvas: &HtmlCanvasElement, pixels: &[u8]) {
    const INK: [u8; 3] = [28, 27, 25];
    let mut bytes = Vec::with_capacity(4 * PIXELS);
    for index in 0..PIXELS {
        let alpha = pixels.get(index).copied().unwrap_or(0);
        bytes.extend([INK[0], INK[1], INK[2], alpha]);
    }
    let side = IMAGE_SIDE as u32;
    let context = canvas.get_context("2d").ok().flatten();
    let context: Option<CanvasRenderingContext2d> =
        context.and_then(|context| context.dyn_into().ok());
    let image = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&bytes), side, side);
    if let (Some(context), Ok(image)) = (context, image) {
        drop(context.put_image_data(&image, 0.0, 0.0));
    }
}
