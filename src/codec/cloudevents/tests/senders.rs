//! What real senders send: spellings of times, types and numbers, and members that are there twice.

use super::*;

#[test]
fn time_is_rfc_3339() {
    for time in [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.123456+01:00",
        "2026-01-31t12:00:00.5z",
        "2026-01-31T23:59:59-00:00",
        "2016-12-31T23:59:60Z",
        "2017-01-01T05:29:60.25+05:30",
        "0000-01-01T00:00:00+23:59",
    ] {
        assert_eq!(decode(&binary(&[("ce_time", time)], None)).unwrap().time.as_deref(), Some(time));
        assert!(decode(&envelope(&format!(r#","time":"{time}""#))).is_ok());
    }
    for time in [
        "yesterday",
        "2026-01-31",
        "2026-02-30T00:00:00Z",
        "1767225600",
        // U+2212 and other signs that are not the hyphen-minus.
        "2026-01-31T12:00:00\u{2212}01:00",
        "2026-01-31T12:00:00\u{2010}01:00",
        "2026-01-31T12:00:00\u{ff0b}01:00",
        "2026\u{2212}01\u{2212}31T12:00:00Z",
        // Full-width and Arabic digits.
        "\u{ff12}026-01-31T12:00:00Z",
        "2026-01-31T12:00:0\u{660}Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00UTC",
        "26-01-31T12:00:00Z",
        "+2026-01-31T12:00:00Z",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z ",
        "2026-1-31T12:00:00Z",
    ] {
        assert_eq!(code(&binary(&[("ce_time", time)], None)), Code::InvalidAttribute, "{time}");
        assert_eq!(code(&envelope(&format!(r#","time":"{time}""#))), Code::InvalidAttribute, "{time}");
    }
}

#[test]
fn the_data_content_type_may_be_said_twice_alike() {
    let alone = binary(&[("ce_datacontenttype", "text/plain")], Some(b"1"));
    assert_eq!(decode(&alone).unwrap().data, Data::Text("1".to_owned()));
    let both = |one: &str, two: &str| binary(&[("content-type", one), ("ce_datacontenttype", two)], Some(b"1"));
    let alike = [
        ("text/plain", "text/plain"),
        ("text/plain", "TEXT/Plain"),
        ("text/plain;charset=utf-8", "text/plain; charset=\"UTF-8\""),
        ("text/plain; a=1 ;b=\"x;\\\"y\"", "text/plain;b=\"x;\\\"y\";A=1"),
        ("text/plain; a=x", "text/plain; a=\"\\x\""),
        (" text/plain ;", "text/plain"),
    ];
    for (one, two) in alike {
        let event = decode(&both(one, two)).unwrap();
        assert_eq!(event.data_content_type.as_deref(), Some(one));
        assert_eq!(event.data, Data::Text("1".to_owned()));
        assert!(decode(&binary(&[("content-type", one), ("Content-Type", two)], None)).is_ok());
    }
    let different = [
        ("text/plain", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/plain; charset=utf-8", "text/plain; charset=latin1"),
        ("text/plain; a=x", "text/plain; a=X"),
        ("text/plain; a=1", "text/plain; a=1; b=2"),
    ];
    for (one, two) in different {
        assert_eq!(code(&both(one, two)), Code::InvalidAttribute, "{one} {two}");
        assert_eq!(code(&binary(&[("content-type", one), ("Content-Type", two)], None)), Code::InvalidAttribute);
    }
}

#[test]
fn numbers_keep_their_digits() {
    for number in ["500105175407324931000123", "900719925474099300000", "1.10", "1e-400", "-0", "1E5", "1.0"] {
        let value = format!(r#"{{"n":[{number}]}}"#);
        let declared = binary(&[("content-type", "application/json")], Some(value.as_bytes()));
        for record in [declared, binary(&[], Some(value.as_bytes())), envelope(&format!(r#","data":{value}"#))] {
            let Data::Json(data) = decode(&record).unwrap().data else { panic!("no JSON") };
            assert_eq!(data.to_string(), value);
        }
        let plain = plain::decode_json(&record(&[], Some(value.as_bytes()))).unwrap().data;
        assert_eq!(plain, Data::Json(crate::domain::json::parse(&value).unwrap()));
    }
    let endless = br#"{"n":[1e1000000000]}"#;
    assert_eq!(code(&binary(&[("content-type", "application/json")], Some(endless))), Code::InvalidJson);
    assert_eq!(code(&binary(&[], Some(endless))), Code::InvalidJson);
    let integer = |text: &str| decode(&envelope(&format!(r#","x":{text}"#)));
    assert_eq!(integer("42").unwrap().extensions["x"], "42");
    for other in ["1.0", "1e2", "-0", "18446744073709551616", "{}", "[1]"] {
        assert_eq!(integer(other).unwrap_err().code, Code::InvalidAttribute, "{other}");
    }
}

#[test]
fn a_member_that_is_there_twice_is_refused_with_its_pointer() {
    let data = r#"{"a":{"b/c":1,"b/c":2}}"#;
    let declared = binary(&[("content-type", "application/json")], Some(data.as_bytes()));
    for (record, pointer) in [
        (declared, "member /a/b~1c more than once"),
        (binary(&[], Some(data.as_bytes())), "member /a/b~1c more than once"),
        (envelope(&format!(r#","data":{data}"#)), "member /data/a/b~1c more than once"),
        (envelope(r#","id":"2""#), "member \"id\" more than once"),
        (envelope(r#","data":1,"data":2"#), "member \"data\" more than once"),
    ] {
        let failure = decode(&record).unwrap_err();
        assert_eq!(failure.code, Code::InvalidJson);
        assert!(failure.detail.contains(pointer), "{}", failure.detail);
    }
    let plain = plain::decode_json(&record(&[], Some(data.as_bytes()))).unwrap_err();
    assert_eq!(plain.code, Code::InvalidJson);
}
