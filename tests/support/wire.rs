//! Requests of Kafka's protocol that client libraries do not make, written by hand.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A text with its length.
pub fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(i16::try_from(text.len()).expect("a short text").to_be_bytes());
    bytes.extend(text.as_bytes());
}

/// A request's beginning, up to its body.
pub fn head(api: i16, version: i16) -> Vec<u8> {
    let mut request = [api, version].map(i16::to_be_bytes).concat();
    // The correlation, which comes back.
    request.extend(1_i32.to_be_bytes());
    text(&mut request, "tests");
    request
}

/// Sends a request to a broker and returns its reply, from the correlation on.
pub fn exchange(address: &str, request: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).expect("the broker");
    connection.write_all(&i32::try_from(request.len()).expect("short").to_be_bytes()).expect("the length");
    connection.write_all(request).expect("the request");
    let mut length = [0; 4];
    connection.read_exact(&mut length).expect("the reply");
    let mut reply = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
    connection.read_exact(&mut reply).expect("the reply");
    reply
}
