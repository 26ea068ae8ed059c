//! Pixels on canvases.

use js_sys::{Object, Reflect};
use leptos::prelude::document;
use wasm_bindgen::{Clamped, JsCast as _, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use crate::browser::words::describe;

/// A canvas that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanvasError {
    /// There is none.
    #[error("the browser offers no canvas")]
    Missing,
    /// The browser refused, in its own words.
    #[error("the browser's canvas refused: {0}")]
    Refused(String),
}

impl From<JsValue> for CanvasError {
    fn from(error: JsValue) -> Self {
        Self::Refused(describe(&error))
    }
}

/// What paints on a canvas; the browser is told that its pixels are read again and again.
///
/// # Errors
/// A browser without canvases.
pub fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, CanvasError> {
    let options = Object::new();
    Reflect::set(&options, &"willReadFrequently".into(), &true.into())?;
    canvas
        .get_context_with_context_options("2d", &options)?
        .and_then(|context| context.dyn_into().ok())
        .ok_or(CanvasError::Missing)
}

/// Gives a canvas this size, in pixels, and these pixels: red, green, blue and opacity.
///
/// # Errors
/// Pixels that do not fill it, or a browser that refuses.
pub fn put(
    canvas: &HtmlCanvasElement,
    pixels: &[u8],
    (width, height): (usize, usize),
) -> Result<(), CanvasError> {
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let image =
        ImageData::new_with_u8_clamped_array_and_sh(Clamped(pixels), width as u32, height as u32)?;
    context(canvas)?.put_image_data(&image, 0.0, 0.0)?;
    Ok(())
}

/// Paints pixels from the top left on, each of them `scale` pixels wide and high, with hard edges.
///
/// # Errors
/// Pixels that do not have this size, or a browser that refuses.
pub fn enlarge(
    onto: &CanvasRenderingContext2d,
    pixels: &[u8],
    (width, height): (usize, usize),
    scale: usize,
) -> Result<(), CanvasError> {
    let small: HtmlCanvasElement = document()
        .create_element("canvas")?
        .dyn_into()
        .map_err(|_| CanvasError::Missing)?;
    put(&small, pixels, (width, height))?;
    onto.set_image_smoothing_enabled(false);
    onto.draw_image_with_html_canvas_element_and_dw_and_dh(
        &small,
        0.0,
        0.0,
        (width * scale) as f64,
        (height * scale) as f64,
    )?;
    Ok(())
}
