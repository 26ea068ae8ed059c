//! The page's module, taken apart: what the first paint needs, and parts that arrive when they are
//! wanted. Trunk's own copy is in one piece; the pieces take its place, in a folder of the page's
//! hash, so that no browser puts pieces of two pages together.

use std::fs;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support::{Options, transform};

use crate::error::Error;
use crate::wasm;

/// What loads the parts.
const LOADER: &str = "parts.js";
/// A part that did not arrive is asked for again the next time: as it is written, it would be taken
/// for gone until the page is loaded anew.
const LOADS_ONCE: (&str, &str) = (
    "loadingModule = loader();",
    "loadingModule = loader().catch(error => { loadingModule = undefined; throw error; });",
);
/// Browsers stream no module that its server does not call one. Such a part is read as a whole, which
/// is what wasm-bindgen's own loader does with the page.
const STREAMS: (&str, &str) = (
    "return await WebAssembly.instantiateStreaming(src, imports);",
    "const answer = await src;
            if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
            const isNamed = answer.headers.get('Content-Type') === 'application/wasm';
            return isNamed
                ? await WebAssembly.instantiateStreaming(answer, imports)
                : await WebAssembly.instantiate(await answer.arrayBuffer(), imports);",
);
/// Parts that every visit wants as soon as the first paint is done.
const WANTED_AT_ONCE: &str = "work";

/// Takes `module` apart and puts its pieces where trunk put it in one.
///
/// # Errors
/// Files that are not as trunk leaves them, or a module that cannot be taken apart.
pub fn split(dist: &Path, module: &Path) -> Result<(), Error> {
    let whole = whole(dist)?;
    let early = take_apart(module, &dist.join(&whole))?;

    let index = dist.join("index.html");
    let text = fs::read_to_string(&index).map_err(Error::of(&index))?;
    let (script, wasm) = (format!("{whole}.js"), format!("{whole}_bg.wasm"));
    let address = address(&text, &script).ok_or_else(|| Error::Unexpected {
        file: index.display().to_string(),
        what: script.clone(),
    })?;
    let early = early.into_iter().map(|part| {
        format!(
            "<link rel=\"preload\" href=\"{address}{whole}/{part}.wasm\" as=\"fetch\" \
             type=\"application/wasm\" crossorigin=\"anonymous\" fetchpriority=\"low\">"
        )
    });
    let early: String = early.collect();
    change(
        &index,
        &[
            (&script, &format!("{whole}/page.js")),
            (&wasm, &format!("{whole}/page_bg.wasm")),
            ("</head>", &format!("{early}</head>")),
        ],
    )?;
    for gone in [script, wasm] {
        let gone = dist.join(gone);
        fs::remove_file(&gone).map_err(Error::of(&gone))?;
    }
    Ok(())
}

/// Writes the pieces of `module` into a folder, and says which of them every visit wants at once.
/// They begin with `page.js`.
///
/// # Errors
/// A module that cannot be read or taken apart, or a folder that cannot be written into.
pub fn take_apart(module: &Path, folder: &Path) -> Result<Vec<String>, Error> {
    fs::create_dir_all(folder).map_err(Error::of(folder))?;
    let main = folder.join("page.wasm");
    let bytes = fs::read(module).map_err(Error::of(module))?;
    let bytes = wasm::rename_marker(&bytes)?;
    let mut options = Options::new(&bytes);
    options.output_dir = folder;
    options.main_out_path = &main;
    let link = format!("./{LOADER}");
    options.link_name = &link;
    options.main_module = "./page.js";
    let mut parts = transform(options).map_err(Error::split)?;
    for part in &parts.split_modules {
        let bytes = fs::read(part).map_err(Error::of(part))?;
        fs::write(part, wasm::strip(&bytes)?).map_err(Error::of(part))?;
    }
    bind(&main, folder)?;
    fs::remove_file(&main).map_err(Error::of(&main))?;
    change(&folder.join(LOADER), &[LOADS_ONCE, STREAMS])?;
    let early = parts.prefetch_map.remove(WANTED_AT_ONCE);
    Ok(early.unwrap_or_default())
}

/// The address of the page's folder, which stands before a file's name between the same quotes.
fn address<'a>(html: &'a str, file: &str) -> Option<&'a str> {
    let (before, _) = html.split_once(file)?;
    before.rsplit(['"', '\'']).next()
}

/// The name of the page's module as trunk wrote it, such as `page-0123`, or `page` where it is to go
/// without hashes.
fn whole(dist: &Path) -> Result<String, Error> {
    let names = fs::read_dir(dist).map_err(Error::of(dist))?;
    let mut names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.find_map(|name| {
        let whole = name.strip_suffix("_bg.wasm")?;
        let is_page = whole == "page" || whole.starts_with("page-");
        is_page.then(|| whole.to_owned())
    });
    name.ok_or_else(|| Error::Unexpected {
        file: dist.display().to_string(),
        what: "page-*_bg.wasm".to_owned(),
    })
}

fn bind(main: &Path, folder: &Path) -> Result<(), Error> {
    let bound = Bindgen::new()
        .input_module("page", wasm::main_module(main)?)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name("page")
                .typescript(false)
                .keep_lld_exports(true)
                .generate(folder)
        });
    bound.map_err(Error::split)
}

/// Replaces texts in a file, each of which must be there.
fn change(path: &Path, changes: &[(&str, &str)]) -> Result<(), Error> {
    let mut text = fs::read_to_string(path).map_err(Error::of(path))?;
    for (before, after) in changes {
        if !text.contains(before) {
            return Err(Error::Unexpected {
                file: path.display().to_string(),
                what: (*before).to_owned(),
            });
        }
        text = text.replace(before, after);
    }
    fs::write(path, text).map_err(Error::of(path))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_of_the_page_is_that_of_its_files() {
        for (html, expected) in [
            ("import init from './page-1.js';", Some("./")),
            (
                "<link href=\"/some/folder/page-1.js\">",
                Some("/some/folder/"),
            ),
            ("import init from 'page-1.js';", Some("")),
            ("<p>nothing</p>", None),
        ] {
            assert_eq!(address(html, "page-1.js"), expected, "{html}");
        }
    }
}
