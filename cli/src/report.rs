//! Says what happens in a run: to a person as a bar, to a program as lines of JSON.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use kiln_model::event::{Event, Quality, Trained};
use kiln_run::format;
use kiln_run::run::Run;
use serde_json::{Value, json};

use crate::terminal::{print, tell};

/// Where it is said.
#[derive(Debug)]
pub enum Report {
    /// For a person.
    Bar(ProgressBar),
    /// For a person who reads it later: a line for what matters.
    Lines,
    /// For a program.
    Json,
}

impl Report {
    /// For a program where that is asked for, else for whoever is there.
    pub fn new(is_json: bool, run: &Run) -> Self {
        if is_json {
            return Self::Json;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::new(run.plan().total_steps().into());
        let style = ProgressStyle::with_template(
            "{prefix} {wide_bar} {pos}/{len} steps, {msg}, {eta} left",
        );
        // The template is a valid one.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(run.identity.name.clone());
        bar.set_position(run.steps_done().into());
        bar.reset_eta();
        Self::Bar(bar)
    }

    /// Says that a run begins or goes on.
    pub fn begin(&self, run: &Run, out: &str) {
        let name = &run.identity.name;
        let step = run.steps_done();
        match self {
            Self::Json => print(json!({
                "event": "begin", "run": name, "step": step, "device": run.identity.device(),
                "steps": run.plan().total_steps(), "settings": run.config(), "file": out,
            })),
            _ if step == 0 => self.say(&format!("{name} begins on {}.", run.identity.device())),
            _ => self.say(&format!(
                "{name} goes on from step {} on {}.",
                format::count(step.into()),
                run.identity.device()
            )),
        }
    }

    /// Says what happened in a run that has taken it in.
    pub fn hear(&self, run: &Run, event: &Event) {
        let name = &run.identity.name;
        match self {
            Self::Json => {
                if let Some(told) = told(name, event) {
                    print(told);
                }
            }
            Self::Bar(bar) => {
                bar.set_length(run.plan().total_steps().into());
                bar.set_position(run.steps_done().into());
                if let Event::Throughput(_, images_per_sec) = event {
                    bar.set_message(now(run, *images_per_sec));
                }
                self.hear_line(run, event);
            }
            Self::Lines => self.hear_line(run, event),
        }
    }

    fn hear_line(&self, run: &Run, event: &Event) {
        let quality = |quality: &Quality| {
            format!(
                "loss {}, {}",
                format::loss(quality.loss),
                format::percent(quality.accuracy)
            )
        };
        match event {
            Event::Epoch(moment, measured) => {
                let epochs = run.config().epochs;
                let speed = run.images_per_sec().map_or_else(String::new, |speed| {
                    format!(", {} images/s", format::count(speed as u64))
                });
                self.say(&format!(
                    "Epoch {}/{epochs}: {}{speed}",
                    moment.epoch.ceil(),
                    quality(measured)
                ));
            }
            Event::Validation(_, measured) => {
                self.say(&format!("  validation: {}", quality(measured)))
            }
            Event::Score(_, score) => {
                self.say(&format!("  test images: {}", quality(&score.quality)))
            }
            _ => {}
        }
    }

    /// Says that it is kept.
    pub fn keep(&self, run: &Run) {
        if let Self::Json = self {
            print(json!({ "event": "kept", "run": run.identity.name, "step": run.steps_done() }));
        }
    }

    /// Says what came of it.
    pub fn end(&self, run: &Run, out: &str) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
        let name = &run.identity.name;
        let status = run.status().label();
        match self {
            Self::Json => print(json!({
                "event": "end", "run": name, "status": status.to_lowercase(), "step": run.steps_done(),
                "fingerprint": run.history().fingerprint(), "file": out,
                "validation": run.history().validations.last().map(|last| last.value),
                "test": run.history().score.map(|score| score.value),
            })),
            _ => self.say(&format!(
                "{name}: {} at step {}. {out}",
                status.to_lowercase(),
                format::count(run.steps_done().into())
            )),
        }
    }

    /// Says something that a person should know; a program reads it beside the lines of JSON.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.println(text),
            Self::Lines | Self::Json => tell(text),
        }
    }
}

fn now(run: &Run, images_per_sec: f64) -> String {
    let last = run.history().steps.last();
    let quality = last.map_or_else(String::new, |step| {
        let Quality { loss, accuracy } = step.value.quality;
        format!(
            "loss {}, {}, ",
            format::loss(loss),
            format::percent(accuracy)
        )
    });
    format!("{quality}{} images/s", format::count(images_per_sec as u64))
}

/// What a program is told; of steps only some, as often as the speed is measured.
fn told(run: &str, event: &Event) -> Option<Value> {
    let quality = |what: &str, moment: &kiln_model::event::Moment, quality: &Quality| {
        json!({
            "event": what, "run": run, "step": moment.step, "epoch": moment.epoch,
            "elapsed_secs": moment.elapsed_secs, "loss": quality.loss, "accuracy": quality.accuracy,
        })
    };
    Some(match event {
        Event::Epoch(moment, measured) => quality("epoch", moment, measured),
        Event::Validation(moment, measured) => quality("validation", moment, measured),
        Event::Score(moment, score) => quality("test", moment, &score.quality),
        Event::Throughput(moment, images_per_sec) => json!({
            "event": "speed", "run": run, "step": moment.step, "epoch": moment.epoch,
            "elapsed_secs": moment.elapsed_secs, "images_per_sec": images_per_sec,
        }),
        Event::Diverged(
            moment,
            Trained {
                quality: measured, ..
            },
        ) => quality("diverged", moment, measured),
        _ => return None,
    })
}
