use proptest::prelude::*;

use super::*;

fn attempt(step: LadderStep, error: Option<Code>) -> Attempt {
    Attempt {
        step,
        provider: "gpt".into(),
        model: "gpt-4.1".into(),
        response_id: Some("resp-1".into()),
        usage: Usage { input_tokens: 10, output_tokens: 5, cached_tokens: 3, reasoning_tokens: 1 },
        cost_usd: 0.000_125,
        error,
        passed_over: PassedOver { reasoning: true, objects: 2 },
        times: 3,
    }
}

fn answer(data: &str) -> Answer {
    let steps = STEPS.into_iter().map(|step| attempt(step, Some(Code::ProviderTimeout)));
    Answer {
        data: data.to_owned().into(),
        provider: "gpt".into(),
        model: "gpt-4.1".into(),
        validation: Validation::Relaxed,
        factors: AnswerFactors { validation: 0.9, ladder: 0.8, provider: Some(0.7) },
        attempt_log: steps.chain([attempt(LadderStep::Ask, None)]).collect(),
        usage: Usage { input_tokens: 20, output_tokens: 10, cached_tokens: 6, reasoning_tokens: 2 },
        cost_usd: 0.25,
        quotes: Vec::new(),
        logprobs: Vec::new(),
        grounding: RememberedGrounding::default(),
        agreement: None,
    }
}

fn decode(bytes: &[u8]) -> Option<Answer> {
    Decoder::default().decode(bytes)
}

#[test]
fn an_answer_is_read_as_it_was_written_compressed_or_not() {
    let mut short = answer(r#"{"a":1.50,"b":"\u0000 é"}"#);
    short.attempt_log.clear();
    let long = answer(&format!(r#"{{"text":"{}"}}"#, "the same words again and ".repeat(200)));
    let quotes = vec![FieldQuotes { field: "/a".into(), quotes: vec!["total 1.50".into(), "1.50 €".into()] }];
    let quoted = Answer { quotes, ..short.clone() };
    let logprobs = vec![ValueLogprob { field: "/a".into(), mean: -0.0617, tokens: 3 }];
    let told = Answer { logprobs, ..short.clone() };
    let agreement = Some(Agreement::new(0.5, vec![("/b".into(), false), ("/a".into(), true)]));
    let compared = Answer { agreement, ..short.clone() };
    for (answer, packing) in [(short, PLAIN), (long, ZSTD), (quoted, PLAIN), (told, PLAIN), (compared, PLAIN)] {
        let bytes = encode(&answer).unwrap();
        assert_eq!(bytes[..2], [VERSION, packing]);
        assert_eq!(decode(&bytes), Some(answer));
    }
}

#[test]
fn answers_are_read_however_far_they_were_checked() {
    for validation in [Validation::Passed, Validation::Relaxed, Validation::Bypassed] {
        let answer = Answer { validation, ..answer("{}") };
        assert_eq!(decode(&encode(&answer).unwrap()).map(|it| it.validation), Some(validation));
    }
}

#[test]
fn a_long_answer_takes_less_than_its_data() {
    let answer = answer(&format!(r#"{{"text":"{}"}}"#, "the same words again and ".repeat(200)));
    assert!(encode(&answer).unwrap().len() < answer.data.len() / 4);
}

#[test]
fn an_answer_that_is_too_long_is_not_shared() {
    assert!(encode(&answer(&"x".repeat(MAX_UNPACKED))).is_none());
    let noise: String = (0..MAX_UNPACKED - 4096).map(|n| char::from(b'!' + (n * n % 7919 % 90) as u8)).collect();
    assert!(encode(&answer(&noise)).is_some_and(|bytes| bytes.len() <= MAX_BYTES));
}

#[test]
fn an_answer_of_the_former_version_is_read_and_a_provider_that_said_nothing_is_unknown() {
    let mut answer = answer("{}");
    answer.attempt_log.truncate(1);
    for (said, read) in [("0.7", Some(0.7)), ("1.0", None)] {
        answer.factors.provider = Some(0.7);
        let bytes = encode(&answer).unwrap();
        let facts = String::from_utf8(bytes[8..].to_vec()).unwrap();
        let (now, former) = (
            r#"{"validation":0.9,"ladder":0.8,"provider":0.7}"#,
            format!(r#"{{"score":0.5,"validation":0.9,"ladder":0.8,"provider":{said},"completeness":0.6}}"#),
        );
        assert!(facts.contains(now), "{facts}");
        let former = [&[FORMER_VERSION, PLAIN], &bytes[2..8], facts.replacen(now, &former, 1).as_bytes()].concat();
        answer.factors.provider = read;
        assert_eq!(decode(&former), Some(answer.clone()), "{said}");
    }
}

#[test]
fn another_version_another_packing_and_impossible_values_are_unreadable() {
    let mut answer = answer("{}");
    answer.attempt_log.truncate(1);
    answer.logprobs.push(ValueLogprob { field: "/a".into(), mean: -0.5, tokens: 3 });
    answer.agreement = Some(Agreement::new(0.5, Vec::new()));
    let bytes = encode(&answer).unwrap();
    assert!(decode(&bytes).is_some());
    for (index, byte) in [(0, VERSION + 1), (0, 0), (1, ZSTD), (1, 9)] {
        let mut other = bytes.clone();
        other[index] = byte;
        assert_eq!(decode(&other), None);
    }
    let facts = String::from_utf8(bytes[8..].to_vec()).unwrap();
    for (from, to) in [
        ("\"relaxed\"", "\"new\""),
        ("\"ladder\":0.8", "\"ladder\":1.5"),
        ("\"cost_usd\":0.25", "\"cost_usd\":-1.0"),
        ("[\"/a\",-0.5,3]", "[\"/a\",0.5,3]"),
        ("\"share\":0.5", "\"share\":1.5"),
        ("\"step\":\"ask\"", "\"step\":\"new\""),
        ("provider_timeout", "new_code"),
        ("\"objects\":2", "\"objects\":2,\"new\":1"),
    ] {
        assert!(facts.contains(from), "{from}");
        let other = [&bytes[..8], facts.replacen(from, to, 1).as_bytes()].concat();
        assert_eq!(decode(&other), None, "{to}");
    }
}

#[test]
fn a_small_value_that_claims_to_be_huge_takes_no_memory() {
    let mut bomb = vec![VERSION, ZSTD];
    bomb.extend_from_slice(&u32::MAX.to_le_bytes());
    bomb.extend_from_slice(&[0; 32]);
    assert_eq!(decode(&bomb), None);
    let mut plain = vec![VERSION, PLAIN];
    plain.extend_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decode(&plain), None);
}

#[test]
fn answers_share_the_names_of_providers_and_their_attempts_that_of_the_model() {
    let decoder = Decoder::default();
    let bytes = encode(&answer("{}")).unwrap();
    let [one, other] = [(); 2].map(|()| decoder.decode(&bytes).unwrap());
    assert!(Arc::ptr_eq(&one.provider, &other.provider));
    assert!(one.attempt_log.iter().all(|it| Arc::ptr_eq(&it.provider, &one.provider)));
    assert!(one.attempt_log.iter().all(|it| Arc::ptr_eq(&it.model, &one.model)));
}

proptest! {
    #[test]
    fn what_is_cut_is_unreadable(cut in 0usize..1000, repeat in 0usize..200) {
        let bytes = encode(&answer(&format!("{{\"a\":\"{}\"}}", "words and ".repeat(repeat)))).unwrap();
        prop_assert_eq!(decode(&bytes[..cut.min(bytes.len() - 1)]), None);
    }

    #[test]
    fn garbage_is_unreadable_and_harms_nobody(mut bytes in prop::collection::vec(any::<u8>(), 0..200), packing in 0u8..3) {
        prop_assert_eq!(decode(&bytes), None);
        bytes.splice(..0, [VERSION, packing]);
        prop_assert_eq!(decode(&bytes), None);
    }
}
