//! The `http` section.

use super::*;
use crate::http::settings::{CorsSettings, Origins};

fn cors(written: &str) -> Result<Option<CorsSettings>, String> {
    load_text(&format!("http: {{ cors: {written} }}"), &KEYED).map(|config| config.http.cors)
}

#[test]
fn pages_of_the_origins_that_are_named_may_ask() {
    let settings = cors("{ origins: ['https://app.example.com', 'http://localhost:3000'], credentials: true }");
    let settings = settings.unwrap().unwrap();
    assert!(matches!(&settings.origins, Origins::These(origins) if origins.len() == 2), "{settings:?}");
    assert!(settings.credentials && settings.max_age == Duration::from_secs(600));
    assert_eq!(cors("{ origins: ['*'] }").unwrap().unwrap().origins, Origins::Any);
    assert_eq!(cors("{}").unwrap(), None, "none may unless told");
    let environment = [KEYED[0], ("STRUCTURED_PROMPT_HTTP__CORS__ORIGINS", "https://a.example, https://b.example")];
    let of_environment = load_text("", &environment).unwrap().http.cors.unwrap();
    assert!(matches!(&of_environment.origins, Origins::These(origins) if origins.len() == 2), "{of_environment:?}");
}

#[test]
fn what_is_no_origin_is_refused() {
    for wrong in [
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/x",
        "HTTPS://app.example.com",
        "null",
        "ftp://a",
        "https://u@a",
        "https://A.example",
    ] {
        let found = cors(&format!("{{ origins: ['{wrong}'] }}")).unwrap_err();
        assert!(found.contains("http.cors.origins[0]: this is not an origin"), "{wrong}: {found}");
    }
}

#[test]
fn any_page_may_not_ask_in_the_name_of_its_visitor() {
    let found = cors("{ origins: ['*'], credentials: true }").unwrap_err();
    assert!(found.contains("http.cors.credentials: with credentials any web page"), "{found}");
}

#[test]
fn a_certificate_and_its_key_are_checked_where_they_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let tls_with = |cert: &str, key: &str, more: &str, listen: &str| {
        let (cert, key) = (path(cert), path(key));
        let (cert, key) = (cert.display(), key.display());
        let text = format!("http: {{ {listen} tls: {{ cert_file: '{cert}', key_file: '{key}' {more} }} }}");
        load_text(&text, &KEYED)
    };
    let tls = |cert: &str, key: &str| tls_with(cert, key, "", "");
    let config = tls("cert.pem", "key.pem").unwrap();
    assert_eq!(config.http.tls.unwrap().files.key_file, path("key.pem"));
    let found = tls("cert.pem", "cert.pem").unwrap_err();
    assert!(found.contains("http.tls: ") && found.contains("has no private key"), "{found}");
    let found = tls("missing.pem", "key.pem").unwrap_err();
    assert!(found.contains("missing.pem cannot be read"), "{found}");
    let of_browsers = |more: &str, listen: &str| {
        let tls = tls_with("cert.pem", "key.pem", more, listen).unwrap().http.tls.unwrap();
        (tls.hsts, tls.public_port)
    };
    assert_eq!(of_browsers("", ""), (false, None), "port 8080 of a host may have others beside it");
    assert_eq!(of_browsers(", public_port: 443", ""), (true, Some(443)));
    assert_eq!(of_browsers("", "listen: '0.0.0.0:443',"), (true, None));
    assert_eq!(of_browsers(", public_port: 8443", "listen: '0.0.0.0:443',"), (false, Some(8443)));
    assert_eq!(of_browsers(", hsts: false", "listen: '0.0.0.0:443',"), (false, None));
    assert_eq!(of_browsers(", hsts: true", ""), (true, None));
    let found = findings("http: { tls: { cert_file: a.pem } }");
    assert!(found.contains("http.tls.key_file: is missing"), "{found}");
    let found = findings("http: { tls: { hsts: true } }");
    assert!(
        found.contains("http.tls.cert_file: is missing") && found.contains("http.tls.key_file: is missing"),
        "{found}"
    );
}

#[test]
fn no_address_is_taken_twice_and_clients_are_sent_only_to_what_is_encrypted() {
    let found = findings("http: { listen: '127.0.0.1:8080', admin_listen: '127.0.0.1:8080' }");
    assert!(found.contains("http.admin_listen: this is the address of http.listen"), "{found}");
    let found = findings("http: { redirect_listen: '127.0.0.1:8081' }");
    assert!(found.contains("http.redirect_listen: nothing is encrypted"), "{found}");
    let config = load_text("http: { listen: '127.0.0.1:0', admin_listen: '127.0.0.1:0' }", &KEYED).unwrap();
    assert_eq!(config.http.admin_listen, Some(([127, 0, 0, 1], 0).into()));
}
