//! What each dialect holds.

/// The rules of one dialect.
#[derive(Debug)]
pub(super) struct Rules {
    /// Keywords that are copied as they are.
    pub(super) copied: &'static [&'static str],
    /// Values of `format` that are known.
    pub(super) formats: &'static [&'static str],
    /// Whether every object must be closed; then a map from arbitrary names to values cannot be said.
    pub(super) closes_objects: bool,
    /// Whether `const` is known; else it is an `enum` of one.
    pub(super) has_const: bool,
    /// Whether `allOf` is known.
    pub(super) has_all_of: bool,
    /// Whether `prefixItems` is known.
    pub(super) has_prefix_items: bool,
    /// Whether a list of types is known; else it is an `anyOf` of one type each.
    pub(super) has_type_lists: bool,
    /// The largest `minItems` that is known.
    pub(super) max_min_items: Option<u64>,
    /// Whether an `enum` may hold nulls and booleans.
    pub(super) has_odd_literals: bool,
    /// Whether a definition may refer to itself.
    pub(super) has_recursion: bool,
}

/// Anthropic's rules, as its official SDK transforms schemas (`transform_schema` of the Python package `anthropic` 2.13).
pub(super) const ANTHROPIC: Rules = Rules {
    copied: &["title"],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
    closes_objects: true,
    has_const: true,
    has_all_of: true,
    has_prefix_items: false,
    has_type_lists: false,
    max_min_items: Some(1),
    has_odd_literals: true,
    has_recursion: false,
};

/// Gemini's rules (<https://ai.google.dev/api/generate-content>, `responseJsonSchema`).
pub(super) const GEMINI: Rules = Rules {
    copied: &["title", "minItems", "maxItems", "minimum", "maximum"],
    formats: &["date-time", "date", "time"],
    closes_objects: false,
    has_const: false,
    has_all_of: false,
    has_prefix_items: true,
    has_type_lists: true,
    max_min_items: None,
    has_odd_literals: false,
    has_recursion: true,
};
