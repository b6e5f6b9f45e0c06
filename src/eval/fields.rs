//! Which fields of an answer are compared, and how: what the schema says by `x-eval`, or else its types.

use serde_json::Value;

pub use super::metric::{Field, Metric};
use super::x_eval;
use crate::domain::json::pointer::join;
use crate::schema::annotations;
use crate::schema::fields::MAX_LEVELS;
use crate::schema::node::{Kind, Node};

/// How many values are looked into; the others are compared as a whole, as those are that lie deeper than
/// [`MAX_LEVELS`]. A schema that leads back to itself through ten properties has a hundred million within so many.
const MAX_NODES: usize = 10_000;

/// Why a schema does not say how its fields are compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: x-eval: {message}")]
pub struct FieldError {
    /// The field.
    pub pointer: String,
    /// What is wrong, and what to write.
    pub message: String,
}

/// The fields of a schema, in its order. Objects are looked into; a list is one field. A field that is to be ignored is
/// left out.
///
/// # Errors
/// The first `x-eval` that says nothing.
pub fn of_schema(schema: &Value) -> Result<Vec<Field>, FieldError> {
    Walk { root: schema, left: MAX_NODES }.fields(&[schema], "", 0)
}

/// A walk through a schema, which may lead back to itself in many ways.
struct Walk<'a> {
    root: &'a Value,
    /// Nodes that may still be looked into.
    left: usize,
}

impl<'a> Walk<'a> {
    /// The fields of a value that has to be valid against all of these schemas.
    fn fields(&mut self, schemas: &[&'a Value], pointer: &str, level: usize) -> Result<Vec<Field>, FieldError> {
        let node = Node::of_all(self.root, schemas);
        let is_looked_into = level < MAX_LEVELS && self.left > 0;
        self.left = self.left.saturating_sub(1);
        let metric = match node.get(annotations::EVAL) {
            Some(keyword) => match x_eval::read(keyword, node.kind() == Kind::Array && is_looked_into) {
                Ok(Metric::ListF1 { .. }) => self.list(&node, pointer, level)?,
                Ok(metric) => metric,
                Err(error) => return Err(FieldError { pointer: pointer.to_owned(), message: error.to_string() }),
            },
            None if is_looked_into => {
                let properties = node.properties_by_name();
                if node.kind() == Kind::Object && !properties.is_empty() {
                    let inner = properties
                        .into_iter()
                        .map(|(name, schemas)| self.fields(&schemas, &join(pointer, name), level + 1));
                    return Ok(inner.collect::<Result<Vec<_>, _>>()?.concat());
                }
                self.usual(&node, pointer, level)?
            }
            None => Metric::Exact,
        };
        if metric == Metric::Ignore {
            return Ok(Vec::new());
        }
        let choices = node.choices().into_iter().map(|(value, _)| value.clone()).collect();
        Ok(vec![Field { pointer: pointer.to_owned(), metric, choices }])
    }

    /// What is usual for the type of a field.
    fn usual(&mut self, node: &Node<'a>, pointer: &str, level: usize) -> Result<Metric, FieldError> {
        Ok(match node.kind() {
            Kind::Array => self.list(node, pointer, level)?,
            Kind::String if node.text("format") == "date" => Metric::Date { days: 0 },
            Kind::String => Metric::Normalised,
            Kind::Integer | Kind::Number => Metric::Number { tolerance: 0.0 },
            Kind::Object | Kind::Boolean | Kind::Choice | Kind::Null => Metric::Exact,
        })
    }

    fn list(&mut self, node: &Node<'a>, pointer: &str, level: usize) -> Result<Metric, FieldError> {
        let exact = || vec![Field { pointer: String::new(), metric: Metric::Exact, choices: Vec::new() }];
        let items = match node.get("items").filter(|items| items.is_object()) {
            Some(items) => self
                .fields(&[items], "", level + 1)
                .map_err(|error| FieldError { pointer: format!("{pointer}/*{}", error.pointer), ..error })?,
            None => exact(),
        };
        Ok(Metric::ListF1 { items })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::schema::fields::SchemaFields;
    use crate::schema::library;

    fn metrics(schema: &Value) -> Vec<(String, &'static str)> {
        of_schema(schema).unwrap().into_iter().map(|field| (field.pointer, field.metric.as_str())).collect()
    }

    #[test]
    fn types_say_how_a_field_is_compared_where_the_schema_does_not() {
        let schema = json!({
            "type": "object",
            "$defs": { "Mood": { "enum": ["good", "bad"] } },
            "properties": {
                "name": { "type": ["string", "null"] },
                "due": { "type": "string", "format": "date" },
                "total": { "anyOf": [{ "type": "number" }, { "type": "null" }] },
                "mood": { "$ref": "#/$defs/Mood" },
                "paid": { "type": "boolean" },
                "from": { "type": "object", "properties": { "a/b": { "type": "string" } } },
                "free": { "type": "object" },
                "tags": { "type": "array", "items": { "type": "string" } }
            }
        });
        let expected = [
            ("/name", "normalised"),
            ("/due", "date"),
            ("/total", "number"),
            ("/mood", "exact"),
            ("/paid", "exact"),
            ("/from/a~1b", "normalised"),
            ("/free", "exact"),
            ("/tags", "list-f1"),
        ];
        assert_eq!(metrics(&schema), expected.map(|(pointer, metric)| (pointer.to_owned(), metric)));
        let fields = of_schema(&schema).unwrap();
        assert_eq!(
            fields.iter().find(|field| field.pointer == "/mood").unwrap().choices,
            [json!("good"), json!("bad")]
        );
    }

    #[test]
    fn the_schema_says_it_by_x_eval() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": { "type": "string", "x-eval": "exact" },
                "b": { "type": "number", "x-eval": { "number": { "tolerance": 0.01 } } },
                "c": { "type": "string", "x-eval": { "date": { "days": 3 } } },
                "d": { "type": "string", "x-eval": "ignore" },
                "e": { "type": "object", "x-eval": "exact", "properties": { "x": { "type": "string" } } },
                "f": { "type": "array", "x-eval": "list-f1", "items": { "type": "object", "properties": {
                    "sku": { "type": "string" }, "net": { "type": "number", "x-eval": { "number": { "tolerance": 1 } } }
                } } }
            }
        });
        let fields = of_schema(&schema).unwrap();
        assert_eq!(
            fields.iter().map(|field| field.pointer.as_str()).collect::<Vec<_>>(),
            ["/a", "/b", "/c", "/e", "/f"]
        );
        assert_eq!(fields[1].metric, Metric::Number { tolerance: 0.01 });
        assert_eq!(fields[2].metric, Metric::Date { days: 3 });
        let Metric::ListF1 { items } = &fields[4].metric else { panic!("{:?}", fields[4]) };
        assert_eq!(items[0].pointer, "/sku");
        assert_eq!(items[1].metric, Metric::Number { tolerance: 1.0 });
    }

    #[test]
    fn a_property_of_several_parts_is_one_field() {
        let schema = json!({
            "type": "object",
            "properties": { "total": { "type": "number" }, "name": { "type": "string" } },
            "allOf": [
                { "properties": { "total": { "minimum": 0, "x-eval": { "number": { "tolerance": 1 } } } } },
                { "$ref": "#/$defs/Dated" }
            ],
            "$defs": { "Dated": { "properties": { "name": { "maxLength": 9 }, "day": { "format": "date" } } } }
        });
        assert_eq!(
            metrics(&schema),
            [("/total", "number"), ("/name", "normalised"), ("/day", "date")].map(|(a, b)| (a.to_owned(), b))
        );
        assert_eq!(of_schema(&schema).unwrap()[0].metric, Metric::Number { tolerance: 1.0 });
    }

    #[test]
    fn a_schema_that_leads_back_to_itself_in_many_ways_is_looked_into_for_a_while() {
        let again = |_| json!({ "$ref": "#" });
        let properties: serde_json::Map<_, _> = (0..12).map(|n| (format!("p{n}"), again(n))).collect();
        let objects = json!({ "type": "object", "properties": properties });
        let fields = of_schema(&objects).unwrap();
        assert!((1_000..=MAX_NODES).contains(&fields.len()), "{}", fields.len());
        let lists = json!({ "type": "object", "properties": { "a": { "type": "array", "items": objects } } });
        assert_eq!(of_schema(&lists).unwrap().len(), 1);
    }

    #[test]
    fn an_x_eval_that_says_nothing_is_refused_with_its_place() {
        for (keyword, part) in [
            (json!("normalized"), "did you mean normalised?"),
            (json!("fuzzy"), "write one of exact"),
            (json!({ "number": { "tolerance": -1 } }), "not negative"),
            (json!({ "date": { "hours": 1 } }), "\"days\""),
            (json!({ "number": {}, "date": {} }), "one metric is expected"),
            (json!("list-f1"), "list-f1 is for lists"),
            (json!({ "exact": {} }), "exact has no settings"),
            (json!(7), "there is no such metric"),
        ] {
            let schema = json!({ "type": "object", "properties": { "list": { "type": "array", "items": {
                "type": "object", "properties": { "n": { "type": "number", "x-eval": keyword } } } } } });
            let error = of_schema(&schema).unwrap_err();
            assert_eq!(error.pointer, "/list/*/n");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn of_built_in_schemas_free_prose_is_not_compared() {
        for name in library::names() {
            let fields = of_schema(library::find(name).unwrap().json()).unwrap();
            assert!(!fields.is_empty(), "{name}");
            for prose in ["/summary", "/notes", "/translation"] {
                assert!(fields.iter().all(|field| field.pointer != prose), "{name}{prose}");
            }
        }
    }

    /// The names by which the values of these fields are counted, with `*` for each index.
    fn names(fields: &[Field], around: &str) -> Vec<String> {
        let of_field = |field: &Field| {
            let name = format!("{around}{}", field.pointer);
            let Metric::ListF1 { items } = &field.metric else { return vec![name] };
            [vec![name.clone()], names(items, &format!("{name}/*"))].concat()
        };
        fields.iter().flat_map(of_field).collect()
    }

    /// Schemas whose parts refer to each other, to themselves and to nothing.
    fn any_schema() -> impl Strategy<Value = Value> {
        let reference = prop::sample::select(vec!["#", "#/$defs/a", "#/$defs/b", "#/$defs/none"]);
        let leaf = prop_oneof![
            Just(json!({ "type": "string" })),
            Just(json!({ "type": ["array", "null"] })),
            Just(json!({ "enum": ["x", null] })),
            Just(json!({ "type": "string", "x-eval": "ignore" })),
            Just(json!(true)),
            reference.prop_map(|to| json!({ "$ref": to })),
        ];
        let part = leaf.prop_recursive(6, 24, 3, |inner| {
            let members = prop::collection::btree_map("[a-c]", inner.clone(), 1..4);
            let several = prop::collection::vec(inner.clone(), 1..3);
            prop_oneof![
                members.prop_map(|members| json!({ "type": "object", "properties": members })),
                inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
                inner.prop_map(|inner| json!({ "anyOf": [inner, { "type": "null" }] })),
                (several.clone(), prop::sample::select(vec!["allOf", "oneOf", "prefixItems"]))
                    .prop_map(|(parts, keyword)| json!({ keyword: parts })),
                several.prop_map(|parts| json!({ "type": "object", "allOf": parts, "x-eval": "exact" })),
            ]
        });
        [part.clone(), part.clone(), part].prop_map(|[mut root, a, b]| {
            if let Some(members) = root.as_object_mut() {
                members.insert("$defs".to_owned(), json!({ "a": a, "b": b }));
            }
            root
        })
    }

    proptest! {
        #[test]
        fn every_field_that_is_compared_is_one_that_the_schema_names(schema in any_schema()) {
            let fields = of_schema(&schema).unwrap();
            let named = SchemaFields::of(&schema);
            let names = names(&fields, "");
            let unknown = named.first_unknown(names.iter().map(String::as_str));
            prop_assert_eq!(unknown, None, "{}", schema);
        }
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema =
            json!({ "type": "object", "properties": { "name": { "type": "string" }, "child": { "$ref": "#" } } });
        let fields = of_schema(&schema).unwrap();
        assert_eq!(fields.len(), MAX_LEVELS + 1);
        assert_eq!(fields.last().unwrap().metric, Metric::Exact);
    }
}
