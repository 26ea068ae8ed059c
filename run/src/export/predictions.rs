//! What the network answered last to each validation and test image, as CSV.

use ::csv::Writer;
use kiln_model::dataset::Part;
use kiln_model::evaluation::{Prediction, Predictions};

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::rows::finished;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".predictions.csv",
    group: Group::Figures,
    needs: Needs::Answers,
    contents: "What it answered to each validation and test image",
    opens_with: "pandas, any spreadsheet",
    media_type: "text/csv",
    language: Language::Python,
    snippet: |stem| format!("import pandas\npandas.read_csv(\"{stem}.predictions.csv\")"),
};

/// Columns before the ten probabilities.
const COLUMNS: [&str; 5] = ["split", "step", "index", "true", "predicted"];

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let mut writer = Writer::from_writer(Vec::new());
    let probabilities = (0..10).map(|class| format!("probability_{class}"));
    let header = COLUMNS.map(str::to_owned).into_iter().chain(probabilities);
    writer.write_record(header).map_err(ExportError::of)?;
    let mut is_empty = true;
    for (part, split) in [(Part::Validation, "validation"), (Part::Test, "test")] {
        if let Some((step, predictions)) = source.newest(part)? {
            is_empty = false;
            rows(&mut writer, split, step, &predictions).map_err(ExportError::of)?;
        }
    }
    if is_empty {
        return Err(ExportError::NoAnswers);
    }
    take(finished(writer).map_err(ExportError::of)?, 1.0);
    Ok(())
}

fn rows(
    writer: &mut Writer<Vec<u8>>,
    split: &str,
    step: u32,
    predictions: &Predictions,
) -> Result<(), ::csv::Error> {
    for (index, prediction) in predictions.iter().enumerate() {
        let Prediction {
            label,
            answer,
            probabilities,
        } = prediction;
        writer.serialize((split, step, index, label, answer, probabilities))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::exported;
    use crate::parcel::Answered;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    fn answered(part: Part, step: u32, label: u8) -> Answered {
        let mut logits = [0.0; 10];
        logits[3] = 4.0_f32;
        let mut predictions = Predictions::default();
        predictions.add(&logits, &[label]).unwrap();
        Answered {
            part,
            step,
            predictions: predictions.to_bytes(),
        }
    }

    #[test]
    fn the_last_answers_to_each_split_are_there() {
        let run = scored_run();
        let answers = vec![
            answered(Part::Validation, 1, 5),
            answered(Part::Validation, 2, 3),
            answered(Part::Test, 2, 7),
        ];
        let file = exported(".predictions.csv", &run, Weights::Best, answers).unwrap();
        let file = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = file.lines().collect();
        assert!(lines[0].ends_with(
            "true,predicted,probability_0,probability_1,probability_2,\
            probability_3,probability_4,probability_5,probability_6,probability_7,probability_8,\
            probability_9"
        ));
        assert!(
            lines[1].starts_with("validation,2,0,3,3,0.0"),
            "{}",
            lines[1]
        );
        assert!(lines[2].starts_with("test,2,0,7,3,0.0"), "{}", lines[2]);
        let of = |line: &str| {
            line.split(',')
                .skip(5)
                .map(|p| p.parse::<f64>().unwrap())
                .sum::<f64>()
        };
        assert!((of(lines[2]) - 1.0).abs() < 1e-6);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn without_answers_there_is_no_file() {
        let run = scored_run();
        let error = exported(".predictions.csv", &run, Weights::Best, Vec::new()).unwrap_err();
        assert!(matches!(error, ExportError::NoAnswers));
    }
}
