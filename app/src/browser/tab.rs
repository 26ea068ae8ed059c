//! What the browser tells and grants a tab: locks that other tabs see, a channel to them, room to
//! keep things, and a screen that stays on.

use gloo::events::EventListener;
use js_sys::{Array, Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{BroadcastChannel, Clipboard, MessageEvent};

use crate::browser::codec::{decode, encode};
use crate::browser::words::describe;
use kiln_run::protocol::RunId;

// web-sys keeps its own of these behind a compiler flag.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type LockManager;
    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, options: &JsValue, callback: &JsValue) -> Promise;
    #[wasm_bindgen(method)]
    fn query(this: &LockManager) -> Promise;

    #[wasm_bindgen(extends = Object)]
    type StorageManager;
    #[wasm_bindgen(method)]
    fn estimate(this: &StorageManager) -> Promise;
    #[wasm_bindgen(method)]
    fn persisted(this: &StorageManager) -> Promise;
    #[wasm_bindgen(method)]
    fn persist(this: &StorageManager) -> Promise;

    #[wasm_bindgen(extends = Object)]
    type WakeLock;
    #[wasm_bindgen(method, js_name = request)]
    fn request_screen(this: &WakeLock) -> Promise;

    #[wasm_bindgen(extends = Object)]
    type WakeLockSentinel;
    #[wasm_bindgen(method)]
    fn release(this: &WakeLockSentinel) -> Promise;
}

/// A member of the navigator that some browsers and plain http lack.
fn navigator_member<T: wasm_bindgen::JsCast>(name: &str) -> Option<T> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let member = Reflect::get(&navigator, &name.into()).ok()?;
    (!member.is_undefined() && !member.is_null()).then(|| member.unchecked_into())
}

fn lock_name(run: RunId) -> String {
    format!("kiln.run.{}", run.0)
}

/// Says to other tabs that a run is alive here, until this is dropped or the tab is gone.
pub struct Alive {
    release: js_sys::Function,
}

impl Alive {
    /// Takes the lock of a run; nothing in a browser without locks.
    pub fn new(run: RunId) -> Option<Self> {
        let locks: LockManager = navigator_member("locks")?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let callback = Closure::once_into_js(move |_lock: JsValue| -> JsValue { held.into() });
        let options = Object::new();
        let requested = locks.request(&lock_name(run), &options, &callback);
        wasm_bindgen_futures::spawn_local(async move {
            // Ends when the lock is released; it is refused only to a page that is being left.
            drop(JsFuture::from(requested).await);
        });
        Some(Self { release: release? })
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // A resolver cannot throw.
        drop(self.release.call0(&JsValue::UNDEFINED));
    }
}

/// Whether some tab trains a run.
///
/// # Errors
/// The browser's words where it cannot say.
pub async fn is_alive(run: RunId) -> Result<bool, String> {
    let Some(locks) = navigator_member::<LockManager>("locks") else {
        return Ok(false);
    };
    let failed = |error: JsValue| describe(&error);
    let answer = JsFuture::from(locks.query()).await.map_err(failed)?;
    let held = Reflect::get(&answer, &"held".into()).map_err(failed)?;
    let name = lock_name(run);
    Ok(Array::from(&held).iter().any(|lock| {
        Reflect::get(&lock, &"name".into()).is_ok_and(|found| found == JsValue::from_str(&name))
    }))
}

/// What tabs of this page tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// A run was kept, changed or deleted; the store has it as it is now.
    Changed(RunId),
    /// A tab would like to go on with a run that another tab trains.
    Wanted(RunId),
    /// The tab that trained a run has let go of it.
    Released(RunId),
}

/// The other tabs of this page.
pub struct Siblings {
    channel: BroadcastChannel,
    _listener: EventListener,
}

impl Siblings {
    /// Listens to them from now on; nothing in a browser that keeps tabs apart.
    pub fn new(receive: impl Fn(News) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new("kiln").ok()?;
        let listener = EventListener::new(&channel, "message", move |event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            // A tab with another version of Kiln may say what this one does not know.
            if let Ok(news) = decode(data) {
                receive(news);
            }
        });
        Some(Self {
            channel,
            _listener: listener,
        })
    }

    /// Tells them something.
    pub fn tell(&self, news: News) {
        // A channel is never closed before this is dropped, so that it cannot refuse.
        drop(encode(&news).map(|value| self.channel.post_message(&value)));
    }
}

/// What the browser's storage holds of this page, and what there is room for, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meter {
    /// Held now.
    pub used_bytes: f64,
    /// Room for all of it.
    pub quota_bytes: f64,
    /// Whether the browser has promised to keep it until a person deletes it.
    pub is_persistent: bool,
}

impl Meter {
    /// As the browser estimates it; nothing where it does not.
    pub async fn read() -> Option<Self> {
        let storage: StorageManager = navigator_member("storage")?;
        let estimate = JsFuture::from(storage.estimate()).await.ok()?;
        let number = |name: &str| Reflect::get(&estimate, &name.into()).ok()?.as_f64();
        let persisted = JsFuture::from(storage.persisted()).await.ok();
        Some(Self {
            used_bytes: number("usage")?,
            quota_bytes: number("quota")?,
            is_persistent: persisted.is_some_and(|persisted| persisted.is_truthy()),
        })
    }
}

/// Asks the browser to keep the page's data until a person deletes it, and says whether it will.
pub async fn persist() -> bool {
    let Some(storage) = navigator_member::<StorageManager>("storage") else {
        return false;
    };
    let answer = JsFuture::from(storage.persist()).await;
    answer.is_ok_and(|granted| granted.is_truthy())
}

/// Puts a text on the clipboard, and says whether the browser allowed it; over plain http none
/// does.
pub async fn copy(text: &str) -> bool {
    let Some(clipboard) = navigator_member::<Clipboard>("clipboard") else {
        return false;
    };
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Keeps the screen on until it is dropped.
pub struct Awake(WakeLockSentinel);

impl Awake {
    /// Asks for it; nothing where the browser has no such thing or refuses, as on low battery.
    pub async fn new() -> Option<Self> {
        let wake_lock: WakeLock = navigator_member("wakeLock")?;
        let sentinel = JsFuture::from(wake_lock.request_screen()).await.ok()?;
        Some(Self(sentinel.unchecked_into()))
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        let released = self.0.release();
        wasm_bindgen_futures::spawn_local(async move {
            // A lock that the browser took back before is released already.
            drop(JsFuture::from(released).await);
        });
    }
}
