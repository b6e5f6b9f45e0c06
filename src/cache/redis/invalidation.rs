//! Answers that a user wants forgotten: removed from the server, and told to all processes.

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};

use super::keys::{self, CHANNEL};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;

/// Goes up when a message means something else.
const VERSION: u32 = 1;
/// Keys that the server looks at in one step, in some hundred microseconds: it answers others between the steps.
const SCAN_COUNT: usize = 1000;

/// Which answers are to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalidation {
    pub(super) tenant: Tenant,
    pub(super) pattern: NamePattern,
}

#[derive(Serialize, Deserialize)]
struct Message {
    version: u32,
    organization: String,
    team: String,
    pattern: String,
}

impl Invalidation {
    /// Reads a message; `None` if it is none of this version.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let Message { version, organization, team, pattern } = serde_json::from_slice(message).ok()?;
        let tenant = Tenant::new(&organization, &team).ok().filter(|_| version == VERSION)?;
        Some(Self { tenant, pattern: NamePattern::new(pattern) })
    }

    fn message(&self) -> Vec<u8> {
        let message = Message {
            version: VERSION,
            organization: self.tenant.organization().to_owned(),
            team: self.tenant.team().to_owned(),
            pattern: self.pattern.as_str().to_owned(),
        };
        // JSON of strings cannot fail.
        serde_json::to_vec(&message).unwrap_or_default()
    }

    /// Removes the answers from the server, calls `on_removed` for each, and tells all processes.
    ///
    /// In this order: a process that forgot an answer before it was removed here would find it again.
    pub(super) async fn carry_out(
        &self,
        connection: &mut MultiplexedConnection,
        mut on_removed: impl FnMut(&Fingerprint),
    ) -> RedisResult<()> {
        let (tenant, pattern) = (&self.tenant, &self.pattern);
        let all = keys::all_of(tenant);
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&all).arg("COUNT").arg(SCAN_COUNT);
            let (next, found): (u64, Vec<Vec<u8>>) = scan.query_async(connection).await?;
            let named: Vec<_> = found
                .into_iter()
                .filter_map(|text| keys::parse(&text).map(|key| (text, key)))
                .filter(|(_, key)| key.names.matches(tenant, pattern))
                .collect();
            if !named.is_empty() {
                let mut unlink = redis::pipe();
                for (text, _) in &named {
                    unlink.cmd("UNLINK").arg(text);
                }
                let removed: Vec<u64> = unlink.query_async(connection).await?;
                // A scan may show a key twice; the second time it is not there any more.
                let removed = named.iter().zip(removed).filter(|(_, count)| *count > 0);
                removed.for_each(|((_, key), _)| on_removed(&key.question));
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        redis::cmd("PUBLISH").arg(CHANNEL).arg(self.message()).exec_async(connection).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_again_and_others_are_not() {
        let tenant = Tenant::new("acme", "sales").unwrap();
        let invalidation = Invalidation { tenant, pattern: NamePattern::new("invoice_*") };
        let message = String::from_utf8(invalidation.message()).unwrap();
        assert_eq!(Invalidation::read(message.as_bytes()), Some(invalidation));
        for other in ["", "{}", &message.replace("\"version\":1", "\"version\":2"), &message.replace("acme", "a/b")] {
            assert_eq!(Invalidation::read(other.as_bytes()), None, "{other}");
        }
    }
}
