//! The life of a request.

use std::sync::Arc;

use crate::domain::answer::{Answer, Answered, CacheHit, Flag};
use crate::domain::failure::Failure;
use crate::domain::fingerprint::Fingerprint;
use crate::pipeline::accept::{Accepted, accept};
use crate::pipeline::ask::{self, Progress};
use crate::pipeline::recall::{Flight, Questions, Recall};
use crate::pipeline::route::router::Router;
use crate::pipeline::score::judge;
use crate::pipeline::settings::PipelineSettings;
use crate::prompt::template::Scope;
use crate::tasks::Commitment;

/// The stages for one connector, or for one kind of HTTP request.
pub struct Pipeline {
    settings: PipelineSettings,
    router: Arc<Router>,
    recall: Arc<Recall>,
    questions: Questions,
}

/// What the stages that need no waiting came to.
pub enum Begun {
    /// The request is finished: remembered, or failed.
    Done(Result<Answered, Failure>),
    /// A provider must be asked.
    Ask(Question),
}

/// An accepted request that nobody remembers the answer to.
#[derive(Debug)]
pub struct Question {
    pub(super) prompt: String,
    pub(super) content: Option<String>,
    pub(super) progress: Box<Progress>,
    flags: Vec<Flag>,
    fingerprint: Fingerprint,
}

impl Question {
    /// What makes it the same as another one.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Begins with its first call.
    pub fn commitment(&self) -> &Commitment {
        &self.progress.commitment
    }

    /// Provider calls that were made for it.
    pub fn calls(&self) -> u32 {
        self.progress.calls()
    }
}

impl Pipeline {
    /// A pipeline that asks through `router` and remembers in `recall`.
    pub fn new(settings: PipelineSettings, router: Arc<Router>, recall: Arc<Recall>) -> Self {
        let questions = Questions::of(&settings, router.families());
        Self { settings, router, recall, questions }
    }

    /// What the user chose.
    pub fn settings(&self) -> &PipelineSettings {
        &self.settings
    }

    /// Who is asked, and the gate before them.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Takes a request from beginning to end.
    ///
    /// # Errors
    /// The [`Failure`] of the stage that could not go on.
    pub async fn run(&self, request: &Scope<'_>) -> Result<Answered, Failure> {
        match self.begin(request) {
            Begun::Done(outcome) => outcome,
            Begun::Ask(mut question) => self.finish(&mut question).await,
        }
    }

    /// Resolve ▶ accept ▶ recall. Nothing here waits, so a door may call it on the thread that received the request; a
    /// remembered answer costs no task and no allocation beyond the prompt.
    pub fn begin(&self, request: &Scope<'_>) -> Begun {
        let resolved = self.settings.template.render(request);
        let accepted =
            resolved.and_then(|rendered| accept(rendered, &self.settings, |pattern| self.router.suspected(pattern)));
        let Accepted { prompt, content, flags } = match accepted {
            Ok(accepted) => accepted,
            Err(failure) => return Begun::Done(Err(failure)),
        };
        let fingerprint = self.questions.fingerprint(&prompt);
        match self.recalled(&fingerprint) {
            Some(answer) => Begun::Done(judge(answer, CacheHit::Memory, flags, &self.settings)),
            None => Begun::Ask(Question { prompt, content, progress: Box::default(), flags, fingerprint }),
        }
    }

    /// Ask ▶ approve ▶ score, once for all requests that ask the same question at the same time.
    ///
    /// # Errors
    /// The [`Failure`] of the stage that could not go on. One of kind `Unavailable` says nothing about the request: it may
    /// be finished later, when it is [ready](Pipeline::ready), and goes on from where it stands.
    pub async fn finish(&self, question: &mut Question) -> Result<Answered, Failure> {
        let (answer, hit) = self.answer(question).await?;
        judge(answer, hit, question.flags.clone(), &self.settings)
    }

    /// Waits until somebody may be asked who can still help with this question, if only for a probe.
    pub async fn ready(&self, question: &Question) {
        self.router.ready(|index| question.progress.may_help(index, self.router.member(index))).await;
    }

    async fn answer(&self, question: &mut Question) -> Result<(Arc<Answer>, CacheHit), Failure> {
        if self.bypasses_cache() {
            return Ok((self.ask(question).await?, CacheHit::None));
        }
        loop {
            match self.recall.join(question.fingerprint) {
                Flight::Landed(answer) => return Ok((answer, CacheHit::Memory)),
                Flight::Lead(lead) => {
                    let outcome = self.ask(question).await;
                    lead.land(outcome.clone(), self.settings.cache_ttl);
                    return Ok((outcome?, CacheHit::None));
                }
                Flight::Follow(landing) => {
                    // Nothing landed: the leader was cancelled, so somebody else must lead.
                    if let Some(outcome) = landing.wait().await {
                        return Ok((outcome?, CacheHit::Memory));
                    }
                }
            }
        }
    }

    async fn ask(&self, question: &mut Question) -> Result<Arc<Answer>, Failure> {
        ask::ask(&self.router, &self.settings, question).await.map(Arc::new)
    }

    fn recalled(&self, fingerprint: &Fingerprint) -> Option<Arc<Answer>> {
        if self.bypasses_cache() { None } else { self.recall.get(fingerprint) }
    }

    fn bypasses_cache(&self) -> bool {
        self.settings.cache_ttl.is_zero()
    }
}

#[cfg(test)]
mod tests;
