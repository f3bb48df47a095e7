//! The store on SQLite: two files, one writer, many readers.

mod admit;
mod append;
mod assemble;
mod catalogue;
mod change;
mod choices;
mod conditions;
mod connect;
mod count;
mod dictionaries;
mod directory;
mod find;
mod holds;
mod index;
mod invites;
mod looks;
mod members;
mod object;
mod objects;
mod password;
mod people;
mod question;
mod read_transaction;
#[cfg(test)]
mod reading;
mod recording;
mod redaction;
mod release;
mod settings;
mod sign_in;
mod sign_on;
mod snapshot;
mod sql;
mod tenants;
mod tokens;
mod writer;

pub use admit::{Admitted, never_expires};
pub use snapshot::Snapshot;

use crate::{
    StoreError,
    access::TokenGrant,
    clock::Clock,
    coalescing::Coalescing,
    database::{self, Pool},
    keys::{Keys, random},
    options::{DatabaseUrl, Options, Readiness},
    plan::Counts,
};
use append::Appender;
use connect::Files;
use dictionaries::Dictionaries;
use domain::{redaction::Key, time::Timestamp};
use index::Indexer;
use sqlx::{Row, SqliteConnection, SqlitePool};
use std::{
    collections::HashMap,
    num::NonZero,
    ops::RangeInclusive,
    path::Path,
    sync::{
        Arc, Mutex as StdMutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify, Semaphore, mpsc, watch},
    task::JoinHandle,
};

/// The log's schema.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite/log");

/// How many may read at the same time, at least and at most.
const READERS: RangeInclusive<u32> = 4..=16;

/// How many read at the same time: who waits does so in the order in which they came, and two for
/// each processor keep it busy. More of them only take turns on it, and each has a cache of its own.
fn readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let wanted = u32::try_from(2 * processors).unwrap_or(u32::MAX);
    wanted.clamp(*READERS.start(), *READERS.end())
}

/// How far the index may be behind before questions and keys have to wait for it.
const FAR_BEHIND: i64 = 50_000;

/// How often in a row the index may fail to follow before who waits for it is told.
const FAILURES_MOST: u64 = 20;
/// How long is waited for the index at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far the index is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) mark: i64,
    pub(crate) head: i64,
    /// Whether it has once been as far as the log.
    pub(crate) caught_up: bool,
    /// Whether this process keeps it.
    pub(crate) ours: bool,
    /// How often this process could not bring it on: no room on the disk, for instance.
    pub(crate) failures: u64,
}

/// What all parts of an open store share.
#[derive(Debug)]
pub(crate) struct Inner {
    files: Files,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gather_within: Duration,
    pub(crate) keys: Keys,
    pub(crate) redaction: Key,
    rules: redaction::KnownRules,
    installation: [u8; 16],
    pub(crate) readers: Pool,
    /// Looks at how far the index is, while all readers may be waiting for it.
    watcher: SqlitePool,
    pub(crate) appender: Mutex<Appender>,
    pub(crate) dictionaries: Arc<Dictionaries>,
    pub(crate) counts: RwLock<HashMap<i64, Arc<Counts>>>,
    choices: choices::LastChoices,
    looks: looks::Looks,
    /// Tokens that are being looked up, by the fingerprint of their secret.
    tokens: Coalescing<Vec<u8>, Option<TokenGrant>>,
    queue: StdMutex<Option<mpsc::UnboundedSender<writer::Job>>>,
    room: Arc<Semaphore>,
    /// The last event that this process committed, or found when it opened the log.
    own_head: AtomicI64,
    /// The last event that it knows another to have committed, those before it was opened included:
    /// who recorded it was answered, and the index may not have it yet.
    others_head: Arc<AtomicI64>,
    progress: watch::Sender<Progress>,
    /// Asks the one who keeps the index to remove some of what releases cover.
    removals: mpsc::Sender<writer::RemovalRequest>,
    /// Why the index could not be brought on, the last time that it could not.
    trouble: StdMutex<Option<StoreError>>,
    nudge: Notify,
    tasks: Mutex<Vec<JoinHandle<()>>>,
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
        let DatabaseUrl::Sqlite(path) = &options.database;
        let files = Files::new(path, options.key_file.clone());
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            std::fs::create_dir_all(folder).map_err(|error| {
                StoreError::ReadOnly(format!(
                    "cannot make the folder {}: {error}",
                    folder.display()
                ))
            })?;
        }
        let opening = {
            let files = files.clone();
            tokio::task::spawn_blocking(move || files.lock_for_opening())
                .await
                .map_err(|_| StoreError::Closing)??
        };
        let mut connection = files.log_writer().await?;
        MIGRATIONS.run(&mut connection).await?;
        let (installation, keys) =
            installation(&mut connection, &files, options.clock.now()).await?;
        let indexer = match files.try_lock_index()? {
            Some(lock) => Some(Indexer::open(&files, lock, &installation).await?),
            None => None,
        };
        let readers = files.readers(readers()).await?;
        let watcher = files.readers(1).await?;
        let (mark, head): (i64, Option<i64>) =
            sqlx::query_as("SELECT (SELECT n FROM i.mark), (SELECT max(n) FROM leaf)")
                .fetch_one(&readers)
                .await?;
        drop(opening);

        let head = head.unwrap_or(0);
        let dictionaries = Arc::new(Dictionaries::default());
        let others_head = Arc::new(AtomicI64::new(head));
        let (queue, jobs) = mpsc::unbounded_channel();
        let (committed, to_index) = mpsc::unbounded_channel();
        let (removals, to_remove) = mpsc::channel(1);
        let (progress, _) = watch::channel(Progress {
            mark,
            head,
            caught_up: mark >= head,
            ours: indexer.is_some(),
            failures: 0,
        });
        let inner = Arc::new(Inner {
            redaction: Key::new(keys.redaction.bytes()),
            rules: redaction::KnownRules::default(),
            files,
            clock: options.clock,
            gather_within: options.gather_within,
            keys,
            installation,
            readers: Pool::Sqlite(readers),
            watcher,
            appender: Mutex::new(Appender::new(
                connection,
                Arc::clone(&dictionaries),
                Arc::clone(&others_head),
            )),
            dictionaries,
            counts: RwLock::default(),
            choices: choices::LastChoices::default(),
            looks: looks::Looks::default(),
            tokens: Coalescing::default(),
            queue: StdMutex::new(Some(queue)),
            room: Arc::new(Semaphore::new(writer::QUEUE_KIB as usize)),
            own_head: AtomicI64::new(head),
            others_head,
            progress,
            removals,
            trouble: StdMutex::default(),
            nudge: Notify::new(),
            tasks: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(writer::commit_groups(Arc::clone(&inner), jobs, committed)),
            tokio::spawn(writer::keep_index(
                Arc::clone(&inner),
                indexer,
                to_index,
                to_remove,
            )),
        ];
        *inner.tasks.lock().await = tasks;
        Ok(Self { inner })
    }

    /// Finishes what was accepted, and closes the files.
    pub async fn close(&self) {
        self.inner
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        for task in std::mem::take(&mut *self.inner.tasks.lock().await) {
            let _ = task.await;
        }
        self.inner.readers.close().await;
        self.inner.watcher.close().await;
        self.inner.appender.lock().await.checkpoint().await;
    }

    /// What time it is, for this store.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether questions can be answered.
    pub async fn readiness(&self) -> Readiness {
        let answer: Result<i64, _> = database::query_scalar("SELECT n FROM i.mark")
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

    /// Waits until the index holds everything that the log held when this was called, telling
    /// after each step how many of how many events it holds.
    ///
    /// # Errors
    ///
    /// The store was closed meanwhile, or the index cannot follow: the disk is full, for instance.
    pub async fn wait_for_index(
        &self,
        mut told: impl FnMut(u64, u64) + Send,
    ) -> Result<u64, StoreError> {
        let head: Option<i64> = database::query_scalar("SELECT max(n) FROM leaf")
            .fetch_one(&self.inner.readers)
            .await?;
        let head = head.unwrap_or(0);
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        let mut progress = self.inner.progress.subscribe();
        let before = progress.borrow().failures;
        self.inner.nudge.notify_one();
        loop {
            let Progress { mark, failures, .. } = *progress.borrow_and_update();
            told(number(mark.min(head)), number(head));
            if mark >= head {
                return Ok(number(head));
            }
            if failures > before + FAILURES_MOST {
                let known = self.inner.trouble.lock();
                let known = known.unwrap_or_else(PoisonError::into_inner);
                return Err(known.clone().unwrap_or(StoreError::Closing));
            }
            progress.changed().await.map_err(|_| StoreError::Closing)?;
        }
    }
}

/// Throws the index of a log away, so that the next to open it makes it again.
///
/// # Errors
///
/// Another process keeps the index, or the file cannot be removed.
pub fn discard_index(options: &Options) -> Result<(), StoreError> {
    let DatabaseUrl::Sqlite(path) = &options.database;
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
    /// How far the index is, as far as this process knows.
    fn mark(&self) -> i64 {
        self.progress.borrow().mark
    }

    /// Refuses what needs the index while it is being made.
    pub(crate) fn require_index(&self) -> Result<(), StoreError> {
        let progress = *self.progress.borrow();
        if progress.caught_up || progress.head - progress.mark < FAR_BEHIND {
            return Ok(());
        }
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        Err(StoreError::Indexing {
            mark: number(progress.mark),
            head: number(progress.head),
        })
    }

    /// Waits until the index holds event `n`.
    pub(crate) async fn indexed(&self, n: i64) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        if progress.borrow_and_update().mark >= n {
            return Ok(());
        }
        self.nudge.notify_one();
        let reached = progress.wait_for(|progress| progress.mark >= n);
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(StoreError::Closing),
            Err(_) => {
                let progress = *self.progress.borrow();
                let number = |n: i64| u64::try_from(n).unwrap_or_default();
                Err(StoreError::Indexing {
                    mark: number(progress.mark),
                    head: number(progress.head.max(n)),
                })
            }
        }
    }

    /// Waits until the index holds event `n`, which this process recorded, or cannot follow at the
    /// moment: the event is durable all the same, and stands in the index as soon as it can. Where
    /// another process keeps the index, it follows by itself.
    pub(crate) async fn followed(&self, n: i64) {
        let mut progress = self.progress.subscribe();
        let before = *progress.borrow_and_update();
        if !before.ours || before.mark >= n {
            return;
        }
        self.nudge.notify_one();
        let follows = progress.wait_for(|now| now.mark >= n || now.failures > before.failures);
        // Where the store is closing, nobody follows any more.
        let _ = tokio::time::timeout(PATIENCE, follows).await;
    }

    /// How far the index must be to answer a question, where `head` is the log's end: as far as what
    /// others recorded before it was asked. What this process is recording itself is not waited
    /// for: its senders were not answered yet.
    pub(crate) fn needed_by_others(&self, head: i64) -> i64 {
        if head > self.own_head.load(Ordering::Acquire) {
            head
        } else {
            self.others_head.load(Ordering::Acquire)
        }
    }
}

/// Reads who this installation is; makes one of a new database. Checks the key file.
async fn installation(
    connection: &mut SqliteConnection,
    files: &Files,
    now: Timestamp,
) -> Result<([u8; 16], Keys), StoreError> {
    let row = sqlx::query("SELECT id, redaction_key, signing_key FROM installation")
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else {
        let keys = match Keys::read(&files.keys)? {
            Some(keys) => keys,
            None => Keys::create(&files.keys)?,
        };
        let id = random::<16>()?;
        let prints = keys.fingerprints();
        sqlx::query(
            "INSERT INTO installation (one, id, created_at, redaction_key, signing_key) \
             VALUES (1, ?, ?, ?, ?)",
        )
        .bind(&id[..])
        .bind(now.micros())
        .bind(&prints.redaction[..])
        .bind(&prints.signing[..])
        .execute(connection)
        .await?;
        return Ok((id, keys));
    };
    let path = files.keys.display();
    let keys = Keys::read(&files.keys)?.ok_or_else(|| {
        StoreError::Keys(format!(
            "the key file {path} is not there; bring it back from a copy, or name it with \
             DAYBOOK_KEY_FILE"
        ))
    })?;
    let prints = keys.fingerprints();
    let known: (&[u8], &[u8]) = (row.try_get(1)?, row.try_get(2)?);
    if known != (&prints.redaction[..], &prints.signing[..]) {
        return Err(StoreError::Keys(format!(
            "the key file {path} belongs to another installation; bring the right one back from a \
             copy, or name it with DAYBOOK_KEY_FILE"
        )));
    }
    let id = <[u8; 16]>::try_from(row.try_get::<&[u8], _>(0)?)
        .map_err(|_| dictionaries::damaged("the installation's id is broken"))?;
    Ok((id, keys))
}
