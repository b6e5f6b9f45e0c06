use super::*;
use crate::ports::model::FakeModel;
use serde_json::json;

#[test]
fn a_restored_answer_keeps_its_digits_and_never_chooses_between_two_members() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "string" }, "n": { "type": "array", "items": { "type": "number" } } },
        "required": ["n"],
        "additionalProperties": false,
    });
    let provider_schema = ProviderSchema::new(Dialect::OpenAi, &schema, SchemaMode::Strict);
    let restored = |text: &str| {
        let reply = FakeModel::says(text).unwrap();
        provider_schema.restored(reply, SchemaMode::Strict).text
    };
    assert_eq!(
        restored(r#"{"a":null,"n":[500105175407324931000123,1E5,1.10,-0]}"#),
        r#"{"n":[500105175407324931000123,1E5,1.10,-0]}"#
    );
    let twice = r#"{"a":null,"n":[1],"n":[2]}"#;
    assert_eq!(restored(twice), twice, "it is refused when it is read");
}

#[test]
fn nulls_are_taken_back_wherever_the_answer_stands_and_nothing_else_changes() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "string" }, "n": { "type": "integer" } },
        "required": ["n"],
        "additionalProperties": false,
    });
    let provider_schema = ProviderSchema::new(Dialect::OpenAi, &schema, SchemaMode::Strict);
    let restored = |finish: Finish, text: &str| {
        let reply = FakeModel::says(text).map(|reply| Reply { finish, ..reply }).unwrap();
        provider_schema.restored(reply, SchemaMode::Strict).text
    };
    let (nulls, none) = (r#"{"a":null,"n":1}"#, r#"{"n":1}"#);
    for (before, after) in [
        ("", ""),
        ("\u{FEFF} \n", "\n\n"),
        ("```json\n", "\n```"),
        (r#"<think>maybe {"a":null,"n":2}</think>"#, ""),
        (r#"日本 {"x": {"a":null}}: "#, r#" or {"a": null, n: 2}"#),
    ] {
        for finish in [Finish::Complete, Finish::Truncated] {
            assert_eq!(restored(finish, &format!("{before}{nulls}{after}")), format!("{before}{none}{after}"));
        }
    }
    let two = r#"{"n":1,"a":null} {"a":null,"n":2}, I said {"a":null,"n":1}"#;
    assert_eq!(restored(Finish::Complete, two), r#"{"n":1} {"n":2}, I said {"n":1}"#);
    let slip = r#"{"a":None,"n":[1]"#;
    assert_eq!(restored(Finish::Complete, slip), r#"{"n":[1]}"#);
    assert_eq!(restored(Finish::Truncated, slip), slip, "it must not look whole");
}

#[test]
fn only_a_schema_whose_properties_may_be_absent_has_something_to_restore() {
    let schema = |required: Value| {
        let inner = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": required,
            "additionalProperties": false});
        json!({"type": "object", "properties": {"list": {"type": "array", "items": inner}}, "required": ["list"],
            "additionalProperties": false})
    };
    assert!(ProviderSchema::new(Dialect::OpenAi, &schema(json!([])), SchemaMode::Strict).may_restore);
    assert!(!ProviderSchema::new(Dialect::OpenAi, &schema(json!(["a"])), SchemaMode::Strict).may_restore);
}

fn provider_schema() -> ProviderSchema {
    ProviderSchema::new(
        Dialect::OpenAi,
        &json!({"type": "object", "properties": {"a": {"type": "string"}}}),
        SchemaMode::Strict,
    )
}

#[test]
fn a_schema_beyond_the_dialect_is_a_hint_or_left_to_the_instructions() {
    let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let provider_schema = ProviderSchema::new(Dialect::OpenAi, &free, SchemaMode::Strict);
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Hint);
    assert_eq!(provider_schema.schema(SchemaMode::Hint), Some(&free));
    assert_eq!(
        ProviderSchema::new(Dialect::Anthropic, &free, SchemaMode::Strict).mode(SchemaMode::Strict),
        SchemaMode::Instructions
    );
}

#[test]
fn a_refused_form_gives_way_to_one_that_is_answered() {
    let provider_schema = provider_schema();
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Strict);
    assert!(
        provider_schema.answered(SchemaMode::Hint, Some(Cause::Refused))
            && !provider_schema.answered(SchemaMode::Hint, Some(Cause::Refused))
    );
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Hint);
    assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Refused)), "the hint was answered");
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Hint);
}

#[test]
fn a_form_that_was_answered_is_not_given_up_for_one_request() {
    let provider_schema = provider_schema();
    assert!(!provider_schema.answered(SchemaMode::Strict, None));
    for mode in [SchemaMode::Hint, SchemaMode::Instructions] {
        assert!(!provider_schema.answered(mode, Some(Cause::Refused)));
    }
    assert!(!provider_schema.failed(0), "nor tried without after any number of errors");
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Strict);
}

#[test]
fn a_server_that_fails_on_the_schema_is_asked_without_it_after_two_confirmations() {
    let provider_schema = provider_schema();
    let tried: Vec<u32> = (1..=24).filter(|_| provider_schema.failed(0)).collect();
    assert_eq!(tried, [3, 6, 12, 24]);
    assert!(
        !provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(0))),
        "it may have come back just then"
    );
    assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(0))), "another call saw the same");
    assert_eq!((provider_schema.mode(SchemaMode::Strict), provider_schema.confirmations()), (SchemaMode::Strict, 1));
    assert!(provider_schema.failed(1), "the next error is tried out at once");
    assert!(provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(1))));
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Instructions);
}

#[test]
fn a_server_that_answers_with_the_schema_after_errors_keeps_it() {
    let provider_schema = provider_schema();
    assert_eq!((1..=3).filter(|_| provider_schema.failed(0)).count(), 1);
    assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(0))));
    provider_schema.answered(SchemaMode::Strict, None);
    assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(1))));
    assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Strict);
}
