//! No files import each other in a circle: each can be read before those that need it.
//!
//! What a file takes from the file of a module that it is inside of does not count: it is a part of that module. Nor do
//! tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use super::tokens::tokens;
use super::{module_path, rust_files};

/// The path of a module: `kafka`, `session`, `ledger`.
type Module = Vec<String>;

/// Each module with those that it imports from.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_files_import_each_other() -> io::Result<()> {
    let imports = imports(&sources()?);
    let found: Vec<String> = circles(&imports)
        .iter()
        .map(|circle| format!("{}\n  {}", names(circle).join(", "), arrows(circle, &imports).join("\n  ")))
        .collect();
    assert!(found.is_empty(), "files that import each other; move what both need to a third:\n{}\n", found.join("\n"));
    Ok(())
}

/// Every module with the words of its file.
fn sources() -> io::Result<BTreeMap<Module, Vec<String>>> {
    let mut sources = BTreeMap::new();
    for file in rust_files("src") {
        if let Some(module) = module_path(&file) {
            sources.insert(module, words(&fs::read_to_string(&file)?));
        }
    }
    Ok(sources)
}

fn words(source: &str) -> Vec<String> {
    tokens(source).into_iter().map(|(_line, token)| token).collect()
}

/// What each module imports, without its tests.
fn imports(sources: &BTreeMap<Module, Vec<String>>) -> Imports {
    let mut tests = BTreeSet::new();
    let mut plain = BTreeMap::new();
    for (module, words) in sources {
        let (words, names) = without_tests(words);
        tests.extend(names.into_iter().map(|name| [module.as_slice(), &[name]].concat()));
        plain.insert(module, words);
    }
    let is_test = |module: &Module| (1..=module.len()).any(|length| tests.contains(&module[..length]));
    let others = |module: &Module, words: &[String]| -> BTreeSet<Module> {
        let targets = paths(words).into_iter().filter_map(|path| resolve(module, &path, sources));
        targets.filter(|target| !module.starts_with(target) && !is_test(target)).collect()
    };
    plain
        .into_iter()
        .filter(|(module, _)| !is_test(module))
        .map(|(module, words)| (module.clone(), others(module, &words)))
        .collect()
}

/// The words of a file without what is compiled for tests only, and the names of the modules among that.
fn without_tests(words: &[String]) -> (Vec<String>, Vec<String>) {
    const TEST_ONLY: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut rest = words;
    while !rest.is_empty() {
        if rest.len() >= TEST_ONLY.len() && rest.iter().zip(TEST_ONLY).all(|(word, expected)| word == expected) {
            rest = &rest[TEST_ONLY.len()..];
            let length = item_length(rest);
            let name = rest[..length].iter().skip_while(|word| *word != "mod").nth(1);
            modules.extend(name.cloned());
            rest = &rest[length..];
        } else {
            kept.push(rest[0].clone());
            rest = &rest[1..];
        }
    }
    (kept, modules)
}

/// Words of the item, statement or field that a text begins with.
fn item_length(words: &[String]) -> usize {
    let is_field = words.get(1).is_some_and(|word| word == ":");
    let mut depth = 0_usize;
    for (index, word) in words.iter().enumerate() {
        match word.as_str() {
            ")" | "]" | "}" if depth == 0 => return index,
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" if depth == 1 => return index + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return index + 1,
            "," if depth == 0 && is_field => return index + 1,
            _ => {}
        }
    }
    words.len()
}

/// All paths that a file imports, and those that it writes out from `crate`, `self` or `super` on.
fn paths(words: &[String]) -> Vec<Module> {
    let mut paths = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let is_import = words[index] == "use";
        let is_path = matches!(words[index].as_str(), "crate" | "self" | "super");
        let is_path = is_path && words.get(index + 1).is_some_and(|word| word == "::");
        let start = index + usize::from(is_import);
        index = if is_import || is_path { start + tree(&words[start..], &[], &mut paths) } else { start + 1 };
    }
    paths
}

/// Reads one path, or the tree that it ends in, and returns how many words that took.
fn tree(words: &[String], before: &[String], paths: &mut Vec<Module>) -> usize {
    let at = |index: usize| words.get(index).map_or("", String::as_str);
    let mut path = before.to_vec();
    let mut index = 0;
    if at(index) == "{" {
        index += 1;
        while !matches!(at(index), "}" | "") {
            index += if at(index) == "," { 1 } else { tree(&words[index..], before, paths) };
        }
        return index + 1;
    }
    path.push(at(index).to_owned());
    index += 1;
    if at(index) == "::" {
        return index + 1 + tree(&words[index + 1..], &path, paths);
    }
    paths.push(path);
    // Whatever it is called here.
    index + if at(index) == "as" { 2 } else { 0 }
}

/// The module of ours that a path from `module` leads to or into.
fn resolve<T>(module: &Module, path: &[String], modules: &BTreeMap<Module, T>) -> Option<Module> {
    let supers = path.iter().take_while(|word| *word == "super").count();
    let from_here = || [module.as_slice(), path].concat();
    let whole = match path.first()?.as_str() {
        "crate" => path[1..].to_vec(),
        "self" => [module.as_slice(), &path[1..]].concat(),
        "super" => [&module[..module.len().checked_sub(supers)?], &path[supers..]].concat(),
        // A module of this file's, or another crate.
        _ if modules.contains_key(&from_here()[..=module.len()]) => from_here(),
        _ => return None,
    };
    (1..=whole.len()).rev().map(|length| whole[..length].to_vec()).find(|module| modules.contains_key(module))
}

/// Groups of modules each of which is reached from all others of its group.
fn circles(imports: &Imports) -> Vec<Vec<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (module, reached(module, imports))).collect();
    let circle = |module: &Module| -> Vec<Module> {
        let others = reached[module].iter().filter(|other| reached[*other].contains(module));
        others.map(|other| (*other).clone()).collect()
    };
    let circles: BTreeSet<_> = imports.keys().map(circle).filter(|circle| !circle.is_empty()).collect();
    circles.into_iter().collect()
}

fn reached<'a>(start: &'a Module, imports: &'a Imports) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        open.extend(imports[module].iter().filter(|next| reached.insert(*next)));
    }
    reached
}

fn names(circle: &[Module]) -> Vec<String> {
    circle.iter().map(|module| module.join("/")).collect()
}

/// Which of a circle imports which.
fn arrows(circle: &[Module], imports: &Imports) -> Vec<String> {
    let arrows = circle.iter().flat_map(|from| imports[from].iter().map(move |to| (from, to)));
    let inside = arrows.filter(|(_, to)| circle.contains(to));
    inside.map(|(from, to)| format!("{} imports {}", from.join("/"), to.join("/"))).collect()
}

/// The circles of files with these sources.
fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let module = |name: &str| name.split('/').map(str::to_owned).collect();
    let sources = files.iter().map(|(name, source)| (module(name), words(source))).collect();
    circles(&imports(&sources)).iter().map(|circle| names(circle)).collect()
}

#[test]
fn a_circle_is_found_however_the_import_is_written() {
    for import in [
        "use crate::a::One;",
        "use super::a::{One, Two};",
        "use super::{a, c};",
        "use crate::{c::{Three, Four}, a::One as First};",
        "pub(crate) use super::super::b::a::One;",
        "fn f() -> crate::a::One {}",
        "fn f() { super::a::run() }",
    ] {
        let import = import
            .replace("crate::a", "crate::b::a")
            .replace("crate::{c::", "crate::{d::")
            .replace("a::One as", "b::a::One as");
        let files = [
            ("b", "pub mod a; mod x; mod c;"),
            ("b/a", "use super::x::Y;"),
            ("b/x", import.as_str()),
            ("b/c", ""),
            ("d", ""),
        ];
        assert_eq!(found(&files), [["b/a", "b/x"]], "{import}");
    }
}

#[test]
fn a_circle_over_several_files_is_one() {
    let files = [("a", "use crate::b;"), ("b", "use crate::c::X;"), ("c", "use crate::a;"), ("d", "use crate::a;")];
    assert_eq!(found(&files), [["a", "b", "c"]]);
    assert_eq!(
        found(&[("a", "use self::b::X; use b::Y;"), ("a/b", "use crate::c;"), ("c", "use crate::a::Z;")]),
        [["a", "a/b", "c"]]
    );
}

#[test]
fn a_part_may_use_its_module_and_tests_may_use_all() {
    assert_eq!(found(&[("a", "mod b; use self::b::X;"), ("a/b", "use super::Y;")]), Vec::<Vec<String>>::new());
    let tests = "#[cfg(test)] mod tests; #[cfg(test)] use crate::b::X; #[cfg(test)] fn f(x: [u8; 2]) { crate::b::f() }
        struct S { #[cfg(test)] own: crate::b::X, other: u8 } #[cfg(test)] mod inside { use crate::b::X; }";
    let files = [("a", tests), ("a/tests", "use crate::b::X;"), ("b", "use crate::a::S; use crate::a::tests::Y;")];
    assert_eq!(found(&files), Vec::<Vec<String>>::new());
    assert_eq!(found(&[("a", &format!("{tests} use crate::b::Z;")), ("b", "use crate::a::S;")]), [["a", "b"]]);
}
