//! `kiln export`.

use std::path::{Path, PathBuf};

use kiln_run::export::{FORMATS, Format, Source, write};

use crate::arguments::Export;
use crate::error::CliError;
use crate::input;
use crate::terminal::tell;

/// Makes these files of the runs in those.
///
/// # Errors
/// A file without runs, a format that is none, and what a run does not have.
pub fn export(wanted: &Export) -> Result<(), CliError> {
    let formats = wanted.formats.iter().map(|asked| named(asked));
    let formats: Vec<Format> = formats.collect::<Result<_, _>>()?;
    std::fs::create_dir_all(&wanted.out).map_err(CliError::of(&wanted.out))?;
    let mut taken: Vec<PathBuf> = wanted.files.iter().filter_map(whole).collect();
    for file in &wanted.files {
        for unpacked in input::runs(file)? {
            let name = &unpacked.record.identity.name;
            let run = unpacked.parcel.read();
            let run = run.map_err(|_| CliError::Damaged { name: name.clone() })?;
            let source = Source {
                run: &run,
                which: wanted.weights.into(),
                parcel: &unpacked.parcel,
            };
            for format in &formats {
                let mut bytes = Vec::new();
                let written = write(*format, &source, &mut |part: Vec<u8>, _| bytes.extend(part));
                written.map_err(|reason| CliError::Export {
                    name: name.clone(),
                    reason,
                })?;
                let path = wanted.out.join(format.file_name(name));
                if whole(&path).is_some_and(|path| taken.contains(&path)) {
                    return Err(CliError::Twice { path });
                }
                std::fs::write(&path, bytes).map_err(CliError::of(&path))?;
                tell(path.display());
                taken.extend(whole(&path));
            }
        }
    }
    Ok(())
}

/// Where a file is, however it was named; nothing where there is none.
fn whole(path: impl AsRef<Path>) -> Option<PathBuf> {
    path.as_ref().canonicalize().ok()
}

/// The format whose files' names end so, with its first dot or without.
fn named(asked: &str) -> Result<Format, CliError> {
    let ending = |format: &Format| {
        let ending = format.about().ending;
        ending.strip_prefix(['.', '-']).unwrap_or(ending)
    };
    let asked = asked.strip_prefix('.').unwrap_or(asked);
    let found = FORMATS.into_iter().find(|format| ending(format) == asked);
    found.ok_or_else(|| CliError::Unknown {
        what: "format",
        asked: asked.to_owned(),
        choices: FORMATS
            .iter()
            .map(|format| ending(format).to_owned())
            .collect(),
    })
}
