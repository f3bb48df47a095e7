//! What may be asked of a log: which events, in which order, which page of them. One type with one
//! textual form, the query string, used by the pages' addresses, the API, exports and the command
//! line. Reading it is the only validation.

mod blame;
mod feed;
mod filter;
mod histogram;
mod parameters;
mod range;
mod sort;
mod zone;

pub use blame::BlameParameters;
pub use feed::{FeedQuery, Wait};
pub use filter::{Filter, Subject};
pub use histogram::{Bucket, Buckets, BucketsMost, Histogram, HistogramQuery, Step};
pub use parameters::{Fault, PARAMETERS, Read, Unknown};
pub use range::{Moment, MomentError, Range, Span};
pub use sort::{Order, Sort};
pub use zone::{Zone, ZoneError};

use serde::{Deserialize, Serialize};

/// How many events a page holds at most, from 1 to 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Limit(u16);

impl Limit {
    /// A page where nothing else was asked for: 50.
    pub const DEFAULT: Self = Self(50);
    /// The most that is given at once.
    pub const MOST: Self = Self(500);

    /// The number.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl TryFrom<u16> for Limit {
    type Error = &'static str;

    fn try_from(number: u16) -> Result<Self, Self::Error> {
        if (1..=500).contains(&number) {
            Ok(Self(number))
        } else {
            Err("a whole number from 1 to 500")
        }
    }
}

impl From<Limit> for u16 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

/// A question: filter, order and page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Which events.
    pub filter: Filter,
    /// By what they are sorted.
    pub sort: Sort,
    /// In which direction; none: the usual one of the sort.
    pub order: Option<Order>,
    /// How many at once; none: 50.
    pub limit: Option<Limit>,
    /// Where to go on; none: at the start. Opaque: only the store that made it can read it.
    pub cursor: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            sort: Sort::Time,
            order: None,
            limit: None,
            cursor: None,
        }
    }
}

impl Query {
    /// The direction that holds: the one asked for, else the usual one of the sort.
    pub fn direction(&self) -> Order {
        self.order.unwrap_or(self.sort.usual_order())
    }

    /// How many events are asked for.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(Limit::DEFAULT).get()
    }

    /// The same question from its start.
    #[must_use]
    pub fn from_start(&self) -> Self {
        Self {
            cursor: None,
            ..self.clone()
        }
    }

    /// The same question, going on at `cursor`.
    #[must_use]
    pub fn at(&self, cursor: impl Into<String>) -> Self {
        Self {
            cursor: Some(cursor.into()),
            ..self.clone()
        }
    }

    /// The same order and page size with another filter, from the start.
    #[must_use]
    pub fn with_filter(&self, filter: Filter) -> Self {
        Self {
            filter,
            cursor: None,
            ..self.clone()
        }
    }

    /// The same filter in another order, from the start.
    #[must_use]
    pub fn sorted(&self, sort: Sort, order: Option<Order>) -> Self {
        Self {
            sort,
            order,
            cursor: None,
            ..self.clone()
        }
    }
}
