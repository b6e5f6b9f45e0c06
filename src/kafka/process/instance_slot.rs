//! A consumer's place among those on its machine that run the same connector: its `transactional.id`, and files of its
//! own.
//!
//! The id must be the same after a restart: then the new producer ends at once what the one before left open, and
//! readers of committed records need not wait for that transaction's timeout. And no two that live may share it: the
//! newer one fences the older. So each consumer takes the lowest number that nobody holds; the operating system frees
//! it, however its process ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::kafka::settings::{GROUP_INSTANCE_ID, KafkaSettings};

/// Consumers on one machine that may run the same connector with stable places.
const PLACES: usize = 256;

/// A place; free again when dropped.
#[derive(Debug)]
pub(crate) struct InstanceSlot {
    transactional_id: String,
    /// Begins the names of the files of all places.
    prefix: PathBuf,
    /// Held locked.
    file: Option<File>,
}

/// What the `transactional.id` of each place begins with. Whoever gives permissions names it.
pub(crate) fn id_prefix(group: &str, connector: &str) -> String {
    format!("structured-prompt-{group}-{connector}-")
}

impl InstanceSlot {
    /// Takes a place for a connector of a group. `directory` holds the files.
    pub(crate) fn take(settings: &KafkaSettings, group: &str, connector: &str, directory: &Path) -> Self {
        let id = |place: &str| format!("{}{place}", id_prefix(group, connector));
        let brokers = settings.brokers.join(",");
        let prefix = directory.join(format!("structured-prompt-{}", digest(&[&brokers, group, connector])));
        let locked = |place: &str| lock(&with_suffix(&prefix, &format!("-{place}.lock")));
        // The user answers for the name being unique.
        if let Some(name) = settings.client.get(GROUP_INSTANCE_ID) {
            let file = locked(&digest(&[name]));
            return Self { transactional_id: id(name), prefix, file };
        }
        let host = gethostname::gethostname();
        let host = host.to_string_lossy();
        for place in 0..PLACES {
            if let Some(file) = locked(&place.to_string()) {
                return Self { transactional_id: id(&format!("{host}-{place}")), prefix, file: Some(file) };
            }
        }
        // Without a lock no place is ours for sure. A name that nobody has is right, too; readers wait longer after a
        // crash.
        let place = format!("{host}-{:016x}", fastrand::u64(..));
        tracing::info!(
            connector,
            "no file can be locked in {}: a transactional.id is random, and records that abort the process are not found out",
            directory.display()
        );
        Self { transactional_id: id(&place), prefix, file: None }
    }

    /// The `transactional.id` of this place.
    pub(crate) fn transactional_id(&self) -> &str {
        &self.transactional_id
    }

    /// A file that only the process in this place writes to; what the one before it has written is there.
    pub(crate) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// Where all places on this machine write down records on which processes died.
    pub(crate) fn deaths(&self) -> PathBuf {
        with_suffix(&self.prefix, ".deaths")
    }
}

fn digest(parts: &[&str]) -> String {
    Sha256::digest(parts.join("\n")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The file, if nobody else has it locked. One of another user's process cannot be opened, and its place is not ours.
fn lock(path: &Path) -> Option<File> {
    let file = open(path).ok()?;
    file.try_lock().is_ok().then_some(file)
}

/// A file that is there or made, for this user only: the directory may be everybody's.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(client: &[(&str, &str)]) -> KafkaSettings {
        let client: BTreeMap<_, _> =
            client.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        KafkaSettings { brokers: vec!["127.0.0.1:9092".to_owned()], client, ..KafkaSettings::default() }
    }

    #[test]
    fn who_lives_has_a_place_of_its_own_and_who_comes_back_has_the_former() {
        let directory = tempfile::tempdir().unwrap();
        let take = |group| InstanceSlot::take(&settings(&[]), group, "triage", directory.path());
        let (first, second) = (take("g"), take("g"));
        assert!(first.transactional_id().starts_with("structured-prompt-g-triage-"));
        assert_ne!(first.transactional_id(), second.transactional_id());
        assert_eq!(take("h").transactional_id().rsplit('-').next(), Some("0"), "another group has its own places");
        let former = first.transactional_id().to_owned();
        drop(first);
        assert_eq!(take("g").transactional_id(), former);
    }

    #[test]
    fn a_named_instance_has_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let slot = InstanceSlot::take(&settings(&[(GROUP_INSTANCE_ID, "worker-7")]), "g", "triage", directory.path());
        assert_eq!(slot.transactional_id(), "structured-prompt-g-triage-worker-7");
    }

    #[test]
    fn without_a_place_for_locks_the_id_is_unique() {
        let take = || InstanceSlot::take(&settings(&[]), "g", "triage", Path::new("/nowhere/at/all"));
        assert_ne!(take().transactional_id(), take().transactional_id());
    }
}
