//! A run while this process trains it: what happens is told, and kept in its file.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use kiln_model::checkpoint::{self, Snapshot};
use kiln_model::event::{Command, Event, State};
use kiln_model::train::driver::{Order, Surroundings};
use kiln_model::train::session::Answers;
use kiln_run::evaluation::thinning::superfluous;
use kiln_run::export::{ExportError, Source, write_all, write_bare};
use kiln_run::parcel::{Answered, Parcel};
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::{Run, Weights};
use serde_bytes::ByteBuf;

use crate::error::CliError;
use crate::output::Output;
use crate::report::Report;

/// A run that is trained here.
#[derive(Debug)]
pub struct Attempt<'a> {
    run: Run,
    segments: Vec<ByteBuf>,
    answers: Vec<Answered>,
    /// What is asked of the session first.
    commands: VecDeque<Command>,
    output: Output,
    report: Report,
    /// Whether the process is to end.
    stop: &'a AtomicBool,
    /// What went wrong on the device: what it computes from then on is not kept.
    broken: &'a OnceLock<String>,
    is_kept_for_stop: bool,
    start: Instant,
    /// Why it could not be kept the last time.
    fault: Option<CliError>,
}

impl<'a> Attempt<'a> {
    /// A run with what is kept of it.
    pub fn new(
        run: Run,
        kept: Option<Parcel>,
        commands: VecDeque<Command>,
        output: Output,
        report: Report,
        stop: &'a AtomicBool,
        broken: &'a OnceLock<String>,
    ) -> Self {
        let (segments, answers) = match kept {
            Some(parcel) => (parcel.segments, parcel.answers),
            None => (Vec::new(), Vec::new()),
        };
        let attempt = Self {
            run,
            segments,
            answers,
            commands,
            output,
            report,
            stop,
            broken,
            is_kept_for_stop: false,
            start: Instant::now(),
            fault: None,
        };
        attempt.report.begin(&attempt.run, &attempt.place());
        attempt
    }

    fn place(&self) -> String {
        self.output.path().display().to_string()
    }

    /// Leaves all that came of the run, in every format that the page leaves too.
    ///
    /// # Errors
    /// A run that failed, and a file that cannot be written: what was kept before is still there.
    pub fn end(mut self) -> Result<(), CliError> {
        if self.run.status().is_open() {
            self.run.interrupt();
        }
        self.take_what_is_new()?;
        let parcel = self.parcel();
        let source = Source {
            run: &self.run,
            which: Weights::default(),
            parcel: &parcel,
        };
        let name = &self.run.identity.name;
        self.output
            .put(name, |take| write_all(std::slice::from_ref(&source), take))?;
        self.report.end(&self.run, &self.place());
        match self.run.failure() {
            Some(reason) => Err(CliError::Diverged {
                name: name.clone(),
                reason,
            }),
            None => Ok(()),
        }
    }

    fn parcel(&self) -> Parcel {
        Parcel {
            identity: self.run.identity.clone(),
            status: self.run.status(),
            segments: self.segments.clone(),
            checkpoint: self
                .run
                .checkpoint()
                .map(|kept| ByteBuf::from(kept.file.clone())),
            answers: self.answers.clone(),
        }
    }

    fn take_what_is_new(&mut self) -> Result<(), CliError> {
        let unkept = self.run.unkept().map_err(|error| self.refused(&error))?;
        let segment = unkept.segment.as_ref();
        self.segments
            .extend(segment.map(|segment| ByteBuf::from(segment.bytes.clone())));
        self.run.note_kept(&unkept);
        Ok(())
    }

    fn store(&mut self, snapshot: &Snapshot) -> Result<(), CliError> {
        let kept = checkpoint::write(snapshot).and_then(Checkpoint::new);
        self.run.keep(kept.map_err(|error| self.refused(&error))?);
        self.take_what_is_new()?;
        let parcel = self.parcel();
        let name = &self.run.identity.name;
        self.output.put(name, |take| write_bare(&parcel, take))
    }

    fn refused(&self, error: &impl ToString) -> CliError {
        CliError::Export {
            name: self.run.identity.name.clone(),
            reason: ExportError::Writer(error.to_string()),
        }
    }
}

impl Surroundings for Attempt<'_> {
    fn now_ms(&self) -> f64 {
        1_000.0 * self.start.elapsed().as_secs_f64()
    }

    fn order(&mut self, _waits: bool) -> impl Future<Output = Option<Order>> {
        let order = if self.broken.get().is_some() {
            Some(Order::End)
        } else if let Some(command) = self.commands.pop_front() {
            Some(Order::Command(command))
        } else if !self.stop.load(Ordering::Relaxed) {
            None
        } else if self.is_kept_for_stop {
            Some(Order::End)
        } else {
            self.is_kept_for_stop = true;
            Some(Order::Keep)
        };
        ready(order)
    }

    fn take(&mut self, events: Vec<Event>) {
        // What a broken device computed did not happen, its end least of all.
        let events = match self.broken.get() {
            Some(_) => Vec::new(),
            None => events,
        };
        for event in events {
            self.run.apply(event);
            if event == Event::State(State::Running) {
                let since = SystemTime::UNIX_EPOCH.elapsed();
                // A clock that stands before 1970 says nothing.
                let secs = since.map_or(0.0, |since| since.as_secs_f64());
                self.run.take_up(1_000.0 * secs);
            }
            self.report.hear(&self.run, &event);
        }
    }

    fn tell(&mut self) {}

    fn answer(&mut self, answers: Answers) {
        if self.broken.get().is_some() {
            return;
        }
        let (part, step) = (answers.part, answers.moment.step);
        let steps = self.answers.iter().filter(|kept| kept.part == part);
        let before: Vec<u32> = steps
            .map(|kept| kept.step)
            .filter(|earlier| *earlier < step)
            .collect();
        let superfluous = superfluous(&before, step);
        // What was answered after the last checkpoint is answered again.
        self.answers
            .retain(|kept| kept.part != part || kept.step < step && Some(kept.step) != superfluous);
        self.answers.push(Answered {
            part,
            step,
            predictions: answers.predictions.to_bytes(),
        });
    }

    fn keep(&mut self, snapshot: Snapshot) {
        if self.broken.get().is_some() {
            return;
        }
        match self.store(&snapshot) {
            Ok(()) => {
                self.fault = None;
                self.report.keep(&self.run);
            }
            // It goes on, and is kept with the next attempt if there is room again.
            Err(error) => {
                if self.fault.is_none() {
                    self.report.say(&format!(
                        "{} could not be kept, and goes on. {error}",
                        self.run.identity.name
                    ));
                }
                self.fault = Some(error);
            }
        }
    }

    fn rest(&mut self) -> impl Future<Output = ()> {
        ready(())
    }
}
