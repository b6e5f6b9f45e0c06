//! The two text formats: OpenMetrics 1.0, which has exemplars, and the classic one of Prometheus, which every tool
//! reads.

use std::fmt::{self, Write as _};

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, version 0.0.4.
    Classic,
}

impl TextFormat {
    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The same metrics in the classic format: there a counter's own name ends in `_total`, and exemplars, units and the
/// mark of the end are unknown.
pub(super) fn classic(open_metrics: &str) -> Result<String, fmt::Error> {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
            describe(&mut text, name, kind, help.take())?;
        } else if !line.starts_with('#') {
            text.push_str(without_exemplar(line));
            text.push('\n');
        }
    }
    Ok(text)
}

fn describe(text: &mut String, name: &str, kind: &str, help: Option<(&str, &str)>) -> fmt::Result {
    let end = if kind == "counter" { "_total" } else { "" };
    let kind = if kind == "unknown" { "untyped" } else { kind };
    if let Some((_, help)) = help {
        writeln!(text, "# HELP {name}{end} {help}")?;
    }
    writeln!(text, "# TYPE {name}{end} {kind}")
}

/// A sample without what follows the `#` behind its value. In the text of a label a `#` is nothing special.
fn without_exemplar(line: &str) -> &str {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'#' if !is_quoted => return line[..index].trim_end(),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_format_names_counters_by_their_samples_and_has_no_exemplars() {
        let open_metrics = "# HELP sp_results Results.\n# TYPE sp_results counter\n\
             sp_results_total{connector=\"a # b\\\" # c\"} 3\n\
             # HELP sp_seconds Times.\n# TYPE sp_seconds histogram\n# UNIT sp_seconds seconds\n\
             sp_seconds_bucket{le=\"1.0\"} 2 # {trace_id=\"0af7\"} 0.5 1700000000.5\n\
             # HELP sp_x X.\n# TYPE sp_x gauge\nsp_x 1\n# EOF\n";
        assert_eq!(
            classic(open_metrics).unwrap(),
            "# HELP sp_results_total Results.\n# TYPE sp_results_total counter\n\
             sp_results_total{connector=\"a # b\\\" # c\"} 3\n\
             # HELP sp_seconds Times.\n# TYPE sp_seconds histogram\nsp_seconds_bucket{le=\"1.0\"} 2\n\
             # HELP sp_x X.\n# TYPE sp_x gauge\nsp_x 1\n"
        );
    }
}
