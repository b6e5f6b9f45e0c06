//! What holds for changes of schemas and of templates.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::testing::disturbed::{Disturbance, DisturbedCatalog};
use super::testing::{Teams, ids};
use crate::ports::model::FakeModel;

/// Schemas, or templates: where they are, one of them, and a change that makes a major version.
struct Resource {
    path: &'static str,
    new: Value,
    changed: Value,
    catalog: fn(&Teams) -> &DisturbedCatalog,
}

fn resources() -> [Resource; 2] {
    let schema = |kind: &str| json!({ "type": "object", "properties": { "total": { "type": kind } } });
    let template = |text: &str, parameter: &str| json!({ "template": text, "parameters": [{ "name": parameter }] });
    let named = |mut body: Value| {
        body["name"] = json!("order");
        body
    };
    [
        Resource {
            path: "/v1/schemas",
            new: named(json!({ "schema": schema("number") })),
            changed: json!({ "schema": schema("integer") }),
            catalog: |it| &it.schema_changes,
        },
        Resource {
            path: "/v1/templates",
            new: named(template("Read: {{ text }}", "text")),
            changed: template("Read: {{ mail }}", "mail"),
            catalog: |it| &it.template_changes,
        },
    ]
}

/// Teams of which one keeps such an entry; the path and the tag of that.
async fn teams_with(Resource { path, new, .. }: &Resource) -> (Teams, String, String) {
    let it = Teams::new((0..9).map(|_| FakeModel::says(r#"{"total":1}"#))).await;
    let etag = it.create(path, new).await.header("etag").to_owned();
    (it, format!("{path}/order"), etag)
}

#[tokio::test]
async fn who_wants_to_change_any_version_changes_one_that_somebody_else_has_just_made() {
    for resource in resources() {
        let (it, path, etag) = teams_with(&resource).await;
        let outrun = || (resource.catalog)(&it).disturb(Disturbance::Outrun);
        outrun();
        let of_the_version_read = it.put(&path, &etag, &resource.changed).await;
        assert_eq!(of_the_version_read.problem(), (412, "precondition_failed".to_owned()), "{path}");
        outrun();
        let of_any = it.put(&path, "*", &resource.changed).await;
        assert_eq!((of_any.status.as_u16(), &of_any.json()["version"]), (200, &json!("2.0.0")), "{of_any:?}");
        let versions = ids(&it.get(&format!("{path}/versions")).await.json());
        assert_eq!(versions, ["order@2.0.0", "order@1.0.2", "order@1.0.1", "order@1.0.0"]);
        outrun();
        let tagged = it.with(Method::DELETE, &path, ("if-match", of_any.header("etag"))).await;
        assert_eq!(tagged.problem(), (412, "precondition_failed".to_owned()), "{path}");
        outrun();
        assert_eq!(it.with(Method::DELETE, &path, ("if-match", "*")).await.status, 200, "{path}");
        it.create(resource.path, &resource.new).await;
        outrun();
        assert_eq!(it.red(Method::DELETE, &path, None).await.status, 200, "{path}: nothing is said of a version");
    }
}

#[tokio::test]
async fn a_change_that_has_begun_is_finished_though_its_client_has_gone() {
    for resource in resources() {
        let (it, path, _) = teams_with(&resource).await;
        let catalog = (resource.catalog)(&it);
        let mut another = resource.new.clone();
        another["name"] = json!("another");
        let shown = async |path: &str| it.get(path).await.status.as_u16();
        let changes = [
            (Method::POST, resource.path, Some(&another), format!("{}/another", resource.path), 200),
            (Method::PUT, path.as_str(), Some(&resource.changed), format!("{path}@2"), 200),
            (Method::DELETE, path.as_str(), None, path.clone(), 404),
        ];
        for (method, changed, body, seen, status) in changes {
            catalog.disturb(Disturbance::Delay);
            tokio::select! {
                answer = it.change(method.clone(), changed, "*", body) => panic!("it was to wait: {answer:?}"),
                () = catalog.has_begun.notified() => {}
            }
            catalog.goes_on.notify_one();
            let finished = timeout(Duration::from_secs(10), catalog.is_done.notified()).await;
            finished.unwrap_or_else(|_| panic!("{method} {changed} is not finished"));
            assert_eq!(shown(&seen).await, status, "{method} {changed}");
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_seen_by_the_next_request() {
    for resource in resources() {
        let (it, path, _) = teams_with(&resource).await;
        let (ask, member) = if resource.path == "/v1/schemas" {
            (json!({ "prompt": "3 chairs", "schema_id": "order" }), "schema")
        } else {
            let options = json!({ "bypass_validation": true });
            (json!({ "template_id": "order", "parameters": { "text": "3 chairs" }, "options": options }), "template")
        };
        let asked = it.red(Method::POST, "/v1/analyze", Some(&ask)).await;
        assert_eq!(asked.json()[member], "order@1.0.0", "{asked:?}");
        (resource.catalog)(&it).disturb(Disturbance::AnswerLost);
        let lost = it.put(&path, "*", &resource.changed).await;
        assert_eq!(lost.problem(), (503, "store_unavailable".to_owned()), "{path}");
        let asked = it.red(Method::POST, "/v1/analyze", Some(&ask)).await;
        let is_new = asked.json()[member] == "order@2.0.0" || asked.places().contains(&"#/parameters/text".to_owned());
        assert!(is_new, "{asked:?}");
    }
}
