//! A part of what a connector asks: its schema, or its template.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// Where a part comes from.
#[derive(Debug)]
pub enum Part<T> {
    /// It is written in the connector's files, or built in and not to be found elsewhere.
    Written(Arc<T>),
    /// It has a name, by which it is looked up in the store.
    Named {
        /// The name, with or without a version.
        reference: String,
        /// What is built in under the name; it is meant unless the store has one.
        built_in: Option<Arc<T>>,
    },
}

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Written(part) => Self::Written(Arc::clone(part)),
            Self::Named { reference, built_in } => {
                Self::Named { reference: reference.clone(), built_in: built_in.clone() }
            }
        }
    }
}

impl<T> Part<T> {
    /// What the name means: with a store it is looked up there when the process runs.
    pub(super) fn named(reference: &str, built_in: Option<Arc<T>>, has_store: bool) -> Option<Self> {
        match built_in {
            Some(part) if !has_store => Some(Self::Written(part)),
            None if !has_store => None,
            built_in => Some(Self::Named { reference: reference.to_owned(), built_in }),
        }
    }

    /// The part, as far as it is known without the store.
    pub fn known(&self) -> Option<&Arc<T>> {
        match self {
            Self::Written(part) => Some(part),
            Self::Named { built_in, .. } => built_in.as_ref(),
        }
    }

    /// The name of what only the store can have.
    pub fn stored_name(&self) -> Option<&str> {
        match self {
            Self::Named { reference, built_in: None } => Some(reference),
            Self::Written(_) | Self::Named { .. } => None,
        }
    }

    /// What stands for the part in the hash of a connector: its digest, or where it is found.
    pub(super) fn digest(&self, of: impl FnOnce(&T) -> [u8; 32]) -> [u8; 32] {
        match (self.known(), self.stored_name()) {
            (Some(part), _) => of(part),
            (None, name) => Sha256::digest(format!("stored: {}", name.unwrap_or_default())).into(),
        }
    }
}
