//! The way to the device: buffers of 32-bit values, launches, reads.

use burn::tensor::Device;
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::cubecl::server::{Handle, KernelArguments};
use burn_cubecl::template::SourceKernel;
use bytemuck::Pod;

use super::kernel::{GROUP, Kernel};
use crate::train::session::TrainError;
use crate::train::transfer::upload;

/// Values of 32 bits on the device.
pub type Buffer = Handle;

/// A device's queue.
#[derive(Clone)]
pub struct Queue(Client);

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Queue")
            .field(&self.0.name())
            .finish()
    }
}

impl Queue {
    /// The queue that burn's own operations on a device go into.
    ///
    /// # Errors
    /// A device that kernels cannot be launched on, such as the CPU.
    pub fn new(device: &Device) -> Result<Self, TrainError> {
        upload(vec![0.0], device)
            .try_into_primitive::<CubeBackend>()
            .map(|tensor| Self(tensor.client))
            .map_err(|error| TrainError::Device(format!("{error:?}")))
    }

    /// A buffer with these bytes, a multiple of four.
    pub fn upload(&self, bytes: &[u8]) -> Buffer {
        self.0.create_from_slice(bytes)
    }

    /// A buffer for so many values, whatever they are.
    pub fn room(&self, values: usize) -> Buffer {
        self.0.empty(values * size_of::<u32>())
    }

    /// Launches a kernel of so many threads on the buffers it names, in their order.
    pub fn launch(&self, kernel: Kernel, threads: usize, buffers: &[&Buffer]) {
        let count = CubeCount::Static(threads.div_ceil(GROUP) as u32, 1, 1);
        let buffers = buffers.iter().map(|buffer| (*buffer).clone().binding());
        self.0.launch(
            Box::new(SourceKernel::new(kernel, CubeDim::new_1d(GROUP as u32))),
            count,
            KernelArguments::new().with_buffers(buffers.collect()),
        );
    }

    /// The values of several buffers, by one read, once all that was launched is done.
    ///
    /// # Errors
    /// A kernel that the device refused, or a device that is lost.
    pub async fn read<T: Pod>(&self, buffers: Vec<Buffer>) -> Result<Vec<Vec<T>>, TrainError> {
        let read = self.0.read_async(buffers).await;
        let read = read.map_err(|error| TrainError::Device(format!("{error:?}")))?;
        Ok(read
            .iter()
            .map(|bytes| bytemuck::pod_collect_to_vec(bytes))
            .collect())
    }
}
