//! A PostgreSQL server of a test's own, to be stopped and started, with a standby that follows it.

use super::Daybook;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Runs as whoever runs the servers, with this as its standard input: once that is closed, however the
/// test ends, it stops what still runs and removes all of it.
const GUARD: &str = "
    trap '' INT TERM HUP
    folder=$(mktemp -d) && cd \"$folder\" && echo \"$folder\" || exit
    cat >/dev/null
    for data in */postmaster.pid; do
        [ ! -e \"$data\" ] || pg_ctl stop --silent --mode immediate --pgdata \"${data%/*}\"
    done
    cd / && rm -rf \"$folder\"";

/// What the servers are told. What was answered has to outlive them, not the machine.
const SETTINGS: &str = "
    listen_addresses = '127.0.0.1'
    unix_socket_directories = ''
    fsync = off
    full_page_writes = off
    max_connections = 200
    shared_buffers = 64MB
    wal_keep_size = 512MB
    hot_standby_feedback = on
    wal_retrieve_retry_interval = 200ms
    jit = off";

/// A server in its folder.
#[derive(Clone, Debug)]
pub struct Node {
    programs: PathBuf,
    data: PathBuf,
    port: u16,
}

/// A primary and a standby.
pub struct Cluster {
    /// What is written to.
    pub primary: Node,
    /// What follows it.
    pub standby: Node,
    folder: PathBuf,
    /// The installation's key file and what else it writes.
    installation: TempDir,
    guard: Child,
}

/// The folder of PostgreSQL's programs: as it was told, else that of the newest.
fn programs() -> PathBuf {
    if let Some(told) = env::var_os("DAYBOOK_TEST_POSTGRES_PROGRAMS") {
        return told.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .filter_map(|version| version.unwrap().file_name().into_string().ok())
        .filter_map(|version| version.parse::<u32>().ok())
        .max();
    match newest {
        Some(version) => format!("/usr/lib/postgresql/{version}/bin").into(),
        None => {
            let told = Command::new("pg_config").arg("--bindir").output().unwrap();
            String::from_utf8(told.stdout).unwrap().trim().into()
        }
    }
}

/// One of PostgreSQL's programs, which do not run as root.
fn as_postgres(programs: &Path, program: &str) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", program]);
        command
    } else {
        Command::new(program)
    };
    let path = env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{}:{path}", programs.display()))
        .stdin(Stdio::null());
    command
}

#[track_caller]
fn run(mut command: Command) {
    let ran = command.output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {told}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Cluster {
    /// A primary with an empty database for an installation, and a standby of it.
    pub fn new() -> Self {
        let programs = programs();
        let mut guard = as_postgres(&programs, "sh")
            .args(["-c", GUARD])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut folder = String::new();
        BufReader::new(guard.stdout.take().unwrap())
            .read_line(&mut folder)
            .unwrap();
        let folder = PathBuf::from(folder.trim_end());
        let node = |name: &str| Node {
            programs: programs.clone(),
            data: folder.join(name),
            port: free_port(),
        };
        let cluster = Self {
            primary: node("primary"),
            standby: node("standby"),
            folder: folder.clone(),
            installation: TempDir::with_prefix("daybook-test-").unwrap(),
            guard,
        };
        let mut initdb = as_postgres(&programs, "initdb");
        initdb.args(["--username", "postgres", "--auth", "trust", "--no-sync"]);
        initdb.args(["--encoding", "UTF8", "--locale", "C", "--pgdata"]);
        initdb.arg(&cluster.primary.data);
        run(initdb);
        let mut settings = as_postgres(&programs, "sh");
        settings.args(["-c", "echo \"$1\" >>\"$2/postgresql.conf\"", "sh", SETTINGS]);
        settings.arg(&cluster.primary.data);
        run(settings);
        cluster.primary.start();
        for statement in [
            "CREATE ROLE daybook LOGIN CREATEDB",
            "CREATE ROLE daybook_server",
            "GRANT daybook_server TO daybook",
            "CREATE DATABASE daybook OWNER daybook",
        ] {
            cluster.primary.ask_of("postgres", statement);
        }
        let copied = cluster.copied("standby", &["--write-recovery-conf"]);
        assert_eq!(copied, cluster.standby.data);
        cluster.standby.start();
        cluster
    }

    /// The primary's data, copied as they are now into another folder.
    pub fn copied(&self, name: &str, more: &[&str]) -> PathBuf {
        let data = self.folder.join(name);
        let mut copy = as_postgres(&self.primary.programs, "pg_basebackup");
        copy.args(["--host", "127.0.0.1", "--username", "postgres"]);
        copy.args(["--checkpoint", "fast", "--no-sync", "--port"]);
        copy.arg(self.primary.port.to_string()).args(more);
        copy.arg("--pgdata").arg(&data);
        run(copy);
        data
    }

    /// An installation on the primary.
    pub fn daybook(&self) -> Daybook {
        Daybook::at(self.installation.path()).variable("DAYBOOK_DATABASE_URL", &self.primary.url())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Node {
    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How the installation's database is named there.
    pub fn url(&self) -> String {
        self.url_of("daybook")
    }

    /// How a database is named there.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://daybook@127.0.0.1:{}/{database}", self.port)
    }

    /// Another server with the data of a folder, in this one's place.
    pub fn replaced_by(&mut self, data: PathBuf) {
        self.data = data;
    }

    /// Starts it, and waits until it takes connections.
    pub fn start(&self) {
        let mut start = as_postgres(&self.programs, "pg_ctl");
        start.args(["start", "--silent", "--wait", "--timeout", "120", "--log"]);
        start.arg(self.data.with_extension("log"));
        start.arg("--pgdata").arg(&self.data);
        start.arg("--options").arg(format!("-p {}", self.port));
        // Whatever it leaves open is not waited for.
        start.stdout(Stdio::null()).stderr(Stdio::null());
        let status = start.status().unwrap();
        assert!(status.success(), "{start:?}");
    }

    /// Stops it: `fast`, or `immediate`, as if it had crashed.
    pub fn stop(&self, mode: &str) {
        let mut stop = as_postgres(&self.programs, "pg_ctl");
        stop.args(["stop", "--silent", "--wait", "--mode", mode, "--pgdata"]);
        stop.arg(&self.data);
        run(stop);
    }

    /// Asks the installation's database, as who administers the server: the first column of all rows, as
    /// text.
    pub fn ask(&self, statement: &str) -> Vec<String> {
        self.ask_of("daybook", statement)
    }

    fn ask_of(&self, database: &str, statement: &str) -> Vec<String> {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", self.port);
        let statement = AssertSqlSafe(statement.to_owned());
        let asked = thread::spawn(move || {
            Runtime::new().unwrap().block_on(async {
                let mut connection = PgConnection::connect(&url).await?;
                let rows = sqlx::raw_sql(statement).fetch_all(&mut connection).await?;
                rows.iter().map(|row| row.try_get_unchecked(0)).collect()
            })
        });
        let asked: Result<Vec<Option<String>>, sqlx::Error> = asked.join().unwrap();
        let rows = asked.unwrap().into_iter();
        rows.map(Option::unwrap_or_default).collect()
    }

    /// What it wrote into its log.
    pub fn told(&self) -> String {
        fs::read_to_string(self.data.with_extension("log")).unwrap_or_default()
    }
}
