//! Keeping a log in two SQLite files: what only SQLite does.

use super::{
    Recorded, Use,
    append::Appender,
    arrivals::{self, Arrivals},
    connect::Files,
    export,
    index::Indexer,
    installation,
    tail::Tail,
    writer,
};
use crate::{StoreError, clock::Clock, database::Connection, keys::Keys};
use sqlx::SqlitePool;
use std::{
    fs::File,
    num::NonZero,
    ops::RangeInclusive,
    path::Path,
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify, mpsc, oneshot, watch},
    task::JoinHandle,
};

/// The log's schema.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite/log");

/// How many may read at the same time, at least and at most.
const READERS: RangeInclusive<u32> = 4..=16;

/// How many read at the same time: who waits does so in the order in which they came, and two for
/// each processor keep it busy. More of them only take turns on it, and each has a cache of its own.
pub(super) fn readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let wanted = u32::try_from(2 * processors).unwrap_or(u32::MAX);
    wanted.clamp(*READERS.start(), *READERS.end())
}

/// How far beyond its bounds the index may be behind for a question to be answered: who records waits before it
/// is, but for what others record, and for a group that was being committed.
const ANSWERS_BEYOND: i64 = 50_000;

/// How much longer an event takes where the index is as far behind as it may be, microseconds.
const SLOWEST: i64 = 60;

/// How often in a row the index may fail to follow before who waits for it is told.
const FAILURES_MOST: u64 = 20;
/// How long is waited for the index at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// And where nobody looks at a page meanwhile: a large step takes some seconds.
pub(super) const LONG_PATIENCE: Duration = Duration::from_mins(1);

/// Opens the log, or makes it, and brings its schema up to date; others wait to do the same.
async fn open_log(files: &Files) -> Result<(Connection, File), StoreError> {
    if let Some(folder) = files.log.parent().filter(|folder| *folder != Path::new("")) {
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
    Ok((Connection::Sqlite(connection), opening))
}

/// A connection that reads and writes a log, which is made where there is none.
pub(crate) async fn migrated(path: &Path) -> Result<Connection, StoreError> {
    Ok(open_log(&Files::new(path, None)).await?.0)
}

/// A connection to a file as it is.
pub(crate) async fn unmigrated(path: &Path) -> Result<Connection, StoreError> {
    let log = Files::new(path, None).log_copied().await?;
    Ok(Connection::Sqlite(log))
}

/// How far the index may be behind the log, in events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lag {
    /// It is kept so far behind.
    pub(super) kept: i64,
    /// Beyond that, it may be so far behind. What it lacks is in memory; where it is further behind, as when it is
    /// being made, questions and keys have to wait for it.
    pub(super) most: i64,
}

impl Lag {
    /// From here on who records is slowed down, the more the further the index is behind; so that the two find a
    /// pace, and nobody has to stop for a whole step of the index.
    fn slows_from(self) -> i64 {
        self.most / 2
    }
}

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

/// What keeps the two files.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(super) files: Files,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) installation: [u8; 16],
    pub(super) readers: SqlitePool,
    /// What exports read with.
    pub(super) exporters: SqlitePool,
    /// Looks at how far the index is, while all readers may be waiting for it.
    pub(super) watcher: SqlitePool,
    pub(crate) appender: Mutex<Appender>,
    /// What the log holds beyond the index's mark.
    pub(super) tail: Arc<Tail>,
    pub(super) lag: Lag,
    /// The last event that somebody waits for to be in the index.
    pub(super) wanted: AtomicI64,
    pub(super) progress: watch::Sender<Progress>,
    /// Asks the one who keeps the index to remove some of what releases cover.
    pub(super) removals: mpsc::Sender<writer::RemovalRequest>,
    /// Why the index could not be brought on, the last time that it could not.
    pub(super) trouble: StdMutex<Option<StoreError>>,
    /// Something was recorded.
    pub(super) nudge: Notify,
    /// Somebody waits for the index.
    pub(super) waiting: Notify,
    /// Those who wait for events.
    pub(super) arrivals: Arc<Arrivals>,
}

/// What the tasks of a keeper begin with.
pub(super) struct Parts {
    indexer: Option<Indexer>,
    to_remove: mpsc::Receiver<writer::RemovalRequest>,
}

impl Keeper {
    /// Opens the files, or makes them, and brings their schema up to date.
    pub(super) async fn open(
        files: Files,
        clock: Arc<dyn Clock>,
        recorded: Recorded,
        (usage, lag): (Use, Lag),
    ) -> Result<(Self, Keys, Parts), StoreError> {
        let (mut connection, opening) = open_log(&files).await?;
        let (installation, keys) =
            installation(&mut connection, &files.keys, clock.now(), usage).await?;
        let indexer = match files.try_lock_index()? {
            Some(lock) => Some(Indexer::open(&files, lock, &installation).await?),
            None => None,
        };
        let readers = files.readers(readers()).await?;
        let exporters = files.exporters(export::turns(readers.options().get_max_connections()));
        let exporters = exporters.await?;
        let watcher = files.readers(1).await?;
        let (mark, head): (i64, Option<i64>) =
            sqlx::query_as("SELECT (SELECT n FROM i.mark), (SELECT max(n) FROM leaf)")
                .fetch_one(&readers)
                .await?;
        drop(opening);

        let head = head.unwrap_or(0);
        let tail = Arc::new(Tail::default());
        tail.let_go(mark);
        let (removals, to_remove) = mpsc::channel(1);
        let (progress, _) = watch::channel(Progress {
            mark,
            head,
            caught_up: mark >= head,
            ours: indexer.is_some(),
            failures: 0,
        });
        let keeper = Self {
            files,
            clock,
            installation,
            readers,
            exporters,
            watcher,
            appender: Mutex::new(Appender::new(connection, recorded, Arc::clone(&tail))),
            tail,
            lag,
            wanted: AtomicI64::new(0),
            progress,
            removals,
            trouble: StdMutex::default(),
            nudge: Notify::new(),
            waiting: Notify::new(),
            arrivals: Arc::new(Arrivals::new(head)),
        };
        Ok((keeper, keys, Parts { indexer, to_remove }))
    }

    /// Begins to commit what is asked for, and to keep the index.
    pub(super) fn begin(
        self: &Arc<Self>,
        jobs: mpsc::UnboundedReceiver<writer::Job>,
        Parts { indexer, to_remove }: Parts,
    ) -> Vec<JoinHandle<()>> {
        let (ends, ended) = oneshot::channel();
        vec![
            tokio::spawn(writer::commit_groups(Arc::clone(self), jobs, ends)),
            tokio::spawn(writer::keep_index(
                Arc::clone(self),
                indexer,
                ended,
                to_remove,
            )),
            tokio::spawn(arrivals::tell(Arc::clone(self))),
        ]
    }

    /// Closes the files, when nothing is to be committed any more.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.watcher.close().await;
        self.appender.lock().await.checkpoint().await;
    }

    /// Waits until the index holds everything that the log holds now, telling after each step how
    /// many of how many events it holds.
    pub(super) async fn wait_for_index(
        &self,
        mut told: impl FnMut(u64, u64) + Send,
    ) -> Result<u64, StoreError> {
        let head: Option<i64> = sqlx::query_scalar("SELECT max(n) FROM leaf")
            .fetch_one(&self.readers)
            .await?;
        let head = head.unwrap_or(0);
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        let mut progress = self.progress.subscribe();
        let before = progress.borrow().failures;
        self.want(head);
        loop {
            let Progress { mark, failures, .. } = *progress.borrow_and_update();
            told(number(mark.min(head)), number(head));
            if mark >= head {
                return Ok(number(head));
            }
            if failures > before + FAILURES_MOST {
                let known = self.trouble.lock();
                let known = known.unwrap_or_else(PoisonError::into_inner);
                return Err(known.clone().unwrap_or(StoreError::Closing));
            }
            progress.changed().await.map_err(|_| StoreError::Closing)?;
        }
    }
}

impl Keeper {
    /// How far the index is, as far as this process knows.
    pub(crate) fn mark(&self) -> i64 {
        self.progress.borrow().mark
    }

    /// Refuses what needs the index while it is being made.
    pub(crate) fn require_index(&self) -> Result<(), StoreError> {
        let progress = *self.progress.borrow();
        if progress.caught_up || progress.head - progress.mark < self.lag.most {
            return Ok(());
        }
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        Err(StoreError::Indexing {
            mark: number(progress.mark),
            head: number(progress.head),
        })
    }

    /// The log holds event `n`, which this process recorded.
    pub(crate) fn recorded(&self, n: i64) {
        self.progress.send_if_modified(|progress| {
            progress.head = progress.head.max(n);
            // Nobody waits for that.
            false
        });
        self.arrivals.came(n);
        self.nudge.notify_one();
    }

    /// The index is to hold event `n` as soon as it can.
    pub(super) fn want(&self, n: i64) {
        self.wanted.fetch_max(n, Ordering::AcqRel);
        self.waiting.notify_one();
    }

    /// Waits until the index holds event `n`, for so long at most.
    pub(super) async fn indexed(&self, n: i64, patience: Duration) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        if progress.borrow_and_update().mark >= n {
            return Ok(());
        }
        self.want(n);
        let reached = progress.wait_for(|progress| progress.mark >= n);
        match tokio::time::timeout(patience, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(StoreError::Closing),
            Err(_) => Err(self.is_behind(n)),
        }
    }

    /// How many events a snapshot may hold beyond the index's mark.
    pub(super) fn tail_most(&self) -> i64 {
        (self.lag.most + ANSWERS_BEYOND).saturating_add(self.lag.kept)
    }

    /// Waits until a snapshot that ends at event `head` does not hold too many.
    pub(super) async fn tail_within_bounds(&self, head: i64) -> Result<(), StoreError> {
        self.indexed(head - self.lag.most, PATIENCE).await
    }

    fn is_behind(&self, n: i64) -> StoreError {
        let progress = *self.progress.borrow();
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        StoreError::Indexing {
            mark: number(progress.mark),
            head: number(progress.head.max(n)),
        }
    }

    /// Holds who records so many events back, where the index is far behind: for a moment at first, and until
    /// it comes on where it is as far behind as it may be.
    ///
    /// # Errors
    ///
    /// The index cannot come on, or does not.
    pub(super) async fn make_way(&self, events: usize) -> Result<(), StoreError> {
        let Lag { kept, most } = self.lag;
        let slows_from = self.lag.slows_from();
        let lag = |progress: &Progress| {
            let lag = progress.head - progress.mark;
            lag.saturating_sub(kept).max(0)
        };
        let mut progress = self.progress.subscribe();
        let now = *progress.borrow_and_update();
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        // A group that is larger than all that may wait is taken where nothing does.
        let has_room = |progress: &Progress| lag(progress) + events <= most.max(events);
        // Where the index is being made, nobody asks it yet, and nothing is in memory for it.
        let is_being_made = !now.caught_up && lag(&now) >= most;
        let over = lag(&now) - slows_from;
        if is_being_made || (over <= 0 && has_room(&now)) {
            return Ok(());
        }
        if has_room(&now) {
            let each = over * SLOWEST / (most - slows_from).max(1);
            let pause = events.saturating_mul(each).unsigned_abs();
            tokio::time::sleep(Duration::from_micros(pause)).await;
            return Ok(());
        }
        self.waiting.notify_one();
        let follows = progress.wait_for(|later| has_room(later) || later.failures > now.failures);
        match tokio::time::timeout(LONG_PATIENCE, follows).await {
            Ok(Ok(reached)) if reached.failures == now.failures => Ok(()),
            Ok(Ok(_)) => {
                let known = self.trouble.lock();
                let known = known.unwrap_or_else(PoisonError::into_inner);
                Err(known.clone().unwrap_or(StoreError::Closing))
            }
            Ok(Err(_)) => Err(StoreError::Closing),
            Err(_) => Err(self.is_behind(now.head)),
        }
    }
}
