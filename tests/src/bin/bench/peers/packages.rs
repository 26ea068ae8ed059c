//! Brings what is measured, in the versions that `tests/peers/` names.

use std::path::PathBuf;

use kiln_tests::HarnessError;
use kiln_tests::npm::libraries;
use kiln_tests::python::environment;

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
    libraries(&folder(), "330 MB")?;
    Ok(Packages {
        python: python()?,
        versions: versions()?,
    })
}

/// The Python that has Keras, which is installed where it is missing.
///
/// # Errors
/// No Python, or packages that cannot be loaded.
pub fn python() -> Result<PathBuf, HarnessError> {
    let list = folder().join("requirements.txt");
    environment("peers", &[list], "1.6 GB of Keras and TensorFlow")
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
