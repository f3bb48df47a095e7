//! Texts that come again and again, on their way to numbers.

use super::LogId;
use crate::{
    StoreError,
    database::Connection,
    postgres::rows::Rows,
    sqlite::{
        Admitted,
        append::Additions,
        change::Log,
        dictionaries::{Dictionaries, Extent, Shared, damaged},
    },
};
use domain::event::NewEvent;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The texts of the logs of a group, with what is added to them.
pub(super) type Texts = BTreeMap<LogId, Additions>;

/// Numbers for the texts of a group: those that are known, and where there are new ones, those that
/// a transaction of its own gives them.
pub(super) async fn texts_of(
    connection: &mut Connection,
    dictionaries: &Dictionaries,
    events: &[Admitted],
    is_stale: bool,
) -> Result<Texts, StoreError> {
    let mut texts = Texts::new();
    let mut is_known = !is_stale;
    for event in events {
        if !is_known {
            break;
        }
        let log = (event.tenant, event.ws);
        let Some(shared) = dictionaries.latest(event.ws) else {
            is_known = false;
            continue;
        };
        let additions = texts.entry(log).or_insert_with(|| Additions::new(shared));
        additions.numbers(event);
        is_known = additions.is_empty();
    }
    if is_known {
        return Ok(texts);
    }
    connection.run("BEGIN").await?;
    let added = locked_texts(connection, dictionaries, events, &[]).await?;
    connection.run("COMMIT").await?;
    let logs: Vec<LogId> = added.keys().copied().collect();
    let shared: Vec<Arc<Shared>> = added.values().map(|new| Arc::clone(new.shared())).collect();
    publish(added);
    Ok(logs
        .into_iter()
        .zip(shared)
        .map(|(log, shared)| (log, Additions::new(shared)))
        .collect())
}

/// Holds the texts of the logs of a group, reads what others added, and adds what is new; also of
/// `shapes`, each with the log, which are not recorded. They count only when the transaction is committed.
pub(super) async fn locked_texts(
    connection: &mut Connection,
    dictionaries: &Dictionaries,
    events: &[Admitted],
    shapes: &[(i64, &NewEvent)],
) -> Result<Texts, StoreError> {
    let logs: BTreeSet<LogId> = events
        .iter()
        .map(|event| (event.tenant, event.ws))
        .collect();
    let mut texts = Texts::new();
    for (tenant, ws) in logs {
        let extent = hold_texts(connection.postgres()?, tenant, ws).await?;
        if let Some(known) = dictionaries.latest(ws)
            && extent.is_behind(known.read().sizes())
        {
            lost_texts(dictionaries, ws, &known);
        }
        let shared = dictionaries
            .extend(connection, Log { ws, tenant }, extent)
            .await?;
        let mut additions = Additions::new(shared);
        for event in events.iter().filter(|event| event.ws == ws) {
            additions.numbers(event);
        }
        for (_, shape) in shapes.iter().filter(|(of, _)| *of == ws) {
            additions.numbers_of(shape);
        }
        if !additions.is_empty() {
            write_texts(connection.postgres()?, tenant, ws, &additions).await?;
        }
        texts.insert((tenant, ws), additions);
    }
    Ok(texts)
}

const TEXT_HEAD: &str = "SELECT actor, via, action, kind, target, related, emptied \
    FROM text_head WHERE tenant = $1 AND ws = $2 FOR UPDATE";

async fn hold_texts(
    connection: &mut PgConnection,
    tenant: i64,
    ws: i64,
) -> Result<Extent, StoreError> {
    let held = sqlx::query(TEXT_HEAD)
        .bind(tenant)
        .bind(ws)
        .fetch_optional(&mut *connection)
        .await?;
    let row = match held {
        Some(row) => row,
        None => {
            sqlx::query(
                "INSERT INTO text_head (tenant, ws) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(tenant)
            .bind(ws)
            .execute(&mut *connection)
            .await?;
            sqlx::query(TEXT_HEAD)
                .bind(tenant)
                .bind(ws)
                .fetch_one(&mut *connection)
                .await?
        }
    };
    extent(&row, 0)
}

/// Reads the last numbers of texts, and how often some were emptied, from column `from` on.
pub(super) fn extent(row: &PgRow, from: usize) -> Result<Extent, StoreError> {
    let mut sizes = [0_u32; 6];
    for (at, size) in sizes.iter_mut().enumerate() {
        *size = u32::try_from(row.try_get::<i32, _>(from + at)?)
            .map_err(|_| damaged("the last number of a text is none"))?;
    }
    let emptied: i32 = row.try_get(from + 6)?;
    Ok(Extent::of(sizes, i64::from(emptied)))
}

/// Forgets the texts of a log of which more are known than there are: the database has lost what it had
/// said to be durable, and may give their numbers to others.
pub(super) fn lost_texts(dictionaries: &Dictionaries, ws: i64, known: &Arc<Shared>) {
    tracing::warn!("the database has lost texts of the log {ws}; they are read again");
    dictionaries.forget(ws, known);
}

async fn write_texts(
    connection: &mut PgConnection,
    tenant: i64,
    ws: i64,
    additions: &Additions,
) -> Result<(), StoreError> {
    let new = additions.new_texts();
    let mut rows = Rows::default();
    for (number, actor) in &new.actors {
        rows.row().big(tenant).big(ws).number(*number);
        rows.text(actor.kind.as_str())
            .text_or_null(actor.id.as_deref())
            .text_or_null(actor.name.as_deref())
            .text_or_null(actor.email.as_deref());
    }
    let into = "actor (tenant, ws, num, kind, id, name, email)";
    rows.write(connection, into).await?;
    for (into, sets) in [
        ("via (tenant, ws, num, members)", &new.vias),
        ("related (tenant, ws, num, members)", &new.related),
    ] {
        let mut rows = Rows::default();
        for (number, members) in sets {
            rows.row().big(tenant).big(ws).number(*number).text(members);
        }
        rows.write(connection, into).await?;
    }
    let mut rows = Rows::default();
    for (number, named) in &new.actions {
        rows.row().big(tenant).big(ws).number(*number);
        rows.text(named.action.as_str())
            .text_or_null(named.verb.map(domain::verb::Verb::as_str))
            .text_or_null(named.category.map(domain::category::Category::as_str));
    }
    let into = "action (tenant, ws, num, action, verb, category)";
    rows.write(connection, into).await?;
    let mut rows = Rows::default();
    for (number, kind) in &new.kinds {
        rows.row()
            .big(tenant)
            .big(ws)
            .number(*number)
            .text(kind.as_str());
    }
    let into = "kind (tenant, ws, num, kind)";
    rows.write(connection, into).await?;
    let mut rows = Rows::default();
    for (number, target, kind) in &new.targets {
        rows.row().big(tenant).big(ws).number(*number).number(*kind);
        rows.text_or_null(target.id.as_deref())
            .text_or_null(target.name.as_deref())
            .text_or_null(target.url.as_deref());
    }
    let into = "target (tenant, ws, num, kind, id, name, url)";
    rows.write(connection, into).await?;
    sqlx::query(
        "UPDATE text_head SET actor = actor + $3, via = via + $4, action = action + $5, \
             kind = kind + $6, target = target + $7, related = related + $8 \
         WHERE tenant = $1 AND ws = $2",
    )
    .bind(tenant)
    .bind(ws)
    .bind(length(&new.actors))
    .bind(length(&new.vias))
    .bind(length(&new.actions))
    .bind(length(&new.kinds))
    .bind(length(&new.targets))
    .bind(length(&new.related))
    .execute(connection)
    .await?;
    Ok(())
}

/// The database refuses a sum beyond this.
fn length<T>(list: &[T]) -> i32 {
    i32::try_from(list.len()).unwrap_or(i32::MAX)
}

/// Takes the texts of a committed transaction over into the dictionaries that everybody reads.
pub(super) fn publish(texts: Texts) {
    for additions in texts.into_values() {
        additions.publish();
    }
}
