//! Connections to the server: made, subscribed, and asked how the server is set up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, InfoDict, IntoConnectionInfo as _, Msg, ProtocolVersion, PushInfo, PushKind,
    RedisError, RedisResult,
};
use tokio::sync::mpsc;

use super::invalidation::Invalidation;
use super::keys::CHANNEL;
use crate::file_watch::current_secret::CurrentSecret;

const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// For all but look-ups, which wait less.
const RESPONSE_LIMIT: Duration = Duration::from_secs(1);
/// Invalidations that have come and are not carried out yet. With more, everything is forgotten.
const MAX_RECEIVED: usize = 64;
/// Characters of an error that are shown: that of a pipeline has a part for each command.
const LONGEST_ERROR: usize = 300;

/// A Redis server, by its URL. A password that is replaced is used for the next connection.
pub(super) struct Server {
    url: CurrentSecret,
}

/// A connection on which invalidations of all processes arrive.
pub(super) struct Session {
    /// For any number of requests at the same time.
    pub(super) connection: MultiplexedConnection,
    /// What the server sends of its own accord.
    pub(super) received: mpsc::Receiver<Received>,
    /// Set when more has arrived than `received` takes.
    has_missed: Arc<AtomicBool>,
}

/// What a server sends of its own accord.
pub(super) enum Received {
    /// Somebody has invalidated answers.
    Invalidation(Invalidation),
    /// A message that cannot be read: another version's, perhaps.
    Unreadable,
    /// It has closed the connection.
    Closed,
}

impl Server {
    pub(super) fn new(url: CurrentSecret) -> Self {
        Self { url }
    }

    /// Its address, for messages: nothing else of the URL.
    pub(super) fn place(&self) -> String {
        let info = self.url.get().expose().into_connection_info();
        info.map_or_else(|_| "cache.redis_url".to_owned(), |info| info.addr().to_string())
    }

    /// Connects and subscribes.
    pub(super) async fn connect(&self) -> RedisResult<Session> {
        let info = self.url.get().expose().into_connection_info()?;
        // The third version of the protocol lets messages arrive between answers: what breaks the one breaks the other.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings))?;
        let (sender, received) = mpsc::channel(MAX_RECEIVED);
        let has_missed = Arc::new(AtomicBool::new(false));
        let missed = Arc::clone(&has_missed);
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(RESPONSE_LIMIT))
            .set_push_sender(move |info: PushInfo| {
                let full = |_| missed.store(true, Ordering::Relaxed);
                read(info).map_or(Ok(()), |received| sender.try_send(received).map_err(full))
            });
        let mut connection = client.get_multiplexed_async_connection_with_config(&limits).await?;
        connection.subscribe(CHANNEL).await?;
        Ok(Session { connection, received, has_missed })
    }
}

impl Session {
    /// Whether invalidations were dropped since this was last asked.
    pub(super) fn has_missed(&self) -> bool {
        self.has_missed.swap(false, Ordering::Relaxed)
    }
}

fn read(info: PushInfo) -> Option<Received> {
    if info.kind == PushKind::Disconnection {
        return Some(Received::Closed);
    }
    let payload: RedisResult<Vec<u8>> = Msg::from_push_info(info)?.get_payload();
    let invalidation = payload.ok().and_then(|payload| Invalidation::read(&payload));
    Some(invalidation.map_or(Received::Unreadable, Received::Invalidation))
}

/// What to change in the server's settings, if they can be seen and are not good for a cache.
pub(super) async fn advice(connection: &mut MultiplexedConnection) -> Option<String> {
    let memory: InfoDict = redis::cmd("INFO").arg("memory").query_async(connection).await.ok()?;
    let advice = advice_on(memory.get::<String>("maxmemory_policy")?.as_str(), memory.get("maxmemory")?);
    advice.map(str::to_owned)
}

fn advice_on(policy: &str, max_memory: u64) -> Option<&'static str> {
    if max_memory == 0 {
        return Some("its memory has no limit: set maxmemory, and maxmemory-policy allkeys-lru");
    }
    let is_good = matches!(policy, "allkeys-lru" | "allkeys-lfu");
    (!is_good).then_some(
        "when its memory is full it refuses answers or forgets the wrong ones: set maxmemory-policy allkeys-lru",
    )
}

/// An error's own words, as far as they are worth showing.
pub(super) fn why(error: &RedisError) -> String {
    error.to_string().chars().take(LONGEST_ERROR).collect()
}

/// Whether the server has understood and does not want to, or the connection has failed.
pub(super) fn is_refusal(error: &RedisError) -> bool {
    !error.is_io_error() && !error.is_connection_dropped() && !error.is_timeout() && !error.is_unrecoverable_error()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    #[test]
    fn a_server_that_is_not_set_up_as_a_cache_is_advised() {
        assert_eq!(advice_on("allkeys-lru", 1 << 30), None);
        assert!(advice_on("noeviction", 1 << 30).is_some_and(|advice| advice.contains("allkeys-lru")));
        assert!(advice_on("volatile-ttl", 1 << 30).is_some());
        assert!(advice_on("allkeys-lru", 0).is_some_and(|advice| advice.contains("set maxmemory")));
    }

    #[tokio::test]
    async fn an_encrypted_connection_finds_its_cryptography_and_no_error_has_the_password() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (socket, _) = listener.accept().await.unwrap();
            drop(socket);
        };
        let server = Server::new(Secret::new(format!("rediss://:canary@{address}")).into());
        let (connected, ()) = tokio::join!(server.connect(), serve);
        let why = why(&connected.err().unwrap());
        assert!(why.contains("tls") && !why.contains("canary"), "{why}");
        assert_eq!(server.place(), address.to_string());
    }
}
