//! Runs programs from the repository's root with the environment that Kiln needs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::error::Error;

/// Variables that replace the flags of `.cargo/config.toml` instead of adding to them.
const FLAG_VARIABLES: [&str; 2] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];

/// Where programs run, and what they see.
#[derive(Debug)]
pub struct Shell {
    root: PathBuf,
    /// Folders of Kiln's own tools, to be looked into before PATH.
    tools: Vec<PathBuf>,
    path: Vec<PathBuf>,
}

impl Shell {
    /// A shell in the repository's root.
    ///
    /// # Errors
    /// A repository that was moved since this program was built.
    pub fn new() -> Result<Self, Error> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package
            .parent()
            .filter(|root| root.is_dir())
            .ok_or_else(|| Error::File {
                path: package.to_owned(),
                reason: "it was moved. Run `cargo clean -p xtask`, then this again.".to_owned(),
            })?;
        for variable in FLAG_VARIABLES {
            if env::var_os(variable).is_some() {
                eprintln!(
                    "{variable} is set and would replace the flags of .cargo/config.toml: \
                     what is started here runs without it."
                );
            }
        }
        let path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
        Ok(Self {
            root: root.to_owned(),
            tools: Vec::new(),
            path,
        })
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Puts a folder in front of PATH for what is started from now on.
    pub fn prepend_path(&mut self, folder: PathBuf) {
        self.tools.push(folder);
    }

    /// The first program on PATH with one of these names.
    pub fn find(&self, names: &[&str]) -> Option<PathBuf> {
        let mut candidates = names.iter().flat_map(|name| {
            let file = format!("{name}{}", env::consts::EXE_SUFFIX);
            self.folders().map(move |folder| folder.join(&file))
        });
        candidates.find(|candidate| candidate.is_file())
    }

    /// A program to be run in the root.
    pub fn command<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("PATH", self.joined_path());
        for variable in FLAG_VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        self.tools.iter().chain(&self.path)
    }

    fn joined_path(&self) -> OsString {
        // What was split from PATH has no separator in it and can be joined; a tool folder that
        // has one could not be on PATH at all.
        env::join_paths(self.folders()).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
    }

    /// Runs one step of a command: says which it is, what it runs and how long it took.
    ///
    /// # Errors
    /// A program that does not start or reports a failure.
    pub fn step(&self, name: &str, mut command: Command) -> Result<(), Error> {
        eprintln!("\n== {name}\n   {}", command_line(&command));
        let started = Instant::now();
        let status = command.status().map_err(|source| Error::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        if !status.success() {
            return Err(Error::Step {
                name: name.to_owned(),
                status: status.to_string(),
                command: self.by_hand(&command),
            });
        }
        eprintln!(
            "== {name}: done in {:.0} s",
            started.elapsed().as_secs_f64()
        );
        Ok(())
    }

    /// A command as a person would type it, with the environment it has here.
    fn by_hand(&self, command: &Command) -> String {
        let mut line = String::new();
        if let Ok(tools) = env::join_paths(&self.tools)
            && !tools.is_empty()
        {
            line += &format!("PATH=\"{}:$PATH\" ", tools.to_string_lossy());
        }
        for (name, value) in command.get_envs() {
            if let Some(value) = value
                && name != "PATH"
            {
                line += &format!("{}={} ", name.to_string_lossy(), value.to_string_lossy());
            }
        }
        line + &command_line(command)
    }

    /// Ends this program and goes on as another, so that a signal to this one reaches it.
    ///
    /// # Errors
    /// A program that does not start; where a program cannot take another's place, also one that
    /// reports a failure.
    pub fn become_program(&self, name: &str, mut command: Command) -> Result<(), Error> {
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            eprintln!("\n== {name}\n   {}", command_line(&command));
            let source = command.exec();
            Err(Error::Start {
                program: command.get_program().to_string_lossy().into_owned(),
                source,
            })
        }
        #[cfg(not(unix))]
        self.step(name, command)
    }

    /// What a program prints, where it starts and succeeds.
    pub fn output_of(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self
            .command(program, arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// A command's program and arguments.
fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
