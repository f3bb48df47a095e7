//! Which partitions of contents there are.

use crate::StoreError;
use chrono::Datelike;
use domain::time::Timestamp;
use sqlx::{PgConnection, PgPool};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

/// A class, and the month since the year 0 (of classes that are kept long, the quarter or the year); 0: all
/// before `FIRST_YEAR`.
type Partition = (i16, i32);

/// What occurred before it lies in one partition of each class: events may come with any time, and there
/// must never be many partitions. The schema's `partition_of` says the same.
const FIRST_YEAR: i32 = 2020;

fn partition_of(class: i16, at: i64) -> Partition {
    let day = Timestamp::from_micros(at).datetime().date_naive();
    if day.year() < FIRST_YEAR {
        return (class, 0);
    }
    let month = day.year() * 12 + day.month0().cast_signed();
    let months = match class {
        0 | 3_700 => 12,
        1_100 => 3,
        _ => 1,
    };
    (class, month / months)
}

/// The partitions that are known to be there. They may be dropped while they are empty; whoever finds
/// one missing asks for it again.
#[derive(Debug, Default)]
pub(crate) struct Partitions(Mutex<HashSet<Partition>>);

impl Partitions {
    /// Those of `wanted`, a list of classes and times, that are not known, each with a time in it.
    fn missing(&self, wanted: &[(i16, i64)]) -> BTreeMap<Partition, i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted
            .iter()
            .map(|(class, at)| (partition_of(*class, *at), *at))
            .filter(|(partition, _)| !known.contains(partition))
            .collect()
    }

    /// Makes those that are missing, each in a transaction of its own.
    pub(crate) async fn add(
        &self,
        connection: &mut PgConnection,
        wanted: &[(i16, i64)],
    ) -> Result<(), StoreError> {
        let missing = self.missing(wanted);
        for (partition, at) in &missing {
            make(connection, *partition, *at).await?;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(missing.into_keys());
        Ok(())
    }

    /// The same on another connection, for who has a transaction open.
    pub(super) async fn add_apart(
        &self,
        pool: &PgPool,
        wanted: &[(i16, i64)],
    ) -> Result<(), StoreError> {
        if self.missing(wanted).is_empty() {
            return Ok(());
        }
        self.add(&mut *pool.acquire().await?, wanted).await
    }

    /// Looks again which there are, the next time that any is wanted.
    pub(super) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
    }
}

async fn make(
    connection: &mut PgConnection,
    (class, _): Partition,
    at: i64,
) -> Result<(), StoreError> {
    sqlx::query("SELECT add_partition($1, $2)")
        .bind(class)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}
