//! The PostgreSQL server that tests are run on, where `DAYBOOK_TEST_POSTGRES_URL` names one: each log
//! has a database of its own there, copied from one that has the schema, and dropped with the log.

use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};
use std::{fmt::Write, thread};
use tokio::runtime::Runtime;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// The server, `postgres://USER@HOST:PORT`; none: tests are run on SQLite.
pub fn server() -> Option<String> {
    std::env::var("DAYBOOK_TEST_POSTGRES_URL").ok()
}

/// A database on the server, dropped with this.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// The database of a log that is known by a text, such as its folder; none on SQLite.
    pub fn made_for(log: &str) -> Option<Self> {
        let server = server()?;
        let name = name_for(log);
        let made = Self {
            server: server.clone(),
            name: name.clone(),
        };
        apart(move || async move {
            let mut connection = connect(&server, "postgres").await;
            let template = template(&server, &mut connection).await;
            run(
                &mut connection,
                format!("CREATE DATABASE {name} TEMPLATE {template}"),
            )
            .await;
        });
        Some(made)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        apart(move || async move {
            let mut connection = connect(&server, "postgres").await;
            // Whoever is connected still belongs to a test that is over. Where the database is being
            // vacuumed, the server stops that only for who drops without force.
            let drop = format!("DROP DATABASE IF EXISTS {name}");
            let force = format!("{drop} WITH (FORCE)");
            if try_to_run(&mut connection, &force).await.is_err() {
                let _ = try_to_run(&mut connection, &drop).await;
                run(&mut connection, force).await;
            }
        });
    }
}

/// How the database of a log is named.
pub fn name_for(log: &str) -> String {
    let mut name = "log_".to_owned();
    for byte in log.bytes() {
        write!(name, "{byte:02x}").unwrap();
    }
    name
}

/// The database that others are copied from: one for each state of the schema.
async fn template(server: &str, connection: &mut PgConnection) -> String {
    let mut name = "template".to_owned();
    for migration in MIGRATIONS.iter() {
        let sum: Vec<String> = migration.checksum[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        write!(name, "_{}", sum.concat()).unwrap();
    }
    let is_there = async |connection: &mut PgConnection| -> bool {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
            .bind(&name)
            .fetch_one(connection)
            .await
            .unwrap()
    };
    if is_there(connection).await {
        return name;
    }
    // One makes it; it has its name when it is whole.
    let lock = |what: &str| format!("SELECT pg_advisory_{what}(20261122)");
    run(connection, lock("lock")).await;
    if !is_there(connection).await {
        let draft = format!("{name}_draft");
        run(connection, format!("DROP DATABASE IF EXISTS {draft}")).await;
        run(connection, format!("CREATE DATABASE {draft}")).await;
        let mut made = connect(server, &draft).await;
        MIGRATIONS.run(&mut made).await.unwrap();
        made.close().await.unwrap();
        run(
            connection,
            format!("ALTER DATABASE {draft} RENAME TO {name}"),
        )
        .await;
    }
    run(connection, lock("unlock")).await;
    name
}

async fn connect(server: &str, database: &str) -> PgConnection {
    let url = format!("{server}/{database}");
    PgConnection::connect(&url).await.unwrap()
}

async fn run(connection: &mut PgConnection, statement: String) {
    try_to_run(connection, &statement).await.unwrap();
}

async fn try_to_run(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    statement.execute(connection).await.map(drop)
}

/// Waits for what is done apart from whatever the test itself runs on.
fn apart<W: Future<Output = ()>>(work: impl FnOnce() -> W + Send + 'static) {
    let done = thread::spawn(move || Runtime::new().unwrap().block_on(work())).join();
    assert!(done.is_ok() || thread::panicking(), "PostgreSQL refused");
}
