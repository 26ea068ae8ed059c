//! Every measurement as CSV with a header, one row each.

use super::rows::{PART_BYTES, each_row, finished};
use super::{About, ExportError, Group, Language, Source, Take};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".csv",
    group: Group::Figures,
    contents: "Every measurement, one row each",
    opens_with: "pandas, R, any database",
    media_type: "text/csv",
    language: Language::Python,
    snippet: |stem| format!("import pandas\npandas.read_csv(\"{stem}.csv\")"),
};

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let mut writer = ::csv::Writer::from_writer(Vec::with_capacity(PART_BYTES));
    let run = source.run;
    each_row(&run.identity.name, run.history(), |row, done| {
        writer.serialize(row)?;
        if writer.get_ref().len() >= PART_BYTES {
            let next = ::csv::WriterBuilder::new()
                .has_headers(false)
                .from_writer(Vec::with_capacity(PART_BYTES));
            take(finished(std::mem::replace(&mut writer, next))?, done);
        }
        Ok::<(), ::csv::Error>(())
    })
    .map_err(ExportError::of)?;
    take(finished(writer).map_err(ExportError::of)?, 1.0);
    Ok(())
}
