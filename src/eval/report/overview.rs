//! The variants side by side: what the page and the Markdown have in common.

use super::Variant;
use super::words::{counted, shown, usd};

/// What each column has; the first one names the variant.
pub(super) const HEADS: [&str; 11] = [
    "variant",
    "fields right",
    "labels right",
    "answered",
    "omitted",
    "invented",
    "ungrounded",
    "at their place",
    "USD an answer",
    "p50",
    "p95",
];

/// What explains the numbers.
pub(super) const EXPLANATION: &str =
    "In brackets: the 95 % interval. A label without an answer is wrong in every field.";

/// The cells of a variant, but for its name.
pub(super) fn cells(Variant { summary, .. }: &Variant<'_>) -> Vec<String> {
    let shares = [&summary.fields_right, &summary.labels_right].map(shown);
    let counts = [&summary.answered, &summary.omitted, &summary.invented, &summary.ungrounded, &summary.at_their_place];
    let cost = summary.cost.usd_per_answer.map_or("–".to_owned(), usd);
    let times = summary.latency.map_or(["–".to_owned(), "–".to_owned()], |latency| {
        [latency.p50_ms, latency.p95_ms].map(|millis| format!("{millis:.0} ms"))
    });
    shares.into_iter().chain(counts.map(counted)).chain([cost]).chain(times).collect()
}

/// What is particular to a variant, in words.
pub(super) fn settings(Variant { run, .. }: &Variant<'_>) -> String {
    run.settings.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// What its numbers do not count.
pub(super) fn notes(Variant { run, summary, .. }: &Variant<'_>) -> Vec<String> {
    let unasked = (summary.unasked > 0)
        .then(|| format!("for {} labels nobody could be asked; they do not count", summary.unasked));
    let replayed = run.is_replayed.then(|| "answers came from recordings, so times are not told".to_owned());
    unasked.into_iter().chain(replayed).collect()
}
