//! Measurements as tables of a checkpoint: a row each, the four columns of its moment first.

use safetensors::tensor::{Dtype, SafeTensors};

use super::{CheckpointError, Part};
use crate::event::{Moment, Quality, Score, Trained};
use crate::history::Measured;

/// What is read of a row, after its moment.
pub trait Columns: Sized {
    /// How many columns it has.
    const COUNT: usize;
    /// As many numbers as there are columns, or nothing.
    fn read(row: &[f64]) -> Option<Self>;
}

impl Columns for f64 {
    const COUNT: usize = 1;

    fn read(row: &[f64]) -> Option<Self> {
        row.first().copied()
    }
}

impl Columns for Quality {
    const COUNT: usize = 2;

    fn read(row: &[f64]) -> Option<Self> {
        let [loss, accuracy] = row.try_into().ok()?;
        Some(Self { loss, accuracy })
    }
}

impl Columns for Trained {
    const COUNT: usize = 4;

    fn read(row: &[f64]) -> Option<Self> {
        let [loss, accuracy, learning_rate, gradient_norm] = row.try_into().ok()?;
        Some(Self {
            quality: Quality { loss, accuracy },
            learning_rate,
            gradient_norm,
        })
    }
}

impl Columns for Score {
    const COUNT: usize = 4;

    fn read(row: &[f64]) -> Option<Self> {
        let [loss, accuracy, correct, images] = row.try_into().ok()?;
        Some(Self {
            quality: Quality { loss, accuracy },
            correct: correct as u32,
            images: images as u32,
        })
    }
}

const MOMENT_COLUMNS: usize = 4;

/// One validation as a table, or none.
pub(super) fn of_quality(name: &str, row: Option<Measured<Quality>>) -> Part {
    let values = row.map(|Measured { moment, value }| {
        [
            moment.step.into(),
            moment.epoch,
            moment.images as f64,
            moment.elapsed_secs,
            value.loss,
            value.accuracy,
        ]
    });
    Part {
        name: name.to_owned(),
        dtype: Dtype::F64,
        shape: vec![
            usize::from(values.is_some()),
            MOMENT_COLUMNS + Quality::COUNT,
        ],
        bytes: values
            .iter()
            .flatten()
            .flat_map(|value: &f64| value.to_le_bytes())
            .collect(),
    }
}

/// Whether a file has a table that some lack.
pub(super) fn is_there(tensors: &SafeTensors<'_>, name: &str) -> bool {
    tensors.tensor(name).is_ok()
}

/// The rows of a table.
///
/// # Errors
/// A table that is not there or has other columns.
pub(super) fn read<T: Columns>(
    tensors: &SafeTensors<'_>,
    name: &str,
) -> Result<Vec<Measured<T>>, CheckpointError> {
    let wrong = || CheckpointError::Inconsistent(format!("its table {name} cannot be read"));
    let tensor = tensors.tensor(name).map_err(|_| wrong())?;
    let columns = MOMENT_COLUMNS + T::COUNT;
    if tensor.dtype() != Dtype::F64 || tensor.shape().get(1) != Some(&columns) {
        return Err(wrong());
    }
    let (values, _) = tensor.data().as_chunks::<8>();
    let values: Vec<f64> = values
        .iter()
        .map(|value| f64::from_le_bytes(*value))
        .collect();
    values
        .chunks_exact(columns)
        .map(|row| {
            let ([step, epoch, images, elapsed_secs], value) =
                row.split_first_chunk().ok_or_else(wrong)?;
            Ok(Measured {
                moment: Moment {
                    step: *step as u32,
                    epoch: *epoch,
                    images: *images as u64,
                    elapsed_secs: *elapsed_secs,
                },
                value: T::read(value).ok_or_else(wrong)?,
            })
        })
        .collect()
}
