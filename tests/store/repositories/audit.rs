//! Security events.

use structured_prompt::domain::page::{Page, PageRequest};
use structured_prompt::domain::tenant::{Scope, Tenant};
use structured_prompt::ports::audit::{AuditEvent, AuditEventType, AuditResult};
use structured_prompt::store::audit::AuditTable;
use structured_prompt::store::database::Database;

use super::{Kept, RETENTION, all_pages, team};

pub async fn check(kept: &Kept) {
    events_come_back_as_they_were_newest_first(kept).await;
    each_scope_has_its_own_events(kept).await;
}

fn event(kept: &Kept, tenant: &Tenant, event_type: AuditEventType, n: usize) -> AuditEvent {
    AuditEvent {
        timestamp: kept.now(),
        tenant: tenant.clone(),
        event_type,
        actor: format!("key {n}"),
        resource: "/v1/analyze".to_owned(),
        result: AuditResult::ALL[n % 3],
        request_id: n.is_multiple_of(2).then(|| n.to_string()),
        detail: n.is_multiple_of(3).then(|| "expired".to_owned()),
        times: if n == 1 { u32::MAX } else { 1 },
    }
}

/// What only a database does: events that are written twice, and events that are old.
pub async fn check_table(kept: &Kept, database: Database) {
    let (tenant, table) = (team("old"), AuditTable::new(database, RETENTION));
    let numbered = |n| (i64::try_from(n).unwrap(), event(kept, &tenant, AuditEventType::RateLimit, n));
    let events: Vec<_> = (0..3).map(numbered).collect();
    for _ in 0..2 {
        table.insert(&events).await.unwrap();
    }
    let scope = Scope::from(&tenant);
    let count = || async { kept.audit_history.page(&scope, None, PageRequest::first(10)).await.unwrap().items.len() };
    assert_eq!(count().await, 3, "the second time changes nothing");
    assert_eq!(table.delete_old(kept.now() + RETENTION, 2).await, Ok(false));
    assert_eq!(count().await, 3, "as old as they may be");
    let later = kept.now() + RETENTION + std::time::Duration::from_millis(1);
    assert_eq!(table.delete_old(later, 2).await, Ok(true));
    assert_eq!(count().await, 1);
    assert_eq!(table.delete_old(later, 2).await, Ok(false));
    assert_eq!(count().await, 0);
}

/// Waits until so many events of a scope can be read.
async fn wait_for(kept: &Kept, scope: &Scope, events: usize) {
    let count = || async { kept.audit_history.page(scope, None, PageRequest::first(100)).await.unwrap().items.len() };
    while count().await < events {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn events_come_back_as_they_were_newest_first(kept: &Kept) {
    let tenant = team("audited");
    let mut recorded = Vec::new();
    for n in 0..7 {
        let event = event(kept, &tenant, AuditEventType::ALL[n % 6], n);
        kept.audit_log.record(event.clone());
        recorded.insert(0, event);
        kept.pass(1);
    }
    let scope = Scope::from(&tenant);
    wait_for(kept, &scope, 7).await;
    let pages = all_pages(3, |page| kept.audit_history.page(&scope, None, page)).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(pages.concat(), recorded);
    let authentication = Some(AuditEventType::Authentication);
    let Page { items, next } =
        kept.audit_history.page(&scope, authentication, PageRequest::first(1)).await.expect("a page");
    assert_eq!((items.len(), &items[0].actor, next.is_some()), (1, &"key 6".to_owned(), true));
}

async fn each_scope_has_its_own_events(kept: &Kept) {
    let tenants = [Tenant::new("acme", "one").unwrap(), Tenant::new("acme", "two").unwrap()];
    for (n, tenant) in tenants.iter().enumerate() {
        kept.audit_log.record(event(kept, tenant, AuditEventType::RateLimit, n));
    }
    let all = Scope::organization_of(&tenants[0]);
    wait_for(kept, &all, 2).await;
    let own = Scope::from(&tenants[1]);
    let page = kept.audit_history.page(&own, None, PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items.iter().map(|event| &*event.actor).collect::<Vec<_>>(), ["key 1"]);
}
