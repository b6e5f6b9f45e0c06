//! Do the topics fit each other? A dead letter holds its whole original, so its topic has to take what the sources take.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaResult;
use tokio::runtime::Handle;

use super::client;
use super::settings::{KafkaSettings, RouteSettings};

const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest batch, and so the largest record, that a topic takes.
const LIMIT: &str = "max.message.bytes";

/// What does not fit, in a sentence. `None` also where the cluster does not tell: reading a topic's configuration may not be allowed.
pub(super) fn mismatch(settings: &KafkaSettings, route: &RouteSettings, runtime: &Handle) -> Option<String> {
    let letters = &*route.dead_letter_topic;
    let names: Vec<&str> = route.source_topics.iter().map(|topic| &**topic).chain([letters]).collect();
    match read(settings, &names, runtime) {
        Ok(limits) => judge(&names, letters, &limits),
        Err(error) => {
            tracing::debug!(%error, "the topics' limits cannot be read");
            None
        }
    }
}

fn judge(names: &[&str], letters: &str, limits: &HashMap<String, u64>) -> Option<String> {
    let room = *limits.get(letters)?;
    let larger = names.iter().filter_map(|name| Some((*name, *limits.get(*name)?))).find(|(_, limit)| *limit > room);
    larger.map(|(source, limit)| {
        format!(
            "topic {letters} takes {room} bytes, and {source} up to {limit}: a dead letter could not hold its original; \
             raise {LIMIT} of {letters}"
        )
    })
}

fn read(settings: &KafkaSettings, names: &[&str], runtime: &Handle) -> KafkaResult<HashMap<String, u64>> {
    let admin: AdminClient<DefaultClientContext> = client::admin(settings)?;
    let topics: Vec<ResourceSpecifier<'_>> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
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
        let limits = |of: &[(&str, u64)]| of.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
        let names = ["a", "b", "dlq"];
        let judge = |of: &[(&str, u64)]| judge(&names, "dlq", &limits(of));
        assert_eq!(judge(&[("a", 10), ("b", 10), ("dlq", 10)]), None);
        assert!(judge(&[("a", 10), ("b", 11), ("dlq", 10)]).is_some_and(|why| why.contains("b up to 11")));
        assert_eq!(judge(&[("a", 10), ("b", 11)]), None, "nobody knows");
    }
}
