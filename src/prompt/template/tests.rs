use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::domain::cpu_time::CpuTime;
use crate::domain::event::{Data, Event};
use crate::domain::record::Header;

mod numbers;

fn event(data: Data) -> Event {
    Event {
        id: "1".into(),
        source: "/crm".into(),
        kind: "ticket.opened".into(),
        subject: None,
        time: Some("2026-01-01T00:00:00Z".into()),
        data_content_type: Some("application/json".into()),
        data_schema: None,
        extensions: BTreeMap::from([("tenant".to_owned(), "acme".to_owned())]),
        data,
    }
}

fn render_with(source: &str, data: Data) -> Result<String, Failure> {
    let headers = [
        Header::text("lang", "de"),
        Header::text("lang", "fr"),
        Header { name: "gone".into(), value: None },
        Header { name: "bytes".into(), value: Some(Bytes::from_static(b"\xff")) },
        Header::text("x-trace", "t1"),
    ];
    let event = event(data);
    let scope = Scope { event: &event, key: Some(Key::Bytes(b"k1")), headers: &headers };
    Template::inline(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .render(&scope)
        .map(|rendered| rendered.prompt)
}

fn render(source: &str, data: Json) -> String {
    render_with(source, Data::Json(data)).unwrap_or_else(|failure| panic!("{source}: {failure}"))
}

fn detail(source: &str, data: Data) -> String {
    let failure = render_with(source, data).expect_err(source);
    assert_eq!(failure.code, Code::TemplateFailed);
    failure.detail
}

fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn the_record_is_seen() {
    let data = json!({"body": "Hi <b>", "n": 1.5, "i": -3, "none": null, "yes": true, "o": {"b": [1, "x"], "a": {}}, "a b": 1});
    let cases = [
        ("{{ data.body }}", "Hi <b>"),
        ("{{ data['body'] }}/{{ data[\"a b\"] }}", "Hi <b>/1"),
        ("{{ data.n }} {{ data.i }} {{ data.none }} {{ data.yes }}", "1.5 -3 null true"),
        ("{{ data.o }}", r#"{"a":{},"b":[1,"x"]}"#),
        ("{{ data.o.b }} {{ data.o.b[1] }} {{ data.o.b.0 }}", r#"[1,"x"] x 1"#),
        ("{{ data.body[:2] }}{{ data.body | upper }}{{ data.body.nothing is defined }}", "HiHI <B>false"),
        ("{% for x in data.o.b %}{{ x }};{% endfor %}", "1;x;"),
        ("{% set d = data %}{{ d.body }}", "Hi <b>"),
        ("{% set data = data.o %}{{ data.b }}", r#"[1,"x"]"#),
        ("{% with o = data.o %}{{ o.b | length }}{% endwith %}", "2"),
        ("{{ data.missing | default('-') }}{{ 'x' if data.yes }}{{ 'x' if not data.yes }}", "-x"),
        ("{{ data | length }} {{ 'body' in data }}", "7 true"),
        (
            "{{ event.id }} {{ event.type }} {{ event.source }} {{ event.time }} {{ event.tenant }}",
            "1 ticket.opened /crm 2026-01-01T00:00:00Z acme",
        ),
        (
            "{{ event.subject is defined }} {{ event }}",
            r#"false {"datacontenttype":"application/json","id":"1","source":"/crm","tenant":"acme","time":"2026-01-01T00:00:00Z","type":"ticket.opened"}"#,
        ),
        ("{{ key }} {{ headers.lang }} {{ headers['x-trace'] }}", "k1 fr t1"),
        (
            "{{ headers.gone is defined }} {{ headers.bytes is defined }} {{ headers }}",
            r#"false false {"lang":"fr","x-trace":"t1"}"#,
        ),
        ("{# data.nothing #}{{ range(3) | list }}", "[0,1,2]"),
    ];
    for (source, expected) in cases {
        assert_eq!(render(source, data.clone()), expected, "{source}");
    }
    assert_eq!(render_with("{{ data }}|{{ data[:1] }}", Data::Text("héé".into())).unwrap(), "héé|h");
    assert_eq!(render("{{ data }}", json!([1, {"a": "{{ 1 }}"}])), r#"[1,{"a":"{{ 1 }}"}]"#);
}

#[test]
fn what_is_undefined_is_named_with_its_line_and_no_value() {
    let secret = json!({"body": {"note": "s3cret"}, "n": "s3cret", "list": ["s3cret"]});
    let cases = [
        ("{{ data.subject }}", "line 1: data.subject is undefined"),
        ("a\n{{ data.body.note }}\n{{ data.body.text.x }}", "line 3: data.body.text.x is undefined"),
        ("{{ event.subject }}", "line 1: event.subject is undefined"),
        ("{{ headers.none }}", "line 1: headers.none is undefined"),
        ("{{ headers['none'] }}", "line 1: it uses something that is undefined"),
        ("{{ data.list[7] }}", "line 1: it uses something that is undefined"),
        ("{% for x in data.none %}{% endfor %}", "data.none is undefined"),
        ("{{ data.n | int }}", "line 1: "),
        ("{{ data.n | nosuch }}", "unknown filter"),
        ("{{ data.n.nosuch() }}", "unknown method"),
        ("{{ data.n + 1 }}", "line 1: "),
        ("{{ data.n() }}", "line 1: "),
    ];
    for (source, expected) in cases {
        let detail = detail(source, Data::Json(secret.clone()));
        assert!(detail.contains(expected), "{source}: {detail}");
        assert!(!detail.contains("s3cret"), "{source}: {detail}");
    }
    assert!(detail("{{ data.body }}", Data::Absent).contains("data.body is undefined (the event has no data)"));
    assert!(detail("{{ data.body }}", Data::Text("x".into())).contains("is text, without fields"));
    assert!(detail("{{ data }}", Data::Binary(Bytes::from_static(b"\xff"))).contains("binary (application/json)"));
    assert_eq!(render_with("{{ event.id }}", Data::Binary(Bytes::new())).unwrap(), "1");
}

#[test]
fn a_key_that_is_absent_or_no_text_is_undefined() {
    let template = Template::inline("{{ key is defined }}").unwrap();
    let event = event(Data::Absent);
    for (key, expected) in [(None, "false"), (Some(&b"\xff"[..]), "false"), (Some(&b""[..]), "true")] {
        let key = key.map(Key::Bytes);
        assert_eq!(template.render(&Scope { event: &event, key, headers: &[] }).unwrap().prompt, expected);
    }
}

#[test]
fn a_key_that_is_a_value_has_members() {
    let (event, json) = (event(Data::Absent), json!({ "id": 7, "region": "eu" }));
    let scope = Scope { event: &event, key: Some(Key::Json(&json)), headers: &[] };
    let render = |source| Template::inline(source).unwrap().render(&scope);
    assert_eq!(render("{{ key.region }}/{{ key.id }}").unwrap().prompt, "eu/7");
    assert_eq!(render("{{ key }}").unwrap().prompt, r#"{"id":7,"region":"eu"}"#);
    let detail = render("{{ key.tenant }}").unwrap_err().detail;
    assert!(detail.contains("key.tenant is undefined"), "{detail}");
}

#[test]
fn mistakes_are_found_when_the_template_is_compiled() {
    let cases = [
        (
            "ok\n{{ dta.body }}",
            Some(2),
            "there is no variable dta (did you mean data?); there are data, event, headers, key",
        ),
        ("{{ message }}", Some(1), "there is no variable message; there are"),
        ("{{ debug() }}", Some(1), "there is no variable debug"),
        ("{{ namespace() }}", Some(1), "there is no variable namespace"),
        ("a\n\n{{ data.x ", Some(3), "syntax error"),
        ("{% if data %}", Some(1), "syntax error"),
        ("{% include 'x' %}", Some(1), "syntax error"),
        ("{% endfor %}", Some(1), "syntax error"),
    ];
    for (source, line, message) in cases {
        let error = Template::inline(source).expect_err(source);
        assert_eq!((error.line, error.parameter.as_deref()), (line, None), "{source}: {error}");
        assert!(error.message.contains(message), "{source}: {error}");
    }
    assert!(Template::inline(&"x".repeat(MAX_SOURCE_BYTES + 1)).is_err());
}

#[test]
fn a_named_template_takes_its_parameters_and_no_others() {
    let error = |reference: &str, pairs: &[(&str, &str)]| Template::named(reference, &parameters(pairs)).unwrap_err();
    assert!(error("suport", &[]).message.contains("support-intent"));
    let missing = error("support-intent", &[]);
    assert_eq!(missing.parameter.as_deref(), Some("message"), "{missing}");
    let surplus = error("support-intent", &[("message", "x"), ("customer", "y")]);
    assert_eq!(surplus.parameter.as_deref(), Some("customer"), "{surplus}");
    let misspelt = error("support-intent", &[("mesage", "{{ data }}")]);
    assert_eq!(
        misspelt.to_string(),
        "parameter mesage: the template support-intent has no parameter mesage; did you mean message?"
    );
    let one_of_two = error("translation", &[("text", "x"), ("target_lang", "y"), ("target_languge", "z")]);
    assert!(one_of_two.message.contains("no parameter target_lang"), "{one_of_two}");
    let other = error("translation", &[("text", "x"), ("target_languge", "z")]);
    assert!(other.message.ends_with("did you mean target_language?"), "{other}");
    let inner = error("support-intent", &[("message", "a\n{{ dat.x }}")]);
    assert_eq!((inner.parameter.as_deref(), inner.line), (Some("message"), Some(2)), "{inner}");
    assert_eq!(
        inner.to_string(),
        "parameter message, line 2: there is no variable dat (did you mean data?); there are data, event, headers, key"
    );
}

#[test]
fn a_parameters_value_is_not_expanded_again() {
    let template = Template::named("support-intent@1", &parameters(&[("message", "{{ data.body }}")])).unwrap();
    let event = event(Data::Json(json!({"body": "{{ data.secret }} {% raw %} {# x #}", "secret": "s3cret"})));
    let prompt = template.render(&Scope { event: &event, key: None, headers: &[] }).unwrap().prompt;
    assert!(prompt.contains("{{ data.secret }} {% raw %} {# x #}") && !prompt.contains("s3cret"), "{prompt}");
    let missing = Template::named("support-intent", &parameters(&[("message", "{{ data.text }}")])).unwrap();
    let failure = missing.render(&Scope { event: &event, key: None, headers: &[] }).unwrap_err();
    assert_eq!(failure.detail, "the prompt template, parameter message, line 1: data.text is undefined");
}

#[test]
fn every_built_in_template_renders_with_its_documented_parameters() {
    let event = event(Data::Json(json!({"body": "Guten Tag"})));
    for name in library::names() {
        let text = library::find(name).unwrap().text;
        let documented: BTreeMap<String, String> = text
            .split_once("Parameters:")
            .unwrap()
            .1
            .split_once("-#}")
            .unwrap()
            .0
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .map(|name| (name.to_owned(), "{{ data.body }}".to_owned()))
            .collect();
        let template = Template::named(name, &documented).unwrap_or_else(|error| panic!("{name}: {error}"));
        let prompt = template.render(&Scope { event: &event, key: None, headers: &[] }).unwrap().prompt;
        assert!(prompt.contains("Guten Tag") && !prompt.contains("Parameters"), "{prompt}");
        assert_eq!((template.name(), template.version()), (name, "1.0.0"));
    }
}

#[test]
fn a_file_of_the_users_own_works_with_and_without_parameters() {
    let none = BTreeMap::new();
    assert!(Template::from_source("mine", "2.1.0", "{{ data.x }}", &none).is_ok());
    let sliced =
        Template::from_source("mine", "2.1.0", "{{ message[:3] }}", &parameters(&[("message", "{{ data.x }}")]))
            .unwrap();
    let event = event(Data::Json(json!({"x": "abcdef"})));
    assert_eq!(sliced.render(&Scope { event: &event, key: None, headers: &[] }).unwrap().prompt, "abc");
    let mixed = Template::from_source("mine", "2.1.0", "{{ m }}{{ data.x }}", &parameters(&[("m", "x")])).unwrap_err();
    assert!(mixed.message.contains("only through them"), "{mixed}");
}

#[test]
fn the_digest_tells_sources_and_parameters_apart() {
    let digest = |source: &str, pairs: &[(&str, &str)]| {
        *Template::from_source("t", "1.0.0", source, &parameters(pairs)).unwrap().digest()
    };
    assert_eq!(digest("{{ a }}", &[("a", "x")]), digest("{{ a }}", &[("a", "x")]));
    assert_ne!(digest("{{ a }}", &[("a", "x")]), digest("{{ a }}", &[("a", "y")]));
    assert_ne!(digest("a", &[]), digest("b", &[]));
}

#[test]
fn runaway_templates_end() {
    let sources = [
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 900000000 }}",
        "{% set x = data.big %}{% for a in range(9999) %}{{ x }}{% endfor %}",
        "{{ [range(90000)] * 10000 }}",
        "{{ '%900000000d' | format(1) }}",
    ];
    let start = CpuTime::now();
    for source in sources {
        let failure = render_with(source, Data::Json(json!({"big": "y".repeat(100_000)}))).expect_err(source);
        assert_eq!(failure.code, Code::TemplateFailed, "{source}");
    }
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from)
    ];
    leaf.prop_recursive(5, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map("[abo]|body", inner, 0..5).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_data_makes_it_panic(data in any_json()) {
        for source in ["{{ data }}", "{{ data.body }}", "{{ data.o.b[0] }}", "{% for x in data %}{{ x }}{{ data.a | int }}{% endfor %}",
            "{{ data.a + data.b }}", "{{ data | tojson }}{{ data | string }}", "{{ data.a < data.b }}{{ data | sort }}"] {
            let _outcome = render_with(source, Data::Json(data.clone()));
        }
        let printed = render_with("{{ data }}", Data::Json(data.clone())).unwrap();
        if data.is_object() || data.is_array() {
            prop_assert_eq!(crate::domain::json::parse(&printed).unwrap(), data);
        }
    }

    #[test]
    fn no_source_makes_the_search_panic(source in "(\\PC|data|event|[.{}%#() \n1]){0,40}") {
        let _template = Template::inline(&source);
        let _line = reads::first_line(&source, "data");
    }
}

/// `cargo test --release -- --ignored --nocapture costs` prints what one rendering costs.
#[test]
#[ignore = "prints a figure, checks nothing"]
fn rendering_costs() {
    let event = event(Data::Json(
        json!({"body": "The kettle that I bought arrived broken. ".repeat(20), "other": {"a": [1, 2, 3]}}),
    ));
    let scope = Scope { event: &event, key: None, headers: &[] };
    let inline = Template::inline("Sort this: {{ data.body }}").unwrap();
    let named = Template::named("support-intent", &parameters(&[("message", "{{ data.body }}")])).unwrap();
    for (name, template) in [("inline", inline), ("named", named)] {
        let rounds: u32 = 100_000;
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(template.render(black_box(&scope)).unwrap());
        }
        println!("{name}: {:?} each", start.elapsed() / rounds);
    }
}

#[test]
fn content_is_what_came_from_the_record() {
    let event =
        event(Data::Json(json!({ "title": "T", "body": "B", "blank": " ", "none": null, "list": ["x"], "n": 1 })));
    let scope = Scope { event: &event, key: None, headers: &[] };
    let content = |template: Template| template.render(&scope).unwrap().content;
    let inline = |source: &str| content(Template::inline(source).unwrap());
    assert_eq!(inline("About data: {{ data.title }} and {{ data.body | upper }}?").as_deref(), Some("T\nB"));
    assert_eq!(inline("Sort: {{ data.blank }}{{ data.none }}").as_deref(), Some(" \n"));
    assert_eq!(inline("{{ data.body }}{% for x in data.list %}{{ x }}{% endfor %}"), None, "more than texts is read");
    assert_eq!(inline("{{ data.n }}"), None);
    assert_eq!(inline("{{ data }}"), None);
    assert_eq!(inline("{{ event.id }}"), None);
    let parameters = [("text", "{{ data.body }}"), ("target_language", "fr")];
    let parameters = parameters.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect();
    assert_eq!(content(Template::named("translation", &parameters).unwrap()).as_deref(), Some("B"));
}
