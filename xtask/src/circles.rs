//! Whether files use each other in a circle, and whether any is too long; read from their imports,
//! which rustfmt writes in one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::error::Error;

/// Lines of a file that does one thing.
const MOST_LINES: usize = 500;
/// What a longer file says, with its reason behind it.
const REASON: &str = "//! Longer than others: ";

/// How the tests of a file begin, which stand last in it.
const TESTS: [&str; 3] = [
    "#[cfg(test)]\nmod tests {",
    "#[cfg(test)]\npub(super) mod tests {",
    "#[cfg(test)]\npub(crate) mod tests {",
];

/// Files by the path of their module, with what each imports.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Checks the sources of a crate.
///
/// # Errors
/// A circle of files, or a file that is too long and does not say why.
pub fn check(sources: &Path) -> Result<(), Error> {
    let mut texts = BTreeMap::new();
    read(sources, &mut Vec::new(), &mut texts)?;
    for (module, text) in &texts {
        let lines = text.lines().count();
        if lines > MOST_LINES && !text.contains(REASON) {
            return Err(Error::Layer(format!(
                "{} of {} has {lines} lines, more than {MOST_LINES}. Take it apart, or say why not: \
                 `{REASON}…`.",
                module.join("::"),
                sources.display()
            )));
        }
    }
    let modules: BTreeSet<Vec<String>> = texts.keys().cloned().collect();
    let imports = texts
        .iter()
        .map(|(module, text)| (module.clone(), imported(module, text, &modules)))
        .collect();
    match circle(&imports) {
        Some(circle) => Err(Error::Layer(format!(
            "These files of {} use each other in a circle: {}.",
            sources.display(),
            circle.join(" → ")
        ))),
        None => Ok(()),
    }
}

/// The texts of all files by module; a folder's `mod.rs` is the folder's module.
fn read(
    folder: &Path,
    module: &mut Vec<String>,
    texts: &mut BTreeMap<Vec<String>, String>,
) -> Result<(), Error> {
    let unreadable = |error: std::io::Error| Error::File {
        path: folder.to_owned(),
        reason: error.to_string(),
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            module.push(name.into_owned());
            read(&path, module, texts)?;
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut own = module.clone();
            if !matches!(name.as_ref(), "mod" | "lib" | "main") {
                own.push(name.into_owned());
            }
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            texts.insert(own, text);
        }
    }
    Ok(())
}

/// The other files that a file imports from.
fn imported(
    module: &[String],
    text: &str,
    modules: &BTreeSet<Vec<String>>,
) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    // A test may look at anything: what it alone imports is no part of the design.
    let mut rest = TESTS.iter().fold(text, |text, start| {
        text.split(start).next().unwrap_or_default()
    });
    if module.last().is_some_and(|name| name == "tests") {
        return found;
    }
    while let Some(at) = rest.find("use ") {
        let line = rest[..at].rsplit('\n').next().unwrap_or_default();
        let is_import = matches!(line.trim(), "" | "pub" | "pub(super)" | "pub(crate)");
        rest = &rest[at + 4..];
        let Some(end) = rest.find(';').filter(|_| is_import) else {
            continue;
        };
        // What is in a module of a file's own, as its tests, is one level down.
        let depth = line.chars().take_while(|letter| *letter == ' ').count() / 4;
        let tree: String = rest[..end].split_whitespace().collect();
        for path in flatten(&tree) {
            found.extend(resolve(module, depth, &path, modules));
        }
    }
    found.remove(module);
    found
}

/// `a::{b,c::{d,e}}` as its paths.
fn flatten(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else {
        return vec![tree.to_owned()];
    };
    let close = tree.rfind('}').unwrap_or(tree.len());
    let (before, inner) = (&tree[..open], &tree[open + 1..close]);
    let (mut paths, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let parts = flatten(&inner[start..at]);
                paths.extend(parts.into_iter().map(|part| format!("{before}{part}")));
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// The file of a path: the longest beginning that is one.
fn resolve(
    module: &[String],
    depth: usize,
    path: &str,
    modules: &BTreeSet<Vec<String>>,
) -> Option<Vec<String>> {
    let mut parts = path.split("::").peekable();
    let mut base = module.to_vec();
    match parts.peek().copied() {
        Some("crate") => {
            parts.next();
            base.clear();
        }
        Some("self") => drop(parts.next()),
        Some("super") => {
            let mut levels = depth;
            while parts.next_if_eq(&"super").is_some() {
                if levels == 0 {
                    base.pop();
                }
                levels = levels.saturating_sub(1);
            }
        }
        _ => {}
    }
    let is_own = base == module;
    let mut longest = (!is_own).then(|| base.clone());
    for part in parts {
        base.push(part.to_owned());
        if !modules.contains(&base) {
            break;
        }
        longest = Some(base.clone());
    }
    longest.filter(|found| modules.contains(found))
}

/// A circle, where there is one.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    for module in imports.keys() {
        let mut way = Vec::new();
        if let Some(circle) = follow(module, imports, &mut way, &mut done) {
            return Some(circle);
        }
    }
    None
}

fn follow<'a>(
    module: &'a [String],
    imports: &'a Imports,
    way: &mut Vec<&'a [String]>,
    done: &mut BTreeSet<&'a [String]>,
) -> Option<Vec<String>> {
    if let Some(start) = way.iter().position(|earlier| *earlier == module) {
        let names = way[start..].iter().chain([&module]);
        return Some(names.map(|name| name.join("::")).collect());
    }
    if done.contains(module) {
        return None;
    }
    way.push(module);
    for next in imports.get(module).into_iter().flatten() {
        let circle = follow(next, imports, way, done);
        if circle.is_some() {
            return circle;
        }
    }
    way.pop();
    done.insert(module);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        let parts = text.split("::").filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }

    fn of(files: &[(&str, &str)]) -> Option<Vec<String>> {
        let modules: BTreeSet<_> = files.iter().map(|(name, _)| path(name)).collect();
        let imports = files
            .iter()
            .map(|(name, text)| (path(name), imported(&path(name), text, &modules)))
            .collect();
        circle(&imports)
    }

    #[test]
    fn a_circle_is_found_however_long_it_is() {
        let a = ("page::a", "use super::b::{self, X};\n");
        let b = (
            "page::b",
            "use std::fmt;\nuse crate::{page::{c, d::Y}, other};\n",
        );
        let c = ("page::c", "pub use crate::page::a::Z;\n");
        let folder = ("page", "mod a;\nmod b;\nmod c;\n");
        assert_eq!(of(&[folder, a, b, ("page::c", "")]), None);
        let found = of(&[folder, a, b, c]).unwrap_or_default();
        assert_eq!(found, ["page::a", "page::b", "page::c", "page::a"]);
    }

    #[test]
    fn a_folder_and_what_is_in_it_are_a_circle_too() {
        let folder = ("page", "mod a;\nuse a::X;\n");
        assert!(of(&[folder, ("page::a", "use super::Y;\n")]).is_some());
        assert_eq!(of(&[folder, ("page::a", "// use super::Y;\n")]), None);
    }

    #[test]
    fn a_module_in_a_file_is_that_file() {
        let text = "mod inner {\n    use super::*;\n    use super::super::b::X;\n}\n";
        let imports = imported(&path("a"), text, &BTreeSet::from([path("a"), path("b")]));
        assert_eq!(imports, BTreeSet::from([path("b")]));
    }

    #[test]
    fn what_tests_alone_import_is_no_arrow() {
        let modules = BTreeSet::from([path("a"), path("b"), path("a::tests")]);
        let text =
            "use super::b::Y;\n\n#[cfg(test)]\nmod tests {\n    use crate::a::tests::X;\n}\n";
        let found = imported(&path("a"), text, &modules);
        assert_eq!(found, BTreeSet::from([path("b")]));
        assert_eq!(
            imported(&path("a::tests"), "use crate::b;\n", &modules),
            BTreeSet::new()
        );
    }
}
