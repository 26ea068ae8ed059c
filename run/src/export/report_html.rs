//! The report as one page that needs nothing else and can be printed.

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::report::{Block, Report, Section, Table, of, plain};
use crate::format;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".report.html",
    group: Group::Reports,
    needs: Needs::Nothing,
    contents: "Settings, results, curves and answers on one page",
    opens_with: "any browser; prints",
    media_type: "text/html",
    language: Language::Python,
    snippet: |stem| {
        format!(
            "import pathlib, webbrowser\n\
             webbrowser.open(pathlib.Path(\"{stem}.report.html\").resolve().as_uri())"
        )
    },
};

/// The page is light wherever it is opened, and on paper keeps tables and figures whole.
const STYLE: &str = "\
:root{color-scheme:light}\
body{max-width:60rem;margin:2rem auto;padding:0 1.25rem;background:#fff;color:#1c1b19;\
font:1rem/1.5 ui-sans-serif,system-ui,sans-serif;overflow-wrap:anywhere}\
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}\
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid #e4e1da}\
p{margin:.5rem 0;max-width:44rem}\
.lead,caption,figcaption{color:#57534c}\
.scroll{overflow-x:auto}\
table{border-collapse:collapse;margin:.5rem 0 1rem;font-variant-numeric:tabular-nums}\
caption,figcaption{text-align:left;font-size:.875em;padding:.25rem 0}\
th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #e4e1da}\
th{font-weight:600}\
tbody th{font-weight:400;color:#57534c;overflow-wrap:normal}\
.numbers td,.numbers thead th:not(:first-child){text-align:right}\
figure{margin:1rem 0}\
img{max-width:100%;height:auto}\
dt{font-weight:600;margin-top:.75rem}\
dd{margin:0;max-width:44rem}\
blockquote{margin:.5rem 0;padding-left:1rem;border-left:3px solid #e4e1da;white-space:pre-wrap}\
@page{margin:18mm}\
@media print{body{max-width:none;margin:0;padding:0;font-size:9.5pt;line-height:1.35}\
h1{font-size:18pt}h2{font-size:13pt;margin-top:1.25rem;padding-top:.5rem;break-after:avoid}\
h2+p{break-after:avoid}th,td{padding-top:.1rem;padding-bottom:.1rem}\
figure,table,blockquote,dl>div{break-inside:avoid}.scroll{overflow:visible}\
img{max-height:85mm;width:auto}}";

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    take(page(&of(&[source])?).into_bytes(), 1.0);
    Ok(())
}

/// The same page of two runs side by side.
///
/// # Errors
/// Answers that cannot be read.
pub fn comparison(a: &Source, b: &Source) -> Result<String, ExportError> {
    Ok(page(&of(&[a, b])?))
}

fn page(report: &Report) -> String {
    let title = text(&report.title);
    let sections: String = report.sections.iter().map(section).collect();
    // Nothing on the page may run or be fetched, whatever a run is called.
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         img-src data:; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · Kiln</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p class=\"lead\">{}</p>\n{sections}</main>\n</body>\n</html>\n",
        text(&report.lead)
    )
}

fn section(section: &Section) -> String {
    let blocks: String = section.blocks.iter().map(block).collect();
    let title = text(&section.title);
    format!("<section>\n<h2>{title}</h2>\n{blocks}</section>\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(paragraph) => format!("<p>{}</p>\n", text(paragraph)),
        Block::Notes(notes) => {
            let lines: Vec<String> = notes.trim().lines().map(text).collect();
            format!("<blockquote>{}</blockquote>\n", lines.join("\n"))
        }
        Block::Terms(terms) => {
            let term = |(term, meaning): &(&str, String)| {
                let (term, meaning) = (text(term), text(meaning));
                format!("<div><dt>{term}</dt><dd>{meaning}</dd></div>\n")
            };
            let terms: String = terms.iter().map(term).collect();
            format!("<dl>\n{terms}</dl>\n")
        }
        Block::Table(told) => table(told),
        Block::Figure(figure) => format!(
            "<figure><img alt=\"{}\" src=\"{}\"><figcaption>{}</figcaption></figure>\n",
            text(&figure.alternative),
            figure.address(),
            text(&figure.caption)
        ),
    }
}

fn table(table: &Table) -> String {
    let head: String = table
        .head
        .iter()
        .map(|cell| {
            if cell.is_empty() {
                "<td></td>".to_owned()
            } else {
                format!("<th scope=\"col\">{}</th>", text(cell))
            }
        })
        .collect();
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().enumerate().map(|(at, cell)| {
            let cell = text(cell);
            if at == 0 {
                format!("<th scope=\"row\">{cell}</th>")
            } else {
                format!("<td>{cell}</td>")
            }
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = table.rows.iter().map(row).collect();
    let class = if table.is_numeric {
        " class=\"numbers\""
    } else {
        ""
    };
    format!(
        "<div class=\"scroll\"><table{class}><caption>{}</caption>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n",
        text(&table.caption)
    )
}

/// A text between tags or in quotes.
fn text(text: &str) -> String {
    format::escape(&plain(text))
}

#[cfg(test)]
mod tests {
    use kiln_model::dataset::Part;

    use super::*;
    use crate::export::report::tests::{answers, odd_run, parcel};
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
        let mut page = String::new();
        let mut take = |part: Vec<u8>, _: f64| page.push_str(&String::from_utf8(part).unwrap());
        write(&a, &mut take).unwrap();
        for page in [page, comparison(&a, &b).unwrap()] {
            for mark in ["<b>", "<script", "&\"", "\u{1}"] {
                assert!(!page.contains(mark), "{mark}");
            }
            assert!(page.contains("<h1>&lt;b&gt;&amp;&quot;|"));
            assert!(page.contains("\n1. &lt;script&gt;\n"));
            assert!(page.contains("<td>128</td>"));
        }
    }
}
