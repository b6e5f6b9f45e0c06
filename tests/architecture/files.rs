//! What holds for each file by itself.

use std::fs;
use std::io;

use super::{SOURCES, rust_files};

const LONGEST_FILE: usize = 400;

#[test]
fn files_are_short() -> io::Result<()> {
    let mut violations = Vec::new();
    for file in SOURCES.into_iter().flat_map(rust_files) {
        let lines = fs::read_to_string(&file)?.lines().count();
        if lines > LONGEST_FILE {
            violations.push(format!("{}: {lines} lines, {LONGEST_FILE} at most: split it", file.display()));
        }
    }
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
    Ok(())
}

/// Such types buffer what they read, and a number arrives in them as a map (docs/adr/0007).
#[test]
fn no_type_that_is_read_buffers_its_numbers() -> io::Result<()> {
    let buffering = ["serde(flatten", "serde(untagged", "serde(tag"];
    let mut violations = Vec::new();
    for file in rust_files("src") {
        let source = fs::read_to_string(&file)?;
        if buffering.iter().any(|attribute| source.contains(attribute)) && source.contains("Deserialize") {
            violations.push(format!("{}: it reads a type that is flattened, untagged or tagged", file.display()));
        }
    }
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
    Ok(())
}

#[test]
fn no_file_is_called_mod_rs() {
    let violations: Vec<String> = SOURCES
        .into_iter()
        .flat_map(rust_files)
        .filter(|file| file.ends_with("mod.rs"))
        .map(|file| format!("{}: name it after its module, beside the module's directory", file.display()))
        .collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
