//! Schemas that compose, in every dialect: what it allows is valid or its loss is listed, and what is valid can be
//! said.

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::schema::Schema;
use crate::schema::keywords::subschemas;
use crate::schema::reference::resolve;

/// Definitions with names that need escapes in a reference.
const DEFINITIONS: [(&str, &str); 4] =
    [("shared", "shared"), ("Bar<string>", "Bar%3Cstring%3E"), ("a/b", "a~1b"), ("tree", "tree")];

fn leaf() -> impl Strategy<Value = Value> {
    let reference = |(_, escaped): (&str, &str)| json!({ "$ref": format!("#/$defs/{escaped}") });
    prop_oneof![
        3 => prop::sample::select(vec![
            json!({ "type": "string" }),
            json!({ "type": "string", "minLength": 2, "maxLength": 5 }),
            json!({ "type": "string", "format": "date" }),
            json!({ "type": "string", "format": "email", "x-note": 1 }),
            json!({ "type": "string", "pattern": "^[a-z]+$", "example": "abc" }),
            json!({ "type": "integer", "minimum": 0, "exclusiveMaximum": 9 }),
            json!({ "type": "number", "multipleOf": 0.5 }),
            json!({ "type": ["boolean", "null"] }),
            json!({ "type": ["string", "integer", "null"], "minLength": 2, "maximum": 3 }),
            json!({ "enum": ["a", 1, null] }),
            json!({ "type": "string", "enum": ["x", "y", 7] }),
            json!({ "type": ["string", "null"], "enum": ["x", null] }),
            json!({ "type": "boolean", "enum": [true] }),
            json!({ "const": "c", "readOnly": true }),
            json!({ "const": null }),
            json!({ "not": { "type": "string" }, "type": "integer" }),
            json!({ "minLength": 3 }),
            json!(true),
            json!(false),
        ]),
        1 => prop::sample::select(DEFINITIONS.to_vec()).prop_map(reference),
        1 => prop::sample::select(DEFINITIONS.to_vec()).prop_map(move |one| {
            let mut described = reference(one);
            described["description"] = json!("described");
            described
        }),
    ]
}

fn property() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        let several = |inner: BoxedStrategy<Value>| prop::collection::vec(inner, 1..4);
        let inner = inner.boxed();
        prop_oneof![
            3 => object(inner.clone()),
            1 => (inner.clone(), 0_u64..3).prop_map(|(items, least)| json!({ "type": "array", "items": items, "minItems": least })),
            1 => several(inner.clone()).prop_map(|branches| json!({ "anyOf": branches })),
            1 => several(inner.clone()).prop_map(|branches| json!({ "oneOf": branches, "discriminator": { "propertyName": "p0" } })),
            1 => several(inner.clone()).prop_map(|parts| json!({ "allOf": parts })),
            1 => (object(inner.clone()), object(inner.clone())).prop_map(|(a, b)| json!({ "allOf": [a, b] })),
            2 => (object(inner.clone()), several(object(inner.clone()).boxed())).prop_map(|(mut base, branches)| {
                base["anyOf"] = branches.into();
                base
            }),
            1 => (inner.clone(), leaf()).prop_map(|(inner, other)| json!({ "allOf": [inner], "anyOf": [other, { "type": "null" }] })),
            1 => inner.prop_map(|items| json!({ "type": "array", "items": items, "uniqueItems": true, "maxItems": 4 })),
        ]
    })
}

/// Objects of few names, so that parts of a composition meet.
fn object(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let members = prop::collection::btree_map("p[0-3]", (inner, any::<bool>()), 0..4);
    (members, 0..4, any::<bool>()).prop_map(|(members, openness, is_typed)| {
        let required: Vec<&String> =
            members.iter().filter(|(_, (_, required))| *required).map(|(name, _)| name).collect();
        let properties: Map<String, Value> =
            members.iter().map(|(name, (inner, _))| (name.clone(), inner.clone())).collect();
        let mut object = json!({ "type": "object", "properties": properties, "required": required });
        match openness {
            0 => drop(object.as_object_mut().unwrap().shift_remove("properties")),
            1 => object["additionalProperties"] = json!(is_typed),
            2 => object["additionalProperties"] = json!(false),
            _ => {}
        }
        object
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let next = json!({ "anyOf": [{ "$ref": "#/$defs/tree" }, { "type": "null" }] });
    let shared = json!({ "type": "object", "properties": { "p0": { "type": "string" }, "p1": { "type": "integer" } }, "required": ["p1"] });
    let definitions = json!({
        "shared": shared, "Bar<string>": { "type": "string", "description": "a bar" }, "a/b": { "enum": ["u", "v"] },
        "tree": { "type": "object", "properties": { "next": next, "p0": { "type": "string" } } },
    });
    let root = prop::collection::vec((property(), any::<bool>()), 1..4);
    root.prop_map(move |members| {
        let names = members.iter().enumerate().map(|(index, (_, required))| (format!("r{index}"), *required));
        let required: Vec<String> = names.filter(|(_, required)| *required).map(|(name, _)| name).collect();
        let named = members.into_iter().enumerate().map(|(index, (inner, _))| (format!("r{index}"), inner));
        let properties: Map<String, Value> = named.collect();
        json!({ "type": "object", "properties": properties, "required": required, "$defs": definitions })
    })
}

fn texts(random: &mut fastrand::Rng) -> Value {
    json!(["abc", "", "lmn", "Q7", "2026-01-31", "a@example.org", "x", "c", "u"][random.usize(..9)])
}

/// Something that could be an instance: parts of a composition are sampled one by one and laid over each other.
fn sample(root: &Value, schema: &Value, random: &mut fastrand::Rng, fuel: u32) -> Value {
    let Some(members) = schema.as_object().filter(|_| fuel > 0) else {
        return [json!("free"), json!(3), Value::Null][random.usize(..3)].clone();
    };
    let mut value = own_sample(root, members, random, fuel - 1);
    let parts = |keyword: &str| members.get(keyword).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut laid: Vec<Value> = parts("allOf");
    for keyword in ["anyOf", "oneOf"] {
        let branches = parts(keyword);
        laid.extend((!branches.is_empty()).then(|| branches[random.usize(..branches.len())].clone()));
    }
    if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
        laid.push(resolve(root, reference).unwrap().1.clone());
    }
    for part in laid {
        match (value.as_mut().and_then(Value::as_object_mut), sample(root, &part, random, fuel - 1)) {
            (Some(own), Value::Object(more)) => own.extend(more),
            (Some(_), _) => {}
            (None, more) => value = Some(more),
        }
    }
    value.unwrap_or_else(|| texts(random))
}

fn own_sample(root: &Value, members: &Map<String, Value>, random: &mut fastrand::Rng, fuel: u32) -> Option<Value> {
    if let Some(value) = members.get("const") {
        return Some(value.clone());
    }
    if let Some(values) = members.get("enum").and_then(Value::as_array) {
        return Some(values[random.usize(..values.len())].clone());
    }
    let kinds = members.get("type")?;
    let kind = kinds.as_array().map_or(kinds, |kinds| &kinds[random.usize(..kinds.len())]).as_str()?;
    Some(match kind {
        "object" => {
            let required = members.get("required").and_then(Value::as_array);
            let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
            let properties = members.get("properties").and_then(Value::as_object).into_iter().flatten();
            let mut value = Map::new();
            for (name, property) in properties {
                if is_required(name) || (random.bool() && fuel > 1) {
                    value.insert(name.clone(), sample(root, property, random, fuel));
                }
            }
            value.into()
        }
        "array" => {
            let least = members.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let items = members.get("items").cloned().unwrap_or_default();
            (0..random.u64(least..=least + 2)).map(|_| sample(root, &items, random, fuel)).collect()
        }
        "integer" => json!(random.i64(-2..10)),
        "number" => json!(f64::from(random.i32(-4..5)) * 0.5),
        "boolean" => json!(random.bool()),
        "null" => Value::Null,
        _ => texts(random),
    })
}

/// Whether the dialect has a form of this instance: nulls may stand for what is absent, and properties that are nowhere
/// declared, in objects that are open by accident, may be missing.
fn is_expressible(root: &Value, sent: &Value, instance: &Value) -> bool {
    if let Some(reference) = sent.get("$ref").and_then(Value::as_str) {
        return is_expressible(root, resolve(root, reference).unwrap().1, instance);
    }
    if let Some(branches) = sent.get("anyOf").and_then(Value::as_array) {
        return branches.iter().any(|branch| is_expressible(root, branch, instance));
    }
    let mut alone = sent.as_object().unwrap().clone();
    for keyword in ["properties", "required", "additionalProperties", "items", "$defs"] {
        alone.shift_remove(keyword);
    }
    if !jsonschema::is_valid(&alone.into(), instance) {
        return false;
    }
    match instance {
        Value::Object(members) => {
            let properties = sent["properties"].as_object().cloned().unwrap_or_default();
            let required = sent["required"].as_array().cloned().unwrap_or_default();
            required.iter().all(|name| properties.contains_key(name.as_str().unwrap()))
                && properties.iter().all(|(name, property)| match members.get(name) {
                    Some(member) => is_expressible(root, property, member),
                    None => !required.contains(&json!(name)) || is_expressible(root, property, &Value::Null),
                })
        }
        Value::Array(items) => {
            sent.get("items").is_none_or(|inner| items.iter().all(|item| is_expressible(root, inner, item)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Where the keyword of an error was written: its path through references, as a place in the document.
fn written_at(root: &Value, path: &str) -> String {
    let mut pointer = String::new();
    for token in path.split('/').skip(1) {
        let here = root.pointer(&pointer).unwrap();
        match here.get("$ref").and_then(Value::as_str).filter(|_| token == "$ref") {
            Some(reference) => pointer = resolve(root, reference).unwrap().0,
            None => pointer = format!("{pointer}/{token}"),
        }
    }
    pointer
}

/// Whether a loss at one of these places explains that a keyword is broken. What breaks a choice is in one of its
/// branches, or behind a reference there.
fn is_explained(root: &Value, place: &str, losses: &[Loss]) -> bool {
    let below = root.pointer(place).filter(|_| place.ends_with("anyOf") || place.ends_with("oneOf"));
    let mut open = vec![(place.to_owned(), below)];
    let mut seen = Vec::new();
    while let Some((at, value)) = open.pop() {
        if losses.iter().any(|loss| loss.place() == at || loss.pointer.starts_with(&at)) {
            return true;
        }
        for inner in value.and_then(Value::as_array).into_iter().flatten().chain(value) {
            let mut left = vec![inner];
            while let Some(inner) = left.pop() {
                if let Some((target, schema)) =
                    inner.get("$ref").and_then(Value::as_str).and_then(|to| resolve(root, to).ok())
                    && !seen.contains(&target)
                {
                    seen.push(target.clone());
                    open.push((target, Some(schema)));
                }
                left.extend(inner.as_object().into_iter().flat_map(subschemas).map(|(_, inner, _)| inner));
            }
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_a_dialect_allows_is_valid_or_its_loss_is_listed(schema in schema(), seed in any::<u64>()) {
        let validator = jsonschema::options().offline().should_validate_formats(true).build(&schema).unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        for dialect in Dialect::ALL {
            let compiled = compile(dialect, &schema);
            if !compiled.is_strict {
                prop_assert!(compiled.losses.iter().any(|loss| loss.effect.ends_enforcement()), "{dialect:?} {schema}");
                continue;
            }
            prop_assert!(compiled.losses.iter().all(|loss| !loss.effect.ends_enforcement()));
            let sent = jsonschema::options().offline().should_validate_formats(true).build(&compiled.schema).unwrap();
            for _ in 0..3 {
                let before = sample(&compiled.schema, &compiled.schema, &mut random, 12);
                if !sent.is_valid(&before) {
                    continue;
                }
                let mut answer = before.clone();
                compiled.restore(&mut answer);
                for error in validator.iter_errors(&answer) {
                    let place = written_at(&schema, &error.schema_path().to_string());
                    prop_assert!(
                        is_explained(&schema, &place, &compiled.losses),
                        "{dialect:?}: {before} became {answer} and breaks {place} of {schema}\nsent {}\nlost {:?}",
                        compiled.schema, compiled.losses
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_valid_can_be_said_or_is_listed(schema in schema(), seed in any::<u64>()) {
        let original = Schema::compile("s", "1.0.0", schema.clone());
        let Ok(original) = original else { return Ok(()) };
        let mut random = fastrand::Rng::with_seed(seed);
        let samples: Vec<Value> = (0..8).map(|_| sample(&schema, &schema, &mut random, 9)).collect();
        for dialect in Dialect::ALL {
            let compiled = compile(dialect, &schema);
            let narrows = |loss: &Loss| matches!(loss.effect, Effect::Closed | Effect::WithoutNull);
            if !compiled.is_strict || compiled.losses.iter().any(narrows) {
                continue;
            }
            for instance in samples.iter().filter(|instance| original.validate(instance).is_ok()) {
                prop_assert!(
                    is_expressible(&compiled.schema, &compiled.schema, instance),
                    "{dialect:?} excludes {instance}, valid by {schema}\nsent {}", compiled.schema
                );
            }
        }
    }

    /// Whatever the schema, a keyword that is not in a dialect is not sent in it.
    #[test]
    fn only_known_keywords_are_sent(schema in schema()) {
        const OPENAI: [&str; 19] = ["$defs", "$ref", "type", "anyOf", "enum", "description", "title", "properties", "required",
            "additionalProperties", "format", "pattern", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum",
            "exclusiveMaximum", "multipleOf"];
        const ANTHROPIC: [&str; 13] = ["$defs", "$ref", "type", "anyOf", "enum", "const", "description", "title",
            "properties", "additionalProperties", "required", "format", "minItems"];
        const GEMINI: [&str; 16] = ["$defs", "$ref", "type", "format", "title", "description", "enum", "prefixItems", "minItems",
            "maxItems", "minimum", "maximum", "anyOf", "properties", "additionalProperties", "required"];
        for (dialect, known) in [(Dialect::OpenAi, &OPENAI[..]), (Dialect::Anthropic, &ANTHROPIC[..]), (Dialect::Gemini, &GEMINI[..])] {
            let compiled = compile(dialect, &schema);
            let mut left = vec![&compiled.schema];
            while let Some(value) = left.pop().filter(|_| compiled.is_strict) {
                let Some(members) = value.as_object() else { continue };
                for keyword in members.keys() {
                    prop_assert!(known.contains(&keyword.as_str()) || keyword == "items", "{dialect:?} {keyword}");
                }
                prop_assert!(!members.contains_key("$ref") || members.len() == 1, "{members:?}");
                left.extend(subschemas(members).into_iter().map(|(_, inner, _)| inner));
                let is_open = members.get("type").is_some_and(|kind| kind == "object")
                    && members.get("additionalProperties") != Some(&json!(false));
                prop_assert!(dialect == Dialect::Gemini || !is_open);
                let is_odd = |value: &Value| value.is_null() || value.is_boolean();
                let has_odd = members.get("enum").and_then(Value::as_array).is_some_and(|all| all.iter().any(is_odd));
                prop_assert!(dialect != Dialect::Gemini || !has_odd, "{members:?}");
            }
        }
    }
}
