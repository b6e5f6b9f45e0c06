use std::fs;

use super::*;

fn lint(directory: &Path, paths: &[&str]) -> (Exit, String) {
    let mut out = Vec::new();
    let args = Args { paths: paths.iter().map(PathBuf::from).collect() };
    let exit = run(&args, directory, &mut out).unwrap();
    (exit, String::from_utf8(out).unwrap())
}

#[test]
fn what_we_ship_has_no_findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (exit, out) = lint(root, &["config/structured-prompt.yaml", "connectors"]);
    assert_eq!(exit, Exit::Done);
    let (notes, end) = out.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(end, "2 files, no findings");
    let notes: Vec<&str> = notes.lines().collect();
    assert_eq!(notes.len(), 3, "one for each provider that may be asked: {out}");
    assert!(notes[0].contains("note: gemini does not enforce /properties/summary/minLength, "), "{out}");
}

#[test]
fn findings_are_printed_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.yaml"), "name: a\n").unwrap();
    fs::write(directory.path().join("b.yaml"), "hello: 1\n").unwrap();
    fs::write(directory.path().join("c.yaml"), "providers: { gpt: { modle: x } }\n").unwrap();
    let (exit, out) = lint(directory.path(), &["."]);
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("source.kafka.topics: is missing"), "{out}");
    assert!(out.contains("neither a connector nor a runtime configuration"), "{out}");
    assert!(out.contains("did you mean `model`?"), "{out}");
    assert!(out.ends_with("6 findings in 3 files\n"), "{out}");
}

#[test]
fn a_path_that_does_not_exist_is_wrong_use() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(lint(directory.path(), &[]).0, Exit::WrongUse);
    let (exit, out) = lint(directory.path(), &["nowhere.yaml"]);
    assert!(exit == Exit::WrongUse && out.contains("nowhere.yaml: there is no such file"), "{out}");
}
