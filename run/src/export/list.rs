//! Every kind of file but the archive of all.

use super::burnpack;
use super::config;
use super::csv;
use super::format::{ExportError, Format, Source, Take};
use super::h5;
use super::json_lines;
use super::keras;
use super::notebook;
use super::onnx;
use super::predictions;
use super::report_html;
use super::report_markdown;
use super::safetensors;
use super::tensorboard;
use super::torch;
use super::wandb;
use super::wide_csv;

/// Makes the list of formats, and what writes each, out of the modules that hold them. What describes a
/// file and what writes it are kept apart: the page has the one, and only workers have the other.
macro_rules! formats {
    ($($module:ident)*) => {
        /// Every format, in the order in which a person is shown them.
        pub const EACH: [Format; [$(stringify!($module)),*].len()] =
            [$(Format(&$module::ABOUT)),*];

        /// Makes a file of one of these and gives it to `take`.
        ///
        /// # Errors
        /// What the run does not have, or a writer that refuses.
        pub fn write(
            format: Format,
            source: &Source,
            take: &mut Take,
        ) -> Result<(), ExportError> {
            let ending = format.about().ending;
            source.check(format.about().needs)?;
            $(if ending == $module::ABOUT.ending {
                return $module::write(source, take);
            })*
            Err(ExportError::of(format_args!("No file ends in {ending}")))
        }
    };
}

formats! {
    safetensors
    keras
    h5
    onnx
    torch
    burnpack
    csv
    wide_csv
    json_lines
    config
    predictions
    tensorboard
    wandb
    notebook
    report_html
    report_markdown
}
