//! Every file of a run that the page trained, opened with the programs that it is for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_run::export::FORMATS;
use kiln_tests::page::Page;
use kiln_tests::python::environment;
use kiln_tests::server::Server;
use kiln_tests::{HarnessError, native};
use serde_json::{Map, Value, json};

type Outcome = Result<(), HarnessError>;

/// Test images whose logits are compared.
const IMAGES: usize = 100;
/// A name with all that a file name, a shell or a spreadsheet stumbles over.
const NAME: &str = "=1+1 \"é\" [NA]: 'x'/y";

/// What opens the files, each in the programs for some of them.
const SCRIPTS: [&str; 4] = ["keras_files.py", "models.py", "trackers.py", "reports.py"];

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// Saves every file of the shown run into a folder, with what the network says to the first test
/// images, and says what the names of the files begin with.
async fn leave(page: &Page, folder: &Path) -> Result<String, HarnessError> {
    let mut snippets = Map::new();
    let mut stem = String::new();
    for format in FORMATS {
        let file = format.file_name(NAME);
        let bytes = page.download(&file).await?;
        std::fs::write(folder.join(&file), bytes)?;
        let about = format.about();
        let language = format!("{:?}", about.language);
        let text = format.snippet(NAME);
        stem = file.trim_end_matches(about.ending).to_owned();
        snippets.insert(file, json!({ "language": language, "text": text }));
    }
    std::fs::write(
        folder.join("snippets.json"),
        Value::from(snippets).to_string(),
    )?;
    let dataset = native::dataset()?;
    let weights = std::fs::read(folder.join(format!("{stem}.safetensors")))?;
    let logits = native::logits(&native::weights(&weights)?, &dataset, 0, IMAGES).await?;
    let logits: Vec<u8> = logits
        .iter()
        .flat_map(|logit| logit.to_le_bytes())
        .collect();
    std::fs::write(folder.join("logits.f32"), logits)?;
    let images = dataset.test().images();
    let pixels: Vec<u8> = (0..IMAGES)
        .flat_map(|image| images.pixels(image).to_vec())
        .collect();
    std::fs::write(folder.join("images.u8"), pixels)?;
    Ok(stem)
}

/// Runs every script beside the files; each says what it checked.
fn open_all(folder: &Path, stem: &str) -> Outcome {
    // PyTorch is several times as large as all the others: it is asked for by name.
    let is_asked = std::env::var_os("KILN_INTEROP").is_some();
    let mut lists = vec![scripts().join("requirements.txt")];
    let (name, size) = if is_asked {
        lists.push(scripts().join("requirements-torch.txt"));
        ("interop-torch", "6 GB")
    } else {
        ("interop", "1.3 GB")
    };
    let python = environment(name, &lists, size)?;
    for script in SCRIPTS {
        let ended = Command::new(&python)
            .arg(scripts().join(script))
            .arg(folder)
            .arg(stem)
            .env("KERAS_BACKEND", "jax")
            .env("JAX_PLATFORMS", "cpu")
            .status()?;
        assert!(ended.success(), "{script} failed: see above");
    }
    Ok(())
}

#[tokio::test]
async fn every_file_opens_in_its_program() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("button", "Quick taste").await?;
    page.type_number("Epochs", "2").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 300).await?;
    page.press("link", "Runs").await?;
    let name = page.listed(1).await?.remove(0);
    page.press("button", &name).await?;
    page.key("F2").await?;
    page.type_text(NAME).await?;
    page.key("Enter").await?;
    page.press("link", "Files").await?;
    assert_eq!(page.show_files().await?, NAME);
    let folder = tempfile::tempdir()?;
    let stem = leave(&page, folder.path()).await?;
    page.close().await?;
    open_all(folder.path(), &stem)
}
