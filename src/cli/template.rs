//! `template`: the prompts that there are by name, what they need, and how a connector uses them.

use std::io::{self, Write};

use super::entries::{self, Lookup, Names};
use super::{Exit, runtime, stored};
use crate::http::problem::Problem;
use crate::http::v1::catalog::Entries;
use crate::http::v1::catalog::shown_entry::Found;
use crate::http::v1::templates;
use crate::prompt::definition::{Parameter, TemplateDefinition};
use crate::prompt::library;

/// Show prompt templates and their parameters
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    lookup: Lookup,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the templates of the store and those that are built in: version, where each is from, what it is for, and
    /// its parameters
    List {
        /// Print a JSON object a line, as GET /v1/templates has it
        #[arg(long)]
        json: bool,
    },
    /// Show one: parameters, schema, the lines of a connector that use it, and the text
    Show {
        /// A template by name, with or without a version
        #[arg(value_name = "NAME[@VERSION]")]
        template: String,
        /// Print all that is kept of it, as GET /v1/templates/NAME has it
        #[arg(long)]
        json: bool,
    },
}

/// Prints templates to `out`, and to `error` where they are from and what is wrong with the arguments.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    let config = match stored::configuration(args.lookup.config.as_deref()) {
        Ok(config) => config,
        Err(findings) => return writeln!(error, "{findings}").map(|()| Exit::WrongUse),
    };
    runtime()?.block_on(async {
        let names = Names::of(&config, args.lookup.team.clone()).await;
        by_name(&args.command, &names, out, error).await
    })
}

async fn by_name(command: &Command, names: &Names, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    let templates = templates::entries(&names.definitions, &names.team);
    let (reference, json) = match command {
        Command::List { json } => {
            let describe = async |listed: &Found<()>| described(&templates, listed).await;
            return names.list(&templates, *json, describe, (out, error)).await;
        }
        Command::Show { template, json } => (template, *json),
    };
    let found = match templates.find(reference).await {
        Ok(found) => found,
        Err(problem) => {
            let built_in = library::names().join(", ");
            let unknown = format!("there is no template {reference:?}; built in are {built_in}");
            return names.exit_of_missing(&problem, unknown, error);
        }
    };
    names.say_origin(&found, error)?;
    if json {
        writeln!(out, "{:#}", entries::json(&found))?;
        return Ok(Exit::Done);
    }
    match definition(&found) {
        Ok(definition) => show(reference, &found, &definition, out).map(|()| Exit::Done),
        Err(why) => writeln!(error, "it cannot be used: {why}").map(|()| Exit::Failed),
    }
}

/// What a template is for, with its parameters.
async fn described(templates: &Entries<'_>, listed: &Found<()>) -> Result<String, Problem> {
    let whole = templates.find(&entries::id(listed)).await?;
    let more = match definition(&whole) {
        Ok(TemplateDefinition { parameters, .. }) => {
            parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ")
        }
        Err(why) => format!("it cannot be used: {why}"),
    };
    Ok(format!("{} ({more})", listed.entry.description))
}

fn definition(found: &Found) -> Result<TemplateDefinition, String> {
    serde_json::from_str(&found.entry.document).map_err(|error| error.to_string())
}

/// Shows the template that this reference means.
fn show(reference: &str, found: &Found, definition: &TemplateDefinition, out: &mut dyn Write) -> io::Result<()> {
    let TemplateDefinition { text, parameters, schema_id } = definition;
    let id = entries::id(found);
    let source = library::find(&id).filter(|_| found.is_built_in);
    writeln!(out, "{id}: {}\n", found.entry.description)?;
    writeln!(out, "Parameters:")?;
    for Parameter { name, description, default } in parameters {
        let presence =
            default.as_ref().map_or_else(|| "required".to_owned(), |default| format!("default: {default:?}"));
        writeln!(out, "  {name:<16} {description} ({presence})")?;
    }
    writeln!(out, "\nIn a connector:\n{}", snippet(reference, definition))?;
    if let Some(source) = source {
        writeln!(out, "An event for it:\n{}\n", event(source.name, source.example))?;
    }
    if let Some(schema) = schema_id {
        writeln!(out, "Its schema: structured-prompt schema show {schema}")?;
    }
    if let Some(source) = source {
        writeln!(out, "A result:   structured-prompt schema show {} --example", source.schema())?;
    }
    // The comment at the beginning of a built-in one says what is shown above.
    let body = source.and_then(|_| text.split_once("-#}")).map_or(text.as_str(), |(_, body)| body.trim_start());
    writeln!(out, "\nThe template:\n{body}")
}

/// The lines of a connector that use the template on events whose data has a member for each parameter.
fn snippet(reference: &str, definition: &TemplateDefinition) -> String {
    let mut lines = format!("  prompt:\n    template: {reference}\n    parameters:\n");
    for parameter in &definition.parameters {
        lines.push_str(&format!("      {0}: \"{{{{ data.{0} }}}}\"\n", parameter.name));
    }
    if let Some(schema) = &definition.schema_id {
        lines.push_str(&format!("  schema: {schema}\n"));
    }
    lines
}

/// An event as one line of JSON, as `demo --input` takes it.
fn event(name: &str, example: &str) -> String {
    let data: serde_json::Value = serde_json::from_str(example).unwrap_or_default();
    serde_json::json!({
        "specversion": "1.0", "id": "1", "source": "/examples", "type": name, "datacontenttype": "application/json", "data": data,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use clap::Parser;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::config::connector::{RuntimeDefaults, read_text};
    use crate::domain::tenant::Tenant;
    use crate::domain::version::Version;
    use crate::pipeline::definitions::Definitions;
    use crate::ports::catalog::{Catalog as _, MemoryCatalog, NewEntry, Visibility};
    use crate::ports::clock::SystemClock;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    /// A command without a store.
    fn template(arguments: &[&str]) -> (Exit, String, String) {
        with(Definitions::new(None, None), arguments)
    }

    fn with(definitions: Definitions, arguments: &[&str]) -> (Exit, String, String) {
        let cli = Cli::try_parse_from(std::iter::once("template").chain(arguments.iter().copied())).unwrap();
        let (mut out, mut error) = (Vec::new(), Vec::new());
        let names = Names { definitions, team: Tenant::default(), unread: None };
        let exit = by_name(&cli.args.command, &names, &mut out, &mut error).now_or_never().unwrap().unwrap();
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
    fn a_version_that_was_asked_for_is_the_one_that_a_connector_gets() {
        let source = &library::all()[0];
        let id = format!("{}@{}", source.name, source.version);
        for reference in [source.name, &id] {
            let (_, out, error) = template(&["show", reference]);
            assert!(out.contains(&format!("\n    template: {reference}\n")), "{out}\n{error}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_used_is_listed_with_the_reason() {
        let templates = MemoryCatalog::new(Arc::new(SystemClock));
        let entry = NewEntry {
            name: "broken".to_owned(),
            description: "Breaks".to_owned(),
            visibility: Visibility::Private,
            version: Version::FIRST,
            document: "{}".to_owned(),
        };
        templates.create(&Tenant::default(), entry).now_or_never().unwrap().unwrap();
        let (exit, out, _) = with(Definitions::new(None, Some(Arc::new(templates))), &["list"]);
        assert_eq!(exit, Exit::Done);
        assert!(out.starts_with("broken@1.0.0 ") && out.contains("Breaks (it cannot be used: missing field"), "{out}");
    }

    #[test]
    fn what_is_not_there_is_wrong_use() {
        let (exit, _, error) = template(&["show", "invoise"]);
        assert!(exit == Exit::WrongUse && error.contains("invoice"), "{error}");
    }
}
