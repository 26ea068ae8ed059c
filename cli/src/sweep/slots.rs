//! All of a sweep, a process for each device.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::arguments::Sweep;
use crate::device::{self, Device};
use crate::error::CliError;
use crate::sweep::folder::Folder;
use crate::terminal::tell;
use crate::train;

/// So many processes that fail one after the other, and their device is left alone.
const PATIENCE: usize = 3;
/// How often is looked whether a process has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Trains units until all are done, or the process is to end.
///
/// # Errors
/// Devices on which nothing gets to its end any more.
pub fn run(folder: &Folder, arguments: &Sweep) -> Result<(), CliError> {
    let stop = train::listen()?;
    let (folder, stop) = (&folder, &*stop);
    let threads = arguments.threads.map_or_else(
        || (device::threads() / on_cpu(&arguments.device)).max(1),
        usize::from,
    );
    let lost: Vec<String> = thread::scope(|scope| {
        let slots: Vec<_> = arguments
            .device
            .iter()
            .map(|device| scope.spawn(move || serve(folder, arguments, *device, threads, stop)))
            .collect();
        let ended = slots.into_iter().zip(&arguments.device);
        let lost = ended.filter_map(|(slot, device)| match slot.join() {
            Ok(true) => None,
            Ok(false) | Err(_) => Some(device.to_string()),
        });
        lost.collect()
    });
    folder.index()?;
    if stop.load(Ordering::Relaxed) && !folder.now().is_empty() {
        return Err(CliError::Stopped);
    }
    match lost.is_empty() {
        true => Ok(()),
        false => Err(CliError::Slots {
            devices: lost.join(", "),
        }),
    }
}

/// How many of the devices are the CPU, which shares out its cores; one at least.
fn on_cpu(devices: &[Device]) -> usize {
    let on_cpu = devices.iter().filter(|device| **device == Device::Cpu);
    on_cpu.count().max(1)
}

/// Trains on one device; says whether it came to the end.
fn serve(
    folder: &Folder,
    arguments: &Sweep,
    device: Device,
    threads: usize,
    stop: &AtomicBool,
) -> bool {
    let mut failures = 0;
    while !stop.load(Ordering::Relaxed) && !folder.now().is_empty() {
        match train_one(folder, arguments, device, threads, stop) {
            Ok(true) => failures = 0,
            Ok(false) => failures += 1,
            Err(error) => {
                tell(format_args!("error: {error}."));
                failures += 1;
            }
        }
        if failures == PATIENCE {
            return false;
        }
    }
    true
}

/// Has another process train one unit; says whether it did.
fn train_one(
    folder: &Folder,
    arguments: &Sweep,
    device: Device,
    threads: usize,
    stop: &AtomicBool,
) -> io::Result<bool> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["sweep", "--next"]).arg(folder.path());
    command.args([
        "--device",
        &device.to_string(),
        "--threads",
        &threads.to_string(),
    ]);
    if !arguments.data.is_empty() {
        command.arg("--data").args(&arguments.data);
    }
    if arguments.json {
        command.arg("--json");
    }
    // Several bars on one terminal would be none.
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let said = child.stderr.take();
    thread::scope(|scope| {
        scope.spawn(|| {
            let lines = said
                .into_iter()
                .flat_map(|said| BufReader::new(said).lines());
            lines.map_while(Result::ok).for_each(tell);
        });
        let mut is_asked = false;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            if stop.load(Ordering::Relaxed) && !is_asked {
                is_asked = true;
                ask_to_end(&child);
            }
            thread::sleep(LOOK_AGAIN);
        }
    })
}

/// Asks a process to keep its run and end. Where there are no signals, what reaches this process reaches it
/// too.
#[cfg(unix)]
fn ask_to_end(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
        // One that has just ended need not be asked.
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn ask_to_end(_child: &Child) {}
