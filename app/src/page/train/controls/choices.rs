//! Settings that are chosen out of a few.

use crate::page::parts::FIXED;
use crate::page::train::controls::number::NumberField;
use crate::page::train::controls::number::NumberSetting;
use crate::page::train::controls::number::SettingError;
use crate::page::train::controls::number::set;
use crate::page::train::controls::number::tell_run;
use kiln_model::config::{DEFAULT_PATIENCE, Setting, ValidateEvery, ValidateOn};
use kiln_model::optimizer::Optimizer;
use kiln_model::schedule::Schedule;
use leptos::prelude::*;

use crate::browser::native;
use crate::page::state::trainer::Trainer;
use kiln_run::device::{Backend, BackendChoice};
use kiln_run::format;

/// A list of choices, each with its label.
#[component]
pub(super) fn Choice<T>(
    id: &'static str,
    label: &'static str,
    options: Vec<(&'static str, T)>,
    #[prop(into)] chosen: Signal<&'static str>,
    choose: impl Fn(T) + 'static,
) -> AnyView
where
    T: Copy + 'static,
{
    let labels: Vec<&'static str> = options.iter().map(|(label, _)| *label).collect();
    view! {
        <div class="setting choice">
            <label for=id>{label}</label>
            <select
                id=id
                prop:value=chosen
                on:change=move |event| {
                    let label = event_target_value(&event);
                    if let Some((_, value)) = options.iter().find(|(other, _)| *other == label) {
                        choose(*value);
                    }
                }
            >
                {labels
                    .into_iter()
                    .map(|label| {
                        view! {
                            <option value=label selected=move || chosen.get() == label>{label}</option>
                        }
                    })
                    .collect_view()}
            </select>
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn OptimizerSetting(trainer: Trainer) -> AnyView {
    let options = Optimizer::ALL.map(|optimizer| (optimizer.label(), optimizer));
    let chosen = Signal::derive(move || trainer.config.with(|config| config.optimizer.label()));
    let choose = move |optimizer| trainer.change_config(|config| config.optimizer = optimizer);
    view! { <Choice id="optimizer" label="Optimizer" options=options.to_vec() chosen choose /> }
        .into_any()
}

#[component]
pub(super) fn ScheduleSetting(trainer: Trainer) -> AnyView {
    let options = Schedule::ALL.map(|schedule| (schedule.label(), schedule));
    let chosen = Signal::derive(move || trainer.config.with(|config| config.schedule.label()));
    let choose = move |schedule| trainer.change_config(|config| config.schedule = schedule);
    view! { <Choice id="schedule" label="Schedule" options=options.to_vec() chosen choose /> }
        .into_any()
}

#[component]
pub(super) fn ValidateEverySetting(trainer: Trainer) -> AnyView {
    let options = ValidateEvery::ALL.map(|every| (every.label(), every));
    let chosen =
        Signal::derive(move || trainer.config.with(|config| config.validate_every.label()));
    let choose = move |every| trainer.change_config(|config| config.validate_every = every);
    view! {
        <Choice id="validate-every" label="Validate every" options=options.to_vec() chosen choose />
    }
    .into_any()
}

#[component]
pub(super) fn EarlyStoppingSetting(trainer: Trainer) -> AnyView {
    let is_on = Memo::new(move |_| trainer.config.with(|config| config.patience.is_some()));
    let switch = move |event| {
        let patience = event_target_checked(&event).then_some(DEFAULT_PATIENCE);
        trainer.change_config(|config| config.patience = patience);
        trainer.invalid.update(|invalid| {
            invalid.remove(&Setting::Patience);
        });
        tell_run(trainer, Setting::Patience);
    };
    view! {
        <div class="setting switch">
            <label for="early-stopping">"Early stopping"</label>
            <input id="early-stopping" type="checkbox" prop:checked=is_on on:change=switch />
        </div>
        <Show when=move || is_on.get()>
            <NumberSetting trainer setting=Setting::Patience unit="epochs" />
            <p class="hint">
                "Ends once the validation loss has not fallen for so long, and restores the best weights."
            </p>
        </Show>
    }
    .into_any()
}

#[component]
pub(super) fn ValidateOnSetting(trainer: Trainer) -> AnyView {
    let is_test = move || {
        trainer
            .config
            .with(|config| config.validate_on == ValidateOn::TestSet)
    };
    view! {
        <div class="setting choice">
            <label for="validate-on">"Validate on"</label>
            <select
                id="validate-on"
                prop:value=move || if is_test() { "test" } else { "split" }
                on:change=move |event| {
                    let validate_on = if event_target_value(&event) == "test" {
                        ValidateOn::TestSet
                    } else {
                        ValidateOn::Split
                    };
                    trainer.change_config(|config| config.validate_on = validate_on);
                }
            >
                <option value="split">"Split"</option>
                <option value="test">"Test set"</option>
            </select>
            <p class="hint">
                {move || is_test().then_some(
                    "Keras ignores the split where a validation set is given: the logged split is never used.",
                )}
            </p>
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn SeedSetting(trainer: Trainer) -> AnyView {
    let setting = Setting::Seed;
    let new_seed = move |_| {
        let seed = js_sys::Math::random() * (f64::from(u32::MAX) + 1.0);
        set(trainer, setting, seed.floor());
    };
    view! {
        <div class="setting seed">
            <label for="setting-Seed">{setting.label()}</label>
            <NumberField trainer setting id="setting-Seed".to_owned() />
            <button class="quiet" on:click=new_seed>"New seed"</button>
            <SettingError trainer setting />
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn BackendSetting(trainer: Trainer) -> AnyView {
    let mut options = BackendChoice::IN_TAB
        .map(|choice| (choice.label(), choice))
        .to_vec();
    if native::relay().is_some() {
        let native = BackendChoice::Native;
        options.push((native.label(), native));
    }
    let chosen = Signal::derive(move || trainer.choice.get().label());
    let choose = move |choice| trainer.choose(choice);
    let speeds = Memo::new(move |_| {
        let speeds = trainer.speeds.get();
        let of = |backend: Backend| {
            let rate = format::about(speeds.get(backend)?);
            Some(format!("{} {rate} images/s", backend.label()))
        };
        let known = [Backend::WebGpu, Backend::Cpu, Backend::Native]
            .into_iter()
            .filter_map(of);
        known.collect::<Vec<_>>().join(" · ")
    });
    // The open run and the next one share a worker.
    let is_open = Signal::derive(move || trainer.phase().is_open());
    view! {
        <fieldset disabled=is_open title=move || is_open.get().then_some(FIXED)>
            <Choice id="backend" label="Backend" options chosen choose />
            <Show when=move || !speeds.with(String::is_empty)>
                <p class="hint">{speeds}</p>
            </Show>
        </fieldset>
    }
    .into_any()
}

/// How many workers train together on the CPU, which changes how fast and nothing else.
pub(super) const WORKERS: [(&str, Option<u32>); 9] = [
    ("Auto", None),
    ("1", Some(1)),
    ("2", Some(2)),
    ("3", Some(3)),
    ("4", Some(4)),
    ("5", Some(5)),
    ("6", Some(6)),
    ("7", Some(7)),
    ("8", Some(8)),
];

#[component]
pub(super) fn WorkersSetting(trainer: Trainer) -> AnyView {
    let chosen = Signal::derive(move || {
        let workers = trainer.workers.get();
        let found = WORKERS.iter().find(|(_, number)| *number == workers);
        found.map_or("Auto", |(label, _)| *label)
    });
    let choose = move |workers| trainer.employ(workers);
    let is_other =
        Signal::derive(move || trainer.backend().is_some_and(|used| used != Backend::Cpu));
    let title = move || {
        if is_other.get() {
            "Only the CPU of this tab shares a batch so."
        } else {
            "Auto takes as many as this machine has cores, at most 8. However many: the figures are the same."
        }
    };
    view! {
        <fieldset disabled=is_other title=title>
            <Choice id="workers" label="CPU workers" options=WORKERS.to_vec() chosen choose />
        </fieldset>
    }
    .into_any()
}
