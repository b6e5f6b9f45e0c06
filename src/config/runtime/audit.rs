//! The `audit` section.

use std::path::Path;

use crate::config::document::Origin;
use crate::config::section::Section;
use crate::config::values::{text, topic};
use crate::store::settings::AuditSettings;

pub(super) fn read(mut section: Section<'_>, base: &Path) -> AuditSettings {
    let file = section.get("file", |node| {
        // A variable is in no file: its paths start where the process does.
        let base = if matches!(node.origin, Origin::Variable(_)) { Path::new("") } else { base };
        text(node).map(|path| base.join(path))
    });
    let mut kafka = section.section("kafka");
    let topic = kafka.get("topic", topic);
    kafka.finish();
    section.finish();
    AuditSettings { file, topic }
}
