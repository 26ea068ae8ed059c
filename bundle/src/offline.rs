//! The service worker, which keeps all files of one version of the page, so that it needs no network.

use std::fs;
use std::path::Path;

use crate::compress::files;
use crate::error::Error;
use crate::name::hash;

/// The program; `VERSION` and `FILES` in it stand for what they are called.
const PROGRAM: &str = include_str!("service_worker.js");
/// The program in place of it where the page is built again and again: it takes itself away.
const NONE: &str = include_str!("no_service_worker.js");
/// Its name, which stays, for the browser to look for a newer one.
const NAME: &str = "service_worker.js";
/// For people, not for the page.
const LEFT_OUT: &str = "data/DATA.md";

/// Writes the service worker of the page as it is now.
///
/// # Errors
/// A file that cannot be read or written.
pub fn write(dist: &Path) -> Result<(), Error> {
    let mut all = files(dist)?;
    all.sort();
    // `index.html` names all others by their hashes.
    let version = hash([dist.join("index.html")])?;
    let mut names = Vec::new();
    for file in &all {
        let name = file.strip_prefix(dist).unwrap_or(file);
        let name = name.to_string_lossy().replace('\\', "/");
        if name != LEFT_OUT && name != NAME {
            names.push(format!("  \"{name}\",\n"));
        }
    }
    let program = PROGRAM
        .replace("\"VERSION\"", &format!("\"{version}\""))
        .replace("[\"FILES\"]", &format!("[\n{}]", names.concat()));
    put(dist, &program)
}

/// Writes one that takes itself away, and whatever an earlier one kept.
///
/// # Errors
/// A file that cannot be written.
pub fn write_none(dist: &Path) -> Result<(), Error> {
    put(dist, NONE)
}

fn put(dist: &Path, program: &str) -> Result<(), Error> {
    let path = dist.join(NAME);
    fs::write(&path, program).map_err(Error::of(&path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    #[test]
    fn it_names_every_file_and_a_version_that_follows_the_page() {
        let dist = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(dist.path().join(name), text).unwrap();
        fs::create_dir(dist.path().join("data")).unwrap();
        for name in ["data/a.0123.gz", LEFT_OUT, "style.css"] {
            put(name, "");
        }
        let written = |html: &str| {
            put("index.html", html);
            write(dist.path()).unwrap();
            fs::read_to_string(dist.path().join(NAME)).unwrap()
        };
        let (first, second) = (written("one"), written("two"));
        let listed = "[\n  \"data/a.0123.gz\",\n  \"index.html\",\n  \"style.css\",\n]";
        for program in [&first, &second] {
            assert!(program.contains(listed), "{program}");
            assert!(!program.contains("VERSION\""), "{program}");
        }
        assert_ne!(first, second);
        write_none(dist.path()).unwrap();
        let none = fs::read_to_string(dist.path().join(NAME)).unwrap();
        assert!(none.contains("unregister"), "{none}");
    }
}
