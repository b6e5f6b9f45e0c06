//! The OpenAPI document is true: what it says of the program holds when the program is asked.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use structured_prompt::http::v1::openai::other_parameters::REFUSED;

use super::program::{Answer, send};
use super::service::{Operation, Service};

/// No member has this name, or one that is nearly this.
const NO_MEMBER: &str = "____________________";

#[test]
fn every_example_is_accepted_and_answered_as_the_document_says() {
    let mut it = Service::start();
    // The id that this client gives its requests.
    it.created.insert("/v1/requests".to_owned(), "the-test".to_owned());
    for operation in it.operations() {
        let name = operation.name();
        let answer = it.send_until_it_is_there(&operation);
        let documented = &operation.says["responses"][answer.status.to_string()];
        assert!((200..300).contains(&answer.status) && !documented.is_null(), "{name}: {answer:?}");
        let (content_type, content) =
            documented["content"].as_object().and_then(|all| all.iter().next()).expect("content");
        assert!(answer.headers.contains(&format!("content-type: {content_type}")), "{name}: {answer:?}");
        let errors = it.errors(&content["schema"], &answer.body);
        assert!(errors.is_empty(), "{name}: {errors:?} {answer:?}");
        for header in documented["headers"].as_object().expect("headers").keys() {
            let is_there = answer.headers.contains(&format!("\r\n{}: ", header.to_ascii_lowercase()));
            assert!(is_there, "{name}: {header} {answer:?}");
        }
        if let (201, Some(id)) = (answer.status, answer.body["id"].as_str()) {
            // What has versions is changed under its name.
            let name = answer.header("location").rsplit('/').next().filter(|name| !name.is_empty());
            it.created.insert(operation.path.clone(), name.unwrap_or(id).to_owned());
        }
    }
}

#[test]
fn the_members_of_every_body_are_those_that_the_program_reads() {
    let it = Service::start();
    let mut compared = 0;
    for operation in it.operations() {
        let schema = &operation.says["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_null() {
            compared += compare_members(&it, &operation, &mut Vec::new(), schema);
        }
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn the_parameters_of_every_query_are_those_that_the_program_reads() {
    let it = Service::start();
    for operation in it.operations().into_iter().filter(|operation| !it.key_of(operation).is_empty()) {
        let name = operation.name();
        let parameters = operation.says["parameters"].as_array().into_iter().flatten();
        let in_query = parameters.filter(|parameter| parameter["in"] == "query");
        let documented: Vec<&str> = in_query.map(|parameter| parameter["name"].as_str().expect("a name")).collect();
        let path = it.path(&operation);
        let path = format!("{}?{NO_MEMBER}=1", path.split('?').next().unwrap_or_default());
        let (headers, body) = (it.headers(&operation, it.key_of(&operation)), operation.example().to_string());
        let answer = send(it.program.address(), &operation.method, &path, &headers, &body);
        let known = if documented.is_empty() { "none".to_owned() } else { format!("?{}", documented.join(", ?")) };
        let says = answer.body.to_string();
        assert!(answer.status == 400 && says.contains(&format!("this route has {known}\"")), "{name}: {answer:?}");
    }
}

/// Compares the members at a place of a body, and of the objects below; returns how many objects these are.
fn compare_members(it: &Service, operation: &Operation, place: &mut Vec<(String, Value)>, schema: &Value) -> usize {
    let path: Vec<_> = place.iter().map(|(member, _)| member.as_str()).collect();
    let name = format!("{} at {path:?}", operation.name());
    let Some(members) = it.resolve(schema)["properties"].as_object() else { return 0 };
    // What a reader needs to know before it reads the rest.
    let mut object = Map::new();
    for member in it.resolve(schema)["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let words = &it.resolve(&members[member])["enum"];
        object.extend(words.get(0).map(|word| (member.to_owned(), word.clone())));
    }
    let object = Value::Object(object);
    let with = |object: &Value, member: &str, value| {
        let mut object = object.clone();
        object[member] = value;
        object
    };
    let body = with(&object, NO_MEMBER, json!(0));
    let body = place.iter().rev().fold(body, |body, (member, parent)| with(parent, member, body));
    let answer = it.send(operation, it.key_of(operation), &body);
    let mut read: BTreeSet<&str> = members_in(&answer).unwrap_or_else(|| panic!("{name}: {answer:?}"));
    if operation.path == "/v1/chat/completions" {
        read.retain(|member| REFUSED.iter().all(|(refused, _)| refused != member));
    }
    assert_eq!(members.keys().map(String::as_str).collect::<BTreeSet<_>>(), read, "{name}");
    assert_eq!(it.resolve(schema)["additionalProperties"], false, "{name}");
    let mut compared = 1;
    for (member, schema) in members {
        place.push((member.clone(), object.clone()));
        compared += compare_members(it, operation, place, schema);
        place.pop();
    }
    compared
}

/// The members that an error names because another was sent.
fn members_in(answer: &Answer) -> Option<BTreeSet<&str>> {
    let details = answer.body["errors"].as_array().into_iter().flatten().map(|error| &error["detail"]);
    let mut texts = details.chain([&answer.body["error"]["message"]]).filter_map(Value::as_str);
    let (_, names) = texts.find_map(|text| text.split_once("there is no such field; there are "))?;
    Some(names.split(';').next()?.split(", ").collect())
}
