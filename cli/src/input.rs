//! Runs and settings out of files.

use std::path::Path;

use kiln_model::config::Config;
use kiln_run::import::archive::{self, Unpacked};
use kiln_run::record::Record;
use kiln_run::set;
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::terminal::tell;

/// What ends the name of a file of settings.
const SETTINGS: [&str; 2] = [".config.json", ".json"];

/// What a file asks for.
#[derive(Debug)]
pub enum Input {
    /// A run to go on with.
    Run(Box<Unpacked>),
    /// Settings to begin with.
    Settings(Settings),
}

/// Settings out of a file.
#[derive(Debug)]
pub struct Settings {
    /// What the run is to be called.
    pub name: String,
    /// The settings.
    pub config: Config,
    /// The hash of the data that they were used with, where the file says it.
    pub data: Option<String>,
    /// What the run is found by, among others.
    pub tags: Vec<String>,
}

/// What a file asks for: the runs of an archive, or settings.
///
/// # Errors
/// A file that is neither.
pub fn read(path: &Path) -> Result<Vec<Input>, CliError> {
    let bytes = std::fs::read(path).map_err(CliError::of(path))?;
    // An archive never begins so.
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Ok(vec![Input::Settings(settings(path, &bytes)?)]);
    }
    let runs = unpack(path, &bytes)?.into_iter();
    Ok(runs.map(|run| Input::Run(Box::new(run))).collect())
}

/// The runs in a file.
///
/// # Errors
/// A file without any.
pub fn runs(path: &Path) -> Result<Vec<Unpacked>, CliError> {
    let bytes = std::fs::read(path).map_err(CliError::of(path))?;
    unpack(path, &bytes)
}

/// The runs in all of these files, as lists show them.
///
/// # Errors
/// A file without any.
pub fn records(paths: &[impl AsRef<Path>]) -> Result<Vec<Record>, CliError> {
    let mut records = Vec::new();
    for path in paths {
        records.extend(runs(path.as_ref())?.into_iter().map(|run| run.record));
    }
    Ok(records)
}

fn unpack(path: &Path, bytes: &[u8]) -> Result<Vec<Unpacked>, CliError> {
    let taken = archive::runs(bytes).map_err(|error| unreadable(path, error))?;
    for reason in &taken.refused {
        tell(format_args!(
            "A run was left out: {} {reason}.",
            path.display()
        ));
    }
    Ok(taken.runs)
}

fn settings(path: &Path, bytes: &[u8]) -> Result<Settings, CliError> {
    let file: Map<String, Value> = serde_json::from_slice(bytes)
        .map_err(|error| unreadable(path, format!("is no JSON: {error}")))?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let stem = path.file_name().unwrap_or_default().to_string_lossy();
    let ending = SETTINGS.iter().find(|ending| stem.ends_with(**ending));
    let stem = stem.strip_suffix(ending.copied().unwrap_or_default());
    // What describes a run is not a setting of it.
    let described = ["run", "data"].map(|key| file.get(key));
    let of_kiln = file.contains_key("settings");
    let config = set::of_file(&file)?;
    Ok(Settings {
        name: text(described[0].filter(|_| of_kiln))
            .or_else(|| stem.map(str::to_owned))
            .unwrap_or_default(),
        config,
        data: text(described[1].and_then(|data| data.get("hash"))),
        tags: Vec::new(),
    })
}

fn unreadable(path: &Path, reason: impl ToString) -> CliError {
    CliError::Unreadable {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
