//! A run of two million steps: what opening, painting, keeping and exporting it costs the page.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiln_model::checkpoint::{Snapshot, write};
use kiln_model::config::Config;
use kiln_model::event::{Event, Moment, Quality, State, Trained};
use kiln_model::mnist;
use kiln_run::device::Backend;
use kiln_run::log::segment::Segment;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::{Identity, Run};
use kiln_tests::HarnessError;
use kiln_tests::page::{Page, with_database};
use kiln_tests::server::Server;
use serde_json::{Value, json};

use crate::{WINDOW, long_tasks};

const STEPS: u32 = 2_000_000;
/// Steps between two keeps of a fast machine.
const KEPT_EVERY: u32 = 20_000;
/// Steps between two measurements of the speed.
const MEASURED_EVERY: u32 = 500;
/// Charts that Train shows.
const CHARTS: usize = 5;

/// Fifty epochs of images one by one: more steps than were done.
fn config() -> Config {
    Config {
        epochs: 50,
        batch_size: 1,
        ..Config::default()
    }
}

fn measured(step: u32, config: &Config) -> Event {
    let plan = config.plan();
    let progress = f64::from(step) / f64::from(STEPS);
    let noise = (f64::from(step) * 0.7).sin();
    Event::Step(
        Moment {
            step,
            epoch: plan.epochs_after(step),
            images: plan.images_after(step),
            elapsed_secs: f64::from(step) * 1e-3,
        },
        Trained {
            quality: Quality {
                loss: 2.3 * (-4.0 * progress).exp() * (1.2 + noise),
                accuracy: f64::from(!step.is_multiple_of(5)),
            },
            learning_rate: config.learning_rate,
            gradient_norm: 2.0 + noise,
        },
    )
}

fn unmade(error: impl ToString) -> HarnessError {
    HarnessError::Usage(format!("the run cannot be made up: {}", error.to_string()))
}

/// A paused run of so many steps, with what the store took of it at each keep.
fn made_up() -> Result<(Run, Vec<Segment>), HarnessError> {
    let (config, data) = (config(), mnist::hash());
    let identity = Identity {
        id: RunId(1_700_000_000_000_000),
        name: "two-million-steps".to_owned(),
        backend: Backend::Cpu,
        adapter: None,
        started_at: "2026-11-27T10:00:00Z".to_owned(),
        colour: 0,
        tags: Vec::new(),
        notes: String::new(),
        data_name: "MNIST".to_owned(),
        classes: Default::default(),
        taken_up: Vec::new(),
    };
    let mut run = Run::new(identity, config, data.to_owned());
    run.take_up(1.7e12);
    run.apply(Event::State(State::Running));
    let mut stretches = Vec::new();
    for step in 1..=STEPS {
        let event = measured(step, &config);
        if let Event::Step(at, _) = event
            && step % MEASURED_EVERY == 0
        {
            run.apply(Event::Throughput(at, 1_000.0));
        }
        run.apply(event);
        if step % KEPT_EVERY == 0 {
            let snapshot = Snapshot {
                step,
                weights_step: step,
                elapsed_secs: f64::from(step) * 1e-3,
                ..Snapshot::initial(config, data.to_owned())
            };
            let file = write(&snapshot).map_err(unmade)?;
            run.keep(Checkpoint::new(file).map_err(unmade)?);
            if step == STEPS {
                run.apply(Event::State(State::Paused));
            }
            let unkept = run.unkept().map_err(unmade)?;
            let segment = unkept.segment.as_ref();
            stretches.extend(segment.cloned());
            run.note_kept(&unkept);
        }
    }
    Ok((run, stretches))
}

async fn put(
    page: &Page,
    store: &str,
    value: &Value,
    bytes: (&str, &[u8]),
) -> Result<(), HarnessError> {
    let (name, bytes) = (bytes.0, STANDARD.encode(bytes.1));
    page.evaluate(&with_database(
        None,
        &format!(
            "const value = {value};
             if ('{name}') value['{name}'] = Uint8Array.from(atob('{bytes}'), letter => letter.charCodeAt(0));
             await of(store('{store}').put(value)); return true;"
        ),
    ))
    .await?;
    Ok(())
}

/// Prints what the page does while it has such a run.
///
/// # Errors
/// A page that does not come so far.
pub async fn print_costs(server: &Server) -> Result<(), HarnessError> {
    let start = Instant::now();
    let (run, stretches) = made_up()?;
    let bytes: usize = stretches.iter().map(|stretch| stretch.bytes.len()).sum();
    println!(
        "{STEPS} steps made up in {:.1} s: a log of {} stretches, {:.1} bytes a step",
        start.elapsed().as_secs_f64(),
        stretches.len(),
        bytes as f64 / f64::from(STEPS)
    );

    let page = Page::open_ready(server).await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.open_tab_after(&server.url(), long_tasks::WATCH)
        .await?;
    page.close_other_tabs().await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.wait_for_state(&["ready"], 60).await?;
    long_tasks::report(&page, "Opening the page with no run").await?;
    print_memory(&page, "with no run").await?;
    let id = run.identity.id.0;
    let record = serde_json::to_value(Record::of(&run)).map_err(unmade)?;
    put(
        &page,
        "runs",
        &json!({ "id": id, "record": record }),
        ("", &[]),
    )
    .await?;
    if let Some(checkpoint) = run.checkpoint() {
        let file = ("checkpoint", checkpoint.file.as_slice());
        put(&page, "checkpoints", &json!({ "id": id }), file).await?;
    }
    for stretch in &stretches {
        let key = json!({ "run": id, "first": stretch.first });
        put(&page, "segments", &key, ("bytes", &stretch.bytes)).await?;
    }
    // In a process of its own: what the run was put there with is none of the page's memory.
    let start = Instant::now();
    page.open_tab_after(&server.url(), long_tasks::WATCH)
        .await?;
    page.close_other_tabs().await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.wait_for_state(&["interrupted"], 300).await?;
    let named =
        "document.querySelectorAll('.chart [role=img][aria-label*=two-million-steps]').length";
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        .await?;
    page.evaluate("window.scrollTo(0, 0)").await?;
    page.wait_for_value(named, &json!(CHARTS), 120).await?;
    println!("Opened and drawn in {:.1} s", start.elapsed().as_secs_f64());
    long_tasks::report(&page, "Opening it").await?;
    print_memory(&page, "once it is drawn").await?;

    page.evaluate(
        "(async () => { const box = document.querySelector('[aria-label=\"Log scale\"]');
           for (let time = 0; time < 6; time++) { box.click();
             await new Promise(done => requestAnimationFrame(() => setTimeout(done, 100))); } })()",
    )
    .await?;
    long_tasks::report(&page, "Drawing all charts six times").await?;

    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 120).await?;
    page.wait_for_step(STEPS + 1_000, 120).await?;
    // Kept after two seconds, and once more four later.
    let kept = with_database(
        None,
        "return (await of(store('segments').getAllKeys())).length;",
    );
    page.wait_for_value(&kept, &json!(stretches.len() + 2), 60)
        .await?;
    long_tasks::report(&page, "Training on, painted and kept twice").await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    print_memory(&page, "after training").await?;

    long_tasks::watch(&page).await?;
    page.press("link", "Files").await?;
    page.wait_for_text("two-million-steps.csv", 300).await?;
    long_tasks::report(&page, "Opening Files").await?;
    print_memory(&page, "after Files").await?;
    for ending in ["csv", "keras", "tensorboard.zip", "kiln.zip"] {
        long_tasks::watch(&page).await?;
        let start = Instant::now();
        let file = format!("two-million-steps.{ending}");
        let bytes = page.download_within(&file, 1_200).await?;
        println!(
            "{file}: {} MB in {:.1} s",
            bytes.len() / 1_000_000,
            start.elapsed().as_secs_f64()
        );
        long_tasks::report(&page, &format!("Making {file}")).await?;
    }
    print_memory(&page, "after its files").await?;
    page.close().await
}

async fn print_memory(page: &Page, when: &str) -> Result<(), HarnessError> {
    let before = page.memory_bytes()? / 1_000_000;
    page.collect_garbage().await?;
    let after = page.memory_bytes()? / 1_000_000;
    println!("Memory of the tab {when}: {after} MB, {before} MB before garbage was collected");
    Ok(())
}
