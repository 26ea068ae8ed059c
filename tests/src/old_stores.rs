//! Databases as earlier Kilns kept them.

use serde_json::{Map, Value, json};

use crate::HarnessError;
use crate::page::Page;
use crate::server::{STILL, Server};

/// All that the Kiln of f829b79 kept, whose database had version 2: a run of one step, a whole one
/// with a score, one that failed, and one that was paused when its tab was closed. All weights are
/// 0, which changes no figure. Bytes are in base64 under `$b`.
const RUNS_OF_VERSION_2: &[u8] = include_bytes!("../fixtures/runs-of-version-2.json.gz");

/// The stores of that database by name, and what is in them.
///
/// # Errors
/// A fixture that was altered.
pub fn of_version_2() -> Result<Map<String, Value>, HarnessError> {
    let unreadable = |error: &dyn ToString| HarnessError::Unreadable {
        what: "the runs of version 2".to_owned(),
        answer: error.to_string(),
    };
    let json = flate2::read::GzDecoder::new(RUNS_OF_VERSION_2);
    let mut all: Value = serde_json::from_reader(json).map_err(|error| unreadable(&error))?;
    match all["stores"].take() {
        Value::Object(stores) => Ok(stores),
        other => Err(unreadable(&other)),
    }
}

/// The same of version 1, which had whole runs in one store and knew no colours, tags, notes or
/// times of day: the first run alone.
///
/// # Errors
/// A fixture that was altered.
pub fn of_version_1() -> Result<Map<String, Value>, HarnessError> {
    let stores = of_version_2()?;
    let (run, file) = (&stores["runs"][0], &stores["checkpoints"][0]);
    let mut identity = run["record"]["identity"].clone();
    if let Value::Object(identity) = &mut identity {
        identity
            .retain(|name, _| !["colour", "tags", "notes", "taken_up"].contains(&name.as_str()));
    }
    let whole = json!({
        "id": run["id"],
        "identity": identity,
        "status": run["record"]["status"],
        "checkpoint": file["checkpoint"],
    });
    Ok(Map::from_iter([("runs".to_owned(), json!([whole]))]))
}

impl Page {
    /// Opens the page in a browser that has this database from before.
    ///
    /// # Errors
    /// No Chromium, or a page that cannot be opened.
    pub async fn open_with_stores(
        server: &Server,
        version: u32,
        stores: &Map<String, Value>,
    ) -> Result<Self, HarnessError> {
        // Of the same origin, and without the page, which would open the database first.
        let page = Self::open_at(server, STILL).await?;
        let stores = Value::from(stores.clone());
        page.evaluate(&format!(
            "(async () => {{
               const keys = {{ runs: 'id', checkpoints: 'id', answers: ['run', 'part', 'step'],
                               data: 'summary.hash', data_files: 'hash' }};
               const read = value => Array.isArray(value) ? value.map(read)
                 : value === null || typeof value !== 'object' ? value
                 : '$b' in value ? Uint8Array.from(atob(value.$b), letter => letter.charCodeAt(0))
                 : Object.fromEntries(Object.entries(value).map(([key, value]) => [key, read(value)]));
               const of = request => new Promise((done, failed) => {{
                 request.onsuccess = () => done(request.result); request.onerror = failed; }});
               const stores = {stores};
               const opening = indexedDB.open('kiln', {version});
               opening.onupgradeneeded = () => {{
                 for (const name of Object.keys(stores))
                   opening.result.createObjectStore(name, {{ keyPath: keys[name] }});
               }};
               const database = await of(opening);
               for (const [name, values] of Object.entries(stores))
                 for (const value of values)
                   await of(database.transaction(name, 'readwrite').objectStore(name).put(read(value)));
               database.close();
             }})()"
        ))
        .await?;
        page.go_to(&server.url()).await?;
        Ok(page)
    }
}
