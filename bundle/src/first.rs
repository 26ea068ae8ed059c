//! The first page: what cargo has compiled, put together without trunk and without the GPU worker, for
//! both take longer to compile than all of it. Nothing is small here, or compressed.

use std::fs;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::error::Error;
use crate::index::Index;
use crate::name::{self, LAST, WORKERS};
use crate::{offline, split};

/// What begins an element that trunk puts something else in place of.
const TRUNK: &str = "<link data-trunk";
/// What puts the page's program into the document.
const PROGRAM: &str = "<script type=\"module\">import init from './page/page.js'; \
                       await init({ module_or_path: './page/page_bg.wasm' });</script>";

/// Puts the page of the repository at `root` together in `folder`, from the modules that cargo has left
/// in `modules`.
///
/// # Errors
/// Modules that are not there or are not what is expected, or a folder that cannot be written into.
pub fn put_together(root: &Path, modules: &Path, folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::of(folder))?;
    }
    let data = folder.join("data");
    fs::create_dir_all(&data).map_err(Error::of(&data))?;
    let source = root.join("model/data");
    for entry in fs::read_dir(&source).map_err(Error::of(&source))? {
        let entry = entry.map_err(Error::of(&source))?;
        copy(&entry.path(), &data.join(entry.file_name()))?;
    }
    copy(&root.join("app/style.css"), &folder.join("style.css"))?;

    split::take_apart(&modules.join("page.wasm"), &folder.join("page"))?;
    for worker in WORKERS.into_iter().filter(|worker| *worker != LAST) {
        bind(&modules.join(format!("{worker}.wasm")), worker, folder)?;
    }
    let mut index = Index::of(root)?;
    let without_last = format!("<meta name=\"kiln-{LAST}\" content=\"{LAST}_loader.js\">");
    index.change(&without_last, "")?;
    while let Some(element) = trunk_element(index.html()).map(str::to_owned) {
        let instead = match attribute(&element, "rel") {
            Some("css") => "<link rel=\"stylesheet\" href=\"style.css\">",
            Some("rust") if attribute(&element, "data-type") == Some("main") => PROGRAM,
            _ => "",
        };
        index.change(&element, instead)?;
    }
    index.write(folder)?;
    name::name(folder)?;
    offline::write_none(folder)
}

/// A worker's module and what loads it, as trunk would leave them.
fn bind(module: &Path, worker: &str, folder: &Path) -> Result<(), Error> {
    let bound = Bindgen::new()
        .input_path(module)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name(worker)
                .typescript(false)
                .remove_name_section(true)
                .omit_default_module_path(false)
                .generate(folder)
        });
    bound.map_err(Error::split)?;
    let loader = folder.join(format!("{worker}_loader.js"));
    let program = format!("import init from './{worker}.js'; await init();");
    fs::write(&loader, program).map_err(Error::of(&loader))
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map_err(Error::of(from))?;
    Ok(())
}

/// The first element that is trunk's.
fn trunk_element(html: &str) -> Option<&str> {
    let element = &html[html.find(TRUNK)?..];
    Some(&element[..=element.find('>')?])
}

/// An attribute of an element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = element.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}
