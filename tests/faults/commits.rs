//! What a group's coordinator has on record: every offset that it took, in order.

use std::collections::HashMap;

use super::oracle::{self, Isolation};
use super::proxy::{int, short};
use super::service::Topics;

/// The coordinators' log.
const LOG: &str = "__consumer_offsets";

/// How often an offset of the group went back: somebody committed for a partition that another had taken on.
pub fn steps_back(topics: &Topics) -> usize {
    let mut last = HashMap::new();
    let mut steps = 0;
    for seen in oracle::read(LOG, Isolation::Committed) {
        let (Some(key), Some(value)) = (seen.record.key, seen.record.value) else { continue };
        let Some((group, topic, partition)) = partition_of(&key) else { continue };
        if group == topics.group && topic == topics.source {
            // After the version.
            let offset = value.get(2..10).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes);
            let before = last.insert(partition, offset).unwrap_or(0);
            steps += usize::from(offset < before);
        }
    }
    steps
}

/// Group, topic and partition of an entry about an offset; there are other entries.
fn partition_of(key: &[u8]) -> Option<(String, String, i32)> {
    let mut at = 2;
    let mut text = || {
        let length = usize::try_from(short(key, at)).ok()?;
        let bytes = key.get(at + 2..at + 2 + length)?;
        at += 2 + length;
        String::from_utf8(bytes.to_vec()).ok()
    };
    let (group, topic) = (text()?, text()?);
    matches!(short(key, 0), 0 | 1).then(|| (group, topic, int(key, at)))
}
