//! Makes files of a run, away from the page.

use kiln_run::export::{FORMATS, Format, Source, write, write_all};
use kiln_run::import::reread::is_identical;
use kiln_run::parcel::Parcel;
use kiln_run::protocol::{FromWorker, Weight};
use kiln_run::run::{Run, Weights};

use crate::browser::scope::post;

/// Makes one archive of several runs, and tells the page the file part by part.
pub fn archive(parcels: &[Parcel]) {
    let runs: Result<Vec<Run>, String> = parcels
        .iter()
        .map(|parcel| {
            let name = &parcel.identity.name;
            parcel.read().map_err(|error| format!("{name}: {error}."))
        })
        .collect();
    let outcome = runs.and_then(|runs| {
        let sources: Vec<Source> = runs
            .iter()
            .zip(parcels)
            .map(|(run, parcel)| Source {
                run,
                which: Weights::default(),
                parcel,
            })
            .collect();
        let mut take = |part, done| post(&FromWorker::Exporting { part, done });
        write_all(&sources, &mut take).map_err(|error| error.to_string())
    });
    post(&FromWorker::Exported { outcome });
}

/// Makes every file of a run, and tells the page how large each is.
pub fn weigh(which: Weights, parcel: &Parcel) {
    let outcome = parcel.read().map_err(|error| error.to_string());
    let outcome = outcome.map(|run| {
        let source = Source {
            run: &run,
            which,
            parcel,
        };
        for format in FORMATS {
            let mut file = Vec::new();
            let written = write(format, &source, &mut |part: Vec<u8>, _| file.extend(part));
            let outcome = written.map(|()| Weight {
                bytes: file.len() as u64,
                is_identical: is_identical(format, &source, &file),
            });
            post(&FromWorker::Weighed {
                format,
                outcome: outcome.map_err(|error| error.to_string()),
            });
        }
    });
    post(&FromWorker::Exported { outcome });
}

/// Reads the run, and tells the page the file part by part.
pub fn one(format: Format, which: Weights, parcel: &Parcel) {
    let read = parcel.read().map_err(|error| error.to_string());
    let outcome = read.and_then(|run| {
        let source = Source {
            run: &run,
            which,
            parcel,
        };
        let mut take = |part, done| post(&FromWorker::Exporting { part, done });
        let written = write(format, &source, &mut take);
        written.map_err(|error| error.to_string())
    });
    post(&FromWorker::Exported { outcome });
}
