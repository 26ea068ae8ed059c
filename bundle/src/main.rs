//! What is done to the page once trunk has built it. Without arguments it is trunk's hook: it takes
//! the page's module apart, names its workers and, where it is told to, makes it ready for a server:
//! strict, to be kept and installed by browsers, and compressed.
//!
//! `first FOLDER` puts the page together from what cargo has compiled in the profile of this program,
//! before there is a trunk.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kiln_bundle::error::Error;
use kiln_bundle::{compress, first, install, name, offline, policy, split, weigh};

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
        ["ask", address] => Ok(kiln_host::ask(address)?),
        ["first", folder] => {
            first::put_together(Path::new("."), &modules(&profile()?)?, Path::new(folder))
        }
        ["host", dist] => serve(dist, None, ADDRESS),
        ["host", dist, address] => serve(dist, None, address),
        ["host-after", before, dist] => {
            end_with_input();
            serve(dist, Some(Path::new(before)), ADDRESS)
        }
        _ => Err(Error::Usage),
    }
}

fn serve(dist: &str, before: Option<&Path>, address: &str) -> Result<(), Error> {
    Ok(kiln_host::host(Path::new(dist), before, address)?)
}

fn finish() -> Result<(), Error> {
    let dist = env::var_os(STAGING).map(PathBuf::from);
    let dist = dist.ok_or(Error::Usage)?;
    split::split(&dist, &modules("page")?.join("page.wasm"))?;
    name::name(&dist)?;
    if env::var_os(PUBLISH).is_none() {
        return offline::write_none(&dist);
    }
    install::write(&dist)?;
    policy::write(&dist)?;
    offline::write(&dist)?;
    compress::compress(&dist)
}

/// The modules as cargo made them in a profile: beside this program, for they are built where it is.
fn modules(profile: &str) -> Result<PathBuf, Error> {
    let target = folder_of_program(2)?;
    Ok(target.join("wasm32-unknown-unknown").join(profile))
}

/// The profile of this program.
fn profile() -> Result<String, Error> {
    let folder = folder_of_program(1)?;
    let name = folder.file_name().unwrap_or_default();
    Ok(name.to_string_lossy().into_owned())
}

/// The folder of this program, or one that so many folders lie below.
fn folder_of_program(depth: usize) -> Result<PathBuf, Error> {
    let program = env::current_exe().map_err(Error::of(Path::new("kiln-bundle")))?;
    Ok(program
        .ancestors()
        .nth(depth)
        .unwrap_or(&program)
        .to_owned())
}

/// Ends this program when its input ends: with the one that started it, however that ended.
fn end_with_input() {
    std::thread::spawn(|| {
        // What cannot be read has ended too.
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        std::process::exit(0);
    });
}
