//! What a person decided, as a label for `eval`.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::domain::event::{Data, Event};
use crate::kafka::settings::RecordFormat;

/// An event as a label has it: what a connector of this format receives, a CloudEvent in the JSON format.
pub(super) fn event(event: &Event, format: RecordFormat) -> Value {
    let Event { id, source, kind, subject, time, data_content_type, data_schema, extensions, data } = event;
    let (member, data) = match data {
        Data::Absent => ("data", Value::Null),
        Data::Json(value) => ("data", value.clone()),
        Data::Text(text) => ("data", Value::String(text.clone())),
        Data::Binary(bytes) => ("data_base64", Value::String(STANDARD.encode(bytes))),
    };
    if format != RecordFormat::CloudEvents {
        return data;
    }
    let mut members = Map::new();
    let optional =
        [("subject", subject), ("time", time), ("datacontenttype", data_content_type), ("dataschema", data_schema)];
    for (name, value) in [("specversion", "1.0"), ("id", id), ("source", source), ("type", kind)] {
        members.insert(name.to_owned(), value.into());
    }
    let given = optional.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    members.extend(given.map(|(name, value)| (name.to_owned(), value.into())));
    members.extend(extensions.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    if !data.is_null() {
        members.insert(member.to_owned(), data);
    }
    Value::Object(members)
}

/// Appends a label to a file, and waits until the disk has it. Its id is that of the result, which no other event of
/// the connector has. A label that is there already, of a decision that was not confirmed, is not written again.
pub(super) fn append(file: &mut File, id: &str, event: &Value, expected: &Value) -> io::Result<()> {
    let label = json!({ "id": id, "event": event, "expected": expected }).to_string();
    let mut labels = Vec::new();
    file.read_to_end(&mut labels)?;
    let mut lines = labels.split(|byte| *byte == b'\n');
    // The last line may have no end: of an editor, or of a process that was killed.
    let is_open = lines.clone().next_back().is_some_and(|rest| !rest.is_empty());
    if lines.any(|line| line == label.as_bytes()) {
        return Ok(());
    }
    let before = if is_open { "\n" } else { "" };
    file.write_all(format!("{before}{label}\n").as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::labels;

    #[test]
    fn a_decision_is_a_label_that_eval_reads() {
        let asked = Event {
            id: "e-1".to_owned(),
            source: "/test".to_owned(),
            kind: "t.v1".to_owned(),
            subject: Some("s".to_owned()),
            time: None,
            data_content_type: Some("application/json".to_owned()),
            data_schema: None,
            extensions: [("tenant".to_owned(), "a".to_owned())].into(),
            data: Data::Json(json!({ "body": "b" })),
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        // The second decision about the first result is the same as the first one, that about the last is another.
        for (id, n) in [(1, 1), (2, 2), (1, 1), (3, 3), (3, 4)] {
            let mut appending = File::options().read(true).append(true).open(file.path()).unwrap();
            let event = event(&asked, RecordFormat::CloudEvents);
            append(&mut appending, &format!("r-{id}"), &event, &json!({ "n": n })).unwrap();
        }
        let (read, problems) = labels::read("labels.jsonl", &std::fs::read_to_string(file.path()).unwrap());
        assert_eq!((read.len(), problems), (4, Vec::new()));
        assert_eq!((&read[1].expected["n"], read[1].id.as_str()), (&json!(2), "r-2"));
        assert_eq!(read[0].event["data"], json!({ "body": "b" }));
        assert_eq!((&read[0].event["tenant"], &read[0].event["id"]), (&json!("a"), &json!("e-1")));
        assert_eq!(event(&asked, RecordFormat::Json), json!({ "body": "b" }));
    }

    #[test]
    fn a_label_stands_on_a_line_of_its_own_whatever_the_file_ends_with() {
        let label = |id: &str| json!({ "id": id, "event": 1, "expected": {} }).to_string();
        let (first, second) = (label("a"), label("b"));
        for (before, after) in [
            (String::new(), format!("{second}\n")),
            (format!("{first}\n"), format!("{first}\n{second}\n")),
            (first.clone(), format!("{first}\n{second}\n")),
            ("{\"id\"".to_owned(), format!("{{\"id\"\n{second}\n")),
            (second.clone(), second.clone()),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &before).unwrap();
            let mut appending = File::options().read(true).append(true).open(file.path()).unwrap();
            append(&mut appending, "b", &json!(1), &json!({})).unwrap();
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), after, "{before}");
        }
    }
}
