//! How charts are looked at: what is cut off, where they begin, which runs are one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_run::run::identity::COLOURS;
use kiln_tests::HarnessError;
use kiln_tests::old_stores;
use kiln_tests::page::Page;
use kiln_tests::server::Server;
use serde_json::{Value, json};

type Outcome = Result<(), HarnessError>;

/// A run of two epochs of 168 steps, whose loss falls from 2.3 to 0.3.
const WHOLE: &str = "clay-jar-2";
/// The same run as if it had another seed.
const OTHER: &str = "clay-jar-9";

/// JavaScript: what the first chart, that of the loss, says of itself.
const SUMMARY: &str = "document.querySelector('.chart [role=img]').ariaLabel";

/// JavaScript: the first tick of its x axis.
const FIRST_TICK: &str =
    "Number(document.querySelector('.chart .x-axis span').innerText.replace(/[^\\d.]/g, ''))";

/// JavaScript: the greatest tick of its y axis.
const TOP: &str =
    "Math.max(...[...document.querySelectorAll('.chart')[0].querySelectorAll('.grid')]
    .map(tick => Number(tick.innerText)))";

/// JavaScript: what the crosshair reads first of a run.
fn read_of(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('.tooltip tr')].find(row => row.innerText.includes({name:?}))
           .querySelector('.number').innerText.replace(/\\s/g, ' ')"
    )
}

/// The page with two runs that were kept before, [`WHOLE`] and [`OTHER`]; the charts show the first.
async fn with_runs(server: &Server) -> Result<Page, HarnessError> {
    let mut stores = old_stores::of_version_2()?;
    let whole = stores["runs"][1].clone();
    assert_eq!(whole["record"]["identity"]["name"], json!(WHOLE));
    let id = json!(whole["id"].as_u64().unwrap() + 1);
    let mut other = whole.clone();
    other["id"] = id.clone();
    let record = &mut other["record"];
    record["identity"]["id"] = id.clone();
    record["identity"]["name"] = json!(OTHER);
    record["config"]["seed"] = json!(43);
    let is_of_whole = |kept: &&Value| kept["id"] == whole["id"];
    let checkpoints = stores["checkpoints"].as_array().unwrap();
    let checkpoint = checkpoints.iter().find(is_of_whole).unwrap().clone();
    let mut same = checkpoint.clone();
    same["id"] = id;
    stores["checkpoints"] = json!([checkpoint, same]);
    stores["runs"] = json!([whole, other]);
    let page = Page::open_with_stores(server, 2, &stores).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.resize(1_440, 1_000).await?;
    page.press("checkbox", &format!("Show {WHOLE}")).await?;
    says(&page, &format!("{WHOLE} Training"), true).await?;
    Ok(page)
}

/// Waits until the first chart says this, or does not.
async fn says(page: &Page, part: &str, is_said: bool) -> Outcome {
    let is_there = format!("{SUMMARY}.includes({part:?})");
    page.wait_for_value(&is_there, &json!(is_said), 20).await
}

#[tokio::test]
async fn outliers_are_cut_off_with_one_press_and_marked() -> Outcome {
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    says(&page, "cut off", false).await?;
    let whole = page.evaluate(TOP).await?.as_f64().unwrap();
    page.press("checkbox", "Cut outliers").await?;
    says(&page, "values are cut off above ", true).await?;
    let top = page.evaluate(TOP).await?.as_f64().unwrap();
    assert!(top < whole, "{top} instead of {whole}");
    // It is a part of the address, as other ways to look at charts are.
    let is_shared = "location.hash.includes('cut=1')";
    page.wait_for_value(is_shared, &json!(true), 10).await?;

    // The file is marked where the line is cut; the measurements are all there.
    page.press("DisclosureTriangle", "Loss: more").await?;
    let svg = String::from_utf8(page.save("SVG", "loss.svg").await?).unwrap();
    let mark = format!("z\" fill=\"{}\"/>", COLOURS[1]);
    assert!(svg.contains(&mark), "{svg}");
    let csv = String::from_utf8(page.save("CSV", "loss.csv").await?).unwrap();
    let rows = csv
        .lines()
        .filter(|line| line.contains(&format!("{WHOLE},")));
    let losses = rows.filter(|line| line.contains(",train/loss,"));
    assert_eq!(losses.count(), 336, "{csv}");

    // The crosshair still reads what was measured.
    page.focus_on(".chart [role=img]").await?;
    page.key("Home").await?;
    let is_whole = format!("Number({}) > {top}", read_of(WHOLE));
    page.wait_for_value(&is_whole, &json!(true), 10).await?;

    page.press("checkbox", "Cut outliers").await?;
    says(&page, "cut off", false).await?;
    page.close().await
}

#[tokio::test]
async fn charts_begin_where_they_are_asked_to() -> Outcome {
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    let begins = async |from: u32, to: u32| {
        let is_there = format!("(first => {from} <= first && first <= {to})({FIRST_TICK})");
        page.wait_for_value(&is_there, &json!(true), 10).await
    };
    begins(0, 0).await?;
    page.choose("From", "First tenth left out").await?;
    begins(33, 100).await?;
    page.choose("From", "Epoch 1").await?;
    begins(168, 240).await?;
    let is_shared = "location.hash.includes('from=epoch')";
    page.wait_for_value(is_shared, &json!(true), 10).await?;

    // A zoom goes before, and Escape goes back to the beginning that was chosen.
    let name = page.evaluate(SUMMARY).await?;
    let right = [(0.7, 0.5), (0.8, 0.5), (0.9, 0.5)];
    page.drag("image", name.as_str().unwrap(), &right).await?;
    begins(280, 336).await?;
    page.focus_on(".chart [role=img]").await?;
    page.key("Escape").await?;
    begins(168, 240).await?;

    // On any axis: an epoch is an epoch.
    page.choose("X axis", "Epoch").await?;
    begins(1, 1).await?;
    page.choose("From", "Start").await?;
    begins(0, 0).await?;
    page.close().await
}

#[tokio::test]
async fn runs_of_several_seeds_are_one_line() -> Outcome {
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    assert!(!page.has("checkbox", "Group seeds").await?);
    page.press("checkbox", &format!("Show {OTHER}")).await?;
    says(&page, &format!("{OTHER} Training"), true).await?;
    page.press("checkbox", "Group seeds").await?;
    let group = format!("{WHOLE} and 1 more, 2 seeds");
    says(&page, &format!("{group} Training, smoothed mean "), true).await?;
    says(&page, &format!("{OTHER} Training"), false).await?;
    let legend = "document.querySelector('.chart .legend').innerText";
    let is_named = format!("{legend}.includes({group:?})");
    page.wait_for_value(&is_named, &json!(true), 10).await?;

    // The crosshair reads the mean, and from where to where the runs are.
    page.focus_on(".chart [role=img]").await?;
    page.key("Home").await?;
    let read = read_of(&group);
    let is_mean = format!("/^mean [\\d.]+, [\\d.]+ to [\\d.]+$/.test({read})");
    page.wait_for_value(&is_mean, &json!(true), 10).await?;
    page.key("Escape").await?;

    // So does the table; the file has a band, and the rows of both runs.
    page.press("DisclosureTriangle", "Loss: more").await?;
    let svg = String::from_utf8(page.save("SVG", "loss.svg").await?).unwrap();
    assert!(svg.contains(&format!(">{group}</text>")), "{svg}");
    assert!(svg.contains("fill-opacity=\".15\""), "{svg}");
    let csv = String::from_utf8(page.save("CSV", "loss.csv").await?).unwrap();
    for name in [WHOLE, OTHER] {
        assert!(csv.contains(&format!("\n{name},")), "{name}: {csv}");
    }
    page.press("button", "Table").await?;
    let cell = "document.querySelector('.chart-table tbody tr').innerText";
    let is_told = format!("{cell}.includes({group:?}) && {cell}.includes('mean ')");
    page.wait_for_value(&is_told, &json!(true), 10).await?;

    page.press("checkbox", "Group seeds").await?;
    says(&page, &format!("{OTHER} Training"), true).await?;
    page.close().await
}

#[tokio::test]
async fn the_toolbar_fits_any_screen() -> Outcome {
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    page.press("checkbox", &format!("Show {OTHER}")).await?;
    says(&page, &format!("{OTHER} Training"), true).await?;
    // On a phone it is one row, whose rest a finger pulls in.
    let fits = "document.documentElement.scrollWidth <= innerWidth
        && [...document.querySelectorAll('.toolbar > *')].every(part => {
          const { left, right } = part.getBoundingClientRect();
          const { overflowX } = getComputedStyle(part.parentElement);
          return left >= 0 && right <= innerWidth || overflowX === 'auto'; })";
    for width in [390, 1_024, 1_440] {
        page.resize(width, 1_000).await?;
        page.wait_for_value(fits, &json!(true), 10).await?;
        for name in ["Log scale", "Cut outliers", "Group seeds"] {
            assert!(page.has("checkbox", name).await?, "{name} at {width}");
        }
        assert!(page.has("combobox", "From").await?, "{width}");
    }
    page.close().await
}

/// JavaScript: what the crosshair of the first chart reads, where it is in sight.
const READ: &str = "(() => { const tooltip = document.querySelector('.chart .tooltip');
    return tooltip?.checkVisibility() ? tooltip.innerText.replace(/\\s+/g, ' ') : ''; })()";

/// On a phone the crosshair stays where a finger put it, and a finger that moves up scrolls the page.
#[tokio::test]
async fn a_finger_reads_a_chart_and_scrolls_over_it() -> Outcome {
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    page.resize(390, 844).await?;
    let chart = page.evaluate(SUMMARY).await?;
    let chart = chart.as_str().unwrap();
    page.touch("image", chart, &[(0.5, 0.5)]).await?;
    let is_read = format!("{READ}.includes({WHOLE:?})");
    page.wait_for_value(&is_read, &json!(true), 10).await?;
    let read = page.evaluate(READ).await?;
    let before = page.evaluate("scrollY").await?.as_f64().unwrap();
    let up = [(0.5, 0.9), (0.5, 0.7), (0.5, 0.4), (0.5, 0.1), (0.5, -0.4)];
    page.touch("image", chart, &up).await?;
    page.wait_for_value(&format!("scrollY > {before} + 40"), &json!(true), 10)
        .await?;
    assert_eq!(page.evaluate(READ).await?, read);
    page.close().await
}
