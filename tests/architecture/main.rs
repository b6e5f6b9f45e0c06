//! The structure of the crate, checked: which module may import which, that no files import each other in a circle, and
//! what holds for each file.

mod circles;
mod files;
mod layers;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

/// The directories that hold Rust files.
const SOURCES: [&str; 4] = ["src", "tests", "benches", "examples"];

/// The module that a file of `src` holds; none for `lib.rs`, which only declares the modules.
fn module_path(file: &Path) -> Option<Vec<String>> {
    let relative = file.strip_prefix(root().join("src")).ok()?.with_extension("");
    let path: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    (path != ["lib"]).then_some(path)
}

fn rust_files(directory: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![root().join(directory)];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
