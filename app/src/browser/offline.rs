//! The page without a network: a service worker keeps all files of one version.

use std::cell::Cell;
use std::rc::Rc;

use futures::channel::oneshot;
use gloo::events::EventListener;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Document;

use crate::browser::tab::navigator_member;

const PROGRAM: &str = "service_worker.js";
/// A tab that goes in and out of sight does not ask the server each time.
const LOOK_AGAIN_MS: f64 = 30_000.0;
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
    #[wasm_bindgen(method, js_name = getRegistration)]
    fn registration(this: &Container) -> Promise;

    #[derive(Clone)]
    #[wasm_bindgen(extends = web_sys::EventTarget)]
    type Registration;
    #[wasm_bindgen(method, getter)]
    fn installing(this: &Registration) -> Option<Keeper>;
    #[wasm_bindgen(method, getter)]
    fn waiting(this: &Registration) -> Option<Keeper>;
    #[wasm_bindgen(method, getter)]
    fn active(this: &Registration) -> Option<Keeper>;

    #[derive(Clone)]
    #[wasm_bindgen(extends = web_sys::EventTarget)]
    type Keeper;
    #[wasm_bindgen(method, getter)]
    fn state(this: &Keeper) -> String;
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &Keeper, message: &JsValue);

    #[wasm_bindgen(js_name = fetch)]
    fn load(address: &str, options: &Object) -> Promise;

    type Loaded;
    #[wasm_bindgen(method, getter)]
    fn ok(this: &Loaded) -> bool;
    #[wasm_bindgen(method)]
    fn text(this: &Loaded) -> Promise;
}

/// Whether the browser keeps the page's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It keeps none of a page that comes over plain http.
    Insecure,
    /// It would not, or the server has nothing that says how.
    Refused,
    /// It is about to.
    UnderWay,
    /// All of them.
    Kept,
}

/// Whether the browser keeps the page's files now.
pub async fn keeping() -> Keeping {
    let Some(container) = navigator_member::<Container>("serviceWorker") else {
        return Keeping::Insecure;
    };
    let Ok(registration) = JsFuture::from(container.registration()).await else {
        return Keeping::Refused;
    };
    if registration.is_undefined() {
        return Keeping::Refused;
    }
    let registration: Registration = registration.unchecked_into();
    if registration.active().is_some() {
        Keeping::Kept
    } else if registration.installing().is_some() || registration.waiting().is_some() {
        Keeping::UnderWay
    } else {
        Keeping::Refused
    }
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
/// browser or the server has no such thing, the page needs the network as ever, and is told of a
/// newer version alone.
pub async fn keep(tell: impl Fn(Offline) + Clone + 'static) {
    let Some(container) = navigator_member::<Container>("serviceWorker") else {
        return look_for_newer(tell);
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
        return look_for_newer(tell);
    };
    let registration: Registration = registration.unchecked_into();
    if registration.waiting().is_some() && !is_first {
        tell(Offline::NewVersion);
    }
    if let Some(keeper) = registration.installing().filter(|_| is_first) {
        let (told, observed) = (tell.clone(), keeper.clone());
        let on_change = EventListener::new(&keeper, "statechange", move |_| {
            // One of its files did not arrive, or there is no room.
            if observed.state() == "redundant" {
                look_for_newer(told.clone());
            }
        });
        on_change.forget();
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
    if !is_first {
        return;
    }
    let Ok(registration) = JsFuture::from(container.ready()).await else {
        return;
    };
    let registration: Registration = registration.unchecked_into();
    if let Some(keeper) = registration.active() {
        activated(&keeper).await;
    }
    // A page that is built again and again is kept by none: the one that came took itself away.
    match keeping().await {
        Keeping::Kept => tell(Offline::Kept),
        _ => look_for_newer(tell),
    }
}

/// Waits until a service worker has done what it does first.
async fn activated(keeper: &Keeper) {
    while keeper.state() == "activating" {
        let (changed, change) = oneshot::channel();
        let _listener = EventListener::once(keeper, "statechange", move |_| {
            // Whoever waits for it may be gone.
            let _ = changed.send(());
        });
        let _ = change.await;
    }
}

/// Looks, whenever the tab comes into sight again, whether the server has another page by now: nobody
/// keeps the files of this one.
fn look_for_newer(tell: impl Fn(Offline) + Clone + 'static) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let own = named(&document);
    let looked_ms = Cell::new(0.0);
    let is_told = Rc::new(Cell::new(false));
    let target = document.clone();
    let on_sight = EventListener::new(&target, "visibilitychange", move |_| {
        let now_ms = js_sys::Date::now();
        if document.hidden() || is_told.get() || now_ms - looked_ms.get() < LOOK_AGAIN_MS {
            return;
        }
        looked_ms.set(now_ms);
        let (own, tell, is_told) = (own.clone(), tell.clone(), Rc::clone(&is_told));
        wasm_bindgen_futures::spawn_local(async move {
            let html = served().await.unwrap_or_default();
            // Whatever else a server without the page may answer names no worker.
            let is_page = html.contains("kiln-cpu_worker");
            if is_page && own.iter().any(|name| !html.contains(name)) && !is_told.replace(true) {
                tell(Offline::NewVersion);
            }
        });
    });
    on_sight.forget();
}

/// What a page is made of, by the names that say what is in them.
fn named(document: &Document) -> Vec<String> {
    let parts = [
        ("link[rel=modulepreload]", "href"),
        ("meta[name=kiln-cpu_worker]", "content"),
        ("meta[name=kiln-gpu_worker]", "content"),
        ("meta[name=kiln-file_worker]", "content"),
    ];
    let named = parts.into_iter().filter_map(|(selector, attribute)| {
        let element = document.query_selector(selector).ok()??;
        element.get_attribute(attribute)
    });
    named.collect()
}

/// The page as the server has it now.
async fn served() -> Option<String> {
    let options = Object::new();
    Reflect::set(&options, &"cache".into(), &"no-store".into()).ok()?;
    let loaded = JsFuture::from(load("index.html", &options)).await.ok()?;
    let loaded: Loaded = loaded.unchecked_into();
    if !loaded.ok() {
        return None;
    }
    JsFuture::from(loaded.text()).await.ok()?.as_string()
}

/// Has the version that waits take over, and loads the page anew once it has.
pub async fn take_over() {
    let reload = || {
        if let Some(window) = web_sys::window() {
            // A page that is there can be loaded again.
            drop(window.location().reload());
        }
    };
    // Where no version is kept, the newer one is the server's.
    let container = navigator_member::<Container>("serviceWorker");
    let Some(container) = container.filter(|container| container.controller().is_some()) else {
        return reload();
    };
    let Ok(registration) = JsFuture::from(container.ready()).await else {
        return;
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
