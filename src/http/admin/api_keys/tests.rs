use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::FutureExt as _;
use serde_json::json;

use super::*;
use crate::domain::api_key::ApiKey;
use crate::domain::page::{Page, PageRequest};
use crate::domain::secret::Secret;
use crate::http::auth::Authenticator;
use crate::http::testing::{Answer, Api, parts};
use crate::ports::clock::{Clock, ManualClock};
use crate::ports::keys::MemoryKeys;
use crate::ports::model::FakeModel;
use crate::ports::repository::RepositoryFuture;

const ADMIN_KEY: &str = "an admin key of at least 32 characters";
const PATH: &str = "/admin/api-keys";

/// Keys of which each is changed by somebody else as soon as it was read.
struct ChangedOnceRead(Arc<MemoryKeys>);

impl Keys for ChangedOnceRead {
    fn create(&self, key: NewKey) -> RepositoryFuture<'_, (ApiKey, KeyEntry)> {
        self.0.create(key)
    }

    fn list<'a>(&'a self, scope: &'a Scope, page: PageRequest) -> RepositoryFuture<'a, Page<KeyEntry>> {
        self.0.list(scope, page)
    }

    fn get<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, KeyEntry> {
        async move {
            let read = self.0.get(scope, id).await;
            let change = KeyChange { rate_limit: Some(1), ..KeyChange::default() };
            self.0.change(scope, id, change).await.and(read)
        }
        .boxed()
    }

    fn change<'a>(&'a self, scope: &'a Scope, id: &'a KeyId, change: KeyChange) -> RepositoryFuture<'a, KeyEntry> {
        self.0.change(scope, id, change)
    }

    fn revoke<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, Revoked> {
        self.0.revoke(scope, id)
    }

    fn find<'a>(&'a self, id: &'a KeyId) -> RepositoryFuture<'a, Option<KeyEntry>> {
        self.0.find(id)
    }

    fn revision(&self) -> RepositoryFuture<'_, u64> {
        self.0.revision()
    }
}

struct Setup {
    api: Api,
    keys: Arc<MemoryKeys>,
    clock: Arc<ManualClock>,
}

fn setup() -> Setup {
    let clock = Arc::new(ManualClock::default());
    let keys = Arc::new(MemoryKeys::new(Arc::clone(&clock) as Arc<dyn Clock>));
    let mut parts = parts(&[Arc::new(FakeModel::new((0..9).map(|_| FakeModel::says("{}"))))]);
    parts.settings.admin_key = Some(Secret::new(ADMIN_KEY).into());
    parts.keys = Some(Arc::clone(&keys) as _);
    parts.authenticator =
        Arc::new(Authenticator::keys(Some(Arc::clone(&keys) as _), Arc::clone(&clock) as _, Arc::default()));
    Setup { api: Api::new(parts), keys, clock }
}

impl Setup {
    async fn send(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "application/json");
        self.api.send(request.body(body.map_or_else(Body::empty, |body| body.to_string().into())).unwrap()).await
    }

    async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(method, path, ADMIN_KEY, body).await
    }

    async fn create(&self, name: &str) -> Value {
        self.clock.advance(Duration::from_millis(1));
        let answer = self.admin(Method::POST, PATH, Some(json!({ "name": name }))).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    async fn may_ask(&self, key: &str) -> bool {
        let body = json!({ "prompt": "x", "options": { "bypass_validation": true } });
        self.send(Method::POST, "/v1/analyze", key, Some(body)).await.status == 200
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test]
async fn a_request_for_a_key_has_no_idempotency_key_because_its_answer_is_not_stored() {
    let setup = setup();
    let request = Request::post(PATH)
        .header("authorization", format!("Bearer {ADMIN_KEY}"))
        .header("content-type", "application/json")
        .header("idempotency-key", "a-key")
        .body(Body::from(json!({ "name": "ci" }).to_string()));
    let answer = setup.api.send(request.unwrap()).await;
    assert_eq!(answer.problem(), (400, "invalid_request".to_owned()));
    assert!(answer.text.contains("leave Idempotency-Key out"), "{answer:?}");
    assert_eq!(setup.admin(Method::GET, PATH, None).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let it = setup();
    let body = json!({ "name": "ci", "team": "sales", "rate_limit": 7, "expires_at": "2100-01-01T00:00:00Z" });
    let made = it.admin(Method::POST, PATH, Some(body)).await.json();
    assert_eq!((text(&made, "name"), text(&made, "team"), &made["rate_limit"]), ("ci", "sales", &json!(7)));
    assert_eq!((text(&made, "expires_at"), &made["revoked_at"]), ("2100-01-01T00:00:00.000Z", &json!(null)));
    let key = text(&made, "key").to_owned();
    assert!(key.starts_with(text(&made, "prefix")));
    assert!(it.may_ask(&key).await);
    let path = format!("{PATH}/{}", text(&made, "id"));
    let seen = it.admin(Method::GET, &path, None).await;
    assert!(seen.json().get("key").is_none() && !seen.text.contains(key.rsplit('_').next().unwrap()), "{seen:?}");
    let change = json!({ "name": "other", "rate_limit": 9, "expires_at": null });
    let changed = it.admin(Method::PATCH, &path, Some(change)).await.json();
    assert_eq!(
        (text(&changed, "name"), &changed["rate_limit"], &changed["expires_at"]),
        ("other", &json!(9), &json!(null))
    );
    let kept = it.admin(Method::PATCH, &path, Some(json!({}))).await.json();
    assert_eq!((text(&kept, "name"), &kept["rate_limit"]), ("other", &json!(9)));
    let revoked = it.admin(Method::DELETE, &path, None).await;
    assert!(revoked.json()["revoked_at"].is_string(), "{revoked:?}");
    assert!(!it.may_ask(&key).await, "from then on, though it was remembered");
}

#[tokio::test]
async fn who_says_which_state_of_a_key_was_read_changes_no_later_one() {
    let it = setup();
    let path = format!("{PATH}/{}", text(&it.create("ci").await, "id"));
    let change = async |if_match: &str, body: Value| {
        let request = Request::patch(&path).header("authorization", format!("Bearer {ADMIN_KEY}"));
        let request = request.header("content-type", "application/json").header("if-match", if_match);
        it.api.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let read = it.admin(Method::GET, &path, None).await.header("etag").to_owned();
    let changed = change(&read, json!({ "rate_limit": 5 })).await;
    let now = changed.header("etag").to_owned();
    assert_eq!((&changed.json()["rate_limit"], now == read), (&json!(5), false), "{changed:?}");
    assert_eq!(it.admin(Method::GET, &path, None).await.header("etag"), now);
    let stale = change(&read, json!({ "rate_limit": 6 })).await;
    assert_eq!(stale.problem(), (412, "precondition_failed".to_owned()));
    let bare = change(now.trim_matches('"'), json!({ "rate_limit": 6 })).await;
    assert_eq!(bare.problem(), (400, "invalid_request".to_owned()));
    assert_eq!(it.admin(Method::GET, &path, None).await.json()["rate_limit"], 5);
    assert_eq!(change("*", json!({ "rate_limit": 7 })).await.json()["rate_limit"], 7);
    let without = it.admin(Method::PATCH, &path, Some(json!({ "rate_limit": 8 }))).await;
    assert_eq!(without.json()["rate_limit"], 8, "who does not say changes any state");
}

#[tokio::test]
async fn who_wants_to_change_any_state_of_a_key_changes_one_that_somebody_else_has_just_changed() {
    let setup = setup();
    let id = KeyId::parse(text(&setup.create("ci").await, "id")).unwrap();
    let keys = ChangedOnceRead(setup.keys);
    let change = async |if_match: &str| {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, if_match.parse().unwrap())]);
        let change = KeyChange { name: Some("other".to_owned()), ..KeyChange::default() };
        change_if_known(&keys, &id, change, &headers).await
    };
    let read = etag(&keys.0.get(&everybody(), &id).await.unwrap());
    assert_eq!(change(&read).await.unwrap_err().code(), "precondition_failed");
    assert_eq!(change("*").await.unwrap().name, "other");
}

#[tokio::test]
async fn a_key_that_is_revoked_again_stays_as_it_is() {
    let it = setup();
    let path = format!("{PATH}/{}", text(&it.create("ci").await, "id"));
    it.clock.advance(Duration::from_secs(1));
    let first = it.admin(Method::DELETE, &path, None).await;
    assert_eq!(first.status, 200, "{first:?}");
    it.clock.advance(Duration::from_secs(1));
    let second = it.admin(Method::DELETE, &path, None).await;
    assert_eq!(
        (second.status, second.json(), second.header("etag")),
        (first.status, first.json(), first.header("etag"))
    );
}

#[tokio::test]
async fn keys_are_listed_in_pages_newest_first() {
    let it = setup();
    for name in ["a", "b", "c"] {
        it.create(name).await;
    }
    let names = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|key| text(key, "name").to_owned()).collect()
    };
    let first = it.admin(Method::GET, &format!("{PATH}?limit=2"), None).await.json();
    assert_eq!((names(&first), &first["has_more"]), (vec!["c".to_owned(), "b".to_owned()], &json!(true)));
    let rest = it.admin(Method::GET, &format!("{PATH}?after={}", text(&first, "next")), None).await.json();
    assert_eq!((names(&rest), &rest["has_more"], &rest["next"]), (vec!["a".to_owned()], &json!(false), &json!(null)));
    for query in ["limit=0", "limit=101", "limit=x", "after=x", "limit=1&limit=2", "page=2"] {
        let answer = it.admin(Method::GET, &format!("{PATH}?{query}"), None).await;
        assert_eq!(answer.problem(), (400, "invalid_request".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_is_said_at_once() {
    let it = setup();
    let body = json!({ "team": "a/b", "rate_limit": 0, "expires_at": "tomorrow", "owner": "me" });
    let refused = it.admin(Method::POST, PATH, Some(body)).await;
    assert_eq!(refused.problem(), (400, "invalid_request".to_owned()));
    assert_eq!(refused.places(), ["#/name", "#/team", "#/rate_limit", "#/expires_at", "#/owner"]);
    let id = text(&it.create("a").await, "id").to_owned();
    let refused = it.admin(Method::PATCH, &format!("{PATH}/{id}"), Some(json!({ "team": "sales" }))).await;
    assert_eq!(refused.places(), ["#/team"]);
    for id in ["nothing", "aaaaaaaaaaa", "%ff"] {
        let path = format!("{PATH}/{id}");
        for method in [Method::GET, Method::DELETE] {
            assert_eq!(it.admin(method, &path, None).await.problem(), (404, "not_found".to_owned()), "{id}");
        }
    }
    it.keys.set_away(Some("gone"));
    assert_eq!(it.admin(Method::GET, PATH, None).await.problem(), (503, "store_unavailable".to_owned()));
}

#[tokio::test]
async fn only_the_admin_key_opens_it_and_it_opens_nothing_else() {
    let it = setup();
    let client = text(&it.create("a").await, "key").to_owned();
    for key in ["", "x", &client, &ADMIN_KEY.to_uppercase()] {
        let answer = it.send(Method::GET, PATH, key, None).await;
        assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{key}");
    }
    assert!(it.may_ask(&client).await && !it.may_ask(ADMIN_KEY).await);
    let without = Api::new(parts(&[Arc::new(FakeModel::default())]));
    assert_eq!(without.get(PATH).await.problem(), (404, "not_found".to_owned()));
}
