//! A running program with everything that the OpenAPI document speaks of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::program::{Answer, Program, authorization, send};
use super::wait_until;

/// What opens `/admin`.
pub const ADMIN_KEY: &str = "an admin key that has 32 characters";
/// A running program with a database, its document, and what opens it.
pub struct Service {
    pub program: Program,
    pub document: Value,
    pub key: String,
    /// The id of what was created at a path.
    pub created: BTreeMap<String, String>,
    _directory: tempfile::TempDir,
}

/// One operation of the document.
#[derive(Clone)]
pub struct Operation {
    pub method: String,
    pub path: String,
    pub says: Value,
}

impl Service {
    pub fn start() -> Self {
        Self::start_on("sqlite://api.db")
    }

    /// The same with this database.
    pub fn start_on(store: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("admin-key");
        std::fs::write(&file, ADMIN_KEY).expect("a file");
        let program = Program::start(&format!(
            "http: {{ listen: \"127.0.0.1:0\", admin_key_file: {file:?} }}\nstore: {{ url: \"{store}\" }}\n"
        ));
        let key = program.command(&["key", "create", "--name", "me", "--rate-limit", "1000000"]);
        let document = program.get("/openapi.json").body;
        Self { program, document, key, created: BTreeMap::new(), _directory: directory }
    }

    /// Every operation: what creates comes first, what deletes last.
    pub fn operations(&self) -> Vec<Operation> {
        let mut found = Vec::new();
        for method in ["post", "get", "put", "patch", "delete"] {
            for (path, item) in self.document["paths"].as_object().expect("paths") {
                if let Some(says) = item.get(method) {
                    found.push(Operation { method: method.to_uppercase(), path: path.clone(), says: says.clone() });
                }
            }
        }
        assert!(found.len() >= 14, "{}", found.len());
        found
    }

    /// The path of an operation's example.
    pub fn path(&self, operation: &Operation) -> String {
        let (mut path, mut query) = (operation.path.clone(), Vec::new());
        for parameter in operation.says["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let example = parameter["example"].as_str().map_or(parameter["example"].to_string(), str::to_owned);
            match parameter["in"].as_str() {
                Some("path") => {
                    let collection = path.split("/{").next().unwrap_or_default();
                    let id = self.created.get(collection).unwrap_or(&example);
                    path = path.replace(&format!("{{{name}}}"), id);
                }
                Some("query") if parameter.get("example").is_some() => query.push(format!("{name}={example}")),
                _ => {}
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    pub fn send(&self, operation: &Operation, key: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(self.program.address(), &operation.method, &self.path(operation), &self.headers(operation, key), &body)
    }

    /// The headers that an operation needs, and those that bring a key.
    pub fn headers(&self, operation: &Operation, key: &str) -> String {
        let mut headers = if key.is_empty() { String::new() } else { authorization(key) };
        for parameter in operation.says["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "header" && parameter["required"] == true {
                let text = |member: &str| parameter[member].as_str().expect("text");
                headers.push_str(&format!("{}: {}\r\n", text("name"), text("example")));
            }
        }
        headers
    }

    /// Sends an operation's example. Requests are taken down in batches, so the one that is asked for may come later.
    pub fn send_until_it_is_there(&self, operation: &Operation) -> Answer {
        let mut answer = None;
        wait_until(&operation.name(), Duration::from_secs(20), || {
            let got = self.send(operation, self.key_of(operation), &operation.example());
            let is_missing = got.status == 404;
            let text = format!("{got:?}");
            answer = Some(got);
            if is_missing { Err(text) } else { Ok(()) }
        });
        answer.expect("an answer")
    }

    /// The key that an operation asks for.
    pub fn key_of(&self, operation: &Operation) -> &str {
        match operation.says["security"][0].as_object().and_then(|scheme| scheme.keys().next()) {
            None => "",
            Some(scheme) if scheme == "admin_key" => ADMIN_KEY,
            Some(_) => &self.key,
        }
    }

    /// A schema with what it refers to; of one that may be null, the other.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.resolve(self.document.pointer(&reference[1..]).expect("what is referred to"));
        }
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        let mut objects = choices.filter(|choice| choice["type"] != "null");
        match (objects.next(), objects.next()) {
            (Some(only), None) => self.resolve(only),
            _ => schema,
        }
    }

    /// What is wrong with a value by a schema of the document.
    pub fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
        validator.iter_errors(value).map(|error| error.to_string()).collect()
    }
}

impl Operation {
    pub fn example(&self) -> Value {
        self.says["requestBody"]["content"]["application/json"]["example"].clone()
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// An interpreter that can run what is in `tests/tools/python`.
pub fn python() -> PathBuf {
    let python = std::env::var_os("STRUCTURED_PROMPT_TEST_PYTHON").expect(
        "STRUCTURED_PROMPT_TEST_PYTHON names a Python interpreter; `scripts/python-tools.sh` installs one and prints its path",
    );
    PathBuf::from(python)
}

/// A program of a Python package, beside the interpreter.
pub fn python_program(name: &str) -> Command {
    Command::new(python().with_file_name(name))
}

/// A file of the tests.
pub fn test_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// Runs a command to its end, and fails with all that it said if it did.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}
