//! Who asks: keys are verified, and what is known of them is remembered for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use quick_cache::sync::Cache;
use tokio_util::sync::CancellationToken;

use super::error_status::RequestCode;
use super::problem::Problem;
use crate::domain::api_key::{self, ApiKey, KeyEntry, KeyId, Refusal};
use crate::domain::tenant::Tenant;
use crate::pipeline::caller::Caller;
use crate::ports::clock::Clock;
use crate::ports::keys::Keys;
use crate::telemetry::metrics::Metrics;

/// How long an entry is used without asking the store for it again.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How often is asked whether some key has changed: so long a revoked key is still accepted.
const REVISION_EVERY: Duration = Duration::from_secs(1);
/// Entries that are remembered, used ones first.
const MOST_REMEMBERED: usize = 10_000;
/// Whose counters show what is asked over HTTP. No connector can have this name.
const CALLER: &str = "HTTP";

/// Who makes a request.
#[derive(Clone)]
pub struct Identity {
    /// On whose behalf the pipeline works.
    pub caller: Arc<Caller>,
    /// The key, unless nobody needs one.
    pub key: Option<KeyLimit>,
}

/// A key and its limit.
#[derive(Debug, Clone)]
pub struct KeyLimit {
    /// The key.
    pub id: KeyId,
    /// Requests that may be made with it in an hour.
    pub per_hour: u32,
}

/// Who makes a request, and how that is known.
pub struct Identified {
    /// Who.
    pub identity: Identity,
    /// Whether the key was looked up for it: its entry was not remembered.
    pub is_new: bool,
}

/// A request of which is not known who makes it.
#[derive(Debug)]
pub struct Refused {
    /// What its client is told.
    pub problem: Problem,
    /// The key that it names.
    pub key: Option<KeyId>,
    /// What is wrong, in a word, which its client is not told; `None` where it could not be found out.
    pub reason: Option<&'static str>,
}

/// Says who makes a request.
pub struct Authenticator {
    metrics: Arc<Metrics>,
    mode: Mode,
}

enum Mode {
    /// Everybody is the default tenant.
    Off(Identity),
    Keys(Box<KnownKeys>),
}

/// Keys of the store, and those of them that are remembered.
struct KnownKeys {
    /// `None` where the store has no keys.
    keys: Option<Arc<dyn Keys>>,
    clock: Arc<dyn Clock>,
    /// By id and secret: a wrong secret is looked up each time, as an unknown id is, and takes as long.
    remembered: Cache<(KeyId, [u8; 32]), Arc<Remembered>>,
    /// Grows whenever everything is forgotten. What was looked up before that is not remembered after it.
    generation: AtomicU64,
}

struct Remembered {
    entry: KeyEntry,
    identity: Identity,
    until: Duration,
    generation: u64,
}

impl Authenticator {
    /// Everybody may ask.
    pub fn off(metrics: Arc<Metrics>) -> Self {
        let caller = Arc::new(Caller::new(Tenant::default(), None, metrics.caller(CALLER)));
        Self { metrics, mode: Mode::Off(Identity { caller, key: None }) }
    }

    /// Whoever has a key of these may ask; nobody, where there are none.
    pub fn keys(keys: Option<Arc<dyn Keys>>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        let (remembered, generation) = (Cache::new(MOST_REMEMBERED), AtomicU64::new(0));
        Self { metrics, mode: Mode::Keys(Box::new(KnownKeys { keys, clock, remembered, generation })) }
    }

    /// Who makes the request with these headers.
    ///
    /// # Errors
    /// `unauthorized`, whatever is wrong with the key; `store_unavailable` where that cannot be found out now.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Identified, Refused> {
        let known = match &self.mode {
            Mode::Off(everybody) => return Ok(Identified { identity: everybody.clone(), is_new: false }),
            Mode::Keys(known) => known,
        };
        let text = bearer(headers).ok_or_else(|| Refused::unauthorized(None, "no_key"))?;
        // A key that cannot be one is refused without a look-up.
        let presented = ApiKey::parse(text).ok_or_else(|| Refused::unauthorized(None, "malformed"))?;
        let identity = |entry: &KeyEntry| self.identity(entry);
        known.verify(&presented, identity).await
    }

    fn identity(&self, entry: &KeyEntry) -> Identity {
        let caller = Arc::new(Caller::new(entry.tenant.clone(), None, self.metrics.caller(CALLER)));
        Identity { caller, key: Some(KeyLimit { id: entry.id.clone(), per_hour: entry.rate_limit }) }
    }

    /// Forgets all entries: a key was changed here.
    pub fn forget(&self) {
        if let Mode::Keys(known) = &self.mode {
            known.forget();
        }
    }

    /// Forgets all entries as soon as some key has changed, until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Mode::Keys(known) = &self.mode else { return stop.cancelled().await };
        let Some(keys) = &known.keys else { return stop.cancelled().await };
        // At once for the first time, since it is then that everything is forgotten.
        let mut revision = None;
        loop {
            // What cannot be found out now is asked again in a second; meanwhile what is remembered ends by itself.
            if let Ok(now) = keys.revision().await
                && revision.replace(now) != Some(now)
            {
                known.forget();
            }
            if stop.run_until_cancelled(tokio::time::sleep(REVISION_EVERY)).await.is_none() {
                return;
            }
        }
    }
}

impl KnownKeys {
    async fn verify(
        &self,
        presented: &ApiKey,
        identity: impl FnOnce(&KeyEntry) -> Identity,
    ) -> Result<Identified, Refused> {
        let refused = |refusal: Refusal| Refused::unauthorized(Some(presented.id()), refusal.as_str());
        let now = self.clock.now();
        let generation = self.generation.load(Ordering::Acquire);
        let place = (presented.id().clone(), presented.hash().0);
        let remembered = self.remembered.get(&place);
        if let Some(it) = remembered.filter(|it| it.until > now && it.generation == generation) {
            let identified = |()| Identified { identity: it.identity.clone(), is_new: false };
            return api_key::verify(presented, Some(&it.entry), now).map(identified).map_err(refused);
        }
        let Some(keys) = &self.keys else { return Err(refused(Refusal::Unknown)) };
        let entry = keys.find(presented.id()).await.map_err(|_away| Refused::unknown())?;
        api_key::verify(presented, entry.as_ref(), now).map_err(refused)?;
        let entry = entry.ok_or_else(|| refused(Refusal::Unknown))?;
        let identity = identity(&entry);
        let it = Remembered { entry, identity: identity.clone(), until: now + REMEMBERED, generation };
        self.remembered.insert(place, Arc::new(it));
        Ok(Identified { identity, is_new: true })
    }

    fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.remembered.clear();
    }
}

/// The credentials of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim())
}

impl Refused {
    /// The problem is the same whatever is wrong: who tries out keys learns nothing.
    fn unauthorized(key: Option<&KeyId>, reason: &'static str) -> Self {
        tracing::debug!(reason, "a key was refused");
        let detail = "send a valid key as `Authorization: Bearer sk_…`; `structured-prompt key create` makes one";
        Self { problem: Problem::new(RequestCode::Unauthorized, detail), key: key.cloned(), reason: Some(reason) }
    }

    /// The store is away.
    fn unknown() -> Self {
        Self { problem: Problem::store_unavailable(), key: None, reason: None }
    }
}

#[cfg(test)]
mod tests;
