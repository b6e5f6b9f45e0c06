use proptest::prelude::*;
use serde_json::json;

use super::*;

mod evidence;

fn support_intent() -> Value {
    let nullable = json!({"type": ["string", "null"]});
    json!({
        "type": "object",
        "required": ["intent", "urgency", "sentiment", "summary", "product", "order_id", "customer_email", "amount",
            "currency", "language", "requires_human"],
        "additionalProperties": false,
        "properties": {
            "intent": {"enum": ["refund", "cancellation", "billing_question", "technical_issue", "account_access",
                "delivery_problem", "feature_request", "complaint", "praise", "other"]},
            "urgency": {"enum": ["low", "normal", "high", "critical"]},
            "sentiment": {"enum": ["negative", "neutral", "positive"]},
            "summary": {"type": "string", "maxLength": 200},
            "product": nullable, "order_id": nullable, "customer_email": nullable,
            "amount": {"type": ["number", "null"]},
            "currency": {"type": ["string", "null"], "pattern": "^[A-Z]{3}$"},
            "language": {"type": "string", "pattern": "^[a-z]{2}$"},
            "requires_human": {"type": "boolean"}
        }
    })
}

fn example_bodies() -> Vec<String> {
    let events = include_str!("../../../examples/support-triage/events.jsonl");
    let events = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter_map(|event| event.pointer("/data/body")?.as_str().map(str::to_owned)).collect()
}

#[test]
fn an_english_ticket() {
    let body = "Hi, I returned the Lumen Desk Lamp from order 48213 and the 64.90 EUR refund still hasn't come. maria@example.com";
    let found = extract(&format!("Sort this ticket.\n<message>\n{body}\n</message>"), &support_intent());
    let wanted = json!({"intent": "refund", "urgency": "normal", "sentiment": "neutral",
        "summary": "I returned the Lumen Desk Lamp from order 48213 and the 64.90 EUR refund still hasn't come.",
        "product": "Lumen Desk Lamp", "order_id": "48213", "customer_email": "maria@example.com", "amount": 64.9,
        "currency": "EUR", "language": "en", "requires_human": false});
    assert_eq!(found.data, wanted);
    assert!(found.confidence.is_some_and(|confidence| (0.6..1.0).contains(&confidence)));
}

#[test]
fn tickets_in_four_languages() {
    for (body, intent, language) in [
        ("Ich möchte mein Abo kündigen, bitte bestätigen Sie mir das.", "cancellation", "de"),
        ("Je n'ai pas reçu ma commande n° 55810, où est mon colis ?", "delivery_problem", "fr"),
        ("No puedo entrar en mi cuenta, olvidé mi contraseña.", "account_access", "es"),
        ("It would be great if you could add dark mode.", "feature_request", "en"),
    ] {
        let data = extract(body, &support_intent()).data;
        assert_eq!((data["intent"].as_str(), data["language"].as_str()), (Some(intent), Some(language)), "{body}");
    }
}

#[test]
fn an_invoice() {
    let schema = json!({"type": "object", "required": ["invoice_number", "issue_date", "total", "currency"], "properties": {
        "invoice_number": {"type": "string"}, "invoice_date": {"type": "string", "format": "date"},
        "vendor": {"type": "object", "properties": {"name": {"type": "string"}}},
        "total": {"type": "number"}, "currency": {"type": "string"},
        "line_items": {"type": "array", "items": {"type": "object", "required": ["description", "quantity"], "properties": {
            "description": {"type": "string"}, "quantity": {"type": "integer"}, "unit_price": {"type": "number"}}}}
    }});
    let text = "Nordwind Logistik GmbH\nRechnungsnummer: RE-77\nRechnungsdatum: 12.03.2026\n2 x Lampe à 19,99\nGesamt: 39,98 €";
    let wanted = json!({"invoice_number": "RE-77", "invoice_date": "2026-03-12",
        "vendor": {"name": "Nordwind Logistik GmbH"}, "total": 39.98, "currency": "EUR",
        "line_items": [{"description": "Lampe", "quantity": 2, "unit_price": 19.99}]});
    assert_eq!(extract(text, &schema).data, wanted);
}

#[test]
fn every_example_has_a_valid_answer() {
    let schema = support_intent();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let bodies = example_bodies();
    assert!(bodies.len() >= 180);
    for body in bodies {
        let Extraction { data, confidence } = extract(&body, &schema);
        assert!(validator.is_valid(&data), "{data}");
        assert!(confidence.is_none_or(|confidence| (0.0..=1.0).contains(&confidence)));
    }
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (0..9_usize, 9..40_usize).prop_map(|(a, b)| json!({"type": "string", "minLength": a, "maxLength": b})),
        (-50..50_i64, 0..50_i64).prop_map(|(a, b)| json!({"type": "integer", "minimum": a, "maximum": a + b})),
        (-50..50_i64, 0..50_i64).prop_map(|(a, b)| json!({"type": ["number", "null"], "minimum": a, "maximum": a + b})),
        Just(json!({"enum": ["refund", "high", 3, null]})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "string", "format": "date"})),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let names =
            prop::sample::select(vec!["email", "total", "order_id", "due_date", "items", "name", "summary", "count"]);
        prop_oneof![
            (inner.clone(), 0..3_usize)
                .prop_map(|(items, least)| json!({"type": "array", "items": items, "minItems": least})),
            prop::collection::btree_map(names, (inner, any::<bool>()), 0..5).prop_map(|members| {
                let required: Vec<_> =
                    members.iter().filter(|(_, (_, required))| *required).map(|(name, _)| *name).collect();
                let properties: Value =
                    members.iter().map(|(name, (schema, _))| (name.to_string(), schema.clone())).collect();
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            }),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "object",
        "properties",
        "$ref",
        "#",
        "enum",
        "items",
        "pattern",
        "(",
        "anyOf",
        "minItems",
        "string",
    ]);
    let leaf = prop_oneof![words.clone().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(words.clone(), inner, 0..4)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

const PROSE: &str =
    r"([a-zA-ZäßÉ€$#:.,'\n 0-9]|order 4821|12.03.2026|a@b.co|Total: 3\n|2 x Cup at 4\n|<message>|```){0,60}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn answers_to_simple_schemas_validate(text in PROSE, schema in schemas()) {
        let data = extract(&text, &schema).data;
        prop_assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&data), "{schema} {data}");
    }

    #[test]
    fn nothing_panics(text in any::<String>(), prose in PROSE, schema in any_json()) {
        extract(&text, &schema);
        extract(&prose, &schema);
        extract(&text, &support_intent());
    }
}

#[test]
fn a_megabyte_is_survived() {
    for piece in ["order 1-", "a@", "Label: ", "\"", "$1,000", "Étoile GmbH ", "((((", "1 x a "] {
        extract(&piece.repeat(1_000_000 / piece.len()), &support_intent());
    }
}
