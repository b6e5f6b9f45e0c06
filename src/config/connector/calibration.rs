//! The file of `options.calibration`, which `eval --calibration` writes.

use std::path::Path;
use std::sync::Arc;

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::section::Section;
use crate::config::values::{Problem, text};
use crate::domain::calibration::Calibration;
use crate::schema::Schema;
use crate::schema::fields::SchemaFields;

const HELP: &str = "make it anew with eval --calibration, or remove options.calibration";

/// A calibration, and where the connector names it.
pub(super) struct Counted {
    pub(super) calibration: Arc<Calibration>,
    location: Location,
}

/// Reads the file, if one is named.
pub(super) fn read(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Option<Counted> {
    let path = base.join(section.get("calibration", text)?);
    let location = section.location_of("calibration");
    match Calibration::parse(&diagnostics.text(&path, &location)?) {
        Ok(calibration) => Some(Counted { calibration: Arc::new(calibration), location }),
        Err(why) => {
            diagnostics.note(&location, Problem::new(format!("{}: {why}", path.display()), HELP));
            None
        }
    }
}

/// Notes it where the file was made for another schema than the connector's.
pub(super) fn check(diagnostics: &Diagnostics, counted: &Counted, schema: &Schema) {
    if let Some(why) = misfit(&counted.calibration, schema) {
        diagnostics.note(&counted.location, Problem::new(why, HELP));
    }
}

/// Why a calibration is none of answers to this schema, if it is not.
pub(super) fn misfit(calibration: &Calibration, schema: &Schema) -> Option<String> {
    let fields = SchemaFields::of(schema.json());
    let unknown = fields.first_unknown(calibration.fields.keys().map(String::as_str))?;
    Some(format!("the calibration was made for another schema: {} has no {unknown}", schema.name()))
}
