//! Workers under names that say what is in them, so that no browser puts files of two versions
//! together: each gets a folder with the hash of its files, and `index.html` names it.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::index::Index;

/// The workers, by the names of their programs.
pub const WORKERS: [&str; 3] = ["cpu_worker", "gpu_worker", "file_worker"];
/// The one that a page which is served before all of it is built does without, and does not name.
pub const LAST: &str = WORKERS[1];
/// What each consists of, behind its name. They name each other by place, which stays.
const ENDINGS: [&str; 3] = ["_loader.js", ".js", "_bg.wasm"];
/// Digits of a hash that a name has.
const DIGITS: usize = 16;

/// Moves every worker.
///
/// # Errors
/// Files that are not as trunk leaves them.
pub fn name(dist: &Path) -> Result<(), Error> {
    let mut index = Index::of(dist)?;
    for worker in WORKERS {
        let files = ENDINGS.map(|ending| format!("{worker}{ending}"));
        let is_named = |file: &String| index.html().contains(file) || dist.join(file).exists();
        if worker == LAST && !files.iter().any(is_named) {
            continue;
        }
        let folder = format!(
            "{worker}-{}",
            hash(files.iter().map(|file| dist.join(file)))?
        );
        fs::create_dir_all(dist.join(&folder)).map_err(Error::of(&dist.join(&folder)))?;
        for file in &files {
            let from = dist.join(file);
            fs::rename(&from, dist.join(&folder).join(file)).map_err(Error::of(&from))?;
        }
        let named = |place: &str| format!("content=\"{place}{}\"", files[0]);
        index.change(&named(""), &named(&format!("{folder}/")))?;
    }
    index.write(dist)
}

/// What tells these files from any others, in hexadecimal.
///
/// # Errors
/// A file that cannot be read.
pub fn hash(files: impl IntoIterator<Item = PathBuf>) -> Result<String, Error> {
    let mut all = Sha256::new();
    for file in files {
        let bytes = fs::read(&file).map_err(Error::of(&file))?;
        all.update(Sha256::digest(&bytes));
    }
    Ok(hexadecimal(&all.finalize()))
}

/// As much of a hash as a name has.
pub fn hexadecimal(hash: &[u8]) -> String {
    let shown = hash.iter().take(DIGITS / 2);
    shown.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    fn dist(wasm: &str) -> tempfile::TempDir {
        let dist = tempfile::tempdir().unwrap();
        let mut html = String::new();
        for worker in WORKERS {
            for ending in ENDINGS {
                fs::write(dist.path().join(format!("{worker}{ending}")), wasm).unwrap();
            }
            html += &format!("<meta name=\"kiln-{worker}\" content=\"{worker}_loader.js\">");
        }
        fs::write(dist.path().join("index.html"), html).unwrap();
        dist
    }

    fn named(dist: &Path) -> String {
        let html = fs::read_to_string(dist.join("index.html")).unwrap();
        let (_, rest) = html
            .split_once("name=\"kiln-gpu_worker\" content=\"")
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    #[test]
    fn a_worker_is_where_the_page_looks_for_it_and_another_one_elsewhere() {
        let (first, second) = (dist("a"), dist("b"));
        name(first.path()).unwrap();
        name(second.path()).unwrap();
        for dist in [&first, &second] {
            assert!(dist.path().join(named(dist.path())).exists());
            assert!(!dist.path().join("gpu_worker_loader.js").exists());
        }
        assert_ne!(named(first.path()), named(second.path()));
    }

    #[test]
    fn a_page_may_be_without_its_gpu_worker_but_not_name_it_then() {
        let without = |html: fn(&str) -> String| {
            let dist = dist("a");
            for ending in ENDINGS {
                fs::remove_file(dist.path().join(format!("gpu_worker{ending}"))).unwrap();
            }
            let index = dist.path().join("index.html");
            let named = fs::read_to_string(&index).unwrap();
            fs::write(&index, html(&named)).unwrap();
            (name(dist.path()), dist)
        };
        let (unnamed, dist) = without(|html| html.replace("gpu_worker_loader.js", ""));
        unnamed.unwrap();
        assert!(!dist.path().join("cpu_worker_loader.js").exists());
        let (named, _dist) = without(str::to_owned);
        assert!(matches!(named, Err(Error::File { .. })));
    }

    #[test]
    fn a_page_that_names_no_worker_is_refused() {
        let dist = dist("a");
        fs::write(dist.path().join("index.html"), "<html></html>").unwrap();
        let error = name(dist.path()).unwrap_err().to_string();
        assert!(
            error.contains("content=\"cpu_worker_loader.js\""),
            "{error}"
        );
    }
}
