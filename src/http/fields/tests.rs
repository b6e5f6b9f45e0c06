use serde_json::json;

use super::*;
use crate::domain::json::number;

/// Reads `body` and returns the problem's places, each as `pointer: detail`.
fn errors_of(body: Value, read: impl FnOnce(&mut Fields<'_>)) -> Vec<String> {
    let errors = PlaceErrors::default();
    if let Some(mut fields) = Fields::of(body, Place::default(), &errors) {
        read(&mut fields);
        fields.finish();
    }
    errors.0.into_inner().into_iter().map(|PlaceError { pointer, detail }| format!("{pointer}: {detail}")).collect()
}

#[test]
fn everything_that_is_wrong_is_noted_at_once_with_its_place() {
    let body = json!({
        "text": 1, "empty": "", "flag": "yes", "number": 3, "integer": 1.5, "duration": 10, "choice": "d", "list": {},
        "inner": { "a~b/c": 1 },
    });
    let errors = errors_of(body, |fields| {
        assert_eq!(fields.text("text"), None);
        assert_eq!(fields.text("empty"), None);
        assert_eq!(fields.flag("flag"), None);
        assert_eq!(fields.number("number", 0.0..=2.0), None);
        assert_eq!(fields.integer("integer", 1..=9), None);
        assert_eq!(fields.duration("duration", Duration::ZERO..=Duration::MAX), None);
        assert_eq!(fields.choice("choice", &[("a", 1), ("b", 2)]), None);
        assert!(fields.list("list").is_none());
        fields.object("inner").unwrap().finish();
    });
    let pointers: Vec<_> = errors.iter().filter_map(|error| error.split(':').next()).collect();
    let expected = ["#/text", "#/empty", "#/flag", "#/number", "#/integer", "#/duration", "#/choice", "#/list"];
    assert_eq!(pointers, [&expected[..], &["#/inner/a~0b~1c"]].concat());
    assert_eq!(errors[6], "#/choice: expected one of \"a\", \"b\"");
}

#[test]
fn a_place_has_one_error_that_of_its_type_before_what_follows_from_it() {
    let errors = errors_of(json!({ "list": {}, "text": 1 }), |fields| {
        for name in ["list", "text"] {
            let is_missing = if name == "list" { fields.list("list").is_none() } else { fields.text("text").is_none() };
            assert!(is_missing);
            fields.error(name, "it is missing");
        }
        fields.error("other", "it is missing");
    });
    let expected = [
        "#/list: expected an array, found an object",
        "#/text: expected text, found a number",
        "#/other: it is missing",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn a_whole_number_may_be_written_with_a_point_or_an_exponent() {
    let body = json!({ "a": 2, "b": number("2.0"), "c": number("2e1"), "d": number("4294967297"), "e": -1 });
    let errors = errors_of(body, |fields| {
        let read = ["a", "b", "c", "d", "e"].map(|name| fields.integer(name, 1..=u32::MAX));
        assert_eq!(read, [Some(2), Some(2), Some(20), None, None]);
    });
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn null_is_the_same_as_nothing() {
    let errors = errors_of(json!({ "text": null, "flag": null }), |fields| {
        assert_eq!((fields.text("text"), fields.flag("flag"), fields.text("other")), (None, None, None));
    });
    assert_eq!(errors, [""; 0]);
}

#[test]
fn a_field_that_does_not_exist_is_refused_by_name() {
    let errors = errors_of(json!({ "promt": "x" }), |fields| drop(fields.text("prompt")));
    assert_eq!(errors, ["#/promt: there is no such field; did you mean \"prompt\"?"]);
    assert_eq!(errors_of(json!([]), |_| ()), ["#: expected an object, found an array"]);
}

#[test]
fn what_one_answer_lists_is_bounded() {
    let body: Map<String, Value> = (0..1000).map(|n| (format!("{n:03}").repeat(70), json!(n))).collect();
    let errors = errors_of(Value::Object(body), |fields| drop(fields.text("prompt")));
    assert_eq!(errors.len(), MAX_ERRORS);
    assert!(errors.iter().all(|error| error.len() < 200), "{errors:?}");
}
