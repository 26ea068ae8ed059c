//! `kiln sweep`.

mod folder;
mod slots;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::arguments::Sweep;
use crate::data;
use crate::device::{self, Device};
use crate::error::CliError;
use crate::terminal::{print, tell};
use crate::train::{self, Outcome, Wanted};
use folder::Folder;

/// How long is waited before it is looked again whether others have done what comes first.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Makes the folder of a sweep, trains all of it, or one unit.
///
/// # Errors
/// A sweep that cannot be, a folder that nothing can be put into. A run that fails stops nobody.
pub fn sweep(arguments: &Sweep) -> Result<(), CliError> {
    if let Some(path) = &arguments.next {
        return next(path, arguments);
    }
    let (Some(grid), Some(out)) = (&arguments.grid, &arguments.out) else {
        // The command line is refused without them.
        return Ok(());
    };
    let folder = Folder::make(out, grid)?;
    let said = folder.in_words();
    if arguments.run {
        tell(format_args!("{said} in {}.", out.display()));
        return slots::run(&folder, arguments);
    }
    print(format_args!(
        "{said} in {0}. Train one with `kiln sweep --next {0}`, or all by adding --run.",
        out.display()
    ));
    Ok(())
}

/// Trains one unit that nobody trains.
fn next(path: &Path, arguments: &Sweep) -> Result<(), CliError> {
    let folder = Folder::open(path)?;
    let threads = arguments.threads.map_or_else(device::threads, usize::from);
    // The command line has one at least.
    let device = arguments.device.first().copied().unwrap_or(Device::Cpu);
    let wanted = Wanted {
        out: path,
        pairs: Vec::new(),
        data: data::load(&arguments.data)?,
        device: device::open(device, threads)?,
        is_json: arguments.json,
        stop: train::listen()?,
    };
    folder.bind(wanted.data.images.hash())?;
    let mut has_waited = false;
    'units: while !wanted.stop.load(Ordering::Relaxed) {
        let units = folder.now();
        if units.is_empty() {
            tell(format_args!("{}: all is done.", path.display()));
            return folder.index();
        }
        for (index, unit) in units {
            match train::one(&wanted, unit) {
                Ok(Outcome::Trained) => {
                    folder.index()?;
                    break 'units;
                }
                // Somebody has it, or has just done it.
                Err(CliError::Taken { .. }) | Ok(Outcome::Over) => {}
                // It stands in the run itself, and comes last.
                Err(error @ CliError::Diverged { .. }) => {
                    tell(error);
                    return folder.index();
                }
                Err(error) if error.is_of_the_run() => {
                    folder.refuse(index, &error)?;
                    tell(format_args!("{error} It is left out of the sweep."));
                    return folder.index();
                }
                Err(error) => return Err(error),
            }
        }
        if !has_waited {
            tell(format_args!(
                "{}: others train what comes first; waiting.",
                path.display()
            ));
            has_waited = true;
        }
        thread::sleep(LOOK_AGAIN);
    }
    // Whoever schedules it hears that there is something left.
    if wanted.stop.load(Ordering::Relaxed) {
        return Err(CliError::Stopped);
    }
    Ok(())
}
