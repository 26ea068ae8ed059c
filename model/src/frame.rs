//! What every file of Kiln's own begins with: 24 bytes that say what it is, of which version, how
//! long the rest is, and its CRC-32.

/// Bytes before the body.
pub const HEADER_BYTES: usize = 24;

/// Why bytes are not the file they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// They are something else.
    Other,
    /// Another version of Kiln wrote them.
    Version {
        /// The version found.
        found: u32,
    },
    /// They end early, or go on too long.
    Length {
        /// Bytes found.
        found: u64,
        /// Bytes that the header promises.
        expected: u64,
    },
    /// They are not those that were written.
    Altered,
}

/// A file: `magic` says what it is.
pub fn wrap(magic: [u8; 8], version: u32, body: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER_BYTES + body.len());
    file.extend(magic);
    file.extend(version.to_le_bytes());
    file.extend((body.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(body).to_le_bytes());
    file.extend(body);
    file
}

/// The version and what follows the header, once that is known to be what was written. The newest
/// version that can be read is `newest`, the oldest 1.
///
/// # Errors
/// Bytes that are something else, not whole, altered or of another version.
pub fn open(magic: [u8; 8], newest: u32, file: &[u8]) -> Result<(u32, &[u8]), FrameError> {
    let Some((header, body)) = file.split_at_checked(HEADER_BYTES) else {
        return Err(if magic.starts_with(&file[..file.len().min(magic.len())]) {
            FrameError::Length {
                found: file.len() as u64,
                expected: HEADER_BYTES as u64,
            }
        } else {
            FrameError::Other
        });
    };
    let (found, header) = header.split_at(magic.len());
    if found != magic {
        return Err(FrameError::Other);
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let version = word(0);
    if !(1..=newest).contains(&version) {
        return Err(FrameError::Version { found: version });
    }
    let length = u64::from(word(4)) | u64::from(word(8)) << 32;
    let expected = length.saturating_add(HEADER_BYTES as u64);
    if file.len() as u64 != expected {
        return Err(FrameError::Length {
            found: file.len() as u64,
            expected,
        });
    }
    if crc32fast::hash(body) != word(12) {
        return Err(FrameError::Altered);
    }
    Ok((version, body))
}
