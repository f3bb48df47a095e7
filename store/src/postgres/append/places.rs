//! Where the contents of a group lie: by how long their logs keep them, and whether they record.

use super::tenants;
use crate::{
    StoreError,
    sqlite::{Admitted, settings::effective},
};
use domain::{retention::Retention, time::Timestamp};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeSet, HashMap};

/// How long contents of a class are kept at most, in days; 0 is for ever.
pub(in crate::postgres) const CLASSES: [i16; 5] = [31, 92, 366, 1_100, 3_700];

const FOR_EVER: i16 = 0;

pub(crate) const DAY: i64 = 86_400_000_000;

/// What is known of a tenant's workspaces before its head is held.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) now: Timestamp,
    /// In which class what of a log expires lies.
    pub(super) classes: HashMap<i64, i16>,
    /// The workspaces that do not record.
    pub(super) off: BTreeSet<i64>,
}

/// In which class the contents of a log lie that keeps them so long.
pub(crate) fn class_of(retention: Retention, now: Timestamp) -> i16 {
    let Some(from) = retention.keeps_from(now) else {
        return FOR_EVER;
    };
    let days = (now.micros() - from.micros() + DAY - 1) / DAY;
    let fits = |class: &&i16| i64::from(**class) >= days;
    CLASSES.iter().find(fits).copied().unwrap_or(FOR_EVER)
}

/// Looks at the settings of all workspaces of the group's tenants.
pub(super) async fn places(
    connection: &mut PgConnection,
    events: &[Admitted],
    now: Timestamp,
) -> Result<Places, StoreError> {
    let rows = sqlx::query(
        "SELECT w.id, w.tenant, w.recording, \
             CASE WHEN w.pending_from <= $2 THEN w.pending ELSE w.retention END, t.floor, t.cap \
         FROM workspace w JOIN tenant t ON t.id = w.tenant WHERE w.tenant = ANY($1)",
    )
    .bind(tenants(events))
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    let mut places = Places {
        now,
        classes: HashMap::new(),
        off: BTreeSet::new(),
    };
    let mut longest: HashMap<i64, i16> = HashMap::new();
    for row in &rows {
        let (ws, tenant): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let retention = effective(row.try_get(3)?, row.try_get(4)?, row.try_get(5)?)?;
        let class = class_of(retention, now);
        places.classes.insert(ws, class);
        if !row.try_get::<bool, _>(2)? {
            places.off.insert(ws);
        }
        // A tenant's own events stay as long as the longest of its workspaces.
        let own = longest.entry(tenant).or_insert(class);
        if class == FOR_EVER || (*own != FOR_EVER && class > *own) {
            *own = class;
        }
    }
    for (tenant, class) in longest {
        places.classes.insert(-tenant, class);
    }
    Ok(places)
}

impl Places {
    /// In which class an event's content lies. One that is older than its class (its log's retention
    /// became shorter since it was sent) lies with what stays: nothing comes into partitions of which
    /// the time is over, and there are no more of them than a class has months.
    pub(super) fn class(&self, event: &Admitted) -> i16 {
        let class = self.classes.get(&event.ws).copied().unwrap_or(FOR_EVER);
        let age = self.now.micros() - event.occurred_at.micros();
        if event.keep || age > i64::from(class) * DAY {
            return FOR_EVER;
        }
        class
    }
}

/// The class and the time of each content of a group.
pub(super) fn wanted_partitions(events: &[Admitted], places: &Places) -> Vec<(i16, i64)> {
    events
        .iter()
        .map(|event| (places.class(event), event.occurred_at.micros()))
        .collect()
}
