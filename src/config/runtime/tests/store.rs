//! Where everything is kept, and for how long.

use super::*;
use crate::store::settings::Location;

#[test]
fn a_store_is_a_file_below_the_working_directory_until_someone_says_otherwise() {
    let store = |text: &str, variables: &[(&str, &str)]| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("r.yaml");
        fs::write(&file, text).unwrap();
        let store = load(Some(&file), &variables.iter().copied().chain(KEYED).collect()).unwrap().store;
        let StoreUrl::Durable(Location::Sqlite(path)) = store.url else { panic!("{:?}", store.url) };
        path.strip_prefix(directory.path()).map_or(path.clone(), |below| Path::new("FILE").join(below))
    };
    let variable = |url| [("STRUCTURED_PROMPT_STORE__URL", url)];
    assert_eq!(store("", &[]), Path::new("data/structured-prompt.db"));
    assert_eq!(store("store: { url: null }", &[]), Path::new("data/structured-prompt.db"));
    assert_eq!(store("store: { url: 'sqlite://s/x.db' }", &[]), Path::new("FILE/s/x.db"));
    assert_eq!(store("store: { url: 'sqlite:///s/x.db' }", &[]), Path::new("/s/x.db"));
    assert_eq!(store("store: { url: none }", &variable("sqlite://s/x.db")), Path::new("s/x.db"));
}

#[test]
fn a_store_can_be_turned_off_and_its_retention_set() {
    let defaults = load_text("", &KEYED).unwrap().store;
    assert_eq!(defaults.retention, Duration::from_secs(7 * 24 * 3600));
    let store = load_text("store: { url: none, retention: 36h }", &KEYED).unwrap().store;
    assert_eq!(store, StoreSettings { url: StoreUrl::Off, retention: Duration::from_secs(36 * 3600) });
    assert!(findings("store: { retention: 0s }").contains("store.retention: what is forgotten at once"));
}

#[test]
fn requests_are_kept_for_a_month_without_their_texts() {
    let request_log = |text: &str| {
        let RequestLogSettings { retention, store_text } = load_text(text, &KEYED).unwrap().request_log;
        (retention.as_secs() / (24 * 3600), store_text)
    };
    assert_eq!(request_log(""), (30, false));
    assert_eq!(request_log("request_log: { retention: 90d, store_text: true }"), (90, true));
    assert!(findings("request_log: { retention: 0s }").contains("request_log.retention: "));
}

#[test]
fn security_events_are_kept_for_a_year() {
    let days = |text: &str| load_text(text, &KEYED).unwrap().audit.retention.as_secs() / (24 * 3600);
    assert_eq!((days(""), days("audit: { retention: 90d }")), (365, 90));
    assert!(findings("audit: { retention: 0s }").contains("audit.retention: "));
}

#[test]
fn security_events_go_nowhere_else_until_someone_says_so() {
    let audit = |text: &str, variables: &[(&str, &str)]| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("r.yaml");
        fs::write(&file, text).unwrap();
        fs::create_dir(directory.path().join("logs")).unwrap();
        let audit = load(Some(&file), &variables.iter().copied().chain(KEYED).collect()).unwrap().audit;
        let below =
            |path: &Path| path.strip_prefix(directory.path()).map_or(path.to_owned(), |it| Path::new("FILE").join(it));
        (audit.file.as_deref().map(below), audit.topic)
    };
    assert_eq!(audit("", &[]), (None, None));
    let (file, topic) = audit("audit: { file: logs/audit.jsonl, kafka: { topic: security } }", &[]);
    assert_eq!((file.as_deref(), topic.as_deref()), (Some(Path::new("FILE/logs/audit.jsonl")), Some("security")));
    let variables = [("STRUCTURED_PROMPT_AUDIT__FILE", "a.jsonl"), ("STRUCTURED_PROMPT_AUDIT__KAFKA__TOPIC", "t")];
    let (file, topic) = audit("", &variables);
    assert_eq!((file.as_deref(), topic.as_deref()), (Some(Path::new("a.jsonl")), Some("t")));
    assert!(findings("audit: { kafka: { topic: 'a topic' } }").contains("audit.kafka.topic: "));
}

#[test]
fn a_wrong_store_is_refused_without_quoting_its_password() {
    for url in [
        "mysql://me:canary@x/",
        "canary",
        "sqlite://",
        "sqlite://data/",
        "sqlite://a.db?mode=canary",
        "sqlite:canary.db",
        "postgres://me:canary@x:canary/y",
        "postgres://me:canary@x/y?pasword=canary",
        "postgres://me:canary@x/y?sslmode=canary",
        "redis://:canary@x/canary",
        "redis://:canary@/",
    ] {
        let found = findings(&format!("store: {{ url: '{url}' }}"));
        assert!(found.contains("store.url: ") && !found.contains("canary"), "{found}");
    }
}

#[test]
fn a_database_is_named_by_its_url_which_is_secret() {
    for url in [
        "postgres://me:canary@db:5432/sp?sslmode=require",
        "postgresql://db/sp",
        "redis://r",
        "rediss://me:canary@r:6380/1",
    ] {
        let config = load_text("", &[KEYED.as_slice(), &[("STRUCTURED_PROMPT_STORE__URL", url)]].concat()).unwrap();
        let StoreUrl::Durable(Location::Postgres(kept) | Location::Redis(kept)) = &config.store.url else {
            panic!("{:?}", config.store)
        };
        assert_eq!(kept.expose(), url);
        assert!(!format!("{config:?}").contains("canary"));
    }
}
