//! A whole copy of the log in another file, made by the database from one state of it, while others go
//! on recording. The index is no part of it: it is made anew.

use super::{Kept, Store, dictionaries::damaged};
use crate::{
    StoreError,
    backup::{Backup, BackupError},
};
use domain::time::Timestamp;
use sqlx::{Connection, Row, SqliteConnection};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

/// How often it is told how far the copy is.
const TELL_EVERY: Duration = Duration::from_millis(200);

impl Store {
    /// Copies the log, as it is when this begins, into a file that is not there yet. Tells now and
    /// then how many of about how many bytes are written. The file is there when all of it is
    /// durable, and not before; where it fails nothing is left. Who records meanwhile is not held
    /// up, but the log's own journal grows until the copy is made.
    ///
    /// # Errors
    ///
    /// There is a file of this name, it cannot be written, or the store failed.
    pub async fn backup(
        &self,
        to: &Path,
        mut told: impl FnMut(u64, u64) + Send,
    ) -> Result<Backup, BackupError> {
        let Kept::Sqlite(keeper) = &self.inner.kept else {
            return Err(BackupError::OnAServer);
        };
        let draft = Draft::beside(to)?;
        let mut log = keeper.files.log_copied().await?;
        let size: i64 = sqlx::query_scalar(
            "SELECT (p.page_count - f.freelist_count) * s.page_size \
             FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s",
        )
        .fetch_one(&mut log)
        .await
        .map_err(StoreError::from)?;
        let size = u64::try_from(size).unwrap_or_default();
        {
            // Every page that is in use is written anew, in the order of its table: what was
            // deleted before is not in the copy.
            let copying = sqlx::query("VACUUM INTO ?")
                .bind(draft.name()?)
                .execute(&mut log);
            tokio::pin!(copying);
            let mut tell = tokio::time::interval(TELL_EVERY);
            loop {
                tokio::select! {
                    copied = &mut copying => {
                        copied.map_err(|error| draft.cannot_be_copied(error))?;
                        break;
                    }
                    _ = tell.tick() => told(draft.size().min(size), size),
                }
            }
        }
        log.close().await.map_err(StoreError::from)?;
        let held = held(&draft).await?;
        let permissions = fs::metadata(&keeper.files.log).map(|log| log.permissions());
        let kept = tokio::task::spawn_blocking(move || draft.keep(permissions)).await;
        kept.map_err(|_| StoreError::Closing)??;
        told(size, size);
        Ok(held)
    }
}

/// What a copy holds: looked up in the file itself.
async fn held(draft: &Draft) -> Result<Backup, BackupError> {
    let mut copy: SqliteConnection = super::connect::immutable(&draft.path).await?;
    let row = sqlx::query(
        "SELECT l.n, l.recorded_at, (SELECT count(*) FROM installation) \
         FROM (SELECT max(n) AS n FROM leaf) h LEFT JOIN leaf l ON l.n = h.n",
    )
    .fetch_one(&mut copy)
    .await
    .map_err(StoreError::from)?;
    let read = || -> Result<_, sqlx::Error> {
        let (events, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok((events, last, row.try_get::<i64, _>(2)?))
    };
    let (events, last, installations) = read().map_err(StoreError::from)?;
    if installations != 1 {
        return Err(damaged("the copy is of no installation").into());
    }
    copy.close().await.map_err(StoreError::from)?;
    Ok(Backup {
        events: events
            .and_then(|events| u64::try_from(events).ok())
            .unwrap_or(0),
        last: last.map(Timestamp::from_micros),
        bytes: draft.size(),
    })
}

/// A copy that is being written, beside where it is to be. Dropped, it is removed.
struct Draft {
    path: PathBuf,
    to: PathBuf,
}

impl Draft {
    /// Makes an empty file, which only its owner may read.
    fn beside(to: &Path) -> Result<Self, BackupError> {
        if fs::symlink_metadata(to).is_ok() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let cannot = |path: &Path, error| BackupError::File {
            path: path.to_owned(),
            error,
        };
        let name = to
            .file_name()
            .ok_or_else(|| cannot(to, ErrorKind::InvalidInput.into()))?;
        let mut part = OsString::from(name);
        part.push(format!(".part-{}", std::process::id()));
        let to = std::path::absolute(to).map_err(|error| cannot(to, error))?;
        let path = to.with_file_name(part);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(|error| cannot(&path, error))?;
        Ok(Self { path, to })
    }

    fn name(&self) -> Result<String, BackupError> {
        let name = self.path.to_str().map(str::to_owned);
        name.ok_or_else(|| self.cannot(ErrorKind::InvalidFilename.into()))
    }

    fn size(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    fn cannot(&self, error: io::Error) -> BackupError {
        match error.kind() {
            ErrorKind::AlreadyExists => BackupError::Exists(self.to.clone()),
            _ => BackupError::File {
                path: self.to.clone(),
                error,
            },
        }
    }

    /// What kept the database from writing it: the log's own disk may be another.
    fn cannot_be_copied(&self, error: sqlx::Error) -> BackupError {
        match StoreError::from(error) {
            StoreError::DiskFull => self.cannot(ErrorKind::StorageFull.into()),
            StoreError::ReadOnly(_) => self.cannot(ErrorKind::PermissionDenied.into()),
            other => other.into(),
        }
    }

    /// Makes it durable, and gives it its name, unless somebody else took that meanwhile.
    fn keep(self, permissions: io::Result<fs::Permissions>) -> Result<(), BackupError> {
        let kept = permissions.and_then(|permissions| {
            let file = File::open(&self.path)?;
            file.set_permissions(permissions)?;
            file.sync_all()?;
            match fs::hard_link(&self.path, &self.to) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => self.rename()?,
                linked => linked?,
            }
            match self.to.parent() {
                Some(folder) => File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        });
        kept.map_err(|error| self.cannot(error))
    }

    /// For where a file cannot have two names at a time.
    fn rename(&self) -> io::Result<()> {
        if fs::symlink_metadata(&self.to).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        fs::rename(&self.path, &self.to)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for ending in ["", "-journal"] {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            // It was given its name, or could not be made.
            let _ = fs::remove_file(path);
        }
    }
}
