//! Calls to providers through a proxy, as corporate networks ask for it.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::OPEN;
use super::own_authority::{authority, encrypted};
use super::program::Program;
use super::stub_provider::{Script, StubProvider};

/// A name that nobody can look up: who is asked by it was asked through the proxy.
const HOST: &str = "provider.test";

/// A proxy that brings whoever it is asked for to one server, and what it was asked, each time up to the empty line.
#[derive(Clone)]
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let proxy = Self { address, asked: Arc::default() };
        let it = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(it.clone().serve(client, server.clone()));
            }
        });
        proxy
    }

    async fn serve(self, mut client: TcpStream, server: String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = client.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).expect("a head");
        let is_tunnel = head.starts_with("CONNECT ");
        self.asked.lock().expect("the list").push(head.clone());
        if !head.to_ascii_lowercase().contains("proxy-authorization: basic bwu6y2fuyxj5\r\n") {
            drop(client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await);
            return;
        }
        let mut server = TcpStream::connect(server).await.expect("the server");
        if is_tunnel {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.expect("the client");
        } else {
            server.write_all(head.as_bytes()).await.expect("the server");
        }
        drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the list").clone()
    }

    /// Its URL, with this password.
    fn url(&self, password: &str) -> String {
        format!("http://me:{password}@{}", self.address)
    }
}

fn configuration(base_url: &str) -> String {
    format!(
        "{OPEN}providers:\n  far: {{ kind: openai, base_url: \"{base_url}\", model: m, api_key_env: null }}\n\
         routing: {{ fallback: [far] }}\ncache: {{ ttl: 0s }}\n"
    )
}

fn ask(program: &Program) -> u16 {
    let request = json!({ "prompt": "x", "schema": { "type": "object" }, "options": { "timeout": "5s" } });
    program.post("/v1/analyze", &request).status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_call_goes_through_a_tunnel_that_is_kept() {
    let (stub, (trusted, acceptor)) = (StubProvider::start(Script::default()), authority(HOST));
    let port = encrypted(acceptor, &stub).await;
    let proxy = Proxy::start(format!("127.0.0.1:{port}")).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("trusted.pem");
    std::fs::write(&file, trusted).expect("a file");
    let (url, file) = (proxy.url("canary"), file.to_str().expect("a path"));
    let variables = [("HTTPS_PROXY", url.as_str()), ("SSL_CERT_FILE", file)];
    let program = Program::start_with(&configuration(&format!("https://{HOST}/v1")), &variables);
    for _ in 0..5 {
        assert_eq!(ask(&program), 200, "{}", program.log_text());
    }
    assert_eq!((stub.calls(), stub.protocol_errors()), (5, 0));
    let asked = proxy.asked();
    assert!(matches!(&asked[..], [one] if one.starts_with("CONNECT provider.test:443 HTTP/1.1\r\n")), "{asked:?}");
    assert!(!program.log_text().contains("canary"), "{}", program.log_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_encrypted_is_passed_on_by_its_own_proxy() {
    let stub = StubProvider::start(Script::default());
    let proxy = Proxy::start(stub.root_url().trim_start_matches("http://").to_owned()).await;
    let url = proxy.url("canary");
    let program = Program::start_with(&configuration(&format!("http://{HOST}/v1")), &[("http_proxy", &url)]);
    assert_eq!(ask(&program), 200, "{}", program.log_text());
    let asked = proxy.asked();
    assert!(asked[0].starts_with("POST http://provider.test/v1/chat/completions HTTP/1.1\r\n"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_and_what_no_proxy_names_are_asked_without_one() {
    let stub = StubProvider::start(Script::default());
    let proxy = Proxy::start(stub.root_url().trim_start_matches("http://").to_owned()).await;
    let url = proxy.url("canary");
    let program = Program::start_with(&configuration(&stub.base_url()), &[("HTTP_PROXY", &url)]);
    assert_eq!((ask(&program), stub.calls()), (200, 1), "{}", program.log_text());
    let variables = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", "other.test, .test")];
    let program = Program::start_with(&configuration(&format!("http://{HOST}/v1")), &variables);
    assert_eq!(ask(&program), 503, "nobody has the name");
    assert_eq!((proxy.asked(), stub.calls()), (Vec::new(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_its_user_is_no_fault_of_the_request() {
    let proxy = Proxy::start("127.0.0.1:1".to_owned()).await;
    let url = proxy.url("wrong-canary");
    let program = Program::start_with(&configuration(&format!("https://{HOST}/v1")), &[("HTTPS_PROXY", &url)]);
    assert_eq!(ask(&program), 503);
    assert!(!proxy.asked().is_empty());
    let log = program.log_text();
    assert!(log.contains("HTTPS_PROXY") && !log.contains("canary"), "{log}");
}
