//! The value of a text that is known to be JSON, or the first fault that RFC 7493 and Daybook's
//! bounds find in it.

use std::fmt;

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::path::{Path, Segment};
use super::syntax::{is_space, plain_length};

/// How many levels objects and arrays may be nested, the outermost included.
pub const MAX_LEVELS: usize = 64;

/// The largest whole number that is taken, 2^53 − 1 (RFC 7493, section 2.2); its negative is the
/// smallest.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// How names begin by which `serde_json` tells itself what a value is: an object with such a member is read
/// back as something else than it is, or not at all, so none is taken.
pub const RESERVED: &str = "$serde_json::private::";

/// A text is JSON, but not JSON that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The place, in the notation of [`Path`]; empty for the outermost value.
    pub path: String,
    /// What is wrong there.
    pub reason: RefusalReason,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            self.reason.fmt(formatter)
        } else {
            write!(formatter, "{}: {}", self.path, self.reason)
        }
    }
}

impl std::error::Error for Refusal {}

/// What makes JSON refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// The object has a member of this name already.
    DuplicateMember,
    /// The string, or the member's name, holds U+0000.
    NullCharacter,
    /// The string, or the member's name, holds a surrogate without its other half; in a name the
    /// path has U+FFFD in its place.
    LoneSurrogate,
    /// A number without fraction and exponent lies outside ±[`MAX_INTEGER`].
    IntegerOutOfRange,
    /// The number's nearest double is infinite.
    NumberOverflow,
    /// The object or array is deeper than [`MAX_LEVELS`].
    TooDeep,
    /// The member's name begins with [`RESERVED`].
    ReservedName,
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DuplicateMember => "the member is there twice in one object",
            Self::NullCharacter => "the text holds the character U+0000",
            Self::LoneSurrogate => "the text holds a surrogate without its other half",
            Self::IntegerOutOfRange => {
                "a whole number must lie within ±(2^53 − 1); send a larger one as text"
            }
            Self::NumberOverflow => "the number is too large for a double",
            Self::TooDeep => "there are more than 64 levels of nesting",
            Self::ReservedName => "names that begin with \"$serde_json::private::\" are not taken",
        })
    }
}

/// Builds the value of a text that was found to be JSON and begins with its value's first byte.
pub(super) fn build(text: &str) -> Result<Value, Refusal> {
    Builder {
        text,
        bytes: text.as_bytes(),
        at: 0,
    }
    .value(1)
    .map_err(Fault::refusal)
}

/// A fault on its way out: each level that it passes adds its own segment.
struct Fault {
    reason: RefusalReason,
    /// Innermost first.
    segments: Vec<Segment>,
}

impl Fault {
    fn within(mut self, segment: Segment) -> Self {
        self.segments.push(segment);
        self
    }

    fn refusal(mut self) -> Refusal {
        self.segments.reverse();
        Refusal {
            path: Path::from(self.segments).to_string(),
            reason: self.reason,
        }
    }
}

impl From<RefusalReason> for Fault {
    fn from(reason: RefusalReason) -> Self {
        Self {
            reason,
            segments: Vec::new(),
        }
    }
}

/// Relies on the text being JSON: it looks for no more than it needs to tell values apart.
struct Builder<'a> {
    text: &'a str,
    /// The bytes of `text`.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Builder<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Reads the value that begins here; `level` is its own if it is an object or an array.
    fn value(&mut self, level: usize) -> Result<Value, Fault> {
        match self.peek() {
            Some(b'"') => match self.string() {
                Ok(text) => Ok(Value::String(text)),
                Err(unfit) => Err(unfit.reason.into()),
            },
            Some(b'{' | b'[') if level > MAX_LEVELS => Err(RefusalReason::TooDeep.into()),
            Some(b'{') => self.object(level),
            Some(b'[') => self.array(level),
            Some(b't') => Ok(self.literal(Value::Bool(true), 4)),
            Some(b'f') => Ok(self.literal(Value::Bool(false), 5)),
            Some(b'n') => Ok(self.literal(Value::Null, 4)),
            _ => Ok(self.number()?),
        }
    }

    fn literal(&mut self, value: Value, length: usize) -> Value {
        self.at += length;
        value
    }

    fn object(&mut self, level: usize) -> Result<Value, Fault> {
        let mut members = Map::new();
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'"') => {}
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                _ => break,
            }
            let name = match self.string() {
                Ok(name) => name,
                Err(unfit) => {
                    return Err(Fault::from(unfit.reason).within(Segment::Member(unfit.shown)));
                }
            };
            if name.starts_with(RESERVED) {
                return Err(Fault::from(RefusalReason::ReservedName).within(Segment::Member(name)));
            }
            match members.entry(name) {
                Entry::Occupied(twice) => {
                    return Err(Fault::from(RefusalReason::DuplicateMember)
                        .within(Segment::Member(twice.key().clone())));
                }
                Entry::Vacant(free) => {
                    self.skip_space();
                    self.at += 1; // the colon
                    self.skip_space();
                    match self.value(level + 1) {
                        Ok(value) => free.insert(value),
                        Err(fault) => {
                            return Err(fault.within(Segment::Member(free.key().clone())));
                        }
                    };
                }
            }
        }
        self.at += 1;
        Ok(Value::Object(members))
    }

    fn array(&mut self, level: usize) -> Result<Value, Fault> {
        let mut elements = Vec::new();
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b']') | None => break,
                Some(b',') => self.at += 1,
                Some(_) => {
                    let element = self
                        .value(level + 1)
                        .map_err(|fault| fault.within(Segment::Element(elements.len())))?;
                    elements.push(element);
                }
            }
        }
        self.at += 1;
        Ok(Value::Array(elements))
    }

    /// Reads the string whose opening quote stands here.
    fn string(&mut self) -> Result<String, Unfit> {
        self.at += 1;
        let run = self.run();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(run.to_owned());
        }
        let mut decoded = run.to_owned();
        let mut first_fault = None;
        while self.peek() == Some(b'\\') {
            self.at += 1;
            match self.escape() {
                Ok(character) => decoded.push(character),
                // Read on: a member's name is needed whole to name the place.
                Err((shown, reason)) => {
                    decoded.push(shown);
                    first_fault = first_fault.or(Some(reason));
                }
            }
            decoded.push_str(self.run());
        }
        self.at += 1;
        match first_fault {
            None => Ok(decoded),
            Some(reason) => Err(Unfit {
                reason,
                shown: decoded,
            }),
        }
    }

    /// Reads what stands for itself in a string.
    fn run(&mut self) -> &'a str {
        let start = self.at;
        self.at += plain_length(self.bytes.get(self.at..).unwrap_or_default());
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads an escape behind its backslash: its character, or the one to show and what is wrong.
    fn escape(&mut self) -> Result<char, (char, RefusalReason)> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.code_unit(self.at);
                self.at += 4;
                // The second half of a pair counts only behind the first.
                let second = match (unit, self.bytes.get(self.at..self.at + 2)) {
                    (0xD800..=0xDBFF, Some(b"\\u")) => self.code_unit(self.at + 2),
                    _ => 0,
                };
                let code = if (0xDC00..=0xDFFF).contains(&second) {
                    self.at += 6;
                    0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00)
                } else {
                    unit
                };
                match char::from_u32(code) {
                    Some('\0') => return Err(('\0', RefusalReason::NullCharacter)),
                    Some(character) => character,
                    None => {
                        let shown = char::REPLACEMENT_CHARACTER;
                        return Err((shown, RefusalReason::LoneSurrogate));
                    }
                }
            }
            // A quote, a backslash, a slash.
            other => other.map_or(char::REPLACEMENT_CHARACTER, char::from),
        })
    }

    /// The UTF-16 code unit that four hexadecimal digits stand for.
    fn code_unit(&self, at: usize) -> u32 {
        let digits = self.text.get(at..at + 4).unwrap_or_default();
        u32::from_str_radix(digits, 16).unwrap_or_default()
    }

    fn number(&mut self) -> Result<Value, RefusalReason> {
        let start = self.at;
        let mut whole = true;
        while let Some(byte @ (b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) = self.peek() {
            whole &= !matches!(byte, b'.' | b'e' | b'E');
            self.at += 1;
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if whole {
            return integer(digits).ok_or(RefusalReason::IntegerOutOfRange);
        }
        // Correctly rounded, and infinite where it overflows.
        let double = digits.parse().unwrap_or(f64::INFINITY);
        Number::from_f64(double)
            .map(Value::Number)
            .ok_or(RefusalReason::NumberOverflow)
    }
}

/// The whole number, if it is within ±[`MAX_INTEGER`]. Negative zero is 0.
fn integer(digits: &str) -> Option<Value> {
    let number: i64 = digits.parse().ok()?;
    (number.unsigned_abs() <= MAX_INTEGER).then(|| Value::from(number))
}

/// A string that is not taken.
struct Unfit {
    /// The first thing that is wrong with it.
    reason: RefusalReason,
    /// The string, with U+FFFD for each surrogate without its other half.
    shown: String,
}
