//! Where the values of a result stand in the record that it came from.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::columns::{WIDTH, shorten};
use super::events::header;
use crate::domain::event::Data;
use crate::domain::record::Record;

/// Each value of a result on a line: how it stands in the record's data, where, and the words there.
pub(super) fn write(out: &mut dyn Write, data: &Data, result: &Record) -> io::Result<()> {
    let evidence = header(result, "ce_fieldevidence").and_then(|text| serde_json::from_str::<Map<_, _>>(&text).ok());
    let Some(evidence) = evidence else { return Ok(()) };
    writeln!(out, "\n   ce_fieldevidence: where its values stand in the record in\n")?;
    let values = evidence.iter().filter(|(pointer, place)| pointer.starts_with('/') && place["evidence"] != "absent");
    for (pointer, place) in values {
        let state = place["evidence"].as_str().unwrap_or_default();
        let line = format!("   {pointer:20} {state:11} {}", words(data, place).unwrap_or_default());
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The first place of a value: `/body 6–11 “48213”`.
fn words(data: &Data, place: &Value) -> Option<String> {
    let source = place["source"].as_str()?;
    let span = place["spans"].as_array()?.first()?;
    let [start, end] = [span[0].as_u64()?, span[1].as_u64()?];
    let text = match data {
        Data::Text(text) => text.clone(),
        Data::Json(json) => {
            let value = json.pointer(source)?;
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        }
        Data::Absent | Data::Binary(_) => return None,
    };
    let [from, length] = [start, end.saturating_sub(start)].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let words: String = text.chars().skip(from).take(length).collect();
    Some(format!("{source} {start}–{end} “{}”", shorten(&words, WIDTH / 3)))
}
