//! Schemas and templates.

use structured_prompt::domain::tenant::Tenant;
use structured_prompt::domain::version::{Selector, Version};
use structured_prompt::ports::catalog::{
    Catalog, Entry, EntryFilter, ListedEntry, NewEntry, NewVersion, VersionFilter, Visibility,
};
use structured_prompt::ports::repository::RepositoryError;

use super::{Kept, all_pages, team};

pub async fn check(kept: &Kept) {
    for catalog in [&*kept.schemas, &*kept.templates] {
        an_entry_is_found_in_the_version_that_is_meant(kept, catalog).await;
        a_version_that_is_not_based_on_the_latest_is_a_conflict(kept, catalog).await;
        private_entries_are_their_teams_and_public_ones_their_organisations(kept, catalog).await;
        of_equal_names_the_own_is_meant_and_then_the_oldest(kept, catalog).await;
        a_list_has_the_latest_versions_that_are_searched_for(kept, catalog).await;
        who_changes_the_same_at_once_gets_one_version_each_or_a_conflict(catalog).await;
    }
    let owner = team("apart");
    create(&*kept.schemas, &owner, "apart", Visibility::Public).await;
    let found = kept.templates.find(&owner, "apart", Selector::Latest).await;
    assert_eq!(found, Err(RepositoryError::NotFound), "schemas are no templates");
}

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

async fn versions(
    catalog: &dyn Catalog,
    tenant: &Tenant,
    reference: &str,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<ListedEntry>, RepositoryError> {
    let (name, selector) = Selector::of_reference(reference).expect("a reference");
    let filter = VersionFilter { version: selector, before: before.map(version), limit };
    catalog.versions(tenant, name, filter).await
}

async fn create(catalog: &dyn Catalog, owner: &Tenant, name: &str, visibility: Visibility) -> Entry {
    let new = NewEntry {
        name: name.to_owned(),
        description: format!("What {name} is for"),
        visibility,
        version: Version::FIRST,
        document: format!("{{\"first\":\"{name}\"}}"),
    };
    catalog.create(owner, new).await.expect("an entry")
}

fn next(after: &str, number: &str) -> NewVersion {
    let document = format!("{{\"version\":\"{number}\"}}");
    NewVersion { after: version(after), version: version(number), description: None, visibility: None, document }
}

async fn an_entry_is_found_in_the_version_that_is_meant(kept: &Kept, catalog: &dyn Catalog) {
    let owner = team("versions");
    let before = catalog.revision().await.unwrap();
    let made = create(catalog, &owner, "invoice", Visibility::Private).await;
    assert_eq!(catalog.find(&owner, "invoice", Selector::Latest).await.as_ref(), Ok(&made));
    assert_eq!(catalog.find(&owner, "no\0text", Selector::Latest).await, Err(RepositoryError::NotFound));
    assert_eq!(versions(catalog, &owner, "no\0text", None, 100).await, Err(RepositoryError::NotFound));
    assert!(catalog.revision().await.unwrap() > before);
    kept.pass(1);
    for (after, number) in [("1.0.0", "1.2.0"), ("1.2.0", "1.10.0"), ("1.10.0", "2.0.0")] {
        let added = catalog.add_version(&owner, "invoice", next(after, number)).await.unwrap();
        assert_eq!((added.version, added.created_at), (version(number), made.created_at));
        assert_eq!(added.updated_at, kept.now());
    }
    for (reference, expected) in [
        ("invoice", "2.0.0"),
        ("invoice@1", "1.10.0"),
        ("invoice@1.2", "1.2.0"),
        ("invoice@1.0.0", "1.0.0"),
        ("invoice@2.0", "2.0.0"),
    ] {
        let (name, selector) = Selector::of_reference(reference).unwrap();
        let found = catalog.find(&owner, name, selector).await.unwrap();
        assert_eq!(found.version, version(expected), "{reference}");
        let is_first = expected == "1.0.0";
        assert_eq!(found.document == made.document, is_first, "{reference}");
    }
    for reference in ["invoice@3", "invoice@1.3", "invoice@1.2.1", "invoices"] {
        let (name, selector) = Selector::of_reference(reference).unwrap();
        assert_eq!(catalog.find(&owner, name, selector).await, Err(RepositoryError::NotFound), "{reference}");
    }
    for (reference, before, limit, expected) in [
        ("invoice", None, 9, vec!["2.0.0", "1.10.0", "1.2.0", "1.0.0"]),
        ("invoice", None, 3, vec!["2.0.0", "1.10.0", "1.2.0"]),
        ("invoice", Some("1.10.0"), 9, vec!["1.2.0", "1.0.0"]),
        ("invoice@1", None, 2, vec!["1.10.0", "1.2.0"]),
        ("invoice@1.2", None, 9, vec!["1.2.0"]),
    ] {
        let found = versions(catalog, &owner, reference, before, limit).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|entry| entry.version.to_string()).collect();
        assert_eq!(numbers, expected, "{reference} before {before:?}");
    }
    let missing = versions(catalog, &owner, "invoice@3", None, 9).await;
    assert_eq!(missing, Err(RepositoryError::NotFound));
    assert_eq!(versions(catalog, &owner, "invoices", None, 100).await, Err(RepositoryError::NotFound));
}

async fn a_version_that_is_not_based_on_the_latest_is_a_conflict(kept: &Kept, catalog: &dyn Catalog) {
    let owner = team("conflicts");
    create(catalog, &owner, "form", Visibility::Private).await;
    let again = NewEntry {
        name: "form".to_owned(),
        description: String::new(),
        visibility: Visibility::Public,
        version: version("9.0.0"),
        document: "{}".to_owned(),
    };
    assert_eq!(catalog.create(&owner, again).await, Err(RepositoryError::AlreadyExists));
    catalog.add_version(&owner, "form", next("1.0.0", "1.1.0")).await.unwrap();
    let before = catalog.revision().await.unwrap();
    let stale = catalog.add_version(&owner, "form", next("1.0.0", "1.2.0")).await;
    assert_eq!(stale, Err(RepositoryError::Conflict));
    let taken = catalog.add_version(&owner, "form", next("1.1.0", "1.0.0")).await;
    assert_eq!(taken, Err(RepositoryError::AlreadyExists));
    assert_eq!(catalog.delete(&owner, "form", version("1.0.0")).await, Err(RepositoryError::Conflict));
    assert_eq!(catalog.revision().await.unwrap(), before, "nothing was changed");
    let described = NewVersion {
        description: Some("Another".to_owned()),
        visibility: Some(Visibility::Public),
        ..next("1.1.0", "1.1.1")
    };
    catalog.add_version(&owner, "form", described).await.unwrap();
    let first = catalog.find(&owner, "form", Selector::Exact(Version::FIRST)).await.unwrap();
    assert_eq!((&*first.description, first.visibility), ("Another", Visibility::Public), "they are the entry's");
    kept.pass(1);
    assert_eq!(catalog.delete(&owner, "form", version("1.1.1")).await, Ok(()));
    assert_eq!(versions(catalog, &owner, "form", None, 100).await, Err(RepositoryError::NotFound));
    assert_eq!(catalog.delete(&owner, "form", version("1.1.1")).await, Err(RepositoryError::NotFound));
    let anew = create(catalog, &owner, "form", Visibility::Private).await;
    assert_eq!((anew.created_at, anew.version), (kept.now(), Version::FIRST));
}

async fn private_entries_are_their_teams_and_public_ones_their_organisations(_kept: &Kept, catalog: &dyn Catalog) {
    let (owner, colleague) = (team("owners"), team("colleagues"));
    let stranger = Tenant::new("elsewhere", "owners").unwrap();
    create(catalog, &owner, "hidden", Visibility::Private).await;
    let shared = create(catalog, &owner, "shared", Visibility::Public).await;
    assert_eq!(catalog.find(&colleague, "shared", Selector::Latest).await, Ok(shared));
    let missing = RepositoryError::NotFound;
    for (tenant, name) in [(&colleague, "hidden"), (&stranger, "hidden"), (&stranger, "shared")] {
        assert_eq!(catalog.find(tenant, name, Selector::Latest).await, Err(missing.clone()), "{tenant} {name}");
        assert_eq!(versions(catalog, tenant, name, None, 100).await, Err(missing.clone()), "{tenant} {name}");
    }
    for (tenant, name) in [(&colleague, "shared"), (&colleague, "hidden"), (&stranger, "shared")] {
        let added = catalog.add_version(tenant, name, next("1.0.0", "1.1.0")).await;
        assert_eq!(added, Err(missing.clone()), "{tenant} {name}");
        assert_eq!(catalog.delete(tenant, name, Version::FIRST).await, Err(missing.clone()), "{tenant} {name}");
    }
}

async fn of_equal_names_the_own_is_meant_and_then_the_oldest(_kept: &Kept, catalog: &dyn Catalog) {
    let owner = |tenant: &'static str| async move {
        catalog.find(&team(tenant), "popular", Selector::Latest).await.map(|entry| entry.owner.team().to_owned())
    };
    create(catalog, &team("first"), "popular", Visibility::Public).await;
    create(catalog, &team("second"), "popular", Visibility::Public).await;
    create(catalog, &team("third"), "popular", Visibility::Private).await;
    for (tenant, expected) in [("first", "first"), ("second", "second"), ("third", "third"), ("fourth", "first")] {
        assert_eq!(owner(tenant).await.as_deref(), Ok(expected), "{tenant}");
    }
}

async fn a_list_has_the_latest_versions_that_are_searched_for(_kept: &Kept, catalog: &dyn Catalog) {
    let owner = Tenant::new("lists", "default").unwrap();
    let colleague = Tenant::new("lists", "colleagues").unwrap();
    for n in 0..5 {
        create(catalog, &owner, &format!("Öl-{n}"), Visibility::Private).await;
    }
    create(catalog, &colleague, "100%_public", Visibility::Public).await;
    create(catalog, &colleague, "secret", Visibility::Private).await;
    catalog.add_version(&owner, "Öl-0", next("1.0.0", "1.1.0")).await.unwrap();
    let names = async |filter: EntryFilter| {
        let pages = all_pages(2, |page| catalog.list(&owner, filter.clone(), page)).await;
        pages.concat().iter().map(|entry| format!("{}@{}", entry.name, entry.version)).collect::<Vec<_>>()
    };
    let all = ["100%_public@1.0.0", "Öl-4@1.0.0", "Öl-3@1.0.0", "Öl-2@1.0.0", "Öl-1@1.0.0", "Öl-0@1.1.0"];
    assert_eq!(names(EntryFilter::default()).await, all);
    let search = |text: &str| EntryFilter { search: Some(text.to_owned()), visibility: None };
    assert_eq!(names(search("ÖL-3 IS FOR")).await, ["Öl-3@1.0.0"]);
    assert_eq!(names(search("%_")).await, ["100%_public@1.0.0"], "no text is a pattern");
    assert_eq!(names(search("\\")).await, [""; 0]);
    let public = EntryFilter { search: None, visibility: Some(Visibility::Public) };
    assert_eq!(names(public).await, ["100%_public@1.0.0"]);
}

async fn who_changes_the_same_at_once_gets_one_version_each_or_a_conflict(catalog: &dyn Catalog) {
    let owner = team("races");
    create(catalog, &owner, "race", Visibility::Private).await;
    let calls = (1..=8).map(|n| {
        let new = next("1.0.0", &format!("1.{n}.0"));
        catalog.add_version(&owner, "race", new)
    });
    let ends = futures_util::future::join_all(calls).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "{ends:?}");
    assert!(ends.iter().all(|end| end.is_ok() || *end == Err(RepositoryError::Conflict)), "{ends:?}");
    assert_eq!(versions(catalog, &owner, "race", None, 100).await.unwrap().len(), 2);
}
