//! Secrets that stand in files are replaced while the program runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tempfile::TempDir;

use super::program::Program;
use super::servers::Postgres;
use super::stub_provider::{Fault, Script, StubProvider};
use super::{OPEN, wait_until};

/// Longer than the program needs to notice a new file, shorter than it leaves a provider alone that refuses its key.
const SOON: Duration = Duration::from_secs(12);

/// A directory in which everybody can read.
fn readable() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    directory
}

fn path(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().expect("a path").to_owned()
}

#[test]
fn a_new_key_of_a_provider_is_used_without_a_restart_and_without_a_pause() {
    let stub = StubProvider::start(Script::default());
    let directory = readable();
    let file = path(&directory, "token");
    fs::write(&file, "canary-first\n").expect("a file");
    let configuration = format!(
        "{OPEN}providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: m, api_key_env: TOKEN }}\n\
         routing: {{ fallback: [stub] }}\ncache: {{ ttl: 0s }}\n",
        stub.base_url()
    );
    let program = Program::start_with(&configuration, &[("TOKEN_FILE", &file)]);
    let ask = || program.post("/v1/analyze", &json!({ "prompt": "x", "schema": { "type": "object" } })).status;
    assert_eq!(ask(), 200);
    // The token has ended: the provider is left alone for 15 s.
    stub.set_script(Script { keys: vec![("canary-first", Fault::Error(401))], ..Script::default() });
    assert_ne!(ask(), 200);
    fs::write(&file, "canary-second\n").expect("a file");
    wait_until("an answer with the new key", SOON, || match ask() {
        200 => Ok(()),
        status => Err(format!("{status}\n{}", program.log_text())),
    });
    let keys = stub.keys();
    assert_eq!(
        (keys.first().map(String::as_str), keys.last().map(String::as_str)),
        (Some("canary-first"), Some("canary-second"))
    );
    fs::remove_file(&file).expect("the file");
    wait_until("the missing file in health", SOON, || {
        let health = program.get("/v1/health").body["components"]["secret"]["TOKEN_FILE"].clone();
        let is_said = health["detail"].as_str().is_some_and(|it| it.contains("cannot be read"));
        (is_said && health["status"] == "degraded").then_some(()).ok_or_else(|| health.to_string())
    });
    assert_eq!(ask(), 200, "the former key stays in use");
    assert!(!program.log_text().contains("canary"), "{}", program.log_text());
}

#[test]
fn a_new_admin_key_opens_what_the_former_one_opened() {
    let directory = readable();
    let file = path(&directory, "admin");
    let [first, second] = ["first", "second"].map(|name| format!("{name}-canary-of-more-than-32-characters"));
    fs::write(&file, &first).expect("a file");
    let configuration = "http: { listen: \"127.0.0.1:0\" }\nstore: { url: \"sqlite://keys.db\" }\n";
    let program = Program::start_with(configuration, &[("STRUCTURED_PROMPT_HTTP__ADMIN_KEY_FILE", &file)]);
    let status = |key: &str| program.get_with_key("/admin/api-keys", key).status;
    assert_eq!((status(&first), status(&second)), (200, 401));
    fs::write(&file, &second).expect("a file");
    wait_until("the new key", SOON, || match (status(&first), status(&second)) {
        (401, 200) => Ok(()),
        statuses => Err(format!("{statuses:?}")),
    });
    assert!(!program.log_text().contains("canary"), "{}", program.log_text());
}

/// Lets nobody in without a password from now on.
async fn ask_for_passwords(rules: &str, admin: &mut PgConnection) {
    fs::write(rules, "host all all 127.0.0.1/32 scram-sha-256\n").expect("a file");
    sqlx::raw_sql("SELECT pg_reload_conf()").execute(admin).await.expect("the rules");
}

async fn set_password(admin: &mut PgConnection, password: &str) {
    let change = AssertSqlSafe(format!("ALTER ROLE tester PASSWORD '{password}'"));
    sqlx::raw_sql(change).execute(admin).await.expect("the password");
}

fn write_url(file: &str, server: &Postgres, password: &str) {
    let url = server.url().replace("tester@", &format!("tester:{password}@"));
    fs::write(file, url).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_of_the_database_is_used_for_new_connections() {
    let directory = readable();
    let (rules, file) = (path(&directory, "pg_hba.conf"), path(&directory, "url"));
    fs::write(&rules, "host all all 127.0.0.1/32 trust\n").expect("a file");
    fs::set_permissions(Path::new(&rules), fs::Permissions::from_mode(0o644)).expect("permissions");
    let server = Postgres::with_settings(&[&format!("hba_file={rules}")]);
    let mut admin = PgConnectOptions::from_str(&server.url()).expect("a URL").connect().await.expect("the server");
    set_password(&mut admin, "canary1").await;
    ask_for_passwords(&rules, &mut admin).await;
    write_url(&file, &server, "canary1");

    let variables = [("STRUCTURED_PROMPT_STORE__URL_FILE", file.as_str())];
    let configuration = "http: { listen: \"127.0.0.1:0\", auth: off }\n";
    Program::command_with(configuration, &variables, &["migrate"]);
    let program = Program::start_with(configuration, &variables);
    let stored = || program.get("/v1/schemas").status;
    wait_until("the store", SOON, || (stored() == 200).then_some(()).ok_or_else(|| program.log_text()));

    set_password(&mut admin, "canary2").await;
    write_url(&file, &server, "canary2");
    wait_until("the new secret", SOON, || {
        program.log_text().contains("a new secret is in use").then_some(()).ok_or_else(|| program.log_text())
    });
    // Connections that exist go on; now there is none.
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'tester'";
    sqlx::raw_sql(end).execute(&mut admin).await.expect("their end");
    wait_until("the store with the new password", SOON, || {
        (stored() == 200).then_some(()).ok_or_else(|| program.log_text())
    });
    wait_until("the journal with the new password", SOON, || match program.get("/v1/health/ready").status {
        200 => Ok(()),
        status => Err(format!("{status}\n{}", program.log_text())),
    });
    assert!(!program.log_text().contains("canary"), "{}", program.log_text());
}
