//! Recorded exchanges: written beside live ones, or answered in their place, or both: what was recorded is not sent
//! again.
//!
//! A file holds one request body and its response, with no header but those that change how a response is read, and
//! without the key, wherever it stands. Its name is the provider, a digest of path and body, and a number: a request
//! that is repeated has one file for each time.

use std::collections::HashMap;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::exchange_counts::ExchangeCounts;
use super::http_exchange::{HttpResponse, Key, TransportError};
use super::retry_hints;
use super::settings::Cassettes;
use crate::domain::text;

/// Headers of responses that are kept beside those of limits.
const KEPT: [&str; 5] = ["content-type", "date", "retry-after", "retry-after-ms", "x-should-retry"];

/// What stands for a key that a response repeats.
const SCRUBBED: &str = "***";

/// Hexadecimal digits of the digest in a file's name.
const DIGITS: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
struct Tape {
    request: Request,
    response: Response,
}

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    provider: String,
    path: String,
    body: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The recorder of one provider, or its replay.
#[derive(Debug)]
pub(super) struct Cassette {
    provider: String,
    directory: PathBuf,
    /// Times that each request was made.
    made: Mutex<HashMap<String, u32>>,
    mode: Mode,
    counts: ExchangeCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Record,
    Replay,
    RecordMissing,
}

impl Cassette {
    /// What the settings ask for.
    ///
    /// # Errors
    /// A sentence: the directory is not there, or cannot be made.
    pub(super) fn of(provider: &str, cassettes: &Cassettes) -> Result<Option<Self>, String> {
        let (directory, mode, counts) = match cassettes {
            Cassettes::Off | Cassettes::Scripted(_) => return Ok(None),
            Cassettes::Record(directory) => (directory, Mode::Record, ExchangeCounts::default()),
            Cassettes::Replay(directory) => (directory, Mode::Replay, ExchangeCounts::default()),
            Cassettes::RecordMissing { directory, counts } => (directory, Mode::RecordMissing, counts.clone()),
        };
        if mode == Mode::Replay && !directory.is_dir() {
            return Err(format!("llm.replay: {} is not a directory; record one first", directory.display()));
        }
        if mode != Mode::Replay {
            std::fs::create_dir_all(directory)
                .map_err(|error| format!("llm.record: {} cannot be made: {error}", directory.display()))?;
        }
        let (provider, directory) = (provider.to_owned(), directory.clone());
        Ok(Some(Self { provider, directory, made: Mutex::default(), mode, counts }))
    }

    /// What takes the place of sending this request, unless it is to be sent.
    pub(super) async fn replay(&self, path: &str, body: &Bytes) -> Option<Result<HttpResponse, TransportError>> {
        match self.mode {
            Mode::Record => None,
            Mode::Replay => Some(self.last_recorded(path, body).await),
            Mode::RecordMissing => {
                let recorded = self.next_recorded(path, body).await.transpose();
                match &recorded {
                    Some(Ok(_)) => self.counts.add_replayed(),
                    Some(Err(_)) => {}
                    None => self.counts.add_sent(),
                }
                recorded
            }
        }
    }

    /// The recorded response to this request; after the last one, the last one.
    async fn last_recorded(&self, path: &str, body: &Bytes) -> Result<HttpResponse, TransportError> {
        let name = self.name(path, body);
        let time = self.time(&name);
        // Files are small, and a missing one ends the search.
        for number in (1..=time).rev() {
            if let Some(response) = read(&self.file(&name, number)).await? {
                return Ok(response);
            }
        }
        Err(TransportError::NotRecorded(format!("{} is not there", self.file(&name, 1).display())))
    }

    /// The recorded response to this request for this time. A time counts when it has one, here or in [`Self::record`]:
    /// what came of the others is asked for again.
    async fn next_recorded(&self, path: &str, body: &Bytes) -> Result<Option<HttpResponse>, TransportError> {
        let name = self.name(path, body);
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied().unwrap_or_default();
        let response = read(&self.file(&name, made + 1)).await?;
        if response.is_some() {
            self.time(&name);
        }
        Ok(response)
    }

    /// Writes an exchange. A failure is logged: it must not cost the record its answer.
    pub(super) async fn record(&self, path: &str, body: &Bytes, key: Option<&Key>, received: &HttpResponse) {
        if self.mode == Mode::RecordMissing && !is_lasting(received.status) {
            return;
        }
        let name = self.name(path, body);
        let file = self.file(&name, self.time(&name));
        let tape = Tape {
            request: Request {
                provider: self.provider.clone(),
                path: path.to_owned(),
                body: serde_json::from_slice(body).unwrap_or_default(),
            },
            response: Response::of(received, key),
        };
        match write(&file, &tape).await {
            Ok(()) => self.counts.add_recorded(),
            Err(error) => {
                let (provider, file) = (&self.provider, file.display());
                tracing::error!(provider, %file, %error, "an exchange cannot be recorded");
            }
        }
    }

    fn name(&self, path: &str, body: &[u8]) -> String {
        let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).take(DIGITS / 2).collect();
        format!("{}-{hex}", self.provider)
    }

    fn time(&self, name: &str) -> u32 {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let time = made.entry(name.to_owned()).or_default();
        *time += 1;
        *time
    }

    fn file(&self, name: &str, number: u32) -> PathBuf {
        self.directory.join(format!("{name}-{number}.json"))
    }
}

/// Whether the same request is answered in the same way tomorrow: by an answer, or because of what it says. No money, a
/// wrong key and a busy server pass.
fn is_lasting(status: StatusCode) -> bool {
    let of_request = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
    status.is_success() || of_request.contains(&status)
}

/// The response in a file, if the file is there.
async fn read(file: &Path) -> Result<Option<HttpResponse>, TransportError> {
    let not_recorded = |why: String| TransportError::NotRecorded(format!("{} {why}", file.display()));
    let text = match tokio::fs::read(file).await {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(not_recorded(format!("cannot be read: {error}"))),
    };
    let no_recording = |error: &dyn Display| not_recorded(format!("is no recording: {error}"));
    let text = text::decode(&text).map_err(|fault| no_recording(&fault))?;
    let tape: Tape = serde_json::from_str(&text).map_err(|error| no_recording(&error))?;
    tape.response.received().map(Some).ok_or_else(|| not_recorded("has an odd header".to_owned()))
}

/// Whole or not at all: replays may read while a recording goes on.
async fn write(file: &Path, tape: &Tape) -> io::Result<()> {
    let unfinished = file.with_extension("json.tmp");
    let mut text = serde_json::to_vec_pretty(tape)?;
    text.push(b'\n');
    tokio::fs::write(&unfinished, text).await?;
    tokio::fs::rename(&unfinished, file).await
}

/// The text without the key: some servers quote the one that they refuse.
fn scrubbed(text: &str, key: Option<&Key>) -> String {
    let secret = key.and_then(|(_, value)| value.to_str().ok()).map(|value| value.trim_start_matches("Bearer "));
    secret.filter(|secret| !secret.is_empty()).map_or_else(|| text.to_owned(), |secret| text.replace(secret, SCRUBBED))
}

impl Response {
    fn of(received: &HttpResponse, key: Option<&Key>) -> Self {
        let header = |name: &&str| Some(((*name).to_owned(), received.headers.get(*name)?.to_str().ok()?.to_owned()));
        Self {
            status: received.status.as_u16(),
            headers: KEPT.iter().chain(retry_hints::headers()).filter_map(header).collect(),
            body: scrubbed(&String::from_utf8_lossy(&received.body), key),
        }
    }

    fn received(self) -> Option<HttpResponse> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        Some(HttpResponse { status: StatusCode::from_u16(self.status).ok()?, headers, body: self.body.into() })
    }
}
