//! Whether the index is what would be made from the log, told from fingerprints: of each of its tables one of
//! the rows that it has, and one of those that it should have. Both files are read from one end to the other,
//! as fast as they can be, instead of looking every row up where it should be.
//!
//! A fingerprint is the sum of its rows' hashes (`SipHash`, with a key that is drawn each time). Who does not
//! know the key cannot find other rows of the same sum but by chance, of 1 in 2⁶⁴.

mod tally;

use super::{super::connect::Files, EVENTS_AFTER_MARK, VERSION};
use rusqlite::{Connection, OpenFlags, Row, Statement, types::ValueRef};
use siphasher::sip::SipHasher24;
use std::{
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tally::{Count, Tally};
use tokio::{task::JoinSet, time::interval};

/// So many events of the log are read by one of the threads before it takes what is next.
const STEP: i64 = 100_000;
/// How many tables hold every event: besides the log, which is read as often.
const WHOLE: u64 = 5;
/// How often somebody is told how far it is.
const TELLING: Duration = Duration::from_millis(100);
/// How long a file that is locked is waited for.
const BUSY: Duration = Duration::from_secs(10);
/// After so many rows it is seen whether anybody still waits.
const LOOK: u64 = 4_096;
/// How often, and after how long each time, it is tried to see one state of the files.
const LOOKS: u32 = 100;
const AGAIN: Duration = Duration::from_millis(20);
/// The members of so many lists are kept.
const LISTS: usize = 50_000;
/// What the other filters test, as every copy ends with it, but that of keys.
const FILTERS: &str = "actor, via, action, kind, target, related, outcome";
const FILTERED: usize = 7;

/// Who stands in a list of actors.
const VIA: &str = "SELECT DISTINCT m.value FROM log.via v, json_each(v.members) m \
     WHERE v.ws = ?1 AND v.num = ?2";
/// What stands in a list of objects, each with its kind where it is known.
const RELATED: &str = "SELECT DISTINCT m.value, t.kind FROM log.related r, json_each(r.members) m \
     LEFT JOIN log.target t ON t.ws = r.ws AND t.num = m.value WHERE r.ws = ?1 AND r.num = ?2";

/// What came of comparing fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fingerprints {
    /// The index is what would be made from the log.
    Alike,
    /// It is not.
    Different,
    /// It could not be told: a file could not be read, or one is ahead of the other.
    Untold,
}

/// A table with copies of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CopyTable {
    Time,
    Actor,
    Action,
    Target,
    Kind,
    Outcome,
    Operation,
    Key,
}

impl CopyTable {
    /// All of them, those first that take longest.
    const ALL: [Self; 8] = [
        Self::Target,
        Self::Actor,
        Self::Kind,
        Self::Action,
        Self::Time,
        Self::Key,
        Self::Outcome,
        Self::Operation,
    ];

    /// Its table, and the columns of its key.
    const fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Time => ("by_time", "ws, at, n"),
            Self::Actor => ("by_actor", "ws, key, at, n, own"),
            Self::Action => ("by_action", "ws, key, at, n"),
            Self::Target => ("by_target", "ws, key, at, n, own"),
            Self::Kind => ("by_kind", "ws, key, at, n, own"),
            Self::Outcome => ("by_outcome", "ws, key, at, n"),
            Self::Operation => ("by_operation", "ws, key, at, n"),
            Self::Key => ("by_key", "hash, n"),
        }
    }

    /// Where in a row it stands whether it is the event's own, and where what is filtered by begins.
    const fn places(self) -> Places {
        let (own, filters) = match self {
            Self::Time => (None, 3),
            Self::Actor | Self::Target | Self::Kind => (Some(4), 5),
            Self::Action | Self::Outcome | Self::Operation => (None, 4),
            Self::Key => (None, 2),
        };
        Places { own, filters }
    }

    /// Reads all rows, in the order of their key.
    fn all(self) -> String {
        let (table, key) = self.table();
        match self {
            Self::Key => format!("SELECT {key} FROM main.{table} ORDER BY {key}"),
            _ => format!("SELECT {key}, {FILTERS} FROM main.{table} ORDER BY {key}"),
        }
    }

    /// Whether it holds every event.
    const fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Time | Self::Actor | Self::Action | Self::Target | Self::Kind
        )
    }

    /// The counts that are made from it.
    const fn counts(self) -> &'static [Count] {
        match self {
            Self::Time => &[Count::Outcome, Count::Day],
            Self::Actor => &[Count::Actor, Count::Via],
            Self::Action => &[Count::Action, Count::Pair, Count::ActionKind],
            Self::Target => &[Count::Target],
            Self::Kind => &[Count::Kind],
            Self::Outcome | Self::Operation | Self::Key => &[],
        }
    }
}

/// Where in a row of a copy its columns are.
#[derive(Clone, Copy, Debug)]
struct Places {
    own: Option<usize>,
    filters: usize,
}

/// What the columns of a row are hashed from, by threads that know a key that nobody knew before.
#[derive(Debug)]
struct RowHash {
    key: SipHasher24,
    bytes: Vec<u8>,
}

impl RowHash {
    fn new(key: SipHasher24) -> Self {
        Self {
            key,
            bytes: Vec::with_capacity(256),
        }
    }

    /// Each column begins with its type, and what is not of one length tells its length: no two rows are the
    /// same bytes.
    fn column(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.bytes.push(0),
            ValueRef::Integer(number) => self.fixed(1, number.to_le_bytes()),
            ValueRef::Real(number) => self.fixed(2, number.to_le_bytes()),
            ValueRef::Text(bytes) => self.bytes(3, bytes),
            ValueRef::Blob(bytes) => self.bytes(4, bytes),
        }
    }

    fn fixed(&mut self, of: u8, bytes: [u8; 8]) {
        self.bytes.push(of);
        self.bytes.extend(bytes);
    }

    fn bytes(&mut self, of: u8, bytes: &[u8]) {
        self.fixed(of, (bytes.len() as u64).to_le_bytes());
        self.bytes.extend(bytes);
    }

    /// The hash of the row that the columns make, and begins the next.
    fn end(&mut self) -> u64 {
        let hash = self.key.hash(&self.bytes);
        self.bytes.clear();
        hash
    }

    /// A row's hash.
    fn row<'a>(&mut self, columns: impl IntoIterator<Item = ValueRef<'a>>) -> u64 {
        for column in columns {
            self.column(column);
        }
        self.end()
    }
}

/// How many rows, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fingerprint {
    rows: u64,
    sum: u128,
}

impl Fingerprint {
    fn add_row(&mut self, hash: u64) {
        self.add(Self {
            rows: 1,
            sum: u128::from(hash),
        });
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Of each copy of the events, in the order of [`CopyTable`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OfCopies([Fingerprint; CopyTable::ALL.len()]);

impl OfCopies {
    fn of(&mut self, copy: CopyTable) -> &mut Fingerprint {
        &mut self.0[copy as usize]
    }

    fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            own.add(other);
        }
    }
}

/// What the threads have still to read, and what they found.
#[derive(Debug)]
struct Work {
    mark: i64,
    key: SipHasher24,
    /// What is read next: the copies, then steps of the log.
    next: AtomicUsize,
    /// How many events were read, in all files that hold every event.
    read: AtomicU64,
    /// Nobody waits for it any more, or what was to be told is.
    is_over: AtomicBool,
    /// What the copies have, and what they should have.
    copies: Mutex<(OfCopies, OfCopies)>,
    /// Something is counted otherwise than it should be.
    counts_differ: AtomicBool,
}

/// Why a thread read no further.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("one of the files is ahead of the other")]
    Ahead,
    #[error("nobody waits for it any more")]
    Over,
}

/// Ends the threads when nobody waits for them any more.
struct OverWhenDropped(Arc<Work>);

impl Drop for OverWhenDropped {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Compares the fingerprints of an index with those of what would be made from the log, as far as the index
/// is. Tells now and then how many events were compared.
pub(super) async fn compare(files: &Files, told: &impl Fn(u64)) -> Fingerprints {
    let mut key = [0; 16];
    if getrandom::fill(&mut key).is_err() {
        return Fingerprints::Untold;
    }
    let files = files.clone();
    let begun = tokio::task::spawn_blocking(move || begin(&files)).await;
    let Ok(Ok((mark, connections))) = begun else {
        return Fingerprints::Untold;
    };
    let work = Arc::new(Work {
        mark,
        key: SipHasher24::new_with_key(&key),
        next: AtomicUsize::new(0),
        read: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        copies: Mutex::default(),
        counts_differ: AtomicBool::new(false),
    });
    let _over = OverWhenDropped(Arc::clone(&work));
    let mut threads = JoinSet::new();
    for connection in connections {
        let work = Arc::clone(&work);
        threads.spawn_blocking(move || work.read_all(&connection));
    }
    let mut telling = interval(TELLING);
    loop {
        tokio::select! {
            ended = threads.join_next() => match ended {
                None => break,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    tracing::debug!("the index's fingerprints could not be told: {error}");
                    return Fingerprints::Untold;
                }
                Some(Err(_)) => return Fingerprints::Untold,
            },
            _ = telling.tick() => told(work.read.load(Ordering::Relaxed) / (WHOLE + 1)),
        }
    }
    let copies = work.copies();
    if copies.0 == copies.1 && !work.counts_differ.load(Ordering::Relaxed) {
        Fingerprints::Alike
    } else {
        Fingerprints::Different
    }
}

fn open(files: &Files) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&files.index, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.execute("ATTACH DATABASE ? AS log", [files.log.to_string_lossy()])?;
    // What is read from one end to the other is not read again; names are looked up.
    connection.pragma_update(Some("main"), "cache_size", -8_192)?;
    connection.pragma_update(Some("log"), "cache_size", -32_768)?;
    Ok(connection)
}

/// How far an index is that a connection sees, and how many batches were removed from it; none where what it
/// sees of the log is not the same.
fn seen_by(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let version: i64 =
        connection.pragma_query_value(Some("main"), "user_version", |row| row.get(0))?;
    let (mark, removals, agrees): (i64, i64, bool) = connection.query_row(
        "SELECT m.n, m.removals, m.installation = i.id AND m.removals = r.batches \
         FROM main.mark m, log.installation i, log.removal r",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok((version == VERSION && agrees).then_some((mark, removals)))
}

/// Connections that see the same state of both files, and how far the index is there. While somebody records
/// and removes, it is tried until they do.
fn begin(files: &Files) -> Result<(i64, [Connection; 2]), Unread> {
    let connections = [open(files)?, open(files)?];
    let [one, other] = &connections;
    for _ in 0..LOOKS {
        one.execute_batch("BEGIN")?;
        other.execute_batch("BEGIN")?;
        let seen = (seen_by(one)?, seen_by(other)?);
        if let (Some((mark, removals)), Some(same)) = seen
            && (mark, removals) == same
        {
            return Ok((mark, connections));
        }
        one.execute_batch("ROLLBACK")?;
        other.execute_batch("ROLLBACK")?;
        std::thread::sleep(AGAIN);
    }
    Err(Unread::Ahead)
}

impl Work {
    fn copies(&self) -> MutexGuard<'_, (OfCopies, OfCopies)> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, of one state of both files, what no other thread has begun to.
    fn read_all(&self, connection: &Connection) -> Result<(), Unread> {
        let mut log = LogReader::new(connection, self.key)?;
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            if let Some(copy) = CopyTable::ALL.get(next) {
                self.read_copy(connection, *copy)?;
                continue;
            }
            let step = i64::try_from(next - CopyTable::ALL.len()).unwrap_or(i64::MAX);
            let after = step.saturating_mul(STEP);
            if after >= self.mark {
                break;
            }
            let up_to = self.mark.min(after.saturating_add(STEP));
            log.read(after, up_to, |read| self.tell(read))?;
        }
        self.copies().1.add(&log.should);
        Ok(())
    }

    /// So many events more were read.
    fn tell(&self, events: u64) -> Result<(), Unread> {
        self.read.fetch_add(events, Ordering::Relaxed);
        if self.is_over.load(Ordering::Relaxed) {
            return Err(Unread::Over);
        }
        Ok(())
    }

    /// Reads a copy, and compares what is counted of it.
    fn read_copy(&self, connection: &Connection, copy: CopyTable) -> Result<(), Unread> {
        let places = copy.places();
        let columns = places.filters + if copy == CopyTable::Key { 0 } else { FILTERED };
        let mut hash = RowHash::new(self.key);
        let mut has = Fingerprint::default();
        let mut tally = Tally::new(copy, self.key);
        let (mut rows_read, mut events_read) = (0_u64, 0_u64);
        let mut statement = connection.prepare(&copy.all())?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                hash.column(row.get_ref(column)?);
            }
            has.add_row(hash.end());
            let own = places.own.map_or(Ok(1), |own| row.get(own))?;
            tally.add(row, places.filters, own)?;
            rows_read += 1;
            events_read += u64::from(own != 0 && copy.is_whole());
            if rows_read.is_multiple_of(LOOK) {
                self.tell(std::mem::take(&mut events_read))?;
            }
        }
        self.tell(events_read)?;
        self.copies().0.of(copy).add(has);
        for (count, should) in tally.end() {
            if counted(connection, count, self.key)? != should {
                self.counts_differ.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// The fingerprint of what is counted.
fn counted(connection: &Connection, count: Count, key: SipHasher24) -> Result<Fingerprint, Unread> {
    let mut hash = RowHash::new(key);
    let mut counted = Fingerprint::default();
    let mut statement = connection.prepare(count.all())?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            hash.column(row.get_ref(column)?);
        }
        counted.add_row(hash.end());
    }
    Ok(counted)
}

/// The members of a list, each with its kind if it has one.
type Members = Rc<[(i64, Option<i64>)]>;

/// The lists of actors or of objects that events name.
struct Lists<'c> {
    members: Statement<'c>,
    have_kinds: bool,
    known: HashMap<(i64, i64), Members>,
}

impl<'c> Lists<'c> {
    fn new(connection: &'c Connection, text: &str, have_kinds: bool) -> Result<Self, Unread> {
        Ok(Self {
            members: connection.prepare(text)?,
            have_kinds,
            known: HashMap::new(),
        })
    }

    /// The members of the list that an event of a workspace names, if it names one.
    fn members(&mut self, ws: ValueRef<'_>, list: ValueRef<'_>) -> Result<Members, Unread> {
        let (ValueRef::Integer(ws), ValueRef::Integer(list)) = (ws, list) else {
            return Ok(Rc::default());
        };
        if self.known.len() >= LISTS {
            self.known.clear();
        }
        Ok(Rc::clone(match self.known.entry((ws, list)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let have_kinds = self.have_kinds;
                let members = self.members.query_map([ws, list], |row| {
                    Ok((row.get(0)?, if have_kinds { row.get(1)? } else { None }))
                })?;
                unknown.insert(members.collect::<Result<_, _>>()?)
            }
        }))
    }
}

/// Reads the log, and which rows the copies should have of it.
struct LogReader<'c> {
    events: Statement<'c>,
    via: Lists<'c>,
    related: Lists<'c>,
    hash: RowHash,
    should: OfCopies,
}

impl<'c> LogReader<'c> {
    fn new(connection: &'c Connection, key: SipHasher24) -> Result<Self, Unread> {
        Ok(Self {
            events: connection.prepare(EVENTS_AFTER_MARK)?,
            via: Lists::new(connection, VIA, false)?,
            related: Lists::new(connection, RELATED, true)?,
            hash: RowHash::new(key),
            should: OfCopies::default(),
        })
    }

    fn read(
        &mut self,
        after: i64,
        up_to: i64,
        mut tell: impl FnMut(u64) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        let mut read = 0_u64;
        let mut rows = self.events.query([after, up_to])?;
        while let Some(row) = rows.next()? {
            Expecting {
                hash: &mut self.hash,
                should: &mut self.should,
            }
            .event(row, &mut self.via, &mut self.related)?;
            read += 1;
            if read.is_multiple_of(LOOK) {
                tell(LOOK)?;
            }
        }
        tell(read % LOOK)
    }
}

/// Adds the rows that the copies should have.
struct Expecting<'a> {
    hash: &'a mut RowHash,
    should: &'a mut OfCopies,
}

impl Expecting<'_> {
    /// Adds those of an event.
    fn event(
        &mut self,
        row: &Row<'_>,
        via: &mut Lists<'_>,
        related: &mut Lists<'_>,
    ) -> Result<(), Unread> {
        let [
            n,
            ws,
            at,
            actor,
            by,
            action,
            kind,
            target,
            with,
            outcome,
            operation,
            key,
        ] = columns(row)?;
        let filters = [actor, by, action, kind, target, with, outcome];
        let (own, listed) = (ValueRef::Integer(1), ValueRef::Integer(0));
        self.row(CopyTable::Time, &[ws, at, n], &filters);
        self.row(CopyTable::Action, &[ws, action, at, n], &filters);
        self.row(CopyTable::Actor, &[ws, actor, at, n, own], &filters);
        self.row(CopyTable::Target, &[ws, target, at, n, own], &filters);
        self.row(CopyTable::Kind, &[ws, kind, at, n, own], &filters);
        for (member, _) in via.members(ws, by)?.iter() {
            let key = [ws, ValueRef::Integer(*member), at, n, listed];
            self.row(CopyTable::Actor, &key, &filters);
        }
        let members = related.members(ws, with)?;
        // One whose kind is not known is listed with the event's own; several may be of the same.
        let kind_of = |member: &(i64, Option<i64>)| member.1.map_or(kind, ValueRef::Integer);
        for (place, member) in members.iter().enumerate() {
            let key = [ws, ValueRef::Integer(member.0), at, n, listed];
            self.row(CopyTable::Target, &key, &filters);
            let kind = kind_of(member);
            if members
                .iter()
                .take(place)
                .all(|other| kind_of(other) != kind)
            {
                self.row(CopyTable::Kind, &[ws, kind, at, n, listed], &filters);
            }
        }
        if !matches!(outcome, ValueRef::Null | ValueRef::Integer(0)) {
            self.row(CopyTable::Outcome, &[ws, outcome, at, n], &filters);
        }
        if operation != ValueRef::Null {
            self.row(CopyTable::Operation, &[ws, operation, at, n], &filters);
        }
        if key != ValueRef::Null {
            self.row(CopyTable::Key, &[key, n], &[]);
        }
        Ok(())
    }

    fn row(&mut self, copy: CopyTable, key: &[ValueRef<'_>], filters: &[ValueRef<'_>]) {
        let hash = self.hash.row(key.iter().chain(filters).copied());
        self.should.of(copy).add_row(hash);
    }
}

/// What a row has in its columns, of which there are so many.
fn columns<'r, const COLUMNS: usize>(row: &'r Row<'_>) -> Result<[ValueRef<'r>; COLUMNS], Unread> {
    let mut columns = [ValueRef::Null; COLUMNS];
    for (place, column) in columns.iter_mut().enumerate() {
        *column = row.get_ref(place)?;
    }
    Ok(columns)
}

#[cfg(test)]
mod tests;
