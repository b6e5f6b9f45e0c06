//! Accept: is this prompt something we are willing to pay for?

use crate::domain::answer::Flag;
use crate::domain::failure::{Code, Failure};
use crate::pipeline::spec::{Checks, PatternPolicy};
use crate::prompt::normalise::normalise;
use crate::prompt::patterns;
use crate::prompt::template::Rendered;

/// A prompt within the limits.
#[derive(Debug, PartialEq)]
pub struct Accepted {
    /// The normalised text.
    pub prompt: String,
    /// The record's own part of it, where that is known.
    pub content: Option<String>,
    /// What to note about it.
    pub flags: Vec<Flag>,
}

/// Normalises the prompt and holds it against the limits. `on_pattern` is told the name of each pattern of injection
/// that it has.
///
/// # Errors
/// `prompt_empty`, `prompt_too_long`, or `suspicious_input` where the policy is to reject.
pub fn accept(rendered: Rendered, checks: &Checks, on_pattern: impl FnMut(&'static str)) -> Result<Accepted, Failure> {
    let Rendered { prompt, content } = rendered;
    let prompt = normalise(prompt);
    let content = content.map(normalise);
    if prompt.is_empty() || content.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::new(
            Code::PromptEmpty,
            "nothing is left of the text after white space and control characters are removed; check the sender, or the \
             field that the template reads",
        ));
    }
    check_length(&prompt, checks.max_prompt_chars)?;
    let flags = check_patterns(&prompt, content.as_deref(), checks.patterns, on_pattern)?;
    Ok(Accepted { prompt, content, flags })
}

fn check_length(prompt: &str, limit: usize) -> Result<(), Failure> {
    // A character takes at least a byte: most prompts need no count.
    if prompt.len() <= limit {
        return Ok(());
    }
    let chars = prompt.chars().count();
    if chars <= limit {
        return Ok(());
    }
    Err(Failure::new(
        Code::PromptTooLong,
        format!(
            "the prompt has {chars} characters, the limit is {limit}; shorten the text, or the field that the template \
             reads"
        ),
    ))
}

fn check_patterns(
    prompt: &str,
    content: Option<&str>,
    policy: PatternPolicy,
    on_pattern: impl FnMut(&'static str),
) -> Result<Vec<Flag>, Failure> {
    if policy == PatternPolicy::Off {
        return Ok(Vec::new());
    }
    let names = patterns::suspicious(prompt, content);
    names.iter().copied().for_each(on_pattern);
    if policy == PatternPolicy::Reject && !names.is_empty() {
        let message = format!(
            "the prompt matches the pattern `{}`; reword it, or let the configuration's suspicious_input be flag",
            names.join("`, `")
        );
        return Err(Failure::new(Code::SuspiciousInput, message));
    }
    Ok(names.into_iter().map(Flag::SuspiciousInput).collect())
}
