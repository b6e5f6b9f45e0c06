//! `schema`: what is built in, and what a provider makes of a schema.

use std::io::{self, Write};

use serde_json::Value;

use super::Exit;
use crate::config::connector::schema::of_argument;
use crate::schema::dialect::{self, Dialect};
use crate::schema::{Schema, library};

/// Show schemas, and what becomes of them at a provider
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the built-in schemas with their versions and descriptions
    List,
    /// Print a schema as written
    Show {
        #[command(flatten)]
        named: Named,
        /// Print a result that is valid by a built-in schema instead
        #[arg(long)]
        example: bool,
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
    /// A built-in schema, or a .json, .yaml or .yml file
    #[arg(value_name = "NAME|FILE")]
    schema: String,
}

/// Prints schemas to `out`, and what a provider does not enforce to `error`.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    let named = match &args.command {
        Command::List => {
            for schema in library::all() {
                let name = format!("{}@{}", schema.name(), schema.version());
                let description = schema.json().get("description").and_then(Value::as_str).unwrap_or_default();
                writeln!(out, "{name:<32} {description}")?;
            }
            return Ok(Exit::Done);
        }
        Command::Show { named, .. } | Command::Compile { named, .. } => named,
    };
    let schema = match of_argument(&named.schema) {
        Ok(schema) => schema,
        Err(findings) => {
            writeln!(error, "{findings}")?;
            return Ok(Exit::WrongUse);
        }
    };
    match &args.command {
        Command::Compile { provider, .. } => {
            if let Some(dialect) = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == provider) {
                compile(&schema, dialect, out, error)?;
            }
        }
        Command::Show { example: true, .. } => match library::example(&schema) {
            Some(example) => write!(out, "{example}")?,
            None => {
                writeln!(error, "only built-in schemas have an example; `structured-prompt schema list` names them")?;
                return Ok(Exit::WrongUse);
            }
        },
        Command::List | Command::Show { .. } => writeln!(out, "{:#}", schema.json())?,
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
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn schema(arguments: &[&str]) -> (Exit, String, String) {
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
        assert!(out.contains("invoice@1.0.0                    The facts of one invoice"), "{out}");
        for line in out.lines() {
            let name = line.split(' ').next().unwrap();
            let (exit, example, error) = schema(&["show", name, "--example"]);
            assert_eq!(exit, Exit::Done, "{error}");
            let example: Value = serde_json::from_str(&example).unwrap();
            assert_eq!(library::find(name).unwrap().validate(&example), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_is_not_there_is_wrong_use() {
        let (exit, _, error) = schema(&["show", "suport-intent"]);
        assert!(exit == Exit::WrongUse && error.contains("support-intent"), "{error}");
        assert_eq!(schema(&["show", "nowhere.json"]).0, Exit::WrongUse);
        assert_eq!(schema(&["show", "support-intent@9.9.9"]).0, Exit::WrongUse);
    }

    #[test]
    fn a_file_is_read_as_a_connector_would() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s.yaml");
        std::fs::write(&file, "type: object\nproperties: { n: { type: integer, minimum: 1 } }\n").unwrap();
        let (exit, out, error) = schema(&["compile", file.to_str().unwrap(), "--provider", "anthropic"]);
        assert_eq!(exit, Exit::Done, "{error}");
        assert!(out.contains("{minimum: 1}"), "{out}");
    }
}
