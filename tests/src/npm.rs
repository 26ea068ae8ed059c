//! Libraries for browsers, in the versions that a folder's lists of packages name.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::HarnessError;
use crate::python::succeeded;

/// Brings what `package.json` in this folder names into `node_modules/` beside it, where that is not
/// there yet. `size` says how much is loaded then.
///
/// # Errors
/// No npm, or packages that cannot be loaded.
pub fn libraries(folder: &Path, size: &str) -> Result<(), HarnessError> {
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(folder);
        command
    };
    let missing = |what: &str| HarnessError::Missing {
        what: format!("The libraries of {}/package.json {what}.", folder.display()),
        remedy: "Put Node.js with npm on PATH, or see to its way to the registry; then run this again.",
    };
    // Says whether what package.json names is there.
    let listed = npm(&["ls"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if succeeded(listed, || missing("need npm, which is not on PATH"))? {
        return Ok(());
    }
    eprintln!(
        "Loading the libraries into {}/node_modules (once, {size}).",
        folder.display()
    );
    let loaded = npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).status();
    if succeeded(loaded, || missing("need npm, which is not on PATH"))? {
        return Ok(());
    }
    Err(missing("could not be loaded; the reason stands above"))
}
