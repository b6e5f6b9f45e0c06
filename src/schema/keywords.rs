//! The keywords of JSON Schema: since when there is each, and where subschemas stand.

use serde_json::{Map, Value};

use crate::domain::json::pointer::join;

/// A draft of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draft {
    /// Draft 4.
    Draft4,
    /// Draft 6.
    Draft6,
    /// Draft 7.
    Draft7,
    /// Draft 2019-09.
    Draft201909,
    /// Draft 2020-12: where `$schema` is left out, too.
    Draft202012,
}

impl Draft {
    /// The draft that a schema's `$schema` names.
    pub fn of(schema: &Value) -> Self {
        const NAMES: [(&str, Draft); 4] = [
            ("draft-04", Draft::Draft4),
            ("draft-06", Draft::Draft6),
            ("draft-07", Draft::Draft7),
            ("draft/2019-09", Draft::Draft201909),
        ];
        let uri = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
        NAMES.into_iter().find(|(name, _)| uri.contains(name)).map_or(Self::Draft202012, |(_, draft)| draft)
    }

    /// The `$schema` of its schemas.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Draft4 => "http://json-schema.org/draft-04/schema#",
            Self::Draft6 => "http://json-schema.org/draft-06/schema#",
            Self::Draft7 => "http://json-schema.org/draft-07/schema#",
            Self::Draft201909 => "https://json-schema.org/draft/2019-09/schema",
            Self::Draft202012 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    /// Its usual name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft4 => "draft 4",
            Self::Draft6 => "draft 6",
            Self::Draft7 => "draft 7",
            Self::Draft201909 => "draft 2019-09",
            Self::Draft202012 => "draft 2020-12",
        }
    }

    /// Whether whatever stands beside `$ref` is ignored.
    pub fn ignores_siblings_of_ref(self) -> bool {
        self <= Self::Draft7
    }
}

/// What a keyword is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Restricts values of this type; with an empty name, values of any type.
    Assertion(&'static str),
    /// One schema, or a list of them, for parts of a value of this type.
    Child(&'static str),
    /// Names with schemas for parts of a value.
    ChildMap,
    /// One schema, or a list of them, for the same value.
    InPlace,
    /// Names with schemas for the same value.
    InPlaceMap,
    /// Names with schemas for where something refers to them.
    Definitions,
    /// Refers to a schema.
    Reference,
    /// Restricts nothing.
    Annotation,
}

/// One keyword.
#[derive(Debug, Clone, Copy)]
pub struct Keyword {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// The first draft that knows it.
    pub since: Draft,
    /// The last draft that knows it.
    pub until: Draft,
}

const fn always(name: &'static str, role: Role) -> Keyword {
    since(Draft::Draft4, name, role)
}

const fn since(since: Draft, name: &'static str, role: Role) -> Keyword {
    Keyword { name, role, since, until: Draft::Draft202012 }
}

const fn until(until: Draft, keyword: Keyword) -> Keyword {
    Keyword { until, ..keyword }
}

/// Every keyword of drafts 4 to 2020-12. What reads them is `jsonschema`, which knows `dependencies` in each.
pub const KEYWORDS: &[Keyword] = {
    use Draft::{Draft6, Draft7, Draft201909, Draft202012};
    use Role::{Annotation, Assertion, Child, ChildMap, Definitions, InPlace, InPlaceMap, Reference};
    &[
        always("type", Assertion("")),
        always("enum", Assertion("")),
        since(Draft6, "const", Assertion("")),
        always("multipleOf", Assertion("number")),
        always("minimum", Assertion("number")),
        always("maximum", Assertion("number")),
        always("exclusiveMinimum", Assertion("number")),
        always("exclusiveMaximum", Assertion("number")),
        always("minLength", Assertion("string")),
        always("maxLength", Assertion("string")),
        always("pattern", Assertion("string")),
        always("format", Assertion("string")),
        since(Draft7, "contentEncoding", Assertion("string")),
        since(Draft7, "contentMediaType", Assertion("string")),
        since(Draft201909, "contentSchema", Annotation),
        always("minItems", Assertion("array")),
        always("maxItems", Assertion("array")),
        always("uniqueItems", Assertion("array")),
        since(Draft201909, "minContains", Assertion("array")),
        since(Draft201909, "maxContains", Assertion("array")),
        always("items", Child("array")),
        until(Draft201909, always("additionalItems", Child("array"))),
        since(Draft202012, "prefixItems", Child("array")),
        since(Draft6, "contains", Child("array")),
        since(Draft201909, "unevaluatedItems", Child("array")),
        always("minProperties", Assertion("object")),
        always("maxProperties", Assertion("object")),
        always("required", Assertion("object")),
        since(Draft201909, "dependentRequired", Assertion("object")),
        always("additionalProperties", Child("object")),
        since(Draft6, "propertyNames", Child("object")),
        since(Draft201909, "unevaluatedProperties", Child("object")),
        always("properties", ChildMap),
        always("patternProperties", ChildMap),
        since(Draft201909, "dependentSchemas", InPlaceMap),
        always("dependencies", InPlaceMap),
        always("allOf", InPlace),
        always("anyOf", InPlace),
        always("oneOf", InPlace),
        always("not", InPlace),
        since(Draft7, "if", InPlace),
        since(Draft7, "then", InPlace),
        since(Draft7, "else", InPlace),
        always("$defs", Definitions),
        always("definitions", Definitions),
        always("$ref", Reference),
        since(Draft202012, "$dynamicRef", Reference),
        until(Draft201909, since(Draft201909, "$recursiveRef", Reference)),
        always("$schema", Annotation),
        always("$id", Annotation),
        always("id", Annotation),
        always("$anchor", Annotation),
        always("$dynamicAnchor", Annotation),
        always("$recursiveAnchor", Annotation),
        always("$vocabulary", Annotation),
        always("$comment", Annotation),
        always("title", Annotation),
        always("description", Annotation),
        always("default", Annotation),
        always("examples", Annotation),
        always("deprecated", Annotation),
        always("readOnly", Annotation),
        always("writeOnly", Annotation),
    ]
};

/// The keyword of this name.
pub fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

impl Keyword {
    /// Whether this draft knows it.
    pub fn is_in(&self, draft: Draft) -> bool {
        (self.since..=self.until).contains(&draft)
    }
}

/// The subschemas of a schema, each with the tokens that lead to it and the role of the keyword that holds it.
pub fn subschemas(schema: &Map<String, Value>) -> Vec<(String, &Value, Role)> {
    let mut found = Vec::new();
    for (name, value) in schema {
        let Some(Keyword { role, .. }) = find(name) else { continue };
        let at = join("", name);
        match (role, value) {
            (Role::ChildMap | Role::InPlaceMap | Role::Definitions, Value::Object(members)) => {
                found.extend(members.iter().map(|(name, inner)| (join(&at, name), inner, *role)));
            }
            (Role::Child(_) | Role::InPlace, Value::Array(items)) => {
                found.extend(items.iter().enumerate().map(|(index, inner)| (format!("{at}/{index}"), inner, *role)));
            }
            (Role::Child(_) | Role::InPlace, _) => found.push((at, value, *role)),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The table says which draft knows a keyword, and `jsonschema` is who decides.
    #[test]
    fn a_keyword_asserts_something_in_the_drafts_that_know_it() {
        const DRAFTS: [Draft; 5] =
            [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];
        let cases = [
            ("const", json!(1), json!(2)),
            ("contains", json!({ "const": 1, "enum": [1] }), json!([2])),
            ("propertyNames", json!({ "maxLength": 1 }), json!({ "ab": 1 })),
            ("dependentRequired", json!({ "a": ["b"] }), json!({ "a": 1 })),
            ("unevaluatedProperties", json!(false), json!({ "a": 1 })),
            ("prefixItems", json!([{ "type": "string" }]), json!([1])),
            ("dependencies", json!({ "a": ["b"] }), json!({ "a": 1 })),
            ("minLength", json!(2), json!("a")),
        ];
        for (draft, uri) in DRAFTS.map(|draft| (draft, draft.uri())) {
            assert_eq!(Draft::of(&json!({ "$schema": uri })), draft);
            for (keyword, value, refused) in &cases {
                let schema = json!({ "$schema": uri, *keyword: value });
                let validator = jsonschema::options().offline().build(&schema).unwrap();
                assert_eq!(!validator.is_valid(refused), find(keyword).unwrap().is_in(draft), "{keyword} {draft:?}");
            }
            let beside = json!({ "$schema": uri, "properties": { "a": { "$ref": "#/definitions/a", "minLength": 2 } },
                "definitions": { "a": {} } });
            let ignores = jsonschema::options().offline().build(&beside).unwrap().is_valid(&json!({ "a": "" }));
            assert_eq!(ignores, draft.ignores_siblings_of_ref(), "{draft:?}");
        }
    }
}
