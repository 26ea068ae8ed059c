//! Whether a device computes what it should.
//!
//! A browser only logs that it could not compile a kernel, and later; what is read then is whatever
//! the memory held. So a device is asked for one step whose outcome is known before a run may have
//! it. All but two of the rules' kernels are compiled by that, and no run waits for them.

use super::{Gpu, read};
use crate::batch::Draw;
use crate::checkpoint::Values;
use crate::config::ValidateOn;
use crate::dataset::{Dataset, DatasetError, Images, Split};
use crate::optimizer::{Optimizer, VELOCITY};
use crate::random::{Purpose, numbers, uniform};
use crate::spec::{PARAMETER_COUNT, PARAMETERS, PIXELS};
use crate::train::engine::{Holdings, Place};
use crate::train::fused::{Examples, Network};
use crate::train::session::TrainError;
use crate::weights;

/// How far a gradient may lie from the CPU's, as a share of the largest of its parameter. What
/// rounds otherwise is off by 1e-6; what computes otherwise by 1.
const TOLERANCE: f32 = 1e-3;
/// Images of the step; not a multiple of anything.
const COUNT: u32 = 5;

/// Does a step on a few images made up and compares it with the CPU's.
///
/// # Errors
/// A device that computes something else, or nothing.
pub async fn check(place: &Place) -> Result<(), TrainError> {
    let split = made_up().map_err(|error| TrainError::Device(error.to_string()))?;
    let draw = Draw {
        rows: (0..COUNT).rev().collect(),
        dropout: 0.5,
        seed: 0,
        steps_done: 1,
    };
    // Without momentum and at a rate of one, the velocity is the gradient turned around.
    let optimizer = Optimizer::Sgd { momentum: 0.0 };
    let holdings = Holdings {
        weights: Values(weights::initial(0)),
        optimizer: optimizer.initial_state(PARAMETER_COUNT),
        best: None,
    };
    let mut gpu = Gpu::new(place, &split, &holdings, optimizer, 0)?;
    let step = gpu.train(&draw, 1.0);
    read(vec![step]).await?;
    let found = gpu.holdings().await?;
    let velocity = found.optimizer.get(VELOCITY);
    let velocity = velocity.map_or(&[][..], |velocity| velocity.0.as_slice());

    let batch = draw.whole(&split.training);
    let examples = Examples {
        pixels: &batch.pixels,
        labels: &batch.labels,
        dropout: batch.dropout.as_ref(),
    };
    let expected = Network::new(&holdings.weights.0).gradients(examples, draw.rows.len());
    let gradient = expected.sums.flat();
    for parameter in PARAMETERS {
        let expected = &gradient[parameter.range()];
        let found = velocity.get(parameter.range()).unwrap_or_default();
        let most = expected.iter().fold(0.0_f32, |most, by| most.max(by.abs()));
        let is_close = |(found, by): (&f32, &f32)| (found + by).abs() <= TOLERANCE * most;
        if found.len() != expected.len() || !found.iter().zip(expected).all(is_close) {
            let name = parameter.name;
            return Err(TrainError::Device(format!("{name} is computed wrongly")));
        }
    }
    Ok(())
}

/// Images of noise, the first a zero, the second a one and so on.
fn made_up() -> Result<Split, DatasetError> {
    let mut rng = numbers(0, Purpose::Sample, 0);
    let noise = (0..COUNT as usize * PIXELS).map(|_| (255.0 * uniform(&mut rng)) as u8);
    let images = Images::from_bytes(noise.collect(), (0..COUNT as u8).collect())?;
    let dataset = Dataset::new(images.clone(), images, "noise");
    Ok(dataset.split(COUNT as usize, 0, ValidateOn::TestSet))
}
