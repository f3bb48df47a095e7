//! The files, and the connections to them.

use crate::StoreError;
use sqlx::{
    ConnectOptions, Executor, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where an installation's files are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The log.
    pub(crate) log: PathBuf,
    /// The index.
    pub(crate) index: PathBuf,
    /// The secrets.
    pub(crate) keys: PathBuf,
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Files {
    pub(crate) fn new(log: &Path, keys: Option<PathBuf>) -> Self {
        Self {
            log: log.to_owned(),
            index: beside(log, ".index"),
            keys: keys.unwrap_or_else(|| beside(log, ".key")),
        }
    }

    /// Held while a process brings the files up to date, so that they do so one after the other.
    pub(crate) fn lock_for_opening(&self) -> Result<File, StoreError> {
        let path = beside(&self.log, ".lock");
        let file = lock_file(&path)?;
        file.lock().map_err(|error| cannot("lock", &path, &error))?;
        Ok(file)
    }

    /// Held by the one process that keeps the index; none where another has it.
    pub(crate) fn try_lock_index(&self) -> Result<Option<File>, StoreError> {
        let path = beside(&self.index, ".lock");
        let file = lock_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(cannot("lock", &path, &error)),
        }
    }

    fn options(path: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(200)
            // A page's rows come over at once: each wait for more costs two switches of threads.
            .row_buffer_size(1_000)
            .disable_statement_logging()
    }

    /// The connection that writes the log: durable when a transaction is committed.
    pub(crate) async fn log_writer(&self) -> Result<SqliteConnection, StoreError> {
        let options = Self::options(&self.log)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "4000");
        Ok(options.connect().await?)
    }

    /// A connection that the log is copied by.
    pub(crate) async fn log_copied(&self) -> Result<SqliteConnection, StoreError> {
        let options = Self::options(&self.log)
            .create_if_missing(false)
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "memory");
        Ok(options.connect().await?)
    }

    /// The connection that writes the index, with the log attached as `log`. What it writes can be
    /// made again: it need not be durable at once.
    pub(crate) async fn index_writer(&self) -> Result<SqliteConnection, StoreError> {
        let options = Self::options(&self.index)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", "20000")
            .pragma("cache_size", "-131072")
            .pragma("temp_store", "memory");
        self.with_log(&options).await
    }

    /// A connection by which the index is compared with the log, which is attached as `log`.
    pub(crate) async fn index_compared(&self) -> Result<SqliteConnection, StoreError> {
        let options = Self::options(&self.index)
            .create_if_missing(false)
            .pragma("cache_size", "-131072")
            .pragma("temp_store", "memory");
        self.with_log(&options).await
    }

    async fn with_log(
        &self,
        options: &SqliteConnectOptions,
    ) -> Result<SqliteConnection, StoreError> {
        let mut connection = options.connect().await?;
        sqlx::query("ATTACH DATABASE ? AS log")
            .bind(self.log.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }

    /// Connections that read: the log, with the index attached as `i`.
    pub(crate) async fn readers(&self, most: u32) -> Result<SqlitePool, StoreError> {
        // Pages are found in the index: each of the files has a cache of its own.
        self.reading(most, 1, "-16384", "PRAGMA i.cache_size = -49152")
            .await
    }

    /// Connections that exports read with, all from one end to the other: what was read is not read
    /// again, so that little is worth keeping. There are none while there are no exports.
    pub(crate) async fn exporters(&self, most: u32) -> Result<SqlitePool, StoreError> {
        self.reading(most, 0, "-6144", "PRAGMA i.cache_size = -6144")
            .await
    }

    async fn reading(
        &self,
        most: u32,
        least: u32,
        cache: &'static str,
        cache_of_index: &'static str,
    ) -> Result<SqlitePool, StoreError> {
        let options = Self::options(&self.log)
            .create_if_missing(false)
            .pragma("cache_size", cache)
            .pragma("temp_store", "memory");
        let index = self.index.clone();
        let pool = SqlitePoolOptions::new()
            .max_connections(most)
            .min_connections(least)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let index = index.clone();
                Box::pin(async move {
                    sqlx::query("ATTACH DATABASE ? AS i")
                        .bind(index.to_string_lossy().into_owned())
                        .execute(&mut *connection)
                        .await?;
                    connection.execute(cache_of_index).await?;
                    connection.execute("PRAGMA query_only = ON").await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        Ok(pool)
    }

    /// Removes the index, to be made anew.
    pub(crate) fn remove_index(&self) -> Result<(), StoreError> {
        for ending in ["", "-wal", "-shm"] {
            let path = beside(&self.index, ending);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(cannot("remove", &path, &error)),
            }
        }
        Ok(())
    }
}

/// A connection to a file that nobody writes any more; it leaves nothing beside it.
pub(super) async fn immutable(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(true)
        .disable_statement_logging();
    Ok(options.connect().await?)
}

fn lock_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| cannot("open", path, &error))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    let text = format!("cannot {what} {}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly(text)
        }
        _ => StoreError::Database(text),
    }
}
