//! The `audit` section.

use std::path::Path;
use std::time::Duration;

use crate::config::diagnostics::Diagnostics;
use crate::config::document::Origin;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, text, topic};
use crate::store::settings::AuditSettings;

/// Whoever looks into an incident looks back over months; auditors ask for a year.
const DEFAULT_RETENTION: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> AuditSettings {
    let file = section.get("file", |node| {
        // A variable is in no file: its paths start where the process does.
        let base = if matches!(node.origin, Origin::Variable(_)) { Path::new("") } else { base };
        text(node).map(|path| base.join(path))
    });
    if let Some(problem) = file.as_deref().and_then(problem_of) {
        diagnostics.note(&section.location_of("file"), problem);
    }
    let retention = section.get("retention", |node| match duration(node)? {
        Duration::ZERO => Err(Problem::new("events that are removed at once are not kept", "write 30d or more")),
        retention => Ok(retention),
    });
    let mut kafka = section.section("kafka");
    let topic = kafka.get("topic", topic);
    kafka.finish();
    section.finish();
    AuditSettings { retention: retention.unwrap_or(DEFAULT_RETENTION), file, topic }
}

/// Why there can be no such file, as far as that is seen without making it.
fn problem_of(file: &Path) -> Option<Problem> {
    let directory = file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    if file.is_dir() {
        return Some(Problem::new(format!("{} is a directory", file.display()), "name a file"));
    }
    let help = "make it, or name a file in a directory that is there";
    (!directory.is_dir()).then(|| Problem::new(format!("there is no directory {}", directory.display()), help))
}
