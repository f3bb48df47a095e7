//! The keys of events that the index does not have yet.

use super::{super::admit::KeyHash, rows::placed_at};
use crate::{StoreError, recording::Placed};
use sqlx::{Row, SqliteConnection};
use std::collections::{HashMap, VecDeque};

/// The keys of events beyond the index's mark.
#[derive(Debug, Default)]
pub(super) struct Keys {
    places: HashMap<KeyHash, Placed>,
    groups: VecDeque<(i64, Vec<KeyHash>)>,
}

impl Keys {
    /// Where the event with this key is.
    pub(super) fn placed(&self, key: &KeyHash) -> Option<Placed> {
        self.places.get(key).copied()
    }

    /// Adds the key of an event that is being recorded.
    pub(super) fn add(&mut self, key: KeyHash, placed: Placed) {
        self.places.insert(key, placed);
    }

    /// Takes a key back whose event was not recorded after all.
    pub(super) fn take_back(&mut self, key: &KeyHash) {
        self.places.remove(key);
    }

    /// Keeps the keys of a committed group, whose last event is `last`, until the index has it.
    pub(super) fn group(&mut self, last: i64, keys: Vec<KeyHash>) {
        self.groups.push_back((last, keys));
    }

    /// Lets go of what the index has by now, up to `mark`, and reads the keys of events up to `head`
    /// that other processes wrote.
    pub(super) async fn follow(
        &mut self,
        connection: &mut SqliteConnection,
        mark: i64,
        head: i64,
    ) -> Result<(), StoreError> {
        while self.groups.front().is_some_and(|(last, _)| *last <= mark) {
            if let Some((_, keys)) = self.groups.pop_front() {
                for key in keys {
                    self.places.remove(&key);
                }
            }
        }
        let known = self
            .groups
            .back()
            .map_or(mark, |(last, _)| (*last).max(mark));
        if known >= head {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT c.key, c.key_rest, l.id, l.seq, l.recorded_at FROM content c JOIN leaf l ON l.n = c.n \
             WHERE c.n > ? AND c.n <= ? AND c.key IS NOT NULL",
        )
        .bind(known)
        .bind(head)
        .fetch_all(connection)
        .await?;
        let mut keys = Vec::new();
        for row in rows {
            let key = KeyHash {
                key: row.try_get(0)?,
                rest: row.try_get(1)?,
            };
            let placed = placed_at(&row, 2)?;
            self.places.insert(key, placed);
            keys.push(key);
        }
        self.groups.push_back((head, keys));
        Ok(())
    }
}
