//! What has to be done to modules because wasm-bindgen and what takes them apart do not know of each
//! other. All of it is about wasm-bindgen 0.2.130 and wasm-split 0.2.1.

use std::collections::HashSet;
use std::path::Path;

use walrus::ir::{Call, Visitor, dfs_in_order};
use walrus::{ExportItem, FunctionBuilder, FunctionId, Module, ModuleConfig};
use wasm_encoder::{RawSection, SectionId};
use wasmparser::Parser;

use crate::error::Error;

/// Where wasm-bindgen's own imports seem to come from.
const PLACEHOLDER: &str = "__wbindgen_placeholder__";
/// What a function calls that wasm-bindgen reads, and puts an import in place of: such a function has
/// to stay in the main module.
const MARKER: &str = "__wbindgen_describe_generic_import";
/// What the marker was called when wasm-split learned of it.
const FORMER_MARKER: &str = "__wbindgen_describe_cast";
/// Asks for the first number of a JavaScript value that is not reserved. wasm-bindgen answers where
/// values are references; parts share numbers with each other, and no references.
const FIRST_VALUE: (&str, &str) = (
    "__wbindgen_externref_xform__",
    "__wbindgen_externref_statics_end",
);
/// `JSIDX_RESERVED` of wasm-bindgen.
const RESERVED_VALUES: i32 = 1_028;

/// The same module, with the marker's former name.
///
/// # Errors
/// A module that cannot be read, or none of wasm-bindgen's.
pub fn rename_marker(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let named = |name: &str| [&[name.len() as u8], name.as_bytes()].concat();
    let (marker, former) = (named(MARKER), named(FORMER_MARKER));
    let mut is_there = false;
    let renamed = rewrite(bytes, |id, data| {
        let found = data.windows(marker.len()).position(|name| name == marker);
        Some(match found.filter(|_| id == SectionId::Import as u8) {
            Some(start) => {
                is_there = true;
                [&data[..start], &former, &data[start + marker.len()..]].concat()
            }
            None => data.to_owned(),
        })
    })?;
    if is_there {
        Ok(renamed)
    } else {
        Err(Error::Split(format!("the module does not import {MARKER}")))
    }
}

/// The same module without names and notes: no browser needs them.
///
/// # Errors
/// A module that cannot be read.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    rewrite(bytes, |id, data| {
        (id != SectionId::Custom as u8).then(|| data.to_owned())
    })
}

/// A module with other sections.
fn rewrite(
    bytes: &[u8],
    mut section: impl FnMut(u8, &[u8]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Error> {
    let mut module = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Some((id, range)) = payload.map_err(Error::split)?.as_section()
            && let Some(data) = section(id, &bytes[range])
        {
            module.section(&RawSection { id, data: &data });
        }
    }
    Ok(module.finish())
}

/// The main module as wasm-bindgen is to get it.
///
/// # Errors
/// A module that cannot be read, or is not what is expected.
pub fn main_module(path: &Path) -> Result<Module, Error> {
    let mut options = ModuleConfig::new();
    let options = options
        .generate_name_section(false)
        .generate_producers_section(false);
    let mut module = options.parse_file(path).map_err(Error::split)?;

    let (from, name) = FIRST_VALUE;
    let import = module.imports.get_func(from, name).map_err(Error::split)?;
    let filled = module.replace_imported_func(import, |(body, _)| {
        body.i32_const(RESERVED_VALUES);
    });
    filled.map_err(Error::split)?;

    let marker = module.imports.get_func(PLACEHOLDER, FORMER_MARKER);
    let marker = marker.map_err(Error::split)?;
    let import = module
        .imports
        .iter_mut()
        .find(|import| import.module == PLACEHOLDER && import.name == FORMER_MARKER);
    if let Some(import) = import {
        MARKER.clone_into(&mut import.name);
    }
    call_marked(&mut module, marker);
    Ok(module)
}

/// wasm-bindgen puts an import in place of a marked function where it is called, and not where it is
/// exported to the other parts: these get one that calls it.
fn call_marked(module: &mut Module, marker: FunctionId) {
    let calls_marker = |(_, function): &(FunctionId, &walrus::LocalFunction)| {
        let mut search = Search {
            wanted: marker,
            is_found: false,
        };
        dfs_in_order(&mut search, function, function.entry_block());
        search.is_found
    };
    let marked = module.funcs.iter_local().filter(calls_marker);
    let marked: HashSet<FunctionId> = marked.map(|(id, _)| id).collect();
    let exports: Vec<_> = module.exports.iter().map(|export| export.id()).collect();
    for export in exports {
        let ExportItem::Function(function) = module.exports.get(export).item else {
            continue;
        };
        if marked.contains(&function) {
            let caller = caller_of(module, function);
            module.exports.get_mut(export).item = ExportItem::Function(caller);
        }
    }
}

fn caller_of(module: &mut Module, function: FunctionId) -> FunctionId {
    let signature = module.types.get(module.funcs.get(function).ty());
    let (takes, gives) = (signature.params().to_vec(), signature.results().to_vec());
    let arguments: Vec<_> = takes.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &takes, &gives);
    let mut body = builder.func_body();
    for argument in &arguments {
        body.local_get(*argument);
    }
    body.call(function);
    builder.finish(arguments, &mut module.funcs)
}

struct Search {
    wanted: FunctionId,
    is_found: bool,
}

impl Visitor<'_> for Search {
    fn visit_call(&mut self, call: &Call) {
        self.is_found |= call.func == self.wanted;
    }
}
