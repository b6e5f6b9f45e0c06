//! Which requests share an answer, or a failure.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending};

use super::*;
use crate::domain::answer_key::AnswerKey;
use crate::domain::tenant::Tenant;
use crate::pipeline::recall::Recall;
use crate::pipeline::route::settings::Strategy;
use crate::pipeline::route::testing::{Limits, Scripted, router};
use crate::pipeline::spec::Spec;
use crate::pipeline::testing::{caller, caller_of};
use crate::ports::answers::{FakeAnswers, SharedAnswers};
use crate::tasks::Tasks;

/// Two who ask the same of the same model and of one engine, with settings of their own.
fn two(model: &Arc<Scripted>, first: SpecSettings, second: SpecSettings) -> [Asking; 2] {
    let engine = testing::engine();
    [first, second].map(|settings| {
        let members = vec![(Arc::clone(model) as Arc<dyn Model>, Limits::default())];
        let spec = Arc::new(Spec::new(settings, router(members, Strategy::Priority)));
        Asking { engine: Arc::clone(&engine), spec, caller: caller() }
    })
}

#[tokio::test(start_paused = true)]
async fn a_low_ceiling_fails_its_own_request_and_nobody_elses() {
    // One invalid answer, and then the low ceiling allows no correction.
    let invalid = FakeModel::says(r#"{"intent":"nonsense"}"#);
    let second = Duration::from_secs(1);
    let model = Scripted::with("m", 1.0, second, [invalid, FakeModel::says(VALID)]);
    let [low, high] = two(&model, settings().with(|it| it.ceiling.usd = Some(1.5)), settings());
    let (low, high) = tokio::join!(low.attempt(data("x")), high.attempt(data("x")));
    assert_eq!(code(low), (Code::RecordCeiling, 1));
    let high = high.expect("it asks for itself");
    assert_eq!(high.cache_hit, CacheHit::None);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_question_fails_all_who_ask_it_with_one_call() {
    let refused = crate::pipeline::route::testing::finished(Finish::Refused, "no");
    let model = Scripted::with("m", 1.0, Duration::from_secs(1), [refused]);
    let [first, second] = two(&model, settings(), settings());
    let (first, second) = tokio::join!(first.attempt(data("x")), second.attempt(data("x")));
    assert_eq!((code(first).0, code(second).0), (Code::ProviderRefused, Code::ProviderRefused));
    assert_eq!(model.calls(), 1);
}

#[tokio::test]
async fn a_threshold_judges_a_shared_answer_for_its_own_request() {
    let corrected = [FakeModel::says(r#"{"intent":"nonsense"}"#), FakeModel::says(VALID)];
    let strict = settings().with(|it| {
        it.checks.confidence_threshold = Some(0.99);
        it.checks.on_low_confidence = LowConfidencePolicy::DeadLetter;
    });
    let model = Scripted::new("m", corrected);
    let [strict, lenient] = two(&model, strict, settings());
    assert_eq!(code(strict.attempt(data("x")).await).0, Code::LowConfidence);
    assert_eq!(lenient.attempt(data("x")).await.unwrap().cache_hit, CacheHit::Memory);
}

#[tokio::test]
async fn tenants_share_no_answer() {
    let model = Scripted::new("m", [FakeModel::says(VALID)]);
    let [one, other] = two(&model, settings(), settings());
    let other = other.on_behalf_of(caller_of(Tenant::new("another", "default").unwrap(), None));
    for (asking, hit) in [(&one, CacheHit::None), (&other, CacheHit::None), (&one, CacheHit::Memory)] {
        assert_eq!(asking.attempt(data("x")).await.unwrap().cache_hit, hit);
    }
}

#[tokio::test]
async fn each_mode_uses_and_adds_to_what_is_remembered_as_it_says() {
    let ttl = Duration::from_secs(60);
    let with = |mode| settings().with(|it| it.cache = CachePolicy { mode, ttl });
    // What the second request finds after the first one.
    for (first, second, hit) in [
        (CacheMode::On, CacheMode::On, CacheHit::Memory),
        (CacheMode::On, CacheMode::ReadOnly, CacheHit::Memory),
        (CacheMode::On, CacheMode::WriteOnly, CacheHit::None),
        (CacheMode::On, CacheMode::Off, CacheHit::None),
        (CacheMode::WriteOnly, CacheMode::On, CacheHit::Memory),
        (CacheMode::ReadOnly, CacheMode::On, CacheHit::None),
        (CacheMode::Off, CacheMode::On, CacheHit::None),
    ] {
        let model = Scripted::new("m", [FakeModel::says(VALID)]);
        let [first_asking, second_asking] = two(&model, with(first), with(second));
        first_asking.attempt(data("x")).await.unwrap();
        let found = second_asking.attempt(data("x")).await.unwrap().cache_hit;
        assert_eq!(found, hit, "{first:?}, then {second:?}");
    }
}

#[tokio::test]
async fn no_fingerprint_is_made_where_nothing_is_remembered() {
    for (cache, is_made) in [(CachePolicy::OFF, false), (CachePolicy::on(Duration::from_secs(60)), true)] {
        let settings = settings().with(|it| it.cache = cache);
        let [asking, _] = two(&Scripted::new("m", []), settings.clone(), settings);
        let Begun::Ask(question) = asking.begin(data("x")) else { panic!("nobody has asked yet") };
        assert_eq!(question.fingerprint.is_some(), is_made);
    }
}

#[tokio::test]
async fn white_space_makes_no_other_question_and_letter_case_only_where_it_is_not_folded() {
    for (folds_case, of_case) in [(false, CacheHit::None), (true, CacheHit::Memory)] {
        let model = Scripted::new("m", [FakeModel::says(VALID)]);
        let [asking, _] = two(&model, settings(), settings());
        let recall = Recall::new(Arc::new(FakeAnswers::default())).with_folded_case(folds_case);
        let engine = Arc::new(Engine::new(recall, Tasks::new(tokio::runtime::Handle::current())));
        let asking = Asking { engine, ..asking };
        for (prompt, hit) in [("A  refund", CacheHit::None), ("A\nrefund", CacheHit::Memory), ("a refund", of_case)] {
            assert_eq!(asking.attempt(data(prompt)).await.unwrap().cache_hit, hit, "{prompt:?}, {folds_case}");
        }
    }
}

#[tokio::test]
async fn what_was_paid_for_is_remembered_by_the_exact_prompt() {
    let [asking, _] = two(&Scripted::new("m", []), settings(), settings());
    let outcomes = ["a refund", "a  refund", "A refund"].map(|prompt| match asking.begin(data(prompt)) {
        Begun::Ask(question) => question.outcome_fingerprint(),
        Begun::Done(_) => panic!("nobody has asked yet"),
    });
    assert!(outcomes[0] != outcomes[1] && outcomes[0] != outcomes[2]);
}

/// An engine of its own, as another process has it, over answers that processes share.
fn process(shared: Arc<dyn SharedAnswers>, model: &Arc<Scripted>) -> Asking {
    let [asking, _] = two(model, settings(), settings());
    let recall = Recall::new(Arc::new(FakeAnswers::default())).with_shared(shared);
    let tasks = Tasks::new(tokio::runtime::Handle::current());
    Asking { engine: Arc::new(Engine::new(recall, tasks)), ..asking }
}

#[tokio::test]
async fn an_answer_of_another_process_is_found_on_the_way_to_a_provider_and_kept() {
    let shared = Arc::new(FakeAnswers::default());
    let model = Scripted::new("m", [FakeModel::says(VALID)]);
    let [first, second] = [(); 2].map(|()| process(Arc::clone(&shared) as Arc<dyn SharedAnswers>, &model));
    assert_eq!(first.attempt(data("x")).await.unwrap().cache_hit, CacheHit::None);
    assert!(matches!(second.begin(data("x")), Begun::Ask(_)), "nothing is waited for on the thread that receives");
    for hit in [CacheHit::Redis, CacheHit::Memory] {
        assert_eq!(second.attempt(data("x")).await.unwrap().cache_hit, hit);
    }
    assert_eq!(model.calls(), 1);
}

#[tokio::test]
async fn an_answer_of_another_process_that_is_not_valid_today_is_not_taken() {
    let shared = Arc::new(FakeAnswers::default());
    let model = Scripted::new("m", [FakeModel::says(VALID), FakeModel::says(VALID)]);
    let [first, second] = [(); 2].map(|()| process(Arc::clone(&shared) as Arc<dyn SharedAnswers>, &model));
    let Begun::Ask(question) = first.begin(data("x")) else { panic!("nobody has asked yet") };
    let answered = first.attempt(data("x")).await.unwrap();
    let tampered = Answer { data: r#"{"intent":"nonsense"}"#.into(), ..(*answered.answer).clone() };
    SharedAnswers::put(&*shared, &question.answer_key().unwrap(), Arc::new(tampered), Duration::from_secs(60));
    let asked_again = second.attempt(data("x")).await.unwrap();
    assert_eq!((asked_again.cache_hit, asked_again.answer), (CacheHit::None, answered.answer));
    assert_eq!(model.calls(), 2);
}

/// A store that does not answer.
struct Hangs;

impl SharedAnswers for Hangs {
    fn get<'a>(&'a self, _key: &'a AnswerKey) -> BoxFuture<'a, Option<(Arc<Answer>, Duration)>> {
        pending().boxed()
    }

    fn put(&self, _key: &AnswerKey, _answer: Arc<Answer>, _ttl: Duration) {}
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_delays_a_call_and_does_not_prevent_it() {
    let asking = process(Arc::new(Hangs), &Scripted::new("m", [FakeModel::says(VALID)]));
    let began_at = tokio::time::Instant::now();
    assert_eq!(asking.attempt(data("x")).await.unwrap().cache_hit, CacheHit::None);
    assert!(began_at.elapsed() <= Duration::from_millis(50), "{:?}", began_at.elapsed());
}

/// A store that does not answer the look-ups that it is told not to.
#[derive(Default)]
struct HangsOnce {
    answers: FakeAnswers,
    hangs: AtomicBool,
}

impl SharedAnswers for HangsOnce {
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<(Arc<Answer>, Duration)>> {
        if self.hangs.swap(false, Ordering::Relaxed) {
            pending().boxed()
        } else {
            SharedAnswers::get(&self.answers, key)
        }
    }

    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration) {
        SharedAnswers::put(&self.answers, key, answer, ttl);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_had_no_answer_in_time_is_made_again_before_a_provider_is_asked() {
    let (shared, model) = (Arc::new(HangsOnce::default()), Scripted::new("m", [FakeModel::says(VALID)]));
    let [first, second] = [(); 2].map(|()| process(Arc::clone(&shared) as Arc<dyn SharedAnswers>, &model));
    assert_eq!(first.attempt(data("x")).await.unwrap().cache_hit, CacheHit::None);
    shared.hangs.store(true, Ordering::Relaxed);
    let Begun::Ask(mut question) = second.engine.look_ahead(second.begin(data("x"))).await else {
        panic!("nobody has answered yet")
    };
    assert_eq!(second.engine.attempt(&mut question).await.unwrap().cache_hit, CacheHit::Redis);
    assert_eq!(model.calls(), 1);
}
