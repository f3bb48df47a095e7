//! Strict JSON, as events are sent: RFC 8259 with the restrictions of RFC 7493 and Daybook's bounds.
//!
//! Two questions are asked of a text, one after the other. Is it JSON at all? If not, there is a
//! [`Syntax`] error with line and column, whatever else is wrong with it. Is it JSON that is taken?
//! If not, there is a [`Refusal`] that names the place of the first fault in text order.
//!
//! Why not `serde_json` alone: it keeps the last of two members of one name without a word, cannot
//! tell a whole number that is out of range (refused) from a double of the same size (taken),
//! reports nesting that is too deep as a syntax error, and names no place.
//!
//! Checking builds nothing: each value is built only when it is asked for, so a caller can refuse
//! what is too long or too much before it costs memory.

mod build;
pub mod canonical;
pub mod path;
mod syntax;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use build::{MAX_INTEGER, MAX_LEVELS, Refusal, RefusalReason};
pub use canonical::canonical;
pub use path::Path;
pub use syntax::{Syntax, SyntaxReason};

/// Why a text gives no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON.
    #[error(transparent)]
    Syntax(#[from] Syntax),
    /// It is JSON, but not JSON that is taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The value of one JSON text in UTF-8.
///
/// Whole numbers (no fraction, no exponent) become integers, `-0` among them, which becomes `0`.
/// Every other number becomes the nearest double, so `-0.0` stays a negative zero (which
/// [`canonical()`] writes as `0`) and `1.0` stays a double.
///
/// # Errors
///
/// [`JsonError::Syntax`] if the text is not JSON, else [`JsonError::Refused`] with the first fault
/// in text order.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    Ok(syntax::one(bytes)?.value()?)
}

/// The elements of a text that holds one value or an array of values.
///
/// # Errors
///
/// [`Syntax`] if the text as a whole is not JSON. What is wrong with one element is said by
/// [`Element::value`].
pub fn parse_batch(bytes: &[u8]) -> Result<Batch<'_>, Syntax> {
    syntax::batch(bytes)
}

/// The lines of newline-delimited JSON, one value a line.
///
/// Lines end in LF or CRLF, the last one need not. Lines of nothing but white space are skipped, and
/// counted.
pub fn parse_lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    (1..)
        .zip(bytes.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.iter().all(|byte| syntax::is_space(*byte)))
        .map(|(number, line)| Line {
            number,
            length: line.len(),
            element: syntax::one(line).map_err(|error| Syntax {
                line: number,
                ..error
            }),
        })
}

/// A text that holds one value or an array of values, known to be JSON.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    list: bool,
    elements: Vec<Element<'a>>,
}

impl<'a> Batch<'a> {
    /// Whether the text holds an array. If not, it holds one value, the only element.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// The elements in text order. Those of the array are each a text of their own: the array does
    /// not count as a level of theirs, nor in the paths of their refusals.
    pub fn elements(&self) -> &[Element<'a>] {
        &self.elements
    }
}

/// The text of one value, known to be JSON.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Checked, from the value's first byte to its last.
    text: &'a str,
}

impl Element<'_> {
    /// The length of its text in bytes, without white space before and after it.
    pub fn length(self) -> usize {
        self.text.len()
    }

    /// Its value, built anew at each call; numbers as in [`parse`].
    ///
    /// # Errors
    ///
    /// The first fault in text order.
    pub fn value(self) -> Result<Value, Refusal> {
        build::build(self.text)
    }
}

/// One line of newline-delimited JSON.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Its number, from 1, skipped lines counted.
    pub number: usize,
    /// Its length in bytes, without its end.
    pub length: usize,
    /// The value it holds, or why it is not JSON; `line` in the error is this line's number.
    pub element: Result<Element<'a>, Syntax>,
}

impl Line<'_> {
    /// Its value, built anew at each call.
    ///
    /// # Errors
    ///
    /// As [`parse`].
    pub fn value(&self) -> Result<Value, JsonError> {
        Ok(self.element.clone()?.value()?)
    }
}
