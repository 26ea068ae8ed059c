//! `kiln compare`.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use kiln_run::compare::Comparison;

use crate::arguments::Compare;
use crate::error::CliError;
use crate::input;

/// The runs in these files side by side.
///
/// # Errors
/// A file without runs.
pub fn compare(wanted: &Compare) -> Result<String, CliError> {
    let records = input::records(&wanted.files)?;
    let (head, rows) = Comparison::of(&records, wanted.differences).table(false);
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(head);
    table.add_rows(rows);
    Ok(table.to_string())
}
