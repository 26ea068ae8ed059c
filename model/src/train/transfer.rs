//! Numbers to a device and back.

use burn::tensor::{Device, Tensor, TensorData};

use super::session::TrainError;

/// Puts numbers on a device.
pub fn upload(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

/// Reads a tensor from its device.
///
/// # Errors
/// A device that gives no results.
pub async fn download<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .into_data_async()
        .await
        .map_err(|error| TrainError::Device(format!("{error:?}")))?
        .try_into_vec()
        .map_err(|error| TrainError::Device(format!("{error:?}")))
}

/// Reads several tensors by one read.
///
/// # Errors
/// A device that gives no results.
pub async fn download_all(tensors: Vec<Tensor<1>>) -> Result<Vec<Vec<f32>>, TrainError> {
    let lens: Vec<usize> = tensors.iter().map(|tensor| tensor.dims()[0]).collect();
    let all = download(Tensor::cat(tensors, 0)).await?;
    let mut rest = all.as_slice();
    Ok(lens
        .into_iter()
        .map(|len| {
            let (own, after) = rest.split_at(len.min(rest.len()));
            rest = after;
            own.to_vec()
        })
        .collect())
}
