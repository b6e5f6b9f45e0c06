use serde_json::json;

use super::*;
use crate::eval::fields::of_schema;

fn fields() -> Vec<Field> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": ["string", "null"] },
            "total": { "type": ["number", "null"] },
            "paid": { "type": "boolean" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "lines": { "type": "array", "items": { "type": "object", "properties": {
                "sku": { "type": "string" }, "net": { "type": "number" } } } }
        }
    });
    of_schema(&schema).unwrap()
}

fn verdicts(expected: &Value, given: &Value) -> Vec<(Verdict, f64)> {
    judge(&fields(), expected, given).fields.iter().map(|field| (field.verdict, field.score)).collect()
}

#[test]
fn each_field_is_right_wrong_omitted_or_invented() {
    use Verdict::{Invented, Omitted, Right, RightlyAbsent, Wrong};
    let expected = json!({ "name": "Ada", "total": null, "paid": false, "tags": ["a"], "lines": [] });
    let given = json!({ "name": "ada ", "total": 1e15, "paid": true, "lines": [] });
    let found = verdicts(&expected, &given);
    assert_eq!(found, [(Right, 1.0), (Invented, 0.0), (Wrong, 0.0), (Omitted, 0.0), (RightlyAbsent, 1.0)]);
    let given = json!({ "name": " ", "total": null, "paid": false, "tags": "a" });
    let found = verdicts(&expected, &given);
    assert_eq!(found, [(Omitted, 0.0), (RightlyAbsent, 1.0), (Right, 1.0), (Right, 1.0), (RightlyAbsent, 1.0)]);
}

#[test]
fn a_list_is_worth_its_f1_whatever_its_order() {
    let lists = |expected: Value, given: Value| verdicts(&json!({ "tags": expected }), &json!({ "tags": given }))[3];
    assert_eq!(lists(json!(["a", "b"]), json!(["B", "a"])), (Verdict::Right, 1.0));
    assert_eq!(lists(json!(["a", "b"]), json!(["a", "c"])), (Verdict::Wrong, 0.5));
    assert_eq!(lists(json!(["a"]), json!(["a", "a", "a"])), (Verdict::Wrong, 0.5));
    assert_eq!(lists(json!(["a", "b", "c"]), json!(["x"])), (Verdict::Wrong, 0.0));
    assert_eq!(lists(json!([]), json!(["x"])), (Verdict::Invented, 0.0));
}

#[test]
fn the_order_of_a_list_does_not_count_where_items_differ_by_less_than_the_tolerance() {
    let tolerance = json!({ "number": { "tolerance": 0.01 } });
    let list = json!({ "type": "array", "items": { "type": "number", "x-eval": tolerance } });
    let fields = of_schema(&json!({ "type": "object", "properties": { "n": list } })).unwrap();
    let expected = json!({ "n": [19.99, 20.00, 20.01] });
    for given in [[19.99, 20.00, 20.01], [20.01, 20.00, 19.99], [20.00, 20.01, 19.99], [20.01, 19.99, 20.00]] {
        let judged = judge(&fields, &expected, &json!({ "n": given }));
        assert_eq!(judged.fields[0], FieldVerdict { verdict: Verdict::Right, score: 1.0 }, "{given:?}");
    }
}

#[test]
fn items_of_objects_are_paired_by_what_they_have_in_common() {
    let expected = json!({ "lines": [{ "sku": "a", "net": 1 }, { "sku": "b", "net": 2 }, { "sku": "c", "net": 3 }] });
    let given = json!({ "lines": [{ "sku": "c", "net": 9 }, { "sku": "b", "net": 2 }] });
    let judged = judge(&fields(), &expected, &given);
    assert_eq!(judged.fields[4], FieldVerdict { verdict: Verdict::Wrong, score: 0.6 });
    let values: Vec<_> = judged.values.iter().map(|value| (value.pointer.as_str(), value.is_right)).collect();
    let found = [("/lines/0/sku", true), ("/lines/0/net", false), ("/lines/1/sku", true), ("/lines/1/net", true)];
    assert_eq!(values, found);
    assert!(judged.values.iter().all(|value| value.field == 4));
    assert_eq!(judged.values[2].path, "/lines/*/sku");
}

#[test]
fn items_are_paired_so_that_as_much_as_can_be_is_right() {
    let tolerance = json!({ "number": { "tolerance": 0.01 } });
    let list = json!({ "type": "array", "items": { "type": "number", "x-eval": tolerance } });
    let fields = of_schema(&json!({ "type": "object", "properties": { "n": list } })).unwrap();
    let score = |expected: Value, given: Value| {
        judge(&fields, &json!({ "n": expected }), &json!({ "n": given })).fields[0].score
    };
    assert_eq!(score(json!([1.00, 1.02]), json!([1.01, 0.99])), 1.0, "1.01 is as near to 1.00 as to 1.02");
    assert_eq!(score(json!([1.00, 0.99]), json!([1.00, 1.01])), 1.0);
}

#[test]
fn values_of_a_list_in_another_order_are_those_of_the_label_by_its_own_order() {
    let expected = json!({ "tags": ["a", "b"], "lines": [{ "sku": "a", "net": 1 }, { "sku": "b", "net": 2 }] });
    let given = json!({ "tags": ["b", "x", "a"], "lines": [{ "sku": "b", "net": 3 }, { "sku": "c", "net": 4 }] });
    let judged = judge(&fields(), &expected, &given);
    let places: Vec<_> =
        judged.values.iter().map(|value| (value.pointer.as_str(), value.in_label.as_deref())).collect();
    let found = [
        ("/tags/0", Some("/tags/1")),
        ("/tags/1", None),
        ("/tags/2", Some("/tags/0")),
        ("/lines/0/sku", Some("/lines/1/sku")),
        ("/lines/0/net", Some("/lines/1/net")),
        ("/lines/1/sku", None),
        ("/lines/1/net", None),
    ];
    assert_eq!(places, found);
}

#[test]
fn no_answer_is_right_in_no_field() {
    let judged = Judged::without_answer(&fields());
    assert_eq!((judged.fields.len(), judged.right(), judged.values.len()), (5, 0, 0));
}
