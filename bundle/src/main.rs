//! What is done to the page once trunk has built it. Without arguments it is trunk's hook: it takes
//! the page's module apart, names its workers and, where it is told to, makes it ready for a server:
//! strict, to be kept and installed by browsers, and compressed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kiln_bundle::error::Error;
use kiln_bundle::{compress, host, install, name, offline, policy, split, weigh};

/// The folder that trunk is building into.
const STAGING: &str = "TRUNK_STAGING_DIR";
/// Set where the page is to be put on a server as it is, and not to be built again at any moment.
const PUBLISH: &str = "KILN_PUBLISH";
/// Where the page is served unless something else is said.
const ADDRESS: &str = "127.0.0.1:8080";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Error> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => finish(),
        ["weigh", dist] => weigh::weigh(Path::new(dist)),
        ["ask", address] => host::ask(address),
        ["host", dist] => host::host(Path::new(dist), ADDRESS),
        ["host", dist, address] => host::host(Path::new(dist), address),
        _ => Err(Error::Usage),
    }
}

fn finish() -> Result<(), Error> {
    let dist = env::var_os(STAGING).map(PathBuf::from);
    let dist = dist.ok_or(Error::Usage)?;
    split::split(&dist, &module()?)?;
    name::name(&dist)?;
    if env::var_os(PUBLISH).is_none() {
        return offline::write_none(&dist);
    }
    install::write(&dist)?;
    policy::write(&dist)?;
    offline::write(&dist)?;
    compress::compress(&dist)
}

/// The page's module as cargo made it: beside this program, for trunk builds where cargo does.
fn module() -> Result<PathBuf, Error> {
    let program = env::current_exe().map_err(Error::of(Path::new("kiln-bundle")))?;
    let target = program.ancestors().nth(2).unwrap_or(&program);
    Ok(target.join("wasm32-unknown-unknown/page/page.wasm"))
}
