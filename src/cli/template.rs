//! `template`: the built-in prompts, what they need, and how a connector uses them.

use std::io::{self, Write};

use super::Exit;
use crate::prompt::library::{self, Parameter, Source};

/// Show the built-in prompt templates and their parameters
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the built-in templates with their parameters
    List,
    /// Show one: parameters, schema, an example and the lines of a connector that use it
    Show {
        /// A built-in template
        #[arg(value_name = "NAME")]
        template: String,
    },
}

/// Prints templates to `out`, and what is wrong with the arguments to `error`.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    match &args.command {
        Command::List => {
            for source in library::all() {
                let names: Vec<&str> = source.parameters().iter().map(|parameter| parameter.name).collect();
                let name = format!("{}@{}", source.name, source.version);
                writeln!(out, "{name:<32} {} ({})", source.description(), names.join(", "))?;
            }
        }
        Command::Show { template } => match library::find(template) {
            Some(source) => show(&source, out)?,
            None => {
                let names = library::names().join(", ");
                writeln!(error, "there is no built-in template {template:?}; there are {names}")?;
                return Ok(Exit::WrongUse);
            }
        },
    }
    Ok(Exit::Done)
}

fn show(source: &Source, out: &mut dyn Write) -> io::Result<()> {
    let parameters = source.parameters();
    writeln!(out, "{}@{}: {}.\n", source.name, source.version, source.description())?;
    writeln!(out, "Parameters:")?;
    for Parameter { name, description, default } in &parameters {
        let presence = default.map_or_else(|| "required".to_owned(), |default| format!("default: {default}"));
        writeln!(out, "  {name:<16} {description} ({presence})")?;
    }
    writeln!(out, "\nIn a connector:\n{}", snippet(source, &parameters))?;
    writeln!(out, "An event for it:\n{}\n", event(source))?;
    writeln!(out, "Its schema: structured-prompt schema show {}", source.schema())?;
    writeln!(out, "A result:   structured-prompt schema show {} --example", source.schema())?;
    writeln!(
        out,
        "\nThe template:\n{}",
        source.text.split_once("-#}").map_or(source.text, |(_, body)| body.trim_start())
    )
}

/// The lines of a connector that use the template on events whose data has a member for each parameter.
fn snippet(source: &Source, parameters: &[Parameter]) -> String {
    let mut lines = format!("  prompt:\n    template: {}\n    parameters:\n", source.name);
    for parameter in parameters {
        lines.push_str(&format!("      {0}: \"{{{{ data.{0} }}}}\"\n", parameter.name));
    }
    lines.push_str(&format!("  schema: {}\n", source.schema()));
    lines
}

/// An event as one line of JSON, as `demo --input` takes it.
fn event(source: &Source) -> String {
    let data: serde_json::Value = serde_json::from_str(source.example).unwrap_or_default();
    serde_json::json!({
        "specversion": "1.0", "id": "1", "source": "/examples", "type": source.name, "datacontenttype": "application/json", "data": data,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::config::connector::{RuntimeDefaults, read_text};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn template(arguments: &[&str]) -> (Exit, String, String) {
        let cli = Cli::try_parse_from(std::iter::once("template").chain(arguments.iter().copied())).unwrap();
        let (mut out, mut error) = (Vec::new(), Vec::new());
        let exit = run(&cli.args, &mut out, &mut error).unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(error).unwrap())
    }

    #[test]
    fn the_list_names_each_with_its_parameters() {
        let (exit, out, _) = template(&["list"]);
        assert_eq!(exit, Exit::Done);
        assert_eq!(out.lines().count(), library::all().len());
        assert!(
            out.lines().any(|line| line.starts_with("translation@1.0.0 ") && line.ends_with("(text, target_language)")),
            "{out}"
        );
    }

    #[test]
    fn what_is_shown_for_a_connector_is_a_connector() {
        for source in library::all() {
            let (exit, out, _) = template(&["show", source.name]);
            assert_eq!(exit, Exit::Done);
            let (_, rest) = out.split_once("In a connector:\n").unwrap();
            let (snippet, rest) = rest.split_once("\n\n").unwrap();
            let lines: Vec<&str> = snippet.lines().map(|line| &line[2..]).collect();
            let file = format!(
                "name: a\nsource: {{ kafka: {{ topics: [t] }} }}\n{}\nsink: {{ kafka: {{ topic: u }} }}\ndead_letter: {{ kafka: {{ topic: v }} }}\n",
                lines.join("\n")
            );
            let read = read_text(Path::new("c.yaml"), &file, &RuntimeDefaults::default()).expect(&file);
            assert_eq!(read.schema.known().unwrap().name(), source.schema());
            let event = rest.lines().nth(1).unwrap();
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            for parameter in source.parameters() {
                assert!(event["data"][parameter.name].is_string(), "{out}");
                assert!(
                    out.contains(&format!("  {:<16} {} (required)", parameter.name, parameter.description)),
                    "{out}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_there_is_wrong_use() {
        let (exit, _, error) = template(&["show", "invoise"]);
        assert!(exit == Exit::WrongUse && error.contains("invoice"), "{error}");
    }
}
