//! How the feature maps of an image lie.

/// What an axis of feature maps runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The channels.
    Channel,
    /// The rows.
    Row,
    /// The columns.
    Column,
}

/// How feature maps lie in PyTorch, and in what ONNX convolves and pools.
pub const CHANNELS_FIRST: [Axis; 3] = [Axis::Channel, Axis::Row, Axis::Column];

/// The axes of an image's feature maps after those of a batch were put in this order; nothing where
/// the images do not stay where they are.
pub fn turned(axes: [Axis; 3], order: &[i64]) -> Option<[Axis; 3]> {
    let [0, first, second, third] = order else {
        return None;
    };
    let axis = |at: &i64| {
        axes.get(usize::try_from(*at).ok()?.checked_sub(1)?)
            .copied()
    };
    let turned = [axis(first)?, axis(second)?, axis(third)?];
    let all_there = CHANNELS_FIRST.iter().all(|axis| turned.contains(axis));
    all_there.then_some(turned)
}

/// Whether an array of this shape, added to values with these axes, differs along channels alone. The
/// last axes of both belong together.
pub fn runs_along_channels(shape: &[i64], axes: &[Axis]) -> bool {
    let mut axes = axes.iter().rev();
    shape
        .iter()
        .rev()
        .all(|length| axes.next() == Some(&Axis::Channel) || *length == 1)
}
