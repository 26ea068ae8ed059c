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
