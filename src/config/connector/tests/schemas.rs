//! Schemas as they are written: every digit counts, and no key may be there twice.

use super::*;
use crate::domain::json;

const NUMBERS: &str =
    "[18446744073709551615, 18446744073709551616, 0.1234567890123456789, 500105175407324931000123, 1.10, 1e-400]";

fn with_schema(schema: &str) -> String {
    format!("{}schema: {schema}\n", connector("c", "a", "b", "d"))
}

fn object(properties: &str) -> String {
    format!(r#"{{ "type": "object", "properties": {{ {properties} }} }}"#)
}

fn accepts(read: &ConnectorConfig, number: &str) -> bool {
    read.schema.known().unwrap().validate(&json::parse(&format!(r#"{{"n":{number}}}"#)).unwrap()).is_ok()
}

#[test]
fn a_schema_accepts_its_own_numbers_and_no_others() {
    let schema = object(&format!(r#""n": {{ "enum": {NUMBERS} }}"#));
    let inline = one(&with_schema(&format!("{{ inline: {schema} }}")));
    let files = |name: &str| {
        let text = with_schema(&format!("{{ file: schemas/{name} }}"));
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("schemas")).unwrap();
        fs::write(directory.path().join("schemas").join(name), format!("\u{feff}{schema}\r\n")).unwrap();
        fs::write(directory.path().join("c.yaml"), text).unwrap();
        load_connectors(&[directory.path().join("c.yaml")], &defaults()).unwrap().remove(0)
    };
    for read in [inline, files("s.json"), files("s.yaml")] {
        for number in NUMBERS.trim_matches(['[', ']']).split(", ") {
            assert!(accepts(&read, number), "{number}");
        }
        for number in ["18446744073709551614", "18446744073709551617", "0.12345678901234568", "1.11", "0", "1e-399"] {
            assert!(!accepts(&read, number), "{number}");
        }
        assert_eq!(read.schema.known().unwrap().json()["properties"]["n"]["enum"][4].to_string(), "1.10");
    }
}

#[test]
fn yaml_forms_of_numbers_mean_what_they_meant() {
    let read = one(&with_schema(
        "{ inline: { type: object, properties: { n: { enum: [0x1F, .5, +1, 0o17, 1_000, 007] } } } }",
    ));
    let written = &read.schema.known().unwrap().json()["properties"]["n"]["enum"];
    assert_eq!(written.to_string(), r#"[31,0.5,1,15,"1_000",7]"#);
    let found = findings(&with_schema("\n  inline: { type: object, properties: { n: { enum: [1, 1e1000000] } } }"));
    assert!(found.contains("schema.inline.properties.n.enum[1]: the number has more than 500 digits"), "{found}");
}

#[test]
fn configurations_that_differ_in_one_digit_have_two_hashes() {
    let hash = |number: &str| {
        let schema = object(&format!(r#""n": {{ "maximum": {number} }}"#));
        one(&with_schema(&format!("{{ inline: {schema} }}"))).config_hash
    };
    assert_ne!(hash("0.12345678901234567"), hash("0.12345678901234568"));
    assert_ne!(hash("18446744073709551616"), hash("18446744073709551617"));
}

#[test]
fn a_json_schema_file_says_where_it_is_wrong() {
    let cases = [
        (
            "{\n  \"type\": \"object\",\n  \"type\": \"object\"\n}",
            "s.json:3:3: schema.file: the key /type appears twice",
        ),
        ("{\"a\": {\"b/c\": 1, \"b/c\": 2}}", "s.json:1:18: schema.file: the key /a/b~1c appears twice"),
        ("{\"a\": 1e9999}", "s.json:1:7: schema.file: the number has more than 500 digits"),
        ("{\"a\": 1,}", "s.json:1:9: schema.file: this is not valid JSON"),
        ("{\"a\": 'x'}", "s.json:1:7: schema.file: this is not valid JSON"),
        ("", "s.json:1:1: schema.file: this is not valid JSON"),
    ];
    for (text, message) in cases {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("s.json"), text).unwrap();
        fs::write(directory.path().join("c.yaml"), with_schema("{ file: s.json }")).unwrap();
        let found = load_connectors(&[directory.path().join("c.yaml")], &defaults()).unwrap_err().to_string();
        assert!(found.contains(message), "{text}\n{found}");
    }
}
