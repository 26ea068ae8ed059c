//! GPUs, by wgpu, where this program is built with them.

use super::name::Api;
#[cfg(not(feature = "gpu"))]
use super::opened::Opened;
use super::opened::machine;

/// What to say where there are not enough: nothing where this program knows of them.
pub const HOW_TO_HAVE_THEM: &str = if cfg!(feature = "gpu") {
    ""
} else {
    " This kiln is built without GPUs; `cargo install --path cli --features gpu` builds it with them."
};

/// A GPU, or what computes in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// How it is reached.
    pub api: Api,
    /// Its name, as its driver tells.
    pub name: String,
    /// Whether the CPU computes what is asked of it.
    pub is_software: bool,
    #[cfg(feature = "gpu")]
    kind: DeviceKind,
}

impl Adapter {
    /// What computes, in words.
    pub fn in_words(&self) -> String {
        let how = if self.is_software {
            ", in software"
        } else {
            ""
        };
        format!("{}, {}{how}, {}", self.name, self.api.label(), machine())
    }
}

/// None: this program is built without.
#[cfg(not(feature = "gpu"))]
pub fn adapters() -> Vec<Adapter> {
    Vec::new()
}

/// There is none to open.
///
/// # Errors
/// Always.
#[cfg(not(feature = "gpu"))]
pub fn open(_: &Adapter) -> Result<Opened, String> {
    Err("this kiln is built without GPUs".to_owned())
}

#[cfg(feature = "gpu")]
use burn::tensor::DeviceKind;
#[cfg(feature = "gpu")]
pub use with::{adapters, open};

#[cfg(feature = "gpu")]
mod with {
    use std::sync::{Arc, OnceLock};

    use burn::tensor::wgpu::WgpuBackend;
    use burn::tensor::wgpu::wgpu::{Backend, DeviceType, Instance, InstanceDescriptor};
    use burn::tensor::{Device as BurnDevice, DeviceKind};
    use kiln_model::train::engine::{Place, Tiles};
    use kiln_model::train::gpu::check;

    use super::Adapter;
    use crate::device::name::Api;
    use crate::device::opened::Opened;

    /// Operations gathered into one command buffer.
    const TASKS_MAX: usize = 64;

    /// All adapters: of each API in its turn, and of one those in software last. Looked up on one thread,
    /// before any is opened: Vulkan's loader wants that.
    pub fn adapters() -> Vec<Adapter> {
        Api::ALL.into_iter().flat_map(of_api).collect()
    }

    fn of_api(api: Api) -> Vec<Adapter> {
        let wanted = match api {
            Api::Vulkan => Backend::Vulkan,
            Api::Metal => Backend::Metal,
            Api::Dx12 => Backend::Dx12,
        };
        let instance = Instance::new(InstanceDescriptor {
            backends: wanted.into(),
            ..InstanceDescriptor::new_without_display_handle()
        });
        let there = pollster::block_on(instance.enumerate_adapters(wanted.into()));
        // burn counts the adapters of each kind by themselves.
        let (mut discrete, mut integrated, mut virtualised) = (0.., 0.., 0..);
        let mut found = Vec::new();
        for adapter in there {
            let info = adapter.get_info();
            let kind = match info.device_type {
                DeviceType::DiscreteGpu => discrete.next().map(DeviceKind::DiscreteGpu),
                DeviceType::IntegratedGpu => integrated.next().map(DeviceKind::IntegratedGpu),
                DeviceType::VirtualGpu => virtualised.next().map(DeviceKind::VirtualGpu),
                DeviceType::Cpu => Some(DeviceKind::Cpu),
                // What it is it does not say, and burn cannot be asked for it.
                DeviceType::Other => None,
            };
            found.extend(kind.map(|kind| Adapter {
                api,
                name: info.name,
                is_software: kind == DeviceKind::Cpu,
                kind,
            }));
        }
        found.sort_by_key(|adapter| adapter.is_software);
        // burn does not tell several in software apart.
        let hardware = found.iter().filter(|adapter| !adapter.is_software).count();
        found.truncate(hardware + 1);
        found
    }

    /// Opens an adapter, and has it compute something that is known.
    ///
    /// # Errors
    /// Why it cannot train, without a full stop.
    pub fn open(adapter: &Adapter) -> Result<Opened, String> {
        let options = BurnDevice::wgpu_options()
            .device_kind(adapter.kind.clone())
            .graphics_api(match adapter.api {
                Api::Vulkan => WgpuBackend::Vulkan,
                Api::Metal => WgpuBackend::Metal,
                Api::Dx12 => WgpuBackend::Dx12,
            })
            .tasks_max(TASKS_MAX);
        let (device, setup) = options
            .init_with_setup()
            .map_err(|error| error.to_string())?;
        let fault = Arc::new(OnceLock::new());
        // burn's own handler panics, far from what went wrong.
        setup.device.on_uncaptured_error(Arc::new({
            let fault = Arc::clone(&fault);
            move |error| {
                // The first says why there are others.
                fault.set(error.to_string()).ok();
            }
        }));
        let tiles = match adapter.is_software {
            true => Tiles::Large,
            false => Tiles::Small,
        };
        let place = Place { device, tiles };
        pollster::block_on(check(&place)).map_err(|error| error.to_string())?;
        Ok(Opened {
            place,
            words: adapter.in_words(),
            threads: None,
            fault,
        })
    }
}
