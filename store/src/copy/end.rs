//! One end of a copy: a database with an installation in it, or with room for one; and what stands in it
//! of the move.

use super::{
    CopyError,
    tables::{ADMINISTERED, HOLD, INSTALLATION, TEXTS},
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, MOVED, MOVING},
    options::{DatabaseUrl, Options},
    postgres,
    sqlite::{self, Files, Use, made_of_our_own_texts},
};
use domain::time::Timestamp;
use sqlx::Connection as _;
use std::{fs::File, time::Duration};

/// A database at one end of a copy.
#[derive(Debug)]
pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) url: DatabaseUrl,
    /// That nobody else copies into it, on SQLite.
    pub(super) lock: Option<File>,
}

/// Whose a fence is: the copy's that made it, or that went on by it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner([u8; 16]);

impl Owner {
    /// A new one.
    pub(super) fn new() -> Result<Self, StoreError> {
        crate::keys::random().map(Self)
    }

    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let owner = bytes.try_into();
        owner
            .map(Self)
            .map_err(|_| StoreError::Database("whose a fence is cannot be read".to_owned()))
    }
}

/// That an installation goes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// Whose it is.
    pub(super) owner: Owner,
    /// Where to, as it is shown.
    pub(super) target: String,
    /// Since when it takes nothing.
    pub(super) since: Timestamp,
    /// When it was whole there.
    pub(super) moved_at: Option<Timestamp>,
}

/// That an installation comes in.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    /// Whose it is.
    pub(super) installation: Vec<u8>,
    /// The hash over all of it, when it was found to be the same on both sides.
    pub(super) hash: Option<(Vec<u8>, Owner)>,
}

/// What a database that is to be copied into holds.
#[derive(Debug)]
pub(super) enum Target {
    /// Nothing.
    Empty,
    /// Some of an installation, or all of it.
    Begun(Begun),
    /// An installation that is in use.
    Used,
}

/// How often it is tried to fence, where others are in the way.
const TRIES: usize = 30;

impl End {
    /// Connects to a database, and brings its schema up to date.
    async fn connect(url: &DatabaseUrl) -> Result<Self, CopyError> {
        let connection = match url {
            DatabaseUrl::Sqlite(path) => sqlite::migrated(path).await?,
            DatabaseUrl::Postgres(url) => postgres::migrated(url).await?,
        };
        let mut end = Self {
            connection,
            url: url.clone(),
            lock: None,
        };
        if end.is_postgres() {
            let is_distributed: bool = database::query_scalar("SELECT is_distributed()")
                .fetch_one(&mut end.connection)
                .await
                .map_err(StoreError::from)?;
            if is_distributed {
                return Err(CopyError::Distributed(url.to_string()));
            }
        }
        Ok(end)
    }

    /// Opens the installation that is to be copied, with its key file.
    pub(super) async fn source(options: &Options) -> Result<(Self, Vec<u8>), CopyError> {
        if !matches!(look_at(&options.database).await?, Seen::Installation { .. }) {
            return Err(CopyError::NoInstallation(options.database.to_string()));
        }
        let mut end = Self::connect(&options.database).await?;
        let into: Option<String> = database::query_scalar("SELECT source FROM copying")
            .fetch_optional(&mut end.connection)
            .await
            .map_err(StoreError::from)?;
        if let Some(source) = into {
            return Err(StoreError::BeingCopied(source).into());
        }
        let now = options.clock.now();
        let (id, _) =
            sqlite::installation(&mut end.connection, &options.key_file(), now, Use::Copy).await?;
        Ok((end, id.to_vec()))
    }

    /// Opens a database that is to be copied into, and keeps others from doing the same.
    pub(super) async fn target(url: &DatabaseUrl) -> Result<(Self, Target), CopyError> {
        let mut end = Self::connect(url).await?;
        let taken = || CopyError::InUse(url.to_string());
        match url {
            DatabaseUrl::Sqlite(path) => {
                let lock = Files::new(path, None).try_lock_index()?;
                end.lock = Some(lock.ok_or_else(taken)?);
            }
            DatabaseUrl::Postgres(_) => {
                let free: bool = database::query_scalar(
                    "SELECT pg_try_advisory_lock(hashtextextended('daybook copy', 0))",
                )
                .fetch_one(&mut end.connection)
                .await
                .map_err(StoreError::from)?;
                if !free {
                    return Err(taken());
                }
            }
        }
        let holds = end.holds().await?;
        Ok((end, holds))
    }

    /// Where its files are, on SQLite.
    pub(super) fn files(&self) -> Option<Files> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => Some(Files::new(path, None)),
            DatabaseUrl::Postgres(_) => None,
        }
    }

    pub(super) fn is_postgres(&self) -> bool {
        self.connection.dialect() == Dialect::Postgres
    }

    /// The installation's id; none where there is none.
    async fn installation(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(database::query_scalar("SELECT id FROM installation")
            .fetch_optional(&mut self.connection)
            .await?)
    }

    async fn holds(&mut self) -> Result<Target, StoreError> {
        let installation = self.installation().await?;
        let begun = database::query("SELECT hash, owner FROM copying")
            .fetch_optional(&mut self.connection)
            .await?;
        let hash_of = |row: database::Row| {
            let hash: Option<Vec<u8>> = row.try_get(0)?;
            let owner: Option<Vec<u8>> = row.try_get(1)?;
            let noted = hash
                .zip(owner)
                .map(|(hash, owner)| Ok((hash, Owner::read(&owner)?)));
            noted.transpose()
        };
        let begun = begun.map(hash_of).transpose();
        let begun = begun.map_err(|error: StoreError| error)?;
        Ok(match (installation, begun) {
            (Some(installation), Some(hash)) => Target::Begun(Begun { installation, hash }),
            (Some(_), None) => Target::Used,
            (None, _) => Target::Empty,
        })
    }

    /// Whether, and since when, an installation goes away.
    pub(super) async fn fence(&mut self) -> Result<Option<Fence>, StoreError> {
        let row = database::query("SELECT target, since, moved_at, owner FROM moving")
            .fetch_optional(&mut self.connection)
            .await?;
        row.map(|row| {
            let moved_at: Option<i64> = row.try_get(2)?;
            Ok(Fence {
                owner: Owner::read(row.try_get(3)?)?,
                target: row.try_get(0)?,
                since: Timestamp::from_micros(row.try_get(1)?),
                moved_at: moved_at.map(Timestamp::from_micros),
            })
        })
        .transpose()
    }

    /// Fences the installation, or lifts its fence: in one transaction, so that whatever another
    /// process writes is either committed before or refused. `known`: whose the fence is that stands;
    /// none: there is none. Where that is not so any more, somebody else changed it meanwhile, and
    /// nothing is done.
    pub(super) async fn set_fence(
        &mut self,
        known: Option<Owner>,
        fence: Option<&Fence>,
    ) -> Result<(), CopyError> {
        let mut tries = 0;
        loop {
            let done = match self.connection.dialect() {
                Dialect::Sqlite => self.fence_sqlite(known, fence).await,
                Dialect::Postgres => self.fence_postgres(known, fence).await,
            };
            tries += 1;
            match done {
                // Whoever writes has the right of way: a lock that is waited for holds up all others.
                Err(CopyError::Store(StoreError::Unavailable(why))) if tries < TRIES => {
                    let _ = self.connection.run("ROLLBACK").await;
                    tracing::debug!("the installation cannot be fenced yet: {why}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => {
                    let _ = self.connection.run("ROLLBACK").await;
                    return Err(error);
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn expect_fence(&mut self, known: Option<Owner>) -> Result<(), CopyError> {
        let stands = self.fence().await?.map(|fence| fence.owner);
        if stands == known {
            Ok(())
        } else {
            Err(CopyError::FenceChanged)
        }
    }

    async fn note_fence(&mut self, fence: Option<&Fence>) -> Result<(), StoreError> {
        self.connection.run("DELETE FROM moving").await?;
        if let Some(fence) = fence {
            database::query(
                "INSERT INTO moving (one, target, since, moved_at, owner) VALUES (1, ?, ?, ?, ?)",
            )
            .bind(fence.target.clone())
            .bind(fence.since.micros())
            .bind(fence.moved_at.map(Timestamp::micros))
            .bind(fence.owner.0.to_vec())
            .execute(&mut self.connection)
            .await?;
        }
        Ok(())
    }

    /// On SQLite whoever writes has the file alone.
    async fn fence_sqlite(
        &mut self,
        known: Option<Owner>,
        fence: Option<&Fence>,
    ) -> Result<(), CopyError> {
        const OPERATIONS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];
        self.run("BEGIN IMMEDIATE").await?;
        self.expect_fence(known).await?;
        let words = match fence {
            Some(Fence { moved_at: None, .. }) => MOVING.0,
            _ => MOVED.0,
        };
        for table in fenced_on_sqlite() {
            for operation in OPERATIONS {
                let name = format!("{table}_moves_{operation}");
                self.say(format!("DROP TRIGGER IF EXISTS {name}")).await?;
                if fence.is_some() {
                    let made = format!(
                        "CREATE TRIGGER {name} BEFORE {operation} ON {table} \
                         BEGIN SELECT RAISE(ABORT, '{words}'); END"
                    );
                    self.say(made).await?;
                }
            }
        }
        self.note_fence(fence).await?;
        Ok(self.run("COMMIT").await?)
    }

    /// On PostgreSQL a trigger is made when all who wrote in its table have committed, and those who
    /// come meet it. What is recorded touches the head of its tenant last, and what is removed too: the
    /// tables between them need none.
    async fn fence_postgres(
        &mut self,
        known: Option<Owner>,
        fence: Option<&Fence>,
    ) -> Result<(), CopyError> {
        // Not for long: those who come after wait behind it.
        self.run(
            "BEGIN; SET LOCAL lock_timeout = '1s'; LOCK TABLE moving; \
             SELECT pg_advisory_xact_lock(hashtextextended('daybook change', 0))",
        )
        .await?;
        self.expect_fence(known).await?;
        let code = match fence {
            Some(Fence { moved_at: None, .. }) => MOVING.1,
            _ => MOVED.1,
        };
        // In the order in which they are written in.
        for table in fenced_on_postgres() {
            let stated = if fence.is_some() {
                let made = format!(
                    "CREATE OR REPLACE TRIGGER {table}_moves BEFORE INSERT OR UPDATE OR DELETE \
                     ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_while_moving('{code}')"
                );
                self.say(made).await?;
                "ENABLE"
            } else {
                // To drop it would wait for those who read, and they would wait for it.
                "DISABLE"
            };
            let stated = format!("ALTER TABLE {table} {stated} TRIGGER {table}_moves");
            self.say(stated).await?;
        }
        self.note_fence(fence).await?;
        Ok(self.run("COMMIT").await?)
    }

    /// Notes in an empty database that an installation comes in.
    pub(super) async fn begin_to_copy(
        &mut self,
        from: &mut Self,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = super::read::rows(&mut from.connection, &INSTALLATION, None).await?;
        self.connection.run("BEGIN").await?;
        super::write::insert(&mut self.connection, &INSTALLATION, &[], &row).await?;
        database::query("INSERT INTO copying (one, source, since) VALUES (1, ?, ?)")
            .bind(from.url.to_string())
            .bind(now.micros())
            .execute(&mut self.connection)
            .await?;
        Ok(self.connection.run("COMMIT").await?)
    }

    /// Notes that both ends were found to be the same, under a fence.
    pub(super) async fn note_hash(&mut self, hash: &[u8], owner: Owner) -> Result<(), StoreError> {
        database::query("UPDATE copying SET hash = ?, owner = ?")
            .bind(hash)
            .bind(owner.0.to_vec())
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Lets everybody use what was copied.
    pub(super) async fn open_for_all(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.run("DELETE FROM copying").await?)
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        Ok(self.connection.run(statement).await?)
    }

    /// Runs a statement of our own words.
    pub(super) async fn say(&mut self, statement: String) -> Result<(), StoreError> {
        say(&mut self.connection, statement).await
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => connection.close().await?,
            Connection::Postgres(connection) => connection.close().await?,
            Connection::PooledSqlite(_)
            | Connection::PooledPostgres(_)
            | Connection::OfReplica(..) => {}
        }
        Ok(())
    }
}

/// Runs a statement of our own words.
pub(super) async fn say(connection: &mut Connection, statement: String) -> Result<(), StoreError> {
    let statement = sqlx::raw_sql(made_of_our_own_texts(statement));
    match connection.which() {
        database::Which::Sqlite(connection) => statement.execute(connection).await.map(drop)?,
        database::Which::Postgres(connection) => statement.execute(connection).await.map(drop)?,
    }
    Ok(())
}

fn administered() -> impl Iterator<Item = &'static str> {
    ADMINISTERED.iter().chain([&HOLD]).map(|table| table.name)
}

fn fenced_on_sqlite() -> impl Iterator<Item = &'static str> {
    let texts = TEXTS.iter().map(|table| table.name);
    let log = [
        "installation",
        "release",
        "erasure",
        "erasure_event",
        "erasure_damage",
        "leaf",
        "content",
        "removal",
        "emptied",
    ];
    administered().chain(texts).chain(log)
}

fn fenced_on_postgres() -> impl Iterator<Item = &'static str> {
    administered().chain([
        "installation",
        "text_head",
        "release",
        "erasure",
        "erasure_event",
        "erasure_damage",
        "tenant_head",
    ])
}

/// What a database holds, as far as can be told before its schema is brought up to date.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing, or tables with nothing in them.
    Nothing,
    /// Tables of others, and none of ours.
    Others,
    /// An installation.
    Installation {
        /// Whose it is.
        id: Vec<u8>,
        /// Whether it is being copied into there.
        is_coming: bool,
    },
}

/// Whether a database that is named holds an installation; looks, and changes nothing.
pub(crate) async fn holds_installation(url: &DatabaseUrl) -> Result<bool, StoreError> {
    match look_at(url).await {
        Ok(seen) => Ok(matches!(seen, Seen::Installation { .. })),
        Err(CopyError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Looks at a database that is named, and changes nothing.
pub(super) async fn look_at(url: &DatabaseUrl) -> Result<Seen, CopyError> {
    let (mut connection, tables) = match url {
        DatabaseUrl::Sqlite(path) => {
            if !path.exists() {
                return Ok(Seen::Nothing);
            }
            (
                sqlite::unmigrated(path).await?,
                "SELECT name FROM sqlite_master WHERE type = 'table'",
            )
        }
        DatabaseUrl::Postgres(url) => (
            postgres::unmigrated(url).await?,
            "SELECT relname::TEXT FROM pg_class \
             WHERE relnamespace = 'public'::REGNAMESPACE AND relkind IN ('r', 'p')",
        ),
    };
    let connection = &mut connection;
    let tables: Vec<String> = database::query_scalar(tables)
        .fetch_all(&mut *connection)
        .await
        .map_err(StoreError::from)?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if !has("_sqlx_migrations") {
        if !tables.is_empty() {
            return Ok(Seen::Others);
        }
        if is_of_citus(connection).await? {
            // Tables that are made there are spread.
            return Err(CopyError::Distributed(url.to_string()));
        }
        return Ok(Seen::Nothing);
    }
    if !has("installation") {
        return Ok(Seen::Nothing);
    }
    let id: Option<Vec<u8>> = database::query_scalar("SELECT id FROM installation")
        .fetch_optional(&mut *connection)
        .await
        .map_err(StoreError::from)?;
    let Some(id) = id else {
        return Ok(Seen::Nothing);
    };
    // Who has no such table was made by a program that copied nothing.
    let is_coming = has("copying")
        && database::query_scalar("SELECT EXISTS (SELECT 1 FROM copying)")
            .fetch_one(&mut *connection)
            .await
            .map_err(StoreError::from)?;
    Ok(Seen::Installation { id, is_coming })
}

async fn is_of_citus(connection: &mut Connection) -> Result<bool, StoreError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(false);
    }
    let known = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
    Ok(database::query_scalar(known).fetch_one(connection).await?)
}
