//! Writing an installation into another database, in pieces, each of them whole.

use super::{
    CopyError,
    end::{End, say},
    read::{self, Event, Release},
    tables::{
        ACTION, ACTOR, ADMINISTERED, HOLD, INSTALLATION, KIND, Kept, RELATED, Row, TARGET, TEXTS,
        Table, VIA,
    },
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Sql, Value, Which},
    dictionary::Number,
    postgres::{DAY, Lies, LogRows, Partitions, Says},
    sqlite::{Indexer, Leaf, Numbered, Statements, damaged},
};
use domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// So many values stand in one statement at most.
const VALUES: usize = 8_000;
/// So many texts are copied at a time.
const TEXTS_AT_ONCE: usize = 2_000;
/// Contents are removed, and texts emptied, so many at a time.
const REMOVED_AT_ONCE: usize = 2_000;

/// Writes rows into a table, each with the same values before its own.
pub(super) async fn insert(
    connection: &mut Connection,
    table: &Table,
    before: &[(&str, Value)],
    rows: &[Row],
) -> Result<(), StoreError> {
    insert_or(connection, table, before, rows, "").await
}

async fn insert_or(
    connection: &mut Connection,
    table: &Table,
    before: &[(&str, Value)],
    rows: &[Row],
    on_conflict: &str,
) -> Result<(), StoreError> {
    let names: Vec<&str> = before
        .iter()
        .map(|(name, _)| *name)
        .chain(table.columns.iter().map(|(name, _)| *name))
        .collect();
    for some in rows.chunks((VALUES / names.len()).max(1)) {
        let mut sql = Sql::default();
        sql.add("INSERT INTO ").add(table.name);
        sql.add(" (").add(&names.join(", ")).add(") VALUES ");
        for (at, row) in some.iter().enumerate() {
            sql.add(if at == 0 { "(" } else { ", (" });
            let values = before.iter().map(|(_, value)| value).chain(row);
            for (at, value) in values.enumerate() {
                sql.with(if at == 0 { "?" } else { ", ?" }, value.clone());
            }
            sql.add(")");
        }
        sql.add(on_conflict);
        sql.untold().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Brings rows up to date of which none ever goes.
async fn bring_up_to_date(
    connection: &mut Connection,
    table: &Table,
    rows: &[Row],
) -> Result<(), StoreError> {
    let names = |columns: &[(&str, _)]| -> Vec<String> {
        columns.iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    let (key, others) = table.columns.split_at(table.key);
    let set: Vec<String> = names(others)
        .iter()
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let on_conflict = format!(
        " ON CONFLICT ({}) DO UPDATE SET {}",
        names(key).join(", "),
        set.join(", ")
    );
    insert_or(connection, table, &[], rows, &on_conflict).await
}

/// What the texts of a log are, as far as the rows of its events need it on PostgreSQL.
#[derive(Debug, Default)]
struct Known {
    /// The kind of each target.
    kinds: Vec<Number>,
    chains: Vec<Box<[Number]>>,
    related: Vec<Box<[Number]>>,
}

impl Known {
    fn learn(&mut self, table: usize, row: &Row) -> Result<(), StoreError> {
        let broken = || damaged("a list of numbers is broken");
        match (table, row.first()) {
            (TARGET, Some(Value::Integer(kind))) => {
                self.kinds
                    .push(Number::try_from(*kind).map_err(|_| broken())?);
            }
            (VIA | RELATED, Some(Value::Text(members))) => {
                let members = serde_json::from_str(members).map_err(|_| broken())?;
                if table == VIA {
                    self.chains.push(members);
                } else {
                    self.related.push(members);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The number of a text counts from 1.
    fn at<T>(all: &[T], number: Number) -> Result<&T, StoreError> {
        (number as usize)
            .checked_sub(1)
            .and_then(|at| all.get(at))
            .ok_or_else(|| damaged("an event names a text that is not there"))
    }

    fn numbered(&self, content: &read::Content) -> Result<Numbered, StoreError> {
        let chain = content.via.map(|via| Self::at(&self.chains, via));
        let related = content.related.map(|set| Self::at(&self.related, set));
        let others = related.transpose()?.map_or(&[][..], |set| set);
        Ok(Numbered {
            actor: content.actor,
            via: content.via,
            action: content.action,
            kind: *Self::at(&self.kinds, content.target)?,
            target: content.target,
            related: content.related,
            chain: chain.transpose()?.cloned().unwrap_or_default(),
            others: others
                .iter()
                .map(|target| Ok((*target, *Self::at(&self.kinds, *target)?)))
                .collect::<Result<_, StoreError>>()?,
        })
    }
}

/// What is copied into.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) end: End,
    /// The last number of each table of texts, by log.
    sizes: HashMap<i64, [i64; 6]>,
    /// On PostgreSQL.
    known: HashMap<i64, Known>,
    pub(super) partitions: Partitions,
    pub(super) statements: Statements,
    /// The number of the last event in the installation, on SQLite.
    head: i64,
    /// In which class what of a log expires lies, on PostgreSQL.
    pub(super) classes: HashMap<i64, i16>,
    pub(super) now: Timestamp,
}

impl Writer {
    pub(super) async fn new(mut end: End, now: Timestamp) -> Result<Self, StoreError> {
        let mut head = 0;
        if !end.is_postgres() {
            head = database::query_scalar("SELECT coalesce(max(n), 0) FROM leaf")
                .fetch_one(&mut end.connection)
                .await?;
        }
        Ok(Self {
            end,
            sizes: HashMap::new(),
            known: HashMap::new(),
            partitions: Partitions::default(),
            statements: Statements::default(),
            head,
            classes: HashMap::new(),
            now,
        })
    }

    /// Adds the tenants and workspaces that are not there yet: what is recorded names them.
    pub(super) async fn add_places(&mut self, from: &mut Connection) -> Result<(), StoreError> {
        for table in &ADMINISTERED[..2] {
            let mut after: Option<Row> = None;
            loop {
                let rows = read::rows(from, table, after.as_ref()).await?;
                let connection = &mut self.end.connection;
                insert_or(connection, table, &[], &rows, " ON CONFLICT DO NOTHING").await?;
                after = rows.into_iter().next_back();
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// How far the texts of a log are copied.
    async fn sizes_of(&mut self, log: (i64, i64)) -> Result<[i64; 6], StoreError> {
        if let Some(sizes) = self.sizes.get(&log.1) {
            return Ok(*sizes);
        }
        let mut sizes = [0; 6];
        for (size, table) in sizes.iter_mut().zip(&TEXTS) {
            *size = read::last_text(&mut self.end.connection, table, log).await?;
        }
        self.sizes.insert(log.1, sizes);
        if self.end.is_postgres() {
            let mut known = Known::default();
            for table in [TARGET, VIA, RELATED] {
                let mut after = 0;
                loop {
                    let connection = &mut self.end.connection;
                    let some =
                        read::texts(connection, &TEXTS[table], log, after, TEXTS_AT_ONCE).await?;
                    let Some((last, _)) = some.last() else { break };
                    after = *last;
                    for (_, row) in &some {
                        known.learn(table, row)?;
                    }
                }
            }
            self.known.insert(log.1, known);
        }
        Ok(sizes)
    }

    /// Copies the texts of a log that came since.
    pub(super) async fn copy_texts(
        &mut self,
        from: &mut Connection,
        log: (i64, i64),
    ) -> Result<(), StoreError> {
        let mut sizes = self.sizes_of(log).await?;
        let (tenant, ws) = log;
        for (at, table) in TEXTS.iter().enumerate() {
            loop {
                let some = read::texts(from, table, log, sizes[at], TEXTS_AT_ONCE).await?;
                if some.is_empty() {
                    break;
                }
                let mut rows = Vec::with_capacity(some.len());
                for (number, values) in some {
                    sizes[at] += 1;
                    if number != sizes[at] {
                        return Err(damaged("the numbers of a log's texts have a gap"));
                    }
                    if let Some(known) = self.known.get_mut(&ws) {
                        known.learn(at, &values)?;
                    }
                    let mut row: Row = vec![ws.into(), number.into()];
                    row.extend(values);
                    rows.push(row);
                }
                let mut before = Vec::new();
                if self.end.is_postgres() {
                    before.push(("tenant", tenant.into()));
                }
                let numbered = text_table(at);
                insert(&mut self.end.connection, &numbered, &before, &rows).await?;
                self.sizes.insert(ws, sizes);
            }
        }
        Ok(())
    }

    /// The logs of which some events name texts that are not copied yet.
    async fn unknown_texts(
        &mut self,
        tenant: i64,
        events: &[Event],
    ) -> Result<BTreeSet<i64>, StoreError> {
        let mut wanted = BTreeSet::new();
        for event in events {
            let Some(content) = &event.content else {
                continue;
            };
            let sizes = self.sizes_of((tenant, event.ws)).await?;
            let is_there = |table: usize, number: Number| i64::from(number) <= sizes[table];
            let is_known = is_there(ACTOR, content.actor)
                && is_there(ACTION, content.action)
                && is_there(TARGET, content.target)
                && content.via.is_none_or(|via| is_there(VIA, via))
                && content.related.is_none_or(|set| is_there(RELATED, set));
            if !is_known {
                wanted.insert(event.ws);
            }
        }
        Ok(wanted)
    }

    /// Copies the texts that events name and that came since.
    pub(super) async fn copy_new_texts(
        &mut self,
        from: &mut Connection,
        tenant: i64,
        events: &[Event],
    ) -> Result<(), StoreError> {
        for ws in self.unknown_texts(tenant, events).await? {
            self.copy_texts(from, (tenant, ws)).await?;
        }
        Ok(())
    }

    /// Writes events of a tenant in one transaction, after those that are there.
    pub(super) async fn write_events(
        &mut self,
        tenant: i64,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        if self.end.is_postgres() {
            return self.write_to_postgres(tenant, events).await;
        }
        let head = self.head;
        let (mut leaves, mut contents) = (Vec::new(), Vec::new());
        for (n, event) in (head + 1..).zip(events) {
            leaves.push(Leaf {
                n,
                tenant,
                seq: event.seq,
                id: event.id,
                ws: event.ws,
                occurred_at: event.occurred_at,
                recorded_at: event.recorded_at,
                parts: event.parts,
            });
            let Some(content) = event.content else {
                continue;
            };
            contents.push(content.row(n));
        }
        // Here ids rise in each tenant, and not in all of them together.
        let lifted = self.begin_without(&[("leaf", "leaf_is_next")]).await?;
        let connection = self.end.connection.sqlite()?;
        self.statements
            .write_leaves(&mut *connection, &leaves)
            .await?;
        self.statements
            .write_contents(connection, &contents)
            .await?;
        self.commit_with(lifted).await?;
        self.head += i64::try_from(leaves.len()).unwrap_or_default();
        Ok(())
    }

    /// Where an event lies on PostgreSQL.
    fn lies(&self, tenant: i64, event: &Event) -> Lies {
        Lies {
            tenant,
            ws: event.ws,
            seq: event.seq,
            at: event.occurred_at,
            class: event.class.unwrap_or_else(|| self.class(event)),
        }
    }

    /// The row of what an event says on PostgreSQL, where it says something.
    pub(super) fn row<'e>(
        &self,
        tenant: i64,
        event: &'e Event,
    ) -> Result<Option<(Lies, Says<'e>, Numbered)>, StoreError> {
        let Some(content) = &event.content else {
            return Ok(None);
        };
        let known = self.known.get(&event.ws);
        let known = known.ok_or_else(|| damaged("a log has no texts"))?;
        let says = Says {
            outcome: u8::try_from(content.outcome).map_err(|_| damaged("an outcome is broken"))?,
            operation: content.operation.as_deref(),
            key: content.key,
            salt: &content.salt,
            source: content.source,
            keep: content.keep,
            body: content.body.as_deref(),
            erased: content.erased,
            proofs: content.proofs.as_deref(),
        };
        let lies = self.lies(tenant, event);
        Ok(Some((lies, says, known.numbered(content)?)))
    }

    async fn write_to_postgres(
        &mut self,
        tenant: i64,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        let mut rows = LogRows::default();
        let mut wanted = Vec::new();
        let mut keys: [Vec<i64>; 3] = Default::default();
        let last = events.last().map(|event| (event.seq, event.id));
        for event in &events {
            let lies = self.lies(tenant, event);
            rows.add_leaf(lies, &event.id, event.recorded_at, &event.parts);
            let Some((lies, says, numbers)) = self.row(tenant, event)? else {
                continue;
            };
            wanted.push((lies.class, lies.at));
            if let Some(key) = says.key {
                keys[0].push(event.ws);
                keys[1].push(key.key);
                keys[2].push(key.rest);
            }
            rows.add_content(lies, &says, &numbers);
        }
        let connection = self.end.connection.postgres()?;
        self.partitions.add(&mut *connection, &wanted).await?;
        self.end.connection.run("BEGIN").await?;
        let connection = self.end.connection.postgres()?;
        // A key may be sent again when the event that it came with is gone; of that it is told later.
        let [logs, firsts, rests] = keys;
        sqlx::query(
            "DELETE FROM idempotency k USING unnest($2::BIGINT[], $3::BIGINT[], $4::BIGINT[]) \
                 AS x(ws, key, rest) \
             WHERE k.tenant = $1 AND k.ws = x.ws AND k.key = x.key AND k.key_rest = x.rest",
        )
        .bind(tenant)
        .bind(logs)
        .bind(firsts)
        .bind(rests)
        .execute(&mut *connection)
        .await?;
        rows.write(&mut *connection).await?;
        if let Some((seq, id)) = last {
            sqlx::query(
                "INSERT INTO tenant_head (tenant, seq, id) VALUES ($1, $2, $3) \
                 ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, id = excluded.id",
            )
            .bind(tenant)
            .bind(seq)
            .bind(id.as_bytes().to_vec())
            .execute(&mut *connection)
            .await?;
        }
        Ok(self.end.connection.run("COMMIT").await?)
    }

    /// In which class an event's content lies: as when it is recorded.
    fn class(&self, event: &Event) -> i16 {
        let class = self.classes.get(&event.ws).copied().unwrap_or(0);
        let age = self.now.micros() - event.occurred_at;
        let keep = event.content.as_ref().is_some_and(|content| content.keep);
        if keep || age > i64::from(class) * DAY {
            return 0;
        }
        class
    }

    /// Begins a transaction in which some triggers, each of a table, are not asked: they hold what comes
    /// in to what is so for what is recorded now. Killed, all is as it was.
    pub(super) async fn begin_without(
        &mut self,
        triggers: &[(&'static str, &'static str)],
    ) -> Result<Vec<String>, StoreError> {
        let connection = &mut self.end.connection;
        let mut back = Vec::new();
        match connection.dialect() {
            Dialect::Sqlite => {
                connection.run("BEGIN IMMEDIATE").await?;
                for (_, trigger) in triggers {
                    let text: String = database::query_scalar(
                        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?",
                    )
                    .bind(*trigger)
                    .fetch_one(&mut *connection)
                    .await?;
                    say(connection, format!("DROP TRIGGER {trigger}")).await?;
                    back.push(text);
                }
            }
            Dialect::Postgres => {
                connection.run("BEGIN").await?;
                for (table, trigger) in triggers {
                    say(
                        connection,
                        format!("ALTER TABLE {table} DISABLE TRIGGER {trigger}"),
                    )
                    .await?;
                    back.push(format!("ALTER TABLE {table} ENABLE TRIGGER {trigger}"));
                }
            }
        }
        Ok(back)
    }

    /// Commits it, with the triggers in their places again.
    pub(super) async fn commit_with(&mut self, triggers: Vec<String>) -> Result<(), StoreError> {
        for trigger in triggers {
            self.end.say(trigger).await?;
        }
        Ok(self.end.connection.run("COMMIT").await?)
    }

    /// Brings SQLite's index up to date while the source still takes what is sent, so that there is
    /// little to do when the target is opened. Tells after each step how many of how many events it
    /// holds.
    pub(super) async fn bring_index_on(
        &mut self,
        installation: &[u8],
        mut told: impl FnMut(i64, i64) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        let (Some(files), Some(lock)) = (self.end.files(), &self.end.lock) else {
            return Ok(());
        };
        let lock = lock
            .try_clone()
            .map_err(|error| StoreError::Database(error.to_string()))?;
        let installation = <[u8; 16]>::try_from(installation)
            .map_err(|_| damaged("the installation's id is broken"))?;
        let mut indexer = Indexer::open(&files, lock, &installation).await?;
        loop {
            let (mark, head) = indexer.step(0, 0).await?;
            told(mark, head)?;
            if mark >= head {
                break;
            }
        }
        indexer.note_unnamed().await?;
        Ok(indexer.close().await?)
    }

    /// An index of what is not there any more is made anew when the target is opened.
    fn discard_index(&self) -> Result<(), StoreError> {
        self.end
            .files()
            .map_or(Ok(()), |files| files.remove_index())
    }

    /// Removes the contents of events of a tenant, with all that was made of them.
    pub(super) async fn remove_contents(
        &mut self,
        tenant: i64,
        numbers: &[i64],
    ) -> Result<(), StoreError> {
        self.discard_index()?;
        for some in numbers.chunks(REMOVED_AT_ONCE) {
            let lifted = self.begin_without(&[("content", "content_stays")]).await?;
            let connection = &mut self.end.connection;
            match connection.which() {
                Which::Sqlite(_) => {
                    database::query(
                        "DELETE FROM content WHERE n IN (SELECT n FROM leaf WHERE tenant = ? \
                             AND seq IN (SELECT value FROM json_each(?)))",
                    )
                    .bind(tenant)
                    .bind(some.to_vec())
                    .execute(connection)
                    .await?;
                }
                Which::Postgres(connection) => {
                    let removed = sqlx::query(REMOVE).bind(tenant).bind(some.to_vec());
                    removed.execute(connection).await?;
                }
            }
            self.commit_with(lifted).await?;
        }
        Ok(())
    }

    /// Empties the texts of a log that are empty where they come from.
    pub(super) async fn empty_texts(
        &mut self,
        from: &mut Connection,
        log: (i64, i64),
    ) -> Result<(), StoreError> {
        for (at, trigger) in [(ACTOR, "actor_keeps"), (TARGET, "target_keeps")] {
            let table = &TEXTS[at];
            let mut after = 0;
            loop {
                let numbers = read::empty_texts(from, table, log, after, REMOVED_AT_ONCE).await?;
                let Some(last) = numbers.last() else { break };
                let range = (after, *last);
                after = *last;
                let connection = &mut self.end.connection;
                let here =
                    read::empty_texts(connection, table, log, range.0, REMOVED_AT_ONCE).await?;
                let here: BTreeSet<i64> = here.into_iter().collect();
                let full: Vec<i64> = numbers
                    .into_iter()
                    .filter(|number| !here.contains(number))
                    .collect();
                if full.is_empty() {
                    continue;
                }
                let lifted = self.begin_without(&[(table.name, trigger)]).await?;
                let set: Vec<String> = table.columns[1..]
                    .iter()
                    .map(|(name, _)| format!("{name} = NULL"))
                    .collect();
                let mut sql = Sql::default();
                sql.add("UPDATE ")
                    .add(table.name)
                    .add(" SET ")
                    .add(&set.join(", "));
                sql.with(" WHERE ws = ?", log.1);
                if self.end.is_postgres() {
                    sql.with(" AND tenant = ?", log.0);
                }
                sql.with(" AND num IN (SELECT value FROM json_each(?))", full);
                sql.untold().execute(&mut self.end.connection).await?;
                self.commit_with(lifted).await?;
            }
        }
        Ok(())
    }

    /// Writes what is administered, and the releases, as they are where they come from: all of it or,
    /// killed, nothing.
    pub(super) async fn write_administered(
        &mut self,
        from: &mut Connection,
    ) -> Result<(), StoreError> {
        let lifted = [
            ("release", "release_is_due"),
            ("erasure", "erasure_is_told"),
            ("erasure_event", "erasure_event_is_new"),
            ("erasure_damage", "erasure_damage_is_named"),
            // They come as they are, those that are there already among them.
            ("signing_key", "signing_key_is_next"),
            ("tile", "tile_is_next"),
            ("checkpoint", "checkpoint_is_next"),
        ];
        let lifted = self.begin_without(&lifted).await?;
        // Its signing key may have been rotated since.
        let installation = read::rows(from, &INSTALLATION, None).await?;
        bring_up_to_date(&mut self.end.connection, &INSTALLATION, &installation).await?;
        for table in ADMINISTERED.iter().rev() {
            if table.kept == Kept::Anew {
                self.end.say(format!("DELETE FROM {}", table.name)).await?;
            }
        }
        // An address that one person had when it was copied before may be another's now.
        let aside = "UPDATE person SET email = 'copied ' || id";
        self.end.say(aside.to_owned()).await?;
        for table in ADMINISTERED {
            let mut after: Option<Row> = None;
            loop {
                let rows = read::rows(from, table, after.as_ref()).await?;
                let connection = &mut self.end.connection;
                match table.kept {
                    Kept::Ever => bring_up_to_date(connection, table, &rows).await?,
                    Kept::Added => {
                        insert_or(connection, table, &[], &rows, " ON CONFLICT DO NOTHING").await?;
                    }
                    Kept::Anew => insert(connection, table, &[], &rows).await?,
                }
                after = rows.into_iter().next_back();
                if after.is_none() {
                    break;
                }
            }
        }
        self.write_holds(from).await?;
        self.write_releases(from).await?;
        self.write_erasures(from).await?;
        if self.end.is_postgres() {
            self.end_on_postgres().await?;
        }
        self.commit_with(lifted).await
    }

    /// One by one: each has the number after those that are there.
    async fn write_holds(&mut self, from: &mut Connection) -> Result<(), StoreError> {
        let mut after: Option<Row> = None;
        loop {
            let rows = read::rows(from, &HOLD, after.as_ref()).await?;
            let connection = &mut self.end.connection;
            for row in &rows {
                let [Value::Integer(id), .., reason, by, at] = &row[..] else {
                    return Err(damaged("a hold is broken"));
                };
                let standing: Option<bool> =
                    database::query_scalar("SELECT lifted_at IS NULL FROM hold WHERE id = ?")
                        .bind(*id)
                        .fetch_optional(&mut *connection)
                        .await?;
                match (standing, at) {
                    (None, _) => insert(connection, &HOLD, &[], std::slice::from_ref(row)).await?,
                    (Some(true), Value::Integer(_)) => {
                        database::query(
                            "UPDATE hold SET lifted_reason = ?, lifted_by = ?, lifted_at = ? \
                             WHERE id = ?",
                        )
                        .bind(reason.clone())
                        .bind(by.clone())
                        .bind(at.clone())
                        .bind(*id)
                        .execute(&mut *connection)
                        .await?;
                    }
                    (Some(_), _) => {}
                }
            }
            after = rows.into_iter().next_back();
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// One by one, as holds.
    async fn write_releases(&mut self, from: &mut Connection) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let some = read::releases(from, after).await?;
            let Some(last) = some.last() else {
                return Ok(());
            };
            after = last.id;
            for release in some {
                self.write_release(&release).await?;
            }
        }
    }

    async fn write_release(&mut self, release: &Release) -> Result<(), StoreError> {
        let connection = &mut self.end.connection;
        let unfinished: Option<bool> =
            database::query_scalar("SELECT finished_at IS NULL FROM release WHERE id = ?")
                .bind(release.id)
                .fetch_optional(&mut *connection)
                .await?;
        match (unfinished, release.finished_at) {
            (None, _) => {
                let text = match connection.dialect() {
                    Dialect::Sqlite => {
                        "INSERT INTO release (id, ws, n, before, events, finished_at) \
                         SELECT ?1, ?3, l.n, ?5, ?6, ?7 FROM leaf l WHERE l.tenant = ?2 AND l.seq = ?4"
                    }
                    Dialect::Postgres => {
                        "INSERT INTO release (id, tenant, ws, seq, before, events, finished_at) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                    }
                };
                let values = release.values();
                let query = values
                    .into_iter()
                    .fold(database::query(text), database::Query::bind);
                query.execute(connection).await?;
            }
            (Some(true), Some(finished_at)) => {
                database::query("UPDATE release SET finished_at = ? WHERE id = ?")
                    .bind(finished_at)
                    .bind(release.id)
                    .execute(connection)
                    .await?;
            }
            (Some(_), _) => {}
        }
        Ok(())
    }

    /// What only PostgreSQL keeps: the last numbers of texts, the next numbers of rows; and of releases
    /// that are not finished, that the texts are to be emptied that nothing names any more.
    async fn end_on_postgres(&mut self) -> Result<(), StoreError> {
        let connection = &mut self.end.connection;
        let logs: Vec<(i64, i64)> = database::query_as(
            "SELECT tenant, id FROM workspace UNION ALL SELECT id, -id FROM tenant ORDER BY 1, 2",
        )
        .fetch_all(&mut *connection)
        .await?;
        for (tenant, ws) in logs {
            let mut sizes = [0; 6];
            for (size, table) in sizes.iter_mut().zip(&TEXTS) {
                *size = read::last_text(connection, table, (tenant, ws)).await?;
            }
            let sizes = sizes.map(|size| i32::try_from(size).unwrap_or(i32::MAX));
            if sizes == [0; 6] {
                continue;
            }
            sqlx::query(
                "INSERT INTO text_head (tenant, ws, related, via, target, actor, kind, action) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, ws) DO UPDATE \
                 SET related = excluded.related, via = excluded.via, target = excluded.target, \
                     actor = excluded.actor, kind = excluded.kind, action = excluded.action",
            )
            .bind(tenant)
            .bind(ws)
            .bind(sizes[RELATED])
            .bind(sizes[VIA])
            .bind(sizes[TARGET])
            .bind(sizes[ACTOR])
            .bind(sizes[KIND])
            .bind(sizes[ACTION])
            .execute(connection.postgres()?)
            .await?;
        }
        for (what, table) in [(1_i16, "actor"), (4, "target")] {
            self.end
                .say(format!(
                    "INSERT INTO tally (tenant, ws, what, key, other, events, entries) \
                     SELECT x.tenant, x.ws, {what}, x.num, 0, 0, 0 FROM {table} x \
                     WHERE x.ws IN (SELECT ws FROM release WHERE finished_at IS NULL \
                         UNION SELECT ws FROM erasure WHERE finished_at IS NULL) \
                     ON CONFLICT DO NOTHING"
                ))
                .await?;
        }
        for table in ["tenant", "workspace", "person", "token", "invite"] {
            self.end
                .say(format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'id'), \
                         (SELECT coalesce(max(id), 0) + 1 FROM {table}), FALSE)"
                ))
                .await?;
        }
        Ok(())
    }

    /// Adds up what was counted of all logs, on PostgreSQL.
    pub(super) async fn add_up(&mut self) -> Result<(), StoreError> {
        if !self.end.is_postgres() {
            return Ok(());
        }
        let logs: BTreeMap<i64, i64> = database::query_as::<(i64, i64)>(
            "/* of all tenants */ SELECT DISTINCT ws, tenant FROM tally_change ORDER BY ws",
        )
        .fetch_all(&mut self.end.connection)
        .await?
        .into_iter()
        .collect();
        for (ws, tenant) in logs {
            sqlx::query("SELECT add_up($1, $2)")
                .bind(tenant)
                .bind(ws)
                .execute(self.end.connection.postgres()?)
                .await?;
        }
        sqlx::query("SELECT look_at_young_tables()")
            .execute(self.end.connection.postgres()?)
            .await?;
        Ok(())
    }
}

/// A table of texts with their log and number.
fn text_table(at: usize) -> Table {
    use super::tables::Type::{Integer, Text};
    let columns: &[_] = match at {
        RELATED | VIA => &[("ws", Integer), ("num", Integer), ("members", Text)],
        TARGET => &[
            ("ws", Integer),
            ("num", Integer),
            ("kind", Integer),
            ("id", Text),
            ("name", Text),
            ("url", Text),
        ],
        ACTOR => &[
            ("ws", Integer),
            ("num", Integer),
            ("kind", Text),
            ("id", Text),
            ("name", Text),
            ("email", Text),
        ],
        KIND => &[("ws", Integer), ("num", Integer), ("kind", Text)],
        _ => &[
            ("ws", Integer),
            ("num", Integer),
            ("action", Text),
            ("verb", Text),
            ("category", Text),
        ],
    };
    Table {
        name: TEXTS[at].name,
        columns,
        key: 2,
        kept: Kept::Ever,
    }
}

/// Removes contents of a tenant with all that was made of them: what the schema's `remove_batch` does,
/// for events that are named.
const REMOVE: &str = "WITH batch AS (
        DELETE FROM content c USING leaf l
        WHERE l.tenant = $1 AND l.seq = ANY ($2) AND c.tenant = $1
            AND c.ws = l.ws AND c.at = l.occurred_at AND c.seq = l.seq AND c.class = l.class
        RETURNING c.class, c.at, c.seq, c.ws, c.actor, c.via, c.action, c.kind, c.target, c.related,
            c.outcome, c.key, c.key_rest
    ), beside AS MATERIALIZED (
        SELECT DISTINCT b.ws, b.class, b.at, b.seq, b.actor, 1 AS what, m.value::INTEGER AS key
        FROM batch b JOIN via v ON v.tenant = $1 AND v.ws = b.ws AND v.num = b.via
        CROSS JOIN LATERAL jsonb_array_elements_text(v.members::jsonb) m
        UNION
        SELECT b.ws, b.class, b.at, b.seq, b.actor, x.what, x.key
        FROM batch b JOIN related s ON s.tenant = $1 AND s.ws = b.ws AND s.num = b.related
        CROSS JOIN LATERAL jsonb_array_elements_text(s.members::jsonb) m
        JOIN target t ON t.tenant = $1 AND t.ws = b.ws AND t.num = m.value::INTEGER
        CROSS JOIN LATERAL (VALUES (2, t.num), (3, t.kind)) x(what, key)
    ), entries AS (
        DELETE FROM entry e USING beside x
        WHERE e.tenant = $1 AND e.ws = x.ws AND e.what = x.what AND e.key = x.key
            AND e.at = x.at AND e.seq = x.seq AND e.class = x.class
    ), keys AS (
        DELETE FROM idempotency k USING batch b
        WHERE k.tenant = $1 AND k.ws = b.ws AND k.key = b.key AND k.key_rest = b.key_rest
            AND k.seq = b.seq
    ), tallies AS (
        SELECT ws, what, key, other, sum(events)::INTEGER AS events, sum(entries)::INTEGER AS entries
        FROM (
            SELECT b.ws, x.what, x.key, x.other, -1 AS events, -1 AS entries FROM batch b
            CROSS JOIN LATERAL (VALUES (1, b.actor, 0), (2, b.action, 0), (3, b.kind, 0),
                (4, b.target, 0), (5, b.outcome::INTEGER, 0), (6, b.action, b.actor),
                (7, b.action, b.kind)) x(what, key, other)
            UNION ALL
            SELECT ws, CASE what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, key, 0, 0, -1 FROM beside
            UNION ALL
            SELECT ws, 8, key, actor, -1, -1 FROM beside WHERE what = 1
        ) each
        GROUP BY ws, what, key, other
    )
    INSERT INTO tally_change (tenant, ws, what, n, key, other, events, entries)
    SELECT $1, ws, what,
        (SELECT least(coalesce(min(n), 0), 0) - 1 FROM tally_change WHERE tenant = $1),
        array_agg(key), array_agg(other), array_agg(events), array_agg(entries)
    FROM tallies GROUP BY ws, what";
