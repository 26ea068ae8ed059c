//! Environments of Python packages in pinned versions.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::HarnessError;

/// The Python of an environment that has the packages of these lists; it is made once, and again where
/// a list has changed. `size` says how much is loaded then.
///
/// # Errors
/// No Python with venv, or packages that cannot be loaded.
pub fn environment(name: &str, lists: &[PathBuf], size: &str) -> Result<PathBuf, HarnessError> {
    let folder = target().join(name).join("venv");
    let python = folder.join("bin/python");
    let installed = folder.join("requirements.txt");
    let mut wanted = String::new();
    for list in lists {
        wanted += &std::fs::read_to_string(list)?;
    }
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    let missing = |what: &str| HarnessError::Missing {
        what: format!("The packages of {lists:?} {what}."),
        remedy: "Put a Python with venv and pip on PATH as python3, in a version that these packages \
                 are made for; then run this again.",
    };
    eprintln!(
        "Loading Python packages into {} (once, {size}).",
        folder.display()
    );
    let made = Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder)
        .status();
    if !succeeded(made, || missing("need python3, which is not on PATH"))? {
        return Err(missing("need venv; the reason stands above"));
    }
    let mut load = Command::new(&python);
    load.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    for list in lists {
        load.arg("--requirement").arg(list);
    }
    let loaded = load.status();
    if !succeeded(loaded, || missing("need a Python that is whole"))? {
        return Err(missing("could not be loaded; the reason stands above"));
    }
    std::fs::write(installed, wanted)?;
    Ok(python)
}

/// Where compiled code and what belongs to it lies.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

/// Whether a program succeeded; an error where there is no such program.
///
/// # Errors
/// No such program, or one that cannot be started.
pub fn succeeded(
    status: io::Result<ExitStatus>,
    missing: impl Fn() -> HarnessError,
) -> Result<bool, HarnessError> {
    match status {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
        Err(error) => Err(error.into()),
    }
}
