//! Asking about all labels.

use std::num::NonZeroU16;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::setup::Prepared;
use crate::app::evaluation::Evaluator;
use crate::cli::say;
use crate::eval::fields::Field;
use crate::eval::labels::Label;
use crate::eval::outcome::{Outcome, Run};

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
    let before = variant.recordings();
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
    let calls: u32 = outcomes.iter().map(|outcome| outcome.calls).sum();
    let mut run = Run::new(variant.name.clone(), fields, labels, outcomes);
    run.settings = variant.settings(evaluator);
    if let (Some(before), Some(after)) = (before, variant.recordings()) {
        let sent = after.saturating_sub(before);
        let recorded = usize::try_from(calls).unwrap_or(usize::MAX).saturating_sub(sent);
        run.is_replayed = recorded > 0;
        say(format_args!("{}: {}", variant.name, told(recorded, sent)));
    }
    run
}

/// Where the answers came from.
fn told(recorded: usize, sent: usize) -> String {
    match (recorded, sent) {
        (0, 0) => "nobody was asked over the network".to_owned(),
        (recorded, 0) => format!("all {recorded} answers were recorded before: nothing was sent, and nothing paid"),
        (0, sent) => format!("{sent} answers were asked for and recorded; the next run has them for nothing"),
        (recorded, sent) => format!("{recorded} answers were recorded before, {sent} were asked for and recorded"),
    }
}
