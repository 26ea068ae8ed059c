//! A setting that is a number: a slider, and a field for what no slider gives.

use kiln_model::config::{Edit, Setting};
use leptos::prelude::*;

use crate::page::state::trainer::Trainer;

/// How a slider's positions stand for values.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// From least to most by a step.
    Even { step: f64 },
    /// 16, 32, … 1024.
    Doubling,
    /// Twenty stops a decade, two digits.
    Logarithmic,
}

impl Scale {
    fn of(setting: Setting) -> Self {
        match setting {
            Setting::BatchSize => Self::Doubling,
            Setting::LearningRate => Self::Logarithmic,
            Setting::Dropout | Setting::ValidationSplit => Self::Even { step: 0.05 },
            Setting::Momentum => Self::Even { step: 0.01 },
            Setting::WeightDecay => Self::Even { step: 0.001 },
            Setting::TrainingImages => Self::Even { step: 1_000.0 },
            Setting::Epochs | Setting::Patience | Setting::Seed => Self::Even { step: 1.0 },
        }
    }

    /// The last position; the first is 0.
    fn last(self, (min, max): (f64, f64)) -> f64 {
        match self {
            Self::Even { step } => ((max - min) / step).round(),
            Self::Doubling => 6.0,
            Self::Logarithmic => 20.0 * (max / min).log10(),
        }
    }

    fn value(self, (min, _): (f64, f64), position: f64) -> f64 {
        match self {
            // Through a text of three decimals, so that 0.05 · 3 is 0.15.
            Self::Even { step } => rounded(min + step * position, 3),
            Self::Doubling => 16.0 * 2.0_f64.powf(position),
            Self::Logarithmic => {
                let value = min * 10.0_f64.powf(position / 20.0);
                let decimals = 1 - value.log10().floor() as i32;
                rounded(value, decimals.max(0) as usize)
            }
        }
    }

    fn position(self, (min, max): (f64, f64), value: f64) -> f64 {
        let position = match self {
            Self::Even { step } => (value - min) / step,
            Self::Doubling => (value / 16.0).log2(),
            Self::Logarithmic => 20.0 * (value / min).log10(),
        };
        position.round().clamp(0.0, self.last((min, max)))
    }
}

/// The number that a person would write with so many decimals.
pub(super) fn rounded(value: f64, decimals: usize) -> f64 {
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

#[component]
pub(super) fn NumberSetting(trainer: Trainer, setting: Setting, unit: &'static str) -> AnyView {
    let (label, range) = (setting.label(), setting.range());
    let scale = Scale::of(setting);
    let last = scale.last(range);
    let value = Memo::new(move |_| trainer.config.with(|config| setting.get(config)));
    let position = move || scale.position(range, value.get());
    let slide = move |position: f64| set(trainer, setting, scale.value(range, position));
    let id = format!("setting-{setting:?}");
    view! {
        <div class="setting">
            <label for=id.clone()>{label}</label>
            <input
                type="range"
                aria-label=label
                min="0"
                max=last
                step="1"
                prop:value=position
                aria-valuetext=move || format!("{} {unit}", value.get()).trim_end().to_owned()
                style=("--filled", move || format!("{}%", 100.0 * position() / last))
                on:input=move |event| {
                    if let Ok(position) = event_target_value(&event).parse() {
                        slide(position);
                    }
                }
                on:change=move |_| tell_run(trainer, setting)
            />
            <NumberField trainer setting id />
            <span class="unit">{unit}</span>
            <SettingError trainer setting />
        </div>
    }
    .into_any()
}

/// The field in which any value can be typed; a value outside the range is not taken over.
#[component]
pub(super) fn NumberField(trainer: Trainer, setting: Setting, id: String) -> AnyView {
    let (min, max) = setting.range();
    let is_invalid = move || {
        trainer
            .invalid
            .with(|invalid| invalid.contains_key(&setting))
    };
    // What is typed stays while it is invalid; the setting itself is then as it was.
    let shown = move || {
        trainer
            .invalid
            .with(|invalid| invalid.get(&setting).is_none())
            .then(|| {
                trainer
                    .config
                    .with(|config| setting.get(config))
                    .to_string()
            })
    };
    let field = NodeRef::<leptos::html::Input>::new();
    Effect::new(move |_| {
        if let (Some(field), Some(text)) = (field.get(), shown())
            && field.value() != text
        {
            field.set_value(&text);
        }
    });
    view! {
        <input
            node_ref=field
            id=id
            type="number"
            min=min
            max=max
            step="any"
            aria-invalid=move || is_invalid().to_string()
            aria-describedby=format!("error-{setting:?}")
            on:change=move |event| {
                set(trainer, setting, event_target_value(&event).parse().unwrap_or(f64::NAN));
                tell_run(trainer, setting);
            }
        />
    }
    .into_any()
}

#[component]
pub(super) fn SettingError(trainer: Trainer, setting: Setting) -> AnyView {
    let message = move || {
        trainer
            .invalid
            .with(|invalid| invalid.get(&setting).map(ToString::to_string))
    };
    view! {
        <p class="error" role="alert" id=format!("error-{setting:?}")>
            {message}
        </p>
    }
    .into_any()
}

pub(super) fn set(trainer: Trainer, setting: Setting, value: f64) {
    let mut config = trainer.config.get_untracked();
    match setting.set(&mut config, value) {
        Ok(()) => {
            trainer
                .invalid
                .update(|invalid| invalid.retain(|other, _| *other != setting));
            trainer.set_config(config);
        }
        Err(error) => trainer
            .invalid
            .update(|invalid| invalid.extend([(setting, error)])),
    }
}

/// Has the open run take over a setting that may change under way.
pub(super) fn tell_run(trainer: Trainer, setting: Setting) {
    let is_invalid = trainer
        .invalid
        .with_untracked(|invalid| invalid.contains_key(&setting));
    let is_draft = trainer.is_drafting.get_untracked();
    if is_invalid || is_draft || !untrack(|| trainer.phase()).is_open() {
        return;
    }
    let config = trainer.config.get_untracked();
    match setting {
        Setting::LearningRate => trainer.edit(Edit::LearningRate(config.learning_rate)),
        Setting::Epochs => trainer.edit(Edit::Epochs(config.epochs)),
        Setting::Patience => trainer.edit(Edit::Patience(config.patience)),
        _ => {}
    }
}
