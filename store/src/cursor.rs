//! Where a walk through an answer goes on: sealed, so that nobody can make or change one.
//!
//! A cursor holds what the first page of the walk saw: up to which number the log reached, and what
//! time it was. Every later page asks within that, so whatever arrives meanwhile, early or late, is
//! not in it: with numbers that only grow and events that never change, the pages of a walk are
//! slices of one list, and each slice begins strictly after the last key of the one before. Nothing
//! can come twice, and nothing can be skipped.

use crate::keys::{Key, mac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::time::Timestamp;

/// In which direction a cursor leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    /// On, in the order shown.
    Older,
    /// Back.
    Newer,
}

/// A place in an answer: the sort key of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The lowercased text that is sorted by; empty where time is.
    pub(crate) text: String,
    /// When it occurred, in microseconds.
    pub(crate) at: i64,
    /// Its number in the order of arrival.
    pub(crate) n: i64,
}

/// What a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) heading: Heading,
    /// The last event that the first page of the walk could see.
    pub(crate) up_to: i64,
    /// When the first page of the walk was asked for.
    pub(crate) walk_began: Timestamp,
    /// The walk goes on after (or before) this place.
    pub(crate) place: Place,
}

const SEAL: usize = 16;

impl Cursor {
    /// The cursor as text. `question` is the scope, filter, sort and order that it belongs to.
    pub(crate) fn seal(&self, key: &Key, question: &str) -> String {
        let mut bytes = Vec::with_capacity(48 + self.place.text.len());
        bytes.push(match self.heading {
            Heading::Older => 0,
            Heading::Newer => 1,
        });
        for number in [
            self.up_to,
            self.walk_began.micros(),
            self.place.at,
            self.place.n,
        ] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(self.place.text.as_bytes());
        let seal = seal(key, question, &bytes);
        bytes.extend_from_slice(&seal);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens a cursor; none if it was altered or belongs to another question.
    pub(crate) fn open(text: &str, key: &Key, question: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, sealed) = bytes.split_at_checked(bytes.len().checked_sub(SEAL)?)?;
        // Both are macs, of which an attacker knows neither: plain comparison of a second mac over
        // each tells nothing by its timing.
        if mac(key, &[sealed]) != mac(key, &[&seal(key, question, body)]) {
            return None;
        }
        let heading = match body.first()? {
            0 => Heading::Older,
            1 => Heading::Newer,
            _ => return None,
        };
        let number = |at: usize| {
            let bytes = body.get(1 + at * 8..9 + at * 8)?;
            Some(i64::from_be_bytes(bytes.try_into().ok()?))
        };
        Some(Self {
            heading,
            up_to: number(0)?,
            walk_began: Timestamp::from_micros(number(1)?),
            place: Place {
                at: number(2)?,
                n: number(3)?,
                text: String::from_utf8(body.get(33..)?.to_vec()).ok()?,
            },
        })
    }
}

fn seal(key: &Key, question: &str, body: &[u8]) -> [u8; SEAL] {
    let whole = mac(
        key,
        &[
            &(question.len() as u64).to_be_bytes(),
            question.as_bytes(),
            body,
        ],
    );
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&whole[..SEAL]);
    seal
}
