//! An engine, a specification and a caller for tests.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::domain::answer::Answered;
use crate::domain::event::{Data, Event};
use crate::domain::failure::Failure;
use crate::domain::tenant::Tenant;
use crate::pipeline::budget::{Budget, BudgetSettings};
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::{Begun, Engine};
use crate::pipeline::gate::Gate;
use crate::pipeline::recall::Recall;
use crate::pipeline::request::{Question, Request};
use crate::pipeline::route::router::Router;
use crate::pipeline::route::settings::RecordCeiling;
pub(crate) use crate::pipeline::route::testing::router_to;
use crate::pipeline::spec::{
    CachePolicy, Checks, EvidenceMode, Generation, LowConfidencePolicy, PatternPolicy, Spec, SpecSettings,
    UngroundedPolicy,
};
use crate::ports::answers::FakeAnswers;
use crate::ports::clock::ManualClock;
use crate::prompt::template::{Scope, Template};
use crate::schema::Schema;
use crate::tasks::Tasks;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::trace::Trace;

/// Asks for any object with the record's data as the prompt, and remembers nothing.
pub(crate) fn settings() -> SpecSettings {
    SpecSettings {
        template: Arc::new(Template::inline("{{ data }}").unwrap()),
        schema: Arc::new(Schema::compile("any", "1.0.0", json!({ "type": "object" })).unwrap()),
        generation: Generation::default(),
        checks: Checks {
            max_prompt_chars: 1000,
            patterns: PatternPolicy::Off,
            bypass_validation: false,
            allow_relaxed: false,
            confidence_threshold: None,
            on_low_confidence: LowConfidencePolicy::Flag,
            evidence: EvidenceMode::Locate,
            on_ungrounded: UngroundedPolicy::Flag,
        },
        ceiling: RecordCeiling { tokens: 100_000, usd: None },
        cache: CachePolicy::OFF,
        cache_tag: None,
        calibration: None,
    }
}

impl SpecSettings {
    /// The same with a change.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// A caller without a budget.
pub(crate) fn caller() -> Arc<Caller> {
    caller_of(Tenant::default(), None)
}

/// A caller of a tenant.
pub(crate) fn caller_of(tenant: Tenant, budget: Option<BudgetSettings>) -> Arc<Caller> {
    let budget = budget.map(|settings| Arc::new(Budget::new(settings, Arc::new(ManualClock::default()))));
    Arc::new(Caller::new(tenant, budget, Metrics::default().caller("test")))
}

/// An engine that remembers all answers that it may.
pub(crate) fn engine() -> Arc<Engine> {
    Arc::new(Engine::new(Recall::new(Arc::new(FakeAnswers::default())), Tasks::new(Handle::current())))
}

/// An event with this data.
pub(crate) fn event(data: Data) -> Event {
    Event {
        id: "1".into(),
        source: "/test".into(),
        kind: "test".into(),
        subject: None,
        time: None,
        data_content_type: None,
        data_schema: None,
        extensions: std::collections::BTreeMap::default(),
        data,
    }
}

/// What a test asks of whom.
pub(crate) struct Asking {
    pub(crate) engine: Arc<Engine>,
    pub(crate) spec: Arc<Spec>,
    pub(crate) caller: Arc<Caller>,
}

impl Asking {
    pub(crate) fn new(settings: SpecSettings, router: Router) -> Self {
        Self { engine: engine(), spec: Arc::new(Spec::new(settings, router)), caller: caller() }
    }

    /// The same asked on behalf of another caller.
    pub(crate) fn on_behalf_of(self, caller: Arc<Caller>) -> Self {
        Self { caller, ..self }
    }

    pub(crate) fn gate(&self) -> Gate<'_> {
        Gate::new(&self.spec, &self.caller)
    }

    fn request<'a>(&'a self, event: &'a Event) -> Request<'a> {
        let input = Scope { event, key: None, headers: &[] };
        Request { input, spec: &self.spec, caller: &self.caller, trace: Trace::default() }
    }

    /// The stages that need no waiting.
    pub(crate) fn begin(&self, data: Data) -> Begun {
        self.engine.begin(&self.request(&event(data)))
    }

    /// The question that this text comes to.
    pub(crate) fn question(&self, text: &str) -> Question {
        self.question_of(Data::Text(text.to_owned()))
    }

    /// The question that this comes to.
    pub(crate) fn question_of(&self, data: Data) -> Question {
        match self.begin(data) {
            Begun::Ask(question) => question,
            Begun::Done(outcome) => panic!("{outcome:?}"),
        }
    }

    /// From beginning to end, within this time.
    pub(crate) async fn run(&self, data: Data, time: Duration) -> Result<Answered, Failure> {
        self.engine.finish_until(Instant::now() + time, self.begin(data)).await
    }

    /// As far as providers can be asked now: an attempt that does not wait for them.
    pub(crate) async fn attempt(&self, data: Data) -> Result<Answered, Failure> {
        match self.begin(data) {
            Begun::Done(outcome) => outcome,
            Begun::Ask(mut question) => self.engine.attempt(&mut question).await,
        }
    }
}
