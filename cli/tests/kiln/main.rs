//! The command as it is used: processes, files, signals.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod faults;
#[cfg(feature = "gpu")]
mod gpu;
mod place;
mod serve;

use std::io::{BufRead as _, BufReader};
use std::process::{Output, Stdio};

use kiln_model::dataset::Part;
use kiln_run::export::write_bare;
use kiln_run::import::archive::Unpacked;
use kiln_run::run::Status;
use serde_json::{Value, json};

use place::{Place, measured, terminate, train_and_terminate, wait_for};

#[test]
fn a_run_that_is_stopped_by_a_signal_goes_on_to_the_same_bits() {
    let place = Place::new();
    let asked = [
        "train",
        "small.config.json",
        "--set",
        "dropout=0.4",
        "--json",
    ];
    let whole = [&asked[..], &["--out", "whole"]].concat();
    let told = place.done(&whole);
    let (kept, uninterrupted) = place.run("whole/small.kiln.zip");
    let end: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(end["status"], "finished");
    assert_eq!(end["fingerprint"], json!(kept.record.summary.fingerprint));
    assert_eq!(uninterrupted.steps_done(), 270);

    let parts = [&asked[..], &["--out", "parts"]].concat();
    for (after, threads) in [(3, "1"), (11, "2")] {
        train_and_terminate(
            &place,
            &[&parts[..], &["--threads", threads]].concat(),
            after,
        );
        let (kept, stopped) = place.run("parts/small.kiln.zip");
        assert_eq!(kept.record.status, Status::Interrupted);
        assert!(
            (1..270).contains(&stopped.steps_done()),
            "{}",
            stopped.steps_done()
        );
    }
    place.done(&parts);
    let (kept, resumed) = place.run("parts/small.kiln.zip");
    assert_eq!(measured(&resumed), measured(&uninterrupted));
    let devices = &kept.record.identity;
    assert!(
        devices.device().starts_with("Native, CPU with "),
        "{}",
        devices.device()
    );
    assert_eq!(resumed.identity.taken_up.len(), 3);

    // Once more, and nothing changes: a scheduler may start what is done again.
    let before = std::fs::read(place.path("parts/small.kiln.zip")).unwrap();
    place.done(&parts);
    assert_eq!(
        std::fs::read(place.path("parts/small.kiln.zip")).unwrap(),
        before
    );
}

#[test]
fn a_run_that_is_over_goes_on_with_more_epochs() {
    let place = Place::new();
    let few = [
        "train",
        "small.config.json",
        "--set",
        "epochs=2",
        "--out",
        "out",
    ];
    place.done(&few);
    let again = ["train", "out/small.kiln.zip", "--out", "out"];
    let said = place.refused(&again);
    assert!(
        said.contains("small ended after 2 of 2 epochs. Say --set epochs=N"),
        "{said}"
    );
    let said = place.refused(&[
        "train",
        "out/small.kiln.zip",
        "--out",
        "out",
        "--set",
        "seed=1",
    ]);
    assert!(
        said.contains("seed cannot change in a run that goes on"),
        "{said}"
    );
    place.done(&[
        "train",
        "out/small.kiln.zip",
        "--out",
        "out",
        "--set",
        "epochs=3",
    ]);
    let (kept, run) = place.run("out/small.kiln.zip");
    assert_eq!(
        (run.steps_done(), kept.record.status.has_ended()),
        (27, true)
    );
    // The same again has nothing to do, and another learning rate is another run.
    place.done(&[&again[..], &["--set", "epochs=3"]].concat());
    assert_eq!(place.run("out/small.kiln.zip").1.steps_done(), 27);
    let other = [&few[..], &["--set", "learning_rate=0.01"]].concat();
    let said = place.refused(&other);
    assert!(said.contains("holds another run"), "{said}");
    // Elsewhere the same three epochs, of one go.
    place.done(&[
        "train",
        "small.config.json",
        "--set",
        "epochs=3",
        "--out",
        "one",
    ]);
    let (_, one) = place.run("one/small.kiln.zip");
    assert_eq!(run.history().fingerprint(), one.history().fingerprint());
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_changed() {
    let place = Place::new();
    let train = |more: &[&str]| place.refused(&[&["train", "small.config.json"], more].concat());
    let said = train(&["--set", "epoch=3"]);
    assert!(
        said.contains("There is no setting \"epoch\". The nearest is epochs"),
        "{said}"
    );
    let said = train(&["--set", "epochs=0"]);
    assert!(
        said.contains("Epochs must be a whole number from 1 to 50, not 0."),
        "{said}"
    );
    let said = train(&["--device", "tpu:0"]);
    assert!(
        said.contains("there are cpu, and wgpu, vulkan, metal and dx12"),
        "{said}"
    );
    // No machine has so many.
    let said = train(&["--device", "vulkan:999"]);
    assert!(
        said.contains("There is no device vulkan:999. There are: cpu"),
        "{said}"
    );
    // A folder cannot be below a file.
    let said = train(&["--out", "small.config.json/out"]);
    assert!(said.contains("small.config.json/out: "), "{said}");
    let said = place.refused(&["show", "small.config.json"]);
    assert!(said.starts_with("error: small.config.json "), "{said}");
    let files = std::fs::read_dir(place.folder.path()).unwrap();
    assert_eq!(files.count(), 1);

    place.put("small.kiln.zip", "no run");
    let said = train(&[]);
    assert!(said.contains("small.kiln.zip "), "{said}");
    assert_eq!(
        std::fs::read(place.path("small.kiln.zip")).unwrap(),
        b"no run"
    );
}

/// A tab keeps answers at once, and the checkpoint that they come after only later.
#[test]
fn what_was_answered_after_the_last_checkpoint_stands_in_the_file_once() {
    let place = Place::new();
    for (epochs, out) in [("epochs=1", "one"), ("epochs=2", "two")] {
        place.done(&["train", "small.config.json", "--set", epochs, "--out", out]);
    }
    let [(mut one, _), (two, _)] =
        ["one", "two"].map(|out| place.run(&format!("{out}/small.kiln.zip")));
    let steps = |run: &Unpacked| -> Vec<u32> {
        let answers = run
            .parcel
            .answers
            .iter()
            .filter(|kept| kept.part == Part::Validation);
        answers.map(|kept| kept.step).collect()
    };
    let all = steps(&two);
    assert!(all.contains(&18) && !steps(&one).contains(&18), "{all:?}");
    one.parcel.answers.extend(
        two.parcel
            .answers
            .into_iter()
            .filter(|kept| kept.step == 18),
    );
    let mut file = Vec::new();
    write_bare(&one.parcel, &mut |part: Vec<u8>, _| file.extend(part)).unwrap();
    std::fs::write(place.path("one/small.kiln.zip"), file).unwrap();
    place.done(&[
        "train",
        "one/small.kiln.zip",
        "--set",
        "epochs=2",
        "--out",
        "one",
    ]);
    let (kept, run) = place.run("one/small.kiln.zip");
    assert_eq!(
        (
            run.steps_done(),
            steps(&kept).iter().filter(|step| **step == 18).count()
        ),
        (18, 1)
    );
}

#[test]
fn one_process_writes_a_file() {
    let place = Place::new();
    let arguments = ["train", "small.config.json", "--json"];
    let mut first = place
        .kiln(&arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(first.stdout.take().unwrap()).lines();
    told.next().unwrap().unwrap();
    let said = place.refused(&arguments);
    assert!(
        said.contains(&format!("is being written by process {}.", first.id())),
        "{said}"
    );
    first.kill().unwrap();
    first.wait().unwrap();
    // Who died holds nothing.
    place.done(&["train", "small.config.json", "--set", "epochs=30"]);
}

#[test]
fn runs_are_shown_compared_and_exported() {
    let place = Place::new();
    place.put(
        "a.config.json",
        r#"{ "epochs": 1, "training_images": 1000, "batch_size": 100 }"#,
    );
    place.put(
        "b.config.json",
        r#"{ "epochs": 1, "training_images": 1000, "batch_size": 50 }"#,
    );
    place.done(&["train", "a.config.json", "b.config.json"]);
    let files = ["a.kiln.zip", "b.kiln.zip"];
    let is_a_first = |more: &[&str]| {
        let sort = ["show", "--sort", "batch size"];
        let shown = place.done(&[&sort[..], more, &files[..]].concat());
        shown.find(" a ").unwrap() < shown.find(" b ").unwrap()
    };
    assert_eq!(
        (is_a_first(&[]), is_a_first(&["--ascending"])),
        (true, false)
    );
    let records: Value =
        serde_json::from_str(&place.done(&[&["show", "--json"], &files[..]].concat())).unwrap();
    assert_eq!(records[1]["config"]["batch_size"], 50);
    let compared = place.done(&[&["compare", "--differences"], &files[..]].concat());
    assert!(
        compared.contains("Batch size") && !compared.contains("Optimizer"),
        "{compared}"
    );
    place.done(&[
        "export",
        "a.kiln.zip",
        "--as",
        "keras,wide.csv,onnx",
        "--out",
        "files",
    ]);
    for file in ["a.keras", "a-wide.csv", "a.onnx"] {
        assert!(
            place.path("files").join(file).metadata().unwrap().len() > 100,
            "{file}"
        );
    }
    let said = place.refused(&["export", "a.kiln.zip", "--as", "exe"]);
    assert!(
        said.contains("There is no format \"exe\". There are: kiln.zip, "),
        "{said}"
    );
}

/// Four runs of two epochs.
const GRID: &str = "\
search = \"grid\"
[settings]
epochs = 2
batch_size = 100
training_images = 1000
[vary]
optimizer = [\"sgd\"]
learning_rate = [0.01, 0.02, 0.05, 0.1]
";

/// The index of a sweep: a map of columns for each run, the best first.
fn index(place: &Place, folder: &str) -> Vec<Vec<(String, String)>> {
    let text = std::fs::read_to_string(place.path(folder).join("index.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(','));
    let header: Vec<&str> = lines.next().unwrap().collect();
    let row = |row: std::str::Split<char>| {
        let columns = header.iter().map(|column| (*column).to_owned());
        columns.zip(row.map(str::to_owned)).collect()
    };
    lines.map(row).collect()
}

fn column(rows: &[Vec<(String, String)>], name: &str) -> Vec<String> {
    let of = |row: &Vec<(String, String)>| {
        let mut found = row.iter().filter(|(column, _)| column == name);
        found.next().unwrap().1.clone()
    };
    rows.iter().map(of).collect()
}

#[test]
fn two_sweepers_do_each_unit_once() {
    let place = Place::new();
    place.put("rate.toml", GRID);
    let said = place.done(&["sweep", "rate.toml", "--out", "out"]);
    assert!(said.starts_with("4 runs (4 to epoch 2) in out."), "{said}");
    let rows = index(&place, "out");
    assert_eq!(column(&rows, "status"), ["Waiting"; 4]);
    assert_eq!(
        column(&rows, "run"),
        ["rate-1", "rate-2", "rate-3", "rate-4"]
    );

    let sweep = ["sweep", "rate.toml", "--out", "out", "--run", "--json"];
    let sweepers = [0, 1].map(|_| {
        let mut kiln = place.kiln(&sweep);
        kiln.args(["--device", "cpu,cpu", "--threads", "1"]);
        kiln.stdout(Stdio::piped()).spawn().unwrap()
    });
    let mut begun = Vec::new();
    for sweeper in sweepers {
        let Output { status, stdout, .. } = sweeper.wait_with_output().unwrap();
        assert!(status.success());
        for line in String::from_utf8(stdout).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["event"] == "begin" {
                begun.push(line["run"].as_str().unwrap().to_owned());
            }
        }
    }
    begun.sort();
    assert_eq!(begun, ["rate-1", "rate-2", "rate-3", "rate-4"]);
    let rows = index(&place, "out");
    assert_eq!(column(&rows, "status"), ["Finished"; 4]);
    let losses: Vec<f64> = column(&rows, "validation_loss")
        .iter()
        .map(|loss| loss.parse().unwrap())
        .collect();
    assert!(losses.is_sorted(), "{losses:?}");

    // Again there is nothing to do, and another sweep does not come in between.
    let said = place.kiln(&["sweep", "--next", "out"]).output().unwrap();
    assert!(
        String::from_utf8(said.stderr)
            .unwrap()
            .contains("all is done")
    );
    place.put("rate.toml", &GRID.replace("0.02", "0.03"));
    let refused = place.refused(&["sweep", "rate.toml", "--out", "out"]);
    assert!(refused.contains("out holds another sweep."), "{refused}");
}

#[test]
fn the_unit_of_a_killed_sweeper_is_taken_up_again() {
    let place = Place::new();
    place.put(
        "long.toml",
        "search = \"grid\"\n[settings]\nepochs = 30\nbatch_size = 100\ntraining_images = 1000\n[vary]\nseed = [1]\n",
    );
    place.done(&["sweep", "long.toml", "--out", "out"]);
    let mut kiln = place.kiln(&["sweep", "--next", "out", "--json"]);
    let mut child = kiln.stdout(Stdio::piped()).spawn().unwrap();
    wait_for(&mut child, "kept");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(column(&index(&place, "out"), "status"), ["Waiting"]);

    let said = place.done(&["sweep", "--next", "out", "--json"]);
    let begun: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!(begun["run"], "long-1");
    assert!(begun["step"].as_u64().unwrap() > 0, "{begun}");
    assert_eq!(column(&index(&place, "out"), "status"), ["Finished"]);
    // What was interrupted is no different from what was not.
    place.done(&["train", "out/long-1.config.json", "--out", "whole"]);
    let (swept, whole) = (
        place.run("out/long-1.kiln.zip"),
        place.run("whole/long-1.kiln.zip"),
    );
    assert_eq!(measured(&swept.1), measured(&whole.1));
}

#[test]
fn of_a_halving_the_best_go_on_and_a_run_that_fails_stops_nobody() {
    let place = Place::new();
    place.put(
        "half.toml",
        "search = \"halving\"\nruns = 4\nkeep_one_of = 2\n[settings]\noptimizer = \"sgd\"\nepochs = 4\n\
         batch_size = 100\ntraining_images = 1000\n[vary]\nlearning_rate = [0.001, 0.01, 0.05, 0.1]\n",
    );
    place.done(&["sweep", "half.toml", "--out", "out"]);
    // One of them finds something else in its place.
    std::fs::write(place.path("out/half-2.kiln.zip"), "no archive").unwrap();
    place.done(&["sweep", "half.toml", "--out", "out", "--run"]);
    let rows = index(&place, "out");
    assert_eq!(column(&rows, "epochs"), ["4", "2", "1", ""]);
    assert_eq!(column(&rows, "run")[3], "half-2");
    assert!(column(&rows, "refused")[3].contains("half-2.kiln.zip"));
}

#[test]
fn a_sweeper_that_is_to_end_says_that_something_is_left_and_its_run_goes_on_to_the_same_epoch() {
    let place = Place::new();
    place.put(
        "half.toml",
        "search = \"halving\"\nruns = 2\nkeep_one_of = 20\n[settings]\nepochs = 20\nbatch_size = 100\n\
         training_images = 1000\npatience = \"none\"\n[vary]\nlearning_rate = [0.001, 0.002]\n",
    );
    place.done(&["sweep", "half.toml", "--out", "out"]);
    for _ in 0..2 {
        place.done(&["sweep", "--next", "out"]);
    }
    let mut kiln = place.kiln(&["sweep", "--next", "out", "--json"]);
    let mut child = kiln.stdout(Stdio::piped()).spawn().unwrap();
    wait_for(&mut child, "epoch");
    terminate(child.id());
    assert!(!child.wait().unwrap().success());
    assert_eq!(
        column(&index(&place, "out"), "status"),
        ["Unfinished", "Finished"]
    );

    // Other images are other results.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/data");
    let [labels, images] = [
        "labels-idx1-ubyte.ff7bcfd4.gz",
        "images-idx3-ubyte.0fa7898d.gz",
    ]
    .map(|file| format!("{folder}/t10k-{file}"));
    let other = ["sweep", "--next", "out", "--data", &labels, &images];
    let refused = place.refused(&other);
    assert!(
        refused.contains("out is trained on data with the hash"),
        "{refused}"
    );

    place.done(&["sweep", "--next", "out"]);
    let rows = index(&place, "out");
    assert_eq!(column(&rows, "status"), ["Finished"; 2]);
    assert_eq!(column(&rows, "epochs"), ["20", "1"]);
    assert_eq!(column(&rows, "refused"), ["", ""]);
}

#[test]
fn a_sweep_that_cannot_be_says_why_and_leaves_nothing() {
    let place = Place::new();
    for (text, told) in [
        ("search = \"grid\"", "missing field `vary`"),
        (
            "search = \"gird\"\n[vary]\nseed = [1]",
            "unknown variant `gird`",
        ),
        (
            "serch = \"grid\"\n[vary]\nseed = [1]",
            "unknown field `serch`",
        ),
        (
            "search = \"grid\"\n[vary]\nlearning_rat = [1]",
            "The nearest is learning_rate",
        ),
        (
            "search = \"grid\"\n[vary]\nepochs = [51]",
            "from 1 to 50, not 51",
        ),
        ("search = \"random\"\n[vary]\nseed = [1]", "needs runs"),
        (
            "search = \"halving\"\nruns = 2\n[settings]\nepochs = 1\n[vary]\nseed = [1, 2]",
            "needs more epochs",
        ),
    ] {
        place.put("grid.toml", text);
        let said = place.refused(&["sweep", "grid.toml", "--out", "out"]);
        assert!(said.contains(told), "{said}");
        assert!(!place.path("out").exists());
    }
    let said = place.refused(&["sweep", "--next", "nowhere"]);
    assert!(said.contains("nowhere/sweep.toml"), "{said}");
}
