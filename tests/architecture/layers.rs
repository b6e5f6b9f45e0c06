//! Which module may import which.
//!
//! To let a module import another, add it to its row of [`ALLOWED`]; a row may name only modules of rows above it.

use std::fs;
use std::io;

use super::tokens::tokens;
use super::{module_path, root, rust_files};

/// Each top-level module with the modules that it may import, from the lowest layer to the highest.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("schema", &["domain"]),
    ("prompt", &["domain", "schema"]),
    ("evidence", &["domain", "schema"]),
    ("codec", &["domain"]),
    ("telemetry", &["domain", "ports"]),
    ("eval", &["domain", "schema", "evidence"]),
    ("open_files", &["domain", "ports"]),
    ("file_watch", &["domain", "ports"]),
    ("tasks", &["telemetry"]),
    ("pipeline", &["domain", "ports", "schema", "prompt", "evidence", "codec", "telemetry", "eval", "tasks"]),
    ("delivery", &["domain", "ports", "codec", "pipeline", "telemetry", "tasks"]),
    (
        "kafka",
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
            "file_watch",
            "tasks",
        ],
    ),
    (
        "http",
        &["domain", "ports", "schema", "prompt", "codec", "pipeline", "delivery", "telemetry", "file_watch", "tasks"],
    ),
    (
        "llm",
        &[
            "domain",
            "ports",
            "schema",
            "prompt",
            "evidence",
            "pipeline",
            "telemetry",
            "open_files",
            "file_watch",
            "tasks",
        ],
    ),
    ("cache", &["domain", "ports", "codec", "telemetry", "file_watch", "tasks"]),
    ("store", &["domain", "ports", "telemetry", "open_files", "file_watch", "tasks"]),
    (
        "config",
        &[
            "domain",
            "ports",
            "schema",
            "prompt",
            "eval",
            "pipeline",
            "telemetry",
            "file_watch",
            "kafka",
            "http",
            "llm",
            "cache",
            "store",
        ],
    ),
    (
        "app",
        &[
            "domain",
            "ports",
            "schema",
            "prompt",
            "evidence",
            "codec",
            "eval",
            "pipeline",
            "delivery",
            "telemetry",
            "open_files",
            "file_watch",
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
            "evidence",
            "codec",
            "eval",
            "pipeline",
            "delivery",
            "telemetry",
            "open_files",
            "file_watch",
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
        return vec![(1, format!("module `{module}` is not in the table of tests/architecture/layers.rs"))];
    };
    imports(source, path.len())
        .into_iter()
        .filter(|(_, import)| import != module && !allowed.contains(&import.as_str()))
        .map(|(line, import)| (line, format!("`{module}` must not import `{import}`")))
        .collect()
}

/// The top-level modules that a source file names, each with its line: through `crate::…` and `structured_prompt::…`,
/// one by one or in braces, and through as many `super::` as lead from the module, `depth` levels deep, to the crate.
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
    assert_eq!(
        check(&path("new"), ""),
        [(1, "module `new` is not in the table of tests/architecture/layers.rs".to_owned())]
    );
}
