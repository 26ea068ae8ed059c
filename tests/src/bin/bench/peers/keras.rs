//! Keras on TensorFlow, in a Python of its own.

use std::path::Path;

use kiln_tests::HarnessError;
use tokio::process::Command;

use super::packages::folder;

/// Images a second on all cores.
///
/// # Errors
/// A script that fails, with what Python says last.
pub async fn images_per_sec(python: &Path, batch: u32) -> Result<f64, HarnessError> {
    let output = Command::new(python)
        .arg(folder().join("train_keras.py"))
        .arg(batch.to_string())
        .kill_on_drop(true)
        .output()
        .await?;
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.trim().parse().map_err(|_| {
        let complaints = String::from_utf8_lossy(&output.stderr);
        let last = complaints.lines().last().unwrap_or_default();
        HarnessError::Peer(format!("{}: {last}", output.status))
    })
}
