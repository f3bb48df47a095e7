//! Appending: the one connection that writes the log, and what it knows of the log's end.
//!
//! Other processes may append to the same log. A transaction of this one begins by taking the write
//! lock; if the file changed since, everything known about its end is read again before anything is
//! numbered. What a transaction adds to what is known counts only after its commit.

mod erasure;
mod keys;
mod rows;
mod texts;

pub(crate) use erasure::{NewErased, NewErasure};
pub(crate) use rows::{Content, Leaf, Statements, outcome_number, placed_at, source_number};
pub(crate) use texts::{Additions, Numbered};

use super::{
    Recorded,
    admit::{Admitted, KeyHash},
    change::Log,
    dictionaries::{Shared, damaged, read_extent},
    tail,
};
use crate::{StoreError, database::Connection, ids::Ids, recording::Placed};
use domain::{event::EventId, time::Timestamp};
use keys::Keys;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// The end of the log, and the connection that extends it.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) connection: Connection,
    recorded: Recorded,
    /// Gets what is committed.
    tail: Arc<tail::Tail>,
    data_version: Option<i64>,
    /// The number of the last event in the installation.
    head: i64,
    /// The last number in each tenant.
    seqs: HashMap<i64, i64>,
    ids: Ids,
    /// Whether recording is on, by workspace.
    recording: HashMap<i64, bool>,
    /// The keys of events that the index does not have yet.
    keys: Keys,
    /// Whether a transaction is open.
    open: bool,
    /// The dictionaries that hold all that the log does.
    prepared: HashMap<i64, Arc<Shared>>,
    /// What the open transaction adds.
    staged: Staged,
    statements: Statements,
}

/// What an open transaction adds to what is known.
#[derive(Debug, Default)]
struct Staged {
    head: i64,
    seqs: HashMap<i64, i64>,
    texts: HashMap<i64, Additions>,
    keys: Vec<(KeyHash, Placed)>,
    /// The events in numbers, each with its workspace.
    rows: Vec<(i64, tail::Row)>,
    leaves: Vec<Leaf>,
    contents: Vec<Content>,
    release: Option<NewRelease>,
    erasures: Vec<erasure::Staged>,
}

/// A release that is made with the event that tells of it, the last of its transaction.
#[derive(Debug)]
pub(crate) struct NewRelease {
    pub(crate) ws: i64,
    /// What occurred before this moment may go.
    pub(crate) before: Timestamp,
    /// How many events that is.
    pub(crate) events: i64,
}

impl Appender {
    pub(super) fn new(connection: Connection, recorded: Recorded, tail: Arc<tail::Tail>) -> Self {
        Self {
            connection,
            recorded,
            tail,
            data_version: None,
            head: 0,
            seqs: HashMap::new(),
            ids: Ids::after(None),
            recording: HashMap::new(),
            keys: Keys::default(),
            open: false,
            prepared: HashMap::new(),
            staged: Staged::default(),
            statements: Statements::default(),
        }
    }

    /// Begins a transaction: nobody else writes until it ends. `mark` is how far the index is.
    pub(crate) async fn begin(&mut self, mark: i64) -> Result<(), StoreError> {
        if self.open {
            self.rollback().await;
        }
        // Set before it is so: whoever waits here may be gone by the time it is, and then the
        // transaction is given up by the next one.
        self.open = true;
        let begun = async {
            let version: Vec<i64> = sqlx::query_scalar("BEGIN IMMEDIATE; PRAGMA data_version")
                .fetch_all(self.connection.sqlite()?)
                .await?;
            self.know_the_end(version.first().copied()).await?;
            self.keys
                .follow(self.connection.sqlite()?, mark, self.head)
                .await
        };
        if let Err(error) = begun.await {
            self.rollback().await;
            return Err(error);
        }
        self.staged = Staged {
            head: self.head,
            ..Staged::default()
        };
        Ok(())
    }

    /// Reads the log's end again where another process wrote: where the file has another version
    /// than it had.
    async fn know_the_end(&mut self, version: Option<i64>) -> Result<(), StoreError> {
        if self.data_version.is_some() && self.data_version == version {
            return Ok(());
        }
        let (head, id): (Option<i64>, Option<Vec<u8>>) =
            sqlx::query_as("SELECT (SELECT max(n) FROM leaf), (SELECT max(id) FROM leaf)")
                .fetch_one(self.connection.sqlite()?)
                .await?;
        let head = head.unwrap_or(0);
        self.head = head;
        let id = id.map(|id| Uuid::from_slice(&id)).transpose();
        self.ids = Ids::after(id.map_err(|_| damaged("the last id is broken"))?);
        self.seqs = sqlx::query_as(
            "SELECT t.id, coalesce((SELECT max(seq) FROM leaf WHERE tenant = t.id), 0) FROM tenant t",
        )
        .fetch_all(self.connection.sqlite()?)
        .await?
        .into_iter()
        .collect();
        self.read_recording().await?;
        self.prepared.clear();
        self.data_version = version;
        Ok(())
    }

    /// Reads which workspaces record: again after this process changed it itself.
    pub(crate) async fn read_recording(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(i64, bool)> = sqlx::query_as("SELECT id, recording FROM workspace")
            .fetch_all(self.connection.sqlite()?)
            .await?;
        self.recording = rows.into_iter().collect();
        Ok(())
    }

    async fn extend(&mut self, log: Log) -> Result<Arc<Shared>, StoreError> {
        let extent = read_extent(&mut self.connection, log).await?;
        self.recorded
            .dictionaries
            .extend(&mut self.connection, log, extent)
            .await
    }

    /// Whether what applications send to a workspace is recorded; the tenant's own log always is.
    pub(crate) fn records(&self, ws: i64) -> bool {
        ws < 0 || self.recording.get(&ws).copied().unwrap_or(true)
    }

    /// An event with this key, among those that the index does not have yet and those of the open
    /// transaction.
    pub(crate) fn placed(&self, key: &KeyHash) -> Option<Placed> {
        self.keys.placed(key)
    }

    /// Numbers an event in the open transaction.
    pub(crate) async fn stage(
        &mut self,
        event: Admitted,
        now: Timestamp,
    ) -> Result<Placed, StoreError> {
        let recorded_at = event.recorded_at.unwrap_or(now);
        let (ws, tenant) = (event.ws, event.tenant);
        if !self.staged.texts.contains_key(&ws) {
            let shared = match self.prepared.get(&ws) {
                Some(shared) => Arc::clone(shared),
                None => self.extend(Log { ws, tenant }).await?,
            };
            self.prepared.insert(ws, Arc::clone(&shared));
            self.staged.texts.insert(ws, Additions::new(shared));
        }
        let staged = &mut self.staged;
        let Some(texts) = staged.texts.get_mut(&ws) else {
            return Err(StoreError::Closing);
        };
        let numbers = texts.numbers(&event);
        staged.head += 1;
        let seq = staged
            .seqs
            .entry(tenant)
            .or_insert_with(|| self.seqs.get(&tenant).copied().unwrap_or(0));
        *seq += 1;
        let id = self.ids.next(recorded_at)?;
        let placed = Placed {
            id: EventId(id),
            seq: u64::try_from(*seq).unwrap_or_default(),
            recorded_at,
        };
        staged.leaves.push(Leaf {
            n: staged.head,
            tenant,
            seq: *seq,
            id,
            ws,
            occurred_at: event.occurred_at.micros(),
            recorded_at: recorded_at.micros(),
            parts: event.parts,
        });
        let outcome = outcome_number(event.event.outcome);
        let row = tail::Row {
            n: staged.head,
            at: event.occurred_at.micros(),
            actor: numbers.actor,
            via: numbers.via,
            action: numbers.action,
            kind: numbers.kind,
            target: numbers.target,
            related: numbers.related,
            outcome: u32::from(outcome),
            operation: event.event.operation.as_deref().map(Arc::from),
        };
        staged.rows.push((ws, row));
        staged.contents.push(Content {
            n: staged.head,
            actor: numbers.actor,
            via: numbers.via,
            action: numbers.action,
            target: numbers.target,
            related: numbers.related,
            outcome: i64::from(outcome),
            operation: event.event.operation,
            key: event.key,
            salt: event.salt.0,
            source: event.source.map(source_number),
            keep: event.keep,
            body: event.body,
            erased: None,
        });
        if let Some(key) = event.key {
            staged.keys.push((key, placed));
            self.keys.add(key, placed);
        }
        Ok(placed)
    }

    /// Writes what was staged, commits, and takes it over into what is known. On an error nothing
    /// of the transaction remains.
    pub(crate) async fn commit(&mut self) -> Result<i64, StoreError> {
        let written = match self.write().await {
            Ok(()) => self
                .connection
                .run("COMMIT")
                .await
                .map_err(StoreError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.rollback().await;
            return Err(error);
        }
        self.open = false;
        let staged = std::mem::take(&mut self.staged);
        for additions in staged.texts.into_values() {
            additions.publish();
        }
        if !staged.seqs.is_empty() {
            self.recorded.uncovered.add(staged.seqs.keys().copied());
        }
        self.seqs.extend(staged.seqs);
        let before = std::mem::replace(&mut self.head, staged.head);
        let keys = staged.keys.into_iter().map(|(key, _)| key).collect();
        self.keys.group(staged.head, keys);
        if before < staged.head {
            self.tail.add(before, staged.head, staged.rows);
        }
        Ok(self.head)
    }

    /// Gives the open transaction up, if one is open.
    pub(crate) async fn rollback(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        for (key, _) in std::mem::take(&mut self.staged).keys {
            self.keys.take_back(&key);
        }
        // Some errors have ended the transaction already.
        let _ = self.connection.run("ROLLBACK").await;
        // Ids went on; everything else that is known is as it was. Read it again all the same.
        self.data_version = None;
    }

    /// Makes a release in the open transaction, of which its event was staged last.
    pub(crate) fn stage_release(&mut self, release: NewRelease) {
        self.staged.release = Some(release);
    }

    /// Writes the staged texts, leaves and contents, and then the release that they tell of.
    async fn write(&mut self) -> Result<(), StoreError> {
        let connection = self.connection.sqlite()?;
        for (ws, additions) in &self.staged.texts {
            additions
                .write(&mut *connection, &mut self.statements, *ws)
                .await?;
        }
        let leaves = std::mem::take(&mut self.staged.leaves);
        self.statements
            .write_leaves(&mut *connection, &leaves)
            .await?;
        let contents = std::mem::take(&mut self.staged.contents);
        self.statements
            .write_contents(&mut *connection, &contents)
            .await?;
        if let Some(release) = self.staged.release.take() {
            sqlx::query(
                "INSERT INTO release (id, ws, n, before, events) \
                 SELECT coalesce(max(id), 0) + 1, ?, ?, ?, ? FROM release",
            )
            .bind(release.ws)
            .bind(self.staged.head)
            .bind(release.before.micros())
            .bind(release.events)
            .execute(&mut *connection)
            .await?;
        }
        for erasure in std::mem::take(&mut self.staged.erasures) {
            erasure.write(&mut *connection).await?;
        }
        Ok(())
    }

    /// Moves what was committed into the main file, so that little is left to recover. Where it
    /// cannot, nothing is lost: who opens the log next reads it from where it is.
    pub(crate) async fn checkpoint(&mut self) {
        if let Err(error) = self.connection.run("PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::info!("the log was not checkpointed: {error}");
        }
    }
}
