use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::cpu_time::CpuTime;

mod choice;

/// The only object in an answer.
fn only(text: &str) -> Candidate {
    let reading = parse_answer(text);
    let [candidate] = reading.candidates.as_slice() else { panic!("{text}: {reading:?}") };
    candidate.clone()
}

/// Why there is no object in an answer.
fn failure_of(text: &str) -> Failure {
    let reading = parse_answer(text);
    assert!(reading.candidates.is_empty(), "{text}: {reading:?}");
    reading.failure.expect("a reason")
}

#[test]
fn the_object_is_found_wherever_it_is() {
    let cases = [
        ("{\"a\":1}", Form::Bare),
        (" \u{FEFF}\n{\"a\":1}\n", Form::Bare),
        ("```json\n{\"a\":1}\n```", Form::Fenced),
        ("```\n{\"a\":1}```", Form::Fenced),
        ("```JSON5 {\"a\":1} ```", Form::Fenced),
        ("Here you are:\n\n```json\n{\"a\":1}\n```\nAnything else?", Form::Fenced),
        ("Sure! {\"a\":1} Hope that helps.", Form::Embedded),
        ("The {name} field, as in [1], is: {\"a\":1}", Form::Embedded),
        ("It's {\"a\":1}", Form::Embedded),
        ("<json>{\"a\":1}</json>", Form::Embedded),
        ("{{\"a\":1}}", Form::Embedded),
        ("See [{name}] for {\"a\":1}", Form::Embedded),
        ("{\"a\":1,}", Form::Repaired),
        ("```json\n{\"a\":1 ,\n }\n```", Form::Repaired),
        ("{\"a\":1, // {\"a\":2}\n}", Form::Repaired),
        ("{ /* \"one } */ \"a\":1}", Form::Repaired),
    ];
    for (text, form) in cases {
        let candidate = only(text);
        assert_eq!((candidate.value, candidate.form), (json!({"a": 1}), form), "{text}");
    }
}

#[test]
fn brackets_and_quotes_within_strings_do_not_count() {
    for value in ["}", "{", "]", "\\", "\"", "```", "a,}", ",]", "\\\"}", "日本}語", "//", "/*", "<think>", "</think>"]
    {
        let object = json!({"a": value, "b": [value]});
        for text in [object.to_string(), format!("```json\n{object:#}\n```"), format!("Here: {object} so.")] {
            assert_eq!(only(&text).value, object, "{text}");
        }
    }
}

#[test]
fn slips_without_doubt_are_mended() {
    for (text, wanted) in [
        ("{\"a\":\"one\ntwo\tthree\"}", json!({"a": "one\ntwo\tthree"})),
        ("```json\n{\n  \"a\": \"one\r\n\r\ntwo\"\n}\n```", json!({"a": "one\r\n\r\ntwo"})),
        ("{\"a\":\"\u{1}\",\"b\":[\"\u{1b}[0m\"]}", json!({"a": "\u{1}", "b": ["\u{1b}[0m"]})),
        (r#"{"a":"it\'s"}"#, json!({"a": "it's"})),
        ("{\n\u{a0}\u{a0}\"a\":\u{202f}\"\u{a0}\"\n}", json!({"a": "\u{a0}"})),
        (r#"{"a":True,"b":None}"#, json!({"a": true, "b": null})),
        ("{\"a\":\"one\ntwo\",\"b\":[1,],}", json!({"a": "one\ntwo", "b": [1]})),
        ("{\"a\":\"one\ntwo\",\"b\":[1,2]", json!({"a": "one\ntwo", "b": [1, 2]})),
    ] {
        let candidate = only(text);
        assert_eq!((candidate.value, candidate.form), (wanted, Form::Repaired), "{text}");
    }
}

#[test]
fn one_missing_bracket_is_added_if_nothing_is_cut() {
    for text in [
        "{\"a\":\"x\"",
        "{\"a\":[1,2]",
        "{\"a\":{\"b\":true}",
        "```json\n{\"a\":null\n```",
        "{\"a\":\"x\"\n",
        "{\"a\":[1,],\"b\":false",
    ] {
        assert_eq!(only(text).form, Form::Repaired, "{text}");
        assert!(!parse_answer(text).is_whole(), "a provider that says it was cut is believed: {text}");
    }
    let cut = [
        "{",
        "{\"",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":12.",
        "{\"a\":\"x",
        "{\"a\":\"x\",",
        "{\"a\":\"x\",\"b\"",
        "{\"a\":\"x\\\"",
        "{\"a\":[\"x\"",
        "{\"a\":[{\"b\":1}",
        "{\"a\":tru",
        "{\"a\":nul",
        "```json\n{\"a\":\"x\",\n\"b\":",
        "Sure: {\"a\": \"x",
        "{\"a\":[\"x\"}",
        "[{\"a\":1}, {\"a\":2",
        "Sure: [{\"a\":1",
    ];
    for text in cut {
        let code = failure_of(text).code;
        assert!(matches!(code, Code::AnswerTruncated), "{text}: {code}");
    }
}

#[test]
fn no_object_is_no_answer() {
    for text in [
        "",
        "   ",
        "I cannot help with that.",
        "{name} and {other}",
        "{'a': 1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{,}",
        "{\"a\":\"\\d\"}",
        "{\"a\":\"one\\\ntwo\"}",
        "{\"a\":undefined}",
        "```json\n```",
    ] {
        assert_eq!(failure_of(text).code, Code::AnswerNotJson, "{text}");
    }
}

#[test]
fn json_that_must_not_be_used_is_refused() {
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let endless = "{\"a\":".repeat(100_000);
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_ANSWER_BYTES));
    let many: String = (0..20).map(|number| format!("{{\"a\":{number}}} ")).collect();
    for text in [
        "[]",
        "[{\"a\":1}]",
        "[{\"a\":1}",
        "Here: [{\"a\":1}]",
        "<think>Hm.</think>[{\"a\":1}]",
        "\"{}\"",
        "1",
        "null",
        "true",
        "```json\n[{\"a\":1}]\n```",
        "{\"a\":1e500}",
        "{\"a\":-1e-1000000000}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":\"\n\",\"a\":2}",
        &deep,
        &endless,
        &huge,
        &many,
    ] {
        assert_eq!(failure_of(text).code, Code::AnswerInvalid, "{}", text.get(..40).unwrap_or(text));
    }
}

#[test]
fn a_repeated_name_is_named_by_its_pointer_and_nothing_is_quoted() {
    let failure = failure_of(r#"{"list": [{"x": 0}, {"a/b": {"k": "secret", "k": "secret"}}]}"#);
    assert!(failure.detail.contains("/list/1/a~1b/k ") && !failure.detail.contains("secret"), "{failure}");
    for text in ["secret", "{\"secret\": sec}", "{\"a\":\"secret", "[\"secret\"]", "<think>secret"] {
        assert!(!failure_of(text).detail.contains("secret"), "{text}");
    }
}

#[test]
fn numbers_keep_their_value() {
    let value = only("{\"a\":9007199254740993,\"b\":-5,\"c\":0.1,\"d\":18446744073709551615}").value;
    assert_eq!(value, json!({"a": 9_007_199_254_740_993_u64, "b": -5, "c": 0.1, "d": u64::MAX}));
}

#[test]
fn many_braces_and_marks_take_no_time() {
    let start = CpuTime::now();
    for text in [
        "{\"".repeat(500_000),
        "{".repeat(MAX_ANSWER_BYTES),
        "{x ".repeat(300_000),
        "{x} ".repeat(250_000),
        "[{".repeat(500_000),
        "{\"</think>".repeat(20_000),
        "</think>[".repeat(20_000),
        "<think>".repeat(20_000),
        "<think ".repeat(140_000),
        "[ ".repeat(500_000),
        "x: {} ".repeat(150_000),
        "/*{".repeat(300_000),
        "{/*".repeat(300_000),
        format!("{{\"a\":\"{}", "\n".repeat(1_000_000)),
        format!("{{\"a\":[{}", "1,".repeat(500_000)),
    ] {
        assert!(parse_answer(&text).candidates.len() <= 1, "{}", text.get(..40).unwrap_or(&text));
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}
