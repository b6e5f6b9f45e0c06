//! Which files are tests, and which connector each is a test of.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::finding::{Finding, Findings, Place};

/// What the name of a test file has behind that of its connector.
const SUFFIX: &str = "_test";

const ENDS: [&str; 2] = ["yaml", "yml"];

/// Whether a file is one of tests, by its name.
pub fn is_test_file(path: &Path) -> bool {
    let has_end = path.extension().is_some_and(|end| ENDS.iter().any(|known| end == *known));
    has_end && path.file_stem().and_then(OsStr::to_str).is_some_and(|stem| stem.ends_with(SUFFIX))
}

/// The test files behind paths, each once, sorted. Directories are searched with all that is below them, but for hidden
/// directories and links to directories.
///
/// # Errors
/// Paths that cannot be read, files that are none of tests, and that there is no test at all.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Findings> {
    let (mut files, mut findings) = (BTreeSet::new(), Vec::new());
    let mut note = |path: &Path, message: String, help: &str| {
        let (place, help) = (Place::Path(path.to_path_buf()), help.to_owned());
        findings.push(Finding { place, key_path: String::new(), message, help });
    };
    for path in paths {
        if path.is_file() && !is_test_file(path) {
            note(path, "this is no test file".to_owned(), "name a file whose name ends in _test.yaml, or a directory");
        } else if let Err(error) = collect(path, &mut files) {
            note(path, format!("cannot be read: {error}"), "check the path and its permissions");
        }
    }
    if files.is_empty() && findings.is_empty() {
        let place = paths.first().map_or(Place::Defaults, |path| Place::Path(path.clone()));
        let message = "there is no test: no file is named *_test.yaml".to_owned();
        let help = "write one beside a connector; docs/testing-connectors.md has an example".to_owned();
        findings.push(Finding { place, key_path: String::new(), message, help });
    }
    if findings.is_empty() { Ok(files.into_iter().collect()) } else { Err(Findings::new(findings)) }
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        path.metadata()?;
        files.insert(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let (is_directory, below) = (entry.file_type()?.is_dir(), entry.path());
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if is_directory && !is_hidden {
            collect(&below, files)?;
        } else if !is_directory && is_test_file(&below) && below.is_file() {
            files.insert(below);
        }
    }
    Ok(())
}

/// Where the connector of a test file may stand.
pub(super) fn connectors_of(file: &Path) -> [PathBuf; 2] {
    let stem = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let name = stem.strip_suffix(SUFFIX).unwrap_or(stem);
    ENDS.map(|end| file.with_file_name(format!("{name}.{end}")))
}
