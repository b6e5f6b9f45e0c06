//! Permissions on a real cluster, as its administrator gives them.
#![allow(dead_code, reason = "each test includes it and uses its part")]

use super::broker;
use super::wire::{self, text};

/// What a permission is about (KIP-11, `ResourceType`).
#[derive(Debug, Clone, Copy)]
pub enum Resource {
    Topic = 2,
    Group = 3,
    TransactionalId = 5,
}

/// What is permitted (KIP-11, `AclOperation`).
#[derive(Debug, Clone, Copy)]
pub enum Operation {
    Read = 3,
    Write = 4,
    /// Comes with the two above.
    Describe = 8,
    DescribeConfigs = 10,
}

const CREATE_ACLS: i16 = 30;
const DELETE_ACLS: i16 = 31;
/// The last version of both whose texts have a length of two bytes.
const VERSION: i16 = 1;
/// A name is meant as it stands.
const LITERAL: u8 = 3;
const ANY: u8 = 1;
const ALLOW: u8 = 3;

/// From now on nobody may do anything else with it.
pub fn allow_only(resource: Resource, name: &str, operations: &[Operation]) {
    let mut request = head(CREATE_ACLS, operations.len());
    for operation in operations {
        request.push(resource as u8);
        text(&mut request, name);
        request.push(LITERAL);
        text(&mut request, "User:*");
        text(&mut request, "*");
        request.extend([*operation as u8, ALLOW]);
    }
    send(&request);
}

/// From now on everybody may do everything with it again.
pub fn allow_all(resource: Resource, name: &str) {
    let mut request = head(DELETE_ACLS, 1);
    request.push(resource as u8);
    text(&mut request, name);
    request.push(LITERAL);
    // Whoever it is for, from wherever.
    request.extend([-1_i16, -1].map(i16::to_be_bytes).concat());
    request.extend([ANY, ANY]);
    send(&request);
}

/// Up to the number of entries.
fn head(api: i16, entries: usize) -> Vec<u8> {
    let mut request = wire::head(api, VERSION);
    request.extend(i32::try_from(entries).expect("few").to_be_bytes());
    request
}

fn send(request: &[u8]) {
    let brokers = broker::brokers();
    let reply = wire::exchange(brokers.split(',').next().expect("a broker"), request);
    // Correlation, time of throttling, number of entries; the first one begins with its error.
    let error = reply.get(12..14).expect("an entry");
    assert_eq!(error, [0, 0], "the broker refuses: {}", String::from_utf8_lossy(&reply));
}
