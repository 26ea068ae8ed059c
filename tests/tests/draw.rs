//! A digit is drawn and networks say what it is, as a person meets it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_model::evaluation::Predictions;
use kiln_model::spec::{CLASSES, IMAGE_SIDE};
use kiln_tests::HarnessError;
use kiln_tests::native;
use kiln_tests::page::Page;
use kiln_tests::server::Server;
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// A 3 in the upper left corner of the pad.
const THREE: [(f64, f64); 9] = [
    (0.10, 0.12),
    (0.25, 0.06),
    (0.36, 0.14),
    (0.25, 0.26),
    (0.20, 0.27),
    (0.37, 0.36),
    (0.33, 0.50),
    (0.22, 0.54),
    (0.08, 0.48),
];
/// A line from the top to the bottom.
const ONE: [(f64, f64); 3] = [(0.5, 0.1), (0.5, 0.5), (0.5, 0.9)];

/// The ten probabilities of the first card, as exactly as the page has them.
const PROBABILITIES: &str =
    "[...document.querySelectorAll('.card:first-child data')].map(data => parseFloat(data.value))";
/// The digit of the first card.
const SAYS: &str = "document.querySelector('.card:first-child .says strong').textContent";
/// What is on the pad; 0 where it is blank.
const PAD_INK: &str = "(() => { const pad = document.querySelector('.pad canvas');
    return pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data
      .reduce((sum, value) => sum + value, 0); })()";
/// The opacities of the image that networks see.
const SEEN: &str = "(() => { const seen = document.querySelector('.preview canvas');
    return [...seen.getContext('2d').getImageData(0, 0, 28, 28).data]
      .filter((_, index) => index % 4 == 3); })()";

/// Opens the page and trains for a moment.
async fn trained(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open_ready(server).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "2000").await?;
    page.type_number("Epochs", "1").await?;
    page.type_number("Batch size", "32").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_state(&["finished"], 240).await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("Best weights, those of step", 10)
        .await?;
    Ok(page)
}

async fn probabilities(page: &Page) -> Result<Vec<f64>, HarnessError> {
    let values = page.evaluate(PROBABILITIES).await?;
    Ok(serde_json::from_value(values).unwrap_or_default())
}

/// Waits until the first card says some digit.
async fn wait_for_answer(page: &Page) -> Outcome {
    page.wait_for_value(
        &format!("{PROBABILITIES}.every(Number.isFinite)"),
        &json!(true),
        30,
    )
    .await
}

/// The probabilities that the weights in a safetensors file give for a test image, natively.
async fn natively(file: &[u8], index: usize) -> [f32; CLASSES] {
    let weights = native::weights(file).unwrap();
    let dataset = native::dataset().unwrap();
    let logits = native::logits(&weights, &dataset, index, 1).await.unwrap();
    let label = dataset.test().images().labels()[index];
    let mut predictions = Predictions::default();
    predictions.add(&logits, &[label]).unwrap();
    predictions.get(0).unwrap().probabilities
}

#[tokio::test]
async fn a_stroke_is_centred_and_predicted_and_taken_back() -> Outcome {
    let server = Server::start().await?;
    let page = trained(&server).await?;
    // An example is recognised before anything is drawn, and goes with the first stroke.
    page.wait_for_text("An example: Test image", 30).await?;
    wait_for_answer(&page).await?;
    page.drag("image", "Drawing pad", &THREE).await?;
    page.wait_for_text("What the network sees: the drawing", 10)
        .await?;
    wait_for_answer(&page).await?;
    let first = probabilities(&page).await?;
    assert_eq!(first.len(), CLASSES);
    let sum: f64 = first.iter().sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");

    // Drawn in a corner, its centre of mass is where MNIST's are.
    let seen: Vec<f64> = serde_json::from_value(page.evaluate(SEEN).await?).unwrap();
    let mass: f64 = seen.iter().sum();
    let moment = |place: fn(usize) -> usize| {
        let moments = seen.iter().enumerate();
        let moments = moments.map(|(index, value)| place(index) as f64 * value);
        moments.sum::<f64>() / mass
    };
    let (row, column) = (moment(|at| at / IMAGE_SIDE), moment(|at| at % IMAGE_SIDE));
    assert!((row - 14.0).abs() <= 0.5, "{row}");
    assert!((column - 14.0).abs() <= 0.5, "{column}");

    // Every layer is there for a screen reader too.
    for layer in [
        "First convolution: 32 maps of 26 × 26",
        "First pooling: 32 maps of 13 × 13",
        "Second convolution: 64 maps of 11 × 11",
        "Second pooling: 64 maps of 5 × 5",
    ] {
        let is_there = format!(
            "[...document.querySelectorAll('.mosaic canvas')].some(canvas =>
               canvas.ariaLabel.startsWith({layer:?}) && canvas.getContext('2d')
                 .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0))"
        );
        page.wait_for_value(&is_there, &json!(true), 10).await?;
    }
    // A polite sentence says the answer.
    let said = format!(
        "document.querySelector('.desk [role=status]').textContent.includes(': ' + {SAYS} + ',')"
    );
    page.wait_for_value(&said, &json!(true), 10).await?;

    // A second stroke changes the answer; taken back, the first is there again, to the bit.
    page.drag("image", "Drawing pad", &ONE).await?;
    let is_other = format!("JSON.stringify({PROBABILITIES}) !== JSON.stringify({first:?})");
    page.wait_for_value(&is_other, &json!(true), 10).await?;
    page.press("button", "Undo").await?;
    page.wait_for_value(&is_other, &json!(false), 10).await?;
    page.drag("image", "Drawing pad", &ONE).await?;
    page.wait_for_value(&is_other, &json!(true), 10).await?;
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', \
           { key: 'z', ctrlKey: true, bubbles: true }))",
    )
    .await?;
    page.wait_for_value(&is_other, &json!(false), 10).await?;

    // It is still there after a look at another view.
    page.press("link", "Train").await?;
    page.press("link", "Draw").await?;
    wait_for_answer(&page).await?;
    assert_eq!(probabilities(&page).await?, first);
    page.press("button", "Clear").await?;
    page.wait_for_value(PAD_INK, &json!(0), 10).await?;
    page.wait_for_value(SAYS, &json!("–"), 10).await?;
    page.close().await
}

/// Sums are made in another order outside the browser, so that two of them may round to neighbours in 16 bits.
/// Those below a half lie 2⁻¹² apart at most; the answer's is what the others leave of 1, and may be twice as
/// far.
const NATIVE_TOLERANCE: f32 = 5e-4;
/// Answers are kept in 16 bits, half a thousandth at most from what they were, and written with
/// three decimals.
const KEPT_TOLERANCE: f32 = 0.001;

#[tokio::test]
async fn a_test_image_is_predicted_as_natively_and_as_it_was_evaluated() -> Outcome {
    let server = Server::start().await?;
    let page = trained(&server).await?;
    let name = page.show_files().await?;
    let model = page.download(&format!("{name}.safetensors")).await?;
    page.press("link", "Draw").await?;
    let mut seen = Vec::new();
    for _ in 0..3 {
        // Without a pointer, as all of the page.
        page.press_by_keyboard("button", "Use a test image").await?;
        let number = "document.querySelector('.preview p').textContent
            .match(/^Test image (.+), a/)?.[1].replace(/\\D/g, '') ?? ''";
        let is_new = format!("!['', ...{seen:?}].includes({number})");
        page.wait_for_value(&is_new, &json!(true), 30).await?;
        let index = page.evaluate(number).await?.as_str().unwrap().to_owned();
        let native = natively(&model, index.parse().unwrap()).await;
        let is_native = format!(
            "{PROBABILITIES}.every((shown, digit) => Math.abs(shown - {native:?}[digit]) < {NATIVE_TOLERANCE})"
        );
        page.wait_for_value(&is_native, &json!(true), 30).await?;
        seen.push(index);
    }
    // Evaluate has the image among those that were taken for the same.
    let index = &seen[2];
    let native = natively(&model, index.parse().unwrap()).await;
    let sure = native.iter().copied().fold(0.0, f32::max);
    let answer = native.iter().position(|share| *share == sure).unwrap();
    let label =
        native::dataset().unwrap().test().images().labels()[index.parse::<usize>().unwrap()];
    page.press("link", "Evaluate").await?;
    page.wait_for_text("wrong of 10 000", 30).await?;
    page.evaluate(&format!(
        "document.querySelector('[data-cell=\"{label}{answer}\"]').click()"
    ))
    .await?;
    page.wait_for_text(&format!("{label} taken for {answer}"), 10)
        .await?;
    let figure = format!("document.querySelector('[aria-label^=\"Image {index}:\"]')");
    while page.evaluate(&format!("!{figure}")).await? == json!(true) {
        page.press("button", "Show more").await?;
    }
    let kept = page
        .evaluate(&format!(
            "parseFloat({figure}.parentElement.querySelector('figcaption').textContent)"
        ))
        .await?;
    let kept = kept.as_f64().unwrap() as f32;
    assert!((kept - sure).abs() <= KEPT_TOLERANCE, "{kept} {sure}");
    page.close().await
}

/// How much ink the brush leaves, moved along its scale to one end.
async fn ink_of_brush(page: &Page, end: &str) -> Result<f64, HarnessError> {
    page.press("button", "Clear").await?;
    page.wait_for_value(PAD_INK, &json!(0), 10).await?;
    page.focus("slider", "Brush").await?;
    page.key(end).await?;
    page.touch("image", "Drawing pad", &ONE).await?;
    page.wait_for_value(&format!("{PAD_INK} > 0"), &json!(true), 10)
        .await?;
    Ok(page.evaluate(PAD_INK).await?.as_f64().unwrap_or(0.0))
}

#[tokio::test]
async fn four_runs_look_at_what_a_finger_draws() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    for _ in 0..5 {
        page.keep_short_run().await?;
    }
    page.press("link", "Draw").await?;
    page.press("DisclosureTriangle", "Runs that look").await?;
    let boxes = "[...document.querySelectorAll('.columns input')]";
    page.wait_for_value(&format!("{boxes}.length"), &json!(5), 10)
        .await?;
    // The one that looks cannot be left out.
    let disabled = format!("{boxes}.filter(box => box.disabled).length");
    assert_eq!(page.evaluate(&disabled).await?, json!(1));
    for count in 2..=4 {
        page.evaluate(&format!("{boxes}.find(box => !box.checked).click()"))
            .await?;
        let cards = "document.querySelectorAll('.card').length";
        page.wait_for_value(cards, &json!(count), 10).await?;
    }
    let fifth = format!("{boxes}.find(box => !box.checked)");
    let why = format!("{fifth}.disabled && {fifth}.closest('label').title");
    assert_eq!(page.evaluate(&why).await?, json!("Four runs at most."));

    page.touch("image", "Drawing pad", &THREE).await?;
    let sums = "[...document.querySelectorAll('.card')].map(card =>
        Math.round(1000 * [...card.querySelectorAll('data')].reduce((sum, data) => sum + Number(data.value), 0)))";
    page.wait_for_value(sums, &json!([1000, 1000, 1000, 1000]), 30)
        .await?;
    // The address says who looks.
    let names = "[...document.querySelectorAll('.card h2')].map(head => head.innerText)";
    let before = page.evaluate(names).await?;
    page.reload().await?;
    page.wait_for_value(names, &before, 30).await?;

    page.touch("image", "Drawing pad", &THREE).await?;
    page.wait_for_value(sums, &json!([1000, 1000, 1000, 1000]), 60)
        .await?;
    let thin = ink_of_brush(&page, "Home").await?;
    let thick = ink_of_brush(&page, "End").await?;
    // Three times as wide, and the same at the two round ends.
    assert!(thick > 2.5 * thin, "{thin} {thick}");
    page.close().await
}

#[tokio::test]
async fn a_run_is_drawn_for_while_it_trains() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("No trained model yet.", 10).await?;
    page.press("button", "Quick taste").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_step(3, 60).await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("; the run goes on.", 60).await?;
    page.drag("image", "Drawing pad", &THREE).await?;
    wait_for_answer(&page).await?;
    assert_eq!(page.state().await?, "running");
    // The next checkpoint's weights look at once.
    let before = probabilities(&page).await?;
    let is_other = format!("JSON.stringify({PROBABILITIES}) !== JSON.stringify({before:?})");
    page.wait_for_value(&is_other, &json!(true), 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_worker_that_stops_and_a_run_that_goes_are_told() -> Outcome {
    let server = Server::start().await?;
    let page = trained(&server).await?;
    // Every worker that starts from now on stops at once.
    page.press("link", "Train").await?;
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.evaluate(
        "window.Whole = Worker; window.Worker = class extends Whole {
           constructor(...of) { super(...of);
             setTimeout(() => this.dispatchEvent(new ErrorEvent('error', { message: 'gone' }))); } }",
    )
    .await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("Best weights, those of step", 20)
        .await?;
    page.drag("image", "Drawing pad", &ONE).await?;
    page.wait_for_text("The worker that looks at networks stopped. Try again.", 20)
        .await?;
    page.evaluate("window.Worker = Whole").await?;
    page.press("button", "Try again").await?;
    wait_for_answer(&page).await?;
    assert!(!page.has("button", "Try again").await?);

    let ids = "JSON.parse(localStorage['kiln.shown']).join(',')";
    let ids = page.evaluate(ids).await?.as_str().unwrap().to_owned();
    page.evaluate(&format!("location.hash = '#/draw?runs={ids},1'"))
        .await?;
    page.wait_for_text("It was deleted, perhaps in another tab.", 10)
        .await?;
    page.wait_for_text("Best weights, those of step", 10)
        .await?;
    page.press("link", "Runs").await?;
    let name = page.listed(1).await?.remove(0);
    page.press("button", &format!("Delete {name}")).await?;
    page.press("link", "Draw").await?;
    page.wait_for_text("No trained model yet.", 10).await?;
    page.close().await
}
