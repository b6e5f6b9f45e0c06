//! Requests with an idempotency key.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use sqlx::Connection as _;
use structured_prompt::domain::fingerprint::Fingerprint;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::ports::clock::Clock;
use structured_prompt::ports::idempotency::{Begun, IdempotentRequest, StoredAnswer, Ticket};
use structured_prompt::store::idempotency::StoredIdempotency;

use super::super::place::soon;
use super::super::postgres::{connect, empty_database};
use super::{Kept, database, postgres, team};

const LEASE: Duration = Duration::from_secs(30);
const TTL: Duration = Duration::from_secs(3600);

pub async fn check(kept: &Kept) {
    a_request_is_done_once_and_its_answer_repeated_until_it_expires(kept).await;
    a_key_belongs_to_one_request_of_one_tenant(kept).await;
    a_request_that_was_given_up_is_new_again(kept).await;
    a_request_whose_process_has_died_is_new_after_its_lease(kept).await;
    of_many_at_once_one_is_new(kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_taken_anew_while_expired_ones_are_removed_stays() {
    let url = empty_database("sweep").await;
    let location = postgres(&url);
    let kept = Kept::stored(&location).await;
    begin_new(&kept, &Tenant::default(), "a").await;
    kept.pass(LEASE.as_secs());
    let mut other = connect(&url).await;
    let mut transaction = other.begin().await.unwrap();
    let renew = "UPDATE idempotency SET expires_at = expires_at + 3600000";
    sqlx::query(renew).execute(&mut *transaction).await.unwrap();
    let stored = StoredIdempotency::new(database(&location), Arc::clone(&kept.clock) as Arc<dyn Clock>);
    let commit = async {
        // The removal has found the row by then, and waits for it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        transaction.commit().await.unwrap();
    };
    let (removed, ()) = soon(Box::pin(async { tokio::join!(stored.delete_expired(10), commit) })).await;
    assert_eq!(removed, Ok(0));
    assert_eq!(begin(&kept, &Tenant::default(), "a", 1).await, Begun::Running);
}

fn request(key: &str, body: u8) -> IdempotentRequest {
    let ticket = Ticket::random();
    IdempotentRequest { key: key.to_owned(), fingerprint: Fingerprint([body; 32]), ticket, lease: LEASE }
}

fn answer(body: &'static [u8]) -> StoredAnswer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    StoredAnswer { status: 201, headers, body: Bytes::from_static(body) }
}

async fn begin(kept: &Kept, tenant: &Tenant, key: &str, body: u8) -> Begun {
    kept.idempotency.begin(tenant, request(key, body)).await.expect("an answer")
}

async fn begin_new(kept: &Kept, tenant: &Tenant, key: &str) -> Ticket {
    let request = request(key, 1);
    let ticket = request.ticket;
    assert_eq!(kept.idempotency.begin(tenant, request).await, Ok(Begun::New), "{key}");
    ticket
}

async fn a_request_is_done_once_and_its_answer_repeated_until_it_expires(kept: &Kept) {
    let tenant = Tenant::default();
    let ticket = begin_new(kept, &tenant, "a").await;
    assert_eq!(begin(kept, &tenant, "a", 1).await, Begun::Running);
    let body = b"{\"any\":\"bytes \0 \xff\"}";
    kept.idempotency.finish(&tenant, "a", ticket, answer(body), TTL).await.unwrap();
    kept.pass(LEASE.as_secs() + 1);
    assert_eq!(begin(kept, &tenant, "a", 1).await, Begun::Done(answer(body)), "the lease is the request's only");
    kept.idempotency.abandon(&tenant, "a", ticket).await.unwrap();
    assert_eq!(begin(kept, &tenant, "a", 1).await, Begun::Done(answer(body)), "what is done stays");
    kept.pass(TTL.as_secs());
    begin_new(kept, &tenant, "a").await;
}

async fn a_key_belongs_to_one_request_of_one_tenant(kept: &Kept) {
    let ticket = begin_new(kept, &Tenant::default(), "b").await;
    assert_eq!(begin(kept, &Tenant::default(), "b", 2).await, Begun::OtherRequest);
    kept.idempotency.finish(&Tenant::default(), "b", ticket, answer(b""), TTL).await.unwrap();
    assert_eq!(begin(kept, &Tenant::default(), "b", 2).await, Begun::OtherRequest);
    for tenant in [team("other"), Tenant::new("elsewhere", "default").unwrap()] {
        begin_new(kept, &tenant, "b").await;
    }
}

async fn a_request_that_was_given_up_is_new_again(kept: &Kept) {
    let tenant = Tenant::default();
    let ticket = begin_new(kept, &tenant, "c").await;
    kept.idempotency.abandon(&team("other"), "c", ticket).await.unwrap();
    assert_eq!(begin(kept, &tenant, "c", 1).await, Begun::Running, "another tenant gives up nothing");
    kept.idempotency.abandon(&tenant, "c", ticket).await.unwrap();
    begin_new(kept, &tenant, "c").await;
}

async fn a_request_whose_process_has_died_is_new_after_its_lease(kept: &Kept) {
    let tenant = Tenant::default();
    let late = begin_new(kept, &tenant, "d").await;
    kept.pass(LEASE.as_secs());
    let second = begin_new(kept, &tenant, "d").await;
    assert_ne!(late, second);
    kept.idempotency.abandon(&tenant, "d", late).await.unwrap();
    kept.idempotency.finish(&tenant, "d", late, answer(b"late"), TTL).await.unwrap();
    assert_eq!(begin(kept, &tenant, "d", 1).await, Begun::Running, "the second is at work");
    kept.idempotency.finish(&tenant, "d", second, answer(b"second"), TTL).await.unwrap();
    assert_eq!(begin(kept, &tenant, "d", 1).await, Begun::Done(answer(b"second")));
}

async fn of_many_at_once_one_is_new(kept: &Kept) {
    let tenant = Tenant::default();
    let begun = join_all((0..16).map(|_| begin(kept, &tenant, "e", 1))).await;
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::New).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::Running).count(), 15, "{begun:?}");
}
