//! What is said in another way to PostgreSQL. Statements are written for SQLite, in what both know;
//! this is all that differs:
//!
//! | written | for PostgreSQL |
//! |---|---|
//! | `?`, `?1` | `$1` |
//! | `a CROSS JOIN b ON …` (SQLite keeps the order) | `a JOIN b ON …` |
//! | `json_each(?) j` of a bound list | `unnest($1) WITH ORDINALITY j(value, key)` |
//! | `SELECT value FROM json_each(?)` | `SELECT value FROM unnest($1) value` |
//! | `x'01'` | `'\x01'::bytea` |
//! | several statements with `;` between them | one after the other |

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

/// Statements, one after the other.
type Texts = Arc<[Arc<str>]>;

/// Texts of the program, each rewritten once; a text is known by where it stands and how long it is.
static KNOWN: LazyLock<RwLock<HashMap<(usize, usize), Texts>>> = LazyLock::new(RwLock::default);

/// The same for PostgreSQL, rewritten at its first use.
pub(super) fn known_for_postgres(text: &'static str) -> Texts {
    let place = (text.as_ptr().addr(), text.len());
    {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(texts) = known.get(&place) {
            return Arc::clone(texts);
        }
    }
    let texts: Texts = for_postgres(text).into();
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(place).or_insert(texts))
}

/// The statements of a text, as PostgreSQL is told them.
pub(super) fn for_postgres(text: &str) -> Vec<Arc<str>> {
    let mut all = Vec::new();
    let mut one = String::with_capacity(text.len() + 16);
    let mut places = 0;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let is_new_word = !one.ends_with(is_of_word);
        if letter == '\'' {
            let end = end_of_quote(rest);
            one.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if letter == ';' {
            all.extend(ended(&mut one));
            (rest, places) = (&rest[1..], 0);
        } else if letter == '?' {
            let (place, end) = place(rest, places);
            places = places.max(place);
            let _ = write!(one, "${place}");
            rest = &rest[end..];
        } else if let Some(after) = rest.strip_prefix("x'").filter(|_| is_new_word) {
            let end = after.find('\'').map_or(after.len(), |end| end + 1);
            one.push_str(r"'\x");
            one.push_str(&after[..end]);
            one.push_str("::bytea");
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix("CROSS JOIN ").filter(|_| is_new_word) {
            one.push_str("JOIN ");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("json_each(").filter(|_| is_new_word) {
            let (place, end) = place(after, places);
            places = places.max(place);
            // The closing parenthesis, and what the list is called.
            let after = &after[end + 1..];
            let name = after.strip_prefix(' ').unwrap_or_default();
            let length = name.find(|c: char| !is_of_word(c)).unwrap_or(name.len());
            let (name, after_name) = name.split_at(length);
            if name.is_empty() || name.chars().all(|letter| letter.is_ascii_uppercase()) {
                let _ = write!(one, "unnest(${place}) value");
                rest = after;
            } else {
                let _ = write!(one, "unnest(${place}) WITH ORDINALITY {name}(value, key)");
                rest = after_name;
            }
        } else {
            one.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    all.extend(ended(&mut one));
    #[cfg(debug_assertions)]
    for text in &all {
        assert!(super::tenants::names_its_tenant(text), "whose rows? {text}");
    }
    all
}

/// A statement that has come to its end; none where nothing stands there.
fn ended(one: &mut String) -> Option<Arc<str>> {
    let text = std::mem::take(one);
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The place that `?` or `?1` at the beginning of a text stands for, and where it ends.
fn place(text: &str, places: usize) -> (usize, usize) {
    let digits = text[1..]
        .find(|letter: char| !letter.is_ascii_digit())
        .map_or(text.len(), |end| end + 1);
    let place = text[1..digits].parse().unwrap_or(places + 1);
    (place, digits)
}

/// Where a text in quotes ends that a text begins with. A quote within is written twice, and reads as
/// two texts in a row.
fn end_of_quote(text: &str) -> usize {
    text[1..].find('\'').map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, expected: &[&str]) {
        let texts = for_postgres(text);
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn values_are_counted_or_named() {
        reads(
            "SELECT a FROM b WHERE c = ? AND d = ?",
            &["SELECT a FROM b WHERE c = $1 AND d = $2"],
        );
        reads("SELECT ?2, ?1, ?12", &["SELECT $2, $1, $12"]);
    }

    #[test]
    fn what_stands_in_quotes_stays() {
        reads(
            "SELECT 'is it? CROSS JOIN; it''s x''' WHERE a = ?",
            &["SELECT 'is it? CROSS JOIN; it''s x''' WHERE a = $1"],
        );
    }

    #[test]
    fn lists_become_arrays() {
        reads(
            "SELECT v FROM json_each(?1) j CROSS JOIN p ON p.e = j.value ORDER BY j.key",
            &[
                "SELECT v FROM unnest($1) WITH ORDINALITY j(value, key) JOIN p ON p.e = j.value \
               ORDER BY j.key",
            ],
        );
        reads(
            "SELECT a FROM b WHERE c = ? AND d IN (SELECT value FROM json_each(?)) AND e = ?",
            &[
                "SELECT a FROM b WHERE c = $1 AND d IN (SELECT value FROM unnest($2) value) \
               AND e = $3",
            ],
        );
    }

    #[test]
    fn bytes_are_written_in_hex() {
        reads(
            "SELECT substr(?, v, 1) = x'01', max'0'",
            &[r"SELECT substr($1, v, 1) = '\x01'::bytea, max'0'"],
        );
    }

    #[test]
    fn several_statements_are_told_apart() {
        reads(
            "SELECT 0 WHERE a = ?1;\n SELECT 1 WHERE b = ?1 AND c = ';' ; ",
            &["SELECT 0 WHERE a = $1", "SELECT 1 WHERE b = $1 AND c = ';'"],
        );
    }
}
