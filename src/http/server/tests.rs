use std::sync::Arc;

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::http::settings::TlsFiles;
use crate::http::tls::Certificate;

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(router: Router, max_connections: usize) -> Server {
    start_with(router, max_connections, None).await
}

async fn start_with(router: Router, max_connections: usize, tls: Option<TlsAcceptor>) -> Server {
    let socket = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let (address, stop) = (socket.local_addr().unwrap(), CancellationToken::new());
    let tasks = Tasks::new(Handle::current());
    let listener = Listener { socket, tls, max_connections };
    let task = tasks.service(serve(listener, router, tasks.clone(), stop.clone()));
    Server { address, stop, task }
}

async fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

async fn rest(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_send_its_headers_is_disconnected() {
    let server = start(Router::new(), 1).await;
    let client = ask(server.address, "GET / HTTP/1.1\r\nhost: a\r\nx-slow").await;
    let began_at = tokio::time::Instant::now();
    assert_eq!(rest(client).await, "");
    assert!((5..=15).contains(&began_at.elapsed().as_secs()), "{:?}", began_at.elapsed());
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let server = start(Router::new(), 1).await;
    let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx-large: {}\r\n\r\n", "x".repeat(MAX_HEADER_BYTES));
    let answer = rest(ask(server.address, &request).await).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_has_begun_to_answer() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (is_begun, goes_on) = (Arc::clone(&begun), Arc::clone(&go_on));
    let slow = async move || {
        is_begun.notify_one();
        goes_on.notified().await;
        "finished"
    };
    let server = start(Router::new().route("/slow", get(slow)), 2).await;
    let idle = ask(server.address, "").await;
    let client = ask(server.address, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    begun.notified().await;
    server.stop.cancel();
    assert_eq!(rest(idle).await, "", "a connection without a request is closed at once");
    go_on.notify_one();
    let answer = rest(client).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("finished"), "{answer}");
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_disconnected_by_the_system() {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    set_options(&stream).unwrap();
    assert_eq!(rustix::net::sockopt::tcp_user_timeout(&stream).unwrap(), 60_000);
    assert!(stream.nodelay().unwrap());
}

#[tokio::test]
async fn no_more_connections_are_served_than_there_may_be() {
    let server = start(Router::new().route("/", get(async || "here")), 1).await;
    let first = ask(server.address, "").await;
    let second = ask(server.address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    let second = Tasks::new(Handle::current()).side_work(rest(second));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished(), "it waits for a place");
    drop(first);
    assert!(second.await.unwrap().ends_with("here"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_finish_its_handshake_is_disconnected() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name);
    let files = TlsFiles { cert_file: path("cert.pem"), key_file: path("key.pem") };
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.cert_file, made.cert.pem()).unwrap();
    std::fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
    let tls = Arc::new(Certificate::load(files).unwrap()).acceptor().unwrap();
    let server = start_with(Router::new().route("/", get(async || "here")), 1, Some(tls)).await;
    let silent = ask(server.address, "").await;
    let began_at = tokio::time::Instant::now();
    assert_eq!(rest(silent).await, "");
    assert!((5..=15).contains(&began_at.elapsed().as_secs()), "{:?}", began_at.elapsed());
    let mut answer = Vec::new();
    let mut without_tls = ask(server.address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    // The refusal may come as an alert, or as a closed connection.
    drop(without_tls.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).contains("here"), "{answer:?}");
}
