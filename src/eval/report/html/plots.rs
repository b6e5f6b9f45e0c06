//! Plots as SVG within the page.

use std::fmt::{self, Write as _};

use super::escaped;
use crate::eval::interval::{Share, as_f64};
use crate::eval::report::words::shown;

/// Sizes in pixels.
const LABEL_WIDTH: f64 = 220.0;
const PLOT_WIDTH: f64 = 520.0;
const LINE: f64 = 14.0;
const GAP: f64 = 8.0;
const TOP: f64 = 26.0;
/// Longest label of a row in characters.
const LABEL_CHARS: usize = 32;

/// Shares with their intervals: for each row a dot for each variant.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    /// The variants; without names there is no legend.
    pub(super) names: &'a [&'a str],
    /// Each row with the share of each variant.
    pub(super) rows: Vec<(String, Vec<Option<Share>>)>,
}

impl Plot<'_> {
    /// Writes it, unless it has no rows.
    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        if self.rows.is_empty() {
            return Ok(());
        }
        let title = escaped(self.title);
        writeln!(out, "<h2>{title}</h2>\n<p class=\"legend\">")?;
        for (index, name) in self.names.iter().enumerate().filter(|_| self.names.len() > 1) {
            writeln!(out, "<span class=\"c{}\">●</span> {}", colour(index), escaped(name))?;
        }
        let row_height = |shares: &[Option<Share>]| as_f64(shares.len().max(1)) * LINE + GAP;
        let height = TOP + self.rows.iter().map(|(_, shares)| row_height(shares)).sum::<f64>();
        let width = LABEL_WIDTH + PLOT_WIDTH + 20.0;
        writeln!(
            out,
            "</p>\n<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"{title}\">"
        )?;
        for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
            let x = position(percent / 100.0);
            writeln!(out, "<line class=\"grid\" x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{height}\"/>")?;
            writeln!(out, "<text class=\"axis\" x=\"{x}\" y=\"14\" text-anchor=\"middle\">{percent} %</text>")?;
        }
        let mut top = TOP + GAP / 2.0;
        for (label, shares) in &self.rows {
            let middle = top + (row_height(shares) - GAP) / 2.0 + 4.0;
            let (x, label) = (LABEL_WIDTH - 10.0, escaped(&shortened(label)));
            writeln!(out, "<text x=\"{x}\" y=\"{middle}\" text-anchor=\"end\">{label}</text>")?;
            for (index, share) in shares.iter().enumerate() {
                if let Some(share) = share.as_ref().filter(|share| share.rate.is_some()) {
                    dot(out, top + (as_f64(index) + 0.5) * LINE, index, share)?;
                }
            }
            top += row_height(shares);
        }
        writeln!(out, "</svg>")
    }
}

fn dot(out: &mut String, y: f64, index: usize, share: &Share) -> fmt::Result {
    let [low, rate, high] = [share.low, share.rate.unwrap_or_default(), share.high].map(position);
    let (colour, told, of) = (colour(index), shown(share), share.of);
    writeln!(out, "<g class=\"c{colour}\"><title>{told}, of {of}</title>")?;
    writeln!(out, "<line x1=\"{low:.1}\" y1=\"{y}\" x2=\"{high:.1}\" y2=\"{y}\"/>")?;
    writeln!(out, "<circle cx=\"{rate:.1}\" cy=\"{y}\" r=\"4\"/></g>")
}

fn position(rate: f64) -> f64 {
    LABEL_WIDTH + rate * PLOT_WIDTH
}

/// One of the colours of the style sheet.
fn colour(index: usize) -> usize {
    index % 6
}

fn shortened(label: &str) -> String {
    match label.char_indices().nth(LABEL_CHARS) {
        Some((end, _)) => format!("{}…", label.get(..end).unwrap_or_default()),
        None => label.to_owned(),
    }
}
