//! Expressions beside the prompt: a condition on a record, and a short text about a record and its result. They are
//! written and bounded as templates are, and see the same.

use minijinja::{Environment, ErrorKind};
use serde_json::Value as Json;

use super::context::{self, RESULT};
use super::engine::{self, explain};
use super::reads::Reads;
use super::{MAIN, RECORD_ROOTS, Scope, TemplateError, check_variables, compile, syntax_error};
use crate::domain::failure::{Code, Failure};

/// What a text about a result can see.
const RESULT_ROOTS: [&str; 5] = ["data", "event", "headers", "key", RESULT];

/// A condition on a record: an expression as it stands in a template behind `if`.
#[derive(Debug, PartialEq, Eq)]
pub struct Condition(Expression);

impl Condition {
    /// The condition that is written under this key of a connector file.
    ///
    /// # Errors
    /// A syntax error, or a variable that does not exist, with its line.
    pub fn new(key: &'static str, source: &str) -> Result<Self, TemplateError> {
        let environment = engine::environment();
        // By itself first: it must not end the block that it is put into.
        environment.compile_expression(source).map_err(|error| syntax_error(&error))?;
        let block = format!("{{% if {source} %}}true{{% endif %}}");
        Expression::new(environment, key, source, &block, &RECORD_ROOTS).map(Self)
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether the record fulfils it.
    ///
    /// # Errors
    /// `template_failed`: it reads what this record does not have.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Failure> {
        self.0.run(scope, None).map(|text| !text.is_empty())
    }
}

/// A text about a record and its result, as a template over both: `result` is the answer's data.
#[derive(Debug, PartialEq, Eq)]
pub struct ResultText {
    expression: Expression,
    reads_result: bool,
}

impl ResultText {
    /// The text that is written under this key of a connector file.
    ///
    /// # Errors
    /// A syntax error, or a variable that does not exist, with its line.
    pub fn new(key: &'static str, source: &str) -> Result<Self, TemplateError> {
        let expression = Expression::new(engine::environment(), key, source, source, &RESULT_ROOTS)?;
        let reads_result = expression.reads.roots.contains_key(RESULT);
        Ok(Self { expression, reads_result })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.expression.source
    }

    /// Whether it needs the answer's data.
    pub fn reads_result(&self) -> bool {
        self.reads_result
    }

    /// The text.
    ///
    /// # Errors
    /// `template_failed`: it reads what this record or its result does not have.
    pub fn render(&self, scope: &Scope<'_>, result: Option<&Json>) -> Result<String, Failure> {
        self.expression.run(scope, result)
    }
}

#[derive(Debug)]
struct Expression {
    /// Where it is written, for errors.
    key: &'static str,
    source: String,
    environment: Environment<'static>,
    reads: Reads,
}

/// What is written the same does the same.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        (self.key, &self.source) == (other.key, &other.source)
    }
}

impl Eq for Expression {}

impl Expression {
    fn new(
        mut environment: Environment<'static>,
        key: &'static str,
        source: &str,
        template: &str,
        visible: &[&str],
    ) -> Result<Self, TemplateError> {
        let wanted = compile(&mut environment, MAIN, template)?;
        check_variables(template, &wanted, visible)?;
        Ok(Self { key, source: source.to_owned(), environment, reads: Reads::of(template, visible) })
    }

    fn run(&self, scope: &Scope<'_>, result: Option<&Json>) -> Result<String, Failure> {
        let context = context::build(&self.reads, scope, result).map_err(|why| self.failed(None, &why.to_string()))?;
        let rendered = self.environment.get_template(MAIN).and_then(|template| template.render(context));
        rendered.map_err(|error| {
            let reason = if error.kind() == ErrorKind::UndefinedError {
                context::explain_undefined(&self.reads, error.line(), scope, result)
            } else {
                explain(&error)
            };
            self.failed(error.line(), &reason)
        })
    }

    fn failed(&self, line: Option<usize>, reason: &str) -> Failure {
        let line = line.filter(|line| *line > 1).map_or_else(String::new, |line| format!(", line {line}"));
        Failure::new(Code::TemplateFailed, format!("{}{line}: {reason}", self.key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::domain::event::{Data, Event};
    use crate::prompt::template::Key;

    fn event(data: Json) -> Event {
        Event {
            id: "1".into(),
            source: "/shop".into(),
            kind: "order.changed".into(),
            subject: None,
            time: None,
            data_content_type: None,
            data_schema: None,
            extensions: BTreeMap::new(),
            data: Data::Json(data),
        }
    }

    #[test]
    fn a_condition_decides_by_what_the_record_has() {
        let event = event(json!({ "op": "u", "after": { "total": 120.5, "note": "" } }));
        let scope = Scope { event: &event, key: Some(Key::Bytes(b"eu-7")), headers: &[] };
        for (source, expected) in [
            ("data.op in ['c', 'u']", true),
            ("data.op == 'd'", false),
            ("data.after.total > 100 and not data.after.note", true),
            ("data.before is defined", false),
        ] {
            let condition = Condition::new("source.filter", source).unwrap_or_else(|error| panic!("{source}: {error}"));
            assert_eq!(condition.holds(&scope).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn what_a_record_lacks_fails_with_its_name_and_without_values() {
        let event = event(json!({ "op": "s3cret" }));
        let scope = Scope { event: &event, key: None, headers: &[] };
        let failure = Condition::new("source.filter", "data.before.id == 1").unwrap().holds(&scope).unwrap_err();
        assert_eq!(failure.code, Code::TemplateFailed);
        assert_eq!(failure.detail, "source.filter: data.before.id is undefined");
        let text = ResultText::new("sink.kafka.key", "{{ data.op }}-{{ result.id }}").unwrap();
        let failure = text.render(&scope, Some(&json!({}))).unwrap_err();
        assert_eq!(failure.detail, "sink.kafka.key: result.id is undefined");
    }

    #[test]
    fn a_text_sees_the_record_and_its_result() {
        let event = event(json!({ "customer": 7 }));
        let scope = Scope { event: &event, key: None, headers: &[] };
        let text = ResultText::new("sink.kafka.key", "{{ data.customer }}/{{ result.priority }}").unwrap();
        assert!(text.reads_result());
        assert_eq!(text.render(&scope, Some(&json!({ "priority": "high" }))).unwrap(), "7/high");
        assert!(!ResultText::new("sink.kafka.key", "{{ event.source }}").unwrap().reads_result());
    }

    #[test]
    fn mistakes_are_found_when_it_is_compiled() {
        for (source, expected) in [
            ("data.op ==", "syntax error"),
            ("dat.op == 1", "there is no variable dat (did you mean data?)"),
            ("result.op == 1", "there is no variable result"),
            ("true %}{% if data.x", "syntax error"),
        ] {
            let error = Condition::new("source.filter", source).map(drop).expect_err(source).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
        assert!(ResultText::new("sink.kafka.key", "{{ results }}").is_err());
    }
}
