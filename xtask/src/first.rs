//! The first start: the page is served as soon as it can train, and its GPU worker joins it.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::page;
use crate::setup;
use crate::shell::Shell;
use crate::stages::Stages;

/// Where the page is served.
const ADDRESS: &str = "127.0.0.1:8080";
const STAGES: [&str; 3] = ["tools", "page and CPU worker", "GPU worker"];
/// The module that takes longest to compile, below the folder where cargo builds.
const GPU_WORKER: &str = "wasm32-unknown-unknown/gpu-worker/gpu_worker.wasm";
/// The page that does without it.
const FIRST_PAGE: &str = "target/first/index.html";

/// Whether the GPU worker was never compiled here.
pub fn is_first() -> bool {
    // Cargo builds everything where it has built this program.
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).unwrap_or(Path::new("target"));
    !target.join(GPU_WORKER).exists()
}

/// Brings the tools, builds the page without its GPU worker, serves it, builds the rest, and then
/// builds again after each change.
///
/// # Errors
/// A tool that cannot be had, code that does not compile, or an address that is taken.
pub fn serve(shell: &mut Shell) -> Result<(), Error> {
    // Who hears of it after many minutes has waited for nothing.
    TcpListener::bind(ADDRESS).map_err(|error| Error::File {
        path: ADDRESS.into(),
        reason: format!("{error}. End what is there, or say another --port."),
    })?;
    let mut stages = Stages::new(&setup::cache_folder()?, &STAGES);
    stages.next(|| setup::set_up(shell))?;
    stages.next(|| build_first(shell))?;
    let mut host = page::bundle(shell, &["host", "dist"])
        .spawn()
        .map_err(|source| Error::Start {
            program: "kiln-bundle".to_owned(),
            source,
        })?;
    eprintln!(
        "\nOpen http://{ADDRESS}: the page trains on the CPU, and its GPU worker comes next."
    );
    let all = page::trunk(shell, "build", &[]);
    match stages.next(|| shell.step("Page and workers", all)) {
        Ok(()) => eprintln!("\nThe GPU worker is there: reload the page."),
        // The page trains on the CPU meanwhile, and what is mended is built again.
        Err(error) => eprintln!("\nThe page is still served without its GPU worker. {error}"),
    }
    let watched = shell.step(
        "Builds again after a change",
        page::trunk(shell, "watch", &[]),
    );
    // It has ended by itself where Ctrl+C has ended the other.
    drop(host.kill());
    drop(host.wait());
    watched
}

fn build_first(shell: &Shell) -> Result<(), Error> {
    write_first_page(shell.root())?;
    let build = page::trunk(shell, "build", &[FIRST_PAGE.to_owned()]);
    shell.step("Page and CPU worker", build)
}

fn write_first_page(root: &Path) -> Result<(), Error> {
    let file = |path: PathBuf| {
        move |error: std::io::Error| Error::File {
            path,
            reason: error.to_string(),
        }
    };
    let index = root.join("index.html");
    let html = fs::read_to_string(&index).map_err(file(index.clone()))?;
    let first = first_page(&html).ok_or_else(|| Error::File {
        path: index,
        reason: "its GPU worker is not where xtask/src/first.rs looks for it.".to_owned(),
    })?;
    let path = root.join(FIRST_PAGE);
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder).map_err(file(folder.to_owned()))?;
    fs::write(&path, first).map_err(file(path.clone()))
}

/// The page without its GPU worker, in a folder two below.
fn first_page(html: &str) -> Option<String> {
    let html = without_element(html, "name=\"kiln-gpu_worker\"")?;
    let html = without_element(&html, "data-bin=\"gpu_worker\"")?;
    each_value(&html, "href", |address| {
        if address.starts_with("data:") {
            address.to_owned()
        } else {
            format!("../../{address}")
        }
    })
}

/// A page with other values of an attribute.
fn each_value(html: &str, attribute: &str, other: impl Fn(&str) -> String) -> Option<String> {
    let beginning = format!(" {attribute}=\"");
    let mut parts = html.split(&beginning);
    let mut changed = parts.next()?.to_owned();
    for part in parts {
        let (value, rest) = part.split_once('"')?;
        changed += &format!("{beginning}{}\"{rest}", other(value));
    }
    Some(changed)
}

/// All but the element, without content, that has this attribute.
fn without_element(html: &str, attribute: &str) -> Option<String> {
    let (before, after) = html.split_once(attribute)?;
    let (before, _) = before.rsplit_once('<')?;
    let (_, after) = after.split_once('>')?;
    Some(format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    #[test]
    fn the_first_page_is_the_page_without_its_gpu_worker() {
        let first = first_page(include_str!("../../index.html")).unwrap();
        assert!(!first.contains("gpu_worker"));
        assert!(first.contains("content=\"cpu_worker_loader.js\""));
        assert!(first.contains("data-bin=\"cpu_worker\""));
        assert!(first.contains("href=\"../../app/Cargo.toml\""));
        assert!(first.contains("href=\"data:image/svg+xml"));
        assert_eq!(first.matches("data-bin=").count(), 3);
        assert!(first.contains("</html>"));
    }
}
