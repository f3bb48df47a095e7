//! How many match: what the kept counts tell of it, and what is worth reading for the rest.

use super::{Arm, Conditions, Counts, Numbers, Object, Opening, float};

/// How all that match are read, every entry of the way in.
pub(crate) struct Whole {
    pub(crate) arms: Vec<Arm>,
    /// About so many entries stand there, of the time that is asked for.
    pub(crate) entries: f64,
    /// In so many places.
    pub(crate) seeks: f64,
}

/// How all that match are counted.
pub(crate) struct Counting {
    pub(crate) arms: Vec<Arm>,
    /// About so many entries stand in the arms.
    pub(crate) entries: f64,
    /// The part of them that is likely to match.
    pub(crate) matching: f64,
}

impl Conditions {
    /// The way in by which all that match are read with the least work, where an entry costs `each`
    /// microseconds; none, where nothing can match.
    pub(crate) fn read_whole(&self, counts: &Counts) -> Option<Whole> {
        let openings = self.openings(counts);
        (!self.is_contradiction()).then(|| self.whole(counts, openings, counts.costs.look))
    }

    /// The same of its openings.
    pub(super) fn whole(&self, counts: &Counts, openings: Vec<Opening>, each: f64) -> Whole {
        let time = self.part_of_time(counts);
        let opened = |opening: Opening| Whole {
            arms: opening.arms,
            entries: opening.entries * time,
            seeks: opening.seeks,
        };
        let all = Whole {
            arms: vec![Arm::all()],
            entries: float(counts.total.max(1)) * time,
            seeks: 1.0,
        };
        // An operation cannot be tested elsewhere.
        if self.operation.is_some() {
            return openings.into_iter().next_back().map_or(all, opened);
        }
        let cost = |whole: &Whole| whole.entries * each + whole.seeks * counts.costs.seek;
        // Of equal ones the first: nothing is sought for.
        openings.into_iter().map(opened).fold(all, |best, other| {
            if cost(&other) < cost(&best) {
                other
            } else {
                best
            }
        })
    }

    /// Whether events are asked for by their actions and a time alone, or by nothing.
    pub(crate) fn is_by_action_alone(&self) -> bool {
        let alone = Self {
            action: self.action.clone(),
            since: self.since,
            until: self.until,
            ..Self::default()
        };
        *self == alone
    }

    /// How all that match are counted: by which way in, how many entries stand there, and what part
    /// of them is likely to match.
    pub(crate) fn counting(&self, counts: &Counts) -> Counting {
        if self.is_contradiction() {
            return Counting {
                arms: Vec::new(),
                entries: 0.0,
                matching: 0.0,
            };
        }
        let total = float(counts.total.max(1));
        let time = self.part_of_time(counts);
        let openings = self.openings(counts);
        let shares: f64 = openings
            .iter()
            .map(|opening| (opening.entries / total).clamp(1e-7, 1.0))
            .product();
        let chosen = match &self.operation {
            // It cannot be tested elsewhere.
            Some(_) => openings.into_iter().next_back(),
            None => openings
                .into_iter()
                .min_by(|one, other| one.entries.total_cmp(&other.entries)),
        };
        match chosen {
            None => Counting {
                arms: vec![Arm::all()],
                entries: total * time,
                matching: 1.0,
            },
            Some(opening) => Counting {
                matching: shares / (opening.entries / total).clamp(1e-7, 1.0),
                entries: opening.entries * time,
                arms: opening.arms,
            },
        }
    }

    /// The kept counts whose sum is how many match, where a single condition is asked of all times
    /// that an event meets once: their table, and the keys.
    pub(crate) fn kept(&self) -> Option<(&'static str, Numbers)> {
        let mut rest = self.clone();
        let kept = if let Some(actors) = rest.actor.take() {
            ("count_actor", actors)
        } else if let Some(actions) = rest.action.take() {
            ("count_action", actions)
        } else {
            ("count_outcome", rest.outcome.take()?)
        };
        (rest == Self::default()).then_some(kept)
    }

    /// So many match at least, where a single condition is asked of all times: those that meet it by
    /// what they have themselves, of which each has one.
    pub(crate) fn at_least(&self, counts: &Counts) -> u64 {
        let mut rest = self.clone();
        let least = if let Some((actors, _)) = rest.anyone.take() {
            sum_of_known(&counts.own_actor, &actors)
        } else if let Some(search) = rest.search.take() {
            let by_target = sum_of_known(&counts.own_target, &search.targets);
            by_target.max(sum_of_known(&counts.action, &search.actions))
        } else {
            match rest.objects.pop() {
                Some(Object::Kinds { kinds, .. }) => sum_of_known(&counts.own_kind, &kinds),
                Some(Object::Targets { targets, .. }) => sum_of_known(&counts.own_target, &targets),
                None => 0,
            }
        };
        if rest == Self::default() { least } else { 0 }
    }
}

/// Of what is counted only: what is new may be none of an event's own.
fn sum_of_known(counts: &[u64], numbers: &Numbers) -> u64 {
    let numbers = numbers.list().iter();
    numbers
        .filter_map(|number| counts.get(*number as usize))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Search, tests::counts},
        *,
    };

    #[test]
    fn what_is_too_new_to_be_counted_is_not_told_as_counted() {
        let search = |targets: std::ops::Range<u32>| Conditions {
            search: Some(Search {
                targets: targets.collect(),
                ..Search::default()
            }),
            ..Conditions::default()
        };
        assert_eq!(search(1..101).at_least(&counts()), 993);
        // Targets that no count knows may be none of any event's own.
        assert_eq!(search(200_000..220_000).at_least(&counts()), 0);
    }
}
