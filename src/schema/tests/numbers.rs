//! Numbers of any length, as JSON Schema means them: by their value, not by how they are written.

use std::time::Duration;

use super::*;
use crate::domain::cpu_time::CpuTime;
use crate::domain::json;

fn parsed(text: &str) -> Value {
    json::parse(text).unwrap()
}

/// Whether `{"n": number}` is valid where `n` has this schema.
fn accepts(schema: &str, number: &str) -> bool {
    let schema = parsed(&format!(r#"{{"type":"object","properties":{{"n":{schema}}}}}"#));
    let schema = Schema::compile("numbers", "1.0.0", schema).unwrap();
    schema.validate(&parsed(&format!(r#"{{"n":{number}}}"#))).is_ok()
}

#[test]
fn numbers_are_equal_by_value() {
    let cases = [
        ("1", ["1.0", "1e0", "10E-1", "1.00"]),
        ("0", ["-0", "0.0", "0e5", "-0.00"]),
        (
            "18446744073709551616",
            ["18446744073709551616.0", "1.8446744073709551616e19", "18446744073709551616", "184467440737095516160e-1"],
        ),
        ("1e-400", ["1e-400", "0.1e-399", "10e-401", "1.0e-400"]),
    ];
    for (value, spellings) in cases {
        for spelling in spellings {
            assert!(accepts(&format!(r#"{{"const":{value}}}"#), spelling), "{value} {spelling}");
            assert!(accepts(&format!(r#"{{"enum":["x",{spelling}]}}"#), value), "{spelling} {value}");
            assert!(!accepts(r#"{"uniqueItems":true}"#, &format!("[{value},{spelling}]")), "{value} {spelling}");
        }
    }
}

#[test]
fn every_digit_counts() {
    let neighbours = [
        ("18446744073709551615", "18446744073709551616"),
        ("500105175407324931000123", "500105175407324931000124"),
        ("0.1234567890123456789", "0.1234567890123456788"),
        ("1e-400", "2e-400"),
        ("1e400", "1.1e400"),
    ];
    for (low, high) in neighbours {
        assert!(accepts(&format!(r#"{{"enum":[{low}]}}"#), low));
        assert!(!accepts(&format!(r#"{{"enum":[{low}]}}"#), high), "{high}");
        assert!(!accepts(&format!(r#"{{"const":{high}}}"#), low), "{low}");
        assert!(accepts(r#"{"uniqueItems":true}"#, &format!("[{low},{high}]")));
    }
    for (low, high) in &neighbours[..2] {
        assert!(
            accepts(&format!(r#"{{"minimum":{low}}}"#), high) && !accepts(&format!(r#"{{"minimum":{high}}}"#), low)
        );
        assert!(accepts(&format!(r#"{{"exclusiveMaximum":{high}}}"#), low));
        assert!(!accepts(&format!(r#"{{"exclusiveMaximum":{low}}}"#), low));
    }
    assert!(
        accepts(r#"{"multipleOf":3}"#, "500105175407324931000123")
            && !accepts(r#"{"multipleOf":3}"#, "500105175407324931000124")
    );
    assert!(accepts(r#"{"multipleOf":0.01}"#, "19.99") && !accepts(r#"{"multipleOf":0.01}"#, "19.999"));
}

#[test]
fn an_integer_is_a_number_without_fraction() {
    for number in ["1", "1.0", "1e2", "12e-0", "1.50e1", "-0", "500105175407324931000123", "1e400"] {
        assert!(accepts(r#"{"type":"integer"}"#, number), "{number}");
    }
    for number in ["1.5", "1e-1", "1e-400", "0.1234567890123456789"] {
        assert!(!accepts(r#"{"type":"integer"}"#, number), "{number}");
        assert!(accepts(r#"{"type":"number"}"#, number), "{number}");
    }
}

/// What the reader lets in costs little to check, however many there are.
#[test]
fn the_longest_numbers_are_checked_quickly() {
    let long = format!("[{}]", ["1e-490", "-1e490"].repeat(50).join(","));
    let digits = format!("[{}]", vec!["9".repeat(500); 100].join(","));
    let begun = CpuTime::now();
    for schema in [
        r#"{"items":{"multipleOf":0.001}}"#,
        r#"{"items":{"multipleOf":1e-300,"minimum":1e-400,"maximum":1e400}}"#,
        r#"{"items":{"type":"integer","enum":[1e-489,1e489,3]}}"#,
        r#"{"items":{"const":1e-489,"exclusiveMinimum":0.5}}"#,
    ] {
        for numbers in [&long, &digits] {
            let _outcome = accepts(schema, numbers);
        }
    }
    // Generous: an unoptimised build on a busy machine takes a second; without the bound it would not end.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn schemas_that_differ_in_one_digit_have_two_digests() {
    let digest = |text: &str| *Schema::compile("s", "0.0.0", parsed(text)).unwrap().digest();
    let of = |number: &str| digest(&format!(r#"{{"type":"object","properties":{{"n":{{"maximum":{number}}}}}}}"#));
    assert_ne!(of("0.12345678901234567"), of("0.12345678901234568"));
    assert_ne!(of("18446744073709551616"), of("18446744073709551617"));
    assert_eq!(of("1.5"), digest(r#"{"properties":{"n":{"maximum":1.5}},"type":"object"}"#));
}
