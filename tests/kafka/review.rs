//! `review`: results that a person should see go to a topic of their own, under the same promise as all others.

use std::collections::HashSet;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::service::{Setup, Topics};
use super::stub_provider::{Latency, Script, StubProvider};
use super::wait_until;

/// What an event says whose answer has an order number that it does not have.
const INVENTED: &str = "I have lost my order number";

pub(super) fn script() -> Script {
    Script::default().latency(Latency::Between(Duration::from_millis(1), Duration::from_millis(40))).answer(
        |request, call| {
            let order = request.to_string().contains(INVENTED).then_some("ZX-90817");
            serde_json::json!({
                "intent": "delivery_problem", "urgency": "normal", "sentiment": "neutral",
                "summary": format!("call {call}"), "product": null, "order_id": order, "customer_email": null,
                "amount": null, "currency": null, "language": "en", "requires_human": false,
            })
            .to_string()
        },
    )
}

/// Every fourth is one of them.
pub(super) fn event(n: usize) -> TestRecord {
    let text = if n.is_multiple_of(4) { INVENTED } else { "where is my parcel?" };
    TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: {text}"))
}

pub(super) fn options(review: &str) -> String {
    format!("review: {{ kafka: {{ topic: {review} }} }}\noptions: {{ on_ungrounded: review }}\n")
}

pub(super) fn wait_for(outcomes: usize, topics: &[&str], limit: Duration) {
    wait_until("an outcome of each record", limit, || {
        let counts: Vec<usize> = topics.iter().map(|topic| broker::read(topic).len()).collect();
        if counts.iter().sum::<usize>() >= outcomes { Ok(()) } else { Err(format!("{counts:?}")) }
    });
}

fn ids(topic: &str) -> (usize, HashSet<String>) {
    let records = broker::read(topic);
    (records.len(), records.iter().filter_map(|(_, record)| record.text("ce_causationid")).collect())
}

#[test]
fn doubtful_results_wait_in_a_topic_of_their_own_once_each_whatever_dies() {
    const EVENTS: usize = 800;
    let stub = StubProvider::start(script());
    let (topics, review) = (Topics::create(2), broker::unique("review"));
    broker::create_topic(&review, 2, &[]);
    let events: Vec<_> = (0..EVENTS).map(event).collect();
    broker::produce(&topics.source, 2, &events);
    let extra = options(&review) + "delivery: { guarantee: exactly-once, ordering: none, max_in_flight: 8 }";
    let setup = Setup::patient(&stub.base_url()).connector(&topics, &extra);
    let mut victim = setup.start();
    wait_until("the victim at work", Duration::from_secs(60), || match victim.metric("sp_results_for_review_total") {
        count if count > 10.0 => Ok(()),
        count => Err(format!("{count} for review: {}", victim.log_text())),
    });
    victim.kill();
    let mut last = setup.start();
    wait_for(EVENTS, &[&topics.sink, &review, &topics.dead_letters], Duration::from_secs(120));
    let (status, _) = last.terminate();
    assert!(status.success(), "{status}: {}", last.log_text());
    assert_eq!(broker::read(&topics.dead_letters), []);
    let ((results, published), (waiting, reviewed)) = (ids(&topics.sink), ids(&review));
    assert_eq!((results, published.len()), (EVENTS / 4 * 3, EVENTS / 4 * 3));
    assert_eq!((waiting, reviewed.len()), (EVENTS / 4, EVENTS / 4));
    for (position, record) in broker::read(&review) {
        assert_eq!(record.text("sp-review-reason").as_deref(), Some("ungrounded"), "{position}");
        assert_eq!(record.text("ce_flags").as_deref(), Some("ungrounded:/order_id"), "{position}");
        let id = record.text("ce_causationid").expect("a cause");
        let sent = events.iter().find(|event| event.text("ce_id").as_ref() == Some(&id)).expect("its event");
        let value = record.headers.iter().find(|(name, _)| name == "sp-source-value").expect("the value");
        assert_eq!(value.1, sent.value);
        let headers = record.headers.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("sp-source-header-")?;
            Some((name.to_owned(), value.clone()))
        });
        assert_eq!(headers.collect::<Vec<_>>(), sent.headers);
    }
}

#[test]
fn a_result_that_the_review_topic_refuses_for_its_size_becomes_a_letter() {
    const EVENTS: usize = 8;
    let stub = StubProvider::start(script());
    let (topics, review) = (Topics::create(1), broker::unique("review"));
    broker::create_topic(&review, 1, &[("max.message.bytes", "4000")]);
    let mut random = fastrand::Rng::with_seed(7);
    let key: String = (0..6000).map(|_| random.alphanumeric()).collect();
    let events: Vec<_> = (0..EVENTS).map(|n| if n == 0 { event(n).key(&key) } else { event(n) }).collect();
    broker::produce(&topics.source, 1, &events);
    let service = Setup::patient(&stub.base_url()).connector(&topics, &options(&review)).start();
    wait_for(EVENTS, &[&topics.sink, &review, &topics.dead_letters], Duration::from_secs(60));
    let letters = broker::read(&topics.dead_letters);
    assert_eq!(letters.len(), 1, "{}", service.log_text());
    let letter = &letters[0].1;
    assert_eq!(letter.text("sp-error-code").as_deref(), Some("result_too_large"));
    assert!(letter.text("sp-error-detail").is_some_and(|detail| detail.contains(&review)));
    assert_eq!((ids(&topics.sink).0, ids(&review).0), (6, 1));
    let (_, health) = service.get("/v1/health");
    assert!(health.to_string().contains("a result for review could not hold its original"), "{health}");
}
