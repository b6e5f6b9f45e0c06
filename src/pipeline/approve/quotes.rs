//! The quotes that a model gives beside its data. Whatever is wrong with them costs nothing but themselves.

use serde_json::Value;

use crate::domain::quotes::FieldQuotes;
use crate::schema::with_quotes::{DATA, EVIDENCE, FIELD, QUOTES};

/// Quotes that are kept of one answer; they are remembered with it.
const MAX_QUOTES: usize = 256;
/// Longest quote in bytes. A quote is there to tell one place from others, which a sentence does.
const MAX_BYTES: usize = 1_000;

/// The data and the quotes of an object that has both, or only the data as the one member.
pub(super) fn parts(object: &Value) -> Option<(&Value, &Value)> {
    let data = object.get(DATA).filter(|data| data.is_object())?;
    let quotes = object.get(EVIDENCE);
    let is_only = object.as_object().is_some_and(|members| members.len() == 1);
    (quotes.is_some() || is_only).then(|| (data, quotes.unwrap_or(&Value::Null)))
}

/// The quotes for values of `data`, as far as they can be read.
pub(super) fn read(quotes: &Value, data: &Value) -> Vec<FieldQuotes> {
    let (mut read, mut left): (Vec<FieldQuotes>, _) = (Vec::new(), MAX_QUOTES);
    for entry in quotes.as_array().into_iter().flatten() {
        let field = entry.get(FIELD).and_then(Value::as_str).and_then(|field| pointer(field, data));
        let (Some(field), Some(quotes)) = (field, entry.get(QUOTES)) else { continue };
        let texts =
            quotes.as_array().map_or(std::slice::from_ref(quotes), Vec::as_slice).iter().filter_map(Value::as_str);
        let texts = texts.map(str::trim).filter(|text| (1..=MAX_BYTES).contains(&text.len()));
        let texts: Vec<String> = texts.take(left).map(str::to_owned).collect();
        left -= texts.len();
        match read.iter_mut().find(|known| known.field == field) {
            Some(known) => known.quotes.extend(texts),
            None if texts.is_empty() => {}
            None => read.push(FieldQuotes { field, quotes: texts }),
        }
    }
    read
}

/// The value that a model means, as a JSON Pointer into the data: some begin at the whole answer, or leave out the
/// first slash.
fn pointer(field: &str, data: &Value) -> Option<String> {
    let field = field.trim();
    let within = field.strip_prefix('/').unwrap_or(field).strip_prefix(DATA).unwrap_or_default();
    let meant = [field.to_owned(), format!("/{field}"), within.to_owned()];
    meant.into_iter().find(|pointer| pointer.starts_with('/') && data.pointer(pointer).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn quotes(evidence: &Value) -> Vec<(String, Vec<String>)> {
        let data = json!({ "a": 1, "b": { "c/d": [2] }, "data": 3 });
        read(evidence, &data).into_iter().map(|it| (it.field, it.quotes)).collect()
    }

    #[test]
    fn quotes_are_for_the_value_that_is_meant() {
        for (field, meant) in [
            ("/a", "/a"),
            ("a", "/a"),
            ("/data/a", "/a"),
            ("data/b/c~1d/0", "/b/c~1d/0"),
            ("/data", "/data"),
            (" /b/c~1d/0 ", "/b/c~1d/0"),
        ] {
            let read = quotes(&json!([{ "field": field, "quotes": [" x "] }]));
            assert_eq!(read, [(meant.to_owned(), vec!["x".to_owned()])], "{field}");
        }
        let twice = json!([{ "field": "/a", "quotes": ["x"] }, { "field": "a", "quotes": "y" }]);
        assert_eq!(quotes(&twice), [("/a".to_owned(), vec!["x".to_owned(), "y".to_owned()])]);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let long = "x".repeat(MAX_BYTES + 1);
        for evidence in [
            json!(null),
            json!("x"),
            json!([1, null, "x", {}, []]),
            json!([{ "field": "/z", "quotes": ["x"] }, { "field": "/a" }, { "field": 1, "quotes": ["x"] }]),
            json!([{ "field": "/a", "quotes": ["", " ", 1, null, long] }, { "quotes": ["x"] }]),
        ] {
            assert_eq!(quotes(&evidence), [], "{evidence}");
        }
        let many = json!([{ "field": "/a", "quotes": vec!["x"; 1000] }, { "field": "/data", "quotes": ["y"] }]);
        assert_eq!(quotes(&many).iter().map(|(_, quotes)| quotes.len()).collect::<Vec<_>>(), [MAX_QUOTES]);
    }
}
