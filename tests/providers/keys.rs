//! Several keys of one provider.

use structured_prompt::domain::failure::Code;
use structured_prompt::domain::secret::Secret;
use structured_prompt::llm;
use structured_prompt::llm::settings::{Cassettes, RemoteSettings};

use super::stub_provider::{Fault, Script, StubProvider, Wire};
use super::{call, model, provider, settings, spec};

fn with_keys(wire: Wire, stub: &StubProvider, keys: &[&str]) -> RemoteSettings {
    RemoteSettings { api_keys: keys.iter().map(|key| Secret::new(*key).into()).collect(), ..settings(wire, stub) }
}

#[tokio::test]
async fn keys_take_turns_and_one_that_fails_for_its_own_reason_rests() {
    for wire in Wire::ALL {
        for fault in [Fault::Error(401), Fault::Error(429), Fault::Error(402)] {
            let stub = StubProvider::start(Script { keys: vec![("bad", fault.clone())], ..Script::default() });
            let (model, spec) = (model(with_keys(wire, &stub, &["a", "bad", "c"])), spec());
            for _ in 0..5 {
                model.ask(&call(&spec)).await.unwrap();
            }
            assert_eq!(stub.keys(), ["a", "bad", "c", "a", "c", "a"], "{wire:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_failure_of_the_server_is_not_held_against_a_key() {
    let stub = StubProvider::start(Script { keys: vec![("a", Fault::Error(500))], ..Script::default() });
    let (model, spec) = (model(with_keys(Wire::OpenAi, &stub, &["a", "b"])), spec());
    let outcomes = [model.ask(&call(&spec)).await.is_ok(), model.ask(&call(&spec)).await.is_ok()];
    assert_eq!(outcomes, [false, true]);
    assert!(model.ask(&call(&spec)).await.is_err());
    assert_eq!(stub.keys(), ["a", "b", "a"]);
}

#[tokio::test]
async fn a_model_that_is_not_known_makes_no_key_rest() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script { keys: vec![("a", Fault::Error(404))], ..Script::default() });
        let (model, spec) = (model(with_keys(wire, &stub, &["a", "b"])), spec());
        let outcomes = [model.ask(&call(&spec)).await.is_ok(), model.ask(&call(&spec)).await.is_ok()];
        assert_eq!(outcomes, [false, true], "{wire:?}");
        assert!(model.ask(&call(&spec)).await.is_err());
        assert_eq!(stub.keys(), ["a", "b", "a"], "{wire:?}");
    }
}

#[tokio::test]
async fn when_no_key_is_left_the_failure_says_for_how_long() {
    let spent = vec![("a", Fault::Error(402)), ("b", Fault::Error(401))];
    let stub = StubProvider::start(Script { keys: spent, ..Script::default() });
    let (model, spec) = (model(with_keys(Wire::Anthropic, &stub, &["a", "b"])), spec());
    let error = model.ask(&call(&spec)).await.unwrap_err();
    assert_eq!((error.failure.code, error.is_transient), (Code::ProviderUnauthorized, false));
    let pause = error.failure.retry_after.unwrap().as_secs();
    assert!((14 * 60..=15 * 60).contains(&pause), "{pause}");
    assert_eq!(stub.calls(), 2);
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let stub = StubProvider::start(Script::default());
    for wire in Wire::ALL {
        for (base_url, key) in
            [("api.openai.com/v1", "k"), ("https://me:canary@host/v1", "k"), ("http://host/v1", "canary\n")]
        {
            let remote = RemoteSettings { base_url: base_url.to_owned(), ..with_keys(wire, &stub, &[key]) };
            let text = llm::build(&provider(remote), &Cassettes::Off, None).err().unwrap().to_string();
            assert!(text.starts_with("provider \"prov\": ") && !text.contains("canary"), "{text}");
        }
    }
}
