//! Readers of single values.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::document::{Node, Value};
use super::scalar;
use crate::domain::nearest::nearest;

/// What is wrong with a value, before it is known where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }

    pub(crate) fn expected(what: &str, found: &Value) -> Self {
        Self::new(format!("expected {what}, found {found}"), "")
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// A feature that is designed but not built.
    pub(crate) fn not_yet(what: &str, instead: impl Into<String>) -> Self {
        Self::new(format!("{what} is not in this version yet"), instead)
    }
}

/// Foreign text between backticks: on one line, and not longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

/// Text. A number or `true` without quotes is the text that it was written as: `0042`, `1.10`, `True`.
pub(crate) fn text(node: &Node) -> Result<String, Problem> {
    match &node.value {
        Value::Text { text, .. } if text.is_empty() => {
            Err(Problem::new("the text is empty", "write a value or leave the key out"))
        }
        Value::Text { text, .. } | Value::Bool { text, .. } | Value::Number { text } => Ok(text.clone()),
        found @ (Value::Null | Value::List(_) | Value::Map(_)) => Err(Problem::expected("text", found)),
    }
}

/// True or false.
pub(crate) fn flag(node: &Node) -> Result<bool, Problem> {
    match node.scalar() {
        Value::Bool { value, .. } => Ok(value),
        found @ (Value::Null | Value::Number { .. } | Value::Text { .. } | Value::List(_) | Value::Map(_)) => {
            Err(Problem::expected("true or false", &found))
        }
    }
}

/// A whole number within a range.
pub(crate) fn integer(range: RangeInclusive<u32>) -> impl Fn(&Node) -> Result<u32, Problem> {
    move |node| {
        let bounds = format!("a whole number from {} to {}", range.start(), range.end());
        let found = node.scalar();
        let Some(value) = number_in(&found).and_then(scalar::to_i64) else {
            return Err(Problem::expected(&bounds, &found));
        };
        let value_in_range = u32::try_from(value).ok().filter(|value| range.contains(value));
        value_in_range.ok_or_else(|| Problem::new(format!("expected {bounds}, found {value}"), ""))
    }
}

/// A number within a range.
pub(crate) fn number(range: RangeInclusive<f64>) -> impl Fn(&Node) -> Result<f64, Problem> {
    move |node| {
        let bounds = format!("a number from {} to {}", range.start(), range.end());
        let found = node.scalar();
        let Some(value) = number_in(&found).and_then(scalar::to_f64) else {
            return Err(Problem::expected(&bounds, &found));
        };
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(Problem::new(format!("expected {bounds}, found {value}"), ""))
        }
    }
}

fn number_in(value: &Value) -> Option<&str> {
    match value {
        Value::Number { text } => Some(text),
        Value::Null | Value::Bool { .. } | Value::Text { .. } | Value::List(_) | Value::Map(_) => None,
    }
}

/// One of some words. `not_yet` are words that a later version will know.
pub(crate) fn choice<T: Copy>(
    words: &'static [(&'static str, T)],
    not_yet: &'static [&'static str],
) -> impl Fn(&Node) -> Result<T, Problem> {
    move |node| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = format!("use {}", all.join(", ").replace(", ", " or "));
        let Value::Text { text, .. } = &node.value else {
            return Err(Problem::expected("a word", &node.value).help(help));
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
            return Ok(*value);
        }
        if not_yet.contains(&text.as_str()) {
            return Err(Problem::not_yet(text, help));
        }
        let help = nearest(text, all).map_or(help, |word| format!("did you mean `{word}`?"));
        Err(Problem::new(format!("{} is not one of the choices", quoted(text)), help))
    }
}

/// An address to listen on.
pub(crate) fn socket_address(node: &Node) -> Result<SocketAddr, Problem> {
    let help = "write an IP address and a port: 127.0.0.1:8080, or 0.0.0.0:8080 for all interfaces";
    text(node)?.parse().map_err(|_| Problem::new("this is not an address to listen on", help))
}

/// `host:port` of a broker.
pub(crate) fn broker(node: &Node) -> Result<String, Problem> {
    let broker = text(node)?;
    let parts = broker.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let clean = !broker.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '/' | '@'));
    match parts {
        Some((host, port)) if clean && !host.is_empty() && port != 0 => Ok(broker),
        _ => Err(Problem::new("this is not host:port", "write for example kafka-1.internal:9092, one broker per item")),
    }
}

/// The base URL of a server, without its trailing slashes. Never quoted in a finding: it may hold a password.
pub(crate) fn base_url(node: &Node) -> Result<String, Problem> {
    const HELP: &str = "write for example https://api.openai.com/v1; a key belongs in api_key_env or api_key_file";
    let problem = |message: &str| Err(Problem::new(message, HELP));
    let url = text(node)?;
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return problem("this is not an http:// or https:// URL");
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return problem("this is not a valid URL");
    }
    if authority.contains('@') {
        return problem("the URL must not contain a user name or password");
    }
    if url.contains(['?', '#']) {
        return problem("a base URL has no query and no fragment");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The name of an environment variable. Upper case only, so that a key pasted here by mistake is refused, unquoted.
pub(crate) fn variable_name(node: &Node) -> Result<String, Problem> {
    let name = text(node)?;
    let valid = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if valid && name.len() <= 64 && name.starts_with(|c: char| !c.is_ascii_digit()) {
        return Ok(name);
    }
    let help =
        "write the variable's name in upper case, for example OPENAI_API_KEY; the key itself is never written here";
    Err(Problem::new("this is not the name of an environment variable", help))
}

/// The name of a connector or provider: part of results, metrics and consumer groups.
pub(crate) fn name(node: &Node) -> Result<String, Problem> {
    let name = text(node)?;
    check_name(&name).map(|()| name)
}

/// [`name`] for text that is a key.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.bytes().all(legal) && !name.starts_with('-') && (1..=63).contains(&name.len()) {
        return Ok(());
    }
    let help = "use 1 to 63 of a-z, 0-9 and -, and begin with a letter or digit: support-triage";
    Err(Problem::new(format!("{} is not a valid name", quoted(name)), help))
}

/// A topic, by Kafka's own rule (org.apache.kafka.common.internals.Topic).
pub(crate) fn topic(node: &Node) -> Result<Arc<str>, Problem> {
    let topic = text(node)?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if topic.bytes().all(legal) && topic.len() <= 249 && topic != "." && topic != ".." {
        return Ok(Arc::from(topic));
    }
    let help = "use 1 to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen; not . or .. alone";
    Err(Problem::new(format!("{} is not a valid topic name", quoted(&topic)), help))
}
