use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::secret::Secret;
use crate::http::settings::Auth;
use crate::llm::settings::{AnthropicAuth, Api, ProviderKind, RemoteSettings};

mod http;
mod log;
mod store;
mod texts;
mod traces;

const WRITTEN: &str = include_str!("../../../config/structured-prompt.yaml");
const KEYED: [(&str, &str); 1] = [("OPENAI_API_KEY", "canary-key")];

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<RuntimeConfig, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("r.yaml");
    fs::write(&file, text).unwrap();
    let prefix = format!("{}/", directory.path().display());
    load(Some(&file), &environment.iter().copied().collect()).map_err(|found| found.to_string().replace(&prefix, ""))
}

fn findings(text: &str) -> String {
    load_text(text, &KEYED).expect_err("there should be findings")
}

fn openai<'a>(config: &'a RuntimeConfig, name: &str) -> &'a RemoteSettings {
    match &config.providers.iter().find(|provider| provider.name == name).unwrap().kind {
        ProviderKind::Remote(settings) => settings,
        ProviderKind::Offline => panic!("{name} is offline"),
    }
}

#[test]
fn the_file_we_ship_is_the_defaults() {
    let environment: Environment = KEYED.into_iter().collect();
    let defaults = load(None, &environment).unwrap();
    assert_eq!(load_text(WRITTEN, &KEYED).unwrap(), defaults);
    assert_eq!(defaults.routing.fallback, ["gpt"], "the others have no key");
    assert_eq!(defaults.routing.reference.unwrap().input_per_1k, 0.03);
    assert_eq!(defaults.cache.memory_bytes, 64 * 1024 * 1024);
    assert!(!defaults.cache.fold_case && defaults.cache.redis_url.is_none());
    assert_eq!(openai(&defaults, "gpt").api_keys[0].get().expose(), "canary-key");
    assert_eq!(openai(&defaults, "llama").api_keys, []);
}

#[test]
fn every_key_is_documented() {
    let diagnostics = Diagnostics::new(None);
    let node = diagnostics.tree(&WRITTEN.replace("client: {}", "client: { debug: all }")).unwrap();
    read(&diagnostics, &node, Path::new(""));
    let page = include_str!("../../../docs/configuration.md");
    let known = diagnostics.known();
    assert!(known.len() > 20, "{known:?}");
    for key in known {
        assert!(page.contains(&format!("| `{key}` |")), "docs/configuration.md does not describe {key}");
        assert!(
            key.contains("<option>")
                || WRITTEN.contains(&format!("{}:", key.rsplit('.').next().unwrap().trim_matches(['<', '>'])))
                || key.ends_with("<name>"),
            "structured-prompt.yaml lacks {key}"
        );
    }
}

#[test]
fn all_findings_come_at_once_with_their_places() {
    let text = "kafka:\n  brokers: [localhost]\n  clinet: {}\nhttp: { listen: 8080 }\ncache: { ttl: 60, memory_mb: many }\nlog: { format: yaml }\nlog: {}\nstrange: 1\n";
    assert_eq!(
        findings(text),
        "r.yaml:2:13: kafka.brokers[0]: this is not host:port\n    write for example kafka-1.internal:9092, one broker per item"
            .to_owned()
            + "\nr.yaml:3:3: kafka.clinet: there is no such key\n    did you mean `client`?\
               \nr.yaml:4:17: http.listen: this is not an address to listen on\n    \
               write an IP address and a port: 127.0.0.1:8080, or 0.0.0.0:8080 for all interfaces\
               \nr.yaml:5:15: cache.ttl: expected a duration, found a number without a unit\n    write a whole number and a unit: 250ms, 10s, 5m, 24h or 7d\
               \nr.yaml:5:30: cache.memory_mb: expected a whole number from 0 to 1048576, found text\
               \nr.yaml:6:16: log.format: `yaml` is not one of the choices\n    use auto or json or text\
               \nr.yaml:7:1: log: the key appears twice\n    keep one of the two\
               \nr.yaml:8:1: strange: there is no such key\n    known keys here: kafka, http, store, request_log, audit, cache, providers, routing, llm, log"
    );
}

#[test]
fn everybody_may_ask_only_where_nobody_else_can() {
    for listen in ["127.0.0.1:0", "127.1.2.3:80", "[::1]:80"] {
        let config = load_text(&format!("http: {{ listen: '{listen}', auth: off }}"), &KEYED).unwrap();
        assert_eq!(config.http.auth, Auth::Off);
    }
    for listen in ["0.0.0.0:80", "[::]:80", "192.168.1.1:80"] {
        let found = findings(&format!("http: {{ listen: '{listen}', auth: off }}"));
        assert!(found.contains("http.auth: without keys everybody who reaches"), "{found}");
    }
}

#[test]
fn the_admin_key_stands_in_a_variable_or_in_a_file_of_its_own() {
    let key = "canary-canary-canary-canary-canary";
    let found = findings(&format!("http: {{ admin_key: '{key}' }}"));
    assert!(found.contains("STRUCTURED_PROMPT_HTTP__ADMIN_KEY") && !found.contains("canary"), "{found}");
    let variable = |key| load_text("", &[KEYED[0], ("STRUCTURED_PROMPT_HTTP__ADMIN_KEY", key)]);
    let config = variable(key).unwrap();
    assert_eq!(config.http.admin_key, Some(Secret::new(key).into()));
    assert!(!format!("{config:?}").contains("canary"));
    assert!(variable("canary").unwrap_err().contains("at least 32 characters"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    fs::write(&file, format!("{key}\n")).unwrap();
    let of_file = load_text(&format!("http: {{ admin_key_file: '{}' }}", file.display()), &KEYED).unwrap();
    assert_eq!(of_file.http.admin_key.unwrap().get().expose(), key);
}

#[test]
fn the_environment_wins_and_is_named_in_findings() {
    let environment = [
        ("OPENAI_API_KEY", "k"),
        ("STRUCTURED_PROMPT_KAFKA__BROKERS", "a:1, b:2"),
        ("STRUCTURED_PROMPT_KAFKA__CLIENT__SASL_PASSWORD", "canary"),
        ("STRUCTURED_PROMPT_CACHE__MEMORY_MB", "0"),
        ("STRUCTURED_PROMPT_CACHE__FOLD_CASE", "true"),
        ("STRUCTURED_PROMPT_PROVIDERS__MY_LLM__MODEL", "m2"),
        ("STRUCTURED_PROMPT_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
    ];
    let text =
        "kafka: { brokers: ['c:3'] }\nproviders: { my-llm: { kind: openai, model: m1, base_url: 'http://x/v1/' } }";
    let config = load_text(text, &environment).unwrap();
    assert_eq!(config.kafka.brokers, ["a:1", "b:2"]);
    assert_eq!(config.kafka.client["sasl.password"], "canary");
    assert_eq!((config.cache.memory_bytes, config.cache.fold_case), (0, true));
    assert_eq!(openai(&config, "my-llm").model, "m2");
    assert_eq!(openai(&config, "my-llm").base_url, "http://x/v1");
    let wrong = [("STRUCTURED_PROMPT_CACHE__TLL", "1h"), ("STRUCTURED_PROMPT_HTTP__LISTEN", "x")];
    assert_eq!(
        load_text("", &wrong).unwrap_err(),
        "STRUCTURED_PROMPT_CACHE__TLL: cache.tll: there is no such key\n    did you mean `ttl`?\n\
         STRUCTURED_PROMPT_HTTP__LISTEN: http.listen: this is not an address to listen on\n    write an IP address and a port: 127.0.0.1:8080, or 0.0.0.0:8080 for all interfaces"
    );
}

#[test]
fn providers_merge_by_name() {
    let config = load_text("providers: { gpt: { model: gpt-5, timeout: 3s } }", &KEYED).unwrap();
    let gpt = openai(&config, "gpt");
    assert_eq!((gpt.model.as_str(), gpt.timeout, gpt.max_tokens), ("gpt-5", Duration::from_secs(3), 1024));
    assert_eq!(config.providers.len(), 3, "gpt, llama, offline");
    let found =
        findings("providers: { a: { kind: gemini }, b: {}, C: { kind: offline, model: x }, d: { kind: openai } }");
    for part in [
        "a.model: is missing",
        "b.kind: is missing",
        "`C` is not a valid name",
        "C.model: there is no such key",
        "d.model: is missing",
    ] {
        assert!(found.contains(part), "{part}\n{found}");
    }
}

#[test]
fn a_provider_without_its_key_is_left_out() {
    let config = load_text("", &[]).unwrap();
    let left_out: Vec<_> = config.left_out.iter().map(|out| (&*out.provider, &*out.variable)).collect();
    let wanted = [("claude", "ANTHROPIC_API_KEY"), ("gemini", "GEMINI_API_KEY"), ("gpt", "OPENAI_API_KEY")];
    assert_eq!(left_out, wanted);
    assert_eq!(config.routing.fallback, Vec::<String>::new());
    assert!(findings("routing: { fallback: [gtp] }").contains("did you mean `gpt`?"));
}

#[test]
fn a_key_may_stand_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("key"), "from-file\n").unwrap();
    let file = directory.path().join("r.yaml");
    fs::write(&file, "providers: { gpt: { api_key_file: key } }").unwrap();
    let config = load(Some(&file), &Environment::default()).unwrap();
    assert_eq!(openai(&config, "gpt").api_keys[0].get().expose(), "from-file");
    assert!(findings("providers: { gpt: { api_key_file: nowhere } }").contains("cannot be read"));
}

#[test]
fn client_options_are_checked_by_librdkafka_and_ours_are_refused() {
    let config =
        load_text("kafka: { client: { fetch.wait.max.ms: 50, security.protocol: SSL, check.crcs: true } }", &KEYED);
    assert_eq!(config.unwrap().kafka.client["fetch.wait.max.ms"], "50");
    let found = findings("kafka: { client: { acks: 1, group.id: x, no.such: 1, fetch.wait.max.ms: canary } }");
    for part in [
        "client.acks: this option is not yours",
        "client.group.id",
        "client.no.such: librdkafka has no such",
        "ms: librdkafka refuses the value",
    ] {
        assert!(found.contains(part), "{part}\n{found}");
    }
}

#[test]
fn secrets_in_the_wrong_place_are_not_quoted() {
    let found = findings(
        "kafka: { brokers: [canary], client: { sasl.password: [canary], acks: canary, debug: canary } }\n\
         providers:\n  gpt: { api_key_env: sk-canary, base_url: 'http://me:canary@x/' }\n  llama: { base_url: canary }\n\
         log: { filter: '=canary=' }\n",
    );
    assert!(!found.contains("canary"), "{found}");
    assert_eq!(found.lines().filter(|line| line.starts_with("r.yaml")).count(), 8, "{found}");
}

#[test]
fn hostile_yaml_is_refused() {
    let flow = "[".repeat(100_000);
    let block = "- ".repeat(100_000);
    let keys = "? ".repeat(100_000);
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    let many: String = (0..60_000).map(|index| format!("k{index}: 1\n")).collect();
    for text in [
        flow.as_str(),
        &block,
        &keys,
        bomb,
        &many,
        "a: !!int x",
        "a: b\n---\nc: d",
        "[1]",
        "a: 'x",
        "\u{0}",
        "{[a]: b}",
    ] {
        let shown: String = text.chars().take(20).collect();
        assert!(load_text(text, &KEYED).is_err(), "{shown}");
    }
    assert!(findings("a: [1\nb: 2").starts_with("r.yaml:2:"), "{}", findings("a: [1\nb: 2"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}", yaml in "[-:{}\\[\\]&*!|>'\"%@`,?# a-c\n\t]{0,80}") {
        for text in [text, yaml] {
            let diagnostics = Diagnostics::new(None);
            if let Some(node) = diagnostics.tree(&text) {
                read(&diagnostics, &node, Path::new(""));
                node.to_json();
            }
        }
    }

    #[test]
    fn no_change_of_a_valid_file_panics(at in 0..WRITTEN.len(), cut in 0..40_usize, put in "[-:{}\\[\\]&*!|>'\"\n a0]{0,4}") {
        let bytes = WRITTEN.as_bytes();
        let changed = [&bytes[..at], put.as_bytes(), &bytes[(at + cut).min(bytes.len())..]].concat();
        let diagnostics = Diagnostics::new(None);
        if let Some(node) = diagnostics.tree(&String::from_utf8_lossy(&changed)) {
            read(&diagnostics, &node, Path::new(""));
        }
    }
}

#[test]
fn each_kind_has_its_own_keys() {
    let keys = [("GEMINI_API_KEY", "g"), ("ANTHROPIC_API_KEY", "a")];
    let text = "providers: { gemini: { api_version: v1, logprobs: true }, claude: { anthropic_version: \"2026-10-21\", auth: bearer } }";
    let config = load_text(text, &keys).unwrap();
    assert_eq!(config.routing.fallback, ["gemini", "claude"]);
    assert_eq!(openai(&config, "gemini").api, Api::Gemini { version: "v1".to_owned() });
    let claude = Api::Anthropic { version: "2026-10-21".to_owned(), auth: AnthropicAuth::Bearer };
    assert_eq!(openai(&config, "claude").api, claude);
    let found = findings(
        "providers: { gpt: { auth: bearer }, claude: { logprobs: true }, gemini: { structured_output: prompt } }",
    );
    for part in
        ["gpt.auth: there is no such key", "claude.logprobs: there is no", "gemini.structured_output: there is no"]
    {
        assert!(found.contains(part), "{part}\n{found}");
    }
}

#[test]
fn several_keys_are_taken_and_those_that_are_not_set_passed_over() {
    let text = "providers: { gpt: { api_key_env: [KEY_A, KEY_B, KEY_C] } }";
    let config = load_text(text, &[("KEY_A", "a"), ("KEY_C", "c")]).unwrap();
    assert_eq!(openai(&config, "gpt").api_keys, ["a", "c"].map(|key| CurrentSecret::from(Secret::new(key))));
    let none = load_text(text, &[]).unwrap();
    assert!(none.left_out.iter().any(|out| out.variable == "KEY_A"));
    let variable = [("STRUCTURED_PROMPT_PROVIDERS__GPT__API_KEY_ENV", "KEY_A,KEY_C"), ("KEY_A", "a"), ("KEY_C", "c")];
    assert_eq!(openai(&load_text("", &variable).unwrap(), "gpt").api_keys.len(), 2);
}

#[test]
fn a_replay_needs_no_key_and_excludes_a_recording() {
    let config = load_text("llm: { replay: tapes }", &[]).unwrap();
    assert_eq!(config.routing.fallback, ["gemini", "claude", "gpt"]);
    assert!(matches!(&config.cassettes, Cassettes::Replay(directory) if directory.ends_with("tapes")));
    assert!(findings("llm: { replay: a, record: b }").contains("at the same time"));
}

#[test]
fn the_shared_cache_is_a_redis_whose_password_is_for_the_environment_only() {
    for url in ["sqlite://canary.db", "none", "canary", "redis://:canary@/", "postgres://me:canary@x/y"] {
        let found = findings(&format!("cache: {{ redis_url: '{url}' }}"));
        assert!(found.contains("cache.redis_url: ") && !found.contains("canary"), "{found}");
    }
    let found = findings("cache: { redis_url: 'redis://:canary@r/0' }");
    assert!(found.contains("STRUCTURED_PROMPT_CACHE__REDIS_URL") && !found.contains("canary"), "{found}");
    let variable = ("STRUCTURED_PROMPT_CACHE__REDIS_URL", "rediss://me:canary@r:6380/1");
    let config = load_text("", &[KEYED.as_slice(), &[variable]].concat()).unwrap();
    assert_eq!(config.cache.redis_url, Some(Secret::new(variable.1).into()));
    assert!(!format!("{config:?}").contains("canary"));
    assert!(load_text("cache: { redis_url: 'redis://r:6379/0' }", &KEYED).unwrap().cache.redis_url.is_some());
}

#[test]
fn a_secret_in_a_file_is_a_finding_that_names_the_variable() {
    for (option, variable) in [
        ("sasl.password", "SASL_PASSWORD"),
        ("ssl.key.password", "SSL_KEY_PASSWORD"),
        ("ssl.key.pem", "SSL_KEY_PEM"),
        ("ssl.keystore.password", "SSL_KEYSTORE_PASSWORD"),
        ("sasl.oauthbearer.client.secret", "SASL_OAUTHBEARER_CLIENT_SECRET"),
        ("sasl.oauthbearer.client.credentials.client.secret", "SASL_OAUTHBEARER_CLIENT_CREDENTIALS_CLIENT_SECRET"),
    ] {
        let found = findings(&format!("kafka: {{ client: {{ {option}: canary }} }}"));
        let wanted = [
            format!("kafka.client.{option}: a secret must not stand in a file"),
            format!("STRUCTURED_PROMPT_KAFKA__CLIENT__{variable}\n"),
        ];
        assert!(wanted.iter().all(|wanted| format!("{found}\n").contains(wanted)), "{found}");
        assert!(!found.contains("canary"), "{found}");
    }
    let variable = ("STRUCTURED_PROMPT_KAFKA__CLIENT__SSL_KEY_PASSWORD", "canary");
    let set = load_text("", &[KEYED.as_slice(), &[variable]].concat()).unwrap();
    assert_eq!(set.kafka.client["ssl.key.password"], "canary");
    assert!(load_text("kafka: { client: { sasl.username: me, ssl.key.location: /run/key.pem } }", &KEYED).is_ok());
}

#[test]
fn a_password_in_the_url_of_a_store_is_for_the_environment_only() {
    for url in [
        "postgres://me:canary@db/sp",
        "postgres://db/sp?user=me&password=canary",
        "redis://:canary@r/0",
        "rediss://me:canary@r:6380/1",
    ] {
        let found = findings(&format!("store: {{ url: '{url}' }}"));
        assert!(found.contains("store.url: a password must not stand in a file"), "{found}");
        assert!(found.contains("STRUCTURED_PROMPT_STORE__URL") && !found.contains("canary"), "{found}");
    }
    for url in ["postgres://me@db:5432/sp?sslmode=require", "postgres://db/sp", "redis://r:6379/0", "sqlite://a:b@c.db"]
    {
        assert!(load_text(&format!("store: {{ url: '{url}' }}"), &KEYED).is_ok(), "{url}");
    }
}
