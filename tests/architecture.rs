//! The layers of the crate, checked: which module may import which, that files stay short, and that no `mod.rs` exists.
//!
//! To let a module import another, add it to its row of [`ALLOWED`]; a row may name only modules of rows above it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Each top-level module with the modules that it may import, from the lowest layer to the highest.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("schema", &["domain"]),
    ("prompt", &["domain", "schema"]),
    ("codec", &["domain"]),
    ("telemetry", &["domain"]),
    ("open_files", &["domain", "ports"]),
    ("tasks", &["telemetry"]),
    ("pipeline", &["domain", "ports", "schema", "prompt", "codec", "telemetry", "tasks"]),
    ("delivery", &["domain", "ports", "codec", "pipeline", "telemetry", "tasks"]),
    (
        "kafka",
        &["domain", "ports", "schema", "prompt", "codec", "pipeline", "delivery", "telemetry", "open_files", "tasks"],
    ),
    ("http", &["domain", "ports", "codec", "pipeline", "delivery", "telemetry", "tasks"]),
    ("llm", &["domain", "ports", "schema", "prompt", "pipeline", "telemetry", "open_files", "tasks"]),
    ("cache", &["domain", "ports", "telemetry", "tasks"]),
    ("store", &["domain", "ports", "telemetry", "open_files", "tasks"]),
    (
        "config",
        &["domain", "ports", "schema", "prompt", "pipeline", "telemetry", "kafka", "http", "llm", "cache", "store"],
    ),
    (
        "app",
        &[
            "domain",
            "ports",
            "schema",
            "prompt",
            "codec",
            "pipeline",
            "delivery",
            "telemetry",
            "open_files",
            "tasks",
            "kafka",
            "http",
            "llm",
            "cache",
            "store",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "ports",
            "schema",
            "prompt",
            "codec",
            "pipeline",
            "delivery",
            "telemetry",
            "open_files",
            "tasks",
            "kafka",
            "http",
            "llm",
            "cache",
            "store",
            "config",
            "app",
        ],
    ),
    ("main", &["cli"]),
];

const LONGEST_FILE: usize = 400;

/// The directories that hold Rust files.
const SOURCES: [&str; 4] = ["src", "tests", "benches", "examples"];

#[test]
fn modules_import_only_what_the_table_allows() -> io::Result<()> {
    let mut violations = Vec::new();
    for file in rust_files("src") {
        let source = fs::read_to_string(&file)?;
        let location = file.strip_prefix(root()).unwrap_or(&file).display().to_string();
        let Some(path) = module_path(&file) else { continue };
        violations
            .extend(check(&path, &source).into_iter().map(|(line, problem)| format!("{location}:{line}: {problem}")));
    }
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
    Ok(())
}

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

#[test]
fn the_table_has_no_cycle() {
    for (index, (module, imports)) in ALLOWED.iter().enumerate() {
        for import in *imports {
            let above = ALLOWED[..index].iter().any(|(name, _)| name == import);
            assert!(above, "the row of `{module}` names `{import}`, which is not in a row above it");
        }
    }
}

/// What is wrong with the imports of the module at `path` (`["kafka", "ledger"]`), as line and problem.
fn check(path: &[String], source: &str) -> Vec<(usize, String)> {
    let module = path[0].as_str();
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
        return vec![(1, format!("module `{module}` is not in the table of tests/architecture.rs"))];
    };
    imports(source, path.len())
        .into_iter()
        .filter(|(_, import)| import != module && !allowed.contains(&import.as_str()))
        .map(|(line, import)| (line, format!("`{module}` must not import `{import}`")))
        .collect()
}

/// The top-level modules that a source file names, each with its line: through `crate::…` and `structured_prompt::…`, one
/// by one or in braces, and through as many `super::` as lead from the module, `depth` levels deep, to the crate.
fn imports(source: &str, depth: usize) -> Vec<(usize, String)> {
    let tokens = tokens(source);
    let text = |index: usize| tokens.get(index).map_or("", |(_, token)| token.as_str());
    let mut found = Vec::new();
    // One entry per open brace: whether it is the body of an inline module.
    let mut braces: Vec<bool> = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        match text(index) {
            "{" => braces.push(index >= 2 && text(index - 2) == "mod"),
            "}" => drop(braces.pop()),
            _ => {}
        }
        let mut next = index;
        if matches!(text(index), "crate" | "structured_prompt") && text(index + 1) == "::" {
            next = index + 2;
        } else if text(index) == "super" && (index < 2 || text(index - 2) != "super") {
            while text(next) == "super" && text(next + 1) == "::" {
                next += 2;
            }
            if (next - index) / 2 < depth + braces.iter().filter(|module| **module).count() {
                next = index;
            }
        }
        if next > index {
            found.extend(first_names(&tokens[next..]));
        }
        index += 1;
    }
    found
}

/// The names that a path begins with: its first segment, or that of each item when it begins with a brace.
fn first_names(tokens: &[(usize, String)]) -> Vec<(usize, String)> {
    let Some((_, first)) = tokens.first() else { return Vec::new() };
    if first != "{" {
        return tokens[..1].to_vec();
    }
    let mut names = Vec::new();
    let mut depth = 0;
    let mut at_start = false;
    for (line, token) in tokens {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if at_start && depth == 1 => names.push((*line, token.clone())),
            _ => {}
        }
        at_start = depth == 1 && matches!(token.as_str(), "{" | ",");
        if depth == 0 {
            break;
        }
    }
    names
}

/// Words, `::` and single characters of a source file with their lines; comments, strings and characters left out.
fn tokens(source: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped(rest);
        let length = skipped.unwrap_or_else(|| match first {
            ':' if rest.starts_with("::") => 2,
            _ => word(rest).max(first.len_utf8()),
        });
        let (token, after) = rest.split_at(length);
        if skipped.is_none() && !first.is_whitespace() {
            tokens.push((line, token.to_owned()));
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

/// Length of the word that a text begins with, zero when it begins with something else.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Length of the comment or literal that a text begins with.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    let raw = text.strip_prefix("br").or_else(|| text.strip_prefix('r')).or_else(|| text.strip_prefix("cr"));
    if let Some(opening) = raw {
        let hashes = opening.bytes().take_while(|byte| *byte == b'#').count();
        if opening[hashes..].starts_with('"') {
            let start = text.len() - opening.len() + hashes + 1;
            let closing = format!("\"{}", "#".repeat(hashes));
            return Some(text[start..].find(&closing).map_or(text.len(), |end| start + end + closing.len()));
        }
    }
    if text.starts_with('"') {
        return Some(quoted(text, '"'));
    }
    // 'a' and '\n' are characters, 'a alone is a lifetime.
    let mut after_quote = text.strip_prefix('\'')?.chars();
    let first = after_quote.next()?;
    (first == '\\' || after_quote.next() == Some('\'')).then(|| quoted(text, '\''))
}

/// Length of a literal between two `quote`s, the second not after a backslash.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return index + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

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

fn names(source: &str, depth: usize) -> Vec<String> {
    imports(source, depth).into_iter().map(|(_, name)| name).collect()
}

#[test]
fn every_form_of_import_is_seen() {
    assert_eq!(names("use crate::kafka::settings;", 1), ["kafka"]);
    assert_eq!(names("fn f() -> crate::http::Answer { structured_prompt::cli::run() }", 1), ["http", "cli"]);
    assert_eq!(
        names("use crate::{\n  domain::{event, record::{Record}},\n  kafka,\n  cache as c};", 1),
        ["domain", "kafka", "cache"]
    );
    assert_eq!(names("use super::llm::X; use super::super::config;", 1), ["llm", "config"]);
    assert_eq!(names("use super::ledger; use super::super::{llm, http};", 2), ["llm", "http"]);
    assert_eq!(names("mod tests { use super::own; use super::super::cache; }", 1), ["cache"]);
}

#[test]
fn comments_and_literals_are_no_imports() {
    let source = r###"
        //! crate::a and [`crate::b`]
        /* crate::c */
        const A: &str = "crate::d \" crate::e"; const B: &str = r#"crate::f " crate::g"#; const C: char = '"';
        pub(crate) fn f<'a>(x: &'a str) -> char { '\'' } use crate::seen;
    "###;
    assert_eq!(imports(source, 1), [(5, "seen".to_owned())]);
}

#[test]
fn a_forbidden_import_and_an_unknown_module_are_reported() {
    let path = |name: &str| vec![name.to_owned(), "part".to_owned()];
    assert_eq!(check(&path("domain"), "\nuse crate::kafka;"), [(2, "`domain` must not import `kafka`".to_owned())]);
    assert_eq!(check(&path("kafka"), "use crate::domain; use crate::kafka::ledger;"), []);
    assert_eq!(check(&path("new"), ""), [(1, "module `new` is not in the table of tests/architecture.rs".to_owned())]);
}
