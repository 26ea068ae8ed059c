//! The report as Markdown: CommonMark with the tables of GitHub.

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::report::{Block, Report, Table, of, plain};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".report.md",
    group: Group::Reports,
    needs: Needs::Nothing,
    contents: "Settings, results, curves and answers as text",
    opens_with: "VS Code, any editor",
    media_type: "text/markdown",
    language: Language::Python,
    snippet: |stem| {
        format!(
            "import pathlib\n\
             print(pathlib.Path(\"{stem}.report.md\").read_text(encoding=\"utf-8\"))"
        )
    },
};

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    take(document(&of(&[source])?).into_bytes(), 1.0);
    Ok(())
}

/// The same text of two runs side by side.
///
/// # Errors
/// Answers that cannot be read.
pub fn comparison(a: &Source, b: &Source) -> Result<String, ExportError> {
    Ok(document(&of(&[a, b])?))
}

fn document(report: &Report) -> String {
    let mut document = format!("# {}\n\n{}\n", line(&report.title), line(&report.lead));
    for section in &report.sections {
        document += &format!("\n## {}\n", line(&section.title));
        for told in &section.blocks {
            document.push('\n');
            document += &block(told);
        }
    }
    document
}

/// Ends with a line's end.
fn block(block: &Block) -> String {
    match block {
        Block::Text(paragraph) => format!("{}\n", line(paragraph)),
        Block::Notes(notes) => {
            let lines = notes.trim().lines().map(|note| match line(note) {
                empty if empty.is_empty() => ">\n".to_owned(),
                // Two spaces at its end keep it from being joined with the next.
                note => format!("> {note}  \n"),
            });
            lines.collect()
        }
        Block::Terms(terms) => {
            let term = |(term, meaning): &(&str, String)| {
                format!("**{}.** {}\n", inline(term), inline(meaning))
            };
            terms.iter().map(term).collect::<Vec<_>>().join("\n")
        }
        Block::Table(told) => table(told),
        Block::Figure(figure) => format!(
            "![{}]({})\n\n{}\n",
            inline(&figure.alternative),
            figure.address(),
            line(&figure.caption)
        ),
    }
}

fn table(table: &Table) -> String {
    let row = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| inline(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = if table.is_numeric {
        " ---: |"
    } else {
        " --- |"
    };
    let rule = rule.repeat(table.head.len().saturating_sub(1));
    let rows: String = table.rows.iter().map(|cells| row(cells)).collect();
    format!(
        "{}:\n\n{}| --- |{rule}\n{rows}",
        line(&table.caption),
        row(&table.head)
    )
}

/// A text that begins a line, as which it could be a list, a heading or a rule.
fn line(text: &str) -> String {
    let text = inline(text);
    let text = text.trim();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let rest = text.chars().nth(digits);
    match text.chars().next() {
        Some('#' | '+' | '-' | '=' | ':') => format!("\\{text}"),
        Some('0'..='9') if matches!(rest, Some('.' | ')')) => {
            format!("{}\\{}", &text[..digits], &text[digits..])
        }
        _ => text.to_owned(),
    }
}

/// A text inside of a line or a cell: what Markdown or HTML would read as a mark stands for itself.
fn inline(text: &str) -> String {
    let mut escaped = String::new();
    for letter in plain(text).chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use kiln_model::dataset::Part;

    use super::*;
    use crate::export::report::tests::{ODD, answers, odd_run, parcel};
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn whatever_a_person_wrote_is_text() {
        let (odd, other) = (odd_run(), scored_run());
        let parcels = [&odd, &other].map(|run| parcel(run, answers(Part::Test, true)));
        let [a, b] = [(&odd, &parcels[0]), (&other, &parcels[1])].map(|(run, parcel)| Source {
            run,
            which: Weights::Best,
            parcel,
        });
        let mut text = String::new();
        let mut take = |part: Vec<u8>, _: f64| text.push_str(&String::from_utf8(part).unwrap());
        write(&a, &mut take).unwrap();
        for text in [text, comparison(&a, &b).unwrap()] {
            assert!(!text.contains(ODD.trim_end_matches('\u{1}')) && !text.contains('<'));
            assert!(
                text.starts_with("# &lt;b&gt;&amp;\"\\|\\`\\*\\_\\[x\\](y)"),
                "{text}"
            );
            assert!(text.contains("\n> \\# &lt;b&gt;"), "{text}");
            assert!(
                text.contains("\n>\n> 1\\. &lt;script&gt;  \n> \\- \\$x\\$  \n"),
                "{text}"
            );
            for table in text.split("\n\n").filter(|part| part.starts_with("| ")) {
                let cells = |line: &str| line.replace("\\|", "").matches('|').count();
                let head = table.lines().next().map(cells);
                assert!(
                    table.lines().all(|line| Some(cells(line)) == head),
                    "{table}"
                );
            }
        }
    }

    #[test]
    fn marks_are_escaped_where_they_mean_something() {
        assert_eq!(line("0.5 of 3"), "0\\.5 of 3");
        assert_eq!(line("12"), "12");
        assert_eq!(line("- a"), "\\- a");
        assert_eq!(inline("a - b = 0.5 # c"), "a - b = 0.5 # c");
    }
}
