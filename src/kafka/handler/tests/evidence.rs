//! What results say of where their values stand.

use serde_json::{Value, json};

use super::*;
use crate::domain::calibration::Calibration;
use crate::domain::logprobs::ValueLogprob;
use crate::pipeline::spec::{EvidenceMode, LowConfidencePolicy, UngroundedPolicy};
use crate::ports::model::ObjectLogprobs;
use crate::schema::Schema;
use crate::telemetry::metrics::{Metrics, TextFormat};

const TICKET: &str = r#"{"intent":"refund","order":"A-1","amount":12}"#;

fn ticket_settings() -> SpecSettings {
    let schema = json!({
        "type": "object",
        "properties": {
            "intent": { "enum": ["refund", "other"] },
            "order": { "type": "string" },
            "amount": { "type": ["integer", "null"] },
        },
    });
    settings().with(|it| {
        it.template = Arc::new(Template::inline("{{ data.body }}").unwrap());
        it.schema = Arc::new(Schema::compile("ticket", "1.0.0", schema).unwrap());
    })
}

fn handler_saying(settings: SpecSettings, journal: Option<&Arc<MemoryJournal>>) -> RecordHandler {
    let model = Scripted::new("m", [FakeModel::says(TICKET)]);
    handler_of(settings, RecordFormat::Json, model, journal.and_then(remembered))
}

async fn settled(handler: &RecordHandler, body: &str, offset: i64) -> Settled {
    match handler.begin(&record(&json!({ "body": body }).to_string(), offset)).step {
        RecordStep::Settled(settled) => settled,
        RecordStep::Ask(job) => handler.finish(*job).await,
        RecordStep::Skip(why) => panic!("passed over: {why:?}"),
    }
}

fn header(settled: &Settled, name: &str) -> Option<String> {
    let header = settled.outgoing.headers.iter().find(|header| header.name == name)?;
    Some(String::from_utf8(header.value.clone().unwrap().to_vec()).unwrap())
}

fn order_spans(settled: &Settled) -> Value {
    let evidence: Value = serde_json::from_str(&header(settled, "ce_fieldevidence").unwrap()).unwrap();
    assert_eq!(evidence["/order"]["source"], "/body", "{evidence}");
    evidence["/order"]["spans"].clone()
}

#[tokio::test]
async fn a_result_says_where_its_values_stand_also_when_its_answer_is_remembered() {
    let handler = handler_saying(ticket_settings(), None);
    for (offset, (body, span, hit)) in
        [("order A-1", [6, 9], "none"), ("order \n  A-1", [9, 12], "memory"), ("order A-1", [6, 9], "memory")]
            .into_iter()
            .enumerate()
    {
        let settled = settled(&handler, body, i64::try_from(offset).unwrap()).await;
        assert_eq!(order_spans(&settled), json!([span]), "{body:?}");
        let attribute = |name: &str| header(&settled, name).unwrap();
        assert_eq!((attribute("ce_cachehit").as_str(), attribute("ce_grounded").as_str()), (hit, "0.50"));
        assert_eq!(attribute("ce_confidencefactors"), "validation=1.00 ladder=1.00 grounding=0.50 provider=unknown");
        assert_eq!(attribute("ce_flags"), "ungrounded:/amount");
        let RecordOutcome::Result { confidence, .. } = settled.outcome else { panic!("{settled:?}") };
        assert!((confidence - 0.5).abs() < 1e-9);
    }
}

#[tokio::test]
async fn a_result_says_how_likely_its_values_were_where_the_provider_tells_it() {
    let value = |(field, mean): (&str, f64)| ValueLogprob { field: field.into(), mean, tokens: 2 };
    let values = [("/intent", -0.5), ("/order", -0.125)].map(value).into();
    let logprobs = vec![ObjectLogprobs { start: 0, values }];
    let model = Scripted::new("m", [FakeModel::says(TICKET).map(|reply| Reply { logprobs, ..reply })]);
    let handler = handler_of(ticket_settings(), RecordFormat::Json, model, None);
    for (offset, hit) in [(1, "none"), (2, "memory")] {
        let settled = settled(&handler, "order A-1", offset).await;
        let evidence: Value = serde_json::from_str(&header(&settled, "ce_fieldevidence").unwrap()).unwrap();
        let means = ["/intent", "/order", "/amount"].map(|field| &evidence[field]["logprob_mean"]);
        assert_eq!(means, [&json!(-0.5), &json!(-0.125), &Value::Null]);
        let attribute = |name: &str| header(&settled, name).unwrap();
        assert_eq!((attribute("ce_cachehit").as_str(), attribute("ce_confidence").as_str()), (hit, "0.37"));
        assert_eq!(attribute("ce_confidencefactors"), "validation=1.00 ladder=1.00 grounding=0.50 provider=0.73");
    }
}

#[tokio::test]
async fn a_result_says_how_often_such_values_were_right_where_that_was_counted() {
    let counted = json!({ "format": 1, "connector": "c", "variant": "v", "labels": 30, "fields": { "/order": {} },
        "all": { "exact": { "p": 0.96667, "n": 30, "low": 0.8, "high": 0.99 } } });
    let calibration = Arc::new(Calibration::parse(&counted.to_string()).unwrap());
    let handler = handler_saying(ticket_settings().with(|it| it.calibration = Some(calibration)), None);
    for (offset, body) in [(1, "order A-1"), (2, "order  A-1")] {
        let settled = settled(&handler, body, offset).await;
        let evidence: Value = serde_json::from_str(&header(&settled, "ce_fieldevidence").unwrap()).unwrap();
        assert_eq!((&evidence["/order"]["p"], &evidence["/order"]["n"]), (&json!(0.967), &json!(30)), "{evidence}");
        assert_eq!(evidence["/amount"], json!({ "evidence": "none" }));
    }
}

#[tokio::test]
async fn a_repeat_from_the_journal_has_the_evidence_that_was_published() {
    let journal = Arc::new(MemoryJournal::default());
    let [first, again] = [
        settled(&handler_saying(ticket_settings(), Some(&journal)), "order A-1", 1).await,
        settled(&handler_saying(ticket_settings(), Some(&journal)), "order A-1", 1).await,
    ];
    assert!(matches!(again.outcome, RecordOutcome::Result { cache_hit: CacheHit::Journal, .. }));
    for name in ["ce_fieldevidence", "ce_grounded", "ce_confidence", "ce_flags"] {
        assert_eq!(header(&again, name), header(&first, name), "{name}");
        assert!(header(&again, name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_value_without_ground_is_nulled_or_dead_lettered_where_that_is_configured() {
    let with = |policy| ticket_settings().with(|it| it.checks.on_ungrounded = policy);
    let nulled = settled(&handler_saying(with(UngroundedPolicy::Null), None), "order A-1", 1).await;
    assert_eq!(nulled.outgoing.value.as_deref(), Some(&br#"{"intent":"refund","order":"A-1","amount":null}"#[..]));
    assert_eq!(header(&nulled, "ce_flags").as_deref(), Some("nulled:/amount"));
    let letter = settled(&handler_saying(with(UngroundedPolicy::DeadLetter), None), "order A-1", 1).await;
    assert_eq!(letter.outcome, RecordOutcome::DeadLetter { code: Code::Ungrounded });
    assert!(header(&letter, "sp-error-detail").unwrap().contains("/amount"));
}

#[tokio::test]
async fn a_result_is_for_review_where_a_policy_says_so_also_when_it_comes_from_the_journal() {
    let settings = ticket_settings().with(|it| {
        it.checks.on_ungrounded = UngroundedPolicy::Review;
        it.checks.on_low_confidence = LowConfidencePolicy::Review;
        it.checks.confidence_threshold = Some(0.75);
    });
    let journal = Arc::new(MemoryJournal::default());
    let handler = handler_saying(settings.clone(), Some(&journal));
    let first = settled(&handler, "order A-1", 1).await;
    let again = settled(&handler_saying(settings, Some(&journal)), "order A-1", 1).await;
    for waiting in [&first, &again] {
        assert!(matches!(waiting.outcome, RecordOutcome::Result { is_for_review: true, .. }), "{waiting:?}");
        assert_eq!(header(waiting, "sp-review-reason").as_deref(), Some("ungrounded,low_confidence"));
        assert_eq!(header(waiting, "sp-source-value").as_deref(), Some(r#"{"body":"order A-1"}"#));
        assert_eq!(header(waiting, "ce_flags").as_deref(), Some("ungrounded:/amount,low-confidence"));
        assert_eq!(waiting.outgoing.value.as_deref(), Some(TICKET.as_bytes()));
    }
    let grounded = settled(&handler, "order A-1 for 12", 2).await;
    assert!(matches!(grounded.outcome, RecordOutcome::Result { is_for_review: false, .. }), "{grounded:?}");
    assert_eq!(header(&grounded, "sp-review-reason"), None);
}

/// A schema of the store may begin to ask for reviews.
#[tokio::test]
async fn without_a_topic_for_reviews_a_doubtful_result_is_flagged_and_has_no_copy_of_its_record() {
    let settings = ticket_settings().with(|it| it.checks.on_ungrounded = UngroundedPolicy::Review);
    let mut handler = handler_saying(settings, None);
    handler.settings.has_review = false;
    let flagged = settled(&handler, "order A-1", 1).await;
    assert!(matches!(flagged.outcome, RecordOutcome::Result { is_for_review: false, .. }), "{flagged:?}");
    assert_eq!(header(&flagged, "ce_flags").as_deref(), Some("ungrounded:/amount"));
    let names: Vec<&str> = flagged.outgoing.headers.iter().map(|header| &*header.name).collect();
    assert!(!names.iter().any(|name| name.starts_with("sp-")), "{names:?}");
}

#[tokio::test]
async fn values_of_new_answers_are_counted_by_fields_and_words_of_the_schema() {
    let metrics = Metrics::default();
    let handler = handler_saying(ticket_settings(), None).with_field_metrics(metrics.fields("test"));
    for (offset, body) in ["order A-1", "order A-1", "order  A-1"].into_iter().enumerate() {
        settled(&handler, body, i64::try_from(offset).unwrap()).await;
    }
    let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
    for line in [
        r#"sp_field_evidence_total{connector="test",field="/order",state="exact"} 1"#,
        r#"sp_field_evidence_total{connector="test",field="/amount",state="none"} 1"#,
        r#"sp_field_values_total{connector="test",field="/intent",value="refund"} 1"#,
        r#"sp_answer_grounded_sum{connector="test"} 0.5"#,
        r#"sp_answer_grounded_count{connector="test"} 1"#,
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn quotes_are_counted_by_what_came_of_them() {
    let reply = format!(
        r#"{{"data":{TICKET},"evidence":[{{"field":"/order","quotes":["order A-1"]}},
            {{"field":"/amount","quotes":["twelve","order A-1"]}}]}}"#
    );
    let metrics = Metrics::default();
    let settings = ticket_settings().with(|it| it.checks.evidence = EvidenceMode::Quote);
    let model = Scripted::new("m", [FakeModel::says(&reply)]);
    let handler = handler_of(settings, RecordFormat::Json, model, None).with_field_metrics(metrics.fields("test"));
    assert_eq!(order_spans(&settled(&handler, "order A-1", 1).await), json!([[6, 9]]));
    let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
    for outcome in ["used", "not_found", "without_value"] {
        let line = format!(r#"sp_quotes_total{{connector="test",outcome="{outcome}"}} 1"#);
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}
