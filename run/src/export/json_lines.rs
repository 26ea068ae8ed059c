//! Every measurement as one JSON object a line.

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::rows::{PART_BYTES, each_row};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".jsonl",
    group: Group::Figures,
    needs: Needs::Nothing,
    contents: "Every measurement, one object a line",
    opens_with: "pandas, jq, DuckDB",
    media_type: "application/x-ndjson",
    language: Language::Python,
    snippet,
};

/// A run may be called `123`, which pandas would take for a number; and by default it reads numbers
/// fast, but not to the last digit.
fn snippet(stem: &str) -> String {
    format!(
        "import pandas\n\
         pandas.read_json(\"{stem}.jsonl\", lines=True, dtype={{\"run\": str}}, precise_float=True)"
    )
}

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let mut lines = Vec::with_capacity(PART_BYTES);
    let run = source.run;
    each_row(&run.identity.name, run.history(), |row, done| {
        serde_json::to_writer(&mut lines, &row)?;
        lines.push(b'\n');
        if lines.len() >= PART_BYTES {
            let part = std::mem::replace(&mut lines, Vec::with_capacity(PART_BYTES));
            take(part, done);
        }
        Ok::<(), serde_json::Error>(())
    })
    .map_err(ExportError::of)?;
    take(lines, 1.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use kiln_model::event::Event;

    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn both_tables_hold_every_measurement() {
        let run = scored_run();
        let file = |ending| exported(ending, &run, Weights::Best, Vec::new()).unwrap();
        let text = |ending| String::from_utf8(file(ending)).unwrap();
        let csv = text(".csv");
        let mut lines = csv.lines();
        assert_eq!(
            lines.next(),
            Some("run,step,epoch,images,elapsed_s,series,value")
        );
        assert_eq!(
            lines.next(),
            Some("amber-bowl-1,1,0.1,128,0.5,train/loss,2.25")
        );
        assert_eq!(
            csv.lines().last(),
            Some("amber-bowl-1,2,0.2,256,1.0,test/accuracy,0.9")
        );
        let json = text(".jsonl");
        // Two steps of four figures, an epoch, a validation and a score of two each, and one
        // throughput.
        assert_eq!((csv.lines().count() - 1, json.lines().count()), (15, 15));
        let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&first["series"], &first["value"]),
            (&"train/loss".into(), &2.25.into())
        );
    }

    #[test]
    fn what_is_no_number_can_be_read_all_the_same() {
        let mut run = scored_run();
        run.identity.name = "a,\"b\"".to_owned();
        let mut last = run.history().steps.last().unwrap();
        last.value.quality.loss = f64::NAN;
        last.value.gradient_norm = f64::INFINITY;
        run.apply(Event::Diverged(last.moment, last.value));
        let file = |ending| exported(ending, &run, Weights::Best, Vec::new()).unwrap();
        let text = |ending| String::from_utf8(file(ending)).unwrap();
        let csv = text(".csv");
        assert!(csv.contains("\n\"a,\"\"b\"\"\",2,0.2,256,1.0,train/loss,NaN\n"));
        assert!(csv.contains(",gradient_norm,Infinity\n"));
        let values: Vec<serde_json::Value> = text(".jsonl")
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|object| object["value"].clone())
            .collect();
        assert!(values.contains(&"NaN".into()) && values.contains(&"Infinity".into()));
    }
}
