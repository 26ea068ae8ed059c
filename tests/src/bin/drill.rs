//! Breaks what the page stands on, again and again, and looks whether anything was lost.
#![allow(clippy::print_stdout, reason = "a program whose result is printed")]

use std::process::ExitCode;
use std::time::Instant;

use kiln_tests::HarnessError;
use kiln_tests::drill;

/// How often the browser is killed where the command line does not say.
const KILLS: usize = 200;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    kills: usize,
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options: Vec<String> = std::env::args().skip(1).collect();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &[String]) -> Result<(), HarnessError> {
    let Wanted { kills, seed } = wanted(options)?;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("Seed {seed}: `cargo xtask drill -- {kills} {seed}` does the same again.");
    let start = Instant::now();
    drill::drill(kills, seed, &|line| println!("{line}")).await?;
    println!("Done in {} s.", start.elapsed().as_secs());
    Ok(())
}

fn wanted(options: &[String]) -> Result<Wanted, HarnessError> {
    let numbers: Option<Vec<u64>> = options.iter().map(|option| option.parse().ok()).collect();
    let count = |kills: u64| usize::try_from(kills).unwrap_or(KILLS);
    match numbers.as_deref() {
        Some([]) => Ok(Wanted {
            kills: KILLS,
            seed: None,
        }),
        Some([kills]) => Ok(Wanted {
            kills: count(*kills),
            seed: None,
        }),
        Some([kills, seed]) => Ok(Wanted {
            kills: count(*kills),
            seed: Some(*seed),
        }),
        _ => Err(HarnessError::Usage(format!(
            "`{}` is not what the drill takes: how often the browser is killed, {KILLS} times unless \
             it is said, and the seed of an earlier drill to do it again.",
            options.join(" ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{KILLS, Wanted, wanted};

    #[test]
    fn options_are_known_or_named() {
        let read = |line: &str| {
            let words = line.split_whitespace().map(str::to_owned);
            wanted(&words.collect::<Vec<_>>())
        };
        let (none, some) = (None, Some(7));
        for (line, kills, seed) in [("", KILLS, none), ("8", 8, none), ("8 7", 8, some)] {
            assert_eq!(read(line).ok(), Some(Wanted { kills, seed }));
        }
        for unknown in ["all", "8 seven", "1 2 3"] {
            let answer = read(unknown).map_err(|error| error.to_string());
            assert!(
                answer.is_err_and(|text| text.contains("200 times")),
                "{unknown}"
            );
        }
    }
}
