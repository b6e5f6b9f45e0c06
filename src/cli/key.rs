//! `key`: API keys, made, listed and revoked in the database itself. So the first key needs no running service.

mod show;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::RangedI64ValueParser;
use tokio::time::timeout;

use super::stored::{self, Kept};
use super::{Exit, runtime};
use crate::app::audit;
use crate::config::parse_duration;
use crate::domain::api_key::{DEFAULT_RATE_LIMIT, KeyId, MAX_RATE_LIMIT};
use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::{Scope, Tenant};
use crate::ports::audit::{AuditEvent, AuditEventType, AuditResult, AuditSink};
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::keys::{Keys, NewKey, Revoked};
use crate::ports::repository::RepositoryError;
use crate::store::api_keys::StoredKeys;
use crate::store::audit::AuditTable;
use crate::store::audit::stream::line as audit_line;
use crate::store::database::Database;
use crate::store::database::migrations::Readiness;

/// How long a file or a topic has to take an event.
const SINK_LIMIT: Duration = Duration::from_secs(10);
/// Keys that are listed at a time.
const PAGE: u32 = 100;

/// Make, list and revoke API keys, in the database of store.url
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runtime configuration [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key and print it: this is the only time that anybody sees it
    Create(Create),
    /// List the keys of all teams, newest first
    List,
    /// Revoke a key, for good
    Revoke {
        /// The key's id, as `key list` shows it
        #[arg(value_name = "ID", value_parser = key_id)]
        id: KeyId,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// What the key is called
    #[arg(long)]
    name: String,
    /// The team whose requests are made with it; teams see nothing of each other
    #[arg(long, value_name = "TEAM", default_value = "default", value_parser = Tenant::of_team)]
    team: Tenant,
    /// Requests that may be made with it in an hour
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_RATE_LIMIT, value_parser = rate_limit())]
    rate_limit: u32,
    /// When it ends by itself, for example 90d; never, if left out
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    expires_in: Option<Duration>,
}

/// What `PATCH /admin/api-keys/{id}` takes as well.
fn rate_limit() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(MAX_RATE_LIMIT))
}

/// People copy the beginning of a key as often as its id.
fn key_id(text: &str) -> Result<KeyId, String> {
    let id = text.strip_prefix("sk_").unwrap_or(text);
    KeyId::parse(id).ok_or_else(|| "no key has such an id; `structured-prompt key list` shows them".to_owned())
}

/// Prints a new key, or the list of keys, to `out`, and everything else to `error`.
///
/// # Errors
/// Only when these cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, error: &mut dyn Write) -> io::Result<Exit> {
    let runtime = runtime()?;
    // Pools of connections belong to a runtime.
    let _entered = runtime.enter();
    let config = match stored::configuration(args.config.as_deref()) {
        Ok(config) => config,
        Err(findings) => return writeln!(error, "{findings}").map(|()| Exit::WrongUse),
    };
    let sinks = match &args.command {
        Command::List => Ok(Vec::new()),
        Command::Create(_) | Command::Revoke { .. } => audit::sinks(&config.audit, &config.kafka),
    };
    let sinks = match sinks {
        Ok(sinks) => sinks,
        Err(why) => return writeln!(error, "{why}").map(|()| Exit::WrongUse),
    };
    let database = match stored::selected(&config) {
        Kept::Database(database) => database,
        Kept::Elsewhere(place) => {
            writeln!(
                error,
                "{place}: keys need a database; set store.url to sqlite://PATH or postgres://HOST/DATABASE"
            )?;
            return Ok(Exit::WrongUse);
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let events = AuditTable::new(database.clone(), config.audit.retention);
    let store = Store { keys: StoredKeys::new(database.clone(), Arc::clone(&clock)), database, events, clock, sinks };
    let done = runtime.block_on(async {
        store.check().await?;
        match &args.command {
            Command::Create(new) => store.create(new, out, error).await,
            Command::List => store.list(out).await,
            Command::Revoke { id } => store.revoke(id, error).await,
        }
    });
    match done {
        Ok(()) => Ok(Exit::Done),
        Err(Failed::Output(error)) => Err(error),
        Err(Failed::Refused(why)) => writeln!(error, "{why}").map(|()| Exit::WrongUse),
        Err(Failed::Store(RepositoryError::NotFound)) => {
            writeln!(error, "there is no key with this id; `structured-prompt key list` shows them")?;
            Ok(Exit::Failed)
        }
        Err(Failed::Store(why)) => writeln!(error, "{why}").map(|()| Exit::Failed),
        Err(Failed::Audit(why)) => writeln!(error, "{why}").map(|()| Exit::Failed),
    }
}

/// Why a command did not do its work.
enum Failed {
    /// Its output cannot be written.
    Output(io::Error),
    /// The database is not one that this program can work with.
    Refused(String),
    /// A security event is not where it should be.
    Audit(String),
    /// The database did not do what it was asked for.
    Store(RepositoryError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<RepositoryError> for Failed {
    fn from(error: RepositoryError) -> Self {
        Self::Store(error)
    }
}

struct Store {
    database: Database,
    keys: StoredKeys,
    events: AuditTable,
    clock: Arc<dyn Clock>,
    /// Where security events go beside the database.
    sinks: Vec<Arc<dyn AuditSink>>,
}

impl Store {
    async fn check(&self) -> Result<(), Failed> {
        match self.database.readiness().await {
            Ok(Readiness::Ready) => Ok(()),
            Ok(Readiness::Refused(why)) => Err(Failed::Refused(why)),
            Err(why) => {
                let why = format!("{}: {why}", self.database.title());
                Err(Failed::Store(RepositoryError::Unavailable(why)))
            }
        }
    }

    async fn create(&self, new: &Create, out: &mut dyn Write, error: &mut dyn Write) -> Result<(), Failed> {
        let Create { name, team, rate_limit, expires_in } = new;
        let expires_at = expires_in.map(|expires_in| self.clock.now().saturating_add(expires_in));
        let new = NewKey { tenant: team.clone(), name: name.clone(), rate_limit: *rate_limit, expires_at };
        let (key, entry) = self.keys.create(new).await?;
        writeln!(out, "{}", key.expose())?;
        writeln!(error, "{}", show::created(&entry))?;
        self.audit(team, &entry.id, "created").await
    }

    async fn list(&self, out: &mut dyn Write) -> Result<(), Failed> {
        let (scope, mut page) = (all_teams(), PageRequest::first(PAGE));
        writeln!(out, "{}", show::HEADING)?;
        loop {
            let Page { items, next } = self.keys.list(&scope, page).await?;
            for entry in items {
                writeln!(out, "{}", show::line(&entry, self.clock.now()))?;
            }
            match next {
                Some(next) => page = PageRequest { limit: PAGE, after: Some(next) },
                None => return Ok(()),
            }
        }
    }

    async fn revoke(&self, id: &KeyId, error: &mut dyn Write) -> Result<(), Failed> {
        let Revoked { entry, is_new } = self.keys.revoke(&all_teams(), id).await?;
        if !is_new {
            return Ok(writeln!(error, "{id} ({}) was revoked before; nothing was changed", entry.name)?);
        }
        writeln!(error, "revoked {id} ({})", entry.name)?;
        self.audit(&entry.tenant, id, "revoked").await
    }

    async fn audit(&self, tenant: &Tenant, id: &KeyId, what: &str) -> Result<(), Failed> {
        let event = AuditEvent {
            timestamp: self.clock.now(),
            tenant: tenant.clone(),
            event_type: AuditEventType::AdminAction,
            actor: "command line".to_owned(),
            resource: format!("api_keys/{id}"),
            result: AuditResult::Success,
            request_id: None,
            detail: Some(what.to_owned()),
            times: 1,
        };
        let line = audit_line(&event);
        self.events.insert(&[(fastrand::i64(0..), event)]).await?;
        let mut missing = Vec::new();
        for sink in &self.sinks {
            let late = || format!("{}: no answer within {} s", sink.title(), SINK_LIMIT.as_secs());
            let written = timeout(SINK_LIMIT, sink.write(vec![&line])).await;
            missing.extend(written.map_err(|_elapsed| late()).and_then(|written| written).err());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let problems = missing.join("; ");
        Err(Failed::Audit(format!("{id} was {what}, but not all of the audit log says so: {problems}")))
    }
}

fn all_teams() -> Scope {
    Scope::organization_of(&Tenant::default())
}
