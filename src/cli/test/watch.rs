//! When to run again: when a file has changed that a test may depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use super::Args;
use crate::cli::run::config_file;
use crate::config::connector_test;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// What tells that a file has changed.
type Look = (Option<SystemTime>, u64);

/// Files as they were.
#[derive(Debug, PartialEq)]
pub(super) struct Watched(BTreeMap<PathBuf, Look>);

impl Watched {
    /// The files below the paths and beside the tests, and the runtime configuration, as they are now.
    pub(super) fn look(args: &Args) -> Self {
        let tests = connector_test::find(&args.paths).unwrap_or_default();
        let beside = tests.iter().filter_map(|test| test.parent()).map(Path::to_path_buf);
        let config = config_file(args.config.as_deref()).map(Path::to_path_buf);
        let roots: BTreeSet<PathBuf> = args.paths.iter().cloned().chain(beside).chain(config).collect();
        let mut files = BTreeMap::new();
        roots.iter().for_each(|root| look_at(root, &mut files));
        Self(files)
    }

    /// Returns when they are not any more as they were, and stay so from one look to the next: several files are not
    /// saved at once.
    pub(super) fn wait_for_change(&self, args: &Args) {
        let mut last = Self::look(args);
        loop {
            sleep(LOOK_EVERY);
            let now = Self::look(args);
            if now == last && now != *self {
                return;
            }
            last = now;
        }
    }
}

/// Notes a file, or all files of a directory and below it that are not hidden. What cannot be read has changed when it
/// can.
fn look_at(path: &Path, files: &mut BTreeMap<PathBuf, Look>) {
    // An empty path is the current directory.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if let Ok(entries) = std::fs::read_dir(path) {
        let visible = entries.flatten().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        for entry in visible.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink())) {
            look_at(&entry.path(), files);
        }
    } else if let Ok(about) = path.metadata() {
        files.insert(path.to_path_buf(), (about.modified().ok(), about.len()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_below_the_path_that_is_written_added_or_removed_is_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("schemas");
        fs::create_dir(&below).unwrap();
        fs::write(below.join("a.json"), "1").unwrap();
        fs::write(directory.path().join(".hidden"), "1").unwrap();
        let mut files = BTreeMap::new();
        let mut look = || {
            files.clear();
            look_at(directory.path(), &mut files);
            files.clone()
        };
        let first = look();
        assert_eq!(first.keys().collect::<Vec<_>>(), [&below.join("a.json")]);
        assert_eq!(look(), first);
        fs::write(below.join("a.json"), "12").unwrap();
        let second = look();
        assert_ne!(second, first);
        fs::write(below.join("b.json"), "1").unwrap();
        assert_eq!(look().len(), 2);
        fs::remove_file(below.join("b.json")).unwrap();
        assert_eq!(look(), second);
        fs::write(directory.path().join(".hidden"), "22").unwrap();
        assert_eq!(look(), second);
    }
}
