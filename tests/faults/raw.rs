//! Records that client libraries refuse to send: the request is written by hand, as anybody may do.

use super::broker;
use super::cluster::Cluster;
use super::proxy::{api, short};
use super::wire::{self, text};

/// Sends an event with a header whose name is not UTF-8.
pub fn send_with_bad_header_name(topic: &str, partition: i32, id: &str, body: &str) {
    let headers: [(&[u8], &[u8]); 6] = [
        (b"ce_specversion", b"1.0"),
        (b"ce_id", id.as_bytes()),
        (b"ce_source", b"/test"),
        (b"ce_type", b"com.example.ticket.v1"),
        (b"content-type", b"application/json"),
        (b"x-\xff\xfe", b"y"),
    ];
    let batch = batch(&record(format!("{{\"body\":\"{body}\"}}").as_bytes(), &headers));
    let mut request = wire::head(api::PRODUCE, 3);
    // No transaction, all replicas in sync, ten seconds.
    request.extend([-1_i16, -1].map(i16::to_be_bytes).concat());
    request.extend([10_000_i32, 1].map(i32::to_be_bytes).concat());
    text(&mut request, topic);
    let length = i32::try_from(batch.len()).expect("a short batch");
    request.extend([1, partition, length].map(i32::to_be_bytes).concat());
    request.extend(batch);

    let node = Cluster::leader(topic, partition);
    let address = broker::brokers().split(',').nth(node - 1).expect("its address").to_owned();
    let reply = wire::exchange(&address, &request);
    // Correlation, one topic with its name, one partition with its number.
    let error = short(&reply, 4 + 4 + 2 + topic.len() + 4 + 4);
    assert_eq!(error, 0, "the broker refuses the record");
}

/// A signed number as records have it.
fn number(bytes: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)) as u64;
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

fn with_length(bytes: &mut Vec<u8>, part: &[u8]) {
    number(bytes, part.len() as i64);
    bytes.extend(part);
}

fn record(value: &[u8], headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    // No attributes, no time and no offset beyond those of the batch, no key.
    let mut record = vec![0, 0, 0];
    number(&mut record, -1);
    with_length(&mut record, value);
    number(&mut record, headers.len() as i64);
    for (name, value) in headers {
        with_length(&mut record, name);
        with_length(&mut record, value);
    }
    let mut whole = Vec::new();
    with_length(&mut whole, &record);
    whole
}

/// A batch of one record, not of a producer with an id.
fn batch(record: &[u8]) -> Vec<u8> {
    const TIME: i64 = 1_700_000_000_000;
    let mut body = vec![0; 2 + 4];
    body.extend([TIME, TIME, -1].map(i64::to_be_bytes).concat());
    body.extend((-1_i16).to_be_bytes());
    body.extend([-1, 1].map(i32::to_be_bytes).concat());
    body.extend(record);
    let mut batch = 0_i64.to_be_bytes().to_vec();
    // Leader epoch, version and checksum count.
    batch.extend(i32::try_from(body.len() + 9).expect("short").to_be_bytes());
    batch.extend((-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend(crc32c(&body).to_be_bytes());
    batch.extend(body);
    batch
}

fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 };
        }
    }
    !crc
}
