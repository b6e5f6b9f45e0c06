//! Calls of which the provider does not say what they used.

use super::*;
use crate::domain::answer::Usage;

fn untold(text: &str) -> Result<Reply, CallError> {
    FakeModel::says(text).map(|reply| Reply { usage: Usage::default(), ..reply })
}

fn asking_of(settings: SpecSettings, replies: impl IntoIterator<Item = Result<Reply, CallError>>) -> Asking {
    let model: Arc<dyn Model> = Arc::new(FakeModel::new(replies));
    Asking::new(settings, router(vec![(model, Limits::default())], Strategy::Priority))
}

#[tokio::test]
async fn a_call_without_usage_has_an_estimated_cost_and_no_invented_tokens() {
    let answer = ask(&asking_of(settings(), [untold(VALID)])).await.unwrap().answer.clone();
    assert!(answer.cost_usd > 0.1, "it was free: {}", answer.cost_usd);
    assert_eq!(answer.usage, Usage::default());
    let told = ask(&asking_of(settings(), [FakeModel::says(VALID)])).await.unwrap().answer.clone();
    assert!((told.cost_usd - 0.015).abs() < 1e-9, "{}", told.cost_usd);
}

#[tokio::test]
async fn a_budget_and_a_ceiling_end_though_no_usage_is_told() {
    let budgeted = with_budget(asking_of(settings(), (0..50).map(|_| untold(VALID))), 1.6);
    let mut answered = 0;
    while ask(&budgeted).await.is_ok() {
        answered += 1;
    }
    assert!((1..20).contains(&answered), "{answered} answers");

    let record_ceiling = RecordCeiling { tokens: 1900, usd: None };
    let invalid = (0..3).map(|_| untold(INVALID));
    let failure = ask(&asking_of(settings().with(|it| it.ceiling = record_ceiling), invalid)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::RecordCeiling, 1));
}
