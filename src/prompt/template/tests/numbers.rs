//! Numbers, JSON and null in templates.

use super::*;
use crate::domain::json;

fn render_json(source: &str, data: &str) -> Result<String, Failure> {
    render_with(source, Data::Json(json::parse(data).unwrap()))
}

#[test]
fn numbers_are_printed_with_the_digits_that_were_sent() {
    for number in [
        "7",
        "-7",
        "0",
        "-0",
        "1.0",
        "1.10",
        "-12.50",
        "1E5",
        "1e+5",
        "1e-400",
        "1e400",
        "0.12345678901234567890",
        "900719925474099300000",
        "-900719925474099300000",
        "18446744073709551616",
        "500105175407324931000123",
        "340282366920938463463374607431768211456",
        "3.141592653589793238462643383279",
    ] {
        let data = format!(r#"{{"list":[{number},{{"n":{number}}}],"n":{number}}}"#);
        let of = |source: &str| render_json(source, &data).unwrap();
        assert_eq!(of("{{ data.n }}"), number);
        assert_eq!(of("{{ data.n | tojson }}"), number);
        assert_eq!(of("{{ data.list[1].n }} {{ data.list | first }}"), format!("{number} {number}"));
        assert_eq!(of("{{ data }}"), data);
        assert_eq!(of("{{ data.list | tojson }}"), format!(r#"[{number}, {{"n": {number}}}]"#));
        assert_eq!(of("{% for x in data.list %}{{ x }};{% endfor %}"), format!(r#"{number};{{"n":{number}}};"#));
        assert_eq!(of("{% set x = data.n %}{{ x }} {{ data.n is number }}"), format!("{number} true"));
    }
    let parameters = parameters(&[("message", "{{ data.n }}")]);
    let event = event(Data::Json(json::parse(r#"{"n":1.10}"#).unwrap()));
    let template = Template::from_source("t", "1.0.0", "<{{ message }}>", &parameters).unwrap();
    assert_eq!(template.render(&Scope { event: &event, key: None, headers: &[] }).unwrap().prompt, "<1.10>");
}

#[test]
fn numbers_are_compared_and_calculated_with() {
    let data = r#"{"price":12.50,"zero":0.00,"big":500105175407324931000123,"e":1E5,"pi":3.14159265358979323846,
        "south":-33.86785000000000423,"tenth":0.10000000000000001,"tiny":1e-400,"huge":-1e400}"#;
    let cases = [
        ("{{ data.price > 12 }} {{ data.price < 9 }} {{ data.price == 12.5 }}", "true false true"),
        ("{{ data.price * 2 }} {{ data.price + 1 }} {{ data.price | round }}", "25.0 13.5 12.0"),
        ("{{ 'yes' if data.zero else 'no' }} {{ data.zero == 0 }}", "no true"),
        ("{{ data.big + 1 }} {{ data.big > 5 }}", "500105175407324931000124 true"),
        ("{{ data.e + 1 }} {{ data.e == 100000 }}", "100001.0 true"),
        (
            "{{ data.pi > 3 }} {{ data.pi < 4 }} {{ data.pi * 2 }} {{ data.pi }}",
            "true true 6.283185307179586 3.14159265358979323846",
        ),
        ("{{ data.south < 0 }} {{ data.south }}", "true -33.86785000000000423"),
        ("{{ data.tenth + 0.2 > 0.3 }} {{ data.tenth }}", "true 0.10000000000000001"),
        ("{{ data.tenth ~ '' }} {{ data.tenth + 1 }}", "0.1 1.1"),
        (
            "{{ data.pi ~ '!' }} {{ [data.pi, 1] | join('/') }} {{ data.pi | string }}",
            "3.14159265358979323846! 3.14159265358979323846/1 3.14159265358979323846",
        ),
        ("{{ [data.tiny, data.huge] | sort }}", "[-1e400,1e-400]"),
        ("{{ data.tiny == data.tiny }} {{ data.tiny ~ '' }}", "true 1e-400"),
    ];
    for (source, expected) in cases {
        assert_eq!(render_json(source, data).unwrap(), expected, "{source}");
    }
    for source in ["{{ data.tiny * 2 }}", "{{ data.huge + 1 }}", "{{ data.pi * 2 }}{{ '' ~ 1 }}"] {
        assert!(render_json(source, data).is_err(), "it would be rounded: {source}");
    }
    assert_eq!(render_json("{{ 1.10 }}", data).unwrap(), "1.1", "spellings are those of the record");
}

#[test]
fn filters_that_make_texts_round_nothing() {
    const PI: &str = "3.14159265358979323846";
    let data = format!(r#"{{"n":{PI},"title":"t"}}"#);
    for filter in [
        "trim",
        "upper",
        "lower",
        "title",
        "capitalize",
        "indent(2)",
        "escape",
        "e",
        "safe",
        "string",
        "pprint",
        "replace('x', 'y')",
        "split('x') | first",
        "join",
        "lines | first",
    ] {
        let rendered = render_json(&format!("{{{{ data.n | {filter} }}}}"), &data);
        assert!(rendered.as_ref().map_or(true, |text| text == PI), "{filter}: {rendered:?}");
    }
    for source in
        ["{{ [data.n] | map('trim') | first }}", "{% filter trim %}{{ data.n }}{% endfilter %}", "{{data.n|trim}}"]
    {
        assert_eq!(render_json(source, &data).unwrap(), PI, "{source}");
    }
    assert_eq!(render_json("{{ data.n is endingwith '846' }}", &data).unwrap(), "true");
    assert_eq!(render_json("{{ data.title }} {{ data.n * 2 }}", &data).unwrap(), "t 6.283185307179586", "no filter");
}

#[test]
fn numbers_that_are_the_same_double_keep_their_own_digits() {
    let data = r#"{"list":[0.12345678901234567890,0.12345678901234567891],"same":[1.10,1.1]}"#;
    assert_eq!(render_json("{{ data.list }}", data).unwrap(), "[0.12345678901234567890,0.12345678901234567891]");
    assert_eq!(
        render_json("{{ data.list[1] }} {{ data.list[0] == data.list[1] }}", data).unwrap(),
        "0.12345678901234567891 false"
    );
    assert_eq!(render_json("{{ data.same }} {{ data.same[0] == data.same[1] }}", data).unwrap(), "[1.10,1.10] true");
}

#[test]
fn json_is_written_as_the_engine_writes_it() {
    let data = r#"{% set data = {"a": [1, 2.5, {}], "b": "<&'>\"\n", "c": none, "d": true, "e": []} %}"#;
    let mut engine = minijinja::Environment::new();
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    for source in [
        "{{ data | tojson }}",
        "{{ data | tojson(indent=2) }}",
        "{{ data | tojson(true) }}",
        "{{ data | tojson(false) }}",
        "{{ data.a | tojson(3) }}",
        "{{ data.b | tojson | upper }}",
        "{{ range(3) | tojson }}",
    ] {
        let source = format!("{data}{source}");
        let theirs = engine.render_str(&source, ()).unwrap();
        assert_eq!(render_json(&source, "{}").unwrap(), theirs, "{source}");
    }
    assert!(render_json("{{ data | tojson(nosuch=1) }}", "{}").is_err());
}

#[test]
fn a_default_is_taken_for_what_is_missing_and_for_null() {
    let data = r#"{"null":null,"empty":"","zero":0,"no":false,"text":"x"}"#;
    let cases = [
        (
            "{{ data.gone | default('-') }}{{ data.null | default('-') }}{{ data.null | d('-') }}{{ data.null | default }}",
            "---",
        ),
        ("{{ data.empty | default('-') }}{{ data.zero | default('-') }}{{ data.no | default('-') }}", "0false"),
        (
            "{{ data.empty | default('-', true) }}{{ data.null | default('-', true) }}{{ data.text | default('-') }}",
            "--x",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(render_json(source, data).unwrap(), expected, "{source}");
    }
    assert!(render_json("{{ data.null | default(1, true, 2) }}", data).is_err());
}
