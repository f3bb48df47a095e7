//! Keeping a log on a PostgreSQL server: what only PostgreSQL does. Its index is the server's own, and
//! kept at once: what was recorded is found by whoever asks next.

mod append;
mod arrivals;
mod erasure;
mod no_delay;
mod partitions;
pub(crate) mod replica;
mod retention;
mod rows;
mod tending;
mod writer;

pub(crate) use append::{Appender, DAY, Lies, LogRows, Says, class_of};
pub(crate) use partitions::Partitions;

use crate::{
    StoreError,
    clock::Clock,
    database::{Connection, Pooled, within},
    keys::Keys,
    options::PostgresUrl,
    sqlite::{Recorded, Use, arrivals::Arrivals, export, installation, writer::Job},
};
use append::Known;
use domain::time::Timestamp;
use no_delay::send_at_once;
use replica::Replica;
use sqlx::{
    ConnectOptions, Connection as _, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    path::Path,
    sync::{Arc, Mutex as StdMutex},
    time::Duration,
};
use tokio::{
    sync::{Mutex, MutexGuard, mpsc, oneshot},
    task::JoinHandle,
};

/// The log's schema.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/postgres");

/// The oldest server that will do, as PostgreSQL numbers its versions.
const OLDEST: u32 = 150_000;

/// One state of the whole database, whose index is always as far as the log. The lock is had before the
/// state is taken: see the table.
pub(crate) const BEGIN_READING: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; LOCK TABLE reading IN ACCESS SHARE MODE";

/// How many may read at the same time.
const READERS: u32 = 16;
/// How many may write: one records what applications send, and one changes what is administered.
const WRITERS: u32 = 3;
/// How long is waited for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a change waits for those of other processes: a little longer than the server lets it wait for
/// the lock, which tells more.
const BEGIN: Duration = Duration::from_secs(15);

/// A server that keeps a log.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) readers: PgPool,
    /// What exports read with.
    pub(crate) exporters: PgPool,
    writers: PgPool,
    /// Looks at what arrived, while all readers may be busy.
    watcher: PgPool,
    /// Removes what has expired, and tends the log.
    remover: PgPool,
    /// The turn to remove what has expired, while it is this process's.
    removing: Mutex<Option<retention::Turn>>,
    known: Arc<Known>,
    clock: Arc<dyn Clock>,
    /// A standby that is read from too.
    pub(crate) replica: Option<Replica>,
    /// Those who wait for events.
    pub(crate) arrivals: Arc<Arrivals>,
    /// Whose turn it is to change what is administered: the others need no connection to wait.
    changes: Mutex<()>,
}

/// What a server's tables belong to may change everything; this role may only add to the log and read
/// it. See the migration that makes it.
const AS_SERVER: &str = "SET ROLE daybook_server";

/// How readers are connected: whatever is asked for is looked for in an index, by one process for each
/// who asks.
const BY_INDEX: [(&str, &str); 4] = [
    ("jit", "off"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("max_parallel_workers_per_gather", "0"),
];

impl Server {
    /// Connects to a server, and brings the log's schema up to date.
    pub(crate) async fn open(
        url: &PostgresUrl,
        replica: Option<&PostgresUrl>,
        key_file: &Path,
        clock: Arc<dyn Clock>,
        recorded: Recorded,
        usage: Use,
    ) -> Result<(Self, Keys), StoreError> {
        let options = url.options()?;
        let mut connection = connect(url).await?;
        MIGRATIONS.run(&mut connection).await?;
        // One makes the installation, where several begin at once.
        connection
            .execute("SELECT pg_advisory_lock(hashtextextended('daybook installation', 0))")
            .await?;
        let mut connection = Connection::Postgres(connection);
        let (id, keys) = installation(&mut connection, key_file, clock.now(), usage).await?;
        let is_distributed = sqlx::query_scalar("SELECT is_distributed()")
            .fetch_one(connection.postgres()?)
            .await?;
        if let (true, Some(replica)) = (is_distributed, replica) {
            // What it says of its own would be of another moment than what it asks the nodes for.
            return Err(StoreError::Replica(format!(
                "{replica} is named as a read replica, but {url} is spread over the nodes of a Citus \
                 cluster, whose standbys are not read from"
            )));
        }
        if let Connection::Postgres(connection) = connection {
            connection.close().await?;
        }
        let replica = match replica {
            Some(url) => Some(Replica::open(url, id).await?),
            None => None,
        };
        // Keys are looked for one by one, whatever the server believes of tables that it has not
        // looked at yet.
        let one_by_one = [
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // Whoever writes holds what others wait for: neither waits for ever.
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ];
        let known = Arc::new(Known {
            dictionaries: recorded.dictionaries,
            uncovered: recorded.uncovered,
            partitions: Partitions::default(),
            tallied: StdMutex::default(),
            met: StdMutex::default(),
            is_distributed,
        });
        let pool = async |options, most, least| pool(options, most, least, &known).await;
        let server = Self {
            readers: pool(options.clone().options(BY_INDEX), READERS, 1).await?,
            exporters: pool(options.clone().options(BY_INDEX), export::turns(READERS), 0).await?,
            watcher: pool(options.clone().options(BY_INDEX), 1, 0).await?,
            writers: pool(options.clone().options(one_by_one), WRITERS, 1).await?,
            remover: pool(options, 2, 0).await?,
            removing: Mutex::default(),
            known: Arc::clone(&known),
            clock,
            replica,
            arrivals: Arc::new(Arrivals::new(0)),
            changes: Mutex::new(()),
        };
        Ok((server, keys))
    }

    /// Begins to record what is asked for.
    pub(crate) fn begin(
        self: &Arc<Self>,
        jobs: mpsc::UnboundedReceiver<Job>,
    ) -> Vec<JoinHandle<()>> {
        let (last, until) = oneshot::channel();
        vec![
            tokio::spawn(writer::commit_groups(Arc::clone(self), jobs, last)),
            tokio::spawn(tending::tend(Arc::clone(self), until)),
            tokio::spawn(arrivals::tell(Arc::clone(self))),
            tokio::spawn(replica::follow(Arc::clone(self))),
        ]
    }

    /// Closes the connections, when nothing is to be committed any more.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.exporters.close().await;
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
        self.watcher.close().await;
        self.writers.close().await;
        self.stop_removing().await;
        self.remover.close().await;
    }

    /// A connection that writes.
    pub(crate) async fn writer(&self) -> Result<Pooled, StoreError> {
        Ok(self.writers.acquire().await?.into())
    }

    /// A connection that appends.
    async fn appender(&self) -> Result<Appender, StoreError> {
        let connection = self.writers.acquire().await?;
        let known = Arc::clone(&self.known);
        Ok(Appender::new(
            connection.into(),
            self.writers.clone(),
            known,
        ))
    }

    /// Begins a change of what is administered, and waits for its turn.
    pub(crate) async fn change(&self) -> Result<Turn<'_>, StoreError> {
        // All who wait have waited long enough at the same time, not one after the other.
        let begun = async {
            let turn = self.changes.lock().await;
            Ok::<_, StoreError>((turn, self.appender().await?))
        };
        let (turn, mut appender) = within(PATIENCE, begun).await?;
        within(BEGIN, appender.begin()).await?;
        Ok(Turn {
            appender,
            arrivals: &self.arrivals,
            _mine: turn,
        })
    }
}

impl Server {
    /// Notes when a token was used last, where nobody else is changing it: this is on the way of every
    /// event, and waits for no one.
    pub(crate) async fn note_use(&self, token: i64, now: Timestamp) -> Result<(), StoreError> {
        let noted = sqlx::query(
            "UPDATE token SET last_used = $1 WHERE id = \
                 (SELECT id FROM token WHERE id = $2 FOR UPDATE SKIP LOCKED)",
        )
        .bind(now.micros())
        .bind(token)
        .execute(&self.writers);
        within(PATIENCE, noted).await?;
        Ok(())
    }
}

/// The turn to change what is administered, until it is let go of.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) appender: Appender,
    pub(crate) arrivals: &'a Arrivals,
    _mine: MutexGuard<'a, ()>,
}

/// Connects to a server that is new enough.
async fn connect(url: &PostgresUrl) -> Result<PgConnection, StoreError> {
    connect_with(url, url.options()?).await
}

async fn connect_with(
    url: &PostgresUrl,
    options: PgConnectOptions,
) -> Result<PgConnection, StoreError> {
    let connected = options.connect().await;
    send_at_once(options.get_port());
    let connection = connected.map_err(|error| {
        let told = format!("the PostgreSQL server of {url} cannot be reached: {error}");
        match StoreError::from(error) {
            StoreError::Unavailable(_) => StoreError::Unavailable(told),
            _ => StoreError::Database(told),
        }
    })?;
    if let Some(version) = connection.server_version_num()
        && version < OLDEST
    {
        return Err(StoreError::Database(format!(
            "PostgreSQL 15 or newer is wanted; the server of {url} is {}",
            version / 10_000
        )));
    }
    Ok(connection)
}

/// A connection as the owner of the tables, to a database as it is.
pub(crate) async fn unmigrated(url: &PostgresUrl) -> Result<Connection, StoreError> {
    Ok(Connection::Postgres(connect(url).await?))
}

/// A connection as the owner of the tables, for whoever reads and writes all of them: what is looked for
/// is looked for by its key.
pub(crate) async fn migrated(url: &PostgresUrl) -> Result<Connection, StoreError> {
    let by_key = [
        ("jit", "off"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("lock_timeout", "10s"),
    ];
    let mut connection = connect_with(url, url.options()?.options(by_key)).await?;
    MIGRATIONS.run(&mut connection).await?;
    Ok(Connection::Postgres(connection))
}

/// Which database of which server a connection leads to, and since when that has been running.
const WHERE: &str = "SELECT oid || ' ' || pg_postmaster_start_time() FROM pg_database \
    WHERE datname = current_database()";

async fn pool(
    options: PgConnectOptions,
    most: u32,
    least: u32,
    known: &Arc<Known>,
) -> Result<PgPool, StoreError> {
    let known = Arc::clone(known);
    let port = options.get_port();
    Ok(PgPoolOptions::new()
        .max_connections(most)
        .min_connections(least)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            let known = Arc::clone(&known);
            Box::pin(async move {
                send_at_once(port);
                connection.execute(AS_SERVER).await?;
                known.meet(sqlx::query_scalar(WHERE).fetch_one(connection).await?);
                Ok(())
            })
        })
        .connect_with(options)
        .await?)
}
