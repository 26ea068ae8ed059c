//! The Evaluate route: what a run's network says to every image of a split.

mod answers;
mod calibration;
mod confusion;
mod controls;
mod curves;
mod explain;
mod gallery;
mod look;
mod matrix;
mod mistakes;
mod per_class;
mod plot;
mod scored;
pub mod versus;

use std::sync::Arc;

use crate::page::route::Route;
use kiln_model::config::ValidateOn;
use kiln_model::dataset::Part;
use leptos::prelude::*;

use answers::{Answers, Sight, Which};
use calibration::Calibrated;
use confusion::Confused;
use controls::Controls;
use curves::{Called, PrecisionRecall, Roc};
use explain::WhatIsThis;
use look::Look;
use mistakes::Mistakes;
use per_class::PerClass;

use crate::page::parts::later::Later;
use crate::page::state::trainer::Trainer;
use kiln_run::format;
use kiln_run::protocol::RunId;

/// The route, for the run and the epoch that the address names.
#[component]
pub fn Evaluate(
    trainer: Trainer,
    #[prop(into)] asked: Signal<(Option<RunId>, Option<f64>)>,
) -> AnyView {
    let look = Look::new(trainer);
    Effect::new(move |_| {
        let (run, epoch) = asked.get();
        if let Some(run) = run {
            look.choose(run);
            if let Some(epoch) = epoch {
                look.part.set(Part::Validation);
                look.which.set(Which::Epoch(epoch));
            }
        }
    });
    choose_by_itself(look);
    keep_address(look);
    let answers = look.answers();
    let shown = Memo::new(move |_| look.sight.with(|sight| matches!(sight, Sight::There(_))));
    let has_runs = Memo::new(move |_| {
        let library = trainer.library;
        look.run.get().is_some() || library.records.with(|records| !records.is_empty())
    });
    let body = move || {
        if !has_runs.get() {
            view! { <NoRuns trainer /> }.into_any()
        } else if shown.get() {
            view! { <Whole look answers /> }.into_any()
        } else {
            view! { <Instead look /> }.into_any()
        }
    };
    view! {
        <div class="evaluate">
            <div class="head">
                <h1 tabindex="-1">"Evaluate"</h1>
                {move || has_runs.get().then(|| view! { <Controls look /> })}
            </div>
            {move || has_runs.get().then(|| view! { <Hints look /> })}
            {body}
        </div>
    }
    .into_any()
}

/// Until a person chooses, the run that is shown elsewhere, or else the newest that is kept.
fn choose_by_itself(look: Look) {
    let trainer = look.trainer;
    Effect::new(move |_| {
        let is_there = look.run.with(Option::is_some);
        let newest = trainer.library.records.with(|records| {
            let kept = records.iter().rev().find(|record| record.has_checkpoint);
            kept.map(|record| record.identity.id)
        });
        let shown = trainer
            .run
            .with(|run| run.as_ref().map(|run| run.identity.id));
        if let Some(id) = shown.or(newest).filter(|_| !is_there) {
            look.run.set(Some(id));
        }
    });
}

/// Has the address name what is looked at, so that it can be kept and passed on.
fn keep_address(look: Look) {
    let address = Memo::new(move |_| {
        let id = look.run.get()?;
        let epoch = look.epoch().filter(|_| look.part.get() == Part::Validation);
        let epoch = epoch.map_or(String::new(), |epoch| format!("&epoch={epoch}"));
        Some(format!("#/evaluate?run={}{epoch}", id.0))
    });
    Effect::new(move |_| {
        if let Some(address) = address.get() {
            Route::refine("Evaluate", &address);
        }
    });
}

#[component]
fn NoRuns(trainer: Trainer) -> AnyView {
    let text = move || {
        if trainer.library.is_read.get() {
            "Train a run first: what its network takes for what will be here."
        } else {
            "Reading the kept runs."
        }
    };
    view! {
        <section class="nothing">
            <p>{text}</p>
            <a class="button" href="#/train">"Train"</a>
        </section>
    }
    .into_any()
}

/// What a person should know of these figures.
#[component]
fn Hints(look: Look) -> AnyView {
    let trainer = look.trainer;
    let validates_on = Memo::new(move |_| {
        let record = trainer.library.record(look.run.get()?)?;
        Some(record.config.validate_on)
    });
    let is_guided = move || validates_on.get() == Some(ValidateOn::TestSet);
    let runs = move || {
        let count = trainer.library.records.with(Vec::len);
        let noun = if count == 1 { "attempt" } else { "attempts" };
        format!(
            "Experiment management: write down settings, data, seed and result of every attempt, \
             so you can compare and repeat it. That is the Runs list: it holds {} {noun}.",
            format::count(count as u64)
        )
    };
    view! {
        <div class="hints">
            {move || {
                (look.part.get() == Part::Validation)
                    .then(|| view! { <p class="hint">"The test set is scored once, at the end."</p> })
            }}
            {move || {
                is_guided()
                    .then(|| {
                        view! { <p class="warning">"Test guided this run: score is optimistic."</p> }
                    })
            }}
            <WhatIsThis about="Experiment management" text=Signal::derive(runs) />
        </div>
    }
    .into_any()
}

/// What stands where there are no answers.
#[component]
fn Instead(look: Look) -> AnyView {
    let scoring = move || {
        let (images, total) = look.scoring.get()?;
        let text = if total == 0 {
            "Getting the images and the network ready.".to_owned()
        } else {
            format!(
                "{} of {} images",
                format::count(images.into()),
                format::count(total.into())
            )
        };
        Some(view! {
            <div class="scoring">
                <progress aria-label="Scoring" max=total.max(1) value=images></progress>
                <p class="hint">{text}</p>
                <button on:click=move |_| look.cancel_scoring()>"Cancel"</button>
            </div>
        })
    };
    let is_scoring = Memo::new(move |_| look.scoring.with(Option::is_some));
    let text = move || match look.sight.get() {
        Sight::Reading => "Reading what this run answered.".to_owned(),
        Sight::Nothing { why, .. } => why.to_owned(),
        Sight::Failed(why) => why,
        Sight::There(_) => String::new(),
    };
    let can_score = move || {
        matches!(
            look.sight.get(),
            Sight::Nothing {
                can_score: true,
                ..
            }
        )
    };
    let button = move || {
        (can_score() && !is_scoring.get()).then(|| {
            view! { <button class="primary" on:click=move |_| look.score()>"Score now"</button> }
        })
    };
    let failed = move || {
        let reason = look.score_failed.get()?;
        Some(view! { <p class="error" role="alert">{reason}</p> })
    };
    view! {
        <section class="nothing" class:skeleton=move || look.sight.get() == Sight::Reading>
            <p>{text}</p>
            {failed}
            {button}
            {scoring}
        </section>
    }
    .into_any()
}

/// All of it.
#[component]
fn Whole(look: Look, answers: Memo<Option<Arc<Answers>>>) -> AnyView {
    let called = Called::new(look, answers);
    let rank_failed = move || {
        let reason = look.rank_failed.get()?;
        Some(view! { <p class="error" role="alert">{reason}</p> })
    };
    view! {
        {rank_failed}
        <Later><Confused look answers /></Later>
        <Later><PerClass look answers /></Later>
        <Later><PrecisionRecall look called /></Later>
        <Later><Roc look called /></Later>
        <Later><Calibrated answers /></Later>
        <Later><Mistakes look answers /></Later>
    }
    .into_any()
}
