//! A standby of the PostgreSQL server, which answers what is asked of the log: pages, exports, and whoever
//! follows the log and is far behind. What decides about rights is asked of the primary.
//!
//! Nobody reads older than what was acknowledged before they asked, on whichever server: each question
//! begins at the primary, with one look at where the tenant's log ends ([`Reached`]), and is put to the
//! replica only in a transaction there that has come as far. Where that does not come about in a moment,
//! the primary answers.
//!
//! A replica is read from as long as it is a standby, of this installation, with this schema, and holds
//! nothing that the primary does not: one that followed a primary whose last events were lost in a failover
//! does. All of it is looked at twice a second, and what is quick to see with each question. Where somebody
//! waited for an answer in vain, nobody else does for a while ([`Silence`]).

use super::{AS_SERVER, BY_INDEX, MIGRATIONS, READERS, Server, WHERE, no_delay::send_at_once};
use crate::{
    StoreError,
    database::{self, Connection, Pooled, Silence, within},
    options::{PostgresUrl, ReplicaStanding},
    sqlite::export,
};
use sqlx::{
    ConnectOptions, Executor, PgConnection, PgPool, Row,
    error::DatabaseError,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How often it is looked whether it can be read from.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a question waits for a connection before the primary is asked.
const CONNECTION: Duration = Duration::from_millis(300);
/// And how long for the first answer on it.
const BEGINNING: Duration = Duration::from_secs(1);
/// How long a question waits for the replica to come as far as it needs, and how often it looks.
const WAIT: Duration = Duration::from_millis(40);
const LOOK_AGAIN: Duration = Duration::from_millis(4);
/// It is told that it is behind when it has been for so long: a burst of events is nothing to tell of.
const TELL_AFTER: Duration = Duration::from_secs(5);
/// What a replica holds beyond the primary is looked for there so often, so far apart: it may show what is
/// just being committed a moment before the primary does.
const VERIFY: (usize, Duration) = (5, Duration::from_millis(100));

/// Reads at either, by who answered them.
const READS: &str = "daybook_replica_reads_total";
/// How far it is behind.
const LAG: &str = "daybook_replica_lag_bytes";
/// Whether it is read from.
const IN_USE: &str = "daybook_replica_in_use";

/// How far a tenant's log goes: what a reader must find at the least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The last number.
    pub(crate) seq: i64,
    /// How many batches of events were removed.
    removals: i64,
    /// How often texts were emptied, in all of its workspaces.
    emptied: i64,
    /// The id of the last event, if there is one.
    id: Option<Vec<u8>>,
}

impl Reached {
    /// How far a connection of the primary's sees it go.
    pub(crate) async fn of(connection: &mut Connection, tenant: i64) -> Result<Self, StoreError> {
        let row = database::query(
            "SELECT coalesce(max(h.seq), 0), coalesce(max(h.removals), 0), \
                 (SELECT CAST(coalesce(sum(t.emptied), 0) AS BIGINT) FROM text_head t \
                  WHERE t.tenant = ?1), \
                 (SELECT h.id FROM tenant_head h WHERE h.tenant = ?1) \
             FROM tenant_head h WHERE h.tenant = ?1",
        )
        .bind(tenant)
        .fetch_one(connection)
        .await?;
        Ok(Self {
            seq: row.try_get(0)?,
            removals: row.try_get(1)?,
            emptied: row.try_get(2)?,
            id: row.try_get(3)?,
        })
    }
}

/// Which of its connections somebody reads with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Who waits for a page.
    Page,
    /// An export.
    Export,
}

/// Why a replica is not read from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Unfit {
    #[error(
        "it is no standby, but takes writes itself: name a standby of the database, or none; after a \
         failover the database's own address has to name it"
    )]
    NoStandby,
    #[error("it is of another installation: name a standby of the database, or none")]
    Another,
    #[error("it holds nothing of Daybook's yet")]
    Empty,
    #[error("its schema is of version {0}, and is waited for to be of {1}")]
    Schema(i64, i64),
    #[error(
        "it holds events that the database does not: it followed another primary, or the database was \
         brought back from an older copy. It has to be made anew"
    )]
    Diverged,
    #[error("{0}")]
    Away(String),
}

impl Unfit {
    /// Whether it never becomes fit by itself: somebody named the wrong server.
    const fn is_wrong(&self) -> bool {
        matches!(self, Self::NoStandby | Self::Another)
    }
}

impl From<sqlx::Error> for Unfit {
    fn from(error: sqlx::Error) -> Self {
        // undefined_table
        match error.as_database_error().and_then(DatabaseError::code) {
            Some(code) if code == "42P01" => Self::Empty,
            _ => Self::Away(error.to_string()),
        }
    }
}

/// How it stands.
#[derive(Debug)]
struct State {
    /// None: nobody has looked yet.
    fit: Option<Result<(), Unfit>>,
    /// Since when it has been behind.
    behind: Option<Instant>,
    /// It was compared with the primary when that had been found to be another so often: see
    /// [`Dictionaries::times`](crate::sqlite::dictionaries::Dictionaries::times).
    sound: Option<u64>,
    /// Which server the last connection led to, and since when that has been running.
    met: Option<String>,
}

/// A standby that is read from.
#[derive(Debug)]
pub(crate) struct Replica {
    url: PostgresUrl,
    installation: [u8; 16],
    options: PgConnectOptions,
    readers: PgPool,
    exporters: PgPool,
    state: Arc<Mutex<State>>,
    /// Whether those who ask it are answered.
    silence: Arc<Silence>,
}

/// A connection on which a transaction may be open: given up, it is closed.
struct Beginning(Option<Pooled>);

impl Drop for Beginning {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

/// What a look at it found.
struct Seen {
    /// How much of the primary's log it has applied, in bytes.
    applied: i64,
}

impl Replica {
    /// The replica of an installation; refuses one that was named by mistake. One that does not answer is
    /// taken up when it does.
    pub(super) async fn open(
        url: &PostgresUrl,
        installation: [u8; 16],
    ) -> Result<Self, StoreError> {
        let options = url.options()?;
        let options = options.options(BY_INDEX);
        let state = Arc::new(Mutex::new(State {
            fit: None,
            behind: None,
            sound: None,
            met: None,
        }));
        let pool = |most| pool(options.clone(), most, &state);
        let replica = Self {
            url: url.clone(),
            installation,
            readers: pool(READERS),
            exporters: pool(export::turns(READERS)),
            options: options.clone(),
            state: Arc::clone(&state),
            silence: Arc::default(),
        };
        let mut connection = None;
        match tokio::time::timeout(PATIENCE, replica.look(&mut connection)).await {
            Ok(Err(wrong)) if wrong.is_wrong() => Err(StoreError::Replica(format!(
                "the read replica {url} cannot be read from: {wrong}"
            ))),
            // Whoever follows it looks again at once, and tells.
            Ok(_) | Err(_) => Ok(replica),
        }
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.exporters.close().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> ReplicaStanding {
        let state = self.state();
        match (&state.fit, state.behind) {
            _ if self.silence.is_on() => ReplicaStanding::Away,
            (Some(Ok(())), None) => ReplicaStanding::InUse,
            (Some(Ok(())), Some(_)) => ReplicaStanding::Behind,
            (Some(Err(_)) | None, _) => ReplicaStanding::Away,
        }
    }

    /// Whether it may be asked now, by somebody who knows the primary to have been found to be another so
    /// often; where not, that is counted.
    pub(crate) fn may_be_asked(&self, times: u64) -> bool {
        let reason = {
            let state = self.state();
            match &state.fit {
                Some(Ok(())) if state.sound == Some(times) && !self.silence.is_on() => {
                    if state.behind.is_none() {
                        return true;
                    }
                    "behind"
                }
                _ => "away",
            }
        };
        count(reason);
        false
    }

    /// Whether what was read from it since then may be believed.
    pub(crate) fn is_sound(&self, times: u64) -> bool {
        self.state().sound == Some(times)
    }

    /// A connection to it with an open transaction that sees at least so much of a tenant's log, and how
    /// far it sees it go; none where it has not come so far, or fails.
    pub(crate) async fn begin(
        &self,
        reader: Reader,
        tenant: i64,
        needed: &Reached,
    ) -> Option<Pooled> {
        let pool = match reader {
            Reader::Page => &self.readers,
            Reader::Export => &self.exporters,
        };
        let asked = Instant::now();
        let begun = within(BEGINNING, async {
            let silence = Arc::clone(&self.silence);
            let connection = Pooled::of_replica(pool.acquire().await?, silence);
            let mut begun = Beginning(Some(connection));
            let is_there = match &mut begun.0 {
                Some(connection) => self.reach(connection, tenant, needed).await?,
                None => false,
            };
            // Nothing is open on it any more, or it is who asked for it who ends that.
            let connection = begun.0.take();
            Ok::<_, StoreError>(connection.filter(|_| is_there))
        });
        match begun.await {
            Ok(Some(connection)) => {
                count("replica");
                Some(connection)
            }
            Ok(None) => {
                // The next need not wait too; whoever looks finds out when it has caught up.
                self.state().behind.get_or_insert_with(Instant::now);
                count("behind");
                None
            }
            Err(error) => {
                // Where all connections are taken, those who have them are answered, or find out themselves.
                let is_full =
                    pool.num_idle() == 0 && pool.size() >= pool.options().get_max_connections();
                if asked.elapsed() >= CONNECTION && !is_full {
                    self.silence.missed(asked);
                }
                tracing::debug!("the read replica was not asked: {error}");
                count("failed");
                None
            }
        }
    }

    /// Opens a transaction that sees so much; false where there is none in time, and none is open.
    async fn reach(
        &self,
        connection: &mut Connection,
        tenant: i64,
        needed: &Reached,
    ) -> Result<bool, StoreError> {
        let until = Instant::now() + WAIT;
        loop {
            connection.run(super::BEGIN_READING).await?;
            let row = database::query(
                "SELECT pg_is_in_recovery(), (SELECT id FROM installation), \
                     coalesce(max(h.seq), 0), coalesce(max(h.removals), 0), \
                     (SELECT CAST(coalesce(sum(t.emptied), 0) AS BIGINT) FROM text_head t \
                      WHERE t.tenant = ?1), \
                     (SELECT l.id FROM leaf l WHERE l.tenant = ?1 AND l.seq = ?2) \
                 FROM tenant_head h WHERE h.tenant = ?1",
            )
            .bind(tenant)
            .bind(needed.seq)
            .fetch_one(&mut *connection)
            .await?;
            let id: Option<&[u8]> = row.try_get(1)?;
            if !row.try_get::<bool>(0)? || id != Some(&self.installation[..]) {
                return Err(StoreError::Replica("it is another server now".to_owned()));
            }
            let (seq, removals, emptied): (i64, i64, i64) =
                (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            if seq >= needed.seq && removals >= needed.removals && emptied >= needed.emptied {
                if row.try_get::<Option<Vec<u8>>>(5)? == needed.id {
                    return Ok(true);
                }
                self.state().sound = None;
                return Err(StoreError::Replica(Unfit::Diverged.to_string()));
            }
            connection.run("ROLLBACK").await?;
            if Instant::now() >= until {
                return Ok(false);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Somebody who was reading from it asks the primary again.
    pub(crate) fn failed() {
        count("failed");
    }

    /// Looks how it is, by a connection of one's own: all readers may be busy. It is kept as long as it
    /// serves.
    async fn look(&self, kept: &mut Option<PgConnection>) -> Result<Seen, Unfit> {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => {
                let mut connection = self.options.connect().await?;
                greet(&mut connection, &self.state).await?;
                connection
            }
        };
        let seen = self.look_by(&mut connection).await?;
        *kept = Some(connection);
        Ok(seen)
    }

    async fn look_by(&self, connection: &mut PgConnection) -> Result<Seen, Unfit> {
        let is_standby: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()")
            .fetch_one(&mut *connection)
            .await?;
        if !is_standby {
            return Err(Unfit::NoStandby);
        }
        let row = sqlx::query(
            "SELECT i.id, (SELECT max(version) FROM _sqlx_migrations WHERE success), \
                 CAST(coalesce(pg_last_wal_replay_lsn(), '0/0') - '0/0' AS BIGINT) \
             FROM installation i",
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else {
            return Err(Unfit::Empty);
        };
        if row.try_get::<&[u8], _>(0)? != self.installation {
            return Err(Unfit::Another);
        }
        let wanted = MIGRATIONS.iter().map(|migration| migration.version).max();
        let (wanted, version) = (wanted.unwrap_or(0), row.try_get::<Option<i64>, _>(1)?);
        match version.unwrap_or(0) {
            version if version == wanted => Ok(Seen {
                applied: row.try_get(2)?,
            }),
            version => Err(Unfit::Schema(version, wanted)),
        }
    }

    /// Compares it with the primary: where each tenant's log ends there, the primary holds the same event.
    async fn verify(connection: &mut PgConnection, primary: &PgPool) -> Result<(), Unfit> {
        let heads: Vec<(i64, i64, Vec<u8>)> =
            sqlx::query_as("SELECT tenant, seq, id FROM tenant_head WHERE id IS NOT NULL")
                .fetch_all(connection)
                .await?;
        let tenants: Vec<i64> = heads.iter().map(|(tenant, ..)| *tenant).collect();
        let numbers: Vec<i64> = heads.iter().map(|(_, seq, _)| *seq).collect();
        let ids: Vec<Vec<u8>> = heads.into_iter().map(|(.., id)| id).collect();
        let (times, apart) = VERIFY;
        for _ in 0..times {
            let unknown: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM unnest($1, $2, $3) x(tenant, seq, id) \
                 LEFT JOIN leaf l ON l.tenant = x.tenant AND l.seq = x.seq \
                 WHERE l.id IS DISTINCT FROM x.id",
            )
            .bind(&tenants)
            .bind(&numbers)
            .bind(&ids)
            .fetch_one(primary)
            .await?;
            if unknown == 0 {
                return Ok(());
            }
            sleep(apart).await;
        }
        Err(Unfit::Diverged)
    }

    /// Takes note of what was seen, and tells of what changed.
    fn note(&self, fit: Result<(), Unfit>, is_behind: bool, told: &mut Told) {
        let standing = {
            let mut state = self.state();
            state.fit = Some(fit.clone());
            if !is_behind {
                state.behind = None;
            } else if fit.is_ok() {
                state.behind.get_or_insert_with(Instant::now);
            }
            match (fit, state.behind) {
                (Err(unfit), _) => Told::Away(unfit),
                // Once it was told, until it has caught up.
                (Ok(()), Some(since)) if since.elapsed() >= TELL_AFTER || *told == Told::Behind => {
                    Told::Behind
                }
                (Ok(()), _) => Told::InUse,
            }
        };
        let is_used = standing == Told::InUse;
        metrics::gauge!(IN_USE).set(if is_used { 1.0 } else { 0.0 });
        if *told == standing || told.is_as_far_away_as(&standing) {
            return;
        }
        let url = &self.url;
        match &standing {
            Told::Nothing => {}
            Told::InUse if *told == Told::Nothing => {
                tracing::info!("the read replica {url} is read from");
            }
            // As loud as that it was not.
            Told::InUse => tracing::warn!("the read replica {url} is read from again"),
            Told::Behind => tracing::warn!(
                "the read replica {url} is behind: the database itself is read from until it has \
                 caught up"
            ),
            Told::Away(why) => tracing::warn!(
                "the read replica {url} is not read from, the database itself is: {why}"
            ),
        }
        *told = standing;
    }
}

/// What was told of it last.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    InUse,
    Behind,
    Away(Unfit),
}

impl Told {
    /// That nobody answers is told once, in whatever words it is said.
    const fn is_as_far_away_as(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Away(Unfit::Away(_)), Self::Away(Unfit::Away(_)))
        )
    }
}

fn count(answered: &'static str) {
    metrics::counter!(READS, "answered" => answered).increment(1);
}

/// Connections to it, none of them made yet.
fn pool(options: PgConnectOptions, most: u32, state: &Arc<Mutex<State>>) -> PgPool {
    let state = Arc::clone(state);
    let port = options.get_port();
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(CONNECTION)
        .after_connect(move |connection, _| {
            send_at_once(port);
            let state = Arc::clone(&state);
            Box::pin(async move { greet(connection, &state).await })
        })
        .connect_lazy_with(options)
}

/// Begins a connection to it, and takes note of where it leads.
async fn greet(connection: &mut PgConnection, state: &Mutex<State>) -> Result<(), sqlx::Error> {
    connection.execute(AS_SERVER).await?;
    let server: String = sqlx::query_scalar(WHERE).fetch_one(connection).await?;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.met.as_ref() != Some(&server) {
        // Another server, or the same one started again: it is to be compared anew.
        state.sound = None;
        state.met = Some(server);
    }
    Ok(())
}

/// Looks at the replica until the store closes.
pub(super) async fn follow(server: Arc<Server>) {
    let Some(replica) = &server.replica else {
        return;
    };
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::Nothing;
    // Where the primary's log ended at the last look.
    let mut before: Option<i64> = None;
    let mut connection = None;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = server.arrivals.ended() => return,
        }
        let look = async {
            let ended = server.end_of_log().await?;
            let times = server.known.dictionaries.times();
            let seen = server.compared(replica, times, &mut connection);
            let seen = tokio::time::timeout(PATIENCE, seen).await;
            Ok::<_, StoreError>((ended, seen))
        };
        let looked = tokio::select! {
            looked = look => looked,
            () = server.arrivals.ended() => return,
        };
        let (ended, seen) = match looked {
            Ok(looked) => looked,
            // Without the primary nothing is answered.
            Err(StoreError::Unavailable(_) | StoreError::Closing) => continue,
            Err(error) => {
                let silent = format!("the database does not tell how far it is: {error}");
                replica.note(Err(Unfit::Away(silent)), false, &mut told);
                continue;
            }
        };
        match seen {
            Ok(Ok(_)) if replica.silence.goes_on(Instant::now()) => {
                let silent = Unfit::Away("it does not answer what is asked of it".to_owned());
                replica.note(Err(silent), false, &mut told);
            }
            Ok(Ok(Seen { applied })) => {
                #[expect(clippy::cast_precision_loss, reason = "measured roughly")]
                metrics::gauge!(LAG).set((ended - applied).max(0) as f64);
                let is_behind = before.is_some_and(|before| applied < before);
                replica.note(Ok(()), is_behind, &mut told);
            }
            Ok(Err(unfit)) => replica.note(Err(unfit), false, &mut told),
            Err(_) => {
                let silent = Unfit::Away("it does not answer".to_owned());
                replica.note(Err(silent), false, &mut told);
            }
        }
        before = Some(ended);
    }
}

impl Server {
    /// How much the server has written into its log, in bytes.
    async fn end_of_log(&self) -> Result<i64, StoreError> {
        let asked = sqlx::query_scalar("SELECT CAST(pg_current_wal_lsn() - '0/0' AS BIGINT)")
            .fetch_one(&self.watcher);
        within(PATIENCE, async { Ok(asked.await?) }).await
    }

    /// Looks at the replica, and compares it with the primary where it may be of another.
    async fn compared(
        &self,
        replica: &Replica,
        times: u64,
        kept: &mut Option<PgConnection>,
    ) -> Result<Seen, Unfit> {
        let seen = replica.look(kept).await?;
        if !replica.is_sound(times)
            && let Some(connection) = kept
        {
            let met = replica.state().met.clone();
            Replica::verify(connection, &self.watcher).await?;
            let mut state = replica.state();
            if state.met == met && self.known.dictionaries.times() == times {
                state.sound = Some(times);
            }
        }
        Ok(seen)
    }
}
