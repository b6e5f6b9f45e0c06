//! A result in the JSON event format (CloudEvents JSON format 1.0.2, section 3): one object, for transports without
//! headers.

use bytes::Bytes;
use serde_json::Error;

use super::result_event::ResultEvent;

/// The content type of such an object.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The object. The data stands in it as it is: it is JSON already, and its numbers keep their digits.
///
/// # Errors
/// Never in practice: texts are written to memory.
pub fn encode(event: &ResultEvent) -> Result<Bytes, Error> {
    let mut json = Vec::with_capacity(1024 + event.data.len());
    let mut separator = b'{';
    for (name, value) in &event.attributes {
        member(&mut json, separator, name.as_str(), &String::from_utf8_lossy(value))?;
        separator = b',';
    }
    member(&mut json, separator, "datacontenttype", event.content_type)?;
    json.extend_from_slice(b",\"data\":");
    json.extend_from_slice(&event.data);
    json.push(b'}');
    Ok(json.into())
}

fn member(json: &mut Vec<u8>, separator: u8, name: &str, value: &str) -> Result<(), Error> {
    json.push(separator);
    serde_json::to_writer(&mut *json, name)?;
    json.push(b':');
    serde_json::to_writer(json, value)
}
