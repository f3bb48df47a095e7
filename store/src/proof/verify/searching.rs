//! Whether what is kept to search by is what the log comes to: who alters it alters what is found, and not
//! what was recorded. On SQLite that is the index, on PostgreSQL what stands in tables and columns beside
//! what was recorded.

use super::{VerifyError, Wrong, parsed};
use crate::{
    StoreError,
    database::{self, Connection},
    sqlite::Strange,
};
use domain::slug::Slug;

/// The first entry of a tenant that does not stand under whom and what else it concerns, or stands under
/// something else.
const ENTRIES: &str = "WITH others AS ( \
         SELECT c.ws, c.seq, m.value::INTEGER AS num FROM content c \
         JOIN related r ON r.tenant = ?1 AND r.ws = c.ws AND r.num = c.related \
         JOIN LATERAL json_array_elements_text(r.members::JSON) m ON TRUE \
         WHERE c.tenant = ?1 \
     ), keys AS ( \
         SELECT c.ws, c.seq, 1 AS what, m.value::INTEGER AS key FROM content c \
         JOIN via v ON v.tenant = ?1 AND v.ws = c.ws AND v.num = c.via \
         JOIN LATERAL json_array_elements_text(v.members::JSON) m ON TRUE \
         WHERE c.tenant = ?1 \
         UNION SELECT ws, seq, 2, num FROM others \
         UNION SELECT o.ws, o.seq, 3, t.kind FROM others o \
         JOIN target t ON t.tenant = ?1 AND t.ws = o.ws AND t.num = o.num \
     ), wanted AS ( \
         SELECT c.class, c.at, k.seq, k.ws, k.what, k.key, c.actor, c.via, c.action, c.kind, c.target, \
             c.related, c.outcome \
         FROM keys k JOIN content c ON c.tenant = ?1 AND c.ws = k.ws AND c.seq = k.seq \
     ), there AS ( \
         SELECT class, at, seq, ws, what, key, actor, via, action, kind, target, related, outcome \
         FROM entry WHERE tenant = ?1 \
     ) \
     SELECT min(seq) FROM ((TABLE wanted EXCEPT TABLE there) UNION ALL (TABLE there EXCEPT TABLE wanted)) x";

/// The first one whose idempotency key is not there, or is another's.
const KEYS: &str = "WITH wanted AS ( \
         SELECT ws, key, key_rest, seq FROM content WHERE tenant = ?1 AND key IS NOT NULL \
     ), there AS (SELECT ws, key, key_rest, seq FROM idempotency WHERE tenant = ?1) \
     SELECT min(seq) FROM ((TABLE wanted EXCEPT TABLE there) UNION ALL (TABLE there EXCEPT TABLE wanted)) x";

/// Whether contents lie where nobody looks for them: their number.
const CLASSES: &str = "SELECT min(c.seq) FROM content c WHERE c.tenant = ?1 AND NOT EXISTS ( \
         SELECT 1 FROM log_class l WHERE l.tenant = ?1 AND l.ws = c.ws AND l.class = c.class)";

/// How many counts are others than those of what there is; none: NULL.
const COUNTS: &str = "WITH wanted AS ( \
         SELECT ws, what, key, other, sum(events)::BIGINT AS events, sum(entries)::BIGINT AS entries FROM ( \
             SELECT c.ws, x.what, x.key, x.other, count(*) AS events, count(*) AS entries \
             FROM content c JOIN LATERAL (VALUES (1, c.actor, 0), (2, c.action, 0), (3, c.kind, 0), \
                 (4, c.target, 0), (5, c.outcome::INTEGER, 0), (6, c.action, c.actor), \
                 (7, c.action, c.kind)) x(what, key, other) ON TRUE \
             WHERE c.tenant = ?1 GROUP BY c.ws, x.what, x.key, x.other \
             UNION ALL \
             SELECT e.ws, CASE e.what WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END, e.key, 0, 0, count(*) \
             FROM entry e WHERE e.tenant = ?1 GROUP BY e.ws, e.what, e.key \
             UNION ALL \
             SELECT e.ws, 8, e.key, e.actor, count(*), count(*) \
             FROM entry e WHERE e.tenant = ?1 AND e.what = 1 GROUP BY e.ws, e.key, e.actor \
         ) counted GROUP BY ws, what, key, other \
     ), there AS ( \
         SELECT ws, what::INTEGER, key, other, events, entries FROM tallied \
         WHERE tenant = ?1 AND (events <> 0 OR entries <> 0) \
     ) \
     SELECT nullif(count(*), 0) FROM ((TABLE wanted EXCEPT TABLE there) UNION ALL (TABLE there EXCEPT TABLE wanted)) x";

/// Compares what is kept on PostgreSQL to search a tenant's log by with what the log comes to. What each
/// statement sees is one state of the tenant's node.
pub(super) async fn check_tables(
    connection: &mut Connection,
    tenant: i64,
    slug: &Slug,
) -> Result<(), VerifyError> {
    for (table, statement) in [
        ("entry", ENTRIES),
        ("idempotency", KEYS),
        ("log_class", CLASSES),
    ] {
        let first: Option<i64> = database::query_scalar(statement)
            .bind(tenant)
            .fetch_one(&mut *connection)
            .await?;
        if let Some(seq) = first {
            return Err(Wrong::Unfound {
                tenant: slug.clone(),
                seq: super::count(seq)?,
                table,
            }
            .into());
        }
    }
    let counts: Option<i64> = database::query_scalar(COUNTS)
        .bind(tenant)
        .fetch_one(connection)
        .await?;
    match counts {
        None => Ok(()),
        Some(_) => Err(Wrong::Counts { table: "tally" }.into()),
    }
}

/// What is wrong with an index, in words of the log.
pub(super) async fn wrong_with_index(
    connection: &mut Connection,
    strange: Strange,
) -> Result<Wrong, StoreError> {
    let (n, table) = match strange {
        Strange::Event(n, table) => (n, table),
        Strange::Rows(rows, table) => return Ok(Wrong::Strange { rows, table }),
        Strange::Counts(table) => return Ok(Wrong::Counts { table }),
    };
    let (seq, tenant): (i64, String) = database::query_as(
        "SELECT l.seq, t.slug FROM leaf l JOIN tenant t ON t.id = l.tenant WHERE l.n = ?",
    )
    .bind(n)
    .fetch_one(connection)
    .await?;
    Ok(Wrong::Unfound {
        tenant: parsed(&tenant)?,
        seq: super::count(seq)?,
        table,
    })
}
