//! The one text of a value for hashes.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::Decimal;

/// The one text of a value for hashes: members in the order of their names, no spaces, each number in one spelling.
///
/// What is kept beyond an upgrade is kept under such hashes, so the text of a value must stay the same for ever: it is
/// RFC 8785's, but for numbers that RFC 8785 would round. Those are as they were written: values that differ in any
/// digit have two texts.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    let mut separator = "";
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                text.push_str(separator);
                write(item, text);
                separator = ",";
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (name, member) in members.iter().collect::<BTreeMap<_, _>>() {
                text.push_str(separator);
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(member, text);
                separator = ",";
            }
            text.push('}');
        }
        Value::Number(number) => text.push_str(&spelling(number)),
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

/// `0` for `0.0`, `100` for `1e2`: as ECMAScript prints the double, if that is exactly the number.
fn spelling(number: &Number) -> String {
    let written = number.as_str();
    let printed = written.parse().ok().filter(|double: &f64| double.is_finite()).map(ecmascript);
    let is_exact = |printed: &String| Decimal::of(printed) == Decimal::of(written);
    printed.filter(is_exact).unwrap_or_else(|| written.to_owned())
}

/// ECMA-262, Number::toString: the fewest digits, with an exponent for what is very small or large.
fn ecmascript(double: f64) -> String {
    let magnitude = double.abs();
    if magnitude == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&magnitude) {
        double.to_string()
    } else {
        let text = format!("{double:e}");
        if magnitude < 1.0 { text } else { text.replace('e', "e+") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::parse;

    fn of(text: &str) -> String {
        canonical(&parse(text).unwrap())
    }

    #[test]
    fn members_are_in_order_and_nothing_is_between() {
        let text = r#" { "b" : [ 1 , "é\n" ] , "a" : { "z" : null , "y" : true } } "#;
        assert_eq!(of(text), r#"{"a":{"y":true,"z":null},"b":[1,"é\n"]}"#);
        assert_eq!(canonical(&serde_json::json!({ "b": 1.5, "a": -1 })), r#"{"a":-1,"b":1.5}"#);
    }

    /// Appendix B of RFC 8785, and what earlier versions hashed.
    #[test]
    fn a_number_is_spelt_as_in_rfc_8785_where_that_does_not_round() {
        for (written, spelling) in [
            ("0.0", "0"),
            ("-0", "0"),
            ("-2.0", "-2"),
            ("3600000.0", "3600000"),
            ("1e2", "100"),
            ("1.10", "1.1"),
            ("0.7", "0.7"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("1E21", "1e+21"),
            ("100000000000000000000", "100000000000000000000"),
            ("-1.5e300", "-1.5e+300"),
            ("5e-324", "5e-324"),
            ("9007199254740991", "9007199254740991"),
        ] {
            assert_eq!(of(written), spelling, "{written}");
        }
    }

    #[test]
    fn numbers_that_differ_in_any_digit_have_two_texts() {
        for (a, b) in [
            ("0.12345678901234567", "0.12345678901234568"),
            ("18446744073709551616", "18446744073709551617"),
            ("9007199254740992", "9007199254740993"),
            ("1e400", "1e401"),
            ("1e-400", "0"),
        ] {
            assert_ne!(of(a), of(b));
        }
    }
}
