//! What a chart comes to, in words.

use super::reading::write_place;
use super::{Frame, Strand};
use crate::series::{Axis, Subject};

/// Where each curve ends, and what is cut off, as a screen reader says it.
pub fn summary<'a>(
    strands: impl Iterator<Item = &'a Strand> + Clone,
    frame: &Frame,
    subject: Subject,
    axis: Axis,
) -> String {
    let mut ends = Vec::new();
    for strand in strands.clone() {
        for curve in &strand.curves {
            if let Some((x, value)) = curve.shown().last() {
                let (name, label) = (&strand.name, curve.label());
                let value = subject.write_mean(*value, curve.band.last().copied());
                let place = write_place(axis, *x, frame.utc_offset_ms);
                ends.push(format!("{name} {label} {value} at {place}"));
            }
        }
    }
    let title = subject.title();
    if ends.is_empty() {
        return format!("{title}: no data yet");
    }
    let cut_off = frame.cut_off(strands).map(|cut_off| format!(". {cut_off}"));
    let (axis, cut_off) = (axis.label(), cut_off.unwrap_or_default());
    format!("{title} over {axis}: {}{cut_off}", ends.join(", "))
}
