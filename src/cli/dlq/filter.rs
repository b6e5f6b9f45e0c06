//! Arguments that say which letters are meant.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::builder::PossibleValuesParser;

use crate::config::parse_duration;
use crate::domain::failure::{Code, Stage};
use crate::domain::record::Position;
use crate::domain::time;
use crate::kafka::dead_letters::selection::Selection;
use crate::ports::clock::{Clock as _, SystemClock};

// A flattened doc comment would replace that of the command.
#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    /// Only letters of this connector
    #[arg(long, value_name = "NAME")]
    pub(super) connector: Option<String>,
    /// Only letters with this code, or one of these (docs/errors.md has them)
    #[arg(long = "code", value_name = "CODE", value_parser = codes(), hide_possible_values = true)]
    pub(super) codes: Vec<String>,
    /// Only letters of records that failed in this stage
    #[arg(long, value_name = "STAGE", value_parser = stages())]
    pub(super) stage: Option<String>,
    /// Only letters of records that failed at this time or later: 2026-01-31T12:00:00Z, 2026-01-31, or 2h ago as 2h
    #[arg(long, value_name = "TIME", value_parser = MomentArg::parse)]
    pub(super) since: Option<MomentArg>,
    /// Only letters of records that failed before this time
    #[arg(long, value_name = "TIME", value_parser = MomentArg::parse)]
    pub(super) until: Option<MomentArg>,
    /// Only letters of records with this key
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
    /// Only letters of records with this header
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = parse_header)]
    pub(super) headers: Vec<(String, String)>,
    /// Only the letter at this place, as `dlq list` has it: topic, partition and offset, for example orders.dlq/0/17
    #[arg(long = "at", value_name = "PLACE", value_parser = parse_place)]
    pub(super) place: Option<Position>,
    /// So many letters at most
    #[arg(long, value_name = "NUMBER")]
    pub(super) limit: Option<NonZeroU64>,
}

impl FilterArgs {
    /// The letters that are meant; with `provider` only those about whose records it was asked.
    pub(super) fn selection(&self, provider: Option<&String>) -> Selection {
        Selection {
            connector: self.connector.clone(),
            codes: self.codes.iter().cloned().collect(),
            stage: self.stage.clone(),
            since: self.since.as_ref().map(|moment| moment.since_epoch),
            until: self.until.as_ref().map(|moment| moment.since_epoch),
            key: self.key.clone(),
            headers: self.headers.clone(),
            provider: provider.cloned(),
            place: self.place.clone(),
        }
    }
}

/// A time as it was written, and what that means now.
#[derive(Debug, Clone)]
pub(super) struct MomentArg {
    pub(super) text: String,
    pub(super) since_epoch: Duration,
}

impl MomentArg {
    fn parse(text: &str) -> Result<Self, String> {
        let written = time::parse_rfc3339(text).or_else(|| time::parse_rfc3339(&format!("{text}T00:00:00Z")));
        let ago = || parse_duration(text).ok().map(|ago| SystemClock.now().saturating_sub(ago));
        let since_epoch = written.or_else(ago);
        let since_epoch = since_epoch
            .ok_or("expected a time (2026-01-31T12:00:00Z), a day in UTC (2026-01-31), or how long ago (2h, 7d)")?;
        Ok(Self { text: text.to_owned(), since_epoch })
    }
}

fn codes() -> PossibleValuesParser {
    PossibleValuesParser::new(Code::ALL.iter().map(|code| code.as_str()))
}

fn stages() -> PossibleValuesParser {
    PossibleValuesParser::new(Stage::ALL.map(Stage::as_str))
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let header = text.split_once('=').filter(|(name, _)| !name.is_empty());
    header.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "expected NAME=VALUE".to_owned())
}

fn parse_place(text: &str) -> Result<Position, String> {
    let position = || {
        let (rest, offset) = text.rsplit_once('/')?;
        let (topic, partition) = rest.rsplit_once('/').filter(|(topic, _)| !topic.is_empty())?;
        Some(Position { topic: topic.into(), partition: partition.parse().ok()?, offset: offset.parse().ok()? })
    };
    position().ok_or_else(|| "expected topic, partition and offset, for example orders.dlq/0/17".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_one_of_three_ways() {
        let seconds = |text: &str| MomentArg::parse(text).map(|moment| moment.since_epoch.as_secs());
        assert_eq!(seconds("2027-01-15T09:00:00+01:00"), Ok(1_800_000_000));
        assert_eq!(seconds("2027-01-15"), Ok(1_799_971_200));
        let (now, hour_ago) = (SystemClock.now().as_secs(), seconds("1h").unwrap());
        assert!((now - 3600..=now - 3500).contains(&(hour_ago)), "{hour_ago}");
        for text in ["", "yesterday", "15", "2027-13-01"] {
            assert!(MomentArg::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_is_one_that_a_list_shows() {
        let position = Position { topic: "a.b".into(), partition: 3, offset: 17 };
        assert_eq!(parse_place(&position.to_string()), Ok(position));
        for text in ["", "3/17", "a/b/17", "/3/17", "a/3/"] {
            assert!(parse_place(text).is_err(), "{text}");
        }
    }
}
