use axum::http::HeaderValue;

use super::*;
use crate::ports::clock::ManualClock;
use crate::ports::keys::{KeyChange, MemoryKeys, NewKey};

struct Setup {
    clock: Arc<ManualClock>,
    keys: Arc<MemoryKeys>,
    authenticator: Arc<Authenticator>,
}

fn setup() -> Setup {
    let clock = Arc::new(ManualClock::default());
    let keys = Arc::new(MemoryKeys::new(Arc::clone(&clock) as Arc<dyn Clock>));
    let authenticator = Authenticator::keys(Some(Arc::clone(&keys) as _), Arc::clone(&clock) as _, Arc::default());
    Setup { clock, keys, authenticator: Arc::new(authenticator) }
}

impl Setup {
    async fn key(&self, expires_at: Option<Duration>) -> ApiKey {
        let tenant = Tenant::new("acme", "sales").unwrap();
        let new = NewKey { tenant, name: "mine".to_owned(), rate_limit: 7, expires_at };
        self.keys.create(new).await.unwrap().0
    }

    async fn identify(&self, key: &ApiKey) -> Result<Identity, &'static str> {
        self.with_header(&format!("Bearer {}", key.expose())).await
    }

    async fn with_header(&self, value: &str) -> Result<Identity, &'static str> {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
        let identified = self.authenticator.identify(&headers).await;
        identified.map(|it| it.identity).map_err(|refused| refused.problem.code())
    }

    async fn revoke(&self, key: &ApiKey) {
        let scope = crate::domain::tenant::Scope::from(&Tenant::new("acme", "sales").unwrap());
        self.keys.revoke(&scope, key.id()).await.unwrap();
    }
}

fn code(outcome: Result<Identity, &'static str>) -> Option<&'static str> {
    outcome.err()
}

#[tokio::test]
async fn a_key_tells_whose_requests_are_made_with_it() {
    let it = setup();
    let key = it.key(None).await;
    let identity = it.identify(&key).await.unwrap();
    assert_eq!(identity.caller.tenant().path(), "acme/sales");
    let limit = identity.key.unwrap();
    assert_eq!((&limit.id, limit.per_hour), (key.id(), 7));
    assert!(it.with_header(&format!("bearer  {}", key.expose())).await.is_ok());
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_the_answer_is_the_same() {
    let it = setup();
    let (expired, revoked) = (it.key(Some(Duration::from_secs(1))).await, it.key(None).await);
    it.clock.advance(Duration::from_secs(1));
    it.revoke(&revoked).await;
    let unknown = ApiKey::new([9; ApiKey::RANDOM_BYTES]);
    for key in [&expired, &revoked, &unknown] {
        assert_eq!(code(it.identify(key).await), Some("unauthorized"));
    }
    for header in ["", "Bearer", "Bearer ", "Bearer sk_x", "Basic dTpw", expired.expose()] {
        assert_eq!(code(it.with_header(header).await), Some("unauthorized"), "{header}");
    }
    assert!(it.authenticator.identify(&HeaderMap::new()).await.is_err());
    let nobody = Authenticator::keys(None, Arc::clone(&it.clock) as _, Arc::default());
    let headers = HeaderMap::from_iter([(
        header::AUTHORIZATION,
        HeaderValue::from_str(&format!("Bearer {}", unknown.expose())).unwrap(),
    )]);
    assert_eq!(nobody.identify(&headers).await.err().unwrap().problem.code(), "unauthorized");
}

#[tokio::test]
async fn a_verified_key_is_remembered_for_five_minutes_while_the_store_is_away() {
    let it = setup();
    let (known, other) = (it.key(None).await, it.key(None).await);
    assert!(it.identify(&known).await.is_ok());
    it.keys.set_away(Some("gone"));
    assert!(it.identify(&known).await.is_ok());
    assert_eq!(code(it.identify(&other).await), Some("store_unavailable"));
    it.clock.advance(REMEMBERED);
    assert_eq!(code(it.identify(&known).await), Some("store_unavailable"));
    it.keys.set_away(None);
    assert!(it.identify(&known).await.is_ok());
}

#[tokio::test]
async fn a_remembered_key_still_ends_at_its_time() {
    let it = setup();
    let key = it.key(Some(Duration::from_secs(60))).await;
    assert!(it.identify(&key).await.is_ok());
    it.clock.advance(Duration::from_secs(60));
    assert_eq!(code(it.identify(&key).await), Some("unauthorized"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_another_process_revokes_or_changes_is_noticed_within_two_seconds() {
    let it = setup();
    let (revoked, changed) = (it.key(None).await, it.key(None).await);
    let stop = CancellationToken::new();
    let tasks = crate::tasks::Tasks::new(tokio::runtime::Handle::current());
    let watch = tasks.service(Arc::clone(&it.authenticator).watch(stop.clone()));
    tokio::time::sleep(2 * REVISION_EVERY).await;
    assert!(it.identify(&revoked).await.is_ok() && it.identify(&changed).await.is_ok());
    it.revoke(&revoked).await;
    let scope = crate::domain::tenant::Scope::from(&Tenant::new("acme", "sales").unwrap());
    let change = KeyChange { rate_limit: Some(9), ..KeyChange::default() };
    it.keys.change(&scope, changed.id(), change).await.unwrap();
    tokio::time::sleep(2 * REVISION_EVERY).await;
    assert_eq!(code(it.identify(&revoked).await), Some("unauthorized"));
    assert_eq!(it.identify(&changed).await.unwrap().key.unwrap().per_hour, 9);
    stop.cancel();
    watch.await.unwrap();
}
