//! How large the built page is.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use kiln_tests::HarnessError;
use kiln_tests::server::dist;

/// The beginning of a wasm module's file name, and the most it may weigh, in gzip kilobytes.
const MODULES: [(&str, u64); 3] = [("page", 830), ("cpu_worker", 970), ("gpu_worker", 2_500)];

/// Prints the gzip size of each wasm module and says whether all are within their limits.
///
/// # Errors
/// No page that was built.
pub fn print_all() -> Result<bool, HarnessError> {
    let mut all_within = true;
    for entry in std::fs::read_dir(dist())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let module = MODULES.iter().find(|(start, _)| name.starts_with(start));
        let Some((start, limit)) = module.filter(|_| name.ends_with(".wasm")) else {
            continue;
        };
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&std::fs::read(entry.path())?)?;
        let kilobytes = gzip.finish()?.len() as u64 / 1_000;
        println!("{start}: {kilobytes} kB gzip of at most {limit} kB");
        all_within &= kilobytes <= *limit;
    }
    Ok(all_within)
}
