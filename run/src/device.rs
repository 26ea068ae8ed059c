//! What there is to train on, what is known of it, and which of it trains.

use serde::{Deserialize, Serialize};

/// What a run trains on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Backend {
    /// WebGPU, by burn's runtime.
    #[serde(rename = "webgpu")]
    WebGpu,
    /// The CPU's SIMD, by one worker or several.
    #[serde(rename = "cpu")]
    Cpu,
    /// A process of this machine, beside the tab or without one.
    #[serde(rename = "native")]
    Native,
}

impl Backend {
    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WebGpu => "WebGPU",
            Self::Cpu => "CPU",
            Self::Native => "Native",
        }
    }
}

/// What the person asks to train on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackendChoice {
    /// Whichever was measured to be the faster; until both were, the CPU.
    #[default]
    Auto,
    /// WebGPU, however slow.
    WebGpu,
    /// The CPU.
    Cpu,
    /// The process that the page came from.
    Native,
}

impl BackendChoice {
    /// What every tab has.
    pub const IN_TAB: [Self; 3] = [Self::Auto, Self::WebGpu, Self::Cpu];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::WebGpu => "WebGPU",
            Self::Cpu => "CPU",
            Self::Native => "This machine",
        }
    }
}

/// A graphics adapter that burn can train on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapter {
    /// Its name, as far as the browser tells.
    pub name: String,
    /// Whether the browser computes what is asked of it on the CPU; older browsers do not say.
    pub is_software: bool,
}

/// Training images a second that the backends were measured at; nothing where one was not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Speeds {
    web_gpu: Option<f64>,
    cpu: Option<f64>,
    native: Option<f64>,
}

impl Speeds {
    /// Of a backend.
    pub const fn get(&self, backend: Backend) -> Option<f64> {
        match backend {
            Backend::WebGpu => self.web_gpu,
            Backend::Cpu => self.cpu,
            Backend::Native => self.native,
        }
    }

    /// Takes a measurement, or forgets it.
    pub const fn set(&mut self, backend: Backend, images_per_sec: Option<f64>) {
        match backend {
            Backend::WebGpu => self.web_gpu = images_per_sec,
            Backend::Cpu => self.cpu = images_per_sec,
            Backend::Native => self.native = images_per_sec,
        }
    }

    /// The backend of the tab that was faster; nothing while one was not measured.
    pub fn fastest(&self) -> Option<Backend> {
        let (web_gpu, cpu) = self.web_gpu.zip(self.cpu)?;
        Some(if web_gpu > cpu {
            Backend::WebGpu
        } else {
            Backend::Cpu
        })
    }
}

/// A browser that says nothing of a GPU for so long is taken to have none.
pub const SILENT_SECS: u32 = 5;

/// Why WebGPU is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoGpu {
    /// The page was served before its GPU worker was there.
    #[error(
        "The part that trains on the GPU is still being built, so Kiln trains on the CPU. Reload the page once it is there."
    )]
    NotBuilt,
    /// The page came over plain http.
    #[error("WebGPU needs https or localhost, so Kiln trains on the CPU.")]
    Insecure,
    /// The browser has no WebGPU.
    #[error(
        "This browser has no WebGPU, so Kiln trains on the CPU, more slowly. For the GPU use current Chrome, Edge or Safari 26."
    )]
    NoWebGpu,
    /// The browser was asked for an adapter and has not answered.
    #[error(
        "The browser has not said for {SILENT_SECS} s whether there is a GPU, so Kiln trains on the CPU. Backend under Advanced asks again."
    )]
    Silent,
    /// The browser offers no adapter.
    #[error("The browser offers no GPU to WebGPU, so Kiln trains on the CPU, more slowly.")]
    NoAdapter,
    /// The adapter lacks what burn needs.
    #[error("This GPU lacks timestamp-query. Using the CPU.")]
    NoTimestampQuery,
    /// The device could not be opened.
    #[error("The GPU could not be opened ({0}). Using the CPU.")]
    Refused(String),
}

impl NoGpu {
    /// The reason in a few words, for the top bar.
    pub const fn short(&self) -> &'static str {
        match self {
            Self::NotBuilt => "GPU part is being built",
            Self::Insecure => "WebGPU needs https",
            Self::NoWebGpu => "no WebGPU",
            Self::Silent => "GPU does not answer",
            Self::NoAdapter => "no GPU found",
            Self::NoTimestampQuery => "GPU lacks timestamp-query",
            Self::Refused(_) => "GPU refused",
        }
    }
}

/// What to train on, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The backend.
    pub backend: Backend,
    /// Why it is not the GPU, where that was not the person's own choice.
    pub reason: Option<NoGpu>,
}

/// Chooses the backend from what the person asks for, what the probe found and what was measured.
pub fn choose(choice: BackendChoice, probed: &Result<Adapter, NoGpu>, speeds: &Speeds) -> Chosen {
    let (backend, reason) = match (choice, probed) {
        (BackendChoice::Cpu, _) => (Backend::Cpu, None),
        (BackendChoice::Native, _) => (Backend::Native, None),
        (BackendChoice::Auto, Ok(_)) => (speeds.fastest().unwrap_or(Backend::Cpu), None),
        (BackendChoice::WebGpu, Ok(_)) => (Backend::WebGpu, None),
        (BackendChoice::Auto | BackendChoice::WebGpu, Err(reason)) => {
            (Backend::Cpu, Some(reason.clone()))
        }
    };
    Chosen { backend, reason }
}

/// What an adapter is called: its first full description, or else what parts there are.
pub fn adapter_name(descriptions: &[String], parts: &[String]) -> String {
    let given = |text: &&String| !text.is_empty();
    if let Some(description) = descriptions.iter().find(given) {
        return description.clone();
    }
    let parts: Vec<&str> = parts.iter().filter(given).map(String::as_str).collect();
    if parts.is_empty() {
        "unnamed GPU".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter() -> Result<Adapter, NoGpu> {
        Ok(Adapter {
            name: "GPU".to_owned(),
            is_software: false,
        })
    }

    #[test]
    fn auto_takes_what_was_measured_faster() {
        use BackendChoice::{Auto, Cpu, WebGpu};
        let chosen = |choice, probed, speeds: &[(Backend, f64)]| {
            let mut known = Speeds::default();
            for (backend, speed) in speeds {
                known.set(*backend, Some(*speed));
            }
            let chosen = choose(choice, &probed, &known);
            (chosen.backend, chosen.reason)
        };
        let slower = [(Backend::Cpu, 9e3), (Backend::WebGpu, 800.0)];
        let faster = [(Backend::Cpu, 9e3), (Backend::WebGpu, 6e4)];
        for unknown in [&[][..], &slower[..1], &faster[1..], &slower] {
            assert_eq!(chosen(Auto, adapter(), unknown), (Backend::Cpu, None));
        }
        assert_eq!(chosen(Auto, adapter(), &faster), (Backend::WebGpu, None));
        assert_eq!(chosen(WebGpu, adapter(), &slower), (Backend::WebGpu, None));
        assert_eq!(chosen(Cpu, adapter(), &faster), (Backend::Cpu, None));
        let native = chosen(BackendChoice::Native, adapter(), &faster);
        assert_eq!(native, (Backend::Native, None));
        let none = || Err(NoGpu::NoTimestampQuery);
        for choice in [Auto, WebGpu] {
            assert_eq!(
                chosen(choice, none(), &faster),
                (Backend::Cpu, Some(NoGpu::NoTimestampQuery))
            );
        }
    }

    #[test]
    fn an_adapter_is_named_by_the_best_there_is() {
        let text = |parts: [&str; 2]| parts.map(str::to_owned);
        assert_eq!(
            adapter_name(&text(["", "M2"]), &text(["apple", "metal-3"])),
            "M2"
        );
        assert_eq!(
            adapter_name(&text(["", ""]), &text(["apple", "metal-3"])),
            "apple metal-3"
        );
        assert_eq!(
            adapter_name(&text(["", ""]), &text(["", ""])),
            "unnamed GPU"
        );
    }
}
