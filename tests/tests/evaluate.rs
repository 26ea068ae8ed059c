//! What a run's network says to every image, as a person looks into it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_tests::HarnessError;
use kiln_tests::page::{Page, with_database};
use kiln_tests::server::Server;
use serde_json::{Value, json};

type Outcome = Result<(), HarnessError>;

/// A count up to 9,999 as the page writes it.
fn thousands(count: usize) -> String {
    match (count / 1_000, count % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands} {rest:03}"),
    }
}

/// The figures of the confusion matrix.
async fn matrix(page: &Page) -> Result<Vec<Vec<f64>>, HarnessError> {
    let rows = page
        .evaluate(
            "[...document.querySelectorAll('.matrix tbody tr')].map(row =>
               [...row.querySelectorAll('td')].map(cell => Number(cell.innerText.replace(/\\s/g, ''))))",
        )
        .await?;
    Ok(serde_json::from_value(rows).unwrap_or_default())
}

/// What the threshold moves: the points on both curves, the table and the sentence.
async fn at_threshold(page: &Page) -> Result<(Value, Vec<u32>, String), HarnessError> {
    let points = page
        .evaluate("[...document.querySelectorAll('.point')].map(point => point.style.cssText)")
        .await?;
    let table = page
        .evaluate(
            "[...document.querySelectorAll('.calls tbody td')].map(cell => Number(cell.innerText.replace(/\\s/g, '')))",
        )
        .await?;
    let sentence = page
        .evaluate("document.querySelector('.sentence').innerText.replace(/\\u2009/g, '')")
        .await?;
    Ok((
        points,
        serde_json::from_value(table).unwrap_or_default(),
        sentence.as_str().unwrap_or_default().to_owned(),
    ))
}

/// The images that are shown of a cell.
async fn wait_for_images(page: &Page, count: usize) -> Outcome {
    page.wait_for_value(
        "document.querySelectorAll('.cell-panel figure').length",
        &json!(count),
        30,
    )
    .await?;
    let inked = "[...document.querySelectorAll('.cell-panel canvas')].every(canvas =>
        canvas.getContext('2d').getImageData(0, 0, 28, 28).data.some(part => part > 0))";
    page.wait_for_value(inked, &json!(true), 60).await
}

/// The accuracy on the test images, as Evaluate shows it.
async fn scored_accuracy(page: &Page) -> Result<String, HarnessError> {
    let text = page.text().await?;
    let headline = text.lines().find(|line| line.contains("wrong of 10 000"));
    let (accuracy, _) = headline.unwrap().split_once(", ").unwrap();
    Ok(accuracy.to_owned())
}

#[tokio::test]
async fn a_scored_run_is_looked_into() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("Train a run first", 10).await?;
    page.press("link", "Train").await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(20, 60).await?;
    // An open run has no score yet; its validations are seen as they come.
    page.press("link", "Evaluate").await?;
    page.wait_for_text("This run is still going: the test set is scored once", 10)
        .await?;
    page.choose("Split", "Validation").await?;
    page.wait_for_text("wrong of 600", 120).await?;
    page.choose("Split", "Test").await?;
    // Answers are never kept without their run, which is kept for the first time later.
    let are_strays = with_database(
        None,
        "const [runs, answers] = await Promise.all(['runs', 'answers'].map(name =>
           of(store(name).getAllKeys())));
         return answers.some(([run]) => !runs.includes(run));",
    );
    assert_eq!(page.evaluate(&are_strays).await?, json!(false));
    page.wait_for_state(&["finished"], 400).await?;
    page.wait_for_text("wrong of 10 000", 30).await?;
    assert_eq!(page.evaluate(&are_strays).await?, json!(false));

    // The matrix holds every image, and its diagonal is the accuracy.
    let counts = matrix(&page).await?;
    let all: f64 = counts.iter().flatten().sum();
    let right: f64 = (0..10).map(|class| counts[class][class]).sum();
    assert_eq!(all, 10_000.0);
    let headline = format!(
        "{:.2} %, {} wrong of 10 000",
        right / 100.0,
        thousands((all - right) as usize)
    );
    page.wait_for_text(&headline, 5).await?;
    page.press("button", "Row %").await?;
    page.wait_for_value(
        "Math.round([...document.querySelectorAll('.matrix tbody tr')[3].querySelectorAll('td')]
           .reduce((sum, cell) => sum + Number(cell.innerText), 0))",
        &json!(100),
        5,
    )
    .await?;
    page.press("button", "Counts").await?;

    // A cell shows as many images as it says.
    let (row, column, count) = (0..100)
        .map(|cell| (cell / 10, cell % 10))
        .filter(|(row, column)| row != column)
        .map(|(row, column)| (row, column, counts[row][column] as usize))
        .filter(|(_, _, count)| *count <= 100)
        .max_by_key(|(_, _, count)| *count)
        .unwrap();
    page.press(
        "button",
        &format!("{row} taken for {column}: {count} images"),
    )
    .await?;
    wait_for_images(&page, count).await?;
    let corner = page
        .evaluate("document.querySelector('.cell-panel .taken').innerText")
        .await?;
    assert_eq!(corner, json!(format!("{row}→{column}")));
    // By keyboard: to the left from the cell that was pressed, until the diagonal.
    let steps = column.abs_diff(row);
    let arrow = if column > row {
        "ArrowLeft"
    } else {
        "ArrowRight"
    };
    for _ in 0..steps {
        page.key(arrow).await?;
    }
    page.key("Enter").await?;
    let count = counts[row][row] as usize;
    let heading = format!(
        "{row} taken for {row}, rightly: {} images",
        thousands(count as usize)
    );
    page.wait_for_text(&heading, 5).await?;
    wait_for_images(&page, count.min(100)).await?;
    while page.text().await?.contains("Show more") {
        page.press_by_keyboard("button", "Show more").await?;
    }
    wait_for_images(&page, count).await?;

    // The threshold moves points, table and sentence together.
    let (points, table, sentence) = at_threshold(&page).await?;
    assert!(sentence.starts_with("At 0.50, "), "{sentence}");
    page.type_number("Threshold", "0.97").await?;
    page.wait_for_text("At 0.97, ", 5).await?;
    let (stricter_points, stricter, sentence) = at_threshold(&page).await?;
    assert_ne!(points, stricter_points);
    assert_eq!(table.iter().sum::<u32>(), 10_000);
    assert_eq!(stricter.iter().sum::<u32>(), 10_000);
    assert!(stricter[0] < table[0] && stricter[2] <= table[2]);
    let [called, missed, wrongly, _] = stricter[..] else {
        panic!("{stricter:?}");
    };
    let begins = format!("At 0.97, {} images are called", called + wrongly);
    assert!(sentence.starts_with(&begins), "{sentence}");
    assert!(
        sentence.contains(&format!("{called} rightly (precision"))
            && sentence.contains(&format!("; {missed} of {} ", called + missed)),
        "{sentence}"
    );
    page.choose("Class", "1").await?;
    page.wait_for_text("images are called 1: ", 5).await?;
    page.press("checkbox", "Zoom corner").await?;
    page.wait_for_text("0.92", 5).await?;

    // What remains is there, and the files.
    let shown = "[document.querySelectorAll('.bin').length, document.querySelectorAll('.per-class tbody tr').length,
        document.querySelectorAll('[aria-label=\"Confident mistakes\"] figure').length]";
    page.wait_for_value(shown, &json!([15, 12, 60]), 10).await?;
    page.press("DisclosureTriangle", "What is this? AUROC")
        .await?;
    page.wait_for_text("0.5 is guessing, 1 perfect.", 5).await?;
    let name = page
        .evaluate("document.querySelector('.evaluate select').selectedOptions[0].text")
        .await?;
    let name = name.as_str().unwrap().to_owned();
    let file = page
        .save("CSV", &format!("{name}.confusion-test.csv"))
        .await?;
    let file = String::from_utf8(file).unwrap();
    let sum: f64 = file
        .lines()
        .skip(1)
        .flat_map(|line| line.split(',').skip(1))
        .map(|cell| cell.parse::<f64>().unwrap())
        .sum();
    assert_eq!(sum, 10_000.0);
    let png = page
        .save("PNG", &format!("{name}.confusion-test.png"))
        .await?;
    assert_eq!(png[..4], [0x89, b'P', b'N', b'G']);

    // Another epoch is one of the validation.
    page.call(
        "slider",
        "Epoch",
        "function() { this.value = 0; this.dispatchEvent(new Event('input', { bubbles: true })); }",
    )
    .await?;
    page.wait_for_text("The test set is scored once, at the end.", 5)
        .await?;
    page.wait_for_text("wrong of 600", 10).await?;
    let epoch = "document.querySelector('.scrubber output').innerText";
    page.wait_for_value(epoch, &json!("0.25"), 5).await?;
    page.press("button", "Play").await?;
    page.wait_for_value(epoch, &json!("1"), 20).await?;
    let address = page.evaluate("location.hash").await?;
    assert!(address.as_str().unwrap().ends_with("&epoch=1"), "{address}");

    // The run is deleted elsewhere while it is looked at.
    let first = page.open_tab(&server).await?;
    page.press("link", "Runs").await?;
    page.press("button", &format!("Delete {name}")).await?;
    page.wait_for_text(&format!("Deleted {name}."), 10).await?;
    page.go_to_tab(first).await?;
    page.wait_for_text("This run is no longer kept: it was deleted.", 20)
        .await?;
    page.close().await
}

/// What is beside the matrix is of the same images, in every frame.
#[tokio::test]
async fn nothing_of_another_split_is_ever_beside_the_matrix() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 400).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("wrong of 10 000", 60).await?;
    page.evaluate(
        "(() => {
           const number = text => Number(text.replace(/[^0-9]/g, ''));
           window.frames = { whole: new Set(), mixed: [] };
           const look = () => {
             const cells = [...document.querySelectorAll('.matrix tbody td')];
             const images = cells.reduce((sum, cell) => sum + number(cell.innerText), 0);
             const macro = [...document.querySelectorAll('.per-class tbody tr')]
               .find(row => row.cells[0].innerText === 'Macro');
             const support = macro && /[0-9]/.test(macro.cells[1].innerText)
               ? number(macro.cells[1].innerText) : null;
             if (images && support === images) frames.whole.add(images);
             else if (images && support !== null) frames.mixed.push([images, support]);
             requestAnimationFrame(look);
           };
           look();
         })()",
    )
    .await?;
    for _ in 0..2 {
        for (split, images) in [("Validation", 600), ("Test", 10_000)] {
            page.evaluate("window.frames.whole.clear()").await?;
            page.choose("Split", split).await?;
            let is_whole = format!("window.frames.whole.has({images})");
            page.wait_for_value(&is_whole, &json!(true), 60).await?;
        }
    }
    assert_eq!(page.evaluate("window.frames.mixed").await?, json!([]));
    page.close().await
}

#[tokio::test]
async fn scoring_can_be_left_cancelled_and_done() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("This run was not scored on the test images.", 10)
        .await?;
    page.press("button", "Score now").await?;
    page.wait_for_text("of 10 000 images", 120).await?;
    page.press("link", "Runs").await?;
    page.press("link", "Evaluate").await?;
    page.press("button", "Score now").await?;
    page.wait_for_text("of 10 000 images", 60).await?;
    page.press("button", "Cancel").await?;
    page.press("button", "Score now").await?;
    page.wait_for_text("wrong of 10 000", 120).await?;
    // It is kept, and the run's score everywhere.
    let accuracy = scored_accuracy(&page).await?;
    page.press("link", "Runs").await?;
    page.wait_for_text(&accuracy, 10).await?;
    page.press("link", "Evaluate").await?;
    page.reload().await?;
    page.wait_for_text("wrong of 10 000", 60).await?;

    // A second run, compared with the first.
    page.press("link", "Train").await?;
    page.wait_for_state(&["ready", "stopped"], 60).await?;
    page.type_number("Learning rate", "0.1").await?;
    page.keep_short_run().await?;
    page.press("link", "Compare").await?;
    page.wait_for_text("to the test images is not kept: score it in Evaluate", 20)
        .await?;
    page.press("link", "score it in Evaluate").await?;
    page.press("button", "Score now").await?;
    page.wait_for_text("wrong of 10 000", 120).await?;
    page.press("link", "Compare").await?;
    page.wait_for_text("A right, B wrong: ", 30).await?;
    let pair = "[...document.querySelectorAll('.differ button')].map(button => Number(button.innerText.replace(/.*:|\\s/g, '')))";
    let pair: Vec<usize> = serde_json::from_value(page.evaluate(pair).await?).unwrap();
    let most = usize::from(pair[1] > pair[0]);
    page.evaluate(&format!(
        "document.querySelectorAll('.differ button')[{most}].click()"
    ))
    .await?;
    wait_for_images(&page, pair[most].min(100)).await?;
    // What one run takes for a digit more often, it takes for another less often.
    let rows = "[...document.querySelectorAll('.versus .matrix tbody tr')].every(row =>
        [...row.querySelectorAll('td')].reduce((sum, cell) =>
          sum + Number(cell.innerText.replace('−', '-').replace(/\\s/g, '')), 0) === 0)";
    assert_eq!(page.evaluate(rows).await?, json!(true));
    page.close().await
}

#[tokio::test]
async fn a_run_is_scored_while_another_trains() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    let name = page.show_files().await?;
    page.press("link", "Train").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(2, 60).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("This run is still going", 10).await?;
    page.choose("Run", &name).await?;
    page.press("button", "Score now").await?;
    page.wait_for_text("wrong of 10 000", 200).await?;
    let accuracy = scored_accuracy(&page).await?;
    page.press("link", "Runs").await?;
    page.wait_for_text(&accuracy, 10).await?;
    page.press("link", "Train").await?;
    let done = page.steps_done().await?;
    page.wait_for_step(done + 2, 60).await?;
    assert_eq!(page.state().await?, "running");
    page.close().await
}

#[tokio::test]
async fn weights_that_are_damaged_or_gone_are_a_sentence() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    for (change, sentence) in [
        (
            "file.checkpoint[file.checkpoint.length - 9] ^= 1; await of(store('checkpoints').put(file));",
            "The answers of this run could not be read: the checkpoint was altered or damaged.",
        ),
        (
            "await of(store('checkpoints').delete(file.id));",
            "This run has no checkpoint, so there are no weights to ask.",
        ),
    ] {
        let body = format!("const [file] = await of(store('checkpoints').getAll()); {change}");
        page.evaluate(&with_database(None, &body)).await?;
        page.press("link", "Evaluate").await?;
        page.reload().await?;
        page.wait_for_text(sentence, 60).await?;
        assert!(!page.has("button", "Score now").await?);
        assert!(!page.has("progressbar", "Scoring").await?);
    }
    page.close().await
}
