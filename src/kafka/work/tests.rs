use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde_json::json;

use super::*;
use crate::domain::answer::Usage;
use crate::domain::record::{Header, Position};
use crate::pipeline::recall::Recall;
use crate::pipeline::route::settings::RecordCeiling;
use crate::pipeline::route::testing::router_to;
use crate::pipeline::settings::{LowConfidencePolicy, PatternPolicy, PipelineSettings};
use crate::ports::answers::FakeAnswers;
use crate::ports::clock::ManualClock;
use crate::ports::model::{Call, CallError, Finish, Model, Reply};
use crate::prompt::template::Template;
use crate::schema::Schema;

/// Does with a prompt what its first word says.
struct Obedient;

impl Model for Obedient {
    fn name(&self) -> &'static str {
        "obedient"
    }

    fn family(&self) -> &'static str {
        "obedient-1"
    }

    fn cost_usd(&self, _usage: Usage) -> f64 {
        0.0
    }

    fn max_tokens(&self) -> u32 {
        100
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match call.prompt.split(' ').next() {
                Some("fail") => Err(CallError::transient(Failure::new(Code::ProviderUnavailable, "500"))),
                Some("hang") => Err(CallError::transient(Failure::new(Code::ProviderTimeout, "no answer"))),
                Some("panic") => panic!("as told"),
                _ => Ok(Reply {
                    text: "{}".to_owned(),
                    model: "obedient-1".to_owned(),
                    finish: Finish::Complete,
                    usage: Usage::default(),
                    confidence: None,
                    response_id: None,
                }),
            }
        })
    }
}

fn door() -> Door {
    let settings = PipelineSettings {
        connector: "test".into(),
        template: Arc::new(Template::inline("{{ data }}").unwrap()),
        schema: Arc::new(Schema::compile("any", "1.0.0", json!({ "type": "object" })).unwrap()),
        provider: None,
        strategy: None,
        allow_relaxed: false,
        record_ceiling: RecordCeiling { tokens: 100_000, usd: None },
        budget: None,
        temperature: None,
        max_tokens: None,
        max_prompt_chars: 1000,
        patterns: PatternPolicy::Off,
        confidence_threshold: None,
        on_low_confidence: LowConfidencePolicy::Flag,
        cache_ttl: Duration::from_secs(60),
        config_hash: "0".into(),
    };
    let recall = Arc::new(Recall::new(Arc::new(FakeAnswers::default())));
    let pipeline = Pipeline::new(settings, router_to(Arc::new(Obedient)), recall);
    Door::new(pipeline, RecordFormat::Text, Arc::new(ManualClock::default()))
}

fn record(value: &str, offset: i64) -> Arc<Record> {
    Arc::new(Record {
        position: Position { topic: "in".into(), partition: 0, offset },
        timestamp_ms: None,
        key: None,
        value: Some(value.to_owned().into()),
        headers: vec![Header::text("x", "y")],
    })
}

async fn outcome(door: &Door, value: &str, offset: i64) -> Outcome {
    match door.begin(&record(value, offset)) {
        Step::Settled(settled) => settled.outcome,
        Step::Ask(job) => door.finish(*job).await.outcome,
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_on_one_record_only_is_not_paused_for_ever() {
    let door = door();
    let others = async {
        let mut offset = 1;
        while offset < 2000 {
            let outcome = outcome(&door, &format!("answer {offset}"), offset).await;
            assert!(matches!(outcome, Outcome::Result { .. }), "{outcome:?}");
            offset += 1;
        }
    };
    let poison = async { outcome(&door, "fail always", 0).await };
    let (outcome, ()) = tokio::join!(poison, others);
    assert_eq!(outcome, Outcome::DeadLetter { code: Code::ProviderFailed });
    assert!(door.router().is_open());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_on_all_is_waited_for() {
    let door = door();
    let all = join_all((0..5).map(|offset| {
        let door = &door;
        async move { outcome(door, &format!("fail {offset}"), offset).await }
    }));
    assert!(tokio::time::timeout(Duration::from_secs(3600), all).await.is_err(), "a record was blamed");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_answers_nobody_is_asked_less_and_less() {
    let door = door();
    let began_at = tokio::time::Instant::now();
    for offset in 0..7 {
        let outcome = outcome(&door, &format!("hang {offset}"), offset).await;
        assert_eq!(outcome, Outcome::DeadLetter { code: Code::ProviderTimeout });
        assert_eq!(door.router().is_open(), offset < 2, "three in a row open the breaker");
    }
    assert!(began_at.elapsed() >= Duration::from_secs(1 + 2 + 4 + 8), "{:?}", began_at.elapsed());
    assert!(matches!(outcome(&door, "answer me", 9).await, Outcome::Result { .. }));
    assert!(door.router().is_open());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_among_answers_is_the_records_own() {
    let door = door();
    let (hung, answered) = tokio::join!(outcome(&door, "hang once", 0), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        outcome(&door, "answer me", 1).await
    });
    assert!(matches!(answered, Outcome::Result { .. }));
    assert_eq!(hung, Outcome::DeadLetter { code: Code::ProviderTimeout });
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_its_record_only() {
    let door = door();
    assert_eq!(outcome(&door, "panic now", 0).await, Outcome::DeadLetter { code: Code::InternalError });
    assert!(matches!(outcome(&door, "answer me", 1).await, Outcome::Result { .. }));
}

#[test]
fn a_value_over_the_limit_is_not_looked_into() {
    let value = "x".repeat(MAX_VALUE_BYTES + 1);
    let Step::Settled(settled) = door().begin(&record(&value, 0)) else { panic!("asks") };
    assert_eq!(settled.outcome, Outcome::DeadLetter { code: Code::EventTooLarge });
    assert_eq!(settled.outgoing.value.as_deref(), Some(value.as_bytes()));
}
