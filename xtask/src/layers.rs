//! Which crate and which folder may use which; read from the dependency tree and from imports.

use std::fs;
use std::path::Path;

use crate::circles;
use crate::error::Error;
use crate::shell::Shell;

/// What names a browser.
const WEB: &[&str] = &["gloo", "js-sys", "leptos", "wasm-bindgen", "web-sys"];
const BURN: &[&str] = &["burn"];

/// A package with features, and what it never links: these packages, and those whose names go on
/// with a dash.
struct Package {
    name: &'static str,
    features: &'static str,
    never: &'static [&'static [&'static str]],
}

const PACKAGES: [Package; 5] = [
    Package {
        name: "kiln-model",
        features: "",
        never: &[BURN, WEB],
    },
    Package {
        name: "kiln-run",
        features: "",
        never: &[BURN, WEB],
    },
    Package {
        name: "kiln-trainer",
        features: "questions",
        // What else names a browser burn brings.
        never: &[&["gloo", "leptos", "web-sys"]],
    },
    Package {
        name: "kiln-app",
        features: "page",
        never: &[BURN],
    },
    Package {
        name: "kiln-app",
        features: "file-worker",
        never: &[BURN],
    },
];

/// A folder of `app/src/` and what its files never import.
const FOLDERS: [(&str, &[&str]); 4] = [
    ("browser", &["crate::page", "crate::worker", "crate::files"]),
    ("worker", &["crate::page", "crate::files"]),
    ("files", &["crate::page", "crate::worker"]),
    ("page", &["crate::worker", "crate::files"]),
];

/// Checks all of it.
///
/// # Errors
/// A package or a file that uses what it never should.
pub fn check(shell: &Shell) -> Result<(), Error> {
    eprintln!("\n== Layers");
    for package in &PACKAGES {
        let found = never_linked(&tree(shell, package)?, package.never);
        if !found.is_empty() {
            return Err(Error::Layer(format!(
                "{} links {}, which it never should. `cargo tree -p {} --features \"{}\" -e normal \
                 --target wasm32-unknown-unknown -i {}` shows the way in.",
                package.name,
                found.join(", "),
                package.name,
                package.features,
                found[0]
            )));
        }
    }
    for (folder, never) in FOLDERS {
        check_folder(&shell.root().join("app/src").join(folder), never)?;
    }
    for sources in ["app/src", "cli/src", "run/src", "trainer/src"] {
        circles::check(&shell.root().join(sources))?;
    }
    Ok(())
}

/// One package a line.
fn tree(shell: &Shell, package: &Package) -> Result<String, Error> {
    // The whole tree, and not `-i burn` with an empty answer: cargo also answers nothing when it fails.
    let arguments = [
        "tree",
        "-p",
        package.name,
        "--features",
        package.features,
        "-e",
        "normal",
        "--target",
        "wasm32-unknown-unknown",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let tree = shell.output_of("cargo", &arguments);
    tree.ok_or_else(|| Error::Step {
        name: "Layers".to_owned(),
        status: "cargo tree gave no answer".to_owned(),
        command: format!("cargo {}", arguments.join(" ")),
    })
}

fn never_linked(tree: &str, never: &[&[&str]]) -> Vec<String> {
    let is_one = |name: &str| {
        never.iter().copied().flatten().any(|never| {
            let rest = name.strip_prefix(never);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    let names = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<String> = names
        .filter(|name| is_one(name))
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn check_folder(folder: &Path, never: &[&str]) -> Result<(), Error> {
    let unreadable = |error: std::io::Error| Error::File {
        path: folder.to_owned(),
        reason: error.to_string(),
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            check_folder(&path, never)?;
            continue;
        }
        let text = fs::read_to_string(&path).map_err(unreadable)?;
        if let Some(import) = never.iter().find(|import| text.contains(*import)) {
            return Err(Error::Layer(format!(
                "{} uses `{import}`, which its folder never should.",
                path.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{BURN, WEB, never_linked};

    #[test]
    fn packages_are_found_by_name() {
        let tree = "kiln-app v0.1.0 (/burn/app)\nburn-flex v0.22.1\nburn v0.22.1\nburn v0.22.1 (*)\nburning v1.0.0\nleptos_dom v0.8.7\nweb-sys v0.3.107\n";
        assert_eq!(never_linked(tree, &[BURN]), ["burn", "burn-flex"]);
        assert_eq!(
            never_linked(tree, &[BURN, WEB]),
            ["burn", "burn-flex", "web-sys"]
        );
        assert!(never_linked("leptos v0.8.23\n", &[BURN]).is_empty());
    }
}
