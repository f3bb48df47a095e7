//! Who was told to have looked at which log, so that not every page asks the log about it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// So many are remembered at most: about those who are forgotten the log is asked again.
const MOST: usize = 10_000;

/// The last looks that the log is known to tell of: its workspace, the reader, and when.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<(i64, String), i64>>);

impl Looks {
    /// Whether the log is known to tell that `reader` looked after `since`, in microseconds.
    pub(super) fn are_told_after(&self, since: i64, ws: i64, reader: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&(ws, reader.to_owned()))
            .is_some_and(|at| *at > since)
    }

    /// Remembers that the log tells of a look at `at`.
    pub(super) fn told(&self, ws: i64, reader: String, at: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert((ws, reader), at);
    }
}
