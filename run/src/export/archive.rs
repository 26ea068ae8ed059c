//! Everything of a run in one file, which other Kilns read: the run itself and every other file.

use std::cell::Cell;
use std::io::Write;

use serde_json::to_vec_pretty;

use super::format::{About, ExportError, Format, Group, Language, Needs, Source, Take};
use super::list::{self, EACH};
use super::name::file_stem;
use super::report;
use super::zip::{Parts, Zip};
use crate::archive::{CHECKPOINT, HEAD, Head, VERSION, answers_name, segment_name};
use crate::parcel::Parcel;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".kiln.zip",
    group: Group::Whole,
    needs: Needs::Nothing,
    contents: "The run itself and every file below",
    opens_with: "Kiln, here or elsewhere; any program for zip files",
    media_type: "application/zip",
    language: Language::Shell,
    snippet: |stem| format!("unzip \"{stem}.kiln.zip\" && python \"{stem}/load.py\""),
};

/// A program that shows what was unpacked.
const LOAD: &str = include_str!("archive/load.py");

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    write_all(std::slice::from_ref(source), take)
}

/// The file of several runs.
pub fn write_all(sources: &[Source], take: &mut Take) -> Result<(), ExportError> {
    let done = Cell::new(0.0);
    let mut zip = Zip::new(Parts::new(take, &done));
    let mut stems: Vec<String> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let stem = file_stem(&source.run.identity.name);
        // Different names may come to one: folders are told apart by number.
        let same = stems.iter().filter(|other| **other == stem).count();
        let folder = if same == 0 {
            stem.clone()
        } else {
            format!("{stem} ({})", same + 1)
        };
        stems.push(stem);
        let reach = (index as f64, (index + 1) as f64);
        let share = |part: f64| (reach.0 + part * (reach.1 - reach.0)) / sources.len() as f64;
        add(&mut zip, source, &folder, &|part| done.set(share(part)))?;
    }
    zip.finish()?.finish();
    Ok(())
}

/// The file of a run as it is read again, without those for other programs: what a run that is under
/// way leaves again and again.
///
/// # Errors
/// A writer that refuses.
pub fn write_bare(parcel: &Parcel, take: &mut Take) -> Result<(), ExportError> {
    let done = Cell::new(0.0);
    let mut zip = Zip::new(Parts::new(take, &done));
    add_run(&mut zip, parcel, &file_stem(&parcel.identity.name))?;
    zip.finish()?.finish();
    Ok(())
}

/// Adds what a run is read again from.
fn add_run(zip: &mut Zip<Parts>, parcel: &Parcel, folder: &str) -> Result<(), ExportError> {
    let head = Head {
        kiln_run: VERSION,
        identity: parcel.identity.clone(),
        status: parcel.status,
    };
    let at = |name: &str| format!("{folder}/{name}");
    let head = to_vec_pretty(&head).map_err(ExportError::of)?;
    zip.pack(&at(HEAD), whole(&head))?;
    for (index, segment) in parcel.segments.iter().enumerate() {
        zip.pack(&at(&segment_name(index)), whole(segment))?;
    }
    if let Some(checkpoint) = &parcel.checkpoint {
        zip.pack(&at(CHECKPOINT), whole(checkpoint))?;
    }
    for answered in &parcel.answers {
        let name = answers_name(answered.part, answered.step);
        zip.pack(&at(&name), whole(&answered.predictions))?;
    }
    Ok(())
}

/// Writes these bytes.
fn whole(bytes: &[u8]) -> impl FnOnce(&mut dyn Write) -> Result<(), ExportError> + use<> {
    let bytes = bytes.to_vec();
    move |to: &mut dyn Write| to.write_all(&bytes).map_err(ExportError::of)
}

/// Adds a run as a folder; `tell` hears how much of it is done, 0 to 1.
fn add(
    zip: &mut Zip<Parts>,
    source: &Source,
    folder: &str,
    tell: &dyn Fn(f64),
) -> Result<(), ExportError> {
    let at = |name: &str| format!("{folder}/{name}");
    add_run(zip, source.parcel, folder)?;
    let name = &source.run.identity.name;
    let mut there = Vec::new();
    for (index, format) in EACH.iter().enumerate() {
        let share = |part: f64| (index as f64 + part) / EACH.len() as f64;
        let file = format.file_name(name);
        // What the run does not have is no reason to leave all else out.
        if source.check(format.about().needs).is_err() {
            continue;
        }
        zip.pack(&at(&file), |to| {
            let mut outcome = Ok(());
            list::write(*format, source, &mut |part: Vec<u8>, done| {
                tell(share(done));
                if outcome.is_ok() {
                    outcome = to.write_all(&part).map_err(ExportError::of);
                }
            })?;
            outcome
        })?;
        there.push(*format);
    }
    for figure in report::of(&[source])?.figures() {
        let name = format!("charts/{}.svg", file_stem(&figure.caption));
        zip.pack(&at(&name), whole(figure.svg.as_bytes()))?;
    }
    zip.pack(&at("load.py"), whole(LOAD.as_bytes()))?;
    zip.pack(&at("README.md"), whole(readme(name, &there).as_bytes()))
}

/// What is in the folder, and how each file is opened.
fn readme(run: &str, formats: &[Format]) -> String {
    let mut text = format!(
        "# {}\n\nA run of Kiln, with all that it left. Kiln reads this archive as it is: choose \
         **Import** under Files, or drop it on the page. `python load.py` prints what is in it.\n\n\
         `{HEAD}`, `log/`, `{CHECKPOINT}` and `answers/` are the run itself. The other files are for \
         other programs:\n",
        file_stem(run)
    );
    for format in formats {
        let about = format.about();
        let language = match about.language {
            Language::Python => "python",
            Language::Shell => "sh",
            Language::Rust => "rust",
        };
        text += &format!(
            "\n## {}\n\n{}. Opens with {}.\n\n```{language}\n{}\n```\n",
            format.file_name(run),
            about.contents,
            about.opens_with,
            format.snippet(run)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::archive::runs;
    use crate::import::unzip::Archive;
    use crate::parcel::tests::parcel;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    #[test]
    fn what_leaves_comes_back() {
        let (mut first, mut second) = (scored_run(), scored_run());
        first.identity.name = "a/b".to_owned();
        second.identity.name = "a:b".to_owned();
        second.identity.id.0 = 2;
        let never_kept = new_run();
        let all = [&first, &second, &never_kept];
        let parcels = all.map(|run| parcel(run, run.status()));
        let sources: Vec<Source> = all
            .iter()
            .zip(&parcels)
            .map(|(run, parcel)| Source {
                run,
                which: Weights::Best,
                parcel,
            })
            .collect();
        let (mut bytes, mut last) = (Vec::new(), 0.0);
        write_all(&sources, &mut |part, done| {
            assert!((last..=1.0).contains(&done), "{done} after {last}");
            last = done;
            bytes.extend(part);
        })
        .unwrap();
        assert_eq!(last, 1.0);
        let found = runs(&bytes).unwrap().runs;
        for (found, parcel) in found.iter().zip(&parcels).take(2) {
            assert_eq!(&found.parcel, parcel);
        }
        let archive = Archive::open(&bytes).unwrap();
        let names: Vec<&str> = archive
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        for name in [
            "a_b/run.json",
            "a_b/a_b.keras",
            "a_b/charts/Loss by training step.svg",
            "a_b/README.md",
            "a_b (2)/checkpoint.kiln",
        ] {
            assert!(names.contains(&name), "{name} is not among {names:?}");
        }
        // What a run has not is left out, and everything else is there.
        assert!(names.contains(&"amber-bowl-1/amber-bowl-1.csv"));
        assert!(!names.contains(&"amber-bowl-1/amber-bowl-1.keras"));
    }
}
