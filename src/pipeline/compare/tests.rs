use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::domain::answer::{Answered, CacheHit};
use crate::domain::event::Data;
use crate::domain::tenant::Tenant;
use crate::pipeline::agreement::{AgreementSettings, Sample};
use crate::pipeline::budget::BudgetSettings;
use crate::pipeline::caller::Caller;
use crate::pipeline::route::settings::{Ceilings, Strategy};
use crate::pipeline::route::testing::{Limits, Scripted, fails, finished, router};
use crate::pipeline::spec::{CachePolicy, LowConfidencePolicy, SpecSettings, UngroundedPolicy};
use crate::pipeline::testing::{self, Asking, caller_of};
use crate::ports::model::{CallError, FakeModel, Finish, Model};
use crate::prompt::template::Template;
use crate::schema::Schema;
use crate::telemetry::metrics::{Metrics, TextFormat};

const ANSWER: &str = r#"{"intent":"refund","order":"A-1","amount":12}"#;
/// Agrees in two of three fields.
const OTHER: &str = r#"{"intent":"refund","order":"a1","amount":13}"#;
const ALL: AgreementSettings =
    AgreementSettings { sample: Some(Sample::millionths(Sample::ALL)), when_ungrounded: false };
const UNGROUNDED: AgreementSettings = AgreementSettings { sample: None, when_ungrounded: true };

type Outcome = Result<Reply, CallError>;

fn settings() -> SpecSettings {
    let schema = json!({
        "type": "object",
        "properties": {
            "intent": { "enum": ["refund", "other"] },
            "order": { "type": "string" },
            "amount": { "type": "integer" },
        },
        "required": ["intent", "order", "amount"],
    });
    testing::settings().with(|it| {
        it.template = Arc::new(Template::inline("{{ data.body }}").unwrap());
        it.schema = Arc::new(Schema::compile("ticket", "1.0.0", schema).unwrap());
        it.cache = CachePolicy::on(Duration::from_secs(60));
    })
}

/// Who asks a model, and another one about some of its answers.
struct Test {
    second: Arc<Scripted>,
    asking: Asking,
}

fn to(model: &Arc<Scripted>, limits: Limits) -> crate::pipeline::route::router::Router {
    router(vec![(Arc::clone(model) as Arc<dyn Model>, limits)], Strategy::Priority)
}

impl Test {
    fn new(settings: SpecSettings, compared: AgreementSettings, second: impl IntoIterator<Item = Outcome>) -> Self {
        Self::with(settings, compared, Scripted::new("second", second), Limits::default())
    }

    fn with(settings: SpecSettings, compared: AgreementSettings, second: Arc<Scripted>, limits: Limits) -> Self {
        let first = Scripted::new("first", [FakeModel::says(ANSWER)]);
        let compared = SecondProvider::new(to(&second, limits), compared, &settings.schema).unwrap();
        let spec = Spec::new(settings, to(&first, Limits::default())).compared_with(compared);
        let asking = Asking { engine: testing::engine(), spec: Arc::new(spec), caller: testing::caller() };
        Self { second, asking }
    }

    async fn ask(&self, body: &str) -> Answered {
        self.asking.attempt(data(body)).await.unwrap()
    }

    /// The share that a new answer says, and the calls that the second provider has had.
    async fn share(&self, body: &str) -> (Option<f64>, usize) {
        let answered = self.ask(body).await;
        assert_eq!((&answered.data()[..], answered.cache_hit), (ANSWER.as_bytes(), CacheHit::None));
        (share(&answered), self.second.calls())
    }
}

fn data(body: &str) -> Data {
    Data::Json(json!({ "body": body }))
}

/// In hundredths.
fn share(answered: &Answered) -> Option<f64> {
    answered.answer.agreement.as_ref().map(|agreement| (agreement.share() * 100.0).round())
}

#[tokio::test]
async fn each_value_says_whether_a_second_provider_gives_it_too_and_the_answers_cost_is_its_own() {
    let test = Test::new(settings(), ALL, [FakeModel::says(OTHER)]);
    let answered = test.ask("order A-1 for 12").await;
    let agreement = answered.answer.agreement.as_ref().unwrap();
    assert_eq!(share(&answered), Some(67.0));
    let of = ["/intent", "/order", "/amount"].map(|pointer| agreement.of(pointer));
    assert_eq!(of, [Some(true), Some(true), Some(false)]);
    assert_eq!((&*answered.answer.provider, answered.answer.attempt_log.len()), ("first", 1));
    assert!((answered.answer.cost_usd - 1.0).abs() < 1e-9);
    assert!((answered.confidence.score - 1.0).abs() < 1e-9, "whether they agree is no factor of the confidence");
}

#[tokio::test]
async fn a_remembered_answer_says_the_same_and_costs_no_second_call() {
    let test = Test::new(settings(), ALL, [FakeModel::says(OTHER)]);
    let (first, again) = (test.ask("order A-1 for 12").await, test.ask("order  A-1 for 12").await);
    assert_eq!((first.cache_hit, again.cache_hit), (CacheHit::None, CacheHit::Memory));
    assert_eq!(first.answer, again.answer);
    assert_eq!((share(&again), test.second.calls()), (Some(67.0), 1));
}

#[tokio::test]
async fn equal_questions_at_the_same_time_share_the_second_call_too() {
    let slow = Scripted::with("second", 1.0, Duration::from_millis(50), [FakeModel::says(OTHER)]);
    let test = Test::with(settings(), ALL, slow, Limits::default());
    let (one, other) = tokio::join!(test.ask("order A-1"), test.ask("order A-1"));
    assert_eq!((share(&one), share(&other), test.second.calls()), (Some(67.0), Some(67.0), 1));
}

#[tokio::test]
async fn a_second_provider_that_has_no_valid_answer_leaves_the_first_as_it_is() {
    for outcome in [
        fails(Code::ProviderUnavailable),
        fails(Code::ProviderTimeout),
        fails(Code::ProviderRefused),
        finished(Finish::Refused, "no"),
        finished(Finish::Truncated, r#"{"intent":"ref"#),
        FakeModel::says("It is a refund."),
        FakeModel::says(r#"{"intent":"nonsense","order":"A-1","amount":12}"#),
    ] {
        let test = Test::new(settings(), ALL, [outcome.clone()]);
        assert_eq!(test.share("order A-1 for 12").await, (None, 1), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_provider_that_is_down_is_left_alone_and_not_waited_for() {
    let test = Test::new(settings(), ALL, [fails(Code::ProviderUnavailable)]);
    let began_at = Instant::now();
    for n in 0..10 {
        test.share(&format!("order A-1 for 12, {n}")).await;
    }
    assert_eq!(test.second.calls(), 3, "its breaker is open");
    assert!(began_at.elapsed() < LONGEST_WAIT, "{:?}", began_at.elapsed());
    assert!(test.asking.gate().is_open());
}

#[tokio::test(start_paused = true)]
async fn a_busy_second_provider_is_waited_for_no_longer_than_two_seconds() {
    let slow = Scripted::with("second", 1.0, Duration::from_secs(60), [FakeModel::says(OTHER)]);
    let ceilings = Ceilings { concurrency: Some(1), ..Ceilings::default() };
    let test = Test::with(settings(), ALL, slow, Limits { ceilings, ..Limits::default() });
    let began_at = Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let share = test.share("order A-1, again").await;
        (share, began_at.elapsed())
    };
    let (first, (late, took)) = tokio::join!(test.share("order A-1"), late);
    assert_eq!((first.0, late), (Some(67.0), (None, 1)));
    let most = LONGEST_WAIT + Duration::from_millis(1100);
    assert!(took >= LONGEST_WAIT && took <= most, "{took:?}");
}

#[tokio::test]
async fn a_budget_pays_for_the_second_call_and_is_not_exhausted_by_one_that_it_cannot_pay() {
    for (usd, expected, spent) in [(2.5, (Some(67.0), 1), 2.0), (1.5, (None, 0), 1.0)] {
        let budget = BudgetSettings { usd, window: Duration::from_secs(3600) };
        let mut test = Test::new(settings(), ALL, [FakeModel::says(OTHER)]);
        test.asking = test.asking.on_behalf_of(caller_of(Tenant::default(), Some(budget)));
        assert_eq!(test.share("order A-1").await, expected, "{usd}");
        let paid = test.asking.caller.budget().unwrap().spent();
        assert!((paid - spent).abs() < 1e-9, "{paid} of {usd}");
        assert!(test.asking.gate().is_open(), "records are still asked");
    }
}

#[tokio::test]
async fn the_records_ceiling_holds_for_the_second_call() {
    let ceiling = |usd: f64| settings().with(|it| it.ceiling.usd = Some(usd));
    assert_eq!(Test::new(ceiling(2.0), ALL, [FakeModel::says(OTHER)]).share("A-1").await, (Some(67.0), 1));
    assert_eq!(Test::new(ceiling(1.5), ALL, [FakeModel::says(OTHER)]).share("A-1").await, (None, 0));
}

#[tokio::test]
async fn only_answers_without_ground_or_of_the_sample_are_compared() {
    let none = AgreementSettings { sample: Some(Sample::millionths(0)), when_ungrounded: false };
    for (compared, body, expected) in [
        (UNGROUNDED, "order A-1 for 12", (None, 0)),
        (UNGROUNDED, "order A-1", (Some(67.0), 1)),
        (none, "order A-1", (None, 0)),
        (ALL, "order A-1 for 12", (Some(67.0), 1)),
    ] {
        let test = Test::new(settings(), compared, [FakeModel::says(OTHER)]);
        assert_eq!(test.share(body).await, expected, "{compared:?} {body}");
    }
}

#[tokio::test]
async fn an_answer_that_becomes_no_result_is_not_compared() {
    let ungrounded = settings().with(|it| it.checks.on_ungrounded = UngroundedPolicy::DeadLetter);
    let unsure = |policy| {
        settings().with(|it| (it.checks.confidence_threshold, it.checks.on_low_confidence) = (Some(0.9), policy))
    };
    for (settings, code) in
        [(ungrounded, Code::Ungrounded), (unsure(LowConfidencePolicy::DeadLetter), Code::LowConfidence)]
    {
        for compared in [UNGROUNDED, ALL] {
            let test = Test::new(settings.clone(), compared, [FakeModel::says(OTHER)]);
            let failure = test.asking.attempt(data("order A-1")).await.unwrap_err();
            assert_eq!((failure.code, test.second.calls()), (code, 0), "{compared:?}");
        }
        let test = Test::new(settings, ALL, [FakeModel::says(OTHER)]);
        assert_eq!(test.share("order A-1 for 12").await, (Some(67.0), 1), "this one becomes a result");
    }
    for policy in [LowConfidencePolicy::Flag, LowConfidencePolicy::Review] {
        let test = Test::new(unsure(policy), UNGROUNDED, [FakeModel::says(OTHER)]);
        assert_eq!(test.share("order A-1").await, (Some(67.0), 1), "{policy:?}");
    }
}

#[tokio::test]
async fn a_provider_is_not_asked_about_its_own_answer() {
    let test = Test::with(settings(), ALL, Scripted::new("first", [FakeModel::says(OTHER)]), Limits::default());
    assert_eq!(test.share("order A-1").await, (None, 0));
}

#[tokio::test]
async fn a_question_with_a_deadline_has_its_answer_at_once() {
    let test = Test::new(settings(), ALL, [FakeModel::says(OTHER)]);
    let answered = test.asking.run(data("order A-1"), Duration::from_secs(60)).await.unwrap();
    assert_eq!((share(&answered), test.second.calls()), (None, 0));
}

#[tokio::test]
async fn comparisons_their_fields_and_their_cost_are_counted_apart() {
    let metrics = Metrics::default();
    let both = AgreementSettings { when_ungrounded: true, ..ALL };
    for (compared, second) in [(both, FakeModel::says(OTHER)), (UNGROUNDED, FakeModel::says("no JSON"))] {
        let mut test = Test::new(settings(), compared, [second]);
        test.asking = test.asking.on_behalf_of(Arc::new(Caller::new(Tenant::default(), None, metrics.caller("c"))));
        test.ask("order A-1").await;
    }
    let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
    for line in [
        r#"sp_agreement_comparisons_total{connector="c",provider="second",reason="sample",outcome="compared"} 1"#,
        r#"sp_agreement_comparisons_total{connector="c",provider="second",reason="ungrounded",outcome="invalid"} 1"#,
        r#"sp_agreement_fields_total{connector="c",field="/amount",reason="sample",agreed="false"} 1"#,
        r#"sp_agreement_fields_total{connector="c",field="/order",reason="sample",agreed="true"} 1"#,
        r#"sp_agreement_tokens_total{connector="c",provider="second",direction="input"} 20"#,
        r#"sp_agreement_cost_usd_total{connector="c",provider="second"} 2.0"#,
        r#"sp_cost_usd_total{connector="c"} 4.0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
