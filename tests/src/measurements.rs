//! The CSV that a run leaves, read back.

use crate::HarnessError;

/// One measurement of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Training steps done.
    pub step: u32,
    /// Seconds of training until then, pauses left out.
    pub elapsed_secs: f64,
    /// What was measured.
    pub series: String,
    /// What came of it.
    pub value: f64,
}

/// The rows of a run's CSV, in order.
///
/// # Errors
/// A file that is not what Kiln writes.
pub fn rows(csv: &[u8]) -> Result<Vec<Row>, HarnessError> {
    type Columns = (String, u32, f64, u64, f64, String, f64);
    csv::Reader::from_reader(csv)
        .deserialize::<Columns>()
        .map(|columns| {
            let (_, step, _, _, elapsed_secs, series, value) =
                columns.map_err(|error| HarnessError::Unreadable {
                    what: "the run's CSV".to_owned(),
                    answer: error.to_string(),
                })?;
            Ok(Row {
                step,
                elapsed_secs,
                series,
                value,
            })
        })
        .collect()
}
