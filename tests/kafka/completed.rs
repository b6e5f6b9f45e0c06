//! What is finished beyond the committed offset is not done again, and other people's metadata does no harm.

use std::time::Duration;

use structured_prompt::kafka::client::commit_metadata::Completed;

use super::broker::{self, TestRecord};
use super::service::{Setup, Topics};
use super::stub_provider::{Fault, StubProvider, When};
use super::{triage, wait_until};

const EVENTS: usize = 400;

fn events(range: std::ops::Range<usize>) -> Vec<TestRecord> {
    range.map(|n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: where is my parcel?"))).collect()
}

#[test]
fn only_the_unfinished_record_is_repeated_after_a_kill() {
    // One call never returns: its record keeps the committed offset back, while all others finish.
    let stub = StubProvider::start(triage().fault(When::Call(5), Fault::Hang));
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..EVENTS));
    let setup = Setup::with_providers(&format!(
        "providers: {{ stub: {{ kind: openai, model: m, base_url: '{}', api_key_env: null, timeout: 5m }} }}\n\
         routing: {{ fallback: [stub] }}",
        stub.base_url()
    ));
    let setup = setup.connector(&topics, "delivery: { ordering: none }");
    let mut service = setup.start();
    let mut base = 0;
    wait_until("a commit of all but one", Duration::from_secs(60), || {
        let Some((next, text)) = broker::committed(&topics.group, &topics.source) else {
            return Err("none".to_owned());
        };
        base = next;
        let map = Completed::decode(&text, base).map_err(|refused| refused.to_string())?;
        let done = (0..EVENTS as i64).filter(|offset| *offset < base || map.contains(*offset)).count();
        if done == EVENTS - 1 { Ok(()) } else { Err(format!("{done} done, from {base} with {text}")) }
    });
    service.kill();
    assert_eq!(broker::count(&topics.sink), EVENTS - 1);

    let mut service = setup.start();
    wait_until("the last result", Duration::from_secs(60), || match broker::count(&topics.sink) {
        EVENTS => Ok(()),
        count => Err(format!("{count} results")),
    });
    assert_eq!(stub.calls(), EVENTS as u64 + 1, "only the call that hung was made again");
    assert_eq!(service.metric("sp_records_skipped_total"), (EVENTS as i64 - 1 - base) as f64);
    let (status, _) = service.terminate();
    assert!(status.success(), "{status}");
    assert_eq!(broker::count(&topics.sink), EVENTS);
    assert_eq!(broker::committed(&topics.group, &topics.source), Some((EVENTS as i64, String::new())));
}

#[test]
fn metadata_of_others_is_said_and_the_offset_beside_it_stands() {
    for (metadata, words) in [
        ("owner=flink-7", "was not written by structured-prompt"),
        ("sp2rAaMm", "was written by another version"),
        ("sp1r!!", "is damaged"),
    ] {
        let stub = StubProvider::start(triage());
        let topics = Topics::create(1);
        broker::produce(&topics.source, 1, &events(0..10));
        broker::commit(&topics.group, &topics.source, 4, metadata);
        let service = Setup::openai(&stub.base_url()).connector(&topics, "").start();
        wait_until("six results", Duration::from_secs(60), || match broker::count(&topics.sink) {
            6 => Ok(()),
            count => Err(format!("{count} results")),
        });
        assert!(service.messages().iter().any(|message| message.contains(words)), "{}", service.log_text());
        wait_until("the commit", Duration::from_secs(30), || match broker::committed(&topics.group, &topics.source) {
            Some((10, text)) if text.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        });
        assert_eq!(stub.calls(), 6);
    }
}

#[test]
fn what_retention_took_before_it_was_read_is_told_exactly() {
    let topics = Topics::create(1);
    let events: Vec<_> = (0..100).map(|n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}"))).collect();
    broker::produce(&topics.source, 1, &events);
    broker::commit(&topics.group, &topics.source, 10, "");
    broker::delete_before(&topics.source, 40);
    let service = Setup::offline().connector(&topics, "").start();
    wait_until("the rest", Duration::from_secs(30), || match broker::count(&topics.sink) {
        60 => Ok(()),
        count => Err(format!("{count}: {}", service.log_text())),
    });
    assert_eq!(service.metric("sp_records_deleted_total"), 30.0);
    assert!(service.log_text().contains(r#""from":10,"next":40,"count":30"#), "{}", service.log_text());
}
