//! Rows of the journal's tables.

use bytes::Bytes;

use super::backend::{Hash, Holder};

/// Rows of event, input and origin.
pub(super) fn holders(rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>) -> impl Iterator<Item = (Hash, Holder)> {
    rows.into_iter().filter_map(|(event, input, origin)| {
        Some((event.try_into().ok()?, Holder { input: input.try_into().ok()?, origin }))
    })
}

/// Rows of key and body.
pub(super) fn outcomes(rows: Vec<(Vec<u8>, Vec<u8>)>) -> impl Iterator<Item = (Hash, Bytes)> {
    rows.into_iter().filter_map(|(key, body)| Some((key.try_into().ok()?, Bytes::from(body))))
}
