//! `cache`: answers put into the shared cache before anybody asks.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::PathBuf;

use futures_util::{StreamExt as _, stream};

use super::{Exit, runtime};
use crate::app::errors::AppError;
use crate::app::warm::Warmer;
use crate::config::Environment;
use crate::config::runtime as runtime_config;
use crate::domain::json;
use crate::domain::tenant::Tenant;

/// Fill the shared answer cache, cache.redis_url
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Answer requests, so that whoever asks the same has the answer at once
    Warm(Warm),
}

#[derive(Debug, clap::Args)]
struct Warm {
    /// Requests as POST /v1/analyze takes them, one JSON object a line
    #[arg(value_name = "FILE.jsonl")]
    file: PathBuf,
    /// Runtime configuration [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The team whose requests will find the answers; teams see nothing of each other
    #[arg(long, value_name = "TEAM", default_value = "default", value_parser = Tenant::of_team)]
    team: Tenant,
    /// Requests that are answered at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

/// Prints how many answers there are now to `out`, and each line that has none to `error`.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    let Command::Warm(warm) = &args.command;
    let file = super::run::config_file(warm.config.as_deref());
    let config = match runtime_config::load(file, &Environment::of_process()) {
        Ok(config) => config,
        Err(findings) => return writeln!(error, "{findings}").map(|()| Exit::WrongUse),
    };
    let lines = match File::open(&warm.file) {
        Ok(file) => BufReader::new(file).lines(),
        Err(why) => return writeln!(error, "{}: {why}", warm.file.display()).map(|()| Exit::WrongUse),
    };
    runtime()?.block_on(async {
        let warmer = match Warmer::start(config, warm.team.clone()).await {
            Ok(warmer) => warmer,
            Err(why @ AppError::SharedCacheAway(_)) => return writeln!(error, "{why}").map(|()| Exit::Failed),
            Err(why) => return writeln!(error, "{why}").map(|()| Exit::WrongUse),
        };
        let mut counts = Counts::default();
        let lines = lines.enumerate().map(|(index, line)| (index + 1, line));
        let answers = lines.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
        let mut answers = stream::iter(answers.map(async |(number, line)| (number, answer(&warmer, line).await)))
            .buffer_unordered(warm.concurrency.into());
        while let Some((number, answered)) = answers.next().await {
            match answered {
                Ok(true) => counts.remembered += 1,
                Ok(false) => counts.new += 1,
                Err(why) => {
                    counts.failed += 1;
                    writeln!(error, "line {number}: {why}")?;
                }
            }
        }
        drop(answers);
        let is_written = warmer.finish().await;
        let Counts { new, remembered, failed } = counts;
        writeln!(out, "{new} new answers, {remembered} remembered before, {failed} without an answer")?;
        if !is_written {
            writeln!(
                error,
                "the shared cache has not taken all of them; see to it that it is there, and run this again"
            )?;
        }
        Ok(if failed == 0 && is_written { Exit::Done } else { Exit::Failed })
    })
}

/// What the lines came to.
#[derive(Default)]
struct Counts {
    new: usize,
    remembered: usize,
    failed: usize,
}

/// True if the answer to a line was remembered before; why there is none.
async fn answer(warmer: &Warmer, line: io::Result<String>) -> Result<bool, String> {
    let body = json::parse(&line.map_err(|why| why.to_string())?).map_err(|why| why.to_string())?;
    warmer.answer(body).await.map_err(|problem| problem.to_string())
}
