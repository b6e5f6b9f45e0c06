use proptest::prelude::*;

use super::*;

fn kind(text: &str) -> FaultKind {
    parse(text).unwrap_err().kind
}

#[test]
fn numbers_keep_their_text() {
    for text in [
        "0",
        "-0",
        "7",
        "-7",
        "1.0",
        "1.10",
        "1E5",
        "1e5",
        "1e+5",
        "1e-400",
        "0.12345678901234567890",
        "18446744073709551616",
        "500105175407324931000123",
        "-900719925474099300000",
        "1e490",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
        let inside = format!(r#"{{"n":[{text}]}}"#);
        assert_eq!(parse(&inside).unwrap().to_string(), inside);
        assert_eq!(number(text).unwrap().as_str(), text);
    }
    for text in ["", "01", "+1", ".5", "5.", "1e", "1e+", "--1", "0x1F", "1_000", "NaN", "Infinity", "-Infinity", "1 "]
    {
        assert_eq!(number(text), None, "{text}");
    }
    for text in ["NaN", "Infinity", "-Infinity", "[01]", "[+1]", "[.5]", "[1.x]", "[0x1F]", "[1_000]", "[-]"] {
        assert_eq!(kind(text), FaultKind::Syntax, "{text}");
    }
}

#[test]
fn numbers_are_bounded_by_what_they_are_when_written_out() {
    let longest = "9".repeat(MAX_DIGITS);
    assert!(parse(&longest).is_ok());
    let cases = [format!("{longest}9"), "1e500".into(), "1e-500".into(), "1e1000000000".into(), format!("1e{longest}")];
    for text in cases {
        let fault = parse(&format!("{{\"a\":\n [{text}]}}")).unwrap_err();
        assert_eq!((fault.kind, fault.line, fault.column), (FaultKind::TooManyDigits, 2, 3), "{text}");
        assert_eq!(fault.pointer(), "/a/0");
        assert_eq!(number(&text), None);
    }
}

/// serde_json hands numbers with many digits on as an object with this name: such an object of a sender is none.
#[test]
fn a_member_with_the_parsers_own_name_is_a_member() {
    for text in [
        r#"{"$serde_json::private::Number":"12"}"#,
        r#"{"$serde_json::private::Number":"x"}"#,
        r#"{"a":{"$serde_json::private::Number":1,"b":2}}"#,
    ] {
        let value = parse(text).unwrap();
        assert!(value.is_object(), "{value}");
        assert_eq!(value.to_string(), text);
        assert_eq!(canonical(&value), text);
    }
}

#[test]
fn a_repeated_name_is_a_fault_with_its_place() {
    let cases = [
        (r#"{"a":1,"a":1}"#, "/a", 8),
        (r#"{"a":1,"\u0061":2}"#, "/a", 8),
        (r#"{"x":[0,{"a/b":{"~":1,"~":2}}]}"#, "/x/1/a~1b/~0", 23),
        ("{\"\\u0007\":1,\"\\u0007\":2}", "/\\u{7}", 13),
    ];
    for (text, pointer, column) in cases {
        let fault = parse(text).unwrap_err();
        assert_eq!((fault.kind, fault.line, fault.column), (FaultKind::Repeated, 1, column), "{text}");
        assert_eq!(fault.pointer(), pointer);
    }
    let long = "n".repeat(500);
    assert_eq!(parse(&format!(r#"{{"{long}":1,"{long}":2}}"#)).unwrap_err().pointer().chars().count(), 201);
    assert!(parse(r#"{"a":{"b":1},"b":{"a":1}}"#).is_ok(), "in other objects a name may be used again");
}

/// Texts that are JSON, almost.
const ALMOST: &[&str] = &[
    "",
    " ",
    "{",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "[1 2]",
    "{\"a\" 1}",
    "tru",
    "trux",
    "nul",
    "\"",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"a\nb\"",
    "\"\u{1}\"",
    "\"\u{7f}é\u{2028}\"",
    "1 2",
    "{}{}",
    "{} x",
    "]",
    "}",
    ":",
    ",",
    "\u{feff}{}",
    "[1}",
    "{\"a\":1]",
    " [ 1 , { \"a\" : [ ] , \"b\" : { } } , null , true , false , \"\\\"\\\\\\/\\b\\f\\n\\r\\t\" ] ",
    "-",
    "1.",
    "1.e5",
    "-01",
    "\u{a0}1",
];

#[test]
fn what_is_no_json_is_refused_where_serde_json_refuses_it() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let deep = [nested(127), nested(128), "[".repeat(100_000), "{\"a\":".repeat(100_000)];
    for text in ALMOST.iter().copied().chain(deep.iter().map(String::as_str)) {
        let theirs = serde_json::from_str::<Value>(text);
        match (parse(text), theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text}: {ours:?} {theirs:?}"),
        }
    }
    assert_eq!(kind(&nested(128)), FaultKind::TooDeep);
    assert_eq!(kind("{\"a\": tru"), FaultKind::EndsEarly);
    assert_eq!(kind("{\"a\": \"x\\"), FaultKind::EndsEarly);
    let fault = parse("{\n  \"é\": x\n}").unwrap_err();
    assert_eq!((fault.kind, fault.line, fault.column), (FaultKind::Syntax, 2, 8));
}

#[test]
fn values_are_equal_by_what_they_are_worth() {
    let is_equal = |a: &str, b: &str| equal(&parse(a).unwrap(), &parse(b).unwrap());
    for (a, b) in [
        (r#"{"a":[1.0,-0],"b":"x"}"#, r#"{"b":"x","a":[1,0e5]}"#),
        ("1e3", "1000.00"),
        ("500105175407324931000123", "500105175407324931000123.0"),
    ] {
        assert!(is_equal(a, b) && is_equal(b, a), "{a} {b}");
    }
    for (a, b) in [
        (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        (r#"{"a":1}"#, r#"{"b":1}"#),
        ("[1]", "[1,1]"),
        ("1", "true"),
        ("1", "\"1\""),
        ("0.12345678901234567", "0.12345678901234568"),
    ] {
        assert!(!is_equal(a, b) && !is_equal(b, a), "{a} {b}");
    }
}

/// What the types for providers' answers rely on (docs/adr/0007).
#[test]
fn plain_types_are_read_from_numbers_of_any_length() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Fields {
        float: f64,
        natural: u64,
        optional: Option<f64>,
        list: Vec<f32>,
    }
    let text = r#"{"float":0.12345678901234567890,"natural":7,"optional":1e2,"list":[1,2.50]}"#;
    let wanted = Fields { float: 0.123_456_789_012_345_68, natural: 7, optional: Some(100.0), list: vec![1.0, 2.5] };
    assert_eq!(serde_json::from_str::<Fields>(text).unwrap(), wanted);
    assert_eq!(serde_json::from_value::<Fields>(parse(text).unwrap()).unwrap(), wanted);
    assert!(serde_json::from_str::<Fields>(&text.replace(":7", ":18446744073709551616")).is_err());
}

/// JSON, almost JSON, and noise.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[{}\\[\\]\",:]",
        "[-0-9eE+.]{1,4}",
        "true|false|null|[ \n\t]",
        r#""(a|b|\\\\u0061|\\\\n|\\\\ud83d|\\\\ude00|\\\\"|é)*""#,
        "\"[ab]\":[0-9]",
        "\\PC",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The reader takes what serde_json takes, with the same meaning, but for what it is there to refuse.
    #[test]
    fn it_reads_what_serde_json_reads(text in any_text(), is_within in any::<bool>()) {
        // Within an array more of the texts are JSON.
        let text = if is_within { format!("[{text}]") } else { text };
        match (parse(&text), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert!(equal(&ours, &theirs), "{ours} {theirs}"),
            (Ok(ours), Err(theirs)) => prop_assert!(false, "{ours} {theirs}"),
            (Err(fault), Ok(_)) => {
                prop_assert!(matches!(fault.kind, FaultKind::Repeated | FaultKind::TooManyDigits), "{fault}");
            }
            (Err(_), Err(_)) => {}
        }
    }

    /// What is read is written as it was, apart from spaces and escapes; and read again it is the same.
    #[test]
    fn what_is_written_is_what_was_read(text in any_text()) {
        if let Ok(value) = parse(&text) {
            let written = value.to_string();
            prop_assert_eq!(&parse(&written).unwrap(), &value);
            prop_assert!(equal(&parse(&canonical(&value)).unwrap(), &value));
        }
    }
}
