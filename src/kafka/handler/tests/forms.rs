//! Which records are asked about, and in which form their results are published.

use super::*;
use crate::codec::result_format::ResultFormat;
use crate::kafka::settings::{KeyFormat, Tombstones, TopicChoice};
use crate::prompt::template::expression::{Condition, ResultText};

const PROMPT: &str = "{{ data.text }}";

fn handler(reading: SourceReading, writing: ResultWriting) -> RecordHandler {
    let settings = settings().with(|it| it.template = Arc::new(Template::inline(PROMPT).unwrap()));
    handler_of(settings, RecordFormat::Json, Arc::new(Obedient), None).with_forms(reading, writing)
}

fn filter(source: &str) -> SourceReading {
    SourceReading {
        filter: Some(Arc::new(Condition::new("source.filter", source).unwrap())),
        ..SourceReading::default()
    }
}

fn text(source: &str) -> ResultText {
    ResultText::new("sink.kafka.key", source).unwrap()
}

fn keyed(key: &str, value: Option<&str>) -> Arc<Record> {
    let plain = Arc::unwrap_or_clone(record("", 0));
    let bytes = |text: &str| text.to_owned().into();
    Arc::new(Record { key: Some(bytes(key)), value: value.map(bytes), ..plain })
}

async fn settled(handler: &RecordHandler, record: &Arc<Record>) -> Settled {
    match handler.begin(record).step {
        RecordStep::Settled(settled) => settled,
        RecordStep::Ask(job) => handler.finish(*job).await,
        RecordStep::Skip(why) => panic!("passed over: {why:?}"),
    }
}

fn skipped(handler: &RecordHandler, record: &Arc<Record>) -> Option<NoOutcome> {
    match handler.begin(record).step {
        RecordStep::Skip(why) => Some(why),
        RecordStep::Settled(_) | RecordStep::Ask(_) => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_passes_over_what_it_leaves_out_and_a_record_that_it_cannot_read_is_a_letter() {
    let handler = handler(filter("data.op in ['c', 'u']"), ResultWriting::default());
    assert_eq!(skipped(&handler, &record(r#"{"op":"d"}"#, 0)), Some(NoOutcome::Filtered));
    assert_eq!(skipped(&handler, &record(r#"{"op":"c","text":"ok"}"#, 1)), None);
    let settled = settled(&handler, &record(r#"{"text":"ok"}"#, 2)).await;
    assert_eq!(settled.outcome, RecordOutcome::DeadLetter { code: Code::TemplateFailed });
    assert_eq!(settled.detail.as_deref(), Some("source.filter: data.op is undefined"));
}

#[tokio::test(start_paused = true)]
async fn a_filtered_record_claims_nothing() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
    let window = Some(Duration::from_secs(60));
    let remembered = RememberedOutcomes::new(journal, "test".into(), "0".into(), true, window);
    let settings = settings().with(|it| it.template = Arc::new(Template::inline(PROMPT).unwrap()));
    let handler = handler_of(settings, RecordFormat::Json, Arc::new(Obedient), Some(remembered))
        .with_forms(filter("data.op == 'c'"), ResultWriting::default());
    assert!(handler.begin(&record(r#"{"op":"d"}"#, 0)).claim.is_none());
    assert!(handler.begin(&record(r#"{"op":"c","text":"ok"}"#, 1)).claim.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_is_a_letter_or_passed_over() {
    let tombstone = keyed("k", None);
    let skipping = SourceReading { tombstones: Tombstones::Skip, ..SourceReading::default() };
    let writing = ResultWriting::default;
    assert_eq!(skipped(&handler(skipping, writing()), &tombstone), Some(NoOutcome::Tombstone));
    let settled = settled(&handler(SourceReading::default(), writing()), &tombstone).await;
    assert_eq!(settled.outcome, RecordOutcome::DeadLetter { code: Code::Tombstone });
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_json_is_data_and_one_that_is_not_makes_a_letter() {
    let reading = || SourceReading { key_format: KeyFormat::Json, ..SourceReading::default() };
    let results = || ResultWriting { key: Some(Arc::new(text("{{ key.id }}"))), ..ResultWriting::default() };
    let handler = handler(reading(), results());
    let outgoing = settled(&handler, &keyed(r#"{"id":17}"#, Some(r#"{"text":"ok"}"#))).await.outgoing;
    assert_eq!(outgoing.key.as_deref(), Some(&b"17"[..]));
    let refused = settled(&handler, &keyed("k-17", Some(r#"{"text":"ok"}"#))).await;
    assert_eq!(refused.outcome, RecordOutcome::DeadLetter { code: Code::InvalidJson });
    assert!(refused.detail.unwrap().contains("The key is not JSON"));
}

#[tokio::test(start_paused = true)]
async fn a_results_topic_is_chosen_among_those_that_are_allowed() {
    let choice = TopicChoice { text: text("out.{{ data.region }}"), topics: vec!["out.eu".into(), "out.us".into()] };
    let results = ResultWriting { topic: Some(Arc::new(choice)), ..ResultWriting::default() };
    let handler = handler(SourceReading::default(), results);
    let of = |region: &str| record(&format!(r#"{{"text":"ok","region":"{region}"}}"#), 0);
    assert_eq!(settled(&handler, &of("us")).await.topic.as_deref(), Some("out.us"));
    let refused = settled(&handler, &of("s3cret")).await;
    assert_eq!(refused.outcome, RecordOutcome::DeadLetter { code: Code::TopicNotAllowed });
    let detail = refused.detail.unwrap();
    assert!(detail.contains("out.eu, out.us") && !detail.contains("s3cret"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_key_is_none_and_the_form_is_that_of_the_sink() {
    let key = Some(Arc::new(text("{{ data.customer | default('') }}")));
    for (format, content_type) in [
        (ResultFormat::CloudEventsStructured, "application/cloudevents+json; charset=UTF-8"),
        (ResultFormat::Json, "application/json"),
    ] {
        let results = ResultWriting { format, key: key.clone(), topic: None };
        let handler = handler(SourceReading::default(), results);
        let outgoing = settled(&handler, &keyed("k", Some(r#"{"text":"ok"}"#))).await.outgoing;
        assert_eq!(outgoing.key, None);
        assert!(!outgoing.headers.iter().any(|header| header.name.starts_with("ce_")));
        assert!(outgoing.headers.contains(&Header::text("content-type", content_type)), "{:?}", outgoing.headers);
    }
}
