//! `structured-prompt cache warm`.

use std::path::Path;
use std::process::{Command, Output};

use super::process::keys;
use super::servers::Redis;

const REQUESTS: &str = r#"
{"prompt": "Invoice 4711 of ACME, total 12.50 EUR", "schema_id": "invoice", "options": {"cache_tag": "spring"}}
{"prompt": "Where is my parcel?", "schema_id": "support-intent"}

{"prompt": "x", "shema_id": "invoice"}
not JSON
"#;

fn warm(directory: &Path, redis: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    command.args(["cache", "warm", "requests.jsonl", "--config", "c.yaml"]).current_dir(directory).env_clear();
    command.envs(redis.map(|url| ("STRUCTURED_PROMPT_CACHE__REDIS_URL", url))).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_requests_is_answered_once_and_what_is_wrong_is_said_by_line() {
    let server = Redis::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("requests.jsonl"), REQUESTS).unwrap();
    std::fs::write(directory.path().join("c.yaml"), "routing: { fallback: [offline] }").unwrap();
    for said in ["2 new answers, 0 remembered before, 2 without", "0 new answers, 2 remembered before, 2 without"] {
        let output = warm(directory.path(), Some(&server.url()));
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(text(&output.stdout).starts_with(said), "{}", text(&output.stdout));
        assert!(errors.contains("line 5: invalid_request"), "{errors}");
        assert_eq!(errors.matches("shema_id").count(), 1, "what is wrong is said once: {errors}");
        assert!(errors.contains("line 6: "), "{errors}");
    }
    let names: Vec<_> = keys(&server.url()).await.into_iter().map(|key| text(&key).to_owned()).collect();
    assert!(names.len() == 2 && names.iter().any(|name| name.contains(":default:spring:invoice:")), "{names:?}");
}

#[test]
fn without_a_shared_cache_nothing_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("requests.jsonl"), REQUESTS).unwrap();
    std::fs::write(directory.path().join("c.yaml"), "routing: { fallback: [offline] }").unwrap();
    let output = warm(directory.path(), None);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cache.redis_url"), "{}", text(&output.stderr));
    let output = warm(directory.path(), Some("redis://127.0.0.1:9"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("127.0.0.1:9"), "{}", text(&output.stderr));
}
