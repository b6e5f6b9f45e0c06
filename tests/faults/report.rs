//! The table, for the terminal and for the documentation.

use std::fmt::Write as _;

use super::row::Row;
use super::tally::Tally;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Fails,
}

/// A row that ran.
pub struct Line<'a> {
    pub row: &'a Row,
    pub tally: Tally,
    pub verdict: Verdict,
}

impl Line<'_> {
    fn cells(&self) -> [String; 10] {
        let Tally { runs, inputs, lost, dup_rc, dup_ru, extra_calls, recovery, .. } = &self.tally;
        let is_judged = *runs > 0;
        let count = |n: &usize| if is_judged { n.to_string() } else { "–".to_owned() };
        [
            self.row.number.to_string(),
            self.row.fault.to_owned(),
            self.row.guarantee.to_owned(),
            if is_judged { format!("{runs} × {}", inputs / runs) } else { "–".to_owned() },
            count(lost),
            count(dup_rc),
            count(dup_ru),
            count(extra_calls),
            recovery.map_or_else(|| "–".to_owned(), |time| format!("{:.1}", time.as_secs_f64())),
            match self.verdict {
                Verdict::Holds => "holds".to_owned(),
                Verdict::Fails => "**fails**".to_owned(),
            },
        ]
    }
}

const HEADS: [&str; 10] =
    ["row", "fault", "guarantee", "runs", "lost", "dup_rc", "dup_ru", "extra_calls", "recovery s", "verdict"];

/// The table in Markdown, its columns padded so that a terminal shows it well.
pub fn table(lines: &[Line<'_>]) -> String {
    let rows: Vec<[String; 10]> =
        std::iter::once(HEADS.map(str::to_owned)).chain(lines.iter().map(Line::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            write!(text, "| {cell:width$} ").expect("text");
        }
        text.push_str("|\n");
        if index == 0 {
            text.extend(widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

/// What falls short, one line each, without the log that a complaint may end with.
pub fn shortcomings(lines: &[Line<'_>]) -> String {
    let failed = lines.iter().filter(|line| line.verdict == Verdict::Fails);
    let why = |line: &Line<'_>| line.tally.complaint().lines().next().unwrap_or_default().to_owned();
    failed.map(|line| format!("- **{}, {}**: {}\n", line.row.number, line.row.fault, why(line))).collect()
}

/// What the rows noted beside the table.
pub fn notes(lines: &[Line<'_>]) -> String {
    let noted = lines.iter().filter(|line| !line.tally.notes.is_empty());
    noted.map(|line| format!("- {}, {}: {}.\n", line.row.number, line.row.fault, line.tally.notes.join(", "))).collect()
}

/// The page of the documentation.
pub fn page(lines: &[Line<'_>], command: &str) -> String {
    let missing = shortcomings(lines);
    let missing = if missing.is_empty() { "Nothing.\n".to_owned() } else { missing };
    format!(
        "{}\nThis table is the output of `{command}`, of a debug build.\n\n{}\n## What falls short\n\n{missing}\n## Notes of the runs\n\n{}",
        include_str!("page.md"),
        table(lines),
        notes(lines)
    )
}
