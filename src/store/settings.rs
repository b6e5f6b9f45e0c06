//! What a user chooses about the store.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::domain::secret::Secret;
use crate::file_watch::current_secret::CurrentSecret;

/// The `store` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Where it is.
    pub url: StoreUrl,
    /// How long an outcome is remembered. A redelivered event must find it: longer than any outage of ours.
    pub retention: Duration,
}

/// The `request_log` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLogSettings {
    /// How long rows are kept. Their sums are kept longer.
    pub retention: Duration,
    /// Whether prompts and answers are kept as well.
    pub store_text: bool,
}

/// The `audit` section: how long security events are kept, and where they go beside the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// How long events are kept in the table.
    pub retention: Duration,
    /// A file, a line for each.
    pub file: Option<PathBuf>,
    /// A topic on Kafka, a message for each.
    pub topic: Option<Arc<str>>,
}

/// What remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// Nothing.
    Off,
    /// The process, as long as it lives: for demonstrations.
    Memory,
    /// A store of its own.
    Durable(Location),
}

/// A kind of store, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of this machine, which several processes may share.
    Sqlite(PathBuf),
    /// A Postgres database, by its URL.
    Postgres(CurrentSecret),
    /// A Redis server, by its URL.
    Redis(CurrentSecret),
}

/// Why a URL is refused. Says nothing of the URL: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadUrl {
    /// What is wrong.
    pub message: &'static str,
    /// What to do.
    pub help: &'static str,
}

const SCHEMES: BadUrl = BadUrl {
    message: "this is not the URL of a store",
    help: "write sqlite://PATH, postgres://USER@HOST/DATABASE or redis://HOST, or none for no store",
};

impl Location {
    /// The same place by the URL that stands in a file, which `setting` names: with another user or password in it the
    /// next connections are made with those. What is on this machine has neither.
    #[must_use]
    pub fn in_file(self, setting: String, file: PathBuf) -> Self {
        let watched = |url: CurrentSecret, of: fn(CurrentSecret) -> Self| {
            let place = of(url.clone()).place();
            let check = move |written: &str| match StoreUrl::parse(written, Path::new("")) {
                Ok(StoreUrl::Durable(location)) if location.place() == place => Ok(()),
                Ok(_) => Err("the URL names another place; restart to go there".to_owned()),
                Err(bad) => Err(format!("{}; {}", bad.message, bad.help)),
            };
            of(CurrentSecret::in_file(setting, file, url.get(), Box::new(check)))
        };
        match self {
            Self::Sqlite(path) => Self::Sqlite(path),
            Self::Postgres(url) => watched(url, Self::Postgres),
            Self::Redis(url) => watched(url, Self::Redis),
        }
    }

    /// Server and database, without a user and a password.
    fn place(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => match PgConnectOptions::from_str(url.get().expose()) {
                Ok(options) => {
                    let database = options.get_database().unwrap_or_default();
                    format!("postgres {}:{} {database}", options.get_host(), options.get_port())
                }
                Err(_) => String::new(),
            },
            Self::Redis(url) => match redis::Client::open(url.get().expose()) {
                Ok(client) => {
                    let info = client.get_connection_info();
                    format!("redis {} {}", info.addr(), info.redis_settings().db())
                }
                Err(_) => String::new(),
            },
        }
    }

    /// The URL, if there can be a secret in it.
    pub fn secret(&self) -> Option<&CurrentSecret> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) | Self::Redis(url) => Some(url),
        }
    }
}

impl StoreUrl {
    /// Reads a URL; `none` is no store. A relative SQLite path starts at `base`.
    ///
    /// # Errors
    /// [`BadUrl`].
    pub fn parse(url: &str, base: &Path) -> Result<Self, BadUrl> {
        if url == "none" {
            return Ok(Self::Off);
        }
        match url.split_once("://") {
            Some(("sqlite", path)) => sqlite(path, base),
            Some(("postgres" | "postgresql", _)) => postgres(url),
            Some(("redis" | "rediss", _)) => redis(url),
            _ => Err(SCHEMES),
        }
    }

    /// Whether a password stands in the URL, as `user:password@` or as a parameter.
    pub fn has_password(&self) -> bool {
        let Self::Durable(Location::Postgres(url) | Location::Redis(url)) = self else { return false };
        let url = url.get();
        let (address, parameters) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
        let authority = address.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let in_user = user.split_once(':').is_some_and(|(_, password)| !password.is_empty());
        in_user || parameters.split('&').any(|one| one.starts_with("password=") && one != "password=")
    }
}

fn sqlite(path: &str, base: &Path) -> Result<StoreUrl, BadUrl> {
    let wrong = |message| BadUrl {
        message,
        help: "write for example sqlite://data/structured-prompt.db, or sqlite:///var/lib/structured-prompt/store.db",
    };
    if path.contains(['?', '#']) {
        return Err(wrong("an sqlite URL has no query and no fragment"));
    }
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err(wrong("the URL names no file"));
    }
    Ok(StoreUrl::Durable(Location::Sqlite(base.join(path))))
}

/// Parameters of a Postgres URL. Others would be ignored, and logged with their values.
const POSTGRES_PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

fn postgres(url: &str) -> Result<StoreUrl, BadUrl> {
    let help = "write for example postgres://user@db.internal:5432/structured_prompt?sslmode=verify-full, the password in \
                STRUCTURED_PROMPT_STORE__URL or PGPASSWORD";
    let parameters = url.split_once('?').map_or("", |(_, query)| query);
    let names = parameters.split('&').filter_map(|pair| pair.split('=').next());
    if names.filter(|name| !name.is_empty()).any(|name| !POSTGRES_PARAMETERS.contains(&name)) {
        return Err(BadUrl { message: "the URL has a parameter that is not known", help });
    }
    match PgConnectOptions::from_str(url) {
        Ok(_) => Ok(StoreUrl::Durable(Location::Postgres(Secret::new(url).into()))),
        Err(_) => Err(BadUrl { message: "this is not the URL of a Postgres database", help }),
    }
}

fn redis(url: &str) -> Result<StoreUrl, BadUrl> {
    let help = "write for example rediss://user:password@redis.internal:6379/0, with a password in STRUCTURED_PROMPT_STORE__URL";
    match redis::Client::open(url) {
        Ok(_) => Ok(StoreUrl::Durable(Location::Redis(Secret::new(url).into()))),
        Err(_) => Err(BadUrl { message: "this is not the URL of a Redis server", help }),
    }
}
