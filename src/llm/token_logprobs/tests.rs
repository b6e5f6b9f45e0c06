use serde_json::json;

use super::*;

fn token(text: &str, logprob: f64) -> Token<'_> {
    Token { bytes: text.as_bytes().into(), logprob }
}

/// The tokens of a text that is cut at `|`, each less likely than the one before: 0, -1, -2, …
fn cut(text: &str) -> (String, Vec<Token<'_>>) {
    let tokens = text.split('|').enumerate().map(|(index, text)| token(text, -(index as f64))).collect();
    (text.replace('|', ""), tokens)
}

/// Pointer, mean and number of tokens of each value in the only object.
fn values(text: &str, tokens: &[Token<'_>]) -> Vec<(String, f64, u32)> {
    let objects = of_values(text, tokens);
    let [object] = objects.as_slice() else { panic!("{objects:?}") };
    object.values.iter().map(|value| (value.field.clone(), value.mean, value.tokens)).collect()
}

#[test]
fn a_value_has_the_tokens_that_have_a_part_of_it() {
    for (cut_text, expected) in [
        (r#"{"|a|":"|re|fund|"}"#, vec![("/a", -3.5, 2)]),
        (r#"{"a|":"re|fund"}|"#, vec![("/a", -1.5, 2)]),
        (r#"{"a":|6|4|.9|}"#, vec![("/a", -2.0, 3)]),
        (r#"{"a":[|1,2|],"b"|:|null|}"#, vec![("/a/0", -1.0, 1), ("/a/1", -1.0, 1), ("/b", -4.0, 1)]),
        (r#"{"a|":"|"|,"b":|true|}"#, vec![("/a", -1.5, 2), ("/b", -4.0, 1)]),
        (r#"{"a":{"b/c":[|false|]}}"#, vec![("/a/b~1c/0", -1.0, 1)]),
        (
            r#"{"data":{"a":|7|},"evidence":[{"field":"|/a|","quotes":["7"]}]}"#,
            vec![("/data/a", -1.0, 1), ("/evidence/0/field", -3.0, 1), ("/evidence/0/quotes/0", -4.0, 1)],
        ),
    ] {
        let (text, tokens) = cut(cut_text);
        let expected: Vec<_> =
            expected.into_iter().map(|(field, mean, count)| (field.to_owned(), mean, count)).collect();
        assert_eq!(values(&text, &tokens), expected, "{cut_text}");
    }
}

#[test]
fn letters_that_are_cut_between_tokens_are_put_together() {
    let text = r#"{"größe":"日本","b":"𝒳"}"#;
    for size in 1..=4 {
        let tokens: Vec<_> =
            text.as_bytes().chunks(size).map(|bytes| Token { bytes: bytes.into(), logprob: -0.5 }).collect();
        let values = values(text, &tokens);
        assert_eq!(
            values.iter().map(|(field, mean, _)| (field.as_str(), *mean)).collect::<Vec<_>>(),
            [("/größe", -0.5), ("/b", -0.5)]
        );
        if size == 1 {
            assert_eq!(values.iter().map(|(.., count)| *count).collect::<Vec<_>>(), [6, 4], "bytes of each value");
        }
    }
}

#[test]
fn tokens_before_and_after_the_text_belong_to_no_value() {
    let (object, mut tokens) = cut(r#"{"a":|7|}"#);
    tokens.insert(0, token(r#"<think>{"a":7}? yes</think>"#, -50.0));
    tokens.push(token("<|im_end|>", -50.0));
    assert_eq!(values(&object, &tokens), [("/a".to_owned(), -1.0, 1)]);
}

#[test]
fn tokens_of_another_text_say_nothing() {
    let (text, tokens) = cut(r#"{"a":|7|}"#);
    assert_eq!(of_values(r#"{"a":8}"#, &tokens), []);
    assert_eq!(of_values("", &tokens), []);
    assert_eq!(of_values(&text, &[]), []);
}

#[test]
fn an_object_that_has_to_be_mended_has_none_and_others_have_their_own() {
    let (text, tokens) = cut(r#"{"a":|1|,} or {"a":|2|}, |{"a":|2|}"#);
    let starts: Vec<_> = of_values(&text, &tokens).iter().map(|object| (object.start, object.values[0].mean)).collect();
    let [second, third] = [text.find(r#"{"a":2}"#).unwrap(), text.rfind('{').unwrap()];
    assert_eq!(starts, [(second, -3.0), (third, -6.0)]);
}

#[test]
fn entries_are_read_by_their_bytes_or_else_by_their_text() {
    let read = |entry: &Value| Token::read(entry, "logprob").map(|token| (token.bytes.into_owned(), token.logprob));
    for (entry, expected) in [
        (json!({ "token": "\\xc3", "bytes": [0xc3], "logprob": -0.25 }), Some((vec![0xc3], -0.25))),
        (json!({ "token": "é", "bytes": null, "logprob": 0 }), Some((vec![0xc3, 0xa9], 0.0))),
        (json!({ "token": "x", "bytes": [], "logprob": 0.001 }), Some((vec![b'x'], 0.0))),
        (json!({ "token": "x", "bytes": [300], "logprob": "-1" }), Some((vec![b'x'], -1.0))),
        (json!({ "token": "x", "logprob": null }), None),
        (json!({ "token": 7, "logprob": -1 }), None),
        (json!("x"), None),
    ] {
        assert_eq!(read(&entry), expected, "{entry}");
    }
    let one_is_odd = json!([{ "token": "x", "logprob": -1 }, { "token": "y" }]);
    assert!(Token::list(&one_is_odd, "logprob").is_empty() && Token::list(&json!({}), "logprob").is_empty());
}

#[test]
fn a_mean_has_four_decimals_and_no_negative_zero() {
    let tokens = [token("{\"a\":\"", 0.0), token("x", -0.123_456), token("y", 0.0), token("\",\"b\":", 0.0)];
    let end = [token("1", -0.0), token("}", 0.0)];
    let tokens: Vec<_> = tokens.into_iter().chain(end).collect();
    let values = values(r#"{"a":"xy","b":1}"#, &tokens);
    assert_eq!(json!(values), json!([["/a", -0.0617, 2], ["/b", 0.0, 1]]));
}
