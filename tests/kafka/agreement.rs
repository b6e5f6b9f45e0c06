//! A second provider is asked about answers.

use std::time::Duration;

use serde_json::{Value, json};

use super::broker::{self, TestRecord};
use super::reader;
use super::service::{Service, Setup, Topics};
use super::stub_provider::{Fault, Script, StubProvider, When};
use super::{triage, wait_until};

const EVENTS: usize = 20;
const COMPARED: &str = "options: { agreement: { sample: 100%, provider: second } }";

fn events(ids: std::ops::Range<usize>) -> Vec<TestRecord> {
    ids.map(|n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: where is my parcel?"))).collect()
}

/// Says the same as [`triage`] in all fields but the urgency.
fn more_urgent() -> Script {
    Script::default().answer(|_request, _call| {
        json!({
            "intent": "delivery_problem", "urgency": "high", "sentiment": "neutral", "summary": "Another sentence.",
            "product": null, "order_id": null, "customer_email": null, "amount": null, "currency": null,
            "language": "en", "requires_human": false,
        })
        .to_string()
    })
}

fn setup(first: &StubProvider, second: &str) -> Setup {
    let first = remote(first);
    Setup::with_providers(&format!(
        "providers: {{ first: {first}, second: {second} }}\nrouting: {{ fallback: [first] }}"
    ))
}

fn remote(stub: &StubProvider) -> String {
    format!(
        "{{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 120s, max_retries: 0 }}",
        stub.base_url()
    )
}

fn wait_for_results(topics: &Topics, service: &Service) {
    wait_until("all offsets", Duration::from_secs(60), || match reader::read(topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}: {}", service.log_text())),
    });
}

/// `ce_agreement` of each result, and what `ce_fieldevidence` says of the urgency.
fn said(topics: &Topics) -> Vec<(Option<String>, Value)> {
    let results = broker::read(&topics.sink);
    let said = results.iter().map(|(_, result)| {
        let evidence: Value = serde_json::from_str(&result.text("ce_fieldevidence").expect("evidence")).expect("JSON");
        (result.text("ce_agreement"), evidence["/urgency"]["agreed"].clone())
    });
    said.collect()
}

#[test]
fn answers_are_paid_once_though_the_process_is_killed_while_a_second_provider_is_asked() {
    let (first, second) =
        (StubProvider::start(triage()), StubProvider::start(more_urgent().fault(When::Every(1), Fault::Hang)));
    let topics = Topics::create(2);
    let setup = setup(&first, &remote(&second)).connector(&topics, COMPARED);
    broker::produce(&topics.source, 2, &events(0..EVENTS));
    let mut killed = setup.start();
    wait_until("all second calls", Duration::from_secs(60), || match second.in_flight() {
        calls if calls == EVENTS as u64 => Ok(()),
        calls => Err(format!("{calls}: {}", killed.log_text())),
    });
    killed.kill();
    assert_eq!((first.calls(), broker::count(&topics.sink)), (EVENTS as u64, 0));

    second.set_script(more_urgent());
    let next = setup.start();
    wait_for_results(&topics, &next);
    assert_eq!(first.calls(), EVENTS as u64, "an answer was paid for twice");
    assert_eq!(second.calls(), 2 * EVENTS as u64, "of the first calls nobody heard");
    assert_eq!(said(&topics), vec![(Some("0.90".to_owned()), json!(false)); EVENTS]);
    let compared = next.metric("sp_agreement_comparisons_total");
    assert_eq!((compared, first.protocol_errors(), second.protocol_errors()), (20.0, 0, 0));
}

#[test]
fn results_come_without_agreement_where_the_second_provider_is_away_and_the_extractor_can_be_one() {
    let first = StubProvider::start(triage());
    let away = remote(&StubProvider::start(triage()));
    for (second, is_compared) in [(away.as_str(), false), ("{ kind: offline }", true)] {
        let topics = Topics::create(1);
        let setup = setup(&first, second).connector(&topics, COMPARED);
        broker::produce(&topics.source, 1, &events(0..EVENTS));
        let service = setup.start();
        wait_for_results(&topics, &service);
        let said = said(&topics);
        assert_eq!(said.len(), EVENTS);
        assert!(said.iter().all(|(share, _)| share.is_some() == is_compared), "{second}: {said:?}");
    }
}
