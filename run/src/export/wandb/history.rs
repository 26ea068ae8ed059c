//! What was measured, in order of steps: all of a step together.

use kiln_model::event::Moment;
use kiln_model::history::{History, Measured};

use crate::export::rows::{Figure, all_steps, beside_steps, of_step};

/// Gives every step at which something was measured to `take`, once, with all that was, and when the
/// first of it was.
pub fn each_step<E>(
    history: &History,
    mut take: impl FnMut(&Moment, &[Figure]) -> Result<(), E>,
) -> Result<(), E> {
    // There are few of them beside the steps.
    let mut others: Vec<_> = beside_steps(history).collect();
    others.sort_by_key(|(moment, _)| moment.step);
    let mut others = others.into_iter().peekable();
    let mut open: Option<(Moment, Vec<Figure>)> = None;
    let mut push = |moment: Moment, figures: &[Figure]| {
        match &mut open {
            Some((first, all)) if first.step == moment.step => all.extend(figures),
            _ => {
                if let Some((first, all)) = open.replace((moment, figures.to_vec())) {
                    take(&first, &all)?;
                }
            }
        }
        Ok(())
    };
    for Measured { moment, value } in all_steps(history) {
        while let Some((earlier, figures)) = others.next_if(|(at, _)| at.step < moment.step) {
            push(earlier, &figures)?;
        }
        push(moment, &of_step(&value))?;
    }
    for (moment, figures) in others {
        push(moment, &figures)?;
    }
    if let Some((first, all)) = open {
        take(&first, &all)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kiln_model::event::{Event, Quality, Trained};

    use super::*;

    fn at(step: u32) -> Moment {
        Moment {
            step,
            epoch: 0.0,
            images: 0,
            elapsed_secs: f64::from(step),
        }
    }

    fn trained(loss: f64) -> Trained {
        Trained {
            quality: quality(loss),
            learning_rate: 0.1,
            gradient_norm: 1.0,
        }
    }

    fn quality(loss: f64) -> Quality {
        Quality {
            loss,
            accuracy: 0.5,
        }
    }

    #[test]
    fn what_was_measured_at_a_step_comes_together_and_in_order() {
        let mut history = History::default();
        let later = Moment {
            elapsed_secs: 9.0,
            ..at(2)
        };
        for event in [
            Event::Validation(at(0), quality(3.0)),
            Event::Throughput(at(0), 7.0),
            Event::Step(at(1), trained(2.0)),
            Event::Step(at(2), trained(1.0)),
            Event::Validation(later, quality(0.5)),
            Event::Step(at(5), trained(1.0)),
            Event::Throughput(at(3), 8.0),
            Event::Epoch(at(9), quality(4.0)),
            Event::Throughput(at(9), 9.0),
            Event::Diverged(at(6), trained(f64::NAN)),
        ] {
            history.apply(&event);
        }
        let mut steps = Vec::new();
        each_step(&history, |moment, figures| {
            let first = figures[0].0;
            steps.push((moment.step, moment.elapsed_secs, first, figures.len()));
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(
            steps,
            [
                (0, 0.0, "validation/loss", 3),
                (1, 1.0, "train/loss", 4),
                (2, 2.0, "train/loss", 6),
                (3, 3.0, "images_per_s", 1),
                (5, 5.0, "train/loss", 4),
                (6, 6.0, "train/loss", 4),
                (9, 9.0, "train/epoch_loss", 3),
            ]
        );
        let mut none = 0;
        each_step(&History::default(), |_, _| {
            none += 1;
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(none, 0);
    }
}
