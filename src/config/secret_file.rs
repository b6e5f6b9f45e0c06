//! Secrets that stand in files of their own.

use std::path::{Path, PathBuf};

use super::diagnostics::{Diagnostics, Location};
use super::document::{Node, Origin};
use super::values::Problem;
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::{Check, CurrentSecret, trimmed};

/// The secret in a file, which `setting` names at this location. What passes the check may take its place later.
pub(super) fn read(
    diagnostics: &Diagnostics,
    (setting, location): (String, &Location),
    path: PathBuf,
    check: Box<Check>,
) -> Option<CurrentSecret> {
    let written = diagnostics.text(&path, location)?;
    let secret = trimmed(&written);
    if secret.is_empty() {
        let problem = Problem::new(format!("{} is empty", path.display()), "put the secret in it, and nothing else");
        diagnostics.note(location, problem);
        return None;
    }
    match check(secret) {
        Ok(()) => Some(CurrentSecret::in_file(setting, path, Secret::new(secret), check)),
        Err(why) => {
            diagnostics.note(location, Problem::new(format!("{}: {why}", path.display()), ""));
            None
        }
    }
}

/// The path that a node means: below `base` in a file, below the working directory in a variable.
pub(super) fn path(node: &Node, written: String, base: &Path) -> PathBuf {
    match node.origin {
        Origin::Variable(_) => PathBuf::from(written),
        Origin::Whole | Origin::At { .. } => base.join(written),
    }
}
