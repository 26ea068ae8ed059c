//! The weights a run starts from.

use crate::random::{Purpose, numbers, uniform};
use crate::spec::{PARAMETER_COUNT, PARAMETERS};

/// All 34,826 parameters in the order of [`PARAMETERS`], as Keras initialises them: weights
/// uniform in ±√(6 / (fan-in + fan-out)) (Glorot and Bengio 2010, equation 16), biases zero.
pub fn initial(seed: u32) -> Vec<f32> {
    let mut values = vec![0.0; PARAMETER_COUNT];
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        let fans = parameter.fan_in + parameter.fan_out;
        if fans == 0 {
            continue;
        }
        let limit = (6.0 / fans as f32).sqrt();
        let mut rng = numbers(seed, Purpose::Weights, index as u64);
        for value in &mut values[parameter.range()] {
            *value = (2.0 * uniform(&mut rng) - 1.0) * limit;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{CONV2_WEIGHT, FC_BIAS};

    #[test]
    fn weights_fill_glorots_interval_and_biases_are_zero() {
        let values = initial(42);
        let kernels = &values[CONV2_WEIGHT.range()];
        let limit = (6.0_f32 / (32.0 * 9.0 + 64.0 * 9.0)).sqrt();
        let largest = kernels
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        assert!(
            largest <= limit && largest > 0.99 * limit,
            "{largest} of {limit}"
        );
        let mean = kernels.iter().sum::<f32>() / kernels.len() as f32;
        // The mean of 18,432 such values has a standard deviation of limit / √(3 · 18,432).
        assert!(
            mean.abs() < 4.0 * limit / (3.0 * 18_432.0_f32).sqrt(),
            "{mean}"
        );
        assert!(values[FC_BIAS.range()].iter().all(|value| *value == 0.0));
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(initial(42), initial(42));
        assert_ne!(initial(42), initial(43));
    }
}
