//! What the process takes of its machine, under the names that Prometheus' own client libraries give it. Read from
//! `/proc` at each scrape; where there is none, these metrics are missing.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};

/// The unit of times in `/proc`, which Linux has fixed for programs (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The metrics of the process.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(seconds) = cpu_seconds() {
            let help = "Time that the process has computed, in user and in system mode";
            let of = encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(of)?;
        }
        let gauges = [
            ("process_resident_memory_bytes", "Memory of the process that is in RAM", resident_bytes()),
            ("process_open_fds", "Open files and connections", open_files()),
            ("process_max_fds", "Open files and connections that the process may have", most_open_files()),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let of = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(value).encode(of)?;
            }
        }
        Ok(())
    }
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, in which anything can stand.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11).map_while(|field| field.parse::<f64>().ok());
    Some((times.next()? + times.next()?) / TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<i64>().ok()? * 1024)
}

fn open_files() -> Option<i64> {
    // One of them is that of this very directory.
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok().map(|files| files - 1)
}

fn most_open_files() -> Option<i64> {
    getrlimit(Resource::Nofile).current.and_then(|files| i64::try_from(files).ok())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_measured() {
        let before = cpu_seconds().unwrap();
        while cpu_seconds().unwrap() <= before {}
        assert!(resident_bytes().unwrap() > 1 << 20);
        let open = open_files().unwrap();
        let _more = fs::File::open("/dev/null").unwrap();
        assert!(open >= 3 && open_files().unwrap() > 0 && most_open_files().unwrap() >= open);
    }
}
