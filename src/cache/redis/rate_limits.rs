//! Limits of API keys that all processes count together: a token bucket for each key, by the clock of the server.
//!
//! A server that is away or slow keeps no request waiting: the process goes on by itself, from what it last knew of the
//! key, and counts in the server again as soon as that answers. What it counted meanwhile the server does not learn.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redis::{Cmd, FromRedisValue, RedisResult};
use tokio::time::timeout;

use super::connection::is_refusal;
use super::keys::bucket;
use super::link::Link;
use crate::domain::api_key::KeyId;
use crate::ports::rate_limits::{MemoryRateLimits, Quota, RateLimits, WINDOW};

/// How long a request waits for the server. Usually it answers within a fifth of a millisecond.
const ANSWER_LIMIT: Duration = Duration::from_millis(20);

/// The server compiles a script once, by its text.
const TAKE: &str = include_str!("take.lua");
const GIVE_BACK: &str = include_str!("give_back.lua");

/// The limits in a Redis server.
pub struct RedisRateLimits {
    link: Arc<Link>,
    /// What was last known of each bucket.
    local: MemoryRateLimits,
}

impl RedisRateLimits {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, local: MemoryRateLimits::default() }
    }

    /// What the server says, unless it is away, slow, or does not want to.
    async fn ask<T: FromRedisValue>(&self, call: &Cmd) -> Option<T> {
        let mut connection = self.link.connection()?;
        let answered: Result<RedisResult<T>, _> = timeout(ANSWER_LIMIT, call.query_async(&mut connection)).await;
        match answered {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) if is_refusal(&error) => None,
            Ok(Err(_)) | Err(_) => {
                self.link.suspect();
                None
            }
        }
    }
}

impl RateLimits for RedisRateLimits {
    fn take(&self, key: &KeyId, limit: u32, requests: u32) -> BoxFuture<'_, Quota> {
        let key = key.clone();
        async move {
            let mut call = script(TAKE, &key);
            call.arg(limit).arg(requests).arg(WINDOW.as_micros().to_string());
            let Some((is_taken, left)) = self.ask::<(bool, f64)>(&call).await else {
                return self.local.take(&key, limit, requests).await;
            };
            self.local.note(&key, left);
            Quota::of(limit, requests, left, is_taken)
        }
        .boxed()
    }

    fn last_known(&self, key: &KeyId, limit: u32) -> Quota {
        self.local.last_known(key, limit)
    }

    fn give_back(&self, key: &KeyId, requests: u32) -> BoxFuture<'_, ()> {
        let key = key.clone();
        async move {
            let mut call = script(GIVE_BACK, &key);
            call.arg(requests);
            // Whether the server has taken them or not, they are there again as far as this process knows.
            let _taken: Option<()> = self.ask(&call).await;
            self.local.give_back(&key, requests).await;
        }
        .boxed()
    }
}

/// A script on the bucket of a key.
fn script(text: &str, key: &KeyId) -> Cmd {
    let mut call = redis::cmd("EVAL");
    call.arg(text).arg(1).arg(bucket(key));
    call
}
