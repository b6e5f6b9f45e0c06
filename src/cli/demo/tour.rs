//! The order of the show: seven steps where it is all ours, fewer for a user's own records.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::time::timeout_at;

use super::events::header;
use super::feed::Fed;
use super::ledger::Ledger;
use super::provider_choice::Choice;
use super::story::{self, Story};
use super::watch::GaveUp;
use super::{Args, next_step, show};
use crate::domain::record::{Outgoing, Record};
use crate::kafka::settings::RecordFormat;

/// A ticket that says enough to fill every field.
const TICKET: &str = "tkt-10023";
/// The key of a ticket with a common mistake: an attribute is missing.
const MISTAKE: &str = "ticket/10074";

/// The story is over long before, unless its process hangs.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) struct Show<'a> {
    pub(super) args: &'a Args,
    pub(super) records: &'a [Outgoing],
    pub(super) format: RecordFormat,
    pub(super) fed: &'a Fed,
    pub(super) ledger: &'a Ledger,
}

/// The first step, before anything is asked.
pub(super) fn introduce(out: &mut dyn Write, args: &Args, choice: &Choice) -> io::Result<()> {
    let number = args.is_tour().then_some(1);
    show::title(out, number, "THE CONNECTOR")?;
    show::connector(out, &choice.connector, &choice.providers)?;
    out.flush()
}

impl Show<'_> {
    /// The other steps. False if the story did not come to its good end.
    pub(super) async fn print(
        &self,
        out: &mut (dyn Write + Send),
        story: Option<Story>,
        started_at: Instant,
    ) -> io::Result<bool> {
        match story {
            Some(story) if self.fed.gave_up.is_none() => self.tour(out, story, started_at).await,
            Some(story) => {
                drop(story::end(story.kill, tokio::time::Instant::now()).await);
                self.own(out).map(|()| true)
            }
            None => self.own(out).map(|()| true),
        }
    }

    async fn tour(&self, out: &mut (dyn Write + Send), story: Story, started_at: Instant) -> io::Result<bool> {
        let Story { correction, kill } = story;
        let deadline = deadline(started_at, self.args.timeout);
        show::title(out, Some(2), "ONE TICKET IN, ONE RECORD OUT")?;
        let is_it = |record: &&Record| header(record, "ce_causationid").is_some_and(|id| id == TICKET);
        if let Some(result) = self.fed.results.iter().find(is_it) {
            show::record(out, self.records, result, self.format)?;
        }
        show::title(out, Some(3), "AN INVALID ANSWER, CORRECTED")?;
        out.flush()?;
        match timeout_at(deadline, correction).await {
            Ok(Ok(correction)) => show::correction(out, &correction)?,
            Ok(Err(_)) | Err(_) => writeln!(out, "   It could not be shown; step 6 says why.")?,
        }
        show::title(out, Some(4), "A DEAD LETTER, WITH ITS ORIGINAL")?;
        let is_it = |letter: &&Record| letter.key.as_deref() == Some(MISTAKE.as_bytes());
        let letters = &self.fed.dead_letters;
        if let Some(letter) = letters.iter().find(is_it).or(letters.first()) {
            show::dead_letter(out, letter)?;
        }
        show::title(out, Some(5), "THE LEDGER")?;
        self.account(out)?;
        show::title(out, Some(6), "A KILL AND A RESTART")?;
        show::before_the_kill(out)?;
        out.flush()?;
        let kill = story::end(kill, deadline).await;
        match &kill {
            Ok(kill) => show::kill(out, kill)?,
            Err(why) => writeln!(out, "   It could not be shown: {why}.")?,
        }
        next_step::write(out, Some(7), self.args)?;
        Ok(kill.is_ok_and(|kill| kill.lost == 0))
    }

    fn account(&self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        self.ledger.write(out)?;
        let why = self.fed.gave_up.as_ref().map(|GaveUp(why)| why.as_str()).unwrap_or_default();
        why.lines().try_for_each(|line| writeln!(out, "   {line}"))
    }

    fn own(&self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Fed { results, dead_letters, gave_up: _ } = self.fed;
        if let Some(first) = results.first() {
            let title = if results.len() > 3 { "THE FIRST RESULTS" } else { "RESULTS" };
            show::title(out, None, title)?;
            show::results(out, self.records, results, self.format)?;
            show::title(out, None, "THE FIRST IN FULL")?;
            show::record(out, self.records, first, self.format)?;
        }
        let mut shown = BTreeSet::new();
        for letter in dead_letters {
            if !shown.insert(header(letter, "sp-error-code")) {
                continue;
            }
            if shown.len() == 1 {
                show::title(out, None, "DEAD LETTERS, ONE OF EACH CODE")?;
            } else {
                writeln!(out)?;
            }
            show::dead_letter(out, letter)?;
        }
        show::title(out, None, "THE LEDGER")?;
        self.account(out)?;
        // What is to be done first has just been said.
        if self.fed.gave_up.is_some() { Ok(()) } else { next_step::write(out, None, self.args) }
    }
}

/// The story's counts, and whether it came to its good end.
pub(super) async fn in_json(
    story: Option<Story>,
    started_at: Instant,
    timeout: Option<Duration>,
) -> (Map<String, Value>, bool) {
    let Some(Story { correction, kill }) = story else { return (Map::new(), true) };
    let deadline = deadline(started_at, timeout);
    let log = timeout_at(deadline, correction).await.ok().and_then(Result::ok).and_then(|correction| {
        let log = header(&correction.result, "ce_attemptlog")?;
        serde_json::from_str::<Value>(&log).ok()
    });
    let kill = story::end(kill, deadline).await;
    let is_good = kill.as_ref().is_ok_and(|kill| kill.lost == 0);
    let shown = match kill {
        Ok(kill) => json!({
            "tickets": kill.tickets,
            "results_before": kill.before,
            "open_calls": kill.open,
            "lost": kill.lost,
            "answered_calls_repeated": kill.answered_again,
            "open_calls_repeated": kill.open_again,
            "repeated_outcomes": kill.repeated,
            "repeated_with_same_id": kill.repeated_with_same_id,
        }),
        Err(why) => json!({ "failed": why }),
    };
    let fields = [("correction".to_owned(), json!({ "attempt_log": log })), ("kill".to_owned(), shown)];
    (fields.into_iter().collect(), is_good)
}

fn deadline(started_at: Instant, timeout: Option<Duration>) -> tokio::time::Instant {
    tokio::time::Instant::from_std(started_at + timeout.unwrap_or(PATIENCE))
}
