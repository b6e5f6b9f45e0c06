//! Outcomes in the Test Anything Protocol, version 14.

use std::io::{self, Write};

use serde_json::Value;

use super::{Report, one_line};

/// A line for each test. What was wrong stands below it as YAML, whose texts are written as JSON.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{}", report.tests())?;
    let tests = report.files.iter().flat_map(|file| file.tests.iter().map(move |test| (file, test)));
    for (index, (file, test)) in tests.enumerate() {
        let (number, description) = (index + 1, description(&format!("{}: {}", file.path.display(), test.name)));
        if test.failures.is_empty() {
            writeln!(out, "ok {number} - {description}")?;
            continue;
        }
        writeln!(out, "not ok {number} - {description}\n  ---")?;
        writeln!(out, "  at: {}\n  failures:", Value::from(file.place(test)))?;
        for failure in &test.failures {
            writeln!(out, "    - {}", Value::from(failure.as_str()))?;
        }
        writeln!(out, "  ...")?;
    }
    Ok(())
}

/// A description, in which `#` would begin a directive.
fn description(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}
