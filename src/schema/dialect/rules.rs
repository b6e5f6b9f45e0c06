//! What each dialect holds.

use serde_json::Value;

/// The rules of one dialect.
#[derive(Debug)]
pub(super) struct Rules {
    /// Keywords that are copied as they are.
    copied: &'static [&'static str],
    /// Values of `format` that are known.
    formats: &'static [&'static str],
    /// Whether regular expressions are known, but for look-around and back-references.
    has_patterns: bool,
    /// The largest `minItems` that is known, where `minItems` is not copied.
    max_min_items: Option<u64>,
    /// Whether what is left is told to the model in the description; else it is left out.
    pub(super) describes: bool,
    /// Whether every object must be closed; then a map from arbitrary names to values cannot be said.
    pub(super) closes_objects: bool,
    /// Whether every property must be required. One that may be absent is then one that may be null.
    pub(super) requires_all: bool,
    /// Whether every array needs `items`.
    pub(super) needs_items: bool,
    /// Whether `const` is known; else it is an `enum` of one.
    pub(super) has_const: bool,
    /// Whether `prefixItems` is known.
    pub(super) has_prefix_items: bool,
    /// Whether a list of types is known; else it is an `anyOf` of one type each.
    pub(super) has_type_lists: bool,
    /// What stands beside an `enum`, and what it may hold.
    pub(super) literals: Literals,
    /// Whether a definition may refer to itself.
    pub(super) recursion: Recursion,
    /// Its limits.
    pub(super) limits: Limits,
}

/// How an `enum` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Literals {
    /// With the types of its values.
    Typed,
    /// Alone.
    Alone,
    /// With its type, if the schema has one; without nulls and booleans.
    StringsAndNumbers,
}

/// Which definitions may refer to themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    Any,
    /// If each way back is a property that may be absent.
    Optional,
    None,
}

/// Limits on a schema as it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Properties that may be absent.
    pub(super) optional: usize,
    /// Places where several types or schemas are allowed.
    pub(super) unions: usize,
    pub(super) properties: usize,
    /// Objects within each other.
    pub(super) levels: usize,
    /// Values of all enums.
    pub(super) enum_values: usize,
    /// An enum of more values than the first may have as many characters as the second.
    pub(super) long_enum: (usize, usize),
    /// Characters of names of properties and definitions, and of values of enums.
    pub(super) name_chars: usize,
}

const NO_LIMITS: Limits = Limits {
    optional: usize::MAX,
    unions: usize::MAX,
    properties: usize::MAX,
    levels: usize::MAX,
    enum_values: usize::MAX,
    long_enum: (usize::MAX, usize::MAX),
    name_chars: usize::MAX,
};

/// OpenAI's strict mode (<https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>).
pub(super) const OPENAI: Rules = Rules {
    copied: &["multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    has_patterns: true,
    max_min_items: None,
    describes: false,
    closes_objects: true,
    requires_all: true,
    needs_items: true,
    has_const: false,
    has_prefix_items: false,
    has_type_lists: true,
    literals: Literals::Typed,
    recursion: Recursion::Any,
    limits: Limits {
        properties: 5000,
        levels: 10,
        enum_values: 1000,
        long_enum: (250, 15_000),
        name_chars: 120_000,
        ..NO_LIMITS
    },
};

/// Anthropic's rules, as its official SDK transforms schemas (`transform_schema` of the Python package `anthropic`
/// 2.13), with the limits of <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>.
pub(super) const ANTHROPIC: Rules = Rules {
    copied: &[],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
    has_patterns: false,
    max_min_items: Some(1),
    describes: true,
    closes_objects: true,
    requires_all: false,
    needs_items: false,
    has_const: true,
    has_prefix_items: false,
    has_type_lists: false,
    literals: Literals::Alone,
    recursion: Recursion::None,
    limits: Limits { optional: 24, unions: 16, ..NO_LIMITS },
};

/// Gemini's rules (<https://ai.google.dev/api/generate-content>, `responseJsonSchema`).
pub(super) const GEMINI: Rules = Rules {
    copied: &["minItems", "maxItems", "minimum", "maximum"],
    formats: &["date-time", "date", "time"],
    has_patterns: false,
    max_min_items: None,
    describes: true,
    closes_objects: false,
    requires_all: false,
    needs_items: false,
    has_const: false,
    has_prefix_items: true,
    has_type_lists: true,
    literals: Literals::StringsAndNumbers,
    recursion: Recursion::Optional,
    limits: NO_LIMITS,
};

impl Rules {
    /// Whether a keyword with this value is sent as it is.
    pub(super) fn knows(&self, keyword: &str, value: &Value) -> bool {
        match keyword {
            "format" => value.as_str().is_some_and(|format| self.formats.contains(&format)),
            "pattern" => self.has_patterns && value.as_str().is_some_and(is_plain_pattern),
            "minItems" if self.max_min_items.is_some() => {
                value.as_u64().zip(self.max_min_items).is_some_and(|(items, most)| items <= most)
            }
            _ => self.copied.contains(&keyword),
        }
    }
}

/// A regular expression without look-around and back-references.
fn is_plain_pattern(pattern: &str) -> bool {
    !pattern.contains("(?") && !pattern.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit())
}
