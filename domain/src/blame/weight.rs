//! How much a fold may hold. An object's history is as long as senders make it; what is kept of it to
//! answer a question is bounded, and what had to be left out is said.

use super::Setting;
use serde_json::Value;

/// What a value or a place takes beside its text: more than less.
pub(super) const PLACE: usize = 512;

/// About how many bytes a fold may hold of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of the events of one instant, whose order is only known when all are there.
    pub(super) instant: usize,
    /// Of what is gone.
    pub(super) gone: usize,
    /// Of what the field was that is asked for.
    pub(super) history: usize,
    /// Of what is there.
    pub(super) live: usize,
    /// After so much more was told it is weighed anew.
    pub(super) between: usize,
    /// How many events that tell of no state are known by their ids.
    pub(super) silent: usize,
    /// How many gaps of such events are told apart.
    pub(super) gaps: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            instant: 32 << 20,
            gone: 32 << 20,
            history: 32 << 20,
            live: 128 << 20,
            between: 8 << 20,
            silent: 10_000,
            gaps: 1_000,
        }
    }
}

pub(super) fn of_text(text: &str) -> usize {
    text.len() + PLACE / 8
}

pub(super) fn of_value(value: &Value) -> usize {
    PLACE
        + match value {
            Value::String(text) => text.len(),
            Value::Array(elements) => elements.iter().map(of_value).sum(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| of_text(name) + of_value(value))
                .sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

pub(super) fn of_setting(setting: &Setting) -> usize {
    let values = [&setting.value, &setting.previous].into_iter().flatten();
    PLACE / 2 + values.map(of_value).sum::<usize>()
}

/// Until which moment the oldest of things of these moments and weights are to be let go, so that half of
/// `most` is left; none where they are not more than that. The newest moment's always stay.
pub(super) fn cutoff<T: Copy + Ord>(mut things: Vec<(T, usize)>, most: usize) -> Option<T> {
    let mut all: usize = things.iter().map(|(_, weight)| weight).sum();
    if all <= most {
        return None;
    }
    things.sort_unstable_by_key(|(at, _)| *at);
    let newest = things.last().map(|(at, _)| *at)?;
    let mut until = None;
    for (at, weight) in things {
        if at == newest || (all <= most / 2 && until != Some(at)) {
            break;
        }
        until = Some(at);
        all -= weight;
    }
    until
}
