//! Weights out of a file of `torch.save`: a zip archive with a pickled state dict, whose values lie in
//! files beside it, all in one folder of any name.

use super::named::{Tensor, network, shown};
use super::number::{ByteOrder, Number};
use super::pickle::{self, Object, Pickle, Value, broken};
use super::{Found, WeightsError};
use crate::import::unzip::Archive;

/// The pickle in the folder.
const PICKLE: &str = "data.pkl";
/// Most bytes of it: that of this network takes less than 1 kB, and one with all that an optimiser
/// keeps a few.
const PICKLE_BYTES: usize = 1 << 20;
/// Most bytes of a storage, which may hold more than one tensor.
const STORAGE_BYTES: usize = 1 << 26;
/// How deep in dicts of dicts the state dict may be.
const MOST_DEPTH: usize = 4;
/// What a checkpoint calls the state dict in it.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "network"];

/// Whether bytes begin as a file does that PyTorch wrote before version 1.6: a pickle, or a tar
/// archive.
pub fn is_old(bytes: &[u8]) -> bool {
    let tar = bytes.get(257..262) == Some(b"ustar");
    matches!(bytes, [0x80, 2..=5, ..]) || tar
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
        values.ok_or_else(|| broken(format!("{} reaches beyond its values", shown(&tensor.name))))
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

/// The tensors of the state dict, which may be inside of other dicts. What else is in it is left out.
fn tensors<'p>(
    pickle: &'p Pickle<'p>,
) -> Result<Vec<Tensor<&'p pickle::Tensor<'p>>>, WeightsError> {
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
            name: (*name).to_owned(),
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
    tensor: &pickle::Tensor,
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
