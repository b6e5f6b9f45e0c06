//! Log lines as JSON objects: timestamp, level and target, then the message and the other fields of the event, and
//! those of the spans that it happened in, all at the top: a `request_id` is in the same place whichever line has it.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes such lines. The fields of spans are written as JSON, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let metadata = event.metadata();
        let mut line = Line(Map::new());
        line.0.insert("timestamp".to_owned(), timestamp.into());
        line.0.insert("level".to_owned(), metadata.level().as_str().into());
        line.0.insert("target".to_owned(), metadata.target().into());
        event.record(&mut line);
        // From the innermost span outwards: what is nearer to the event says it.
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>().map_or("", |fields| fields.fields.as_str());
            for (name, value) in serde_json::from_str::<Map<String, Value>>(fields).unwrap_or_default() {
                line.0.entry(name).or_insert(value);
            }
        }
        writeln!(writer, "{}", Value::Object(line.0))
    }
}

/// A line that is being written.
struct Line(Map<String, Value>);

impl Line {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        // Fields whose names are keywords of Rust are written `r#type`.
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        // What every line has is not replaced.
        self.0.entry(name).or_insert_with(|| value.into());
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing::field::Empty;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::telemetry::captured::Buffer;

    fn lines(work: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let layer = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines);
        let logger = tracing_subscriber::registry().with(layer.with_writer(buffer.clone()));
        tracing::subscriber::with_default(logger, work);
        buffer.text().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    #[test]
    fn a_line_has_the_fields_of_its_event_and_of_its_spans_at_the_top() {
        let lines = lines(|| {
            let request =
                tracing::info_span!("http_request", request_id = "r-1", trace_id = "0af7", api_key_id = Empty);
            let _in_request = request.enter();
            request.record("api_key_id", "k-1");
            let _in_call = tracing::info_span!("call", provider = "claude", request_id = "inner").entered();
            tracing::warn!(position = %"in[3]@42", unsaid = 2_u64, "dead \"letter\"\n");
        });
        let line = &lines[0];
        for (name, value) in [
            ("level", "WARN"),
            ("target", "structured_prompt::telemetry::json_lines::tests"),
            ("message", "dead \"letter\"\n"),
            ("position", "in[3]@42"),
            ("request_id", "inner"),
            ("trace_id", "0af7"),
            ("api_key_id", "k-1"),
            ("provider", "claude"),
        ] {
            assert_eq!(line[name], value, "{name}: {line}");
        }
        assert_eq!(line["unsaid"], 2);
        assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z') && time.len() > 20), "{line}");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let lines = lines(|| {
            let trace_id: Option<&str> = None;
            let request = tracing::info_span!("http_request", request_id = "r-1", trace_id, api_key_id = Empty);
            request.in_scope(|| tracing::info!("done"));
        });
        assert_eq!(lines[0].get("trace_id"), None);
        assert_eq!(lines[0].get("api_key_id"), None);
        assert_eq!(lines[0]["request_id"], "r-1");
    }
}
