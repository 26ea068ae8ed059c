//! Weights out of a file of `torch.save`: a zip archive with a pickled state dict, whose values lie
//! in files beside it, all in one folder of any name.

use super::found::{Found, WeightsError};
use super::named::{Tensor, network, shown};
use super::number::{ByteOrder, Number};
use super::objects::{self, Object, Value, broken};
use super::pickle::Pickle;
use crate::import::unzip::Archive;

/// The pickle in the folder.
const PICKLE: &str = "data.pkl";
/// Most bytes of it: that of this network takes less than 1 kB, and one with all that an optimiser
/// keeps a few. A byte may take 150 in memory.
const PICKLE_BYTES: usize = 1 << 18;
/// Most bytes of a storage, which may hold more than one tensor.
const STORAGE_BYTES: usize = 1 << 26;
/// How deep in dicts of dicts the state dict may be.
const MOST_DEPTH: usize = 4;
/// What begins an old file, behind the pickle's protocol: a whole number of 10 bytes.
const OLD_NUMBER: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// What the files of a still older one are called.
const OLD_FILES: [&[u8]; 4] = [b"sys_info\0", b"pickle\0", b"tensors\0", b"storages\0"];
/// What a checkpoint calls the state dict in it.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "network"];

/// Whether bytes begin as a file does that PyTorch wrote before version 1.6: with a number of its
/// own, pickled, or as a tar archive of files with its names.
pub fn is_old(bytes: &[u8]) -> bool {
    let tar = OLD_FILES.iter().any(|name| bytes.starts_with(name));
    let number = bytes.starts_with(b"\x80") && bytes.get(2..14).is_some_and(|at| at == OLD_NUMBER);
    number || tar && bytes.get(257..262) == Some(b"ustar")
}

/// The weights in such an archive.
pub fn read(archive: &Archive) -> Result<Found, WeightsError> {
    let mut pickles = archive.files.iter().filter_map(|file| {
        let folder = file.name.strip_suffix(PICKLE)?;
        (folder.is_empty() || folder.ends_with('/')).then_some((file, folder))
    });
    let (Some((file, folder)), None) = (pickles.next(), pickles.next()) else {
        return Err(WeightsError::OtherZip);
    };
    let bytes = archive.read(file, PICKLE_BYTES)?;
    let pickle = Pickle::read(&bytes)?;
    let tensors = tensors(&pickle)?;
    let order = byte_order(archive, folder)?;
    network(&tensors, |tensor, number| {
        let key = tensor.place.storage.key;
        let storage = inside(archive, folder, &format!("data/{key}"), STORAGE_BYTES)?;
        let storage =
            storage.ok_or_else(|| broken(format!("storage {} is not there", shown(key))))?;
        let values = strided(tensor.place, number, order, &storage);
        values.ok_or_else(|| broken(format!("{} reaches beyond its values", shown(tensor.name))))
    })
}

/// A file in the folder; nothing where it is not there.
fn inside(
    archive: &Archive,
    folder: &str,
    name: &str,
    limit: usize,
) -> Result<Option<Vec<u8>>, WeightsError> {
    let file = archive
        .files
        .iter()
        .find(|file| file.name.strip_prefix(folder) == Some(name));
    Ok(file.map(|file| archive.read(file, limit)).transpose()?)
}

/// Which byte of a number stands first; files from before PyTorch 2.1 do not say.
fn byte_order(archive: &Archive, folder: &str) -> Result<ByteOrder, WeightsError> {
    match inside(archive, folder, "byteorder", 16)?.as_deref() {
        None | Some(b"little") => Ok(ByteOrder::Little),
        Some(b"big") => Ok(ByteOrder::Big),
        Some(_) => Err(broken("its byte order is neither little nor big")),
    }
}

/// The tensors of the state dict, which may be inside of other dicts. What else is in it is left
/// out.
fn tensors<'p>(
    pickle: &'p Pickle<'p>,
) -> Result<Vec<Tensor<'p, &'p objects::Tensor<'p>>>, WeightsError> {
    let dict = |value| match pickle.object(value) {
        Some(Object::Dict(items)) => Some(items),
        _ => None,
    };
    let mut items = dict(pickle.root()).ok_or_else(|| broken("no dict is in it"))?;
    for _ in 0..MOST_DEPTH {
        let inner = |name| {
            let mut named = items.iter().filter(|(key, _)| *key == Value::Text(name));
            named.find_map(|(_, value)| dict(*value))
        };
        match NESTED.into_iter().find_map(inner) {
            Some(inner) => items = inner,
            None => break,
        }
    }
    let tensor = |(key, value): &(Value<'p>, Value<'p>)| match (key, pickle.object(*value)) {
        (Value::Text(name), Some(Object::Tensor(tensor))) => Some(Tensor {
            name,
            shape: tensor.shape.clone(),
            number: tensor.storage.number,
            place: tensor,
        }),
        _ => None,
    };
    Ok(items.iter().filter_map(tensor).collect())
}

/// The values of a tensor, the last axis running fastest, out of the bytes of its storage; nothing
/// where it reaches beyond them.
fn strided(
    tensor: &objects::Tensor,
    number: Number,
    order: ByteOrder,
    storage: &[u8],
) -> Option<Vec<f32>> {
    let mut indices = vec![tensor.offset];
    for (length, stride) in tensor.shape.iter().zip(&tensor.strides) {
        // Where the first stands, its neighbours along this axis stand after it.
        let mut next = Vec::with_capacity(indices.len().checked_mul(*length)?);
        for index in &indices {
            for step in 0..*length {
                next.push(step.checked_mul(*stride)?.checked_add(*index)?);
            }
        }
        indices = next;
    }
    let values = number.values(storage, order);
    let values = values.get(..tensor.storage.len)?;
    indices
        .into_iter()
        .map(|index| values.get(index).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::exported;
    use crate::import::unzip::tests::zipped;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    /// The files that Kiln writes, without their folder.
    fn files() -> Vec<(String, Vec<u8>)> {
        let file = exported(".pt", &scored_run(), Weights::Last, Vec::new()).unwrap();
        let archive = Archive::open(&file).unwrap();
        let files = archive.files.iter().map(|file| {
            let (_, name) = file.name.split_once('/').unwrap();
            (name.to_owned(), archive.read(file, STORAGE_BYTES).unwrap())
        });
        files.collect()
    }

    fn read_of(folder: &str, files: &[(String, Vec<u8>)]) -> Result<Found, WeightsError> {
        let names: Vec<String> = files
            .iter()
            .map(|(name, _)| format!("{folder}{name}"))
            .collect();
        let files = names.iter().zip(files);
        let files: Vec<_> = files
            .map(|(name, (_, bytes))| (name.as_str(), bytes.as_slice()))
            .collect();
        read(&Archive::open(&zipped(&files))?)
    }

    fn with(name: &str, bytes: Vec<u8>) -> Result<Found, WeightsError> {
        let mut files = files();
        files.iter_mut().find(|file| file.0 == name).unwrap().1 = bytes;
        read_of("a/", &files)
    }

    #[test]
    fn the_folder_may_be_any_or_none() {
        let files = files();
        let found = read_of("", &files).unwrap();
        for folder in ["archive/", "a b/ü/"] {
            assert_eq!(read_of(folder, &files).unwrap(), found);
        }
        let mut twice = files.clone();
        twice.push(("b/data.pkl".to_owned(), Vec::new()));
        assert!(matches!(read_of("", &twice), Err(WeightsError::OtherZip)));
        assert!(matches!(read_of("", &[]), Err(WeightsError::OtherZip)));
    }

    #[test]
    fn the_most_significant_byte_may_come_first() {
        let mut files = files();
        let found = read_of("a/", &files).unwrap();
        for (name, bytes) in &mut files {
            match name.as_str() {
                "byteorder" => *bytes = b"big".to_vec(),
                _ if name.starts_with("data/") => {
                    bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse)
                }
                _ => {}
            }
        }
        assert_eq!(read_of("a/", &files).unwrap(), found);
        let error = with("byteorder", b"middle".to_vec()).unwrap_err();
        assert!(error.to_string().contains("byte order"), "{error}");
        files.retain(|file| file.0 != "byteorder");
        assert_ne!(read_of("a/", &files).ok(), Some(found));
    }

    #[test]
    fn values_that_are_not_there_are_named() {
        let error = with("data/5", vec![0; 39]).unwrap_err().to_string();
        assert_eq!(
            error,
            r#"is no whole PyTorch file: "fc.bias" reaches beyond its values"#
        );
        let mut files = files();
        files.retain(|file| file.0 != "data/5");
        let error = read_of("a/", &files).unwrap_err().to_string();
        assert_eq!(
            error,
            r#"is no whole PyTorch file: storage "5" is not there"#
        );
    }

    #[test]
    fn strides_are_followed_to_where_they_lead() {
        let bytes: Vec<u8> = (0..8)
            .flat_map(|index| (index as f32).to_le_bytes())
            .collect();
        let read = |offset, shape: &[usize], strides: &[usize], len| {
            let tensor = objects::Tensor {
                storage: objects::Storage {
                    key: "0",
                    number: Some(Number::Single),
                    len,
                },
                offset,
                shape: shape.to_vec(),
                strides: strides.to_vec(),
            };
            strided(&tensor, Number::Single, ByteOrder::Little, &bytes)
        };
        assert_eq!(
            read(1, &[2, 3], &[3, 1], 8).unwrap(),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(
            read(0, &[3, 2], &[1, 3], 8).unwrap(),
            [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
        );
        assert_eq!(read(7, &[2], &[0], 8).unwrap(), [7.0, 7.0]);
        assert_eq!(read(7, &[], &[], 8).unwrap(), [7.0]);
        assert_eq!(read(3, &[2, 3], &[3, 1], 8), None);
        assert_eq!(read(0, &[8], &[1], 7), None);
        assert_eq!(read(0, &[8], &[1], 9), None);
        assert_eq!(read(usize::MAX, &[2], &[1], 8), None);
        assert_eq!(read(0, &[3], &[usize::MAX / 2 + 1], 8), None);
    }

    #[test]
    fn the_state_dict_may_be_inside_of_a_checkpoint() {
        let mut files = files();
        let found = read_of("a/", &files).unwrap();
        let state_dict = files[0].1.clone();
        let inside = |name: &str, pickle: &[u8]| {
            let mut outer = b"\x80\x02}X".to_vec();
            outer.extend((name.len() as u32).to_le_bytes());
            outer.extend(name.as_bytes());
            outer.extend(&pickle[2..pickle.len() - 1]);
            outer.extend(b"s.");
            outer
        };
        for name in NESTED {
            files[0].1 = inside("model", &inside(name, &state_dict));
            assert_eq!(read_of("a/", &files).unwrap(), found, "{name}");
        }
        files[0].1 = inside("other", &state_dict);
        assert!(matches!(
            read_of("a/", &files),
            Err(WeightsError::Missing { .. })
        ));
        // One that holds itself is looked into a few times only.
        files[0].1 = b"}q\x00X\x05\0\0\0modelh\x00s.".to_vec();
        assert!(matches!(
            read_of("a/", &files),
            Err(WeightsError::Missing { .. })
        ));
    }
}
