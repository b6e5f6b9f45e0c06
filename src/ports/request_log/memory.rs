//! A request log in memory, which ends with the process.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::ready;

use super::{
    Interval, LoggedRequest, PastRequest, RequestFilter, RequestHistory, RequestLog, Usage, UsageGroup, UsageQuery,
};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::ports::repository::{Memory, RepositoryError, RepositoryFuture};

/// Requests that are remembered; older ones make room.
const ROOM: usize = 10_000;

/// The last ten thousand requests.
#[derive(Debug, Default)]
pub struct MemoryRequestLog(Memory<Requests>);

#[derive(Debug, Default)]
struct Requests {
    logged: u64,
    /// In their order, each with its number.
    rows: BTreeMap<u64, LoggedRequest>,
}

impl MemoryRequestLog {
    /// From now on every question fails for this reason, or none does.
    pub fn set_away(&self, why: Option<&str>) {
        self.0.set_away(why);
    }

    /// Everything that was taken down, in its order.
    pub fn logged(&self) -> Vec<LoggedRequest> {
        self.0.state().map(|state| state.rows.values().cloned().collect()).unwrap_or_default()
    }

    fn found(
        &self,
        tenant: &Tenant,
        filter: &RequestFilter,
        page: &PageRequest,
    ) -> Result<Page<PastRequest>, RepositoryError> {
        let state = self.0.state()?;
        let place =
            |number: u64, row: &LoggedRequest| Cursor { created_at: row.created_at, id: format!("{number:020}") };
        let rows = state.rows.iter().filter(|(_, row)| row.tenant == *tenant && filter.includes(row));
        let mut found: Vec<_> = rows.map(|(number, row)| (place(*number, row), PastRequest::from(row))).collect();
        found.retain(|(place, _)| page.after.as_ref().is_none_or(|after| place < after));
        found.sort_by(|(one, _), (other, _)| other.cmp(one));
        let Page { items, next } = Page::cut(found, page.limit, |(place, _)| place.clone());
        Ok(Page { items: items.into_iter().map(|(_, row)| row).collect(), next })
    }

    fn summed(&self, tenant: &Tenant, query: UsageQuery) -> Result<Vec<Usage>, RepositoryError> {
        let from = Interval::Hour.start(query.from);
        let mut sums: BTreeMap<_, Usage> = BTreeMap::new();
        for row in self.0.state()?.rows.values() {
            if row.tenant == *tenant && (from..query.to).contains(&row.created_at) {
                let (start, group) = (query.interval.start(row.created_at), query.group_by.and_then(|by| by.of(row)));
                let sum = sums.entry((start, group.clone())).or_insert_with(|| Usage::of(start, group));
                sum.add(&Usage::from(row));
            }
        }
        Ok(sums.into_values().collect())
    }
}

impl RequestLog for MemoryRequestLog {
    fn log(&self, request: LoggedRequest) {
        let Ok(mut requests) = self.0.state() else { return };
        requests.logged += 1;
        let number = requests.logged;
        requests.rows.insert(number, request);
        if requests.rows.len() > ROOM {
            requests.rows.pop_first();
        }
    }
}

impl RequestHistory for MemoryRequestLog {
    fn page<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: RequestFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<PastRequest>> {
        ready(self.found(tenant, &filter, &page)).boxed()
    }

    fn get<'a>(&'a self, tenant: &'a Tenant, request_id: &'a str) -> RepositoryFuture<'a, PastRequest> {
        let all = self.found(tenant, &RequestFilter::default(), &PageRequest::first(u32::MAX));
        let wanted = |page: Page<PastRequest>| page.items.into_iter().find(|row| row.request_id == request_id);
        ready(all.and_then(|page| wanted(page).ok_or(RepositoryError::NotFound))).boxed()
    }

    fn usage<'a>(&'a self, tenant: &'a Tenant, query: UsageQuery) -> RepositoryFuture<'a, Vec<Usage>> {
        ready(self.summed(tenant, query)).boxed()
    }
}

impl RequestFilter {
    fn includes(&self, row: &LoggedRequest) -> bool {
        let Self { from, to, key_id, provider, status, code } = self;
        from.is_none_or(|from| row.created_at >= from)
            && to.is_none_or(|to| row.created_at < to)
            && (key_id.is_none() || *key_id == row.api_key_id)
            && (provider.is_none() || *provider == row.provider)
            && status.is_none_or(|status| row.status == status)
            && (code.is_none() || *code == row.code)
    }
}

impl UsageGroup {
    fn of(self, row: &LoggedRequest) -> Option<String> {
        match self {
            Self::Provider => row.provider.clone(),
            Self::Model => row.model.clone(),
            Self::ApiKey => row.api_key_id.clone(),
            Self::Status => Some(row.status.to_string()),
        }
    }
}

impl From<&LoggedRequest> for PastRequest {
    fn from(row: &LoggedRequest) -> Self {
        let row = row.clone();
        Self {
            request_id: row.request_id,
            created_at: row.created_at,
            endpoint: row.endpoint.to_owned(),
            api_key_id: row.api_key_id,
            status: row.status,
            code: row.code,
            provider: row.provider,
            model: row.model,
            schema: row.schema,
            template: row.template,
            processing_time: row.processing_time,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            cost_usd: row.cost_usd,
            cached: row.cached,
            validation_status: row.validation_status.map(str::to_owned),
            confidence: row.confidence,
            prompt: row.prompt,
            data: row.data,
        }
    }
}
