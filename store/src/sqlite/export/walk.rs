//! Walking an answer from its first event to its last, without pages: in the order that pages have,
//! and within what the first page would have seen, as cursors go.
//!
//! A walk holds no transaction. Between two steps it is a place, from which a later snapshot goes on:
//! numbers only grow and events never change, so nothing comes twice and nothing is skipped. What is
//! removed meanwhile drops out.

use crate::{
    cursor::Place,
    question::QuestionError,
    sqlite::snapshot::{Snapshot, Sought},
};
use domain::{
    question::{Order, Query, Span},
    time::Timestamp,
};
use std::{cmp::Ordering, collections::VecDeque};

/// So many places are found at once, of all parts of a log together.
const PLACES: usize = 8_000;
/// But of each part no fewer than this.
const PLACES_LEAST: usize = 100;

/// A walk through an answer.
#[derive(Debug)]
pub(super) struct Walk {
    query: Query,
    span: Span,
    /// The last event that it may see.
    up_to: i64,
    parts: Vec<Part>,
    /// The numbers that come next, as far as they are known, and were not passed yet.
    next: Vec<i64>,
}

/// The part of a walk that lies in one workspace, or is the tenant's own.
#[derive(Debug, Default)]
struct Part {
    /// What was found and not yet taken.
    found: VecDeque<Place>,
    /// The last that was found.
    last: Option<Place>,
    /// Nothing is left to find.
    is_done: bool,
}

impl Walk {
    /// A walk that begins at a snapshot, and sees what that does.
    pub(super) fn begin(snapshot: &Snapshot, query: &Query) -> Self {
        Self {
            span: query.filter.span(snapshot.now()),
            up_to: snapshot.head,
            parts: Vec::new(),
            next: Vec::new(),
            query: Query {
                limit: None,
                cursor: None,
                ..query.clone()
            },
        }
    }

    /// The question.
    pub(super) fn query(&self) -> &Query {
        &self.query
    }

    /// What the question's times came to.
    pub(super) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.span.since, self.span.until)
    }

    fn compared(&self, one: &Place, other: &Place) -> Ordering {
        let ascending = (&one.text, one.at, one.n).cmp(&(&other.text, other.at, other.n));
        match self.query.direction() {
            Order::Ascending => ascending,
            Order::Descending => ascending.reverse(),
        }
    }

    /// The numbers of the next events, which [`Snapshot::find_next`] found; none at the end.
    pub(super) fn next(&self) -> &[i64] {
        &self.next
    }

    /// They were read: what comes after them is next.
    pub(super) fn pass(&mut self) {
        self.next.clear();
    }

    /// Takes the next of what was found; none where a part has to be searched first, or all is done.
    fn take(&mut self) -> Option<i64> {
        let mut first: Option<usize> = None;
        for (at, part) in self.parts.iter().enumerate() {
            match (part.found.front(), first) {
                (None, _) if !part.is_done => return None,
                (None, _) => {}
                (Some(_), None) => first = Some(at),
                (Some(place), Some(known)) => {
                    let before = self.parts[known]
                        .found
                        .front()
                        .is_some_and(|other| self.compared(place, other).is_lt());
                    if before {
                        first = Some(at);
                    }
                }
            }
        }
        let place = self.parts[first?].found.pop_front()?;
        Some(place.n)
    }

    fn is_done(&self) -> bool {
        let mut parts = self.parts.iter();
        !self.parts.is_empty() && parts.all(|part| part.is_done && part.found.is_empty())
    }
}

impl Snapshot {
    /// Finds the next events of a walk, `most` at most, where they are not all known. Where it fails,
    /// another snapshot goes on with what was found.
    pub(super) async fn find_next(
        &mut self,
        walk: &mut Walk,
        most: usize,
    ) -> Result<(), QuestionError> {
        while walk.next.len() < most {
            if let Some(n) = walk.take() {
                walk.next.push(n);
                continue;
            }
            if walk.is_done() {
                break;
            }
            self.search_on(walk).await?;
        }
        Ok(())
    }

    /// Searches on in those parts of a walk of which nothing is left that was found.
    async fn search_on(&mut self, walk: &mut Walk) -> Result<(), QuestionError> {
        let asked = self.asked(&walk.query.filter, walk.span)?;
        // A workspace that was made meanwhile has nothing that the walk may see: it comes last.
        if walk.parts.is_empty() {
            walk.parts.resize_with(asked.len(), Part::default);
        }
        let limit = (PLACES / walk.parts.len().max(1)).max(PLACES_LEAST);
        let connection = self.transaction.connection();
        for (part, asked) in walk.parts.iter_mut().zip(asked.iter()) {
            if part.is_done || !part.found.is_empty() {
                continue;
            }
            let sought = Sought {
                sort: walk.query.sort,
                direction: walk.query.direction(),
                after: part.last.as_ref(),
                up_to: walk.up_to,
                limit,
            };
            let found = asked.places(connection, sought).await?;
            part.is_done = found.len() < limit;
            part.last = found.last().cloned().or(part.last.take());
            part.found = found.into();
        }
        if walk.parts.is_empty() {
            // Nothing is asked: it is done.
            walk.parts.push(Part {
                is_done: true,
                ..Part::default()
            });
        }
        Ok(())
    }
}
