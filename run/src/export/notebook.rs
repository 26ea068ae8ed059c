//! A notebook that works out from the run's other files what the page shows of it.
//!
//! It is written as Jupyter's format 4.5: <https://nbformat.readthedocs.io/en/latest/format_description.html>.

use serde_json::{Value, json};

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::name::file_stem;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".ipynb",
    group: Group::Reports,
    needs: Needs::Nothing,
    contents: "The analysis as a notebook, to run beside the CSV files and the settings",
    opens_with: "Jupyter, VS Code",
    media_type: "application/x-ipynb+json",
    language: Language::Shell,
    snippet: |stem| format!("jupyter lab \"{stem}.ipynb\""),
};

/// The cells as a script: each begins with a line `# %%`, and those of text are comments.
const SCRIPT: &str = include_str!("notebook.py");
/// What a cell begins with.
const CELL: &str = "# %%";
/// What follows there where it is text.
const TEXT: &str = " [markdown]";
/// Stands for what the names of the run's files begin with.
const STEM: &str = "{stem}";

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    // A file's name has no mark that ends a text in Python or code in Markdown.
    let script = SCRIPT.replace(STEM, &file_stem(&source.run.identity.name));
    let mut bytes = serde_json::to_vec_pretty(&notebook(&script)).map_err(ExportError::of)?;
    bytes.push(b'\n');
    take(bytes, 1.0);
    Ok(())
}

fn notebook(script: &str) -> Value {
    let cells = script.split(CELL).filter(|cell| !cell.trim().is_empty());
    let cells: Vec<Value> = cells.enumerate().map(|(at, text)| cell(at, text)).collect();
    json!({
        "cells": cells,
        "metadata": {
            "kernelspec": { "display_name": "Python 3", "language": "python", "name": "python3" },
            "language_info": { "name": "python" },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    })
}

fn cell(at: usize, text: &str) -> Value {
    let id = format!("cell-{}", at + 1);
    match text.strip_prefix(TEXT) {
        Some(text) => {
            let uncommented = |line: &str| {
                let text = line.strip_prefix('#').unwrap_or(line);
                text.strip_prefix(' ').unwrap_or(text).to_owned()
            };
            let source = lines(text).map(uncommented).collect::<Vec<_>>();
            json!({ "cell_type": "markdown", "id": id, "metadata": {}, "source": source })
        }
        None => json!({
            "cell_type": "code",
            "execution_count": null,
            "id": id,
            "metadata": {},
            "outputs": [],
            "source": lines(text).collect::<Vec<_>>(),
        }),
    }
}

/// Lines with their ends, as notebooks hold a text.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim().split_inclusive('\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    fn text(cell: &Value) -> String {
        let lines = cell["source"].as_array().unwrap().iter();
        lines.map(|line| line.as_str().unwrap()).collect()
    }

    #[test]
    fn a_script_becomes_cells_of_text_and_of_code() {
        let book =
            notebook("# %% [markdown]\n# # One `# x`\n#\n# two\n\n# %%\na = 1\n\n\nb = 2\n\n");
        let cells = book["cells"].as_array().unwrap();
        assert_eq!(cells.len(), 2);
        assert_eq!(text(&cells[0]), "# One `# x`\n\ntwo");
        assert_eq!(text(&cells[1]), "a = 1\n\n\nb = 2");
        assert_eq!(cells[0]["cell_type"], "markdown");
        assert_eq!(cells[0].get("outputs"), None);
        assert_eq!(cells[1]["outputs"], json!([]));
        assert_eq!(cells[1]["id"], "cell-2");
    }

    #[test]
    fn the_notebook_reads_the_files_of_the_run() {
        let mut run = scored_run();
        run.identity.name = "a \"b\" `c` # %% {stem} ü".to_owned();
        let file = exported(".ipynb", &run, Weights::Best, Vec::new()).unwrap();
        let book: Value = serde_json::from_slice(&file).unwrap();
        let cells = book["cells"].as_array().unwrap();
        let code = text(&cells[1]);
        assert!(
            code.contains("\nSTEM = \"a _b_ _c_ _ __ _stem_ ü\"\n"),
            "{code}"
        );
        assert!(text(&cells[0]).contains("`a _b_ _c_ _ __ _stem_ ü.predictions.csv`"));
        let texts = cells.iter().filter(|cell| cell["cell_type"] == "markdown");
        assert_eq!(
            2 * texts.count(),
            cells.len(),
            "each cell of code is explained"
        );
        assert!(!String::from_utf8(file).unwrap().contains(STEM));
    }
}
