//! A file of events: records of a length and an [`Event`], each with its check sum, as
//! `record_writer.py` of TensorBoard writes them.

use std::io::{self, Write};

use crc::{CRC_32_ISCSI, Crc, Table};
use prost::Message as _;

use super::messages::{Event, Summary, Value};
use crate::export::format::ExportError;

const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);
/// What the check sums are turned by, so that a check sum can be part of what is checked.
const MASK: u32 = 0xa282_ead8;
/// The format, as the first event says it.
const VERSION: &str = "brain.Event:2";

/// A file of events that is being written.
pub struct Events<'a> {
    to: &'a mut dyn Write,
    event: Vec<u8>,
}

impl<'a> Events<'a> {
    /// A file that begins at this time, in seconds since 1970.
    pub fn new(to: &'a mut dyn Write, wall_time: f64) -> Result<Self, ExportError> {
        let mut events = Self {
            to,
            event: Vec::new(),
        };
        events.write(&Event {
            wall_time,
            file_version: Some(VERSION.to_owned()),
            ..Event::default()
        })?;
        Ok(events)
    }

    /// Adds what was measured after so many steps, at a time in seconds since 1970.
    pub fn add(&mut self, wall_time: f64, step: u32, value: Vec<Value>) -> Result<(), ExportError> {
        self.write(&Event {
            wall_time,
            step: step.into(),
            summary: Some(Summary { value }),
            ..Event::default()
        })
    }

    fn write(&mut self, event: &Event) -> Result<(), ExportError> {
        self.event.clear();
        event.encode(&mut self.event).map_err(ExportError::of)?;
        record(self.to, &self.event).map_err(ExportError::of)
    }
}

fn record(to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    let length = (bytes.len() as u64).to_le_bytes();
    to.write_all(&length)?;
    to.write_all(&masked(&length).to_le_bytes())?;
    to.write_all(bytes)?;
    to.write_all(&masked(bytes).to_le_bytes())
}

fn masked(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes).rotate_right(15).wrapping_add(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_bytes_are_those_that_tensorboard_writes() {
        let mut file = Vec::new();
        let mut events = Events::new(&mut file, 1.0).unwrap();
        let loss = Value {
            tag: "loss".to_owned(),
            simple_value: Some(0.5),
            ..Value::default()
        };
        events.add(2.0, 1, vec![loss]).unwrap();
        assert_eq!(
            hex(&file),
            "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a\
             1a00000000000000129bd82d09000000000000004010012a0d0a0b0a046c6f7373150000003fe20576ce"
        );
    }
}
