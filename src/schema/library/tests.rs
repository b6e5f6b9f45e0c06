use serde_json::{Value, json};

use super::*;

/// A realistic instance of each built-in schema.
fn instances() -> Vec<(&'static str, Value)> {
    vec![
        (
            "invoice",
            json!({
                "invoice_number": "RE-2026-0117", "issue_date": "2026-03-02", "due_date": "2026-04-01",
                "supplier": {"name": "Holzwerk Brandt GmbH", "tax_id": "DE811907980", "email": "rechnung@holzwerk.example"},
                "customer": null, "currency": "EUR",
                "line_items": [{"description": "Oak board 40 mm", "quantity": 12, "unit": "piece", "amount": 478.8}],
                "total": 569.77, "iban": "DE89370400440532013000"
            }),
        ),
        (
            "support-intent",
            json!({
                "intent": "refund", "urgency": "high", "sentiment": "negative",
                "summary": "Wants the money back for a kettle that arrived broken.", "product": "kettle",
                "order_id": "A-1029", "customer_email": "mira@example.com", "amount": 39.9, "currency": "EUR",
                "language": "en", "requires_human": false
            }),
        ),
        (
            "document-classification",
            json!({
                "category": "contract", "subcategory": "lease", "title": null, "summary": "A lease for an office.",
                "topics": ["lease", "office"], "language": "en", "document_date": "2025-12-31",
                "sensitivity": "confidential", "contains_personal_data": true, "certainty": 0.93
            }),
        ),
        (
            "form",
            json!({
                "form_title": "Change of address", "submitter": {"name": "J. Okafor", "email": null},
                "fields": [{"label": "New street", "value": "12 Mill Lane", "kind": "text", "required": true}],
                "signed": true, "missing_fields": []
            }),
        ),
        (
            "translation",
            json!({"source_language": "de", "target_language": "en", "translation": "Good morning", "notes": null}),
        ),
        (
            "extraction",
            json!({
                "intent": "request_refund", "subject": "broken kettle",
                "entities": [{"type": "date", "value": "3 May", "normalized": "2026-05-03"}],
                "output_format": null, "original_language": "en"
            }),
        ),
    ]
}

#[test]
fn every_source_compiles() {
    assert_eq!(SCHEMAS.len(), SOURCES.len());
    for schema in SCHEMAS.iter() {
        assert_eq!(schema.uri(), format!("urn:structured-prompt:schema:{}:{}", schema.name(), schema.version()));
    }
}

#[test]
fn a_realistic_instance_of_each_validates() {
    let instances = instances();
    assert_eq!(instances.len(), names().len());
    for (name, instance) in instances {
        let schema = find(name).unwrap();
        assert_eq!(schema.validate(&instance), Ok(()), "{name}");
    }
}

#[test]
fn a_broken_instance_of_each_does_not() {
    for (name, instance) in instances() {
        let schema = find(name).unwrap();
        let fields: Vec<String> = instance.as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut broken = instance.clone();
            broken[&field] = json!({"surprise": [1]});
            let violations = schema.validate(&broken).unwrap_err();
            assert!(
                violations.iter().all(|one| one.pointer.starts_with(&format!("/{field}"))),
                "{name}: {violations:?}"
            );
        }
        let mut surplus = instance;
        surplus["invented"] = json!(1);
        assert!(schema.validate(&surplus).is_err(), "{name} takes a field that it does not declare");
    }
}

#[test]
fn every_field_tells_the_model_what_it_is() {
    fn check(schema: &Value, path: &str) {
        for part in ["title", "description"] {
            assert!(schema[part].as_str().is_some_and(|text| !text.is_empty()), "{path} has no {part}");
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            check(property, &format!("{path}.{name}"));
        }
        if schema.get("items").is_some() {
            check(&schema["items"], &format!("{path}[]"));
        }
    }
    for schema in SCHEMAS.iter() {
        check(schema.json(), schema.name());
    }
}

#[test]
fn a_reference_names_a_version_or_the_latest() {
    for reference in ["invoice", "invoice@1", "invoice@1.0", "invoice@1.0.0"] {
        assert_eq!(find(reference).unwrap().name(), "invoice", "{reference}");
    }
    for reference in
        ["", "@", "invoice@", "invoice@1.", "invoice@2", "invoice@1.0.0.0", "invoic", "Invoice", "invoice@10"]
    {
        assert!(find(reference).is_none(), "{reference}");
    }
}
