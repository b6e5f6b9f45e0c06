//! Lists that are read in parts: which part a request asks for, and how a part is written.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::Query;
use crate::domain::page::{Cursor, Page, PageRequest};

/// Entries of a page, unless the request says, and at most.
const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListPage<T> {
    data: Vec<T>,
    has_more: bool,
    /// What `?after=` of the next part is.
    #[schema(required)]
    next: Option<String>,
}

/// Which part of a list, for the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// Most entries to list; 20 if left out.
    #[param(minimum = 1, maximum = 100, example = 20)]
    pub limit: Option<u32>,
    /// `next` of the part before.
    pub after: Option<String>,
}

impl<T> ListPage<T> {
    /// The part with these entries, each written by `show`.
    pub fn new<S>(page: Page<S>, show: impl FnMut(S) -> T) -> Self {
        let next = page.next.map(|next| next.encode());
        Self { data: page.items.into_iter().map(show).collect(), has_more: next.is_some(), next }
    }
}

/// Which part is asked for with `?limit=` and `?after=`. What is wrong with them is noted in the query.
pub fn page_request(query: &mut Query) -> PageRequest {
    let limit = query.parse("limit", |text| {
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| format!("write a whole number from 1 to {MAX_LIMIT}"))
    });
    let after = query
        .parse("after", |text| Cursor::decode(text).ok_or_else(|| "this is not what `next` of a page said".to_owned()));
    PageRequest { limit: limit.unwrap_or(DEFAULT_LIMIT), after }
}
