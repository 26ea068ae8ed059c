//! What was measured at one batch size, as a Markdown table.

use std::fmt;

use super::{Contestant, KILN, PEERS};
use crate::median;

/// Everyone who trains with batches of one size.
#[derive(Debug)]
pub struct Table {
    /// The batch size.
    pub batch: u32,
    /// Kiln's rows, then the others'.
    pub rows: Vec<Row>,
}

/// What was measured of one contestant.
#[derive(Debug)]
pub struct Row {
    /// Who.
    pub contestant: Contestant,
    /// Images a second, of each round.
    pub rates: Vec<f64>,
    /// Why there are none, or no more.
    pub failure: Option<String>,
}

impl Table {
    /// A table with nothing measured yet.
    pub fn new(batch: u32) -> Self {
        let rows = KILN
            .into_iter()
            .chain(PEERS)
            .filter(|contestant| contestant.batches.contains(&batch))
            .map(|contestant| Row {
                contestant,
                rates: Vec::new(),
                failure: None,
            })
            .collect();
        Self { batch, rows }
    }
}

impl Row {
    fn rate(&self) -> Option<f64> {
        median(self.rates.clone())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kiln, peers) = self.rows.split_at(KILN.len());
        write!(out, "| Batch {} | images/s |", self.batch)?;
        for row in kiln {
            write!(out, " {} / this |", row.contestant.name)?;
        }
        write!(out, "\n|---|---|{}", "---|".repeat(kiln.len()))?;
        for row in kiln.iter().chain(peers) {
            write!(out, "\n| {} |", row.contestant.name)?;
            match row.rate() {
                Some(rate) => write!(out, " {rate:.0} |")?,
                None => write!(out, " – |")?,
            }
            for of_kiln in kiln {
                match (of_kiln.rate(), row.rate()) {
                    (Some(kiln), Some(rate)) => write!(out, " {:.2} |", kiln / rate)?,
                    _ => write!(out, " – |")?,
                }
            }
        }
        for row in &self.rows {
            if let Some(failure) = &row.failure {
                write!(out, "\n\n{}: {failure}", row.contestant.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn ratios_stand_beside_rates_and_reasons_below() {
        let mut table = Table::new(32);
        for (row, rate) in table.rows.iter_mut().zip([1_000.0, 2_000.0, 500.0, 50.0]) {
            row.rates = vec![rate];
        }
        if let Some(row) = table.rows.last_mut() {
            row.failure = Some("it is not there".to_owned());
        }
        let text = table.to_string();
        let has = |line: &str| text.lines().any(|found| found == line);
        assert!(has("| Kiln, WebGPU | 500 | 2.00 | 4.00 | 1.00 |"), "{text}");
        assert!(
            has("| jax-js, WebGPU | 50 | 20.00 | 40.00 | 10.00 |"),
            "{text}"
        );
        assert!(has("| Keras, native, CPU | – | – | – | – |"), "{text}");
        assert!(
            text.ends_with("\n\nKeras, native, CPU: it is not there"),
            "{text}"
        );
    }
}
