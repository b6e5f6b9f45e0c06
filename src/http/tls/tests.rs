use std::fs;

use rcgen::{CertifiedKey as Made, KeyPair};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::file_watch::{LOOK_EVERY, watch};

/// The files of a certificate that was just made.
struct Files {
    directory: TempDir,
    made: Made<KeyPair>,
}

fn made() -> Made<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

impl Files {
    fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap(), made: made() };
        files.write(&files.made.cert.pem(), &files.made.signing_key.serialize_pem());
        files
    }

    fn names(&self) -> TlsFiles {
        let path = |name| self.directory.path().join(name);
        TlsFiles { cert_file: path("cert.pem"), key_file: path("key.pem") }
    }

    fn write(&self, certificate: &str, key: &str) {
        let TlsFiles { cert_file, key_file } = self.names();
        fs::write(cert_file, certificate).unwrap();
        fs::write(key_file, key).unwrap();
    }

    fn error(&self) -> String {
        read(&self.names()).unwrap_err().to_string()
    }
}

/// What a client that trusts this certificate alone finds out in a handshake.
async fn handshake(
    acceptor: &TlsAcceptor,
    trusted: &Made<KeyPair>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<(Option<ProtocolVersion>, Option<Vec<u8>>), String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(cryptography())).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (client, server) = tokio::io::duplex(1 << 16);
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let (connected, _accepted) = tokio::join!(connector.connect(name, client), acceptor.accept(server));
    let connection = connected.map_err(|error| error.to_string())?;
    let (_, session) = connection.get_ref();
    Ok((session.protocol_version(), session.alpn_protocol().map(<[u8]>::to_vec)))
}

#[tokio::test]
async fn connections_speak_tls_1_3_and_nothing_older() {
    let files = Files::new();
    let acceptor = Arc::new(Certificate::load(files.names()).unwrap()).acceptor().unwrap();
    let spoken = handshake(&acceptor, &files.made, &[&version::TLS12, &version::TLS13]).await.unwrap();
    assert_eq!(spoken, (Some(ProtocolVersion::TLSv1_3), Some(b"http/1.1".to_vec())));
    let refused = handshake(&acceptor, &files.made, &[&version::TLS12]).await.unwrap_err();
    assert!(refused.contains("ProtocolVersion"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_new_certificate_is_shown_when_both_files_are_there() {
    let files = Files::new();
    let certificate = Arc::new(Certificate::load(files.names()).unwrap());
    let acceptor = Arc::clone(&certificate).acceptor().unwrap();
    let (stop, new) = (CancellationToken::new(), made());
    let changes = async {
        let TlsFiles { cert_file, key_file } = files.names();
        fs::write(cert_file, new.cert.pem()).unwrap();
        tokio::time::sleep(LOOK_EVERY).await;
        assert!(handshake(&acceptor, &files.made, &[&version::TLS13]).await.is_ok(), "only one file is new");
        assert_eq!(certificate.components()[0].detail, None, "the other one is waited for");
        fs::write(key_file, new.signing_key.serialize_pem()).unwrap();
        tokio::time::sleep(LOOK_EVERY * 3).await;
        assert!(handshake(&acceptor, &new, &[&version::TLS13]).await.is_ok());
        assert!(handshake(&acceptor, &files.made, &[&version::TLS13]).await.is_err());
        assert_eq!(certificate.components()[0].status, Status::Up);
        stop.cancel();
    };
    tokio::join!(watch(vec![Arc::clone(&certificate) as Arc<dyn FromFiles>], stop.clone()), changes);
}

#[tokio::test(start_paused = true)]
async fn the_former_certificate_stays_while_the_new_files_cannot_be_used() {
    let files = Files::new();
    let certificate = Arc::new(Certificate::load(files.names()).unwrap());
    let acceptor = Arc::clone(&certificate).acceptor().unwrap();
    let stop = CancellationToken::new();
    let key = files.made.signing_key.serialize_pem();
    let changes = async {
        files.write(&made().cert.pem(), &key);
        tokio::time::sleep(LOOK_EVERY * 4).await;
        let [component] = &*certificate.components() else { panic!("one component") };
        assert_eq!((component.kind, component.status), ("http", Status::Degraded));
        let detail = component.detail.as_deref().unwrap();
        assert!(detail.contains("does not fit") && detail.ends_with("the former certificate stays in use"), "{detail}");
        assert!(handshake(&acceptor, &files.made, &[&version::TLS13]).await.is_ok());
        files.write(&files.made.cert.pem(), &key);
        tokio::time::sleep(LOOK_EVERY * 4).await;
        assert_eq!(certificate.components()[0].detail, None);
        stop.cancel();
    };
    tokio::join!(watch(vec![Arc::clone(&certificate) as Arc<dyn FromFiles>], stop.clone()), changes);
}

#[test]
fn what_is_wrong_with_the_files_is_said_without_quoting_them() {
    let files = Files::new();
    let (certificate, key) = (files.made.cert.pem(), files.made.signing_key.serialize_pem());
    let canary = key.lines().nth(1).unwrap();
    files.write("", &key);
    assert!(files.error().contains("cert.pem has no certificate"), "{}", files.error());
    for broken in [String::new(), certificate.clone(), key.replace("-----BEGIN", "----BEGIN")] {
        files.write(&certificate, &broken);
        let error = read(&files.names()).unwrap_err();
        assert!(error.to_string().contains("key.pem has no private key"), "{error}");
        assert!(!error.to_string().contains(canary) && !format!("{error:?}").contains(canary));
    }
    // What stands around a key means nothing, and is said of no other fault either.
    files.write(&certificate, &format!("{canary}\n{key}x"));
    if let Err(error) = read(&files.names()) {
        assert!(!error.to_string().contains(canary) && !format!("{error:?}").contains(canary));
    }
    files.write(&certificate, &made().signing_key.serialize_pem());
    assert!(files.error().contains("does not fit the certificate"), "{}", files.error());
    fs::remove_file(files.names().key_file).unwrap();
    assert!(files.error().contains("key.pem cannot be read"), "{}", files.error());
}
