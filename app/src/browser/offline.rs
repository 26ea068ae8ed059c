//! The page without a network: a service worker keeps all files of one version.

use gloo::events::EventListener;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::browser::tab::navigator_member;

const PROGRAM: &str = "service_worker.js";
/// What the waiting service worker is told when its version may take over.
const TAKE_OVER: &str = "take over";

// web-sys would bring all of its service workers for these.
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    #[wasm_bindgen(extends = web_sys::EventTarget)]
    type Container;
    #[wasm_bindgen(method)]
    fn register(this: &Container, program: &str, options: &Object) -> Promise;
    #[wasm_bindgen(method, getter)]
    fn ready(this: &Container) -> Promise;
    #[wasm_bindgen(method, getter)]
    fn controller(this: &Container) -> Option<Object>;

    #[derive(Clone)]
    #[wasm_bindgen(extends = web_sys::EventTarget)]
    type Registration;
    #[wasm_bindgen(method, getter)]
    fn installing(this: &Registration) -> Option<Keeper>;
    #[wasm_bindgen(method, getter)]
    fn waiting(this: &Registration) -> Option<Keeper>;

    #[derive(Clone)]
    #[wasm_bindgen(extends = web_sys::EventTarget)]
    type Keeper;
    #[wasm_bindgen(method, getter)]
    fn state(this: &Keeper) -> String;
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &Keeper, message: &JsValue);
}

/// What there is to tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offline {
    /// All files are kept, for the first time.
    Kept,
    /// A newer version is kept, and waits until this one is left.
    NewVersion,
}

/// Has this version kept, and tells what comes of it, for as long as the page is there. Where the
/// browser or the server has no such thing, the page needs the network as ever, and nothing is told.
pub async fn keep(tell: impl Fn(Offline) + Clone + 'static) {
    let Some(container) = navigator_member::<Container>("serviceWorker") else {
        return;
    };
    let is_first = container.controller().is_none();
    let options = Object::new();
    // The program is asked for anew each time, whatever the server says of it.
    drop(Reflect::set(
        &options,
        &"updateViaCache".into(),
        &"none".into(),
    ));
    let Ok(registration) = JsFuture::from(container.register(PROGRAM, &options)).await else {
        return;
    };
    let registration: Registration = registration.unchecked_into();
    if registration.waiting().is_some() && !is_first {
        tell(Offline::NewVersion);
    }
    let found = registration.clone();
    let (told, here) = (tell.clone(), container.clone());
    let on_found = EventListener::new(&registration, "updatefound", move |_| {
        let Some(keeper) = found.installing() else {
            return;
        };
        let (told, here) = (told.clone(), here.clone());
        let observed = keeper.clone();
        EventListener::new(&keeper, "statechange", move |_| {
            // The first of all is installed before any answers for the server.
            if observed.state() == "installed" && here.controller().is_some() {
                told(Offline::NewVersion);
            }
        })
        .forget();
    });
    on_found.forget();
    if is_first && JsFuture::from(container.ready()).await.is_ok() {
        tell(Offline::Kept);
    }
}

/// Has the version that waits take over, and loads the page anew once it has.
pub async fn take_over() {
    let Some(container) = navigator_member::<Container>("serviceWorker") else {
        return;
    };
    let Ok(registration) = JsFuture::from(container.ready()).await else {
        return;
    };
    let reload = || {
        if let Some(window) = web_sys::window() {
            // A page that is there can be loaded again.
            drop(window.location().reload());
        }
    };
    let registration: Registration = registration.unchecked_into();
    match registration.waiting() {
        Some(keeper) => {
            EventListener::once(&container, "controllerchange", move |_| reload()).forget();
            keeper.post_message(&TAKE_OVER.into());
        }
        // It took over already, at another tab's wish.
        None => reload(),
    }
}
