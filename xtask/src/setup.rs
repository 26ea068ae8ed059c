//! Brings the tools that build the page: only what is missing, never over the user's own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::shell::Shell;

/// The target of every module.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The newest trunk that the pinned Rust compiles.
const TRUNK_VERSION: &str = "0.21.14";
const GECKODRIVER_VERSION: &str = "0.37.1";
const CARGO_FUZZ_VERSION: &str = "0.13.2";

/// Tools run for seconds and are compiled once: how long that takes is what a person waits for.
const QUICK_TO_COMPILE: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// A tool that cargo can install.
struct Tool {
    package: &'static str,
    version: String,
    /// The programs that are needed of it; the first names its folder.
    programs: &'static [&'static str],
    /// Whether the versions of its own lock file can be had.
    locked: bool,
    /// Whether all that it can do by itself is wanted, or the least.
    has_defaults: bool,
    /// How much the compiler takes out of it: what starts others need not be fast itself.
    opt_level: &'static str,
}

/// Brings all that `trunk build` and the in-browser tests need, and puts it on the shell's PATH.
///
/// # Errors
/// A tool that is missing and cannot be installed.
pub fn set_up(shell: &mut Shell) -> Result<(), Error> {
    wasm_target(shell)?;
    let tools = [
        Tool {
            package: "trunk",
            version: TRUNK_VERSION.to_owned(),
            programs: &["trunk"],
            locked: true,
            // It would look for updates of itself and speak https: nothing here asks it to.
            has_defaults: false,
            opt_level: "0",
        },
        Tool {
            package: "wasm-bindgen-cli",
            version: wasm_bindgen_version(shell.root())?,
            programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
            // Its published lock file names a version that was withdrawn.
            locked: false,
            // It would speak https to a browser's driver, which is on this machine.
            has_defaults: false,
            opt_level: "1",
        },
    ];
    for tool in tools {
        tool.provide(shell)?;
    }
    Ok(())
}

/// Brings the driver of Firefox, and puts it on the shell's PATH.
///
/// # Errors
/// No network, or code that does not compile.
pub fn geckodriver(shell: &mut Shell) -> Result<(), Error> {
    let tool = Tool {
        package: "geckodriver",
        version: GECKODRIVER_VERSION.to_owned(),
        programs: &["geckodriver"],
        locked: true,
        has_defaults: true,
        opt_level: "1",
    };
    tool.provide(shell)
}

/// Brings what runs the fuzz targets, and puts it on the shell's PATH.
///
/// # Errors
/// No network, or code that does not compile.
pub fn cargo_fuzz(shell: &mut Shell) -> Result<(), Error> {
    let tool = Tool {
        package: "cargo-fuzz",
        version: CARGO_FUZZ_VERSION.to_owned(),
        programs: &["cargo-fuzz"],
        locked: true,
        has_defaults: true,
        opt_level: "1",
    };
    tool.provide(shell)
}

/// Brings Rust's standard library for WebAssembly.
///
/// # Errors
/// No rustup to add it with, or no network.
pub fn wasm_target(shell: &Shell) -> Result<(), Error> {
    let library = shell.output_of(
        "rustc",
        &["--print", "target-libdir", "--target", WASM_TARGET],
    );
    if library.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    eprintln!("Adding the Rust target {WASM_TARGET} (once, about a minute).");
    let added = shell
        .command("rustup", ["target", "add", WASM_TARGET])
        .status()
        .is_ok_and(|status| status.success());
    if added {
        return Ok(());
    }
    Err(Error::Missing {
        what: format!("The Rust target {WASM_TARGET} could not be added."),
        remedy: format!(
            "With a network connection, run `rustup target add {WASM_TARGET}` in this folder, then this again."
        ),
    })
}

/// The version of wasm-bindgen in `Cargo.lock`: the tool's must be the same.
///
/// # Errors
/// A lock file that is missing or does not name it.
pub fn wasm_bindgen_version(root: &Path) -> Result<String, Error> {
    version_of(root, "wasm-bindgen")
}

/// The version of a package in `Cargo.lock`.
///
/// # Errors
/// A lock file that is missing or does not name it.
pub fn version_of(root: &Path, package: &str) -> Result<String, Error> {
    let path = root.join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(|error| Error::File {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    locked_version(&lock, package)
        .map(str::to_owned)
        .ok_or_else(|| Error::File {
            path,
            reason: format!("it names no version of {package}. Run `git checkout Cargo.lock`."),
        })
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines
        .nth(1)?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

impl Tool {
    /// Makes the tool's programs found on the shell's PATH, installing them where they are not.
    fn provide(&self, shell: &mut Shell) -> Result<(), Error> {
        if self
            .programs
            .iter()
            .all(|program| self.is_right(shell, program))
        {
            return Ok(());
        }
        let tools = cache_folder()?.join("tools");
        let root = tools.join(format!("{}-{}", self.programs[0], self.version));
        let folder = root.join("bin");
        shell.prepend_path(folder.clone());
        let is_there = |program: &&str| {
            folder
                .join(format!("{program}{}", env::consts::EXE_SUFFIX))
                .is_file()
        };
        if self.programs.iter().all(is_there) {
            return Ok(());
        }
        self.install(shell, &root)
    }

    fn is_right(&self, shell: &Shell, program: &str) -> bool {
        let printed = shell.output_of(program, &["--version"]);
        printed
            .is_some_and(|printed| printed.split_whitespace().nth(1) == Some(self.version.as_str()))
    }

    fn install(&self, shell: &Shell, root: &Path) -> Result<(), Error> {
        let Self {
            package, version, ..
        } = self;
        eprintln!(
            "Installing {package} {version} into {}: compiled once, which takes minutes.",
            root.display()
        );
        let mut arguments = vec!["install", package, "--version", version];
        if self.locked {
            arguments.push("--locked");
        }
        if !self.has_defaults {
            arguments.push("--no-default-features");
        }
        let by_hand = format!("cargo {}", arguments.join(" "));
        let installed = shell
            .command("cargo", &arguments)
            .arg("--root")
            .arg(root)
            .envs(QUICK_TO_COMPILE)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level)
            // Where cargo is told to build elsewhere, the tool's leavings would stay there.
            .env_remove("CARGO_TARGET_DIR")
            .status()
            .is_ok_and(|status| status.success());
        if installed {
            return Ok(());
        }
        Err(Error::Missing {
            what: format!("{package} {version} could not be installed; the reason stands above."),
            remedy: format!(
                "With a network connection, run this again, or install it yourself: {by_hand}"
            ),
        })
    }
}

/// Where Kiln keeps what is not the repository's.
///
/// # Errors
/// No home folder.
pub fn cache_folder() -> Result<PathBuf, Error> {
    let home = env::home_dir()
        .filter(|home| home.is_absolute())
        .ok_or(Error::NoHome)?;
    Ok(home.join(".cache").join("kiln"))
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_locked_version_is_the_one_of_that_very_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-test\"\nversion = \"0.3.80\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "trunk"), None);
        assert_eq!(locked_version("name = \"trunk\"", "trunk"), None);
    }
}
