//! What was erased while it was copied, and the releases under which it was.

use super::{
    read::{self, ErasedEvent, Erasure, Event},
    write::Writer,
};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Which},
    postgres::LogRows,
    sqlite::damaged,
};

/// An event of which something was erased: its number in the tenant, which parts, and who stands there.
pub(super) type ErasedContent = (i64, i64, i64, Option<i64>);

/// Of the events of a tenant after a number and up to another, those of which something was erased.
pub(super) async fn contents(
    connection: &mut Connection,
    tenant: i64,
    (after, to): (i64, i64),
) -> Result<Vec<ErasedContent>, StoreError> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT l.seq, c.erased, c.actor, c.via FROM leaf l JOIN content c ON c.n = l.n \
             WHERE l.tenant = ? AND l.seq > ? AND l.seq <= ? AND c.erased IS NOT NULL ORDER BY l.seq"
        }
        Dialect::Postgres => {
            "SELECT l.seq, c.erased, c.actor, c.via FROM leaf l JOIN content c \
                 ON c.tenant = l.tenant AND c.ws = l.ws AND c.at = l.occurred_at AND c.seq = l.seq \
                 AND c.class = l.class \
             WHERE l.tenant = ? AND l.seq > ? AND l.seq <= ? AND c.erased IS NOT NULL ORDER BY l.seq"
        }
    };
    let rows = database::query(text)
        .bind(tenant)
        .bind(after)
        .bind(to)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get(0)?,
                row.try_get(1)?,
                row.try_get(2)?,
                row.try_get(3)?,
            ))
        })
        .collect()
}

impl Writer {
    /// Writes what an event says now in the place of what it said when it was copied.
    pub(super) async fn write_again(
        &mut self,
        source: &mut Connection,
        tenant: i64,
        seq: i64,
    ) -> Result<(), StoreError> {
        let events = read::events_as_they_are(source, tenant, (seq - 1, seq)).await?;
        self.copy_new_texts(source, tenant, &events).await?;
        self.remove_contents(tenant, &[seq]).await?;
        for event in events {
            if self.end.is_postgres() {
                self.put_on_postgres(tenant, &event).await?;
            } else {
                self.put_on_sqlite(tenant, event).await?;
            }
        }
        Ok(())
    }

    async fn put_on_sqlite(&mut self, tenant: i64, event: Event) -> Result<(), StoreError> {
        let Some(content) = event.content else {
            return Ok(());
        };
        let n: i64 = database::query_scalar("SELECT n FROM leaf WHERE tenant = ? AND seq = ?")
            .bind(tenant)
            .bind(event.seq)
            .fetch_one(&mut self.end.connection)
            .await?;
        let lifted = self
            .begin_without(&[("content", "content_is_next")])
            .await?;
        let Which::Sqlite(connection) = self.end.connection.which() else {
            return Err(damaged("a file is none"));
        };
        let contents = [content.row(n)];
        self.statements
            .write_contents(connection, &contents)
            .await?;
        self.commit_with(lifted).await
    }

    async fn put_on_postgres(&mut self, tenant: i64, event: &Event) -> Result<(), StoreError> {
        let Some((lies, says, numbers)) = self.row(tenant, event)? else {
            return Ok(());
        };
        let mut rows = LogRows::default();
        rows.add_content(lies, &says, &numbers);
        // As what goes, not after the last event: these changes are not of a group of new ones.
        let n: i64 = database::query_scalar(
            "SELECT least(coalesce(min(n), 0), 0) - 1 FROM tally_change WHERE tenant = ?",
        )
        .bind(tenant)
        .fetch_one(&mut self.end.connection)
        .await?;
        rows.tally_as(tenant, n);
        let wanted = [(lies.class, lies.at)];
        let connection = self.end.connection.postgres()?;
        self.partitions.add(&mut *connection, &wanted).await?;
        self.end.connection.run("BEGIN").await?;
        rows.write(self.end.connection.postgres()?).await?;
        Ok(self.end.connection.run("COMMIT").await?)
    }

    /// Writes the releases by erasure, one by one, with what they name.
    pub(super) async fn write_erasures(&mut self, from: &mut Connection) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let some = read::erasures(from, after).await?;
            let Some(last) = some.last() else {
                return Ok(());
            };
            after = last.id;
            for erasure in some {
                self.write_erasure(from, &erasure).await?;
            }
        }
    }

    async fn write_erasure(
        &mut self,
        from: &mut Connection,
        erasure: &Erasure,
    ) -> Result<(), StoreError> {
        let connection = &mut self.end.connection;
        let unfinished: Option<bool> =
            database::query_scalar("SELECT finished_at IS NULL FROM erasure WHERE id = ?")
                .bind(erasure.id)
                .fetch_optional(&mut *connection)
                .await?;
        match (unfinished, erasure.finished_at) {
            (None, _) => {
                let events = read::erased_events(from, erasure.id).await?;
                for event in &events {
                    write_event(connection, erasure, event).await?;
                }
                write_damage(connection, erasure, &events).await?;
                let text = match connection.dialect() {
                    Dialect::Sqlite => {
                        "INSERT INTO erasure (id, ws, n, events, finished_at) \
                         SELECT ?1, ?3, l.n, ?5, ?6 FROM leaf l WHERE l.tenant = ?2 AND l.seq = ?4"
                    }
                    Dialect::Postgres => {
                        "INSERT INTO erasure (id, tenant, ws, seq, events, finished_at) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                    }
                };
                let values = erasure.values().into_iter();
                let query = values.fold(database::query(text), database::Query::bind);
                query.execute(connection).await?;
            }
            (Some(true), Some(finished_at)) => {
                let events = read::erased_events(from, erasure.id).await?;
                write_damage(connection, erasure, &events).await?;
                database::query("UPDATE erasure SET finished_at = ? WHERE id = ?")
                    .bind(finished_at)
                    .bind(erasure.id)
                    .execute(connection)
                    .await?;
            }
            (Some(_), _) => {}
        }
        Ok(())
    }
}

/// Writes which of the events that a release names could not be erased.
async fn write_damage(
    connection: &mut Connection,
    erasure: &Erasure,
    events: &[ErasedEvent],
) -> Result<(), StoreError> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "INSERT INTO erasure_damage (erasure, n, what) \
             SELECT ?1, l.n, ?4 FROM leaf l WHERE l.tenant = ?2 AND l.seq = ?3 ON CONFLICT DO NOTHING"
        }
        Dialect::Postgres => {
            "INSERT INTO erasure_damage (erasure, seq, what) SELECT ?1, ?3, ?4 WHERE ?2 > 0 \
             ON CONFLICT DO NOTHING"
        }
    };
    for event in events {
        let Some(what) = &event.damage else { continue };
        database::query(text)
            .bind(erasure.id)
            .bind(erasure.tenant)
            .bind(event.seq)
            .bind(what.clone())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn write_event(
    connection: &mut Connection,
    erasure: &Erasure,
    event: &ErasedEvent,
) -> Result<(), StoreError> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "INSERT INTO erasure_event (erasure, n, parts, actor, via, target, related) \
             SELECT ?1, l.n, ?4, ?5, ?6, ?7, ?8 FROM leaf l WHERE l.tenant = ?2 AND l.seq = ?3"
        }
        Dialect::Postgres => {
            "INSERT INTO erasure_event (erasure, seq, parts, actor, via, target, related) \
             SELECT ?1, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?2 > 0"
        }
    };
    let query = database::query(text).bind(erasure.id).bind(erasure.tenant);
    let values = event.values().into_iter();
    let query = values.fold(query, database::Query::bind);
    query.execute(connection).await?;
    Ok(())
}
