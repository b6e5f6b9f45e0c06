use axum::http::Method;
use serde_json::{Value, json};

use crate::http::v1::catalog::testing::{Teams, ids};
use crate::ports::model::FakeModel;
use crate::prompt::library;

const PATH: &str = "/v1/templates";

fn greeting() -> Value {
    json!({
        "name": "greeting", "description": "Greets.", "template": "{{ greeting }}, {{ name }}!",
        "parameters": [{ "name": "greeting", "default": "Hello" }, { "name": "name", "description": "who" }],
    })
}

/// The same as the body of a change, edited.
fn changed(edit: impl FnOnce(&mut Value)) -> Value {
    let mut body = greeting();
    body.as_object_mut().unwrap().swap_remove("name");
    edit(&mut body);
    body
}

#[tokio::test]
async fn a_template_is_kept_seen_rendered_and_removed() {
    let it = Teams::new([]).await;
    let made = it.create(PATH, &greeting()).await;
    assert_eq!(made.header("location"), "/v1/templates/greeting");
    let seen = it.get("/v1/templates/greeting@1").await.json();
    assert_eq!((&seen["id"], &seen["template"]), (&json!("greeting@1.0.0"), &greeting()["template"]));
    let parameters = json!([
        { "name": "greeting", "description": "", "required": false, "default": "Hello" },
        { "name": "name", "description": "who", "required": true, "default": null },
    ]);
    assert_eq!((&seen["parameters"], &seen["schema_id"]), (&parameters, &Value::Null));
    let render = |parameters: Value| json!({ "parameters": parameters });
    let path = "/v1/templates/greeting/render";
    let rendered = it.red(Method::POST, path, Some(&render(json!({ "name": "{{ x }}" })))).await;
    let expected = json!({ "prompt": "Hello, {{ x }}!", "template": "greeting@1.0.0", "schema_id": null });
    assert_eq!(rendered.json(), expected);
    let wrong = it.red(Method::POST, path, Some(&render(json!({ "nmae": "you" })))).await;
    assert_eq!(
        (wrong.problem().0, wrong.places()),
        (400, vec!["#/parameters/nmae".to_owned(), "#/parameters/name".to_owned()])
    );
    assert!(wrong.text.contains("did you mean name?"), "{wrong:?}");
    assert_eq!(it.blue(Method::POST, path, Some(&render(json!({})))).await.problem(), (404, "not_found".to_owned()));
    assert_eq!(it.red(Method::DELETE, "/v1/templates/greeting", None).await.status, 200);
    assert_eq!(it.red(Method::POST, path, Some(&render(json!({})))).await.problem().0, 404);
}

#[tokio::test]
async fn a_version_of_a_template_says_whether_requests_still_work() {
    let it = Teams::new([]).await;
    let mut etag = it.create(PATH, &greeting()).await.header("etag").to_owned();
    let more = |parameter: Value| {
        changed(|it| {
            it["parameters"].as_array_mut().unwrap().push(parameter);
            it["template"] = json!("{{ greeting }}, {{ name }}! {{ more }}");
        })
    };
    let changes = [
        (changed(|it| it["template"] = json!("{{ greeting }} {{ name }}")), "1.0.1"),
        (more(json!({ "name": "more", "required": false })), "1.1.0"),
        (more(json!({ "name": "more" })), "2.0.0"),
        (changed(|_| {}), "3.0.0"),
        (changed(|it| it["schema_id"] = json!("extraction")), "3.0.1"),
        (changed(|it| it["schema_id"] = json!("invoice")), "4.0.0"),
    ];
    for (body, version) in changes {
        let made = it.put("/v1/templates/greeting", &etag, &body).await;
        assert_eq!((made.status.as_u16(), &made.json()["version"]), (200, &json!(version)), "{made:?}");
        made.header("etag").clone_into(&mut etag);
    }
    let mut body = more(json!({ "name": "more" }));
    (body["version"], body["schema_id"]) = (json!("4.1.0"), json!("invoice"));
    let refused = it.put("/v1/templates/greeting", &etag, &body).await;
    assert_eq!(refused.problem(), (409, "incompatible_schema".to_owned()));
    assert_eq!(refused.places(), ["#/parameters/2"]);
    assert_eq!(it.put("/v1/templates/greeting?force=true", &etag, &body).await.json()["version"], "4.1.0");
    assert_eq!(ids(&it.get("/v1/templates/greeting/versions").await.json()).len(), 8);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_template_is_said_with_its_place() {
    let it = Teams::new([]).await;
    let body = json!({
        "name": "a", "parameters": [{ "name": "1" }, { "name": "b", "required": true, "default": "x", "requried": 1 }, 1],
        "schmea_id": "x",
    });
    let refused = it.red(Method::POST, PATH, Some(&body)).await;
    assert_eq!(refused.problem(), (400, "invalid_request".to_owned()));
    let places = [
        "#/template",
        "#/parameters/0/name",
        "#/parameters/1/default",
        "#/parameters/1/requried",
        "#/parameters/2",
        "#/schmea_id",
    ];
    assert_eq!(refused.places(), places);
    let unusable = [
        (changed(|it| it["template"] = json!("{{ greeting }}\n{{ name }")), "#/template", "line 2"),
        (changed(|it| it["template"] = json!("{{ greeting }} {{ nmae }}")), "#/parameters/1", "did you mean nmae?"),
        (changed(|it| it["template"] = json!("{{ greeting }} {{ name }} {{ data }}")), "#/template", "data"),
        (changed(|it| it["parameters"] = json!([])), "#/parameters", "1 to 50"),
        (changed(|it| it["parameters"] = json!({ "name": "who" })), "#/parameters", "found an object"),
        (changed(|it| it["parameters"][1]["name"] = json!("greeting")), "#/parameters/1/name", "already"),
        (changed(|it| it["schema_id"] = json!("nothing")), "#/schema_id", "no such schema"),
    ];
    for (mut body, place, text) in unusable {
        body["name"] = json!("greeting");
        let refused = it.red(Method::POST, PATH, Some(&body)).await;
        assert_eq!(refused.problem(), (400, "invalid_request".to_owned()), "{body}");
        assert!(refused.places() == [place] && refused.text.contains(text), "{place}: {refused:?}");
    }
}

#[tokio::test]
async fn built_in_templates_are_listed_and_read_only() {
    let it = Teams::new([]).await;
    let list = it.get(PATH).await.json();
    assert_eq!(ids(&list).len(), library::all().len());
    let invoice = it.get("/v1/templates/invoice").await.json();
    assert_eq!((&invoice["built_in"], &invoice["schema_id"]), (&json!(true), &json!("invoice")));
    assert_eq!(it.red(Method::DELETE, "/v1/templates/invoice", None).await.problem(), (403, "forbidden".to_owned()));
    let body = json!({ "parameters": { "document": "No. 4711" } });
    let rendered = it.red(Method::POST, "/v1/templates/invoice/render", Some(&body)).await.json();
    assert!(rendered["prompt"].as_str().unwrap().contains("No. 4711"), "{rendered}");
}

#[tokio::test]
async fn another_teams_public_entries_of_built_in_names_are_not_those_of_requests() {
    let it = Teams::new((0..9).map(|_| FakeModel::says(r#"{"total":1}"#))).await;
    let schema = json!({ "type": "object", "title": "Taken over", "properties": { "total": { "type": "number" } } });
    it.create("/v1/schemas", &json!({ "name": "extraction", "visibility": "public", "schema": schema })).await;
    let template = |name: &str, text: &str| json!({ "name": name, "visibility": "public", "template": text, "parameters": [{ "name": "document" }] });
    it.create(PATH, &template("invoice", "Taken over: {{ document }}")).await;
    it.blue(Method::POST, PATH, Some(&template("mine", "Read: {{ document }}"))).await;
    let body = json!({ "parameters": { "document": "No. 4711" } });
    let rendered = it.blue(Method::POST, "/v1/templates/invoice/render", Some(&body)).await.json();
    assert!(!rendered["prompt"].as_str().unwrap().contains("Taken over"), "{rendered}");
    let ask = json!({ "template_id": "mine", "parameters": { "document": "one" } });
    let of_blue = it.blue(Method::POST, "/v1/analyze", Some(&ask)).await;
    let of_red = it.red(Method::POST, "/v1/analyze", Some(&ask)).await;
    assert_eq!(of_red.json()["data"], json!({ "total": 1 }), "red keeps this schema: {of_red:?}");
    assert_ne!(
        of_blue.json()["data"],
        json!({ "total": 1 }),
        "the built-in schema asks for something else: {of_blue:?}"
    );
}

#[tokio::test]
async fn a_request_names_what_its_team_keeps_in_the_version_that_is_the_latest() {
    let it = Teams::new((0..20).map(|_| FakeModel::says(r#"{"total":1}"#))).await;
    let schema = |total: Value| json!({ "type": "object", "properties": { "total": total }, "required": ["total"] });
    let kept = json!({ "name": "order", "schema": schema(json!({ "type": "number" })) });
    let etag = it.create("/v1/schemas", &kept).await.header("etag").to_owned();
    let template = json!({
        "name": "order", "template": "Read: {{ text }}", "parameters": [{ "name": "text" }], "schema_id": "order",
    });
    it.create(PATH, &template).await;
    let ask = json!({ "template_id": "order@1", "parameters": { "text": "one" } });
    let answer = it.red(Method::POST, "/v1/analyze", Some(&ask)).await.json();
    assert_eq!((&answer["schema"], &answer["template"]), (&json!("order@1.0.0"), &json!("order@1.0.0")), "{answer}");
    let changed = json!({ "schema": schema(json!({ "type": "integer" })) });
    assert_eq!(it.put("/v1/schemas/order", &etag, &changed).await.json()["version"], "2.0.0");
    let answer = it.red(Method::POST, "/v1/analyze", Some(&ask)).await.json();
    assert_eq!((&answer["schema"], &answer["cached"]), (&json!("order@2.0.0"), &json!(false)), "another question");
    let batch = json!({ "template_id": "order", "schema_id": "order@1", "prompts": ["one", "two", "two"] });
    let batch = it.red(Method::POST, "/v1/analyze/batch", Some(&batch)).await.json();
    assert_eq!((&batch["summary"]["successful"], &batch["summary"]["deduplicated"]), (&json!(3), &json!(1)), "{batch}");
    assert_eq!(batch["results"][0]["result"]["schema"], "order@1.0.0");
    for body in [json!({ "prompt": "x", "schema_id": "order" }), ask] {
        let refused = it.blue(Method::POST, "/v1/analyze", Some(&body)).await;
        assert_eq!(refused.problem(), (400, "invalid_request".to_owned()), "another team's");
    }
    it.schemas.set_away(Some("gone"));
    let unknown = json!({ "prompt": "x", "schema_id": "order@2.0" });
    assert_eq!(it.red(Method::POST, "/v1/analyze", Some(&unknown)).await.problem().0, 503, "never asked for before");
    let known = json!({ "template_id": "order", "parameters": { "text": "three" }, "schema_id": "order@1" });
    assert_eq!(it.red(Method::POST, "/v1/analyze", Some(&known)).await.status, 200, "what is known holds");
}
