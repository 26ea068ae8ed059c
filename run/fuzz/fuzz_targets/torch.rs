//! Whatever a pickle says, weights are read beside it or refused.
#![no_main]

use kiln_run::export::zip::Zip;
use kiln_run::import::weights::read;
use libfuzzer_sys::fuzz_target;

/// Values of the storages 0 to 5: those of the network's parameters.
const STORAGES: [usize; 6] = [288, 32, 18_432, 64, 16_000, 10];

fuzz_target!(|pickle: &[u8]| {
    let mut zip = Zip::new(Vec::new());
    zip.store("a/data.pkl", pickle)
        .expect("it is of no odd name");
    for (index, len) in STORAGES.iter().enumerate() {
        zip.store(&format!("a/data/{index}"), &vec![0; 4 * len])
            .expect("it is of no odd name");
    }
    let file = zip.finish().expect("it has files");
    if let Ok(found) = read("torch", &file) {
        assert_eq!(found.weights.len(), STORAGES.iter().sum());
    }
});
