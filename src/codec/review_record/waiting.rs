//! A result that waits for a person, read back, and what becomes of it.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::{REASON, SOURCE_HEADER, is_mark};
use crate::codec::attributes::is_allowed;
use crate::codec::dead_letter::{self, DeadLetterOrigin};
use crate::codec::{result_event, write};
use crate::domain::failure::Failure;
use crate::domain::record::{Header, Outgoing, Position, Record};

/// What is said of the model's answer, and not of one that a person has put in its place.
const OF_ANSWER: [&str; 6] =
    ["ce_fieldevidence", "ce_grounded", "ce_confidence", "ce_confidencefactors", "ce_agreement", "ce_flags"];

/// A result that waits for a person, with the record that it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingResult {
    /// Where it waits.
    pub position: Position,
    /// Why: codes with commas between them.
    pub reason: String,
    /// The record that was answered.
    pub source: Record,
    /// The result as its topic would have it.
    result: Outgoing,
}

/// A record of the review topic about which nobody decides for this connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotForReview {
    /// Another program wrote it there.
    #[error("{0} is no result for review: its header {1} is missing or cannot be read; another program wrote it there")]
    Foreign(Position, &'static str),
    /// It waits for whoever decides for another connector, or for one that had another name.
    #[error("{0} is a result of {1}; decide about it with that connector's file")]
    OfOther(Position, String),
}

/// Who reviews, as an attribute of a result can say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer(String);

impl Reviewer {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reviewer {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_name = !name.trim().is_empty() && name.chars().all(is_allowed);
        if is_name { Ok(Self(name.to_owned())) } else { Err("expected a name without control characters") }
    }
}

/// A person's decision to publish.
#[derive(Debug, Clone, Copy)]
pub struct Approval<'a> {
    /// Who decided.
    pub reviewer: &'a Reviewer,
    /// When, since the Unix epoch.
    pub at: Duration,
    /// What is published in place of the model's answer, if that was wrong.
    pub correction: Option<&'a Correction>,
}

/// Data that a person has put in the place of a model's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The data as compact JSON.
    pub data: Bytes,
    /// `dataschema` of the schema that it is valid against.
    pub schema_uri: String,
    /// The version of that schema.
    pub schema_version: String,
}

impl WaitingResult {
    /// Reads a record of the review topic of the connector of this name.
    ///
    /// # Errors
    /// [`NotForReview`]: it is no result of this connector.
    pub fn decode(record: Record, connector: &str) -> Result<Self, NotForReview> {
        let reason = text(&record, REASON)?.to_owned();
        let source = source(&record)?;
        let origin = text(&record, "ce_source")?;
        if origin != result_event::source(connector) {
            return Err(NotForReview::OfOther(record.position.clone(), origin.to_owned()));
        }
        let headers = record.headers.into_iter().filter(|header| !is_mark(&header.name)).collect();
        let result = Outgoing { key: record.key, value: record.value, headers, timestamp_ms: None };
        Ok(Self { position: record.position, reason, source, result })
    }

    /// A header of the result, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.result.headers.iter().find(|header| header.name == name)?;
        std::str::from_utf8(header.value.as_ref()?).ok()
    }

    /// The model's answer.
    pub fn data(&self) -> &[u8] {
        self.result.value.as_deref().unwrap_or_default()
    }

    /// The result as it is published after a person has seen it.
    pub fn approved(&self, approval: &Approval<'_>) -> Outgoing {
        let Approval { reviewer, at, correction } = *approval;
        let mut outgoing = self.result.clone();
        let headers = &mut outgoing.headers;
        let mut replaced = vec!["ce_validation", "ce_reviewedby", "ce_reviewedat"];
        if correction.is_some() {
            replaced.extend(OF_ANSWER.iter().chain(&["ce_dataschema", "ce_schemaversion"]));
        }
        headers.retain(|header| !replaced.contains(&&*header.name));
        write::push(headers, "ce_validation", "reviewed");
        write::push(headers, "ce_reviewedby", reviewer.0.clone());
        write::push(headers, "ce_reviewedat", write::time(at));
        if let Some(Correction { data, schema_uri, schema_version }) = correction {
            write::push(headers, "ce_dataschema", schema_uri.clone());
            write::push(headers, "ce_schemaversion", schema_version.clone());
            outgoing.value = Some(data.clone());
        }
        outgoing
    }

    /// The dead letter of the answered record. Its timestamp is that of the rejection, and the record's is a header: a
    /// record may have waited for longer than the topic of dead letters keeps what is as old.
    pub fn rejected(&self, failure: &Failure, origin: &DeadLetterOrigin<'_>, at: Duration) -> Outgoing {
        let mut letter = dead_letter::encode(&self.source, failure, origin, at);
        if let Some(timestamp_ms) = self.source.timestamp_ms {
            write::push(&mut letter.headers, dead_letter::SOURCE_TIMESTAMP, timestamp_ms.to_string());
        }
        letter.timestamp_ms = i64::try_from(at.as_millis()).ok();
        letter
    }
}

/// The record that a record for review carries in its headers.
fn source(record: &Record) -> Result<Record, NotForReview> {
    let position = Position {
        topic: text(record, "sp-source-topic")?.into(),
        partition: number(record, "sp-source-partition")?,
        offset: number(record, "sp-source-offset")?,
    };
    // Not every record has one.
    let timestamp_ms = number(record, dead_letter::SOURCE_TIMESTAMP).ok();
    let value = record.headers.iter().rfind(|header| header.name == "sp-source-value");
    let headers = record.headers.iter().filter_map(|header| {
        let name = header.name.strip_prefix(SOURCE_HEADER)?.to_owned();
        Some(Header { name: name.into(), value: header.value.clone() })
    });
    Ok(Record {
        position,
        timestamp_ms,
        key: record.key.clone(),
        value: value.and_then(|header| header.value.clone()),
        headers: headers.collect(),
    })
}

fn text<'a>(record: &'a Record, name: &'static str) -> Result<&'a str, NotForReview> {
    let header = record.headers.iter().rfind(|header| header.name == name);
    let text = header.and_then(|header| std::str::from_utf8(header.value.as_ref()?).ok());
    text.ok_or_else(|| NotForReview::Foreign(record.position.clone(), name))
}

fn number<T: FromStr>(record: &Record, name: &'static str) -> Result<T, NotForReview> {
    text(record, name)?.parse().map_err(|_| NotForReview::Foreign(record.position.clone(), name))
}

#[cfg(test)]
mod tests;
