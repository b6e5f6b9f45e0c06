use proptest::prelude::*;
use serde_json::json;

use super::*;

fn form_of(text: &str) -> Form {
    parse_answer(text).unwrap_or_else(|failure| panic!("{text}: {failure}")).form
}

fn code_of(text: &str) -> Code {
    match parse_answer(text) {
        Ok(parsed) => panic!("{text}: {parsed:?}"),
        Err(failure) => failure.code,
    }
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
        ("{\"a\":1} {\"b\":2}", Form::Embedded),
        ("{\"a\":1,}", Form::Repaired),
        ("```json\n{\"a\":1 ,\n }\n```", Form::Repaired),
    ];
    for (text, form) in cases {
        let parsed = parse_answer(text).unwrap_or_else(|failure| panic!("{text}: {failure}"));
        assert_eq!((parsed.value, parsed.form), (json!({"a": 1}), form), "{text}");
    }
}

#[test]
fn brackets_and_quotes_within_strings_do_not_count() {
    for value in ["}", "{", "]", "\\", "\"", "```", "a,}", ",]", "\\\"}", "日本}語"] {
        let object = json!({"a": value, "b": [value]});
        for text in [object.to_string(), format!("```json\n{object:#}\n```"), format!("Here: {object} so.")] {
            assert_eq!(parse_answer(&text).unwrap().value, object, "{text}");
        }
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
        assert_eq!(form_of(text), Form::Repaired, "{text}");
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
    ];
    for text in cut {
        let code = code_of(text);
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
        "{\"a\":\"\n\"}",
        "{\"a\":undefined}",
        "```json\n```",
    ] {
        assert_eq!(code_of(text), Code::AnswerNotJson, "{text}");
    }
}

#[test]
fn json_that_must_not_be_used_is_refused() {
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let endless = "{\"a\":".repeat(100_000);
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_ANSWER_BYTES));
    for text in [
        "[]",
        "[{\"a\":1}]",
        "\"{}\"",
        "1",
        "null",
        "true",
        "```json\n[{\"a\":1}]\n```",
        "{\"a\":1e500}",
        "{\"a\":-1e-1000000000}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        &deep,
        &endless,
        &huge,
    ] {
        assert_eq!(code_of(text), Code::AnswerInvalid, "{}", text.get(..40).unwrap_or(text));
    }
}

#[test]
fn a_repeated_name_is_named_by_its_pointer_and_nothing_is_quoted() {
    let failure = parse_answer(r#"{"list": [{"x": 0}, {"a/b": {"k": "secret", "k": "secret"}}]}"#).unwrap_err();
    assert!(failure.detail.contains("/list/1/a~1b/k ") && !failure.detail.contains("secret"), "{failure}");
    for text in ["secret", "{\"secret\": sec}", "{\"a\":\"secret", "[\"secret\"]"] {
        assert!(!parse_answer(text).unwrap_err().detail.contains("secret"), "{text}");
    }
}

#[test]
fn numbers_keep_their_value() {
    let value = parse_answer("{\"a\":9007199254740993,\"b\":-5,\"c\":0.1,\"d\":18446744073709551615}").unwrap().value;
    assert_eq!(value, json!({"a": 9_007_199_254_740_993_u64, "b": -5, "c": 0.1, "d": u64::MAX}));
}

#[test]
fn many_braces_in_prose_take_no_time() {
    let start = std::time::Instant::now();
    for text in ["{\"".repeat(500_000), "{".repeat(MAX_ANSWER_BYTES), "{x ".repeat(300_000), "{x} ".repeat(250_000)] {
        assert!(parse_answer(&text).is_err());
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}

fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}|[{}\\[\\],\"\\\\`:\n]{0,8}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c{}\",`]{0,3}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("\\PC{0,4}", value, 0..4).prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|[{}\\[\\],\":\\\\`\n]|\"a\":|true|```json|1){0,60}") {
        let _outcome = parse_answer(&text);
    }

    #[test]
    fn any_object_survives_its_wrapping(object in any_object()) {
        let bare = parse_answer(&object.to_string()).unwrap();
        prop_assert_eq!((&bare.value, bare.form), (&object, Form::Bare));
        let fenced = parse_answer(&format!("```json\n{object:#}\n```")).unwrap();
        prop_assert_eq!((&fenced.value, fenced.form), (&object, Form::Fenced));
        let embedded = parse_answer(&format!("Certainly: {object} Anything else?")).unwrap();
        prop_assert_eq!((&embedded.value, embedded.form), (&object, Form::Embedded));
    }

    #[test]
    fn a_cut_answer_is_never_taken_for_another(object in any_object(), cut in any::<prop::sample::Index>()) {
        let text = object.to_string();
        let end = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        if let Ok(parsed) = parse_answer(&text[..end]) {
            prop_assert_eq!(parsed.form, Form::Repaired);
        }
    }
}
