//! The browser is killed at random moments, and started again where it was.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::HarnessError;
use crate::browser::Profile;
use crate::page::Page;
use fastrand::Rng;
use kiln_model::mnist::TEST_IMAGES;

use super::story::{ADDRESS, PATIENCE_SECS, STEPS, Story, kept, lost, show};

/// What the page is doing when the browser is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Training,
    Validating,
    Scoring,
    Keeping,
    Importing,
    Deleting,
}

/// A validation is short, and may be over between two looks.
const VALIDATES_OR_HAS: &str = "document.body.innerText.includes('Validating: ')
    || ['finishing', 'finished'].includes(document.documentElement.dataset.state)";

const MOMENTS: [Moment; 6] = [
    Moment::Training,
    Moment::Validating,
    Moment::Scoring,
    Moment::Keeping,
    Moment::Importing,
    Moment::Deleting,
];

/// What has to be there after the next kill.
#[derive(Default)]
struct Expected {
    /// Runs that were in the store.
    kept: BTreeSet<u64>,
    /// The one that comes or goes while the browser is killed.
    in_between: Option<u64>,
    /// The run that comes back as a file, while it is there.
    imported: Option<u64>,
    /// Steps that the open run had when it was last looked at.
    steps: u32,
    /// Runs that had ended, as an undisturbed one does.
    whole: BTreeSet<u64>,
}

/// How often what was seen.
#[derive(Default)]
struct Counts {
    killed: [usize; MOMENTS.len()],
    resumed: usize,
    finished: usize,
}

/// Kills the browser so many times.
///
/// # Errors
/// A run that is lost, a history with a gap, or a run that comes to something else than an undisturbed one.
pub async fn drill(
    story: &Story,
    random: &mut Rng,
    kills: usize,
    tell: &dyn Fn(String),
) -> Result<String, HarnessError> {
    let profile = Profile::new()?;
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("run.kiln.zip");
    std::fs::write(&archive, &story.archive)?;
    let (mut expected, mut counts) = (Expected::default(), Counts::default());
    let mut to_come = Vec::new();
    for kill in 0..kills {
        let page = Page::open_again(&story.server, ADDRESS, profile.clone()).await?;
        let context = |error| lost(&format!("after kill {kill}: {error}"));
        look(story, &page, &mut expected, &mut counts)
            .await
            .map_err(context)?;
        // All of them come once before one comes again.
        if to_come.is_empty() {
            to_come.extend(MOMENTS);
            random.shuffle(&mut to_come);
        }
        let moment = to_come.pop().unwrap_or(Moment::Training);
        let moment = until(story, &page, moment, &archive, &mut expected, random)
            .await
            .map_err(context)?;
        page.kill().await;
        tell(format!("{} of {kills}: killed while {moment:?}", kill + 1).to_lowercase());
        counts.killed[moment as usize] += 1;
    }
    // What the last one left.
    let page = Page::open_again(&story.server, ADDRESS, profile).await?;
    look(story, &page, &mut expected, &mut counts).await?;
    page.close().await?;
    let each: Vec<String> = MOMENTS
        .iter()
        .map(|moment| format!("{} {moment:?}", counts.killed[*moment as usize]).to_lowercase())
        .collect();
    Ok(format!(
        "{kills} kills ({}), {} runs resumed, {} finished as if nothing had happened, 0 runs lost.",
        each.join(", "),
        counts.resumed,
        counts.finished,
    ))
}

/// Looks whether all is there that has to be.
async fn look(
    story: &Story,
    page: &Page,
    expected: &mut Expected,
    counts: &mut Counts,
) -> Result<(), HarnessError> {
    page.wait_for_state(&["ready", "interrupted"], 60).await?;
    let there: BTreeSet<u64> = kept(page).await?.into_iter().collect();
    let gone: Vec<&u64> = expected
        .kept
        .difference(&there)
        .filter(|id| expected.in_between != Some(**id))
        .collect();
    if !gone.is_empty() {
        return Err(lost(&format!("runs {gone:?} are gone")));
    }
    // What came in is whole, or is not there at all.
    if expected.imported.is_none() {
        expected.imported = expected.in_between.filter(|id| there.contains(id));
    }
    if let Some(id) = expected.imported {
        if there.contains(&id) {
            let name = show(page, id).await?;
            story.compare(page, &name).await?;
            page.press("link", "Train").await?;
        } else {
            expected.imported = None;
        }
    }
    if page.state().await? == "interrupted" {
        let steps = page.steps_done().await?;
        if steps < expected.steps {
            let had = expected.steps;
            return Err(lost(&format!("the run has {steps} steps, and had {had}")));
        }
        expected.steps = steps;
        counts.resumed += 1;
    } else {
        // Every run that is there had ended, or there is none yet.
        for id in &there {
            if expected.imported != Some(*id) && expected.whole.insert(*id) {
                let name = show(page, *id).await?;
                story.compare(page, &name).await?;
                page.press("link", "Train").await?;
                counts.finished += 1;
            }
        }
        expected.steps = 0;
    }
    expected.kept = there;
    expected.in_between = None;
    Ok(())
}

/// Has the page do what it is to be killed in; says what that came to be.
async fn until(
    story: &Story,
    page: &Page,
    moment: Moment,
    archive: &std::path::Path,
    expected: &mut Expected,
    random: &mut Rng,
) -> Result<Moment, HarnessError> {
    let step = random.u32(expected.steps.min(STEPS - 1)..STEPS);
    let images = random.u32(..TEST_IMAGES);
    let mut pause = |most_ms: u64| tokio::time::sleep(Duration::from_millis(random.u64(..most_ms)));
    let moment = match (moment, expected.imported) {
        (Moment::Importing, Some(_)) => Moment::Deleting,
        (Moment::Deleting, None) => Moment::Importing,
        _ => moment,
    };
    if moment == Moment::Importing {
        page.press("link", "Runs").await?;
        let id = imported_id(story)?;
        expected.in_between = Some(id);
        page.choose_files("Import", &[archive.to_owned()]).await?;
        pause(2_500).await;
        return Ok(moment);
    }
    if let (Moment::Deleting, Some(id)) = (moment, expected.imported) {
        // It was given another name where a run of its own was here.
        let name = show(page, id).await?;
        page.press("link", "Runs").await?;
        expected.in_between = Some(id);
        // A long list has only the rows in sight.
        page.type_into("searchbox", "Filter", &name).await?;
        page.press("button", &format!("Delete {name}")).await?;
        pause(200).await;
        return Ok(moment);
    }
    let is_new = page.state().await? == "ready";
    page.press("button", if is_new { "Start" } else { "Resume" })
        .await?;
    match moment {
        Moment::Validating => {
            page.wait_for_value(VALIDATES_OR_HAS, &true.into(), PATIENCE_SECS)
                .await?;
            pause(150).await;
        }
        Moment::Scoring => {
            let scores = tells_of("Scoring test: ", images, &["finished"]);
            page.wait_for_value(&scores, &true.into(), PATIENCE_SECS)
                .await?;
        }
        _ => {
            let trains = tells_of("· step ", step, &["finishing", "finished"]);
            page.wait_for_value(&trains, &true.into(), PATIENCE_SECS)
                .await?;
            if moment == Moment::Keeping && page.has("button", "Pause").await? {
                page.press("button", "Pause").await?;
                pause(100).await;
            }
        }
    }
    // What the store has by now has to be there afterwards.
    let there = kept(page).await?;
    expected.kept.extend(there);
    Ok(moment)
}

/// That the page tells of so many after these words, or is in one of the states that come later: it may
/// have got there between two looks.
fn tells_of(words: &str, count: u32, later: &[&str]) -> String {
    format!(
        "Number(document.body.innerText.match(/{words}([\\d\\s]+)/)?.[1].replace(/\\s/g, '')) >= {count}
            || {later:?}.includes(document.documentElement.dataset.state)"
    )
}

/// The number of the run in the archive.
fn imported_id(story: &Story) -> Result<u64, HarnessError> {
    let runs = kiln_run::import::archive::runs(&story.archive);
    let taken = runs.map_err(|error| lost(&error.to_string()))?;
    let run = taken.runs.first();
    let run = run.ok_or_else(|| lost("the archive has no run"))?;
    Ok(run.parcel.identity.id.0)
}
