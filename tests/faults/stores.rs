//! The store that remembers is away, slow, full or lies.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

use super::broker::block_on;
use super::proxy::{Direction, Verdict, api};
use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, tail};
use super::servers::{Postgres, Redis};
use super::service::Service;
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::ExactlyOnce;

const LIMIT: Duration = Duration::from_secs(120);
/// From the store's return to new outcomes.
const RECOVERY: Duration = Duration::from_secs(10);
const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(29, "Redis as journal: killed, stopped, flushed, full of garbage", "EOS", redis),
        Row::new(30, "Postgres as journal: down", "EOS", postgres_down),
        Row::new(31, "Postgres as journal: tables locked, sessions terminated", "EOS", postgres_disturbed),
        Row::new(32, "SQLite as journal: disk full, read-only, busy", "EOS", sqlite),
    ]
}

fn load(events: usize, url: String) -> Load {
    Load::new(ExactlyOnce, events).in_flight(50).latency(50, 200).store(url).deduplicated()
}

fn warm(scene: &Scene) -> Service {
    let service = scene.setup.start();
    scene.wait_written(200);
    service
}

fn wait_not_ready(service: &Service) {
    wait_until("not ready", Duration::from_secs(30), || match service.get("/v1/health/ready").0 {
        503 => Ok(()),
        status => Err(format!("{status}: {}", tail(service))),
    });
}

/// The store is gone for a while; the process lives, says so, and goes on when it is back.
fn away(
    tally: &mut Tally,
    scene: &Scene,
    service: &mut Service,
    time: Duration,
    gone: impl FnOnce(),
    back: impl FnOnce(),
) {
    gone();
    let began_at = Instant::now();
    wait_not_ready(service);
    // What was in the journal before is still published.
    std::thread::sleep(Duration::from_secs(2));
    let written = scene.written();
    while began_at.elapsed() < time {
        std::thread::sleep(Duration::from_millis(200));
        assert!(service.ended().is_none(), "{}", tail(service));
        tally.expect(service.get("/v1/health/live").0 == 200, || "not live".to_owned());
        tally.expect(service.get("/v1/health/ready").0 == 503, || "ready without a store".to_owned());
    }
    let more = scene.written() - written;
    tally.expect(more == 0, || format!("{more} records written that no journal has"));
    back();
    let came_back_at = Instant::now();
    scene.wait_written(20);
    tally.recovered(came_back_at.elapsed(), RECOVERY);
}

/// An answer waits for the store as it waits for the broker: no call is made twice.
fn end(tally: &mut Tally, scene: &Scene, service: &Service) {
    scene.wait_done(tally, service, None, LIMIT);
    scene.judge_codes(tally, &["missing_attribute"]);
}

fn redis(bench: &mut Bench) -> Tally {
    let down = Duration::from_secs(bench.times(3, 8, 60) as u64);
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 1, 5) {
        let server = Redis::start(DURABLE);
        let scene = Scene::new(&bench.cluster, load(4000, server.url()));
        let mut service = warm(&scene);
        away(&mut tally, &scene, &mut service, down, || server.kill(), || server.resume());
        // Longer than an answer of Redis is waited for.
        let stopped = down.max(Duration::from_secs(6));
        away(&mut tally, &scene, &mut service, stopped, || server.signal("STOP"), || server.signal("CONT"));
        for _ in 0..3 {
            server.command(&["FLUSHALL"]);
            scene.wait_written(100);
        }
        end(&mut tally, &scene, &service);
        tally.expect(scene.answers.extra() == 0, || "a call was made twice".to_owned());
        garbage(&mut tally, bench, &server);
    }
    tally
}

/// What was remembered of a process that dies before it has published is garbage when the next one reads it.
fn garbage(tally: &mut Tally, bench: &Bench, server: &Redis) {
    let events = 100;
    let scene = Scene::new(&bench.cluster, load(events, server.url()));
    bench.cluster.on_frame(
        |frame| {
            if frame.is(Direction::Request, api::PRODUCE) { Verdict::Swallow } else { Verdict::Pass }
        },
    );
    let mut service = scene.setup.start();
    let all = (0..events).filter(|n| n % 20 != 7).count();
    wait_until("all answers", Duration::from_secs(40), || match scene.answers.events() {
        count if count == all => Ok(()),
        count => Err(format!("{count} of {all}: {}", tail(&service))),
    });
    std::thread::sleep(Duration::from_millis(500));
    service.kill();
    bench.cluster.heal();
    let poisoned = server.poison("structured-prompt:outcome:*");
    tally.note(format!("{poisoned} entries poisoned"));
    let service = scene.setup.start();
    end(tally, &scene, &service);
    let is_said = service.log_text().contains("an outcome in the store is of another version");
    tally.expect(is_said, || "nobody noticed the garbage".to_owned());
    let extra = scene.answers.extra();
    tally.expect(extra == all, || format!("{extra} of {all} asked again"));
}

fn postgres_down(bench: &mut Bench) -> Tally {
    let down = Duration::from_secs(bench.times(5, 15, 60) as u64);
    let mut tally = Tally::default();
    let server = Postgres::migrated();
    for _ in 0..bench.times(1, 2, 5) {
        let scene = Scene::new(&bench.cluster, load(3000, server.url()));
        let mut service = warm(&scene);
        away(&mut tally, &scene, &mut service, down, || server.stop(), || server.resume());
        end(&mut tally, &scene, &service);
    }
    tally.extra_calls_at_most(0);
    tally
}

fn postgres_disturbed(bench: &mut Bench) -> Tally {
    const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let terminations = bench.times(5, 20, 200);
    let mut tally = Tally::default();
    let server = Postgres::migrated();
    for _ in 0..bench.times(1, 1, 5) {
        let scene = Scene::new(&bench.cluster, load(4000, server.url()));
        let mut instances = [warm(&scene), scene.setup.start()];
        let [service, _] = &mut instances;
        block_on(async {
            let mut session = PgConnection::connect(&server.url()).await.expect("a session");
            let mut transaction = session.begin().await.expect("a transaction");
            let lock = "LOCK TABLE outcomes, claims IN ACCESS EXCLUSIVE MODE";
            sqlx::query(lock).execute(&mut *transaction).await.expect("the lock");
            // Longer than a statement waits for a lock.
            tokio::time::sleep(Duration::from_secs(12)).await;
            assert!(service.ended().is_none(), "{}", tail(service));
            transaction.rollback().await.expect("its end");
        });
        let released_at = Instant::now();
        scene.wait_written(20);
        tally.recovered(released_at.elapsed(), RECOVERY);
        block_on(async {
            let mut session = PgConnection::connect(&server.url()).await.expect("a session");
            for _ in 0..terminations {
                sqlx::query(TERMINATE).execute(&mut session).await.expect("the terminations");
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        });
        end(&mut tally, &scene, &instances[0]);
        let errors: f64 = instances.iter().map(|service| service.metric("sp_journal_errors_total")).sum();
        tally.note(format!("{errors} batches failed and were done again"));
        tally.expect(errors >= terminations as f64 / 2.0, || format!("only {errors} batches were disturbed"));
    }
    tally.extra_calls_at_most(0);
    tally
}

/// A file system of a few megabytes.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Where mounting is allowed, which takes root.
    fn mount() -> Option<Self> {
        let disk = Self(tempfile::tempdir().expect("a directory"));
        disk.run("mount", &["-t", "tmpfs", "-o", "size=32m", "tmpfs"]).then_some(disk)
    }

    fn remount(&self, how: &str) {
        assert!(self.run("mount", &["-o", &format!("remount,{how}")]), "the small disk cannot become {how}");
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let ended = Command::new(program).args(arguments).arg(self.0.path()).stderr(Stdio::null()).status();
        ended.is_ok_and(|status| status.success())
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.path().join("ballast")).expect("a file");
        // It ends when the disk is full.
        std::io::copy(&mut std::io::repeat(0), &mut file).expect_err("a full disk");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.run("umount", &[]);
    }
}

fn sqlite(bench: &mut Bench) -> Tally {
    let time = Duration::from_secs(bench.times(3, 6, 30) as u64);
    let mut tally = Tally::default();
    let Some(disk) = SmallDisk::mount() else {
        tally.expect(false, || "only root may mount a small disk".to_owned());
        return tally;
    };
    for round in 0..bench.times(1, 1, 5) {
        let path = disk.0.path().join(format!("store-{round}.db"));
        let scene = Scene::new(&bench.cluster, load(3000, format!("sqlite://{}", path.display())));
        disk.remount("ro");
        let mut service = scene.setup.start();
        away(&mut tally, &scene, &mut service, time, || (), || disk.remount("rw"));
        let empty = || std::fs::remove_file(disk.0.path().join("ballast")).expect("the ballast");
        away(&mut tally, &scene, &mut service, time, || disk.fill(), empty);
        let mut other = block_on(SqliteConnectOptions::new().filename(&path).connect()).expect("the file");
        let transaction = block_on(other.begin_with("BEGIN IMMEDIATE")).expect("a transaction");
        // Longer than a batch waits for another process.
        let busy = time.max(Duration::from_secs(8));
        away(&mut tally, &scene, &mut service, busy, || (), || block_on(transaction.rollback()).expect("its end"));
        end(&mut tally, &scene, &service);
        assert!(service.terminate().0.success(), "{}", tail(&service));
        tally.expect(is_intact(&path), || "integrity_check finds errors".to_owned());
        std::fs::remove_file(&path).expect("the file");
    }
    tally.extra_calls_at_most(0);
    tally
}

fn is_intact(path: &Path) -> bool {
    block_on(async {
        let mut file = SqliteConnectOptions::new().filename(path).connect().await.expect("the file");
        let found: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut file).await.expect("an answer");
        found == "ok"
    })
}
