//! A provider that says what a script has for it. Nothing is sent, and nothing is paid.

use futures_util::future::{BoxFuture, ready};

use super::script::Script;
use super::settings::{ProviderKind, ProviderSettings};
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::ports::model::{Call, CallError, Finish, Model, Reply};

/// Stands in for the provider of these settings.
#[derive(Debug)]
pub(super) struct ScriptedModel {
    name: String,
    family: String,
    max_tokens: u32,
    script: Script,
}

impl ScriptedModel {
    /// One under the name, the model and the limit of the settings.
    pub(super) fn new(settings: &ProviderSettings, script: &Script) -> Self {
        let (family, max_tokens) = match &settings.kind {
            ProviderKind::Offline => (settings.kind.as_str().to_owned(), 0),
            ProviderKind::Remote(remote) => (remote.model.clone(), remote.max_tokens),
        };
        Self { name: settings.name.clone(), family, max_tokens, script: script.clone() }
    }
}

impl Model for ScriptedModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn family(&self) -> &str {
        &self.family
    }

    fn cost_usd(&self, _usage: Usage) -> f64 {
        0.0
    }

    fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    fn ask<'a>(&'a self, _call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        let reply = self.script.next().map(|text| Reply {
            text,
            model: self.family.clone(),
            finish: Finish::Complete,
            usage: Usage::default(),
            confidence: None,
            logprobs: Vec::new(),
            response_id: None,
            pause: None,
        });
        let none = || CallError::lasting(Failure::new(Code::NotRecorded, "there is no answer for this call"));
        Box::pin(ready(reply.ok_or_else(none)))
    }
}
