//! The rail: presets, settings, and the buttons of the state machine.

use kiln_model::config::{Config, DEFAULT_PATIENCE, Edit, Setting, ValidateEvery, ValidateOn};
use kiln_model::event::{Command, State};
use kiln_model::optimizer::Optimizer;
use kiln_model::preset::Preset;
use kiln_model::schedule::Schedule;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::page::state::order::Queued;
use crate::page::state::trainer::{Phase, Trainer};
use kiln_run::device::{Backend, BackendChoice};
use kiln_run::format;

/// Why a setting cannot be changed now.
const FIXED: &str = "Fixed for this run. Stop to change.";

/// Presets, settings and what follows from them.
#[component]
pub fn Settings(trainer: Trainer) -> impl IntoView {
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

/// Queues the course's two runs.
#[component]
fn CourseButton(trainer: Trainer) -> AnyView {
    let images = move || {
        let images = trainer.config.with(|config| config.training_images);
        format!(
            "Run 1, then run 2, with {} images",
            format::count(images.into())
        )
    };
    view! {
        <button
            class="preset"
            aria-label="Run both course runs"
            aria-describedby="preset-both"
            on:click=move |_| trainer.run_course()
        >
            <strong>"Run both course runs"</strong>
            <small id="preset-both">{images}</small>
        </button>
    }
    .into_any()
}

/// The runs that wait for the open one to end.
#[component]
pub fn Queue(trainer: Trainer) -> AnyView {
    let rows = move || {
        let queue = trainer.queue.get();
        let row = |(index, queued): (usize, Queued)| {
            let config = queued.config;
            let name = queued.name.map_or_else(
                || {
                    let noun = if config.epochs == 1 {
                        "epoch"
                    } else {
                        "epochs"
                    };
                    format!("{} {noun}, batch {}", config.epochs, config.batch_size)
                },
                str::to_owned,
            );
            let label = format!("Remove {name} from the queue");
            let remove = move |_| {
                trainer.queue.update(|queue| {
                    if index < queue.len() {
                        queue.remove(index);
                    }
                });
            };
            view! {
                <li>
                    {name}
                    <button class="quiet icon" aria-label=label title="Remove" on:click=remove>"✕"</button>
                </li>
            }
        };
        let is_empty = queue.is_empty();
        let rows = queue.into_iter().enumerate().map(row).collect_view();
        (!is_empty).then(|| view! { <ol class="queue" aria-label="Queue">{rows}</ol> })
    };
    let can_begin = move || !trainer.queue.with(Vec::is_empty) && !trainer.phase().is_open();
    view! {
        {rows}
        {move || {
            can_begin()
                .then(|| {
                    view! { <button on:click=move |_| trainer.begin_next()>"Start the queue"</button> }
                })
        }}
    }
    .into_any()
}

/// Settings that cannot change while a run is open, and say so.
#[component]
fn Fixed(trainer: Trainer, children: Children) -> impl IntoView {
    let fixed = Signal::derive(move || trainer.phase().is_open() && !trainer.is_drafting.get());
    view! {
        <fieldset disabled=fixed title=move || fixed.get().then_some(FIXED)>
            {children()}
        </fieldset>
    }
}

#[component]
fn PresetButton(trainer: Trainer, preset: Preset) -> impl IntoView {
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
            <strong>{preset.label()}</strong>
            <small id=note>{preset.note()}</small>
        </button>
    }
}

/// How a slider's positions stand for values.
#[derive(Clone, Copy)]
enum Scale {
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
fn rounded(value: f64, decimals: usize) -> f64 {
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

#[component]
fn NumberSetting(trainer: Trainer, setting: Setting, unit: &'static str) -> impl IntoView {
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
}

/// The field in which any value can be typed; a value outside the range is not taken over.
#[component]
fn NumberField(trainer: Trainer, setting: Setting, id: String) -> impl IntoView {
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
}

#[component]
fn SettingError(trainer: Trainer, setting: Setting) -> impl IntoView {
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
}

fn set(trainer: Trainer, setting: Setting, value: f64) {
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
fn tell_run(trainer: Trainer, setting: Setting) {
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

/// A list of choices, each with its label.
#[component]
fn Choice<T>(
    id: &'static str,
    label: &'static str,
    options: Vec<(&'static str, T)>,
    #[prop(into)] chosen: Signal<&'static str>,
    choose: impl Fn(T) + 'static,
) -> impl IntoView
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
}

#[component]
fn OptimizerSetting(trainer: Trainer) -> impl IntoView {
    let options = Optimizer::ALL.map(|optimizer| (optimizer.label(), optimizer));
    let chosen = Signal::derive(move || trainer.config.with(|config| config.optimizer.label()));
    let choose = move |optimizer| trainer.change_config(|config| config.optimizer = optimizer);
    view! { <Choice id="optimizer" label="Optimizer" options=options.to_vec() chosen choose /> }
}

#[component]
fn ScheduleSetting(trainer: Trainer) -> impl IntoView {
    let options = Schedule::ALL.map(|schedule| (schedule.label(), schedule));
    let chosen = Signal::derive(move || trainer.config.with(|config| config.schedule.label()));
    let choose = move |schedule| trainer.change_config(|config| config.schedule = schedule);
    view! { <Choice id="schedule" label="Schedule" options=options.to_vec() chosen choose /> }
}

#[component]
fn ValidateEverySetting(trainer: Trainer) -> impl IntoView {
    let options = ValidateEvery::ALL.map(|every| (every.label(), every));
    let chosen =
        Signal::derive(move || trainer.config.with(|config| config.validate_every.label()));
    let choose = move |every| trainer.change_config(|config| config.validate_every = every);
    view! {
        <Choice id="validate-every" label="Validate every" options=options.to_vec() chosen choose />
    }
}

#[component]
fn EarlyStoppingSetting(trainer: Trainer) -> impl IntoView {
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
}

#[component]
fn ValidateOnSetting(trainer: Trainer) -> impl IntoView {
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
}

#[component]
fn SeedSetting(trainer: Trainer) -> impl IntoView {
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
}

#[component]
fn BackendSetting(trainer: Trainer) -> impl IntoView {
    let options = BackendChoice::ALL.map(|choice| (choice.label(), choice));
    let chosen = Signal::derive(move || trainer.choice.get().label());
    let choose = move |choice| trainer.choose(choice);
    let speeds = Memo::new(move |_| {
        let speeds = trainer.speeds.get();
        let of = |backend: Backend| {
            let rate = format::about(speeds.get(backend)?);
            Some(format!("{} {rate} images/s", backend.label()))
        };
        let known = [Backend::WebGpu, Backend::Cpu].into_iter().filter_map(of);
        known.collect::<Vec<_>>().join(" · ")
    });
    // The open run and the next one share a worker.
    let is_open = Signal::derive(move || trainer.phase().is_open());
    view! {
        <fieldset disabled=is_open title=move || is_open.get().then_some(FIXED)>
            <Choice id="backend" label="Backend" options=options.to_vec() chosen choose />
            <Show when=move || !speeds.with(String::is_empty)>
                <p class="hint">{speeds}</p>
            </Show>
        </fieldset>
    }
}

/// How many workers train together on the CPU, which changes how fast and nothing else.
const WORKERS: [(&str, Option<u32>); 9] = [
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
fn WorkersSetting(trainer: Trainer) -> impl IntoView {
    let chosen = Signal::derive(move || {
        let workers = trainer.workers.get();
        let found = WORKERS.iter().find(|(_, number)| *number == workers);
        found.map_or("Auto", |(label, _)| *label)
    });
    let choose = move |workers| trainer.employ(workers);
    let is_gpu = Signal::derive(move || trainer.backend() == Some(Backend::WebGpu));
    let title = move || {
        if is_gpu.get() {
            "Only the CPU shares a batch."
        } else {
            "Auto takes as many as this machine has cores, at most 8. However many: the figures are the same."
        }
    };
    view! {
        <fieldset disabled=is_gpu title=title>
            <Choice id="workers" label="CPU workers" options=WORKERS.to_vec() chosen choose />
        </fieldset>
    }
}

/// Steps and time that the settings ask for.
#[component]
pub fn PlanLine(trainer: Trainer) -> impl IntoView {
    let text = move || {
        let config: Config = trainer.config.get();
        let plan = config.plan();
        let steps = format!(
            "{} × {} = {} steps",
            format::count(plan.steps_per_epoch.into()),
            plan.epochs,
            format::count(plan.total_steps().into())
        );
        match trainer.estimated_secs(&config) {
            Some(secs) => format!("{steps} · ≈ {}", format::duration(secs)),
            None => steps,
        }
    };
    view! { <p class="plan">{text}</p> }
}

/// The buttons that fit the state.
#[component]
pub fn RunButtons(trainer: Trainer) -> impl IntoView {
    let phase = Memo::new(move |_| trainer.phase());
    let is_scoring = Memo::new(move |_| {
        trainer
            .run
            .with(|run| run.as_ref().is_some_and(kiln_run::run::Run::is_scoring))
    });
    let tell = move |command| move |_| trainer.tell(command);
    let start = move |single_step| move |_| trainer.begin(single_step);
    let is_invalid = move || trainer.invalid.with(|invalid| !invalid.is_empty());
    let why = move || is_invalid().then_some("A setting is outside its range.");
    let queue = move || {
        view! {
            <button disabled=is_invalid title=why on:click=move |_| trainer.queue_settings()>
                "Queue"
            </button>
        }
    };
    let buttons = move || {
        match phase.get() {
        Phase::Loading
        | Phase::Ready
        | Phase::Session(State::Failed) => view! {
            <button class="primary" disabled=is_invalid title=why on:click=start(false)>"Start"</button>
            <button disabled=is_invalid title=why on:click=start(true)>"Step"</button>
        }
        .into_any(),
        Phase::Session(State::Stopped | State::Finished) => view! {
            <button class="primary" disabled=is_invalid title=why on:click=start(false)>"Start"</button>
            <button disabled=is_invalid title=why on:click=start(true)>"Step"</button>
            <button
                disabled=move || !trainer.can_continue()
                title=move || (!trainer.can_continue()).then_some("All epochs are done. Raise Epochs to continue.")
                on:click=move |_| trainer.continue_ended()
            >
                "Continue"
            </button>
        }
        .into_any(),
        Phase::Interrupted => view! {
            <button class="primary" on:click=move |_| trainer.resume()>"Resume"</button>
            <button on:click=move |_| trainer.keep_interrupted()>"Keep"</button>
            <button class="quiet" on:click=move |_| trainer.delete_interrupted()>"Delete"</button>
        }
        .into_any(),
        Phase::Preparing => view! {
            <button on:click=move |_| trainer.cancel()>"Cancel"</button>
        }
        .into_any(),
        Phase::Session(State::Running) => view! {
            <button class="primary" on:click=tell(Command::Pause)>"Pause"</button>
            <button on:click=tell(Command::Stop)>"Stop"</button>
            {queue()}
        }
        .into_any(),
        Phase::Session(State::Paused) => {
            let last = if is_scoring.get() {
                view! { <button on:click=tell(Command::SkipScoring)>"Skip scoring"</button> }.into_any()
            } else {
                view! { <button on:click=tell(Command::Stop)>"Stop"</button> }.into_any()
            };
            view! {
                <button class="primary" on:click=tell(Command::Resume)>"Resume"</button>
                <button on:click=tell(Command::Step)>"Step"</button>
                {last}
                {queue()}
            }
            .into_any()
        }
        Phase::Session(State::Finishing) => view! {
            <button on:click=tell(Command::Pause)>"Pause"</button>
            <button on:click=tell(Command::SkipScoring)>"Skip scoring"</button>
            {queue()}
        }
        .into_any(),
    }
    };
    view! { <div class="buttons" role="group" aria-label="Run">{buttons}</div> }
}
