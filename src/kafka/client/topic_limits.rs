//! What the topics take. A dead letter holds its whole original, and so does a result for review: their topics have to
//! take what the sources take. An outcome that is larger than its topic's limit is better sent without company.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaResult;
use tokio::runtime::Handle;

use super::configuration;
use crate::kafka::settings::{KafkaSettings, TopicSettings};
use crate::kafka::status::{OutputLimits, TopicLimits};

const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest batch, and so the largest record, that a topic takes.
const LIMIT: &str = "max.message.bytes";

/// Asks the cluster.
pub(super) fn read(settings: &KafkaSettings, topics: &TopicSettings, runtime: &Handle) -> TopicLimits {
    let (letters, reviews) = (&*topics.dead_letter_topic, topics.review_topic.as_deref());
    let sources: Vec<&str> = topics.source_topics.iter().map(|topic| &**topic).collect();
    let outputs = topics.outputs().map(|topic| &**topic);
    let names: Vec<&str> = sources.iter().copied().chain(outputs).collect();
    let limits = limits_of(settings, &names, runtime).unwrap_or_else(|error| {
        tracing::debug!(%error, "the topics' limits cannot be read");
        HashMap::new()
    });
    let limit = |topic: &str| limits.get(topic).copied();
    let mismatch = judge(&sources, letters, "a dead letter", &limits)
        .or_else(|| judge(&sources, reviews?, "a result for review", &limits));
    let (results, dead_letters) =
        (topics.result_topics().iter().filter_map(|topic| limit(topic)).min(), limit(letters));
    TopicLimits { outputs: OutputLimits { results, reviews: reviews.and_then(limit), dead_letters }, mismatch }
}

/// What is wrong with a topic whose records hold their originals.
fn judge(sources: &[&str], topic: &str, what: &str, limits: &HashMap<String, usize>) -> Option<String> {
    let room = *limits.get(topic)?;
    let larger = sources.iter().filter_map(|name| Some((*name, *limits.get(*name)?))).find(|(_, limit)| *limit > room);
    larger.map(|(source, limit)| {
        format!(
            "topic {topic} takes {room} bytes, and {source} up to {limit}: {what} could not hold its original; \
             raise {LIMIT} of {topic}"
        )
    })
}

fn limits_of(settings: &KafkaSettings, names: &[&str], runtime: &Handle) -> KafkaResult<HashMap<String, usize>> {
    let admin: AdminClient<DefaultClientContext> = configuration::admin(settings)?;
    let topics: Vec<ResourceSpecifier<'_>> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    // Any broker knows. The controller, which is asked otherwise, may be none of the brokers that are named to clients,
    // as in the embedded cluster: the question would wait for it.
    let metadata = admin.inner().fetch_metadata(names.first().copied(), TIMEOUT)?;
    let known = metadata.brokers().iter().map(|broker| broker.id());
    let broker = Some(metadata.orig_broker_id()).into_iter().chain(known).find(|id| *id >= 0);
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT)).broker_id(broker);
    let described = runtime.block_on(admin.describe_configs(&topics, &options))?;
    // In the order of the question.
    let limits = names.iter().zip(described).filter_map(|(name, topic)| {
        let topic = topic.ok()?;
        let value = topic.get(LIMIT)?.value.as_deref()?.parse().ok()?;
        Some(((*name).to_owned(), value))
    });
    Ok(limits.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_to_have_the_room_of_the_largest_source() {
        let limits = |of: &[(&str, usize)]| of.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
        let sources = ["a", "b"];
        let judge = |of: &[(&str, usize)]| judge(&sources, "dlq", "a dead letter", &limits(of));
        assert_eq!(judge(&[("a", 10), ("b", 10), ("dlq", 10)]), None);
        assert!(judge(&[("a", 10), ("b", 11), ("dlq", 10)]).is_some_and(|why| why.contains("b up to 11")));
        assert_eq!(judge(&[("a", 10), ("b", 11)]), None, "nobody knows");
    }
}
