//! Training on a GPU, or on what computes in its place, against the CPU.

use serde_json::json;

use crate::place::{Place, measured, train_and_terminate};

/// Losses of 20 steps differ by so much at most, as those of the kernels' own tests: a gradient of 1e-6
/// can become a whole step of the rate where Adam divides by its length.
const LOSS_TOLERANCE: f64 = 2e-3;
/// So many they differ by so little.
const STEPS: usize = 20;

/// The first GPU. Without one there is nothing to test, and `cargo xtask test` does not come here.
fn device(place: &Place) -> String {
    let listed = place.done(&["devices"]);
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    let device = names.skip(1).map(str::to_owned).next();
    device.unwrap_or_else(|| panic!("there is no GPU here: {listed}"))
}

#[test]
fn twenty_steps_are_the_cpus() {
    let place = Place::new();
    let device = device(&place);
    let settings = json!({ "epochs": 1, "batch_size": 32, "training_images": 1_000 });
    place.put("steps.config.json", &settings.to_string());
    let losses = |device: &str| {
        place.done(&[
            "train",
            "steps.config.json",
            "--device",
            device,
            "--out",
            device,
        ]);
        let (kept, run) = place.run(&format!("{device}/steps.kiln.zip"));
        let steps = run.history().steps.since(0).take(STEPS);
        let losses: Vec<f64> = steps.map(|step| step.value.quality.loss).collect();
        (kept.record.identity.device(), losses)
    };
    let (_, expected) = losses("cpu");
    let (words, found) = losses(&device);
    assert!(words.starts_with("Native, "), "{words}");
    assert_eq!((found.len(), expected.len()), (STEPS, STEPS));
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= LOSS_TOLERANCE,
            "{words}: {found} instead of {expected}"
        );
    }
}

#[test]
fn a_run_that_is_stopped_on_a_gpu_goes_on_to_the_same_bits() {
    let place = Place::new();
    let device = device(&place);
    let asked = [
        "train",
        "small.config.json",
        "--set",
        "epochs=3",
        "--json",
        "--device",
    ];
    let asked = [&asked[..], &[device.as_str()]].concat();
    place.done(&[&asked[..], &["--out", "whole"]].concat());
    let parts = [&asked[..], &["--out", "parts"]].concat();
    train_and_terminate(&place, &parts, 2);
    let (stopped, _) = place.run("parts/small.kiln.zip");
    assert!(!stopped.record.status.has_ended());
    place.done(&parts);
    let (_, whole) = place.run("whole/small.kiln.zip");
    let (_, parts) = place.run("parts/small.kiln.zip");
    assert_eq!(measured(&whole), measured(&parts));
}
