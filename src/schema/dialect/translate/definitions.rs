//! Definitions and references to them.

use serde_json::{Map, Value};

use super::{Effect, SILENT, Translation, join};

impl Translation<'_> {
    /// All definitions, under the one name that the dialects have for them.
    pub(super) fn definitions(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        let mut is_sayable = true;
        let mut translated = Map::new();
        for keyword in ["$defs", "definitions"] {
            let pointer = join(at, keyword);
            for (name, definition) in schema.get(keyword).and_then(Value::as_object).into_iter().flatten() {
                if depth == 0 {
                    (self.definition, self.is_optional) = (Some(format!("#/{keyword}/{name}")), false);
                }
                match self.schema(definition, &join(&pointer, name), depth + 1) {
                    // Two schemas of one name: a reference to the one would become one to the other.
                    Some(schema) if translated.get(name).is_some_and(|known| *known != schema) => {
                        self.lose(&pointer, name, Effect::Inexpressible);
                        is_sayable = false;
                    }
                    Some(schema) => drop(translated.insert(name.clone(), schema)),
                    None => is_sayable = false,
                }
            }
        }
        if depth == 0 {
            (self.definition, self.is_optional) = (None, false);
        }
        if !translated.is_empty() {
            out.insert("$defs".to_owned(), translated.into());
        }
        is_sayable.then_some(())
    }

    pub(super) fn reference(
        &mut self,
        schema: &Map<String, Value>,
        reference: &Value,
        out: &mut Map<String, Value>,
        at: &str,
    ) -> Option<()> {
        let target = reference.as_str().unwrap_or_default();
        let name = target.strip_prefix("#/$defs/").or_else(|| target.strip_prefix("#/definitions/"));
        let is_known = name.is_some_and(|name| !name.contains('/')) && self.root.pointer(&target[1..]).is_some();
        let (Some(name), true, true) = (name, is_known, self.may_refer_to(target)) else {
            self.lose(at, "$ref", Effect::Inexpressible);
            return None;
        };
        out.insert("$ref".to_owned(), format!("#/$defs/{name}").into());
        let is_said = |keyword: &str| {
            matches!(keyword, "$ref" | "$defs" | "definitions" | "title" | "description") || SILENT.contains(&keyword)
        };
        for keyword in schema.keys().filter(|keyword| !is_said(keyword)) {
            self.lose(at, keyword, Effect::Dropped);
        }
        Some(())
    }

    /// Anthropic takes no definition that leads to itself; Gemini unrolls one, if each way back is a property that may be
    /// absent.
    fn may_refer_to(&self, target: &str) -> bool {
        if !self.rules.has_recursion {
            return !refers_to(self.root, target, target, &mut Vec::new());
        }
        let Some(definition) = self.definition.as_deref().filter(|_| !self.is_optional) else { return true };
        target != definition && !refers_to(self.root, target, definition, &mut Vec::new())
    }
}

/// Whether the definition behind `from` leads to a reference to `wanted`.
fn refers_to(root: &Value, from: &str, wanted: &str, seen: &mut Vec<String>) -> bool {
    if seen.iter().any(|known| known == from) {
        return false;
    }
    seen.push(from.to_owned());
    let mut left: Vec<&Value> = from.strip_prefix('#').and_then(|pointer| root.pointer(pointer)).into_iter().collect();
    while let Some(value) = left.pop() {
        if let Some(next) = value.get("$ref").and_then(Value::as_str)
            && (next == wanted || refers_to(root, next, wanted, seen))
        {
            return true;
        }
        match value {
            Value::Object(members) => left.extend(members.values()),
            Value::Array(items) => left.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    false
}
