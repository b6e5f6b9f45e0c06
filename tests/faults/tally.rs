//! What a row counted, and what it holds against it.

use std::fmt::Write as _;
use std::time::Duration;

use super::oracle::Judgement;
use super::process::Resources;
use super::scene::Guarantee;

/// Connections to brokers come and go, whatever is wrong.
const SPARE_FILES: usize = 8;
const SPARE_THREADS: usize = 4;
/// Memory that an allocator may keep for itself.
const SPARE_KB: usize = 16 << 10;
/// Problems that are said in full.
const SAID: usize = 4;

#[derive(Debug, Default)]
pub struct Tally {
    pub runs: usize,
    pub inputs: usize,
    pub lost: usize,
    pub dup_rc: usize,
    pub dup_ru: usize,
    pub extra_calls: usize,
    /// The longest of all runs.
    pub recovery: Option<Duration>,
    pub notes: Vec<String>,
    pub problems: Vec<String>,
}

impl Tally {
    /// Counts a run. Nothing may ever be lost, and with exactly-once nothing seen twice.
    pub fn add(&mut self, judgement: Judgement, guarantee: Guarantee) {
        let Judgement { inputs, lost, dup_rc, dup_ru, extra_calls, wrong, results, letters, codes } = judgement;
        self.runs += 1;
        self.inputs += inputs;
        self.lost += lost;
        self.dup_rc += dup_rc;
        self.dup_ru += dup_ru;
        self.extra_calls += extra_calls;
        self.expect(lost == 0, || format!("{lost} of {inputs} lost ({results} results, {letters} letters: {codes:?})"));
        if guarantee == Guarantee::ExactlyOnce {
            self.expect(dup_rc == 0, || format!("{dup_rc} outcomes are seen twice"));
        }
        let count = wrong.len();
        self.problems.extend(wrong.into_iter().take(SAID));
        self.expect(count <= SAID, || format!("and {} more", count - SAID));
    }

    pub fn expect(&mut self, is_so: bool, otherwise: impl FnOnce() -> String) {
        if !is_so {
            self.problems.push(otherwise());
        }
    }

    /// Outcomes that readers of committed records see twice, at most.
    pub fn repeats_at_most(&mut self, limit: usize) {
        let repeated = self.dup_rc;
        self.expect(repeated <= limit, || format!("{repeated} repeated, {limit} at most"));
    }

    /// Answers that were paid twice, at most.
    pub fn extra_calls_at_most(&mut self, limit: usize) {
        let extra = self.extra_calls;
        self.expect(extra <= limit, || format!("{extra} calls paid twice, {limit} at most"));
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub fn note_time(&mut self, what: &str, time: Duration) {
        self.notes.push(format!("{what} {:.1} s", time.as_secs_f64()));
    }

    /// Takes note of how long it took until all was well again.
    pub fn recovered(&mut self, time: Duration, limit: Duration) {
        self.recovery = self.recovery.max(Some(time));
        self.expect(time <= limit, || format!("recovered after {time:.1?}, {limit:?} at most"));
    }

    /// A process that was there all the time must not have grown.
    pub fn compare(&mut self, before: &Resources, after: &Resources) {
        let is_grown = |before: usize, after: usize, spare: usize| after > before + (before / 10).max(spare);
        let pairs = [
            ("files", before.files, after.files, SPARE_FILES),
            ("threads", before.threads, after.threads, SPARE_THREADS),
            ("kB of memory", before.rss_kb, after.rss_kb, SPARE_KB),
        ];
        for (what, before, after, spare) in pairs {
            self.expect(!is_grown(before, after, spare), || format!("{after} {what}, {before} before"));
        }
    }

    /// Problems in one line.
    pub fn complaint(&self) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            write!(text, "{}{problem}", if text.is_empty() { "" } else { "; " }).expect("text");
        }
        text
    }
}
