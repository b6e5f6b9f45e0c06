//! The proxies that the environment names for calls to providers, by the variables that other programs read too.

use std::net::IpAddr;

use crate::config::diagnostics::Diagnostics;
use crate::config::environment::Environment;
use crate::config::finding::{Finding, Place};
use crate::domain::secret::Secret;
use crate::llm::settings::ProxySettings;

/// For each scheme of a server's URL the variables that name its proxy. The first that is set counts.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// Hosts that are asked without one.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxies of the process.
pub(super) struct Proxies {
    https: Option<Secret>,
    http: Option<Secret>,
    not_for: String,
}

impl Proxies {
    /// Reads the variables.
    pub(super) fn read(diagnostics: &Diagnostics, environment: &Environment) -> Self {
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, environment.get(name)?)));
        let proxy = |names| {
            let (name, written) = first(names)?;
            let url = proxy_url(written);
            if url.is_none() {
                diagnostics.add(unusable(name));
            }
            url
        };
        let not_for = first(NO_PROXY).map_or_else(String::new, |(_, hosts)| hosts.to_owned());
        Self { https: proxy(HTTPS), http: proxy(HTTP), not_for }
    }

    /// That of calls to a server. None for this machine, whatever the variables say.
    pub(super) fn of(&self, base_url: &str) -> Option<ProxySettings> {
        let (scheme, rest) = base_url.split_once("://")?;
        let url = if scheme == "https" { self.https.as_ref() } else { self.http.as_ref() }?;
        let authority = rest.split('/').next().unwrap_or_default();
        let proxy = ProxySettings { url: url.clone(), not_for: self.not_for.clone() };
        (!is_loopback(host(authority))).then_some(proxy)
    }
}

/// A proxy without a scheme is an HTTP proxy, as other programs take it.
fn proxy_url(written: &str) -> Option<Secret> {
    let written = written.trim();
    let url = if written.contains("://") { written.to_owned() } else { format!("http://{written}") };
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    let is_clean = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    (is_clean && !host(server).is_empty()).then(|| Secret::new(url))
}

/// The host of `host:port`, an IPv6 address without its brackets.
fn host(server: &str) -> &str {
    if let Some((address, _)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    server.split_once(':').map_or(server, |(host, _)| host)
}

fn is_loopback(host: &str) -> bool {
    let is_local_name = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    is_local_name || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The value is not quoted: there may be a password in it.
fn unusable(variable: &str) -> Finding {
    Finding {
        place: Place::Variable(variable.to_owned()),
        key_path: String::new(),
        message: "this is not the URL of a proxy that can be used".to_owned(),
        help: "write http://HOST:PORT or https://HOST:PORT, or unset the variable; SOCKS is not spoken".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> (Proxies, Vec<Finding>) {
        let diagnostics = Diagnostics::new(None);
        let proxies = Proxies::read(&diagnostics, &variables.iter().copied().collect());
        (proxies, diagnostics.into_findings())
    }

    #[test]
    fn each_scheme_has_its_proxy_and_this_machine_has_none() {
        let variables =
            [("HTTPS_PROXY", "proxy:3128"), ("http_proxy", "http://me:canary@other:80/"), ("NO_PROXY", ".svc")];
        let (proxies, found) = proxies(&variables);
        assert_eq!(found, []);
        let of = |url: &str| proxies.of(url).map(|proxy| proxy.url.expose().to_owned());
        assert_eq!(of("https://api.openai.com/v1").as_deref(), Some("http://proxy:3128"));
        assert_eq!(of("http://vllm:8000/v1").as_deref(), Some("http://me:canary@other:80/"));
        assert_eq!(proxies.of("http://vllm:8000/v1").unwrap().not_for, ".svc");
        for local in [
            "http://127.0.0.1:8000/v1",
            "https://127.1.2.3",
            "http://[::1]:80/v1",
            "http://LOCALHOST:1",
            "https://a.localhost/",
        ] {
            assert_eq!(of(local), None, "{local}");
        }
        assert!(!format!("{:?}", proxies.of("http://vllm")).contains("canary"));
    }

    #[test]
    fn upper_case_counts_before_lower_case_and_an_empty_variable_is_not_set() {
        let https = |variables: &[(&str, &str)]| proxies(variables).0.https.map(|url| url.expose().to_owned());
        assert_eq!(https(&[("HTTPS_PROXY", "a:1"), ("https_proxy", "b:1")]).as_deref(), Some("http://a:1"));
        assert_eq!(https(&[("HTTPS_PROXY", ""), ("https_proxy", "https://b:1")]).as_deref(), Some("https://b:1"));
        assert_eq!(https(&[("HTTP_PROXY", "a:1")]), None);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_found_without_being_quoted() {
        for url in ["socks5://me:canary@proxy:1080", "http://", "http://canary@:80", "http://can ary:1"] {
            let (proxies, found) = proxies(&[("https_proxy", url)]);
            let [finding] = found.as_slice() else { panic!("{url}: {found:?}") };
            assert!(proxies.https.is_none() && finding.to_string().contains("https_proxy"), "{finding}");
            assert!(!finding.to_string().contains("canary"), "{finding}");
        }
    }
}
