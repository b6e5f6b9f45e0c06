//! A proxy before a Redis, which can hold back what a process sends. What Redis sends always arrives.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    port: u16,
    holds_back: watch::Sender<bool>,
    holds_something: watch::Receiver<bool>,
}

impl Proxy {
    /// One before the Redis at this URL.
    pub async fn start(url: &str) -> Self {
        let server = url.strip_prefix("redis://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (holds_back, is_holding_back) = watch::channel(false);
        let (something, holds_something) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = TcpStream::connect(&server).await.unwrap().into_split();
                tokio::spawn(pass_on(from_client, to_server, is_holding_back.clone(), something.clone()));
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            }
        });
        Self { port, holds_back, holds_something }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on what a process sends waits, or arrives.
    pub fn hold_back(&self, holds_back: bool) {
        self.holds_back.send_replace(holds_back);
    }

    pub async fn until_it_holds_something(&self) {
        let mut holds_something = self.holds_something.clone();
        let waited = tokio::time::timeout(Duration::from_secs(20), holds_something.wait_for(|holds| *holds)).await;
        waited.expect("nothing was sent within 20 s").unwrap();
    }
}

async fn pass_on(
    mut from_client: OwnedReadHalf,
    mut to_server: OwnedWriteHalf,
    mut is_holding_back: watch::Receiver<bool>,
    holds_something: watch::Sender<bool>,
) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from_client.read(&mut bytes).await {
        if *is_holding_back.borrow() {
            holds_something.send_replace(true);
        }
        // An error is the end of the test.
        if is_holding_back.wait_for(|holds_back| !holds_back).await.is_err() {
            return;
        }
        holds_something.send_replace(false);
        if to_server.write_all(&bytes[..len]).await.is_err() {
            return;
        }
    }
}
