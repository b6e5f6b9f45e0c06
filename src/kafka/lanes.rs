//! The order in which outcomes are published.
//!
//! Work is concurrent; publication follows lanes. A record enters its lane on receipt and is released when it is ready and
//! all that entered before it have been released. One partition is one lane, or one key within it, or there are none.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::ledger::Partition;
use super::settings::Ordering;

/// Identifies one received record within a session; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub usize);

/// The lanes of all partitions.
#[derive(Debug)]
pub struct Lanes {
    ordering: Ordering,
    lanes: HashMap<Lane, VecDeque<Place>>,
}

/// A lane's name: the partition, and the hash of the key where keys have lanes of their own. Two keys that collide share
/// a lane, which orders more than was asked for and never less.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Lane {
    partition: Partition,
    key: u64,
}

#[derive(Debug)]
struct Place {
    ticket: Ticket,
    is_ready: bool,
}

impl Lanes {
    /// Lanes for this ordering.
    pub fn new(ordering: Ordering) -> Self {
        Self { ordering, lanes: HashMap::new() }
    }

    /// A record was received.
    pub fn enter(&mut self, ticket: Ticket, partition: &Partition, key: Option<&[u8]>) {
        if let Some(lane) = self.lane(partition, key) {
            self.lanes.entry(lane).or_default().push_back(Place { ticket, is_ready: false });
        }
    }

    /// A record's outcome is ready: the records that may be published now, in order.
    pub fn ready(&mut self, ticket: Ticket, partition: &Partition, key: Option<&[u8]>) -> Vec<Ticket> {
        let Some(lane) = self.lane(partition, key) else { return vec![ticket] };
        let Some(places) = self.lanes.get_mut(&lane) else { return Vec::new() };
        if let Ok(index) = places.binary_search_by_key(&ticket, |place| place.ticket)
            && let Some(place) = places.get_mut(index)
        {
            place.is_ready = true;
        }
        let mut released = Vec::with_capacity(1);
        while let Some(place) = places.pop_front_if(|place| place.is_ready) {
            released.push(place.ticket);
        }
        if places.is_empty() && self.ordering == Ordering::Key {
            self.lanes.remove(&lane);
        }
        released
    }

    /// Forgets a partition.
    pub fn remove(&mut self, partition: &Partition) {
        self.lanes.retain(|lane, _| lane.partition != *partition);
    }

    fn lane(&self, partition: &Partition, key: Option<&[u8]>) -> Option<Lane> {
        let key = match (self.ordering, key) {
            (Ordering::Partition, _) => 0,
            (Ordering::Key, Some(key)) => hash(key),
            // Kafka promises no order among records without a key.
            (Ordering::Key, None) | (Ordering::None, _) => return None,
        };
        Some(Lane { partition: partition.clone(), key })
    }
}

fn hash(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        Partition { topic: "in".into(), number }
    }

    /// Enters `records` (partition, key), makes them ready in `order`, and returns the order of release.
    fn released(ordering: Ordering, records: &[(i32, Option<&str>)], order: &[usize]) -> Vec<usize> {
        let mut lanes = Lanes::new(ordering);
        for (n, (number, key)) in records.iter().enumerate() {
            lanes.enter(Ticket(n), &partition(*number), key.map(str::as_bytes));
        }
        let ready = order.iter().flat_map(|n| {
            let (number, key) = records[*n];
            lanes.ready(Ticket(*n), &partition(number), key.map(str::as_bytes))
        });
        ready.map(|ticket| ticket.0).collect()
    }

    #[test]
    fn partition_order_is_the_order_of_receipt_within_each_partition() {
        let records = [(0, None), (1, None), (0, None), (1, None)];
        assert_eq!(released(Ordering::Partition, &records, &[2, 3, 1, 0]), [1, 3, 0, 2]);
    }

    #[test]
    fn key_order_lets_other_keys_pass() {
        let records = [(0, Some("a")), (0, Some("b")), (0, Some("a")), (0, None)];
        assert_eq!(released(Ordering::Key, &records, &[2, 1, 3, 0]), [1, 3, 0, 2]);
    }

    #[test]
    fn no_order_releases_at_once() {
        let records = [(0, Some("a")), (0, Some("a"))];
        assert_eq!(released(Ordering::None, &records, &[1, 0]), [1, 0]);
    }

    #[test]
    fn a_forgotten_partition_releases_nothing() {
        let mut lanes = Lanes::new(Ordering::Partition);
        lanes.enter(Ticket(0), &partition(0), None);
        lanes.remove(&partition(0));
        assert_eq!(lanes.ready(Ticket(0), &partition(0), None), []);
    }
}
