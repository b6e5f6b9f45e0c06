//! Recorded exchanges.

use std::path::Path;

use structured_prompt::domain::failure::Code;
use structured_prompt::llm;
use structured_prompt::llm::exchange_counts::{ExchangeCounts, Exchanges};
use structured_prompt::llm::settings::Cassettes;
use structured_prompt::ports::model::Call;

use super::stub_provider::{Fault, Script, StubProvider, When, Wire};
use super::{KEY, call, provider, settings, spec};

#[tokio::test]
async fn what_was_recorded_is_replayed_without_a_call_and_without_a_key() {
    for wire in Wire::ALL {
        let directory = tempfile::tempdir().unwrap();
        let tapes = directory.path().join("tapes");
        let stub = StubProvider::start(Script::default().fault(When::Call(1), Fault::Error(429)));
        let spec = spec();
        let recorder = llm::build(&provider(settings(wire, &stub)), &Cassettes::Record(tapes.clone()), None).unwrap();
        let limited = recorder.ask(&call(&spec)).await.unwrap_err();
        let first = recorder.ask(&call(&spec)).await.unwrap();
        let second = recorder.ask(&call(&spec)).await.unwrap();
        assert_ne!(first.text, second.text, "the stub salts each answer");

        let files: Vec<_> = std::fs::read_dir(&tapes).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 3);
        for file in &files {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(!text.contains(KEY) && !text.contains("req_stub\""), "a key or a header was recorded: {text}");
        }

        let keyless =
            structured_prompt::llm::settings::RemoteSettings { api_keys: Vec::new(), ..settings(wire, &stub) };
        let replay = llm::build(&provider(keyless), &Cassettes::Replay(tapes), None).unwrap();
        let calls = stub.calls();
        assert_eq!(replay.ask(&call(&spec)).await.unwrap_err().failure.code, limited.failure.code);
        for wanted in [&first.text, &second.text, &second.text] {
            assert_eq!(replay.ask(&call(&spec)).await.unwrap().text, *wanted, "after the last, the last again");
        }
        let unknown = replay.ask(&Call { prompt: "never asked", ..call(&spec) }).await.unwrap_err();
        assert_eq!((unknown.failure.code, unknown.is_transient), (Code::NotRecorded, false));
        assert!(unknown.failure.detail.contains(".json is not there"), "{}", unknown.failure.detail);
        assert_eq!(stub.calls(), calls, "nothing was sent");
    }
}

#[tokio::test]
async fn a_key_that_is_quoted_is_not_recorded_and_a_pause_is() {
    let directory = tempfile::tempdir().unwrap();
    let body = format!("{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}\"}}}}");
    let (date, reset) = ("Wed, 21 Oct 2015 07:28:00 GMT", "2015-10-21T07:28:20Z");
    let limited = Fault::Status { status: 429, body, headers: Vec::new() }
        .with("date", date)
        .with("anthropic-ratelimit-requests-remaining", "0")
        .with("anthropic-ratelimit-requests-reset", reset);
    let stub = StubProvider::start(Script::default().fault(When::Every(1), limited));
    let spec = spec();
    let mut pauses = Vec::new();
    for cassettes in [Cassettes::Record(directory.path().into()), Cassettes::Replay(directory.path().into())] {
        let model = llm::build(&provider(settings(Wire::Anthropic, &stub)), &cassettes, None).unwrap();
        pauses.push(model.ask(&call(&spec)).await.unwrap_err().failure.retry_after);
    }
    assert_eq!(pauses, [Some(std::time::Duration::from_secs(20)); 2]);
    let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("provided: ***") && !text.contains(KEY), "{text}");
}

#[tokio::test]
async fn what_is_not_recorded_yet_is_asked_for_once_and_what_passes_is_not_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let stub = StubProvider::start(Script::default().fault(When::Call(1), Fault::Error(429)));
    let spec = spec();
    let model = || {
        let counts = ExchangeCounts::default();
        let cassettes = Cassettes::RecordMissing { directory: directory.path().into(), counts: counts.clone() };
        (llm::build(&provider(settings(Wire::OpenAi, &stub)), &cassettes, None).unwrap(), counts)
    };
    let (first, counts) = model();
    assert_eq!(first.ask(&call(&spec)).await.unwrap_err().failure.code, Code::ProviderRateLimited);
    let answers = [first.ask(&call(&spec)).await.unwrap().text, first.ask(&call(&spec)).await.unwrap().text];
    assert_ne!(answers[0], answers[1], "the stub salts each answer");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "a pause is no answer");
    assert_eq!(counts.get(), Exchanges { replayed: 0, sent: 3, recorded: 2 });

    let ((again, counts), calls) = (model(), stub.calls());
    for wanted in &answers {
        assert_eq!(again.ask(&call(&spec)).await.unwrap().text, *wanted);
    }
    assert_eq!(stub.calls(), calls, "nothing was sent");
    again.ask(&call(&spec)).await.unwrap();
    again.ask(&Call { prompt: "never asked", ..call(&spec) }).await.unwrap();
    assert_eq!(stub.calls(), calls + 2);
    assert_eq!(counts.get(), Exchanges { replayed: 2, sent: 2, recorded: 2 });
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 4);
}

#[test]
fn a_replay_needs_its_directory() {
    let stub = StubProvider::start(Script::default());
    let nowhere = Cassettes::Replay("no/such/directory".into());
    let error = llm::build(&provider(settings(Wire::OpenAi, &stub)), &nowhere, None).err().unwrap();
    assert!(error.to_string().contains("llm.replay: no/such/directory is not a directory"), "{error}");
}

/// The commands of docs/providers.md, as printed: the second one asks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_tried_again_from_its_recordings() {
    const CONNECTOR: &str = "name: reviews
source: { kafka: { topics: [reviews] } }
prompt: { inline: 'What is said? {{ data.text }}' }
schema: { inline: { type: object, required: [intent], properties: { intent: { type: string } } } }
sink: { kafka: { topic: reviews.structured } }
dead_letter: { kafka: { topic: reviews.dlq } }
";
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md")).unwrap();
    let (_, section) = page.split_once("\n## Recorded exchanges\n").expect("the section");
    let (_, rest) = section.split_once("\n```sh\n").expect("the commands");
    let (commands, _) = rest.split_once("\n```\n").expect("their end");
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("connectors")).unwrap();
    std::fs::write(directory.path().join("connectors/reviews.yaml"), CONNECTOR).unwrap();
    let event = |n: u32| {
        let data = serde_json::json!({ "text": format!("review {n}") });
        let (specversion, source, kind, id) = ("1.0", "/shop", "review", format!("r-{n}"));
        serde_json::json!({ "specversion": specversion, "id": id, "source": source, "type": kind, "data": data })
            .to_string()
    };
    std::fs::write(directory.path().join("events.jsonl"), [event(1), event(2)].join("\n")).unwrap();

    let stub = StubProvider::start(Script::default());
    let runtime = format!("providers: {{ gemini: {{ base_url: '{}' }} }}\n", stub.root_url());
    std::fs::write(directory.path().join("structured-prompt.yaml"), runtime).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_structured-prompt"));
    let output = std::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c"])
        .arg(format!("structured-prompt() {{ \"$BINARY\" \"$@\"; }}\n{commands}"))
        .current_dir(directory.path())
        .env("BINARY", binary)
        .env("GEMINI_API_KEY", KEY)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(stub.calls(), 2, "{out}\n{err}");
    // The events lie in several partitions, so their order differs.
    let mut answers: Vec<_> = out.lines().filter(|line| line.contains("→ intent text salt")).collect();
    answers.sort_unstable();
    answers.dedup();
    assert_eq!(answers.len(), 2, "{out}\n{err}");
    assert_eq!(out.matches("→ intent text salt").count(), 4, "{out}\n{err}");
}
