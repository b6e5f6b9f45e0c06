//! Asking about all labels.

use std::num::NonZeroU16;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::setup::{Answers, Prepared};
use crate::app::evaluation::Evaluator;
use crate::cli::say;
use crate::eval::fields::Field;
use crate::eval::labels::Label;
use crate::eval::outcome::{Outcome, Run};
use crate::llm::exchange_counts::Exchanges;

/// How often is told how far it is, in parts of the whole.
const REPORTS: usize = 10;

/// Asks about each label, so many at a time and each for so long, and tells on standard error how far it is.
pub(super) async fn all(
    variant: &Prepared,
    evaluator: &Evaluator,
    labels: &[Label],
    fields: &[Field],
    (concurrency, limit): (NonZeroU16, Duration),
) -> Run {
    say(format_args!("{}: {}", variant.name, variant.sentence));
    let asked = labels.iter().enumerate().map(async |(index, label)| {
        let outcome = evaluator.ask(&label.event, index, limit).await;
        (index, outcome)
    });
    let mut asked = stream::iter(asked).buffer_unordered(usize::from(concurrency.get()));
    let mut outcomes: Vec<(usize, Outcome)> = Vec::with_capacity(labels.len());
    let step = labels.len().div_ceil(REPORTS);
    while let Some(outcome) = asked.next().await {
        outcomes.push(outcome);
        if outcomes.len().is_multiple_of(step) || outcomes.len() == labels.len() {
            say(format_args!("{}: {} of {} labels", variant.name, outcomes.len(), labels.len()));
        }
    }
    outcomes.sort_unstable_by_key(|(index, _)| *index);
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    let mut run = Run::new(variant.name.clone(), fields, labels, outcomes);
    run.settings = variant.settings(evaluator);
    match variant.answers() {
        Answers::Made => {}
        Answers::Replayed => run.is_replayed = true,
        Answers::Counted(exchanges) => {
            run.is_replayed = exchanges.replayed > 0;
            say(format_args!("{}: {}", variant.name, told(exchanges)));
        }
    }
    run
}

/// Where the answers came from.
fn told(Exchanges { replayed, sent, recorded }: Exchanges) -> String {
    let told = match (replayed, sent) {
        (0, 0) => "nobody was asked over the network".to_owned(),
        (replayed, 0) => format!("all {replayed} answers were recorded before: nothing was sent, and nothing paid"),
        (0, _) => format!("{recorded} answers were asked for and recorded; the next run has them for nothing"),
        (replayed, _) => format!("{replayed} answers were recorded before, {recorded} were asked for and recorded"),
    };
    match sent.saturating_sub(recorded) {
        0 => told,
        failed => format!("{told}; {failed} calls failed and are made again by the next run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_failed_are_told_apart_from_recorded_answers() {
        let told = |replayed, sent, recorded| told(Exchanges { replayed, sent, recorded });
        assert_eq!(told(0, 0, 0), "nobody was asked over the network");
        assert_eq!(told(12, 0, 0), "all 12 answers were recorded before: nothing was sent, and nothing paid");
        assert_eq!(told(3, 9, 9), "3 answers were recorded before, 9 were asked for and recorded");
        let with_failures = told(0, 12, 10);
        assert!(with_failures.starts_with("10 answers were asked for and recorded; "), "{with_failures}");
        assert!(with_failures.ends_with("; 2 calls failed and are made again by the next run"), "{with_failures}");
    }
}
