//! The texts of a record that a template reads, as they were sent: what the values of an answer are looked for in. The
//! prompt is not, because its instructions are ours, and a model that copies from them has read nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::context::{attribute, attribute_names, header, header_names};
use super::reads::{Need, Reads};
use super::{Key, Scope, Template};
use crate::domain::event::Data;
use crate::domain::json::pointer;

/// A part of the record that is read, with what is below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SourcePath {
    /// A member of the data: its names from the root on, and the same as a JSON Pointer.
    Data(Vec<String>, String),
    /// An attribute of the event; without a name all of them.
    Event(Option<String>),
    /// A header; without a name all of them.
    Header(Option<String>),
    /// The key, or a member of it: its names, and the same as a JSON Pointer.
    Key(Vec<String>, String),
}

/// The parts of a record that these sources read together, each once.
pub(super) fn paths<'a>(reads: impl Iterator<Item = &'a Reads>) -> Vec<SourcePath> {
    let mut found = BTreeSet::new();
    for (root, need) in reads.flat_map(|reads| &reads.in_expressions) {
        match &**root {
            "data" => value_paths(SourcePath::Data, need, &mut Vec::new(), &mut found),
            "event" => found.extend(names(need).into_iter().map(SourcePath::Event)),
            "headers" => found.extend(names(need).into_iter().map(SourcePath::Header)),
            "key" => value_paths(SourcePath::Key, need, &mut Vec::new(), &mut found),
            _ => {}
        }
    }
    let all: Vec<_> = found.into_iter().collect();
    let is_covered = |path: &SourcePath| all.iter().any(|other| other != path && other.covers(path));
    all.iter().filter(|path| !is_covered(path)).cloned().collect()
}

fn value_paths(
    of: fn(Vec<String>, String) -> SourcePath,
    need: &Need,
    members: &mut Vec<String>,
    found: &mut BTreeSet<SourcePath>,
) {
    match need {
        Need::Whole => {
            let mut pointer = String::new();
            members.iter().for_each(|member| pointer::push(&mut pointer, member));
            found.insert(of(members.clone(), pointer));
        }
        Need::Members(parts) => {
            for (name, need) in parts {
                members.push(name.to_string());
                value_paths(of, need, members, found);
                members.pop();
            }
        }
    }
}

fn names(need: &Need) -> Vec<Option<String>> {
    match need {
        Need::Whole => vec![None],
        Need::Members(parts) => parts.keys().map(|name| Some(name.to_string())).collect(),
    }
}

impl SourcePath {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Data(members, _), Self::Data(others, _)) | (Self::Key(members, _), Self::Key(others, _)) => {
                others.starts_with(members)
            }
            (Self::Event(None), Self::Event(Some(_))) | (Self::Header(None), Self::Header(Some(_))) => true,
            _ => false,
        }
    }
}

impl Template {
    /// Passes on each text of the record that the template reads, in the same order each time, with its name: a JSON
    /// Pointer into the data, `event/…`, `headers/…` or `key…`. Numbers are texts as they were written; true, false and
    /// null are none.
    pub fn visit_sources(&self, scope: &Scope<'_>, visit: &mut impl FnMut(&str, &str)) {
        for path in &self.sources {
            match (path, &scope.event.data) {
                (SourcePath::Data(members, _), Data::Text(text)) if members.is_empty() => visit("", text),
                (SourcePath::Data(members, pointer), Data::Json(json)) => match member(json, members) {
                    // The usual case needs no name of its own.
                    Some(Json::String(text)) => visit(pointer, text),
                    Some(value) => leaves(value, &mut pointer.clone(), visit),
                    None => {}
                },
                (SourcePath::Data(..), _) => {}
                (SourcePath::Event(Some(name)), _) => {
                    named("event", name, attribute(scope.event, name), visit);
                }
                (SourcePath::Event(None), _) => {
                    for name in attribute_names(scope.event) {
                        named("event", name, attribute(scope.event, name), visit);
                    }
                }
                (SourcePath::Header(Some(name)), _) => named("headers", name, header(scope, name), visit),
                (SourcePath::Header(None), _) => {
                    for name in header_names(scope).into_iter().collect::<BTreeSet<_>>() {
                        named("headers", name, header(scope, name), visit);
                    }
                }
                (SourcePath::Key(members, pointer), _) => match scope.key {
                    Some(Key::Json(json)) => {
                        if let Some(value) = member(json, members) {
                            leaves(value, &mut format!("key{pointer}"), visit);
                        }
                    }
                    Some(Key::Bytes(_)) | None => {
                        if let Some(key) = scope.key_text().filter(|_| members.is_empty()) {
                            visit("key", key);
                        }
                    }
                },
            }
        }
    }
}

fn member<'a>(json: &'a Json, names: &[String]) -> Option<&'a Json> {
    names.iter().try_fold(json, |json, name| json.get(name))
}

fn named(root: &str, name: &str, text: Option<&str>, visit: &mut impl FnMut(&str, &str)) {
    if let Some(text) = text {
        visit(&format!("{root}/{name}"), text);
    }
}

/// The texts and numbers of a value. The codec refuses JSON that is nested too deep to be walked like this.
fn leaves(json: &Json, pointer: &mut String, visit: &mut impl FnMut(&str, &str)) {
    let len = pointer.len();
    match json {
        Json::String(text) => visit(pointer, text),
        Json::Number(number) => visit(pointer, number.as_str()),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // A string takes everything.
                write!(pointer, "/{index}").unwrap_or_default();
                leaves(item, pointer, visit);
                pointer.truncate(len);
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                pointer::push(pointer, name);
                leaves(member, pointer, visit);
                pointer.truncate(len);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::domain::event::Event;
    use crate::domain::record::Header;

    fn sources(template: &Template, data: Data) -> Vec<(String, String)> {
        let event = Event {
            id: "1".into(),
            source: "/test".into(),
            kind: "test".into(),
            subject: Some("ticket 7".into()),
            time: None,
            data_content_type: None,
            data_schema: None,
            extensions: BTreeMap::default(),
            data,
        };
        let headers = [Header::text("a", "1"), Header::text("b", "2"), Header::text("a", "3")];
        let scope = Scope { event: &event, key: Some(Key::Bytes(b"k")), headers: &headers };
        let mut found = Vec::new();
        template.visit_sources(&scope, &mut |name, text| found.push((name.to_owned(), text.to_owned())));
        found
    }

    fn check(template: &str, data: Data, expected: &[(&str, &str)]) {
        let found = sources(&Template::inline(template).unwrap(), data);
        let found: Vec<_> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, expected, "{template}");
    }

    #[test]
    fn the_fields_that_a_template_reads_are_its_sources_as_they_were_sent() {
        let data =
            || Data::Json(json!({ "body": " raw\r\n", "n": 1, "other": "x", "list": [{ "a/b": "c" }, true, null] }));
        let all = [("/body", " raw\r\n"), ("/list/0/a~1b", "c"), ("/n", "1"), ("/other", "x")];
        check("The data of body, whatever the key: {{ data.body | upper }}", data(), &all[..1]);
        check("{{ data.body }} {{ data.list }} {{ data.list }}", data(), &all[..2]);
        check(
            "{% for item in data.list %}{{ item }}{% endfor %}{{ data['n'] }}",
            data(),
            &[("/body", " raw\r\n"), ("/n", "1"), ("/other", "x"), ("/list/0/a~1b", "c")],
        );
        check(
            "{{ event.subject }}{{ key }}{{ headers.a }}",
            data(),
            &[("event/subject", "ticket 7"), ("headers/a", "3"), ("key", "k")],
        );
        check("{{ key.id }}", data(), &[]);
        check("{{ headers }}", data(), &[("headers/a", "3"), ("headers/b", "2")]);
        check("{{ data }}", Data::Text("text".into()), &[("", "text")]);
        check("{{ data.nothing | default('') }}", data(), &[]);
    }

    #[test]
    fn the_sources_of_a_template_with_parameters_are_theirs() {
        let parameters = BTreeMap::from([("message".to_owned(), "{{ data.body }}".to_owned())]);
        let template = Template::named("support-intent", &parameters).unwrap();
        let data = Data::Json(json!({ "body": "hello", "other": "x" }));
        assert_eq!(sources(&template, data), [("/body".to_owned(), "hello".to_owned())]);
    }
}
