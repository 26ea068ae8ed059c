//! What devices are called on a command line.

use std::fmt;
use std::str::FromStr;

/// Something to train on, as a person names it; whether it is there shows when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// A GPU.
    Gpu {
        /// The graphics API that it is reached by; nothing for whichever reaches one.
        api: Option<Api>,
        /// Its place among those that are reached so, counted from 0; nothing for the first.
        number: Option<usize>,
    },
}

/// A graphics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Vulkan: Linux, Windows, Android.
    Vulkan,
    /// Metal: Apple's.
    Metal,
    /// Direct3D 12: Windows.
    Dx12,
}

impl Api {
    /// Every one, in the order in which they are looked at.
    pub const ALL: [Self; 3] = [Self::Vulkan, Self::Metal, Self::Dx12];

    /// The name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Dx12 => "dx12",
        }
    }

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Vulkan => "Vulkan",
            Self::Metal => "Metal",
            Self::Dx12 => "Direct3D 12",
        }
    }
}

/// The name of a GPU by whichever API reaches it.
const ANY: &str = "wgpu";

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self::Gpu { api, number } = self else {
            return formatter.write_str("cpu");
        };
        formatter.write_str(api.map_or(ANY, Api::name))?;
        number.map_or(Ok(()), |number| write!(formatter, ":{number}"))
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "cpu" {
            return Ok(Self::Cpu);
        }
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        if name == "cuda" {
            return Err(
                "CUDA does not run Kiln's kernels; `vulkan` trains on NVIDIA's GPUs".to_owned(),
            );
        }
        let api = Api::ALL.into_iter().find(|api| api.name() == name);
        if api.is_none() && name != ANY {
            return Err(
                "there are cpu, and wgpu, vulkan, metal and dx12, which may have a number, such \
                 as vulkan:0"
                    .to_owned(),
            );
        }
        let number = number.map(|number| {
            let parsed = number.parse();
            parsed.map_err(|_| format!("{number:?} is no number from 0 on"))
        });
        Ok(Self::Gpu {
            api,
            number: number.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Api, Device};

    #[test]
    fn what_is_named_is_understood_and_named_so_again() {
        let gpu = |api, number| Device::Gpu { api, number };
        let cases = [
            ("cpu", Device::Cpu),
            ("wgpu", gpu(None, None)),
            ("wgpu:2", gpu(None, Some(2))),
            ("vulkan", gpu(Some(Api::Vulkan), None)),
            ("metal:0", gpu(Some(Api::Metal), Some(0))),
            ("dx12:1", gpu(Some(Api::Dx12), Some(1))),
        ];
        for (text, device) in cases {
            assert_eq!(text.parse(), Ok(device));
            assert_eq!(device.to_string(), text);
        }
    }

    #[test]
    fn what_there_is_not_is_told_with_what_there_is() {
        let told = |text: &str| text.parse::<Device>().err().unwrap_or_default();
        assert!(told("tpu").contains("vulkan:0"), "{}", told("tpu"));
        assert!(told("cpu:1").contains("cpu"), "{}", told("cpu:1"));
        assert!(told("cuda:0").contains("`vulkan`"), "{}", told("cuda:0"));
        assert!(told("vulkan:-1").contains("\"-1\""));
    }
}
