//! What is given has evidence in the text, and what has none is null, left out, or lowers the confidence.

use serde_json::{Value, json};

use super::super::extract;

const INVOICE: &str = include_str!("../../../schema/library/invoice@1.0.0.json");
const SUPPORT: &str = include_str!("../../../schema/library/support-intent@1.0.0.json");
const DOCUMENT: &str = include_str!("../../../schema/library/document-classification@1.0.0.json");
const FORM: &str = include_str!("../../../schema/library/form@1.0.0.json");
const TRANSLATION: &str = include_str!("../../../schema/library/translation@1.0.0.json");
const EXTRACTION: &str = include_str!("../../../schema/library/extraction@1.0.0.json");

/// Checks the members that `wanted` has; a member that must be left out is wanted as `"left out"`.
fn check(schema: &Value, text: &str, wanted: &Value, confidence: std::ops::RangeInclusive<f64>) {
    let found = extract(text, schema);
    assert!(jsonschema::validator_for(schema).unwrap().is_valid(&found.data), "{text}: {}", found.data);
    for (name, value) in wanted.as_object().unwrap() {
        match found.data.get(name) {
            Some(given) => assert_eq!(given, value, "{name} of {text}: {}", found.data),
            None => assert_eq!(value, "left out", "{name} of {text}: {}", found.data),
        }
    }
    let given = found.confidence.unwrap_or(0.0);
    assert!(confidence.contains(&given), "{given} for {text}: {}", found.data);
}

fn parsed(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap()
}

fn nameless(name: &str) -> Value {
    json!({"name": name, "address": null, "tax_id": null, "email": null})
}

#[test]
fn invoices() {
    let schema = parsed(INVOICE);
    for (text, wanted) in [
        (
            "Nordwind GmbH\nInvoice no. 2026-0089\nDate: 12 March 2026\n\n89 hours of consulting    198.00 EUR\n\nTotal: 198.00 EUR\nPlease pay within 20 days.",
            json!({"invoice_number": "2026-0089", "issue_date": "2026-03-12", "due_date": null, "supplier": nameless("Nordwind GmbH"),
                "customer": null, "currency": "EUR", "line_items": [], "subtotal": null, "tax_amount": null, "total": 198}),
        ),
        (
            "INVOICE\nAcme Tools Inc.\n12 Harbour Street, Boston\nInvoice number: INV-4471\nIssue date: 2026-02-01\nDue date: 2026-03-03\nBill to: Bright Labs Ltd\nPO: PO-9931\n\nDescription | Qty | Unit price | Amount\nDrill bits | 10 | 4.50 | 45.00\n\nSubtotal: 84.80\nVAT 20 %: 16.96\nTotal: USD 101.76",
            json!({"invoice_number": "INV-4471", "issue_date": "2026-02-01", "due_date": "2026-03-03", "subtotal": 84.8,
                "supplier": nameless("Acme Tools Inc."), "customer": nameless("Bright Labs Ltd"), "purchase_order": "PO-9931",
                "currency": "USD", "tax_amount": 16.96, "total": 101.76, "line_items": [{"description": "Drill bits", "quantity": 10,
                "unit": null, "unit_price": 4.5, "tax_rate": null, "amount": 45}]}),
        ),
        (
            "Rechnung\nRechnungsnummer: RE-77\nRechnungsdatum: 12.03.2026\nFällig: 26.03.2026\nLieferant: Nordwind Logistik GmbH\nKunde: Müller AG\nZwischensumme: 39,98 €\nMwSt. 19 %: 7,60 €\nGesamt: 47,58 €\nIBAN: DE89 3704 0044 0532 0130 00",
            json!({"invoice_number": "RE-77", "issue_date": "2026-03-12", "due_date": "2026-03-26", "customer": nameless("Müller AG"),
                "supplier": nameless("Nordwind Logistik GmbH"), "subtotal": 39.98, "tax_amount": 7.6, "total": 47.58,
                "iban": "DE89370400440532013000", "payment_terms": null}),
        ),
        (
            "FACTURE N° F-2026-118\nDate : 05/02/2026\nÉchéance : 07/03/2026\nClient : Dupont SARL\nTotal HT : 1 200,00 €\nTVA 20 % : 240,00 €\nTotal TTC : 1 440,00 €",
            json!({"invoice_number": "F-2026-118", "issue_date": "2026-02-05", "due_date": "2026-03-07", "supplier": null,
                "customer": nameless("Dupont SARL"), "subtotal": 1200, "tax_amount": 240, "total": 1440}),
        ),
        (
            "CREDIT NOTE\nInvoice number: CN-9\nTotal: -12.50 EUR",
            json!({"invoice_number": "CN-9", "issue_date": null, "due_date": null, "total": -12.5, "tax_amount": null}),
        ),
    ] {
        check(&schema, text, &wanted, 0.45..=0.95);
    }
    // What must be there and is not makes the answer worth little.
    for (text, wanted) in [
        (
            "Here is what you owe me for the garden work: 3 hours at 25 dollars, so 75 dollars in all. Thanks, Ben",
            json!({"invoice_number": "unknown", "issue_date": null, "supplier": null, "customer": null, "currency": "USD", "subtotal": null}),
        ),
        (
            "Receipt. Milk 1.20 Bread 2.30 Total 3.50 paid by card on 3 May 2026",
            json!({"issue_date": null, "due_date": null, "currency": null, "subtotal": null, "tax_amount": null, "total": 3.5}),
        ),
    ] {
        check(&schema, text, &wanted, 0.0..=0.4);
    }
}

#[test]
fn support_requests() {
    let schema = parsed(SUPPORT);
    for (text, wanted) in [
        (
            "Hi, I was charged 49.00 EUR instead of 29.00 EUR for order 5512. Please refund the difference. anna@example.com",
            json!({"intent": "refund", "order_id": "5512", "customer_email": "anna@example.com", "amount": null, "currency": "EUR", "language": "en"}),
        ),
        (
            "My kettle from order 48213 leaks. It says 220 V on the label.",
            json!({"intent": "technical_issue", "order_id": "48213", "amount": null, "currency": null, "product": null}),
        ),
        (
            "Bonjour, je n'ai pas reçu ma commande n° 55810, merci de me répondre à elodie@exemple.fr ou paul@exemple.fr",
            json!({"intent": "delivery_problem", "order_id": "55810", "customer_email": null, "language": "fr"}),
        ),
        (
            "Die Kündigung zum 31.12.2026 bitte bestätigen.",
            json!({"intent": "cancellation", "order_id": null, "language": "de", "requires_human": false}),
        ),
        (
            "thx so much, the replacement came today and it's perfect!!",
            json!({"intent": "praise", "urgency": "normal", "sentiment": "positive"}),
        ),
    ] {
        check(&schema, text, &wanted, 0.65..=0.95);
    }
    // Outside what the rules were made for: another matter, another language, no language.
    for (text, wanted) in [
        ("Book me a table for two at eight tonight.", json!({"intent": "other", "urgency": "normal", "product": null})),
        (
            "Olá, o meu pedido 9913 ainda não chegou e preciso dele até amanhã.",
            json!({"order_id": "9913", "language": "pt"}),
        ),
        ("Mijn pakket is nog steeds niet aangekomen.", json!({"intent": "other", "language": "nl", "order_id": null})),
    ] {
        check(&schema, text, &wanted, 0.3..=0.64);
    }
    check(&schema, "asdf qwer", &json!({"intent": "other", "language": "und"}), 0.0..=0.4);
}

#[test]
fn documents_and_forms() {
    let document = parsed(DOCUMENT);
    for (text, wanted) in [
        (
            "CONTRACT OF EMPLOYMENT between Acme Inc. and Jane Roe. The employee shall begin work on 1 April 2026.",
            json!({"category": "contract", "document_date": null, "title": null, "subcategory": null, "certainty": "left out"}),
        ),
        (
            "Dear Ms Weber, thank you for your letter of 3 March 2026. We regret to tell you that the flat is let.",
            json!({"category": "letter", "document_date": null, "title": null}),
        ),
        (
            "Bridge repairs\nBoston, 4 May 2026\n\nThe council voted to close the bridge. Residents had asked for a new one on 1 June 2020.",
            json!({"title": "Bridge repairs", "document_date": "2026-05-04", "language": "en"}),
        ),
    ] {
        // Nobody said how widely they may be read.
        check(&document, text, &wanted, 0.0..=0.4);
    }
    let form = parsed(FORM);
    let text = "Membership application\nName: Maria Lopez\nE-mail: maria@example.com\nTelephone: +49 30 1234567\nDate of birth: 03.05.1990\nI agree: [x]\nRemarks:\nSignature: M. Lopez";
    let entry =
        |label: &str, value: Value, kind: &str| json!({"label": label, "value": value, "kind": kind, "required": null});
    let wanted = json!({
        "form_title": "Membership application", "submitted_on": null, "signed": null, "missing_fields": "left out",
        "submitter": {"name": "Maria Lopez", "email": "maria@example.com", "phone": "+49 30 1234567"},
        "fields": [entry("Name", json!("Maria Lopez"), "text"), entry("E-mail", json!("maria@example.com"), "text"),
            entry("Telephone", json!("+49 30 1234567"), "text"), entry("Date of birth", json!("03.05.1990"), "date"),
            entry("I agree", json!("[x]"), "checkbox"), entry("Remarks", Value::Null, "text"),
            entry("Signature", json!("M. Lopez"), "signature")],
    });
    check(&form, text, &wanted, 0.5..=0.9);
    check(
        &form,
        "Please call me about the roof.",
        &json!({"submitter": null, "fields": [], "form_title": null}),
        0.0..=0.5,
    );
}

#[test]
fn extractions_and_translations() {
    let extraction = parsed(EXTRACTION);
    for (text, format) in [
        ("Book me a table for two at eight tonight.", Value::Null),
        ("Email me the table of results.", Value::Null),
        ("Réservez-moi une table pour deux personnes demain soir.", Value::Null),
        ("Give me a list of all customers in Berlin as csv.", json!("csv")),
        ("Please show the results in a table.", json!("table")),
        ("Antworten Sie bitte als Tabelle oder als JSON.", json!("json")),
    ] {
        check(&extraction, text, &json!({"output_format": format, "intent": "unknown", "entities": []}), 0.0..=0.4);
    }
    let text = "Maria from Acme Inc. wrote on 3 May 2026 that the invoice over 300 EUR is wrong. Call +49 30 1234567.";
    let entity = |kind: &str, value: &str, normal: Value| json!({"type": kind, "value": value, "normalized": normal});
    let wanted = json!({"entities": [entity("organization", "Acme Inc.", Value::Null), entity("date", "3 May 2026", json!("2026-05-03")),
        entity("money", "300 EUR", json!("EUR 300")), entity("phone", "+49 30 1234567", Value::Null)]});
    check(&extraction, text, &wanted, 0.4..=0.9);
    let wanted = json!({"source_language": "en", "target_language": "und", "translation": "unknown", "formality": "left out",
        "untranslated_terms": "left out", "notes": null});
    check(&parsed(TRANSLATION), "Good morning, where is the next station?", &wanted, 0.0..=0.4);
}

/// A schema of nullable properties with these names and types.
fn nullable(members: &[(&str, &str)]) -> Value {
    let properties: Value = members
        .iter()
        .map(|(name, kind)| {
            let schema = match *kind {
                "date" => json!({"type": ["string", "null"], "format": "date"}),
                kind => json!({"type": [kind, "null"]}),
            };
            ((*name).to_owned(), schema)
        })
        .collect();
    json!({"type": "object", "properties": properties, "required": members.iter().map(|(name, _)| *name).collect::<Vec<_>>()})
}

#[test]
fn schemas_of_ones_own() {
    for (members, text, wanted) in [
        (
            &[("check_in", "date"), ("check_out", "date"), ("guests", "integer")][..],
            "We would like a room for 3 guests from 2026-07-01 to 2026-07-05.",
            json!({"check_in": null, "check_out": null, "guests": 3}),
        ),
        (
            &[("departure_date", "date"), ("return_date", "date"), ("price", "number"), ("budget", "number")],
            "Departure 3 June 2026. The ticket costs 420 EUR.",
            json!({"departure_date": "2026-06-03", "return_date": null, "price": 420, "budget": null}),
        ),
        (
            &[("sender_email", "string"), ("recipient_email", "string"), ("phone", "string"), ("fax", "string")],
            "Write to sales@example.com or call +44 20 7946 0000.",
            json!({"sender_email": null, "recipient_email": null, "phone": "+44 20 7946 0000", "fax": null}),
        ),
        (
            &[("company", "string"), ("competitor", "string"), ("manager", "string")],
            "We bought it from Acme Tools Inc. last year.",
            json!({"company": "Acme Tools Inc.", "competitor": null, "manager": null}),
        ),
        (&[("meeting_date", "date")], "The meeting is on 3 May 2026.", json!({"meeting_date": "2026-05-03"})),
        (&[("meeting_date", "date")], "It is on 3 May 2026 or on 4 May 2026.", json!({"meeting_date": null})),
        (
            &[("temperature", "number"), ("humidity", "number"), ("wind_speed", "number")],
            "It was 21 degrees at 9 in the morning.",
            json!({"temperature": null, "humidity": null, "wind_speed": null}),
        ),
        (
            &[("temperature", "number"), ("humidity", "number"), ("station", "string")],
            "Station: Zugspitze\nTemperature: -4.5\nHumidity: 81 %",
            json!({"temperature": -4.5, "humidity": 81, "station": "Zugspitze"}),
        ),
        (
            &[("order_id", "string"), ("tracking_number", "string"), ("customer_number", "string")],
            "My order 48213, what is its tracking number?",
            json!({"order_id": "48213", "tracking_number": null, "customer_number": null}),
        ),
        (
            &[("patient_id", "string"), ("room_number", "string"), ("dosage", "number")],
            "Patient 4411 takes 20 mg of the drug.",
            json!({"patient_id": "4411", "room_number": null, "dosage": null}),
        ),
        (&[("tax_id", "string")], "VAT 20 %: 2.00", json!({"tax_id": null})),
        (&[("tax_id", "string")], "VAT: DE811907980", json!({"tax_id": "DE811907980"})),
        (&[("rating", "number")], "Great phone, 4 out of 5 stars.", json!({"rating": 4})),
        (&[("net", "number"), ("total", "number")], "You owe us 20 EUR.", json!({"net": null, "total": null})),
        (&[("total", "number")], "You owe us 20 EUR.", json!({"total": 20})),
        (
            &[("start_time", "string"), ("end_time", "string")],
            "Meeting on 2026-05-04 10:00.",
            json!({"start_time": null, "end_time": null}),
        ),
        (&[("name", "string"), ("age", "integer")], "The weather was fine.", json!({"name": null, "age": null})),
    ] {
        check(&nullable(members), text, &wanted, 0.0..=1.0);
    }
}

#[test]
fn what_must_be_given_without_knowing_it_costs_confidence() {
    let strict = |properties: Value| {
        let required: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
        json!({"type": "object", "properties": properties, "required": required})
    };
    for (properties, text) in [
        (json!({"name": {"type": "string"}, "age": {"type": "integer"}}), "My name is Tom Baker, I am from Leeds."),
        (json!({"color": {"enum": ["red", "green"]}, "size": {"enum": ["S", "M"]}}), "I want the large one."),
        (json!({"rating": {"type": "integer"}, "recommend": {"type": "boolean"}}), "Great phone, 4 out of 5 stars."),
        (json!({"lat": {"type": "number"}, "count": {"type": "integer"}}), "We saw 3 birds near the lake."),
    ] {
        check(&strict(properties), text, &json!({}), 0.0..=0.4);
    }
    let labelled = strict(json!({"station": {"type": "string"}, "humidity": {"type": "number"}}));
    check(&labelled, "Station: Zugspitze\nHumidity: 81 %", &json!({"station": "Zugspitze", "humidity": 81}), 0.9..=1.0);
}

#[test]
fn a_long_text_is_worth_less_than_a_short_one() {
    let schema = parsed(SUPPORT);
    let text = "Please cancel my subscription, I do not need it any more. ";
    let (short, long) = (extract(text, &schema), extract(&text.repeat(100), &schema));
    let [short, long] = [short, long].map(|found| found.confidence.unwrap());
    assert!(long < short - 0.05, "{short} {long}");
}
