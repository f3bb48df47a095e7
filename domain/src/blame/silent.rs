//! Events that do not tell what they changed, and so may have changed anything.

use super::{Silent, Untold};
use crate::{event::EventId, time::Timestamp};
use std::{collections::VecDeque, sync::Arc};

/// So many of those that may have been it are named.
const NAMED_MOST: usize = 5;

/// An event, or those of one instant, that did not tell.
#[derive(Clone, Debug)]
struct Event {
    at: Timestamp,
    /// None: more than one, or one that is not kept.
    id: Option<EventId>,
    /// How many there are with those before.
    events: u64,
    /// How many of them gave states that were erased.
    erased: u64,
}

/// Those that there were until now, in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Silences {
    events: VecDeque<Event>,
    gaps: VecDeque<Untold>,
    /// Whether the last event was one.
    is_last: bool,
}

impl Silences {
    /// Takes in `events` that occurred at a moment; `most` is how many are kept, and how many gaps.
    pub(super) fn push(
        &mut self,
        (at, id): (Timestamp, Option<EventId>),
        (events, is_erased): (u64, bool),
        (most, gaps_most): (usize, usize),
    ) {
        let last = self.events.back();
        let (all, erased) = last.map_or((0, 0), |last| (last.events, last.erased));
        self.events.push_back(Event {
            at,
            id,
            events: all + events,
            erased: erased + if is_erased { events } else { 0 },
        });
        if self.events.len() > most
            && self.events.len() > 2
            && let Some(first) = self.events.pop_front()
            && let Some(second) = self.events.front_mut()
        {
            // The first is counted as if it had occurred with the second.
            second.id = second.id.filter(|_| first.events == 0);
        }
        match self.gaps.back_mut() {
            Some(last) if self.is_last && last.is_erased == is_erased => {
                last.until = at;
                last.events += events;
            }
            _ => self.gaps.push_back(Untold {
                since: at,
                until: at,
                events,
                is_erased,
            }),
        }
        self.is_last = true;
        if self.gaps.len() > gaps_most.max(3)
            && let Some(first) = self.gaps.pop_front()
            && let Some(next) = self
                .gaps
                .iter_mut()
                .find(|gap| gap.is_erased == first.is_erased)
        {
            next.since = first.since;
            next.events += first.events;
        }
    }

    /// An event told of a state: those that do not tell after it are another gap.
    pub(super) fn interrupt(&mut self) {
        self.is_last = false;
    }

    /// Those that occurred since a moment (none: ever); none of none.
    pub(super) fn since(&self, since: Option<Timestamp>) -> Option<Arc<Silent>> {
        let from = since.map_or(0, |since| {
            self.events.partition_point(|event| event.at < since)
        });
        let last = self.events.back()?;
        let before = match from.checked_sub(1) {
            Some(before) => self.events.get(before).map(|e| (e.events, e.erased)),
            None => Some((0, 0)),
        };
        let (events, erased) = before?;
        if last.events == events {
            return None;
        }
        let those = self.events.range(from..);
        Some(Arc::new(Silent {
            events: last.events - events,
            erased: last.erased - erased,
            named: those
                .filter_map(|event| event.id)
                .take(NAMED_MOST)
                .collect(),
        }))
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        self.events.len() * size_of::<Event>() + self.gaps.len() * size_of::<Untold>()
    }

    pub(super) fn into_gaps(self) -> Vec<Untold> {
        self.gaps.into()
    }
}
