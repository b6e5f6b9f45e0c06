//! What a template can read of a record, found once, so that rendering converts that and nothing else.
//!
//! The engine's own list of variables misses some (the subject of a slice, a name that the template also assigns), so
//! names are looked for in the text. That finds too much in comments and prose, never too little: an expression cannot
//! use a variable without writing its name.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Most attributes of one path that are told apart; below, everything is converted.
const MAX_SEGMENTS: usize = 16;

/// The operator that makes texts of its operands.
const CONCATENATION: char = '~';

/// The filters and tests that make a text of a value. A variable with such a name does no harm.
const TEXT_MAKERS: [&str; 19] = [
    "capitalize",
    "e",
    "endingwith",
    "escape",
    "format",
    "indent",
    "join",
    "lines",
    "lower",
    "pprint",
    "replace",
    "safe",
    "split",
    "startingwith",
    "string",
    "title",
    "trim",
    "upper",
    "urlencode",
];

/// Which part of a value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// All of it.
    Whole,
    /// These members of it, if it is an object.
    Members(BTreeMap<Arc<str>, Need>),
}

/// A variable or a chain of attributes as the template writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Root and attributes.
    pub(super) segments: Vec<String>,
    /// Line in the source, from 1.
    pub(super) line: usize,
}

/// What a source reads: for each of the record's roots that it names, which part.
#[derive(Debug, Clone)]
pub(super) struct Reads {
    /// Parts by root.
    pub(super) roots: BTreeMap<Arc<str>, Need>,
    /// Every mention, for error messages.
    pub(super) paths: Vec<Path>,
    /// The ways into the event's data that expressions use.
    pub(super) data: Vec<Path>,
    /// Parts by root that expressions use. A word of the prose counts in `roots`, and not here.
    pub(super) in_expressions: BTreeMap<Arc<str>, Need>,
    /// Whether an expression may make a text of a value without printing it.
    pub(super) makes_texts: bool,
}

impl Reads {
    /// What a source reads of what has these names.
    pub(super) fn of(source: &str, visible: &[&str]) -> Self {
        let is_root = |path: &Path| path.segments.first().is_some_and(|root| visible.contains(&root.as_str()));
        let paths: Vec<Path> = paths(source).into_iter().filter(is_root).collect();
        let mut roots = BTreeMap::new();
        for path in &paths {
            add(&mut roots, &path.segments);
        }
        let is_data = |path: &Path| path.segments.first().is_some_and(|root| root == "data");
        let code = code(source);
        let in_code = self::paths(&code);
        let is_text_maker =
            |path: &Path| path.segments.first().is_some_and(|name| TEXT_MAKERS.contains(&name.as_str()));
        let makes_texts = code.contains(CONCATENATION) || in_code.iter().any(is_text_maker);
        let mut in_expressions = BTreeMap::new();
        for path in in_code.iter().filter(|path| is_root(path)) {
            add(&mut in_expressions, &path.segments);
        }
        let data = in_code.into_iter().filter(is_data).collect();
        Self { roots, paths, data, in_expressions, makes_texts }
    }

    /// True if the source reads nothing of the record.
    pub(super) fn is_nothing(&self) -> bool {
        self.roots.is_empty()
    }
}

/// Adds the way to one value; what is read whole stays whole.
fn add(members: &mut BTreeMap<Arc<str>, Need>, segments: &[String]) {
    let Some((first, rest)) = segments.split_first() else { return };
    let need = members.entry(Arc::from(first.as_str())).or_insert_with(|| Need::Members(BTreeMap::new()));
    if rest.is_empty() {
        *need = Need::Whole;
    } else if let Need::Members(inner) = need {
        add(inner, rest);
    }
}

/// Every name that stands within `{{ … }}` or `{% … %}`.
pub(super) fn identifiers(source: &str) -> HashSet<String> {
    paths(&code(source)).into_iter().filter_map(|path| path.segments.into_iter().next()).collect()
}

/// The first line that uses a variable.
pub(super) fn first_line(source: &str, variable: &str) -> Option<usize> {
    let mut paths = paths(&code(source)).into_iter();
    paths.find(|path| path.segments.first().is_some_and(|root| root == variable)).map(|path| path.line)
}

/// The source with comments and prose blanked, line ends kept.
fn code(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut end: Option<(&str, bool)> = None;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let width = match end {
            None => {
                end = [("{{", ("}}", true)), ("{%", ("%}", true)), ("{#", ("#}", false))]
                    .into_iter()
                    .find_map(|(start, end)| rest.starts_with(start).then_some(end));
                if end.is_some() { 2 } else { c.len_utf8() }
            }
            Some((closing, _)) if rest.starts_with(closing) => {
                end = None;
                2
            }
            Some((_, true)) => {
                kept.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            Some((_, false)) => c.len_utf8(),
        };
        kept.push(if c == '\n' { '\n' } else { ' ' });
        rest = rest.get(width..).unwrap_or_default();
    }
    kept
}

/// Every name in the text that does not follow a point, with the attributes that follow it. A last attribute that is
/// called belongs to the value before it.
fn paths(text: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    let (mut rest, mut line, mut after_point) = (text, 1, false);
    while let Some(c) = rest.chars().next() {
        let name = leading_name(rest);
        if name.is_empty() {
            line += usize::from(c == '\n');
            after_point = c == '.';
            // A number takes its letters along, so that "1e5" is not read as a name.
            rest = if c.is_ascii_digit() {
                rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
            } else {
                rest.get(c.len_utf8()..).unwrap_or_default()
            };
            continue;
        }
        rest = rest.get(name.len()..).unwrap_or_default();
        let mut segments = vec![name.to_owned()];
        while let Some(attribute) = rest.strip_prefix('.').map(leading_name).filter(|name| !name.is_empty()) {
            rest = rest.get(1 + attribute.len()..).unwrap_or_default();
            segments.push(attribute.to_owned());
        }
        if segments.len() > 1 && rest.trim_start().starts_with('(') {
            segments.pop();
        }
        segments.truncate(MAX_SEGMENTS);
        if !after_point {
            paths.push(Path { segments, line });
        }
        after_point = false;
    }
    paths
}

/// The identifier at the beginning of the text; empty if there is none.
fn leading_name(text: &str) -> &str {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
