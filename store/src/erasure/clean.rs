//! After an erasure: that also the database's free pages no longer know what was erased.
//!
//! What is rewritten is overwritten with zeros where it stood. But SQLite moves rows between pages, and
//! leaves what stood there before, and what retention deleted stands in free pages: so the files are
//! looked through, and where something of it is found they are written anew. On PostgreSQL old versions
//! of rows are vacuumed away.

use crate::{
    StoreError,
    database::{self, Connection},
    options::{DatabaseUrl, Options},
    postgres,
    sqlite::{self, Files, Store, damaged, made_of_our_own_texts},
};
use chrono::TimeDelta;
use domain::time::Timestamp;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

/// How often it is tried to empty what lies beside a file, while others read.
const TRIES: u32 = 100;
/// How long is waited between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// So much of a file is looked through at once.
const PIECE: usize = 1 << 20;

/// What was cleaned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// The file of the log was written anew.
    pub rewritten: bool,
    /// Others read or wrote for so long that it could not be done: what was erased may still stand in
    /// free pages, or in what lies beside a file (`-wal`).
    pub is_left: bool,
}

/// Has a database forget what was erased, under whichever release and by whomever it was carried out: these
/// texts where they stand in nothing but free pages, or, where it is not known which they were, whatever
/// stands there. Others may use it meanwhile.
///
/// # Errors
///
/// The files cannot be read or written.
pub async fn clean(options: &Options, texts: Option<&[String]>) -> Result<Cleaned, StoreError> {
    clean_database(&options.database, texts).await
}

async fn clean_database(
    database: &DatabaseUrl,
    texts: Option<&[String]>,
) -> Result<Cleaned, StoreError> {
    match database {
        DatabaseUrl::Sqlite(path) => clean_files(path, texts).await,
        DatabaseUrl::Postgres(url) => {
            let mut connection = postgres::unmigrated(url).await?;
            let finished = finished(&mut connection).await?;
            vacuum(&mut connection).await?;
            note(&mut connection, finished).await?;
            Ok(Cleaned::default())
        }
    }
}

/// How many releases by erasure are finished.
pub(crate) async fn finished(connection: &mut Connection) -> Result<i64, StoreError> {
    let count = "SELECT count(finished_at) FROM erasure";
    Ok(database::query_scalar(count).fetch_one(connection).await?)
}

/// Notes that what so many releases erased is forgotten.
pub(crate) async fn note(connection: &mut Connection, finished: i64) -> Result<(), StoreError> {
    database::query("UPDATE cleaning SET finished = ?1 WHERE finished < ?1")
        .bind(finished)
        .execute(connection)
        .await?;
    Ok(())
}

/// Has a database that nobody uses yet forget what was erased while it was written.
pub(crate) async fn clean_copy(database: &DatabaseUrl) -> Result<(), StoreError> {
    let mut connection = match database {
        DatabaseUrl::Sqlite(path) => sqlite::unmigrated(path).await?,
        DatabaseUrl::Postgres(url) => postgres::unmigrated(url).await?,
    };
    let known: i64 = database::query_scalar("SELECT finished FROM cleaning")
        .fetch_one(&mut connection)
        .await?;
    if finished(&mut connection).await? > known {
        drop(connection);
        clean_database(database, None).await?;
    }
    Ok(())
}

async fn clean_files(log: &Path, texts: Option<&[String]>) -> Result<Cleaned, StoreError> {
    let files = Files::new(log, None);
    let mut cleaned = Cleaned::default();
    let mut connection = sqlite::unmigrated(&files.log).await?;
    let finished = finished(&mut connection).await?;
    connection.run("PRAGMA secure_delete = ON").await?;
    let mut is_emptied = empty_wal(&mut connection).await?;
    let is_written_anew = match texts {
        Some(texts) => holds_any(files.log.clone(), texts.to_vec()).await?,
        None => true,
    };
    if is_written_anew {
        match connection.run("VACUUM").await {
            Ok(()) => cleaned.rewritten = true,
            Err(error) => {
                tracing::warn!("the log's file could not be written anew: {error}");
                cleaned.is_left = true;
            }
        }
        is_emptied = empty_wal(&mut connection).await?;
    }
    cleaned.is_left |= !is_emptied;
    if files.index.exists() {
        let mut index = sqlite::unmigrated(&files.index).await?;
        cleaned.is_left |= !empty_wal(&mut index).await?;
    }
    if !cleaned.is_left {
        note(&mut connection, finished).await?;
    }
    Ok(cleaned)
}

impl Store {
    /// Whether something was erased that the database was not cleaned of: for so long already, because who
    /// erased it may be about to clean it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn is_to_be_cleaned(&self, since: TimeDelta) -> Result<bool, StoreError> {
        let (is_more, last): (bool, Option<i64>) = database::query_as(
            "SELECT count(e.finished_at) > c.finished, max(e.finished_at) \
             FROM cleaning c LEFT JOIN erasure e ON e.finished_at IS NOT NULL GROUP BY c.finished",
        )
        .fetch_one(&self.inner.readers)
        .await?;
        let last = last.map(|at| Timestamp::from_micros(at).plus(since));
        Ok(is_more && last.is_some_and(|until| until <= self.now()))
    }

    /// The same as [`clean`], of the store's own database, while it is open.
    ///
    /// # Errors
    ///
    /// The files cannot be read or written.
    pub async fn clean(&self, texts: Option<&[String]>) -> Result<Cleaned, StoreError> {
        clean_database(&self.inner.database, texts).await
    }
}

/// Moves what was committed into a file, and empties what lies beside it; false: others are in the way.
async fn empty_wal(connection: &mut Connection) -> Result<bool, StoreError> {
    for _ in 0..TRIES {
        let row: (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(connection.sqlite()?)
            .await?;
        if row.0 == 0 {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(false)
}

/// Whether a file has one of some texts in it, in whatever case ASCII letters are.
async fn holds_any(path: PathBuf, texts: Vec<String>) -> Result<bool, StoreError> {
    let looked = tokio::task::spawn_blocking(move || look_through(&path, &texts)).await;
    let looked = looked.map_err(|_| StoreError::Closing)?;
    looked.map_err(|error| StoreError::Database(format!("the log cannot be read: {error}")))
}

fn look_through(path: &Path, texts: &[String]) -> io::Result<bool> {
    let texts: Vec<Vec<u8>> = texts
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.to_ascii_lowercase().into_bytes())
        .collect();
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    if longest == 0 {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE + longest);
    loop {
        // With the end of the piece before, in which a text may begin.
        let kept = piece.len().min(longest - 1);
        piece.drain(..piece.len() - kept);
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        if read == 0 {
            return Ok(false);
        }
        piece[kept..].make_ascii_lowercase();
        let holds = |text: &Vec<u8>| memchr::memmem::find(&piece, text).is_some();
        if texts.iter().any(holds) {
            return Ok(true);
        }
    }
}

/// Vacuums the tables in which something was erased.
async fn vacuum(connection: &mut Connection) -> Result<(), StoreError> {
    let connection = connection.postgres()?;
    let distributed: bool = sqlx::query_scalar("SELECT is_distributed()")
        .fetch_one(&mut *connection)
        .await?;
    let mut tables: Vec<String> = ["actor", "target", "idempotency", "tally", "tally_change"]
        .map(str::to_owned)
        .into();
    if distributed {
        tables.extend(["content".to_owned(), "entry".to_owned()]);
    } else {
        let contents: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT c.tableoid::REGCLASS::TEXT \
             FROM erasure e JOIN erasure_event x ON x.erasure = e.id \
             JOIN leaf l ON l.tenant = e.tenant AND l.seq = x.seq \
             JOIN content c ON c.tenant = l.tenant AND c.ws = l.ws AND c.at = l.occurred_at \
                 AND c.seq = l.seq AND c.class = l.class",
        )
        .fetch_all(&mut *connection)
        .await?;
        for table in contents {
            let name = table.strip_prefix("content_");
            let name = name.ok_or_else(|| damaged("a partition has another name"))?;
            tables.push(format!("entry_{name}"));
            tables.push(table);
        }
    }
    for table in tables {
        let statement = made_of_our_own_texts(format!("VACUUM \"{table}\""));
        sqlx::raw_sql(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let text = "Jane@Example.com";
        for before in [0, 1, PIECE - text.len(), PIECE - 5, PIECE, 2 * PIECE - 1] {
            let mut bytes = vec![b'.'; before];
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'.');
            std::fs::write(&path, bytes).unwrap();
            let looked = |text: &str| look_through(&path, &[text.to_owned()]).unwrap();
            assert!(looked("jane@example.com"), "{before}");
            assert!(!looked("jane@example.org"), "{before}");
            assert!(!looked(""), "{before}");
        }
    }
}
