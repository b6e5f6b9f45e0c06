//! How a connector is doing: its consumers in this process, reported as one.

use std::sync::Arc;

use super::status::MemberStatus;
use crate::domain::health::Component;
use crate::ports::health::Health;

/// One connector and its cluster, as health reports show them.
#[derive(Debug)]
pub struct ConnectorHealth(Vec<Arc<MemberStatus>>);

impl ConnectorHealth {
    /// The health of the connector that these members of its group belong to, in the order of their numbers.
    pub fn new(members: Vec<Arc<MemberStatus>>) -> Self {
        Self(members)
    }
}

impl Health for ConnectorHealth {
    fn components(&self) -> Vec<Component> {
        let connector = together(self.0.iter().map(|member| member.connector()).collect());
        let cluster = together(self.0.iter().map(|member| member.cluster()).collect());
        connector.into_iter().chain(cluster).collect()
    }
}

/// The worst state, the sums of the counts, and the longest latency.
fn together(members: Vec<Component>) -> Option<Component> {
    // Of several in the worst state the first one.
    let (number, worst) = members.iter().enumerate().rev().max_by_key(|(_, member)| member.status)?;
    let is_shared = members.iter().all(|member| member.detail == worst.detail);
    let detail = worst.detail.as_ref().map(|detail| match members.len() {
        _ if is_shared => detail.clone(),
        count => format!("consumer {number} (of {count}, the first is 0): {detail}"),
    });
    let sum = |index: usize| members.iter().filter_map(|member| member.facts.get(index)).map(|(_, value)| value).sum();
    Some(Component {
        kind: worst.kind,
        name: worst.name.clone(),
        status: worst.status,
        latency: members.iter().filter_map(|member| member.latency).max(),
        detail,
        facts: worst.facts.iter().enumerate().map(|(index, (name, _))| (*name, sum(index))).collect(),
        is_ready: members.iter().all(|member| member.is_ready),
        is_alive: members.iter().all(|member| member.is_alive),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::health::Status;
    use crate::kafka::status::Paused;
    use crate::telemetry::metrics::PauseReason;

    fn three() -> (Vec<Arc<MemberStatus>>, ConnectorHealth) {
        let members: Vec<_> = (0..3).map(|_| Arc::new(MemberStatus::new("triage".into()))).collect();
        for (member, latency) in members.iter().zip([2, 9, 4]) {
            member.probed(Ok(Duration::from_millis(latency)), None);
            member.joined();
            member.turned(2, 10, None);
        }
        let health = ConnectorHealth::new(members.clone());
        (members, health)
    }

    #[test]
    fn counts_are_sums_and_a_member_without_partitions_is_ready() {
        let (members, health) = three();
        members[2].turned(0, 0, Some(Paused::Full));
        let [connector, cluster] = &*health.components() else { panic!("two components") };
        assert_eq!((connector.kind, &*connector.name, connector.status), ("connector", "triage", Status::Up));
        assert_eq!(connector.facts, [("assigned_partitions", 4), ("records_in_flight", 20)]);
        assert!(connector.is_ready && connector.is_alive && connector.detail.is_none());
        assert_eq!((cluster.kind, cluster.latency), ("kafka", Some(Duration::from_millis(9))));
    }

    #[test]
    fn the_worst_member_is_named_with_its_detail() {
        let (members, health) = three();
        members[0].turned(2, 10, Some(Paused::Gate(PauseReason::Budget, "budget spent".to_owned())));
        members[1].restarting("fenced");
        let [connector, cluster] = &*health.components() else { panic!("two components") };
        let detail = "consumer 1 (of 3, the first is 0): restarting its Kafka clients: fenced";
        assert_eq!((connector.status, connector.detail.as_deref()), (Status::Down, Some(detail)));
        assert!(!connector.is_ready, "one of its members has not joined");
        assert_eq!(connector.facts, [("assigned_partitions", 4), ("records_in_flight", 20)], "a restart holds nothing");
        assert_eq!(cluster.status, Status::Up);
    }

    #[test]
    fn what_all_members_say_is_said_once() {
        let (members, health) = three();
        for member in &members {
            member.turned(2, 10, Some(Paused::Gate(PauseReason::Budget, "budget spent".to_owned())));
        }
        assert_eq!(health.components()[0].detail.as_deref(), Some("budget spent"));
    }
}
