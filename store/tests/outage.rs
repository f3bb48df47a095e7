//! What becomes of events and changes when the connection to a PostgreSQL server is lost, at any moment:
//! each that was acknowledged is in the log once, and everything goes on by itself.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, NewEvent},
    question::Query,
};
use log::{BEGINNING, Folder, Log, event, limit, object, operator, time, user};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::{
    DatabaseUrl, Options, Store, StoreError,
    access::TokenGrant,
    clock::SetClock,
    recording::{Door, Receipt, RecordError, Redaction},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

const AT: &str = "2026-05-12T08:00:00Z";

fn of(person: &str, action: &str) -> NewEvent {
    event(
        user(person, person),
        action,
        object("secret", "sec_1", "KEY"),
        AT,
    )
}

fn with_key(key: &str) -> NewEvent {
    NewEvent {
        idempotency_key: Some(key.to_owned()),
        ..of("alice", "secret:rotate")
    }
}

/// Where the connection is cut.
const NOWHERE: usize = 0;
const BEFORE_A_COMMIT: usize = 1;
const AFTER_A_COMMIT: usize = 2;

/// Stands between a store and its server, and cuts a connection once where it is told to.
struct Wire {
    address: String,
    cut: Arc<AtomicUsize>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cut = Arc::new(AtomicUsize::new(NOWHERE));
        let here = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let is_over = Arc::new(AtomicBool::new(false));
                tokio::spawn(answers(from_server, to_client, Arc::clone(&is_over)));
                tokio::spawn(questions(
                    from_client,
                    to_server,
                    Arc::clone(&here),
                    is_over,
                ));
            }
        });
        Self { address, cut }
    }

    /// Cuts the next connection that commits something.
    fn cut(&self, at: usize) {
        self.cut.store(at, Ordering::SeqCst);
    }

    fn was_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) == NOWHERE
    }
}

async fn questions(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    cut: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        // A simple query: its letter, its length, and its text.
        if piece[..length].ends_with(b"COMMIT\0") {
            match cut.swap(NOWHERE, Ordering::SeqCst) {
                BEFORE_A_COMMIT => return,
                // The server still hears it; nobody hears the server.
                AFTER_A_COMMIT => is_over.store(true, Ordering::SeqCst),
                _ => {}
            }
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_over: Arc<AtomicBool>) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if is_over.load(Ordering::SeqCst) || to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

/// A log whose store reaches its server through a wire; none where the tests are run on SQLite.
async fn behind_a_wire() -> Option<(Log, Wire)> {
    let server = log::postgres()?;
    let address = server.rsplit('@').next().unwrap().to_owned();
    let wire = Wire::to(address.clone()).await;
    let folder = Folder::new();
    let clock = SetClock::at(time(BEGINNING));
    let direct = Log::options(&folder, &clock);
    let through = direct.database.to_string().replace(&address, &wire.address);
    let options = Options {
        database: through.parse::<DatabaseUrl>().unwrap(),
        ..direct
    };
    let store = Store::open(options).await.unwrap();
    let tenant = "acme".parse().unwrap();
    store
        .create_tenant(&tenant, "Acme", &operator())
        .await
        .unwrap();
    let path = "acme/growth".parse().unwrap();
    store
        .create_workspace(&path, "Growth", &operator())
        .await
        .unwrap();
    let log = Log {
        store,
        clock,
        folder,
    };
    Some((log, wire))
}

async fn try_to_record(
    store: &Store,
    grant: &TokenGrant,
    events: Vec<NewEvent>,
) -> Result<Vec<Receipt>, RecordError> {
    let door = Door::token(grant, Redaction::On).unwrap();
    let admitted = events
        .into_iter()
        .map(|event| store.admit(&door, event).unwrap())
        .collect();
    store.record(admitted).await
}

/// The events that were sent, without those of Daybook's own.
async fn rotated(log: &Log, grant: &TokenGrant) -> Vec<Event> {
    let scope = grant.read_scope().unwrap();
    let mut all = log.walk(&scope, &limit(500)).await;
    all.retain(|event| event.action.as_str() == "secret:rotate");
    all
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_looked_for() {
    let Some((log, wire)) = behind_a_wire().await else {
        return log::leave_out();
    };
    let grant = log.token("acme/growth").await;
    // The texts are known: what commits next are the events.
    log.record(&grant, vec![of("alice", "secret:rotate")]).await;
    for (cut, recorded) in [(AFTER_A_COMMIT, 2), (BEFORE_A_COMMIT, 3)] {
        wire.cut(cut);
        let receipts = log.record(&grant, vec![of("alice", "secret:rotate")]).await;
        assert!(wire.was_cut());
        let Receipt::Recorded(placed) = receipts[0] else {
            panic!("{receipts:?}");
        };
        let all = rotated(&log, &grant).await;
        assert_eq!(all.len(), recorded, "once, without a key");
        assert!(all.iter().any(|event| event.id == placed.id));
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_not_told_as_failed() {
    let Some((log, wire)) = behind_a_wire().await else {
        return log::leave_out();
    };
    let path = "acme/revenue".parse().unwrap();
    wire.cut(AFTER_A_COMMIT);
    let made = log
        .store
        .create_workspace(&path, "Revenue", &operator())
        .await;
    assert!(wire.was_cut());
    made.unwrap();
    let again = log
        .store
        .create_workspace(&path, "Revenue", &operator())
        .await;
    assert!(again.is_err(), "it is there");

    // What did not take place is told so, and can be done.
    let path = "acme/finance".parse().unwrap();
    wire.cut(BEFORE_A_COMMIT);
    let made = log
        .store
        .create_workspace(&path, "Finance", &operator())
        .await;
    assert!(wire.was_cut());
    assert!(made.unwrap_err().to_string().contains("not available"));
    log.store
        .create_workspace(&path, "Finance", &operator())
        .await
        .unwrap();
}

/// Whoever may connect to the log's server, past the store.
async fn server() -> PgConnection {
    let url = format!("{}/postgres", log::postgres().unwrap());
    PgConnection::connect(&url).await.unwrap()
}

async fn run(connection: &mut PgConnection, statement: String) {
    let text = sqlx::raw_sql(AssertSqlSafe(statement));
    text.execute(connection).await.unwrap();
}

async fn database(log: &Log) -> String {
    let names: Vec<(String,)> = log.rows("SELECT current_database()::TEXT").await;
    names[0].0.clone()
}

/// Ends every session of the store.
fn end_sessions(database: &str) -> String {
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = '{database}' AND application_name = 'daybook'"
    )
}

#[tokio::test]
async fn while_connections_break_off_every_acknowledged_event_is_recorded_once() {
    only_postgres!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    let database = database(&log).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (store, grant) = (log.store.clone(), grant.clone());
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                let mut acknowledged: HashMap<String, Receipt> = HashMap::new();
                let mut at = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let key = format!("{sender}-{at}");
                    let mut event = with_key(&key);
                    // Now and then a text that is new.
                    event.actor = user(&format!("usr-{sender}-{}", at / 5), "Somebody");
                    match try_to_record(&store, &grant, vec![event]).await {
                        Ok(receipts) => {
                            acknowledged.insert(key, receipts[0]);
                            at += 1;
                        }
                        // It comes again, with the same key.
                        Err(RecordError::Store(
                            StoreError::Unavailable(_) | StoreError::InDoubt(_),
                        )) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                acknowledged
            })
        })
        .collect();
    let mut connection = server().await;
    let recorded = "SELECT max(seq) FROM leaf";
    let mut until = log.number(recorded).await;
    for _ in 0..25 {
        run(&mut connection, end_sessions(&database)).await;
        // Meanwhile something was recorded.
        until += 3;
        while log.number(recorded).await < until {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, Ordering::SeqCst);
    let mut acknowledged = HashMap::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap());
    }
    assert!(acknowledged.len() > 50);
    let all = log.walk(&grant.read_scope().unwrap(), &limit(500)).await;
    let mut keys = HashSet::new();
    for event in &all {
        if let Some(key) = &event.idempotency_key {
            assert!(keys.insert(key.clone()), "{key} twice");
        }
    }
    for (key, receipt) in acknowledged {
        let (Receipt::Recorded(placed) | Receipt::Duplicate(placed)) = receipt else {
            panic!("{receipt:?}");
        };
        let found = all.iter().find(|event| event.id == placed.id);
        assert_eq!(
            found.and_then(|event| event.idempotency_key.clone()),
            Some(key)
        );
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_is_told_and_recording_goes_on_when_it_does() {
    only_postgres!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![with_key("before")]).await;
    let database = database(&log).await;
    let mut connection = server().await;
    let limit_of = |most: i32| format!("ALTER DATABASE {database} CONNECTION LIMIT {most}");
    run(&mut connection, limit_of(0)).await;
    run(&mut connection, end_sessions(&database)).await;
    let owner = operator();
    let path = "acme/finance".parse().unwrap();
    let (recorded, changed, read) = tokio::join!(
        try_to_record(&log.store, &grant, vec![with_key("meanwhile")]),
        log.store.create_workspace(&path, "Finance", &owner),
        log.store.token("dbk_none"),
    );
    let refused = recorded.unwrap_err();
    assert!(
        matches!(refused, RecordError::Store(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(changed.unwrap_err().to_string().contains("not available"));
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");

    run(&mut connection, limit_of(-1)).await;
    for key in ["before", "meanwhile", "after"] {
        log.record(&grant, vec![with_key(key)]).await;
    }
    let all = log
        .walk(&grant.read_scope().unwrap(), &Query::default())
        .await;
    assert_eq!(
        all.iter()
            .filter(|event| event.idempotency_key.is_some())
            .count(),
        3
    );
}

/// Where tenants are spread over several nodes, they do not answer for each other.
#[tokio::test]
async fn a_node_that_is_away_is_so_for_its_tenants_alone() {
    if !log::has_nodes().await {
        return log::leave_out();
    }
    let log = Log::new().await;
    let here = log.node_of("acme").await;
    // One whose node goes away, and, to be asked after it, another one that stays.
    let (mut away, mut stays) = (None, None);
    for number in 0.. {
        let tenant = format!("tenant-{number}");
        let path = format!("{tenant}/growth");
        let (store, owner) = (&log.store, operator());
        let (slug, place) = (tenant.parse().unwrap(), path.parse().unwrap());
        let made = store.create_tenant(&slug, "Another", &owner);
        made.await.unwrap();
        let made = store.create_workspace(&place, "Growth", &owner);
        made.await.unwrap();
        let node = log.node_of(&tenant).await;
        if node != here && away.is_none() {
            away = Some((path, node));
        } else if node == here && away.is_some() {
            stays = Some(path);
            break;
        }
    }
    let ((away, (host, port)), stays) = (away.unwrap(), stays.unwrap());
    let mut grants = Vec::new();
    for path in ["acme/growth", &away, &stays] {
        let grant = log.token(path).await;
        log.record(&grant, vec![with_key("before")]).await;
        grants.push(grant);
    }
    log.store.cover().await.unwrap();
    log.record(&grants[1], vec![with_key("uncovered")]).await;

    let database = database(&log).await;
    let server: PgConnectOptions = format!("{}/postgres", log::postgres().unwrap())
        .parse()
        .unwrap();
    let node = server.host(&host).port(port);
    let mut node = PgConnection::connect_with(&node).await.unwrap();
    let limit_of = |most: i32| format!("ALTER DATABASE {database} CONNECTION LIMIT {most}");
    run(&mut node, limit_of(0)).await;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' \
         AND usename IN (current_user, 'daybook_server')"
    );
    run(&mut node, end).await;
    // They come at once, and are in each other's groups.
    let send = |number: usize| {
        let event = with_key(&format!("meanwhile-{number}"));
        try_to_record(&log.store, &grants[number % 3], vec![event])
    };
    let outcomes = futures_of((0..60).map(send)).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match (number % 3, outcome) {
            (
                1,
                Err(RecordError::Store(StoreError::NodeUnavailable(_) | StoreError::InDoubt(_))),
            ) => {}
            (1, outcome) => panic!("its node is away: {outcome:?}"),
            (_, outcome) => assert!(matches!(outcome.unwrap()[0], Receipt::Recorded(_))),
        }
    }
    for at in [0, 2] {
        let scope = grants[at].read_scope().unwrap();
        let all = log.walk(&scope, &limit(500)).await;
        let keys = all.iter().filter(|event| event.idempotency_key.is_some());
        assert_eq!(keys.count(), 21);
    }
    let scope = grants[1].read_scope().unwrap();
    let asked = log.store.page(&scope, &limit(500)).await;
    let asked = asked.unwrap_err().to_string();
    assert!(asked.contains("not available"), "{asked}");
    // And they are covered.
    let covered = log.store.cover().await;
    assert!(matches!(covered, Err(StoreError::NodeUnavailable(_))));
    for at in [0, 2] {
        let scope = grants[at].read_scope().unwrap();
        let note = log.store.checkpoint(&scope).await.unwrap().unwrap();
        let size: usize = note.text.lines().nth(1).unwrap().parse().unwrap();
        assert!(size > 20, "{}", note.text);
    }

    run(&mut node, limit_of(-1)).await;
    for number in (0..60).filter(|number| number % 3 == 1) {
        let again = vec![with_key(&format!("meanwhile-{number}"))];
        log.record(&grants[1], again).await;
    }
    let all = log.walk(&scope, &limit(500)).await;
    let keys = all.iter().filter(|event| event.idempotency_key.is_some());
    assert_eq!(keys.count(), 22);
}

#[tokio::test]
async fn who_shares_a_group_with_what_the_database_refuses_is_recorded() {
    only_postgres!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![of("alice", "secret:rotate")]).await;
    // What the database refuses, whatever that may be one day.
    for statement in [
        "CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE 'not this one' USING ERRCODE = '54000'; END $$",
        "CREATE TRIGGER refuse_poison BEFORE INSERT ON content FOR EACH ROW \
         WHEN (NEW.operation = 'poison') EXECUTE FUNCTION refuse_poison()",
    ] {
        log.execute(statement).await;
    }
    let send = |number: usize| {
        let mut event = of("alice", "secret:rotate");
        event.operation = Some(if number == 7 { "poison" } else { "fine" }.to_owned());
        try_to_record(&log.store, &grant, vec![event])
    };
    let outcomes = futures_of((0..20).map(send)).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match (number, outcome) {
            (7, Err(RecordError::Store(StoreError::Database(_)))) => {}
            (7, outcome) => panic!("not refused: {outcome:?}"),
            (_, outcome) => assert!(matches!(outcome.unwrap()[0], Receipt::Recorded(_))),
        }
    }
    let all = rotated(&log, &grant).await;
    assert_eq!(all.len(), 20);
}

/// Waits for all at the same time.
async fn futures_of<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (one, output) in &mut all {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = one.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if all.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    all.into_iter().filter_map(|(_, output)| output).collect()
}

/// A standby that was behind takes over, or an older copy: what this process knows, the database does not.
#[tokio::test]
async fn texts_that_the_database_lost_are_not_believed() {
    only_postgres!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![of("bob", "secret:rotate")]).await;
    log.record(&grant, vec![of("alice", "secret:rotate")]).await;
    for statement in [
        "ALTER TABLE actor DISABLE TRIGGER USER",
        "DELETE FROM actor WHERE id = 'alice'",
        "UPDATE text_head SET actor = actor - 1 WHERE ws > 0 AND actor > 1",
    ] {
        log.execute(statement).await;
    }
    log.record(&grant, vec![of("alice", "secret:read")]).await;
    // Another process, which knows nothing yet, reads who it was.
    let other = log.reopened().await;
    let grant = other.token("acme/growth").await;
    let all = other.walk(&grant.read_scope().unwrap(), &limit(500)).await;
    let read = all
        .iter()
        .find(|event| event.action.as_str() == "secret:read");
    assert_eq!(read.unwrap().actor.actor.id.as_deref(), Some("alice"));
}

/// A server that is frozen while it changes something keeps nobody from recording, and the others wait for
/// it in vain no longer than they must.
#[tokio::test]
async fn the_use_of_a_token_is_noted_while_a_change_goes_on() {
    only_postgres!();
    let log = Log::new().await;
    let url = format!("{}/{}", log::postgres().unwrap(), database(&log).await);
    let mut frozen = PgConnection::connect(&url).await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('daybook change', 0))";
    let token = store::administration::NewToken {
        place: store::administration::TokenPlace::Workspace("acme/growth".parse().unwrap()),
        name: "tests".into(),
        scopes: domain::role::TokenScope::ALL.to_vec(),
        expires: None,
        oldest_seconds: None,
    };
    let secret = log.store.create_token(&token, &operator()).await.unwrap();
    run(&mut frozen, lock.to_owned()).await;
    let grant = log.store.token(secret.reveal()).await.unwrap().unwrap();
    let noted = "SELECT count(*) FROM token WHERE last_used IS NOT NULL";
    assert_eq!(log.number(noted).await, 1);
    log.record(&grant, vec![of("alice", "secret:rotate")]).await;
    let path = "acme/finance".parse().unwrap();
    let waited = log
        .store
        .create_workspace(&path, "Finance", &operator())
        .await;
    assert!(waited.unwrap_err().to_string().contains("not available"));
}

/// A process that was killed, or an error, left them.
#[tokio::test]
async fn what_nobody_added_up_is_added_up_by_who_comes_next() {
    only_postgres!();
    let log = Log::new().await;
    let grant = log.token("acme/growth").await;
    log.record(&grant, vec![of("alice", "secret:rotate")]).await;
    log.store.close().await;
    log.execute(
        "INSERT INTO tally_change (tenant, ws, what, n, key, other, events, entries) \
         SELECT tenant, ws, 5, seq + 1000, ARRAY[1], ARRAY[0], ARRAY[0], ARRAY[0] FROM leaf",
    )
    .await;
    let Log { folder, clock, .. } = &log;
    let store = Store::open(Log::options(folder, clock)).await.unwrap();
    let added_up = async {
        while log.number("SELECT count(*) FROM tally_change").await > 0 {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), added_up).await;
    waited.unwrap();
    store.close().await;
}

/// Both look for the key before either has recorded it: the tenant's head is held meanwhile.
#[tokio::test]
async fn two_servers_that_are_sent_the_same_event_record_it_once() {
    only_postgres!();
    let log = Log::new().await;
    // There it is a node that they wait on.
    if log.is_distributed().await {
        return;
    }
    let other = Store::open(Log::options(&log.folder, &log.clock))
        .await
        .unwrap();
    let grant = log.token("acme/growth").await;
    // Its texts are there, and the second server knows them.
    log.record(&grant, vec![of("alice", "secret:rotate")]).await;
    let events = || {
        vec![
            of("alice", "secret:rotate"),
            with_key("one"),
            with_key("one"),
        ]
    };
    let mut holder = log.connection().await;
    sqlx::raw_sql("BEGIN; SELECT 1 FROM tenant_head FOR UPDATE")
        .execute(&mut holder)
        .await
        .unwrap();
    let let_go = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
             AND datname = current_database() AND query LIKE '%tenant_head%'";
        while log.number(waiting).await < 2 {
            tokio::task::yield_now().await;
        }
        run(&mut holder, "COMMIT".to_owned()).await;
    };
    let (one, two, ()) = tokio::join!(
        try_to_record(&log.store, &grant, events()),
        try_to_record(&other, &grant, events()),
        let_go
    );
    let receipts = [one.unwrap(), two.unwrap()];
    let with_key = receipts.iter().flat_map(|receipts| &receipts[1..]);
    let mut ids = HashSet::new();
    let mut new = 0;
    for receipt in with_key {
        match receipt {
            Receipt::Recorded(placed) => {
                new += 1;
                ids.insert(placed.id);
            }
            Receipt::Duplicate(placed) => {
                ids.insert(placed.id);
            }
            Receipt::Discarded => panic!("{receipts:?}"),
        }
    }
    assert_eq!((new, ids.len()), (1, 1), "{receipts:?}");
    assert_eq!(rotated(&log, &grant).await.len(), 4);
    assert_eq!(log.number("SELECT count(*) FROM idempotency").await, 1);
    other.close().await;
}
