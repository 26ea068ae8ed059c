//! The page for those who see, hear or move otherwise, on every screen, at every width, in both themes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use kiln_tests::HarnessError;
use kiln_tests::npm::libraries;
use kiln_tests::page::Page;
use kiln_tests::server::Server;
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// Addresses of all screens, and what of each has to be there before it is looked at.
const SCREENS: [(&str, &str); 8] = [
    ("train", ".result"),
    ("runs", ".table-scroll tbody th"),
    ("compare", ".compare table"),
    ("evaluate", ".evaluate .unit-canvas path"),
    ("data", ".bars td i"),
    ("draw", ".card .says"),
    ("files", ".files tbody button"),
    ("help", ".help kbd"),
];
const WIDTHS: [(u32, u32); 4] = [(1440, 900), (1024, 768), (390, 844), (320, 640)];
const THEMES: [&str; 2] = ["light", "dark"];

/// What axe finds wrong: the rule, where, and what it says.
const FINDINGS: &str = "axe.run(document, { rules: { 'target-size': { enabled: true } } }).then(found =>
    found.violations.flatMap(({ id, nodes }) => nodes.map(node =>
      `${id}: ${node.target.join(' ')}: ${node.any.concat(node.all, node.none).map(check => check.message).join('; ')}`)))";

/// What reaches beyond the right edge of the page.
const TOO_WIDE: &str = "document.documentElement.scrollWidth <= innerWidth ? []
    : [...document.body.querySelectorAll('*')].filter(part => part.getBoundingClientRect().right > innerWidth + 1
        && ![...function*() { for (let up = part.parentElement; up; up = up.parentElement) yield up; }()]
             .some(up => getComputedStyle(up).overflowX !== 'visible' && up !== document.body))
      .map(part => part.tagName + '.' + part.className).slice(0, 5)";

/// What a finger is to hit and is smaller than 44 px; links in the middle of a sentence are left out,
/// and what lies in a label that is large enough.
const TOO_SMALL: &str = "[...document.querySelectorAll('button, a, select, summary, input')].filter(part => {
      const style = getComputedStyle(part);
      if (!part.checkVisibility({ visibilityProperty: true }) || part.type === 'range') return false;
      if (part.localName === 'a' && style.display === 'inline'
        && part.parentElement.innerText !== part.innerText) return false;
      const { width, height } = (part.closest('label') ?? part).getBoundingClientRect();
      return width > 1 && (height < 43.5 || width < 43.5);
    }).map(part => {
      const { width, height } = part.getBoundingClientRect();
      return `${part.tagName}.${part.className} “${part.ariaLabel ?? part.innerText}” ${width} × ${height}`;
    })";

/// Two short runs, of which the last one was scored.
async fn with_runs(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open_ready(server).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "2000").await?;
    page.type_number("Epochs", "1").await?;
    page.keep_short_run().await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 240).await?;
    page.press("link", "Draw").await?;
    page.press("button", "Use a test image").await?;
    Ok(page)
}

async fn show(page: &Page, screen: &str, part: &str) -> Outcome {
    page.evaluate(&format!(
        "location.hash = document.querySelector('nav [data-control={screen} i]')?.hash ?? '#/{screen}'"
    ))
        .await?;
    let is_there = format!("Boolean(document.querySelector({part:?}))");
    page.wait_for_value(&is_there, &json!(true), 60).await
}

#[tokio::test]
async fn axe_finds_nothing_on_any_screen_at_any_width_in_any_theme() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("axe");
    libraries(&folder, "3 MB of axe-core")?;
    let axe = std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js"))?;
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    // Colours that are on their way from one theme to the other are neither's.
    page.reduce_motion().await?;
    page.evaluate(&axe).await?;
    let mut found = Vec::new();
    for (screen, part) in SCREENS {
        show(&page, screen, part).await?;
        for (width, height) in WIDTHS {
            page.resize(width, height).await?;
            for theme in THEMES {
                page.evaluate(&format!(
                    "document.documentElement.dataset.theme = {theme:?}"
                ))
                .await?;
                let findings: Vec<String> =
                    serde_json::from_value(page.evaluate(FINDINGS).await?).unwrap();
                let place = format!("{screen} at {width}, {theme}");
                found.extend(findings.into_iter().map(|what| format!("{place}: {what}")));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    page.close().await
}

#[tokio::test]
async fn every_screen_fits_a_phone_and_a_finger() -> Outcome {
    let server = Server::start().await?;
    let page = with_runs(&server).await?;
    let mut found = Vec::new();
    for (screen, part) in SCREENS {
        show(&page, screen, part).await?;
        for (width, height) in [(390, 844), (320, 640)] {
            page.resize(width, height).await?;
            for (problem, question) in [("too wide", TOO_WIDE), ("too small", TOO_SMALL)] {
                let parts: Vec<String> =
                    serde_json::from_value(page.evaluate(question).await?).unwrap();
                let place = format!("{screen} at {width}: {problem}");
                found.extend(parts.into_iter().map(|part| format!("{place}: {part}")));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    page.close().await
}
