//! What is said of a server's ways, once.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use structured_prompt::llm::settings::RemoteSettings;

use super::stub_provider::wire::schema as schema_of;
use super::stub_provider::{End, Fault, Script, StubProvider, Wire};
use super::{KEY, PROMPT, call, model, settings, spec};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_a_server_does_not_take_and_does_not_tell_is_said_once() {
    // With one subscriber in the process, whether a line is wanted at all is up to the thread that comes to it first,
    // and that may be another test's.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault_of(move |request, call| {
            if wire.parameter(request, "temperature").is_some() {
                return Some(Fault::Refuses("temperature"));
            }
            if schema_of(request).is_some() {
                return Some(Fault::Error(400));
            }
            let text = wire.response(request, "m", call, Some("{\"intent\":\"x\"}"), End::Stop);
            let mut body: serde_json::Value = serde_json::from_str(&text).unwrap();
            body[if wire == Wire::Gemini { "usageMetadata" } else { "usage" }] = json!("n/a");
            Some(Fault::Raw { content_type: "application/json", body: body.to_string() })
        }));
        let (model, spec) = (model(RemoteSettings { temperature: Some(0.0), ..settings(wire, &stub) }), spec());
        for _ in 0..5 {
            model.ask(&call(&spec)).await.unwrap();
        }
        assert_eq!(stub.calls(), 7, "{wire:?}: one without temperature, one without schema, and they are kept");
        let said = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
        for line in ["refuses a parameter", "the schema is not sent", "does not tell how many tokens"] {
            assert_eq!(said.matches(line).count(), 1, "{wire:?} {line}: {said}");
        }
        assert!(!said.contains(PROMPT) && !said.contains(KEY), "{said}");
    }
}
