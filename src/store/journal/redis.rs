//! The journal in Redis 7 or newer, shared by the instances of a group. Redis expires entries by its own clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};

use super::backend::{Backend, Connection, Done, Hash, Holder, Work};
use crate::file_watch::current_secret::CurrentSecret;
use crate::store::availability::StoreName;
use crate::store::error::StoreError;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
/// Characters of an error that are shown: that of a pipeline has a part for each command.
const LONGEST_ERROR: usize = 300;

/// A Redis server. A password that is replaced is used for the next connection.
pub(super) struct RedisJournal {
    url: CurrentSecret,
    has_warned: AtomicBool,
}

impl RedisJournal {
    pub(super) fn new(url: CurrentSecret) -> Self {
        Self { url, has_warned: AtomicBool::new(false) }
    }

    async fn open(&self) -> Result<MultiplexedConnection, StoreError> {
        // Checked when the configuration was read; the words of this error could quote it.
        let client = Client::open(self.url.get().expose())
            .map_err(|_| StoreError("store.url is not the URL of a Redis server".to_owned()))?;
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(RESPONSE_LIMIT));
        let connected = client.get_multiplexed_async_connection_with_config(&limits).await;
        let mut connection = connected.map_err(|error| StoreError(why(&error)))?;
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            for warning in forgetfulness(&mut connection).await {
                tracing::warn!(store = "redis", "{warning}");
            }
        }
        Ok(connection)
    }
}

/// How this server could lose what it has acknowledged. One that does not let us look is taken at its word.
async fn forgetfulness(connection: &mut MultiplexedConnection) -> Vec<&'static str> {
    let mut setting = async |name: &str| -> Option<String> {
        let answer: RedisResult<Vec<String>> = redis::cmd("CONFIG").arg("GET").arg(name).query_async(connection).await;
        answer.ok()?.into_iter().nth(1)
    };
    let (appendonly, policy) = (setting("appendonly").await, setting("maxmemory-policy").await);
    warnings(appendonly.as_deref(), policy.as_deref())
}

fn warnings(appendonly: Option<&str>, policy: Option<&str>) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    if appendonly.is_some_and(|value| value != "yes") {
        warnings.push(
            "Redis does not persist: a crash of it forgets which calls were paid for and which events were answered; \
             set appendonly yes, best with appendfsync always",
        );
    }
    if policy.is_some_and(|value| value != "noeviction") {
        warnings.push(
            "Redis may evict what the journal needs when its memory is full; set maxmemory-policy noeviction, and use \
             another server for caches",
        );
    }
    warnings
}

impl Backend for RedisJournal {
    fn name(&self) -> StoreName {
        let client = Client::open(self.url.get().expose());
        let place = client.map(|client| client.get_connection_info().addr().to_string());
        StoreName {
            kind: "redis",
            place: place.unwrap_or_else(|_| "store.url".to_owned()),
            advice: "check that the server runs and can be reached, and the user and password in store.url",
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>, StoreError>> {
        async { Ok(Box::new(RedisSession(self.open().await?)) as Box<dyn Connection>) }.boxed()
    }
}

struct RedisSession(MultiplexedConnection);

impl Connection for RedisSession {
    fn execute<'a>(&'a mut self, work: &'a Work) -> BoxFuture<'a, Result<Done, StoreError>> {
        execute(&mut self.0, work).map(|done| done.map_err(|error| StoreError(why(&error)))).boxed()
    }

    /// Redis does it.
    fn purge(&mut self, _now: Duration, _limit: u32) -> BoxFuture<'_, Result<bool, StoreError>> {
        std::future::ready(Ok(false)).boxed()
    }
}

/// One pipeline. Each command is atomic, which is enough: a batch that is executed a second time changes nothing.
async fn execute(connection: &mut MultiplexedConnection, work: &Work) -> Result<Done, RedisError> {
    let mut pipeline = redis::pipe();
    for (key, body) in &work.outcomes {
        pipeline.cmd("SET").arg(name("outcome", key)).arg(&body[..]).arg("NX").arg("PX").arg(millis(work.retention));
        pipeline.ignore();
    }
    for (event, claim) in &work.claims {
        let value = [&claim.input[..], claim.origin.as_bytes()].concat();
        pipeline
            .cmd("SET")
            .arg(name("claim", event))
            .arg(value)
            .arg("NX")
            .arg("GET")
            .arg("PX")
            .arg(millis(claim.window));
    }
    for key in &work.recalls {
        pipeline.cmd("GET").arg(name("outcome", key));
    }
    let answers: Vec<Option<Vec<u8>>> = pipeline.query_async(connection).await?;
    let mut answers = answers.into_iter();
    // SET … NX GET answers with what was there before; with nothing when it has set the value.
    let holders = work.claims.iter().zip(answers.by_ref().take(work.claims.len())).map(|((event, claim), before)| {
        let own = || Holder { input: claim.input, origin: claim.origin.clone().into_bytes() };
        (*event, before.and_then(holder).unwrap_or_else(own))
    });
    let holders = holders.collect();
    let recalled = work.recalls.iter().zip(answers);
    let recalled = recalled.filter_map(|(key, body)| Some((*key, Bytes::from(body?)))).collect();
    Ok(Done { recalled, holders })
}

fn holder(value: Vec<u8>) -> Option<Holder> {
    let (input, origin) = value.split_first_chunk::<32>()?;
    Some(Holder { input: *input, origin: origin.to_vec() })
}

/// `structured-prompt:outcome:…`, the hash in hexadecimal digits.
fn name(kind: &str, hash: &Hash) -> String {
    let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    "structured-prompt:".chars().chain(kind.chars()).chain([':']).chain(digits).collect()
}

/// Redis refuses a lifetime of nothing.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn why(error: &RedisError) -> String {
    error.to_string().chars().take(LONGEST_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    #[test]
    fn names_are_readable() {
        let mut hash = [0; 32];
        (hash[0], hash[31]) = (0xab, 0x0f);
        assert_eq!(name("claim", &hash), format!("structured-prompt:claim:ab{}0f", "00".repeat(30)));
    }

    #[test]
    fn a_server_that_could_forget_is_warned_about() {
        assert!(warnings(Some("yes"), Some("noeviction")).is_empty());
        assert!(warnings(None, None).is_empty(), "it does not let us look");
        let both = warnings(Some("no"), Some("allkeys-lru"));
        assert!(both[0].contains("appendonly yes") && both[1].contains("noeviction"));
    }

    #[tokio::test]
    async fn tls_finds_its_cryptography() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (socket, _) = listener.accept().await.unwrap();
            drop(socket);
        };
        let store = RedisJournal::new(Secret::new(format!("rediss://:canary@{address}")).into());
        let (connected, ()) = tokio::join!(store.connect(), serve);
        let Err(StoreError(why)) = connected else { panic!("connected to nobody") };
        assert!(why.contains("tls") && !why.contains("canary"), "{why}");
        assert_eq!(store.name().place, address.to_string());
    }
}
