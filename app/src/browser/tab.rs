//! What the browser tells and grants a tab: a channel to other tabs, room to keep things, and a
//! screen that stays on.

use gloo::events::EventListener;
use js_sys::{Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::{BroadcastChannel, Clipboard, MessageEvent};

use crate::browser::codec::{decode, encode};
use kiln_run::protocol::RunId;

// web-sys keeps its own of these behind a compiler flag.
#[wasm_bindgen]
extern "C" {
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
pub fn navigator_member<T: wasm_bindgen::JsCast>(name: &str) -> Option<T> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let member = Reflect::get(&navigator, &name.into()).ok()?;
    (!member.is_undefined() && !member.is_null()).then(|| member.unchecked_into())
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
    /// Whether that is what runs and data take alone: some browsers do not tell it from the page's
    /// own files.
    pub is_of_runs: bool,
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
        let of_runs = Reflect::get(&estimate, &"usageDetails".into())
            .and_then(|details| Reflect::get(&details, &"indexedDB".into()))
            .map(|bytes| bytes.as_f64())
            .unwrap_or_default();
        let persisted = JsFuture::from(storage.persisted()).await.ok();
        Some(Self {
            used_bytes: of_runs.or_else(|| number("usage"))?,
            is_of_runs: of_runs.is_some(),
            quota_bytes: number("quota")?,
            is_persistent: persisted.is_some_and(|persisted| persisted.is_truthy()),
        })
    }
}

/// Whether the browser can be asked to keep the page's data; over plain http none can.
pub fn can_persist() -> bool {
    navigator_member::<StorageManager>("storage").is_some()
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
