//! Brings what is measured, in the versions that `tests/peers/` names.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kiln_tests::HarnessError;

/// What was installed.
#[derive(Debug)]
pub struct Packages {
    /// The Python that has Keras.
    pub python: PathBuf,
    /// Names and versions, for a person.
    pub versions: String,
}

/// The folder of the modules, the script and the lists of packages.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"))
}

/// Installs the packages that are missing.
///
/// # Errors
/// No npm, no Python, or packages that cannot be loaded.
pub fn install() -> Result<Packages, HarnessError> {
    install_libraries()?;
    let python = install_keras()?;
    Ok(Packages {
        python,
        versions: versions()?,
    })
}

/// The libraries for the browser, into `tests/peers/node_modules/`.
fn install_libraries() -> Result<(), HarnessError> {
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(folder());
        command
    };
    let missing = |what: &str| HarnessError::Missing {
        what: format!("The libraries of tests/peers/package.json {what}."),
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
    eprintln!("Loading the libraries into tests/peers/node_modules (once, 330 MB).");
    let loaded = npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).status();
    if succeeded(loaded, || missing("need npm, which is not on PATH"))? {
        return Ok(());
    }
    Err(missing("could not be loaded; the reason stands above"))
}

/// Keras with TensorFlow, into `target/peers/venv/`; the Python that has them.
fn install_keras() -> Result<PathBuf, HarnessError> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/venv");
    let python = venv.join("bin/python");
    let missing = |what: &str| HarnessError::Missing {
        what: format!("The packages of tests/peers/requirements.txt {what}."),
        remedy: "Put a Python with venv and pip on PATH as python3, in a version that TensorFlow has \
                 packages for; then remove target/peers and run this again.",
    };
    if !python.exists() {
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .status();
        if !succeeded(made, || missing("need python3, which is not on PATH"))? {
            return Err(missing("need venv; the reason stands above"));
        }
    }
    eprintln!("Keras and TensorFlow, in target/peers/venv (1.6 GB where they are not there yet).");
    let loaded = Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .arg("--requirement")
        .arg(folder().join("requirements.txt"))
        .status();
    if succeeded(loaded, || {
        missing("need the Python in target/peers/venv, which is broken")
    })? {
        return Ok(python);
    }
    Err(missing("could not be loaded; the reason stands above"))
}

/// Whether a program succeeded; an error where there is no such program.
fn succeeded(
    status: io::Result<std::process::ExitStatus>,
    missing: impl Fn() -> HarnessError,
) -> Result<bool, HarnessError> {
    match status {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// The exact versions that the lists of packages name.
fn versions() -> Result<String, HarnessError> {
    let file = std::fs::read(folder().join("package.json"))?;
    let package: serde_json::Value =
        serde_json::from_slice(&file).map_err(|error| HarnessError::Unreadable {
            what: "tests/peers/package.json".to_owned(),
            answer: error.to_string(),
        })?;
    let dependencies = package["dependencies"].as_object();
    let mut versions: Vec<String> = dependencies
        .into_iter()
        .flatten()
        .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()))
        .collect();
    let requirements = std::fs::read_to_string(folder().join("requirements.txt"))?;
    versions.extend(requirements.lines().map(|line| line.replace("==", " ")));
    Ok(versions.join(", "))
}
