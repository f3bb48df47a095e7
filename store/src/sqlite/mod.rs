//! The store. What is here is asked of either database; what only SQLite does (two files, one writer,
//! many readers) is the [`keeper`]'s, and what only PostgreSQL does is in [`crate::postgres`].

mod admit;
pub(crate) mod append;
pub(crate) mod arrivals;
mod assemble;
mod backup;
mod blame;
mod catalogue;
pub(crate) mod change;
mod choices;
mod completion;
mod conditions;
mod connect;
mod count;
pub(crate) mod dictionaries;
mod directory;
pub(crate) mod erasure;
pub(crate) mod export;
mod feed;
mod find;
mod histogram;
mod holds;
mod index;
mod invites;
pub(crate) mod keeper;
mod looks;
mod members;
mod object;
mod objects;
mod password;
mod people;
mod question;
mod read_transaction;
#[cfg(test)]
pub(crate) mod reading;
mod recording;
mod redaction;
mod release;
pub(crate) mod settings;
mod sign_in;
mod sign_on;
mod snapshot;
mod sql;
mod tail;
mod tenants;
mod tokens;
pub(crate) mod writer;

pub use admit::{Admitted, never_expires};
pub(crate) use admit::{Body, KeyHash, key_hash};
pub(crate) use append::{Content, Leaf, Numbered, Statements};
pub(crate) use connect::Files;
pub(crate) use dictionaries::damaged;
pub use export::Export;
pub(crate) use index::{Compared, Indexer, Strange, compare_index};
pub(crate) use keeper::{migrated, unmigrated};
pub(crate) use people::email_address;
pub use snapshot::Snapshot;
pub(crate) use sql::made_of_our_own_texts;

use crate::{
    StoreError,
    access::TokenGrant,
    clock::Clock,
    coalescing::Coalescing,
    database::{self, Connection, Pool},
    keys::{Keys, random},
    options::{DatabaseUrl, Options, Readiness, ReplicaStanding},
    plan::Counts,
    postgres::{Server, replica::Replica},
    proof::{self, Uncovered},
};
use arrivals::Arrivals;
use dictionaries::Dictionaries;
use domain::{redaction::Key, time::Timestamp};
use keeper::{Keeper, LONG_PATIENCE, Lag};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex as StdMutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    task::JoinHandle,
};

/// How long a store that closes may take to let go of what one process at a time does.
const LEASES_MOST: Duration = Duration::from_millis(500);

/// What all parts of an open store share.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Where it is.
    pub(crate) database: DatabaseUrl,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gather_within: Duration,
    /// For how long is counted when events occurred.
    pub(crate) count_within: Duration,
    /// About so many entries at a time.
    pub(crate) count_at_once: u32,
    pub(crate) keys: Keys,
    pub(crate) redaction: Key,
    rules: redaction::KnownRules,
    pub(crate) readers: Pool,
    pub(crate) dictionaries: Arc<Dictionaries>,
    /// What a replica says of the same: it may hold texts that the database lost, or does not show yet,
    /// and nothing is to be recorded with those.
    of_replica: Dictionaries,
    pub(crate) counts: RwLock<HashMap<i64, Arc<Counts>>>,
    choices: choices::LastChoices,
    /// What objects' events came to.
    folds: blame::Folds,
    looks: looks::Looks,
    /// Tokens that are being looked up, by the fingerprint of their secret.
    tokens: Coalescing<Vec<u8>, Result<Option<TokenGrant>, StoreError>>,
    queue: StdMutex<Option<mpsc::UnboundedSender<writer::Job>>>,
    room: Arc<Semaphore>,
    /// What keeps the log.
    pub(crate) kept: Kept,
    /// Those who wait for events.
    pub(crate) arrivals: Arc<Arrivals>,
    exports: export::Exports,
    /// What proofs are made with.
    pub(crate) proof: proof::State,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What keeps the log: two files, or a server.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Sqlite(Arc<Keeper>),
    Postgres(Arc<Server>),
}

/// What a store is put together from, whatever keeps the log.
struct Parts {
    keys: Keys,
    dictionaries: Arc<Dictionaries>,
    readers: Pool,
    /// What exports read with.
    exporters: Pool,
    arrivals: Arc<Arrivals>,
    kept: Kept,
    uncovered: Arc<Uncovered>,
    queue: mpsc::UnboundedSender<writer::Job>,
}

/// What is known of what was recorded, by whoever records.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The texts.
    pub(crate) dictionaries: Arc<Dictionaries>,
    /// The tenants whose checkpoints do not cover it.
    pub(crate) uncovered: Arc<Uncovered>,
}

/// An open log. Cheap to clone; all clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

impl Store {
    /// Opens a log, or makes a new one: brings its schema up to date, checks that the key file is
    /// the right one, and begins to bring the index up to date.
    ///
    /// # Errors
    ///
    /// The files cannot be read or written, or the key file is missing or another installation's.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        Self::open_as(options, Use::Everybody).await
    }

    /// Opens a log for somebody who may see more of it than others.
    pub(crate) async fn open_as(options: Options, usage: Use) -> Result<Self, StoreError> {
        let dictionaries = Arc::new(Dictionaries::default());
        let uncovered = Arc::new(Uncovered::default());
        let clock = Arc::clone(&options.clock);
        let (queue, jobs) = mpsc::unbounded_channel();
        match &options.database {
            DatabaseUrl::Sqlite(path) => {
                if let Some(replica) = &options.replica {
                    return Err(StoreError::Replica(format!(
                        "a log in an SQLite file has no read replica, but {replica} is named as one"
                    )));
                }
                let files = Files::new(path, options.key_file.clone());
                let recorded = Recorded {
                    dictionaries: Arc::clone(&dictionaries),
                    uncovered: Arc::clone(&uncovered),
                };
                let lag = Lag {
                    kept: options.index_behind,
                    most: options.index_lag_most,
                };
                let usage = (usage, lag);
                let (keeper, keys, begins) = Keeper::open(files, clock, recorded, usage).await?;
                let keeper = Arc::new(keeper);
                let parts = Parts {
                    keys,
                    dictionaries,
                    readers: Pool::Sqlite(keeper.readers.clone()),
                    exporters: Pool::Sqlite(keeper.exporters.clone()),
                    arrivals: Arc::clone(&keeper.arrivals),
                    kept: Kept::Sqlite(Arc::clone(&keeper)),
                    uncovered,
                    queue,
                };
                let store = Self::new(options, parts);
                *store.inner.tasks.lock().await = keeper.begin(jobs, begins);
                Ok(store)
            }
            DatabaseUrl::Postgres(url) => {
                let key_file = options.key_file();
                let replica = options.replica.as_ref();
                let recorded = Recorded {
                    dictionaries: Arc::clone(&dictionaries),
                    uncovered: Arc::clone(&uncovered),
                };
                let (server, keys) =
                    Server::open(url, replica, &key_file, clock, recorded, usage).await?;
                let server = Arc::new(server);
                let parts = Parts {
                    keys,
                    dictionaries,
                    readers: Pool::Postgres(server.readers.clone()),
                    exporters: Pool::Postgres(server.exporters.clone()),
                    arrivals: Arc::clone(&server.arrivals),
                    kept: Kept::Postgres(Arc::clone(&server)),
                    uncovered,
                    queue,
                };
                let store = Self::new(options, parts);
                *store.inner.tasks.lock().await = server.begin(jobs);
                Ok(store)
            }
        }
    }

    fn new(options: Options, parts: Parts) -> Self {
        let proof = proof::State::new(options.key_file(), &parts.keys, parts.uncovered);
        let inner = Arc::new(Inner {
            database: options.database,
            redaction: Key::new(parts.keys.redaction.bytes()),
            rules: redaction::KnownRules::default(),
            clock: options.clock,
            gather_within: options.gather_within,
            count_within: options.count_within,
            count_at_once: options.count_at_once,
            keys: parts.keys,
            readers: parts.readers,
            dictionaries: parts.dictionaries,
            of_replica: Dictionaries::default(),
            counts: RwLock::default(),
            choices: choices::LastChoices::default(),
            folds: blame::Folds::new(options.fold_kept_from),
            looks: looks::Looks::default(),
            tokens: Coalescing::default(),
            queue: StdMutex::new(Some(parts.queue)),
            room: Arc::new(Semaphore::new(writer::QUEUE_KIB as usize)),
            kept: parts.kept,
            arrivals: parts.arrivals,
            exports: export::Exports::new(parts.exporters),
            proof,
            tasks: Mutex::default(),
        });
        Self { inner }
    }

    /// Breaks off what is being exported, finishes what was accepted, has a checkpoint cover it, and
    /// closes the files.
    pub async fn close(&self) {
        self.close_within(Duration::MAX).await;
    }

    /// The same for somebody who waits no longer than this for the checkpoint: what it does not cover is
    /// covered when a server begins again.
    pub async fn close_within(&self, covering: Duration) {
        self.end_waits();
        self.inner.exports.stop().await;
        // Where that fails, they end by themselves.
        let _ = tokio::time::timeout(LEASES_MOST, self.end_leases()).await;
        self.inner
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        for task in std::mem::take(&mut *self.inner.tasks.lock().await) {
            let _ = task.await;
        }
        match tokio::time::timeout(covering, self.cover()).await {
            Ok(Ok(()) | Err(StoreError::Moving(_))) => {}
            Ok(Err(error)) => {
                tracing::warn!("the newest entries are not covered by a checkpoint: {error}");
            }
            Err(_) => tracing::warn!("the newest entries are not covered by a checkpoint yet"),
        }
        self.inner.proof.keep_memory(true).await;
        self.inner.readers.close().await;
        match &self.inner.kept {
            Kept::Sqlite(keeper) => keeper.close().await,
            Kept::Postgres(server) => server.close().await,
        }
    }

    /// What time it is, for this store.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether questions can be answered.
    pub async fn readiness(&self) -> Readiness {
        let looks = match self.inner.kept {
            Kept::Sqlite(_) => "SELECT n FROM i.mark",
            Kept::Postgres(_) => "SELECT count(*) FROM installation",
        };
        let answer: Result<i64, _> = database::query_scalar(looks)
            .fetch_one(&self.inner.readers)
            .await;
        if let Err(error) = answer {
            return Readiness::Unreachable(error.to_string());
        }
        match self.inner.require_index() {
            Err(StoreError::Indexing { mark, head }) => Readiness::Indexing { mark, head },
            _ => Readiness::Ready,
        }
    }

    /// How the read replica stands; none where none is named.
    pub fn replica(&self) -> Option<ReplicaStanding> {
        match &self.inner.kept {
            Kept::Sqlite(_) => None,
            Kept::Postgres(server) => server.replica.as_ref().map(Replica::standing),
        }
    }

    /// Waits until the index holds everything that the log held when this was called, telling
    /// after each step how many of how many events it holds.
    ///
    /// # Errors
    ///
    /// The store was closed meanwhile, or the index cannot follow: the disk is full, for instance.
    pub async fn wait_for_index(
        &self,
        told: impl FnMut(u64, u64) + Send,
    ) -> Result<u64, StoreError> {
        match &self.inner.kept {
            Kept::Sqlite(keeper) => keeper.wait_for_index(told).await,
            // The server's own index follows at once.
            Kept::Postgres(_) => Ok(0),
        }
    }
}

/// Throws the index of a log away, so that the next to open it makes it again.
///
/// # Errors
///
/// Another process keeps the index, or the file cannot be removed.
pub fn discard_index(options: &Options) -> Result<(), StoreError> {
    let DatabaseUrl::Sqlite(path) = &options.database else {
        return Err(StoreError::Database(
            "a log on PostgreSQL has no index of its own to be made again; PostgreSQL's REINDEX \
             makes the server's"
                .to_owned(),
        ));
    };
    let files = Files::new(path, options.key_file.clone());
    let _lock = files.try_lock_index()?.ok_or_else(|| {
        StoreError::Database(
            "another process keeps the index: stop the server first, or let it run; it brings the \
             index up to date by itself"
                .to_owned(),
        )
    })?;
    files.remove_index()
}

impl Inner {
    /// Refuses what needs the index while it is being made.
    pub(crate) fn require_index(&self) -> Result<(), StoreError> {
        match &self.kept {
            Kept::Sqlite(keeper) => keeper.require_index(),
            Kept::Postgres(_) => Ok(()),
        }
    }

    /// Waits until the index holds all that is recorded now, for who asks it alone.
    pub(crate) async fn index_all(&self) -> Result<(), StoreError> {
        self.require_index()?;
        let Kept::Sqlite(keeper) = &self.kept else {
            return Ok(());
        };
        let head: Option<i64> = sqlx::query_scalar("SELECT max(n) FROM leaf")
            .fetch_one(&keeper.watcher)
            .await?;
        keeper.indexed(head.unwrap_or(0), LONG_PATIENCE).await
    }
}

/// Who opens a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Anybody: not what is still being copied.
    Everybody,
    /// Who copies it.
    Copy,
}

/// Reads who this installation is; makes one of a new database. Checks the key file.
pub(crate) async fn installation(
    connection: &mut Connection,
    key_file: &Path,
    now: Timestamp,
    usage: Use,
) -> Result<([u8; 16], Keys), StoreError> {
    let row = database::query("SELECT id, redaction_key, signing_key FROM installation")
        .fetch_optional(&mut *connection)
        .await?;
    // Looked at after it: what comes in and who it is stand there from the same moment on.
    if usage == Use::Everybody {
        let source: Option<String> = database::query_scalar("SELECT source FROM copying")
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(source) = source {
            return Err(StoreError::BeingCopied(source));
        }
    }
    let Some(row) = row else {
        let keys = match Keys::read(key_file)? {
            Some(keys) => keys,
            None => Keys::create(key_file)?,
        };
        let id = random::<16>()?;
        let prints = keys.fingerprints();
        database::query(
            "INSERT INTO installation (one, id, created_at, redaction_key, signing_key) \
             VALUES (1, ?, ?, ?, ?)",
        )
        .bind(&id[..])
        .bind(now.micros())
        .bind(&prints.redaction[..])
        .bind(&prints.signing[..])
        .execute(&mut *connection)
        .await?;
        proof::know_key(connection, &keys).await?;
        return Ok((id, keys));
    };
    let path = key_file.display();
    let keys = Keys::read(key_file)?.ok_or_else(|| {
        StoreError::Keys(format!(
            "the key file {path} is not there; bring it back from a copy, or name it with \
             DAYBOOK_KEY_FILE"
        ))
    })?;
    if !keys.are_of(row.try_get(1)?) {
        return Err(StoreError::Keys(format!(
            "the key file {path} belongs to another installation; bring the right one back from a \
             copy, or name it with DAYBOOK_KEY_FILE"
        )));
    }
    let keys = keys.signing_with(row.try_get(2)?).ok_or_else(|| {
        StoreError::Keys(format!(
            "the key file {path} has a signing key that does not sign any more; bring the file from \
             where daybook key rotate was run last"
        ))
    })?;
    proof::know_key(connection, &keys).await?;
    let id = <[u8; 16]>::try_from(row.try_get::<&[u8]>(0)?)
        .map_err(|_| dictionaries::damaged("the installation's id is broken"))?;
    Ok((id, keys))
}
