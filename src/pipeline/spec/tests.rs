use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::pipeline::route::testing::Scripted;
use crate::pipeline::testing::{router_to, settings};

fn fingerprint(settings: SpecSettings, model: &'static str) -> Fingerprint {
    Spec::new(settings, router_to(Scripted::new(model, []))).fingerprint(&Tenant::default(), "x", false)
}

/// A schema that says this of how its values are looked for.
fn saying(evidence: &str) -> Arc<Schema> {
    let schema = json!({ "type": "object", "additionalProperties": { "x-evidence": evidence } });
    Arc::new(Schema::compile("any", "1.0.0", schema).unwrap())
}

#[test]
fn every_setting_that_changes_an_answer_changes_the_question() {
    let base = fingerprint(settings(), "m");
    assert_eq!(base, fingerprint(settings(), "m"));
    let template = Arc::new(Template::inline("Read: {{ data.body }}").unwrap());
    let schema = Arc::new(Schema::compile("any", "1.0.0", json!({ "type": "object", "maxProperties": 3 })).unwrap());
    let renamed = Arc::new(Schema::compile("other", "1.0.0", json!({ "type": "object" })).unwrap());
    let spec = Spec::new(settings(), router_to(Scripted::new("m", [])));
    let others = [
        fingerprint(settings(), "n"),
        fingerprint(settings().with(|it| it.template = template), "m"),
        fingerprint(settings().with(|it| it.schema = schema), "m"),
        fingerprint(settings().with(|it| it.schema = renamed), "m"),
        fingerprint(settings().with(|it| it.cache_tag = Some("tag".into())), "m"),
        fingerprint(settings().with(|it| it.generation.temperature = Some(0.0)), "m"),
        fingerprint(settings().with(|it| it.generation.max_tokens = Some(9)), "m"),
        fingerprint(settings().with(|it| it.generation.max_tokens = Some(0)), "m"),
        fingerprint(settings().with(|it| it.checks.allow_relaxed = true), "m"),
        fingerprint(settings().with(|it| it.checks.bypass_validation = true), "m"),
        fingerprint(settings().with(|it| it.checks.evidence = EvidenceMode::Quote), "m"),
        spec.fingerprint(&Tenant::default(), "y", false),
        spec.fingerprint(&Tenant::new("another", "default").unwrap(), "x", false),
    ];
    assert!(others.iter().all(|other| *other != base));
    let [located, judged, quoted] =
        ["locate", "judged", "quote"].map(|word| fingerprint(settings().with(|it| it.schema = saying(word)), "m"));
    assert!(located == judged && located != quoted);
}

#[test]
fn what_only_judges_an_answer_leaves_the_question_as_it_is() {
    let base = fingerprint(settings(), "m");
    for same in [
        settings().with(|it| it.checks.confidence_threshold = Some(0.9)),
        settings().with(|it| it.checks.max_prompt_chars = 9),
        settings().with(|it| it.ceiling.tokens = 9),
        settings().with(|it| it.cache = CachePolicy::on(Duration::from_secs(9))),
    ] {
        assert_eq!(base, fingerprint(same, "m"));
    }
}

#[test]
fn a_model_is_asked_for_quotes_where_they_are_wanted_and_for_the_data_alone_elsewhere() {
    let call = |settings| Spec::new(settings, router_to(Scripted::new("m", []))).call;
    let asked = |settings| {
        let call: CallSpec = call(settings);
        (call.schema["properties"]["data"].clone(), call.data_schema.clone(), call.system("").contains("verbatim"))
    };
    let data = settings().schema.asked().clone();
    assert_eq!(asked(settings()), (json!(null), None, false));
    let quote = settings().with(|it| it.checks.evidence = EvidenceMode::Quote);
    assert_eq!(asked(quote), (data.clone(), Some(data), true));
    let some = settings().with(|it| it.schema = saying("quote"));
    assert!(call(some.clone()).system("").contains("no others (\"*\" is any index or name): /*."));
    let off = some.with(|it| it.checks.evidence = EvidenceMode::Off);
    assert_eq!(asked(off), (json!(null), None, false));
}

#[test]
fn tenant_and_prompt_cannot_be_taken_for_each_other() {
    let spec = Spec::new(settings(), router_to(Scripted::new("m", [])));
    let (one, other) = (
        spec.fingerprint(&Tenant::new("ab", "default").unwrap(), "c", false),
        spec.fingerprint(&Tenant::new("a", "default").unwrap(), "bc", false),
    );
    assert_ne!(one, other);
}

#[test]
fn a_line_feed_is_a_space_to_remembered_answers_and_not_to_outcomes() {
    let spec = Spec::new(settings(), router_to(Scripted::new("m", [])));
    let question = |prompt| spec.fingerprint(&Tenant::default(), prompt, false);
    assert_eq!(question("a\nb"), question("a b"));
    assert_ne!(question("a b"), question("ab"));
    assert_ne!(spec.outcome_fingerprint("a\nb"), spec.outcome_fingerprint("a b"));
}

#[test]
fn a_time_of_zero_turns_the_cache_off() {
    assert_eq!(CachePolicy::on(Duration::ZERO), CachePolicy::OFF);
    let modes = [CacheMode::Off, CacheMode::On, CacheMode::ReadOnly, CacheMode::WriteOnly];
    let uses = modes.map(|mode| CachePolicy { mode, ttl: Duration::from_secs(1) }).map(|it| (it.reads(), it.writes()));
    assert_eq!(uses, [(false, false), (true, true), (true, false), (false, true)]);
}
