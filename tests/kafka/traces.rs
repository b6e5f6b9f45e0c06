//! The trace of a record, read by OpenTelemetry's own types.

use std::time::Duration;

use super::broker::{self, TestRecord};
use super::collector::{Collector, ExportedSpan, assert_page_shows, named, spans, tree};
use super::service::{Setup, Topics};
use super::stub_provider::{Fault, StubProvider, When};
use super::{triage, wait_until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PRODUCER_SPAN: &str = "b7ad6b7169203331";

#[test]
fn a_record_is_one_trace_from_its_producer_to_the_consumer_of_its_result() {
    let stub = StubProvider::start(triage().fault(When::Call(1), Fault::Invalid));
    let topics = Topics::create(1);
    let start = format!("00-{TRACE}-{PRODUCER_SPAN}-01");
    let record = TestRecord::event("e-1", "Where is my parcel?").header("traceparent", &start);
    broker::produce(&topics.source, 1, &[record]);
    let (collector, setup) = (Collector::start(), Setup::patient(&stub.base_url()).connector(&topics, ""));
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let service = setup.spawn_with(&environment);
    wait_until("the result", Duration::from_secs(60), || match broker::count(&topics.sink) {
        1 => Ok(()),
        count => Err(format!("{count}: {}", service.log_text())),
    });
    let spans = spans(&collector.export());
    let renamed = spans.iter().cloned().map(|span| {
        let name = span.name.replace(&topics.source, "support.tickets").replace(&topics.sink, "support.triaged");
        ExportedSpan { name, ..span }
    });
    assert_page_shows("### A record", &tree(&renamed.collect::<Vec<_>>()));
    assert!(spans.iter().all(|span| span.trace_id == TRACE && span.began_at <= span.ended_at));
    let process = named(&spans, &format!("process {}", topics.source));
    assert_eq!((process.parent.as_str(), &process.attributes["cloudevents.event_id"]), (PRODUCER_SPAN, &"e-1".into()));
    assert_eq!(process.attributes["messaging.kafka.offset"], 0);
    let send = named(&spans, &format!("send {}", topics.sink));
    let (_, result) = broker::read(&topics.sink).remove(0);
    assert_eq!(result.text("traceparent"), Some(format!("00-{TRACE}-{}-01", send.span_id)));
    assert_eq!(result.text("ce_traceparent"), Some(start));
}
