//! A result in the JSON event format (CloudEvents JSON format 1.0.2, section 3): one object, for transports without
//! headers.

use bytes::Bytes;
use serde_json::Value;

use super::result_event::ResultEvent;

/// The content type of such an object.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The object. The data stands in it as it is: it is JSON already, and its numbers keep their digits.
pub fn encode(event: &ResultEvent) -> Bytes {
    let attributes = event.attributes.iter().map(|(name, value)| (name.as_str(), value));
    object(attributes, event.content_type.as_bytes(), &event.data)
}

/// The object of an event with these attributes and this data.
pub(super) fn object<'a>(
    attributes: impl Iterator<Item = (&'a str, &'a Bytes)>,
    content_type: &[u8],
    data: &[u8],
) -> Bytes {
    let mut json = Vec::with_capacity(1024 + data.len());
    let mut separator = b'{';
    for (name, value) in attributes {
        member(&mut json, separator, name, value);
        separator = b',';
    }
    member(&mut json, separator, "datacontenttype", content_type);
    json.extend_from_slice(b",\"data\":");
    json.extend_from_slice(data);
    json.push(b'}');
    json.into()
}

fn member(json: &mut Vec<u8>, separator: u8, name: &str, value: &[u8]) {
    let text = |text: &str| Value::from(text).to_string();
    json.push(separator);
    json.extend_from_slice(text(name).as_bytes());
    json.push(b':');
    json.extend_from_slice(text(&String::from_utf8_lossy(value)).as_bytes());
}
