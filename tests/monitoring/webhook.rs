//! Where alerts are sent to.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use super::broker::block_on;

type Received = Arc<Mutex<Vec<(String, Value)>>>;

/// A server that keeps what it is sent. It ends with the process.
pub struct Webhook {
    address: String,
    received: Received,
}

impl Webhook {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let address = listener.local_addr().expect("its address").to_string();
        let received = Received::default();
        let router = Router::new().route("/{receiver}", post(receive)).with_state(Arc::clone(&received));
        std::thread::spawn(move || {
            block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the socket");
                axum::serve(listener, router).await
            })
        });
        Self { address, received }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The alerts so far, each with the receiver that it was sent to.
    pub fn alerts(&self) -> Vec<(String, Value)> {
        let received = self.received.lock().expect("what was received");
        let alerts = |(receiver, message): &(String, Value)| {
            let alerts = message["alerts"].as_array().cloned().unwrap_or_default();
            alerts.into_iter().map(|alert| (receiver.clone(), alert)).collect::<Vec<_>>()
        };
        received.iter().flat_map(alerts).collect()
    }
}

async fn receive(Path(receiver): Path<String>, State(received): State<Received>, Json(message): Json<Value>) {
    received.lock().expect("what was received").push((receiver, message));
}
