//! Three brokers of our own, each behind a proxy.
//!
//! The program under test reaches them through the proxies, the harness directly.

use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::broker;
use super::proxy::{Frame, Hook, Proxy, Verdict};
use super::wait::wait_until;

pub const NODES: usize = 3;

pub struct Cluster {
    proxies: Vec<Proxy>,
    hook: Arc<RwLock<Option<Hook>>>,
}

impl Cluster {
    /// Starts the brokers and makes [`broker`] use them.
    pub fn start() -> Self {
        let hook = Arc::new(RwLock::new(None));
        let proxies: Vec<Proxy> = (1..=NODES).map(|node| Proxy::listen(node, Arc::clone(&hook))).collect();
        let ports = proxies.iter().map(|proxy| proxy.port().to_string()).collect::<Vec<_>>().join(",");
        kafka(&["stop"]);
        kafka(&["start", "--brokers", &NODES.to_string(), "--advertise", &ports]);
        let environment = kafka(&["env"]);
        let value = |name: &str| {
            let line = environment.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name));
            line.and_then(|line| line.strip_prefix('=')).expect("a variable of scripts/kafka.sh").to_owned()
        };
        broker::choose(&value("STRUCTURED_PROMPT_TEST_BROKERS"));
        for (proxy, broker) in proxies.iter().zip(value("STRUCTURED_PROMPT_TEST_PROXIED").split(',')) {
            proxy.lead_to(broker.parse().expect("an address"));
        }
        Self { proxies, hook }
    }

    /// What the program under test connects to.
    pub fn proxied(&self) -> String {
        let address = |proxy: &Proxy| format!("127.0.0.1:{}", proxy.port());
        self.proxies.iter().map(address).collect::<Vec<_>>().join(",")
    }

    /// From now on every frame passes this.
    pub fn on_frame(&self, hook: impl Fn(&Frame<'_>) -> Verdict + Send + Sync + 'static) {
        *self.hook.write().expect("the hook") = Some(Arc::new(hook));
    }

    /// Everything passes again.
    pub fn heal(&self) {
        *self.hook.write().expect("the hook") = None;
    }

    /// Starts the nodes that a row left dead.
    pub fn revive() {
        for (index, address) in broker::brokers().split(',').enumerate() {
            if TcpStream::connect(address).is_err() {
                Self::start_node(index + 1);
            }
        }
    }

    pub fn kill(node: usize) {
        kafka(&["node", "kill", &node.to_string()]);
    }

    pub fn stop(node: usize) {
        kafka(&["node", "stop", &node.to_string()]);
    }

    pub fn start_node(node: usize) {
        kafka(&["node", "start", &node.to_string()]);
    }

    /// Waits until every partition has all its replicas again, so that the next fault meets a whole cluster.
    pub fn wait_in_sync() {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", broker::brokers()).create().expect("a consumer");
        wait_until("replicas in sync", Duration::from_secs(90), || {
            let metadata = consumer.fetch_metadata(None, Duration::from_secs(5)).map_err(|error| error.to_string())?;
            let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
            let behind = partitions.filter(|partition| partition.isr().len() < NODES).count();
            if behind == 0 && metadata.brokers().len() == NODES { Ok(()) } else { Err(format!("{behind} behind")) }
        });
    }

    /// The node that leads a partition.
    pub fn leader(topic: &str, partition: i32) -> usize {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", broker::brokers()).create().expect("a consumer");
        let mut found = 0;
        // A broker may not have heard of it yet.
        wait_until("a leader", Duration::from_secs(20), || {
            let metadata =
                consumer.fetch_metadata(Some(topic), Duration::from_secs(5)).map_err(|error| error.to_string())?;
            let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
            let leader = partitions.filter(|p| p.id() == partition).map(|p| p.leader()).next();
            found = leader.and_then(|leader| usize::try_from(leader).ok()).ok_or("none")?;
            Ok(())
        });
        found
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        stop();
    }
}

/// Ends the brokers.
pub fn stop() {
    kafka(&["stop"]);
}

fn kafka(arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/kafka.sh");
    let output = Command::new(script).args(["--name", "faults"]).args(arguments).output().expect("the script runs");
    assert!(output.status.success(), "kafka.sh {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("its output")
}
