//! Places that nothing more can be put into.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::place::Place;

/// Kilobytes of the largest file that fits: more than a few lines, less than a checkpoint.
const ROOM_KB: u32 = 100;
/// Nobody, to whom permissions apply: they do not to the superuser.
const NOBODY: u32 = 65_534;

#[test]
fn where_there_is_no_room_a_run_loses_nothing_and_goes_on_where_there_is() {
    let place = Place::new();
    let train = |epochs, out| ["train", "small.config.json", "--set", epochs, "--out", out];
    place.done(&train("epochs=3", "whole"));
    place.done(&train("epochs=1", "out"));
    let before = fs::read(place.path("out/small.kiln.zip")).unwrap();

    // Whoever ignores the signal is told of the limit as of a full disk: writing fails.
    let limited = Command::new("bash")
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {ROOM_KB}; exec {} {}",
            env!("CARGO_BIN_EXE_kiln"),
            train("epochs=3", "out").join(" ")
        ))
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(limited.stderr).unwrap();
    assert!(!limited.status.success(), "{said}");
    assert!(
        said.contains("small could not be kept, and goes on."),
        "{said}"
    );
    assert!(said.contains("error: out/small.kiln.part: "), "{said}");
    assert_eq!(fs::read(place.path("out/small.kiln.zip")).unwrap(), before);
    assert!(!place.path("out/small.kiln.part").exists());

    place.done(&train("epochs=3", "out"));
    let (_, whole) = place.run("whole/small.kiln.zip");
    let (_, out) = place.run("out/small.kiln.zip");
    // A run of one epoch is validated more often: the losses of all steps are what is the same.
    let (whole, out) = (whole.history(), out.history());
    assert_eq!(whole.fingerprint(), out.fingerprint());
}

#[test]
fn a_folder_that_may_only_be_read_is_refused_before_anything_is_trained() {
    let place = Place::new();
    place.done(&[
        "train",
        "small.config.json",
        "--set",
        "epochs=1",
        "--out",
        "out",
    ]);
    let before = fs::read(place.path("out/small.kiln.zip")).unwrap();
    // Where the program lies, nobody may be allowed to look.
    let kiln = place.path("kiln");
    fs::copy(env!("CARGO_BIN_EXE_kiln"), &kiln).unwrap();
    for folder in [place.folder.path().to_owned(), place.path("out")] {
        fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
    }
    let mut train = Command::new(kiln);
    train
        .args([
            "train",
            "small.config.json",
            "--set",
            "epochs=2",
            "--out",
            "out",
        ])
        .current_dir(place.folder.path());
    if rustix::process::geteuid().is_root() {
        train.uid(NOBODY).gid(NOBODY);
    }
    let output = train.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.starts_with("error: out/"), "{said}");
    assert!(said.contains("ermission"), "{said}");
    assert_eq!(fs::read(place.path("out/small.kiln.zip")).unwrap(), before);
    // So that it can be taken away.
    for folder in [place.path("out"), place.folder.path().to_owned()] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
}
