//! A dialect's limits, and what is given up to stay within them.

use super::{Concessions, Effect, Translation, Value};
use crate::schema::dialect::Loss;
use crate::schema::dialect::rules::Limits;
use crate::schema::keywords::subschemas;

/// What a schema has, as it is sent.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) properties: usize,
    pub(super) name_chars: usize,
    /// Whether a description beside a reference costs a union.
    pub(super) is_wordy: bool,
    /// Properties that may be absent, or null.
    pub(super) nullable: usize,
    /// Unions with their keywords.
    pub(super) unions: Vec<(String, &'static str)>,
    optional: Vec<String>,
    /// Enums: place, values, characters.
    enums: Vec<(String, usize, usize)>,
}

impl Counted {
    pub(super) fn union(&mut self, at: &str, keyword: &'static str) {
        self.unions.push((at.to_owned(), keyword));
    }

    pub(super) fn optional(&mut self, at: &str) {
        self.optional.push(at.to_owned());
    }

    pub(super) fn list(&mut self, place: String, values: &[Value]) {
        let chars = values.iter().filter_map(Value::as_str).map(|text| text.chars().count()).sum();
        self.enums.push((place, values.len(), chars));
    }

    /// The enums that are too much, the largest of them.
    fn long_enums(&self, limits: &Limits) -> Vec<(String, &'static str)> {
        let (few, short) = limits.long_enum;
        let is_long = |(_, values, chars): &&(String, usize, usize)| *values > few && *chars > short;
        let long = |place: &str| (place.to_owned(), "15,000 characters in an enum of more than 250 values");
        let mut found: Vec<_> = self.enums.iter().filter(is_long).map(|(place, ..)| long(place)).collect();
        let mut others: Vec<_> = self.enums.iter().filter(|one| !is_long(one)).collect();
        others.sort_by_key(|(_, values, chars)| (*values, *chars));
        let mut values: usize = others.iter().map(|(_, values, _)| values).sum();
        while values > limits.enum_values
            && let Some((place, of_it, _)) = others.pop()
        {
            values -= of_it;
            found.push((place.clone(), "1,000 enum values"));
        }
        others.sort_by_key(|(_, _, chars)| *chars);
        let mut chars = self.name_chars + others.iter().map(|(_, _, chars)| chars).sum::<usize>();
        while chars > limits.name_chars
            && let Some((place, _, of_it)) = others.pop()
        {
            chars -= of_it;
            found.push((place.clone(), "120,000 characters of names and enum values"));
        }
        found
    }
}

impl Translation<'_> {
    /// What has to be given up, where the schema is too large. `None` where it is not, or where nothing helps.
    pub(super) fn concede(&self) -> Option<Concessions> {
        let (limits, counted) = (self.rules.limits, &self.counted);
        let long = counted.long_enums(&limits);
        let mut more = self.concessions.clone();
        if !long.is_empty() {
            more.enums.extend(long);
            return Some(more);
        }
        let (optional, unions) = (counted.optional.len(), counted.unions.len());
        if unions > limits.unions && counted.is_wordy {
            more.is_terse = true;
            return Some(more);
        }
        if unions > limits.unions && counted.nullable >= unions - limits.unions {
            more.without_null += unions - limits.unions;
            return Some(more);
        }
        if optional > limits.optional && unions <= limits.unions && optional - limits.optional <= limits.unions - unions
        {
            more.required += optional - limits.optional;
            return Some(more);
        }
        None
    }

    /// Notes the limits that are exceeded all the same.
    pub(super) fn exceed(&mut self, schema: &Value) {
        let (counted, limits) = (&self.counted, self.rules.limits);
        let mut found: Vec<(String, &'static str, Effect)> = Vec::new();
        if let Some(at) = counted.optional.get(limits.optional) {
            found.push((at.clone(), "", Effect::TooMuch("24 properties that may be absent")));
        }
        if let Some((at, keyword)) = counted.unions.get(limits.unions) {
            found.push((at.clone(), keyword, Effect::TooMuch("16 unions of types or schemas")));
        }
        if counted.properties > limits.properties {
            found.push((String::new(), "properties", Effect::TooMuch("5,000 properties")));
        }
        if counted.name_chars > limits.name_chars {
            found.push((String::new(), "properties", Effect::TooMuch("120,000 characters of names and enum values")));
        }
        if limits.levels < usize::MAX && levels(schema, schema, limits.levels + 1, &mut Vec::new()) > limits.levels {
            found.push((String::new(), "properties", Effect::TooMuch("10 levels of objects")));
        }
        for (at, keyword, effect) in found {
            if keyword.is_empty() {
                self.lose_whole(&at, effect);
            } else {
                self.losses.push(Loss { pointer: at, keyword: keyword.to_owned(), effect });
            }
        }
    }
}

/// Levels of objects in an instance, no more than `most`. A way back to where it came from ends a level: that is
/// recursion.
fn levels<'s>(root: &'s Value, schema: &'s Value, most: usize, on_the_way: &mut Vec<&'s str>) -> usize {
    let Some(members) = schema.as_object().filter(|_| most > 0 && on_the_way.len() < 64) else { return 0 };
    let own = usize::from(members.contains_key("properties"));
    let mut deepest = 0;
    if let Some(target) = members.get("$ref").and_then(Value::as_str)
        && target != "#"
        && !on_the_way.contains(&target)
        && let Some(definition) = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer))
    {
        on_the_way.push(target);
        deepest = levels(root, definition, most - own, on_the_way);
        on_the_way.pop();
    }
    for (tokens, inner, _) in subschemas(members) {
        // Definitions count where something refers to them.
        if !tokens.starts_with("/$defs/") && deepest + own < most {
            deepest = deepest.max(levels(root, inner, most - own, on_the_way));
        }
    }
    deepest + own
}
