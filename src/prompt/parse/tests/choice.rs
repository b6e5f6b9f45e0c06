//! Which objects may be the answer, beside reasoning, prose and other objects.

use super::*;

fn values(text: &str) -> Vec<Value> {
    parse_answer(text).candidates.into_iter().map(|candidate| candidate.value).collect()
}

#[test]
fn reasoning_is_no_answer() {
    let (draft, answer) = (r#"{"label":"praise"}"#, r#"{"label":"refund"}"#);
    let wanted = [json!({"label": "refund"})];
    for text in [
        format!("<think>maybe {draft}</think>{answer}"),
        format!("<think>\nmaybe {draft}\n</think>\n\n```json\n{answer}\n```"),
        format!("maybe {draft}, or not.\n</think>\n{answer}"),
        format!("{draft}</think>{answer}"),
        format!("{answer}<think>or {draft}</think>"),
        format!("{answer}\n<think>or {draft}"),
        format!("<think><think>maybe {draft}</think>{answer}"),
        format!("<think>a<think>b</think>{draft}</think>{answer}"),
        format!("<think>I leave <reflection>it at {draft}</think>{answer}"),
        format!("<think>hm<reflection>no</reflection> {draft}</think>{answer}"),
        format!("<thinking>{draft}</think>{answer}"),
        format!("<think>one {draft}</think><think>two {draft}</think>{answer}"),
        format!("<think>I say {{\"label: \"praise\"}} now</think>{answer}"),
        format!("I say {{\"label: \"praise\"}} now</think>{answer}"),
        format!("Like {{\"label\": ... and {{\"so\" on</think>{answer}"),
        format!("{}</think>{answer}", "{\"a\" ".repeat(40)),
        format!("{}</think>{answer}", "{\"a\":".repeat(200)),
        format!("<think>{}</think>{answer}", (0..30).map(|n| format!("{{\"a\":{n}}}")).collect::<String>()),
        format!("{}</think>{answer}", (0..30).map(|n| format!("{{\"a\":{n}}}")).collect::<String>()),
        format!("[THINK]maybe {draft}[/THINK]{answer}"),
        format!("◁think▷maybe {draft}◁/think▷{answer}"),
        format!("<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant<|channel|>final<|message|>{answer}"),
        format!("<|channel|>commentary<|message|>{draft}<|end|>{answer}<|return|>"),
        format!("analysisMaybe {draft}.assistantfinal{answer}"),
        format!("```json\n{draft}\n```\n</think>\n```json\n{answer}\n```"),
        format!("{{ {{ [ \" {draft} </think>{answer}"),
        format!("<|im_start|>assistant\n<think>{draft}</think>\n{answer}<|im_end|>"),
    ] {
        assert_eq!(values(&text), wanted, "{text}");
        assert!(parse_answer(&text).has_reasoning, "{text}");
    }
}

#[test]
fn reasoning_that_does_not_end_has_no_answer() {
    for text in [
        "<think>maybe {\"label\":\"praise\"}",
        "<think>maybe {\"label\":\"praise\"}\n{\"label\":\"praise\"}",
        "<think>hm <reflection>so</reflection> {\"label\":\"praise\"}",
        "<think>so I write: here is my response: {\"label\":\"praise\"}",
        "<|channel|>analysis<|message|>maybe {\"label\":\"praise\"}",
        "analysisMaybe {\"label\":\"praise\"}",
        "{\"label\":\"praise\"}</think>",
        "maybe {\"label\":\"praise\"}</think>\n",
    ] {
        let failure = failure_of(text);
        assert_eq!(failure.code, Code::AnswerNotJson, "{text}");
        assert!(failure.detail.contains("reasoning") && !failure.detail.contains("praise"), "{failure}");
    }
}

#[test]
fn an_answer_about_reasoning_is_an_answer() {
    for object in [
        json!({"text": "use <think> tags"}),
        json!({"text": "a </think> b"}),
        json!({"text": "<think>a</think>", "label": "{\"label\":\"praise\"}"}),
        json!({"analysis": "[THINK]", "b": "<|channel|>final<|message|>"}),
    ] {
        for text in [
            object.to_string(),
            format!("```json\n{object:#}\n```"),
            format!("So: {object}."),
            format!("<think>Hm.</think>{object}"),
        ] {
            assert_eq!(values(&text), std::slice::from_ref(&object), "{text}");
        }
    }
    assert!(!parse_answer("<think>\n\n</think>\n{}").has_reasoning, "an empty pair says that there is none");
    assert_eq!(only("<think>hm</think>\n{}").form, Form::Bare);
    assert_eq!(values("{\"a\":1}<|end|>"), [json!({"a": 1})], "the end of a message ends no reasoning");
}

#[test]
fn every_object_is_a_candidate_equal_ones_once_and_inner_ones_never() {
    let (a, b) = (json!({"a": 1, "b": [2]}), json!({"type": "object"}));
    assert_eq!(values("Schema: {\"type\":\"object\"} Answer: {\"a\":1,\"b\":[2]}"), [b.clone(), a.clone()]);
    assert_eq!(values("```json\n{\"type\":\"object\"}\n```\n```\n{\"a\":1,\"b\":[2]}\n```"), [b, a.clone()]);
    assert_eq!(values("{\"a\":1,\"b\":[2]}\nAgain: {\"b\":[2],\"a\":1}"), std::slice::from_ref(&a));
    for text in [
        "{\"x\":{\"a\":1}, oops, \"y\":{\"a\":1}}",
        "{\"x\":[{\"a\":1}",
        "Here: [{\"a\":1}, {\"a\":2}]",
        "[{\"a\":1}, ...]",
        "{x: {\"a\":1}}",
    ] {
        assert_eq!(values(text), [] as [Value; 0], "{text}");
    }
    let reading = parse_answer("{\"a\":1,\"a\":2} {\"a\": ...} {\"a\":3}");
    assert_eq!((reading.candidates.len(), reading.unreadable, reading.failure), (1, 2, None));
}

#[test]
fn an_object_with_wrong_quotes_or_none_is_one_that_cannot_be_read() {
    for text in ["{'a': 1}", "{a: 1}", "{ a_b : \"x\" }", "{“a”: 1}", "{/* c */ größe: 1}", "[{'a': 1}]", "{'a': \"x"]
    {
        let reading = parse_answer(text);
        assert_eq!((reading.candidates.len(), reading.unreadable), (0, 1), "{text}");
        assert_eq!(parse_answer(&format!("{text} {{\"a\":1}}")).unreadable, 1, "{text}");
    }
    for text in ["{ ... }", "{x}", "{x, y}", "{a::b}", "{a:?}", "{http://x}", "{x y: z}", "{12:30}", "{x = 1}", "{x"] {
        assert_eq!(parse_answer(text).unreadable, 0, "{text}");
    }
}

#[test]
fn places_are_those_in_the_text() {
    let text = " \n日本 {\"a\":1} or {\"b\":2}, {\"a\": 1}\n";
    let reading = parse_answer(text);
    let places = |index: usize| -> Vec<&str> {
        reading.candidates[index].places.iter().map(|place| text.get(place.clone()).unwrap()).collect()
    };
    assert_eq!((places(0), places(1)), (vec!["{\"a\":1}", "{\"a\": 1}"], vec!["{\"b\":2}"]));
}

#[test]
fn an_answer_is_whole_where_its_object_begins_or_ends_it() {
    for text in [
        "{\"a\":1}",
        "```json\n{\"a\":1}\n```",
        "{\"a\":1}\n\nThe customer wants",
        "```json\n{\"a\":1}\n```\nThe cust",
        "So it is {\"a\":1}",
        "Here is the answer: {\"a\":1}\n\nThe customer",
        "Sure, here you are:\n```json\n{\"a\":1}\n```\nThe cust",
        "So I write {\"a\":0}.</think>\n{\"a\":1} as",
        "{\"a\":1} <think>was th",
    ] {
        assert!(parse_answer(text).is_whole(), "{text}");
    }
    for text in [
        "",
        "{\"a\":1",
        "{\"a\":\"x\"",
        "{\"a\":1}\n{\"a\":2",
        "Okay, maybe {\"a\":1}, but then",
        "Okay.\nThe user wants a refund.\nSo it could be: {\"a\":1}. But",
        "<think>maybe {\"a\":1}",
        "[{\"a\":1}]",
    ] {
        assert!(!parse_answer(text).is_whole(), "{text}");
    }
}

fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}|[{}\\[\\],\"\\\\`:/*\n]{0,8}|</?think>|\\{\"a\":1\\}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c{}\",`]{0,3}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("\\PC{0,4}", value, 0..4).prop_map(|members| members.into_iter().collect())
}

#[test]
fn what_looks_like_a_comment_in_reasoning_does_not_hide_the_answer() {
    for reasoning in
        ["Hm. {/* {} {/*", "Hm. {/*", "Hm. {// {}", "Hm. {\"draft\": 1, /* or 2", "Hm. {\"draft\": 1, // or 2"]
    {
        for end in ["</think>\n", "</think>"] {
            let text = format!("{reasoning}{end}{{\"a\":1}}");
            assert_eq!(only(&text).value, json!({ "a": 1 }), "{text}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        text in "(\\PC|[{}\\[\\],\":\\\\`\n]|\"a\":|true|```json|1|</?think>|//|/\\*|<\\|channel\\|>){0,60}",
    ) {
        let reading = parse_answer(&text);
        prop_assert!(reading.failure.is_some() || !reading.candidates.is_empty());
    }

    #[test]
    fn any_object_survives_its_wrapping(object in any_object()) {
        let form_of = |text: &str| {
            let candidate = only(text);
            assert_eq!(&candidate.value, &object, "{text}");
            candidate.form
        };
        prop_assert_eq!(form_of(&object.to_string()), Form::Bare);
        prop_assert_eq!(form_of(&format!("```json\n{object:#}\n```")), Form::Fenced);
        prop_assert_eq!(form_of(&format!("Certainly: {object} Anything else?")), Form::Embedded);
    }

    /// Reasoning may contain whatever it likes but the mark of its end. Without the mark of its beginning, an open
    /// quote in it may seem to go on to the end of an answer that has no quote of its own.
    #[test]
    fn any_reasoning_is_passed_over(
        object in any_object(),
        draft in any_object(),
        thought in "(\\PC|[{}\\[\\]\"\n]|\\{\"a\":1\\}|<think>){0,40}",
        is_opened in any::<bool>(),
    ) {
        prop_assume!(is_opened || object != json!({}));
        let thought = format!("{thought} {draft} {thought}").replace("</think>", "");
        let (open, thought) = if is_opened { ("<think>", thought) } else { ("Hm. ", thought.replace("<think>", "")) };
        prop_assert_eq!(only(&format!("{open}{thought}</think>\n{object}")).value, object);
    }

    #[test]
    fn objects_in_prose_are_all_found_and_nothing_else(
        objects in prop::collection::vec(any_object(), 1..5),
        prose in "[a-zA-Z0-9 .,:;!?'()\n]{0,30}",
    ) {
        let text: String = objects.iter().map(|object| format!("{prose} {object} {prose}")).collect();
        let mut wanted: Vec<Value> = Vec::new();
        for object in objects {
            if !wanted.contains(&object) {
                wanted.push(object);
            }
        }
        prop_assert_eq!(values(&text), wanted);
    }

    #[test]
    fn raw_control_characters_in_strings_are_escaped(text in "([a-z日]|[\\x00-\\x1f]){0,20}") {
        prop_assert_eq!(only(&format!("{{\"a\":\"{text}\"}}")).value, json!({ "a": text }));
    }

    #[test]
    fn a_cut_answer_is_never_taken_for_another(object in any_object(), cut in any::<prop::sample::Index>()) {
        let text = object.to_string();
        let end = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let reading = parse_answer(&text[..end]);
        prop_assert!(reading.candidates.iter().all(|candidate| candidate.form == Form::Repaired));
        prop_assert!(!reading.is_whole());
    }
}
