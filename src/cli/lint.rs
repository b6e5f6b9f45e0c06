//! `lint`: is everything that is written right?

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Exit;
use crate::config::{Environment, file_check};

/// What is checked when nothing is named.
const DEFAULTS: [&str; 2] = ["config/structured-prompt.yaml", "connectors"];

/// Check connector files and runtime configurations, without network and secrets
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files and directories; by default config/structured-prompt.yaml and connectors/, where they exist
    #[arg(value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
}

/// Prints findings and one line that sums them up. Paths are relative to `directory`, the current one for users.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn run(args: &Args, directory: &Path, environment: &Environment, out: &mut dyn Write) -> io::Result<Exit> {
    let paths: Vec<PathBuf> = if args.paths.is_empty() {
        DEFAULTS.iter().map(|path| directory.join(path)).filter(|path| path.exists()).collect()
    } else {
        args.paths.iter().map(|path| directory.join(path)).collect()
    };
    if paths.is_empty() {
        writeln!(out, "nothing to check: there is neither {} nor {}; name files", DEFAULTS[0], DEFAULTS[1])?;
        return Ok(Exit::WrongUse);
    }
    let missing: Vec<&PathBuf> = paths.iter().filter(|path| !path.exists()).collect();
    for path in &missing {
        writeln!(out, "{}: there is no such file or directory", path.display())?;
    }
    if !missing.is_empty() {
        return Ok(Exit::WrongUse);
    }
    let file_check::Report { files, findings, notes } =
        file_check::check(&paths, &directory.join(DEFAULTS[0]), environment);
    if files == 0 {
        writeln!(out, "nothing to check: there is no .yaml or .yml file")?;
        return Ok(Exit::WrongUse);
    }
    for note in notes {
        writeln!(out, "{note}")?;
    }
    if findings.is_empty() {
        writeln!(out, "{}, no findings", counted(files, "file"))?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{findings}")?;
    let found = counted(findings.as_slice().len(), "finding");
    let files = counted(findings.files(), "file");
    match (findings.files(), findings.is_any_of_environment()) {
        (_, false) => writeln!(out, "{found} in {files}")?,
        (0, true) => writeln!(out, "{found} in the environment")?,
        (_, true) => writeln!(out, "{found} in {files} and the environment")?,
    }
    Ok(Exit::Failed)
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
