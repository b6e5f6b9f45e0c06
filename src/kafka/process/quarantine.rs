//! Records that abort the process.
//!
//! A stage that panics costs its record and no other, but nothing in a process catches its own abortion: a stack or a
//! memory that does not suffice, a defect in a C library. The record would be read again after the restart, and abort
//! again, for ever. So a process notes in a file that it runs, and who comes next finds out whether it ended by itself.
//! If not, this one is careful: each thread notes on which record it works before it begins. The record on which three
//! careful processes have died, one after the other, becomes a dead letter unread, having cost four processes in all.
//!
//! What a record waits for (a provider, the broker) is no work: a process that is killed meanwhile blames nobody.
//! Whoever is killed from outside while it works, for the memory of all its records say, blames the one at hand. Read
//! again from the same offset and killed again as soon, it may meet the same record a second time. A record that
//! aborts has every process die on it, so one death elsewhere clears its name.
//! Carefulness costs some percent of throughput, and ends after a while: what aborted the process before is among the
//! first records that are read.

use std::cell::Cell as Flag;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::instance_slot::{self, InstanceSlot};
use crate::domain::failure::{Code, Failure};
use crate::domain::record::Position;

/// Careful processes that die on a record, one after the other, until it is quarantined. Two can be by chance.
const MAX_DEATHS: u32 = 3;
/// How long a process is careful.
const CAREFUL: Duration = Duration::from_secs(600);
/// Records that are remembered to have had a process die on them.
const MAX_REMEMBERED: usize = 1000;
/// Threads that have a place of their own in the file. With more, a death may be missed.
const CELLS: u64 = 64;
/// A topic's digest, a partition and an offset, big-endian; zeros where nobody works.
const CELL: usize = 20;
type TopicDigest = [u8; 8];
/// Before the cells there is one byte: whether the process runs.
const FIRST_CELL: u64 = 1;
const ENDED: u8 = 0;
const RUNS: u8 = 1;

static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static CELL_OF_THREAD: u64 = FIRST_CELL + THREADS.fetch_add(1, Ordering::Relaxed) % CELLS * CELL as u64;
    /// Whether it has a note in its cell.
    static IS_NOTED: Flag<bool> = const { Flag::new(false) };
}

/// What one connector's threads work on, and what processes died of.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    topics: Vec<(Arc<str>, TopicDigest)>,
    /// `None` where no file can be had: then nothing is quarantined.
    file: Option<File>,
    deaths: PathBuf,
    careful_until: Option<Instant>,
}

impl Quarantine {
    /// Reads how the process that had this place before ended.
    pub(crate) fn open(slot: &InstanceSlot, topics: &[Arc<str>], connector: &str) -> Self {
        let topics = topics.iter().map(|topic| (Arc::clone(topic), digest(topic))).collect();
        let file = slot.file().and_then(|file| file.try_clone().ok());
        let mut quarantine = Self { topics, file, deaths: slot.deaths(), careful_until: None };
        match quarantine.take_over(connector) {
            Ok(true) => {}
            Ok(false) => {
                tracing::info!(
                    connector,
                    careful_s = CAREFUL.as_secs(),
                    "the process before this one did not end by itself"
                );
                quarantine.careful_until = Some(Instant::now() + CAREFUL);
            }
            Err(error) => {
                tracing::info!(connector, %error, "records that abort the process are not found out: its file cannot be used");
                quarantine.file = None;
            }
        }
        quarantine
    }

    /// Notes that this thread begins to work on a record.
    pub(crate) fn working_on(&self, position: &Position) {
        if self.careful_until.is_none_or(|until| Instant::now() >= until) {
            return;
        }
        let Some((_, topic)) = self.topics.iter().find(|(topic, _)| *topic == position.topic) else { return };
        let mut cell = [0; CELL];
        cell[..8].copy_from_slice(topic);
        cell[8..12].copy_from_slice(&position.partition.to_be_bytes());
        cell[12..].copy_from_slice(&position.offset.to_be_bytes());
        self.write(&cell);
        IS_NOTED.set(true);
    }

    /// Notes that this thread works on nothing.
    pub(crate) fn idle(&self) {
        if IS_NOTED.replace(false) {
            self.write(&[0; CELL]);
        }
    }

    /// Does the work; whoever polls it works on the record.
    pub(crate) async fn watch<T>(self: Arc<Self>, position: Position, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            self.working_on(&position);
            let polled = work.as_mut().poll(context);
            self.idle();
            polled
        })
        .await
    }

    /// The process ends by itself. Not left to a destructor: a task may hold this until after the process's end.
    pub(crate) fn ended(&self) {
        if let Some(file) = &self.file {
            drop(file.write_all_at(&[ENDED], 0));
        }
    }

    /// The records that become dead letters unread, as far as it is known on this machine.
    pub(crate) fn quarantined(&self) -> HashSet<Position> {
        if self.file.is_none() {
            return HashSet::new();
        }
        let text = std::fs::read_to_string(&self.deaths).unwrap_or_default();
        let quarantined = parse(&text).into_iter().filter(|(_, deaths)| *deaths >= MAX_DEATHS);
        quarantined.filter_map(|(name, _)| self.position(&name)).collect()
    }

    /// A note that cannot be written must not keep anybody from working.
    fn write(&self, cell: &[u8; CELL]) {
        if let Some(file) = &self.file {
            CELL_OF_THREAD.with(|at| drop(file.write_all_at(cell, *at)));
        }
    }

    /// True if the process before ended by itself. On what it worked otherwise is counted.
    fn take_over(&self, connector: &str) -> io::Result<bool> {
        let Some(mut file) = self.file.as_ref() else { return Ok(true) };
        let mut left = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut left)?;
        let cells = left.get(1..).unwrap_or_default();
        let died_of: BTreeSet<String> = cells.chunks_exact(CELL).filter_map(|cell| self.named(cell)).collect();
        if !cells.is_empty() {
            for (record, deaths) in self.count(&died_of)? {
                tracing::error!(
                    connector,
                    record,
                    deaths,
                    "the process before this one died while it worked on a record"
                );
            }
        }
        file.set_len(0)?;
        file.write_all_at(&[RUNS], 0)?;
        Ok(left.first() != Some(&RUNS))
    }

    /// Counts one more death of each of these records in the file that all processes on this machine share, and forgets
    /// those of other records of these topics that are not quarantined. Says how many there are.
    fn count(&self, died_of: &BTreeSet<String>) -> io::Result<Vec<(String, u32)>> {
        let mut file = instance_slot::open(&self.deaths)?;
        // Until it is closed.
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let (suspects, mut kept): (Vec<_>, Vec<_>) = parse(&text).into_iter().partition(|(name, deaths)| {
            died_of.contains(name) || (*deaths < MAX_DEATHS && self.position(name).is_some())
        });
        let before: BTreeMap<String, u32> = suspects.into_iter().collect();
        let deaths = |name: &String| before.get(name).copied().unwrap_or_default().saturating_add(1);
        let counted: Vec<(String, u32)> = died_of.iter().map(|name| (name.clone(), deaths(name))).collect();
        kept.extend(counted.iter().cloned());
        let newest = kept.iter().skip(kept.len().saturating_sub(MAX_REMEMBERED));
        let text: String = newest.map(|(name, deaths)| format!("{deaths} {name}\n")).collect();
        file.rewind()?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        Ok(counted)
    }

    /// The record that a cell names.
    fn named(&self, cell: &[u8]) -> Option<String> {
        let topic = cell.get(..8)?;
        let partition = i32::from_be_bytes(cell.get(8..12)?.try_into().ok()?);
        let offset = i64::from_be_bytes(cell.get(12..)?.try_into().ok()?);
        let (topic, _) = self.topics.iter().find(|(_, digest)| *digest == topic)?;
        Some(Position { topic: Arc::clone(topic), partition, offset }.to_string())
    }

    /// The way back from a name.
    fn position(&self, name: &str) -> Option<Position> {
        let mut parts = name.rsplitn(3, '/');
        let (offset, partition, topic) = (parts.next()?, parts.next()?, parts.next()?);
        let (topic, _) = self.topics.iter().find(|(known, _)| **known == *topic)?;
        Some(Position { topic: Arc::clone(topic), partition: partition.parse().ok()?, offset: offset.parse().ok()? })
    }
}

/// Why a record is a dead letter that nobody has looked into.
pub(crate) fn failure() -> Failure {
    let detail =
        "process after process died while it worked on this record; please report it with the version and its shape";
    Failure::new(Code::ProcessAborted, detail)
}

/// Lines that somebody else wrote are left out.
fn parse(text: &str) -> Vec<(String, u32)> {
    let line = |line: &str| {
        let (deaths, name) = line.split_once(' ')?;
        Some((name.to_owned(), deaths.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

fn digest(topic: &str) -> TopicDigest {
    let digest = Sha256::digest(topic);
    std::array::from_fn(|index| digest.get(index).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::task::Poll;

    use super::*;
    use crate::kafka::settings::KafkaSettings;

    fn open(directory: &Path) -> (InstanceSlot, Arc<Quarantine>) {
        let settings = KafkaSettings { brokers: vec!["127.0.0.1:9092".to_owned()], ..KafkaSettings::default() };
        let slot = InstanceSlot::take(&settings, "g", "triage", directory);
        let quarantine = Quarantine::open(&slot, &["in".into(), "in-2".into()], "triage");
        (slot, Arc::new(quarantine))
    }

    fn lock_file(directory: &Path) -> PathBuf {
        let mut paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        paths.find(|path| path.extension().is_some_and(|extension| extension == "lock")).unwrap()
    }

    fn at(topic: &str, offset: i64) -> Position {
        Position { topic: topic.into(), partition: 3, offset }
    }

    #[test]
    fn a_record_is_quarantined_when_the_fourth_process_has_died_on_it() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..=MAX_DEATHS {
            let process = open(directory.path());
            assert_eq!(process.1.quarantined(), HashSet::new());
            process.1.working_on(&at("in-2", 41));
            process.1.working_on(&at("in-2", 42));
        }
        let (_slot, quarantine) = open(directory.path());
        assert_eq!(quarantine.quarantined(), HashSet::from([at("in-2", 42)]));
        let (_other_slot, other) = open(directory.path());
        assert_eq!(other.quarantined(), quarantine.quarantined(), "on the same machine all know it");
    }

    #[test]
    fn processes_that_are_killed_again_and_again_at_work_blame_nobody_for_good() {
        let directory = tempfile::tempdir().unwrap();
        for life in 0..40 {
            let process = open(directory.path());
            assert_eq!(process.1.quarantined(), HashSet::new(), "in life {life}");
            // Each record has more than enough deaths, but never without one elsewhere between them.
            process.1.working_on(&at("in", life / 2 % 3));
        }
    }

    #[test]
    fn a_quarantined_record_stays_so_though_processes_die_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        for offset in [42, 42, 42, 42, 7, 8] {
            open(directory.path()).1.working_on(&at("in", offset));
        }
        assert_eq!(open(directory.path()).1.quarantined(), HashSet::from([at("in", 42)]));
    }

    #[test]
    fn who_ends_between_two_records_blames_nobody() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..6 {
            let process = open(directory.path());
            process.1.working_on(&at("in", 7));
            process.1.idle();
        }
        assert_eq!(open(directory.path()).1.quarantined(), HashSet::new());
    }

    #[test]
    fn nothing_is_noted_after_an_orderly_end() {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path()));
        let process = open(directory.path());
        assert!(process.1.careful_until.is_some());
        process.1.ended();
        drop(process);
        let (_slot, quarantine) = open(directory.path());
        quarantine.working_on(&at("in", 7));
        assert_eq!(std::fs::read(lock_file(directory.path())).unwrap(), [RUNS]);
    }

    #[tokio::test]
    async fn waiting_is_no_work() {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path()));
        let (_slot, quarantine) = open(directory.path());
        let noted = || {
            let left = std::fs::read(lock_file(directory.path())).unwrap();
            left[1..].chunks_exact(CELL).filter_map(|cell| quarantine.named(cell)).collect::<Vec<_>>()
        };
        let mut work = Box::pin(Arc::clone(&quarantine).watch(at("in", 7), async {
            tokio::task::yield_now().await;
            noted()
        }));
        let is_pending = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await;
        assert!(is_pending);
        assert_eq!(noted(), [""; 0], "while it waits");
        assert_eq!(work.await, ["in/3/7"], "while it works");
        assert_eq!(noted(), [""; 0], "afterwards");
    }

    #[test]
    fn files_that_hold_something_else_are_no_reason_to_stop() {
        let directory = tempfile::tempdir().unwrap();
        let (slot, quarantine) = open(directory.path());
        drop(quarantine);
        std::fs::write(lock_file(directory.path()), b"short").unwrap();
        std::fs::write(slot.deaths(), "9 other/0/1\nx in/0/1\n9 in/0/x\n9 in\n\n9 in/3/1\n").unwrap();
        drop(slot);
        assert_eq!(open(directory.path()).1.quarantined(), HashSet::from([at("in", 1)]));
    }
}
