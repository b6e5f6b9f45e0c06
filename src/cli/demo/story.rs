//! What takes a model that errs and a process that dies: a second process of this program runs a connector over a few
//! tickets, asks the scripted stand-in, is killed in the middle, and is started again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::error::KafkaError;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::timeout_at;

use super::events::{self, header};
use super::scripted::{self, Scripted};
use crate::domain::record::Record;
use crate::kafka::settings::RecordFormat;
use crate::kafka::topic_io;
use crate::tasks::Tasks;

const SOURCE: &str = "scripted.tickets";
const SINK: &str = "scripted.triaged";
const DEAD_LETTERS: &str = "scripted.triage.dlq";
/// One partition: a repeated outcome then stands before the new ones, and none is overlooked.
const PARTITIONS: i32 = 1;

const TICKETS: usize = 24;
/// Results after which the process is killed.
const BEFORE_THE_KILL: usize = 8;
const IN_FLIGHT: usize = 4;

/// The embedded broker removes a dead member within a second after its session timeout of 4 s, which must be longer
/// than the 3 s of a group's first assignment. Who joins now waits for another 3 s, which is long enough for the dead
/// member to be gone by then.
const BEFORE_THE_RESTART: Duration = Duration::from_millis(3000);

const TURN: Duration = Duration::from_millis(20);
/// A step of the story takes some seconds; on a machine that is busy with much else, some more.
const PATIENCE: Duration = Duration::from_secs(240);

/// The topics that it needs, with their partitions.
pub(super) const TOPICS: [(&str, i32); 3] = [(SOURCE, PARTITIONS), (SINK, PARTITIONS), (DEAD_LETTERS, PARTITIONS)];

/// An invalid answer that was corrected.
pub(super) struct Correction {
    pub(super) ticket: String,
    pub(super) invalid: String,
    /// What the model was told about it.
    pub(super) told: String,
    pub(super) result: Record,
}

/// A kill and a restart, by what was read from the topics and what the stand-in was asked.
pub(super) struct Kill {
    pub(super) tickets: usize,
    /// Results that had been published when it was killed.
    pub(super) before: usize,
    /// Calls that were open when it was killed.
    pub(super) open: usize,
    /// Of the answered calls, those that were made again.
    pub(super) answered_again: usize,
    /// Of the open calls, those that were made again.
    pub(super) open_again: usize,
    /// Outcomes that were published twice.
    pub(super) repeated: usize,
    /// Of these, those with the id that they had before.
    pub(super) repeated_with_same_id: usize,
    pub(super) lost: usize,
}

/// The story while it is told.
pub(super) struct Story {
    pub(super) correction: oneshot::Receiver<Correction>,
    pub(super) kill: JoinHandle<Result<Kill, StoryError>>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StoryError {
    #[error("the second process: {0}")]
    Io(#[from] io::Error),
    #[error("the embedded broker: {0}")]
    Kafka(#[from] KafkaError),
    #[error("the second process ended by itself ({0})")]
    Ended(String),
    #[error("the second process came no further ({0})")]
    Stuck(String),
}

/// Begins to tell it, beside whatever else goes on.
pub(super) fn begin(brokers: &str, tasks: &Tasks) -> Story {
    let (corrected, correction) = oneshot::channel();
    let (brokers, of_story) = (brokers.to_owned(), tasks.clone());
    let kill = tasks.side_work(async move {
        let directory = Directory::create()?;
        let provider = Scripted::start(&of_story, BEFORE_THE_KILL).await?;
        let mut scene = Scene::set(&brokers, &directory.0, provider)?;
        scene.play(corrected).await
    });
    Story { correction, kill }
}

/// Waits for the end, and puts one to it when the time is up: nobody but its caller keeps the broker that it needs.
///
/// # Errors
/// Why it did not come to its end, in words.
pub(super) async fn end(
    mut kill: JoinHandle<Result<Kill, StoryError>>,
    deadline: tokio::time::Instant,
) -> Result<Kill, String> {
    match timeout_at(deadline, &mut kill).await {
        Ok(Ok(Ok(kill))) => Ok(kill),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => {
            kill.abort();
            // It is over when its process is gone.
            drop(kill.await);
            Err("the time was up".to_owned())
        }
    }
}

/// A new directory of this user's own, which is gone afterwards.
struct Directory(PathBuf);

impl Directory {
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("structured-prompt-demo-{:016x}", fastrand::u64(..)));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The second process; it does not outlive its owner.
struct Process(Child);

impl Process {
    /// Sends SIGKILL and waits for the end.
    fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.kill());
    }
}

struct Scene<'a> {
    directory: &'a Path,
    provider: Scripted,
    sink: topic_io::TopicReader,
    dead_letters: topic_io::TopicReader,
    outcomes: Vec<Record>,
}

impl<'a> Scene<'a> {
    fn set(brokers: &str, directory: &'a Path, provider: Scripted) -> Result<Self, StoryError> {
        fs::write(directory.join("runtime.yaml"), runtime(brokers, &provider.base_url()))?;
        fs::write(directory.join("connector.yaml"), connector())?;
        block_in_place(|| {
            topic_io::produce_all(brokers, SOURCE, &events::records(tickets().as_bytes(), RecordFormat::CloudEvents))?;
            let (sink, dead_letters) =
                (topic_io::TopicReader::new(brokers, SINK)?, topic_io::TopicReader::new(brokers, DEAD_LETTERS)?);
            Ok(Self { directory, provider, sink, dead_letters, outcomes: Vec::new() })
        })
    }

    async fn play(&mut self, corrected: oneshot::Sender<Correction>) -> Result<Kill, StoryError> {
        let mut process = self.start()?;
        let mut corrected = Some(corrected);
        self.wait(&mut process, |scene| {
            if let Some(correction) = scene.correction()
                && let Some(corrected) = corrected.take()
            {
                // Nobody listens any more when the demonstration has ended.
                drop(corrected.send(correction));
            }
            scene.seen().len() >= BEFORE_THE_KILL && scene.provider.calls().waiting.len() >= IN_FLIGHT
        })
        .await?;
        let at_kill = self.provider.calls();
        let before = self.seen().len();
        // SIGKILL: it can neither commit nor take leave of its group.
        process.kill()?;
        self.provider.open();
        tokio::time::sleep(BEFORE_THE_RESTART).await;
        let mut process = self.start()?;
        self.wait(&mut process, |scene| scene.seen().len() >= TICKETS).await?;
        process.kill()?;
        let after = self.provider.calls();
        let is_asked_again = |order: &&String| after.asked.get(*order) > at_kill.asked.get(*order);
        let answered = at_kill.answered.keys().filter(|order| !at_kill.waiting.contains(*order));
        let (repeated, repeated_with_same_id) = self.repeated();
        Ok(Kill {
            tickets: TICKETS,
            before,
            open: at_kill.waiting.len(),
            answered_again: answered.filter(is_asked_again).count(),
            open_again: at_kill.waiting.iter().filter(is_asked_again).count(),
            repeated,
            repeated_with_same_id,
            lost: TICKETS.saturating_sub(self.seen().len()),
        })
    }

    /// Starts the second process, as a user would. It ends with this one: its standard input is closed then.
    fn start(&self) -> io::Result<Process> {
        let log = fs::File::create(self.log())?;
        let process = Command::new(std::env::current_exe()?)
            .args(["run", "--until-stdin-closes", "--config", "runtime.yaml", "--connectors", "connector.yaml"])
            .current_dir(self.directory)
            // Nothing of this process's settings may decide.
            .env_clear()
            .env("TMPDIR", self.directory)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Process(process))
    }

    async fn wait(&mut self, process: &mut Process, mut is_done: impl FnMut(&Self) -> bool) -> Result<(), StoryError> {
        let began_at = Instant::now();
        loop {
            let (results, letters) =
                block_in_place(|| Ok::<_, KafkaError>((self.sink.catch_up()?, self.dead_letters.catch_up()?)))?;
            self.outcomes.extend(results.into_iter().chain(letters));
            if is_done(self) {
                return Ok(());
            }
            if let Some(status) = process.0.try_wait()? {
                return Err(StoryError::Ended(format!("{status}; {}", self.last_words())));
            }
            if began_at.elapsed() >= PATIENCE {
                return Err(StoryError::Stuck(self.last_words()));
            }
            tokio::time::sleep(TURN).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().last().unwrap_or("it logged nothing").to_owned()
    }

    /// Tickets that have an outcome.
    fn seen(&self) -> BTreeSet<usize> {
        self.outcomes.iter().filter_map(events::number).collect()
    }

    /// Outcomes beyond each ticket's first one, and how many of them have its id.
    fn repeated(&self) -> (usize, usize) {
        let mut first: BTreeMap<usize, Option<String>> = BTreeMap::new();
        let (mut repeated, mut with_same_id) = (0, 0);
        for outcome in &self.outcomes {
            let Some(number) = events::number(outcome) else { continue };
            let id = header(outcome, "ce_id");
            match first.get(&number) {
                None => drop(first.insert(number, id)),
                Some(before) => {
                    repeated += 1;
                    with_same_id += usize::from(*before == id);
                }
            }
        }
        (repeated, with_same_id)
    }

    /// The ticket whose first answer was invalid, once it has its result.
    fn correction(&self) -> Option<Correction> {
        let calls = self.provider.calls();
        let (invalid, told) = (calls.invalid?, calls.correction?);
        let number =
            (0..TICKETS).find(|number| scripted::order(&scripted::ticket(*number)) == scripted::order(&invalid))?;
        let result = self.outcomes.iter().find(|outcome| events::number(outcome) == Some(number))?.clone();
        let ticket = scripted::ticket(number);
        Some(Correction { ticket, invalid, told, result })
    }
}

fn tickets() -> String {
    let line = |number: usize| {
        let event = json!({"specversion": "1.0", "id": format!("scripted-{number}"), "source": "/demo/scripted",
            "type": "ticket.opened", "data": {"body": scripted::ticket(number)}});
        format!("{event}\n")
    };
    (0..TICKETS).map(line).collect()
}

/// JSON is YAML.
fn runtime(brokers: &str, base_url: &str) -> Bytes {
    let runtime = json!({
        "kafka": {"brokers": [brokers], "client": {"session.timeout.ms": "4000", "heartbeat.interval.ms": "1000"}},
        "http": {"listen": "127.0.0.1:0"},
        "store": {"url": "sqlite://store.db"},
        "providers": {"scripted": {"kind": "openai", "model": "scripted-1", "base_url": base_url, "api_key_env": null,
            "timeout": "10m"}},
        "routing": {"fallback": ["scripted"]},
        "log": {"format": "text", "filter": "warn"},
    });
    runtime.to_string().into()
}

fn connector() -> Bytes {
    let connector = json!({
        "name": "scripted-triage",
        "source": {"kafka": {"topics": [SOURCE]}},
        "prompt": {"template": "support-intent", "parameters": {"message": "{{ data.body }}"}},
        "schema": "support-intent",
        "delivery": {"max_in_flight": IN_FLIGHT},
        "sink": {"kafka": {"topic": SINK}},
        "dead_letter": {"kafka": {"topic": DEAD_LETTERS}},
    });
    connector.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_directory_is_new_and_nobody_elses_and_gone_afterwards() {
        let [one, other] = [Directory::create().unwrap(), Directory::create().unwrap()];
        assert_ne!(one.0, other.0);
        #[cfg(unix)]
        {
            let permissions = fs::metadata(&one.0).unwrap().permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o077, 0);
        }
        let path = one.0.clone();
        drop(one);
        assert!(!path.exists());
    }
}
