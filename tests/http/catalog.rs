//! Schemas and templates that teams keep, in the real program on both databases.

use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Answer, Program, send};
use super::servers::Postgres;
use super::wait_until;

fn schema(total: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": { "total": total } })
}

/// A request of whoever has the key.
fn request(program: &Program, method: &str, path: &str, key: &str, headers: &str, body: &Value) -> Answer {
    let headers = format!("authorization: Bearer {key}\r\n{headers}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(program.address(), method, path, &headers, &body)
}

/// The public schema and the private template `order` are kept by the team `red`.
fn commands_show_what_is_kept_and_where_it_is_from(program: &Program) {
    let show = |args: &str, team: &str| {
        program.command(&[&args.split(' ').collect::<Vec<_>>()[..], &["--team", team]].concat())
    };
    let line = |list: &str, id: &str| {
        let line = list.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("{id} is not in {list}"));
        line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")
    };
    let (of_red, of_blue) = (show("schema list", "red"), show("schema list", "blue"));
    assert_eq!(line(&of_red, "order@"), "order@1.0.0 public");
    assert_eq!(line(&of_blue, "order@"), "order@1.0.0 public, of red");
    assert_eq!(line(&of_blue, "invoice@"), "invoice@1.0.0 built-in The facts");
    let listed: Vec<Value> =
        show("schema list --json", "blue").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let order = listed.iter().find(|entry| entry["id"] == "order@1.0.0").expect("it is listed");
    assert_eq!((&order["team"], &order["built_in"], order.get("schema")), (&json!("red"), &json!(false), None));
    let json = |args: &str| serde_json::from_str::<Value>(&show(args, "blue")).expect("JSON");
    assert_eq!(json("schema show order@1"), schema(json!({ "type": "number" })));
    assert_eq!(json("schema show order --json")["schema"], json("schema show order"));
    assert_eq!(json("schema show invoice --json")["built_in"], true);
    assert!(show("schema compile order --provider openai", "blue").contains("total"));

    let template = show("template show order", "red");
    for part in ["template: order\n", "text: \"{{ data.text }}\"", "schema: order@1\n", "Find the total of: {{ text }}"]
    {
        assert!(template.contains(part), "{part} is not in {template}");
    }
    let of_red = show("template list", "red");
    assert!(line(&of_red, "order@").starts_with("order@1.0.0 private"), "{of_red}");
    assert!(of_red.lines().any(|line| line.starts_with("order@") && line.ends_with("(text)")), "{of_red}");
    assert!(!show("template list --json", "blue").contains("order@"), "it is private");
}

fn a_schema_is_kept_named_changed_and_removed(url: &str) {
    let program = Program::start(&format!("http: {{ listen: \"127.0.0.1:0\" }}\nstore: {{ url: \"{url}\" }}\n"));
    let key = |team: &str| program.command(&["key", "create", "--name", "mine", "--team", team]);
    let (red, blue) = (key("red"), key("blue"));
    let ask = |method: &str, path: &str, key: &str, headers: &str, body: &Value| {
        request(&program, method, path, key, headers, body)
    };
    let none = &Value::Null;
    let kept = json!({ "name": "order", "visibility": "public", "schema": schema(json!({ "type": "number" })) });
    let made = ask("POST", "/v1/schemas", &red, "idempotency-key: one\r\n", &kept);
    assert_eq!((made.status, &made.body["id"]), (201, &json!("order@1.0.0")), "{made:?}");
    assert!(made.headers.contains("\r\nlocation: /v1/schemas/order\r\n"), "{made:?}");
    let again = ask("POST", "/v1/schemas", &red, "idempotency-key: one\r\n", &kept);
    assert_eq!((again.status, &again.body, again.header("etag")), (201, &made.body, made.header("etag")), "{again:?}");
    assert_eq!(ask("POST", "/v1/schemas", &red, "", &kept).status, 409);
    let template = json!({
        "name": "order", "template": "Find the total of: {{ text }}", "schema_id": "order@1",
        "parameters": [{ "name": "text" }],
    });
    assert_eq!(ask("POST", "/v1/templates", &red, "", &template).status, 201);
    let analyze = json!({ "template_id": "order", "parameters": { "text": "Total: 119.00 EUR" } });
    let answer = ask("POST", "/v1/analyze", &red, "", &analyze);
    assert_eq!(
        (&answer.body["schema"], &answer.body["template"]),
        (&json!("order@1.0.0"), &json!("order@1.0.0")),
        "{answer:?}"
    );
    let of_blue = json!({ "prompt": "Total: 119.00 EUR", "schema_id": "order" });
    assert_eq!(ask("POST", "/v1/analyze", &blue, "", &of_blue).body["schema"], "order@1.0.0", "it is public");
    assert_eq!(ask("POST", "/v1/analyze", &blue, "", &analyze).status, 400, "the template is not");
    commands_show_what_is_kept_and_where_it_is_from(&program);

    let change = json!({ "schema": schema(json!({ "type": "integer" })) });
    let known = format!("if-match: {}\r\n", made.header("etag"));
    assert_eq!(ask("PUT", "/v1/schemas/order", &blue, &known, &change).status, 403);
    assert_eq!(ask("PUT", "/v1/schemas/order", &red, "", &change).status, 428);
    let changed = ask("PUT", "/v1/schemas/order", &red, &known, &change);
    assert_eq!((changed.status, &changed.body["version"]), (200, &json!("2.0.0")), "{changed:?}");
    assert_eq!(ask("PUT", "/v1/schemas/order", &red, &known, &change).status, 412);
    assert_eq!(ask("POST", "/v1/analyze", &blue, "", &of_blue).body["schema"], "order@2.0.0");
    let versions = ask("GET", "/v1/schemas/order/versions", &blue, "", none).body;
    let versions: Vec<_> = versions["data"].as_array().expect("a list").iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, ["2.0.0", "1.0.0"]);
    let listed = ask("GET", "/v1/schemas?search=ORD&visibility=public", &blue, "", none).body;
    assert_eq!(listed["data"][0]["id"], "order@2.0.0", "{listed}");

    // Another process notices that the name means something else.
    let second = Program::start_beside(&program);
    let seen = |key: &str| request(&second, "POST", "/v1/analyze", key, "", &of_blue);
    assert_eq!(seen(&blue).body["schema"], "order@2.0.0");
    assert_eq!(ask("DELETE", "/v1/schemas/order", &red, "", none).status, 200);
    assert_eq!(ask("GET", "/v1/schemas/order", &red, "", none).status, 404);
    wait_until("the other process", Duration::from_secs(30), || match seen(&blue).status {
        400 => Ok(()),
        status => Err(format!("{status}")),
    });
}

#[test]
fn a_schema_is_kept_named_changed_and_removed_on_sqlite() {
    a_schema_is_kept_named_changed_and_removed("sqlite://catalog.db");
}

#[test]
fn a_schema_is_kept_named_changed_and_removed_on_postgres() {
    let postgres = Postgres::migrated();
    a_schema_is_kept_named_changed_and_removed(&postgres.url());
}
