//! Whether what left says what the run says: files are read again by the readers that take them in.

use super::archive;
use super::weights;
use crate::export::{Format, Source};

/// Whether a file comes back bit for bit; nothing where nothing here reads such files.
pub fn is_identical(format: Format, source: &Source, bytes: &[u8]) -> Option<bool> {
    match format.about().ending {
        ".kiln.zip" => Some(
            archive::runs(bytes).is_ok_and(|found| match found.runs.as_slice() {
                [only] => {
                    let mut expected = source.parcel.clone();
                    // What is taken in is trained by nobody.
                    expected.status = only.parcel.status;
                    only.parcel == expected
                }
                _ => false,
            }),
        ),
        ".safetensors" | ".pt" | ".onnx" | ".keras" | ".h5" => {
            let name = format.file_name(&source.run.identity.name);
            let read = weights::read(&name, bytes).ok()?.weights;
            let own = source.run.weights(source.which).ok()??;
            let bits = |weights: &[f32]| weights.iter().map(|weight| weight.to_bits()).collect();
            let (read, own): (Vec<u32>, Vec<u32>) = (bits(&read), bits(&own));
            Some(read == own)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{FORMATS, write};
    use crate::parcel::tests::parcel;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn every_file_that_is_read_here_comes_back() {
        let run = scored_run();
        let parcel = parcel(&run, run.status());
        let source = Source {
            run: &run,
            which: Weights::Best,
            parcel: &parcel,
        };
        let mut read = Vec::new();
        for format in FORMATS {
            let mut file = Vec::new();
            if write(format, &source, &mut |part, _| file.extend(part)).is_err() {
                continue;
            }
            let Some(is_same) = is_identical(format, &source, &file) else {
                continue;
            };
            assert!(is_same, "{format:?}");
            read.push(format.about().ending);
            // Of other weights it is not the file.
            let last = Source {
                which: Weights::Last,
                ..source
            };
            if format.about().ending != ".kiln.zip" {
                assert_eq!(
                    is_identical(format, &last, &file),
                    Some(false),
                    "{format:?}"
                );
            }
        }
        assert_eq!(
            read,
            [".kiln.zip", ".safetensors", ".keras", ".h5", ".onnx", ".pt"]
        );
    }
}
