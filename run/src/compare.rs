//! Runs side by side: settings and results as a table.

use crate::record::Record;
use crate::settings;
use crate::table::Column;

/// Runs side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The runs' names.
    pub runs: Vec<String>,
    /// Settings first, then results.
    pub rows: Vec<Row>,
}

/// One setting or result of every run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub label: &'static str,
    /// Whether a person chose it.
    pub is_setting: bool,
    /// Its value in each run.
    pub cells: Vec<String>,
}

impl Row {
    /// Whether the runs differ in it.
    pub fn differs(&self) -> bool {
        self.cells.iter().any(|cell| *cell != self.cells[0])
    }
}

const RESULTS: [Column; 11] = [
    Column::Status,
    Column::EpochLoss,
    Column::EpochAccuracy,
    Column::BestAccuracy,
    Column::LastAccuracy,
    Column::BestLoss,
    Column::LastLoss,
    Column::TestAccuracy,
    Column::ImagesPerSec,
    Column::Duration,
    Column::Fingerprint,
];

impl Comparison {
    /// Runs side by side; only the rows in which they differ, if that is asked for.
    pub fn of(records: &[Record], only_differences: bool) -> Self {
        let lines: Vec<Vec<settings::Line>> = records.iter().map(settings::lines).collect();
        let labels = lines
            .first()
            .map(|lines| lines.iter().map(|line| line.label));
        let settings = labels
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(index, label)| Row {
                label,
                is_setting: true,
                cells: lines
                    .iter()
                    .map(|lines| lines[index].text.clone())
                    .collect(),
            });
        let results = RESULTS.map(|column| Row {
            label: column.label(),
            is_setting: false,
            cells: records
                .iter()
                .map(|record| column.write(&column.value(record)))
                .collect(),
        });
        let rows = settings.chain(results);
        Self {
            runs: records
                .iter()
                .map(|record| record.identity.name.clone())
                .collect(),
            rows: rows
                .filter(|row| !only_differences || row.differs())
                .collect(),
        }
    }

    /// The table as text: its head, then its rows, each beginning with what it is about.
    pub fn table(&self, is_transposed: bool) -> (Vec<String>, Vec<Vec<String>>) {
        let labels = self.rows.iter().map(|row| row.label.to_owned());
        if is_transposed {
            let head = ["Run".to_owned()].into_iter().chain(labels).collect();
            let run = |(index, name): (usize, &String)| {
                let cells = self.rows.iter().map(|row| row.cells[index].clone());
                [name.clone()].into_iter().chain(cells).collect()
            };
            (head, self.runs.iter().enumerate().map(run).collect())
        } else {
            let head = [String::new()]
                .into_iter()
                .chain(self.runs.clone())
                .collect();
            let row = |row: &Row| {
                let label = [row.label.to_owned()].into_iter();
                label.chain(row.cells.iter().cloned()).collect()
            };
            (head, self.rows.iter().map(row).collect())
        }
    }

    /// The table in Markdown.
    pub fn markdown(&self, is_transposed: bool) -> String {
        let (head, rows) = self.table(is_transposed);
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells
                .iter()
                .map(|cell| cell.replace('\\', "\\\\").replace('|', "\\|"))
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = format!("|{}\n", " --- |".repeat(head.len()));
        let body: String = rows.iter().map(|row| line(row)).collect();
        line(&head) + &rule + &body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::scored_run;
    use kiln_model::config::Config;
    use kiln_model::preset::Preset;

    fn record(name: &str, config: Config) -> Record {
        let mut record = Record::of(&scored_run());
        record.identity.name = name.to_owned();
        record.config = config;
        record
    }

    #[test]
    fn the_courses_two_runs_differ_in_epochs_and_batch_size_alone() {
        let records = [
            record("one", Preset::CourseRun1.config()),
            record("two", Preset::CourseRun2.config()),
        ];
        let all = Comparison::of(&records, false);
        let different = Comparison::of(&records, true);
        let settings: Vec<_> = different
            .rows
            .iter()
            .filter(|row| row.is_setting)
            .map(|row| row.label)
            .collect();
        assert_eq!(settings, ["Epochs", "Batch size"]);
        assert_eq!(different.rows[1].cells, ["1000", "128"]);
        assert!(all.rows.len() > different.rows.len());
    }

    #[test]
    fn markdown_is_a_table_whatever_a_run_is_called() {
        let records = [
            record("a|b", Preset::CourseRun1.config()),
            record("two", Preset::CourseRun2.config()),
        ];
        let comparison = Comparison::of(&records, true);
        assert_eq!(
            comparison.markdown(false),
            "|  | a\\|b | two |\n| --- | --- | --- |\n| Epochs | 1 | 5 |\n| Batch size | 1000 | 128 |\n"
        );
        assert_eq!(
            comparison.markdown(true),
            "| Run | Epochs | Batch size |\n| --- | --- | --- |\n| a\\|b | 1 | 1000 |\n| two | 5 | 128 |\n"
        );
    }
}
