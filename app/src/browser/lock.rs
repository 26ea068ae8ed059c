//! Which tab trains a run: one at most, which holds the run's lock for as long as it does.
//!
//! It is a Web Lock. Where there are none, as on a page that was not sent over https, tabs ask each
//! other over a channel of the run's own: whoever has it answers, and of several that ask at once
//! the one with the least number gets it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::channel::oneshot;
use gloo::events::EventListener;
use gloo::timers::future::TimeoutFuture;
use js_sys::{Array, Function, Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, BroadcastChannel, MessageEvent};

use crate::browser::codec::{decode, encode};
use crate::browser::tab::navigator_member;
use crate::browser::words::describe;
use kiln_run::protocol::RunId;

/// How long a tab has to say that it holds a run.
const ANSWER_MS: u32 = 300;
/// How long a lock is waited for that its tab is about to give back.
const HAND_OVER_MS: u32 = 5_000;

// web-sys keeps its own of these behind a compiler flag.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type LockManager;
    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, options: &JsValue, callback: &JsValue) -> Promise;
    #[wasm_bindgen(method)]
    fn query(this: &LockManager) -> Promise;
}

/// What to do about a lock that another tab holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// Do without.
    #[default]
    None,
    /// Wait a little: that tab has said that it lets go.
    HandOver,
}

/// The lock of a run, until this is dropped or the tab is gone.
pub struct Alive(Hold);

enum Hold {
    Lock(Function),
    /// It answers for as long as it is there.
    Channel {
        _channel: Channel,
    },
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Hold::Lock(release) = &self.0 {
            // A resolver cannot throw.
            drop(release.call0(&JsValue::UNDEFINED));
        }
    }
}

impl Alive {
    /// The lock of a run that no other tab can know yet; nothing in a browser that has neither locks
    /// nor channels.
    pub fn of_new(run: RunId) -> Option<Self> {
        match locks() {
            Some(locks) => {
                let (release, held) = resolver()?;
                let callback = Closure::once_into_js(move |_lock: JsValue| held);
                let requested = locks.request(&name(run), &Object::new(), &callback);
                wasm_bindgen_futures::spawn_local(async move {
                    // Ends when the lock is released; it is refused only to a page that is left.
                    drop(JsFuture::from(requested).await);
                });
                Some(Self(Hold::Lock(release)))
            }
            None => {
                let channel = Channel::open(run)?;
                channel.is_held.set(true);
                Some(Self(Hold::Channel { _channel: channel }))
            }
        }
    }

    /// Asks for the lock of a run; nothing where another tab holds it.
    ///
    /// # Errors
    /// The browser's words where it cannot say.
    pub async fn claim(run: RunId, patience: Patience) -> Result<Option<Self>, String> {
        match locks() {
            Some(locks) => claim_lock(&locks, run, patience).await,
            None => claim_channel(run, patience).await,
        }
    }
}

/// Whether some tab trains a run.
///
/// # Errors
/// The browser's words where it cannot say.
pub async fn is_alive(run: RunId) -> Result<bool, String> {
    let Some(locks) = locks() else {
        let Some(channel) = Channel::open(run) else {
            return Ok(false);
        };
        // Whoever only asks never gets in the way of one that wants it.
        return Ok(channel.ask(f64::INFINITY).await);
    };
    let failed = |error: JsValue| describe(&error);
    let answer = JsFuture::from(locks.query()).await.map_err(failed)?;
    let held = Reflect::get(&answer, &"held".into()).map_err(failed)?;
    let name = JsValue::from_str(&name(run));
    Ok(Array::from(&held)
        .iter()
        .any(|lock| Reflect::get(&lock, &"name".into()).is_ok_and(|found| found == name)))
}

fn locks() -> Option<LockManager> {
    navigator_member("locks")
}

fn name(run: RunId) -> String {
    format!("kiln.run.{}", run.0)
}

/// A promise, and what resolves it.
fn resolver() -> Option<(Function, JsValue)> {
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    Some((release?, held.into()))
}

async fn claim_lock(
    locks: &LockManager,
    run: RunId,
    patience: Patience,
) -> Result<Option<Alive>, String> {
    let options = Object::new();
    let (option, value) = match patience {
        Patience::None => ("ifAvailable", JsValue::TRUE),
        Patience::HandOver => ("signal", AbortSignal::timeout_with_u32(HAND_OVER_MS).into()),
    };
    Reflect::set(&options, &option.into(), &value).map_err(|error| describe(&error))?;
    let (release, held) = resolver().ok_or("it made no promise")?;
    let (sender, answer) = oneshot::channel();
    // The lock is given or not, or the request is refused: whichever comes first.
    let sender = Rc::new(RefCell::new(Some(sender)));
    let tell = move |answer: Result<bool, String>| {
        // Nobody listens any more when the page is left.
        drop(sender.take().map(|sender| sender.send(answer)));
    };
    let given = tell.clone();
    let callback = Closure::once_into_js(move |lock: JsValue| {
        given(Ok(!lock.is_null()));
        if lock.is_null() {
            JsValue::UNDEFINED
        } else {
            held
        }
    });
    let requested = locks.request(&name(run), &options, &callback);
    wasm_bindgen_futures::spawn_local(async move {
        if let Err(error) = JsFuture::from(requested).await {
            // Another tab has held it for all the time that there was.
            let is_late = Reflect::get(&error, &"name".into())
                .is_ok_and(|name| name == JsValue::from_str("TimeoutError"));
            tell(if is_late {
                Ok(false)
            } else {
                Err(describe(&error))
            });
        }
    });
    let is_given = answer
        .await
        .unwrap_or_else(|_| Err("it gave no answer".to_owned()))?;
    Ok(is_given.then_some(Alive(Hold::Lock(release))))
}

async fn claim_channel(run: RunId, patience: Patience) -> Result<Option<Alive>, String> {
    let channel = Channel::open(run).ok_or("it has neither locks nor channels")?;
    let attempts = match patience {
        Patience::None => 1,
        Patience::HandOver => HAND_OVER_MS / ANSWER_MS,
    };
    for _ in 0..attempts {
        if !channel.ask(js_sys::Math::random()).await {
            channel.is_held.set(true);
            return Ok(Some(Alive(Hold::Channel { _channel: channel })));
        }
    }
    Ok(None)
}

/// What tabs without locks say of a run.
#[derive(Serialize, Deserialize)]
enum Word {
    /// Does anybody have it? Of several that ask, the one with the least number is to get it.
    Ask(f64),
    /// It is taken.
    Taken,
}

/// A run's own channel.
struct Channel {
    channel: BroadcastChannel,
    /// Whether this tab has the run.
    is_held: Rc<Cell<bool>>,
    /// The number with which this tab is asking.
    asking: Rc<Cell<Option<f64>>>,
    is_taken: Rc<Cell<bool>>,
    _listener: EventListener,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl Channel {
    fn open(run: RunId) -> Option<Self> {
        let channel = BroadcastChannel::new(&name(run)).ok()?;
        let is_held: Rc<Cell<bool>> = Rc::default();
        let asking: Rc<Cell<Option<f64>>> = Rc::default();
        let is_taken: Rc<Cell<bool>> = Rc::default();
        let listener = EventListener::new(&channel, "message", {
            let channel = channel.clone();
            let (is_held, asking) = (Rc::clone(&is_held), Rc::clone(&asking));
            let is_taken = Rc::clone(&is_taken);
            move |event| match decode(event.unchecked_ref::<MessageEvent>().data()) {
                Ok(Word::Ask(other)) => {
                    let own = asking.get();
                    if is_held.get() || own.is_some_and(|own| own < other) {
                        say(&channel, &Word::Taken);
                    } else if own.is_some() {
                        // It may not have heard that this tab asks.
                        is_taken.set(true);
                    }
                }
                Ok(Word::Taken) => is_taken.set(true),
                // Another version of Kiln may say what this one does not know.
                Err(_) => {}
            }
        });
        Some(Self {
            channel,
            is_held,
            asking,
            is_taken,
            _listener: listener,
        })
    }

    /// Whether another tab has the run, or is to have it.
    async fn ask(&self, number: f64) -> bool {
        self.is_taken.set(false);
        self.asking.set(number.is_finite().then_some(number));
        say(&self.channel, &Word::Ask(number));
        TimeoutFuture::new(ANSWER_MS).await;
        self.asking.set(None);
        self.is_taken.get()
    }
}

fn say(channel: &BroadcastChannel, word: &Word) {
    // A channel is never closed before this is dropped, so that it cannot refuse.
    drop(encode(word).map(|value| channel.post_message(&value)));
}
