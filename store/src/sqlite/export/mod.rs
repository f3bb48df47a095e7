//! Exports: a log as a file, however long, in memory that does not grow with it.
//!
//! Three work at the same time, each a little ahead of the next: the database reads, a thread
//! composes and hashes, and whoever asked takes the pieces. Each waits for the next, so a slow reader
//! slows the database down instead of filling memory; and while it waits it holds no transaction and
//! no connection, so that a reader who takes nothing keeps nobody else from anything. A state of the
//! log is held for a turn only, which is a moment: an export of hours keeps no old state alive.
//!
//! The stream of pieces ends only after the log tells that the file is whole. However an export
//! breaks off, its stream ends with an error.

mod lines;
mod proof;
mod rights;
mod walk;

use super::{
    Inner, Store,
    change::{Log, target, told},
    read_transaction::Asked,
    snapshot::Snapshot,
};
use crate::{
    StoreError,
    access::{ExportScope, Scope, SignedIn, Workspace},
    administration::By,
    database::Pool,
    export::{Broken, ExportError, Name, Progress, State, Wanted, Whole},
    keys::random,
    postgres::replica::Reader,
    proof::tiles,
    question::{Count, QuestionError},
};
use domain::{
    event::{Actor, Object, Outcome, Part, Parts},
    export::{Composer, Format},
    proof::TileId,
    slug::{Slug, WorkspacePath},
};
use lines::{ActorKey, Deactivated, Lines, Measured, fitting};
#[cfg(test)]
pub(super) use lines::{LINES, SIZES};
use proof::Proving;
#[cfg(test)]
pub(super) use rights::{ROLES, TOKEN};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt::Write as _,
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
};
use walk::Walk;

const STARTED: &str = "AUDIT_EXPORT_STARTED";
const FINISHED: &str = "AUDIT_EXPORT_FINISHED";

/// How many exports may run at the same time: each holds a few pieces in memory.
const RUNNING_MOST: usize = 32;
/// And how many of one person or token, so that nobody keeps everybody else from exporting.
const RUNNING_EACH: usize = 4;
/// How often it is looked at whether whoever takes an export still may.
const RIGHTS_EVERY: Duration = Duration::from_secs(2);
/// For so many connections that answer pages there is one that exports read with, in turns.
const READERS_EACH: u32 = 4;
/// For how long an export reads before others have their turn, and the state of the log is let go.
const TURN: Duration = Duration::from_millis(100);
/// How many events are read at once at most; and how much, in bytes, where one of them is large, unless
/// it alone has more.
const ROWS_MOST: usize = 500;
const PIECE: usize = 512 * 1024;
/// How many pieces are read ahead of what is being composed.
const AHEAD: usize = 2;
/// For how long it is taken as known who is deactivated, and of how many actors.
const LABELS_FOR: Duration = Duration::from_secs(2);
const LABELS_MOST: usize = 10_000;
/// For how long it is told how an export ended, and of how many of them.
const TOLD_FOR: Duration = Duration::from_mins(10);
const TOLD_MOST: usize = 1_000;

/// With how many connections exports read, where so many answer pages.
pub(crate) fn turns(readers: u32) -> u32 {
    (readers / READERS_EACH).max(1)
}

/// The exports of an open store.
#[derive(Debug)]
pub(super) struct Exports {
    room: Arc<Semaphore>,
    /// The same for each who asks, of those who have any.
    rooms: StdMutex<HashMap<String, Arc<Semaphore>>>,
    /// Turns of reading, and what is read with.
    turns: Semaphore,
    connections: Pool,
    stopping: watch::Sender<bool>,
    /// By who asked for them and what they call them.
    named: StdMutex<HashMap<(String, Name), Arc<Standing>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Exports {
    /// None runs. They are read with `connections`.
    pub(super) fn new(connections: Pool) -> Self {
        Self {
            room: Arc::new(Semaphore::new(RUNNING_MOST)),
            rooms: StdMutex::default(),
            turns: Semaphore::new(connections.most() as usize),
            connections,
            stopping: watch::Sender::new(false),
            named: StdMutex::default(),
            tasks: Mutex::default(),
        }
    }

    /// What they are read with.
    pub(super) const fn connections(&self) -> &Pool {
        &self.connections
    }

    /// Breaks off all that run, and waits until the log tells of it.
    pub(super) async fn stop(&self) {
        self.stopping.send_replace(true);
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
        self.connections.close().await;
    }

    /// Room for one more, of an actor with an id or of none.
    fn room(&self, actor: Option<&str>) -> Result<Room, ExportError> {
        let of_all = Arc::clone(&self.room).try_acquire_owned();
        let of_all = of_all.map_err(|_| ExportError::Busy)?;
        let own = actor.map(|actor| {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            // Those of whom none runs are held by nobody else.
            rooms.retain(|_, room| Arc::strong_count(room) > 1);
            let room = rooms.entry(actor.to_owned());
            let room = room.or_insert_with(|| Arc::new(Semaphore::new(RUNNING_EACH)));
            Arc::clone(room).try_acquire_owned()
        });
        let own = own.transpose();
        Ok(Room {
            _of_all: of_all,
            _own: own.map_err(|_| ExportError::BusyWithYours)?,
        })
    }

    fn remember(&self, owner: String, name: Name, standing: &Arc<Standing>) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.retain(|_, one| one.ended_within(TOLD_FOR));
        if named.len() >= TOLD_MOST {
            named.retain(|_, one| one.ended_within(Duration::ZERO));
        }
        named.insert((owner, name), Arc::clone(standing));
    }

    fn find(&self, owner: &str, name: &Name) -> Option<Arc<Standing>> {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.get(&(owner.to_owned(), name.clone())).cloned()
    }
}

/// What an export has as long as it runs.
struct Room {
    _of_all: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

/// How an export stands, for all who want to know.
#[derive(Debug)]
struct Standing {
    format: Format,
    rows: AtomicU64,
    of: Option<u64>,
    state: StdMutex<(State, Option<Instant>)>,
    cancelled: watch::Sender<bool>,
}

impl Standing {
    fn state(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.clone()
    }

    fn end(&self, ended: State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (ended, Some(Instant::now()));
    }

    /// Whether it runs, or ended no longer ago.
    fn ended_within(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.is_none_or(|ended| ended.elapsed() < time)
    }

    fn progress(&self) -> Progress {
        Progress {
            format: self.format,
            rows: self.rows.load(Ordering::Relaxed),
            of: self.of,
            state: self.state(),
        }
    }
}

/// A file as it is being made: to be taken piece by piece. Dropping it breaks it off.
#[derive(Debug)]
pub struct Export {
    pieces: mpsc::Receiver<Vec<u8>>,
    standing: Arc<Standing>,
    is_over: bool,
}

impl Export {
    /// The next piece; none at the end of a file that is whole, of which the log then tells.
    ///
    /// # Errors
    ///
    /// It broke off, and what was taken is not the whole file.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Broken>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        while let Some(piece) = ready!(self.pieces.poll_recv(cx)) {
            // An empty one asks whether the one before was made use of: who takes it came back.
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
        self.is_over = true;
        Poll::Ready(match self.standing.state() {
            State::Whole(_) => None,
            State::Broken(why) => Some(Err(why)),
            // Who made it is gone without a word.
            State::Running => Some(Err(Broken::Failed("it failed".to_owned()))),
        })
    }

    /// The same, to be waited for.
    ///
    /// # Errors
    ///
    /// As above.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.standing.progress()
    }

    /// Breaks it off: the next piece is an error, once the log tells of it.
    pub fn cancel(&self) {
        self.standing.cancelled.send_replace(true);
    }
}

impl Store {
    /// Begins to make a file of all events that match, in the order asked for: what pages show from
    /// the first to the last. The log tells of it before this returns, and again when the file is
    /// whole or broke off.
    ///
    /// # Errors
    ///
    /// The question cannot be answered, too many exports are running, or the log cannot be written.
    pub async fn export(
        &self,
        scope: &ExportScope,
        wanted: Wanted,
        by: &By,
    ) -> Result<Export, ExportError> {
        if wanted.proof.is_some() && wanted.format != Format::Ndjson {
            return Err(ExportError::NoPlaceForProofs);
        }
        let exports = &self.inner.exports;
        let room = exports.room(by.actor.id.as_deref())?;
        // Before the log tells of it: the file holds what was there when it was asked for.
        let mut snapshot = self.snapshot(scope.scope()).await?;
        let counted = loop {
            let counted = snapshot.count(&wanted.query.from_start()).await;
            if !matches!(counted, Err(QuestionError::Store(_))) || !snapshot.begin_again().await? {
                break counted;
            }
        };
        let walk = Walk::begin(&snapshot, &wanted.query);
        snapshot.end().await;
        let of = match counted? {
            Count::Exactly(count) => Some(count),
            Count::MoreThan(_) | Count::Unknown => None,
        };
        // After what the walk sees, so that it covers all of that.
        let proving = match wanted.proof {
            Some(shown) => Some(Proving::new(shown, self.sealed(scope.scope()).await?)),
            None => None,
        };
        let standing = Arc::new(Standing {
            format: wanted.format,
            rows: AtomicU64::new(0),
            of,
            state: StdMutex::new((State::Running, None)),
            cancelled: watch::Sender::new(false),
        });
        let (pieces, taken) = mpsc::channel(1);
        let running = Running {
            store: self.clone(),
            scope: scope.clone(),
            by: by.clone(),
            operation: operation()?,
            about: about(scope.scope(), &walk, &wanted),
            patience: wanted.patience,
            pieces,
            standing: Arc::clone(&standing),
        };
        if let Some((owner, name)) = by.actor.id.clone().zip(wanted.name) {
            exports.remember(owner, name, &standing);
        }
        let (begun, has_begun) = oneshot::channel();
        {
            // In a task of its own from here on: whoever asked may be gone before it has begun, and
            // what the log tells to have begun is told to have ended.
            let mut tasks = exports.tasks.lock().await;
            if *exports.stopping.borrow() {
                return Err(StoreError::Closing.into());
            }
            while tasks.try_join_next().is_some() {}
            tasks.spawn(running.run(walk, proving, begun, room));
        }
        match has_begun.await {
            Ok(begun) => begun?,
            Err(_) => return Err(StoreError::Closing.into()),
        }
        Ok(Export {
            pieces: taken,
            standing,
            is_over: false,
        })
    }

    /// How far an export is that somebody asked for and named; none where this process knows of
    /// none, or it ended a while ago.
    pub fn export_progress(&self, person: &SignedIn, name: &Name) -> Option<Progress> {
        let standing = self.inner.exports.find(&person.public_id, name)?;
        Some(standing.progress())
    }

    /// Breaks off an export that somebody asked for and named; whether there was one.
    pub fn cancel_export(&self, person: &SignedIn, name: &Name) -> bool {
        let standing = self.inner.exports.find(&person.public_id, name);
        let running = standing.filter(|standing| standing.state() == State::Running);
        running.is_some_and(|standing| {
            standing.cancelled.send_replace(true);
            true
        })
    }

    /// The log of any workspace, to be taken away as a file: for the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn operator_export(
        &self,
        path: &WorkspacePath,
    ) -> Result<Option<ExportScope>, StoreError> {
        let workspace: Option<Workspace> = self.workspace(path).await?;
        Ok(workspace.map(ExportScope::operator))
    }
}

/// What ties the two events of an export together.
fn operation() -> Result<String, StoreError> {
    let mut text = String::from("export-");
    for byte in random::<8>()? {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// What both events tell of an export: what was asked for, and what its times came to.
fn about(scope: &Scope, walk: &Walk, wanted: &Wanted) -> Object {
    let mut about = Object::new();
    about.insert("format".to_owned(), wanted.format.as_str().into());
    if let Some(shown) = wanted.proof {
        about.insert("with_proof".to_owned(), true.into());
        if shown != Parts::ALL {
            let parts: Vec<&str> = shown.iter().map(Part::as_str).collect();
            about.insert("parts".to_owned(), parts.into());
        }
    }
    about.insert("query".to_owned(), walk.query().query_string().into());
    let (since, until) = walk.span();
    for (name, time) in [("since", since), ("until", until)] {
        if let Some(time) = time {
            about.insert(name.to_owned(), time.to_string().into());
        }
    }
    if let Some(subject) = scope.subject() {
        let object = json!({"kind": subject.kind, "id": subject.id});
        about.insert("object".to_owned(), object);
    }
    about
}

/// An export that runs.
struct Running {
    store: Store,
    scope: ExportScope,
    by: By,
    operation: String,
    about: Object,
    patience: Option<Duration>,
    pieces: mpsc::Sender<Vec<u8>>,
    standing: Arc<Standing>,
}

/// What was handed over so far.
#[derive(Default)]
struct Handed {
    rows: u64,
    bytes: u64,
    hash: Sha256,
}

impl Handed {
    fn whole(&self) -> Whole {
        Whole {
            rows: self.rows,
            bytes: self.bytes,
            sha256: format!("{:x}", self.hash.clone().finalize()),
        }
    }
}

/// However it ends, nobody is told for ever that it runs.
impl Drop for Running {
    fn drop(&mut self) {
        if self.standing.state() == State::Running {
            let failed = Broken::Failed("it failed".to_owned());
            self.standing.end(State::Broken(failed));
        }
    }
}

/// One of the exports that the metrics count as running.
struct Counted(metrics::Gauge);

impl Counted {
    fn new() -> Self {
        let running = metrics::gauge!("daybook_exports_running");
        running.increment(1.0);
        Self(running)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// What comes of some work, which fails where it panics: its end is to be told all the same.
async fn unless_it_panics(work: impl Future<Output = Result<(), Broken>>) -> Result<(), Broken> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        // After a panic it is looked at no more.
        let polled = panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Broken::Failed("it failed".to_owned()))))
    })
    .await
}

impl Running {
    async fn run(
        self,
        walk: Walk,
        proving: Option<Proving>,
        begun: oneshot::Sender<Result<(), StoreError>>,
        room: Room,
    ) {
        if let Err(error) = self.tell(STARTED, Object::new(), None).await {
            let broken = Broken::from(error.clone());
            self.standing.end(State::Broken(broken));
            // Who asked may be gone.
            let _ = begun.send(Err(error));
            return;
        }
        let _ = begun.send(Ok(()));
        let _counted = Counted::new();
        let mut handed = Handed::default();
        let written = unless_it_panics(Box::pin(self.write(walk, proving, &mut handed))).await;
        let whole = handed.whole();
        let mut ended = Object::new();
        ended.insert("rows".to_owned(), whole.rows.into());
        ended.insert("bytes".to_owned(), whole.bytes.into());
        ended.insert("sha256".to_owned(), whole.sha256.clone().into());
        let broken = written.err();
        let why = broken.as_ref().map(|why| format!("Broke off: {why}."));
        let state = match (self.tell(FINISHED, ended, why).await, broken) {
            (Ok(()), None) => State::Whole(whole),
            (Ok(()), Some(broken)) => State::Broken(broken),
            (Err(error), broken) => {
                tracing::error!("the end of an export was not recorded: {error}");
                State::Broken(broken.unwrap_or_else(|| error.into()))
            }
        };
        // Before the last sender goes with `self`: then whoever reads looks at it.
        self.standing.end(state);
        drop(room);
    }

    /// Records that it began or ended.
    async fn tell(
        &self,
        action: &'static str,
        more: Object,
        broken: Option<String>,
    ) -> Result<(), StoreError> {
        let scope = self.scope.scope();
        let (log, on) = match scope.workspace() {
            Some(workspace) => {
                let path = workspace.path().to_string();
                (
                    Log::from(workspace),
                    target("workspace", path, workspace.name.clone())?,
                )
            }
            None => {
                let tenant = scope.tenant();
                let slug = tenant.slug.to_string();
                (
                    Log::from(tenant),
                    target("tenant", slug, tenant.name.clone())?,
                )
            }
        };
        let mut event = told(&self.by, action, on, None, None)?;
        let metadata = event.metadata.get_or_insert_default();
        metadata.extend(self.about.clone());
        metadata.extend(more);
        event.operation = Some(self.operation.clone());
        if broken.is_some() {
            event.outcome = Outcome::Failure;
            event.description = broken;
        }
        let mut change = self.store.inner.change().await?;
        let result = change.record(log, event).await;
        change.finish(result).await
    }

    /// Makes the file, until whoever takes it came back after its last piece.
    async fn write(
        &self,
        walk: Walk,
        proving: Option<Proving>,
        handed: &mut Handed,
    ) -> Result<(), Broken> {
        let (read, lines) = mpsc::channel(AHEAD);
        let work = async {
            let scope = self.scope.scope();
            let reading = read_on(&self.store, scope, (walk, proving.is_some()), read);
            let desk = Desk::new(scope, self.standing.format, proving);
            let writing = self.write_on(desk, lines, handed);
            let ((), end) = tokio::try_join!(reading, writing)?;
            self.hand_over(end, handed).await?;
            // Who took the last piece may still fail to write it. Once they come back for more, and
            // so take one that is empty, there is room for another.
            let asked = self.within_patience(self.pieces.send(Vec::new())).await?;
            asked.map_err(|_| Broken::Gone)?;
            let taken = self.within_patience(self.pieces.reserve()).await?;
            taken.map(drop).map_err(|_| Broken::Gone)
        };
        let mut cancelled = self.standing.cancelled.subscribe();
        let mut stopping = self.store.inner.exports.stopping.subscribe();
        tokio::select! {
            biased;
            // Neither sender goes before this.
            _ = cancelled.wait_for(|cancelled| *cancelled) => Err(Broken::Cancelled),
            _ = stopping.wait_for(|stopping| *stopping) => Err(Broken::Stopped),
            () = self.pieces.closed() => Err(Broken::Gone),
            refused = self.refused() => Err(refused),
            done = work => done,
        }
    }

    /// Waits until whoever asked may not export any more, or until it cannot be told whether they may.
    async fn refused(&self) -> Broken {
        loop {
            tokio::time::sleep(RIGHTS_EVERY).await;
            match self.store.inner.may_still_export(&self.scope).await {
                Ok(true) => {}
                Ok(false) => return Broken::Refused,
                Err(error) => return error.into(),
            }
        }
    }

    /// Composes what is read, and hands it over: what stands at the end of the file.
    async fn write_on(
        &self,
        mut desk: Desk,
        mut lines: mpsc::Receiver<Lines>,
        handed: &mut Handed,
    ) -> Result<Piece, Broken> {
        self.hand_over(desk.begin()?, handed).await?;
        let mut known_since = Instant::now();
        while let Some(mut piece) = lines.recv().await {
            if known_since.elapsed() > LABELS_FOR || desk.deactivated.len() > LABELS_MOST {
                desk.deactivated.clear();
                known_since = Instant::now();
            }
            loop {
                let made = tokio::task::spawn_blocking(move || desk.compose(piece)).await;
                let made = made.map_err(|_| Broken::Failed("composing it failed".to_owned()))?;
                match made? {
                    (back, Made::Piece(piece)) => {
                        desk = back;
                        self.hand_over(piece, handed).await?;
                        break;
                    }
                    (back, Made::Asks(lines, strangers)) => {
                        desk = back;
                        piece = lines;
                        let scope = self.scope.scope();
                        let found = self.store.inner.labels(scope, strangers).await?;
                        desk.deactivated.extend(found);
                    }
                    (back, Made::AsksTiles(lines, missing)) => {
                        desk = back;
                        piece = lines;
                        let tenant = self.scope.scope().tenant().id;
                        let readers = &self.store.inner.readers;
                        let mut connection = readers.acquire().await.map_err(StoreError::from)?;
                        let wanted = missing.iter().copied();
                        let found = tiles(&mut connection, tenant, wanted).await?;
                        if let Some(proving) = &mut desk.proving {
                            proving.keep(&missing, found)?;
                        }
                    }
                }
            }
        }
        Ok(desk.end()?)
    }

    async fn hand_over(&self, piece: Piece, handed: &mut Handed) -> Result<(), Broken> {
        let bytes = piece.bytes.len() as u64;
        if bytes > 0 {
            let sent = self.within_patience(self.pieces.send(piece.bytes)).await?;
            sent.map_err(|_| Broken::Gone)?;
        }
        metrics::counter!("daybook_exported_rows_total").increment(piece.rows - handed.rows);
        handed.rows = piece.rows;
        handed.bytes += bytes;
        handed.hash = piece.hash;
        self.standing.rows.store(piece.rows, Ordering::Relaxed);
        Ok(())
    }

    async fn within_patience<T>(&self, taken: impl Future<Output = T>) -> Result<T, Broken> {
        match self.patience {
            None => Ok(taken.await),
            Some(patience) => tokio::time::timeout(patience, taken)
                .await
                .map_err(|_| Broken::Stalled),
        }
    }
}

/// A piece of a file, ready to be taken.
struct Piece {
    bytes: Vec<u8>,
    /// How many rows the file has with it, and its hash as far as this piece.
    rows: u64,
    hash: Sha256,
}

/// What came of composing.
enum Made {
    Piece(Piece),
    /// First it has to be known which of these actors are deactivated.
    Asks(Lines, Vec<(ActorKey, Actor, Option<Slug>)>),
    /// First these tiles of the tree have to be there.
    AsksTiles(Lines, BTreeSet<TileId>),
}

/// Where a file is composed.
struct Desk {
    tenant: Slug,
    composer: Composer,
    hash: Sha256,
    deactivated: Deactivated,
    /// Where the rows are to carry their proofs.
    proving: Option<Proving>,
}

impl Desk {
    fn new(scope: &Scope, format: Format, proving: Option<Proving>) -> Self {
        Self {
            tenant: scope.tenant().slug.clone(),
            composer: Composer::new(format),
            hash: Sha256::new(),
            deactivated: Deactivated::new(),
            proving,
        }
    }

    fn piece(&mut self, bytes: Vec<u8>) -> Piece {
        self.hash.update(&bytes);
        Piece {
            bytes,
            rows: self.composer.rows(),
            hash: self.hash.clone(),
        }
    }

    fn begin(&mut self) -> Result<Piece, Broken> {
        let head = self.composer.begin();
        let head = head.map_err(|error| Broken::Failed(error.to_string()))?;
        Ok(self.piece(head))
    }

    fn end(&mut self) -> Result<Piece, StoreError> {
        let mut end = self.composer.end();
        if let Some(proving) = &self.proving {
            end.extend(proving.last_line(self.composer.rows())?);
        }
        Ok(self.piece(end))
    }

    fn compose(mut self, lines: Lines) -> Result<(Self, Made), StoreError> {
        let read = lines.read(&self.deactivated)?;
        if !read.unknown.is_empty() {
            let strangers = read.strangers()?;
            return Ok((self, Made::Asks(lines, strangers)));
        }
        if let Some(proving) = &mut self.proving {
            let missing = proving.missing(read.numbers())?;
            if !missing.is_empty() {
                return Ok((self, Made::AsksTiles(lines, missing)));
            }
        }
        let (deactivated, proving) = (&self.deactivated, self.proving.as_mut());
        let rows = read.compose(&self.tenant, deactivated, &mut self.composer, proving)?;
        let piece = self.piece(rows);
        Ok((self, Made::Piece(piece)))
    }
}

impl Inner {
    /// Which of these actors are deactivated now.
    async fn labels(
        &self,
        scope: &Scope,
        actors: Vec<(ActorKey, Actor, Option<Slug>)>,
    ) -> Result<Deactivated, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let asked: Vec<_> = actors
            .iter()
            .map(|(_, actor, slug)| (actor, slug.as_ref()))
            .collect();
        let gone = self
            .deactivated(&mut connection, scope.tenant(), &asked)
            .await?;
        let keys = actors.iter().map(|(key, ..)| *key);
        Ok(keys.zip(gone).collect())
    }
}

/// Reads a walk to its end, as long as there is room for what is read.
async fn read_on(
    store: &Store,
    scope: &Scope,
    (mut walk, is_proved): (Walk, bool),
    read: mpsc::Sender<Lines>,
) -> Result<(), Broken> {
    let turns = &store.inner.exports.turns;
    let mut large = VecDeque::new();
    loop {
        let Ok(mut room) = read.reserve().await else {
            return Err(Broken::Gone);
        };
        // Nobody closes it.
        let _turn = turns.acquire().await.map_err(|_| Broken::Stopped)?;
        let ends = tokio::time::Instant::now() + TURN;
        let begun = store.snapshot_for(Reader::Export, Asked::Either, scope);
        let mut snapshot = begun.await?;
        let is_over = loop {
            let lines = loop {
                // What fails leaves the walk where it was.
                match next_lines(&mut snapshot, (&mut walk, is_proved), &mut large).await {
                    Err(error) if !snapshot.begin_again().await? => return Err(error),
                    Err(_) => {}
                    Ok(lines) => break lines,
                }
            };
            let Some(lines) = lines else {
                break true;
            };
            room.send(lines);
            // Whoever always finds room would else never wait, and never end their turn.
            if tokio::time::Instant::now() >= ends {
                break false;
            }
            // Until then it is worth waiting for room, with what was begun.
            match tokio::time::timeout_at(ends, read.reserve()).await {
                Ok(Ok(next)) => room = next,
                Ok(Err(_)) => return Err(Broken::Gone),
                Err(_) => break false,
            }
        };
        snapshot.end().await;
        if is_over {
            return Ok(());
        }
    }
}

/// The next events of a walk; none at its end. `large`: those that were found and are not read yet,
/// because one among them is so large that they are read in parts.
async fn next_lines(
    snapshot: &mut Snapshot,
    (walk, is_proved): (&mut Walk, bool),
    large: &mut VecDeque<Measured>,
) -> Result<Option<Lines>, Broken> {
    if large.is_empty() {
        let found = snapshot.find_next(walk, ROWS_MOST).await;
        found.map_err(|error| match error {
            QuestionError::Store(error) => Broken::from(error),
            other => Broken::Failed(other.to_string()),
        })?;
        let numbers = walk.next();
        if numbers.is_empty() {
            return Ok(None);
        }
        if let Some(mut lines) = snapshot.lines_if_small(numbers).await? {
            if is_proved {
                lines.proofs = Some(snapshot.proofs(numbers).await?);
            }
            walk.pass();
            return Ok(Some(lines));
        }
        *large = snapshot.measured(numbers.to_vec()).await?.into();
        walk.pass();
    }
    let numbers = fitting(large, PIECE);
    let mut lines = snapshot.lines(&numbers).await?;
    if is_proved {
        lines.proofs = Some(snapshot.proofs(&numbers).await?);
    }
    large.drain(..numbers.len());
    Ok(Some(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_panics_has_failed() {
        let panics = async {
            tokio::task::yield_now().await;
            panic!("for the test");
        };
        let failed = Broken::Failed("it failed".to_owned());
        assert_eq!(unless_it_panics(panics).await, Err(failed));
        assert_eq!(unless_it_panics(async { Ok(()) }).await, Ok(()));
    }
}
