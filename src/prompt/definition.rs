//! A prompt template as its author defines it: a text, its parameters, and the schema of its answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::library::Source;
use super::template::{Template, TemplateError};
use crate::domain::nearest::nearest;

/// Longest name of a parameter.
const MAX_NAME_CHARS: usize = 64;

/// What a template is kept as. The names of its fields are those of the stored document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateDefinition {
    /// The text in Jinja syntax. Its variables are the parameters.
    #[serde(rename = "template")]
    pub text: String,
    /// Everything that the text can print.
    pub parameters: Vec<Parameter>,
    /// The schema of requests that use the template and name no other.
    pub schema_id: Option<String>,
}

/// A parameter of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What it is when it is left out; without one it is required.
    pub default: Option<String>,
}

/// What is wrong with a value for a template's parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// The name as it was sent, or as it is missing.
    pub name: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl TemplateDefinition {
    /// That of a built-in template.
    pub fn of_built_in(source: &Source) -> Self {
        let parameter = |parameter: super::library::Parameter| Parameter {
            name: parameter.name.to_owned(),
            description: parameter.description.to_owned(),
            default: parameter.default.map(str::to_owned),
        };
        Self {
            text: source.text.to_owned(),
            parameters: source.parameters().into_iter().map(parameter).collect(),
            schema_id: Some(source.schema().to_owned()),
        }
    }

    /// The template for requests that bring the parameters' values as data: what is compiled only says where they
    /// stand.
    ///
    /// # Errors
    /// What is wrong with the text, or which of its variables is no parameter, and the other way round.
    pub fn over_values(&self, name: &str, version: &str) -> Result<Template, TemplateError> {
        let program = |name: &String| (name.clone(), format!("{{{{ data.{name} }}}}"));
        let programs = self.parameters.iter().map(|parameter| program(&parameter.name)).collect();
        Template::from_source(name, version, &self.text, &programs)
    }

    /// The template for records, of which `programs` says what each parameter is filled with.
    ///
    /// # Errors
    /// As for [`Template::named`].
    pub fn over_records(
        &self,
        name: &str,
        version: &str,
        programs: &BTreeMap<String, String>,
    ) -> Result<Template, TemplateError> {
        let mut programs = programs.clone();
        for Parameter { name, default, .. } in &self.parameters {
            if let (Some(default), false) = (default, programs.contains_key(name)) {
                // As a literal: it is no template.
                programs.insert(name.clone(), format!("{{{{ {} }}}}", serde_json::Value::from(default.as_str())));
            }
        }
        Template::from_source(name, version, &self.text, &programs)
    }

    /// The value of each parameter, those that are left out by their defaults.
    ///
    /// # Errors
    /// Each name that there is not, and each that is missing.
    pub fn fill(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Vec<ParameterError>> {
        let names = || self.parameters.iter().map(|parameter| parameter.name.as_str());
        let is_unset = |name: &&str| !given.contains_key(*name);
        let error = |name: &str, message: String| ParameterError { name: name.to_owned(), message };
        let mut errors = Vec::new();
        for unknown in given.keys().filter(|name| !names().any(|known| known == *name)) {
            let help = match nearest(unknown, names().filter(is_unset)) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
            };
            errors.push(error(unknown, format!("the template has no such parameter; {help}")));
        }
        let mut values = BTreeMap::new();
        for Parameter { name, default, .. } in &self.parameters {
            match given.get(name).or(default.as_ref()) {
                Some(value) => drop(values.insert(name.clone(), value.clone())),
                None => errors.push(error(name, "the template needs this parameter".to_owned())),
            }
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }
}

/// Whether a parameter can have this name, so that a template can write it.
pub fn is_parameter_name(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARS
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Data, Event};
    use crate::prompt::library;
    use crate::prompt::template::Scope;

    fn definition() -> TemplateDefinition {
        let parameter = |name: &str, default: Option<&str>| Parameter {
            name: name.to_owned(),
            description: String::new(),
            default: default.map(str::to_owned),
        };
        TemplateDefinition {
            text: "{{ greeting }}, {{ name }}!".to_owned(),
            parameters: vec![parameter("greeting", Some("{{ \"Hello\" }}\n")), parameter("name", None)],
            schema_id: None,
        }
    }

    fn values(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_left_out_is_filled_by_its_default_and_what_is_wrong_is_named() {
        let filled = definition().fill(&values(&[("name", "you")])).unwrap();
        assert_eq!(filled, values(&[("greeting", "{{ \"Hello\" }}\n"), ("name", "you")]));
        let errors = definition().fill(&values(&[("nmae", "you"), ("greeting", "Hi")])).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.name.as_str(), error.message.as_str())).collect();
        let expected = [
            ("nmae", "the template has no such parameter; did you mean name?"),
            ("name", "the template needs this parameter"),
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn a_default_is_a_text_and_no_template() {
        let template = definition().over_records("greeting", "1.0.0", &values(&[("name", "{{ data.who }}")])).unwrap();
        let event = Event {
            id: "1".to_owned(),
            source: "/".to_owned(),
            kind: "t".to_owned(),
            subject: None,
            time: None,
            data_content_type: None,
            data_schema: None,
            extensions: BTreeMap::default(),
            data: Data::Json(serde_json::json!({ "who": "{{ you }}" })),
        };
        let rendered = template.render(&Scope { event: &event, key: None, headers: &[] }).unwrap();
        assert_eq!(rendered.prompt, "{{ \"Hello\" }}\n, {{ you }}!");
    }

    #[test]
    fn variables_and_parameters_must_be_the_same() {
        let with = |text: &str| TemplateDefinition { text: text.to_owned(), ..definition() };
        let surplus = with("{{ name }}").over_values("t", "1.0.0").unwrap_err();
        assert_eq!(surplus.parameter.as_deref(), Some("greeting"));
        let missing = with("{{ greeting }} {{ name }} {{ other }}").over_values("t", "1.0.0").unwrap_err();
        assert!(missing.message.contains("other"), "{missing}");
        let broken = with("{{ greeting }}\n{{ name }").over_values("t", "1.0.0").unwrap_err();
        assert_eq!((broken.parameter, broken.line), (None, Some(2)));
    }

    #[test]
    fn built_in_templates_are_defined_like_those_of_users() {
        for source in library::all() {
            let definition = TemplateDefinition::of_built_in(source);
            definition.over_values(source.name, source.version).unwrap();
            let document = serde_json::to_string(&definition).unwrap();
            assert_eq!(serde_json::from_str::<TemplateDefinition>(&document).unwrap(), definition);
        }
    }
}
