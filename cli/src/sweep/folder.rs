//! The folder of a sweep: what it is, its runs, and an index of them.
//!
//! `sweep.toml` says what the sweep is. A run has its settings in `NAME.config.json`, what came of it in
//! `NAME.kiln.zip`, and in `NAME.refused.txt` why it cannot be trained, where it cannot. `index.csv` is made
//! of these. `data.hash` says on which images all of them are trained.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use kiln_model::config::Config;
use kiln_run::export::name::file_stem;
use kiln_run::format;
use kiln_run::record::Record;
use kiln_run::run::names::cut;
use kiln_run::sweep::{Member, Standing, Sweep, better, names};
use serde_json::json;

use crate::error::CliError;
use crate::input::{self, Input, Settings};

const SWEEP: &str = "sweep.toml";
const INDEX: &str = "index.csv";
/// What the images of its runs are known by.
const DATA: &str = "data.hash";
/// Letters of the name that all runs share: with a number it has to remain the name of a file.
const STEM_LETTERS: usize = 40;
/// What every index begins with; the settings that differ follow.
const COLUMNS: [&str; 8] = [
    "rank",
    "run",
    "status",
    "epochs",
    "validation_loss",
    "validation_accuracy",
    "test_accuracy",
    "refused",
];

/// A sweep in a folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// What all names of its runs begin with, and what they are tagged with.
    stem: String,
    sweep: Sweep,
    runs: Vec<SweptRun>,
    /// Of each run what its archive said when it was read last: whoever waits for others looks often.
    read: Mutex<Vec<Option<Read>>>,
}

/// What an archive said, and which one: each is put in the place of the one before as a whole.
#[derive(Debug)]
struct Read {
    modified: SystemTime,
    bytes: u64,
    record: Record,
}

/// A run of a sweep.
#[derive(Debug)]
struct SweptRun {
    name: String,
    member: Member,
}

impl Folder {
    /// Makes the folder of a sweep that a file says, or opens it where it was made by the same file.
    ///
    /// # Errors
    /// A file that says no sweep, a folder of another one, or one that nothing can be put into.
    pub fn make(path: &Path, grid: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(grid).map_err(CliError::of(grid))?;
        let text = text.trim_start_matches('\u{feff}');
        let stem = file_stem(&grid.file_stem().unwrap_or_default().to_string_lossy());
        // All of it is looked at before anything is put anywhere.
        Self::read(path, grid, text, &stem)?;
        fs::create_dir_all(path).map_err(CliError::of(path))?;
        let there = path.join(SWEEP);
        let named = named(text, &stem);
        match fs::read_to_string(&there) {
            Ok(found) if found == named || found == text => {}
            Ok(_) => {
                return Err(CliError::OtherSweep {
                    folder: path.to_owned(),
                    file: there,
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => put(&there, named.as_bytes())?,
            Err(error) => return Err(CliError::of(&there)(error)),
        }
        let folder = Self::open(path)?;
        for run in &folder.runs {
            let config = path.join(format!("{}.config.json", file_stem(&run.name)));
            if !config.exists() {
                let settings = json!({ "run": run.name, "settings": run.member.config });
                put(&config, format!("{settings:#}\n").as_bytes())?;
            }
        }
        folder.index()?;
        Ok(folder)
    }

    /// Opens the folder of a sweep.
    ///
    /// # Errors
    /// A folder without one.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let file = path.join(SWEEP);
        let text = fs::read_to_string(&file).map_err(CliError::of(&file))?;
        let stem = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(NAMED));
        let stem = stem.unwrap_or("run").to_owned();
        Self::read(path, &file, &text, &stem)
    }

    fn read(path: &Path, file: &Path, text: &str, stem: &str) -> Result<Self, CliError> {
        let sweep: Sweep = toml::from_str(text).map_err(|error| CliError::Unreadable {
            path: file.to_owned(),
            reason: format!("says no sweep: {}", error.message()),
        })?;
        let stem = cut(stem, STEM_LETTERS);
        let members = sweep.members(Config::default())?;
        let names = names(stem, members.len());
        let runs = names.into_iter().zip(members);
        let runs: Vec<_> = runs
            .map(|(name, member)| SweptRun { name, member })
            .collect();
        Ok(Self {
            path: path.to_owned(),
            stem: stem.to_owned(),
            sweep,
            read: Mutex::new(runs.iter().map(|_| None).collect()),
            runs,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Binds the sweep to its data: runs on other images could not be compared.
    ///
    /// # Errors
    /// Other data than that of the runs before, or a folder that nothing can be put into.
    pub fn bind(&self, hash: &str) -> Result<(), CliError> {
        let file = self.path.join(DATA);
        match fs::read_to_string(&file) {
            Ok(bound) if bound.trim_end() == hash => Ok(()),
            Ok(bound) => Err(CliError::OtherData {
                name: self.path.display().to_string(),
                wanted: bound.trim_end().to_owned(),
                found: hash.to_owned(),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                put(&file, format!("{hash}\n").as_bytes())
            }
            Err(error) => Err(CliError::of(&file)(error)),
        }
    }

    /// Epochs of each run that goes on to its end.
    fn epochs(&self) -> Vec<u32> {
        self.runs
            .iter()
            .map(|run| run.member.config.epochs)
            .collect()
    }

    /// What it is, for a person.
    pub fn in_words(&self) -> String {
        let most = self.epochs().into_iter().max().unwrap_or_default();
        let rungs = self.sweep.rungs(self.runs.len(), most).into_iter();
        let rungs = rungs.map(|rung| {
            format!(
                "{} to epoch {}",
                format::count(rung.runs as u64),
                rung.epochs
            )
        });
        let rungs: Vec<String> = rungs.collect();
        format!(
            "{} runs ({})",
            format::count(self.runs.len() as u64),
            rungs.join(", ")
        )
    }

    /// What is to be trained now, each with the index of its run; none once all is done.
    pub fn now(&self) -> Vec<(usize, Input)> {
        let Some((epochs, runs)) = self.sweep.now(&self.standings(), &self.epochs()) else {
            return Vec::new();
        };
        let unit = |index: usize| {
            let run = &self.runs[index];
            // Of a grid each run has epochs of its own, where they differ.
            let epochs = epochs.min(run.member.config.epochs);
            let settings = Settings {
                name: run.name.clone(),
                config: Config {
                    epochs,
                    ..run.member.config
                },
                data: None,
                tags: vec![self.stem.clone()],
            };
            (index, Input::Settings(settings))
        };
        runs.into_iter().map(unit).collect()
    }

    /// Notes why a run cannot be trained: it comes last, and nobody tries again while that stands there.
    ///
    /// # Errors
    /// A folder that nothing can be put into.
    pub fn refuse(&self, index: usize, reason: &CliError) -> Result<(), CliError> {
        put(&self.refused(index), format!("{reason}\n").as_bytes())
    }

    /// Writes the index anew.
    ///
    /// # Errors
    /// A folder that nothing can be put into.
    pub fn index(&self) -> Result<(), CliError> {
        let lock_path = self.path.join(".index.lock");
        let failed = CliError::of(&lock_path);
        let mut options = OpenOptions::new();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(&failed)?;
        // What one process has read is written before another reads.
        lock.lock().map_err(&failed)?;
        put(&self.path.join(INDEX), &self.indexed())
    }

    fn indexed(&self) -> Vec<u8> {
        let standings = self.standings();
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        order.sort_by(|a, b| better(&standings[*a], &standings[*b]).then(a.cmp(b)));
        let varied: Vec<&String> = self.sweep.vary.keys().collect();
        let mut table = csv::Writer::from_writer(Vec::new());
        let header = COLUMNS
            .into_iter()
            .chain(varied.iter().map(|key| key.as_str()));
        // Into memory everything can be written.
        drop(table.write_record(header));
        for (rank, index) in order.into_iter().enumerate() {
            let (run, standing) = (&self.runs[index], &standings[index]);
            let record = standing.record.as_ref();
            let best = record.and_then(|record| record.summary.best);
            let test = record.and_then(|record| record.summary.test);
            let some =
                |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
            let columns = [
                (rank + 1).to_string(),
                run.name.clone(),
                record.map_or("Waiting", status).to_owned(),
                record.map_or_else(String::new, |record| record.config.epochs.to_string()),
                some(best.map(|best| best.loss)),
                some(best.map(|best| best.accuracy)),
                some(test.map(|test| test.quality.accuracy)),
                standing.refused.clone().unwrap_or_default(),
            ];
            let varied = varied.iter().map(|key| {
                let found = run.member.pairs.iter().find(|(name, _)| name == *key);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            });
            drop(table.write_record(columns.into_iter().chain(varied)));
        }
        table.into_inner().unwrap_or_default()
    }

    fn standings(&self) -> Vec<Standing> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = |(index, read)| {
            let refused = fs::read_to_string(self.refused(index)).ok();
            Standing {
                record: self.record(index, read),
                refused: refused.map(|reason| reason.trim_end().to_owned()),
            }
        };
        read.iter_mut().enumerate().map(standing).collect()
    }

    /// What came of a run, where its archive is there and can be read. One that cannot be is found so by
    /// whoever trains it.
    fn record(&self, index: usize, read: &mut Option<Read>) -> Option<Record> {
        let stem = file_stem(&self.runs[index].name);
        let archive = self.path.join(format!("{stem}.kiln.zip"));
        // Of what is opened a shared folder says what it is now.
        let about = File::open(&archive).and_then(|file| file.metadata()).ok()?;
        let (modified, bytes) = (about.modified().ok()?, about.len());
        let is_same = |read: &Read| (read.modified, read.bytes) == (modified, bytes);
        if !read.as_ref().is_some_and(is_same) {
            let records = input::records(&[archive]).ok();
            let record = records.and_then(|mut records| records.pop());
            *read = record.map(|record| Read {
                modified,
                bytes,
                record,
            });
        }
        read.as_ref().map(|read| read.record.clone())
    }

    fn refused(&self, index: usize) -> PathBuf {
        let stem = file_stem(&self.runs[index].name);
        self.path.join(format!("{stem}.refused.txt"))
    }
}

/// What the first line of a sweep's own file begins with; what its runs are called follows.
const NAMED: &str = "# kiln sweep: ";

/// What a file says, under the name of its runs: the folder may be all that is left of it.
fn named(text: &str, stem: &str) -> String {
    if text.starts_with(NAMED) {
        text.to_owned()
    } else {
        format!("{NAMED}{stem}\n{text}")
    }
}

/// Where a run is. Whether somebody trains one that is not over just now, its file does not say.
fn status(record: &Record) -> &'static str {
    if record.status.has_ended() {
        record.status.label()
    } else {
        "Unfinished"
    }
}

/// Puts a whole file in its place.
fn put(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let whole = || {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    let written = whole();
    if written.is_err() {
        // What is left of it is of no use to anybody.
        drop(fs::remove_file(&part));
    }
    written.map_err(CliError::of(path))
}
