//! How large the page's modules are when they travel.

use std::fs;
use std::path::{Path, PathBuf};

use crate::compress::beside;
use crate::error::Error;

/// Modules that arrive together, and the most that they may weigh, in gzip kilobytes.
const LIMITS: [(Modules, u64); 5] = [
    (Modules::Page, 400),
    (Modules::Parts, 825),
    (Modules::FileWorker, 820),
    (Modules::CpuWorker, 970),
    (Modules::GpuWorker, 2_540),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modules {
    /// What the first paint needs.
    Page,
    /// What arrives later, all of it.
    Parts,
    /// The worker that makes and reads files.
    FileWorker,
    /// The worker that trains on the CPU.
    CpuWorker,
    /// The worker that trains on WebGPU.
    GpuWorker,
}

impl Modules {
    const fn name(self) -> &'static str {
        match self {
            Self::Page => "page, for the first paint",
            Self::Parts => "page, all other parts",
            Self::FileWorker => "worker for files",
            Self::CpuWorker => "CPU worker",
            Self::GpuWorker => "GPU worker",
        }
    }

    /// What a file belongs to; nothing where it is no module.
    fn of(dist: &Path, file: &Path) -> Option<Self> {
        let path = file.strip_prefix(dist).ok()?.to_str()?;
        let is_module = path.ends_with(".wasm");
        match path {
            _ if !is_module => None,
            _ if path.ends_with("/file_worker_bg.wasm") => Some(Self::FileWorker),
            _ if path.ends_with("/cpu_worker_bg.wasm") => Some(Self::CpuWorker),
            _ if path.ends_with("/gpu_worker_bg.wasm") => Some(Self::GpuWorker),
            _ if path.ends_with("/page_bg.wasm") => Some(Self::Page),
            _ => Some(Self::Parts),
        }
    }
}

/// Prints what the modules weigh.
///
/// # Errors
/// One that weighs more than it may, or a page that was not built and compressed.
pub fn weigh(dist: &Path) -> Result<(), Error> {
    let weighed = weights(dist)?;
    let mut too_heavy = Vec::new();
    for (modules, limit) in LIMITS {
        let of_these = weighed.iter().filter(|(found, _)| *found == modules);
        let bytes: u64 = of_these.map(|(_, bytes)| bytes).sum();
        let line = format!(
            "{}: {} kB gzip of at most {limit} kB",
            modules.name(),
            bytes.div_ceil(1_000)
        );
        println!("{line}");
        if bytes == 0 {
            return Err(Error::Unexpected {
                file: dist.display().to_string(),
                what: modules.name().to_owned(),
            });
        }
        if bytes > 1_000 * limit {
            too_heavy.push(line);
        }
    }
    if too_heavy.is_empty() {
        Ok(())
    } else {
        Err(Error::Heavy(too_heavy.join("; ")))
    }
}

/// Every module with its bytes as gzip.
fn weights(dist: &Path) -> Result<Vec<(Modules, u64)>, Error> {
    let mut folders = vec![dist.to_owned()];
    let mut weighed = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::of(&folder))? {
            let path: PathBuf = entry.map_err(Error::of(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(modules) = Modules::of(dist, &path) {
                let gzip = beside(&path, "gz");
                let bytes = fs::metadata(&gzip).map_err(Error::of(&gzip))?.len();
                weighed.push((modules, bytes));
            }
        }
    }
    Ok(weighed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::fs;
    use std::path::Path;

    use super::{Error, weigh};

    fn put(dist: &Path, name: &str, bytes: usize) {
        let path = dist.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        fs::write(super::beside(&path, "gz"), vec![0; bytes]).unwrap();
    }

    #[test]
    fn a_module_may_weigh_its_limit_and_no_byte_more() {
        let dist = tempfile::tempdir().unwrap();
        let dist = dist.path();
        put(dist, "file_worker-1/file_worker_bg.wasm", 1_000);
        put(dist, "cpu_worker-1/cpu_worker_bg.wasm", 1_000);
        put(dist, "gpu_worker-1/gpu_worker_bg.wasm", 1_000);
        put(dist, "page-1/split_work.wasm", 1_000);
        assert!(matches!(weigh(dist), Err(Error::Unexpected { .. })));
        put(dist, "page-1/page_bg.wasm", 400_000);
        weigh(dist).unwrap();
        put(dist, "page-1/page_bg.wasm", 400_001);
        assert!(matches!(weigh(dist), Err(Error::Heavy(_))));
    }
}
