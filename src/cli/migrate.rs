//! `migrate`: makes or changes the tables of the store.

use std::io::{self, Write};
use std::path::PathBuf;

use super::stored::{self, Kept};
use super::{Exit, runtime};

/// Make or change the tables of the database in store.url; nothing happens where they are those of this version
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runtime configuration [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Says what was applied to `out`, and what is wrong to `error`.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    let runtime = runtime()?;
    // Pools of connections belong to a runtime.
    let _entered = runtime.enter();
    let database = match stored::configuration(args.config.as_deref()).map(|config| stored::selected(&config)) {
        Ok(Kept::Database(database)) => database,
        Ok(Kept::Elsewhere(place)) => {
            writeln!(out, "{place}: nothing to do, there are no tables")?;
            return Ok(Exit::Done);
        }
        Err(findings) => {
            writeln!(error, "{findings}")?;
            return Ok(Exit::WrongUse);
        }
    };
    let title = database.title();
    match runtime.block_on(database.migrate()) {
        Ok(steps) if steps.is_empty() => writeln!(out, "{title}: nothing to do, every migration was applied before")?,
        Ok(steps) => {
            for step in steps {
                writeln!(out, "{title}: applied {step}")?;
            }
        }
        Err(why) => {
            writeln!(error, "{title}: {why}")?;
            return Ok(Exit::Failed);
        }
    }
    Ok(Exit::Done)
}
