//! How a tenant's tree grows: leaves are hashed, tiles filled, and what came of it is signed.

use super::{
    Leaf, columns_of_leaf, count, covered, memory::Memory, number, origin, parsed, root_of, tiles,
    workspaces,
};
use crate::{
    Store, StoreError,
    database::{self, Connection, Pooled, within},
    keys::{Key, Keys, random},
    sqlite::{Inner, Kept, append::Appender, damaged, keeper::Keeper},
};
use domain::{
    leaf::Hash,
    proof::{Checkpoint, Edge, Origin, TileId},
    slug::Slug,
};
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard as StdMutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, Notify};

/// So many leaves are taken into a tree at a time.
const STEP: i64 = 8_192;
/// For how long what arrives is gathered: a checkpoint is made within a second.
const GATHER: Duration = Duration::from_millis(750);
/// How often it is looked for what nobody covered: another process may have been killed before it did.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How soon it is tried again what could not be done.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a step may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The tenants in whose logs this process recorded what no checkpoint covers yet.
#[derive(Debug, Default)]
pub(crate) struct Uncovered {
    tenants: Mutex<BTreeSet<i64>>,
    came: Notify,
}

impl Uncovered {
    fn tenants(&self) -> StdMutexGuard<'_, BTreeSet<i64>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was recorded in these.
    pub(crate) fn add(&self, tenants: impl IntoIterator<Item = i64>) {
        self.tenants().extend(tenants);
        self.came.notify_one();
    }
}

/// A tenant that is to be covered still, should nobody say otherwise until this is dropped.
struct Left<'a>(&'a Uncovered, Option<i64>);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.tenants().extend(self.1);
    }
}

/// Until when nothing is signed.
const UNTIL: &str = "nothing is signed until daybook verify --checkpoint shows what it is; who brought an \
                     older copy back on purpose says so with daybook key accept-restore";

/// The tenant whose checkpoints these are: it is named last.
fn slug_in(origin: &Origin) -> &str {
    origin.as_str().rsplit('/').next().unwrap_or_default()
}

/// What a store knows for its proofs.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) key_file: PathBuf,
    /// The key that signs, as far as this process knows.
    signing: Mutex<Key>,
    uncovered: Arc<Uncovered>,
    /// Held by whoever makes checkpoints: one at a time in a process, however many ask for one.
    covering: AsyncMutex<()>,
    /// How large each tenant's tree was, and its root, when it was signed last.
    memory: Mutex<Memory>,
    /// Who this process is to others that do the same.
    holder: [u8; 16],
}

impl State {
    pub(crate) fn new(key_file: PathBuf, keys: &Keys, uncovered: Arc<Uncovered>) -> Self {
        let memory = Memory::beside(&key_file);
        Self {
            key_file,
            signing: Mutex::new(keys.signing.clone()),
            uncovered,
            covering: AsyncMutex::default(),
            memory: Mutex::new(memory),
            holder: random().unwrap_or_else(|_| u128::from(std::process::id()).to_be_bytes()),
        }
    }

    /// Who this process is, among those that share the database.
    pub(super) const fn holder(&self) -> &[u8; 16] {
        &self.holder
    }

    /// What was signed last.
    pub(super) fn memory(&self) -> StdMutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a checkpoint is accepted not to be a past of its log, by this process or, since it began, by
    /// another.
    pub(super) fn is_accepted(&self, checkpoint: &Checkpoint) -> bool {
        let mut memory = self.memory();
        memory.is_accepted(checkpoint) || {
            memory.read_again();
            memory.is_accepted(checkpoint)
        }
    }

    /// The size of the largest checkpoint that is accepted so, by whomever; 0 where none is.
    pub(super) fn accepted(&self, origin: &Origin) -> u64 {
        let mut memory = self.memory();
        memory.read_again();
        memory.accepted(origin)
    }

    /// Keeps beside the key file what was signed, if it is time.
    pub(crate) async fn keep_memory(&self, is_last: bool) {
        let Some(keeps) = self.memory().due(is_last) else {
            return;
        };
        let kept = tokio::task::spawn_blocking(keeps).await;
        if let Err(error) = kept.unwrap_or(Err(StoreError::Closing)) {
            self.memory().not_kept(&error);
        }
    }

    fn signing(&self) -> StdMutexGuard<'_, Key> {
        self.signing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs with this key from now on.
    pub(super) fn sign_with(&self, key: Key) {
        *self.signing() = key;
    }

    /// The key whose fingerprint the database has: it may have been rotated since this process began.
    fn signing_of(&self, known: &[u8]) -> Result<Key, StoreError> {
        let ours = self.signing().clone();
        if ours.fingerprint() == known {
            return Ok(ours);
        }
        let keys = Keys::read(&self.key_file)?.and_then(|keys| keys.signing_with(known));
        let key = keys.map(|keys| keys.signing).ok_or_else(|| {
            StoreError::Keys(format!(
                "the signing key was rotated, and the key file {} does not have the new one: no \
                 checkpoints are made here; bring the file from where daybook key rotate was run",
                self.key_file.display()
            ))
        })?;
        self.sign_with(key.clone());
        Ok(key)
    }
}

/// What a tree grew by, and what it is now.
struct Growth {
    tenant: i64,
    origin: Origin,
    /// How many leaves it had.
    from: i64,
    /// The tiles that were not whole, of which some grew.
    before: BTreeSet<TileId>,
    /// The tiles that became whole.
    whole: Vec<(TileId, Vec<Hash>)>,
    edge: Edge,
    /// Whether there may be more.
    is_cut: bool,
}

impl Growth {
    /// Takes leaves into a tree, in a thread of their own: hashing many takes a while.
    async fn of(
        (tenant, slug, origin): (i64, Slug, Origin),
        edge: Edge,
        leaves: Vec<Leaf>,
        workspaces: HashMap<i64, Slug>,
    ) -> Result<Self, StoreError> {
        let from = number(edge.size())?;
        let hashed = tokio::task::spawn_blocking(move || {
            let before = edge.growing().map(|(id, _)| id).collect();
            let mut edge = edge;
            let mut whole = Vec::new();
            let is_cut = leaves.len() >= usize::try_from(STEP).unwrap_or(usize::MAX);
            for leaf in leaves {
                if leaf.seq != edge.size() + 1 {
                    return Err(damaged("the numbers of a tenant's events have a gap"));
                }
                // On several nodes an event may be seen a moment before its workspace is.
                let Some(hash) = leaf.hash(&slug, &workspaces) else {
                    break;
                };
                edge.push(hash, |id, tile| whole.push((id, tile)));
            }
            Ok(Self {
                tenant,
                origin,
                from,
                before,
                whole,
                edge,
                is_cut,
            })
        });
        hashed.await.map_err(|_| StoreError::Closing)?
    }

    /// Writes it, and the checkpoint that covers it; false: somebody else made one meanwhile.
    async fn write(&self, inner: &Inner, connection: &mut Connection) -> Result<bool, StoreError> {
        if covered(connection, self.tenant).await? != self.from {
            return Ok(false);
        }
        for (id, hashes) in &self.whole {
            self.write_tile(connection, *id, hashes).await?;
        }
        for (id, hashes) in self.edge.growing() {
            self.write_tile(connection, id, hashes).await?;
        }
        let (key, known): (i64, Vec<u8>) = database::query_as(
            "SELECT k.id, i.signing_key FROM installation i JOIN signing_key k ON k.until IS NULL",
        )
        .fetch_one(&mut *connection)
        .await?;
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: self.edge.size(),
            root: self.edge.root(),
        };
        let signer = inner.proof.signing_of(&known)?.signer(self.origin.as_str());
        let signer = signer.map_err(|error| StoreError::Keys(error.to_string()))?;
        let signed = checkpoint.sign(&signer);
        let signature = signed.signatures.into_iter().next();
        let signature = signature.map(|line| line.signature).unwrap_or_default();
        database::query(
            "INSERT INTO checkpoint (tenant, size, root, made_at, key, signature) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(self.tenant)
        .bind(number(checkpoint.size)?)
        .bind(&checkpoint.root.0[..])
        .bind(inner.clock.now().micros())
        .bind(key)
        .bind(signature)
        .execute(connection)
        .await?;
        Ok(true)
    }

    /// Remembers what was signed.
    fn remember(&self, inner: &Inner) {
        let signed = (self.edge.size(), self.edge.root());
        inner.proof.memory().add(&self.origin, signed);
    }

    async fn write_tile(
        &self,
        connection: &mut Connection,
        id: TileId,
        hashes: &[Hash],
    ) -> Result<(), StoreError> {
        let statement = if self.before.contains(&id) {
            "UPDATE tile SET hashes = ?1 WHERE tenant = ?2 AND level = ?3 AND place = ?4"
        } else {
            "INSERT INTO tile (tenant, level, place, hashes) VALUES (?2, ?3, ?4, ?1)"
        };
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        let done = database::query(statement)
            .bind(bytes)
            .bind(self.tenant)
            .bind(i64::from(id.level))
            .bind(number(id.index)?)
            .execute(connection)
            .await?;
        if done.rows_affected() != 1 {
            return Err(damaged("a tile of the tree is not there"));
        }
        Ok(())
    }
}

/// An open transaction that nobody else makes checkpoints of a tenant beside.
enum Turn<'a> {
    /// Dropped while it is open, it is undone as soon as its connection is free.
    Sqlite(MutexGuard<'a, Appender>, &'a Arc<Keeper>, bool),
    /// Dropped while it is open, its connection is closed.
    Postgres(Pooled, bool),
}

impl<'a> Turn<'a> {
    async fn begin(inner: &'a Inner, tenant: i64) -> Result<Self, StoreError> {
        match &inner.kept {
            Kept::Sqlite(keeper) => {
                let mut turn = Self::Sqlite(keeper.appender.lock().await, keeper, true);
                if let Self::Sqlite(appender, ..) = &mut turn {
                    appender.begin(keeper.mark()).await?;
                }
                Ok(turn)
            }
            Kept::Postgres(server) => {
                let mut turn = Self::Postgres(server.writer().await?, true);
                let connection = turn.connection();
                connection.run("BEGIN").await?;
                database::query(
                    "SELECT pg_advisory_xact_lock(hashtextextended('daybook proof', ?))",
                )
                .bind(tenant)
                .execute(connection)
                .await?;
                Ok(turn)
            }
        }
    }

    fn connection(&mut self) -> &mut Connection {
        match self {
            Self::Sqlite(appender, ..) => &mut appender.connection,
            Self::Postgres(connection, _) => connection,
        }
    }

    /// Commits what went well, and undoes what did not.
    async fn finish(mut self, written: Result<bool, StoreError>) -> Result<bool, StoreError> {
        let is_to_commit = matches!(written, Ok(true));
        match &mut self {
            Self::Sqlite(appender, _, is_open) => {
                if is_to_commit {
                    appender.commit().await?;
                } else {
                    appender.rollback().await;
                }
                *is_open = false;
            }
            Self::Postgres(connection, is_open) => {
                let end = if is_to_commit { "COMMIT" } else { "ROLLBACK" };
                let ended = connection.run(end).await;
                *is_open = ended.is_err();
                ended?;
            }
        }
        written
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        match self {
            Self::Sqlite(_, keeper, true) => {
                let keeper = Arc::clone(keeper);
                tokio::spawn(async move { keeper.appender.lock().await.rollback().await });
            }
            Self::Postgres(connection, true) => connection.close_on_drop(),
            Self::Sqlite(..) | Self::Postgres(..) => {}
        }
    }
}

impl Inner {
    /// What a tenant's tree grows by next; none where nothing came.
    async fn growth(&self, tenant: i64) -> Result<Option<Growth>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let connection: &mut Connection = &mut connection;
        let size = covered(connection, tenant).await?;
        let rows = database::query(concat!(
            "SELECT ",
            columns_of_leaf!(),
            " FROM leaf l WHERE l.tenant = ? AND l.seq > ? AND l.seq <= ? ORDER BY l.seq"
        ))
        .bind(tenant)
        .bind(size)
        .bind(size + STEP)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let leaves = rows.iter().map(Leaf::read).collect::<Result<_, _>>()?;
        let slug: String = database::query_scalar("SELECT slug FROM tenant WHERE id = ?")
            .bind(tenant)
            .fetch_one(&mut *connection)
            .await?;
        let slug = parsed(&slug)?;
        let origin = origin(connection, &slug).await?;
        let workspaces = workspaces(connection, tenant).await?;
        let size = count(size)?;
        let wanted = Edge::tiles_of(size).into_iter().map(|(id, _)| id);
        let tiles = tiles(connection, tenant, wanted).await?;
        let edge = Edge::of(size, &tiles).map_err(|error| damaged(&error.to_string()))?;
        let growth = Growth::of((tenant, slug, origin), edge, leaves, workspaces).await?;
        Ok((number(growth.edge.size())? > growth.from).then_some(growth))
    }

    /// Makes checkpoints of a tenant's tree until the last covers so many leaves, or everything that was
    /// recorded when this was called.
    pub(super) async fn cover_tenant(&self, tenant: i64, leaves: u64) -> Result<(), StoreError> {
        let _turn = self.proof.covering.lock().await;
        loop {
            let mut connection = self.readers.acquire().await?;
            // Who had the turn before may have covered them.
            if count(covered(&mut connection, tenant).await?)? >= leaves {
                return Ok(());
            }
            drop(connection);
            let growing = async {
                let Some(growth) = self.growth(tenant).await? else {
                    return Ok::<_, StoreError>(None);
                };
                // What was signed is never signed anew as something else.
                if let Some(fault) = self.forgotten(tenant, &growth.origin).await? {
                    self.note_fault(tenant, &fault).await?;
                    return Err(damaged(&fault));
                }
                let mut turn = Turn::begin(self, tenant).await?;
                let written = growth.write(self, turn.connection()).await;
                let is_written = turn.finish(written).await?;
                if is_written {
                    growth.remember(self);
                }
                Ok(Some(is_written && !growth.is_cut))
            };
            // On the heap: it is much, and everything that records holds it.
            let grown = within(PATIENCE, Box::pin(growing));
            if grown.await?.unwrap_or(true) {
                return Ok(());
            }
            // Others write between two steps.
            tokio::task::yield_now().await;
        }
    }

    /// What was signed of a tenant's tree and is no past of what its tiles hold now, in words; none: all
    /// that is remembered here, or was found in a folder that keeps checkpoints, is.
    pub(super) async fn forgotten(
        &self,
        tenant: i64,
        origin: &Origin,
    ) -> Result<Option<String>, StoreError> {
        match self.forgotten_here(tenant, origin).await? {
            None => self.held_against(tenant, origin).await,
            forgotten => Ok(forgotten),
        }
    }

    /// The same, of what is remembered here.
    pub(super) async fn forgotten_here(
        &self,
        tenant: i64,
        origin: &Origin,
    ) -> Result<Option<String>, StoreError> {
        if !self.is_forgotten(tenant, origin).await? {
            return Ok(None);
        }
        self.proof.memory().look_again(origin);
        if !self.is_forgotten(tenant, origin).await? {
            return Ok(None);
        }
        let Some((size, _)) = self.proof.memory().signed(origin) else {
            return Ok(None);
        };
        let mut connection = self.readers.acquire().await?;
        let holds = count(covered(&mut connection, tenant).await?)?;
        let what = if holds < size {
            format!("the database has checkpoints of {holds} at most")
        } else {
            "the database holds others in their place".to_owned()
        };
        let tenant = slug_in(origin);
        Ok(Some(format!(
            "{tenant}: a checkpoint of {size} entries was signed here, and {what}: it was altered, or is an older \
             copy: {UNTIL}"
        )))
    }

    /// What a folder holds that was signed here and is no past of this log, as was noted when it was read; it
    /// is until it is read again and is one, or somebody accepts it. What other witnesses say stands against
    /// nothing but their word.
    async fn held_against(
        &self,
        tenant: i64,
        origin: &Origin,
    ) -> Result<Option<String>, StoreError> {
        let held: Option<(String, i64)> = database::query_as(
            "SELECT k.name, w.ahead FROM witness k JOIN witnessed w ON w.witness = k.id \
             WHERE k.kind = 'file' AND w.tenant = ? AND w.ahead IS NOT NULL ORDER BY k.id LIMIT 1",
        )
        .bind(tenant)
        .fetch_optional(&self.readers)
        .await?;
        Ok(held.map(|(name, size)| {
            let tenant = slug_in(origin);
            format!(
                "{tenant}: the witness {name} holds a checkpoint of {size} entries that was signed here and is no \
                 past of this log: it was altered, or is an older copy: {UNTIL}"
            )
        }))
    }

    async fn is_forgotten(&self, tenant: i64, origin: &Origin) -> Result<bool, StoreError> {
        let Some((size, root)) = self.proof.memory().signed(origin) else {
            return Ok(false);
        };
        let mut connection = self.readers.acquire().await?;
        let holds = count(covered(&mut connection, tenant).await?)?;
        Ok(holds < size || root_of(&mut connection, tenant, size).await? != Some(root))
    }

    /// Finds the tenants whose logs hold more than is covered, whoever recorded it.
    async fn find_uncovered(&self) -> Result<(), StoreError> {
        let tenants: Vec<i64> = database::query_scalar("SELECT id FROM tenant ORDER BY id")
            .fetch_all(&self.readers)
            .await?;
        let mut found = Vec::new();
        for tenant in tenants {
            match self.is_uncovered(tenant).await {
                // Where its node does not tell, it is tried.
                Ok(true) | Err(StoreError::NodeUnavailable(_)) => found.push(tenant),
                Ok(false) => {}
                Err(error) => return Err(error),
            }
        }
        self.proof.uncovered.add(found);
        Ok(())
    }

    /// Whether a tenant's log holds more than is covered.
    async fn is_uncovered(&self, tenant: i64) -> Result<bool, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let recorded: Option<i64> =
            database::query_scalar("SELECT max(seq) FROM leaf WHERE tenant = ?")
                .bind(tenant)
                .fetch_one(&mut *connection)
                .await?;
        Ok(recorded.unwrap_or(0) > covered(&mut connection, tenant).await?)
    }
}

impl Store {
    /// Makes a checkpoint of each tenant in whose log this process recorded something that none covers.
    /// What could not be is tried again the next time.
    ///
    /// # Errors
    ///
    /// The signing key is not in the key file, the installation moves, or the store failed.
    pub async fn cover(&self) -> Result<(), StoreError> {
        let uncovered = &self.inner.proof.uncovered;
        let tenants = uncovered.tenants().clone();
        let mut done = Ok(());
        for tenant in tenants {
            // What arrives from now on puts it there again; and so does giving up before it is covered.
            uncovered.tenants().remove(&tenant);
            let mut left = Left(uncovered, Some(tenant));
            // What is wrong with one tenant's log, or its node, keeps no other from being covered.
            let covered = match done {
                Ok(())
                | Err(
                    StoreError::NodeUnavailable(_)
                    | StoreError::Database(_)
                    | StoreError::Damaged(_),
                ) => self.inner.cover_tenant(tenant, u64::MAX).await,
                Err(_) => Err(StoreError::Closing),
            };
            if covered.is_ok() {
                left.1 = None;
            }
            done = done.and(covered);
        }
        self.inner.proof.keep_memory(false).await;
        done
    }

    /// Makes checkpoints within a second of what arrives, for as long as this is waited for: for a server,
    /// which goes on. It also finds what others left uncovered.
    pub async fn keep_covered(&self) {
        let uncovered = &self.inner.proof.uncovered;
        let mut looked: Option<Instant> = None;
        let mut trouble: Option<String> = None;
        loop {
            let covered = async {
                if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                    self.inner.find_uncovered().await?;
                    looked = Some(Instant::now());
                }
                self.cover().await
            };
            let now = match covered.await {
                // Nothing changes any more, and nothing is to be covered.
                Ok(()) | Err(StoreError::Moving(_)) => None,
                Err(error) => Some(error.to_string()),
            };
            match &now {
                Some(error) if now != trouble => tracing::error!("no checkpoint was made: {error}"),
                None if trouble.is_some() => tracing::warn!("checkpoints are made again"),
                _ => {}
            }
            let rest = if now.is_some() { AGAIN } else { LOOK_EVERY };
            trouble = now;
            tokio::select! {
                () = uncovered.came.notified() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }
}
