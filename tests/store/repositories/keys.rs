//! API keys.

use std::time::Duration;

use structured_prompt::domain::api_key::{ApiKey, KeyEntry, KeyId, Refusal, verify};
use structured_prompt::domain::tenant::{Scope, Tenant};
use structured_prompt::ports::keys::{KeyChange, NewKey, Revoked};
use structured_prompt::ports::repository::RepositoryError;

use super::{Kept, all_pages, team};

pub async fn check(kept: &Kept) {
    a_key_is_found_by_its_id_and_good_until_it_expires(kept).await;
    a_revoked_key_stays_revoked_and_the_revision_tells(kept).await;
    a_change_leaves_what_it_does_not_name(kept).await;
    a_change_of_an_earlier_state_is_a_conflict(kept).await;
    administrators_see_the_keys_of_their_scope_only(kept).await;
    a_list_has_each_key_once_newest_first(kept).await;
}

async fn create(kept: &Kept, tenant: &Tenant, name: &str) -> (ApiKey, KeyEntry) {
    let new = NewKey { tenant: tenant.clone(), name: name.to_owned(), rate_limit: 1000, expires_at: None };
    kept.keys.create(new).await.expect("a key")
}

fn default_scope() -> Scope {
    Scope::from(&Tenant::default())
}

async fn a_key_is_found_by_its_id_and_good_until_it_expires(kept: &Kept) {
    let expires_at = Some(kept.now() + Duration::from_secs(60));
    let new = NewKey { tenant: team("sales"), name: "ours\0".to_owned(), rate_limit: 7, expires_at };
    let (key, made) = kept.keys.create(new).await.unwrap();
    let presented = ApiKey::parse(key.expose()).expect("a key as it was shown");
    let found = kept.keys.find(presented.id()).await.unwrap();
    let entry = found.as_ref().expect("an entry");
    assert_eq!((&entry.tenant, entry.rate_limit, entry.expires_at), (&team("sales"), 7, expires_at));
    assert_eq!((&entry.name, entry.created_at, entry.revoked_at), (&made.name, kept.now(), None));
    assert!(entry.name.starts_with("ours"));
    assert_eq!(verify(&presented, found.as_ref(), kept.now()), Ok(()));
    kept.pass(60);
    assert_eq!(verify(&presented, found.as_ref(), kept.now()), Err(Refusal::Expired));
    let unknown = KeyId::parse("00000000000").unwrap();
    assert!(kept.keys.find(&unknown).await.unwrap().is_none());
}

async fn a_revoked_key_stays_revoked_and_the_revision_tells(kept: &Kept) {
    let (key, _) = create(kept, &Tenant::default(), "short-lived").await;
    let before = kept.keys.revision().await.unwrap();
    let revoked = kept.keys.revoke(&default_scope(), key.id()).await.unwrap();
    assert_eq!((revoked.entry.revoked_at, revoked.is_new), (Some(kept.now()), true));
    let after = kept.keys.revision().await.unwrap();
    assert!(after > before);
    kept.pass(1);
    let again = kept.keys.revoke(&default_scope(), key.id()).await.unwrap();
    let times = |it: &Revoked| (it.entry.revoked_at, it.entry.updated_at);
    assert_eq!((times(&again), again.is_new), (times(&revoked), false), "since the first time");
    assert_eq!(kept.keys.revision().await.unwrap(), after, "nothing was changed");
    let found = kept.keys.find(key.id()).await.unwrap();
    assert_eq!(verify(&key, found.as_ref(), kept.now()), Err(Refusal::Revoked));
}

async fn a_change_leaves_what_it_does_not_name(kept: &Kept) {
    let (key, made) = create(kept, &Tenant::default(), "before").await;
    let before = kept.keys.revision().await.unwrap();
    kept.pass(1);
    let expires_at = Some(kept.now() + Duration::from_secs(60));
    let limits = KeyChange { rate_limit: Some(5), expires_at: Some(expires_at), ..KeyChange::default() };
    let changed = kept.keys.change(&default_scope(), key.id(), limits).await.unwrap();
    assert_eq!((&*changed.name, changed.rate_limit, changed.expires_at), ("before", 5, expires_at));
    assert_eq!((changed.created_at, changed.updated_at), (made.created_at, kept.now()));
    assert!(kept.keys.revision().await.unwrap() > before);
    let name = KeyChange { name: Some("after".to_owned()), ..KeyChange::default() };
    kept.keys.change(&default_scope(), key.id(), name).await.unwrap();
    let for_ever = KeyChange { expires_at: Some(None), ..KeyChange::default() };
    kept.keys.change(&default_scope(), key.id(), for_ever).await.unwrap();
    let entry = kept.keys.get(&default_scope(), key.id()).await.unwrap();
    assert_eq!((&*entry.name, entry.rate_limit, entry.expires_at, entry.revoked_at), ("after", 5, None, None));
}

async fn a_change_of_an_earlier_state_is_a_conflict(kept: &Kept) {
    let (key, made) = create(kept, &Tenant::default(), "read by two").await;
    let (scope, id) = (default_scope(), key.id());
    let change = |rate_limit, after| KeyChange { rate_limit: Some(rate_limit), after, ..KeyChange::default() };
    let first = kept.keys.change(&scope, id, change(1, Some(made.updated_at))).await.unwrap();
    assert!(first.updated_at > made.updated_at, "also within the same millisecond");
    let before = kept.keys.revision().await.unwrap();
    let second = kept.keys.change(&scope, id, change(2, Some(made.updated_at))).await;
    assert_eq!(second.unwrap_err(), RepositoryError::Conflict);
    let unknown = KeyId::parse("00000000000").unwrap();
    let missing = kept.keys.change(&scope, &unknown, change(2, Some(made.updated_at))).await;
    assert_eq!(missing.unwrap_err(), RepositoryError::NotFound);
    assert_eq!(kept.keys.revision().await.unwrap(), before, "nothing was changed");
    let third = kept.keys.change(&scope, id, change(3, Some(first.updated_at))).await.unwrap();
    assert_eq!((third.rate_limit, third.created_at), (3, made.created_at));
}

async fn administrators_see_the_keys_of_their_scope_only(kept: &Kept) {
    let (key, _) = create(kept, &team("research"), "theirs").await;
    let (own, all) = (Scope::from(&team("research")), Scope::organization_of(&Tenant::default()));
    let elsewhere = Scope::organization_of(&Tenant::new("elsewhere", "research").unwrap());
    for scope in [&own, &all] {
        assert_eq!(kept.keys.get(scope, key.id()).await.unwrap().name, "theirs");
    }
    let before = kept.keys.revision().await.unwrap();
    for scope in [&default_scope(), &elsewhere] {
        let missing = RepositoryError::NotFound;
        assert_eq!(kept.keys.get(scope, key.id()).await.unwrap_err(), missing);
        assert_eq!(kept.keys.change(scope, key.id(), KeyChange::default()).await.unwrap_err(), missing);
        assert_eq!(kept.keys.revoke(scope, key.id()).await.unwrap_err(), missing);
    }
    assert_eq!(kept.keys.revision().await.unwrap(), before, "nothing was changed");
    assert_eq!(kept.keys.get(&own, key.id()).await.unwrap().revoked_at, None);
}

async fn a_list_has_each_key_once_newest_first(kept: &Kept) {
    let tenant = team("lists");
    let mut made = Vec::new();
    for n in 0..7 {
        made.push(create(kept, &tenant, &n.to_string()).await.1.name);
        // Some have the same time.
        kept.pass(n % 2);
    }
    let scope = Scope::from(&tenant);
    let pages = all_pages(3, |page| kept.keys.list(&scope, page)).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let entries = pages.concat();
    assert!(entries.is_sorted_by(|one, next| one.created_at >= next.created_at));
    let mut names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
    names.sort();
    assert_eq!(names, made);
}
