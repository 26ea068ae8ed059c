//! HDF5 files: groups, with arrays and attributes in them.
//!
//! Of all that the HDF5 File Format Specification 3.0 has the writer knows the part that every reader
//! knows: superblock 2, object headers of version 2, links in the header, contiguous arrays. The
//! reader knows what h5py writes by default too.

mod checksum;
pub mod parts;
pub mod read;
mod write;

pub use parts::{Array, Group};
pub use write::write;
