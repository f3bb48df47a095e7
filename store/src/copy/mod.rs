//! Moving a whole installation to another database, from SQLite to PostgreSQL or the other way.
//!
//! What is recorded is copied in rounds, while others go on recording in the source. When a round finds
//! little, the source is fenced: its own database refuses every change from then on, to whichever
//! process. What is left is copied, with all that is administered, and both are read and compared. Where
//! they are the same, the target is opened and the source stays fenced; where they are not, the fence is
//! lifted and the target stays closed.
//!
//! Each transaction leaves what can be gone on from, so whoever was killed runs it again. The target's
//! own tables tell how far it came: its events and texts are numbered without a gap.

mod compare;
mod end;
mod erased;
pub(crate) mod read;
pub(crate) mod tables;
#[cfg(test)]
mod tests;
mod write;

pub use compare::Difference;
pub(crate) use end::holds_installation;

use crate::{
    StoreError,
    administration::By,
    database, erasure,
    options::{DatabaseUrl, Options},
    sqlite::{
        Store, Use,
        change::{Log, target, told as told_of},
    },
};
use compare::Same;
use domain::time::Timestamp;
use end::{End, Fence, Owner, Seen, Target, look_at};
use read::{Event, TenantLog};
use serde_json::json;
use std::{
    fmt::Write as _,
    ops::ControlFlow,
    time::{Duration, Instant},
};
use write::Writer;

/// So many events are copied in one transaction at most,
const EVENTS: i64 = 4_000;
/// fewer before it is known how large they are,
const EVENTS_AT_FIRST: i64 = 250;
/// and about so many bytes of them.
const BYTES: usize = 16 * 1024 * 1024;
/// After so many pieces their counts are added up: all of a long log's at once would be too much.
const ADDED_UP: u32 = 50;
/// A round that finds no more than this was quick: what comes meanwhile is copied while the source is
/// fenced.
const FEW: u64 = 5_000;
/// So many rounds are made at most. Where more is recorded than is copied, no round is ever small.
const ROUNDS: u32 = 12;
/// So many events are looked through at a time for what was removed.
const LOOKED_THROUGH: i64 = 20_000;

/// How far a copy is, told after each transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many of so many events are in the target, before the source is fenced or after.
    Copied {
        /// How many are.
        events: u64,
        /// How many there were when the round began.
        of: u64,
        /// Whether the source is fenced.
        is_fenced: bool,
    },
    /// What was removed from the source meanwhile is removed from the target.
    Removed,
    /// So many of so many events are in the target's index, on SQLite.
    Indexed {
        /// How many are.
        events: u64,
        /// How many there are.
        of: u64,
    },
    /// The source takes nothing any more.
    Fenced,
    /// What is administered is in the target.
    Administered,
    /// So many of so many events were found to be the same.
    Compared {
        /// How many were.
        events: u64,
        /// How many there are.
        of: u64,
    },
    /// All is the same.
    Same,
    /// The target's log tells of it, in one tenant.
    Told,
    /// The source says that it has moved.
    Moved,
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// How many tenants there are.
    pub tenants: u64,
    /// How many events were recorded in all of them.
    pub events: u64,
    /// Of how many it is still known what they say.
    pub contents: u64,
    /// The hash over all leaves and contents, all releases and holds, and all that is administered, in
    /// hex: it was the same on both sides.
    pub hash: String,
    /// How long the source took nothing before it had moved.
    pub fenced_for: Duration,
}

/// What came of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The installation is in the target now.
    Moved(Copied),
    /// It was already.
    MovedBefore(Timestamp),
}

/// Why an installation was not moved.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy.
    #[error("there is no installation in {0}")]
    NoInstallation(String),
    /// Both are the same database.
    #[error("--from and --to are the same database")]
    SameDatabase,
    /// The target holds something else.
    #[error(
        "{0} is not empty: an installation is copied into a new database, or into one that a copy of \
         it was begun into"
    )]
    NotEmpty(String),
    /// It is spread over several nodes.
    #[error(
        "{0} is spread over the nodes of a Citus cluster: an installation cannot be copied from there or \
         into it"
    )]
    Distributed(String),
    /// Somebody else is using the target.
    #[error("another process is using {0}: is the same copy running already?")]
    InUse(String),
    /// The installation moves, or has moved, somewhere else.
    #[error("this installation {how} to {target}")]
    Elsewhere {
        /// Whether it has moved.
        how: &'static str,
        /// Where to.
        target: String,
    },
    /// It was whole in the target, and then the source was opened again.
    #[error(
        "the installation was whole in this database before the source was taken back: what was \
         recorded since is not in it; copy into a new database"
    )]
    TakenBack,
    /// The fence of an installation that is somewhere else now is not lifted without force.
    #[error(
        "this installation has moved to {target}, and what is recorded there is not here: lift the \
         fence only where that database is lost, or will never be used again, with --force; the way \
         back without a loss is to copy it from there into a new database"
    )]
    HasMoved {
        /// Where to.
        target: String,
    },
    /// Somebody else fenced the source meanwhile, or lifted the fence.
    #[error(
        "somebody else lifted the source's fence, or copies it too: nothing was opened, and the source \
         is as they left it"
    )]
    FenceChanged,
    /// There is no fence to lift.
    #[error("this installation is not being moved: it takes what is sent")]
    NotFenced,
    /// Target and source are not the same.
    #[error(
        "the copy is not the same as the source: {0}; the target was not opened, and the source takes \
         what is sent again"
    )]
    Different(Difference),
    /// It was told to stop.
    #[error("stopped; run the same again to go on")]
    Stopped,
    /// It failed while the source was fenced, and the fence could not be lifted.
    #[error(
        "{error}; the source still takes nothing: run the same again to go on, or daybook copy \
         --from … --abandon to take it back"
    )]
    LeftFenced {
        /// What failed.
        error: Box<CopyError>,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CopyError {
    /// The same, where the source stays fenced.
    fn left_fenced(error: Self) -> Self {
        Self::LeftFenced {
            error: Box::new(error),
        }
    }
}

/// Moves the installation that `from` opens into the database `to`, with the same key file. After each
/// transaction it is told how far that is, and may be stopped there: run again, it goes on.
///
/// # Errors
///
/// There is nothing to move, the target holds something else, the copy is not the same, or a store
/// failed. The source takes what is sent as before, unless the error says otherwise.
pub async fn copy(
    from: &Options,
    to: &DatabaseUrl,
    by: &By,
    told: impl FnMut(Step) -> ControlFlow<()> + Send,
) -> Result<Outcome, CopyError> {
    // Each database tells of the other to whoever uses it, from wherever.
    let (to, from) = (&to.absolute(), &from.named_absolutely());
    if from.database == *to {
        return Err(CopyError::SameDatabase);
    }
    let (mut source, installation) = End::source(from).await?;
    let fence = source.fence().await?;
    let is_closed = matches!(&fence, Some(fence) if fence.moved_at.is_none());
    if let Some(fence) = &fence
        && fence.target != to.to_string()
    {
        return Err(CopyError::Elsewhere {
            how: if fence.moved_at.is_some() {
                "has moved"
            } else {
                "is being moved"
            },
            target: fence.target.clone(),
        });
    }
    let moved_at = fence.as_ref().and_then(|fence| fence.moved_at);
    let left = |error: CopyError| {
        if is_closed {
            CopyError::left_fenced(error)
        } else {
            error
        }
    };
    // Before its schema is brought up to date: what is refused is left as it is.
    match look_at(to).await.map_err(left)? {
        Seen::Nothing => {}
        Seen::Installation { id, is_coming } if id == installation => {
            if !is_coming {
                let moved_at = moved_at.ok_or_else(|| CopyError::NotEmpty(to.to_string()));
                return moved_at.map(Outcome::MovedBefore).map_err(left);
            }
        }
        Seen::Others | Seen::Installation { .. } => {
            return Err(left(CopyError::NotEmpty(to.to_string())));
        }
    }
    let (mut end, holds) = End::target(to).await.map_err(left)?;
    let now = from.clock.now();
    let mut is_new = false;
    let mut hash = None;
    match holds {
        Target::Empty if moved_at.is_none() => {
            end.begin_to_copy(&mut source, now).await?;
            is_new = true;
        }
        Target::Begun(begun) if begun.installation == installation => hash = begun.hash,
        // Somebody else was there meanwhile.
        Target::Empty | Target::Begun(_) | Target::Used => {
            return Err(left(CopyError::NotEmpty(to.to_string())));
        }
    }
    if let Some(fence) = &fence
        && moved_at.is_some()
        && hash.is_none()
    {
        // What is there is not what was moved.
        return Err(CopyError::HasMoved {
            target: fence.target.clone(),
        });
    }
    let copy = Copy {
        from,
        to,
        by,
        source,
        writer: Writer::new(end, now)
            .await
            .map_err(|error| left(error.into()))?,
        owner: Owner::new()?,
        installation,
        fence,
        // Of a copy that is gone on with it is not known what was removed meanwhile.
        seen: None,
        events: 0,
        told,
    };
    copy.run(is_new, hash).await
}

/// Lifts the fence of an installation whose copy was not finished; with `force` also of one that has
/// moved.
///
/// # Errors
///
/// There is no fence, the installation has moved, or the store failed.
pub async fn abandon(from: &Options, force: bool) -> Result<(), CopyError> {
    let (mut source, _) = End::source(from).await?;
    let fence = source.fence().await?.ok_or(CopyError::NotFenced)?;
    if fence.moved_at.is_some() && !force {
        return Err(CopyError::HasMoved {
            target: fence.target,
        });
    }
    source.set_fence(Some(fence.owner), None).await?;
    Ok(source.close().await?)
}

impl Store {
    /// Where the installation has moved, or is being moved, as far as that is to be shown.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn moves_to(&self) -> Result<Option<String>, StoreError> {
        Ok(database::query_scalar("SELECT target FROM moving")
            .fetch_optional(&self.inner.readers)
            .await?)
    }
}

/// A copy that is running.
struct Copy<'a, T> {
    from: &'a Options,
    to: &'a DatabaseUrl,
    by: &'a By,
    source: End,
    writer: Writer,
    installation: Vec<u8>,
    /// Whose the fences are that this copy makes.
    owner: Owner,
    /// The fence that stands, as far as this copy knows.
    fence: Option<Fence>,
    /// How much had been removed from the source when that was last removed from the target.
    seen: Option<read::Removals>,
    /// How many events are in the target.
    events: u64,
    told: T,
}

impl<T: FnMut(Step) -> ControlFlow<()> + Send> Copy<'_, T> {
    fn tell(&mut self, step: Step) -> Result<(), CopyError> {
        match (self.told)(step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(CopyError::Stopped),
        }
    }

    async fn run(
        mut self,
        is_new: bool,
        hash: Option<(Vec<u8>, Owner)>,
    ) -> Result<Outcome, CopyError> {
        let begun = Instant::now();
        if let Some((hash, owner)) = hash {
            // Both were found to be the same, and since then the source has taken nothing.
            if self.fence.as_ref().is_none_or(|fence| fence.owner != owner) {
                return Err(CopyError::TakenBack);
            }
            let copied = self.known(&hash).await?;
            return self.finish(copied, begun).await;
        }
        if is_new {
            self.seen = Some(read::removals(&mut self.source.connection).await?);
            // What was erased before is copied as it is: the target never knows it.
            let finished = erasure::finished(&mut self.source.connection).await?;
            erasure::note(&mut self.writer.end.connection, finished).await?;
        }
        if self.fence.is_none() {
            for _ in 0..ROUNDS {
                if self.round().await? <= FEW {
                    break;
                }
            }
            self.bring_index_on().await?;
            // What came while the index was made.
            self.round().await?;
        }
        let fenced = Instant::now();
        match self.fenced().await {
            Ok(same) => {
                let copied = Copied {
                    tenants: 0,
                    events: same.events,
                    contents: same.contents,
                    hash: hex(&same.hash),
                    fenced_for: Duration::ZERO,
                };
                self.finish(copied, fenced).await
            }
            Err(error) => Err(self.take_back(error).await),
        }
    }

    async fn bring_index_on(&mut self) -> Result<(), CopyError> {
        let told = &mut self.told;
        self.writer
            .bring_index_on(&self.installation, |mark, head| {
                let (events, of) = (number(mark), number(head));
                match told(Step::Indexed { events, of }) {
                    ControlFlow::Continue(()) => Ok(()),
                    ControlFlow::Break(()) => Err(CopyError::Stopped),
                }
            })
            .await
    }

    /// Copies what came since, while others record. Tells how many events that were.
    async fn round(&mut self) -> Result<u64, CopyError> {
        let source = &mut self.source.connection;
        let removed = read::removals(source).await?;
        let tenants = read::tenants(source).await?;
        self.writer.add_places(source).await?;
        self.writer.now = self.from.clock.now();
        self.writer.classes = read::classes(source, self.writer.now).await?;
        let there = read::tenants(&mut self.writer.end.connection).await?;
        let reached = |tenant: &TenantLog| {
            let known = there.iter().find(|there| there.id == tenant.id);
            known.map_or(0, |known| known.last)
        };
        let of = tenants.iter().map(|tenant| number(tenant.last)).sum();
        self.events = tenants.iter().map(|tenant| number(reached(tenant))).sum();
        let before = self.events;
        for tenant in &tenants {
            self.copy_tenant(tenant, reached(tenant), of).await?;
        }
        if self.seen != Some(removed) {
            self.remove(&tenants).await?;
            self.seen = Some(removed);
        }
        self.writer.add_up().await?;
        Ok(self.events - before)
    }

    /// Copies what came in a tenant after an event: the next piece is read while one is written.
    async fn copy_tenant(
        &mut self,
        tenant: &TenantLog,
        mut after: i64,
        of: u64,
    ) -> Result<(), CopyError> {
        let source = &mut self.source.connection;
        for ws in read::logs(source, tenant.id).await? {
            self.writer.copy_texts(source, (tenant.id, ws)).await?;
        }
        // How large they are is not known yet.
        let mut most = EVENTS_AT_FIRST;
        let mut next = self.read(tenant, &mut after, most).await?;
        let mut pieces: u32 = 0;
        while !next.is_empty() {
            let events = next;
            let copied = number(i64::try_from(events.len()).unwrap_or_default());
            let weight: usize = events.iter().map(Event::weight).sum();
            let each = i64::try_from(weight / events.len())
                .unwrap_or(i64::MAX)
                .max(1);
            most = (i64::try_from(BYTES).unwrap_or(i64::MAX) / each).clamp(100, EVENTS);
            let source = &mut self.source.connection;
            self.writer
                .copy_new_texts(source, tenant.id, &events)
                .await?;
            let to = (after + most).min(tenant.last);
            let (written, read) = tokio::join!(
                self.writer.write_events(tenant.id, events),
                read::events(source, tenant.id, (after, to)),
            );
            written?;
            next = read?;
            after = to;
            pieces += 1;
            if pieces.is_multiple_of(ADDED_UP) {
                self.writer.add_up().await?;
            }
            self.events += copied;
            let is_fenced = self.fence.is_some();
            let events = self.events;
            self.tell(Step::Copied {
                events,
                of,
                is_fenced,
            })?;
        }
        Ok(())
    }

    async fn read(
        &mut self,
        tenant: &TenantLog,
        after: &mut i64,
        most: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let to = (*after + most).min(tenant.last);
        let source = &mut self.source.connection;
        let events = read::events(source, tenant.id, (*after, to)).await?;
        *after = to;
        Ok(events)
    }

    /// Removes from the target what was removed or erased from the source since it was copied.
    async fn remove(&mut self, tenants: &[TenantLog]) -> Result<(), CopyError> {
        for tenant in tenants {
            let mut after = 0;
            while after < tenant.last {
                let between = (after, (after + LOOKED_THROUGH).min(tenant.last));
                let (ours, theirs) = tokio::join!(
                    read::contents(&mut self.source.connection, tenant.id, between),
                    read::contents(&mut self.writer.end.connection, tenant.id, between),
                );
                let (ours, mut theirs) = (ours?, theirs?);
                theirs.retain(|seq| ours.binary_search(seq).is_err());
                if !theirs.is_empty() {
                    self.writer.remove_contents(tenant.id, &theirs).await?;
                    self.tell(Step::Removed)?;
                }
                let (ours, theirs) = tokio::join!(
                    erased::contents(&mut self.source.connection, tenant.id, between),
                    erased::contents(&mut self.writer.end.connection, tenant.id, between),
                );
                let (ours, theirs) = (ours?, theirs?);
                for content in ours {
                    if theirs.binary_search(&content).is_err() {
                        let source = &mut self.source.connection;
                        self.writer
                            .write_again(source, tenant.id, content.0)
                            .await?;
                        self.tell(Step::Removed)?;
                    }
                }
                after = between.1;
            }
            for ws in read::logs(&mut self.source.connection, tenant.id).await? {
                let source = &mut self.source.connection;
                self.writer.empty_texts(source, (tenant.id, ws)).await?;
            }
        }
        Ok(())
    }

    /// Fences the source, copies what is left, and compares.
    async fn fenced(&mut self) -> Result<Same, CopyError> {
        let known = self.fence.as_ref().map(|fence| fence.owner);
        let fence = Fence {
            owner: self.owner,
            target: self.to.to_string(),
            since: match &self.fence {
                Some(fence) => fence.since,
                None => self.from.clock.now(),
            },
            moved_at: None,
        };
        // Who goes on by a fence makes it theirs: should who made it only have slept, they find out.
        self.source.set_fence(known, Some(&fence)).await?;
        self.fence = Some(fence);
        if known.is_none() {
            self.tell(Step::Fenced)?;
        }
        let removed = read::removals(&mut self.source.connection).await?;
        if removed.is_under_way() {
            // A batch may have been cut short, of which no number tells yet.
            self.seen = None;
        }
        self.round().await?;
        let source = &mut self.source.connection;
        self.writer.write_administered(source).await?;
        self.tell(Step::Administered)?;
        self.bring_index_on().await?;
        let tenants = read::tenants(&mut self.source.connection).await?;
        let of = tenants.iter().map(|tenant| number(tenant.last)).sum();
        let told = &mut self.told;
        let compared = compare::compare(
            &mut self.source,
            &mut self.writer.end,
            &tenants,
            |events| match told(Step::Compared { events, of }) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(CopyError::Stopped),
            },
        );
        let same = compared.await?.map_err(CopyError::Different)?;
        self.writer.end.note_hash(&same.hash, self.owner).await?;
        Ok(same)
    }

    /// Lifts the fence after something failed, so that the source goes on: this copy's own, or the one
    /// that it was to go on by.
    async fn take_back(mut self, error: CopyError) -> CopyError {
        let known = self.fence.as_ref().map(|fence| fence.owner);
        let own = [Some(self.owner), known];
        if lift(&mut self.source, own).await.is_ok() {
            return error;
        }
        // It may be the connection that failed.
        let lifted = async {
            let (mut source, _) = End::source(self.from).await?;
            lift(&mut source, own).await?;
            Ok::<_, CopyError>(source.close().await?)
        };
        match lifted.await {
            Ok(()) => error,
            Err(_) => CopyError::left_fenced(error),
        }
    }

    /// What is known of a copy that was found to be the same before.
    async fn known(&mut self, hash: &[u8]) -> Result<Copied, StoreError> {
        let tenants = read::tenants(&mut self.source.connection).await?;
        Ok(Copied {
            tenants: 0,
            events: tenants.iter().map(|tenant| number(tenant.last)).sum(),
            contents: 0,
            hash: hex(hash),
            fenced_for: Duration::ZERO,
        })
    }

    /// Has the target's log tell of the move, says so in the source, and opens the target, in this
    /// order: there is no moment at which both take something.
    async fn finish(mut self, mut copied: Copied, fenced: Instant) -> Result<Outcome, CopyError> {
        match self.finished(&mut copied).await {
            Ok(()) => {}
            Err(CopyError::FenceChanged) => return Err(CopyError::FenceChanged),
            Err(error) => return Err(CopyError::left_fenced(error)),
        }
        copied.fenced_for = fenced.elapsed();
        self.source.close().await?;
        self.writer.end.close().await?;
        // Of what was erased while it was copied, the target knew more. Where that cannot be done now, its
        // server does it.
        if let Err(error) = erasure::clean_copy(self.to).await {
            tracing::warn!("the target was not cleaned of what was erased meanwhile: {error}");
        }
        Ok(Outcome::Moved(copied))
    }

    async fn finished(&mut self, copied: &mut Copied) -> Result<(), CopyError> {
        self.tell(Step::Same)?;
        let tenants = read::tenants(&mut self.source.connection).await?;
        copied.tenants = tenants.len() as u64;
        self.tell_tenants(&tenants, copied).await?;
        if let Some(fence) = &mut self.fence {
            if fence.moved_at.is_none() {
                fence.moved_at = Some(self.from.clock.now());
                self.source
                    .set_fence(Some(fence.owner), Some(fence))
                    .await?;
            }
            self.tell(Step::Moved)?;
        }
        Ok(self.writer.end.open_for_all().await?)
    }

    /// Has each tenant's log in the target tell of the move, where it does not yet.
    async fn tell_tenants(
        &mut self,
        tenants: &[TenantLog],
        copied: &Copied,
    ) -> Result<(), CopyError> {
        let there = read::tenants(&mut self.writer.end.connection).await?;
        // Opened as always, it takes this itself.
        self.writer.end.lock = None;
        let options = Options {
            database: self.to.clone(),
            key_file: Some(self.from.key_file()),
            ..self.from.clone()
        };
        let store = Store::open_as(options, Use::Copy).await?;
        let mut done = Ok(());
        for tenant in tenants {
            let is_told = there
                .iter()
                .any(|there| there.id == tenant.id && there.last > tenant.last);
            if is_told {
                continue;
            }
            done = record(
                &store,
                tenant,
                copied,
                (&self.from.database, self.to),
                self.by,
            )
            .await;
            if done.is_err() {
                break;
            }
            done = self.tell(Step::Told);
            if done.is_err() {
                break;
            }
        }
        store.close().await;
        done
    }
}

/// Lifts the fence if it is one of these; another, or none, is left as it is.
async fn lift(source: &mut End, own: [Option<Owner>; 2]) -> Result<(), CopyError> {
    match source.fence().await? {
        Some(fence) if fence.moved_at.is_none() && own.contains(&Some(fence.owner)) => {
            source.set_fence(Some(fence.owner), None).await
        }
        _ => Ok(()),
    }
}

/// Has a tenant's log tell of the move.
async fn record(
    store: &Store,
    tenant: &TenantLog,
    copied: &Copied,
    (from, to): (&DatabaseUrl, &DatabaseUrl),
    by: &By,
) -> Result<(), CopyError> {
    let after = json!({
        "from": kind(from),
        "to": kind(to),
        "events": tenant.last,
        "hash": copied.hash,
    });
    let about = target("tenant", tenant.slug.clone(), tenant.name.clone())?;
    let mut event = told_of(by, "AUDIT_COPY_FINISHED", about, None, Some(after))?;
    event.description = Some(format!(
        "The installation was moved from {} to {}; both were read and found to be the same.",
        kind(from),
        kind(to)
    ));
    let mut change = store.inner.change().await?;
    let log = Log {
        ws: -tenant.id,
        tenant: tenant.id,
    };
    let recorded = change.record(log, event).await;
    Ok(change.finish(recorded).await?)
}

fn kind(database: &DatabaseUrl) -> &'static str {
    match database {
        DatabaseUrl::Sqlite(_) => "SQLite",
        DatabaseUrl::Postgres(_) => "PostgreSQL",
    }
}

fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
