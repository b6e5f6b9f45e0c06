//! The hash that results carry: two connectors that do the same have the same one, however their files are written.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::agreement::ConnectorAgreement;
use super::options::Options;
use crate::domain::json::canonical;
use crate::kafka::settings::{
    KeyFormat, ResultFormat, ResultWriting, SourceReading, Tombstones, TopicChoice, TopicSettings,
};
use crate::pipeline::agreement::AgreementSettings;
use crate::pipeline::route::settings::Strategy;
use crate::pipeline::spec::{EvidenceMode, UngroundedPolicy};

/// First 12 hexadecimal digits of the SHA-256.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes a connector as resolved: with its defaults, and with the digests of its prompt and schema. Destructured in
/// full, so that a new setting does not compile until someone decides about it.
pub(super) fn of(
    name: &str,
    topics: &TopicSettings,
    prompt: &[u8; 32],
    schema: &[u8; 32],
    options: &Options,
) -> Arc<str> {
    let TopicSettings {
        source_topics,
        group,
        // How many share the work changes no outcome.
        consumers: _,
        format,
        // See `add_later_topics`.
        reading: _,
        sink_topic,
        results: _,
        dead_letter_topic,
        review_topic: _,
        // They say how often an outcome is seen, not which it is.
        guarantee: _,
        deduplicate: _,
        ordering,
        max_in_flight,
    } = topics;
    let Options {
        provider,
        strategy,
        allow_relaxed,
        record_ceiling,
        // What a connector may spend changes when an answer comes, not which.
        budget: _,
        temperature,
        max_tokens,
        max_prompt_chars,
        patterns,
        confidence_threshold,
        on_low_confidence,
        // See `add_later_options`.
        evidence: _,
        on_ungrounded: _,
        agreement: _,
        calibration: _,
        cache_ttl,
    } = options;
    let mut document = json!({
        "name": name,
        "source": { "topics": names(source_topics), "group": group, "format": format!("{format:?}") },
        "prompt": prompt,
        "schema": schema,
        "options": {
            "provider": provider,
            "strategy": strategy.map(Strategy::as_str),
            "allow_relaxed": allow_relaxed,
            "max_record_tokens": record_ceiling.tokens,
            "max_record_cost_usd": record_ceiling.usd,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "max_prompt_chars": max_prompt_chars,
            "suspicious_input": format!("{patterns:?}"),
            "confidence_threshold": confidence_threshold,
            "on_low_confidence": format!("{on_low_confidence:?}"),
            "cache_ttl_ms": cache_ttl.map(|ttl| ttl.as_secs_f64() * 1000.0),
        },
        "delivery": { "ordering": format!("{ordering:?}"), "max_in_flight": max_in_flight },
        "sink": &**sink_topic,
        "dead_letter": &**dead_letter_topic,
    });
    add_later_options(&mut document, options);
    add_later_topics(&mut document, topics);
    Arc::from(digest(canonical(&document).as_bytes()))
}

/// Settings that came later count where they are not the default: a connector that was not changed keeps its hash, and
/// with it what it remembers.
fn add_later_options(document: &mut Value, options: &Options) {
    let Options { evidence, on_ungrounded, agreement, calibration, .. } = options;
    if *evidence != EvidenceMode::Locate {
        document["options"]["evidence"] = format!("{evidence:?}").into();
    }
    if *on_ungrounded != UngroundedPolicy::Flag {
        document["options"]["on_ungrounded"] = format!("{on_ungrounded:?}").into();
    }
    if let Some(ConnectorAgreement { provider, settings: AgreementSettings { sample, when_ungrounded } }) = agreement {
        let sample = format!("{sample:?}");
        document["options"]["agreement"] =
            json!({ "provider": provider, "sample": sample, "when_ungrounded": when_ungrounded });
    }
    if let Some(counted) = calibration {
        document["options"]["calibration"] = serde_json::to_value(&*counted.calibration).unwrap_or_default();
    }
}

/// The same of the sections about topics.
fn add_later_topics(document: &mut Value, topics: &TopicSettings) {
    let TopicSettings { reading, results, review_topic, .. } = topics;
    let SourceReading { key_format, tombstones, filter } = reading;
    let ResultWriting { format, key, topic } = results;
    if let Some(review) = review_topic {
        document["review"] = (&**review).into();
    }
    if *key_format != KeyFormat::Text {
        document["source"]["key_format"] = format!("{key_format:?}").into();
    }
    if *tombstones != Tombstones::DeadLetter {
        document["source"]["tombstones"] = format!("{tombstones:?}").into();
    }
    if let Some(filter) = filter {
        document["source"]["filter"] = filter.source().into();
    }
    if *format != ResultFormat::CloudEvents {
        document["result_format"] = format!("{format:?}").into();
    }
    if let Some(key) = key {
        document["result_key"] = key.source().into();
    }
    if let Some(TopicChoice { text, topics }) = topic.as_deref() {
        document["result_topic"] = json!({ "topic": text.source(), "topics": names(topics) });
    }
}

fn names(topics: &[Arc<str>]) -> Vec<&str> {
    topics.iter().map(|topic| &**topic).collect()
}
