//! Keywords that hold a value itself against something.

use serde_json::{Map, Value, json};

use super::Comparison;
use super::alternatives::PAIRS_A_STEP;
use super::document::Document;
use super::known::Known;
use super::types::Types;
use crate::domain::json::Decimal;
use crate::schema::keywords::Draft;

/// What compiling a keyword costs.
const COMPILE_STEPS: usize = 2_000;

/// A limit of a number or a count.
struct Limit {
    value: Decimal,
    /// Whether the value itself is beyond it.
    is_exclusive: bool,
}

/// Limits that values must not be below, or not above, with the keywords that set them.
struct Limits {
    is_least: bool,
    /// The keyword of the limit that may be reached.
    inclusive: &'static str,
    /// That of the one that may not, where there is one.
    exclusive: &'static str,
}

const LIMITS: [Limits; 8] = [
    Limits { is_least: true, inclusive: "minimum", exclusive: "exclusiveMinimum" },
    Limits { is_least: false, inclusive: "maximum", exclusive: "exclusiveMaximum" },
    Limits { is_least: true, inclusive: "minLength", exclusive: "" },
    Limits { is_least: false, inclusive: "maxLength", exclusive: "" },
    Limits { is_least: true, inclusive: "minItems", exclusive: "" },
    Limits { is_least: false, inclusive: "maxItems", exclusive: "" },
    Limits { is_least: true, inclusive: "minProperties", exclusive: "" },
    Limits { is_least: false, inclusive: "maxProperties", exclusive: "" },
];

impl<'a> Comparison<'a> {
    /// Notes an assertion of the later schema that does not follow from what is known.
    pub(super) fn check_assertion(
        &mut self,
        known: &Known<'a>,
        members: &'a Map<String, Value>,
        name: &str,
        value: &'a Value,
        at: &str,
    ) {
        if name == "type" {
            let refused = known.types.without(Types::of_keyword(value));
            if !refused.is_empty() {
                self.report(at, format!("values of these types were valid and are not any more: {}", refused.names()));
            }
            return;
        }
        if name == "required" {
            return self.check_required(known, value, at);
        }
        let follows = match LIMITS.iter().find(|limits| limits.inclusive == name || limits.exclusive == name) {
            Some(limits) => self.limit_follows(known, members, limits, name),
            None => self.follows(known, name, value),
        };
        if !follows && !self.takes_all_values(known, members, name, value) {
            self.report(at, refusal(name));
        }
    }

    fn follows(&mut self, known: &Known<'a>, name: &str, value: &'a Value) -> bool {
        match (name, value) {
            // Its values are listed, or it does not follow from anything.
            ("enum" | "const", _) => self.is_kept(known, name, value),
            ("uniqueItems", Value::Bool(false)) => true,
            ("uniqueItems", _) => self.is_kept(known, name, value) || self.most(known, "maxItems") < 2,
            ("multipleOf", Value::Number(step)) => {
                let is_whole = !known.types.may_be("number") || known.types.and(Types::NUMBER) == Types::INTEGER;
                let one = Decimal::of("1");
                let mut steps =
                    known.schemas.iter().filter_map(|schema| self.earlier.keyword(schema, name)?.as_number());
                is_whole && Decimal::of(step.as_str()) == one
                    || steps.any(|before| is_multiple(before.as_str(), step.as_str()))
            }
            ("dependentRequired", Value::Object(dependencies)) => {
                let required = known.required(&self.earlier);
                let is_required = |names: &Value| {
                    let mut names = names.as_array().into_iter().flatten();
                    names.all(|name| name.as_str().is_some_and(|name| required.contains(name)))
                };
                dependencies.values().all(is_required) || self.is_kept(known, name, value)
            }
            _ => self.is_kept(known, name, value),
        }
    }

    fn check_required(&mut self, known: &Known<'a>, value: &'a Value, at: &str) {
        let required = known.required(&self.earlier);
        let names = value.as_array().into_iter().flatten().enumerate();
        for (index, name) in names.filter_map(|(index, name)| Some((index, name.as_str()?))) {
            if !required.contains(name) {
                let message = format!("answers without `{name}` were valid");
                self.report(&format!("{at}/{index}"), message);
            }
        }
    }

    /// Whether a limit follows from one that is as strict, or from what else bounds an object's properties.
    fn limit_follows(&self, known: &Known<'a>, members: &'a Map<String, Value>, limits: &Limits, name: &str) -> bool {
        let earlier: Vec<Limit> = known.schemas.iter().flat_map(|schema| limits.of(&self.earlier, schema)).collect();
        let wanted = limits.of_keyword(&self.later, members, name);
        let is_met = |wanted: &Limit| earlier.iter().any(|limit| limit.is_within(wanted, limits.is_least));
        let counted = match name {
            "minProperties" => Some(known.required(&self.earlier).len()),
            "maxProperties" => self.closed_count(known),
            _ => None,
        };
        let counted = counted.map(|count| Limit { value: Decimal::of(&count.to_string()), is_exclusive: false });
        let is_count = limits.exclusive.is_empty();
        wanted.is_none_or(|wanted| {
            is_count && limits.is_least && wanted.value.is_zero()
                || is_met(&wanted)
                || counted.is_some_and(|counted| counted.is_within(&wanted, limits.is_least))
        })
    }

    /// The number of properties that an object can have at most, where all of them are declared.
    fn closed_count(&self, known: &Known<'a>) -> Option<usize> {
        let is_closed = |schema: &&&'a Map<String, Value>| {
            self.earlier.keyword(schema, "additionalProperties") == Some(&Value::Bool(false))
                && self.earlier.keyword(schema, "patternProperties").is_none()
        };
        let closed = known.schemas.iter().filter(is_closed);
        closed.map(|schema| self.earlier.members(schema, "properties").map_or(0, Map::len)).min()
    }

    /// The least count that the earlier schema sets with a keyword.
    pub(super) fn most(&self, known: &Known<'a>, name: &str) -> u64 {
        let counts = known.schemas.iter().filter_map(|schema| self.earlier.keyword(schema, name)?.as_u64());
        counts.min().unwrap_or(u64::MAX)
    }

    /// Whether all values that there can be are listed, and the keyword takes each.
    fn takes_all_values(
        &self,
        known: &Known<'a>,
        members: &'a Map<String, Value>,
        name: &str,
        value: &'a Value,
    ) -> bool {
        let Some(values) = known.values(&self.earlier) else { return false };
        let pairs = values.len() * value.as_array().map_or(1, Vec::len);
        if !self.steps.take(COMPILE_STEPS + pairs / PAIRS_A_STEP) {
            return false;
        }
        let mut alone = Map::new();
        // In draft 4 the one is a remark on the other.
        let beside = match name {
            "minimum" if self.later.draft == Draft::Draft4 => "exclusiveMinimum",
            "maximum" if self.later.draft == Draft::Draft4 => "exclusiveMaximum",
            _ => name,
        };
        for name in [name, beside] {
            alone.extend(members.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        alone.insert("$schema".to_owned(), json!(self.later.draft.uri()));
        let validator = jsonschema::options().offline().should_validate_formats(true).build(&Value::Object(alone));
        validator.is_ok_and(|validator| values.iter().all(|value| validator.is_valid(value)))
    }
}

impl Limits {
    /// The limits that a schema sets.
    fn of(&self, document: &Document<'_>, schema: &Map<String, Value>) -> Vec<Limit> {
        [self.inclusive, self.exclusive].iter().filter_map(|name| self.of_keyword(document, schema, name)).collect()
    }

    /// The limit that a keyword sets; `None` for a mere remark of draft 4.
    fn of_keyword(&self, document: &Document<'_>, schema: &Map<String, Value>, name: &str) -> Option<Limit> {
        let value = document.keyword(schema, name)?.as_number()?;
        let is_remarked = document.keyword(schema, self.exclusive) == Some(&Value::Bool(true));
        Some(Limit { value: Decimal::of(value.as_str()), is_exclusive: name == self.exclusive || is_remarked })
    }
}

impl Limit {
    /// Whether what is within this limit is within another one.
    fn is_within(&self, other: &Self, is_least: bool) -> bool {
        let is_stricter = if is_least { self.value > other.value } else { self.value < other.value };
        is_stricter || self.value == other.value && (self.is_exclusive || !other.is_exclusive)
    }
}

/// Whether each multiple of one whole number is one of another.
fn is_multiple(number: &str, step: &str) -> bool {
    match (number.parse::<u64>(), step.parse::<u64>()) {
        (Ok(number), Ok(step)) => number.checked_rem(step) == Some(0),
        _ => Decimal::of(number) == Decimal::of(step),
    }
}

/// What a keyword refuses now.
fn refusal(name: &str) -> String {
    match name {
        "enum" | "const" => "values that were valid are not among these".to_owned(),
        "minimum" | "exclusiveMinimum" => "smaller numbers were valid".to_owned(),
        "maximum" | "exclusiveMaximum" => "larger numbers were valid".to_owned(),
        "minLength" => "shorter texts were valid".to_owned(),
        "maxLength" => "longer texts were valid".to_owned(),
        "minItems" => "shorter arrays were valid".to_owned(),
        "maxItems" => "longer arrays were valid".to_owned(),
        "minProperties" => "objects with fewer properties were valid".to_owned(),
        "maxProperties" => "objects with more properties were valid".to_owned(),
        "pattern" => "texts that this expression may not match were valid".to_owned(),
        "format" => "texts of other forms were valid".to_owned(),
        "uniqueItems" => "items could be equal".to_owned(),
        "multipleOf" => "other numbers were valid".to_owned(),
        "dependentRequired" => "objects without these properties were valid".to_owned(),
        _ => format!("what `{name}` refuses was valid"),
    }
}
