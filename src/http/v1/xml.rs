//! A JSON object as well-formed XML 1.0.
//!
//! A member becomes an element of its name, or `<member name="…">` where XML allows no such name. The elements of an
//! array are `<item>`s within it; null is an empty element with `nil="true"`. Types are the schema's matter, so text
//! stands as it is.

use std::borrow::Cow;

use serde_json::Value;

/// `value` in an element called `root`.
pub fn document(root: &str, value: &Value) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut xml, root, value);
    xml
}

fn element(xml: &mut String, name: &str, value: &Value) {
    let is_name = is_name(name);
    let tag = if is_name { name } else { "member" };
    xml.push('<');
    xml.push_str(tag);
    if !is_name {
        attribute(xml, "name", name);
    }
    if value.is_null() {
        attribute(xml, "nil", "true");
    }
    xml.push('>');
    content(xml, value);
    xml.push_str("</");
    xml.push_str(tag);
    xml.push('>');
}

fn content(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => xml.push_str(number.as_str()),
        Value::String(text) => escape(xml, text),
        Value::Array(items) => items.iter().for_each(|item| element(xml, "item", item)),
        Value::Object(members) => members.iter().for_each(|(name, value)| element(xml, name, value)),
    }
}

fn attribute(xml: &mut String, name: &str, value: &str) {
    xml.push(' ');
    xml.push_str(name);
    xml.push_str("=\"");
    escape(xml, value);
    xml.push('"');
}

/// For text and for attribute values. White space other than the space is written as references, because a reader
/// changes it otherwise; characters that XML 1.0 does not have become U+FFFD.
pub(crate) fn escape(xml: &mut String, text: &str) {
    for c in text.chars() {
        let escaped: Cow<'static, str> = match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\t' | '\n' | '\r' => format!("&#{};", u32::from(c)).into(),
            c if is_allowed(c) => {
                xml.push(c);
                continue;
            }
            _ => "\u{fffd}".into(),
        };
        xml.push_str(&escaped);
    }
}

/// XML 1.0, production 2, without white space.
fn is_allowed(c: char) -> bool {
    c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// The ASCII names of XML 1.0, production 5, but for colons, which belong to namespaces, and `xml…`, which is reserved.
fn is_name(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    name.bytes().next().is_some_and(first)
        && name.bytes().all(|byte| first(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && !is_reserved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::{Document, Node};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_an_element_for_each_member() {
        let value = json!({ "a": "x < y & \"z\"", "n": 1.5, "none": null, "list": [true, {}], "b c": [] });
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<invoice><a>x &lt; y &amp; &quot;z&quot;</a><n>1.5</n>\
                        <none nil=\"true\"></none><list><item>true</item><item></item></list><member name=\"b c\"></member></invoice>";
        assert_eq!(document("invoice", &value), expected);
    }

    /// Whether an element says what a value says.
    fn says(node: Node<'_, '_>, name: &str, value: &Value) -> bool {
        let clean = |text: &str| text.replace(|c: char| !(is_allowed(c) || "\t\n\r".contains(c)), "\u{fffd}");
        let is_named = node.tag_name().name() == name || node.attribute("name") == Some(&clean(name));
        let children: Vec<_> = node.children().filter(Node::is_element).collect();
        let text: String = node.children().filter_map(|child| child.text()).collect();
        is_named
            && match value {
                Value::Null => node.attribute("nil") == Some("true") && children.is_empty() && text.is_empty(),
                Value::Bool(_) | Value::Number(_) => children.is_empty() && text == format!("{value}"),
                Value::String(wanted) => children.is_empty() && text == clean(wanted),
                Value::Array(items) => {
                    children.len() == items.len()
                        && children.iter().zip(items).all(|(child, item)| says(*child, "item", item))
                }
                Value::Object(members) => {
                    children.len() == members.len()
                        && children.iter().zip(members).all(|(child, (name, value))| says(*child, name, value))
                }
            }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), "[a-z\\t\\n\\r \"'<>&\u{0}\u{b}\u{fffe}]{0,8}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let name = prop_oneof![any::<String>(), "[A-Za-z_:.0-9-]{0,6}", Just("xmlns".to_owned())];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back_by_an_xml_parser(value in any_value()) {
            let xml = document("root", &value);
            let parsed = Document::parse(&xml).map_err(|error| TestCaseError::fail(format!("{error}: {xml}")))?;
            prop_assert!(says(parsed.root_element(), "root", &value), "{xml}");
        }
    }
}
