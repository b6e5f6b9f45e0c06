//! What traces say of one call of a model (the semantic conventions for generative AI).

use std::borrow::Cow;

use crate::domain::answer::Usage;
use crate::pipeline::route::provider::Provider;
use crate::ports::model::{Call, CallError, Finish, Reply};
use crate::telemetry::traces::names::{gen_ai, general, own};
use crate::telemetry::traces::span::{Attribute, SpanKind, Value};
use crate::telemetry::traces::trace::{OpenSpan, Trace};

/// The span of a call that begins now. `step` is the ladder's word for it.
pub(super) fn begin(trace: &Trace, provider: &Provider, call: &Call<'_>, step: &'static str) -> OpenSpan {
    let model = provider.model();
    let name = || Cow::Owned(format!("{} {}", gen_ai::CHAT, model.family()));
    let mut span = trace.span_of(SpanKind::Client, name);
    let has_texts = trace.has_texts();
    span.note_all(|attributes| {
        attributes.extend([
            (gen_ai::OPERATION, gen_ai::CHAT.into()),
            (gen_ai::PROVIDER, Value::text(model.vendor())),
            (gen_ai::REQUEST_MODEL, Value::text(model.family())),
            (gen_ai::OUTPUT_TYPE, "json".into()),
            (own::PROVIDER, Value::text(provider.name())),
            (own::STEP, step.into()),
        ]);
        let max_tokens = call.max_tokens.or(call.spec.max_tokens).unwrap_or_else(|| model.max_tokens());
        attributes.push((gen_ai::MAX_TOKENS, Value::Int(i64::from(max_tokens))));
        attributes.extend(call.spec.temperature.map(|temperature| (gen_ai::TEMPERATURE, Value::Double(temperature))));
        if let Some((host, port)) = model.server() {
            attributes.push((general::SERVER_ADDRESS, Value::text(host)));
            attributes.push((general::SERVER_PORT, Value::Int(i64::from(port))));
        }
        if has_texts {
            attributes.push(message(gen_ai::INPUT_MESSAGES, "user", call.prompt));
        }
    });
    span
}

/// Notes how the call ended: the reply, what it is charged as, and what that costs.
pub(super) fn end(span: &mut OpenSpan, outcome: Result<(&Reply, Usage, f64), &CallError>, has_texts: bool) {
    let (reply, charged, cost_usd) = match outcome {
        Ok(paid) => paid,
        Err(error) => return span.fail(error.failure.code.as_str()),
    };
    span.note_all(|attributes| {
        attributes.extend([
            (gen_ai::RESPONSE_MODEL, Value::text(&reply.model)),
            (gen_ai::FINISH_REASONS, Value::in_list(finish_reason(reply.finish))),
            (gen_ai::INPUT_TOKENS, Value::count(charged.input_tokens)),
            (gen_ai::OUTPUT_TOKENS, Value::count(charged.output_tokens)),
            (own::COST_USD, Value::Double(cost_usd)),
        ]);
        attributes.extend(reply.response_id.as_deref().map(|id| (gen_ai::RESPONSE_ID, Value::text(id))));
        if has_texts {
            attributes.push(message(gen_ai::OUTPUT_MESSAGES, "assistant", &reply.text));
        }
    });
}

/// A list of one message with one part, as the conventions' JSON schema has it.
fn message(name: &'static str, role: &str, text: &str) -> Attribute {
    let Value::Text(text) = Value::text(text) else { return (name, "".into()) };
    let message = serde_json::json!([{ "role": role, "parts": [{ "type": "text", "content": text }] }]);
    (name, Value::Text(message.to_string().into()))
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Complete => "stop",
        Finish::Truncated => "length",
        Finish::Refused => "content_filter",
    }
}
