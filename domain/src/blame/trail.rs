//! The way through events of one instant on which each finds what the one before it left.

use super::order::{Fit, Texts};
use std::collections::{HashMap, VecDeque};

/// The order in which all of them follow from each other; none where there is no such order, or where one
/// does not say what it found or left. Which of several orders is decided by how the first event fits what
/// is known (`fit`), then by the order in which the events are given.
///
/// States are places, events lead from one to another: that is a walk over every edge of a graph just
/// once, as Hierholzer found it in 1873.
pub(super) fn trail(events: &[Texts], fit: impl Fn(usize) -> Fit) -> Option<Vec<usize>> {
    let mut ends = Vec::with_capacity(events.len());
    for (found, left) in events {
        ends.push((found.as_deref()?, left.as_deref()?));
    }
    // How many more lead from a state than to it.
    let mut balance: HashMap<&str, i64> = HashMap::new();
    let mut leading: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (at, (found, left)) in ends.iter().enumerate() {
        *balance.entry(found).or_default() += 1;
        *balance.entry(left).or_default() -= 1;
        leading.entry(found).or_default().push_back(at);
    }
    let mut firsts = balance.iter().filter(|(_, more)| **more > 0);
    let begin = match (firsts.next(), firsts.next()) {
        (None, _) => {
            let first = (0..ends.len()).min_by_key(|at| (fit(*at), *at))?;
            ends.get(first)?.0
        }
        (Some((begin, 1)), None) => begin,
        _ => return None,
    };
    // Where a state has nothing left that leads on, the event that led to it is next from the end.
    let mut order = Vec::with_capacity(ends.len());
    let mut way: Vec<(&str, Option<usize>)> = vec![(begin, None)];
    while let Some((state, event)) = way.last().copied() {
        match leading.get_mut(state).and_then(VecDeque::pop_front) {
            Some(next) => way.push((ends.get(next)?.1, Some(next))),
            None => {
                order.extend(event);
                way.pop();
            }
        }
    }
    order.reverse();
    (order.len() == ends.len()).then_some(order)
}
