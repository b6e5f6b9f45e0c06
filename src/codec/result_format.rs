//! The form in which results are written. A result is made as a CloudEvent in Kafka's binary mode; the other forms are
//! made of that.

use bytes::Bytes;

use super::json_event;
use crate::domain::record::{Header, Outgoing};

/// What the names of headers with attributes begin with.
const ATTRIBUTE: &str = "ce_";
const CONTENT_TYPE: &str = "content-type";
const STRUCTURED: &str = "application/cloudevents+json; charset=UTF-8";

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResultFormat {
    /// CloudEvents in binary mode: attributes are headers, the value is the data.
    #[default]
    CloudEvents,
    /// CloudEvents in structured mode: the value is the whole event as JSON.
    CloudEventsStructured,
    /// The value is the data, and nothing says where it comes from.
    Json,
}

impl ResultFormat {
    /// A result in this form.
    #[must_use]
    pub fn write(self, result: Outgoing) -> Outgoing {
        match self {
            Self::CloudEvents => result,
            Self::CloudEventsStructured => structured(result),
            Self::Json => {
                let headers = result.headers.into_iter().filter(|header| !is_attribute(header)).collect();
                Outgoing { headers, ..result }
            }
        }
    }
}

/// The event as one JSON object (CloudEvents Kafka binding 1.0.2, section 3.3). Headers that are no attributes stay.
fn structured(result: Outgoing) -> Outgoing {
    let (attributes, mut headers): (Vec<Header>, Vec<Header>) = result.headers.into_iter().partition(is_attribute);
    let mut content_type = Bytes::new();
    for header in headers.iter_mut().filter(|header| header.name == CONTENT_TYPE) {
        content_type = header.value.replace(Bytes::from_static(STRUCTURED.as_bytes())).unwrap_or_default();
    }
    let members =
        attributes.iter().filter_map(|header| Some((header.name.strip_prefix(ATTRIBUTE)?, header.value.as_ref()?)));
    let data = result.value.unwrap_or_default();
    Outgoing { value: Some(json_event::object(members, &content_type, &data)), headers, ..result }
}

fn is_attribute(header: &Header) -> bool {
    header.name.starts_with(ATTRIBUTE)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::codec::cloudevents;
    use crate::codec::fixtures::record;
    use crate::domain::event::Data;

    fn result() -> Outgoing {
        let headers = [
            ("traceparent", "00-1-2-01"),
            (CONTENT_TYPE, "application/json"),
            ("ce_specversion", "1.0"),
            ("ce_id", "r-1"),
            ("ce_source", "/structured-prompt/orders"),
            ("ce_type", "com.structuredprompt.result.v1"),
            ("ce_attemptlog", "gpt: \"ok\""),
            ("tenant", "acme"),
        ];
        Outgoing {
            key: Some(Bytes::from_static(b"k")),
            value: Some(Bytes::from_static(b"{\"total\":1.10}")),
            headers: headers.iter().map(|(name, value)| Header::text(*name, *value)).collect(),
            timestamp_ms: None,
        }
    }

    fn names(outgoing: &Outgoing) -> Vec<&str> {
        outgoing.headers.iter().map(|header| &*header.name).collect()
    }

    #[test]
    fn a_structured_result_is_the_same_event_in_its_value() {
        let written = ResultFormat::CloudEventsStructured.write(result());
        assert_eq!(names(&written), ["traceparent", CONTENT_TYPE, "tenant"]);
        assert_eq!(written.key, result().key);
        let value = written.value.clone().unwrap();
        let json: Value = serde_json::from_slice(&value).unwrap();
        assert_eq!(json["attemptlog"], json!("gpt: \"ok\""));
        assert!(value.ends_with(b"\"datacontenttype\":\"application/json\",\"data\":{\"total\":1.10}}"));
        let event = cloudevents::decode(&record(&[(CONTENT_TYPE, STRUCTURED)], Some(&value[..]))).unwrap();
        assert_eq!((event.id.as_str(), event.source.as_str()), ("r-1", "/structured-prompt/orders"));
        assert_eq!(event.data, Data::Json(serde_json::from_str("{\"total\":1.10}").unwrap()));
    }

    #[test]
    fn a_plain_result_is_its_data() {
        let written = ResultFormat::Json.write(result());
        assert_eq!((&written.key, &written.value), (&result().key, &result().value));
        assert_eq!(names(&written), ["traceparent", CONTENT_TYPE, "tenant"]);
        assert_eq!(ResultFormat::CloudEvents.write(result()), result());
    }
}
