//! Appending on PostgreSQL. Several servers may append to one log; what orders them are locks, taken
//! always in this order, so that nobody waits for each other:
//!
//! 1. of a change of what is administered: the lock of all changes, and then the rows it changes;
//! 2. of events that are counted instead of kept: their workspaces' rows, by id;
//! 3. where a partition is missing: the lock of all partitions;
//! 4. where a text is new: the row in `text_head` of each workspace, by `ws`;
//! 5. the row in `tenant_head` of each tenant, by id, until the transaction ends.
//!
//! Who records applications' events adds partitions and texts each in a transaction of its own before
//! the one that holds the head: it is what the tenant's other writers wait for, so everything that can be
//! done before is. What is looked at before (which texts there are, which workspaces record, which keys
//! are there already) is looked at again then, and where it changed the group begins anew.

use super::{partitions::Partitions, rows::Rows};
use crate::{
    StoreError,
    database::{Connection, Pooled, is_broken_off, within},
    dictionary::Sizes,
    ids::Ids,
    recording::{Placed, Receipt},
    sqlite::{
        Admitted, KeyHash,
        append::{Additions, NewRelease, Numbered, outcome_number, source_number},
        change::Log,
        dictionaries::{Dictionaries, Extent, Shared, damaged},
        settings::effective,
    },
};
use domain::{
    event::{EventId, Source},
    retention::Retention,
    time::Timestamp,
};
use sqlx::{Connection as _, Executor, PgConnection, PgPool, Row, postgres::PgRow};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// How long contents of a class are kept at most, in days; 0 is for ever.
pub(super) const CLASSES: [i16; 5] = [31, 92, 366, 1_100, 3_700];
const FOR_EVER: i16 = 0;
pub(crate) const DAY: i64 = 86_400_000_000;

/// How long a group may take until it is committed, with its waiting for locks.
const GROUP: Duration = Duration::from_secs(30);
/// How long a commit is waited for; then whether it took place is asked on another connection.
const COMMIT: Duration = Duration::from_secs(10);
/// How long it is waited that a transaction is given up, before its connection is.
const ROLLBACK: Duration = Duration::from_secs(5);
/// How often it is tried to ask what became of a commit; each time a connection is waited for.
const ASK: usize = 3;

/// A workspace's log, or a tenant's own, in the order of locks.
pub(super) type LogId = (i64, i64);

/// What every connection that appends knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(super) dictionaries: Arc<Dictionaries>,
    pub(super) partitions: Partitions,
    /// The logs whose tallies have changes that are to be added up, and how often each was passed by.
    pub(super) tallied: Mutex<BTreeMap<LogId, u8>>,
    /// Which server and database the last connection led to, and since when it has been running.
    pub(super) met: Mutex<Option<String>>,
    /// Whether each tenant's tables lie on some node of a Citus: see the migration `nodes`.
    pub(super) is_distributed: bool,
}

impl Known {
    /// Takes note of where a new connection leads. Another server, or the same one started again, may
    /// have lost what was said to be durable (`synchronous_commit` off, a standby that was behind, an
    /// older copy): nothing that is known is believed any more.
    pub(super) fn meet(&self, server: String) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let before = met.replace(server);
        if before.is_some() && before != *met {
            self.dictionaries.forget_all();
            self.partitions.forget();
        }
    }

    fn tallied(&self, events: &[Admitted]) {
        let logs: BTreeSet<LogId> = events
            .iter()
            .map(|event| (event.tenant, event.ws))
            .collect();
        self.to_add_up(logs);
    }

    /// Tenants, as statements are to be asked about them: all together; where they are distributed, each
    /// by itself, so that one node is asked.
    pub(super) fn apart(&self, tenants: Vec<i64>) -> Vec<Vec<i64>> {
        if self.is_distributed {
            return tenants.into_iter().map(|tenant| vec![tenant]).collect();
        }
        vec![tenants]
    }

    /// Takes note of logs whose tallies are to be added up.
    pub(super) fn to_add_up(&self, which: impl IntoIterator<Item = LogId>) {
        for log in which {
            self.add_up_later(log, 0);
        }
    }

    /// The same of one that was passed by so often.
    pub(super) fn add_up_later(&self, log: LogId, passes: u8) {
        let mut logs = self.tallied.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = logs.entry(log).or_default();
        *passed = passes.max(*passed);
    }
}

/// A connection that appends.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) connection: Pooled,
    /// Where there are others.
    pool: PgPool,
    known: Arc<Known>,
    /// Whether a transaction is open.
    open: bool,
    /// What the open change records.
    staged: Vec<Admitted>,
    release: Option<NewRelease>,
}

/// What is known of a tenant's workspaces before its head is held.
#[derive(Debug)]
struct Places {
    now: Timestamp,
    /// In which class what of a log expires lies.
    classes: HashMap<i64, i16>,
    /// The workspaces that do not record.
    off: BTreeSet<i64>,
}

/// The texts of the logs of a group, with what is added to them.
type Texts = BTreeMap<LogId, Additions>;

/// The end of a tenant's log while its row is held.
struct Head {
    seq: i64,
    ids: Ids,
    last: Option<Uuid>,
}

impl Appender {
    pub(crate) fn new(connection: Pooled, pool: PgPool, known: Arc<Known>) -> Self {
        Self {
            connection,
            pool,
            known,
            open: false,
            staged: Vec::new(),
            release: None,
        }
    }

    /// Begins a change of what is administered: nobody else changes anything until it ends.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.open = true;
        self.connection
            .run("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('daybook change', 0))")
            .await?;
        Ok(())
    }

    /// Records an event of Daybook's own in the change, when it is committed.
    pub(crate) fn stage(&mut self, event: Admitted) {
        self.staged.push(event);
    }

    /// Makes a release in the change, of which its event was staged last.
    pub(crate) fn stage_release(&mut self, release: NewRelease) {
        self.release = Some(release);
    }

    /// Records what was staged, and commits. On an error nothing of the change remains, unless it is
    /// that it is not known.
    pub(crate) async fn commit(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let events = std::mem::take(&mut self.staged);
        let written = self.write_change(&events, now).await;
        match written {
            Ok(texts) => {
                publish(texts);
                self.known.tallied(&events);
                Ok(())
            }
            Err(error) => {
                self.rollback().await;
                // As when recording.
                self.known.partitions.forget();
                Err(error)
            }
        }
    }

    async fn write_change(
        &mut self,
        events: &[Admitted],
        now: Timestamp,
    ) -> Result<Texts, StoreError> {
        let known = Arc::clone(&self.known);
        let connection: &mut Connection = &mut self.connection;
        let mut texts = Texts::new();
        let mut last = None;
        if !events.is_empty() {
            let places = places(connection.postgres()?, events, now).await?;
            let wanted = wanted_partitions(events, &places);
            // On a connection of their own: whoever makes them is not who writes in them, and sees
            // nothing of what a node has not committed.
            known.partitions.add_apart(&self.pool, &wanted).await?;
            texts = locked_texts(connection, &known.dictionaries, events).await?;
            let connection = connection.postgres()?;
            let mut group = Group::compose(events, &places, &ByKey::new(), &mut texts)?;
            let mut heads = hold_heads(connection, &known, events).await?;
            group.number(&mut heads, now)?;
            group.write(connection, &heads).await?;
            if let Some(release) = self.release.take() {
                write_release(connection, &release, events, &heads).await?;
            }
            last = new_event(events, &group.receipts);
        }
        self.commit_open(last).await?;
        Ok(texts)
    }

    /// Commits the open transaction, of which `last` is an event. On an error it was undone, unless it
    /// is that it is not known.
    ///
    /// Where the connection breaks off before the server says what it did, it may have done either:
    /// it is asked on another connection whether the event is there.
    async fn commit_open(&mut self, last: Option<(i64, EventId)>) -> Result<(), StoreError> {
        let committed = within(COMMIT, self.connection.run("COMMIT")).await;
        self.open = false;
        let Err(error) = committed else {
            return Ok(());
        };
        self.connection.close_on_drop();
        // Of several nodes one may have done what another then refuses, or does not answer.
        if !is_broken_off(&error) && !self.known.is_distributed {
            return Err(error.into());
        }
        let in_doubt = StoreError::InDoubt(error.to_string());
        let Some((tenant, id)) = last else {
            return Err(in_doubt);
        };
        tracing::warn!("a commit was not answered, and is looked for: {error}");
        for _ in 0..ASK {
            match within(GROUP, is_there(&self.pool, tenant, id)).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(error.into()),
                Err(error) => tracing::warn!("it cannot be asked what became of a commit: {error}"),
            }
        }
        Err(in_doubt)
    }

    /// Gives the open transaction up, if one is open.
    pub(crate) async fn rollback(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        self.staged.clear();
        self.release = None;
        let undone = within(ROLLBACK, self.connection.run("ROLLBACK")).await;
        if undone.is_err() {
            self.connection.close_on_drop();
        }
    }

    /// Records a group of events: a receipt for each, when all are durable. All or nothing; on an error
    /// nothing, unless it is that it is not known.
    pub(crate) async fn record(
        &mut self,
        events: &[Admitted],
        now: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        // Whether what is in memory of texts was found to be of before.
        let mut is_stale = false;
        loop {
            let written = within(GROUP, self.write_group(events, now, is_stale)).await;
            let recorded = match written {
                Ok(Some(receipts)) => self.commit_group(events, receipts).await.map(Some),
                other => other,
            };
            match recorded {
                Ok(Some(receipts)) => return Ok(receipts),
                // Somebody switched recording off, emptied texts, or recorded the same event, since it was
                // looked at.
                Ok(None) => {
                    self.rollback().await;
                    is_stale = true;
                }
                Err(error) => {
                    self.rollback().await;
                    // It may be that a partition was dropped, which nothing was in any more.
                    self.known.partitions.forget();
                    return Err(error);
                }
            }
        }
    }

    async fn commit_group(
        &mut self,
        events: &[Admitted],
        receipts: Vec<Receipt>,
    ) -> Result<Vec<Receipt>, StoreError> {
        match self.commit_open(new_event(events, &receipts)).await {
            Ok(()) => {
                self.known.tallied(events);
                Ok(receipts)
            }
            // Nothing in it was new: it can be tried again whatever became of it.
            Err(StoreError::InDoubt(why)) if new_event(events, &receipts).is_none() => {
                Err(StoreError::Unavailable(why))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a group in a transaction that stays open, and holds the tenants' heads; or not, where
    /// what was looked at before changed.
    async fn write_group(
        &mut self,
        events: &[Admitted],
        now: Timestamp,
        is_stale: bool,
    ) -> Result<Option<Vec<Receipt>>, StoreError> {
        let known = Arc::clone(&self.known);
        self.open = true;
        let places = places(self.connection.postgres()?, events, now).await?;
        let wanted = wanted_partitions(events, &places);
        known
            .partitions
            .add(self.connection.postgres()?, &wanted)
            .await?;
        let mut texts =
            texts_of(&mut self.connection, &known.dictionaries, events, is_stale).await?;
        let connection = self.connection.postgres()?;
        let placed = placed(connection, &known, events).await?;
        let mut group = Group::compose(events, &places, &placed, &mut texts)?;
        connection.execute("BEGIN").await?;
        let discards: BTreeSet<i64> = events
            .iter()
            .filter(|event| !is_own(event) && places.off.contains(&event.ws))
            .map(|event| event.ws)
            .collect();
        if !discards.is_empty() {
            let ids: Vec<i64> = discards.iter().copied().collect();
            sqlx::query("SELECT 1 FROM workspace WHERE id = ANY($1) ORDER BY id FOR UPDATE")
                .bind(ids)
                .execute(&mut *connection)
                .await?;
        }
        let mut heads = hold_heads(connection, &known, events).await?;
        if !still_so(connection, &known, events, &places, &texts).await? {
            return Ok(None);
        }
        group.number(&mut heads, now)?;
        if !group.write_keys(connection).await? {
            return Ok(None);
        }
        group.write(connection, &heads).await?;
        Ok(Some(group.receipts))
    }
}

/// An event of a transaction that was not there before it, and its tenant.
fn new_event(events: &[Admitted], receipts: &[Receipt]) -> Option<(i64, EventId)> {
    let mut all = events.iter().zip(receipts);
    all.find_map(|(event, receipt)| match receipt {
        Receipt::Recorded(placed) => Some((event.tenant, placed.id)),
        Receipt::Duplicate(_) | Receipt::Discarded => None,
    })
}

/// Whether an event is in the log, now that nobody is about to commit it any more.
async fn is_there(pool: &PgPool, tenant: i64, id: EventId) -> Result<bool, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    // Whoever wrote it held this until the transaction ended, one way or the other.
    sqlx::query("SELECT seq FROM tenant_head WHERE tenant = $1 FOR UPDATE")
        .bind(tenant)
        .execute(&mut *transaction)
        .await?;
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM leaf WHERE tenant = $1 AND id = $2)")
            .bind(tenant)
            .bind(id.0.as_bytes().to_vec())
            .fetch_one(&mut *transaction)
            .await?;
    transaction.rollback().await?;
    Ok(there)
}

impl Drop for Appender {
    /// Whoever asked went away in the middle: the server undoes what a closed connection left open.
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}

fn is_own(event: &Admitted) -> bool {
    event.source == Some(Source::Daybook)
}

fn tenants(events: &[Admitted]) -> Vec<i64> {
    let tenants: BTreeSet<i64> = events.iter().map(|event| event.tenant).collect();
    tenants.into_iter().collect()
}

/// In which class the contents of a log lie that keeps them so long.
pub(crate) fn class_of(retention: Retention, now: Timestamp) -> i16 {
    let Some(from) = retention.keeps_from(now) else {
        return FOR_EVER;
    };
    let days = (now.micros() - from.micros() + DAY - 1) / DAY;
    let fits = |class: &&i16| i64::from(**class) >= days;
    CLASSES.iter().find(fits).copied().unwrap_or(FOR_EVER)
}

/// Looks at the settings of all workspaces of the group's tenants.
async fn places(
    connection: &mut PgConnection,
    events: &[Admitted],
    now: Timestamp,
) -> Result<Places, StoreError> {
    let rows = sqlx::query(
        "SELECT w.id, w.tenant, w.recording, \
             CASE WHEN w.pending_from <= $2 THEN w.pending ELSE w.retention END, t.floor, t.cap \
         FROM workspace w JOIN tenant t ON t.id = w.tenant WHERE w.tenant = ANY($1)",
    )
    .bind(tenants(events))
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    let mut places = Places {
        now,
        classes: HashMap::new(),
        off: BTreeSet::new(),
    };
    let mut longest: HashMap<i64, i16> = HashMap::new();
    for row in &rows {
        let (ws, tenant): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let retention = effective(row.try_get(3)?, row.try_get(4)?, row.try_get(5)?)?;
        let class = class_of(retention, now);
        places.classes.insert(ws, class);
        if !row.try_get::<bool, _>(2)? {
            places.off.insert(ws);
        }
        // A tenant's own events stay as long as the longest of its workspaces.
        let own = longest.entry(tenant).or_insert(class);
        if class == FOR_EVER || (*own != FOR_EVER && class > *own) {
            *own = class;
        }
    }
    for (tenant, class) in longest {
        places.classes.insert(-tenant, class);
    }
    Ok(places)
}

impl Places {
    /// In which class an event's content lies. One that is older than its class (its log's retention
    /// became shorter since it was sent) lies with what stays: nothing comes into partitions of which
    /// the time is over, and there are no more of them than a class has months.
    fn class(&self, event: &Admitted) -> i16 {
        let class = self.classes.get(&event.ws).copied().unwrap_or(FOR_EVER);
        let age = self.now.micros() - event.occurred_at.micros();
        if event.keep || age > i64::from(class) * DAY {
            return FOR_EVER;
        }
        class
    }
}

/// The class and the time of each content of a group.
fn wanted_partitions(events: &[Admitted], places: &Places) -> Vec<(i16, i64)> {
    events
        .iter()
        .map(|event| (places.class(event), event.occurred_at.micros()))
        .collect()
}

/// Numbers for the texts of a group: those that are known, and where there are new ones, those that
/// a transaction of its own gives them.
async fn texts_of(
    connection: &mut Connection,
    dictionaries: &Dictionaries,
    events: &[Admitted],
    is_stale: bool,
) -> Result<Texts, StoreError> {
    let mut texts = Texts::new();
    let mut is_known = !is_stale;
    for event in events {
        if !is_known {
            break;
        }
        let log = (event.tenant, event.ws);
        let Some(shared) = dictionaries.latest(event.ws) else {
            is_known = false;
            continue;
        };
        let additions = texts.entry(log).or_insert_with(|| Additions::new(shared));
        additions.numbers(event);
        is_known = additions.is_empty();
    }
    if is_known {
        return Ok(texts);
    }
    connection.run("BEGIN").await?;
    let added = locked_texts(connection, dictionaries, events).await?;
    connection.run("COMMIT").await?;
    let logs: Vec<LogId> = added.keys().copied().collect();
    let shared: Vec<Arc<Shared>> = added.values().map(|new| Arc::clone(new.shared())).collect();
    publish(added);
    Ok(logs
        .into_iter()
        .zip(shared)
        .map(|(log, shared)| (log, Additions::new(shared)))
        .collect())
}

/// Holds the texts of the logs of a group, reads what others added, and adds what is new. They count
/// only when the transaction is committed.
async fn locked_texts(
    connection: &mut Connection,
    dictionaries: &Dictionaries,
    events: &[Admitted],
) -> Result<Texts, StoreError> {
    let logs: BTreeSet<LogId> = events
        .iter()
        .map(|event| (event.tenant, event.ws))
        .collect();
    let mut texts = Texts::new();
    for (tenant, ws) in logs {
        let extent = hold_texts(connection.postgres()?, tenant, ws).await?;
        if let Some(known) = dictionaries.latest(ws)
            && extent.is_behind(known.read().sizes())
        {
            lost_texts(dictionaries, ws, &known);
        }
        let shared = dictionaries
            .extend(connection, Log { ws, tenant }, extent)
            .await?;
        let mut additions = Additions::new(shared);
        for event in events.iter().filter(|event| event.ws == ws) {
            additions.numbers(event);
        }
        if !additions.is_empty() {
            write_texts(connection.postgres()?, tenant, ws, &additions).await?;
        }
        texts.insert((tenant, ws), additions);
    }
    Ok(texts)
}

const TEXT_HEAD: &str = "SELECT actor, via, action, kind, target, related, emptied \
    FROM text_head WHERE tenant = $1 AND ws = $2 FOR UPDATE";

async fn hold_texts(
    connection: &mut PgConnection,
    tenant: i64,
    ws: i64,
) -> Result<Extent, StoreError> {
    let held = sqlx::query(TEXT_HEAD)
        .bind(tenant)
        .bind(ws)
        .fetch_optional(&mut *connection)
        .await?;
    let row = match held {
        Some(row) => row,
        None => {
            sqlx::query(
                "INSERT INTO text_head (tenant, ws) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(tenant)
            .bind(ws)
            .execute(&mut *connection)
            .await?;
            sqlx::query(TEXT_HEAD)
                .bind(tenant)
                .bind(ws)
                .fetch_one(&mut *connection)
                .await?
        }
    };
    extent(&row, 0)
}

/// Reads the last numbers of texts, and how often some were emptied, from column `from` on.
fn extent(row: &PgRow, from: usize) -> Result<Extent, StoreError> {
    let mut sizes = [0_u32; 6];
    for (at, size) in sizes.iter_mut().enumerate() {
        *size = u32::try_from(row.try_get::<i32, _>(from + at)?)
            .map_err(|_| damaged("the last number of a text is none"))?;
    }
    let emptied: i32 = row.try_get(from + 6)?;
    Ok(Extent::of(sizes, i64::from(emptied)))
}

/// Forgets the texts of a log of which more are known than there are: the database has lost what it had
/// said to be durable, and may give their numbers to others.
fn lost_texts(dictionaries: &Dictionaries, ws: i64, known: &Arc<Shared>) {
    tracing::warn!("the database has lost texts of the log {ws}; they are read again");
    dictionaries.forget(ws, known);
}

async fn write_texts(
    connection: &mut PgConnection,
    tenant: i64,
    ws: i64,
    additions: &Additions,
) -> Result<(), StoreError> {
    let new = additions.new_texts();
    let mut rows = Rows::default();
    for (number, actor) in &new.actors {
        rows.row().big(tenant).big(ws).number(*number);
        rows.text(actor.kind.as_str())
            .text_or_null(actor.id.as_deref())
            .text_or_null(actor.name.as_deref())
            .text_or_null(actor.email.as_deref());
    }
    let statement = "INSERT INTO actor (tenant, ws, num, kind, id, name, email) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)";
    rows.write(connection, statement).await?;
    for (statement, sets) in [
        (
            "INSERT INTO via (tenant, ws, num, members) \
                SELECT * FROM unnest($1, $2, $3, $4)",
            &new.vias,
        ),
        (
            "INSERT INTO related (tenant, ws, num, members) \
                SELECT * FROM unnest($1, $2, $3, $4)",
            &new.related,
        ),
    ] {
        let mut rows = Rows::default();
        for (number, members) in sets {
            rows.row().big(tenant).big(ws).number(*number).text(members);
        }
        rows.write(connection, statement).await?;
    }
    let mut rows = Rows::default();
    for (number, named) in &new.actions {
        rows.row().big(tenant).big(ws).number(*number);
        rows.text(named.action.as_str())
            .text_or_null(named.verb.map(domain::verb::Verb::as_str))
            .text_or_null(named.category.map(domain::category::Category::as_str));
    }
    let statement = "INSERT INTO action (tenant, ws, num, action, verb, category) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6)";
    rows.write(connection, statement).await?;
    let mut rows = Rows::default();
    for (number, kind) in &new.kinds {
        rows.row()
            .big(tenant)
            .big(ws)
            .number(*number)
            .text(kind.as_str());
    }
    let statement = "INSERT INTO kind (tenant, ws, num, kind) \
                SELECT * FROM unnest($1, $2, $3, $4)";
    rows.write(connection, statement).await?;
    let mut rows = Rows::default();
    for (number, target, kind) in &new.targets {
        rows.row().big(tenant).big(ws).number(*number).number(*kind);
        rows.text_or_null(target.id.as_deref())
            .text_or_null(target.name.as_deref())
            .text_or_null(target.url.as_deref());
    }
    let statement = "INSERT INTO target (tenant, ws, num, kind, id, name, url) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)";
    rows.write(connection, statement).await?;
    sqlx::query(
        "UPDATE text_head SET actor = actor + $3, via = via + $4, action = action + $5, \
             kind = kind + $6, target = target + $7, related = related + $8 \
         WHERE tenant = $1 AND ws = $2",
    )
    .bind(tenant)
    .bind(ws)
    .bind(length(&new.actors))
    .bind(length(&new.vias))
    .bind(length(&new.actions))
    .bind(length(&new.kinds))
    .bind(length(&new.targets))
    .bind(length(&new.related))
    .execute(connection)
    .await?;
    Ok(())
}

/// An event's number in its tenant.
fn number_of(seq: i64) -> Result<u64, StoreError> {
    u64::try_from(seq).map_err(|_| damaged("the number of an event is none"))
}

/// The database refuses a sum beyond this.
fn length<T>(list: &[T]) -> i32 {
    i32::try_from(list.len()).unwrap_or(i32::MAX)
}

/// Takes the texts of a committed transaction over into the dictionaries that everybody reads.
fn publish(texts: Texts) {
    for additions in texts.into_values() {
        additions.publish();
    }
}

/// Holds the heads of the group's tenants until the transaction ends.
async fn hold_heads(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
) -> Result<HashMap<i64, Head>, StoreError> {
    const HEADS: &str = "SELECT tenant, seq, id FROM tenant_head WHERE tenant = ANY($1) \
        ORDER BY tenant FOR UPDATE";
    let mut rows = Vec::new();
    for tenants in known.apart(tenants(events)) {
        let mut held = sqlx::query(HEADS)
            .bind(tenants.clone())
            .fetch_all(&mut *connection)
            .await?;
        if held.len() < tenants.len() {
            for tenant in &tenants {
                sqlx::query("INSERT INTO tenant_head (tenant) VALUES ($1) ON CONFLICT DO NOTHING")
                    .bind(*tenant)
                    .execute(&mut *connection)
                    .await?;
            }
            // In a new statement: the one that waited for another to add a row does not see it.
            held = sqlx::query(HEADS)
                .bind(tenants)
                .fetch_all(&mut *connection)
                .await?;
        }
        rows.extend(held);
    }
    let mut heads = HashMap::new();
    for row in &rows {
        let id: Option<&[u8]> = row.try_get(2)?;
        let id = id.map(Uuid::from_slice).transpose();
        let last = id.map_err(|_| damaged("the last id is broken"))?;
        let head = Head {
            seq: row.try_get(1)?,
            ids: Ids::after(last),
            last,
        };
        heads.insert(row.try_get(0)?, head);
    }
    Ok(heads)
}

/// Whether what was looked at before the heads were held is still so.
async fn still_so(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
    places: &Places,
    texts: &Texts,
) -> Result<bool, StoreError> {
    let logs: HashSet<i64> = events.iter().map(|event| event.ws).collect();
    // Before the statement, which sees all that others added until then.
    let read: HashMap<i64, (&Arc<Shared>, Sizes)> = texts
        .iter()
        .map(|((_, ws), additions)| {
            let shared = additions.shared();
            (*ws, (shared, shared.read().sizes()))
        })
        .collect();
    let rows = now_so(connection, known, events, &logs).await?;
    let mut off = BTreeSet::new();
    for row in &rows {
        let ws: i64 = row.try_get(1)?;
        if row.try_get(0)? {
            let extent = extent(row, 2)?;
            if let Some((shared, sizes)) = read.get(&ws) {
                if extent.is_behind(*sizes) {
                    lost_texts(&known.dictionaries, ws, shared);
                    return Ok(false);
                }
                if shared.emptied() != extent.emptied() {
                    return Ok(false);
                }
            }
        } else {
            off.insert(ws);
        }
    }
    Ok(logs
        .iter()
        .all(|ws| off.contains(ws) == places.off.contains(ws)))
}

/// Which workspaces of a group's tenants do not record (FALSE), and how far its logs' texts go (TRUE).
async fn now_so(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
    logs: &HashSet<i64>,
) -> Result<Vec<PgRow>, StoreError> {
    macro_rules! off {
        () => {
            "SELECT FALSE, w.id, 0, 0, 0, 0, 0, 0, 0 FROM workspace w \
             WHERE w.tenant = ANY($1) AND NOT w.recording"
        };
    }
    macro_rules! extents {
        () => {
            "SELECT TRUE, t.ws, t.actor, t.via, t.action, t.kind, t.target, t.related, t.emptied \
             FROM text_head t WHERE t.tenant = ANY($1) AND t.ws = ANY($2)"
        };
    }
    const TOGETHER: &str = concat!(off!(), " UNION ALL ", extents!());
    let tenants = tenants(events);
    let logs: Vec<i64> = logs.iter().copied().collect();
    if !known.is_distributed {
        let rows = sqlx::query(TOGETHER).bind(tenants).bind(logs);
        return Ok(rows.fetch_all(connection).await?);
    }
    // The coordinator has the one, and a node the other.
    let mut rows = sqlx::query(off!())
        .bind(tenants.clone())
        .fetch_all(&mut *connection)
        .await?;
    for tenants in known.apart(tenants) {
        let extents = sqlx::query(extents!()).bind(tenants).bind(logs.clone());
        rows.extend(extents.fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

/// Where the events with the group's keys are that were recorded before.
type ByKey = HashMap<(i64, i64, i64), Placed>;

async fn placed(
    connection: &mut PgConnection,
    known: &Known,
    events: &[Admitted],
) -> Result<ByKey, StoreError> {
    let with_key: BTreeSet<i64> = events
        .iter()
        .filter(|event| event.key.is_some())
        .map(|event| event.tenant)
        .collect();
    let mut earlier = ByKey::new();
    for tenants in known.apart(with_key.into_iter().collect()) {
        if !tenants.is_empty() {
            placed_of(connection, tenants, events, &mut earlier).await?;
        }
    }
    Ok(earlier)
}

/// The same of some tenants. Each key is looked for by itself (`OFFSET 0`), whatever the server believes of
/// tables that it has not looked at yet.
async fn placed_of(
    connection: &mut PgConnection,
    tenants: Vec<i64>,
    events: &[Admitted],
    earlier: &mut ByKey,
) -> Result<(), StoreError> {
    let mut columns: [Vec<i64>; 4] = Default::default();
    for event in events {
        if let Some(hash) = event.key
            && tenants.binary_search(&event.tenant).is_ok()
        {
            let [of, logs, keys, rests] = &mut columns;
            of.push(event.tenant);
            logs.push(event.ws);
            keys.push(hash.key);
            rests.push(hash.rest);
        }
    }
    let [of, logs, keys, rests] = columns;
    let found: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT k.tenant, k.seq, k.ws, k.key, k.key_rest \
         FROM unnest($1, $2, $3, $4) AS x(tenant, ws, key, rest) CROSS JOIN LATERAL ( \
             SELECT * FROM idempotency i WHERE i.tenant = ANY($5) AND i.tenant = x.tenant \
                 AND i.ws = x.ws AND i.key = x.key AND i.key_rest = x.rest OFFSET 0) k",
    )
    .bind(of)
    .bind(logs)
    .bind(keys)
    .bind(rests)
    .bind(tenants)
    .fetch_all(&mut *connection)
    .await?;
    let mut by_tenant: BTreeMap<i64, HashMap<i64, (i64, i64, i64)>> = BTreeMap::new();
    for (tenant, seq, ws, key, rest) in found {
        let of_tenant = by_tenant.entry(tenant).or_default();
        of_tenant.insert(seq, (ws, key, rest));
    }
    for (tenant, keys) in by_tenant {
        let numbers: Vec<i64> = keys.keys().copied().collect();
        let rows = sqlx::query(
            "SELECT id, seq, recorded_at FROM leaf WHERE tenant = $1 AND seq = ANY($2)",
        )
        .bind(tenant)
        .bind(numbers)
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            let id = Uuid::from_slice(row.try_get(0)?).map_err(|_| damaged("an id is broken"))?;
            let seq = row.try_get(1)?;
            let key = keys
                .get(&seq)
                .ok_or_else(|| damaged("a key is of no event"))?;
            let placed = Placed {
                id: EventId(id),
                seq: number_of(seq)?,
                recorded_at: Timestamp::from_micros(row.try_get(2)?),
            };
            earlier.insert(*key, placed);
        }
    }
    Ok(())
}

/// Of what there are so many: see the table `tally`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
enum What {
    Actor = 1,
    Action = 2,
    Kind = 3,
    Target = 4,
    Outcome = 5,
    ActionOfActor = 6,
    ActionToKind = 7,
    Via = 8,
}

/// By how much the tallies of a log change.
#[derive(Debug, Default)]
struct Tallies(HashMap<(What, u32, u32), (i32, i32)>);

impl Tallies {
    fn add(&mut self, what: What, key: u32, other: u32, events: i32) {
        let (all, entries) = self.0.entry((what, key, other)).or_default();
        *all += events;
        *entries += 1;
    }

    /// Counts an event.
    fn count(&mut self, outcome: u32, numbers: &Numbered) {
        self.add(What::Actor, numbers.actor, 0, 1);
        self.add(What::Action, numbers.action, 0, 1);
        self.add(What::Kind, numbers.kind, 0, 1);
        self.add(What::Target, numbers.target, 0, 1);
        self.add(What::Outcome, outcome, 0, 1);
        self.add(What::ActionOfActor, numbers.action, numbers.actor, 1);
        self.add(What::ActionToKind, numbers.action, numbers.kind, 1);
        for (what, key) in numbers.beside() {
            match what {
                1 => {
                    self.add(What::Actor, key, 0, 0);
                    self.add(What::Via, key, numbers.actor, 1);
                }
                2 => self.add(What::Target, key, 0, 0),
                _ => self.add(What::Kind, key, 0, 0),
            }
        }
    }
}

/// The rows of events, on their way into the log.
#[derive(Debug, Default)]
pub(crate) struct LogRows {
    leaves: Rows,
    contents: Rows,
    entries: Rows,
    keys: Rows,
    tallies: HashMap<LogId, Tallies>,
    classes: HashSet<(i64, i64, i16)>,
    /// The last number of each tenant's.
    last: HashMap<i64, i64>,
}

/// Where an event lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lies {
    pub(crate) tenant: i64,
    pub(crate) ws: i64,
    pub(crate) seq: i64,
    /// When it occurred.
    pub(crate) at: i64,
    pub(crate) class: i16,
}

/// What it says, beside its texts.
#[derive(Debug)]
pub(crate) struct Says<'a> {
    pub(crate) outcome: u8,
    pub(crate) operation: Option<&'a str>,
    pub(crate) key: Option<KeyHash>,
    pub(crate) salt: &'a [u8; 16],
    pub(crate) source: Option<i64>,
    pub(crate) keep: bool,
    pub(crate) body: Option<&'a str>,
}

/// What becomes of an event of a group.
#[derive(Clone, Copy)]
enum Fate {
    /// It is this one of its tenant's in the group, counted from 1.
    New(i64),
    /// It was recorded before.
    Recorded(Placed),
    /// It is the same as an earlier one of the group.
    SameAs(usize),
    Discarded,
}

/// A group of events on its way into the log.
struct Group<'a> {
    events: &'a [Admitted],
    places: &'a Places,
    fates: Vec<Fate>,
    receipts: Vec<Receipt>,
    /// Numbered in the group, until their tenants' heads are held.
    rows: LogRows,
    discarded: BTreeMap<i64, i64>,
}

impl<'a> Group<'a> {
    /// Makes the rows of what is new. All of this can be done before the tenants' heads are held.
    fn compose(
        events: &'a [Admitted],
        places: &'a Places,
        placed: &ByKey,
        texts: &mut Texts,
    ) -> Result<Self, StoreError> {
        let mut group = Self {
            events,
            places,
            fates: Vec::with_capacity(events.len()),
            receipts: Vec::with_capacity(events.len()),
            rows: LogRows::default(),
            discarded: BTreeMap::new(),
        };
        let mut own: HashMap<(i64, i64, i64), usize> = HashMap::new();
        let mut counted: HashMap<i64, i64> = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            let key = event.key.map(|hash| (event.ws, hash.key, hash.rest));
            let before = key.and_then(|key| match placed.get(&key) {
                Some(placed) => Some(Fate::Recorded(*placed)),
                None => own.get(&key).map(|at| Fate::SameAs(*at)),
            });
            let fate = if let Some(before) = before {
                before
            } else if !is_own(event) && places.off.contains(&event.ws) {
                *group.discarded.entry(event.ws).or_default() += 1;
                Fate::Discarded
            } else {
                let texts = texts
                    .get_mut(&(event.tenant, event.ws))
                    .ok_or_else(|| damaged("a log has no texts"))?;
                let count = counted.entry(event.tenant).or_default();
                *count += 1;
                let says = Says {
                    outcome: outcome_number(event.event.outcome),
                    operation: event.event.operation.as_deref(),
                    key: event.key,
                    salt: &event.salt.0,
                    source: event.source.map(source_number),
                    keep: event.keep,
                    body: event.body.as_deref(),
                };
                let lies = Lies {
                    tenant: event.tenant,
                    ws: event.ws,
                    seq: *count,
                    at: event.occurred_at.micros(),
                    class: places.class(event),
                };
                group.rows.add_content(lies, &says, &texts.numbers(event));
                own.extend(key.map(|key| (key, at)));
                Fate::New(*count)
            };
            group.fates.push(fate);
        }
        Ok(group)
    }

    /// Numbers what is new after the ends of the tenants' logs.
    fn number(&mut self, heads: &mut HashMap<i64, Head>, now: Timestamp) -> Result<(), StoreError> {
        let ends: HashMap<i64, i64> = heads
            .iter()
            .map(|(tenant, head)| (*tenant, head.seq))
            .collect();
        for (event, fate) in self.events.iter().zip(&self.fates) {
            let receipt = match *fate {
                Fate::Recorded(placed) => Receipt::Duplicate(placed),
                Fate::SameAs(at) => match self.receipts.get(at) {
                    Some(Receipt::Recorded(placed)) => Receipt::Duplicate(*placed),
                    _ => return Err(damaged("an event is the same as one that is not recorded")),
                },
                Fate::Discarded => Receipt::Discarded,
                Fate::New(count) => {
                    let head = heads
                        .get_mut(&event.tenant)
                        .ok_or_else(|| damaged("a tenant has no head"))?;
                    let end = ends.get(&event.tenant).copied().unwrap_or(0);
                    let recorded_at = event.recorded_at.unwrap_or(now);
                    head.seq = end + count;
                    let id = head.ids.next(recorded_at)?;
                    head.last = Some(id);
                    let lies = Lies {
                        tenant: event.tenant,
                        ws: event.ws,
                        seq: head.seq,
                        at: event.occurred_at.micros(),
                        class: self.places.class(event),
                    };
                    let recorded = recorded_at.micros();
                    self.rows.add_leaf(lies, &id, recorded, &event.parts);
                    Receipt::Recorded(Placed {
                        id: EventId(id),
                        seq: number_of(head.seq)?,
                        recorded_at,
                    })
                }
            };
            self.receipts.push(receipt);
        }
        self.rows.number_after(&ends);
        Ok(())
    }

    /// Writes the keys; or not, where somebody recorded an event with one since they were looked for.
    async fn write_keys(&mut self, connection: &mut PgConnection) -> Result<bool, StoreError> {
        match self.rows.write_keys(connection).await {
            Ok(()) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes all other rows, and where the tenants' logs end now.
    async fn write(
        &mut self,
        connection: &mut PgConnection,
        heads: &HashMap<i64, Head>,
    ) -> Result<(), StoreError> {
        std::mem::take(&mut self.rows).write(connection).await?;
        for (ws, events) in &self.discarded {
            sqlx::query("UPDATE workspace SET discarded = discarded + $2 WHERE id = $1")
                .bind(*ws)
                .bind(*events)
                .execute(&mut *connection)
                .await?;
        }
        for (tenant, head) in heads {
            sqlx::query("UPDATE tenant_head SET seq = $2, id = $3 WHERE tenant = $1")
                .bind(*tenant)
                .bind(head.seq)
                .bind(head.last.map(|id| id.as_bytes().to_vec()))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

impl LogRows {
    /// Makes the row of a leaf.
    pub(crate) fn add_leaf(&mut self, lies: Lies, id: &Uuid, recorded_at: i64, parts: &[u8; 32]) {
        self.last.insert(lies.tenant, lies.seq);
        self.leaves
            .row()
            .big(lies.tenant)
            .big(lies.seq)
            .bytes(id.as_bytes())
            .big(lies.ws)
            .big(lies.at)
            .big(recorded_at)
            .bytes(parts)
            .small(lies.class);
    }

    /// Makes the rows of what an event says, and counts it.
    pub(crate) fn add_content(&mut self, lies: Lies, says: &Says<'_>, numbers: &Numbered) {
        let Lies {
            tenant,
            ws,
            seq,
            at,
            class,
        } = lies;
        let outcome = i16::from(says.outcome);
        self.classes.insert((tenant, ws, class));
        let contents = self.contents.row();
        contents.big(tenant).small(class).big(at).big(seq).big(ws);
        contents
            .number(numbers.actor)
            .number_or_null(numbers.via)
            .number(numbers.action)
            .number(numbers.kind)
            .number(numbers.target)
            .number_or_null(numbers.related)
            .small(outcome)
            .text_or_null(says.operation)
            .big_or_null(says.key.map(|hash| hash.key))
            .big_or_null(says.key.map(|hash| hash.rest))
            .bytes(says.salt);
        contents.small_or_null(says.source.and_then(|source| i16::try_from(source).ok()));
        contents.flag(says.keep).text_or_null(says.body);
        for (what, key) in numbers.beside() {
            let entries = self.entries.row();
            entries.big(tenant).small(class).big(at).big(seq).big(ws);
            entries
                .small(what)
                .number(key)
                .number(numbers.actor)
                .number_or_null(numbers.via)
                .number(numbers.action)
                .number(numbers.kind)
                .number(numbers.target)
                .number_or_null(numbers.related)
                .small(outcome);
        }
        if let Some(hash) = says.key {
            let keys = self.keys.row();
            keys.big(tenant)
                .big(ws)
                .big(hash.key)
                .big(hash.rest)
                .big(seq);
        }
        let tallies = self.tallies.entry((tenant, ws)).or_default();
        tallies.count(u32::from(says.outcome), numbers);
    }

    /// Adds to the numbers of all but leaves where their tenants' logs ended.
    fn number_after(&mut self, ends: &HashMap<i64, i64>) {
        const TENANT: usize = 0;
        for (rows, number) in [
            (&mut self.contents, 3),
            (&mut self.entries, 3),
            (&mut self.keys, 4),
        ] {
            rows.add_by(TENANT, number, ends);
        }
    }

    /// Writes the keys.
    async fn write_keys(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        const KEYS: &str = "INSERT INTO idempotency (tenant, ws, key, key_rest, seq) \
                SELECT * FROM unnest($1, $2, $3, $4, $5)";
        std::mem::take(&mut self.keys).write(connection, KEYS).await
    }

    /// Writes all rows that are not written yet.
    pub(crate) async fn write(mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        self.write_keys(connection).await?;
        let taken = |rows: &mut Rows| std::mem::take(rows);
        let statement = "INSERT INTO leaf (tenant, seq, id, ws, occurred_at, recorded_at, parts, class) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)";
        taken(&mut self.leaves).write(connection, statement).await?;
        let statement = "INSERT INTO content (tenant, class, at, seq, ws, actor, via, action, kind, \
            target, related, outcome, operation, key, key_rest, salt, source, keep, body) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
        taken(&mut self.contents)
            .write(connection, statement)
            .await?;
        let statement = "INSERT INTO entry (tenant, class, at, seq, ws, what, key, actor, via, action, \
            kind, target, related, outcome) \
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        taken(&mut self.entries)
            .write(connection, statement)
            .await?;
        for ((tenant, ws), tallies) in &self.tallies {
            let mut rows = Rows::default();
            for ((what, key, other), (events, entries)) in &tallies.0 {
                rows.row().small(*what as i16).number(*key).number(*other);
                rows.integer(*events).integer(*entries);
            }
            let last = self.last.get(tenant).copied().unwrap_or(0);
            let statement = "INSERT INTO tally_change \
                    (tenant, ws, n, what, key, other, events, entries) \
                SELECT $1, $2, $3, what, array_agg(key), array_agg(other), array_agg(events), \
                    array_agg(entries) \
                FROM unnest($4, $5, $6, $7, $8) x(what, key, other, events, entries) \
                GROUP BY what";
            rows.write_of([*tenant, *ws, last], connection, statement)
                .await?;
        }
        for (tenant, ws, class) in &self.classes {
            sqlx::query(
                "INSERT INTO log_class (tenant, ws, class) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(*tenant)
            .bind(*ws)
            .bind(*class)
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}

/// Writes a release, of which the last event of its tenant tells.
async fn write_release(
    connection: &mut PgConnection,
    release: &NewRelease,
    events: &[Admitted],
    heads: &HashMap<i64, Head>,
) -> Result<(), StoreError> {
    let told = events.iter().rev().find(|event| event.ws == release.ws);
    let tenant = told
        .map(|event| event.tenant)
        .ok_or_else(|| damaged("nothing tells of a release"))?;
    sqlx::query(
        "INSERT INTO release (id, tenant, ws, seq, before, events) \
         SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5 FROM release",
    )
    .bind(tenant)
    .bind(release.ws)
    .bind(heads.get(&tenant).map_or(0, |head| head.seq))
    .bind(release.before.micros())
    .bind(release.events)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_server_is_not_believed_of_another() {
        let known = Known {
            dictionaries: Arc::default(),
            partitions: Partitions::default(),
            tallied: Mutex::default(),
            met: Mutex::default(),
            is_distributed: false,
        };
        for (server, times) in [
            ("a, since 9:00", 0),
            ("a, since 9:00", 0),
            ("a, since 9:05", 1),
        ] {
            known.meet(server.to_owned());
            assert_eq!(known.dictionaries.times(), times, "{server}");
        }
    }
}
