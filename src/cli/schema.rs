//! `schema`: what there is by name, and what a provider makes of a schema.

use std::io::{self, Write};

use super::entries::{self, Lookup, Names};
use super::{Exit, runtime, stored};
use crate::config::connector::schema::{is_file, of_argument};
use crate::domain::json;
use crate::http::v1::catalog::shown_entry::Found;
use crate::http::v1::schemas;
use crate::schema::dialect::{self, Dialect};
use crate::schema::{Schema, library};

/// Show schemas, and what becomes of them at a provider
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    lookup: Lookup,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the schemas of the store and those that are built in: version, where each is from, description
    List {
        /// Print a JSON object a line, as GET /v1/schemas has it
        #[arg(long)]
        json: bool,
    },
    /// Print a schema as written, and where it is from
    Show {
        #[command(flatten)]
        named: Named,
        /// Print a result that is valid by a built-in schema instead
        #[arg(long, conflicts_with = "json")]
        example: bool,
        /// Print all that is kept of it by its name, as GET /v1/schemas/NAME has it
        #[arg(long)]
        json: bool,
    },
    /// Print a schema in the dialect of a provider's structured output, and say what the provider does not enforce
    Compile {
        #[command(flatten)]
        named: Named,
        /// Wire format of the provider
        #[arg(long, value_parser = ["openai", "anthropic", "gemini"])]
        provider: String,
    },
}

#[derive(Debug, clap::Args)]
struct Named {
    /// A schema by name, with or without a version, or a .json, .yaml or .yml file
    #[arg(value_name = "NAME[@VERSION]|FILE")]
    schema: String,
}

/// Prints schemas to `out`, and to `error` where they are from and what a provider does not enforce.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    if let Command::Show { named, .. } | Command::Compile { named, .. } = &args.command
        && is_file(&named.schema)
    {
        return match of_argument(&named.schema) {
            Ok(schema) => print(&args.command, &schema, None, out, error),
            Err(findings) => writeln!(error, "{findings}").map(|()| Exit::WrongUse),
        };
    }
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
    let schemas = schemas::entries(&names.definitions, &names.team);
    let reference = match command {
        Command::List { json } => {
            let describe = async |found: &Found<()>| Ok(found.entry.description.clone());
            return names.list(&schemas, *json, describe, (out, error)).await;
        }
        Command::Show { named, .. } | Command::Compile { named, .. } => &named.schema,
    };
    let found = match schemas.find(reference).await {
        Ok(found) => found,
        Err(problem) => {
            // It may know a name that is nearly the same.
            let unknown = of_argument(reference).err().map_or_else(|| problem.to_string(), |why| why.to_string());
            return names.exit_of_missing(&problem, unknown, error);
        }
    };
    names.say_origin(&found, error)?;
    match compiled(&found) {
        Ok(schema) => print(command, &schema, Some(&found), out, error),
        Err(why) => writeln!(error, "it cannot be used: {why}").map(|()| Exit::Failed),
    }
}

fn compiled(found: &Found) -> Result<Schema, String> {
    let document = json::parse(&found.entry.document).map_err(|fault| fault.to_string())?;
    let schema = document.get("schema").cloned().unwrap_or_default();
    let schema = Schema::compile(&found.entry.name, &found.entry.version.to_string(), schema);
    schema.map_err(|error| error.to_string())
}

/// Prints a schema; `found` is what there is of it by its name, if it is not from a file.
fn print(
    command: &Command,
    schema: &Schema,
    found: Option<&Found>,
    out: &mut dyn Write,
    error: &mut dyn Write,
) -> io::Result<Exit> {
    match command {
        Command::Compile { provider, .. } => {
            if let Some(dialect) = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == provider) {
                compile(schema, dialect, out, error)?;
            }
        }
        Command::Show { example: true, .. } => {
            let is_built_in = found.is_some_and(|found| found.is_built_in);
            let Some(example) = library::example(schema).filter(|_| is_built_in) else {
                writeln!(error, "only built-in schemas have an example; `structured-prompt schema list` names them")?;
                return Ok(Exit::WrongUse);
            };
            write!(out, "{example}")?;
        }
        Command::Show { json: true, .. } => {
            let Some(found) = found else {
                writeln!(error, "a file has no name and version to show; leave --json out")?;
                return Ok(Exit::WrongUse);
            };
            writeln!(out, "{:#}", entries::json(found))?;
        }
        Command::List { .. } | Command::Show { .. } => writeln!(out, "{:#}", schema.json())?,
    }
    Ok(Exit::Done)
}

fn compile(schema: &Schema, dialect: Dialect, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<()> {
    let compiled = dialect::compile(dialect, schema.json());
    writeln!(out, "{:#}", compiled.schema)?;
    for loss in &compiled.losses {
        writeln!(error, "{}: {}", loss.place(), loss.effect)?;
    }
    if !compiled.is_strict {
        let name = dialect.as_str();
        writeln!(error, "{name} cannot enforce this schema; we validate every answer against it all the same")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::tenant::Tenant;
    use crate::pipeline::definitions::Definitions;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    /// A command without a store.
    fn schema(arguments: &[&str]) -> (Exit, String, String) {
        let cli = Cli::try_parse_from(std::iter::once("schema").chain(arguments.iter().copied())).unwrap();
        let (mut out, mut error) = (Vec::new(), Vec::new());
        let names = Names { definitions: Definitions::new(None, None), team: Tenant::default(), unread: None };
        let exit = by_name(&cli.args.command, &names, &mut out, &mut error).now_or_never().unwrap().unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(error).unwrap())
    }

    /// A command about a file, which looks no name up.
    fn of_file(arguments: &[&str]) -> (Exit, String, String) {
        let cli = Cli::try_parse_from(std::iter::once("schema").chain(arguments.iter().copied())).unwrap();
        let (mut out, mut error) = (Vec::new(), Vec::new());
        let exit = run(&cli.args, &mut out, &mut error).unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(error).unwrap())
    }

    #[test]
    fn each_dialect_is_printed_with_its_losses() {
        for (provider, loss) in [
            ("openai", "/properties/summary/minLength: left out"),
            ("anthropic", "/properties/summary/minLength: moved into the description"),
            ("gemini", "/properties/summary/minLength: moved into the description"),
        ] {
            let (exit, out, error) = schema(&["compile", "support-intent", "--provider", provider]);
            assert_eq!(exit, Exit::Done);
            assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
            assert!(error.contains(loss), "{provider}: {error}");
        }
    }

    #[test]
    fn the_list_has_versions_and_descriptions_and_each_has_a_valid_example() {
        let (exit, out, _) = schema(&["list"]);
        assert_eq!((exit, out.lines().count()), (Exit::Done, library::all().len()));
        assert!(out.contains("invoice@1.0.0                    built-in           The facts of one invoice"), "{out}");
        for line in out.lines() {
            let name = line.split(' ').next().unwrap();
            let (exit, example, error) = schema(&["show", name, "--example"]);
            assert_eq!(exit, Exit::Done, "{error}");
            let example: serde_json::Value = serde_json::from_str(&example).unwrap();
            assert_eq!(library::find(name).unwrap().validate(&example), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_is_not_there_is_wrong_use() {
        let (exit, _, error) = schema(&["show", "suport-intent"]);
        assert!(exit == Exit::WrongUse && error.contains("support-intent"), "{error}");
        assert_eq!(schema(&["show", "support-intent@9.9.9"]).0, Exit::WrongUse);
        assert_eq!(of_file(&["show", "nowhere.json"]).0, Exit::WrongUse);
    }

    #[test]
    fn a_file_is_read_as_a_connector_would() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s.yaml");
        std::fs::write(&file, "type: object\nproperties: { n: { type: integer, minimum: 1 } }\n").unwrap();
        let file = file.to_str().unwrap();
        let (exit, out, error) = of_file(&["compile", file, "--provider", "anthropic"]);
        assert_eq!(exit, Exit::Done, "{error}");
        assert!(out.contains("{minimum: 1}"), "{out}");
        for what in ["--json", "--example"] {
            assert_eq!(of_file(&["show", file, what]).0, Exit::WrongUse, "it is kept under no name");
        }
    }
}
