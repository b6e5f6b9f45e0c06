//! The order in which outcomes are published.
//!
//! Work is concurrent, publication is not: a record takes its place in a queue on receipt, and is released when it is
//! ready and all that stand before it have been released. There is a queue for each partition, or for each key within
//! it, or none at all.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use foldhash::fast::RandomState;

use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::commit::Partition;
use crate::kafka::settings::Ordering;

/// The queues of all partitions.
#[derive(Debug)]
pub(super) struct PublishOrder {
    ordering: Ordering,
    queues: HashMap<OrderKey, VecDeque<Place>, RandomState>,
}

/// Which records keep an order among themselves: those of a partition, or of a key within it, by its hash. Two keys
/// that collide share a queue, which orders more than was asked for and never less.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OrderKey {
    partition: Partition,
    key: u64,
}

#[derive(Debug)]
struct Place {
    ticket: Ticket,
    is_ready: bool,
}

impl PublishOrder {
    /// Empty queues for this ordering.
    pub(super) fn new(ordering: Ordering) -> Self {
        Self { ordering, queues: HashMap::default() }
    }

    /// A record was received.
    pub(super) fn enter(&mut self, ticket: Ticket, partition: &Partition, key: Option<&[u8]>) {
        if let Some(key) = self.key(partition, key) {
            self.queues.entry(key).or_default().push_back(Place { ticket, is_ready: false });
        }
    }

    /// A record is ready: adds the records that may be published now, in order.
    pub(super) fn ready(
        &mut self,
        ticket: Ticket,
        partition: &Partition,
        key: Option<&[u8]>,
        released: &mut VecDeque<Ticket>,
    ) {
        let Some(key) = self.key(partition, key) else { return released.push_back(ticket) };
        let Some(places) = self.queues.get_mut(&key) else { return };
        if let Ok(index) = places.binary_search_by_key(&ticket, |place| place.ticket)
            && let Some(place) = places.get_mut(index)
        {
            place.is_ready = true;
        }
        while let Some(place) = places.pop_front_if(|place| place.is_ready) {
            released.push_back(place.ticket);
        }
        if places.is_empty() && self.ordering == Ordering::Key {
            self.queues.remove(&key);
        }
    }

    /// Forgets a partition.
    pub(super) fn remove(&mut self, partition: &Partition) {
        self.queues.retain(|key, _| key.partition != *partition);
    }

    fn key(&self, partition: &Partition, key: Option<&[u8]>) -> Option<OrderKey> {
        let key = match (self.ordering, key) {
            (Ordering::Partition, _) => 0,
            (Ordering::Key, Some(key)) => hash(key),
            // Kafka promises no order among records without a key.
            (Ordering::Key, None) | (Ordering::None, _) => return None,
        };
        Some(OrderKey { partition: partition.clone(), key })
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
        let mut queues = PublishOrder::new(ordering);
        for (n, (number, key)) in records.iter().enumerate() {
            queues.enter(Ticket(n), &partition(*number), key.map(str::as_bytes));
        }
        let mut released = VecDeque::new();
        for n in order {
            let (number, key) = records[*n];
            queues.ready(Ticket(*n), &partition(number), key.map(str::as_bytes), &mut released);
        }
        released.into_iter().map(|ticket| ticket.0).collect()
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
        let mut queues = PublishOrder::new(Ordering::Partition);
        queues.enter(Ticket(0), &partition(0), None);
        queues.remove(&partition(0));
        let mut released = VecDeque::new();
        queues.ready(Ticket(0), &partition(0), None, &mut released);
        assert!(released.is_empty());
    }
}
