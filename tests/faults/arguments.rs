//! The command line.

use std::path::PathBuf;

use super::row::{Row, Scale};

#[derive(Debug)]
pub struct Arguments {
    rows: Vec<u32>,
    words: Vec<String>,
    pub seed: u64,
    pub scale: Scale,
    pub write: Option<PathBuf>,
    /// `cargo test -- --list`, which tools use.
    pub is_listing: bool,
}

impl Arguments {
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let seed = fastrand::u64(..1_000_000);
        let mut parsed =
            Self { rows: Vec::new(), words: Vec::new(), seed, scale: Scale::Short, write: None, is_listing: false };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} takes a value"));
            match argument.as_str() {
                "--all" => parsed.scale = parsed.scale.max_of(Scale::All),
                "--row" => {
                    let numbers = value()?.split(',').map(str::parse).collect::<Result<Vec<u32>, _>>();
                    parsed.rows.extend(numbers.map_err(|error| format!("--row: {error}"))?);
                    parsed.scale = parsed.scale.max_of(Scale::All);
                }
                "--seed" => parsed.seed = value()?.parse().map_err(|error| format!("--seed: {error}"))?,
                "--scale" => {
                    parsed.scale = match value()?.as_str() {
                        "short" => Scale::Short,
                        "all" => Scale::All,
                        "full" => Scale::Full,
                        other => return Err(format!("--scale is short, all or full, not {other}")),
                    }
                }
                "--write" => parsed.write = Some(value()?.into()),
                "--list" => parsed.is_listing = true,
                "--nocapture" | "--quiet" => {}
                other if other.starts_with('-') => return Err(format!("{other} is unknown")),
                // As of any test: what runs has it in its name.
                word => parsed.words.push(word.to_owned()),
            }
        }
        Ok(parsed)
    }

    /// A number that was asked for and is no row's.
    pub fn unknown(&self, rows: &[Row]) -> Option<u32> {
        self.rows.iter().copied().find(|number| rows.iter().all(|row| row.number != *number))
    }

    pub fn chooses(&self, row: &Row) -> bool {
        if !self.rows.is_empty() {
            return self.rows.contains(&row.number);
        }
        let is_named = self.words.is_empty() || self.words.iter().any(|word| row.fault.contains(word));
        is_named && (self.scale != Scale::Short || row.is_short)
    }
}

impl Scale {
    fn max_of(self, other: Self) -> Self {
        if self == Self::Full { self } else { other }
    }
}
