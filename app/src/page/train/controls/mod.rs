//! The rail: presets, settings, and the buttons of the state machine.

pub mod buttons;
mod choices;
mod number;

use crate::page::parts::FIXED;
use crate::page::train::controls::buttons::CourseButton;
use crate::page::train::controls::choices::BackendSetting;
use crate::page::train::controls::choices::EarlyStoppingSetting;
use crate::page::train::controls::choices::OptimizerSetting;
use crate::page::train::controls::choices::ScheduleSetting;
use crate::page::train::controls::choices::SeedSetting;
use crate::page::train::controls::choices::ValidateEverySetting;
use crate::page::train::controls::choices::ValidateOnSetting;
use crate::page::train::controls::choices::WorkersSetting;
use crate::page::train::controls::number::NumberSetting;
use kiln_model::config::Setting;
use kiln_model::optimizer::Optimizer;
use kiln_model::preset::Preset;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::page::state::trainer::Trainer;

/// Presets, settings and what follows from them.
#[component]
pub fn Settings(trainer: Trainer) -> AnyView {
    let uses = move |optimizer: fn(Optimizer) -> bool| {
        Memo::new(move |_| trainer.config.with(|config| optimizer(config.optimizer)))
    };
    let has_momentum = uses(|optimizer| matches!(optimizer, Optimizer::Sgd { .. }));
    let has_decay = uses(|optimizer| matches!(optimizer, Optimizer::AdamW { .. }));
    view! {
        <div class="settings" role="group" aria-label="Settings">
            <WhichRun trainer />
            <div class="presets" role="group" aria-label="Presets">
                <Fixed trainer>
                    {Preset::ALL.map(|preset| view! { <PresetButton trainer preset /> })}
                </Fixed>
                <CourseButton trainer />
            </div>
            <NumberSetting trainer setting=Setting::Epochs unit="" />
            <Fixed trainer>
                <NumberSetting trainer setting=Setting::BatchSize unit="images" />
            </Fixed>
            <NumberSetting trainer setting=Setting::LearningRate unit="" />
            <Fixed trainer>
                <OptimizerSetting trainer />
                <Show when=move || has_momentum.get()>
                    <NumberSetting trainer setting=Setting::Momentum unit="" />
                </Show>
                <Show when=move || has_decay.get()>
                    <NumberSetting trainer setting=Setting::WeightDecay unit="" />
                </Show>
            </Fixed>
            <details on:toggle=move |event| forget_hidden(trainer, &event)>
                <summary>"Advanced"</summary>
                <div class="advanced">
                    <Fixed trainer>
                        <NumberSetting trainer setting=Setting::Dropout unit="" />
                        <ValidateOnSetting trainer />
                        <NumberSetting trainer setting=Setting::ValidationSplit unit="" />
                        <ValidateEverySetting trainer />
                        <NumberSetting trainer setting=Setting::TrainingImages unit="" />
                        <SeedSetting trainer />
                        <ScheduleSetting trainer />
                    </Fixed>
                    <EarlyStoppingSetting trainer />
                    <BackendSetting trainer />
                    <WorkersSetting trainer />
                </div>
            </details>
        </div>
    }
    .into_any()
}

/// What is out of sight when **Advanced** closes does not keep a run from starting: a setting that
/// was outside its range there is again as it was before.
fn forget_hidden(trainer: Trainer, toggled: &web_sys::Event) {
    const ADVANCED: [Setting; 5] = [
        Setting::Dropout,
        Setting::ValidationSplit,
        Setting::TrainingImages,
        Setting::Seed,
        Setting::Patience,
    ];
    let details = toggled
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if details.is_some_and(|details| !details.has_attribute("open")) {
        trainer
            .invalid
            .update(|invalid| invalid.retain(|setting, _| !ADVANCED.contains(setting)));
    }
}

/// While a run is open: whether its settings are shown, or those of the next one.
#[component]
fn WhichRun(trainer: Trainer) -> AnyView {
    let is_open = Memo::new(move |_| trainer.phase().is_open());
    let button = move |label: &'static str, is_next: bool| {
        let is_pressed = move || trainer.is_drafting.get() == is_next;
        view! {
            <button
                aria-pressed=move || is_pressed().to_string()
                on:click=move |_| {
                    if !untrack(is_pressed) {
                        trainer.draft_next(is_next);
                    }
                }
            >
                {label}
            </button>
        }
    };
    (move || {
        is_open.get().then(|| {
            view! {
                <div class="segments" role="group" aria-label="Settings of">
                    {button("This run", false)} {button("Next run", true)}
                </div>
            }
        })
    })
    .into_any()
}

/// Settings that cannot change while a run is open, and say so.
#[component]
fn Fixed(trainer: Trainer, children: Children) -> AnyView {
    let fixed = Signal::derive(move || trainer.phase().is_open() && !trainer.is_drafting.get());
    view! {
        <fieldset disabled=fixed title=move || fixed.get().then_some(FIXED)>
            {children()}
        </fieldset>
    }
    .into_any()
}

#[component]
fn PresetButton(trainer: Trainer, preset: Preset) -> AnyView {
    let pressed = move || trainer.config.get() == preset.config();
    let note = format!("preset-{}", preset.label().to_lowercase().replace(' ', "-"));
    let described_by = note.clone();
    view! {
        <button
            class="preset"
            aria-label=preset.label()
            aria-describedby=described_by
            aria-pressed=move || pressed().to_string()
            on:click=move |_| trainer.take_preset(preset)
        >
            {preset.short()}
            <span class="tip">
                <strong>{preset.label()}</strong>
                <span id=note>{preset.note()}</span>
            </span>
        </button>
    }
    .into_any()
}
