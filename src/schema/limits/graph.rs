//! A schema as a graph: subschemas are nodes, and an edge leads to each subschema that may be applied because of it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{MAX_LEVELS, MAX_PATTERNS, SchemaError, fault};
use crate::domain::json::pointer::join;
use crate::schema::keywords::{Role, find};
use crate::schema::reference::{id_keyword, resolve};

/// How a subschema is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It applies to the same instance, so a loop of such edges never ends.
    InPlace,
    /// It applies to a part of the instance, so a loop ends where the instance does.
    Child,
    /// It applies only where it is referred to.
    Definition,
}

struct Node<'a> {
    schema: &'a Value,
    pointer: String,
    level: usize,
    edges: Vec<(usize, Reach)>,
}

/// The graph of one schema document.
pub(super) struct Graph<'a> {
    root: &'a Value,
    id_keyword: &'static str,
    nodes: Vec<Node<'a>>,
    /// Node of a subschema, by its address in the document.
    by_address: HashMap<usize, usize>,
    /// References to resolve: from node, keyword, target as written.
    references: Vec<(usize, &'static str, &'a str)>,
    patterns: usize,
}

impl<'a> Graph<'a> {
    /// Reads the document. Fails on a reference that leaves it, a nested `$id`, or too many levels or patterns.
    pub(super) fn build(root: &'a Value) -> Result<Self, SchemaError> {
        let mut graph = Self {
            root,
            id_keyword: id_keyword(root),
            nodes: Vec::new(),
            by_address: HashMap::new(),
            references: Vec::new(),
            patterns: 0,
        };
        graph.node(root, String::new(), 1);
        let (mut next, mut resolved) = (0, 0);
        loop {
            while next < graph.nodes.len() {
                graph.read(next)?;
                next += 1;
            }
            let Some(&(from, keyword, target)) = graph.references.get(resolved) else { return Ok(graph) };
            resolved += 1;
            let to = graph.resolve(from, keyword, target)?;
            graph.edge(from, to, Reach::InPlace);
        }
    }

    fn node(&mut self, schema: &'a Value, pointer: String, level: usize) -> usize {
        let address = std::ptr::from_ref(schema).addr();
        let nodes = &mut self.nodes;
        *self.by_address.entry(address).or_insert_with(|| {
            nodes.push(Node { schema, pointer, level, edges: Vec::new() });
            nodes.len() - 1
        })
    }

    fn edge(&mut self, from: usize, to: usize, reach: Reach) {
        if let Some(node) = self.nodes.get_mut(from) {
            node.edges.push((to, reach));
        }
    }

    /// Reads one subschema's keywords.
    fn read(&mut self, index: usize) -> Result<(), SchemaError> {
        let Some(node) = self.nodes.get(index) else { return Ok(()) };
        let (pointer, level) = (node.pointer.clone(), node.level);
        let Value::Object(members) = node.schema else { return Ok(()) };
        if level > MAX_LEVELS {
            let message = format!("schemas are nested deeper than {MAX_LEVELS} levels here; move parts into $defs");
            return Err(fault(pointer, message));
        }
        self.read_identifiers(index, &pointer, members)?;
        self.count_patterns(&pointer, members)?;
        for (keyword, value) in members {
            let at = || join(&pointer, keyword);
            match find(keyword).map(|keyword| keyword.role) {
                Some(Role::Child(_)) => self.subschemas(index, value, &at(), level + 1, Reach::Child),
                Some(Role::InPlace) => self.subschemas(index, value, &at(), level + 1, Reach::InPlace),
                Some(Role::ChildMap) => self.named_subschemas(index, value, &at(), level + 1, Reach::Child),
                Some(Role::InPlaceMap) => self.named_subschemas(index, value, &at(), level + 1, Reach::InPlace),
                Some(Role::Definitions) => self.named_subschemas(index, value, &at(), 2, Reach::Definition),
                // It is a schema for what a text holds, and is applied nowhere.
                _ if keyword == "contentSchema" => self.subschemas(index, value, &at(), level + 1, Reach::Child),
                Some(Role::Assertion(_) | Role::Reference | Role::Annotation) | None => {}
            }
        }
        Ok(())
    }

    fn read_identifiers(
        &mut self,
        index: usize,
        pointer: &str,
        members: &'a Map<String, Value>,
    ) -> Result<(), SchemaError> {
        let id = members.get(self.id_keyword).and_then(Value::as_str);
        // In drafts 4 to 7 one that is only a fragment is an anchor.
        if index != 0 && id.is_some_and(|id| !id.starts_with('#')) {
            let at = format!("{pointer}/{}", self.id_keyword);
            return Err(fault(at, "only the root may have a URI; remove this one"));
        }
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            match members.get(keyword) {
                None => {}
                Some(Value::String(target)) => self.references.push((index, keyword, target)),
                Some(_) => return Err(fault(format!("{pointer}/{keyword}"), "a reference is a string")),
            }
        }
        Ok(())
    }

    fn count_patterns(&mut self, pointer: &str, members: &Map<String, Value>) -> Result<(), SchemaError> {
        let named = members.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
        self.patterns += named + usize::from(members.contains_key("pattern"));
        if self.patterns > MAX_PATTERNS {
            let message = format!("the schema has more than {MAX_PATTERNS} regular expressions; remove some");
            return Err(fault(pointer, message));
        }
        Ok(())
    }

    fn subschemas(&mut self, from: usize, value: &'a Value, pointer: &str, level: usize, reach: Reach) {
        if let Value::Array(items) = value {
            for (position, item) in items.iter().enumerate() {
                self.subschema(from, item, format!("{pointer}/{position}"), level, reach);
            }
        } else {
            self.subschema(from, value, pointer.to_owned(), level, reach);
        }
    }

    fn named_subschemas(&mut self, from: usize, value: &'a Value, pointer: &str, level: usize, reach: Reach) {
        for (name, item) in value.as_object().into_iter().flatten() {
            self.subschema(from, item, join(pointer, name), level, reach);
        }
    }

    fn subschema(&mut self, from: usize, value: &'a Value, pointer: String, level: usize, reach: Reach) {
        let to = self.node(value, pointer, level);
        self.edge(from, to, reach);
    }

    /// The node that a reference means. Only this document is ever looked at.
    fn resolve(&mut self, from: usize, keyword: &str, target: &'a str) -> Result<usize, SchemaError> {
        let at = self.nodes.get(from).map_or_else(String::new, |node| format!("{}/{keyword}", node.pointer));
        let (pointer, schema) = resolve(self.root, target).map_err(|message| fault(at, message))?;
        Ok(if pointer.is_empty() { 0 } else { self.node(schema, pointer, 2) })
    }

    /// Refuses a loop in which no step goes down into the instance: applying it would never end.
    pub(super) fn refuse_endless_references(&self) -> Result<(), SchemaError> {
        let looping = self.postorder(|reach| reach == Reach::InPlace).1;
        match looping.and_then(|index| self.nodes.get(index)) {
            Some(node) => {
                Err(fault(node.pointer.clone(), "the schema refers to itself without going into a property or item"))
            }
            None => Ok(()),
        }
    }

    /// Refuses a schema whose references multiply, each loop taken once. What loops do depends on the instance: returns
    /// how deep an instance may be nested so that applying the schema stays within the same limit; `None` if any may.
    pub(super) fn bound_expansion(&self, limit: u64) -> Result<Option<usize>, SchemaError> {
        let (order, _) = self.postorder(|reach| reach != Reach::Definition);
        // By node: subschemas below it, and ways from it back to where a loop closes. A node that is not done yet
        // closes one.
        let mut counts = vec![(1_u64, 1_u64); self.nodes.len()];
        let mut growth = 1_u64;
        for index in order {
            let Some(node) = self.nodes.get(index) else { continue };
            let edges = node.edges.iter().filter(|(_, reach)| *reach != Reach::Definition);
            let (size, loops) = edges.fold((1_u64, 0_u64), |(size, loops), (to, _)| {
                let below = counts.get(*to).copied().unwrap_or_default();
                (size.saturating_add(below.0), loops.saturating_add(below.1))
            });
            if size > limit {
                let message = format!("references expand to more than {limit} schemas; remove some of the references");
                return Err(fault(node.pointer.clone(), message));
            }
            growth = growth.max(loops);
            if let Some(slot) = counts.get_mut(index) {
                *slot = (size, loops);
            }
        }
        let depth = limit.checked_ilog(growth).and_then(|depth| usize::try_from(depth).ok());
        Ok(depth.filter(|_| growth > 1))
    }

    /// Every node after the nodes that it leads to (loops cut where they close), and a node at which a loop closes.
    fn postorder(&self, follow: impl Fn(Reach) -> bool) -> (Vec<usize>, Option<usize>) {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.nodes.len()];
        let (mut order, mut looping) = (Vec::with_capacity(self.nodes.len()), None);
        for start in 0..self.nodes.len() {
            let mut path = vec![(start, 0_usize)];
            while let Some((index, edge)) = path.pop() {
                let (Some(mark), Some(node)) = (marks.get_mut(index), self.nodes.get(index)) else { continue };
                if edge == 0 {
                    match mark {
                        Mark::New => *mark = Mark::Open,
                        Mark::Done => continue,
                        Mark::Open => {
                            looping = looping.or(Some(index));
                            continue;
                        }
                    }
                }
                match node.edges.get(edge) {
                    None => {
                        *mark = Mark::Done;
                        order.push(index);
                    }
                    Some(&(to, reach)) => {
                        path.push((index, edge + 1));
                        if follow(reach) {
                            path.push((to, 0));
                        }
                    }
                }
            }
        }
        (order, looping)
    }
}
