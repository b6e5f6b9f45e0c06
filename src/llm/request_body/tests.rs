use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::llm::anthropic::Anthropic;
use crate::llm::gemini::Gemini;
use crate::llm::openai::OpenAi;
use crate::llm::prepared_spec::PreparedSpecs;
use crate::llm::settings::{AnthropicAuth, Api, Prices, StructuredOutput, TokenLimitField};
use crate::ports::model::{CallSettings, CallSpec, Correction};
use crate::schema::dialect::Dialect;

fn formats() -> Vec<(Box<dyn WireFormat>, Dialect)> {
    let openai = |output| -> (Box<dyn WireFormat>, Dialect) {
        (Box::new(OpenAi::new(output, TokenLimitField::Auto)), Dialect::OpenAi)
    };
    vec![
        openai(StructuredOutput::JsonSchema),
        openai(StructuredOutput::JsonObject),
        openai(StructuredOutput::Prompt),
        (Box::new(Anthropic::new("2023-06-01", AnthropicAuth::ApiKey)), Dialect::Anthropic),
        (Box::new(Gemini::new("v1beta")), Dialect::Gemini),
    ]
}

fn writer(instructions: Option<&str>) -> BodyWriter {
    BodyWriter::new(&RemoteSettings {
        api: Api::Gemini { version: String::new() },
        base_url: String::new(),
        model: "model \"one\"".to_owned(),
        api_keys: Vec::new(),
        proxy: None,
        timeout: std::time::Duration::ZERO,
        max_tokens: 256,
        temperature: Some(0.25),
        logprobs: true,
        instructions: instructions.map(str::to_owned),
        prices: Prices { input_per_1k: 0.0, output_per_1k: 0.0, cached_per_1k: 0.0 },
    })
}

fn spec(description: &str) -> CallSpec {
    CallSpec::new(CallSettings {
        instructions: "Extract \u{1F600} \"data\".\n".to_owned(),
        closing_instructions: format!("\nJSON Schema: {description}"),
        schema_name: "ticket".to_owned(),
        schema: json!({
            "type": "object",
            "description": description,
            "properties": { "intent": { "type": "string" } },
            "required": ["intent"],
            "additionalProperties": false,
        }),
        data_schema: None,
        temperature: None,
        max_tokens: None,
    })
}

fn call<'a>(spec: &'a CallSpec, note: &'a str, prompt: &'a str) -> Call<'a> {
    Call { spec, note, prompt, content: prompt, correction: None, max_tokens: None }
}

fn form(format: &dyn WireFormat, mode: SchemaMode) -> BodyForm {
    BodyForm { mode, parameters: format.parameters(&reqwest::Url::parse("http://h/").unwrap()) }
}

/// The prepared body and the one that is made from nothing, for each format and each mode of the schema.
fn both(writer: &BodyWriter, call: &Call<'_>) -> Vec<(String, String)> {
    let mut bodies = Vec::new();
    for (format, dialect) in formats() {
        let spec = PreparedSpecs::new(dialect).of(call.spec);
        for mode in SchemaMode::ALL {
            let form = form(format.as_ref(), mode);
            let whole = writer.write(format.as_ref(), call, spec.schema.schema(mode), form).unwrap();
            // The first call prepares, the second one finds it.
            for _ in 0..2 {
                let prepared =
                    writer.body(format.as_ref(), call, spec.schema.schema(mode), &spec.bodies, form).unwrap();
                bodies.push((String::from_utf8(prepared.to_vec()).unwrap(), whole.clone()));
            }
        }
    }
    bodies
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_prepared_body_is_what_would_be_written_without_it(
        note in "(\\PC|[\\x00-\\x1f\"\\\\])*",
        prompt in "(\\PC|[\\x00-\\x1f\"\\\\\u{7f}\u{1F600}\u{FFFF}]|<<structured-prompt: (note|prompt)>>)*",
        instructions in proptest::option::of("[a-z\"\\\\\n]*"),
    ) {
        let (writer, spec) = (writer(instructions.as_deref()), spec("A ticket."));
        for (prepared, whole) in both(&writer, &call(&spec, &note, &prompt)) {
            prop_assert_eq!(&prepared, &whole);
            prop_assert!(serde_json::from_str::<Value>(&prepared).is_ok());
        }
    }
}

#[test]
fn what_says_the_same_as_a_mark_is_sent_as_it_is() {
    for description in [NOTE_MARK, PROMPT_MARK, "<<structured-prompt: note>><<structured-prompt: prompt>>"] {
        let (writer, spec) = (writer(None), spec(description));
        for (prepared, whole) in both(&writer, &call(&spec, "German.", "My parcel")) {
            assert_eq!(prepared, whole);
        }
    }
}

#[test]
fn corrections_and_raised_limits_are_in_the_body_and_in_that_of_no_other_record() {
    let (writer, spec) = (writer(None), spec("A ticket."));
    let plain = call(&spec, "", "My parcel");
    let before = both(&writer, &plain);
    let correction = Correction { answer: "{\"a\":1}", errors: "/a: no" };
    for (prepared, whole) in both(&writer, &Call { correction: Some(correction), max_tokens: Some(1234), ..plain }) {
        assert_eq!(prepared, whole);
        assert!(prepared.contains("/a: no"), "{prepared}");
    }
    let raised = both(&writer, &Call { max_tokens: Some(1234), ..plain });
    assert!(raised.iter().any(|(body, _)| body.contains("1234")));
    assert_eq!(before, both(&writer, &plain));
}

#[test]
fn bodies_are_prepared_for_every_format() {
    let (writer, spec) = (writer(Some("Be short.")), spec("A ticket."));
    for (format, dialect) in formats() {
        let prepared = PreparedSpecs::new(dialect).of(&spec);
        let form = form(format.as_ref(), SchemaMode::Strict);
        let (call, schema) = (call(&spec, "", "x"), prepared.schema.schema(SchemaMode::Strict));
        writer.body(format.as_ref(), &call, schema, &prepared.bodies, form).unwrap();
        let bodies = prepared.bodies.0.lock().unwrap();
        assert!(matches!(bodies.as_slice(), [(_, Some(_))]), "{format:?}");
    }
}
