//! Where the values of an object stand in its text.

use std::fmt::Write as _;
use std::ops::Range;

use crate::domain::json::{Fault, Reader, pointer};

/// Each value of an object that is no container, by its JSON Pointer, with its bytes in `text`, in their order. A text
/// stands between its quotes; one that is empty is its quotes. Nothing for what is not JSON.
pub fn value_places(text: &str) -> Vec<(String, Range<usize>)> {
    let (mut pointer, mut places) = (String::new(), Vec::new());
    match walk(&mut Reader::new(text), &mut pointer, &mut places) {
        Ok(()) => places,
        Err(_) => Vec::new(),
    }
}

/// Reads one value. Readers go as deep as JSON is read, and no deeper.
fn walk(reader: &mut Reader<'_>, pointer: &mut String, places: &mut Vec<(String, Range<usize>)>) -> Result<(), Fault> {
    let length = pointer.len();
    match reader.next_byte() {
        Some(b'{') => reader.members(|name, reader| {
            pointer::push(pointer, &name);
            walk(reader, pointer, places)?;
            pointer.truncate(length);
            Ok(())
        }),
        Some(b'[') => reader.elements(|index, reader| {
            // A string takes everything.
            write!(pointer, "/{index}").unwrap_or_default();
            walk(reader, pointer, places)?;
            pointer.truncate(length);
            Ok(())
        }),
        first => {
            let start = reader.position();
            reader.value()?;
            let mut place = start..reader.position();
            if first == Some(b'"') && place.len() > 2 {
                place = place.start + 1..place.end - 1;
            }
            places.push((pointer.clone(), place));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::json;

    /// The values with their texts.
    fn written(text: &str) -> Vec<(String, &str)> {
        value_places(text).into_iter().map(|(pointer, place)| (pointer, &text[place])).collect()
    }

    #[test]
    fn each_value_has_its_place() {
        let text =
            r#" {"a/b~c": "Größe \"12\"", "n":-1.50e3 , "empty":"", "list":[ true,{"x":null},[],[[ 7]] ],"o":{}}"#;
        let expected = [
            ("/a~1b~0c", r#"Größe \"12\""#),
            ("/n", "-1.50e3"),
            ("/empty", "\"\""),
            ("/list/0", "true"),
            ("/list/1/x", "null"),
            ("/list/3/0/0", "7"),
        ];
        assert_eq!(written(text), expected.map(|(pointer, value)| (pointer.to_owned(), value)));
    }

    #[test]
    fn what_is_not_json_has_no_places() {
        for text in ["", "{", r#"{"a":1,}"#, r#"{"a":True}"#, r#"{"a":"x"#] {
            assert_eq!(value_places(text), [], "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"[a~/"\\ é日𝒳\n]{0,6}"#.prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a~/é]{0,3}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn what_stands_at_a_place_is_the_value_at_its_pointer(value in value()) {
            let object = json!({ "value": value });
            for text in [object.to_string(), format!("{object:#}")] {
                for (pointer, place) in value_places(&text) {
                    let wanted = object.pointer(&pointer).unwrap();
                    let text = &text[place];
                    let is_inner = wanted.as_str().is_some_and(|wanted| !wanted.is_empty());
                    let found = if is_inner { format!("\"{text}\"") } else { text.to_owned() };
                    prop_assert_eq!(&json::parse(&found).unwrap(), wanted);
                }
            }
        }
    }
}
