//! How much the settings of runs have to do with what came of them: rank correlation.
//!
//! Spearman's ρ (1904): how far the order of runs by a setting is their order by loss. It sees whether
//! one goes up with the other, and nothing of what two settings do together.

use kiln_model::config::Config;

use crate::share::NUMBERS;

/// How much one setting has to do with the loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The setting, as a person reads it.
    pub label: &'static str,
    /// From -1, where the loss is the lower the greater it is, to 1; 0 where it says nothing.
    pub correlation: f64,
}

/// Of each setting that is a number and differs, the most important first. A run without a loss counts
/// as one with the highest.
pub fn importances(runs: &[(Config, Option<f64>)]) -> Vec<Importance> {
    let losses: Vec<f64> = runs
        .iter()
        .map(|(_, loss)| loss.unwrap_or(f64::INFINITY))
        .collect();
    let mut found = Vec::new();
    for (_, setting) in NUMBERS {
        let used = runs.iter().all(|(config, _)| setting.is_used_by(config));
        let values: Vec<f64> = runs.iter().map(|(config, _)| setting.get(config)).collect();
        if let Some(correlation) = rank_correlation(&values, &losses).filter(|_| used) {
            found.push(Importance {
                label: setting.label(),
                correlation,
            });
        }
    }
    found.sort_by(|a, b| b.correlation.abs().total_cmp(&a.correlation.abs()));
    found
}

/// Spearman's ρ of values that belong together; nothing where one of the two has no order.
fn rank_correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    let (first, second) = (ranks(first), ranks(second));
    let mean = (first.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean));
        products.sum()
    };
    let spread = product(&first, &first) * product(&second, &second);
    (spread > 0.0).then(|| product(&first, &second) / spread.sqrt())
}

/// The place of each value in their order, from 0; those that are equal share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| other.total_cmp(value).is_lt());
        let equal = values.iter().filter(|other| other.total_cmp(value).is_eq());
        below.count() as f64 + (equal.count() as f64 - 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_model::optimizer::Optimizer;

    /// Rounding of a few sums.
    const TOLERANCE: f64 = 1e-12;

    fn runs(settings: &[(f64, f64, Option<f64>)]) -> Vec<(Config, Option<f64>)> {
        let run = |(rate, dropout, loss): &(f64, f64, Option<f64>)| {
            let config = Config {
                learning_rate: *rate,
                dropout: *dropout,
                ..Config::default()
            };
            (config, *loss)
        };
        settings.iter().map(run).collect()
    }

    #[test]
    fn what_orders_the_losses_is_the_most_important() {
        // The values of scipy.stats.spearmanr for the same pairs.
        let found = importances(&runs(&[
            (0.001, 0.0, Some(0.9)),
            (0.003, 0.5, Some(0.5)),
            (0.01, 0.0, Some(0.3)),
            (0.03, 0.5, Some(0.2)),
        ]));
        let labels: Vec<_> = found.iter().map(|one| one.label).collect();
        assert_eq!(labels, ["Learning rate", "Dropout"]);
        assert!((found[0].correlation + 1.0).abs() < TOLERANCE);
        assert!((found[1].correlation + 0.447_213_595_499_957_9).abs() < TOLERANCE);
    }

    #[test]
    fn a_run_that_failed_counts_as_the_worst() {
        let found = importances(&runs(&[
            (0.001, 0.0, Some(0.5)),
            (0.01, 0.0, Some(0.6)),
            (1.0, 0.0, None),
        ]));
        assert!((found[0].correlation - 1.0).abs() < TOLERANCE);
    }

    #[test]
    fn where_nothing_differs_nothing_is_said() {
        assert_eq!(importances(&[]), []);
        assert_eq!(importances(&runs(&[(0.1, 0.0, Some(1.0))])), []);
        let same = runs(&[(0.1, 0.0, Some(1.0)), (0.2, 0.0, Some(1.0))]);
        assert_eq!(importances(&same), []);
        // Momentum is a setting of one of the two alone.
        let mut mixed = runs(&[(0.1, 0.0, Some(1.0)), (0.1, 0.0, Some(2.0))]);
        mixed[0].0.optimizer = Optimizer::Sgd { momentum: 0.5 };
        assert_eq!(importances(&mixed), []);
    }
}
