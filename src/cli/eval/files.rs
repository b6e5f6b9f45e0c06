//! The files that an evaluation reads and writes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Args, EvalError};
use crate::cli::say;
use crate::domain::text;
use crate::eval::calibration;
use crate::eval::comparison::Scores;
use crate::eval::labels::{self, Label};
use crate::eval::report::{Report, html, json, markdown};

/// The labels of all files.
pub(super) fn read_labels(paths: &[PathBuf]) -> Result<Vec<Label>, EvalError> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let (labels, wrong) = labels::read(&path.display().to_string(), &read(path)?);
        all.extend(labels);
        problems.extend(wrong);
    }
    if !problems.is_empty() {
        return Err(EvalError::Labels(problems));
    }
    if all.is_empty() {
        return Err(EvalError::WrongUse("there is no label in these files".to_owned()));
    }
    Ok(all)
}

/// The scores of an earlier run.
pub(super) fn read_baseline(path: &Path) -> Result<Vec<Scores>, EvalError> {
    json::read_scores(&read(path)?).map_err(|why| EvalError::WrongUse(format!("{}: {why}", path.display())))
}

pub(super) fn read(path: &Path) -> Result<String, EvalError> {
    let failed = |error| EvalError::File(path.display().to_string(), error);
    text::decode(&fs::read(path).map_err(failed)?).map_err(|fault| failed(io::Error::other(fault)))
}

/// Writes the reports and the calibration that were asked for.
pub(super) fn write(args: &Args, report: &Report<'_>) -> Result<(), EvalError> {
    let failed = |path: &Path| {
        let shown = path.display().to_string();
        move |error| EvalError::Io(io::Error::other(format!("{shown} cannot be written: {error}")))
    };
    if let Some(directory) = &args.output {
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let no_text = |_| EvalError::Io(io::Error::other("the report cannot be made"));
        let files = [
            ("report.json", json::write(report).map_err(io::Error::other)?),
            ("report.md", markdown::write(report).map_err(no_text)?),
            ("report.html", html::write(report).map_err(no_text)?),
        ];
        for (name, text) in files {
            let path = directory.join(name);
            fs::write(&path, text).map_err(failed(&path))?;
        }
        say(format_args!("wrote report.json, report.md and report.html to {}", directory.display()));
    }
    if let (Some(path), Some(variant)) = (&args.calibration, report.variants.first()) {
        let calibration = calibration::of(report.connector, variant.run, report.fields, report.labels);
        if calibration.all.is_empty() {
            say("--calibration: no evidence was looked for, so there is nothing to count by it");
        }
        let text = serde_json::to_string_pretty(&calibration).map_err(io::Error::other)?;
        fs::write(path, text + "\n").map_err(failed(path))?;
        say(format_args!("wrote the calibration to {}", path.display()));
    }
    Ok(())
}
