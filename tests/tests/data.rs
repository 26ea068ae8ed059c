//! What is trained on, as a person meets it: MNIST, and files of one's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use kiln_model::spec::PIXELS;
use kiln_run::export::zip::Zip;
use kiln_tests::HarnessError;
use kiln_tests::page::Page;
use kiln_tests::server::{Server, dist};
use serde_json::json;
use tempfile::TempDir;

type Outcome = Result<(), HarnessError>;
/// A file of images, one of labels, and what is said to the two.
type Case<'a> = (&'a [u8], Option<&'a [u8]>, &'a str);

const TRAINING: usize = 60_000;
/// Of 60,000, with a split of 0.1.
const TRAINED_ON: usize = 54_000;

async fn open(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open_ready(server).await?;
    page.press("link", "Data").await?;
    Ok(page)
}

/// A file of MNIST without its header.
fn mnist(name: &str, header: usize) -> Vec<u8> {
    let file = std::fs::read(dist().join("data").join(name)).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file.as_slice())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes.split_off(header)
}

fn labels(name: &str) -> Vec<u8> {
    mnist(name, 8)
}

fn counts(labels: &[u8]) -> [usize; 10] {
    let mut counts = [0; 10];
    for label in labels {
        counts[usize::from(*label)] += 1;
    }
    counts
}

/// The figures of the table with this caption, row by row, thin spaces left out.
async fn figures(page: &Page) -> Result<Vec<Vec<String>>, HarnessError> {
    let rows = page
        .evaluate(
            "[...document.querySelectorAll('.bars tbody tr')].map(row =>
               [...row.querySelectorAll('td')].map(cell => cell.innerText.replaceAll('\\u2009', '').trim()))",
        )
        .await?;
    Ok(serde_json::from_value(rows).unwrap_or_default())
}

#[tokio::test]
async fn each_digit_is_counted_in_each_part() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    page.wait_for_text("accuracy is fair here", 60).await?;
    let training = labels("train-labels-idx1-ubyte.65a50cbb.gz");
    assert_eq!(training.len(), TRAINING);
    let parts = [
        counts(&training[..TRAINED_ON]),
        counts(&training[TRAINED_ON..]),
        counts(&labels("t10k-labels-idx1-ubyte.ff7bcfd4.gz")),
    ];
    let rows = figures(&page).await?;
    assert_eq!(rows.len(), 11);
    for (digit, row) in rows[..10].iter().enumerate() {
        assert_eq!(*row, parts.map(|part| part[digit].to_string()), "{digit}");
    }
    assert_eq!(rows[10], ["54000", "6000", "10000"]);

    page.press("button", "%").await?;
    let share = 100.0 * parts[2][1] as f64 / 10_000.0;
    page.wait_for_value(
        "document.querySelectorAll('.bars tbody tr')[1].cells[3].innerText.trim()",
        &json!(format!("{share:.2}\u{2009}%")),
        10,
    )
    .await?;

    // Where the test images validate, all 60,000 are trained on.
    page.press("link", "Train").await?;
    page.open_advanced().await?;
    page.choose("Validate on", "Test set").await?;
    page.press("link", "Data").await?;
    page.wait_for_text(
        "Largest 1: 6 742 (11.2 %), smallest 5: 5 421 (9.0 %): accuracy is fair here.",
        30,
    )
    .await?;
    page.close().await
}

async fn sample_names(page: &Page) -> Result<Vec<String>, HarnessError> {
    let names = page
        .evaluate("[...document.querySelectorAll('.sample')].map(sample => sample.ariaLabel)")
        .await?;
    Ok(serde_json::from_value(names).unwrap_or_default())
}

#[tokio::test]
async fn filters_of_the_first_layer_follow_training() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    page.wait_for_text("once a run has trained an epoch", 20)
        .await?;
    page.press("link", "Train").await?;
    page.open_advanced().await?;
    page.type_number("Training images", "1000").await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(1, 60).await?;
    page.press("link", "Data").await?;
    page.wait_for_text("Filters of the first layer in ash-cup-1 after step ", 60)
        .await?;
    let filters = "[...document.querySelectorAll('.filters svg')].map(filter => filter.innerHTML)";
    let before: Vec<String> = serde_json::from_value(page.evaluate(filters).await?).unwrap();
    assert_eq!(before.len(), 32);
    // The next epoch's are others, each of them.
    let before = serde_json::to_string(&before).unwrap();
    page.wait_for_value(
        &format!("{filters}.every((filter, index) => filter !== {before}[index])"),
        &json!(true),
        60,
    )
    .await?;
    assert_eq!(page.state().await?, "running");
    page.close().await
}

#[tokio::test]
async fn samples_are_filtered_shuffled_and_enlarged() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    let count = "document.querySelectorAll('.sample').length";
    page.wait_for_value(count, &json!(100), 60).await?;
    let all = sample_names(&page).await?;
    let training = labels("train-labels-idx1-ubyte.65a50cbb.gz");
    for name in &all {
        let (label, index) = name.split_once(", image ").unwrap();
        let index: usize = index.parse().unwrap();
        assert!(index < TRAINED_ON);
        assert_eq!(training[index].to_string(), label);
    }

    page.choose("Class", "7").await?;
    page.choose("Split", "Test").await?;
    let only_sevens = "[...document.querySelectorAll('.sample')].every(sample => sample.ariaLabel.startsWith('7,'))";
    page.wait_for_value(only_sevens, &json!(true), 20).await?;
    let test = labels("t10k-labels-idx1-ubyte.ff7bcfd4.gz");
    let is_test = |name: &String| {
        let index: usize = name.rsplit_once(' ').unwrap().1.parse().unwrap();
        test.get(index) == Some(&7)
    };
    let start = std::time::Instant::now();
    loop {
        let names = sample_names(&page).await?;
        if names.len() == 100 && names.iter().all(is_test) {
            break;
        }
        assert!(start.elapsed().as_secs() < 20, "{names:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let before = sample_names(&page).await?;
    page.press("button", "Shuffle").await?;
    let first = "document.querySelector('.sample').ariaLabel";
    let start = std::time::Instant::now();
    while page.evaluate(first).await? == json!(before[0]) {
        assert!(start.elapsed().as_secs() < 20);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    // By keyboard to the second of the second row, enlarged and closed again.
    let names = sample_names(&page).await?;
    assert!(names.iter().all(is_test), "{names:?}");
    page.focus("button", &names[0]).await?;
    page.key("ArrowDown").await?;
    page.key("ArrowRight").await?;
    page.key("Enter").await?;
    page.wait_for_value("document.querySelector('dialog').open", &json!(true), 10)
        .await?;
    let shown = page
        .evaluate("[...document.querySelectorAll('dialog tbody td')].map(cell => +cell.innerText)")
        .await?;
    let shown: Vec<u8> = serde_json::from_value(shown).unwrap();
    let index: usize = names[11].rsplit_once(' ').unwrap().1.parse().unwrap();
    let pixels = mnist("t10k-images-idx3-ubyte.0fa7898d.gz", 16);
    assert_eq!(shown, pixels[PIXELS * index..PIXELS * (index + 1)]);
    assert!(page.text().await?.contains("Digit 7"));
    page.key("Escape").await?;
    page.wait_for_value("document.querySelector('dialog').open", &json!(false), 10)
        .await?;
    page.close().await
}

/// An idx file.
fn idx(axes: &[u32], values: &[u8]) -> Vec<u8> {
    let magic = 0x0800 + axes.len() as u32;
    let words = std::iter::once(magic).chain(axes.iter().copied());
    let mut file: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    file.extend(values);
    file
}

/// The first so many test images of MNIST, as files of one's own: images and labels.
fn pair(count: usize) -> [Vec<u8>; 2] {
    let pixels = mnist("t10k-images-idx3-ubyte.0fa7898d.gz", 16);
    let labels = labels("t10k-labels-idx1-ubyte.ff7bcfd4.gz");
    [
        idx(&[count as u32, 28, 28], &pixels[..PIXELS * count]),
        idx(&[count as u32], &labels[..count]),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write(folder: &TempDir, files: &[(&str, &[u8])]) -> Vec<PathBuf> {
    let write = |(name, bytes): &(&str, &[u8])| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    files.iter().map(write).collect()
}

#[tokio::test]
async fn files_of_ones_own_are_trained_on_and_their_run_resumes() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    let folder = tempfile::tempdir()?;
    let [images, labels] = pair(1_400);
    let files = write(
        &folder,
        &[
            ("small-images.gz", &gzip(&images)),
            ("small-labels", &labels),
        ],
    );
    page.choose_files("Import", &files).await?;
    page.wait_for_text("its last seventh, 200 images, became the test set", 60)
        .await?;
    page.wait_for_state(&["ready"], 60).await?;
    // Training images are lowered to the 1,200 that there are: 1,080 and 120.
    page.wait_for_value(
        "document.querySelector('.bars tbody tr:last-child').innerText.replace(/\\D+/g, ' ').trim()",
        &json!("1 080 120 200"),
        30,
    )
    .await?;

    page.press("link", "Train").await?;
    page.wait_for_text("small: 1 200 training and 200 test images", 30)
        .await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.wait_for_text(
        "Only 1 200 training images in small; training images set to 1 200.",
        10,
    )
    .await?;
    page.press("button", "Step").await?;
    page.wait_for_step(2, 30).await?;
    // Neither other files nor MNIST while a run is open.
    page.press("link", "Data").await?;
    page.wait_for_text("Use MNIST again", 10).await?;
    let is_fixed = "function() { return this.disabled && this.title; }";
    let title = page.call("button", "Use MNIST again", is_fixed).await?;
    assert_eq!(title, "Fixed for this run. Stop to change.");

    page.reload().await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    page.wait_for_text("1 200 training and 200 test images", 60)
        .await?;
    // MNIST is loaded instead: resuming goes back to the run's own data.
    page.press("button", "Use MNIST again").await?;
    // The test set is MNIST's again.
    page.wait_for_text("1 135", 60).await?;
    page.press("link", "Train").await?;
    page.press("button", "Resume").await?;
    page.wait_for_step(4, 60).await?;
    page.press("button", "Stop").await?;
    // So few test images are scored at once.
    page.wait_for_state(&["stopped"], 60).await?;
    // It is evaluated on its own test images, and its network looks at the pad.
    page.press("link", "Evaluate").await?;
    page.wait_for_text("wrong of 200", 20).await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("Best weights, those of step", 20)
        .await?;
    let name = page.show_files().await?;
    let config = page.download(&format!("{name}.config.json")).await?;
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["data"]["name"], "small");
    let hash = config["data"]["hash"].as_str().unwrap().to_owned();
    assert_eq!(hash.len(), 64);
    assert_eq!(config["settings"]["training_images"], 1_200);

    // Without its data the run does not go on, and says so.
    page.press("link", "Data").await?;
    page.press("button", "Use MNIST again").await?;
    page.wait_for_text("1 135", 60).await?;
    // A run on MNIST beside it: the two are not compared as if they had learned the same.
    page.keep_short_run().await?;
    page.press("link", "Compare").await?;
    page.wait_for_text("trained on different data", 20).await?;
    page.press("link", "Runs").await?;
    page.press("button", &name).await?;
    page.press("button", "Open").await?;
    page.press("link", "Data").await?;
    let remove = format!("Remove small · {}", &hash[..8]);
    page.press("button", &remove).await?;
    page.wait_for_text("Runs that cannot go on without it: 1.", 20)
        .await?;
    page.press("link", "Train").await?;
    page.press("button", "Continue").await?;
    page.wait_for_text("which is no longer kept in this browser", 20)
        .await?;
    assert_eq!(page.state().await?, "stopped");
    page.press("link", "Data").await?;
    page.press("button", "Undo").await?;
    page.wait_for_text(&hash[..8], 10).await?;
    page.press("link", "Train").await?;
    page.press("button", "Continue").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn each_fault_of_files_is_a_sentence_and_the_data_stays() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    page.wait_for_text("accuracy is fair here", 60).await?;
    let folder = tempfile::tempdir()?;
    let [images, labels] = pair(1_400);
    let mut wrong_magic = images.clone();
    wrong_magic[3] = 9;
    let mut eleven = labels.clone();
    eleven[8 + 5] = 11;
    let zipped = gzip(&images);
    let wide = idx(&[1_400, 32, 32], &vec![0; 1_400 * 1_024]);
    let fewer = idx(&[1_399], &labels[8..8 + 1_399]);
    let many = idx(&[600_001, 28, 28], &[]);
    let cases: [Case<'_>; 9] = [
        (
            &wrong_magic,
            Some(&labels),
            "images holds bytes from 0 to 255 in 9 dimensions",
        ),
        (
            &images[..images.len() - 1],
            Some(&labels),
            "images: the file has 1097615 bytes, not 1097616",
        ),
        (
            &images,
            Some(&eleven),
            "labels: label 11 of image 5 is not a digit from 0 to 9",
        ),
        (
            &wide,
            Some(&labels),
            "images: the images are 32 × 32 pixels, not 28 × 28",
        ),
        (
            &images,
            Some(&fewer),
            "images has 1400 images but labels has 1399 labels",
        ),
        (
            &zipped[..zipped.len() / 2],
            Some(&labels),
            "images is cut off",
        ),
        (
            &many,
            Some(&labels),
            "there are 600001 images, more than the 600000",
        ),
        (
            &images,
            None,
            "Kiln takes 2 files (images and labels) or 4 (training and test), not 1",
        ),
        (
            &images,
            Some(&images),
            "there are 2 files of images and 0 of labels",
        ),
    ];
    for (images, labels, sentence) in cases {
        let mut files = vec![("images", images)];
        files.extend(labels.map(|labels| ("labels", labels)));
        page.choose_files("Import", &write(&folder, &files)).await?;
        page.wait_for_text(sentence, 30).await?;
        assert!(page.text().await?.contains("Nothing was changed."));
    }
    // Files that are dropped are taken as those that are chosen.
    let drop = "(() => { const files = new DataTransfer();
         for (const name of ['dropped', 'too']) files.items.add(new File(['no images'], name));
         document.querySelector('.data').dispatchEvent(
           new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })); })()";
    page.evaluate(drop).await?;
    page.wait_for_text("dropped is plain text, not images or labels", 30)
        .await?;
    // MNIST is as loaded as before, and trains.
    assert_eq!(figures(&page).await?[10], ["54000", "6000", "10000"]);
    page.press("link", "Train").await?;
    page.wait_for_text("MNIST: 60 000 training and 10 000 test images", 10)
        .await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    // An open run keeps its data, and that is said.
    page.press("link", "Data").await?;
    page.evaluate(drop).await?;
    page.wait_for_text("A run is open, and its data is fixed.", 10)
        .await?;
    page.close().await
}

/// MNIST's test images, the first so many of them: on their side, and class by class.
fn turned_and_sorted(count: usize) -> (Vec<u8>, Vec<u8>) {
    let (images, labels) = (
        mnist("t10k-images-idx3-ubyte.0fa7898d.gz", 16),
        labels("t10k-labels-idx1-ubyte.ff7bcfd4.gz"),
    );
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|index| labels[*index]);
    let side = 28;
    let turned = order.iter().flat_map(|index| {
        let image = &images[index * PIXELS..][..PIXELS];
        (0..PIXELS).map(move |place| image[place % side * side + place / side])
    });
    let sorted = order.iter().map(|index| labels[*index]).collect();
    (turned.collect(), sorted)
}

/// A zip with a folder and what macOS adds; images on their side and class by class are said to be so,
/// and one press each mends it.
#[tokio::test]
async fn data_comes_as_people_have_it() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    let (images, labels) = turned_and_sorted(2_100);
    let mut zip = Zip::new(Vec::new());
    for (name, bytes) in [
        ("letters/images-idx3", idx(&[2_100, 28, 28], &images)),
        ("letters/labels-idx1", idx(&[2_100], &labels)),
        ("__MACOSX/letters/._images-idx3", b"twin".to_vec()),
    ] {
        zip.store(name, &bytes).unwrap();
    }
    let folder = tempfile::tempdir()?;
    let archive = zip.finish().unwrap();
    page.choose_files("Import", &write(&folder, &[("letters.zip", &archive)]))
        .await?;
    page.wait_for_text("Imported letters", 60).await?;
    let told = page.text().await?;
    assert!(told.contains("look as if they lay on their side"), "{told}");
    assert!(told.contains("come class by class"), "{told}");
    // In the last images of a class-by-class file few classes are left to validate on.
    let classes = "[...document.querySelectorAll('.bars tbody tr')].slice(0, 10)
        .filter(row => row.querySelectorAll('td')[1].innerText !== '0').length";
    page.wait_for_value(&format!("{classes} < 4"), &json!(true), 60)
        .await?;
    for choice in ["Transpose", "Shuffle"] {
        page.press("button", choice).await?;
        let is_done = format!(
            "[...document.querySelectorAll('.sources button')].find(button =>
               button.innerText === {choice:?})?.ariaPressed"
        );
        page.wait_for_value(&is_done, &json!("true"), 60).await?;
    }
    page.wait_for_value(&format!("{classes} === 10"), &json!(true), 60)
        .await?;
    assert!(!page.text().await?.contains("look as if they lay"));
    // What was made of the same files before is not kept beside it.
    let kept = "document.querySelectorAll('.sources li').length";
    page.wait_for_value(kept, &json!(2), 20).await?;
    // A folder is dropped, with a folder in it.
    let inner = folder.path().join("dropped/inner");
    std::fs::create_dir_all(&inner)?;
    std::fs::write(
        inner.join("kuzushiji-images"),
        idx(&[1_400, 28, 28], &images[..1_400 * PIXELS]),
    )?;
    std::fs::write(
        inner.join("kuzushiji-labels"),
        idx(&[1_400], &labels[..1_400]),
    )?;
    page.drop_files(&[folder.path().join("dropped")]).await?;
    page.wait_for_text("Imported kuzushiji", 60).await?;
    page.close().await
}

/// Of more than two pairs it is asked which are meant.
#[tokio::test]
async fn of_many_pairs_it_is_asked_which_are_meant() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    let pixels = mnist("t10k-images-idx3-ubyte.0fa7898d.gz", 16);
    let all = labels("t10k-labels-idx1-ubyte.ff7bcfd4.gz");
    let mut files = Vec::new();
    for (name, from, count) in [
        ("digits-train", 0, 1_200),
        ("digits-test", 1_200, 300),
        ("letters-train", 2_000, 1_100),
    ] {
        let images = &pixels[from * PIXELS..][..count * PIXELS];
        files.push((
            format!("{name}-images"),
            idx(&[count as u32, 28, 28], images),
        ));
        files.push((
            format!("{name}-labels"),
            idx(&[count as u32], &all[from..][..count]),
        ));
    }
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let folder = tempfile::tempdir()?;
    page.choose_files("Import", &write(&folder, &files)).await?;
    page.wait_for_text("Which are meant?", 60).await?;
    page.choose(
        "Train on",
        "digits-train-images with digits-train-labels, 1\u{2009}200 images",
    )
    .await?;
    page.choose(
        "Test on",
        "digits-test-images with digits-test-labels, 300 images",
    )
    .await?;
    page.press("button", "Use these").await?;
    page.wait_for_text("Imported digits.", 60).await?;
    page.wait_for_text("1 200 training and 300 test images", 10)
        .await?;
    page.close().await
}

/// Data and its classes have the names that a person gives them: in tables, in charts, at the pad, in
/// files, for runs that were there before, and after a reload.
#[tokio::test]
async fn data_and_its_classes_are_called_as_a_person_likes() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    let folder = tempfile::tempdir()?;
    let [images, labels] = pair(1_400);
    let files = write(
        &folder,
        &[("wear-images", &images), ("wear-labels", &labels)],
    );
    page.choose_files("Import", &files).await?;
    page.wait_for_text("Imported wear", 60).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("link", "Train").await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["stopped"], 60).await?;

    page.press("link", "Data").await?;
    let rename = "[...document.querySelectorAll('.sources button')]
        .find(button => button.innerText === 'Rename').ariaLabel";
    let rename = page.evaluate(rename).await?;
    let rename = rename.as_str().unwrap_or_default().to_owned();
    assert!(rename.starts_with("Rename wear · "), "{rename}");
    page.press("button", &rename).await?;
    page.type_into("textbox", "Name of class 3", "Dress")
        .await?;
    page.type_into("textbox", "Name of class 4", " Dress ")
        .await?;
    page.press("button", "Save").await?;
    page.wait_for_text("Classes 3 and 4 are both called Dress.", 10)
        .await?;
    page.type_into("textbox", "Name of class 4", "Coat \"long\", <red>")
        .await?;
    page.type_into("textbox", "Name of the data", "  ").await?;
    page.press("button", "Save").await?;
    page.wait_for_text("The data needs a name.", 10).await?;
    page.type_into("textbox", "Name of the data", "wardrobe")
        .await?;
    page.press("button", "Save").await?;
    page.wait_for_value("document.querySelector('.naming')", &json!(null), 10)
        .await?;
    let heads =
        "[...document.querySelectorAll('.bars tbody th')].slice(2, 5).map(head => head.innerText)";
    let named = json!(["2", "Dress", "Coat \"long\", <red>"]);
    page.wait_for_value(heads, &named, 20).await?;
    assert!(page.text().await?.contains("Images of each class"));

    // The run that was there before, after a reload.
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("link", "Data").await?;
    page.wait_for_value(heads, &named, 60).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("wrong of 200", 20).await?;
    let matrix = "[...document.querySelectorAll('.matrix tbody th')].slice(2, 5).map(head => head.innerText)";
    page.wait_for_value(matrix, &named, 20).await?;
    let per_class = "[...document.querySelectorAll('.per-class tbody th')].slice(2, 5).map(head => head.innerText)";
    page.wait_for_value(per_class, &named, 20).await?;
    page.choose("Class", "Dress").await?;
    page.wait_for_text("images of Dress are missed", 20).await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("Best weights, those of step", 20)
        .await?;
    page.wait_for_value(heads, &named, 20).await?;

    let name = page.show_files().await?;
    let config = page.download(&format!("{name}.config.json")).await?;
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["data"]["name"], "wardrobe");
    assert_eq!(config["data"]["class_names"][4], "Coat \"long\", <red>");
    let report = page.download(&format!("{name}.report.html")).await?;
    let report = String::from_utf8(report).unwrap();
    assert!(
        report.contains("Coat &quot;long&quot;, &lt;red&gt;"),
        "{report}"
    );
    page.close().await
}
