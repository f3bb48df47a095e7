//! Whether a log is what was signed: every leaf computed again from what is recorded, the tree from the
//! leaves, every checkpoint compared with the tree, and what is searched by with what was recorded. It
//! believes the log alone, needs no secret, and changes nothing.

mod checking;
mod content;
mod erased;
mod findings;
#[cfg(test)]
mod moving;
mod rules;
mod searching;
mod signatures;
mod steady;

pub use steady::{Steady, Step};

use super::{Leaf, count, origin, parsed, verifier};
pub use findings::{ErasedUnder, KeptWrong, Verified, VerifiedTenant, VerifyError, Wrong};

use crate::{
    StoreError,
    copy::{holds_installation, read},
    database::{self, Connection, Dialect},
    options::{DatabaseUrl, Options},
    postgres,
    sqlite::{self, Compared},
};
use checking::{Checking, Referred};
use domain::{
    proof::{Checkpoint, Note, Origin, VerifierKey},
    slug::Slug,
};
use erased::Erasures;
use findings::found_in;
use rules::Rules;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// So many entries are read, and checked, at a time.
const PIECE: i64 = 4_096;
/// So often a log that is spread over nodes is looked at, at most, before something is said to be wrong
/// with it that is another thing each time.
const LOOKS: usize = 5;

/// A checkpoint that was kept elsewhere.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where it comes from, for whoever reads what is said of it.
    pub name: String,
    /// The checkpoint.
    pub note: Note,
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
    let done = verify_opened(options, kept, told).await;
    done.map_err(|error| found_in("the database", error))
}

async fn verify_opened(
    options: &Options,
    kept: &[Kept],
    told: impl FnMut(u64, u64) + Send,
) -> Result<Verified, VerifyError> {
    let mut connection = match &options.database {
        DatabaseUrl::Sqlite(path) => sqlite::migrated(path).await?,
        DatabaseUrl::Postgres(url) => postgres::migrated(url).await?,
    };
    let begin = match &options.database {
        DatabaseUrl::Sqlite(_) => "BEGIN",
        DatabaseUrl::Postgres(_) if is_spread(&mut connection).await? => {
            // Of rows that belong to no tenant all nodes are asked, also where such questions are refused.
            connection
                .run("SET citus.multi_task_query_log_level = off")
                .await?;
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
    let told = Mutex::new(Progress {
        of_log: (0, 0),
        of_index: 0,
        told,
    });
    let log = verify_all(&mut connection, kept, Seen::AtOnce, |checked, of| {
        Progress::tell(&told, |it| it.of_log = (checked, of));
    });
    let index = async {
        let found = sqlite::compare_index(path, |checked| {
            Progress::tell(&told, |it| it.of_index = checked);
        });
        let found = found.await;
        Progress::tell(&told, |it| it.of_index = u64::MAX);
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
struct Progress<T> {
    of_log: (u64, u64),
    of_index: u64,
    told: T,
}

impl<T: FnMut(u64, u64)> Progress<T> {
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
        let run = checking.run(connection, |checked| told(before + checked, of));
        let ran = run.await;
        let tenant = ran.map_err(|error| found_in(checking.slug.as_str(), error))?;
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
async fn logs(connection: &mut Connection) -> Result<Vec<Log>, VerifyError> {
    let tenants: Vec<i64> = database::query_scalar("SELECT id FROM tenant ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    let mut logs = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        let read = log_of(connection, tenant).await;
        let log = read.map_err(|error| found_in(&format!("tenant {tenant}"), error.into()))?;
        logs.extend(log);
    }
    Ok(logs)
}

/// A tenant's log; none: there is no such tenant.
async fn log_of(connection: &mut Connection, tenant: i64) -> Result<Option<Log>, StoreError> {
    let slug: Option<String> = database::query_scalar("SELECT slug FROM tenant WHERE id = ?")
        .bind(tenant)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(slug) = slug else { return Ok(None) };
    let slug = parsed(&slug)?;
    // Before where it ends: so that what is signed is not more than that.
    let signed = count(super::covered(connection, tenant).await?)?;
    let last: Option<i64> = database::query_scalar("SELECT max(seq) FROM leaf WHERE tenant = ?")
        .bind(tenant)
        .fetch_one(&mut *connection)
        .await?;
    Ok(Some(Log {
        tenant,
        origin: origin(connection, &slug).await?,
        slug,
        last: last.unwrap_or(0),
        signed,
    }))
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
        let known: Vec<VerifierKey> = verifiers(&log.origin, keys).into_values().collect();
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
