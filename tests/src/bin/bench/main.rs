//! How fast the built page trains in Chromium, and whether it stays responsive; or how fast other programs train the same network.
#![allow(clippy::print_stdout, reason = "a program whose result is printed")]

mod long_run;
mod long_tasks;
mod many_runs;
mod native;
mod peers;
mod training;
mod understanding;
mod web_gpu_calls;

use std::process::ExitCode;

use kiln_tests::HarnessError;
use kiln_tests::server::{Pace, Server};

/// The window in which the page is measured.
const WINDOW: (u32, u32) = (1_440, 1_000);
/// How often each peer is measured where the command line does not say.
const ROUNDS: usize = 3;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Kiln,
    Long,
    Native,
    Peers { rounds: usize },
}

#[tokio::main]
async fn main() -> ExitCode {
    let options: Vec<String> = std::env::args().skip(1).collect();
    match measure(&options).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(options: &[String]) -> Result<ExitCode, HarnessError> {
    match wanted(options)? {
        Wanted::Kiln => kiln().await,
        Wanted::Long => {
            long_run::print_costs(&Server::start_at(Pace::Full).await?).await?;
            Ok(ExitCode::SUCCESS)
        }
        Wanted::Native => {
            native::compare(ROUNDS).await?;
            Ok(ExitCode::SUCCESS)
        }
        Wanted::Peers { rounds } => {
            peers::compare(rounds).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn wanted(options: &[String]) -> Result<Wanted, HarnessError> {
    let words: Vec<&str> = options.iter().map(String::as_str).collect();
    let rounds = match words[..] {
        [] => return Ok(Wanted::Kiln),
        ["long"] => return Ok(Wanted::Long),
        ["native"] => return Ok(Wanted::Native),
        ["peers"] => Some(ROUNDS),
        ["peers", "--rounds", rounds] => rounds.parse().ok().filter(|rounds| *rounds > 0),
        _ => None,
    };
    match rounds {
        Some(rounds) => Ok(Wanted::Peers { rounds }),
        None => Err(HarnessError::Usage(format!(
            "`{}` is no option of the benchmark. It knows `long`, for what a run of two million \
             steps costs the page, `native`, for `kiln train` beside Keras, `peers`, for the speed of other programs, and `peers --rounds N`, which measures each N times instead of {ROUNDS}.",
            options.join(" ")
        ))),
    }
}

async fn kiln() -> Result<ExitCode, HarnessError> {
    let server = Server::start_at(Pace::Full).await?;
    training::print_cpu(&server).await?;
    many_runs::print_speed(&server).await?;
    understanding::print_speed(&server).await?;
    training::print_web_gpu(&server).await?;
    web_gpu_calls::print(&server).await?;
    Ok(ExitCode::SUCCESS)
}

/// The middle one of some values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{ROUNDS, Wanted, median, wanted};

    #[test]
    fn options_are_known_or_named() {
        let read = |line: &str| {
            wanted(
                &line
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(read("").ok(), Some(Wanted::Kiln));
        assert_eq!(read("long").ok(), Some(Wanted::Long));
        assert_eq!(read("native").ok(), Some(Wanted::Native));
        assert_eq!(read("peers").ok(), Some(Wanted::Peers { rounds: ROUNDS }));
        assert_eq!(
            read("peers --rounds 1").ok(),
            Some(Wanted::Peers { rounds: 1 })
        );
        for unknown in ["peer", "peers --rounds", "peers --rounds 0", "peers all"] {
            let answer = read(unknown).map_err(|error| error.to_string());
            assert!(
                answer.is_err_and(|text| text.contains("`peers --rounds N`")),
                "{unknown}"
            );
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }
}
