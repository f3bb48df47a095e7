//! The PostgreSQL server that tests are run on, where `DAYBOOK_TEST_POSTGRES_URL` names one: each log
//! has a database of its own there, copied from one that has the schema, and dropped with the log.
//!
//! It may be the coordinator of a Citus: its maintenance database tells. There each log's database is one
//! on every node, and refuses statements that are not for one node alone, but those of the tests
//! themselves. The first is copied from the one that `DAYBOOK_TEST_POSTGRES_TEMPLATE` names, which has the
//! extension and knows the nodes, as only a superuser can make it.

use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, migrate::Migrator, postgres::PgConnectOptions,
};
use std::{fmt::Write, thread};
use tokio::{runtime::Runtime, task::JoinSet};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// The server, `postgres://USER@HOST:PORT`; none: tests are run on SQLite.
pub fn server() -> Option<String> {
    std::env::var("DAYBOOK_TEST_POSTGRES_URL").ok()
}

/// Says of a test's own connection that it may ask all nodes at once, and make triggers there. Where there
/// are none, it says nothing.
pub const OF_ALL_NODES: &str =
    "SET citus.multi_task_query_log_level = off; SET citus.enable_unsafe_triggers = on";

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
            let make = format!("CREATE DATABASE {name} TEMPLATE {template}");
            let workers = workers(&server, &mut connection).await;
            for worker in &workers {
                let mut worker = PgConnection::connect_with(worker).await.unwrap();
                run(&mut worker, make.clone()).await;
            }
            run(&mut connection, make).await;
            if !workers.is_empty() {
                let one_node = "SET citus.multi_task_query_log_level = 'error'";
                let set = format!("ALTER DATABASE {name} {one_node}");
                run(&mut connection, set).await;
            }
        });
        Some(made)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        apart(move || async move {
            let mut connection = connect(&server, "postgres").await;
            let workers = workers(&server, &mut connection).await;
            if workers.is_empty() {
                drop_database(&mut connection, &name).await;
                return;
            }
            let mut nodes = vec![connection];
            for worker in &workers {
                nodes.push(PgConnection::connect_with(worker).await.unwrap());
            }
            // All at once: each ends what leads from its node to the others, and waits until nothing leads
            // to it any more.
            let mut drops = JoinSet::new();
            for node in nodes {
                drops.spawn(drop_on_node(node, name.clone()));
            }
            drops.join_all().await;
        });
    }
}

async fn drop_database(connection: &mut PgConnection, name: &str) {
    // Whoever is connected still belongs to a test that is over. Where the database is being
    // vacuumed, the server stops that only for who drops without force.
    let drop = format!("DROP DATABASE IF EXISTS {name}");
    let force = format!("{drop} WITH (FORCE)");
    if try_to_run(connection, &force).await.is_err() {
        let _ = try_to_run(connection, &drop).await;
        run(connection, force).await;
    }
}

/// The same on a node of Citus, of whose own connections only a superuser may end any.
async fn drop_on_node(mut node: PgConnection, name: String) {
    let drop = format!("DROP DATABASE IF EXISTS {name}");
    for _ in 0..5 {
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = '{name}' AND usename = current_user"
        );
        run(&mut node, end).await;
        if try_to_run(&mut node, &drop).await.is_ok() {
            return;
        }
    }
    run(&mut node, drop).await;
}

/// Whether the server that the tests are run on spreads tenants over the nodes of a Citus.
pub async fn has_nodes() -> bool {
    match server() {
        Some(server) => {
            let mut connection = connect(&server, "postgres").await;
            !workers(&server, &mut connection).await.is_empty()
        }
        None => false,
    }
}

/// The other nodes of a Citus of which the server is the coordinator; none where it is not.
async fn workers(server: &str, connection: &mut PgConnection) -> Vec<PgConnectOptions> {
    let is_citus: bool =
        sqlx::query_scalar("SELECT to_regclass('pg_catalog.pg_dist_node') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    if !is_citus {
        return Vec::new();
    }
    let workers: Vec<(String, i32)> = sqlx::query_as(
        "SELECT nodename, nodeport FROM pg_dist_node \
         WHERE groupid <> 0 AND isactive AND noderole = 'primary'",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let of = |(host, port): (String, i32)| {
        let coordinator: PgConnectOptions = format!("{server}/postgres").parse().unwrap();
        coordinator.host(&host).port(port.try_into().unwrap())
    };
    workers.into_iter().map(of).collect()
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
    let mut sums = Sha256::new();
    for migration in MIGRATIONS.iter() {
        sums.update(&migration.checksum);
    }
    let mut name = "template_".to_owned();
    for byte in &sums.finalize()[..8] {
        write!(name, "{byte:02x}").unwrap();
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
        let workers = workers(server, connection).await;
        if workers.is_empty() {
            make_template(server, connection, &name).await;
        } else {
            make_on_all_nodes(server, connection, workers, &name).await;
        }
    }
    run(connection, lock("unlock")).await;
    name
}

async fn make_template(server: &str, connection: &mut PgConnection, name: &str) {
    let draft = format!("{name}_draft");
    run(connection, format!("DROP DATABASE IF EXISTS {draft}")).await;
    run(connection, format!("CREATE DATABASE {draft}")).await;
    let mut made = connect(server, &draft).await;
    MIGRATIONS.run(&mut made).await.unwrap();
    made.close().await.unwrap();
    let rename = format!("ALTER DATABASE {draft} RENAME TO {name}");
    run(connection, rename).await;
}

/// The same on the nodes of a Citus.
async fn make_on_all_nodes(
    server: &str,
    connection: &mut PgConnection,
    mut nodes: Vec<PgConnectOptions>,
    name: &str,
) {
    let Ok(template) = std::env::var("DAYBOOK_TEST_POSTGRES_TEMPLATE") else {
        panic!("on Citus, DAYBOOK_TEST_POSTGRES_TEMPLATE names what databases are copied from");
    };
    let draft = format!("{name}_draft");
    // The coordinator comes last: what it has is whole.
    nodes.push(format!("{server}/postgres").parse().unwrap());
    let make = format!("CREATE DATABASE {draft} TEMPLATE {template}");
    let mut drops = JoinSet::new();
    for node in &nodes {
        let node = PgConnection::connect_with(node).await.unwrap();
        drops.spawn(drop_on_node(node, draft.clone()));
    }
    drops.join_all().await;
    for node in &nodes {
        let mut node = PgConnection::connect_with(node).await.unwrap();
        run(&mut node, make.clone()).await;
    }
    let mut made = connect(server, &draft).await;
    MIGRATIONS.run(&mut made).await.unwrap();
    // Nobody may be connected to what is copied. What Citus does of itself there ends on a node when its
    // database is about to be dropped; that this is refused, because we are connected, comes after it.
    let mut refusals = JoinSet::new();
    for node in &nodes {
        let kept = PgConnection::connect_with(&node.clone().database(&draft)).await;
        let mut apart = PgConnection::connect_with(node).await.unwrap();
        let drop = format!("DROP DATABASE {draft}");
        refusals.spawn(async move {
            let refused = try_to_run(&mut apart, &drop).await;
            assert!(refused.is_err(), "a database was dropped that is in use");
            kept.unwrap().close().await.unwrap();
        });
    }
    refusals.join_all().await;
    made.close().await.unwrap();
    let rename = format!("ALTER DATABASE {draft} RENAME TO {name}");
    for node in &nodes[..nodes.len() - 1] {
        let mut node = PgConnection::connect_with(node).await.unwrap();
        run(&mut node, rename.clone()).await;
    }
    run(connection, rename).await;
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
