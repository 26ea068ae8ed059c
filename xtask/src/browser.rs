//! Brings the browsers that the tests drive, and the Python that opens Kiln's files.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::setup;
use crate::shell::Shell;

const BROWSERS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];
/// Where a browser lies that is not on PATH.
const MACOS_BROWSER: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
/// Firefox under its usual names.
const FIREFOX: [&str; 2] = ["firefox", "firefox-esr"];
const FIREFOX_PACKAGE: &str = "firefox-esr";
/// WebKitGTK's driver, which brings the browser, and a screen to show it on.
const WEBKIT: [&str; 2] = ["WebKitWebDriver", "Xvfb"];
const WEBKIT_PACKAGES: [&str; 2] = ["webkit2gtk-driver", "xvfb"];
/// A program and Debian's package of it.
const NPM: &str = "npm";
/// Brings python3 too.
const PYTHON_PACKAGE: &str = "python3-venv";
/// Debian's names; the fonts are only recommended by the browser, and a page without any is blank.
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-liberation"];

/// A file of `app/tests/` to be run inside the browser, in at most so many seconds.
///
/// With the features and the profile of the built page's GPU worker, so that burn compiles once.
pub fn run_inside(shell: &Shell, driver: &Path, file: &str, limit_secs: &str) -> Command {
    let mut inside = shell.command(
        "cargo",
        [
            "test",
            "--profile",
            "gpu-worker",
            "--target",
            "wasm32-unknown-unknown",
            "-p",
            "kiln-app",
            "--features",
            "gpu-worker",
            "--test",
            file,
        ],
    );
    inside
        .env("CHROMEDRIVER", driver)
        .env("WASM_BINDGEN_TEST_TIMEOUT", limit_secs);
    inside
}

/// ChromeDriver, with a browser beside it; both are installed where they are missing.
///
/// # Errors
/// A system without Debian's packages, or no right to install them.
pub fn set_up(shell: &Shell) -> Result<PathBuf, Error> {
    if let Some(driver) = find(shell) {
        return Ok(driver);
    }
    let Some(mut apt) = apt_get(shell) else {
        return Err(missing("cannot be installed from here"));
    };
    eprintln!(
        "Installing {} with apt-get (once, some minutes).",
        PACKAGES.join(", ")
    );
    // Stale lists may still do; whether they did is seen from the installation.
    let updated = apt(&["update"]);
    let installed = apt(&[
        &["install", "--yes", "--no-install-recommends"][..],
        &PACKAGES,
    ]
    .concat());
    match find(shell) {
        Some(driver) if installed => Ok(driver),
        _ if !updated => Err(missing(
            "could not be installed: the package lists cannot be loaded",
        )),
        _ => Err(missing("could not be installed; the reason stands above")),
    }
}

/// Firefox, with its driver on the shell's PATH; installed where Debian's packages can be had.
///
/// # Errors
/// No Firefox, or a driver that cannot be had.
pub fn firefox(shell: &mut Shell) -> Result<PathBuf, Error> {
    if shell.find(&FIREFOX).is_none() {
        install(shell, &[FIREFOX_PACKAGE]);
    }
    let firefox = shell.find(&FIREFOX).ok_or_else(|| Error::Missing {
        what: "One test needs Firefox, which is not here.".to_owned(),
        remedy: format!(
            "Install Firefox so that it is on PATH (on Debian: apt-get install {FIREFOX_PACKAGE}), \
             then run this again."
        ),
    })?;
    setup::geckodriver(shell)?;
    Ok(firefox)
}

/// WebKitGTK with its driver, and a screen to show it on; installed where Debian's packages can be had.
///
/// # Errors
/// None of these.
pub fn webkit(shell: &Shell) -> Result<(), Error> {
    let is_there = || {
        WEBKIT
            .iter()
            .all(|program| shell.find(&[program]).is_some())
    };
    if !is_there() {
        install(shell, &WEBKIT_PACKAGES);
    }
    if is_there() {
        return Ok(());
    }
    Err(Error::Missing {
        what: "One test needs WebKitGTK's driver and Xvfb, which are not here.".to_owned(),
        remedy: format!(
            "Install them so that {} are on PATH (on Debian: apt-get install {}), then run this again.",
            WEBKIT.join(" and "),
            WEBKIT_PACKAGES.join(" ")
        ),
    })
}

/// npm, which brings what looks over the page for those who see or hear otherwise; installed where
/// Debian's packages can be had.
///
/// # Errors
/// No npm.
pub fn npm(shell: &Shell) -> Result<(), Error> {
    if shell.find(&[NPM]).is_none() {
        install(shell, &[NPM]);
    }
    match shell.find(&[NPM]) {
        Some(_) => Ok(()),
        None => Err(Error::Missing {
            what: "One test needs npm, which is not here.".to_owned(),
            remedy: format!(
                "Install Node.js with npm so that it is on PATH (on Debian: apt-get install {NPM}), \
                 then run this again."
            ),
        }),
    }
}

/// Installs Debian's packages, where they can be had; whether that did what it should is seen from what is
/// there then.
fn install(shell: &Shell, packages: &[&str]) {
    if let Some(mut apt) = apt_get(shell) {
        eprintln!(
            "Installing {} with apt-get (once, a minute).",
            packages.join(", ")
        );
        apt(&["update"]);
        apt(&[
            &["install", "--yes", "--no-install-recommends"][..],
            packages,
        ]
        .concat());
    }
}

/// Python with venv, in which the programs are installed that open Kiln's files; installed where
/// Debian's packages can be had.
///
/// # Errors
/// No such Python.
pub fn python(shell: &Shell) -> Result<(), Error> {
    let is_there = || {
        shell
            .output_of("python3", &["-c", "import ensurepip, venv"])
            .is_some()
    };
    if is_there() {
        return Ok(());
    }
    install(shell, &[PYTHON_PACKAGE]);
    if is_there() {
        return Ok(());
    }
    Err(Error::Missing {
        what: "The tests need Python with venv, which is not here.".to_owned(),
        remedy: format!(
            "Install Python 3 so that python3 is on PATH and has venv (on Debian: apt-get install \
             {PYTHON_PACKAGE}), then run this again."
        ),
    })
}

fn find(shell: &Shell) -> Option<PathBuf> {
    let chosen = env::var_os("CHROMEDRIVER")
        .map(PathBuf::from)
        .filter(|driver| driver.is_file());
    let driver = chosen.or_else(|| shell.find(&["chromedriver"]))?;
    let has_browser = shell.find(&BROWSERS).is_some() || Path::new(MACOS_BROWSER).is_file();
    has_browser.then_some(driver)
}

/// Runs apt-get with the right to install and without questions, where there is such a right.
fn apt_get(shell: &Shell) -> Option<impl FnMut(&[&str]) -> bool> {
    shell.find(&["apt-get"])?;
    let is_root = shell.output_of("id", &["-u"]).is_some_and(|id| id == "0");
    let may_become_root = || shell.output_of("sudo", &["-n", "true"]).is_some();
    let mut words = if is_root {
        vec![]
    } else if may_become_root() {
        vec!["sudo", "-n"]
    } else {
        return None;
    };
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Some(move |arguments: &[&str]| {
        shell
            .command(words[0], words[1..].iter().chain(arguments))
            .status()
            .is_ok_and(|status| status.success())
    })
}

fn missing(why: &str) -> Error {
    Error::Missing {
        what: format!("The tests need Chromium and ChromeDriver, which {why}."),
        remedy: "Install Chromium or Google Chrome and the ChromeDriver of the same version so that \
                 both are on PATH (on Debian: apt-get install chromium chromium-driver), then run this again."
            .to_owned(),
    }
}
