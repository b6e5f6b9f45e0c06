//! The `http` section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::config::diagnostics::Diagnostics;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, choice, integer, socket_address};
use crate::http::settings::{Auth, HttpSettings};
use crate::pipeline::spec::PatternPolicy;

/// Health, metrics and the API listen here: reachable from this machine only, until someone decides otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Some 100 MB of buffers when all of them are used, and far more than one process answers.
const DEFAULT_CONNECTIONS: u32 = 8192;
/// A mebibyte holds the prompts of a batch of ordinary size.
const DEFAULT_BODY_KB: u32 = 1024;
/// What clients wait for a web server.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The limit that the pipeline's promises are made for.
const DEFAULT_PROMPT_CHARS: u32 = 10_000;

/// Words for what to do with suspicious input, in connectors too.
pub(in crate::config) const PATTERN_POLICIES: &[(&str, PatternPolicy)] =
    &[("flag", PatternPolicy::Flag), ("reject", PatternPolicy::Reject), ("off", PatternPolicy::Off)];

const AUTH: &[(&str, Auth)] = &[("keys", Auth::Keys), ("off", Auth::Off)];

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>) -> HttpSettings {
    let listen = section.get("listen", socket_address).unwrap_or(DEFAULT_LISTEN);
    let max_connections = section.get("max_connections", integer(1..=1_000_000)).unwrap_or(DEFAULT_CONNECTIONS);
    let max_body_kb = section.get("max_body_kb", integer(1..=102_400)).unwrap_or(DEFAULT_BODY_KB);
    let max_prompt_chars = section.get("max_prompt_chars", integer(1..=1_000_000)).unwrap_or(DEFAULT_PROMPT_CHARS);
    let timeout = section.get("timeout", duration).unwrap_or(DEFAULT_TIMEOUT);
    if timeout.is_zero() {
        let problem = Problem::new("no answer comes in no time", "write for example 30s");
        diagnostics.note(&section.location_of("timeout"), problem);
    }
    let patterns = section.get("suspicious_input", choice(PATTERN_POLICIES, &[])).unwrap_or(PatternPolicy::Reject);
    let auth = auth(diagnostics, &mut section, listen);
    section.finish();
    HttpSettings {
        listen,
        auth,
        max_prompt_chars: max_prompt_chars as usize,
        timeout,
        patterns,
        max_connections: max_connections as usize,
        max_body_bytes: max_body_kb as usize * 1024,
    }
}

/// Without keys, whoever reaches the address spends money.
fn auth(diagnostics: &Diagnostics, section: &mut Section<'_>, listen: SocketAddr) -> Auth {
    let auth = section.get("auth", choice(AUTH, &[])).unwrap_or(Auth::Keys);
    if auth == Auth::Off && !listen.ip().is_loopback() {
        let message = format!("without keys everybody who reaches {listen} may ask");
        let help = "remove `auth: off`, or listen on 127.0.0.1";
        diagnostics.note(&section.location_of("auth"), Problem::new(message, help));
    }
    auth
}
