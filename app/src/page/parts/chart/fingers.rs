//! Two fingers on a chart: what was under each when it was put down stays under it.

use kiln_run::figure::Frame;

/// Fingers that are nearer to each other than this, of the chart's width, say nothing of a zoom.
const NEAREST: f64 = 0.02;

struct Finger {
    pointer: i32,
    /// Where on the chart it is, from 0 at the left to 1.
    across: f64,
    /// The x that is to stay under it.
    x: f64,
}

/// The fingers that are on a chart.
#[derive(Default)]
pub(super) struct Fingers(Vec<Finger>);

impl Fingers {
    /// One is put down; what is under the others counts anew from here.
    pub fn down(&mut self, pointer: i32, across: f64, frame: &Frame) {
        self.up(pointer);
        self.0.push(Finger {
            pointer,
            across,
            x: 0.0,
        });
        for finger in &mut self.0 {
            finger.x = frame.x_at(finger.across);
        }
    }

    /// One is lifted, or taken away.
    pub fn up(&mut self, pointer: i32) {
        self.0.retain(|finger| finger.pointer != pointer);
    }

    /// One moves. Of two, what is in sight then: nothing for all there is.
    pub fn moved(
        &mut self,
        pointer: i32,
        across: f64,
        frame: &Frame,
    ) -> Option<Option<(f64, f64)>> {
        let finger = self.0.iter_mut().find(|finger| finger.pointer == pointer)?;
        finger.across = across;
        let [a, b] = self.0.as_slice() else {
            return None;
        };
        let (left, right) = if a.x <= b.x { (a, b) } else { (b, a) };
        let apart = right.across - left.across;
        if apart < NEAREST || right.x <= left.x {
            return None;
        }
        let width = (right.x - left.x) / apart;
        let from = left.x - left.across * width;
        let (first, last) = frame.whole;
        // There is nothing beyond what was measured.
        let (from, to) = (from.max(first), (from + width).min(last));
        Some((from < to && (from, to) != frame.whole).then_some((from, to)))
    }

    /// Whether there are two.
    pub fn are_two(&self) -> bool {
        self.0.len() == 2
    }
}
