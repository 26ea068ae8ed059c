//! The page by its keys, and the help that names them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_run::export::FORMATS;
use kiln_tests::HarnessError;
use kiln_tests::page::Page;
use kiln_tests::server::Server;
use serde_json::json;

type Outcome = Result<(), HarnessError>;

const SCREENS: [&str; 7] = [
    "Train", "Runs", "Compare", "Evaluate", "Data", "Draw", "Files",
];
const PATH: &str = "location.hash.split('?')[0]";
const FOCUSED: &str = "document.activeElement.ariaLabel ?? document.activeElement.id";
const SLIDER: &str = "document.querySelector('[aria-label=Epoch]')";

async fn wait_for_heading(page: &Page, heading: &str) -> Outcome {
    let is_there = format!("document.querySelector('h1')?.innerText === {heading:?}");
    page.wait_for_value(&is_there, &json!(true), 20).await
}

/// A key that comes with something else: another key, or the keyboard's own repetition.
async fn odd_key(page: &Page, key: &str, with: &str) -> Outcome {
    let press = format!(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',
           {{ key: {key:?}, {with}: true, bubbles: true, cancelable: true }}))"
    );
    page.evaluate(&press).await?;
    Ok(())
}

#[tokio::test]
async fn a_run_is_started_paused_stepped_and_stopped_by_keys_alone() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    // What is impossible does nothing.
    for key in ["p", "x"] {
        page.key(key).await?;
    }
    for with in ["ctrlKey", "metaKey", "altKey", "repeat"] {
        odd_key(&page, "s", with).await?;
    }
    assert_eq!(page.state().await?, "ready");
    page.key("s").await?;
    // The second press is for nothing: no button starts a run by now.
    page.key("s").await?;
    page.wait_for_step(2, 60).await?;
    assert_eq!(page.state().await?, "running");
    page.key("P").await?;
    page.wait_for_state(&["paused"], 30).await?;
    page.key("p").await?;
    odd_key(&page, "s", "repeat").await?;
    assert_eq!(page.state().await?, "paused");
    let step = page.steps_done().await?;
    page.key(".").await?;
    page.wait_for_step(step + 1, 30).await?;
    page.wait_for_state(&["paused"], 30).await?;
    assert_eq!(page.steps_done().await?, step + 1);
    page.key("s").await?;
    page.wait_for_step(step + 4, 60).await?;

    // A run that is open is paused, resumed and stopped from any screen.
    page.key("7").await?;
    wait_for_heading(&page, "Files").await?;
    page.key("p").await?;
    page.wait_for_state(&["paused"], 30).await?;
    page.key("s").await?;
    page.wait_for_state(&["running"], 30).await?;
    page.key("x").await?;
    page.wait_for_state(&["finishing", "stopped"], 30).await?;
    page.key("x").await?;
    page.key("1").await?;
    page.wait_for_state(&["stopped"], 300).await?;
    page.wait_for_text("Test accuracy", 10).await?;
    page.close().await
}

#[tokio::test]
async fn what_is_typed_is_no_key() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.focus("searchbox", "Filter").await?;
    for key in ["s", ".", "2", "t", "?", "/"] {
        page.key(key).await?;
    }
    let typed = page
        .call("searchbox", "Filter", "function() { return this.value; }")
        .await?;
    assert_eq!(typed, json!("s.2t?/"));
    page.type_into("searchbox", "Filter", "").await?;
    page.call(
        "spinbutton",
        "Epochs",
        "function() { this.focus(); this.select(); }",
    )
    .await?;
    page.key("7").await?;
    let typed = page
        .call("spinbutton", "Epochs", "function() { return this.value; }")
        .await?;
    assert_eq!(typed, json!("7"));
    page.focus("combobox", "X axis").await?;
    page.key("s").await?;
    page.evaluate("document.activeElement.blur()").await?;
    // A dialog is its own.
    page.evaluate(
        "(window.dialog = document.body.appendChild(document.createElement('dialog'))).showModal()",
    )
    .await?;
    for key in ["s", "2", "?"] {
        page.key(key).await?;
    }
    page.evaluate("dialog.close(), dialog.remove()").await?;
    // What cannot be pressed cannot be done by a key.
    page.type_number("Epochs", "51").await?;
    page.key("s").await?;
    assert_eq!(page.state().await?, "ready");
    assert_eq!(page.evaluate(PATH).await?, json!("#/train"));
    let theme = "document.documentElement.dataset.theme ?? null";
    assert_eq!(page.evaluate(theme).await?, json!(null));
    page.type_number("Epochs", "5").await?;
    page.key("2").await?;
    wait_for_heading(&page, "Runs").await?;
    page.close().await
}

#[tokio::test]
async fn single_keys_can_be_turned_off_and_stay_off() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.key("5").await?;
    wait_for_heading(&page, "Data").await?;
    page.key("?").await?;
    wait_for_heading(&page, "Help").await?;
    page.press("checkbox", "Single-key shortcuts").await?;
    for key in ["2", "t", "s"] {
        page.key(key).await?;
    }
    assert_eq!(page.evaluate(PATH).await?, json!("#/help"));
    // Esc goes back to where Help was opened.
    page.key("Escape").await?;
    wait_for_heading(&page, "Data").await?;
    page.key("?").await?;
    page.key("1").await?;
    assert_eq!(page.evaluate(PATH).await?, json!("#/data"));
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.key("2").await?;
    page.key("s").await?;
    assert_eq!(page.state().await?, "ready");
    assert_eq!(page.evaluate(PATH).await?, json!("#/data"));
    page.press("link", "Help").await?;
    let is_on = "function() { return this.checked; }";
    let switch = "Single-key shortcuts";
    assert_eq!(
        page.call("checkbox", switch, is_on).await?,
        json!(false),
        "after a reload"
    );
    page.press("checkbox", switch).await?;
    page.key("2").await?;
    wait_for_heading(&page, "Runs").await?;
    page.close().await
}

#[tokio::test]
async fn keys_open_the_screens_and_the_filter() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    for (index, screen) in SCREENS.iter().enumerate().rev() {
        page.key(&(index + 1).to_string()).await?;
        wait_for_heading(&page, screen).await?;
    }
    // On Train the filter is in sight; elsewhere it is in Runs.
    page.key("/").await?;
    page.wait_for_value(FOCUSED, &json!("Filter"), 10).await?;
    assert_eq!(page.evaluate(PATH).await?, json!("#/train"));
    page.press("link", "Data").await?;
    page.key("/").await?;
    wait_for_heading(&page, "Runs").await?;
    page.wait_for_value(FOCUSED, &json!("Filter"), 10).await?;
    // The key itself is not typed.
    let filter = "document.querySelector('[aria-label=Filter]').value";
    assert_eq!(page.evaluate(filter).await?, json!(""));
    page.close().await
}

#[tokio::test]
async fn esc_closes_a_menu_first() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_at(&server, "#/runs").await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("DisclosureTriangle", "Columns").await?;
    let is_open = "document.querySelector('main details.menu').open";
    page.wait_for_value(is_open, &json!(true), 10).await?;
    page.focus("checkbox", "Seed").await?;
    page.key("Escape").await?;
    page.wait_for_value(is_open, &json!(false), 10).await?;
    let focused = "document.activeElement.innerText";
    assert_eq!(page.evaluate(focused).await?, json!("Columns"));
    page.close().await
}

#[tokio::test]
async fn a_filter_whose_screen_has_yet_to_arrive_has_the_focus_then() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_at(&server, "#/data").await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.key("/").await?;
    wait_for_heading(&page, "Runs").await?;
    page.wait_for_value(FOCUSED, &json!("Filter"), 10).await?;
    page.close().await
}

#[tokio::test]
async fn keys_change_scale_theme_and_epoch() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    let is_log = "function() { return this.checked; }";
    for expected in [true, false] {
        page.key("l").await?;
        let is_log = page.call("checkbox", "Log scale", is_log).await?;
        assert_eq!(is_log, json!(expected));
    }
    let theme = "document.documentElement.dataset.theme";
    for expected in ["light", "dark", "system"] {
        page.key("t").await?;
        page.wait_for_value(theme, &json!(expected), 10).await?;
    }

    // Four validations: the first to the last are the places 0 to 3.
    page.press("button", "Quick taste").await?;
    page.key("s").await?;
    page.wait_for_state(&["finished"], 120).await?;
    page.key("4").await?;
    wait_for_heading(&page, "Evaluate").await?;
    page.wait_for_value(&format!("{SLIDER}.max"), &json!("3"), 20)
        .await?;
    let place = format!("{SLIDER}.value");
    page.wait_for_value(&place, &json!("3"), 10).await?;
    // There is no next one, and the split stays as it was.
    page.key("]").await?;
    let split = "document.querySelector('[aria-label=Split]').value";
    assert_eq!(page.evaluate(split).await?, json!("Test"));
    for (key, expected) in [("[", "2"), ("[", "1"), ("]", "2"), ("]", "3")] {
        page.key(key).await?;
        page.wait_for_value(&place, &json!(expected), 10).await?;
    }
    page.wait_for_value(split, &json!("Validation"), 10).await?;
    page.close().await
}

#[tokio::test]
async fn help_says_all_of_it_at_every_width() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_at(&server, "#/help?about=files").await?;
    page.wait_for_value(FOCUSED, &json!("help-files"), 20)
        .await?;
    let headings = page
        .evaluate("[...document.querySelectorAll('.help h2')].map(heading => heading.innerText)")
        .await?;
    let titles = [
        "A one-minute tour",
        "Presets",
        "Keys",
        "What the words mean",
        "How to read the charts",
        "Sweeps",
        "How to open the files",
        "Beyond this tab",
        "Where runs are kept",
        "Without a network",
        "Nothing is uploaded",
    ];
    assert_eq!(headings, json!(titles));
    let text = page.text().await?;
    for format in FORMATS {
        let file = format.file_name("RUN");
        assert!(text.lines().any(|line| line == file), "{file}");
        assert!(text.contains(format.about().opens_with), "{file}");
    }
    for chart in ["Gradient norm", "Calibration", "AUROC", "IndexedDB"] {
        assert!(text.contains(chart), "{chart}");
    }
    assert!(page.has("table", "Keys").await?);
    let is_in_sight = "(() => { const box = document.activeElement.getBoundingClientRect();
        return box.top >= 48 && box.bottom <= innerHeight; })()";
    for title in titles {
        // Twice: the second time the address is the same, and one has scrolled on.
        for _ in 0..2 {
            page.press("link", title).await?;
            let focused = "document.activeElement.innerText";
            page.wait_for_value(focused, &json!(title), 10).await?;
            page.wait_for_value(is_in_sight, &json!(true), 10).await?;
            page.evaluate("scrollTo(0, 0)").await?;
        }
    }
    for width in [1_440, 1_024, 390, 320] {
        page.resize(width, 900).await?;
        let fits = "document.documentElement.scrollWidth <= innerWidth";
        page.wait_for_value(fits, &json!(true), 10).await?;
    }
    page.resize(1_440, 900).await?;
    // Whoever came by the address has been nowhere; a link of the tour leads on.
    page.key("Escape").await?;
    assert_eq!(page.evaluate(PATH).await?, json!("#/help"));
    page.press("link", "Compare").await?;
    page.press("link", "Help").await?;
    page.key("Escape").await?;
    wait_for_heading(&page, "Compare").await?;
    page.close().await
}
