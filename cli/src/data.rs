//! The images that runs are trained on.

use std::path::PathBuf;

use kiln_model::dataset::Dataset;
use kiln_model::mnist;
use kiln_run::classes::Classes;
use kiln_run::data::{DataChoices, MNIST, name_of};
use kiln_run::import::data;
use kiln_run::protocol::DataFile;

use crate::error::CliError;

/// MNIST as the page ships it, in the order of [`mnist::FILES`].
const FILES: [&[u8]; 4] = [
    include_bytes!("../../model/data/train-labels-idx1-ubyte.65a50cbb.gz"),
    include_bytes!("../../model/data/t10k-labels-idx1-ubyte.ff7bcfd4.gz"),
    include_bytes!("../../model/data/t10k-images-idx3-ubyte.0fa7898d.gz"),
    include_bytes!("../../model/data/train-images-idx3-ubyte.ba891046.gz"),
];

/// Images with what runs say of them.
#[derive(Debug)]
pub struct Data {
    /// Names it for a person.
    pub name: String,
    /// What its classes are called.
    pub classes: Classes,
    /// The images.
    pub images: Dataset,
}

/// The images in these files; MNIST where there are none.
///
/// # Errors
/// Files that cannot be read, or are no images with labels.
pub fn load(files: &[PathBuf]) -> Result<Data, CliError> {
    if files.is_empty() {
        return Ok(Data {
            name: MNIST.to_owned(),
            classes: Classes::default(),
            images: mnist::unpack(FILES)?,
        });
    }
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let bytes = std::fs::read(path).map_err(CliError::of(path))?;
        Ok(DataFile {
            name: name.to_string_lossy().into_owned(),
            bytes,
        })
    };
    let files: Vec<DataFile> = files.iter().map(read).collect::<Result<_, CliError>>()?;
    let (_, images) = data::read(&files, DataChoices::default())?;
    let names: Vec<String> = files.into_iter().map(|file| file.name).collect();
    Ok(Data {
        name: name_of(&names),
        classes: Classes::default(),
        images,
    })
}
