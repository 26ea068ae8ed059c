//! What charts draw, read from their pixels: on the page, and in the files that they leave as.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiln_run::run::identity::COLOURS;
use kiln_tests::HarnessError;
use kiln_tests::old_stores;
use kiln_tests::page::Page;
use kiln_tests::server::Server;
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// JavaScript: the mean height, from the top, of the ink of a colour in the left and in the right
/// third of a picture, each with the number of pixels that have it. A run beside the one that is
/// pointed at is drawn at a third of its strength; measurements behind smoothed lines are fainter.
const INK: &str = "window.ink = (canvas, colour) => {
  const [red, green, blue] = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const thirds = [0, 1, 2].map(() => ({ sum: 0, count: 0 }));
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const at = 4 * (y * width + x);
    const near = (channel, wanted) => Math.abs(data[at + channel] - wanted) <= 12;
    if (data[at + 3] > 70 && near(0, red) && near(1, green) && near(2, blue)) {
      const third = thirds[Math.floor(3 * x / width)];
      third.sum += y / height; third.count += 1;
    }
  }
  return [0, 2].map(index => [thirds[index].sum / thirds[index].count, thirds[index].count]);
}; true";

/// Mean height and number of pixels at the left and at the right.
type Ink = [(f64, u32); 2];

async fn ink(page: &Page, canvas: &str, colour: &str) -> Result<Ink, HarnessError> {
    page.evaluate(INK).await?;
    let found = page
        .evaluate(&format!("(async () => ink({canvas}, '{colour}'))()"))
        .await?;
    Ok([0, 1].map(|side| {
        let pixels = found[side][1].as_u64().unwrap_or_default();
        (found[side][0].as_f64().unwrap_or(f64::NAN), pixels as u32)
    }))
}

/// A picture in a file, on a canvas of its own.
fn drawn(media_type: &str, file: &[u8]) -> String {
    let bytes = STANDARD.encode(file);
    format!(
        "await (async () => {{
           const image = new Image(); image.src = 'data:{media_type};base64,{bytes}';
           await image.decode();
           const canvas = document.createElement('canvas');
           [canvas.width, canvas.height] = [image.width, image.height];
           canvas.getContext('2d').drawImage(image, 0, 0);
           return canvas; }})()"
    )
}

/// The run of 39 steps, whose loss falls from 2.3 to 0.7, and the whole one, which ends at 0.3.
#[tokio::test]
async fn a_chart_has_ink_of_each_run_where_its_curve_is() -> Outcome {
    let server = Server::start().await?;
    let stores = old_stores::of_version_2()?;
    let page = Page::open_with_stores(&server, 2, &stores).await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    page.resize(1_440, 1_000).await?;
    let colour_of = |name: &str| {
        let records = stores["runs"].as_array().unwrap();
        let identity = |run: &serde_json::Value| run["record"]["identity"].clone();
        let found = records.iter().map(identity).find(|run| run["name"] == name);
        COLOURS[found.unwrap()["colour"].as_u64().unwrap() as usize]
    };
    let runs = ["clay-jar-2", "coral-jug-3"];
    for name in runs {
        page.press("checkbox", &format!("Show {name}")).await?;
    }
    let named = "[...document.querySelectorAll('.chart [role=img]')].slice(0, 2)
        .every(chart => ['clay-jar-2', 'coral-jug-3'].every(name => chart.ariaLabel.includes(name)))";
    page.wait_for_value(named, &json!(true), 20).await?;
    // What was drawn is seen two frames later.
    let frames =
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
    page.evaluate(frames).await?;
    let canvas = |index: u32| format!("document.querySelectorAll('.chart canvas')[{index}]");
    for name in runs {
        let [left, right] = ink(&page, &canvas(0), colour_of(name)).await?;
        assert!(left.1 > 20, "{name}: {left:?}");
        if name == "clay-jar-2" {
            // It falls; the other one ends in the left third.
            assert!(right.1 > 20 && right.0 > left.0 + 0.1, "{left:?} {right:?}");
            let [left, right] = ink(&page, &canvas(1), colour_of(name)).await?;
            assert!(right.0 < left.0 - 0.1, "accuracy: {left:?} {right:?}");
        } else {
            assert_eq!(right.1, 0, "{name}: {right:?}");
        }
    }
    // No run of this colour is shown.
    let [left, right] = ink(&page, &canvas(0), COLOURS[9]).await?;
    assert_eq!((left.1, right.1), (0, 0));

    page.press("DisclosureTriangle", "Loss: more").await?;
    let svg = page.save("SVG", "loss.svg").await?;
    let png = page.save("PNG", "loss.png").await?;
    for (media_type, file) in [("image/svg+xml", svg), ("image/png", png)] {
        for name in runs {
            let picture = drawn(media_type, &file);
            let [left, right] = ink(&page, &picture, colour_of(name)).await?;
            assert!(left.1 > 20, "{media_type}, {name}: {left:?}");
            if name == "clay-jar-2" {
                assert!(right.0 > left.0 + 0.1, "{media_type}: {left:?} {right:?}");
            }
        }
    }
    page.close().await
}
