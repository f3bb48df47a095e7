//! Whether a log is what was signed: every leaf computed again from what is recorded, the tree from the
//! leaves, every checkpoint compared with the tree, and what is searched by with what was recorded. It
//! believes the log alone, needs no secret, and changes nothing.

mod content;
mod erased;
#[cfg(test)]
mod moving;
mod rules;
mod searching;
mod signatures;
mod steady;

pub use steady::{Steady, Step};

use super::{Leaf, count, hash, hashes_of, number, origin, parsed, verifier};
use crate::{
    StoreError,
    copy::{holds_installation, read},
    database::{self, Connection, Dialect},
    options::{DatabaseUrl, Options},
    postgres,
    sqlite::{self, Compared},
};
use content::{Checked, Facts, Texts};
use domain::{
    event::{EventId, Parts},
    leaf::Hash,
    proof::{
        Checkpoint, CheckpointError, Edge, Note, NoteError, Origin, TILE, TileId, VerifierKey,
    },
    slug::Slug,
    time::Timestamp,
};
use erased::Erasures;
use rules::Rules;
use signatures::Signatures;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinHandle;

/// So many entries are read, and checked, at a time.
const PIECE: i64 = 4_096;
/// So many pieces are checked while others are read.
const AHEAD: usize = 3;
/// So often a log that is spread over nodes is looked at, at most, before something is said to be wrong
/// with it that is another thing each time.
const LOOKS: usize = 5;
/// So many checkpoints are read at a time.
const CHECKPOINTS: i64 = 1_000;

/// A checkpoint that was kept elsewhere.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where it comes from, for whoever reads what is said of it.
    pub name: String,
    /// The checkpoint.
    pub note: Note,
}

/// What was found to be right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// By tenant.
    pub tenants: Vec<VerifiedTenant>,
    /// How many checkpoints that were kept elsewhere are a past of a log.
    pub kept: usize,
    /// Whether what is searched by was compared too; it was not where there is no index.
    pub is_searched_alike: bool,
}

/// What was found to be right of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTenant {
    /// The tenant.
    pub tenant: Slug,
    /// How many entries its log has.
    pub entries: u64,
    /// What of so many of them says is gone, under a release.
    pub released: u64,
    /// What was erased of others, and under which releases.
    pub erased: Vec<ErasedUnder>,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many of the entries the newest covers, and when it was made.
    pub covered: Option<(u64, Timestamp)>,
}

/// What was erased under a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedUnder {
    /// The number of the entry that tells of the release.
    pub seq: u64,
    /// Its id.
    pub id: EventId,
    /// Why, as it says; none: that was erased itself.
    pub reason: Option<String>,
    /// Of so many entries.
    pub entries: u64,
    /// These parts, of some of them.
    pub parts: Parts,
    /// Whether some of it is still to be erased.
    pub is_under_way: bool,
}

impl VerifiedTenant {
    /// How many of the newest entries no checkpoint covers.
    pub fn uncovered(&self) -> u64 {
        self.entries - self.covered.map_or(0, |(size, _)| size)
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// An entry is missing.
    #[error("{tenant}: entry {seq} is missing")]
    Missing {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
    },
    /// What an entry says is not what was recorded.
    #[error("{tenant}: entry {seq} ({id}) does not say what was recorded: {what}")]
    Altered {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
        /// What shows it.
        what: &'static str,
    },
    /// A tile of the tree is not there, or is another.
    #[error("{tenant}: the tree's tile {place} of level {level} {what}")]
    Tile {
        /// Whose.
        tenant: Slug,
        /// On which level.
        level: u32,
        /// Where on it.
        place: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A checkpoint was signed of another tree.
    #[error(
        "{tenant}: the checkpoint of {size} entries was signed of others: one of them was altered, added \
         or removed, or they are in another order"
    )]
    Root {
        /// Whose.
        tenant: Slug,
        /// How many entries it is of.
        size: u64,
    },
    /// A checkpoint is not signed with the key that it says.
    #[error("{tenant}: the checkpoint of {size} entries is not signed by the key that it names")]
    Signature {
        /// Whose.
        tenant: Slug,
        /// How many entries it is of.
        size: u64,
    },
    /// The log ends before what was signed.
    #[error(
        "{tenant}: a checkpoint covers {size} entries, and the log has {entries}: the newest are gone"
    )]
    Shrunk {
        /// Whose.
        tenant: Slug,
        /// How many entries it is of.
        size: u64,
        /// How many there are.
        entries: u64,
    },
    /// What an entry says is gone, and nothing permits it.
    #[error("{tenant}: what entry {seq} ({id}) says is gone, and no release covers it")]
    Unreleased {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
    },
    /// Parts of what an entry says are gone, and nothing permits it.
    #[error("{tenant}: of entry {seq} ({id}) parts are gone ({parts}) that no release names")]
    Unerased {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// Its id.
        id: EventId,
        /// Which.
        parts: String,
    },
    /// A release is not what the log tells of it, or was not permitted.
    #[error("{tenant}: the release that entry {seq} tells of {what}")]
    Release {
        /// Whose.
        tenant: Slug,
        /// The number of the entry that tells of it, or should.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// What is kept to search by does not have an entry as it was recorded.
    #[error(
        "{tenant}: entry {seq} is not searched by as it was recorded: {table} was altered. What was \
         recorded is right"
    )]
    Unfound {
        /// Whose.
        tenant: Slug,
        /// Its number.
        seq: u64,
        /// In which table.
        table: &'static str,
    },
    /// What is counted of a log is not what there is.
    #[error("the counts in {table} are not those of what was recorded: they were altered")]
    Counts {
        /// The table.
        table: &'static str,
    },
    /// There is something beside the log that belongs to no entry of it.
    #[error("there are {rows} rows of {table} that belong to no entry of any log")]
    Strange {
        /// How many.
        rows: u64,
        /// Of which table.
        table: &'static str,
    },
    /// A checkpoint that was kept elsewhere is not a past of this log.
    #[error("{name}: {what}")]
    Kept {
        /// The checkpoint.
        name: String,
        /// What is wrong.
        what: KeptWrong,
    },
}

/// What is wrong with a checkpoint that was kept elsewhere, or with the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeptWrong {
    /// It is no checkpoint.
    #[error("is no checkpoint: {0}")]
    Malformed(#[from] CheckpointError),
    /// It is not one of this installation's.
    #[error("is a checkpoint of {0}, which is not in this database")]
    Elsewhere(String),
    /// It is not signed with a key that the database knows.
    #[error("{0}; the keys that this database knows may have been replaced")]
    Signature(NoteError),
    /// The log had another past.
    #[error(
        "was signed of {size} other entries than this log begins with: the log was altered since, or is \
         another one"
    )]
    AnotherPast {
        /// How many entries it is of.
        size: u64,
    },
    /// The log is shorter.
    #[error(
        "covers {size} entries, and this log has {entries}: the newest are gone, or it is an older copy"
    )]
    Shrunk {
        /// How many entries it is of.
        size: u64,
        /// How many there are.
        entries: u64,
    },
}

/// Why a log was not found to be right.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// There is no log.
    #[error("there is no installation in {0}")]
    NoInstallation(String),
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Checks a whole database, and that checkpoints which were kept elsewhere are a past of it. Tells now and
/// then how many of how many entries are checked. Others may record meanwhile: what is checked is what the
/// log was when this began.
///
/// # Errors
///
/// The first thing that is wrong; or the database could not be read.
pub async fn verify(
    options: &Options,
    kept: &[Kept],
    told: impl FnMut(u64, u64) + Send,
) -> Result<Verified, VerifyError> {
    // Before its tables are brought up to date: nothing is made in what is no installation.
    if !holds_installation(&options.database).await? {
        return Err(VerifyError::NoInstallation(options.database.to_string()));
    }
    let mut connection = match &options.database {
        DatabaseUrl::Sqlite(path) => sqlite::migrated(path).await?,
        DatabaseUrl::Postgres(url) => postgres::migrated(url).await?,
    };
    let begin = match &options.database {
        DatabaseUrl::Sqlite(_) => "BEGIN",
        DatabaseUrl::Postgres(_) if is_spread(&mut connection).await? => {
            return verify_moving(&mut connection, kept, told).await;
        }
        DatabaseUrl::Postgres(_) => postgres::BEGIN_READING,
    };
    // One state of it all.
    connection.run(begin).await?;
    let DatabaseUrl::Sqlite(path) = &options.database else {
        return verify_all(&mut connection, kept, Seen::AtOnce, told).await;
    };
    // The index is another file, which is looked at beside the log; as long as both are, the bar is where
    // the one that is behind is.
    let told = Mutex::new(Told {
        of_log: (0, 0),
        of_index: 0,
        told,
    });
    let log = verify_all(&mut connection, kept, Seen::AtOnce, |checked, of| {
        Told::tell(&told, |it| it.of_log = (checked, of));
    });
    let index = async {
        let found = sqlite::compare_index(path, |checked| {
            Told::tell(&told, |it| it.of_index = checked);
        });
        let found = found.await;
        Told::tell(&told, |it| it.of_index = u64::MAX);
        found
    };
    let (verified, compared) = tokio::join!(log, index);
    let mut verified = verified?;
    match compared? {
        Compared::Nothing => Ok(verified),
        Compared::Alike => {
            verified.is_searched_alike = true;
            Ok(verified)
        }
        Compared::Strange(strange) => Err(searching::wrong_with_index(&mut connection, strange)
            .await?
            .into()),
    }
}

/// How far two are that look at the same entries.
struct Told<T> {
    of_log: (u64, u64),
    of_index: u64,
    told: T,
}

impl<T: FnMut(u64, u64)> Told<T> {
    fn tell(this: &Mutex<Self>, change: impl FnOnce(&mut Self)) {
        let mut this = this.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut this);
        let (checked, of) = this.of_log;
        let checked = checked.min(this.of_index);
        (this.told)(checked, of);
    }
}

/// What is seen of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// One state of it.
    AtOnce,
    /// Whatever is there when it is read: nodes have no state in common. So where each log ends is read
    /// first, and then what lies before that, with what may have come to it since.
    Moving,
}

/// Whether each tenant's tables lie on some node of a Citus.
async fn is_spread(connection: &mut Connection) -> Result<bool, StoreError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(false);
    }
    Ok(database::query_scalar("SELECT is_distributed()")
        .fetch_one(connection)
        .await?)
}

/// The same of a database that has no one state to be seen: what seems to be wrong is looked at again, from
/// the beginning, and said only where it is still the same.
async fn verify_moving(
    connection: &mut Connection,
    kept: &[Kept],
    mut told: impl FnMut(u64, u64) + Send,
) -> Result<Verified, VerifyError> {
    let mut before: Option<Wrong> = None;
    for _ in 1..LOOKS {
        match verify_all(connection, kept, Seen::Moving, &mut told).await {
            Err(VerifyError::Wrong(wrong)) if before.as_ref() != Some(&wrong) => {
                before = Some(wrong);
            }
            done => return done,
        }
    }
    verify_all(connection, kept, Seen::Moving, told).await
}

async fn verify_all(
    connection: &mut Connection,
    kept: &[Kept],
    seen: Seen,
    mut told: impl FnMut(u64, u64) + Send,
) -> Result<Verified, VerifyError> {
    // Where they end comes first: what is read after that may be more, and not less.
    let logs = logs(connection).await?;
    let mut keys: HashMap<i64, Vec<u8>> = HashMap::new();
    let rows: Vec<(i64, Vec<u8>)> = database::query_as("SELECT id, public FROM signing_key")
        .fetch_all(&mut *connection)
        .await?;
    keys.extend(rows);
    let mut wanted = of_logs(kept, &logs, &keys)?;
    let mut releases = releases(connection).await?;
    let mut erasures = erased::read(connection).await?;
    let of: u64 = logs.iter().map(|log| log.last.unsigned_abs()).sum();
    let mut verified = Verified {
        tenants: Vec::new(),
        kept: kept.len(),
        is_searched_alike: connection.dialect() == Dialect::Postgres,
    };
    let (mut entries, mut contents) = (0, 0);
    for log in logs {
        let before = entries;
        let kept = wanted.remove(&log.slug).unwrap_or_default();
        let of_tenant = releases.remove(&log.tenant).unwrap_or_default();
        let mut checking = Checking::of(seen, log, of_tenant, kept, &keys);
        checking.erasures = Erasures::new(erasures.remove(&checking.tenant).unwrap_or_default());
        let number = checking.tenant;
        let tenant = checking
            .run(connection, |checked| told(before + checked, of))
            .await?;
        if connection.dialect() == Dialect::Postgres {
            searching::check_tables(connection, number, &tenant.tenant).await?;
        }
        entries += tenant.entries;
        contents += tenant.entries - tenant.released;
        verified.tenants.push(tenant);
    }
    if seen == Seen::Moving {
        find_strange_tenants(connection).await?;
        return Ok(verified);
    }
    // What the logs do not lead to.
    for (table, known) in [("leaf", entries), ("content", contents)] {
        let rows = match table {
            "leaf" => "SELECT /* of all tenants */ count(*) FROM leaf",
            _ => "SELECT /* of all tenants */ count(*) FROM content",
        };
        let rows: i64 = database::query_scalar(rows)
            .fetch_one(&mut *connection)
            .await?;
        let rows = count(rows)?;
        if rows != known {
            let rows = rows.abs_diff(known);
            return Err(Wrong::Strange { rows, table }.into());
        }
    }
    Ok(verified)
}

/// Entries of tenants that there are not: those that have some are read before the tenants are.
async fn find_strange_tenants(connection: &mut Connection) -> Result<(), VerifyError> {
    let named: Vec<i64> =
        database::query_scalar("SELECT /* of all tenants */ DISTINCT tenant FROM leaf")
            .fetch_all(&mut *connection)
            .await?;
    let known: Vec<i64> = database::query_scalar("SELECT id FROM tenant")
        .fetch_all(&mut *connection)
        .await?;
    let strange = named.iter().filter(|tenant| !known.contains(tenant));
    match strange.count() as u64 {
        0 => Ok(()),
        rows => Err(Wrong::Strange {
            rows,
            table: "leaf",
        }
        .into()),
    }
}

/// The public keys that there are, as they verify a tenant's checkpoints; those that are none are left out.
fn verifiers(origin: &Origin, keys: &HashMap<i64, Vec<u8>>) -> HashMap<i64, VerifierKey> {
    let keys = keys.iter();
    keys.filter_map(|(id, public)| Some((*id, verifier(origin, public).ok()?)))
        .collect()
}

/// A tenant's log.
struct Log {
    tenant: i64,
    slug: Slug,
    origin: Origin,
    /// The number of its last entry.
    last: i64,
    /// How many entries the newest checkpoint covers, as the database says.
    signed: u64,
}

/// All logs.
async fn logs(connection: &mut Connection) -> Result<Vec<Log>, StoreError> {
    let tenants: Vec<(i64, String)> = database::query_as("SELECT id, slug FROM tenant ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    let mut logs = Vec::with_capacity(tenants.len());
    for (tenant, slug) in tenants {
        let slug = parsed(&slug)?;
        // Before where it ends: so that what is signed is not more than that.
        let signed = count(super::covered(connection, tenant).await?)?;
        let last: Option<i64> =
            database::query_scalar("SELECT max(seq) FROM leaf WHERE tenant = ?")
                .bind(tenant)
                .fetch_one(&mut *connection)
                .await?;
        logs.push(Log {
            tenant,
            origin: origin(connection, &slug).await?,
            slug,
            last: last.unwrap_or(0),
            signed,
        });
    }
    Ok(logs)
}

/// The checkpoints that were kept, by whose they are: each is signed with a key that is known.
fn of_logs(
    kept: &[Kept],
    logs: &[Log],
    keys: &HashMap<i64, Vec<u8>>,
) -> Result<HashMap<Slug, Vec<(String, Checkpoint)>>, VerifyError> {
    let mut found: HashMap<Slug, Vec<(String, Checkpoint)>> = HashMap::new();
    for Kept { name, note } in kept {
        let wrong = |what: KeptWrong| Wrong::Kept {
            name: name.clone(),
            what,
        };
        let checkpoint = Checkpoint::try_from(note).map_err(|error| wrong(error.into()))?;
        let Some(log) = logs.iter().find(|log| log.origin == checkpoint.origin) else {
            return Err(wrong(KeptWrong::Elsewhere(checkpoint.origin.to_string())).into());
        };
        let known = keys
            .values()
            .map(|public| verifier(&log.origin, public))
            .collect::<Result<Vec<_>, _>>()?;
        note.verified_by(&known)
            .map_err(|error| wrong(KeptWrong::Signature(error)))?;
        let of_tenant = found.entry(log.slug.clone()).or_default();
        of_tenant.push((name.clone(), checkpoint));
    }
    for of_tenant in found.values_mut() {
        of_tenant.sort_by_key(|(_, checkpoint)| std::cmp::Reverse(checkpoint.size));
    }
    Ok(found)
}

/// All releases, by tenant.
async fn releases(
    connection: &mut Connection,
) -> Result<HashMap<i64, Vec<read::Release>>, StoreError> {
    let mut all: HashMap<i64, Vec<read::Release>> = HashMap::new();
    let mut after = 0;
    loop {
        let some = read::releases(connection, after).await?;
        let Some(last) = some.last() else {
            return Ok(all);
        };
        after = last.id;
        for release in some {
            all.entry(release.tenant).or_default().push(release);
        }
    }
}

/// The releases of a tenant.
#[derive(Default)]
struct Releases {
    /// In the order of the entries that tell of them.
    all: Vec<read::Release>,
    /// Of each log, by the number of the entry that tells of it: before which moment it, or one after it,
    /// lets go.
    before: HashMap<i64, Vec<(i64, i64)>>,
}

impl Releases {
    fn new(mut all: Vec<read::Release>) -> Self {
        all.sort_by_key(|release| release.seq);
        let mut before: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
        for release in all.iter().rev() {
            let of_log = before.entry(release.ws).or_default();
            let later = of_log.last().map_or(i64::MIN, |(_, before)| *before);
            of_log.push((release.seq, release.before.max(later)));
        }
        for of_log in before.values_mut() {
            of_log.reverse();
        }
        Self { all, before }
    }

    /// Whether one of them covers an entry.
    fn cover(&self, leaf: &Leaf) -> bool {
        let of_log = self.before.get(&leaf.ws).map_or(&[][..], Vec::as_slice);
        let first = of_log.partition_point(|(seq, _)| seq.cast_unsigned() < leaf.seq);
        of_log
            .get(first)
            .is_some_and(|(_, before)| leaf.occurred_at.micros() < *before)
    }
}

/// A checkpoint as the database has it.
struct Signed {
    size: u64,
    root: Hash,
    key: i64,
    signature: Vec<u8>,
    made_at: Timestamp,
}

/// A piece of a log, of which each entry was checked by itself.
struct Piece {
    /// For each entry, its leaf, and what else is to be known of it.
    entries: Vec<Checked>,
    /// What is wrong with the next one; the rest was not looked at.
    wrong: Option<Wrong>,
}

impl Piece {
    fn of(
        events: Vec<read::Event>,
        tenant: &Slug,
        texts: &Texts,
        workspaces: &HashMap<i64, Slug>,
    ) -> Self {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            match content::check(event, tenant, texts, workspaces) {
                Ok(entry) => entries.push(entry),
                Err(wrong) => {
                    let wrong = Some(wrong);
                    return Self { entries, wrong };
                }
            }
        }
        let wrong = None;
        Self { entries, wrong }
    }
}

/// Entries after a number and up to another; up to the first that is missing, which is told.
async fn read(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<(Vec<read::Event>, Option<i64>), StoreError> {
    let mut events = read::events_as_they_are(connection, tenant, (after, to)).await?;
    let whole = (after + 1..)
        .zip(&events)
        .take_while(|(expected, event)| event.seq == *expected)
        .count();
    events.truncate(whole);
    let next = after + 1 + i64::try_from(whole).unwrap_or(i64::MAX - to);
    Ok((events, (next <= to).then_some(next)))
}

/// A tenant's log that is being checked.
struct Checking {
    seen: Seen,
    tenant: i64,
    slug: Slug,
    origin: Origin,
    /// The number of the last entry.
    last: i64,
    /// The tree over what is checked.
    edge: Edge,
    signatures: Signatures,
    /// How many entries the newest checkpoint covers, as the database says.
    signed: u64,
    /// The next ones, in their order.
    checkpoints: VecDeque<Signed>,
    /// Up to which size they were read.
    checkpoints_after: i64,
    made: u64,
    covered: Option<(u64, Timestamp)>,
    /// Those that were kept elsewhere, the smallest last.
    kept: Vec<(String, Checkpoint)>,
    rules: Rules,
    releases: Releases,
    erasures: Erasures,
    /// How many of the releases have their event.
    told_of: usize,
    /// How many entries say nothing any more.
    released: u64,
}

impl Checking {
    /// A log of which nothing is checked yet.
    fn of(
        seen: Seen,
        log: Log,
        releases: Vec<read::Release>,
        kept: Vec<(String, Checkpoint)>,
        keys: &HashMap<i64, Vec<u8>>,
    ) -> Self {
        Self {
            seen,
            kept,
            releases: Releases::new(releases),
            erasures: Erasures::default(),
            tenant: log.tenant,
            signatures: Signatures::new(verifiers(&log.origin, keys)),
            slug: log.slug,
            origin: log.origin,
            last: log.last,
            edge: Edge::default(),
            signed: log.signed,
            checkpoints: VecDeque::new(),
            checkpoints_after: 0,
            made: 0,
            covered: None,
            rules: Rules::default(),
            told_of: 0,
            released: 0,
        }
    }
}

/// What the entries of a tenant refer to, in one state of its log.
#[derive(Clone)]
struct Referred {
    texts: Arc<Texts>,
    workspaces: Arc<HashMap<i64, Slug>>,
}

impl Referred {
    async fn read(connection: &mut Connection, tenant: i64) -> Result<Self, StoreError> {
        Ok(Self {
            texts: Arc::new(Texts::of(connection, tenant).await?),
            workspaces: Arc::new(super::workspaces(connection, tenant).await?),
        })
    }
}

impl Checking {
    async fn run(
        &mut self,
        connection: &mut Connection,
        told: impl FnMut(u64) + Send,
    ) -> Result<VerifiedTenant, VerifyError> {
        let checked = self.check(connection, told).await;
        self.settle().await?;
        checked
    }

    /// Waits for the signatures that are being verified: what is signed wrongly lies before what else was
    /// found, and is told instead of it.
    async fn settle(&mut self) -> Result<(), VerifyError> {
        match self.signatures.settle().await? {
            Some(size) => Err(Wrong::Signature {
                tenant: self.slug.clone(),
                size,
            }
            .into()),
            None => Ok(()),
        }
    }

    async fn check(
        &mut self,
        connection: &mut Connection,
        told: impl FnMut(u64) + Send,
    ) -> Result<VerifiedTenant, VerifyError> {
        let referred = Referred::read(connection, self.tenant).await?;
        self.compare_kept()?;
        self.check_to(connection, &referred, self.last, told)
            .await?;
        self.end(connection).await?;
        Ok(VerifiedTenant {
            tenant: self.slug.clone(),
            entries: self.edge.size(),
            released: self.released,
            erased: self.erasures.told(),
            checkpoints: self.made,
            covered: self.covered,
        })
    }

    /// Checks the entries after those that are checked, up to a number.
    async fn check_to(
        &mut self,
        connection: &mut Connection,
        referred: &Referred,
        last: i64,
        mut told: impl FnMut(u64) + Send,
    ) -> Result<(), VerifyError> {
        let mut pieces: VecDeque<JoinHandle<Piece>> = VecDeque::new();
        let (mut after, mut missing) = (number(self.edge.size())?, None);
        loop {
            while after < last && missing.is_none() && pieces.len() < AHEAD {
                let to = (after + PIECE).min(last);
                let events;
                (events, missing) = read(connection, self.tenant, (after, to)).await?;
                let Referred { texts, workspaces } = referred.clone();
                let slug = self.slug.clone();
                pieces.push_back(tokio::task::spawn_blocking(move || {
                    Piece::of(events, &slug, &texts, &workspaces)
                }));
                after = to;
            }
            let Some(piece) = pieces.pop_front() else {
                break;
            };
            let piece = piece.await.map_err(|_| StoreError::Closing)?;
            self.add(connection, piece).await?;
            told(self.edge.size());
        }
        if let Some(seq) = missing {
            let (tenant, seq) = (self.slug.clone(), count(seq)?);
            return Err(Wrong::Missing { tenant, seq }.into());
        }
        Ok(())
    }

    /// Adds a piece to the tree, entry by entry, and compares it with the tiles and the checkpoints of it.
    async fn add(&mut self, connection: &mut Connection, piece: Piece) -> Result<(), VerifyError> {
        let tiles = self.tiles_of(connection, piece.entries.len()).await?;
        for checked in piece.entries {
            let Checked {
                leaf,
                hash,
                facts,
                gone,
            } = checked;
            let at = leaf.seq - 1;
            let index = at / TILE as u64;
            let tile = tiles.get(&index).map(Vec::as_slice);
            let place = usize::try_from(at % TILE as u64).unwrap_or(TILE);
            let held = tile.and_then(|tile| tile.get(place));
            if held.is_some_and(|held| *held != hash) {
                return Err(Wrong::Altered {
                    tenant: self.slug.clone(),
                    seq: leaf.seq,
                    id: leaf.id,
                    what: "its leaf is another than the one that is in the tree",
                }
                .into());
            }
            let mut whole = Vec::new();
            self.edge.push(hash, |id, tile| whole.push((id, tile)));
            for (id, hashes) in whole {
                if id.level > 0 {
                    self.compare_tile(connection, id, &hashes).await?;
                } else if let Some(wrong) = self.wrong_tile(id, tile, &hashes) {
                    return Err(wrong.into());
                }
            }
            let judged = self.erasures.judge(&leaf, &facts, gone, &self.rules);
            judged.map_err(|fault| fault.of(&self.slug, &leaf))?;
            self.judge(&leaf, facts)?;
            self.compare_checkpoint(connection).await?;
            self.compare_kept()?;
        }
        piece.wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
    }

    /// The tiles that the leaves of the next so many entries are in, those that there are.
    async fn tiles_of(
        &self,
        connection: &mut Connection,
        entries: usize,
    ) -> Result<BTreeMap<u64, Vec<Hash>>, StoreError> {
        let first = self.edge.size();
        let last = first + entries as u64;
        let rows: Vec<(i64, Vec<u8>)> = database::query_as(
            "SELECT place, hashes FROM tile WHERE tenant = ? AND level = 0 AND place >= ? \
             AND place <= ?",
        )
        .bind(self.tenant)
        .bind(number(first / TILE as u64)?)
        .bind(number(last / TILE as u64)?)
        .fetch_all(connection)
        .await?;
        rows.into_iter()
            .map(|(place, bytes)| Ok((count(place)?, hashes_of(&bytes)?)))
            .collect()
    }

    /// How many hashes a tile holds, in the tree that the newest checkpoint is of.
    fn held(&self, id: TileId) -> usize {
        let hashes = self.signed.checked_shr(8 * id.level).unwrap_or(0);
        let held = hashes.saturating_sub(id.index.saturating_mul(TILE as u64));
        usize::try_from(held).map_or(TILE, |held| held.min(TILE))
    }

    /// What is wrong with a tile, which is to hold the first of these.
    fn wrong_tile(&self, id: TileId, tile: Option<&[Hash]>, expected: &[Hash]) -> Option<Wrong> {
        let held = self.held(id);
        let what = match tile {
            None if held == 0 => return None,
            None => "is not there",
            // It may have grown since.
            Some(tile) if self.seen == Seen::Moving && tile.len() > held => {
                if tile.starts_with(expected) || expected.starts_with(tile) {
                    return None;
                }
                "holds other hashes than the entries come to"
            }
            Some(tile) if tile.len() != held => "holds more or less than was signed",
            Some(tile) if !expected.starts_with(tile) => {
                "holds other hashes than the entries come to"
            }
            Some(_) => return None,
        };
        Some(Wrong::Tile {
            tenant: self.slug.clone(),
            level: id.level,
            place: id.index,
            what,
        })
    }

    async fn compare_tile(
        &self,
        connection: &mut Connection,
        id: TileId,
        expected: &[Hash],
    ) -> Result<(), VerifyError> {
        let tiles = super::tiles(connection, self.tenant, [id]).await?;
        let tile = tiles.0.get(&id).map(Vec::as_slice);
        match self.wrong_tile(id, tile, expected) {
            Some(wrong) => Err(wrong.into()),
            None => Ok(()),
        }
    }

    /// Compares the checkpoint of just so many entries with the tree, if there is one.
    async fn compare_checkpoint(&mut self, connection: &mut Connection) -> Result<(), VerifyError> {
        self.read_checkpoints(connection).await?;
        let size = self.edge.size();
        let Some(signed) = self.checkpoints.pop_front_if(|signed| signed.size <= size) else {
            return Ok(());
        };
        let tenant = || self.slug.clone();
        if signed.size < size {
            return Err(Wrong::Root {
                tenant: tenant(),
                size: signed.size,
            }
            .into());
        }
        if self.edge.root() != signed.root {
            return Err(Wrong::Root {
                tenant: tenant(),
                size,
            }
            .into());
        }
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size,
            root: signed.root,
        };
        let signatures = &mut self.signatures;
        let wrong = signatures.add(checkpoint, signed.key, signed.signature);
        if let Some(size) = wrong.await? {
            return Err(Wrong::Signature {
                tenant: tenant(),
                size,
            }
            .into());
        }
        self.made += 1;
        self.covered = Some((size, signed.made_at));
        Ok(())
    }

    /// Reads the next checkpoints, where none are left.
    async fn read_checkpoints(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self.checkpoints.is_empty() || self.checkpoints_after == i64::MAX {
            return Ok(());
        }
        let rows = database::query(
            "SELECT size, root, key, signature, made_at FROM checkpoint \
             WHERE tenant = ? AND size > ? AND size <= ? ORDER BY size LIMIT ?",
        )
        .bind(self.tenant)
        .bind(self.checkpoints_after)
        .bind(number(self.signed)?)
        .bind(CHECKPOINTS)
        .fetch_all(connection)
        .await?;
        self.checkpoints_after = i64::MAX;
        for row in &rows {
            self.checkpoints_after = row.try_get(0)?;
            self.checkpoints.push_back(Signed {
                size: count(row.try_get(0)?)?,
                root: hash(row.try_get(1)?)?,
                key: row.try_get(2)?,
                signature: row.try_get(3)?,
                made_at: Timestamp::from_micros(row.try_get(4)?),
            });
        }
        Ok(())
    }

    /// Compares the checkpoints of just so many entries that were kept elsewhere with the tree.
    fn compare_kept(&mut self) -> Result<(), Wrong> {
        let size = self.edge.size();
        while let Some((name, kept)) = self.kept.pop_if(|(_, kept)| kept.size <= size) {
            if kept.root != self.edge.root() {
                let what = KeptWrong::AnotherPast { size };
                return Err(Wrong::Kept { name, what });
            }
        }
        Ok(())
    }

    /// Whether what became of an entry was permitted, and what it tells of what is.
    fn judge(&mut self, leaf: &Leaf, facts: Facts) -> Result<(), Wrong> {
        let tenant = || self.slug.clone();
        let release = self.releases.all.get(self.told_of);
        let release = release.filter(|release| release.seq.cast_unsigned() == leaf.seq);
        match facts {
            Facts::Gone => {
                let seq = leaf.seq;
                if release.is_some() {
                    let what = "is gone, and it is what permits others to be";
                    return Err(Wrong::Release {
                        tenant: tenant(),
                        seq,
                        what,
                    });
                }
                if !self.releases.cover(leaf) {
                    let id = leaf.id;
                    return Err(Wrong::Unreleased {
                        tenant: tenant(),
                        seq,
                        id,
                    });
                }
                self.released += 1;
            }
            Facts::Plain => {
                if release.is_some() {
                    let what = "is none: that entry tells of something else";
                    let seq = leaf.seq;
                    return Err(Wrong::Release {
                        tenant: tenant(),
                        seq,
                        what,
                    });
                }
            }
            Facts::Telling(told) => {
                let judged = self.rules.follow(leaf, &told, release);
                if let Err(what) = judged {
                    let seq = leaf.seq;
                    return Err(Wrong::Release {
                        tenant: tenant(),
                        seq,
                        what,
                    });
                }
                self.told_of += usize::from(release.is_some());
            }
        }
        Ok(())
    }

    /// What is left over when the whole log is checked.
    async fn end(&mut self, connection: &mut Connection) -> Result<(), VerifyError> {
        let entries = self.edge.size();
        let slug = self.slug.clone();
        let tenant = || slug.clone();
        if let Some(release) = self.releases.all.get(self.told_of) {
            let what = "has no such entry";
            let seq = count(release.seq)?;
            return Err(Wrong::Release {
                tenant: tenant(),
                seq,
                what,
            }
            .into());
        }
        if let Some(seq) = self.erasures.untold() {
            let what = "has no such entry";
            let tenant = tenant();
            return Err(Wrong::Release { tenant, seq, what }.into());
        }
        if let Some((name, kept)) = self.kept.pop() {
            let size = kept.size;
            let what = KeptWrong::Shrunk { size, entries };
            return Err(Wrong::Kept { name, what }.into());
        }
        self.read_checkpoints(connection).await?;
        if let Some(signed) = self.checkpoints.front() {
            let size = signed.size;
            return Err(Wrong::Shrunk {
                tenant: tenant(),
                size,
                entries,
            }
            .into());
        }
        // Those that became whole were compared then.
        let growing: Vec<(TileId, Vec<Hash>)> = self
            .edge
            .growing()
            .map(|(id, hashes)| (id, hashes.to_vec()))
            .collect();
        for (id, hashes) in growing {
            self.compare_tile(connection, id, &hashes).await?;
        }
        if self.seen == Seen::Moving {
            return Ok(());
        }
        // The tree holds what the newest checkpoint covers, and no more.
        let rows: Vec<(i64, i64)> = database::query_as(
            "SELECT level, max(place) FROM tile WHERE tenant = ? GROUP BY level",
        )
        .bind(self.tenant)
        .fetch_all(connection)
        .await?;
        for (level, place) in rows {
            let (level, index) = (u32::try_from(level).unwrap_or(u32::MAX), count(place)?);
            let id = TileId { level, index };
            if self.held(id) == 0 {
                return Err(Wrong::Tile {
                    tenant: tenant(),
                    level,
                    place: index,
                    what: "holds what was not signed",
                }
                .into());
            }
        }
        Ok(())
    }
}
