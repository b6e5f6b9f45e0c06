//! OpenAI's format over the same engine, for those who have one of its clients. `docs/openai.md` tells users of it.
//!
//! - [`chat_completions`]: `POST /v1/chat/completions`; [`chat_request`]: what such a request says, and
//!   [`request_schema`] the same for the OpenAPI document;
//!   [`messages`]: the prompt of its messages; [`response_format`]: its schema; [`other_parameters`]: what is ignored,
//!   and what is refused;
//! - [`chat_completion`]: the answer, whole or as a stream;
//! - [`models`]: `GET /v1/models`; [`stored_models`]: those of teams; [`error`]: problems as OpenAI's errors.

pub mod chat_completion;
pub mod chat_completions;
pub mod chat_request;
pub mod error;
pub mod messages;
pub mod models;
pub mod other_parameters;
pub mod request_schema;
pub mod response_format;
mod stored_models;

#[cfg(test)]
mod tests;
