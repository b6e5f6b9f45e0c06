//! What `--variant` says.

use crate::config::connector::changes::{Changes, Setting};
use crate::domain::nearest::nearest;

/// The name of the setting that belongs to the provider and not to the connector.
const MODEL: &str = "model";

/// A variant as it was written.
#[derive(Debug, Clone)]
pub(super) struct VariantArgument {
    pub(super) name: String,
    /// What differs in the connector.
    pub(super) changes: Changes,
    /// What the provider is asked for, if it differs.
    pub(super) model: Option<String>,
}

impl VariantArgument {
    /// The provider that it names.
    pub(super) fn provider(&self) -> Option<&str> {
        let mut settings = self.changes.settings.iter();
        settings.find(|(setting, _)| *setting == Setting::Provider).map(|(_, name)| name.as_str())
    }
}

/// Reads `NAME`, or `NAME=KEY:VALUE,…`.
pub(super) fn parse_variant(text: &str) -> Result<VariantArgument, String> {
    let (name, settings) = text.split_once('=').unwrap_or((text, ""));
    if name.trim().is_empty() {
        return Err("the variant has no name; write for example cheap=provider:gpt,model:gpt-5-mini".to_owned());
    }
    let (mut changes, mut model) = (Changes { name: format!("--variant {name}"), settings: Vec::new() }, None);
    for setting in settings.split(',').filter(|setting| !setting.trim().is_empty()) {
        let Some((key, value)) = setting.split_once(':').map(|(key, value)| (key.trim(), value.trim())) else {
            return Err(format!("{setting:?} is no setting; write KEY:VALUE, for example provider:gpt"));
        };
        let is_known = model.is_some() && key == MODEL;
        match Setting::of_name(key) {
            _ if value.is_empty() => return Err(format!("{key} has no value")),
            _ if is_known => return Err(format!("{key} is there twice")),
            Some(known) if changes.settings.iter().any(|(own, _)| *own == known) => {
                return Err(format!("{key} is there twice"));
            }
            Some(known) => changes.settings.push((known, value.to_owned())),
            None if key == MODEL => model = Some(value.to_owned()),
            None => return Err(unknown(key)),
        }
    }
    Ok(VariantArgument { name: name.trim().to_owned(), changes, model })
}

fn unknown(key: &str) -> String {
    let names = || Setting::ALL.into_iter().map(Setting::as_str).chain([MODEL]);
    let known = || format!("write one of {}", names().collect::<Vec<_>>().join(", "));
    let help = nearest(key, names()).map_or_else(known, |near| format!("did you mean {near}?"));
    format!("a variant has no {key}; {help}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_a_name_with_settings() {
        let variant = parse_variant("cheap=provider:gpt, model:ft:gpt-5-mini:acme,temperature:0").unwrap();
        assert_eq!((variant.name.as_str(), variant.model.as_deref()), ("cheap", Some("ft:gpt-5-mini:acme")));
        assert_eq!(variant.provider(), Some("gpt"));
        assert_eq!(variant.changes.settings[1], (Setting::Temperature, "0".to_owned()));
        assert_eq!(parse_variant("plain").unwrap().changes.settings, []);
    }

    #[test]
    fn what_is_no_variant_is_refused_with_what_to_write() {
        for (text, part) in [
            ("=provider:gpt", "has no name"),
            ("a=provider", "write KEY:VALUE"),
            ("a=provider:", "provider has no value"),
            ("a=provider:x,provider:y", "provider is there twice"),
            ("a=model:x,model:y", "model is there twice"),
            ("a=provder:gpt", "did you mean provider?"),
            (
                "a=colour:red",
                "write one of provider, template, prompt, schema, temperature, evidence, confidence_threshold, model",
            ),
        ] {
            let error = parse_variant(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
