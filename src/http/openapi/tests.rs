//! The document agrees with the router, and with itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::http::endpoint::ENDPOINTS;
use crate::http::testing::{Api, parts};

/// What is for people: the document itself, and the pages that show it.
const PAGES: [&str; 7] = ["/openapi.json", "/docs", "/docs/", "/docs/{file}", "/redoc", "/redoc/", "/redoc/{file}"];
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn json_document() -> Value {
    serde_json::from_str(&document()).unwrap()
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            found.push((path.clone(), method.clone(), operation));
        }
    }
    found
}

/// A response, which several operations may share.
fn resolve<'a>(document: &'a Value, response: &'a Value) -> &'a Value {
    let shared = response["$ref"].as_str().map(|place| document.pointer(&place[1..]).unwrap());
    shared.unwrap_or(response)
}

fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    jsonschema::options().build(&schema).unwrap()
}

#[test]
fn the_snapshot_in_the_documentation_is_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let snapshot = fs::read_to_string(path).unwrap_or_default();
    assert!(
        snapshot == document(),
        "docs/openapi.json is not what the code says; write it with `cargo run -- openapi > docs/openapi.json`, \
         and read the difference as a client would"
    );
}

#[test]
fn every_route_has_a_name_and_every_one_that_is_no_page_is_in_the_document() {
    let mut routes = BTreeSet::new();
    for file in ["router.rs", "pages.rs"] {
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http").join(file)).unwrap();
        for call in source.split(".route(").skip(1) {
            routes.insert(call.split('"').nth(1).unwrap().to_owned());
        }
    }
    // What ends a path has another form in the router.
    let named: BTreeSet<_> = ENDPOINTS.iter().map(|name| name.replace("{*", "{")).collect();
    let routes: BTreeSet<_> = routes.into_iter().map(|route| route.replace("{*", "{")).collect();
    assert_eq!(routes, named, "endpoint.rs names every route");
    let document = json_document();
    let documented = document["paths"].as_object().unwrap().keys().cloned();
    assert_eq!(
        documented.chain(PAGES.map(str::to_owned)).collect::<BTreeSet<_>>(),
        named,
        "openapi.rs lists every handler"
    );
}

#[tokio::test]
async fn every_path_takes_the_methods_that_the_document_says_and_no_others() {
    let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let document = json_document();
    for (path, method, _) in operations(&document) {
        let methods = documented.entry(path).or_default();
        methods.insert(method.to_uppercase());
        if method == "get" {
            methods.insert("HEAD".to_owned());
        }
    }
    let api = Api::new(parts(&[]));
    for (path, methods) in documented {
        let answer = api.request("TRACE", &path.replace(['{', '}'], "")).await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed: BTreeSet<_> = answer.header("allow").split(',').map(str::to_owned).collect();
        assert_eq!(allowed, methods, "{path}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_tag_that_is_explained() {
    let document = json_document();
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone().to_string()).collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 8), "{place}");
        assert!(tags.contains(&operation["tags"][0].to_string()), "{place}: {}", operation["tags"]);
        assert!(!operation["description"].to_string().contains("# Errors"), "{place}");
    }
}

#[test]
fn every_operation_has_examples_that_are_valid_against_their_schemas() {
    let document = json_document();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        let mut contents = Vec::new();
        if let Some(body) = operation.get("requestBody") {
            contents.push(&body["content"]["application/json"]);
        }
        let good = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
        contents.extend(
            good.flat_map(|(_, response)| response["content"].as_object().into_iter().flat_map(|it| it.values())),
        );
        assert!(!contents.is_empty(), "{place} says nothing of its answer");
        for content in contents {
            let example = content.get("example").unwrap_or_else(|| panic!("{place} has no example: {content}"));
            let errors: Vec<_> =
                validator(&document, &content["schema"]).iter_errors(example).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{place}: {errors:?}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let Some(example) = parameter.get("example") else {
                assert_eq!(parameter["required"], false, "{place}: {parameter} needs an example");
                continue;
            };
            assert!(validator(&document, &parameter["schema"]).is_valid(example), "{place}: {parameter}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| collect(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = json_document();
    let mut used = BTreeSet::new();
    collect(&document, &mut used);
    let mut existing = BTreeSet::new();
    for kind in ["schemas", "headers", "responses"] {
        existing.extend(
            document["components"][kind].as_object().unwrap().keys().map(|name| format!("#/components/{kind}/{name}")),
        );
    }
    assert_eq!(used, existing);
}

#[test]
fn every_answer_that_is_none_is_a_problem_except_those_of_health_and_in_openais_format() {
    let document = json_document();
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolve(&document, response);
            assert!(response["headers"]["x-request-id"].is_object(), "{method} {path} {status}");
            let content = response["content"].as_object().unwrap();
            let is_health = path.starts_with("/v1/health") && status == "503";
            if status.starts_with(['4', '5']) && !is_health {
                let (content_type, name) = match operation["tags"][0].as_str() {
                    Some("OpenAI") => ("application/json", "OpenAiErrorBody"),
                    _ => ("application/problem+json", "Problem"),
                };
                let schema = &content[content_type]["schema"];
                let place = format!("#/components/schemas/{name}");
                assert_eq!(schema, &json!({ "$ref": place }), "{method} {path} {status}");
            }
        }
    }
}
