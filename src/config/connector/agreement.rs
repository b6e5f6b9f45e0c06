//! The section `options.agreement`.

use super::RuntimeDefaults;
use super::named_provider::check_provider;
use crate::config::diagnostics::Diagnostics;
use crate::config::document::{Node, Value};
use crate::config::section::Section;
use crate::config::values::{Problem, choice, text};
use crate::pipeline::agreement::{AgreementSettings, Sample};

/// When a second provider is asked beside the sample.
#[derive(Debug, Clone, Copy)]
enum When {
    /// Where a value does not stand in the record's text.
    Ungrounded,
}

const WHEN: &[(&str, When)] = &[("ungrounded", When::Ungrounded)];

/// Millionths in a percent, as decimal places below it.
const PLACES: usize = 4;

/// Of which answers which provider is asked, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorAgreement {
    /// The second provider.
    pub provider: String,
    /// Which answers it is asked about.
    pub settings: AgreementSettings,
}

/// Reads the section of a connector that asks the provider `first`, or whom the routing chooses. `None` if it was left
/// out.
pub(super) fn read(
    diagnostics: &Diagnostics,
    options: &mut Section<'_>,
    first: Option<&str>,
    defaults: &RuntimeDefaults,
) -> Option<ConnectorAgreement> {
    let is_written = options.node("agreement").is_some_and(|node| matches!(node.value, Value::Map(_)));
    let mut section = options.section("agreement");
    let provider = if is_written { section.require("provider", text) } else { section.get("provider", text) };
    let sample = section.get("sample", percent);
    let when = section.get("when", choice(WHEN, &[]));
    let mut is_left_out = |key| section.node(key).is_none_or(|node| node.value == Value::Null);
    if is_written && is_left_out("sample") && is_left_out("when") {
        let help = "add sample: 5%, or when: ungrounded, or both";
        diagnostics.note(section.location(), Problem::new("nothing says which answers are compared", help));
    }
    if let Some(name) = &provider {
        let help = "set the variable, or name another provider";
        check_provider(diagnostics, &section.location_of("provider"), name, defaults, help);
        if first == Some(name.as_str()) {
            let help = "name another provider here: one that is asked twice says little about itself";
            let problem = Problem::new(format!("{name} is the provider that is asked first"), help);
            diagnostics.note(&section.location_of("provider"), problem);
        }
    }
    section.finish();
    let settings = AgreementSettings { sample, when_ungrounded: matches!(when, Some(When::Ungrounded)) };
    Some(ConnectorAgreement { provider: provider?, settings })
}

/// A share of all events as a percentage: `5%`, `0.25%`.
fn percent(node: &Node) -> Result<Sample, Problem> {
    const HELP: &str = "write a percentage with its sign, for example 5% or 0.25%";
    let value = node.scalar();
    let Value::Text { text, .. } = &value else {
        return Err(Problem::expected("a percentage", &value).help(HELP));
    };
    let number = text.strip_suffix('%').ok_or_else(|| Problem::new("this is not a percentage", HELP))?;
    let (whole, places) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(places) || places.len() > PLACES {
        return Err(Problem::new("this is not a percentage with at most four decimal places", HELP));
    }
    let millionths = format!("{whole}{places:0<PLACES$}").parse().unwrap_or(u32::MAX);
    if (1..=Sample::ALL).contains(&millionths) {
        return Ok(Sample::millionths(millionths));
    }
    Err(Problem::new("expected more than 0% and at most 100%", "to compare nothing, leave agreement out"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document::Origin;

    #[test]
    fn a_share_is_written_as_a_percentage() {
        let read = |text: &str| percent(&Node { origin: Origin::Whole, value: Value::of_plain(text) });
        for (text, millionths) in [
            ("5%", 50_000),
            ("0.25%", 2_500),
            ("100%", 1_000_000),
            ("0.0001%", 1),
            ("12.5%", 125_000),
            ("05.0%", 50_000),
        ] {
            assert_eq!(read(text), Ok(Sample::millionths(millionths)), "{text}");
        }
        for text in
            ["5", "0.05", "5 %", "%", "5.%", ".5%", "-5%", "0%", "0.0%", "101%", "100.0001%", "0.00001%", "half"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("99999999999999999999%").is_err());
    }
}
