//! The dictionaries of all workspaces that are in use, read from the log as they are needed.

use super::{catalogue, change::Log};
use crate::{
    StoreError,
    database::{self, Connection, Dialect, Row, Sql},
    dictionary::{Dictionary, NamedAction, Number, Sizes},
};
use domain::event::{Actor, Target};
use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// A dictionary that many read and the writer extends.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    texts: RwLock<Dictionary>,
    /// How often texts of its workspace had been emptied when it was begun: one that was begun
    /// before still holds them.
    emptied: i64,
}

impl Shared {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Dictionary> {
        self.texts.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often texts of its workspace had been emptied when it was begun.
    pub(crate) fn emptied(&self) -> i64 {
        self.emptied
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Dictionary> {
        self.texts.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far the tables of a workspace go in a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    sizes: Sizes,
    /// How often texts of it were emptied.
    emptied: i64,
    /// The number that its own entries in the catalogue have; none of a tenant's own events.
    catalogue: Option<i64>,
}

impl Extent {
    /// The last number of actors, chains, actions, kinds, targets, and related objects; and how often
    /// texts were emptied.
    pub(crate) fn of(sizes: [Number; 6], emptied: i64) -> Self {
        let [actor, via, action, kind, target, related] = sizes;
        Self {
            sizes: Sizes {
                actor,
                via,
                action,
                kind,
                target,
                related,
            },
            emptied,
            catalogue: None,
        }
    }

    /// How often texts were emptied.
    pub(crate) fn emptied(self) -> i64 {
        self.emptied
    }

    /// Whether the tables held more than is known.
    pub(crate) fn is_beyond(self, known: Sizes) -> bool {
        self.sizes.is_beyond(known)
    }

    /// Whether more is known than the tables held.
    pub(crate) fn is_behind(self, known: Sizes) -> bool {
        known.is_beyond(self.sizes)
    }
}

/// The dictionaries, by `ws`.
#[derive(Debug, Default)]
pub(crate) struct Dictionaries {
    shared: RwLock<HashMap<i64, Arc<Shared>>>,
    /// How often all were forgotten.
    times: AtomicU64,
}

impl Dictionaries {
    /// The dictionary of a workspace, as far as it is known. Where texts were emptied since it was
    /// begun, a new one takes its place; whoever reads an older state keeps the old one, or gets one
    /// alone.
    fn of(&self, ws: i64, emptied: i64) -> Arc<Shared> {
        let known = {
            let all = self.shared.read().unwrap_or_else(PoisonError::into_inner);
            all.get(&ws).cloned()
        };
        if let Some(known) = known
            && known.emptied == emptied
        {
            return known;
        }
        let mut all = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Shared {
                texts: RwLock::default(),
                emptied,
            })
        };
        let known = all.entry(ws).or_insert_with(new);
        if known.emptied > emptied {
            return new();
        }
        if known.emptied < emptied {
            *known = new();
        }
        Arc::clone(known)
    }

    /// The dictionary of a workspace, as far as it is known, if it is.
    pub(crate) fn latest(&self, ws: i64) -> Option<Arc<Shared>> {
        let all = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&ws).cloned()
    }

    /// Forgets a dictionary that is not what the database holds: it is read again. Whoever reads with it
    /// now goes on.
    pub(crate) fn forget(&self, ws: i64, wrong: &Arc<Shared>) {
        let mut all = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        if all.get(&ws).is_some_and(|known| Arc::ptr_eq(known, wrong)) {
            all.remove(&ws);
        }
    }

    /// How often the database was found to be another, or in another state than was known: what was
    /// read of it before is not to be believed.
    pub(crate) fn times(&self) -> u64 {
        self.times.load(Ordering::Acquire)
    }

    /// Forgets all of them.
    pub(crate) fn forget_all(&self) {
        self.times.fetch_add(1, Ordering::AcqRel);
        let mut all = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        all.clear();
    }

    /// Reads what the tables hold beyond what is known. `extent` is what the connection's snapshot
    /// holds.
    pub(crate) async fn extend(
        &self,
        connection: &mut Connection,
        log: Log,
        extent: Extent,
    ) -> Result<Arc<Shared>, StoreError> {
        let shared = self.of(log.ws, extent.emptied);
        let sizes = extent.sizes;
        let known = shared.read().sizes();
        if known.actor < sizes.actor {
            let rows = rows_after(
                connection,
                "SELECT num, kind, id, name, email FROM actor",
                log,
                known.actor..sizes.actor,
            )
            .await?;
            let mut dictionary = shared.write();
            for row in rows {
                if is_next(&row, dictionary.sizes().actor)? {
                    dictionary.add_actor(Actor {
                        kind: parsed(&row, 1)?,
                        id: row.try_get(2)?,
                        name: row.try_get(3)?,
                        email: row.try_get(4)?,
                    });
                }
            }
        }
        if known.via < sizes.via {
            let statement = "SELECT num, members FROM via";
            let rows = rows_after(connection, statement, log, known.via..sizes.via).await?;
            let mut dictionary = shared.write();
            for row in rows {
                if is_next(&row, dictionary.sizes().via)? {
                    dictionary.add_via(members(&row)?);
                }
            }
        }
        if known.action < sizes.action {
            let rows = rows_after(
                connection,
                "SELECT num, action, verb, category FROM action",
                log,
                known.action..sizes.action,
            )
            .await?;
            let mut dictionary = shared.write();
            for row in rows {
                if is_next(&row, dictionary.sizes().action)? {
                    let verb: Option<String> = row.try_get(2)?;
                    let category: Option<String> = row.try_get(3)?;
                    let named = NamedAction {
                        action: parsed(&row, 1)?,
                        verb: verb.map(|verb| parse(&verb)).transpose()?,
                        category: category.map(|category| parse(&category)).transpose()?,
                    };
                    dictionary.add_action(named);
                }
            }
        }
        if known.kind < sizes.kind {
            let statement = "SELECT num, kind FROM kind";
            let rows = rows_after(connection, statement, log, known.kind..sizes.kind).await?;
            let mut dictionary = shared.write();
            for row in rows {
                if is_next(&row, dictionary.sizes().kind)? {
                    dictionary.add_kind(parsed(&row, 1)?);
                }
            }
        }
        if known.target < sizes.target {
            let rows = rows_after(
                connection,
                "SELECT num, kind, id, name, url FROM target",
                log,
                known.target..sizes.target,
            )
            .await?;
            let mut dictionary = shared.write();
            for row in rows {
                if is_next(&row, dictionary.sizes().target)? {
                    let number = row.try_get::<u32>(1)?;
                    let kind = dictionary
                        .kind(number)
                        .cloned()
                        .ok_or_else(|| damaged("a target has a kind that is not there"))?;
                    let target = Target {
                        kind,
                        id: row.try_get(2)?,
                        name: row.try_get(3)?,
                        url: row.try_get(4)?,
                    };
                    dictionary.add_target(target);
                }
            }
        }
        if known.related < sizes.related {
            let statement = "SELECT num, members FROM related";
            let rows = rows_after(connection, statement, log, known.related..sizes.related).await?;
            let mut dictionary = shared.write();
            for row in rows {
                if is_next(&row, dictionary.sizes().related)? {
                    dictionary.add_related(members(&row)?);
                }
            }
        }
        Ok(shared)
    }

    /// The same for who reads the log: also what the workspace says of actions, where another number
    /// of it was seen than is known. The transaction that changes it is not to ask: it may yet be
    /// undone.
    pub(crate) async fn extend_and_read(
        &self,
        connection: &mut Connection,
        log: Log,
        extent: Extent,
    ) -> Result<Arc<Shared>, StoreError> {
        let shared = self.extend(connection, log, extent).await?;
        let version = extent.catalogue;
        if version.is_some_and(|version| version > shared.read().catalogue_version()) {
            let (version, catalogue) = catalogue::read(connection, log.ws).await?;
            shared.write().read_through(catalogue, version);
        }
        Ok(shared)
    }
}

/// What the tables of a workspace ?1 hold: the greatest number in each, how often texts were emptied,
/// and the number of its own entries in the catalogue, as columns of a statement.
macro_rules! extent_of {
    () => {
        "(SELECT max(num) FROM actor WHERE ws = ?1), \
         (SELECT max(num) FROM via WHERE ws = ?1), \
         (SELECT max(num) FROM action WHERE ws = ?1), \
         (SELECT max(num) FROM kind WHERE ws = ?1), \
         (SELECT max(num) FROM target WHERE ws = ?1), \
         (SELECT max(num) FROM related WHERE ws = ?1), \
         (SELECT times FROM emptied WHERE ws = ?1), \
         (SELECT catalogue_version FROM workspace WHERE id = ?1)"
    };
}
pub(crate) use extent_of;

/// How far the tables of a log go, as the connection sees them.
pub(crate) async fn read_extent(
    connection: &mut Connection,
    log: Log,
) -> Result<Extent, StoreError> {
    match connection.dialect() {
        Dialect::Sqlite => {
            let row = database::query(concat!("SELECT ", extent_of!()))
                .bind(log.ws)
                .fetch_one(connection)
                .await?;
            extent(&row, 0)
        }
        Dialect::Postgres => {
            let row = database::query(
                "SELECT t.actor, t.via, t.action, t.kind, t.target, t.related, t.emptied, \
                     (SELECT catalogue_version FROM workspace WHERE id = ?2) \
                 FROM (SELECT) one LEFT JOIN text_head t ON t.tenant = ?1 AND t.ws = ?2",
            )
            .bind(log.tenant)
            .bind(log.ws)
            .fetch_one(connection)
            .await?;
            extent(&row, 0)
        }
    }
}

/// Reads the columns of [`extent_of`], from column `from` on.
pub(crate) fn extent(row: &Row, from: usize) -> Result<Extent, StoreError> {
    let size = |at: usize| -> Result<Number, StoreError> {
        let most: Option<i64> = row.try_get(from + at)?;
        Ok(Number::try_from(most.unwrap_or(0)).unwrap_or(Number::MAX))
    };
    let sizes = Sizes {
        actor: size(0)?,
        via: size(1)?,
        action: size(2)?,
        kind: size(3)?,
        target: size(4)?,
        related: size(5)?,
    };
    let emptied: Option<i64> = row.try_get(from + 6)?;
    Ok(Extent {
        sizes,
        emptied: emptied.unwrap_or(0),
        catalogue: row.try_get(from + 7)?,
    })
}

/// The rows after the first number and up to the second. Not those beyond: another table's rows that
/// they name may not be there yet.
async fn rows_after(
    connection: &mut Connection,
    columns: &'static str,
    log: Log,
    numbers: Range<Number>,
) -> Result<Vec<Row>, StoreError> {
    let mut sql = Sql::default();
    sql.add(columns).with(" WHERE ws = ?", log.ws);
    if connection.dialect() == Dialect::Postgres {
        sql.with(" AND tenant = ?", log.tenant);
    }
    sql.with(" AND num > ?", i64::from(numbers.start))
        .with(" AND num <= ?", i64::from(numbers.end))
        .add(" ORDER BY num");
    Ok(sql.untold().fetch_all(connection).await?)
}

/// Whether a row is the one after what is known. One that is known already was added by another
/// reader meanwhile; one that is further on would leave a gap.
fn is_next(row: &Row, known: Number) -> Result<bool, StoreError> {
    let number: i64 = row.try_get(0)?;
    match number - i64::from(known) {
        1 => Ok(true),
        ..=0 => Ok(false),
        _ => Err(damaged("the texts of a workspace have a gap")),
    }
}

/// Reads a text that is kept in one form.
pub(super) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_| damaged(&format!("\"{text}\" is not what is kept there")))
}

fn parsed<T: std::str::FromStr>(row: &Row, column: usize) -> Result<T, StoreError> {
    parse(row.try_get(column)?)
}

fn members(row: &Row) -> Result<Box<[Number]>, StoreError> {
    serde_json::from_str(row.try_get(1)?).map_err(|_| damaged("a list of numbers is broken"))
}

/// The log holds what cannot be.
pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}
