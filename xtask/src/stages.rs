//! Long work in stages, with how long each of them took the last time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::Error;

/// What is still to be done.
pub struct Stages {
    /// Where the durations are kept: a stage and its seconds on each line.
    file: PathBuf,
    took_secs: BTreeMap<String, u64>,
    ahead: Vec<&'static str>,
}

impl Stages {
    /// These, in their order. Their durations are kept in a file of this folder.
    pub fn new(folder: &Path, names: &[&'static str]) -> Self {
        let file = folder.join("durations");
        // Whoever has none has not timed anything yet.
        let lines = fs::read_to_string(&file).unwrap_or_default();
        let took = lines.lines().filter_map(|line| {
            let (name, secs) = line.split_once(": ")?;
            Some((name.to_owned(), secs.parse().ok()?))
        });
        Self {
            took_secs: took.collect(),
            ahead: names.to_vec(),
            file,
        }
    }

    /// Does the next one: says which it is and what comes after it, and notes how long it takes.
    ///
    /// # Errors
    /// Those of the work.
    pub fn next(&mut self, work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        eprintln!("\n== {}", self.progress());
        let start = Instant::now();
        let outcome = work();
        if !self.ahead.is_empty() {
            let name = self.ahead.remove(0);
            if outcome.is_ok() {
                self.note(name, start.elapsed().as_secs());
            }
        }
        outcome
    }

    /// What is done now, and what is still to come.
    fn progress(&self) -> String {
        let mut said = self
            .ahead
            .iter()
            .map(|name| match self.took_secs.get(*name) {
                Some(secs) => format!("{name} ({} last time)", duration(*secs)),
                None => format!("{name} (not timed here yet)"),
            });
        let now = said.next().unwrap_or_default();
        let then: Vec<String> = said.collect();
        if then.is_empty() {
            format!("Now {now}.")
        } else {
            format!("Now {now}. Then {}.", then.join(", "))
        }
    }

    fn note(&mut self, name: &str, secs: u64) {
        self.took_secs.insert(name.to_owned(), secs);
        let lines = self.took_secs.iter();
        let lines: String = lines
            .map(|(name, secs)| format!("{name}: {secs}\n"))
            .collect();
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&self.file, lines));
        if let Err(error) = written {
            eprintln!(
                "How long it took cannot be noted in {}: {error}.",
                self.file.display()
            );
        }
    }
}

/// A duration as a person says it.
fn duration(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs} s"),
        _ => format!("{} min", (secs + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    #[test]
    fn what_is_to_come_is_said_with_how_long_it_took() {
        let folder = std::env::temp_dir().join(format!("kiln-stages-{}", std::process::id()));
        let names = ["tools", "page"];
        let mut stages = Stages::new(&folder, &names);
        assert_eq!(
            stages.progress(),
            "Now tools (not timed here yet). Then page (not timed here yet)."
        );
        stages.next(|| Ok(())).unwrap();
        stages.next(|| Err(Error::NoHome)).unwrap_err();

        let mut again = Stages::new(&folder, &names);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            again.progress(),
            "Now tools (0 s last time). Then page (not timed here yet)."
        );
        again.next(|| Ok(())).unwrap();
        assert_eq!(again.progress(), "Now page (not timed here yet).");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_duration_is_rounded_to_what_matters() {
        let said = [59, 60, 89, 90, 600].map(duration);
        assert_eq!(said, ["59 s", "1 min", "1 min", "2 min", "10 min"]);
    }
}
