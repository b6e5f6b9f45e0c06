//! What a schema may cost. A schema can come from anybody who may write a request, and compiling or applying a hostile
//! one must not take the process's time, stack or network.

mod graph;

use serde_json::Value;

use super::SchemaError;
use graph::Graph;

/// Largest schema, serialised.
pub(super) const MAX_BYTES: usize = 50 * 1024;
/// Deepest nesting of subschemas, the root being level 1. Providers with strict modes draw the line at 10 as well.
pub(super) const MAX_LEVELS: usize = 10;
/// Deepest nesting of plain JSON. Two to three JSON levels make one schema level, so this only stops what recursion in
/// a library could not bear.
pub(super) const MAX_JSON_DEPTH: usize = 64;
/// Most JSON values in a schema.
pub(super) const MAX_NODES: usize = 10_000;
/// Most regular expressions in a schema: each may compile to [`MAX_REGEX_BYTES`].
pub(super) const MAX_PATTERNS: usize = 100;
/// Largest compiled form of one regular expression.
pub(super) const MAX_REGEX_BYTES: usize = 256 * 1024;
/// Most subschemas after every reference is replaced by its target. Stops references that double at each level.
pub(super) const MAX_EXPANDED: u64 = 50_000;

/// Refuses a schema that is too large, too deep, does not describe an object, or refers outside itself. Returns how
/// deep an instance may be nested, if the schema refers to itself in several ways.
pub(super) fn check(schema: &Value) -> Result<Option<usize>, SchemaError> {
    check_size(schema)?;
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(fault("", "a result is a JSON object, so the schema's root needs `\"type\": \"object\"`"));
    }
    let graph = Graph::build(schema)?;
    graph.refuse_endless_references()?;
    graph.bound_expansion(MAX_EXPANDED)
}

/// Bounds depth and count without recursion. Comes first: everything after it may recurse.
fn check_json(schema: &Value) -> Result<(), SchemaError> {
    let mut open = vec![(schema, 1_usize)];
    let mut nodes = 0_usize;
    while let Some((value, depth)) = open.pop() {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(fault("", format!("the schema has more than {MAX_NODES} JSON values; make it smaller")));
        }
        if depth > MAX_JSON_DEPTH {
            return Err(fault("", format!("the schema's JSON is nested deeper than {MAX_JSON_DEPTH}; flatten it")));
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Ok(())
}

/// Whether JSON is nested deeper than `limit`, counted without recursion.
pub(super) fn is_deeper(instance: &Value, limit: usize) -> bool {
    let mut open = vec![(instance, 1_usize)];
    while let Some((value, depth)) = open.pop() {
        if depth > limit {
            return true;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    false
}

/// Drops a schema that was refused. Dropping a deep value the usual way recurses and could overflow the stack.
pub(super) fn dismantle(schema: Value) {
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.into_iter().map(|(_, member)| member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Bounds depth, count and length.
pub(super) fn check_size(schema: &Value) -> Result<(), SchemaError> {
    check_json(schema)?;
    let bytes = serde_json::to_vec(schema).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BYTES {
        return Err(fault("", format!("the schema is {bytes} bytes long and at most {MAX_BYTES} are allowed")));
    }
    Ok(())
}

fn fault(pointer: impl Into<String>, message: impl Into<String>) -> SchemaError {
    SchemaError { pointer: pointer.into(), message: message.into() }
}

#[cfg(test)]
mod tests;
