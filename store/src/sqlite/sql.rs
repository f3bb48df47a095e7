//! SQL that is put together while running, for SQLite alone.

use sqlx::AssertSqlSafe;
use std::{fmt::Write as _, sync::Arc};

/// The one place where SQL that is no literal is declared safe: whoever calls this has put it
/// together from literals alone, and bound every value.
pub(crate) fn made_of_our_own_texts<T>(text: T) -> AssertSqlSafe<T> {
    AssertSqlSafe(text)
}

/// `head` with `rows` rows of `columns` places: `INSERT … VALUES (?,?),(?,?)`.
pub(crate) fn rows_of(head: &str, columns: usize, rows: usize) -> Arc<str> {
    let places = vec!["?"; columns].join(",");
    let mut text = String::with_capacity(head.len() + rows * (places.len() + 3));
    text.push_str(head);
    for row in 0..rows {
        let comma = if row == 0 { " VALUES " } else { "," };
        let _ = write!(text, "{comma}({places})");
    }
    text.into()
}
