//! Where a value is to be taken out whatever its name says: paths that a workspace adds.

use crate::{
    event::{NewEvent, Object},
    json::path::{Path, PathError, Segment},
};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// The parts of an event that hold what senders make up, and so what may have to be taken out.
const PARTS: [&str; 4] = ["before", "after", "metadata", "context"];

/// A place in an event whose value is taken out: `metadata.customer.iban`,
/// `after.cards[].number`.
///
/// It is written as a [`Path`] that begins with `before`, `after`, `metadata` or `context`, and
/// names a member of it; `[]` stands for every element of a list (`[*]` is read as the same).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    part: &'static str,
    /// At least one; the first is a member's.
    steps: Vec<Step>,
}

/// One step from a value into those that it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    /// To the member of this name.
    Member(String),
    /// To the element of this index, from 0.
    Element(usize),
    /// To each element of a list.
    EveryElement,
}

/// Why a text names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is none, or it is too long.
    #[error("a path has 1 to {} characters", Place::LENGTH_MOST)]
    Length,
    /// It cannot be read from this byte on.
    #[error(
        "not a path from its character {at} on: members are written .name or [\"any name\"], an \
         element [2], every element []"
    )]
    Unreadable {
        /// The character, from 1.
        at: usize,
    },
    /// It begins with something else.
    #[error("a path begins with before, after, metadata or context")]
    Part,
    /// It names a whole part of an event.
    #[error("a path names a member: {0}.customer, say, and not all of {0}")]
    Whole(&'static str),
}

impl Place {
    /// How many characters a path may have.
    pub const LENGTH_MOST: usize = 256;

    /// Calls `take` with each value in this place.
    pub(super) fn visit(&self, event: &mut NewEvent, take: &mut impl FnMut(&mut Value)) {
        let part = match self.part {
            "before" => &mut event.before,
            "after" => &mut event.after,
            "metadata" => &mut event.metadata,
            _ => &mut event.context,
        };
        if let (Some(members), Some((Step::Member(name), rest))) = (part, self.steps.split_first())
        {
            visit_member(members, name, rest, take);
        }
    }

    /// How many steps it has: places that hold others have fewer than those.
    pub(super) fn depth(&self) -> usize {
        self.steps.len()
    }
}

fn visit_member(
    members: &mut Object,
    name: &str,
    rest: &[Step],
    take: &mut impl FnMut(&mut Value),
) {
    if let Some(value) = members.get_mut(name) {
        visit(value, rest, take);
    }
}

fn visit(value: &mut Value, steps: &[Step], take: &mut impl FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else {
        take(value);
        return;
    };
    match (step, value) {
        (Step::Member(name), Value::Object(members)) => visit_member(members, name, rest, take),
        (Step::Element(at), Value::Array(elements)) => {
            if let Some(element) = elements.get_mut(*at) {
                visit(element, rest, take);
            }
        }
        (Step::EveryElement, Value::Array(elements)) => {
            for element in elements {
                visit(element, rest, take);
            }
        }
        _ => {}
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.part)?;
        for step in &self.steps {
            match step {
                // A path whose first step is no first one: with its dot, or in brackets.
                Step::Member(name) => {
                    let path = Path::from(vec![Segment::Member(name.clone())]).to_string();
                    let dot = if path.starts_with('[') { "" } else { "." };
                    write!(formatter, "{dot}{path}")?;
                }
                Step::Element(at) => write!(formatter, "[{at}]")?,
                Step::EveryElement => formatter.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let length = text.chars().count();
        if length == 0 || length > Self::LENGTH_MOST {
            return Err(PlaceError::Length);
        }
        let mut steps = Vec::new();
        let mut from = 0;
        // What is between the signs for every element is a path as it stands anywhere else.
        for (at, sign) in every_element(text) {
            read(text, from, at, &mut steps)?;
            steps.push(Step::EveryElement);
            from = at + sign.len();
        }
        read(text, from, text.len(), &mut steps)?;
        let mut steps = steps.into_iter();
        let part = match steps.next() {
            Some(Step::Member(name)) => PARTS.into_iter().find(|part| *part == name),
            _ => None,
        };
        let part = part.ok_or(PlaceError::Part)?;
        let steps: Vec<Step> = steps.collect();
        if matches!(steps.first(), Some(Step::Member(_))) {
            Ok(Self { part, steps })
        } else {
            Err(PlaceError::Whole(part))
        }
    }
}

/// Where `[]` and `[*]` stand in a text, outside of quoted names.
fn every_element(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut quoted = false;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !escaped => quoted = !quoted,
            '[' if !quoted => {
                let signs = ["[]", "[*]"].into_iter();
                found.extend(
                    signs
                        .filter(|sign| text[at..].starts_with(*sign))
                        .map(|sign| (at, sign)),
                );
            }
            _ => {}
        }
        escaped = letter == '\\' && quoted && !escaped;
    }
    found
}

/// Reads the part of a text from one byte to another into steps.
fn read(text: &str, from: usize, to: usize, steps: &mut Vec<Step>) -> Result<(), PlaceError> {
    let part = &text[from..to];
    let unreadable = |at: usize| PlaceError::Unreadable {
        at: text[..at.min(text.len())].chars().count() + 1,
    };
    // After a sign for every element a path goes on, and does not begin.
    let (part, skipped) = match (from, part.strip_prefix('.')) {
        (0, _) => (part, 0),
        (_, Some(rest)) if !rest.is_empty() && !rest.starts_with('[') => (rest, 1),
        (_, None) if part.is_empty() || part.starts_with('[') => (part, 0),
        _ => return Err(unreadable(from)),
    };
    let path: Path = part
        .parse()
        .map_err(|PathError { at }| unreadable(from + skipped + at))?;
    steps.extend(path.segments().iter().map(|segment| match segment {
        Segment::Member(name) => Step::Member(name.clone()),
        Segment::Element(at) => Step::Element(*at),
    }));
    Ok(())
}
