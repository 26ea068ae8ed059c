//! Which of a long run's answers are kept.

/// Most validations of a run whose answers are kept.
pub const MOST_KEPT: usize = 50;

/// The step whose answers make room for those of `next`, once there are as many as may be kept:
/// the one that leaves the smallest gap, so that what is kept stays spread over the whole run.
/// The first stays. `kept` ascends.
pub fn superfluous(kept: &[u32], next: u32) -> Option<u32> {
    if kept.len() < MOST_KEPT {
        return None;
    }
    let after = kept[2..].iter().chain([&next]);
    let around = kept.iter().zip(&kept[1..]).zip(after);
    around
        .min_by_key(|((before, _), after)| **after - **before)
        .map(|((_, step), _)| *step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps between two validations.
    const EVERY: u32 = 42;

    #[test]
    fn a_long_run_keeps_answers_from_all_of_its_length() {
        let mut kept: Vec<u32> = Vec::new();
        for validation in 1..=1_000 {
            let next = validation * EVERY;
            let gone = superfluous(&kept, next);
            kept.retain(|step| Some(*step) != gone);
            kept.push(next);
            assert_eq!(kept.len(), MOST_KEPT.min(validation as usize));
            assert_eq!(kept[0], EVERY);
            // Even spreading would have gaps of this width; a gap doubles where one of two goes.
            let even = next.div_ceil(kept.len() as u32).next_multiple_of(EVERY);
            let widest = kept.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(widest <= Some(2 * even), "{validation}: {kept:?}");
        }
    }

    #[test]
    fn a_short_run_keeps_all() {
        let kept: Vec<u32> = (1..50).collect();
        assert_eq!(superfluous(&kept, 50), None);
    }
}
