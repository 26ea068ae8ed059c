//! The one run that the drill trains again and again, and what nobody disturbed of it.

use crate::HarnessError;
use crate::measurements::{Row, rows};
use crate::page::{Page, with_database};
use crate::server::Server;

/// A run of [`STEPS`], with eight validations and a score.
pub const ADDRESS: &str = "#/train?v=1&epochs=2&batch_size=32&training_images=2000";
/// Steps of it.
pub const STEPS: u32 = 112;
/// Seconds until a run of it has ended, on a machine that does other things too.
pub const PATIENCE_SECS: u64 = 240;

/// What a run comes to that nothing disturbs.
pub struct Story {
    /// Serves the page.
    pub server: Server,
    rows: Vec<Row>,
    /// The run as a file that brings it back.
    pub archive: Vec<u8>,
}

impl Story {
    /// Trains it undisturbed.
    ///
    /// # Errors
    /// A page that does not train.
    pub async fn told() -> Result<Self, HarnessError> {
        // So slow that there is a middle to be struck in, on a machine of any speed.
        let server = Server::start().await?;
        let page = Page::open_at(&server, ADDRESS).await?;
        page.wait_for_state(&["ready"], 60).await?;
        page.press("button", "Start").await?;
        page.wait_for_state(&["finished"], PATIENCE_SECS).await?;
        let name = page.show_files().await?;
        let rows = measured(&page, &name).await?;
        let archive = page.download(&format!("{name}.kiln.zip")).await?;
        page.close().await?;
        Ok(Self {
            server,
            rows,
            archive,
        })
    }

    /// How many figures it has.
    pub fn figures(&self) -> usize {
        self.rows.len()
    }

    /// Looks whether the run that Files shows is the same, figure by figure.
    ///
    /// # Errors
    /// The first figure that is another, or is missing.
    pub async fn compare(&self, page: &Page, name: &str) -> Result<(), HarnessError> {
        let found = measured(page, name).await?;
        let mut pairs = self.rows.iter().zip(&found);
        let other = pairs.find(|(expected, found)| expected != found);
        if let Some((expected, found)) = other {
            return Err(lost(&format!(
                "{name} has {found:?} where an undisturbed run has {expected:?}"
            )));
        }
        if self.rows.len() != found.len() {
            return Err(lost(&format!(
                "{name} has {} figures, an undisturbed run {}",
                found.len(),
                self.rows.len()
            )));
        }
        Ok(())
    }
}

/// What a run measured, but for what the clock says; by series and step.
async fn measured(page: &Page, name: &str) -> Result<Vec<Row>, HarnessError> {
    let mut rows = rows(&page.download(&format!("{name}.csv")).await?)?;
    rows.retain(|row| row.series != "images_per_s");
    for row in &mut rows {
        row.elapsed_secs = 0.0;
    }
    rows.sort_by(|a, b| (&a.series, a.step).cmp(&(&b.series, b.step)));
    Ok(rows)
}

/// The numbers of the runs that the store has.
///
/// # Errors
/// A page that does not answer.
pub async fn kept(page: &Page) -> Result<Vec<u64>, HarnessError> {
    let ids = page
        .evaluate(&with_database(
            None,
            "return await of(store('runs').getAllKeys());",
        ))
        .await?;
    serde_json::from_value(ids.clone()).map_err(|_| HarnessError::Unreadable {
        what: "the runs in the store".to_owned(),
        answer: ids.to_string(),
    })
}

/// Shows the files of a run and says what it is called.
///
/// # Errors
/// A run that is not there.
pub async fn show(page: &Page, id: u64) -> Result<String, HarnessError> {
    page.evaluate(&format!("location.hash = '#/files?run={id}'"))
        .await?;
    let chosen = "document.querySelector('.files select')?.selectedOptions[0]";
    page.wait_for_value(&format!("{chosen}?.value === '{id}'"), &true.into(), 20)
        .await?;
    let name = page.evaluate(&format!("{chosen}.innerText")).await?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}

/// That something is not as it has to be.
pub fn lost(what: &str) -> HarnessError {
    HarnessError::Unreadable {
        what: "what was kept".to_owned(),
        answer: what.to_owned(),
    }
}
