//! A process: sessions one after the other, as the supervisor runs them, until it is killed, and then the next process
//! in its place.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::runtime::Handle;

use super::client::Client;
use super::world::{World, now};
use super::{LETTERS, Plan, RESULTS};
use crate::delivery::remembered::RememberedOutcomes;
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::kafka::dependencies::Dependencies;
use crate::kafka::handler::{HandlerSettings, RecordHandler};
use crate::kafka::process::stop_request::StopRequest;
use crate::kafka::session::{Session, SessionTurn};
use crate::kafka::settings::{Guarantee, KafkaSettings, RecordFormat, ResultWriting, SourceReading, TopicSettings};
use crate::kafka::status::MemberStatus;
use crate::pipeline::spec::Spec;
use crate::pipeline::testing::{self, caller, engine, router_to};
use crate::ports::clock::ManualClock;
use crate::ports::journal::{Journal, MemoryJournal};
use crate::ports::model::{Call, CallError, Finish, Model, Reply};
use crate::tasks::Tasks;
use crate::telemetry::metrics::Metrics;

/// The longest way to an answer, with calls that take their time and pauses between them.
const LADDER: Duration = Duration::from_secs(30);
/// A process is not told to stop more often than this.
const STOPS: usize = 16;

/// The provider: takes its time, is sometimes away, and notes what it answers.
pub(super) struct Script(Mutex<State>);

struct State {
    random: Rng,
    away_until: Option<tokio::time::Instant>,
    calls: usize,
    answered: BTreeMap<String, tokio::time::Instant>,
    asked_again: BTreeSet<String>,
}

impl Script {
    pub(super) fn new(random: Rng) -> Self {
        let (answered, asked_again) = (BTreeMap::new(), BTreeSet::new());
        Self(Mutex::new(State { random, away_until: None, calls: 0, answered, asked_again }))
    }

    pub(super) fn fail_for(&self, time: Duration) {
        self.0.lock().unwrap().away_until = Some(tokio::time::Instant::now() + time);
    }

    pub(super) fn recover(&self) {
        self.0.lock().unwrap().away_until = None;
    }

    /// Calls that were begun, whatever became of them.
    pub(super) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    /// Questions that were asked although they had been answered. A process that lost a record may get its answer while
    /// the next owner is on its way to one: that is not counted.
    pub(super) fn asked_again(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().asked_again.clone()
    }
}

impl Model for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn family(&self) -> &'static str {
        "script-1"
    }

    fn cost_usd(&self, _usage: Usage) -> f64 {
        0.0
    }

    fn max_tokens(&self) -> u32 {
        100
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        Box::pin(async move {
            let wait = {
                let mut state = self.0.lock().unwrap();
                state.calls += 1;
                if state.answered.get(call.prompt).is_some_and(|at| at.elapsed() > LADDER) {
                    state.asked_again.insert(call.prompt.to_owned());
                }
                let random = &mut state.random;
                if random.u8(0..10) == 0 { random.u64(1000..8000) } else { random.u64(5..400) }
            };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let mut state = self.0.lock().unwrap();
            if state.away_until.is_some_and(|until| tokio::time::Instant::now() < until) {
                return Err(CallError::transient(Failure::new(Code::ProviderUnavailable, "500")));
            }
            state.answered.entry(call.prompt.to_owned()).or_insert_with(tokio::time::Instant::now);
            Ok(Reply {
                text: json!({ "says": call.prompt }).to_string(),
                model: "script-1".to_owned(),
                finish: Finish::Complete,
                usage: Usage::default(),
                confidence: None,
                logprobs: Vec::new(),
                response_id: None,
                pause: None,
            })
        })
    }
}

/// What all processes are made of.
pub(super) struct Company {
    deps: Vec<Dependencies>,
    stops: Vec<Vec<StopRequest>>,
}

impl Company {
    pub(super) fn new(plan: &Plan, script: &Arc<Script>) -> Self {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
        Self {
            deps: (0..plan.processes).map(|_| deps(plan, script, &journal)).collect(),
            stops: (0..plan.processes).map(|_| (0..STOPS).map(|_| StopRequest::default()).collect()).collect(),
        }
    }
}

/// Takes each record as far as a question to the model.
pub(in crate::kafka) fn handler(model: Arc<dyn Model>, remembered: Option<RememberedOutcomes>) -> RecordHandler {
    let format = RecordFormat::CloudEvents;
    let of_records = HandlerSettings {
        connector: "sim".into(),
        config_hash: "0".into(),
        format,
        has_review: false,
        reference: None,
    };
    // Nothing is remembered in the process: that would hide what the journal forgets.
    let spec = Spec::new(testing::settings(), router_to(model));
    let clock = Arc::new(ManualClock::default());
    RecordHandler::new(of_records, engine(), Arc::new(spec), caller(), clock, remembered)
}

fn deps(plan: &Plan, script: &Arc<Script>, journal: &Arc<dyn Journal>) -> Dependencies {
    let window = plan.deduplicates.then_some(Duration::from_secs(3600));
    let memory = RememberedOutcomes::new(Arc::clone(journal), "sim".into(), "0".into(), true, window);
    let handler = handler(Arc::clone(script) as Arc<dyn Model>, Some(memory));
    let status = Arc::new(MemberStatus::new("sim".into()));
    status.probed(Ok(Duration::ZERO), None);
    Dependencies {
        name: "sim".into(),
        consumer: 0,
        kafka: KafkaSettings::default(),
        topics: TopicSettings {
            source_topics: vec!["in".into()],
            group: "sim".to_owned(),
            consumers: 1,
            format: RecordFormat::CloudEvents,
            reading: SourceReading::default(),
            sink_topic: RESULTS.into(),
            results: ResultWriting::default(),
            dead_letter_topic: LETTERS.into(),
            review_topic: None,
            guarantee: plan.guarantee,
            deduplicate: window,
            ordering: plan.ordering,
            max_in_flight: plan.max_in_flight,
        },
        handler: Arc::new(handler),
        tasks: Tasks::new(Handle::current()),
        metrics: Metrics::default().connector("sim"),
        status,
        observer: None,
    }
}

pub(super) struct Process<'a> {
    deps: &'a Dependencies,
    stops: std::slice::Iter<'a, StopRequest>,
    stop: &'a StopRequest,
    world: Rc<RefCell<World>>,
    number: usize,
    session: Option<Session<'a, Client>>,
    is_dead: Rc<RefCell<bool>>,
    /// Not scheduled until then, or not running.
    away_until: Instant,
}

impl<'a> Process<'a> {
    pub(super) fn new(company: &'a Company, world: &Rc<RefCell<World>>, number: usize) -> Self {
        let mut stops = company.stops[number].iter();
        Self {
            deps: &company.deps[number],
            stop: stops.next().unwrap(),
            stops,
            world: Rc::clone(world),
            number,
            session: None,
            is_dead: Rc::default(),
            away_until: now(),
        }
    }

    /// What happens to it now: mostly nothing.
    pub(super) fn suffer(&mut self, random: &mut Rng) {
        let pause = Duration::from_millis(random.u64(0..15_000));
        match random.u16(0..1500) {
            0..=2 => self.kill(now() + pause),
            // It is frozen, and knows nothing of it.
            3 | 4 => self.away_until = now() + pause,
            5 | 6 if self.session.is_some() && self.stops.len() > 0 => self.stop.request(now() + pause),
            _ => {}
        }
    }

    fn kill(&mut self, until: Instant) {
        *self.is_dead.borrow_mut() = true;
        self.deps.tasks.kill_records();
        self.end(until);
    }

    fn end(&mut self, until: Instant) {
        self.session = None;
        self.is_dead = Rc::default();
        self.away_until = until;
    }

    pub(super) fn turn(&mut self) {
        if now() < self.away_until {
            return;
        }
        if self.session.is_none() {
            let is_transactional = self.deps.topics.guarantee == Guarantee::ExactlyOnce;
            let client = Client::join(&self.world, self.number, is_transactional, Rc::clone(&self.is_dead));
            self.session = Some(Session::new(self.deps, self.stop, client, Arc::default()));
        }
        match self.session.as_mut().map(Session::turn) {
            Some(Ok(SessionTurn::Over)) => {
                self.stop = self.stops.next().unwrap();
                self.end(now() + Duration::from_secs(1));
            }
            Some(Err(error)) => {
                assert!(!error.is_for_good, "{}", error.why);
                self.end(now() + Duration::from_secs(1));
            }
            Some(Ok(SessionTurn::Busy | SessionTurn::Idle)) | None => {}
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.session.as_ref().is_none_or(Session::is_idle)
    }
}
