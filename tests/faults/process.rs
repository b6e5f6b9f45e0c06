//! What the system says about a process, and ends it.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a process holds.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    pub files: usize,
    pub threads: usize,
    pub rss_kb: usize,
}

impl Resources {
    pub fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a running process");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).expect("a number of /proc")
        };
        let files = fs::read_dir(format!("/proc/{process}/fd")).expect("its files").count();
        Self { files, threads: number("Threads:"), rss_kb: number("VmRSS:") }
    }

    /// With so many producers more: connections to three brokers and their threads, and what is queued.
    pub fn and_producers(&self, count: usize) -> Self {
        Self {
            files: self.files + 16 * count,
            threads: self.threads + 8 * count,
            rss_kb: self.rss_kb + (24 << 10) * count,
        }
    }

    /// How much more this is, in words.
    pub fn beyond(&self, before: &Self) -> String {
        let files = self.files.saturating_sub(before.files);
        let threads = self.threads.saturating_sub(before.threads);
        let megabytes = self.rss_kb.saturating_sub(before.rss_kb) >> 10;
        format!("{files} files, {threads} threads, {megabytes} MB")
    }
}

/// The process that a hook kills or stops, once.
#[derive(Clone, Default)]
pub struct Victim(Arc<AtomicU32>);

impl Victim {
    /// Marks a process.
    pub fn mark(&self, process: u32) {
        self.0.store(process, Ordering::SeqCst);
    }

    /// SIGKILL to the marked process. True if there was one.
    pub fn kill(&self) -> bool {
        match self.0.swap(0, Ordering::SeqCst) {
            0 => false,
            process => signal(process, "KILL"),
        }
    }

    /// SIGSTOP to the marked process. True if there was one.
    pub fn stop(&self) -> bool {
        match self.0.swap(0, Ordering::SeqCst) {
            0 => false,
            process => signal(process, "STOP"),
        }
    }

    /// True while nobody has done it.
    pub fn is_marked(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

/// True if it could be sent.
pub fn signal(process: u32, name: &str) -> bool {
    Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().expect("kill").success()
}
