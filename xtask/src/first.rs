//! The first start: the page is served as soon as it can train; its GPU worker, and all else as fast and
//! small as it gets, take its place.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use crate::error::Error;
use crate::page;
use crate::setup::{self, WASM_TARGET};
use crate::shell::Shell;
use crate::stages::Stages;

/// Where the page is served.
const ADDRESS: &str = "127.0.0.1:8080";
const STAGES: [&str; 3] = ["page and CPU worker", "tools", "GPU worker and all else"];
/// The cargo profile that compiles soonest.
const PROFILE: &str = "first";
/// What the first page consists of, with the features of each: a worker that was compiled with the
/// page's would be taken apart like the page.
const MODULES: [(&str, &[&str]); 2] = [
    ("cpu-worker,file-worker", &["cpu_worker", "file_worker"]),
    ("page", &["page"]),
];
/// Where the first page is put together, and where trunk builds the page.
const FIRST_DIST: &str = "target/first-dist";
const DIST: &str = "dist";

/// Whether the GPU worker, which takes longest to compile, was never compiled here.
pub fn is_first() -> bool {
    // Cargo builds everything where it has built this program.
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).unwrap_or(Path::new("target"));
    let module = format!("{WASM_TARGET}/gpu-worker/gpu_worker.wasm");
    !target.join(module).exists()
}

/// Compiles the page without its GPU worker, serves it, brings the tools, builds all of it, and then
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
    stages.next(|| build_first(shell))?;
    let mut host = page::bundle(shell, PROFILE, &["host-after", FIRST_DIST, DIST])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|source| Error::Start {
            program: "kiln-bundle".to_owned(),
            source,
        })?;
    // It ends with its input, which ends with this program; waiting for it would end that at once.
    let _input = host.stdin.take();
    eprintln!(
        "\nOpen http://{ADDRESS}: the page trains on the CPU. Tools and its GPU worker come next."
    );
    if let Err(error) = stages.next(|| setup::set_up(shell)) {
        eprintln!("\nThe page is still served without its GPU worker, until Ctrl+C. {error}");
        // It ends with that, or by itself.
        drop(host.wait());
        return Err(error);
    }
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
    setup::wasm_target(shell)?;
    let dist = shell.root().join(DIST);
    if dist.exists() {
        // What was built before would be taken for the newer page.
        fs::remove_dir_all(&dist).map_err(|error| Error::File {
            path: dist.clone(),
            reason: error.to_string(),
        })?;
    }
    for (features, modules) in MODULES {
        let mut compile = shell.command("cargo", ["build", "--package", "kiln-app"]);
        compile.args(["--profile", PROFILE, "--target", WASM_TARGET]);
        compile.args(["--features", features]);
        compile.args(modules.iter().flat_map(|module| ["--bin", module]));
        shell.step("Page and CPU worker", compile)?;
    }
    shell.step(
        "Put together",
        page::bundle(shell, PROFILE, &["first", FIRST_DIST]),
    )
}
