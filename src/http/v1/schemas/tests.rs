use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::v1::catalog::testing::{Teams, ids};
use crate::ports::model::FakeModel;
use crate::schema::library;

mod hostile;

const PATH: &str = "/v1/schemas";

fn schema(total: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": { "total": total } })
}

fn new(name: &str, visibility: &str) -> Value {
    json!({ "name": name, "visibility": visibility, "schema": schema(json!({ "type": "number" })) })
}

async fn teams() -> Teams {
    Teams::new([]).await
}

#[tokio::test]
async fn a_schema_is_kept_seen_and_removed() {
    let it = teams().await;
    let body = json!({
        "name": "order", "description": "An order.", "visibility": "private", "version": "2.0.0",
        "schema": schema(json!({ "type": "number", "multipleOf": 0.01 })),
    });
    let made = it.create(PATH, &body).await;
    assert_eq!(made.header("location"), "/v1/schemas/order");
    let seen = it.get("/v1/schemas/order").await;
    assert_eq!((seen.json(), seen.header("etag")), (made.json(), made.header("etag")));
    let seen = seen.json();
    assert_eq!(
        (&seen["id"], &seen["version"], &seen["built_in"]),
        (&json!("order@2.0.0"), &json!("2.0.0"), &json!(false))
    );
    assert_eq!((&seen["description"], &seen["team"]), (&json!("An order."), &json!("red")));
    assert!(seen["created_at"].is_string() && seen["updated_at"].is_string(), "{seen}");
    assert_eq!(seen["schema"], body["schema"]);
    let again = it.red(Method::POST, PATH, Some(&body)).await;
    assert_eq!(again.problem(), (409, "already_exists".to_owned()));
    let stale = it.with(Method::DELETE, "/v1/schemas/order", ("if-match", "\"x\"")).await;
    assert_eq!(stale.problem(), (412, "precondition_failed".to_owned()));
    let bare = it.with(Method::DELETE, "/v1/schemas/order", ("if-match", "x")).await;
    assert_eq!(bare.problem(), (400, "invalid_request".to_owned()));
    assert_eq!(it.red(Method::DELETE, "/v1/schemas/order", None).await.json()["id"], "order@2.0.0");
    assert_eq!(it.get("/v1/schemas/order").await.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_change_makes_the_least_version_that_fits() {
    let it = teams().await;
    let mut etag = it.create(PATH, &new("order", "private")).await.header("etag").to_owned();
    let changes = [
        (json!({ "type": "number", "description": "gross" }), "1.0.1"),
        (json!({ "type": ["number", "null"] }), "1.1.0"),
        (json!({ "type": "integer" }), "2.0.0"),
    ];
    for (total, version) in changes {
        let changed = it.put("/v1/schemas/order", &etag, &json!({ "schema": schema(total) })).await;
        assert_eq!((changed.status.as_u16(), &changed.json()["version"]), (200, &json!(version)), "{changed:?}");
        assert_ne!(changed.header("etag"), etag);
        changed.header("etag").clone_into(&mut etag);
    }
    for (id, version) in [("order", "2.0.0"), ("order@1", "1.1.0"), ("order@1.0", "1.0.1"), ("order@1.0.0", "1.0.0")] {
        assert_eq!(it.get(&format!("{PATH}/{id}")).await.json()["version"], version, "{id}");
    }
    assert_eq!(it.get("/v1/schemas/order@3").await.problem().0, 404);
    let all = it.get("/v1/schemas/order/versions").await.json();
    assert_eq!(ids(&all), ["order@2.0.0", "order@1.1.0", "order@1.0.1", "order@1.0.0"]);
    assert!(all["data"][0].get("schema").is_none(), "{all}");
    let part = it.get("/v1/schemas/order/versions?limit=3").await.json();
    let next = part["next"].as_str().unwrap();
    let rest = it.get(&format!("/v1/schemas/order/versions?limit=3&after={next}")).await.json();
    assert_eq!((ids(&rest), &rest["has_more"]), (vec!["order@1.0.0".to_owned()], &json!(false)));
    assert_eq!(ids(&it.get("/v1/schemas/order@1/versions").await.json()).len(), 3);
}

#[tokio::test]
async fn a_version_that_is_too_small_is_refused_with_the_places_unless_it_is_forced() {
    let it = teams().await;
    let etag = it.create(PATH, &new("order", "private")).await.header("etag").to_owned();
    let mut body = json!({ "version": "1.1.0", "schema": schema(json!({ "type": "integer" })) });
    let refused = it.put("/v1/schemas/order", &etag, &body).await;
    assert_eq!(refused.problem(), (409, "incompatible_schema".to_owned()));
    assert_eq!(refused.places(), ["#/schema/properties/total/type"]);
    let forced = it.put("/v1/schemas/order?force=true", &etag, &body).await;
    assert_eq!(forced.json()["version"], "1.1.0");
    let etag = forced.header("etag").to_owned();
    body["version"] = json!("1.1.0");
    let not_later = it.put("/v1/schemas/order", &etag, &body).await;
    assert_eq!((not_later.problem().0, not_later.places()), (400, vec!["#/version".to_owned()]));
    body["schema"] = schema(json!({ "type": "number" }));
    body["version"] = json!("1.1.1");
    let wider = it.put("/v1/schemas/order", &etag, &body).await;
    assert_eq!((wider.problem().0, wider.places()), (409, vec!["#/version".to_owned()]));
}

#[tokio::test]
async fn nobody_undoes_the_change_of_another() {
    let it = teams().await;
    let first = it.create(PATH, &new("order", "private")).await.header("etag").to_owned();
    let body =
        json!({ "description": "changed", "visibility": "public", "schema": schema(json!({ "type": "number" })) });
    let without = it.red(Method::PUT, "/v1/schemas/order", Some(&body)).await;
    assert_eq!(without.problem(), (428, "precondition_required".to_owned()));
    let bare = it.put("/v1/schemas/order", first.trim_matches('"'), &body).await;
    assert_eq!(bare.problem(), (400, "invalid_request".to_owned()));
    assert!(bare.text.contains("with its quotes"), "{bare:?}");
    let changed = it.put("/v1/schemas/order", &first, &body).await.json();
    assert_eq!((&changed["description"], &changed["visibility"]), (&json!("changed"), &json!("public")));
    assert_eq!(it.put("/v1/schemas/order", &first, &body).await.problem(), (412, "precondition_failed".to_owned()));
    let known = it.get("/v1/schemas/order").await.header("etag").to_owned();
    let unchanged = it.with(Method::GET, "/v1/schemas/order", ("if-none-match", &known)).await;
    assert_eq!(
        (unchanged.status.as_u16(), unchanged.header("etag"), unchanged.text.as_str()),
        (304, known.as_str(), "")
    );
    assert_eq!(it.with(Method::GET, "/v1/schemas/order", ("if-none-match", &first)).await.status, 200);
    let version = it.put("/v1/schemas/order@1.0.0", &known, &body).await;
    assert_eq!(version.problem(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn another_team_sees_what_is_public_and_changes_nothing() {
    let it = teams().await;
    for (name, visibility, status, code) in [
        ("secret", "private", 404, "not_found"),
        ("shared", "public", 403, "forbidden"),
        ("invoice", "built in", 403, "forbidden"),
    ] {
        if visibility != "built in" {
            it.create(PATH, &new(name, visibility)).await;
        }
        let path = format!("{PATH}/{name}");
        assert_eq!(it.blue(Method::GET, &path, None).await.status.as_u16(), if status == 404 { 404 } else { 200 });
        let body = json!({ "schema": schema(json!({})) });
        for (method, body) in [(Method::PUT, Some(&body)), (Method::DELETE, None)] {
            let refused = it.blue(method.clone(), &path, body).await;
            assert_eq!(refused.problem(), (status, code.to_owned()), "{method} {name}");
        }
    }
    it.red(Method::POST, PATH, Some(&new("invoice", "private"))).await;
    assert_eq!(it.get("/v1/schemas/invoice").await.json()["built_in"], false, "one's own is meant");
    assert_eq!(it.blue(Method::GET, "/v1/schemas/invoice", None).await.json()["built_in"], true);
}

#[tokio::test]
async fn schemas_are_listed_in_pages_with_the_built_in_ones_at_the_end() {
    let it = teams().await;
    for (name, visibility) in [("a", "private"), ("b", "public"), ("c", "private")] {
        it.create(PATH, &new(name, visibility)).await;
    }
    let (mut path, mut seen) = (format!("{PATH}?limit=2"), Vec::new());
    for page in 0.. {
        let list = it.get(&path).await.json();
        seen.extend(ids(&list));
        assert!(page < 10 && list["data"].as_array().unwrap().len() <= 2, "{list}");
        let Some(next) = list["next"].as_str() else { break };
        path = format!("{PATH}?limit=2&after={next}");
    }
    let built_in = library::all().iter().map(|schema| format!("{}@{}", schema.name(), schema.version()));
    let own = ["c@1.0.0", "b@1.0.0", "a@1.0.0"].map(str::to_owned);
    assert_eq!(seen, own.into_iter().chain(built_in.clone()).collect::<Vec<_>>());
    let all = it.blue(Method::GET, &format!("{PATH}?limit=100"), None).await.json();
    assert_eq!(ids(&all), std::iter::once("b@1.0.0".to_owned()).chain(built_in).collect::<Vec<_>>());
    assert_eq!(ids(&it.get(&format!("{PATH}?search=VOIC")).await.json()), ["invoice@1.0.0"]);
    assert_eq!(ids(&it.get(&format!("{PATH}?visibility=private")).await.json()), ["c@1.0.0", "a@1.0.0"]);
    for query in ["visibility=secret", "limit=0", "after=x", "serach=x", "search=a&search=b"] {
        assert_eq!(it.get(&format!("{PATH}?{query}")).await.problem(), (400, "invalid_request".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn another_teams_public_schema_of_a_built_in_name_is_neither_found_nor_listed() {
    let it = teams().await;
    for name in ["invoice", "extraction", "own"] {
        it.create(PATH, &new(name, "public")).await;
    }
    for path in ["/v1/schemas/invoice", "/v1/schemas/invoice@1"] {
        assert_eq!(it.blue(Method::GET, path, None).await.json()["built_in"], true, "{path}");
    }
    let versions = it.blue(Method::GET, "/v1/schemas/invoice/versions", None).await.json();
    assert_eq!((ids(&versions).len(), &versions["data"][0]["built_in"]), (1, &json!(true)), "{versions}");
    let first = it.blue(Method::GET, &format!("{PATH}?limit=1"), None).await.json();
    assert_eq!(ids(&first), ["own@1.0.0"]);
    let path = format!("{PATH}?limit=2&after={}", first["next"].as_str().unwrap());
    let rest = it.blue(Method::GET, &path, None).await.json();
    let is_built_in = |entry: &Value| entry["built_in"] == true;
    assert!(ids(&rest).len() == 2 && rest["data"].as_array().unwrap().iter().all(is_built_in), "{rest}");
}

#[tokio::test]
async fn a_teams_own_schema_of_a_built_in_name_has_its_own_versions_alone() {
    let it = teams().await;
    let mut own = new("extraction", "private");
    own["version"] = json!("2.0.0");
    it.create(PATH, &own).await;
    assert_eq!(ids(&it.get("/v1/schemas/extraction/versions").await.json()), ["extraction@2.0.0"]);
    for path in ["/v1/schemas/extraction@1", "/v1/schemas/extraction@1/versions"] {
        assert_eq!(it.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
    let theirs = it.blue(Method::GET, "/v1/schemas/extraction@1/versions", None).await.json();
    assert_eq!(theirs["data"][0]["built_in"], true, "{theirs}");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_schema_is_said_at_once() {
    let it = teams().await;
    let body = json!({ "name": "a b", "description": 1, "visibility": "all", "version": "1", "shcema": {} });
    let refused = it.red(Method::POST, PATH, Some(&body)).await;
    assert_eq!(refused.problem(), (400, "invalid_request".to_owned()));
    let places = ["#/name", "#/description", "#/visibility", "#/version", "#/schema", "#/shcema"];
    assert_eq!(refused.places(), places);
    let broken = json!({ "name": "a", "schema": schema(json!({ "type": "nubmer" })) });
    let refused = it.red(Method::POST, PATH, Some(&broken)).await;
    assert_eq!(refused.problem(), (400, "invalid_schema".to_owned()));
    assert_eq!(refused.places(), ["#/schema/properties/total/type"]);
    assert_eq!(it.with(Method::POST, PATH, ("content-type", "text/plain")).await.problem().0, 415);
    for path in ["/v1/schemas/a?x=1", "/v1/schemas/invoice?x=1", "/v1/schemas/invoice/versions?x=1"] {
        assert!([400, 404].contains(&it.get(path).await.problem().0), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_fails_forgets_nothing() {
    let it = Teams::new([FakeModel::says(r#"{"total":1}"#), FakeModel::says(r#"{"total":1}"#)]).await;
    let etag = it.create(PATH, &new("order", "private")).await.header("etag").to_owned();
    let ask = json!({ "prompt": "3 chairs for 20", "schema_id": "order" });
    assert_eq!(it.red(Method::POST, "/v1/analyze", Some(&ask)).await.status, 200);
    let refused = [
        it.red(Method::POST, PATH, Some(&new("order", "private"))).await,
        it.put("/v1/schemas/order", "\"another\"", &json!({ "schema": schema(json!({ "type": "integer" })) })).await,
        it.with(Method::DELETE, "/v1/schemas/order", ("if-match", "\"another\"")).await,
    ];
    assert_eq!(refused.map(|answer| answer.problem().0), [409, 412, 412]);
    it.schemas.set_hanging(true);
    let began_at = Instant::now();
    assert_eq!(it.red(Method::POST, "/v1/analyze", Some(&ask)).await.status, 200);
    assert_eq!(began_at.elapsed(), Duration::ZERO, "nobody asks the store");
    it.schemas.set_hanging(false);
    let changed = json!({ "schema": schema(json!({ "type": "integer" })) });
    assert_eq!(it.put("/v1/schemas/order", &etag, &changed).await.status, 200);
    let answer = it.red(Method::POST, "/v1/analyze", Some(&ask)).await.json();
    assert_eq!(answer["schema"], "order@2.0.0", "it is looked up anew");
}

#[tokio::test(start_paused = true)]
async fn a_request_does_not_wait_longer_for_the_store_than_it_has_time() {
    let it = teams().await;
    it.schemas.set_hanging(true);
    let ask = json!({ "prompt": "3 chairs for 20", "schema_id": "order", "options": { "timeout": "2s" } });
    let began_at = Instant::now();
    let answer = it.red(Method::POST, "/v1/analyze", Some(&ask)).await;
    assert_eq!(answer.problem(), (504, "deadline_exceeded".to_owned()));
    assert_eq!(began_at.elapsed(), Duration::from_secs(2));
}

#[tokio::test]
async fn a_store_that_is_away_is_said() {
    let it = teams().await;
    it.schemas.set_away(Some("gone"));
    for (method, path, body) in [
        (Method::GET, PATH, None),
        (Method::GET, "/v1/schemas/a", None),
        (Method::GET, "/v1/schemas/a/versions", None),
        (Method::POST, PATH, Some(new("a", "private"))),
        (Method::DELETE, "/v1/schemas/a", None),
    ] {
        let answer = it.red(method, path, body.as_ref()).await;
        assert_eq!(answer.problem(), (503, "store_unavailable".to_owned()), "{path}");
    }
}
