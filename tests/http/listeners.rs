//! Where the program listens: encrypted, for administrators alone, and for those who are sent to what is encrypted.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair};
use reqwest::{Certificate, Client};
use serde_json::json;

use super::program::{Program, send};
use super::wait_until;

const ADMIN_KEY: &str = "an-admin-key-of-more-than-32-characters";

fn made() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("a certificate")
}

/// A client that trusts this certificate alone.
fn client(trusted: &CertifiedKey<KeyPair>) -> Client {
    let trusted = Certificate::from_der(trusted.cert.der()).expect("a certificate");
    Client::builder().tls_certs_only([trusted]).no_proxy().build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_api_shows_a_new_certificate_without_a_restart() {
    let (old, new) = (made(), made());
    let redirect = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address");
    let files = [("cert.pem", old.cert.pem()), ("key.pem", old.signing_key.serialize_pem())];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let configuration = format!(
        "http: {{ listen: \"127.0.0.1:0\", auth: off, redirect_listen: \"{redirect}\", \
         tls: {{ cert_file: cert.pem, key_file: key.pem, public_port: 443 }} }}\nstore: {{ url: none }}\n"
    );
    let program = Program::start_with_files(&files, &configuration);
    let url = format!("https://{}/v1/health/ready", program.address());

    let answer = client(&old).get(&url).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert!(client(&new).get(&url).send().await.is_err());
    program.command(&["healthcheck", "--address", &format!("https://{}", program.address())]);
    let sent_on = send(&redirect.to_string(), "GET", "/v1/health?a=b", "", "");
    assert_eq!((sent_on.status, sent_on.header("location")), (308, "https://x/v1/health?a=b"), "the public port");
    let started = program.log_text();
    assert!(started.contains(&format!("\"redirect\":\"{redirect}\"")) && started.contains("\"tls\":true"), "{started}");

    std::fs::write(program.file("cert.pem"), new.cert.pem()).expect("a file");
    std::fs::write(program.file("key.pem"), new.signing_key.serialize_pem()).expect("a file");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while let Err(error) = client(&new).get(&url).send().await {
        assert!(tokio::time::Instant::now() < deadline, "{error:?}\n{}", program.log_text());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!program.log_text().contains("PRIVATE KEY"), "{}", program.log_text());
}

#[test]
fn administrators_may_have_an_address_of_their_own() {
    let configuration = "http: { listen: \"127.0.0.1:0\", admin_listen: \"127.0.0.1:0\", admin_key_file: admin.key }\n\
                         store: { url: \"sqlite://keys.db\" }\n";
    let program = Program::start_with_files(&[("admin.key", ADMIN_KEY)], configuration);
    let admin = program.admin_address();
    let key = format!("authorization: Bearer {ADMIN_KEY}\r\n");
    let hidden = send(program.address(), "GET", "/admin/api-keys", &key, "");
    assert_eq!((hidden.status, &hidden.body["code"]), (404, &json!("not_found")));
    assert_eq!(send(&admin, "GET", "/admin/api-keys", "", "").status, 401);
    let made = send(&admin, "POST", "/admin/api-keys", &key, r#"{"name": "me"}"#);
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.body["key"].as_str().expect("a key").to_owned();
    wait_until("the new key", Duration::from_secs(20), || {
        match send(program.address(), "GET", "/v1/providers", &format!("authorization: Bearer {made}\r\n"), "").status {
            200 => Ok(()),
            status => Err(format!("{status}")),
        }
    });
    assert_eq!(send(&admin, "GET", "/v1/health", "", "").status, 404, "only what is for administrators");
}
