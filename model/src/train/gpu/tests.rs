//! Dropout's bits; all else is seen from outside, in `tests/gpu/`.

use std::time::Duration;

use burn::tensor::{Device, DeviceKind};

use super::kernel::MASK;
use super::queue::Queue;
use super::{MASK_WORDS, job, next_read};
use crate::batch::Draw;
use crate::config::ValidateOn;
use crate::dataset::{Dataset, Images, TrainingImages};
use crate::spec::{FEATURES, PIXELS};

/// One blank image of a zero.
fn blank() -> TrainingImages {
    let images = Images::from_bytes(vec![0; PIXELS], vec![0]).unwrap();
    let dataset = Dataset::new(images.clone(), images, "blank");
    dataset.split(1, 0, ValidateOn::TestSet).training
}

#[test]
fn dropout_draws_what_the_cpu_draws() {
    let queue = Queue::new(&Device::wgpu(DeviceKind::DefaultDevice)).unwrap();
    let images = blank();
    for (rate, steps_done, rows) in [
        (0.5, 0, 1),
        (0.5, 1, 128),
        (0.3, 7, 33),
        (0.9, 1_000_000, 7),
        (0.25, u32::MAX, 2),
        (1e-7, 3, 1_000),
    ] {
        let draw = Draw {
            rows: vec![0; rows],
            dropout: rate,
            seed: 0xdead_beef,
            steps_done,
        };
        let job = job::step(&queue, &draw, job::Rates::default());
        let mask = queue.room(rows * MASK_WORDS);
        queue.launch(MASK, rows * MASK_WORDS, &[&job, &mask]);
        let words = pollster::block_on(queue.read::<u32>(vec![mask])).unwrap();
        let factors = draw.whole(&images).dropout.unwrap().factors();
        assert_eq!(factors.len(), rows * FEATURES);
        for (index, factor) in factors.iter().enumerate() {
            let is_kept = words[0][index / 32] >> (index % 32) & 1 == 1;
            assert_eq!(is_kept, *factor > 0.0, "feature {index} at rate {rate}");
        }
    }
}

#[test]
fn reads_are_joined_while_they_are_short() {
    let after = |images, millis| next_read(images, Duration::from_millis(millis));
    assert_eq!(after(1_000, 20), 2_000);
    assert_eq!(after(8_000, 20), 10_000);
    assert_eq!(after(4_000, 200), 4_000);
    assert_eq!(after(4_000, 500), 2_000);
    assert_eq!(after(1_000, 5_000), 1_000);
}
