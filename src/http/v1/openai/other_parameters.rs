//! Parameters of OpenAI's format that nothing here corresponds to. `docs/openai.md` lists them; a test compares.

use serde_json::Value;

use crate::http::fields::Fields;

/// Taken, and without effect on the answer's form: they say how a model samples or how OpenAI keeps its books.
pub const IGNORED: [&str; 15] = [
    "frequency_penalty",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "seed",
    "service_tier",
    "store",
    "top_p",
    "user",
    "verbosity",
];

/// Refused, each with the reason: whoever sends them expects something that does not come.
pub const REFUSED: [(&str, &str); 14] = [
    ("audio", TEXT),
    ("function_call", TOOLS),
    ("functions", TOOLS),
    ("logit_bias", WHOLE),
    ("logprobs", LOGPROBS),
    ("modalities", TEXT),
    ("moderation", "nothing is moderated here; leave it out"),
    ("n", "there is one answer; ask several times, with options.bypass_cache"),
    ("prediction", WHOLE),
    ("stop", WHOLE),
    ("tool_choice", TOOLS),
    ("tools", TOOLS),
    ("top_logprobs", LOGPROBS),
    ("web_search_options", "nothing is looked up on the web; leave it out"),
];

const TEXT: &str = "the answer is text; leave it out";
const TOOLS: &str = "there are no tools; say in response_format what the answer looks like";
const LOGPROBS: &str = "there are none; structured_prompt.confidence of the answer says how sure it is";
const WHOLE: &str = "the answer is a whole object, which nothing else may shape; leave it out";

/// Reads them, and returns those that are ignored. Those that are refused are noted.
pub fn read(fields: &mut Fields<'_>) -> Vec<&'static str> {
    for (name, reason) in REFUSED {
        if fields.value(name).is_some_and(|value| !asks_for_nothing(name, &value)) {
            fields.error(name, reason);
        }
    }
    IGNORED.into_iter().filter(|name| fields.value(name).is_some()).collect()
}

/// Whether a parameter says what holds anyway. Clients send such values without being asked to.
pub fn asks_for_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Array(items) => items.is_empty() || (name == "modalities" && items.iter().all(|item| item == "text")),
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => name == "n" && number.as_u64() == Some(1),
        Value::String(text) => {
            matches!(name, "tool_choice" | "function_call") && matches!(text.as_str(), "none" | "auto")
        }
    }
}
