//! What every store must do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use structured_prompt::domain::health::Status;
use structured_prompt::ports::journal::{Claimed, Journal as _};
use structured_prompt::store::journal::SharedJournal;

use super::place::{Place, RETENTION, WINDOW, body, claim, component, key, soon};

/// All of it, in an empty store.
pub async fn check(place: &Place) {
    soon(outcomes_stay_until_they_expire(place)).await;
    soon(claims_hold_until_they_expire(place)).await;
    soon(bytes_come_back_as_they_were(place)).await;
    soon(journals_agree_on_claims(place)).await;
    soon(concurrent_journals_lose_nothing(place)).await;
}

/// Processes that start at the same time on an empty store make its tables once.
pub async fn start_at_once(place: &Place) {
    let journals: Vec<_> = (0..8).map(|_| place.journal()).collect();
    soon(join_all((0..).zip(&journals).map(|(n, journal)| journal.record(key(n), body(n))))).await;
    assert_eq!(journals[0].recall(key(7)).await, Some(body(7)));
}

async fn outcomes_stay_until_they_expire(place: &Place) {
    let journal = place.journal();
    assert_eq!(journal.recall(key(1)).await, None);
    journal.record(key(1), body(1)).await;
    journal.record(key(1), body(2)).await;
    assert_eq!(journal.recall(key(1)).await, Some(body(1)), "the first stays");
    let component = component(&journal);
    assert_eq!((component.kind, component.status, component.is_ready), ("store", Status::Up, true));
    drop(journal);

    let journal = place.journal();
    assert_eq!(journal.recall(key(1)).await, Some(body(1)), "it outlives the process");
    place.pass(RETENTION).await;
    assert_eq!(journal.recall(key(1)).await, None);
    journal.record(key(1), body(3)).await;
    assert_eq!(journal.recall(key(1)).await, Some(body(3)), "what has expired makes room");
}

async fn claims_hold_until_they_expire(place: &Place) {
    let journal = place.journal();
    let claims = vec![claim(1, 1, "a/0/1"), claim(1, 1, "a/0/2"), claim(1, 2, "a/0/3"), claim(2, 1, "a/0/1")];
    let decided = journal.claim(claims).await;
    assert_eq!(decided, [Claimed::Granted, Claimed::Repeat, Claimed::Conflict, Claimed::Granted]);
    // Whatever an origin says, its record is the one that the event is answered for.
    assert_eq!(journal.claim(vec![claim(1, 2, "a/0/1")]).await, [Claimed::Granted]);
    place.pass(WINDOW).await;
    let decided = journal.claim(vec![claim(1, 2, "a/0/3"), claim(1, 1, "a/0/1")]).await;
    assert_eq!(decided, [Claimed::Granted, Claimed::Conflict]);
}

async fn bytes_come_back_as_they_were(place: &Place) {
    let journal = place.journal();
    let all: Vec<u8> = (0..=255).collect();
    let outcomes = [Bytes::new(), Bytes::from(all), Bytes::from(vec![0; 5 << 20])];
    for (n, outcome) in (100..).zip(&outcomes) {
        journal.record(key(n), outcome.clone()).await;
        assert_eq!(journal.recall(key(n)).await.as_ref(), Some(outcome));
    }
    // No origin is refused: it would hold up all the others for ever.
    let odd = "t\0opic/0/1 ' \u{1F980}\n";
    assert_eq!(journal.claim(vec![claim(100, 1, odd)]).await, [Claimed::Granted]);
    assert_eq!(journal.claim(vec![claim(100, 1, odd), claim(100, 1, "t")]).await, [Claimed::Granted, Claimed::Repeat]);
}

/// Many records of several processes claim the same events at once: one each is granted, and stays.
async fn journals_agree_on_claims(place: &Place) {
    const EVENTS: u32 = 50;
    let journals: Vec<_> = (0..4).map(|_| Arc::new(place.journal())).collect();
    let claims = |round: u32| {
        let calls = journals.iter().enumerate().flat_map(|(index, journal)| {
            (0..EVENTS).map(move |event| {
                let event = 1_000 + (event * 7 + u32::try_from(index).unwrap() * 13) % EVENTS;
                let journal = Arc::clone(journal);
                async move { (event, index, journal.claim(vec![claim(event, round, &index.to_string())]).await[0]) }
            })
        });
        join_all(calls)
    };
    let first = claims(1).await;
    let granted: Vec<_> = first.iter().filter(|(_, _, claimed)| *claimed == Claimed::Granted).collect();
    assert_eq!(granted.len(), EVENTS as usize);
    assert!(first.iter().all(|(.., claimed)| *claimed != Claimed::Conflict));
    let again = claims(2).await;
    for (event, index, claimed) in again {
        let is_holder = granted.iter().any(|(e, i, _)| (*e, *i) == (event, index));
        assert_eq!(claimed, if is_holder { Claimed::Granted } else { Claimed::Conflict });
    }
}

/// Two processes write and read at once: each outcome is there afterwards, and one of two for the same key wins for
/// all.
pub async fn concurrent_journals_lose_nothing(place: &Place) {
    const RECORDS: u32 = 2_000;
    let first = 10_000;
    let journals = [place.keeping(Duration::from_secs(3600)), place.keeping(Duration::from_secs(3600))].map(Arc::new);
    let write = |journal: &Arc<SharedJournal>, range: std::ops::Range<u32>, by: u32| {
        let journal = Arc::clone(journal);
        join_all(range.map(move |n| {
            let journal = Arc::clone(&journal);
            async move { journal.record(key(first + n), body(by)).await }
        }))
    };
    tokio::join!(write(&journals[0], 0..RECORDS, 1), write(&journals[1], RECORDS / 2..RECORDS * 3 / 2, 2));
    let read = |journal: &Arc<SharedJournal>| {
        let journal = Arc::clone(journal);
        async move { join_all((0..RECORDS * 3 / 2).map(|n| journal.recall(key(first + n)))).await }
    };
    let (one, two) = tokio::join!(read(&journals[0]), read(&journals[1]));
    assert_eq!(one, two);
    assert!(one[..RECORDS as usize / 2].iter().all(|outcome| *outcome == Some(body(1))));
    assert!(one[RECORDS as usize / 2..].iter().all(|outcome| [Some(body(1)), Some(body(2))].contains(outcome)));
    assert!(one[RECORDS as usize..].iter().all(|outcome| *outcome == Some(body(2))));
}
