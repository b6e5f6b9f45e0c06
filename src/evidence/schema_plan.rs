//! What a schema says of each place in an answer: whether a value there is a quotation.

mod layers;

use std::collections::{HashMap, VecDeque};
use std::ptr;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::domain::json;
use crate::domain::json::pointer::{self, join};
use crate::schema::annotations;

use layers::Layers;

/// Places of a schema that are planned. What lies beyond is searched like a value that no schema describes.
const MAX_NODES: usize = 8_192;
/// Strings that may be longer than this many characters are prose, unless a format or pattern says otherwise.
const PROSE_CHARS: u64 = 200;
/// Fields with quotes that are told, and places that are looked at to find them.
const MAX_QUOTED: usize = 100;
const MAX_LOOKED_AT: usize = 2_000;
/// Compiled size that a schema's pattern for property names may have.
const MAX_REGEX_BYTES: usize = 256 * 1024;

/// The plan of a whole schema. The first node is that of the root.
#[derive(Debug)]
pub(super) struct Plan {
    nodes: Vec<Node>,
}

/// What the schema says of one place.
#[derive(Debug, Default)]
pub(super) struct Node {
    rule: Rule,
    /// Whether the schema wants quotes for values here, where it says what their evidence is.
    is_quoted: Option<bool>,
    /// Whether only lists or objects are here.
    is_container: bool,
    /// What is to be done about a value here that the text does not have.
    on_ungrounded: Option<String>,
    /// The values of `enum` and `const`.
    choices: Vec<Value>,
    properties: HashMap<String, usize, foldhash::fast::RandomState>,
    /// The properties that every object here may have, in the order of the schema.
    listed: Vec<String>,
    by_pattern: Vec<(Regex, usize)>,
    additional: Option<usize>,
    prefix: Vec<usize>,
    items: Option<usize>,
}

/// Whether values of a place are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Rule {
    /// Those that no enum lists.
    #[default]
    Located,
    /// All of them, because the schema says so.
    Always,
    /// None.
    Judged,
}

impl Plan {
    /// Reads a schema. References are followed within it only; those that lead in circles end where they began.
    pub(super) fn new(schema: &Value) -> Self {
        Builder { root: schema, nodes: Vec::new(), known: HashMap::new(), open: VecDeque::new() }.build()
    }

    /// The node of the whole answer.
    pub(super) fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// The node of a property.
    pub(super) fn property(&self, node: Option<&Node>, name: &str) -> Option<&Node> {
        let node = node?;
        let matching = || node.by_pattern.iter().find(|(pattern, _)| pattern.is_match(name)).map(|(_, index)| *index);
        let index = node.properties.get(name).copied().or_else(matching).or(node.additional)?;
        self.nodes.get(index)
    }

    /// The `x-on-ungrounded` of the place that a JSON Pointer into an answer leads to.
    pub(super) fn on_ungrounded(&self, pointer: &str) -> Option<&str> {
        let place = pointer::tokens(pointer).try_fold(self.root()?, |node, token| {
            let item = || self.item(Some(node), token.parse().ok()?);
            self.property(Some(node), &token).or_else(item)
        });
        place?.on_ungrounded.as_deref()
    }

    /// The node of an array's element.
    pub(super) fn item(&self, node: Option<&Node>, index: usize) -> Option<&Node> {
        let node = node?;
        self.nodes.get(node.prefix.get(index).copied().or(node.items)?)
    }

    /// The places whose values are to be quoted, from the root inwards, each with `*` for any index or name. Of a schema
    /// that refers to itself only so many. A list or object that is to be quoted is so in all of its places that do not
    /// say something else.
    pub(super) fn quoted_fields(&self) -> Vec<String> {
        let (mut quoted, mut open) = (Vec::new(), VecDeque::from([(0, String::new(), false)]));
        for _ in 0..MAX_LOOKED_AT {
            let Some((index, pointer, is_quoted_around)) = open.pop_front() else { break };
            let Some(node) = self.nodes.get(index) else { continue };
            let is_quoted = node.is_quoted.unwrap_or(is_quoted_around);
            let within = node.within(&pointer);
            if is_quoted && within.is_empty() {
                let values = if node.is_container { format!("{pointer}/*") } else { pointer };
                if !quoted.contains(&values) && quoted.len() < MAX_QUOTED {
                    quoted.push(values);
                }
                continue;
            }
            open.extend(within.into_iter().map(|(index, pointer)| (index, pointer, is_quoted)));
        }
        quoted
    }
}

impl Node {
    /// The places within this one that the schema describes, with their pointers.
    fn within(&self, pointer: &str) -> Vec<(usize, String)> {
        let mut named: Vec<_> = self.properties.iter().map(|(name, index)| (*index, join(pointer, name))).collect();
        // Which are looked at must not differ between processes: models are told of them.
        named.sort_unstable();
        let prefix = self.prefix.iter().enumerate().map(|(at, index)| (*index, format!("{pointer}/{at}")));
        let any = self.by_pattern.iter().map(|(_, index)| *index).chain(self.additional).chain(self.items);
        named.into_iter().chain(prefix).chain(any.map(|index| (index, format!("{pointer}/*")))).collect()
    }

    /// Properties that an object here may have, in the order of the schema.
    pub(super) fn listed(&self) -> &[String] {
        &self.listed
    }

    /// Whether a value here is a conclusion that is not looked for. Booleans always are.
    pub(super) fn judges(&self, value: &Value) -> bool {
        match self.rule {
            Rule::Judged => true,
            Rule::Always => false,
            Rule::Located => self.choices.iter().any(|choice| json::equal(choice, value)),
        }
    }
}

/// Plans the places of a schema one after the other. A place that several references lead to is planned once.
struct Builder<'s> {
    root: &'s Value,
    nodes: Vec<Node>,
    /// The node of each list of schemas that describe one place, by their addresses.
    known: HashMap<Vec<usize>, usize>,
    open: VecDeque<(usize, Vec<&'s Value>)>,
}

impl<'s> Builder<'s> {
    fn build(mut self) -> Plan {
        self.node(vec![self.root]);
        while let Some((index, schemas)) = self.open.pop_front() {
            let node = self.plan(&Layers::new(self.root, &schemas));
            if let Some(place) = self.nodes.get_mut(index) {
                *place = node;
            }
        }
        Plan { nodes: self.nodes }
    }

    /// The index of the node that these schemas describe together.
    fn node(&mut self, schemas: Vec<&'s Value>) -> Option<usize> {
        if schemas.is_empty() {
            return None;
        }
        let addresses: Vec<usize> = schemas.iter().map(|schema| ptr::from_ref(*schema).addr()).collect();
        if let Some(known) = self.known.get(&addresses) {
            return Some(*known);
        }
        let index = self.nodes.len();
        if index >= MAX_NODES {
            return None;
        }
        self.nodes.push(Node::default());
        self.known.insert(addresses, index);
        self.open.push_back((index, schemas));
        Some(index)
    }

    fn plan(&mut self, layers: &Layers<'s>) -> Node {
        let mut node = Node {
            rule: rule(layers),
            is_quoted: layers.text(annotations::EVIDENCE).map(|evidence| evidence == "quote"),
            is_container: matches!(layers.text("type"), Some("array" | "object")),
            on_ungrounded: layers.text(annotations::ON_UNGROUNDED).map(str::to_owned),
            choices: layers.choices().into_iter().cloned().collect(),
            listed: layers.listed(),
            ..Node::default()
        };
        for (name, schemas) in layers.members("properties") {
            node.properties.extend(self.node(schemas).map(|index| (name.clone(), index)));
        }
        for (pattern, schemas) in layers.members("patternProperties") {
            let regex = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build().ok();
            node.by_pattern.extend(regex.zip(self.node(schemas)));
        }
        node.additional = self.node(layers.schemas("additionalProperties"));
        // Up to draft 2019-09, a list of `items` is what `prefixItems` is now, and `additionalItems` describes the rest.
        let listed = layers.lists("prefixItems").or_else(|| layers.lists("items")).unwrap_or_default();
        node.prefix = listed.iter().filter_map(|schema| self.node(vec![schema])).collect();
        let rest = layers.schemas("items");
        node.items = self.node(if rest.is_empty() { layers.schemas("additionalItems") } else { rest });
        node
    }
}

fn rule(layers: &Layers<'_>) -> Rule {
    match layers.text(annotations::EVIDENCE) {
        Some("judged") => return Rule::Judged,
        Some("locate") => return Rule::Always,
        _ => {}
    }
    let is_long = layers.count("maxLength").is_some_and(|longest| longest > PROSE_CHARS);
    let has_form = layers.text("format").is_some() || layers.text("pattern").is_some();
    if is_long && !has_form { Rule::Judged } else { Rule::Located }
}

#[cfg(test)]
mod tests;
