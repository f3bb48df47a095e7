//! Whether a text is JSON (RFC 8259), without building anything and without recursion, so that no
//! depth of nesting can exhaust the stack.

use std::fmt;

use super::{Batch, Element};

/// A text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Syntax {
    /// The line of the fault, from 1; lines end in LF.
    pub line: usize,
    /// The column of the fault, from 1, in characters (Unicode scalar values).
    pub column: usize,
    /// What is wrong there.
    pub reason: SyntaxReason,
}

/// What makes a text not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxReason {
    /// The text is not UTF-8.
    InvalidUtf8,
    /// The text begins with U+FEFF, which RFC 8259 forbids to send.
    ByteOrderMark,
    /// The text ends before its value does.
    UnexpectedEnd,
    /// There is something else where a value must stand.
    ExpectedValue,
    /// There is something else where a member's name must stand.
    ExpectedName,
    /// There is no colon after a member's name.
    ExpectedColon,
    /// There is neither a comma nor a closing brace after a member.
    ExpectedCommaOrBrace,
    /// There is neither a comma nor a closing bracket after an element.
    ExpectedCommaOrBracket,
    /// A control character stands in a string without an escape.
    ControlCharacter,
    /// A backslash begins nothing that JSON knows.
    InvalidEscape,
    /// A number has a leading zero, or lacks digits.
    InvalidNumber,
    /// Something follows the value.
    TrailingCharacters,
}

impl fmt::Display for SyntaxReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidUtf8 => "this is not UTF-8",
            Self::ByteOrderMark => "a byte order mark is not allowed",
            Self::UnexpectedEnd => "the text ends too early",
            Self::ExpectedValue => "a value is expected here",
            Self::ExpectedName => "a member's name in double quotes is expected here",
            Self::ExpectedColon => "a colon is expected here",
            Self::ExpectedCommaOrBrace => "a comma or a closing brace is expected here",
            Self::ExpectedCommaOrBracket => "a comma or a closing bracket is expected here",
            Self::ControlCharacter => "a control character in a string must be escaped",
            Self::InvalidEscape => "this escape is unknown to JSON",
            Self::InvalidNumber => "this is not a number as JSON has it",
            Self::TrailingCharacters => "something follows the value",
        })
    }
}

/// Checks a text that holds one value.
pub(super) fn one(bytes: &[u8]) -> Result<Element<'_>, Syntax> {
    checked(bytes, |scanner| {
        scanner.skip_space();
        scanner.element()
    })
}

/// Checks a text that holds one value or an array of values.
pub(super) fn batch(bytes: &[u8]) -> Result<Batch<'_>, Syntax> {
    checked(bytes, |scanner| {
        scanner.skip_space();
        if scanner.peek() != Some(b'[') {
            return Ok(Batch {
                list: false,
                elements: vec![scanner.element()?],
            });
        }
        scanner.at += 1;
        scanner.skip_space();
        let mut elements = Vec::new();
        if scanner.peek() == Some(b']') {
            scanner.at += 1;
            return Ok(Batch {
                list: true,
                elements,
            });
        }
        loop {
            scanner.skip_space();
            elements.push(scanner.element()?);
            scanner.skip_space();
            match scanner.peek() {
                Some(b',') => scanner.at += 1,
                Some(b']') => {
                    scanner.at += 1;
                    return Ok(Batch {
                        list: true,
                        elements,
                    });
                }
                _ => return Err(scanner.unexpected(SyntaxReason::ExpectedCommaOrBracket)),
            }
        }
    })
}

/// Whether JSON takes the byte as white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// How many bytes at the beginning stand for themselves in a string: all but quotes, backslashes
/// and control characters.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + (special.trailing_zeros() / 8) as usize;
        }
    }
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Eight bytes at once: the lowest bit that is set is the highest of the first byte that is special.
fn special_bytes(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, bound: u8| word.wrapping_sub(EACH * u64::from(bound)) & !word;
    let quotes = below(word ^ (EACH * u64::from(b'"')), 1);
    let backslashes = below(word ^ (EACH * u64::from(b'\\')), 1);
    (below(word, 0x20) | quotes | backslashes) & (EACH * 0x80)
}

/// Reads the whole text with `read`, after which nothing but white space may follow.
fn checked<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Scanner<'a>) -> Result<T, Fault>,
) -> Result<T, Syntax> {
    if bytes.starts_with("\u{feff}".as_bytes()) {
        return Err(locate(
            bytes,
            Fault {
                at: 0,
                reason: SyntaxReason::ByteOrderMark,
            },
        ));
    }
    // What is not UTF-8 counts where it stands: a fault before it is the first.
    let (text, broken) = match str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(_) => (
            bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid()),
            true,
        ),
    };
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        open: Vec::new(),
    };
    let outcome = read(&mut scanner).and_then(|value| {
        scanner.skip_space();
        match scanner.peek() {
            None => Ok(value),
            Some(_) => Err(Fault {
                at: scanner.at,
                reason: SyntaxReason::TrailingCharacters,
            }),
        }
    });
    match outcome {
        Err(fault) if !broken || fault.at < text.len() => Err(locate(bytes, fault)),
        _ if broken => Err(locate(
            bytes,
            Fault {
                at: text.len(),
                reason: SyntaxReason::InvalidUtf8,
            },
        )),
        outcome => outcome.map_err(|fault| locate(bytes, fault)),
    }
}

/// A fault with its place in bytes.
#[derive(Clone, Copy)]
struct Fault {
    at: usize,
    reason: SyntaxReason,
}

/// The fault with its place in lines and columns. Up to there the bytes are UTF-8.
fn locate(bytes: &[u8], fault: Fault) -> Syntax {
    let before = bytes.get(..fault.at).unwrap_or(bytes);
    let mut lines = before.split(|byte| *byte == b'\n');
    // Every byte but a continuation byte begins a character.
    let begins = |byte: &&u8| **byte & 0xC0 != 0x80;
    let column = lines
        .next_back()
        .map_or(0, |last| last.iter().filter(begins).count());
    Syntax {
        line: lines.count() + 1,
        column: column + 1,
        reason: fault.reason,
    }
}

#[derive(Clone, Copy)]
enum Container {
    Object,
    Array,
}

struct Scanner<'a> {
    text: &'a str,
    /// The bytes of `text`.
    bytes: &'a [u8],
    at: usize,
    /// What is open around the place, outermost first: in the heap, since nothing bounds it here.
    open: Vec<Container>,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// The fault of what stands here: that it is not what was expected, or that it is the end.
    fn unexpected(&self, reason: SyntaxReason) -> Fault {
        let reason = if self.peek().is_none() {
            SyntaxReason::UnexpectedEnd
        } else {
            reason
        };
        Fault {
            at: self.at,
            reason,
        }
    }

    /// Reads the value that begins here.
    fn element(&mut self) -> Result<Element<'a>, Fault> {
        let start = self.at;
        self.value()?;
        Ok(Element {
            text: self.text.get(start..self.at).unwrap_or_default(),
        })
    }

    fn value(&mut self) -> Result<(), Fault> {
        self.open.clear();
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b'{') => {
                    self.at += 1;
                    self.skip_space();
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                    } else {
                        self.open.push(Container::Object);
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    self.skip_space();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                    } else {
                        self.open.push(Container::Array);
                        continue;
                    }
                }
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                _ => return Err(self.unexpected(SyntaxReason::ExpectedValue)),
            }
            if !self.after_value()? {
                return Ok(());
            }
        }
    }

    /// Reads what follows a value up to where the next one must stand. `false`: none is open.
    fn after_value(&mut self) -> Result<bool, Fault> {
        while let Some(container) = self.open.last().copied() {
            self.skip_space();
            match (container, self.peek()) {
                (Container::Object, Some(b',')) => {
                    self.at += 1;
                    self.skip_space();
                    self.name()?;
                    return Ok(true);
                }
                (Container::Array, Some(b',')) => {
                    self.at += 1;
                    return Ok(true);
                }
                (Container::Object, Some(b'}')) | (Container::Array, Some(b']')) => {
                    self.at += 1;
                    self.open.pop();
                }
                (Container::Object, _) => {
                    return Err(self.unexpected(SyntaxReason::ExpectedCommaOrBrace));
                }
                (Container::Array, _) => {
                    return Err(self.unexpected(SyntaxReason::ExpectedCommaOrBracket));
                }
            }
        }
        Ok(false)
    }

    /// Reads a member's name and its colon.
    fn name(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(SyntaxReason::ExpectedName));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected(SyntaxReason::ExpectedColon));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads the string whose opening quote stands here.
    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            self.at += plain_length(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.unexpected(SyntaxReason::ControlCharacter)),
            }
        }
    }

    /// Reads the escape whose backslash stands here. A surrogate may stand alone: that is JSON.
    fn escape(&mut self) -> Result<(), Fault> {
        let invalid = Fault {
            at: self.at,
            reason: SyntaxReason::InvalidEscape,
        };
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.peek() {
                        Some(digit) if digit.is_ascii_hexdigit() => self.at += 1,
                        Some(_) => return Err(invalid),
                        None => return Err(self.unexpected(SyntaxReason::InvalidEscape)),
                    }
                }
                Ok(())
            }
            Some(_) => Err(invalid),
            None => Err(self.unexpected(SyntaxReason::InvalidEscape)),
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.unexpected(SyntaxReason::InvalidNumber));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Reads one or more digits.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected(SyntaxReason::InvalidNumber));
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else if word.as_bytes().starts_with(rest) {
            Err(Fault {
                at: self.bytes.len(),
                reason: SyntaxReason::UnexpectedEnd,
            })
        } else {
            Err(Fault {
                at: self.at,
                reason: SyntaxReason::ExpectedValue,
            })
        }
    }
}
