use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::*;
use crate::domain::secret::Secret;
use crate::http::testing::{Answer, Api, parts};
use crate::ports::audit::MemoryAudit;

const ADMIN_KEY: &str = "an admin key of at least 32 characters";
const PATH: &str = "/admin/log-level";

struct Setup {
    api: Api,
    audit: Arc<MemoryAudit>,
    /// The level can be changed as long as somebody has the filter.
    _filter: reload::Layer<EnvFilter, Registry>,
}

fn setup() -> Setup {
    let (filter, level) = LogLevel::new(EnvFilter::new("info"));
    let audit = Arc::new(MemoryAudit::default());
    let mut parts = parts(&[]);
    parts.settings.admin_key = Some(Secret::new(ADMIN_KEY).into());
    parts.audit = Arc::clone(&audit) as _;
    parts.log_level = Some(level);
    Setup { api: Api::new(parts), audit, _filter: filter }
}

impl Setup {
    async fn get(&self, key: &str) -> Answer {
        let request = Request::get(PATH).header("authorization", format!("Bearer {key}"));
        self.api.send(request.body(Body::empty()).unwrap()).await
    }

    async fn put(&self, body: &Value) -> Answer {
        let request = Request::put(PATH).header("authorization", format!("Bearer {ADMIN_KEY}"));
        let request = request.header("content-type", "application/json");
        self.api.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// What administrators did, beside having the key.
    fn actions(&self) -> Vec<AuditEvent> {
        let events = self.audit.events();
        events.into_iter().filter(|event| event.event_type == AuditEventType::AdminAction).collect()
    }
}

#[tokio::test]
async fn an_administrator_changes_what_is_logged_and_that_is_an_event() {
    let it = setup();
    assert_eq!(it.get(ADMIN_KEY).await.json(), json!({ "level": "info" }));
    let changed = it.put(&json!({ "level": "warn,structured_prompt::kafka=debug" })).await;
    assert_eq!(changed.json(), json!({ "level": "structured_prompt::kafka=debug,warn" }));
    assert_eq!(it.get(ADMIN_KEY).await.json(), changed.json());
    let actions = it.actions();
    let [event] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!((event.actor.as_str(), event.resource.as_str()), (ADMIN, "log_level"));
    assert_eq!(event.detail.as_deref(), Some("changed from info to warn,structured_prompt::kafka=debug"));
    assert_eq!(event.result, AuditResult::Success);
}

#[tokio::test]
async fn what_is_no_level_is_refused_and_changes_nothing() {
    let it = setup();
    for (body, place) in [
        (json!({ "level": "debgu" }), "#/level"),
        (json!({ "level": "" }), "#/level"),
        (json!({ "level": 3 }), "#/level"),
        (json!({}), "#/level"),
        (json!({ "level": "info", "filter": "info" }), "#/filter"),
    ] {
        let answer = it.put(&body).await;
        assert_eq!(answer.problem(), (400, "invalid_request".to_owned()), "{body}");
        assert_eq!(answer.places(), [place], "{body}");
    }
    assert_eq!(it.get(ADMIN_KEY).await.json(), json!({ "level": "info" }));
    assert_eq!(it.actions(), []);
}

#[tokio::test]
async fn only_administrators_may_know_and_change_it() {
    let it = setup();
    assert_eq!(it.get("another key").await.problem(), (401, "unauthorized".to_owned()));
    let request = Request::put(PATH).header("content-type", "application/json");
    let answer = it.api.send(request.body(Body::from(r#"{"level":"off"}"#)).unwrap()).await;
    assert_eq!(answer.problem(), (401, "unauthorized".to_owned()));
    assert_eq!(it.get(ADMIN_KEY).await.json(), json!({ "level": "info" }));
}
