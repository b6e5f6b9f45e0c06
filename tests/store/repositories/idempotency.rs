//! Requests with an idempotency key.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use structured_prompt::domain::fingerprint::Fingerprint;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::ports::idempotency::{Begun, IdempotentRequest, StoredAnswer, Ticket};

use super::{Kept, team};

const LEASE: Duration = Duration::from_secs(30);
const TTL: Duration = Duration::from_secs(3600);

pub async fn check(kept: &Kept) {
    a_request_is_done_once_and_its_answer_repeated_until_it_expires(kept).await;
    a_key_belongs_to_one_request_of_one_tenant(kept).await;
    a_request_that_was_given_up_is_new_again(kept).await;
    a_request_whose_process_has_died_is_new_after_its_lease(kept).await;
    of_many_at_once_one_is_new(kept).await;
}

fn request(key: &str, body: u8) -> IdempotentRequest {
    IdempotentRequest { key: key.to_owned(), fingerprint: Fingerprint([body; 32]), lease: LEASE }
}

fn answer(body: &'static [u8]) -> StoredAnswer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    StoredAnswer { status: 201, headers, body: Bytes::from_static(body) }
}

async fn begin(kept: &Kept, tenant: &Tenant, key: &str, body: u8) -> Begun {
    kept.idempotency.begin(tenant, request(key, body)).await.expect("an answer")
}

async fn begin_new(kept: &Kept, tenant: &Tenant, key: &str) -> Ticket {
    match begin(kept, tenant, key, 1).await {
        Begun::New(ticket) => ticket,
        other @ (Begun::Running | Begun::Done(_) | Begun::OtherRequest) => panic!("{key} is not new: {other:?}"),
    }
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
    assert_eq!(begun.iter().filter(|begun| matches!(begun, Begun::New(_))).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::Running).count(), 15, "{begun:?}");
}
