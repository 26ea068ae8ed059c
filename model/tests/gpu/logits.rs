//! Evaluation, and weights that are set aside.

use kiln_model::batch::evaluation_pixels;
use kiln_model::dataset::Part;
use kiln_model::train::engine::Which;
use kiln_model::train::fused::Network;
use kiln_model::train::gpu::Gpu;

use crate::{PLAIN, batches, holdings, read, shifted_weights, split, start};

/// Largest difference between logits up to 3: 1,600 products, each off by up to 2⁻²².
const TOLERANCE: f32 = 1e-5;

fn logits(gpu: &mut Gpu, which: Which, range: std::ops::Range<usize>) -> Vec<f32> {
    pollster::block_on(gpu.logits(which, Part::Training, range)).unwrap()
}

#[test]
fn logits_are_the_cpus() {
    let mut gpu = start(shifted_weights(), PLAIN);
    for range in [0..1_000, 1_000..1_001, 17..60] {
        let pixels = evaluation_pixels(split().training.images(), range.clone());
        let expected = Network::new(&shifted_weights()).logits(&pixels);
        let found = logits(&mut gpu, Which::Current, range);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= TOLERANCE,
                "{found} instead of {expected}"
            );
        }
    }
}

#[test]
fn the_best_weights_stay_as_they_were() {
    let mut gpu = start(shifted_weights(), PLAIN);
    let mut batches = batches(8, 0.5);
    let mut train = |gpu: &mut Gpu, step| {
        read(gpu.train(&batches.draw(step), 0.1));
    };
    train(&mut gpu, 0);
    gpu.keep_best();
    let kept = holdings(&gpu).weights;
    let logits_then = logits(&mut gpu, Which::Current, 0..10);
    train(&mut gpu, 1);
    train(&mut gpu, 2);
    let later = holdings(&gpu);
    assert_ne!(later.weights, kept);
    assert_eq!(later.best.as_ref(), Some(&kept));
    assert_eq!(logits(&mut gpu, Which::Best, 0..10), logits_then);
    assert_ne!(logits(&mut gpu, Which::Current, 0..10), logits_then);

    gpu.restore_best();
    assert_eq!(holdings(&gpu).weights, kept);
    assert_eq!(logits(&mut gpu, Which::Current, 0..10), logits_then);
    train(&mut gpu, 3);
    assert_eq!(holdings(&gpu).best.as_ref(), Some(&kept));

    gpu.keep_best();
    let last = holdings(&gpu);
    assert_eq!(last.best, Some(last.weights));
}
