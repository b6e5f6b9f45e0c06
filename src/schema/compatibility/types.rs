//! The types that values may have.

use serde_json::Value;

use crate::domain::json::is_integer_literal;
use crate::schema::keywords::Draft;

/// A set of types. Numbers are of two: whole ones, and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

/// Each type with the name that a schema has for it; a number is `number` as well as `integer`.
const NAMES: [(&str, Types); 7] = [
    ("null", Types::NULL),
    ("boolean", Types::BOOLEAN),
    ("integer", Types::INTEGER),
    ("number", Types::NUMBER),
    ("string", Types::STRING),
    ("array", Types(1 << 5)),
    ("object", Types::OBJECT),
];

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(1 << 1);
    pub(super) const INTEGER: Self = Self(1 << 2);
    pub(super) const NUMBER: Self = Self(1 << 2 | 1 << 3);
    pub(super) const STRING: Self = Self(1 << 4);
    pub(super) const OBJECT: Self = Self(1 << 6);
    pub(super) const ALL: Self = Self(0x7f);

    /// The types that the keyword `type` allows.
    pub(super) fn of_keyword(keyword: &Value) -> Self {
        let named = |name: &Value| {
            let known = NAMES.iter().find(|(known, _)| name.as_str() == Some(known));
            known.map_or(Self::NONE, |(_, types)| *types)
        };
        match keyword.as_array() {
            Some(names) => names.iter().map(named).fold(Self::NONE, Self::or),
            None => named(keyword),
        }
    }

    /// The types that a value may count as, and those that are equal to it: 1.0 equals 1, and is no integer in draft 4.
    pub(super) fn of_value(value: &Value, draft: Draft) -> Self {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if draft > Draft::Draft4 && is_integer_literal(number) => return Self::INTEGER,
            Value::Number(_) => return Self::NUMBER,
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        Self::of_keyword(&Value::from(name))
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(super) fn is_within(self, other: Self) -> bool {
        self.without(other).is_empty()
    }

    /// Whether a value may be of the type that a keyword is for; with an empty name it is for all.
    pub(super) fn may_be(self, name: &str) -> bool {
        let kind = NAMES.iter().find(|(known, _)| *known == name).map_or(Self::ALL, |(_, types)| *types);
        !self.and(kind).is_empty()
    }

    /// Each of them alone.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        (0..7).map(|bit| Self(1 << bit)).filter(move |one| one.is_within(self))
    }

    /// Their names, for people.
    pub(super) fn names(self) -> String {
        let is_named = |types: Self| match types {
            Self::INTEGER => self.and(Self::NUMBER) == Self::INTEGER,
            types => !self.and(types.without(Self::INTEGER)).is_empty(),
        };
        NAMES.iter().filter(|(_, types)| is_named(*types)).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
