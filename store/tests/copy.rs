//! An installation moves to another database, in use: all of it, once, and nothing that was acknowledged
//! is lost. Where there is a server, from SQLite to PostgreSQL and back.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{
    catalogue::OwnedEntry,
    category::Category,
    event::{Event, NewEvent, Outcome as Went},
    question::{FeedQuery, Query, Unknown},
    retention::Retention,
    role::{Role, TokenScope},
    verb::Verb,
};
use log::{
    BEGINNING, Folder, Log, MISCOUNTED, PASSWORD, event, limit, lines, object, operator, time, user,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{
    DatabaseUrl, Options, Store, StoreError,
    access::{Secret, TokenGrant},
    administration::{By, NewToken, Place, TokenPlace},
    clock::SetClock,
    copy::{self, Copied, CopyError, Difference, Outcome, Step},
    erasure::{self, What},
    error::Moving,
    export::Format,
    members::NewInvite,
    proof::verify::{Kept, verify},
    recording::{Door, Receipt, RecordError, Redaction},
    retention::{Occasion, Released, Removal},
    settings::SettingsChange,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

use Kind::{Postgres, Sqlite};

/// From where to where it is tried: with a server, all ways.
fn ways() -> Vec<(Kind, Kind)> {
    if log::postgres().is_some() {
        vec![(Sqlite, Postgres), (Postgres, Sqlite), (Postgres, Postgres)]
    } else {
        vec![(Sqlite, Sqlite)]
    }
}

/// A database for a log.
struct At {
    folder: Folder,
    options: Options,
}

impl At {
    fn new(kind: Kind, clock: &SetClock) -> Self {
        let folder = Folder::new();
        let mut options = Log::options(&folder, clock);
        if kind == Sqlite {
            options.database = DatabaseUrl::Sqlite(folder.path().join("daybook.db"));
        }
        Self { folder, options }
    }

    /// Runs statements, past the store.
    async fn execute(&self, statements: &str) {
        self.try_to_execute(statements).await.unwrap();
    }

    /// The same, where the database refuses: what it says.
    async fn refused(&self, statement: &str) -> String {
        self.try_to_execute(statement)
            .await
            .unwrap_err()
            .to_string()
    }

    async fn try_to_execute(&self, statements: &str) -> Result<(), sqlx::Error> {
        let text = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        match &self.options.database {
            DatabaseUrl::Sqlite(path) => {
                let url = format!("sqlite:{}", path.display());
                let mut connection = SqliteConnection::connect(&url).await?;
                connection.execute(text).await.map(drop)
            }
            DatabaseUrl::Postgres(url) => {
                let mut connection = PgConnection::connect(&url.to_string()).await?;
                connection.execute(text).await.map(drop)
            }
        }
    }

    async fn number(&self, statement: &str) -> i64 {
        let text = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
        match &self.options.database {
            DatabaseUrl::Sqlite(path) => {
                let url = format!("sqlite:{}", path.display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                text.fetch_one(&mut connection).await.unwrap()
            }
            DatabaseUrl::Postgres(url) => {
                let text = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
                let mut connection = PgConnection::connect(&url.to_string()).await.unwrap();
                text.fetch_one(&mut connection).await.unwrap()
            }
        }
    }
}

impl At {
    /// Whether a file of it knows a text, or, on PostgreSQL, an actor does.
    async fn knows(&self, text: &str) -> bool {
        let DatabaseUrl::Sqlite(path) = &self.options.database else {
            let actors =
                format!("SELECT count(*) FROM actor a WHERE lower(a::TEXT) LIKE '%{text}%'");
            return self.number(&actors).await > 0;
        };
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
        files.filter_map(Result::ok).any(|file| {
            // What lies beside a file comes and goes.
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            let bytes = bytes.to_ascii_lowercase();
            bytes
                .windows(text.len())
                .any(|some| some == text.as_bytes())
        })
    }
}

/// Events of some people, of whom one is called Quentin, now.
fn of_quentin(count: usize) -> Vec<NewEvent> {
    let who = |n: usize| match n % 3 {
        0 => user("usr_q", "Quentin Quirk"),
        _ => user(&format!("usr_{n}"), &format!("Somebody {n}")),
    };
    let about = || object("page", "p", "Page");
    (0..count)
        .map(|n| event(who(n), "NOTE", about(), "2026-06-20T08:00:00Z"))
        .collect()
}

/// An installation with everything in it that there can be, and what opens it.
struct Source {
    at: At,
    log: Log,
    /// Tokens of growth, of revenue, of the tenant, and of another tenant's workspace.
    secrets: Vec<Secret>,
    invite: Secret,
    session: Secret,
}

const PLACES: [&str; 4] = ["acme/growth", "acme/revenue", "acme", "other/main"];

impl Source {
    async fn new(kind: Kind) -> Self {
        let clock = SetClock::at(time(BEGINNING));
        let at = At::new(kind, &clock);
        let store = Store::open(at.options.clone()).await.unwrap();
        let log = Log {
            store,
            clock,
            // Not used: the log is at `at`.
            folder: Folder::new(),
        };
        let store = &log.store;
        for (tenant, workspaces) in [("acme", &["growth", "revenue"][..]), ("other", &["main"])] {
            let slug = tenant.parse().unwrap();
            store
                .create_tenant(&slug, "A tenant", &operator())
                .await
                .unwrap();
            for workspace in workspaces {
                let path = format!("{tenant}/{workspace}").parse().unwrap();
                store
                    .create_workspace(&path, workspace, &operator())
                    .await
                    .unwrap();
            }
        }
        let mut secrets = Vec::new();
        for place in PLACES {
            secrets.push(token(store, place).await);
        }
        fill(&log, &secrets).await;
        let (invite, session) = administer(&log, &at).await;
        Self {
            at,
            log,
            secrets,
            invite,
            session,
        }
    }

    async fn grant(&self, at: usize) -> TokenGrant {
        granted(&self.log.store, &self.secrets[at]).await
    }

    async fn copy_to(&self, to: &At) -> Result<Outcome, CopyError> {
        self.copy_until(to, |_| false).await
    }

    /// Copies until it is told to stop.
    async fn copy_until(
        &self,
        to: &At,
        mut stop: impl FnMut(Step) -> bool + Send,
    ) -> Result<Outcome, CopyError> {
        let to = &to.options.database;
        copy::copy(&self.at.options, to, &operator(), |step| {
            if stop(step) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await
    }

    /// How the target is opened: with the source's key file.
    fn options(&self, to: &At) -> Options {
        Options {
            key_file: Some(self.at.options.key_file()),
            ..to.options.clone()
        }
    }

    /// The target, opened as servers do.
    async fn open(&self, to: &At) -> Result<Store, StoreError> {
        Store::open(self.options(to)).await
    }

    /// What stands in the target for questions to be answered quickly is what its log makes of it: the
    /// index made anew answers the same, and what is counted is what there is.
    async fn check_index(&self, to: &At, moved: Store) {
        if let DatabaseUrl::Postgres(_) = to.options.database {
            moved.close().await;
            assert_eq!(to.number(MISCOUNTED).await, 0);
            return;
        }
        let before = answers(&moved, &self.secrets[0]).await;
        moved.close().await;
        store::discard_index(&self.options(to)).unwrap();
        let anew = self.open(to).await.unwrap();
        assert_eq!(answers(&anew, &self.secrets[0]).await, before);
        anew.close().await;
    }
}

/// Records what has every part that an event can have, in every log.
async fn fill(log: &Log, secrets: &[Secret]) {
    for (at, place) in PLACES.iter().enumerate() {
        let grant = granted(&log.store, &secrets[at]).await;
        log.record(&grant, some_events(place, 0, 60)).await;
    }
    // A release that ended, of which texts were emptied; one that did not; and what came since.
    keep(&log.store, "acme/growth", "30d").await;
    log.clock.set(time("2026-06-20T09:00:00Z"));
    let grant = granted(&log.store, &secrets[0]).await;
    let mut late = some_events("acme/growth", 1_000, 10);
    for event in &mut late {
        event.occurred_at = Some(time("2026-06-19T09:00:00Z"));
    }
    log.record(&grant, late).await;
    assert!(matches!(
        release(&log.store, "acme/growth").await,
        Released::Made(..)
    ));
    assert!(remove_all(&log.store).await > 20);
    assert!(erase(&log.store, "acme/growth", "pérson.3@acme.example").await > 0);
    keep(&log.store, "acme/revenue", "30d").await;
    assert!(matches!(
        release(&log.store, "acme/revenue").await,
        Released::Made(..)
    ));
    let revenue = settings(&log.store, "acme/revenue").await;
    let reason = |text: &str| text.parse().unwrap();
    let store = &log.store;
    store
        .place_hold(&revenue, &reason("A lawsuit"), &operator())
        .await
        .unwrap();
    let main = settings(store, "other/main").await;
    for _ in 0..2 {
        store
            .place_hold(&main, &reason("An audit"), &operator())
            .await
            .unwrap();
        store
            .lift_hold(&main, &reason("Done"), &operator())
            .await
            .unwrap();
    }
    // What is sent while nothing is recorded is counted.
    let off = SettingsChange {
        recording: Some(false),
        ..SettingsChange::default()
    };
    store
        .change_settings(&main, off, &operator())
        .await
        .unwrap();
    let grant = granted(&log.store, &secrets[3]).await;
    let sent = log
        .record(&grant, some_events("other/main", 2_000, 3))
        .await;
    assert!(sent.iter().all(|receipt| *receipt == Receipt::Discarded));
}

async fn granted(store: &Store, secret: &Secret) -> TokenGrant {
    let found = store.token(secret.reveal()).await;
    found.unwrap().unwrap()
}

async fn token(store: &Store, place: &str) -> Secret {
    let token = NewToken {
        place: match place.parse() {
            Ok(path) => TokenPlace::Workspace(path),
            Err(_) => TokenPlace::Tenant(place.parse().unwrap()),
        },
        name: "tests".into(),
        scopes: TokenScope::ALL.to_vec(),
        expires: None,
        oldest_seconds: None,
    };
    store.create_token(&token, &operator()).await.unwrap()
}

async fn settings(store: &Store, path: &str) -> store::access::SettingsScope {
    let path = path.parse().unwrap();
    store.operator_settings(&path).await.unwrap().unwrap()
}

async fn keep(store: &Store, path: &str, retention: &str) {
    let change = SettingsChange {
        retention: Some(retention.parse::<Retention>().unwrap()),
        now: true,
        ..SettingsChange::default()
    };
    let scope = settings(store, path).await;
    store
        .change_settings(&scope, change, &operator())
        .await
        .unwrap();
}

async fn release(store: &Store, path: &str) -> Released {
    let log = store.expiring_log(&path.parse().unwrap()).await.unwrap();
    store
        .release(&log.unwrap(), Occasion::Asked, &operator())
        .await
        .unwrap()
}

async fn remove_all(store: &Store) -> u64 {
    let mut removed = 0;
    loop {
        match store.remove_some().await.unwrap() {
            Removal::Some { events, .. } => removed += events,
            Removal::Erased { .. } => {}
            Removal::Nothing => return removed,
            Removal::Elsewhere => panic!("nobody else removes"),
        }
    }
}

/// Erases a person: from how many events.
async fn erase(store: &Store, path: &str, address: &str) -> u64 {
    let what = What::Person(address.parse().unwrap());
    let scope = settings(store, path).await;
    let reason = "They asked".parse().unwrap();
    let erased = store.erase(&scope, &what, &reason, &operator()).await;
    let erasure::Released::Made(_, extent) = erased.unwrap() else {
        panic!("somebody is erased");
    };
    remove_all(store).await;
    extent.all()
}

/// People, invitations, and what else is administered: an open invitation, and a session.
async fn administer(log: &Log, at: &At) -> (Secret, Secret) {
    let store = &log.store;
    let owner = log.owner("acme/growth").await;
    log.person("admin@acme.example", "acme", Role::Owner).await;
    let gone = Place::Workspace("acme/growth".parse().unwrap(), Role::Member);
    log.named("Kim Berg", "kim@acme.example", gone).await;
    store
        .deactivate_person("kim@acme.example", &operator())
        .await
        .unwrap();
    let path = "acme/growth".parse().unwrap();
    let by = By::person(&owner, None);
    let invite = NewInvite {
        email: "new@acme.example".into(),
        role: Role::Auditor,
        last_day: None,
    };
    let scope = owner.management_scope(&path).unwrap();
    let invite = store.invite(&scope, &invite, &by).await.unwrap();
    let entry = OwnedEntry {
        action: "door:open".parse().unwrap(),
        category: Category::CrmSyncs,
        verb: Verb::Activate,
        label: "Door opened".parse().unwrap(),
    };
    let scope = owner.settings_scope(&path).unwrap();
    store
        .add_catalogue_entry(&scope, &entry, &by)
        .await
        .unwrap();
    let session = store
        .sign_in("owner@acme.example", PASSWORD, None, None)
        .await
        .unwrap();
    let _ = store
        .sign_in("owner@acme.example", "wrong", None, None)
        .await;
    at.execute(
        "INSERT INTO identity (issuer, subject, person, created_at) \
             VALUES ('https://id.example', 'abc', 1, 5); \
         INSERT INTO look (ws, reader, at) VALUES (1, 'usr_1', 7), (-1, 'usr_2', 8); \
         INSERT INTO actor_state (ws, kind, id, deactivated_at) VALUES (1, 'user', 'usr_7', 9)",
    )
    .await;
    (invite, session.secret)
}

/// Events with every part, of a few people.
fn some_events(place: &str, from: usize, count: usize) -> Vec<NewEvent> {
    (from..from + count)
        .map(|n| {
            let actor = user(&format!("usr_{}", n % 7), &format!("Pérson {}", n % 7));
            let target = object("secret", &format!("sec_{n}"), "ci");
            let mut event = event(actor, "door:open", target, BEGINNING);
            event.occurred_at =
                Some(time(BEGINNING).plus(TimeDelta::minutes(i64::try_from(n % 50).unwrap())));
            event.idempotency_key = (n % 3 == 0).then(|| format!("{place}-{n}"));
            event.operation = (n % 5 == 0).then(|| "bulk-1".to_owned());
            if n % 4 == 0 {
                event.via = vec![user("agt_1", "Assistant"), user("usr_1", "Pérson 1")];
                event.related = vec![object("user", "usr_9", "Kim"), object("team", "t_1", "T")];
            }
            if n % 6 == 0 {
                event.outcome = Went::Denied;
                event.verb = Some(Verb::Delete);
            }
            event.description = Some(format!("because {n}"));
            event.before = json!({"password": "hunter2", "n": n}).as_object().cloned();
            event
        })
        .collect()
}

fn asked(text: &str) -> Query {
    let read = Query::read(text, Unknown::Refused);
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    read.query
}

/// All that a token's holder is answered: pages, the feed, counts.
async fn answers(store: &Store, secret: &Secret) -> Vec<String> {
    let scope = store.token(secret.reveal()).await.unwrap().unwrap();
    let scope = scope.read_scope().unwrap();
    store.wait_for_index(|_, _| ()).await.unwrap();
    let mut answers = Vec::new();
    for text in [
        "limit=500",
        "limit=500&sort=actor",
        "limit=500&via_id=agt_1",
        "limit=500&target_kind=team",
        "limit=500&outcome=denied&order=asc",
        "limit=500&operation=bulk-1",
        "limit=500&q=door+opened",
    ] {
        let query = asked(text);
        let page = store.page(&scope, &query).await.unwrap();
        assert!(page.older.is_none(), "{text}");
        let mut snapshot = store.snapshot(&scope).await.unwrap();
        let counted = snapshot.count(&query).await.unwrap();
        snapshot.end().await;
        answers.push(format!("{text} {counted:?}\n{}", lines(&page.events)));
    }
    let query = FeedQuery {
        limit: limit(500).limit,
        ..FeedQuery::default()
    };
    let feed = store.feed(&scope, &query).await.unwrap();
    answers.push(lines(&feed.events));
    answers
}

/// The newest checkpoints of the source's logs, as somebody keeps them elsewhere.
async fn checkpoints(source: &Source) -> Vec<Kept> {
    let mut kept = Vec::new();
    for (at, place) in PLACES.iter().enumerate() {
        let scope = source.grant(at).await.read_scope().unwrap();
        let note = source.log.store.checkpoint(&scope).await.unwrap();
        kept.push(Kept {
            name: (*place).to_owned(),
            note: note.unwrap(),
        });
    }
    kept
}

/// Moved from one to the other, everything is there, and everything goes on there.
#[tokio::test]
async fn all_of_an_installation_moves() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let store = &source.log.store;
        // Files are the same to the byte.
        let until = format!("until={}", store.now());
        let query = asked(&until);
        source
            .log
            .clock
            .set(store.now().plus(TimeDelta::seconds(5)));
        let mut files = Vec::new();
        for at in 0..PLACES.len() {
            let scope = source.grant(at).await.export_scope().unwrap();
            files.push(source.log.exported(&scope, &query, Format::Ndjson).await);
        }
        let mut before = Vec::new();
        for secret in &source.secrets {
            before.push(answers(store, secret).await);
        }

        store.cover().await.unwrap();
        let kept = checkpoints(&source).await;
        let Outcome::Moved(copied) = source.copy_to(&to).await.unwrap() else {
            panic!("moved before");
        };
        assert_eq!(copied.tenants, 2);
        assert!(copied.contents < copied.events);
        assert_eq!(copied.hash.len(), 64);

        let moved = source.open(&to).await.unwrap();
        for (at, secret) in source.secrets.iter().enumerate() {
            let after = answers(&moved, secret).await;
            // A tenant's log tells of the move besides.
            if PLACES[at] == "acme" {
                let told = |text: &String| text.matches("AUDIT_COPY_FINISHED").count();
                assert_eq!(after.iter().map(told).collect::<Vec<_>>()[0], 1);
            } else {
                assert_eq!(after, before[at], "{from:?} {}", PLACES[at]);
            }
            let grant = moved.token(secret.reveal()).await.unwrap().unwrap();
            let scope = grant.export_scope().unwrap();
            let log = Log {
                store: moved.clone(),
                clock: source.log.clock.clone(),
                folder: Folder::new(),
            };
            let file = log.exported(&scope, &query, Format::Ndjson).await;
            assert_eq!(file, files[at], "{from:?} {}", PLACES[at]);
        }
        // What was signed there is a past of what is here.
        let verified = verify(&to.options, &kept, |_, _| ()).await.unwrap();
        assert_eq!(verified.kept, kept.len());
        assert!(verified.tenants.iter().all(|tenant| tenant.checkpoints > 0));
        // People, sessions and invitations are good.
        assert!(
            moved
                .sign_in("owner@acme.example", PASSWORD, None, None)
                .await
                .is_ok()
        );
        assert!(
            moved
                .session(source.session.reveal())
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            moved
                .invitation(source.invite.reveal())
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            moved
                .sign_in("kim@acme.example", PASSWORD, None, None)
                .await
                .is_err()
        );

        goes_on(&source, &moved).await;
        source.check_index(&to, moved).await;
        let again = source.copy_to(&to).await.unwrap();
        assert!(matches!(again, Outcome::MovedBefore(_)), "{again:?}");
    }
}

/// What comes after is numbered after what came before; an old key is known; what was held is let go.
async fn goes_on(source: &Source, moved: &Store) {
    let log = Log {
        store: moved.clone(),
        clock: source.log.clock.clone(),
        folder: Folder::new(),
    };
    let grant = moved
        .token(source.secrets[1].reveal())
        .await
        .unwrap()
        .unwrap();
    let scope = grant.read_scope().unwrap();
    let all = log.walk(&scope, &limit(500)).await;
    let known = all
        .iter()
        .find(|event| event.idempotency_key.as_deref() == Some("acme/revenue-3"))
        .unwrap();
    let mut two = some_events("acme/revenue", 3, 2);
    for event in &mut two {
        event.occurred_at = Some(moved.now());
    }
    let sent = log.record(&grant, two).await;
    let [Receipt::Duplicate(again), Receipt::Recorded(new)] = sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!((again.id, again.seq), (known.id, known.seq));
    let last = log.walk(&log_scope(moved, source).await, &limit(500)).await;
    let last: &Event = last.iter().max_by_key(|event| event.seq).unwrap();
    assert_eq!((last.id, last.seq), (new.id, new.seq));
    assert!(
        all.iter()
            .all(|event| event.id < new.id && event.seq < new.seq)
    );
    // The release that a hold suspended is carried out when it is lifted, and names go with it.
    assert_eq!(remove_all(moved).await, 0);
    let revenue = settings(moved, "acme/revenue").await;
    let reason = "Settled".parse().unwrap();
    moved
        .lift_hold(&revenue, &reason, &operator())
        .await
        .unwrap();
    assert!(remove_all(moved).await > 20);
    for path in ["acme/new"] {
        moved
            .create_workspace(&path.parse().unwrap(), "New", &operator())
            .await
            .unwrap();
    }
    token(moved, "acme/new").await;
}

async fn log_scope(store: &Store, source: &Source) -> store::Scope {
    let grant = store.token(source.secrets[2].reveal()).await.unwrap();
    grant.unwrap().read_scope().unwrap()
}

async fn send(store: &Store, secret: &Secret, from: usize) -> Result<Vec<Receipt>, RecordError> {
    let grant = store.token(secret.reveal()).await.unwrap().unwrap();
    let door = Door::token(&grant, Redaction::On).unwrap();
    let now = store.now();
    let admitted = some_events("acme/growth", from, 5)
        .into_iter()
        .map(|mut event| {
            event.occurred_at = Some(now);
            store.admit(&door, event).unwrap()
        })
        .collect();
    store.record(admitted).await
}

fn refused(error: &RecordError) -> Option<Moving> {
    match error {
        RecordError::Store(StoreError::Moving(moving)) => Some(*moving),
        _ => None,
    }
}

#[tokio::test]
async fn a_source_that_moved_takes_nothing_and_answers() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let store = &source.log.store;
        let before = answers(store, &source.secrets[0]).await;
        source.copy_to(&to).await.unwrap();

        let sent = send(store, &source.secrets[0], 5_000).await.unwrap_err();
        assert_eq!(refused(&sent), Some(Moving::Done), "{sent}");
        let reason = "x".parse().unwrap();
        let scope = settings(store, "acme/growth").await;
        let held = store.place_hold(&scope, &reason, &operator()).await;
        assert!(held.is_err());
        assert!(
            store
                .sign_in("owner@acme.example", PASSWORD, None, None)
                .await
                .is_err()
        );
        assert_eq!(answers(store, &source.secrets[0]).await, before);
        // Past every program, too.
        for statement in [
            "UPDATE tenant SET name = name",
            "UPDATE token SET last_used = 1",
            "UPDATE workspace SET discarded = discarded + 1",
            "INSERT INTO look (ws, reader, at) VALUES (1, 'x', 1)",
            "DELETE FROM session",
            "DELETE FROM sign_in_failure",
            "UPDATE release SET finished_at = 1",
        ] {
            let said = source.at.refused(statement).await;
            assert!(said.contains("daybook: "), "{statement}: {said}");
        }
        // Also one that is opened now.
        store.close().await;
        let anew = Store::open(source.at.options.clone()).await.unwrap();
        let sent = send(&anew, &source.secrets[0], 5_000).await.unwrap_err();
        assert_eq!(refused(&sent), Some(Moving::Done), "{sent}");
        anew.close().await;

        let elsewhere = At::new(Sqlite, &source.log.clock);
        let refused = source.copy_to(&elsewhere).await;
        assert!(
            matches!(refused, Err(CopyError::Elsewhere { .. })),
            "{refused:?}"
        );
        let kept = copy::abandon(&source.at.options, false).await;
        assert!(matches!(kept, Err(CopyError::HasMoved { .. })), "{kept:?}");
        copy::abandon(&source.at.options, true).await.unwrap();
        let back = Store::open(source.at.options.clone()).await.unwrap();
        send(&back, &source.secrets[0], 5_000).await.unwrap();
        back.close().await;
    }
}

#[tokio::test]
async fn what_is_recorded_meanwhile_moves_too_and_nothing_is_acknowledged_later() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let store = source.log.store.clone();
        let secret = token(&store, "acme/growth").await;
        let is_over = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn({
            let (store, is_over) = (store.clone(), Arc::clone(&is_over));
            async move {
                let mut acknowledged = Vec::new();
                for n in 0.. {
                    match send(&store, &secret, 10_000 + n * 5).await {
                        Ok(receipts) => acknowledged.extend(receipts),
                        Err(error) => {
                            assert!(refused(&error).is_some(), "{error}");
                            if is_over.load(Ordering::Acquire) {
                                return (acknowledged, secret);
                            }
                            tokio::task::yield_now().await;
                        }
                    }
                }
                unreachable!()
            }
        });
        let copied = source.copy_to(&to).await;
        is_over.store(true, Ordering::Release);
        copied.unwrap();
        let (acknowledged, secret) = writer.await.unwrap();
        let moved = source.open(&to).await.unwrap();
        let grant = moved.token(secret.reveal()).await.unwrap().unwrap();
        let log = Log {
            store: moved.clone(),
            clock: source.log.clock.clone(),
            folder: Folder::new(),
        };
        let there = log.walk(&grant.read_scope().unwrap(), &limit(500)).await;
        for receipt in &acknowledged {
            if let Receipt::Recorded(placed) = receipt {
                let found = there.iter().find(|event| event.id == placed.id).unwrap();
                assert_eq!(found.seq, placed.seq);
            }
        }
        moved.close().await;
    }
}

/// Stopped after each transaction in turn, it goes on; while it is not done, nobody can open it, and the
/// source takes what is sent.
#[tokio::test]
async fn a_copy_goes_on_wherever_it_was_stopped() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let store = &source.log.store;
        let mut stops = 0;
        let outcome = loop {
            let mut steps = 0;
            let copied = source
                .copy_until(&to, |step| {
                    steps += 1;
                    // What is done over each time is let pass.
                    steps > stops && !matches!(step, Step::Removed)
                })
                .await;
            match copied {
                Ok(outcome) => break outcome,
                Err(CopyError::Stopped) => {
                    let opened = source.open(&to).await;
                    let opened = opened.map(drop).unwrap_err();
                    assert!(matches!(opened, StoreError::BeingCopied(_)), "{opened}");
                    send(store, &source.secrets[0], 20_000 + stops * 5)
                        .await
                        .unwrap();
                }
                // From here on the source stays as it is.
                Err(CopyError::LeftFenced { .. }) => {
                    let sent = send(store, &source.secrets[0], 30_000).await.unwrap_err();
                    assert!(refused(&sent).is_some(), "{sent}");
                }
                Err(error) => panic!("{error}"),
            }
            stops += 1;
            assert!(stops < 200);
        };
        assert!(stops > 5, "{stops}");
        assert!(matches!(outcome, Outcome::Moved(Copied { tenants: 2, .. })));
        let moved = source.open(&to).await.unwrap();
        // Told once in each tenant.
        let told = to
            .number("SELECT count(*) FROM action WHERE action = 'AUDIT_COPY_FINISHED'")
            .await;
        assert_eq!(told, 2);
        let after = answers(&moved, &source.secrets[0]).await;
        assert_eq!(after, answers(store, &source.secrets[0]).await);
        goes_on(&source, &moved).await;
        source.check_index(&to, moved).await;
    }
}

#[tokio::test]
async fn addresses_that_persons_exchanged_since_a_copy_was_stopped_are_theirs_in_it() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let stopped = source
            .copy_until(&to, |step| step == Step::Administered)
            .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        source
            .at
            .execute(
                "UPDATE person SET email = 'aside' WHERE email = 'owner@acme.example'; \
                 UPDATE person SET email = 'owner@acme.example' WHERE email = 'admin@acme.example'; \
                 UPDATE person SET email = 'admin@acme.example' WHERE email = 'kim@acme.example'; \
                 UPDATE person SET email = 'kim@acme.example' WHERE email = 'aside'",
            )
            .await;
        let outcome = source.copy_to(&to).await.unwrap();
        assert!(matches!(outcome, Outcome::Moved(_)), "{outcome:?}");
        for email in ["owner", "admin", "kim"] {
            let whose = format!("SELECT id FROM person WHERE email = '{email}@acme.example'");
            assert_eq!(to.number(&whose).await, source.at.number(&whose).await);
        }
    }
}

/// What somebody else does at that moment, while a copy stands still.
fn meanwhile<T: Send, F: Future<Output = T>>(begin: impl FnOnce() -> F + Send) -> T {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(begin())
        });
        other.join().unwrap()
    })
}

#[tokio::test]
async fn a_copy_whose_fence_somebody_lifted_opens_nothing() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let copied = source
            .copy_until(&to, |step| {
                if step == Step::Same {
                    meanwhile(|| copy::abandon(&source.at.options, false)).unwrap();
                }
                false
            })
            .await;
        assert!(matches!(copied, Err(CopyError::FenceChanged)), "{copied:?}");
        let sent = send(&source.log.store, &source.secrets[0], 5_000).await;
        assert_eq!(sent.unwrap().len(), 5);
        let opened = source.open(&to).await.map(drop);
        assert!(
            matches!(opened, Err(StoreError::BeingCopied(_))),
            "{opened:?}"
        );
        // What was recorded since is not in it, and never comes.
        let again = source.copy_to(&to).await;
        assert!(matches!(again, Err(CopyError::TakenBack)), "{again:?}");
        let anew = At::new(Sqlite, &source.log.clock);
        source.copy_to(&anew).await.unwrap();
        let moved = source.open(&anew).await.unwrap();
        let after = answers(&moved, &source.secrets[0]).await;
        assert_eq!(after, answers(&source.log.store, &source.secrets[0]).await);
        moved.close().await;
    }
}

#[tokio::test]
async fn of_two_copies_at_once_one_moves_and_the_other_opens_nothing() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let slow = At::new(to, &source.log.clock);
        let quick = At::new(Sqlite, &source.log.clock);
        let mut is_over = false;
        let copied = source
            .copy_until(&slow, |_| {
                if !is_over {
                    is_over = true;
                    meanwhile(|| source.copy_to(&quick)).unwrap();
                }
                false
            })
            .await;
        assert!(matches!(copied, Err(CopyError::FenceChanged)), "{copied:?}");
        // The source stays where the other left it.
        let sent = send(&source.log.store, &source.secrets[0], 5_000).await;
        assert_eq!(refused(&sent.unwrap_err()), Some(Moving::Done));
        let opened = source.open(&slow).await.map(drop);
        assert!(
            matches!(opened, Err(StoreError::BeingCopied(_))),
            "{opened:?}"
        );
        let moved = source.open(&quick).await.unwrap();
        send(&moved, &source.secrets[0], 5_000).await.unwrap();
        moved.close().await;
    }
}

#[tokio::test]
async fn what_is_not_whole_yet_is_not_copied_further() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let half = At::new(to, &source.log.clock);
        let stopped = source
            .copy_until(&half, |step| matches!(step, Step::Copied { .. }))
            .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        let further = At::new(Sqlite, &source.log.clock);
        let to = &further.options.database;
        let (from, by) = (source.options(&half), operator());
        let copied = copy::copy(&from, to, &by, |_| ControlFlow::Continue(())).await;
        let refused = matches!(copied, Err(CopyError::Store(StoreError::BeingCopied(_))));
        assert!(refused, "{copied:?}");
    }
}

#[tokio::test]
async fn what_is_removed_between_rounds_goes_in_the_copy_too() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let store = &source.log.store;
        let grant = source.grant(0).await;
        source.log.record(&grant, of_quentin(300)).await;
        let stopped = source
            .copy_until(&to, |step| matches!(step, Step::Fenced))
            .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        assert!(to.knows("quentin").await);
        // What a hold kept is removed, half of it: its release goes on in the copy.
        let revenue = settings(store, "acme/revenue").await;
        let reason = "Settled".parse().unwrap();
        store
            .lift_hold(&revenue, &reason, &operator())
            .await
            .unwrap();
        assert!(remove_all(store).await > 20);
        // Who is erased of what was copied is erased there.
        assert!(erase(store, "acme/growth", "pérson.4@acme.example").await > 0);
        assert_eq!(
            erase(store, "acme/growth", "quentin.quirk@acme.example").await,
            100
        );
        // A key whose event is gone may come again.
        let grant = source.grant(1).await;
        let mut again = some_events("acme/revenue", 3, 1);
        again[0].occurred_at = Some(store.now());
        let sent = source.log.record(&grant, again).await;
        assert!(matches!(sent[..], [Receipt::Recorded(_)]), "{sent:?}");

        let mut removed = 0;
        let copied = source
            .copy_until(&to, |step| {
                removed += usize::from(step == Step::Removed);
                false
            })
            .await;
        assert!(matches!(copied, Ok(Outcome::Moved(_))), "{copied:?}");
        assert!(removed > 0);
        assert!(!to.knows("quentin").await);
        let moved = source.open(&to).await.unwrap();
        for secret in &source.secrets[..2] {
            let after = answers(&moved, secret).await;
            assert_eq!(after, answers(store, secret).await);
        }
        let named = to.number("SELECT count(*) FROM target WHERE ws = 2 AND id = 'sec_5'");
        assert_eq!(named.await, 0);
        source.check_index(&to, moved).await;
        let verified = verify(&to.options, &[], |_, _| ()).await.unwrap();
        assert_eq!(verified.tenants[0].erased.len(), 3);
    }
}

#[tokio::test]
async fn a_copy_that_differs_is_not_opened_and_the_source_goes_on() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let store = &source.log.store;
        let stopped = source
            .copy_until(&to, |step| matches!(step, Step::Fenced))
            .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        let number = match to.options.database {
            DatabaseUrl::Sqlite(_) => {
                let plant = "DROP TRIGGER content_keeps; UPDATE content SET body = '{\"d\":\"x\"}' \
                     WHERE n = (SELECT max(n) FROM content WHERE keep = 0)";
                to.execute(plant).await;
                to.number(
                    "SELECT seq FROM leaf WHERE n = (SELECT max(n) FROM content WHERE keep = 0)",
                )
                .await
            }
            DatabaseUrl::Postgres(_) => {
                let plant = "ALTER TABLE content DISABLE TRIGGER content_keeps; \
                     UPDATE content SET body = '{\"d\":\"x\"}' WHERE tenant = 2 \
                     AND seq = (SELECT max(seq) FROM content WHERE tenant = 2 AND NOT keep)";
                to.execute(plant).await;
                to.number("SELECT max(seq) FROM content WHERE tenant = 2 AND NOT keep")
                    .await
            }
        };
        let copied = source.copy_to(&to).await;
        match copied {
            Err(CopyError::Different(Difference::Event { tenant, seq, .. })) => {
                assert_eq!((tenant.as_str(), seq), ("other", number));
            }
            other => panic!("{other:?}"),
        }
        let opened = source.open(&to).await.map(drop);
        assert!(
            matches!(opened, Err(StoreError::BeingCopied(_))),
            "{opened:?}"
        );
        send(store, &source.secrets[0], 5_000).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_that_differs_is_found_though_every_event_is_the_same() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let to = At::new(to, &source.log.clock);
        let stopped = source
            .copy_until(&to, |step| matches!(step, Step::Fenced))
            .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        let allow = match to.options.database {
            DatabaseUrl::Sqlite(_) => "DROP TRIGGER actor_keeps",
            DatabaseUrl::Postgres(_) => "ALTER TABLE actor DISABLE TRIGGER actor_keeps",
        };
        let plant = "UPDATE actor SET name = 'Somebody else' WHERE ws = 1 AND num = 2";
        to.execute(&format!("{allow}; {plant}")).await;
        match source.copy_to(&to).await {
            Err(CopyError::Different(Difference::Text {
                table, ws, number, ..
            })) => assert_eq!((table, ws, number), ("actor", 1, 2)),
            other => panic!("{other:?}"),
        }
        send(&source.log.store, &source.secrets[0], 5_000)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_left_alone() {
    only_one_node!();
    for (from, to) in ways() {
        let source = Source::new(from).await;
        let used = At::new(to, &source.log.clock);
        Store::open(used.options.clone())
            .await
            .unwrap()
            .close()
            .await;
        // Whatever it was brought up to last: a step that it has not taken is not taken for it.
        let forget = "DELETE FROM _sqlx_migrations WHERE version = 1";
        used.execute(forget).await;
        let refused = source.copy_to(&used).await;
        assert!(
            matches!(refused, Err(CopyError::NotEmpty(_))),
            "{refused:?}"
        );
        let taken = "SELECT count(*) FROM _sqlx_migrations WHERE version = 1";
        assert_eq!(used.number(taken).await, 0);
        let itself = source.copy_to(&source.at).await;
        assert!(matches!(itself, Err(CopyError::SameDatabase)), "{itself:?}");
        let foreign = At::new(Sqlite, &source.log.clock);
        let path = foreign.folder.path().join("daybook.db");
        let url = format!("sqlite:{}?mode=rwc", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        connection
            .execute("CREATE TABLE accounts (id INTEGER)")
            .await
            .unwrap();
        connection.close().await.unwrap();
        let refused = source.copy_to(&foreign).await;
        assert!(
            matches!(refused, Err(CopyError::NotEmpty(_))),
            "{refused:?}"
        );
        // A copy of another installation was begun into it.
        let target = At::new(to, &source.log.clock);
        let stopped = source
            .copy_until(&target, |step| matches!(step, Step::Fenced))
            .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        let other = Source::new(from).await;
        let refused = other.copy_to(&target).await;
        assert!(
            matches!(refused, Err(CopyError::NotEmpty(_))),
            "{refused:?}"
        );
        send(&source.log.store, &source.secrets[0], 5_000)
            .await
            .unwrap();
        let nothing = At::new(Sqlite, &source.log.clock);
        let refused = copy::abandon(&nothing.options, false).await;
        assert!(
            matches!(refused, Err(CopyError::NoInstallation(_))),
            "{refused:?}"
        );
        let refused = copy::abandon(&source.at.options, false).await;
        assert!(matches!(refused, Err(CopyError::NotFenced)), "{refused:?}");
    }
}
