//! Permissions on a real cluster, as its administrator gives them. The requests are written by hand: the client library has none.
#![allow(dead_code, reason = "each test includes it and uses its part")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::broker;

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
    let mut request = [api, VERSION].map(i16::to_be_bytes).concat();
    request.extend(1_i32.to_be_bytes());
    text(&mut request, "tests");
    request.extend(i32::try_from(entries).expect("few").to_be_bytes());
    request
}

fn text(request: &mut Vec<u8>, text: &str) {
    request.extend(i16::try_from(text.len()).expect("a short text").to_be_bytes());
    request.extend(text.as_bytes());
}

fn send(request: &[u8]) {
    let brokers = broker::brokers();
    let mut connection = TcpStream::connect(brokers.split(',').next().expect("a broker")).expect("the broker");
    connection.write_all(&i32::try_from(request.len()).expect("short").to_be_bytes()).expect("the length");
    connection.write_all(request).expect("the request");
    let mut length = [0; 4];
    connection.read_exact(&mut length).expect("the reply");
    let mut reply = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
    connection.read_exact(&mut reply).expect("the reply");
    // Correlation, time of throttling, number of entries; the first one begins with its error.
    let error = reply.get(12..14).expect("an entry");
    assert_eq!(error, [0, 0], "the broker refuses: {}", String::from_utf8_lossy(&reply));
}
