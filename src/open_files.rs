//! The system's limit of open files: raised as far as it goes, and what it leaves for connections, of HTTP clients and to
//! providers.
//!
//! Kafka clients and the store come first, because nothing goes on without them. HTTP clients get a part of the rest, and
//! connections to providers what is left, so a burst of questions cannot take the files that the others need.

use std::fs::File;
use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::domain::health::{Component, Status};
use crate::ports::health::Health;

/// What has happened, and what to do about it.
pub const ADVICE: &str = "too many open files: raise the limit of the process (ulimit -n)";

/// Files that a process has anyway: its streams, the runtime's, the store's, those that HTTP listens on.
const OF_PROCESS: usize = 48;
/// Files of a consumer with its producer: their pipes and connections; some 60 were counted with three brokers.
const OF_CONSUMER: usize = 64;
/// The least that providers get, and HTTP clients, even where the estimates above leave nothing.
const LEAST_ROOM: usize = 12;
/// The part of the room that HTTP clients get: without connectors half of it, since each of them causes at most one call.
const HTTP_PART_ALONE: usize = 2;
const HTTP_PART_BESIDE_CONNECTORS: usize = 8;

/// The limit, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    limit: Option<usize>,
    room: Option<usize>,
    http: HttpConnections,
}

/// Connections of HTTP clients at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HttpConnections {
    wanted: usize,
    possible: usize,
}

impl OpenFiles {
    /// Raises the soft limit of this process to the hard one, and plans for so many consumers of Kafka and connections
    /// of HTTP clients.
    pub fn raise(consumers: usize, http_connections: usize) -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let is_raised = current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
        let limit = if is_raised { maximum } else { current };
        Self::plan(limit.and_then(|limit| usize::try_from(limit).ok()), consumers, http_connections)
    }

    fn plan(limit: Option<usize>, consumers: usize, http_connections: usize) -> Self {
        let reserved = OF_PROCESS.saturating_add(OF_CONSUMER.saturating_mul(consumers));
        let part = if consumers == 0 { HTTP_PART_ALONE } else { HTTP_PART_BESIDE_CONNECTORS };
        let share = |limit: usize| (limit.saturating_sub(reserved) / part).max(LEAST_ROOM).min(http_connections);
        let possible = limit.map_or(http_connections, share);
        let rest = |limit: usize| limit.saturating_sub(reserved).saturating_sub(possible);
        let room = limit.map(|limit| rest(limit).max(limit / 8).max(LEAST_ROOM));
        Self { limit, room, http: HttpConnections { wanted: http_connections, possible } }
    }

    /// How many connections of HTTP clients there may be at once.
    pub fn http_connections(self) -> usize {
        self.http.possible
    }

    /// How many calls over connections there may be at once; `None` is no limit. Two thirds of the room: a connection
    /// that was made in vain, because another became free meanwhile, lives beside those in use.
    pub fn calls(self) -> Option<usize> {
        self.room.map(|room| room - room / 3)
    }

    /// How many connections each of so many providers may keep idle; `None` is no limit.
    pub fn idle_connections(self, providers: usize) -> Option<usize> {
        self.room.map(|room| (room / 3 / providers.max(1)).max(1))
    }

    /// The same for a provider that is asked only by requests that name it.
    pub fn few_idle_connections(self) -> Option<usize> {
        self.room.map(|_| LEAST_ROOM)
    }

    /// The limit itself.
    pub fn limit(self) -> Option<usize> {
        self.limit
    }
}

/// True if an error says that the process, or the system, has no file left to open. It is nobody else's fault then.
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// True if no file can be opened now. For libraries that do not pass on why they could not open theirs.
pub fn are_exhausted() -> bool {
    File::open("/dev/null").is_err_and(|error| is_exhausted(&error))
}

/// The files as a part of the process.
#[derive(Debug)]
pub struct OpenFilesHealth {
    files: OpenFiles,
    /// What a connector wanted at most, if that is more than there can be.
    wanted: Option<usize>,
}

impl OpenFilesHealth {
    /// Says in the log what the limit leaves, if that is less than some connector's `max_in_flight`, or than HTTP's
    /// `max_connections`.
    pub fn new(files: OpenFiles, max_in_flight: usize) -> Self {
        let wanted = files.calls().filter(|calls| *calls < max_in_flight).map(|_| max_in_flight);
        let health = Self { files, wanted };
        if let Some(detail) = health.shortage() {
            tracing::warn!(detail, "few open files");
        }
        health
    }

    fn shortage(&self) -> Option<String> {
        let limit = self.files.limit?;
        let calls = self.wanted.zip(self.files.calls());
        let calls = calls
            .map(|(wanted, calls)| format!("{calls} calls to providers at once, less than max_in_flight ({wanted})"));
        let HttpConnections { wanted, possible } = self.files.http;
        let connections = (possible < wanted).then(|| {
            format!("{possible} connections of HTTP clients at once, less than http.max_connections ({wanted})")
        });
        let left: Vec<String> = calls.into_iter().chain(connections).collect();
        let left = Some(left.join(", and ")).filter(|left| !left.is_empty())?;
        Some(format!("the limit of {limit} open files leaves {left}; raise the limit of the process (ulimit -n)"))
    }
}

impl Health for OpenFilesHealth {
    fn components(&self) -> Vec<Component> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let is_exhausted = are_exhausted();
        let facts = [
            ("limit", self.files.limit),
            ("provider_calls_limit", self.files.calls()),
            ("http_connections_limit", Some(self.files.http_connections())),
        ];
        vec![Component {
            kind: "process",
            name: "open_files".to_owned(),
            status: if is_exhausted { Status::Degraded } else { Status::Up },
            latency: None,
            detail: if is_exhausted { Some(ADVICE.to_owned()) } else { self.shortage() },
            facts: facts.into_iter().filter_map(|(name, value)| Some((name, count(value?)))).collect(),
            is_ready: true,
            is_alive: true,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_clients_and_providers_get_what_the_others_leave() {
        for (limit, consumers, http, calls, idle) in [
            (256, 1, 18, 84, 42),
            (1024, 1, 114, 532, 266),
            (1024, 20, 12, 86, 42),
            (1024, 0, 488, 326, 162),
            (64, 1, 12, 8, 4),
            (0, 0, 12, 8, 4),
            (1 << 20, 1, 8192, 693_515, 346_757),
        ] {
            let files = OpenFiles::plan(Some(limit), consumers, 8192);
            let planned = (files.http_connections(), files.calls(), files.idle_connections(1));
            assert_eq!(planned, (http, Some(calls), Some(idle)), "{limit} {consumers}");
            assert!(files.idle_connections(1_000_000) == Some(1));
        }
        let unlimited = OpenFiles::plan(None, 3, 100);
        assert_eq!((unlimited.calls(), unlimited.idle_connections(1)), (None, None));
        assert_eq!(unlimited.http_connections(), 100);
        assert_eq!(
            OpenFiles::plan(Some(1024), 1, 50).calls(),
            Some(575),
            "who wants fewer connections leaves the rest"
        );
    }

    #[test]
    fn the_soft_limit_is_the_hard_one_afterwards() {
        let files = OpenFiles::raise(1, 10);
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
        assert_eq!(files.limit(), maximum.and_then(|limit| usize::try_from(limit).ok()));
    }

    #[test]
    fn health_says_what_a_small_limit_leaves() {
        let of = |max_in_flight, http_connections| {
            let files = OpenFiles::plan(Some(256), 1, http_connections);
            OpenFilesHealth::new(files, max_in_flight).components().remove(0)
        };
        let detail = of(2000, 8192).detail.expect("a detail");
        for part in ["256", "84 calls", "18 connections of HTTP", "ulimit -n"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
        let few_calls = of(2000, 8).detail.expect("a detail");
        assert!(few_calls.contains("max_in_flight") && !few_calls.contains("HTTP"), "{few_calls}");
        assert_eq!((of(84, 18).detail, of(84, 18).status), (None, Status::Up));
    }

    #[test]
    fn only_a_lack_of_files_is_one() {
        assert!(is_exhausted(&Errno::MFILE.into()) && is_exhausted(&Errno::NFILE.into()));
        assert!(!is_exhausted(&Errno::NOENT.into()) && !is_exhausted(&io::Error::other("x")));
        assert!(!are_exhausted());
    }
}
