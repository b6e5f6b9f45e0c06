//! What a reference means: a place in the same document, by JSON Pointer or anchor.

use serde_json::Value;

use super::keywords::subschemas;

/// The keyword that gives a schema its URI: `$id` since draft 6, `id` before.
pub(crate) fn id_keyword(schema: &Value) -> &'static str {
    let draft = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
    if draft.contains("draft-04") { "id" } else { "$id" }
}

/// The schema that a reference means, with its JSON Pointer. `Err` says what is wrong with the reference. Only this
/// document is ever looked at.
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str) -> Result<(String, &'a Value), &'static str> {
    if reference.is_empty() {
        return Err("the reference is empty; write \"#\" for the root");
    }
    let id = root.get(id_keyword(root)).and_then(Value::as_str);
    let id = id.map(|id| id.trim_end_matches('#')).filter(|id| !id.is_empty());
    let fragment = match reference.split_once('#') {
        Some(("", fragment)) => fragment,
        Some((document, fragment)) if Some(document) == id => fragment,
        None if Some(reference) == id => "",
        _ => return Err("references may not leave the schema; copy the target into $defs and use \"#/$defs/…\""),
    };
    // RFC 6901, section 6: the escapes of the URI first, then those of the pointer.
    let fragment = percent_decode(fragment);
    if fragment.is_empty() || fragment.starts_with('/') {
        let target = root.pointer(&fragment).ok_or("the reference points to nothing in this schema")?;
        return Ok((fragment, target));
    }
    anchored(root, &fragment, id_keyword(root)).ok_or("the reference names an anchor that the schema does not have")
}

/// The subschema with this `$anchor`, `$dynamicAnchor` or, in drafts 4 to 7, an `$id` that is only a fragment.
fn anchored<'a>(root: &'a Value, anchor: &str, id_keyword: &str) -> Option<(String, &'a Value)> {
    let mut open = vec![(String::new(), root)];
    while let Some((pointer, schema)) = open.pop() {
        let Some(members) = schema.as_object() else { continue };
        let text = |keyword: &str| members.get(keyword).and_then(Value::as_str);
        let is_named = ["$anchor", "$dynamicAnchor"].into_iter().any(|keyword| text(keyword) == Some(anchor))
            || text(id_keyword).and_then(|id| id.strip_prefix('#')) == Some(anchor);
        if is_named {
            return Some((pointer, schema));
        }
        open.extend(subschemas(members).into_iter().map(|(tokens, inner, _)| (format!("{pointer}{tokens}"), inner)));
    }
    None
}

/// The text that a URI fragment stands for (RFC 3986, section 2.1); a malformed escape stays as it is.
fn percent_decode(fragment: &str) -> String {
    let bytes = fragment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| fragment.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_of_a_reference_finds_its_target() {
        let schema = json!({
            "$id": "https://a.example/s", "type": "object",
            "properties": { "a/b~c": { "$anchor": "here", "const": 1 } },
            "definitions": { "Bar<string>": { "const": 2 }, "ü": { "const": 3 }, "50%": { "const": 4 } },
            "allOf": [{ "const": 5 }],
        });
        for (reference, pointer, value) in [
            ("#/definitions/Bar%3Cstring%3E", "/definitions/Bar<string>", 2),
            ("#/definitions/Bar%3cstring%3e", "/definitions/Bar<string>", 2),
            ("#/definitions/Bar<string>", "/definitions/Bar<string>", 2),
            ("#/definitions/%C3%BC", "/definitions/ü", 3),
            ("#/definitions/50%25", "/definitions/50%", 4),
            ("#/properties/a~1b~0c", "/properties/a~1b~0c", 1),
            ("#/properties/a%7E1b%7E0c", "/properties/a~1b~0c", 1),
            ("#here", "/properties/a~1b~0c", 1),
            ("https://a.example/s#/allOf/0", "/allOf/0", 5),
            ("https://a.example/s#here", "/properties/a~1b~0c", 1),
        ] {
            let (found, target) = resolve(&schema, reference).unwrap();
            assert_eq!((found.as_str(), &target["const"]), (pointer, &json!(value)), "{reference}");
        }
        assert_eq!(resolve(&schema, "#").unwrap().1, &schema);
        assert_eq!(resolve(&schema, "https://a.example/s").unwrap().1, &schema);
        for wrong in ["", "other#/definitions/x", "#/definitions/x", "#nowhere", "https://b.example/s"] {
            assert!(resolve(&schema, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_that_is_a_fragment_is_an_anchor() {
        let schema =
            json!({ "$schema": "http://json-schema.org/draft-04/schema#", "definitions": { "x": { "id": "#y" } } });
        assert_eq!(resolve(&schema, "#y").unwrap().0, "/definitions/x");
    }
}
