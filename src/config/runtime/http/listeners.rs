//! Where HTTP listens, and what encrypts it: `listen`, `admin_listen`, `redirect_listen` and `tls` of the `http` section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::config::diagnostics::Diagnostics;
use crate::config::section::Section;
use crate::config::values::{Problem, flag, integer, socket_address, text};
use crate::http::redirect::HTTPS;
use crate::http::settings::{TlsFiles, TlsSettings};
use crate::http::tls;

/// Health, metrics and the API listen here: reachable from this machine only, until someone decides otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

pub(super) struct Listeners {
    pub(super) listen: SocketAddr,
    pub(super) admin_listen: Option<SocketAddr>,
    pub(super) redirect_listen: Option<SocketAddr>,
    pub(super) tls: Option<TlsSettings>,
}

pub(super) fn read(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Listeners {
    let listen = section.get("listen", socket_address).unwrap_or(DEFAULT_LISTEN);
    let admin_listen = section.get("admin_listen", socket_address);
    let redirect_listen = section.get("redirect_listen", socket_address);
    let tls = tls(diagnostics, section.section("tls"), base, listen.port());
    if redirect_listen.is_some() && tls.is_none() {
        let problem = Problem::new("nothing is encrypted that clients could be sent to", "set http.tls as well");
        diagnostics.note(&section.location_of("redirect_listen"), problem);
    }
    let mut taken = vec![("listen", listen)];
    for (key, address) in [("admin_listen", admin_listen), ("redirect_listen", redirect_listen)] {
        let Some(address) = address else { continue };
        if let Some((other, _)) = taken.iter().find(|(_, it)| *it == address && address.port() != 0) {
            let problem = Problem::new(format!("this is the address of http.{other}"), "choose another port");
            diagnostics.note(&section.location_of(key), problem);
        }
        taken.push((key, address));
    }
    Listeners { listen, admin_listen, redirect_listen, tls }
}

fn tls(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path, port: u16) -> Option<TlsSettings> {
    let (cert_file, key_file) = (section.get("cert_file", text), section.get("key_file", text));
    let public_port = section.get("public_port", integer(1..=65_535)).and_then(|port| u16::try_from(port).ok());
    let hsts = section.get("hsts", flag);
    let is_wanted = cert_file.is_some() || key_file.is_some() || public_port.is_some() || hsts.is_some();
    for (key, file) in [("cert_file", &cert_file), ("key_file", &key_file)] {
        if is_wanted && file.is_none() {
            section.missing(key);
        }
    }
    // Browsers keep it for the whole host. Only on the usual port is the host surely this service's alone: `localhost`
    // with another one has other services beside it, which would not be found any more.
    let hsts = hsts.unwrap_or(public_port.unwrap_or(port) == HTTPS);
    let location = section.location().clone();
    section.finish();
    let files = TlsFiles { cert_file: base.join(cert_file?), key_file: base.join(key_file?) };
    if let Err(error) = tls::read(&files) {
        diagnostics.note(&location, Problem::new(error.to_string(), ""));
    }
    Some(TlsSettings { files, public_port, hsts })
}
