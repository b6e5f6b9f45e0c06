//! What a second provider says of answers, in results and over the end of a process.

use serde_json::{Value, json};

use super::*;
use crate::pipeline::agreement::{AgreementSettings, Sample, SecondProvider};
use crate::schema::Schema;

const ANSWER: &str = r#"{"order":"A-1","amount":12}"#;
const OTHER: &str = r#"{"order":"A-1","amount":13}"#;

/// A handler whose answers are all compared.
fn handler_comparing(
    first: &Arc<Scripted>,
    second: &Arc<Scripted>,
    journal: Option<&Arc<MemoryJournal>>,
) -> RecordHandler {
    let schema = json!({
        "type": "object",
        "properties": { "order": { "type": "string" }, "amount": { "type": "integer" } },
        "required": ["order", "amount"],
    });
    let settings = settings().with(|it| it.schema = Arc::new(Schema::compile("ticket", "1.0.0", schema).unwrap()));
    let all = AgreementSettings { sample: Some(Sample::millionths(Sample::ALL)), when_ungrounded: false };
    let compared = SecondProvider::new(router_to(Arc::clone(second) as Arc<dyn Model>), all, &settings.schema).unwrap();
    let spec = Spec::new(settings, router_to(Arc::clone(first) as Arc<dyn Model>)).compared_with(compared);
    let of_records = HandlerSettings {
        connector: "test".into(),
        config_hash: "0".into(),
        format: RecordFormat::CloudEvents,
        reference: None,
        has_review: false,
    };
    let (spec, clock) = (Arc::new(spec), Arc::new(ManualClock::default()));
    RecordHandler::new(of_records, engine(), spec, caller(), clock, journal.and_then(remembered))
}

/// The event of this id, at this offset.
async fn settled_event(handler: &RecordHandler, id: &str, value: &str, offset: i64) -> Settled {
    let attributes = [
        ("ce_specversion", "1.0"),
        ("ce_id", id),
        ("ce_source", "/tickets"),
        ("ce_type", "t"),
        ("content-type", "text/plain"),
    ];
    let headers = attributes.map(|(name, value)| Header::text(name, value.to_owned())).into();
    let record = Arc::new(Record { headers, ..(*record(value, offset)).clone() });
    match handler.begin(&record).step {
        RecordStep::Settled(settled) => settled,
        RecordStep::Ask(job) => handler.finish(*job).await,
        RecordStep::Skip(why) => panic!("passed over: {why:?}"),
    }
}

/// An event of its own at each offset.
async fn settled(handler: &RecordHandler, value: &str, offset: i64) -> Settled {
    settled_event(handler, &offset.to_string(), value, offset).await
}

fn header(settled: &Settled, name: &str) -> Option<String> {
    let header = settled.outgoing.headers.iter().find(|header| header.name == name)?;
    Some(String::from_utf8(header.value.clone().unwrap().to_vec()).unwrap())
}

/// `ce_cachehit`, `ce_costusd`, `ce_agreement`, and `agreed` of the amount.
fn said(settled: &Settled) -> [String; 4] {
    let evidence: Value = serde_json::from_str(&header(settled, "ce_fieldevidence").unwrap()).unwrap();
    assert_eq!(evidence["/order"]["agreed"], json!(true), "{evidence}");
    let [hit, cost] = ["ce_cachehit", "ce_costusd"].map(|name| header(settled, name).unwrap());
    [hit, cost, header(settled, "ce_agreement").unwrap_or_default(), evidence["/amount"]["agreed"].to_string()]
}

#[tokio::test]
async fn results_say_the_share_and_each_value_also_when_the_answer_is_remembered() {
    let (first, second) =
        (Scripted::new("first", [FakeModel::says(ANSWER)]), Scripted::new("second", [FakeModel::says(OTHER)]));
    let handler = handler_comparing(&first, &second, None);
    assert_eq!(said(&settled(&handler, "order A-1", 0).await), ["none", "1.000000", "0.50", "false"]);
    assert_eq!(said(&settled(&handler, "order  A-1", 1).await), ["memory", "0.000000", "0.50", "false"]);
    assert_eq!((first.calls(), second.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_paid_again_by_the_process_after_one_that_ended_in_the_second_call() {
    let journal = Arc::default();
    let first = Scripted::new("first", [FakeModel::says(ANSWER)]);
    let slow = Scripted::with("second", 1.0, Duration::from_secs(3600), [FakeModel::says(OTHER)]);
    let killed = handler_comparing(&first, &slow, Some(&journal));
    let unfinished = tokio::time::timeout(Duration::from_secs(60), settled(&killed, "order A-1", 0)).await;
    assert!(unfinished.is_err() && (first.calls(), slow.calls()) == (1, 1));

    let second = Scripted::new("second", [FakeModel::says(OTHER)]);
    let next = handler_comparing(&first, &second, Some(&journal));
    assert_eq!(said(&settled(&next, "order A-1", 0).await), ["none", "1.000000", "0.50", "false"]);
    assert_eq!((first.calls(), second.calls()), (1, 1), "the first answer was in the journal");

    let after = handler_comparing(&first, &second, Some(&journal));
    assert_eq!(said(&settled(&after, "order A-1", 0).await), ["journal", "1.000000", "0.50", "false"]);
    assert_eq!((first.calls(), second.calls()), (1, 1), "the result was in the journal");
    assert_eq!(said(&settled(&after, "order A-1", 1).await)[0], "none", "another event is asked about anew");
    assert_eq!((first.calls(), second.calls()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_outcome_is_that_of_its_record_and_not_of_the_event_that_is_sent_again() {
    let journal = Arc::default();
    let first = Scripted::new("first", [FakeModel::says(ANSWER)]);
    let slow = Scripted::with("second", 1.0, Duration::from_secs(3600), [FakeModel::says(OTHER)]);
    let killed = handler_comparing(&first, &slow, Some(&journal));
    let unfinished = settled_event(&killed, "sent twice", "order B-7", 3);
    assert!(tokio::time::timeout(Duration::from_secs(60), unfinished).await.is_err());

    let next = handler_comparing(&first, &Scripted::new("second", [FakeModel::says(OTHER)]), Some(&journal));
    settled_event(&next, "sent twice", "order B-7", 4).await;
    assert_eq!(first.calls(), 2, "whoever sends an event again wants it tried again");
    settled_event(&next, "sent twice", "order B-7", 5).await;
    assert_eq!(first.calls(), 2, "its result is there");
}
