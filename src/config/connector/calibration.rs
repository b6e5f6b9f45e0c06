//! The file of `options.calibration`, which `eval --calibration` writes.

use std::path::Path;
use std::sync::Arc;

use super::part::Part;
use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::section::Section;
use crate::config::values::{Problem, text};
use crate::domain::calibration::Calibration;
use crate::schema::Schema;
use crate::schema::fields::SchemaFields;

const HELP: &str = "make it anew with eval --calibration, or remove options.calibration";

/// A calibration, and where the connector names it.
pub(super) struct NamedCalibration {
    pub(super) calibration: Arc<Calibration>,
    location: Location,
}

/// Reads the file, if one is named.
pub(super) fn read(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Option<NamedCalibration> {
    let path = base.join(section.get("calibration", text)?);
    let location = section.location_of("calibration");
    match Calibration::parse(&diagnostics.text(&path, &location)?) {
        Ok(calibration) => Some(NamedCalibration { calibration: Arc::new(calibration), location }),
        Err(why) => {
            diagnostics.note(&location, Problem::new(format!("{}: {why}", path.display()), HELP));
            None
        }
    }
}

/// Notes it where the file was made for another schema than the connector's. Which one a name means is known when the
/// process runs: a store may have one of its own under that of a built-in one.
pub(super) fn check(diagnostics: &Diagnostics, named: &NamedCalibration, schema: &Part<Schema>) {
    let Part::Written(schema) = schema else { return };
    if let Some(why) = unknown_field(&named.calibration, schema) {
        diagnostics.note(&named.location, Problem::new(why, HELP));
    }
}

/// Which field of a calibration answers to this schema do not have, in a sentence.
pub(super) fn unknown_field(calibration: &Calibration, schema: &Schema) -> Option<String> {
    let fields = SchemaFields::of(schema.json());
    let unknown = fields.first_unknown(calibration.fields.keys().map(String::as_str))?;
    Some(format!("the calibration was made for another schema: {} has no {unknown}", schema.name()))
}
