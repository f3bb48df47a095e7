//! Logs of other products, read into events: bytes in, events out, nothing opened here.
//!
//! A [`Reader`] takes a file apart record by record, whether it holds one record a line, an array,
//! or the `{"Records": […]}` of `CloudTrail`, and keeps no more than one record in memory. A record
//! that cannot be read is given out with its place and the reason, and the rest goes on.

mod cloudtrail;
mod daybook;
mod fields;
mod fit;
mod frames;
mod github;
mod numbers;
#[cfg(test)]
mod tests;

use crate::event::{Bounds, FieldError, NewEvent, Object, UnknownName};
use frames::{Frame, Frames};
use serde_json::Value;
use std::{
    collections::VecDeque,
    fmt,
    io::{self, BufRead},
    str::FromStr,
};

pub use frames::{Place, RECORD_MOST};

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Daybook's own events, as exported.
    Daybook,
    /// AWS `CloudTrail`: log files as delivered, or one record a line.
    Cloudtrail,
    /// The audit log of a GitHub organization, as exported.
    Github,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Daybook, Self::Cloudtrail, Self::Github];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daybook => "daybook",
            Self::Cloudtrail => "cloudtrail",
            Self::Github => "github",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownName {
                value: text.to_owned(),
                accepted: Self::ALL.map(Self::as_str).join(", "),
            })
    }
}

/// Why a record gives no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON.
    #[error("is not JSON: {0}")]
    Json(String),
    /// It is so long that it is not even looked at.
    #[error("is longer than {} MiB", RECORD_MOST / 1024 / 1024)]
    TooLong,
    /// It is JSON, but no record of this format, or an event that is not taken.
    #[error("{}", name_faults(.0))]
    Refused(Vec<FieldError>),
    /// What may not be cut (who, what, when, which objects) is larger than an event may be.
    #[error("is larger than the {} KiB of an event, even with its texts cut", fit::EVENT_MOST / 1024)]
    TooLarge,
}

impl Unreadable {
    fn field(field: &str, reason: impl Into<String>) -> Self {
        Self::Refused(vec![FieldError {
            field: field.to_owned(),
            reason: reason.into(),
        }])
    }
}

fn name_faults(faults: &[FieldError]) -> String {
    let named: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!("{} {}", fault.field, fault.reason)
                .trim()
                .to_owned()
        })
        .collect();
    named.join("; ")
}

/// One record of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it begins.
    pub place: Place,
    /// The event that it tells of; it has an idempotency key, and is within all bounds of one.
    pub event: Result<NewEvent, Unreadable>,
}

/// Reads the records of a file, in their order. What it gives out as an error is a failure to read
/// the bytes, after which nothing more comes.
pub struct Reader<R> {
    format: Format,
    bounds: Bounds,
    frames: Frames<R>,
    /// Records that came out of one value.
    waiting: VecDeque<Record>,
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`, already unpacked, as `format`. `bounds` says what times are taken.
    pub fn new(format: Format, input: R, bounds: Bounds) -> Self {
        // The member whose array holds the records.
        let wrapper = (format == Format::Cloudtrail).then_some(cloudtrail::WRAPPER);
        Self {
            format,
            bounds,
            frames: Frames::new(input, wrapper),
            waiting: VecDeque::new(),
        }
    }

    fn read(&mut self, Frame { place, text }: Frame) {
        let value = text.and_then(|text| parse(&text));
        match value {
            // The wrapper, with other members before the records.
            Ok(Value::Object(mut object))
                if self.format == Format::Cloudtrail && cloudtrail::is_wrapper(&object) =>
            {
                if let Some(Value::Array(records)) = object.remove(cloudtrail::WRAPPER) {
                    for (number, record) in (1..).zip(records) {
                        let place = Place {
                            record: Some(number),
                            ..place
                        };
                        let event = self.event(record);
                        self.waiting.push_back(Record { place, event });
                    }
                }
            }
            Ok(Value::Object(object))
                if self.format == Format::Daybook && daybook::is_last_line(&object) => {}
            value => {
                let event = value.and_then(|value| self.event(value));
                self.waiting.push_back(Record { place, event });
            }
        }
    }

    fn event(&self, record: Value) -> Result<NewEvent, Unreadable> {
        let Value::Object(record) = record else {
            return Err(Unreadable::field("", "is not a JSON object"));
        };
        event(self.format, record, self.bounds)
    }
}

/// The event that one record tells of.
fn event(format: Format, record: Object, bounds: Bounds) -> Result<NewEvent, Unreadable> {
    let event = match format {
        Format::Daybook => daybook::event(record, bounds)?,
        Format::Cloudtrail => cloudtrail::event(record)?,
        Format::Github => github::event(record)?,
    };
    if event.occurred_at.is_some_and(|time| time > bounds.latest()) {
        let reason = format!(
            "lies more than 24 hours ahead; the latest taken now is {}",
            bounds.latest()
        );
        return Err(Unreadable::field("occurred_at", reason));
    }
    fit::fit(event)
}

/// Reads JSON with large numbers as texts.
fn parse(text: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(&numbers::quote_large(text)).map_err(|error| {
        // The position is one in the record, not in the file: it would send a reader astray.
        let told = error.to_string();
        let reason = told
            .rsplit_once(" at line ")
            .map_or(&*told, |(reason, _)| reason);
        Unreadable::Json(reason.to_owned())
    })
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<io::Result<Record>> {
        loop {
            if let Some(record) = self.waiting.pop_front() {
                return Some(Ok(record));
            }
            match self.frames.next()? {
                Ok(frame) => self.read(frame),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
