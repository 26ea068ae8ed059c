//! `kiln train` beside Keras, on the same cores: the same network, optimiser and dropout, an epoch of 60,000
//! images or as many as two seconds take.

use kiln_tests::{HarnessError, native};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::median;
use crate::peers::{keras, packages};

const BATCHES: [u32; 2] = [32, 128];

/// Measures both in turn, so many times, and prints the medians.
///
/// # Errors
/// No Keras, or no `kiln` that was built.
pub async fn compare(rounds: usize) -> Result<(), HarnessError> {
    let python = packages::python()?;
    println!("Images a second in training, on all cores; medians of {rounds} rounds.\n");
    println!("| Batch | kiln train, CPU | Keras, CPU | kiln / Keras |\n|---|---|---|---|");
    for batch in BATCHES {
        let (mut kiln, mut keras) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            kiln.extend(of_kiln(batch).await?);
            keras.push(keras::images_per_sec(&python, batch).await?);
        }
        if let Some((kiln, keras)) = median(kiln).zip(median(keras)) {
            println!("| {batch} | {kiln:.0} | {keras:.0} | {:.2} |", kiln / keras);
        }
    }
    Ok(())
}

/// The speeds that `kiln train` tells in one epoch.
async fn of_kiln(batch: u32) -> Result<Vec<f64>, HarnessError> {
    let folder = tempfile::tempdir()?;
    let settings = json!({ "epochs": 1, "batch_size": batch, "validation_split": 0.1 });
    std::fs::write(
        folder.path().join("epoch.config.json"),
        settings.to_string(),
    )?;
    let output = Command::new(native::kiln()?)
        .args(["train", "epoch.config.json", "--json"])
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output()
        .await?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let told = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let speeds: Vec<f64> = told
        .filter(|told| told["event"] == "speed")
        .filter_map(|told| told["images_per_sec"].as_f64())
        .collect();
    if speeds.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(HarnessError::Peer(format!("{}: {said}", output.status)));
    }
    Ok(speeds)
}
