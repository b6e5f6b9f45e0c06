use std::sync::atomic::AtomicUsize;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::*;
use crate::domain::version::Version;
use crate::ports::catalog::{MemoryCatalog, NewEntry, Visibility};
use crate::ports::clock::ManualClock;

/// A catalogue with an entry `a`, and what is remembered of it.
async fn setup(compile: fn(&Entry) -> Result<String, String>) -> (Arc<MemoryCatalog>, Remembered<String>) {
    let catalog = Arc::new(MemoryCatalog::new(Arc::new(ManualClock::default())));
    let (name, description, document) = ("a".to_owned(), String::new(), "first".to_owned());
    let entry = NewEntry { name, description, visibility: Visibility::Private, version: Version::FIRST, document };
    catalog.create(&Tenant::default(), entry).await.unwrap();
    let remembered = Remembered::new(Some(Arc::clone(&catalog) as _), compile, |_| None);
    (catalog, remembered)
}

#[tokio::test]
async fn those_who_ask_for_the_same_at_the_same_time_wait_for_one_to_compile_it() {
    static COMPILED: AtomicUsize = AtomicUsize::new(0);
    let (catalog, remembered) = setup(|entry| {
        COMPILED.fetch_add(1, Ordering::Relaxed);
        Ok(entry.document.clone())
    })
    .await;
    let tenant = Tenant::default();
    for generation in 1..=2 {
        catalog.set_hanging(true);
        let all_wait = async {
            tokio::task::yield_now().await;
            catalog.set_hanging(false);
        };
        let (found, ()) = tokio::join!(join_all((0..9).map(|_| remembered.find(&tenant, "a"))), all_wait);
        assert!(found.iter().all(|found| found.as_ref().is_ok_and(|it| **it == "first")), "{found:?}");
        assert_eq!(COMPILED.load(Ordering::Relaxed), generation, "also what was known before a change");
        remembered.forget();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_not_waited_for_long_where_something_is_known() {
    let (catalog, remembered) = setup(|entry| Ok(entry.document.clone())).await;
    let tenant = Tenant::default();
    remembered.find(&tenant, "a").await.unwrap();
    catalog.set_hanging(true);
    let began_at = Instant::now();
    remembered.find(&tenant, "a").await.unwrap();
    assert_eq!(began_at.elapsed(), Duration::ZERO, "nothing has changed, so nobody is asked");
    remembered.forget();
    assert_eq!(remembered.find(&tenant, "a").await.as_deref().map(String::as_str), Ok("first"));
    assert_eq!(began_at.elapsed(), WAIT_IF_KNOWN);
}

#[tokio::test]
async fn a_name_that_is_too_long_is_neither_looked_up_nor_remembered() {
    let (catalog, remembered) = setup(|entry| Ok(entry.document.clone())).await;
    catalog.set_away(Some("gone"));
    let find = async |reference: &str| remembered.find(&Tenant::default(), reference).await;
    let (longest, too_long) = ("x".repeat(MAX_NAME_CHARS), "x".repeat(MAX_NAME_CHARS + 1));
    assert_eq!(find(&longest).await, Err(DefinitionError::Unavailable("gone".to_owned())));
    for reference in [&*too_long, &format!("{too_long}@1"), "a@x"] {
        assert_eq!(find(reference).await, Err(DefinitionError::NotFound), "{reference}");
    }
    catalog.set_away(None);
    for reference in [too_long, "a@x".to_owned()] {
        assert_eq!(find(&reference).await, Err(DefinitionError::NotFound), "{reference}");
    }
    assert_eq!(remembered.found.len(), 0);
    assert_eq!(find(&longest).await, Err(DefinitionError::NotFound));
    assert_eq!(remembered.found.len(), 1);
}

#[test]
fn what_is_remembered_weighs_what_its_reference_takes() {
    let found: Found<String> = Found { meant: Err(DefinitionError::NotFound), document_len: 0, generation: 0 };
    let weight = |reference: &str| FoundBytes.weight(&("a/b".into(), reference.to_owned()), &found);
    assert_eq!(weight(&"x".repeat(60)) - weight("x"), 59);
}
