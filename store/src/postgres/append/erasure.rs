//! Making a release by erasure, with the event that tells of it.

use super::texts::Texts;
use crate::{
    StoreError,
    postgres::rows::Rows,
    sqlite::{append::NewErasure, dictionaries::damaged},
};
use domain::event::NewEvent;
use sqlx::PgConnection;

/// What stands in place of what is erased, each with its log.
pub(super) fn shapes(erasures: &[(usize, NewErasure)]) -> Vec<(i64, &NewEvent)> {
    let each = erasures.iter().map(|(_, erasure)| erasure);
    each.flat_map(|erasure| erasure.shapes.iter().map(|shape| (erasure.ws, shape)))
        .collect()
}

/// Writes a release, of which the event with this number tells. Its texts are known.
pub(super) async fn write(
    connection: &mut PgConnection,
    erasure: &NewErasure,
    seq: u64,
    texts: &mut Texts,
) -> Result<(), StoreError> {
    let missing = || damaged("a log has no texts");
    let additions = texts
        .get_mut(&(erasure.tenant, erasure.ws))
        .ok_or_else(missing)?;
    let shapes = erasure.shapes.iter();
    let shapes: Vec<_> = shapes.map(|shape| additions.numbers_of(shape)).collect();
    let mut rows = Rows::default();
    for event in &erasure.events {
        let texts = event.texts(&shapes).ok_or_else(missing)?;
        rows.row().big(erasure.id).big(event.n);
        rows.small(i16::from(event.parts.bits()))
            .number_or_null(texts.actor)
            .number_or_null(texts.via)
            .number_or_null(texts.target)
            .number_or_null(texts.related);
    }
    let into = "erasure_event (erasure, seq, parts, actor, via, target, related)";
    rows.write(connection, into).await?;
    sqlx::query("INSERT INTO erasure (id, tenant, ws, seq, events) VALUES ($1, $2, $3, $4, $5)")
        .bind(erasure.id)
        .bind(erasure.tenant)
        .bind(erasure.ws)
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(i64::try_from(erasure.events.len()).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
    Ok(())
}
