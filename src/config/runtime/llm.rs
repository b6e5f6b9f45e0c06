//! The `llm` section.

use std::path::Path;

use crate::config::diagnostics::Diagnostics;
use crate::config::section::Section;
use crate::config::values::{Problem, text};
use crate::llm::settings::Cassettes;

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> Cassettes {
    let (record, replay) = (section.get("record", text), section.get("replay", text));
    if record.is_some() && replay.is_some() {
        let problem = Problem::new("exchanges cannot be recorded and replayed at the same time", "keep one of the two");
        diagnostics.note(&section.location_of("replay"), problem);
    }
    section.finish();
    match (record, replay) {
        (_, Some(directory)) => Cassettes::Replay(base.join(directory)),
        (Some(directory), None) => Cassettes::Record(base.join(directory)),
        (None, None) => Cassettes::Off,
    }
}
