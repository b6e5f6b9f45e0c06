//! A provider whose certificate comes of the user's own authority.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::OPEN;
use super::program::Program;
use super::stub_provider::{Script, StubProvider};

/// An authority as PEM, and the server's side of a certificate for this host that it has signed.
pub(super) fn authority(host: &str) -> (String, TlsAcceptor) {
    let (key, server_key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let server = CertificateParams::new([host.to_owned()]).expect("parameters");
    let server = server.signed_by(&server_key, &issuer).expect("a certificate");
    let private = PrivateKeyDer::try_from(server_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], private)
        .expect("a configuration");
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// Encrypts what comes before a server that does not; returns the port.
pub(super) async fn encrypted(acceptor: TlsAcceptor, server: &StubProvider) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let plain = server.root_url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, plain) = (acceptor.clone(), plain.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate ends the connection.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(plain).await.expect("the server");
                drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_own_authority_is_trusted_when_ssl_cert_file_names_it() {
    let (stub, (trusted, acceptor)) = (StubProvider::start(Script::default()), authority("localhost"));
    let port = encrypted(acceptor, &stub).await;
    let directory = tempfile::tempdir().expect("a directory");
    let configuration = format!(
        "{OPEN}providers:\n  own: {{ kind: openai, base_url: \"https://localhost:{port}/v1\", model: m, api_key_env: null }}\n\
         routing: {{ fallback: [own] }}\n"
    );
    let request = json!({ "prompt": "x", "schema": { "type": "object" }, "options": { "timeout": "5s" } });
    let status = |name: &str, authority: &str| {
        let file = directory.path().join(name);
        std::fs::write(&file, authority).expect("a file");
        let program = Program::start_with(&configuration, &[("SSL_CERT_FILE", file.to_str().expect("a path"))]);
        let answer = program.post("/v1/analyze", &request);
        (answer.status, format!("{answer:?}"))
    };
    let (refused, said) = status("another.pem", &authority("localhost").0);
    assert_eq!((refused, stub.calls()), (503, 0), "{said}");
    let (answered, said) = status("own.pem", &trusted);
    assert_eq!((answered, stub.calls()), (200, 1), "{said}");
}
