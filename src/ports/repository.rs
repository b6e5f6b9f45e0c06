//! What all ports to a database have in common.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

/// What a call of a repository comes to.
pub type RepositoryFuture<'a, T> = BoxFuture<'a, Result<T, RepositoryError>>;

/// Why a repository did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// There is no such entry, or it belongs to somebody else.
    #[error("there is no such entry")]
    NotFound,
    /// There is an entry of this name, or a version of this number.
    #[error("there is one already")]
    AlreadyExists,
    /// The entry is not as its caller knows it: somebody else changed it meanwhile.
    #[error("it was changed meanwhile")]
    Conflict,
    /// The database cannot be used now, for this reason. Nothing was done, or all of it without an answer.
    #[error("{0}")]
    Unavailable(String),
}

/// The contents of a repository in memory, which is away when told to.
#[derive(Debug, Default)]
pub(super) struct Memory<T> {
    state: Mutex<T>,
    away: Mutex<Option<String>>,
}

impl<T> Memory<T> {
    /// The contents, unless the repository is away.
    pub(super) fn state(&self) -> Result<MutexGuard<'_, T>, RepositoryError> {
        match self.away.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(why) => Err(RepositoryError::Unavailable(why)),
            None => Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// From now on every call fails for this reason, or none does.
    pub(super) fn set_away(&self, why: Option<&str>) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = why.map(str::to_owned);
    }
}
