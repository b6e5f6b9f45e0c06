//! Calls of which the provider does not say what they used.

use super::*;
use crate::domain::answer::Usage;

fn untold(text: &str) -> Result<Reply, CallError> {
    FakeModel::says(text).map(|reply| Reply { usage: Usage::default(), ..reply })
}

fn pipeline_of(settings: PipelineSettings, replies: impl IntoIterator<Item = Result<Reply, CallError>>) -> Pipeline {
    let model: Arc<dyn Model> = Arc::new(FakeModel::new(replies));
    let by = RouterSettings { strategy: Strategy::Priority, budget: settings.budget, reference: None };
    let recall = Arc::new(Recall::new(Arc::new(FakeAnswers::default())));
    Pipeline::new(settings, Arc::new(router(vec![(model, Limits::default())], by)), recall)
}

#[tokio::test]
async fn a_call_without_usage_has_an_estimated_cost_and_no_invented_tokens() {
    let answer = ask(&pipeline_of(settings(), [untold(VALID)])).await.unwrap().answer.clone();
    assert!(answer.cost_usd > 0.1, "it was free: {}", answer.cost_usd);
    assert_eq!(answer.usage, Usage::default());
    let told = ask(&pipeline_of(settings(), [FakeModel::says(VALID)])).await.unwrap().answer.clone();
    assert!((told.cost_usd - 0.015).abs() < 1e-9, "{}", told.cost_usd);
}

#[tokio::test]
async fn a_budget_and_a_ceiling_end_though_no_usage_is_told() {
    let budget = Some(BudgetSettings { usd: 1.6, window: Duration::from_secs(3600) });
    let budgeted = pipeline_of(PipelineSettings { budget, ..settings() }, (0..50).map(|_| untold(VALID)));
    let mut answered = 0;
    while ask(&budgeted).await.is_ok() {
        answered += 1;
    }
    assert!((1..20).contains(&answered), "{answered} answers");

    let record_ceiling = RecordCeiling { tokens: 1900, usd: None };
    let invalid = (0..3).map(|_| untold(INVALID));
    let failure = ask(&pipeline_of(PipelineSettings { record_ceiling, ..settings() }, invalid)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::RecordCeiling, 1));
}
