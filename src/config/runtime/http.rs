//! The `http` section. [`listeners`] reads the addresses and the certificate, [`cors`] what web pages may do.

mod cors;
mod listeners;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use self::listeners::Listeners;
use crate::config::diagnostics::Diagnostics;
use crate::config::document::{Node, Origin};
use crate::config::secret_file;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, choice, integer, text};
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::CurrentSecret;
use crate::http::settings::{Auth, HttpSettings, RateLimitStore};
use crate::pipeline::spec::PatternPolicy;

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

/// What nobody guesses.
const MIN_ADMIN_KEY_CHARS: usize = 32;

const RATE_LIMITS: &[(&str, RateLimitStore)] = &[("auto", RateLimitStore::Auto), ("memory", RateLimitStore::Memory)];

const AUTH: &[(&str, Auth)] = &[("keys", Auth::Keys), ("off", Auth::Off)];

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> HttpSettings {
    let Listeners { listen, admin_listen, redirect_listen, tls } = listeners::read(diagnostics, &mut section, base);
    let max_connections = section.get("max_connections", integer(1..=1_000_000)).unwrap_or(DEFAULT_CONNECTIONS);
    let max_body_kb = section.get("max_body_kb", integer(1..=102_400)).unwrap_or(DEFAULT_BODY_KB);
    let max_prompt_chars = section.get("max_prompt_chars", integer(1..=1_000_000)).unwrap_or(DEFAULT_PROMPT_CHARS);
    let timeout = section.get("timeout", duration).unwrap_or(DEFAULT_TIMEOUT);
    if timeout.is_zero() {
        let problem = Problem::new("no answer comes in no time", "write for example 30s");
        diagnostics.note(&section.location_of("timeout"), problem);
    }
    let patterns = section.get("suspicious_input", choice(PATTERN_POLICIES, &[])).unwrap_or(PatternPolicy::Reject);
    let rate_limits = section.get("rate_limits", choice(RATE_LIMITS, &[])).unwrap_or(RateLimitStore::Auto);
    let admin_key = section.get("admin_key", admin_key).map(CurrentSecret::from);
    let admin_key = admin_key_in_file(diagnostics, &mut section, base).or(admin_key);
    let cors = cors::read(diagnostics, section.section("cors"));
    let auth = auth(diagnostics, &mut section, listen);
    section.finish();
    HttpSettings {
        listen,
        admin_listen,
        redirect_listen,
        tls,
        auth,
        admin_key,
        cors,
        max_prompt_chars: max_prompt_chars as usize,
        timeout,
        patterns,
        rate_limits,
        max_connections: max_connections as usize,
        max_body_bytes: max_body_kb as usize * 1024,
    }
}

/// In a variable only: files are copied and committed.
fn admin_key(node: &Node) -> Result<Secret, Problem> {
    if !matches!(node.origin, Origin::Variable(_)) {
        let help = "take it out; set the environment variable STRUCTURED_PROMPT_HTTP__ADMIN_KEY, or admin_key_file";
        return Err(Problem::new("a key must not stand in a file", help));
    }
    let written = text(node)?;
    check_admin_key(&written).map(|()| Secret::new(written)).map_err(|message| Problem::new(message, ""))
}

fn admin_key_in_file(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Option<CurrentSecret> {
    let path = base.join(section.get("admin_key_file", text)?);
    let location = section.location_of("admin_key_file");
    secret_file::read(diagnostics, (location.path.clone(), &location), path, Box::new(check_admin_key))
}

fn check_admin_key(written: &str) -> Result<(), String> {
    if written.chars().count() < MIN_ADMIN_KEY_CHARS {
        return Err(format!(
            "an admin key has at least {MIN_ADMIN_KEY_CHARS} characters; make one with `openssl rand -hex 32`"
        ));
    }
    Ok(())
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
