//! Every measurement as CSV with a header, one row each.

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::rows::{COLUMNS, Table, each_row};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".csv",
    group: Group::Figures,
    needs: Needs::Nothing,
    contents: "Every measurement, one row each",
    opens_with: "pandas, R, any database",
    media_type: "text/csv",
    language: Language::Python,
    snippet,
};

/// A run may be called `NA` or `123`, which pandas would take for no name or for a number.
fn snippet(stem: &str) -> String {
    format!(
        "import pandas\n\
         pandas.read_csv(\"{stem}.csv\", dtype={{\"run\": str}},\n\
         \x20               keep_default_na=False, na_values={{\"value\": [\"NaN\"]}})"
    )
}

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let mut table = Table::new(&COLUMNS, take).map_err(ExportError::of)?;
    let run = source.run;
    each_row(&run.identity.name, run.history(), |row, done| {
        table.push(row, done)
    })
    .map_err(ExportError::of)?;
    table.finish().map_err(ExportError::of)
}
