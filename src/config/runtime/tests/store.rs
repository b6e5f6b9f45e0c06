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
        assert_eq!(kept.get().expose(), url);
        assert!(!format!("{config:?}").contains("canary"));
    }
}

#[test]
fn a_url_may_stand_in_a_file_which_counts_before_another() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (store, cache) = (file("store", "postgres://me:canary@db/sp\n"), file("cache", "redis://:canary@r/0"));
    let variables = [
        ("STRUCTURED_PROMPT_STORE__URL", "sqlite://image-default.db"),
        ("STRUCTURED_PROMPT_STORE__URL_FILE", store.as_str()),
        ("STRUCTURED_PROMPT_CACHE__REDIS_URL_FILE", cache.as_str()),
    ];
    let config = load_text("", &[KEYED.as_slice(), &variables].concat()).unwrap();
    let files: Vec<_> = config.secrets().filter_map(|secret| secret.file()?.to_str()).collect();
    assert_eq!(files, [cache.as_str(), store.as_str()]);
    assert!(!format!("{config:?}").contains("canary"));
    for (name, text, why) in [
        ("sqlite", "sqlite://canary.db", "this is no server's URL"),
        ("wrong", "canary://x", "this is not the URL of a store"),
        ("empty", "\n", "is empty"),
    ] {
        let found = findings(&format!("store: {{ url_file: '{}' }}", file(name, text)));
        assert!(found.contains("store.url_file: ") && found.contains(why) && !found.contains("canary"), "{found}");
    }
}

#[test]
fn another_place_in_the_file_is_not_gone_to_without_a_restart() {
    use crate::file_watch::FromFiles as _;
    for (first, same, others) in [
        (
            "postgres://me:a@db/sp",
            "postgres://me:b@db:5432/sp?sslmode=require",
            ["postgres://me:b@db2/sp", "redis://r"],
        ),
        ("redis://:a@r/1", "rediss://me:b@r/1", ["redis://:b@r/2", "postgres://db/sp"]),
    ] {
        let StoreUrl::Durable(location) = StoreUrl::parse(first, Path::new("")).unwrap() else { panic!("{first}") };
        let location = location.in_file("store.url_file".to_owned(), "/run/url".into());
        let secret = location.secret().unwrap();
        for other in others {
            secret.take(Ok(vec![other.into()]));
            assert_eq!(secret.get().expose(), first, "{other}");
        }
        secret.take(Ok(vec![same.into()]));
        assert_eq!(secret.get().expose(), same);
    }
}
