//! Where a test's processes work, and what came of them.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use kiln_run::import::archive::{Unpacked, runs};
use kiln_run::run::Run;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Some two seconds of training: long enough to be stopped, short enough to wait for.
pub fn settings() -> Value {
    json!({ "epochs": 30, "batch_size": 100, "training_images": 1_000, "patience": null })
}

/// A folder with settings of a short run, and the command in it.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    /// An empty one but for `small.config.json`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        place.put("small.config.json", &settings().to_string());
        place
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file there.
    pub fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The command, in this folder.
    pub fn kiln(&self, arguments: &[&str]) -> Command {
        let mut kiln = Command::new(env!("CARGO_BIN_EXE_kiln"));
        kiln.args(arguments).current_dir(self.folder.path());
        kiln
    }

    /// What a command prints that does its work.
    pub fn done(&self, arguments: &[&str]) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = self.kiln(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{arguments:?}: {said}");
        String::from_utf8(stdout).unwrap()
    }

    /// What a command says that does not.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let Output { status, stderr, .. } = self.kiln(arguments).output().unwrap();
        assert!(!status.success(), "{arguments:?}");
        String::from_utf8(stderr).unwrap()
    }

    /// The one run of an archive.
    pub fn run(&self, name: &str) -> (Unpacked, Run) {
        let mut taken = runs(&std::fs::read(self.path(name)).unwrap()).unwrap();
        assert!(taken.refused.is_empty(), "{:?}", taken.refused);
        let unpacked = taken.runs.pop().unwrap();
        let run = unpacked.parcel.read().unwrap();
        (unpacked, run)
    }
}

/// Asks a process to end, as a scheduler does.
pub fn terminate(pid: u32) {
    let sent = Command::new("kill")
        .args(["-TERM", &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Begins to train, and asks it to end once it has told of something so many times.
pub fn train_and_terminate(place: &Place, arguments: &[&str], after: usize) {
    let mut kiln = place.kiln(arguments);
    let mut child = kiln.stdout(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    for (index, line) in told.lines().enumerate() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert!(line["event"].is_string(), "{line}");
        if index == after {
            terminate(child.id());
        }
    }
    assert!(child.wait().unwrap().success());
}

/// Reads what is told as JSON until something has happened to a run.
pub fn wait_for(child: &mut Child, event: &str) {
    let told = BufReader::new(child.stdout.take().unwrap());
    let wanted = format!("\"event\":\"{event}\"");
    let mut lines = told.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(&wanted)));
}

/// What training measured, but for the time that it took.
pub fn measured(run: &Run) -> Vec<String> {
    let history = run.history();
    let steps = history
        .steps
        .since(0)
        .map(|step| format!("{} {:?}", step.moment.step, step.value));
    let all = [&history.epochs, &history.validations].map(|some| {
        let some = some.iter();
        some.map(|one| format!("{} {:?}", one.moment.step, one.value))
            .collect::<Vec<_>>()
    });
    steps
        .chain(all.concat())
        .chain([format!("{:?}", history.score.map(|score| score.value))])
        .collect()
}
