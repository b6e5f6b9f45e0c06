//! What a user chooses about the store.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The `store` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Where it is.
    pub url: StoreUrl,
    /// How long an outcome is remembered. A redelivered event must find it: longer than any outage of ours.
    pub retention: Duration,
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
}

/// Why a URL is refused. Says nothing of the URL: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadUrl {
    /// What is wrong.
    pub message: &'static str,
    /// What to do.
    pub help: &'static str,
}

const SCHEMES: BadUrl =
    BadUrl { message: "this is not the URL of a store", help: "write sqlite://PATH, or none for no store" };

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
            _ => Err(SCHEMES),
        }
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
