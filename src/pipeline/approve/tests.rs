use serde_json::json;

use super::*;
use crate::ports::model::{FakeModel, ObjectLogprobs};

fn schema(is_open: bool) -> Schema {
    let schema = json!({
        "type": "object",
        "properties": { "label": { "enum": ["refund", "praise"] }, "text": { "type": "string" } },
        "required": if is_open { json!([]) } else { json!(["label"]) },
        "additionalProperties": is_open,
    });
    Schema::compile("ticket", "1.0.0", schema).unwrap()
}

fn reply(finish: Finish, text: &str) -> Reply {
    FakeModel::says(text).map(|reply| Reply { finish, ..reply }).unwrap()
}

fn expected(schema: &Schema) -> Expected<'_> {
    Expected { schema, bypass_validation: false, has_quotes: false }
}

fn of(text: &str) -> Result<Approved, Box<Disapproved>> {
    approve(expected(&schema(false)), &reply(Finish::Complete, text))
}

fn cut(text: &str) -> Result<Approved, Box<Disapproved>> {
    approve(expected(&schema(false)), &reply(Finish::Truncated, text))
}

fn beside(reasoning: bool, objects: u32) -> PassedOver {
    PassedOver { reasoning, objects }
}

#[test]
fn the_one_valid_object_is_the_answer() {
    for (text, passed_over) in [
        (r#"{"label":"refund"}"#, beside(false, 0)),
        (r#"<think>maybe {"label":"praise"}</think>{"label":"refund"}"#, beside(true, 0)),
        (r#"Schema: {"type":"object"} Answer: {"label":"refund"}"#, beside(false, 1)),
        (r#"{"label":"refund"} fits {"type":"object","properties":{ ... }}"#, beside(false, 1)),
        (r#"{"label":"happy"}? {"label":"refund"}! Not {"label":"sad"}, {"a":1,"a":2}."#, beside(false, 3)),
        (r#"{"label":"refund","text":"x"} or, again, {"text":"x","label":"refund"}"#, beside(false, 0)),
    ] {
        let approved = of(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!((&approved.data["label"], approved.passed_over), (&json!("refund"), passed_over), "{text}");
    }
}

#[test]
fn several_valid_objects_that_differ_are_none() {
    for (is_open, text) in [
        (false, r#"{"label":"refund"} {"label":"praise"}"#),
        (false, "```\n{\"label\":\"refund\"}\n```\n```\n{\"label\":\"refund\",\"text\":\"\"}\n```"),
        (true, r#"Schema: {"type":"object"} Answer: {"label":"refund"}"#),
    ] {
        let error = approve(expected(&schema(is_open)), &reply(Finish::Complete, text)).unwrap_err();
        assert_eq!(error.failure.code, Code::AnswerInvalid, "{text}");
        assert!(error.failure.detail.contains("2 different JSON objects"), "{}", error.failure);
        assert!(
            matches!(error.remedy, Remedy::Correct(rejected) if rejected.errors.contains("one JSON object")),
            "{text}"
        );
        assert_eq!(error.data, None, "nothing to relax");
    }
}

#[test]
fn a_valid_object_is_in_doubt_before_one_that_begins_the_same_and_cannot_be_read() {
    for later in [
        r#"{"label": refund}"#,
        r#"{'label':'refund'}"#,
        r#"{label: "refund"}"#,
        r#"{ label : refund }"#,
        "{“label”: “refund”}",
        r#"{"label: refund"}"#,
        r#"{'label': 'so "called'}"#,
        r#"{"la\u0062el": refund}"#,
        r#"{"label":"refund","label":"praise"}"#,
        r#"[{"label": refund}]"#,
        r#"{{label: "refund"}}"#,
        r#"{'label':'refund'} as in {"type":"object"}"#,
        "{text: refund}",
    ] {
        let text = format!(r#" Example: {{"label":"praise","text":""}} Answer: {later}"#);
        let error = of(&text).unwrap_err();
        assert_eq!(error.failure.code, Code::AnswerInvalid, "{text}: {}", error.failure);
        assert!(
            matches!(error.remedy, Remedy::Correct(rejected) if rejected.errors.contains("one JSON object")),
            "{text}"
        );
        assert_eq!(error.data, None, "nothing to relax");
    }
}

#[test]
fn what_cannot_be_read_is_harmless_before_the_answer_and_where_it_is_none() {
    for (text, objects) in [
        (r#"Not {'label': 'praise'}: {"label":"refund"}"#, 1),
        (r#"{"label":"refund"}, and not {label: praise}, so {"label":"refund"}"#, 1),
        (r#"{"label":"refund"} as {type: object}"#, 1),
        (r#"{"label":"refund"} of the names {"label", "text"}"#, 1),
        (r#"{"label":"refund"} { ... } {label} {x} { label } {label, text}"#, 0),
        (r#"{"label":"refund"}: fn f() { label::of({label:?}, {label:>5}) }"#, 0),
        (r#"{"label":"refund"} {it's} { label"#, 0),
    ] {
        let approved = of(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(
            (&approved.data["label"], approved.passed_over),
            (&json!("refund"), beside(false, objects)),
            "{text}"
        );
    }
}

#[test]
fn the_model_is_told_the_errors_of_the_object_that_is_nearest_to_valid() {
    for (text, label) in [
        (r#"Schema: {"type":"object"} Answer: {"label":"Refund"}"#, "Refund"),
        (r#"Answer: {"label":"Refund"} Schema: {"type":"object"}"#, "Refund"),
        (r#"{"label":"first"} {"label":"last"}"#, "last"),
    ] {
        let error = of(text).unwrap_err();
        assert_eq!(error.data, Some(json!({ "label": label })), "{text}");
        assert_eq!(error.passed_over, beside(false, 1), "{text}");
        let Remedy::Correct(Rejected { answer, errors }) = error.remedy else { panic!("{text}") };
        assert!(errors.starts_with("/label: "), "{errors}");
        assert_eq!(answer, text);
    }
}

#[test]
fn a_model_is_not_shown_its_own_reasoning() {
    for (text, shown) in [
        ("\n<think>Long, long.</think>\n{\"label\":\"Refund\"}\n", "\n{\"label\":\"Refund\"}\n"),
        ("Hm, hm.</think>Sorry!", "Sorry!"),
        ("<think>Nothing else.", "<think>Nothing else."),
        ("{\"label\":1}<think>Hm.</think>", "{\"label\":1}<think>Hm.</think>"),
    ] {
        let Remedy::Correct(Rejected { answer, .. }) = of(text).unwrap_err().remedy else { panic!("{text}") };
        assert_eq!(answer, shown);
    }
}

#[test]
fn who_breaks_off_within_another_object_was_not_done() {
    let error = of(r#"{"label":"praise"} No: {"label":"ref"#).unwrap_err();
    assert_eq!(error.failure.code, Code::AnswerTruncated);
    assert!(matches!(error.remedy, Remedy::Correct(_)), "the provider says that it was all");
}

#[test]
fn a_whole_answer_is_taken_though_its_provider_says_it_was_cut() {
    for text in [
        r#"{"label":"refund"}"#.to_owned(),
        format!("{{\"label\":\"refund\"}}{}", "\n".repeat(500)),
        "```json\n{\"label\":\"refund\"}\n```\nThis is bec".to_owned(),
        "<think>Hm.</think>\n{\"label\":\"refund\"}".to_owned(),
        "{\"label\":\"refund\",}".to_owned(),
    ] {
        assert_eq!(cut(&text).unwrap().data, json!({"label": "refund"}), "{text}");
    }
    let error = cut(r#"{"label":"nonsense"}"#).unwrap_err();
    assert!(matches!(error.remedy, Remedy::Correct(_)), "more of it is no better");
}

#[test]
fn a_cut_answer_needs_a_higher_limit_unless_it_ran_away() {
    for text in [
        "",
        r#"{"label":"refund""#,
        r#"{"label":"refund","text":"so"#,
        "{\"label\":\"praise\"}\n{\"label\":\"ref",
        r#"Okay, maybe {"label":"praise"}, but"#,
        r#"<think>maybe {"label":"praise"}"#,
    ] {
        let error = cut(text).unwrap_err();
        assert_eq!((error.failure.code, error.remedy), (Code::AnswerTruncated, Remedy::Lengthen), "{text}");
    }
    for text in [
        format!("{{\"label\":\"refund\",\"text\":\"{}", "so ".repeat(60)),
        format!("{{\"label\":{}", "1".repeat(100)),
        format!("<think>{}", "Wait, no. ".repeat(30)),
    ] {
        let error = cut(&text).unwrap_err();
        assert_eq!((error.failure.code, error.remedy), (Code::AnswerTruncated, Remedy::AskAnother), "{text}");
        assert!(error.failure.detail.contains("repeats itself"), "{}", error.failure);
    }
}

/// The data and the quotes of a reply to a question that asks for quotes.
fn quoted(text: &str) -> (Value, Vec<FieldQuotes>) {
    let schema = schema(false);
    let expected = Expected { has_quotes: true, ..expected(&schema) };
    let Approved { data, quotes, .. } =
        approve(expected, &reply(Finish::Complete, text)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    (data, quotes)
}

#[test]
fn data_is_taken_out_of_what_stands_around_it() {
    let refund = json!({ "label": "refund" });
    let quotes = vec![FieldQuotes { field: "/label".into(), quotes: vec!["my money".into()] }];
    for (text, has_quotes) in [
        (r#"{"data":{"label":"refund"},"evidence":[{"field":"/label","quotes":["my money"]}]}"#, true),
        (r#"{"evidence":[{"field":"/label","quotes":["my money"]}],"data":{"label":"refund"},"note":1}"#, true),
        (
            r#"{"data":{"label":"refund"}} or {"data":{"label":"refund"},"evidence":[{"field":"label","quotes":"my money"}]}"#,
            true,
        ),
        (r#"{"data":{"label":"refund"},"evidence":"none of it"}"#, false),
        (r#"{"data":{"label":"refund"}}"#, false),
        (r#"{"label":"refund"}"#, false),
    ] {
        let expected = if has_quotes { quotes.clone() } else { Vec::new() };
        assert_eq!(quoted(text), (refund.clone(), expected), "{text}");
    }
}

#[test]
fn errors_have_their_places_within_the_data() {
    let schema = schema(false);
    let expected = Expected { has_quotes: true, ..expected(&schema) };
    let text = r#"{"data":{"label":"happy"},"evidence":[]}"#;
    let error = approve(expected, &reply(Finish::Complete, text)).unwrap_err();
    assert!(error.failure.detail.contains("in 1: /label:"), "{}", error.failure);
    assert_eq!(error.data, Some(json!({ "label": "happy" })));
}

#[test]
fn a_schema_may_have_members_of_these_names_itself() {
    let schema = json!({
        "type": "object", "required": ["data"], "additionalProperties": false,
        "properties": { "data": { "type": "object" }, "evidence": { "type": "string" } },
    });
    let schema = Schema::compile("own", "1.0.0", schema).unwrap();
    let expected = Expected { has_quotes: true, ..expected(&schema) };
    let own = json!({ "data": { "x": 1 }, "evidence": "seen" });
    for answer in [own.clone(), json!({ "data": own, "evidence": [] })] {
        assert_eq!(approve(expected, &reply(Finish::Complete, &answer.to_string())).unwrap().data, own);
    }
}

/// Log probabilities for the object that begins here in a reply, the same for all of its values.
fn object(start: usize, mean: f64, fields: &[&str]) -> ObjectLogprobs {
    let value = |field: &&str| ValueLogprob { field: (*field).to_owned(), mean, tokens: 1 };
    ObjectLogprobs { start, values: fields.iter().map(value).collect() }
}

#[test]
fn log_probabilities_are_those_of_the_object_that_is_taken() {
    let text = r#"{"label":"happy"}? {"label":"refund"} {"label":"refund"}"#;
    let starts: Vec<_> = text.match_indices('{').map(|(at, _)| at).collect();
    let logprobs = starts.iter().zip([-1.0, -2.0, -3.0]).map(|(at, mean)| object(*at, mean, &["/label"])).collect();
    let reply = Reply { logprobs, ..reply(Finish::Complete, text) };
    let approved = approve(expected(&schema(false)), &reply).unwrap();
    assert_eq!(approved.logprobs, object(0, -3.0, &["/label"]).values, "the last place counts");
    let without = of(text).unwrap();
    assert_eq!(without.logprobs, []);
}

#[test]
fn log_probabilities_beside_quotes_are_those_of_the_data_alone() {
    let (schema, label) = (schema(false), object(0, -1.0, &["/label"]).values);
    let expected = Expected { has_quotes: true, ..expected(&schema) };
    for (text, fields) in [
        (r#"{"data":{"label":"refund"},"evidence":[]}"#, &["/data/label", "/evidence/0/field", "/database"][..]),
        (r#"{"label":"refund"}"#, &["/label"][..]),
    ] {
        let reply = Reply { logprobs: vec![object(0, -1.0, fields)], ..reply(Finish::Complete, text) };
        assert_eq!(approve(expected, &reply).unwrap().logprobs, label, "{text}");
    }
}
