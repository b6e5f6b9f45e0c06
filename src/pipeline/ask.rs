//! Ask: one answer from one model, asking again when the model can mend what was wrong.

use std::sync::Arc;

use bytes::Bytes;

use crate::domain::answer::{Answer, Usage, Validation};
use crate::domain::failure::{Code, Failure};
use crate::pipeline::approve::{Approved, approve};
use crate::pipeline::run::Question;
use crate::pipeline::score::{Evidence, confidence};
use crate::pipeline::settings::PipelineSettings;
use crate::ports::model::{Call, Correction, Model, Reply};
use crate::prompt::{language, meta};

/// Times that an invalid answer is sent back with its errors.
const MAX_CORRECTIONS: u32 = 2;

struct Rejected {
    answer: String,
    errors: String,
}

/// Asks until an answer is valid or no further question can help.
///
/// # Errors
/// The model's own failure, or the last reason for which an answer was disapproved; both with the number of calls made.
pub async fn ask(model: &dyn Model, settings: &PipelineSettings, question: &Question) -> Result<Answer, Failure> {
    let schema = settings.schema.as_ref();
    let content = question.content.as_deref().unwrap_or(&question.prompt);
    let system = meta::system_prompt(schema, language::detect(content));
    let mut usage = Usage::default();
    let mut rejected: Option<Rejected> = None;
    let mut attempts = 0;
    loop {
        let call = Call {
            system: &system,
            prompt: &question.prompt,
            content,
            schema_name: schema.name(),
            schema: schema.json(),
            correction: rejected.as_ref().map(|r| Correction { answer: &r.answer, errors: &r.errors }),
            temperature: settings.temperature,
            max_tokens: settings.max_tokens,
        };
        attempts += 1;
        let reply = model.ask(&call).await.map_err(|failure| failure.after(attempts))?;
        usage += reply.usage;
        match approve(schema, &reply) {
            Ok(approved) => return answer(model, settings, &reply, &approved, attempts, usage),
            Err(disapproved) => match disapproved.errors {
                Some(errors) if attempts <= MAX_CORRECTIONS => rejected = Some(Rejected { answer: reply.text, errors }),
                _ => return Err(disapproved.failure.after(attempts)),
            },
        }
    }
}

fn answer(
    model: &dyn Model,
    settings: &PipelineSettings,
    reply: &Reply,
    approved: &Approved,
    attempts: u32,
    usage: Usage,
) -> Result<Answer, Failure> {
    let data = serde_json::to_vec(&approved.data)
        .map_err(|error| Failure::new(Code::InternalError, format!("the answer cannot be written as JSON: {error}")))?;
    let evidence = Evidence {
        attempts,
        form: approved.form,
        provider: reply.confidence,
        completeness: settings.schema.completeness(&approved.data),
    };
    Ok(Answer {
        data: Bytes::from(data),
        provider: Arc::from(model.name()),
        model: Arc::from(reply.model.as_str()),
        validation: Validation::Passed,
        confidence: confidence(&evidence),
        attempts,
        usage,
        cost_usd: model.cost_usd(usage),
    })
}
