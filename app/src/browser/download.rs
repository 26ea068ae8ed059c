//! Saves files that are made in the tab.

use gloo::file::{Blob, ObjectUrl};
use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement, HtmlImageElement};

use crate::browser::words::describe;

/// A file is written from the tab's memory, and nothing says when that is done; by then it is, or
/// the person was asked where to and has not answered for so long.
const WRITTEN_MS: u32 = 120_000;

/// Pixels of a picture for each of the drawing's.
const SCALE: f64 = 2.0;

/// Has the browser save a file.
pub fn save(name: &str, media_type: &str, bytes: &[u8]) {
    let blob = Blob::new_with_options(bytes, Some(media_type));
    save_blob(name, ObjectUrl::from(blob));
}

/// Has the browser save what stands behind an address.
pub fn save_blob(name: &str, url: ObjectUrl) {
    follow(name, &url);
    Timeout::new(WRITTEN_MS, move || drop(url)).forget();
}

/// Has the browser save an SVG drawing of a width and a height as a picture of twice as many pixels.
///
/// # Errors
/// A browser that cannot draw it, in its own words.
pub async fn save_as_png(name: &str, svg: &str, size: (f64, f64)) -> Result<(), String> {
    let failed = |error: JsValue| describe(&error);
    let url = ObjectUrl::from(Blob::new_with_options(
        svg.as_bytes(),
        Some("image/svg+xml"),
    ));
    let image = HtmlImageElement::new().map_err(failed)?;
    image.set_src(&url);
    JsFuture::from(image.decode()).await.map_err(failed)?;
    let canvas = document().create_element("canvas").map_err(failed)?;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    let (width, height) = (size.0 * SCALE, size.1 * SCALE);
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let context = canvas.get_context("2d").map_err(failed)?;
    let context: CanvasRenderingContext2d = context
        .and_then(|context| context.dyn_into().ok())
        .ok_or("the browser has no canvas")?;
    context
        .draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)
        .map_err(failed)?;
    follow(name, &canvas.to_data_url().map_err(failed)?);
    Ok(())
}

fn follow(name: &str, url: &str) {
    if let Ok(link) = document().create_element("a") {
        let link: HtmlAnchorElement = link.unchecked_into();
        link.set_href(url);
        link.set_download(name);
        link.click();
    }
}
