//! `kiln show`.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use kiln_run::record::Record;
use kiln_run::table::{Column, Order};

use crate::arguments::Show;
use crate::error::CliError;
use crate::input;

/// What stands in the table, in this order.
const SHOWN: [Column; 11] = [
    Column::Name,
    Column::Status,
    Column::BestAccuracy,
    Column::BestLoss,
    Column::TestAccuracy,
    Column::Epochs,
    Column::BatchSize,
    Column::Optimizer,
    Column::LearningRate,
    Column::ImagesPerSec,
    Column::Duration,
];

/// The runs in these files as a table, or as JSON.
///
/// # Errors
/// A file without runs, or a column that is none.
pub fn show(wanted: &Show) -> Result<String, CliError> {
    let records = input::records(&wanted.files)?;
    let mut sorted: Vec<&Record> = records.iter().collect();
    if let Some(asked) = &wanted.sort {
        let mut all = Column::ALL.into_iter();
        let column = all.find(|column| column.label().eq_ignore_ascii_case(asked));
        let column = column.ok_or_else(|| CliError::Unknown {
            what: "column",
            asked: asked.clone(),
            choices: Column::ALL.map(|column| column.label().to_owned()).into(),
        })?;
        let order = Order {
            column,
            is_descending: !wanted.ascending,
        };
        order.sort(&mut sorted);
    }
    if wanted.json {
        // Every record has come out of JSON and goes into it again.
        return Ok(serde_json::to_string_pretty(&sorted).unwrap_or_default());
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(SHOWN.map(Column::label));
    for record in sorted {
        table.add_row(SHOWN.map(|column| column.write(&column.value(record))));
    }
    for (index, column) in SHOWN.into_iter().enumerate() {
        if let Some(shown) = table.column_mut(index).filter(|_| column.is_number()) {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table.to_string())
}
