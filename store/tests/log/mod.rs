//! A log to try things on: a store in a folder of its own, with a tenant and two workspaces.

#![allow(dead_code, reason = "each test file uses a part")]

use domain::{
    event::{Action, Actor, ActorKind, Event, NewEvent, Target},
    question::{Limit, Query},
    role::{Role, TokenScope},
    slug::WorkspacePath,
    time::Timestamp,
};
use sqlx::{
    Connection, FromRow, PgConnection, SqliteConnection, postgres::PgRow, sqlite::SqliteRow,
};
use std::{fs::OpenOptions, io::Write, path::Path};
use store::{
    DatabaseUrl, Options, Scope, Store,
    access::{ExportScope, SignedIn, TokenGrant},
    administration::{By, NewPerson, NewToken, Place, TokenPlace},
    clock::SetClock,
    export::{Format, Wanted},
    recording::{Door, Receipt, Redaction},
};
use tempfile::TempDir;

pub mod counted;
mod postgres;

use postgres::{Database, OF_ALL_NODES, name_for};

/// The server that the tests are run on, `postgres://USER@HOST:PORT`; none: they are run on SQLite.
pub fn postgres() -> Option<String> {
    postgres::server()
}

/// How the tables call an event's number: on SQLite the installation's, on PostgreSQL its tenant's.
pub fn n() -> &'static str {
    if postgres().is_some() { "seq" } else { "n" }
}

/// Whether two tables have the same event, as a condition.
pub fn same(one: &str, other: &str) -> String {
    if postgres().is_some() {
        format!("{one}.tenant = {other}.tenant AND {one}.seq = {other}.seq")
    } else {
        format!("{one}.n = {other}.n")
    }
}

/// How far the index is kept behind the log in the tests: a few events, so that most answers come from both the
/// index and the memory; or `DAYBOOK_TEST_INDEX_BEHIND`, so that all may be run with everything in memory, or as
/// the program does.
pub fn index_behind() -> i64 {
    let behind = std::env::var("DAYBOOK_TEST_INDEX_BEHIND").ok();
    behind.map_or(7, |behind| behind.parse().unwrap())
}

/// Ends a test of what only SQLite has, two files and an index that is made from the log, where the
/// tests are run on PostgreSQL.
#[macro_export]
macro_rules! only_sqlite {
    () => {
        if log::postgres().is_some() {
            return log::leave_out();
        }
    };
}

/// Ends a test of what only PostgreSQL has, where the tests are run on SQLite.
#[macro_export]
macro_rules! only_postgres {
    () => {
        if log::postgres().is_none() {
            return log::leave_out();
        }
    };
}

/// Ends a test of what there is on one machine alone, where tenants are spread over several nodes.
#[macro_export]
macro_rules! only_one_node {
    () => {
        if log::has_nodes().await {
            return log::leave_out();
        }
    };
}

/// Whether the server that the tests are run on spreads tenants over the nodes of a Citus.
pub async fn has_nodes() -> bool {
    postgres::has_nodes().await
}

/// Notes that a test is not one of the database that the tests are run on. A test cannot say so itself and
/// passes: who counts them takes off a line for each, in the file that is named by
/// `DAYBOOK_TEST_LEFT_OUT`.
pub fn leave_out() {
    if let Some(file) = std::env::var_os("DAYBOOK_TEST_LEFT_OUT") {
        let mut file = OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(b"left out\n").unwrap();
    }
}

/// How many tallies of PostgreSQL's are other than what the contents come to, and how many entries stand
/// for nothing.
pub const MISCOUNTED: &str = "
    WITH there AS (
        SELECT c.tenant, c.ws, x.what, x.key, x.other, 1 AS events, 1 AS entries
        FROM content c CROSS JOIN LATERAL (VALUES (1, actor, 0), (2, action, 0), (3, kind, 0),
            (4, target, 0), (5, outcome::INTEGER, 0), (6, action, actor), (7, action, kind))
            x(what, key, other)
        UNION ALL
        SELECT tenant, ws, CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, 1 FROM entry
        UNION ALL
        SELECT tenant, ws, 8, key, actor, 1, 1 FROM entry WHERE what = 1
    ), counted AS (
        SELECT tenant, ws, what, key, other, sum(events) AS events, sum(entries) AS entries
        FROM there GROUP BY tenant, ws, what, key, other
    )
    SELECT (SELECT count(*) FROM counted c FULL JOIN (SELECT * FROM tallied
                WHERE events <> 0 OR entries <> 0) t
            ON (t.tenant, t.ws, t.what, t.key, t.other) = (c.tenant, c.ws, c.what, c.key, c.other)
            WHERE (t.events, t.entries) IS DISTINCT FROM (c.events::BIGINT, c.entries::BIGINT))
        + (SELECT count(*) FROM entry e WHERE NOT EXISTS (SELECT 1 FROM content c
            WHERE c.tenant = e.tenant AND c.seq = e.seq))
        + (SELECT count(*) FROM idempotency k WHERE NOT EXISTS (SELECT 1 FROM content c
            WHERE c.tenant = k.tenant AND c.seq = k.seq))";

/// The database of the log that a folder is for.
fn database_of(folder: &Path) -> String {
    name_for(folder.file_name().unwrap().to_str().unwrap())
}

/// A log's folder; where the tests are run on PostgreSQL, with a database of its own there.
pub struct Folder {
    folder: TempDir,
    _database: Option<Database>,
}

impl Folder {
    /// A new one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        let database = Database::made_for(name);
        Self {
            folder,
            _database: database,
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A store with its folder and clock.
pub struct Log {
    pub store: Store,
    pub clock: SetClock,
    pub folder: Folder,
}

/// Everybody's password.
pub const PASSWORD: &str = "correct horse";

/// When the tests' clock begins.
pub const BEGINNING: &str = "2026-05-12T09:00:00Z";

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn operator() -> By {
    By::operator("tester")
}

impl Log {
    pub fn options(folder: &Folder, clock: &SetClock) -> Options {
        let path = folder.path().join("daybook.db");
        let database = match postgres() {
            Some(server) => format!("{server}/{}", database_of(folder.path()))
                .parse()
                .unwrap(),
            None => DatabaseUrl::Sqlite(path.clone()),
        };
        Options {
            // Small as these logs are, each way to a page is taken.
            gather_within: std::time::Duration::ZERO,
            // And so little is kept of what objects' events come to.
            fold_kept_from: 3,
            index_behind: index_behind(),
            clock: std::sync::Arc::new(clock.clone()),
            key_file: Some(path.with_extension("db.key")),
            ..Options::new(database)
        }
    }

    /// A new log with the tenant `acme` and its workspaces `growth` and `revenue`.
    pub async fn new() -> Self {
        Self::with(|options| options).await
    }

    /// The same, of which the index is kept so many events behind.
    pub async fn behind(events: i64) -> Self {
        Self::with(|options| Options {
            index_behind: events,
            ..options
        })
        .await
    }

    /// The same, whose store is opened with other options.
    pub async fn with(options: impl FnOnce(Options) -> Options) -> Self {
        let folder = Folder::new();
        let clock = SetClock::at(time(BEGINNING));
        let options = options(Self::options(&folder, &clock));
        let store = Store::open(options).await.unwrap();
        store
            .create_tenant(&"acme".parse().unwrap(), "Acme Inc", &operator())
            .await
            .unwrap();
        for (path, name) in [("acme/growth", "Growth"), ("acme/revenue", "Revenue")] {
            store
                .create_workspace(&path.parse().unwrap(), name, &operator())
                .await
                .unwrap();
        }
        Self {
            store,
            clock,
            folder,
        }
    }

    /// Runs statements on the log's database, past the store; on PostgreSQL as the owner of its tables.
    /// Tells to how many rows something was done.
    pub async fn execute(&self, statements: &str) -> u64 {
        self.try_to_execute(statements).await.unwrap()
    }

    /// The same, where the database refuses: tells what it says.
    pub async fn refused(&self, statement: &str) -> String {
        match self.try_to_execute(statement).await {
            Ok(_) => panic!("not refused: {statement}"),
            Err(refused) => refused.to_string(),
        }
    }

    async fn try_to_execute(&self, statements: &str) -> Result<u64, sqlx::Error> {
        let text = sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()));
        match postgres() {
            Some(server) => {
                let url = format!("{server}/{}", database_of(self.folder.path()));
                let mut connection = PgConnection::connect(&url).await?;
                sqlx::raw_sql(OF_ALL_NODES).execute(&mut connection).await?;
                let done = text.execute(&mut connection).await?;
                Ok(done.rows_affected())
            }
            None => {
                let url = format!("sqlite:{}", self.folder.path().join("daybook.db").display());
                let mut connection = SqliteConnection::connect(&url).await?;
                let done = text.execute(&mut connection).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Statements of somebody who may do everything on the database, with its triggers and conditions out of
    /// the way; no value in them has a semicolon.
    pub async fn attack(&self, statements: &str) {
        let names = |statement: &'static str| self.rows::<(String, String)>(statement);
        if postgres().is_none() {
            let triggers = "SELECT name, type FROM sqlite_schema WHERE type = 'trigger'";
            let drops = names(triggers).await.into_iter();
            let drops: Vec<String> = drops
                .map(|(name, _)| format!("DROP TRIGGER {name};"))
                .collect();
            let drops = drops.concat();
            let off = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
            self.execute(&format!("{off} {drops} {statements}")).await;
            return;
        }
        let tables = "SELECT DISTINCT r.oid::regclass::text, '' \
             FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid \
             WHERE NOT t.tgisinternal AND t.tgparentid = 0 \
                 AND r.relnamespace = 'public'::regnamespace";
        for (table, _) in names(tables).await {
            self.execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"))
                .await;
        }
        let conditions = "SELECT c.conrelid::regclass::text, quote_ident(c.conname) \
             FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid \
             WHERE c.contype = 'c' AND c.conparentid = 0 AND c.coninhcount = 0 \
                 AND NOT r.relispartition AND r.relnamespace = 'public'::regnamespace";
        for (table, condition) in names(conditions).await {
            self.execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {condition}"))
                .await;
        }
        // A Citus passes one command on at a time.
        for statement in statements.split(';').filter(|text| !text.trim().is_empty()) {
            let quotes = statement.matches('\'').count();
            assert!(quotes % 2 == 0, "a semicolon in a value: {statements}");
            self.execute(statement).await;
        }
    }

    /// What a statement finds in the log's database, past the store.
    pub async fn rows<T>(&self, statement: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let text = sqlx::AssertSqlSafe(statement.to_owned());
        match postgres() {
            Some(server) => {
                let url = format!("{server}/{}", database_of(self.folder.path()));
                let mut connection = PgConnection::connect(&url).await.unwrap();
                let set = sqlx::raw_sql(OF_ALL_NODES).execute(&mut connection).await;
                set.unwrap();
                let rows = sqlx::query_as(text).fetch_all(&mut connection).await;
                rows.unwrap()
            }
            None => {
                let url = format!("sqlite:{}", self.folder.path().join("daybook.db").display());
                let mut connection = SqliteConnection::connect(&url).await.unwrap();
                let rows = sqlx::query_as(text).fetch_all(&mut connection).await;
                rows.unwrap()
            }
        }
    }

    /// Whether tenants are spread over the nodes of a Citus: see the migration `nodes`.
    pub async fn is_distributed(&self) -> bool {
        postgres().is_some()
            && self
                .number("SELECT is_distributed()::INTEGER::BIGINT")
                .await
                == 1
    }

    /// The one number that a statement finds.
    pub async fn number(&self, statement: &str) -> i64 {
        let [(number,)] = self.rows::<(i64,)>(statement).await[..] else {
            panic!("{statement} finds one number");
        };
        number
    }

    /// A connection to the log's database on PostgreSQL, past the store, as the owner of its tables.
    pub async fn connection(&self) -> PgConnection {
        let server = postgres().unwrap();
        let url = format!("{server}/{}", database_of(self.folder.path()));
        PgConnection::connect(&url).await.unwrap()
    }

    /// The node of a Citus on which a tenant lies, as its host and port.
    pub async fn node_of(&self, tenant: &str) -> (String, u16) {
        let found = self
            .rows::<(String, i64)>(&format!(
                "SELECT n.nodename, n.nodeport::BIGINT FROM tenant t \
                 JOIN pg_dist_placement p \
                     ON p.shardid = get_shard_id_for_distribution_column('tenant_head', t.id) \
                 JOIN pg_dist_node n USING (groupid) WHERE t.slug = '{tenant}'"
            ))
            .await;
        let [(host, port)] = &found[..] else {
            panic!("{tenant} lies on one node: {found:?}");
        };
        (host.clone(), u16::try_from(*port).unwrap())
    }

    /// How much of what PostgreSQL counts, or finds beside contents, is other than what the contents come
    /// to.
    pub async fn miscounted(&self) -> i64 {
        self.number(MISCOUNTED).await
    }

    /// Closes the log and opens it again.
    pub async fn reopened(self) -> Self {
        self.store.close().await;
        let Self { clock, folder, .. } = self;
        let store = Store::open(Self::options(&folder, &clock)).await.unwrap();
        Self {
            store,
            clock,
            folder,
        }
    }

    /// A token of a workspace (`acme/growth`) or of a tenant (`acme`) that may do everything.
    pub async fn token(&self, place: &str) -> TokenGrant {
        let place = match place.parse::<WorkspacePath>() {
            Ok(path) => TokenPlace::Workspace(path),
            Err(_) => TokenPlace::Tenant(place.parse().unwrap()),
        };
        let token = NewToken {
            place,
            name: "tests".into(),
            scopes: TokenScope::ALL.to_vec(),
            expires: None,
            oldest_seconds: None,
        };
        let secret = self.store.create_token(&token, &operator()).await.unwrap();
        self.store.token(secret.reveal()).await.unwrap().unwrap()
    }

    pub async fn scope(&self, place: &str) -> Scope {
        self.token(place).await.read_scope().unwrap()
    }

    /// Somebody who is signed in and owns a workspace.
    pub async fn owner(&self, place: &str) -> SignedIn {
        self.person("owner@acme.example", place, Role::Owner).await
    }

    /// Somebody who is signed in, with a role in a workspace (`acme/growth`) or as admin of a tenant
    /// (`acme`).
    pub async fn person(&self, email: &str, place: &str, role: Role) -> SignedIn {
        let place = match place.parse::<WorkspacePath>() {
            Ok(path) => Place::Workspace(path, role),
            Err(_) => Place::Tenant(place.parse().unwrap()),
        };
        self.named("Ingrid Solheim", email, place).await
    }

    /// Somebody of this name who is signed in and has a role.
    pub async fn named(&self, name: &str, email: &str, place: Place) -> SignedIn {
        let person = NewPerson {
            email: email.into(),
            name: name.into(),
            place,
            until: None,
        };
        self.store
            .create_person(&person, PASSWORD, &operator())
            .await
            .unwrap();
        self.signed_in(email).await
    }

    /// Somebody known, signed in anew.
    pub async fn signed_in(&self, email: &str) -> SignedIn {
        let session = self
            .store
            .sign_in(email, PASSWORD, None, None)
            .await
            .unwrap();
        self.store
            .session(session.secret.reveal())
            .await
            .unwrap()
            .unwrap()
    }

    /// Records events as an application does.
    pub async fn record(&self, grant: &TokenGrant, events: Vec<NewEvent>) -> Vec<Receipt> {
        let door = Door::token(grant, Redaction::On).unwrap();
        let admitted = events
            .into_iter()
            .map(|event| self.store.admit(&door, event).unwrap())
            .collect();
        self.store.record(admitted).await.unwrap()
    }

    /// All pages of an answer, from the first on.
    pub async fn walk(&self, scope: &Scope, query: &Query) -> Vec<Event> {
        let mut query = query.clone();
        let mut events = Vec::new();
        loop {
            let page = self.store.page(scope, &query).await.unwrap();
            events.extend(page.events);
            match page.older {
                Some(cursor) => query = query.at(cursor),
                None => return events,
            }
        }
    }

    /// All that a question finds, as a file.
    pub async fn exported(&self, scope: &ExportScope, query: &Query, format: Format) -> String {
        let wanted = Self::wanted(query, format);
        let begun = self.store.export(scope, wanted, &operator()).await;
        let mut export = begun.unwrap();
        let mut file = Vec::new();
        while let Some(piece) = export.next().await {
            file.extend(piece.unwrap());
        }
        String::from_utf8(file).unwrap()
    }

    pub fn wanted(query: &Query, format: Format) -> Wanted {
        Wanted {
            query: query.clone(),
            format,
            proof: None,
            name: None,
            patience: None,
        }
    }
}

pub fn user(id: &str, name: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some(id.into()),
        name: Some(name.into()),
        email: Some(format!(
            "{}@acme.example",
            name.to_lowercase().replace(' ', ".")
        )),
    }
}

pub fn object(kind: &str, id: &str, name: &str) -> Target {
    Target {
        kind: kind.parse().unwrap(),
        id: Some(id.into()),
        name: Some(name.into()),
        url: None,
    }
}

pub fn event(actor: Actor, action: &str, target: Target, at: &str) -> NewEvent {
    let action: Action = action.parse().unwrap();
    let mut event = NewEvent::new(actor, action, target);
    event.occurred_at = Some(time(at));
    event
}

/// Events as NDJSON has them.
pub fn lines(events: &[Event]) -> String {
    let lines = events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap());
    lines.map(|line| line + "\n").collect()
}

pub fn limit(limit: u16) -> Query {
    Query {
        limit: Some(Limit::try_from(limit).unwrap()),
        ..Query::default()
    }
}
