//! Objects and their properties.

use super::{Additional, Assertions, Effect, Form, Map, Shape, Translation, Value, json};
use crate::schema::dialect::form::Document;

impl<'a> Translation<'a> {
    pub(super) fn object(&mut self, form: &'a Form, own: &'a Assertions, out: &mut Map<String, Value>) -> Option<()> {
        let closes = self.rules.closes_objects;
        let mut is_sayable = true;
        let mut lose = |this: &mut Self, keyword: &str| {
            this.lose(own.place(keyword, &form.at), keyword, Effect::Inexpressible);
            is_sayable = false;
        };
        match &own.additional {
            Additional::Like(_) if closes => lose(self, "additionalProperties"),
            Additional::Open if closes && own.properties.is_empty() => lose(self, "properties"),
            Additional::Open | Additional::Closed | Additional::Like(_) => {}
        }
        // Closed objects could never have it, and Gemini refuses it.
        if own.required.iter().any(|name| own.property(name).is_none()) {
            lose(self, "required");
        }
        if closes && own.additional == Additional::Open && own.places.contains_key("additionalProperties") {
            self.lose(own.place("additionalProperties", &form.at), "additionalProperties", Effect::Closed);
        }
        let mut properties = Map::new();
        let mut required: Vec<&str> = Vec::new();
        let is_optional = self.is_optional;
        for (name, property) in &own.properties {
            if property.is_never() {
                // A closed object has it not; where objects are open, nobody says so.
                if !closes {
                    self.lose_whole(&property.at, Effect::Dropped);
                }
                continue;
            }
            let is_required = own.requires(name);
            self.is_optional = is_optional || !is_required;
            self.counted.properties += 1;
            self.counted.name_chars += name.chars().count();
            let Some(said) = self.form(property) else {
                is_sayable = false;
                continue;
            };
            let (said, is_there) = self.presence(said, property, is_required);
            if is_there {
                required.push(name);
            }
            properties.insert(name.clone(), said);
        }
        self.is_optional = is_optional;
        if !required.is_empty() || self.rules.requires_all || own.places.contains_key("required") {
            out.insert("required".to_owned(), json!(required));
        }
        out.insert("properties".to_owned(), properties.into());
        match &own.additional {
            _ if closes => drop(out.insert("additionalProperties".to_owned(), false.into())),
            Additional::Closed => drop(out.insert("additionalProperties".to_owned(), false.into())),
            Additional::Like(inner) => match self.form(inner) {
                Some(inner) => drop(out.insert("additionalProperties".to_owned(), inner)),
                None => is_sayable = false,
            },
            Additional::Open if own.places.contains_key("additionalProperties") => {
                out.insert("additionalProperties".to_owned(), true.into());
            }
            Additional::Open => {}
        }
        is_sayable.then_some(())
    }

    /// A property that may be absent, as the dialect has it: absent, or null. And whether it must be there.
    fn presence(&mut self, said: Value, property: &Form, is_required: bool) -> (Value, bool) {
        if is_required {
            return (said, true);
        }
        let accepts_null = accepts_null(self.document, property, 16);
        if self.rules.requires_all {
            return (if accepts_null { said } else { self.nullable(said) }, true);
        }
        // A limit on unions: one that may be absent need not be null as well.
        if self.concessions.without_null > 0
            && let Some(narrow) = without_null(&said)
        {
            self.concessions.without_null -= 1;
            self.counted.unions.retain(|(at, _)| *at != property.at);
            self.lose_whole(&property.at, Effect::WithoutNull);
            self.counted.optional(&property.at);
            return (narrow, false);
        }
        // A limit on properties that may be absent: null says the same.
        if self.concessions.required > 0 {
            self.concessions.required -= 1;
            if accepts_null {
                return (said, true);
            }
            let said = self.nullable(said);
            if said.get("anyOf").is_some() {
                self.counted.union(&property.at, "anyOf");
            }
            return (said, true);
        }
        self.counted.nullable += usize::from(without_null(&said).is_some());
        self.counted.optional(&property.at);
        (said, false)
    }

    /// The schema, or null, in the dialect's form.
    fn nullable(&self, mut schema: Value) -> Value {
        let nothing = json!({ "type": "null" });
        if let Some(branches) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
            branches.push(nothing);
            return schema;
        }
        let has_type = schema.get("type").is_some();
        let is_list_known = !has_type || self.rules.has_type_lists;
        let is_enum = schema.get("enum").is_some_and(Value::is_array);
        if !is_list_known || !(has_type || is_enum) {
            return json!({ "anyOf": [schema, nothing] });
        }
        match schema.get_mut("type") {
            Some(Value::Array(types)) if types.iter().any(|one| one == "null") => {}
            Some(Value::Array(types)) => types.push("null".into()),
            Some(one) => *one = json!([one.clone(), "null"]),
            None => {}
        }
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        schema
    }
}

/// Whether null is valid.
pub(in crate::schema::dialect) fn accepts_null(document: &Document, form: &Form, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match &form.shape {
        Shape::Reference { name, .. } => {
            document.definitions.get(name).is_some_and(|target| accepts_null(document, target, depth))
        }
        Shape::Union(branches) => branches.iter().any(|branch| accepts_null(document, branch, depth)),
        Shape::Value(own) => {
            own.has_type("null") && own.literals.as_ref().is_none_or(|values| values.contains(&Value::Null))
        }
    }
}

/// The only other branch of a choice between it and null, with the annotations of the choice.
fn without_null(schema: &Value) -> Option<Value> {
    let mut members = schema.as_object()?.clone();
    let branches = members.shift_remove("anyOf")?;
    let null = json!({ "type": "null" });
    match branches.as_array()?.as_slice() {
        [Value::Object(one), other] | [other, Value::Object(one)] if *other == null => {
            let own =
                one.clone().into_iter().filter(|(keyword, _)| !members.contains_key(keyword)).collect::<Map<_, _>>();
            members.extend(own);
            Some(members.into())
        }
        _ => None,
    }
}
