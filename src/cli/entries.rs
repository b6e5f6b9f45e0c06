//! Schemas and templates by name, for the commands that show them: what the store of the configuration keeps, and what
//! is built in.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::Exit;
use super::stored::{self, Kept};
use crate::config::runtime::RuntimeConfig;
use crate::domain::page::PageRequest;
use crate::domain::tenant::Tenant;
use crate::http::problem::Problem;
use crate::http::v1::catalog::Entries;
use crate::http::v1::catalog::shown_entry::{Found, ShownEntry};
use crate::pipeline::definitions::Definitions;
use crate::ports::catalog::EntryFilter;
use crate::ports::clock::{Clock, SystemClock};
use crate::store::catalog::StoredCatalog;
use crate::store::database::Database;
use crate::store::database::migrations::Readiness;

/// Entries that are read at a time.
const PAGE: u32 = 100;

/// Where names are looked up, and whose they are.
#[derive(Debug, clap::Args)]
pub(super) struct Lookup {
    /// Runtime configuration, whose store is looked at as well [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// The team that asks: a name means its own entry, then a built-in one, then one that another team has made public
    #[arg(long, value_name = "TEAM", default_value = "default", value_parser = Tenant::of_team, global = true)]
    pub(super) team: Tenant,
}

/// Schemas and templates by name, as a team has them.
pub(super) struct Names {
    pub(super) definitions: Definitions,
    pub(super) team: Tenant,
    /// Why the store was not looked at, if there is one.
    pub(super) unread: Option<String>,
}

impl Names {
    /// Those of a configuration. A store that cannot be read is not in the way of what is built in.
    pub(super) async fn of(config: &RuntimeConfig, team: Tenant) -> Self {
        let (database, unread) = match database(config).await {
            Ok(database) => (database, None),
            Err(why) => (None, Some(why)),
        };
        let clock = || Arc::new(SystemClock) as Arc<dyn Clock>;
        let stored = database.map(|database| {
            (StoredCatalog::schemas(database.clone(), clock()), StoredCatalog::templates(database, clock()))
        });
        let definitions = match stored {
            Some((schemas, templates)) => Definitions::new(Some(Arc::new(schemas)), Some(Arc::new(templates))),
            None => Definitions::new(None, None),
        };
        Self { definitions, team, unread }
    }

    /// Prints a line for each entry: as JSON, or with what `describe` says of it.
    pub(super) async fn list(
        &self,
        entries: &Entries<'_>,
        json: bool,
        describe: impl AsyncFn(&Found<()>) -> Result<String, Problem>,
        (out, error): (&mut dyn Write, &mut dyn Write),
    ) -> io::Result<Exit> {
        let all = match all(entries).await {
            Ok(all) => all,
            Err(problem) => return writeln!(error, "{problem}").map(|()| Exit::Failed),
        };
        for found in all {
            let line = if json {
                json_line(&found)
            } else {
                match describe(&found).await {
                    Ok(description) => line(&found, &self.team, &description),
                    Err(problem) => return writeln!(error, "{}: {problem}", id(&found)).map(|()| Exit::Failed),
                }
            };
            writeln!(out, "{line}")?;
        }
        self.exit_of_list(error)
    }

    /// How a list ends: not well, if it does not have everything.
    fn exit_of_list(&self, error: &mut dyn Write) -> io::Result<Exit> {
        match &self.unread {
            Some(why) => writeln!(error, "{why}; only what is built in is listed").map(|()| Exit::Failed),
            None => Ok(Exit::Done),
        }
    }

    /// Says where an entry is from, and if that is so only because the store cannot be read.
    pub(super) fn say_origin(&self, found: &Found, error: &mut dyn Write) -> io::Result<()> {
        if let Some(why) = &self.unread {
            writeln!(error, "{why}; the store may have another {}", found.entry.name)?;
        }
        writeln!(error, "{}: {}", id(found), origin(found, &self.team))
    }

    /// How a command ends that did not find what was named. `unknown` says that it is not there.
    pub(super) fn exit_of_missing(
        &self,
        problem: &Problem,
        unknown: impl std::fmt::Display,
        error: &mut dyn Write,
    ) -> io::Result<Exit> {
        if problem.status() != StatusCode::NOT_FOUND {
            return writeln!(error, "{problem}").map(|()| Exit::Failed);
        }
        writeln!(error, "{unknown}")?;
        match &self.unread {
            Some(why) => writeln!(error, "{why}; it may be there").map(|()| Exit::Failed),
            None => Ok(Exit::WrongUse),
        }
    }
}

/// The database of a configuration, ready to be read; `None` if there is none that could have something.
async fn database(config: &RuntimeConfig) -> Result<Option<Database>, String> {
    if !stored::may_exist(&config.store.url) {
        return Ok(None);
    }
    let Kept::Database(database) = stored::selected(config) else { return Ok(None) };
    match database.readiness().await {
        Ok(Readiness::Ready) => Ok(Some(database)),
        Ok(Readiness::Refused(why)) => Err(why),
        Err(why) => Err(format!("{}: {why}", database.title())),
    }
}

/// All entries in their latest versions, the newest first, built-in ones at the end.
///
/// # Errors
/// `store_unavailable`.
async fn all(entries: &Entries<'_>) -> Result<Vec<Found<()>>, Problem> {
    let (mut found, mut part) = (Vec::new(), PageRequest::first(PAGE));
    loop {
        let page = entries.page(&EntryFilter::default(), part).await?;
        found.extend(page.items);
        if page.next.is_none() {
            return Ok(found);
        }
        part = PageRequest { limit: PAGE, after: page.next };
    }
}

/// Name and version.
pub(super) fn id<Document>(found: &Found<Document>) -> String {
    format!("{}@{}", found.entry.name, found.entry.version)
}

/// Where an entry is from.
pub(super) fn origin<Document>(found: &Found<Document>, team: &Tenant) -> String {
    let (visibility, owner) = (found.entry.visibility.as_str(), &found.entry.owner);
    if found.is_built_in {
        "built-in".to_owned()
    } else if owner != team {
        format!("{visibility}, of {}", owner.team())
    } else {
        visibility.to_owned()
    }
}

/// A line of a list.
fn line<Document>(found: &Found<Document>, team: &Tenant, description: &str) -> String {
    let description = description.replace(char::is_control, " ");
    format!("{:<32} {:<18} {description}", id(found), origin(found, team))
}

/// An entry as the API shows it: one line of JSON for a list.
fn json_line<Document>(found: &Found<Document>) -> String {
    serde_json::to_string(&ShownEntry::listed(found)).unwrap_or_default()
}

/// An entry with its document, as the API shows it.
pub(super) fn json(found: &Found) -> Value {
    serde_json::to_value(ShownEntry::whole(found)).unwrap_or_default()
}
