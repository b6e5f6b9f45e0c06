//! Texts as people and editors write them: in any plain form, in any file.

use super::*;

/// Loads files of these bytes: `r.yaml` and whatever it names.
fn load_bytes(files: &[(&str, &[u8])], environment: &[(&str, &str)]) -> Result<RuntimeConfig, String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let prefix = format!("{}/", directory.path().display());
    let loaded = load(Some(&directory.path().join("r.yaml")), &environment.iter().copied().collect());
    loaded.map_err(|found| found.to_string().replace(&prefix, ""))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_text_without_quotes_is_what_is_written() {
    for text in [
        "0042",
        "1.10",
        "1e5",
        "0x10",
        "0o17",
        "+5",
        "true",
        "True",
        "FALSE",
        "on",
        "yes",
        "No",
        "2026-01-31",
        ".5",
        "1_000",
        ".inf",
    ] {
        let yaml = format!("kafka: {{ client: {{ client.id: {text} }} }}\nproviders: {{ gpt: {{ model: {text} }} }}\n");
        let config = load_text(&yaml, &KEYED).unwrap();
        assert_eq!(config.kafka.client["client.id"], text);
        assert_eq!(openai(&config, "gpt").model, text);
        let variables = [
            KEYED[0],
            ("STRUCTURED_PROMPT_KAFKA__CLIENT__CLIENT_ID", text),
            ("STRUCTURED_PROMPT_PROVIDERS__GPT__MODEL", text),
        ];
        let config = load_text("{}", &variables).unwrap();
        assert_eq!(config.kafka.client["client.id"], text);
        assert_eq!(openai(&config, "gpt").model, text);
    }
    let user = load_text("kafka: { client: { sasl.username: 0042 } }", &KEYED).unwrap();
    assert_eq!(user.kafka.client["sasl.username"], "0042");
    let password = [KEYED[0], ("STRUCTURED_PROMPT_KAFKA__CLIENT__SASL_PASSWORD", "0042")];
    assert_eq!(load_text("{}", &password).unwrap().kafka.client["sasl.password"], "0042");
    let flag = load_text("kafka: { client: { check.crcs: True, fetch.wait.max.ms: 0x32 } }", &KEYED);
    assert!(flag.is_ok(), "librdkafka reads the text: {flag:?}");
    assert!(findings("kafka: { client: { client.id: [x] } }").contains("found a list"));
}

#[test]
fn a_key_is_read_from_any_utf8_file() {
    let yaml: (&str, &[u8]) = ("r.yaml", b"\xef\xbb\xbfproviders:\r\n  gpt:\r\n    api_key_file: key\r\n");
    for key in [&b"\xef\xbb\xbfsk-one"[..], b"sk-one\r\n", b"\xef\xbb\xbf sk-one \n\n", b"sk-one"] {
        let config = load_bytes(&[yaml, ("key", key)], &[]).unwrap();
        assert_eq!(openai(&config, "gpt").api_keys[0].get().expose(), "sk-one");
    }
    let marked = load_text("{}", &[("OPENAI_API_KEY", "\u{feff}sk-one\n")]).unwrap();
    assert_eq!(openai(&marked, "gpt").api_keys[0].get().expose(), "sk-one");
    for (key, message) in [
        (utf16("\u{feff}sk-one"), "key is no text: it is UTF-16, and only UTF-8 is read"),
        (b"sk-\xe9".to_vec(), "key is no text: line 1, column 4 is not UTF-8"),
        (b"sk-one\n\0".to_vec(), "key is no text: line 2, column 1 is a zero byte"),
        (b"\xef\xbb\xbf\n".to_vec(), "key is empty"),
    ] {
        let found = load_bytes(&[yaml, ("key", &key)], &[]).unwrap_err();
        assert!(found.contains(message) && !found.contains("sk-"), "{found}");
    }
}

#[test]
fn a_configuration_in_another_encoding_is_named_as_that() {
    for (text, message) in [
        (utf16("\u{feff}kafka: {}\n"), "it is UTF-16"),
        (utf16("kafka: {}\n"), "it is UTF-16"),
        (b"kafka: {}\nlog: { filter: \"\xe9\" }\n".to_vec(), "line 2, column 17 is not UTF-8"),
        (b"kafka: {}\0\n".to_vec(), "line 1, column 10 is a zero byte"),
    ] {
        let found = load_bytes(&[("r.yaml", &text)], &KEYED).unwrap_err();
        assert!(found.contains(message) && found.contains("save it as UTF-8"), "{found}");
    }
}

#[test]
fn a_secret_of_the_brokers_may_stand_in_a_file() {
    use crate::file_watch::FromFiles as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    fs::write(&path, "canary-1\n").unwrap();
    let file = path.to_str().unwrap();
    let in_yaml = format!("kafka: {{ client: {{ sasl.password.file: '{file}' }} }}");
    let variable = ("STRUCTURED_PROMPT_KAFKA__CLIENT__SASL_PASSWORD_FILE", file);
    let both = [KEYED[0], variable, ("STRUCTURED_PROMPT_KAFKA__CLIENT__SASL_PASSWORD", "canary-2")];
    for config in [load_text(&in_yaml, &KEYED), load_text("", &both)] {
        let config = config.unwrap();
        let secret = &config.kafka.secrets["sasl.password"];
        assert!(config.kafka.client.is_empty() && !format!("{config:?}").contains("canary"));
        assert_eq!(secret.get().expose(), "canary-1");
        secret.take(Ok(vec![b"canary-3".to_vec()]));
        assert_eq!(secret.get().expose(), "canary-3");
    }
    let found = findings("kafka: { client: { sasl.username.file: x } }");
    assert!(found.contains("librdkafka has no such option"), "{found}");
}
