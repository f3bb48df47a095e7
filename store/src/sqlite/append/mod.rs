//! Appending: the one connection that writes the log, and what it knows of the log's end.
//!
//! Other processes may append to the same log. A transaction of this one begins by taking the write
//! lock; if the file changed since, everything known about its end is read again before anything is
//! numbered. What a transaction adds to what is known counts only after its commit.

use super::{
    admit::{Admitted, KeyHash},
    dictionaries::{Dictionaries, SIZES, Shared, damaged, sizes},
    sql::{made_of_our_own_texts, rows_of},
};
use crate::{
    StoreError,
    dictionary::{Dictionary, NamedAction, Number, Sizes},
    ids::Ids,
    recording::Placed,
};
use domain::{
    category::Category,
    event::{Actor, EventId, Outcome, Source, Target, TargetKind},
    time::Timestamp,
    verb::Verb,
};
use sqlx::{Executor, Row, SqliteConnection, sqlite::SqliteRow};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use uuid::Uuid;

/// The end of the log, and the connection that extends it.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) connection: SqliteConnection,
    dictionaries: Arc<Dictionaries>,
    /// The last event that others committed, as far as is known.
    others_head: Arc<AtomicI64>,
    data_version: Option<i64>,
    /// The number of the last event in the installation.
    head: i64,
    /// The last number in each tenant.
    seqs: HashMap<i64, i64>,
    ids: Ids,
    /// Whether recording is on, by workspace.
    recording: HashMap<i64, bool>,
    /// The keys of events that the index does not have yet.
    tail: Tail,
    /// Whether a transaction is open.
    open: bool,
    /// Workspaces whose dictionary holds all that the log does.
    prepared: HashSet<i64>,
    /// What the open transaction adds.
    staged: Staged,
    statements: HashMap<(&'static str, usize), Arc<str>>,
}

/// The keys of events beyond the index's mark.
#[derive(Debug, Default)]
struct Tail {
    places: HashMap<KeyHash, Placed>,
    groups: VecDeque<(i64, Vec<KeyHash>)>,
}

/// What an open transaction adds to what is known.
#[derive(Debug, Default)]
struct Staged {
    head: i64,
    seqs: HashMap<i64, i64>,
    texts: HashMap<i64, Additions>,
    keys: Vec<(KeyHash, Placed)>,
    leaves: Vec<Leaf>,
    contents: Vec<Content>,
}

#[derive(Debug)]
struct Leaf {
    n: i64,
    tenant: i64,
    seq: i64,
    id: Uuid,
    ws: i64,
    occurred_at: i64,
    recorded_at: i64,
    parts: [u8; 32],
}

#[derive(Debug)]
struct Content {
    n: i64,
    actor: Number,
    via: Option<Number>,
    action: Number,
    target: Number,
    related: Option<Number>,
    outcome: i64,
    operation: Option<String>,
    key: Option<KeyHash>,
    salt: [u8; 16],
    source: Option<i64>,
    keep: bool,
    body: Option<String>,
}

/// New texts of one table, in the order of their numbers.
#[derive(Debug)]
struct New<T> {
    numbers: HashMap<T, Number>,
    list: Vec<T>,
}

impl<T> Default for New<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            list: Vec::new(),
        }
    }
}

impl<T: Eq + Hash + Clone> New<T> {
    /// The number of a text: known before, added in this transaction, or the next.
    fn number(&mut self, text: &T, known: Option<Number>, size: Number) -> Number {
        if let Some(number) = known.or_else(|| self.numbers.get(text).copied()) {
            return number;
        }
        self.list.push(text.clone());
        let number = size + Number::try_from(self.list.len()).unwrap_or(Number::MAX);
        self.numbers.insert(text.clone(), number);
        number
    }
}

/// New texts of a workspace.
#[derive(Debug, Default)]
struct Additions {
    shared: Arc<Shared>,
    base: Sizes,
    actors: New<Actor>,
    vias: New<Box<[Number]>>,
    actions: New<NamedAction>,
    kinds: New<TargetKind>,
    targets: New<Target>,
    related: New<Box<[Number]>>,
}

/// Outcomes by number, as the log keeps them.
pub(crate) const fn outcome_number(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Success => 0,
        Outcome::Failure => 1,
        Outcome::Denied => 2,
    }
}

/// Sources by number, as the log keeps them.
pub(crate) const fn source_number(source: Source) -> i64 {
    match source {
        Source::Daybook => 1,
        Source::Import => 2,
    }
}

impl Appender {
    pub(crate) fn new(
        connection: SqliteConnection,
        dictionaries: Arc<Dictionaries>,
        others_head: Arc<AtomicI64>,
    ) -> Self {
        Self {
            connection,
            dictionaries,
            others_head,
            data_version: None,
            head: 0,
            seqs: HashMap::new(),
            ids: Ids::after(None),
            recording: HashMap::new(),
            tail: Tail::default(),
            open: false,
            prepared: HashSet::new(),
            staged: Staged::default(),
            statements: HashMap::new(),
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
        if let Err(error) = self.connection.execute("BEGIN IMMEDIATE").await {
            self.open = false;
            return Err(error.into());
        }
        let known = match self.know_the_end().await {
            Ok(()) => self.know_the_tail(mark).await,
            Err(error) => Err(error),
        };
        if let Err(error) = known {
            self.rollback().await;
            return Err(error);
        }
        self.staged = Staged {
            head: self.head,
            ..Staged::default()
        };
        Ok(())
    }

    /// Reads the log's end again where another process wrote.
    async fn know_the_end(&mut self) -> Result<(), StoreError> {
        let version: i64 = sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&mut self.connection)
            .await?;
        if self.data_version == Some(version) {
            return Ok(());
        }
        let (head, id): (Option<i64>, Option<Vec<u8>>) =
            sqlx::query_as("SELECT (SELECT max(n) FROM leaf), (SELECT max(id) FROM leaf)")
                .fetch_one(&mut self.connection)
                .await?;
        let head = head.unwrap_or(0);
        if head > self.head {
            self.others_head.store(head, Ordering::Release);
        }
        self.head = head;
        self.ids = Ids::after(id.and_then(|id| Uuid::from_slice(&id).ok()));
        self.seqs = sqlx::query_as(
            "SELECT t.id, coalesce((SELECT max(seq) FROM leaf WHERE tenant = t.id), 0) FROM tenant t",
        )
        .fetch_all(&mut self.connection)
        .await?
        .into_iter()
        .collect();
        self.read_recording().await?;
        self.prepared.clear();
        self.data_version = Some(version);
        Ok(())
    }

    /// Reads which workspaces record: again after this process changed it itself.
    pub(crate) async fn read_recording(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(i64, bool)> = sqlx::query_as("SELECT id, recording FROM workspace")
            .fetch_all(&mut self.connection)
            .await?;
        self.recording = rows.into_iter().collect();
        Ok(())
    }

    async fn extend(&mut self, ws: i64) -> Result<Arc<Shared>, StoreError> {
        let row = sqlx::query(made_of_our_own_texts(format!("SELECT {SIZES}")))
            .bind(ws)
            .fetch_one(&mut self.connection)
            .await?;
        let sizes = sizes(&row, 0)?;
        self.dictionaries
            .extend(&mut self.connection, ws, sizes)
            .await
    }

    /// Whether what applications send to a workspace is recorded; the tenant's own log always is.
    pub(crate) fn records(&self, ws: i64) -> bool {
        ws < 0 || self.recording.get(&ws).copied().unwrap_or(true)
    }

    /// An event with this key, among those that the index does not have yet and those of the open
    /// transaction.
    pub(crate) fn placed(&self, key: &KeyHash) -> Option<Placed> {
        self.tail.places.get(key).copied()
    }

    /// Reads the keys of events beyond `mark` that other processes wrote.
    async fn know_the_tail(&mut self, mark: i64) -> Result<(), StoreError> {
        while self
            .tail
            .groups
            .front()
            .is_some_and(|(last, _)| *last <= mark)
        {
            if let Some((_, keys)) = self.tail.groups.pop_front() {
                for key in keys {
                    self.tail.places.remove(&key);
                }
            }
        }
        let known = self
            .tail
            .groups
            .back()
            .map_or(mark, |(last, _)| (*last).max(mark));
        if known >= self.head {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT c.key, c.key_rest, l.id, l.seq, l.recorded_at FROM content c JOIN leaf l ON l.n = c.n \
             WHERE c.n > ? AND c.n <= ? AND c.key IS NOT NULL",
        )
        .bind(known)
        .bind(self.head)
        .fetch_all(&mut self.connection)
        .await?;
        let mut keys = Vec::new();
        for row in rows {
            let key = KeyHash {
                key: row.try_get(0)?,
                rest: row.try_get(1)?,
            };
            let placed = placed_at(&row, 2)?;
            self.tail.places.insert(key, placed);
            keys.push(key);
        }
        self.tail.groups.push_back((self.head, keys));
        Ok(())
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
            let shared = if self.prepared.contains(&ws) {
                self.dictionaries.of(ws)
            } else {
                self.extend(ws).await?
            };
            self.prepared.insert(ws);
            let base = shared.read().sizes();
            self.staged.texts.insert(
                ws,
                Additions {
                    shared,
                    base,
                    ..Additions::default()
                },
            );
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
        staged.contents.push(Content {
            n: staged.head,
            actor: numbers.actor,
            via: numbers.via,
            action: numbers.action,
            target: numbers.target,
            related: numbers.related,
            outcome: outcome_number(event.event.outcome),
            operation: event.event.operation,
            key: event.key,
            salt: event.salt.0,
            source: event.source.map(source_number),
            keep: event.keep,
            body: event.body,
        });
        if let Some(key) = event.key {
            staged.keys.push((key, placed));
            self.tail.places.insert(key, placed);
        }
        Ok(placed)
    }

    /// Writes what was staged, commits, and takes it over into what is known. On an error nothing
    /// of the transaction remains.
    pub(crate) async fn commit(&mut self) -> Result<i64, StoreError> {
        let written = match self.write().await {
            Ok(()) => self
                .connection
                .execute("COMMIT")
                .await
                .map(drop)
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
            additions.publish(&self.dictionaries);
        }
        self.seqs.extend(staged.seqs);
        self.head = staged.head;
        let keys = staged.keys.into_iter().map(|(key, _)| key).collect();
        self.tail.groups.push_back((staged.head, keys));
        Ok(self.head)
    }

    /// Gives the open transaction up, if one is open.
    pub(crate) async fn rollback(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        for (key, _) in std::mem::take(&mut self.staged).keys {
            self.tail.places.remove(&key);
        }
        // Some errors have ended the transaction already.
        let _ = self.connection.execute("ROLLBACK").await;
        // Ids went on; everything else that is known is as it was. Read it again all the same.
        self.data_version = None;
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let texts = std::mem::take(&mut self.staged.texts);
        let mut outcome = Ok(());
        for (ws, additions) in &texts {
            outcome = additions.write(&mut self.connection, *ws).await;
            if outcome.is_err() {
                break;
            }
        }
        self.staged.texts = texts;
        outcome?;
        let leaves = std::mem::take(&mut self.staged.leaves);
        for rows in slices(&leaves) {
            let text = self.statement(
                "INSERT INTO leaf (n, tenant, seq, id, ws, occurred_at, recorded_at, parts)",
                8,
                rows.len(),
            );
            let mut query = sqlx::query(made_of_our_own_texts(text));
            for leaf in rows {
                query = query
                    .bind(leaf.n)
                    .bind(leaf.tenant)
                    .bind(leaf.seq)
                    .bind(&leaf.id.as_bytes()[..])
                    .bind(leaf.ws)
                    .bind(leaf.occurred_at)
                    .bind(leaf.recorded_at)
                    .bind(&leaf.parts[..]);
            }
            query.execute(&mut self.connection).await?;
        }
        let mut contents = std::mem::take(&mut self.staged.contents);
        let mut rest = contents.as_mut_slice();
        while !rest.is_empty() {
            let (rows, more) = rest.split_at_mut(slice_size(rest.len()));
            rest = more;
            let text = self.statement(
                "INSERT INTO content (n, actor, via, action, target, related, outcome, operation, \
                 key, key_rest, salt, source, keep, body)",
                14,
                rows.len(),
            );
            let mut query = sqlx::query(made_of_our_own_texts(text));
            for content in rows {
                query = query
                    .bind(content.n)
                    .bind(i64::from(content.actor))
                    .bind(content.via.map(i64::from))
                    .bind(i64::from(content.action))
                    .bind(i64::from(content.target))
                    .bind(content.related.map(i64::from))
                    .bind(content.outcome)
                    .bind(content.operation.take())
                    .bind(content.key.map(|hash| hash.key))
                    .bind(content.key.map(|hash| hash.rest))
                    .bind(&content.salt[..])
                    .bind(content.source)
                    .bind(content.keep)
                    .bind(content.body.take());
            }
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    fn statement(&mut self, head: &'static str, columns: usize, rows: usize) -> Arc<str> {
        let made = self.statements.entry((head, rows));
        Arc::clone(made.or_insert_with(|| rows_of(head, columns, rows)))
    }

    /// Moves what was committed into the main file, so that little is left to recover. Where it
    /// cannot, nothing is lost: who opens the log next reads it from where it is.
    pub(crate) async fn checkpoint(&mut self) {
        if let Err(error) = self
            .connection
            .execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .await
        {
            tracing::info!("the log was not checkpointed: {error}");
        }
    }
}

/// Where an event is: the columns id, seq and `recorded_at`, from column `from` on.
pub(crate) fn placed_at(row: &SqliteRow, from: usize) -> Result<Placed, StoreError> {
    let id = Uuid::from_slice(row.try_get(from)?).map_err(|_| damaged("an id is broken"))?;
    Ok(Placed {
        id: EventId(id),
        seq: u64::try_from(row.try_get::<i64, _>(from + 1)?).unwrap_or_default(),
        recorded_at: Timestamp::from_micros(row.try_get(from + 2)?),
    })
}

/// Rows are written 500, 50, 10 and 1 at a time: few statements, each prepared once.
fn slice_size(rows: usize) -> usize {
    [500, 50, 10, 1]
        .into_iter()
        .find(|size| *size <= rows)
        .unwrap_or(1)
}

fn slices<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        if rows.is_empty() {
            return None;
        }
        let (first, rest) = rows.split_at(slice_size(rows.len()));
        rows = rest;
        Some(first)
    })
}

/// The numbers that stand for an event's texts.
struct Numbered {
    actor: Number,
    via: Option<Number>,
    action: Number,
    target: Number,
    related: Option<Number>,
}

impl Additions {
    fn numbers(&mut self, event: &Admitted) -> Numbered {
        let shared = Arc::clone(&self.shared);
        let known = shared.read();
        let base = self.base;
        let event = &event.event;
        let mut actor = |actor: &Actor| {
            self.actors
                .number(actor, known.actor_number(actor), base.actor)
        };
        let own = actor(&event.actor);
        let chain: Box<[Number]> = event.via.iter().map(&mut actor).collect();
        let via = (!chain.is_empty())
            .then(|| self.vias.number(&chain, known.via_number(&chain), base.via));
        let named = NamedAction {
            action: event.action.clone(),
            verb: event.verb,
            category: event.category,
        };
        let action = self
            .actions
            .number(&named, known.action_number(&named), base.action);
        let mut target = |target: &Target| {
            self.kinds
                .number(&target.kind, known.kind_number(&target.kind), base.kind);
            self.targets
                .number(target, known.target_number(target), base.target)
        };
        let own_target = target(&event.target);
        let others: Box<[Number]> = event.related.iter().map(&mut target).collect();
        let related = (!others.is_empty()).then(|| {
            self.related
                .number(&others, known.related_number(&others), base.related)
        });
        Numbered {
            actor: own,
            via,
            action,
            target: own_target,
            related,
        }
    }

    /// The number of a kind that is known or staged.
    fn kind(&self, known: &Dictionary, kind: &TargetKind) -> Number {
        known
            .kind_number(kind)
            .or_else(|| self.kinds.numbers.get(kind).copied())
            .unwrap_or_default()
    }

    async fn write(&self, connection: &mut SqliteConnection, ws: i64) -> Result<(), StoreError> {
        for (actor, number) in self
            .actors
            .list
            .iter()
            .zip(i64::from(self.base.actor) + 1..)
        {
            sqlx::query(
                "INSERT INTO actor (ws, num, kind, id, name, email) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(ws)
            .bind(number)
            .bind(actor.kind.as_str())
            .bind(actor.id.clone())
            .bind(actor.name.clone())
            .bind(actor.email.clone())
            .execute(&mut *connection)
            .await?;
        }
        for (chain, number) in self.vias.list.iter().zip(i64::from(self.base.via) + 1..) {
            sqlx::query("INSERT INTO via (ws, num, members) VALUES (?, ?, ?)")
                .bind(ws)
                .bind(number)
                .bind(list_text(chain))
                .execute(&mut *connection)
                .await?;
        }
        for (named, number) in self
            .actions
            .list
            .iter()
            .zip(i64::from(self.base.action) + 1..)
        {
            sqlx::query(
                "INSERT INTO action (ws, num, action, verb, category) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(ws)
            .bind(number)
            .bind(named.action.as_str())
            .bind(named.verb.map(Verb::as_str))
            .bind(named.category.map(Category::as_str))
            .execute(&mut *connection)
            .await?;
        }
        for (kind, number) in self.kinds.list.iter().zip(i64::from(self.base.kind) + 1..) {
            sqlx::query("INSERT INTO kind (ws, num, kind) VALUES (?, ?, ?)")
                .bind(ws)
                .bind(number)
                .bind(kind.as_str())
                .execute(&mut *connection)
                .await?;
        }
        for (target, number) in self
            .targets
            .list
            .iter()
            .zip(i64::from(self.base.target) + 1..)
        {
            let kind = self.kind(&self.shared.read(), &target.kind);
            sqlx::query(
                "INSERT INTO target (ws, num, kind, id, name, url) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(ws)
            .bind(number)
            .bind(i64::from(kind))
            .bind(target.id.clone())
            .bind(target.name.clone())
            .bind(target.url.clone())
            .execute(&mut *connection)
            .await?;
        }
        for (set, number) in self
            .related
            .list
            .iter()
            .zip(i64::from(self.base.related) + 1..)
        {
            sqlx::query("INSERT INTO related (ws, num, members) VALUES (?, ?, ?)")
                .bind(ws)
                .bind(number)
                .bind(list_text(set))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// Takes the new texts over into the dictionary that everybody reads. A reader of another
    /// process's events may have read some of them from the log already.
    fn publish(self, dictionaries: &Dictionaries) {
        let mut shared = self.shared.write();
        let known = shared.sizes();
        let new = |known: Number, base: Number| (known.saturating_sub(base)) as usize;
        for actor in self
            .actors
            .list
            .into_iter()
            .skip(new(known.actor, self.base.actor))
        {
            shared.add_actor(actor);
        }
        for chain in self
            .vias
            .list
            .into_iter()
            .skip(new(known.via, self.base.via))
        {
            shared.add_via(chain);
        }
        for named in self
            .actions
            .list
            .into_iter()
            .skip(new(known.action, self.base.action))
        {
            shared.add_action(named, dictionaries.catalogue());
        }
        for kind in self
            .kinds
            .list
            .into_iter()
            .skip(new(known.kind, self.base.kind))
        {
            shared.add_kind(kind);
        }
        for target in self
            .targets
            .list
            .into_iter()
            .skip(new(known.target, self.base.target))
        {
            shared.add_target(target);
        }
        for set in self
            .related
            .list
            .into_iter()
            .skip(new(known.related, self.base.related))
        {
            shared.add_related(set);
        }
    }
}

fn list_text(numbers: &[Number]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}
