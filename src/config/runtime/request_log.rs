//! The `request_log` section.

use std::time::Duration;

use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, flag};
use crate::store::settings::RequestLogSettings;

/// Long enough to look into a complaint.
const DEFAULT_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) fn read(mut section: Section<'_>) -> RequestLogSettings {
    let retention = section.get("retention", |node| match duration(node)? {
        Duration::ZERO => Err(Problem::new("rows that are removed at once are not kept", "write 1d or more")),
        retention => Ok(retention),
    });
    let store_text = section.get("store_text", flag).unwrap_or(false);
    section.finish();
    RequestLogSettings { retention: retention.unwrap_or(DEFAULT_RETENTION), store_text }
}
