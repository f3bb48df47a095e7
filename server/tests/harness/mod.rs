//! Drives the real program as its users do: an installation in a folder of its own, its command
//! line, and a server that is spoken to over HTTP.
//!
//! ```text
//! let daybook = Daybook::acme();
//! let token = daybook.token("acme/growth", &["events:write", "events:read"]);
//! let server = daybook.serve();
//! let sender = server.client().with_token(&token);
//! ```

#![allow(dead_code, unused_imports, reason = "each test file uses its part")]
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

mod client;
mod cluster;
#[path = "../../../store/tests/log/postgres.rs"]
mod database;
mod events;
mod server;
mod setting;

pub use client::{Answer, Client};
pub use cluster::{Cluster, Node};
pub use events::{Walk, event, members_of, with};
pub use server::Server;
pub use setting::{Setting, raw, recently, refused, shifted};

use database::{Database, OF_ALL_NODES, name_for};
use domain::time::Timestamp;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::{
    env,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// All that a token may be allowed, but to send without redaction.
pub const READ_AND_WRITE: [&str; 2] = ["events:write", "events:read"];

/// The environment variables that the program reads: tests give them explicitly or not at all.
const VARIABLES: [&str; 14] = [
    "DAYBOOK_DATABASE_URL",
    "DAYBOOK_DATABASE_READ_URL",
    "DAYBOOK_LISTEN",
    "DAYBOOK_PUBLIC_URL",
    "DAYBOOK_TRUSTED_PROXIES",
    "DAYBOOK_KEY_FILE",
    "DAYBOOK_METRICS_TOKEN",
    "DAYBOOK_OIDC_ISSUER",
    "DAYBOOK_OIDC_CLIENT_ID",
    "DAYBOOK_OIDC_CLIENT_SECRET",
    "DAYBOOK_OIDC_GROUPS_CLAIM",
    "DAYBOOK_OIDC_ROLES",
    "DAYBOOK_PASSWORDS",
    "RUST_LOG",
];

/// The server that the tests are run on, `postgres://USER@HOST:PORT`; none: they are run on SQLite.
pub fn postgres() -> Option<String> {
    database::server()
}

/// Ends a test of what only SQLite has, files of its own, where the tests are run on PostgreSQL.
#[macro_export]
macro_rules! only_sqlite {
    () => {
        if harness::postgres().is_some() {
            return harness::leave_out();
        }
    };
}

/// Ends a test of what only PostgreSQL has, where the tests are run on SQLite.
#[macro_export]
macro_rules! only_postgres {
    () => {
        if harness::postgres().is_none() {
            return harness::leave_out();
        }
    };
}

/// Ends a test of what there is on one machine alone, where tenants are spread over several nodes.
#[macro_export]
macro_rules! only_one_node {
    () => {
        if harness::has_nodes() {
            return harness::leave_out();
        }
    };
}

/// Whether the server that the tests are run on spreads tenants over the nodes of a Citus.
pub fn has_nodes() -> bool {
    let asked = thread::spawn(|| Runtime::new().unwrap().block_on(database::has_nodes()));
    asked.join().unwrap()
}

/// Notes that a test is not one of the database that the tests are run on. A test cannot say so itself and
/// passes: who counts them takes off a line for each, in the file that is named by
/// `DAYBOOK_TEST_LEFT_OUT`.
pub fn leave_out() {
    if let Some(file) = env::var_os("DAYBOOK_TEST_LEFT_OUT") {
        let mut file = OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(b"left out\n").unwrap();
    }
}

/// An installation in a folder of its own.
pub struct Daybook {
    folder: PathBuf,
    environment: Vec<(String, String)>,
    /// Removes the folder at the end.
    _kept: Option<TempDir>,
    /// Drops the database at the end.
    _database: Option<Database>,
}

/// A command that ran to its end.
#[derive(Debug)]
pub struct Ran {
    /// What was asked.
    pub asked: String,
    /// Its exit status; -1 where a signal ended it.
    pub status: i32,
    /// What it printed on standard output.
    pub out: String,
    /// What it printed on standard error.
    pub err: String,
}

impl Daybook {
    /// An installation in which nothing is yet.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("daybook-test-").unwrap();
        let database = Database::made_for(&name_of(folder.path()));
        Self {
            folder: folder.path().to_owned(),
            environment: Vec::new(),
            _kept: Some(folder),
            _database: database,
        }
    }

    /// An installation in a folder that somebody else made.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            environment: Vec::new(),
            _kept: None,
            _database: None,
        }
    }

    /// An installation with the workspace `acme/growth`.
    pub fn acme() -> Self {
        Self::new().tenant("acme").workspace("acme/growth")
    }

    /// Sets an environment variable for every command from here on.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a tenant.
    pub fn tenant(self, slug: &str) -> Self {
        self.run(&["tenant", "create", slug]).succeeded();
        self
    }

    /// Adds a workspace.
    pub fn workspace(self, path: &str) -> Self {
        self.run(&["workspace", "create", path]).succeeded();
        self
    }

    /// Adds a person with a role in a workspace, or with the role `tenant_admin` in a tenant; the
    /// name is what stands before the `@`.
    pub fn user(self, email: &str, role: &str, place: &str) -> Self {
        let name = email.split('@').next().unwrap();
        let flag = if role == "tenant_admin" {
            "--tenant"
        } else {
            "--workspace"
        };
        self.run_with(
            &[
                "user",
                "create",
                "--email",
                email,
                "--name",
                name,
                "--role",
                role,
                flag,
                place,
                "--password-stdin",
            ],
            PASSWORD,
        )
        .succeeded();
        self
    }

    /// A new token of a workspace or a tenant: its secret.
    pub fn token(&self, place: &str, scopes: &[&str]) -> String {
        self.token_with(place, scopes, &[])
    }

    /// A new token with further options.
    pub fn token_with(&self, place: &str, scopes: &[&str], more: &[&str]) -> String {
        let flag = if place.contains('/') {
            "--workspace"
        } else {
            "--tenant"
        };
        let mut line = vec!["token", "create", flag, place, "--name", "test"];
        for scope in scopes {
            line.extend(["--scope", scope]);
        }
        line.extend(more);
        let ran = self.run(&line).succeeded();
        ran.out.trim_end().to_owned()
    }

    /// Runs a command to its end.
    pub fn run(&self, line: &[&str]) -> Ran {
        self.run_with(line, "")
    }

    /// Runs a command to its end, with a line on its standard input.
    pub fn run_with(&self, line: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input closes it: no failure here.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            asked: line.join(" "),
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command on this installation, not started yet.
    pub fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(program());
        for name in VARIABLES {
            command.env_remove(name);
        }
        command
            .current_dir(&self.folder)
            .env("DAYBOOK_DATABASE_URL", self.database())
            .envs(self.environment.iter().cloned())
            .args(line);
        let is_given = |(name, _): &(String, String)| name == "DAYBOOK_KEY_FILE";
        if postgres().is_some() && !self.environment.iter().any(is_given) {
            command.env("DAYBOOK_KEY_FILE", self.path("daybook.db.key"));
        }
        command
    }

    /// Starts the server on a free port, and waits until it is ready.
    pub fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// How the database is named.
    pub fn database(&self) -> String {
        match postgres() {
            Some(server) => format!("{server}/{}", name_for(&name_of(&self.folder))),
            None => format!("sqlite:{}", self.path("daybook.db").display()),
        }
    }

    /// Asks the log's database, past the program, for one number; or what it says where it refuses.
    pub fn ask_database(&self, statement: &str) -> Result<i64, String> {
        let (url, statement) = (self.database(), AssertSqlSafe(statement.to_owned()));
        let ask = async move {
            if postgres().is_some() {
                let mut log = PgConnection::connect(&url).await?;
                sqlx::raw_sql(OF_ALL_NODES).execute(&mut log).await?;
                sqlx::query_scalar(statement).fetch_optional(&mut log).await
            } else {
                let mut log = SqliteConnection::connect(&url).await?;
                sqlx::query_scalar(statement).fetch_optional(&mut log).await
            }
        };
        let asked = thread::spawn(move || Runtime::new().unwrap().block_on(ask));
        let number: Result<Option<i64>, sqlx::Error> = asked.join().unwrap();
        number
            .map(Option::unwrap_or_default)
            .map_err(|error| error.to_string())
    }

    /// A path in the installation's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file into the installation's folder: its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }
}

/// By what the database of a folder's installation is known.
fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_str().unwrap();
    name.to_owned()
}

/// The program under test.
fn program() -> PathBuf {
    env::var_os("DAYBOOK_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_daybook").into(), PathBuf::from)
}

impl Ran {
    /// It did all that was asked.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        self.ended(0)
    }

    /// It ended with this status, and said why in one line.
    #[track_caller]
    pub fn refused(self, status: i32, told: &str) -> Self {
        let ran = self.ended(status);
        let line = ran.err.trim_end();
        assert!(
            line.starts_with("daybook: ") && line.contains(told) && !line.contains('\n'),
            "{ran:#?}"
        );
        ran
    }

    /// It ended with this status.
    #[track_caller]
    pub fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }
}

/// What time it is.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap())
}

/// Waits until `is_so` gives something: for what another process does in its own time.
#[track_caller]
pub fn wait_for<T>(what: &str, mut is_so: impl FnMut() -> Option<T>) -> T {
    // 60 seconds: far more than anything here takes, on however slow a machine.
    for _ in 0..6_000 {
        if let Some(found) = is_so() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{what}: waited for 60 seconds in vain");
}
