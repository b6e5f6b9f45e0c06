//! The store that the configuration names, for commands that work on it without a running service.

use std::path::Path;

use crate::config::Environment;
use crate::config::runtime::{self, RuntimeConfig};
use crate::store::database::Database;
use crate::store::selected::SelectedStore;
use crate::store::settings::{Location, StoreUrl};

/// What `store.url` names.
pub(super) enum Kept {
    /// A database of ours.
    Database(Database),
    /// Something without tables, in a word.
    Elsewhere(&'static str),
}

/// The runtime configuration of this process; all that is wrong with it otherwise.
pub(super) fn configuration(config: Option<&Path>) -> Result<RuntimeConfig, String> {
    let file = super::run::config_file(config);
    runtime::load(file, &Environment::of_process()).map_err(|findings| findings.to_string())
}

/// Whether the store is there, or may be: the file of an SQLite store that was never opened is not, and opening it would
/// make it.
pub(super) fn may_exist(store: &StoreUrl) -> bool {
    !matches!(store, StoreUrl::Durable(Location::Sqlite(path)) if !path.exists())
}

/// The store of a configuration.
pub(super) fn selected(runtime: &RuntimeConfig) -> Kept {
    match &runtime.store.url {
        StoreUrl::Off => Kept::Elsewhere("store.url is none"),
        StoreUrl::Memory => Kept::Elsewhere("store.url is the memory of the process"),
        StoreUrl::Durable(location) => match SelectedStore::at(location) {
            SelectedStore::Database(database) => Kept::Database(database),
            SelectedStore::Redis(_) => Kept::Elsewhere("redis"),
        },
    }
}
