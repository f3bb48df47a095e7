//! Which way into the index answers a question with the least reading. Pure: it knows what the log
//! looks like only from counts, and is tested without a database.
//!
//! The cost of a way is what it seeks (2.5 µs each) and the entries that it looks at (0.15 µs each;
//! 0.35 where they must be gathered and sorted first), as measured on a log of ten million events.
//! How many entries a way looks at before a page is full follows from how frequent the other
//! filters' values are, taken as independent.

mod counting;

pub(crate) use counting::{Counting, Whole};

use domain::question::Sort;
use std::{fmt, sync::Arc, time::Duration};

/// A set of numbers of a dictionary: sorted, each once. Cheap to clone, however many they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(Arc<[u32]>);

impl Numbers {
    pub(crate) fn has(&self, number: u32) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    /// One byte for each number from 1 to the greatest: 1 for those in the set.
    pub(crate) fn map(&self) -> Vec<u8> {
        let most = self.0.last().copied().unwrap_or_default() as usize;
        let mut map = vec![0; most];
        for number in &*self.0 {
            if let Some(byte) = map.get_mut(*number as usize - 1) {
                *byte = 1;
            }
        }
        map
    }

    pub(crate) fn list(&self) -> &[u32] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut list: Vec<u32> = numbers.into_iter().collect();
        list.sort_unstable();
        list.dedup();
        Self(list.into())
    }
}

/// What must hold of the target or of a related object, the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// It is of one of these kinds; `related`: the sets of related objects with such a one; `own`: whether
    /// the target may be of such a kind, and not a related object alone.
    Kinds {
        kinds: Numbers,
        related: Numbers,
        own: bool,
    },
    /// It is one of these targets; `related`: the sets with such a one; `kinds`: of which kinds they
    /// are, unless they are too many.
    Targets {
        targets: Numbers,
        related: Numbers,
        kinds: Option<Numbers>,
    },
}

/// What a search comes to: any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) targets: Numbers,
    pub(crate) related: Numbers,
    pub(crate) actions: Numbers,
    /// Of which kinds the targets are, unless they are too many.
    pub(crate) kinds: Option<Numbers>,
}

/// A filter in one workspace, its texts as numbers. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// The event's own actor.
    pub(crate) actor: Option<Numbers>,
    /// The actor, or anyone in `via`: actors, and chains with one of them.
    pub(crate) anyone: Option<(Numbers, Numbers)>,
    /// Someone in `via`: actors, and chains with one of them.
    pub(crate) via: Option<(Numbers, Numbers)>,
    pub(crate) action: Option<Numbers>,
    pub(crate) objects: Vec<Object>,
    pub(crate) search: Option<Search>,
    /// Outcomes by number: 0 success, 1 failure, 2 denied.
    pub(crate) outcome: Option<Numbers>,
    pub(crate) operation: Option<String>,
    /// The first and the last moment, microseconds.
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
}

/// What is tested of one event, in numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// When it occurred, microseconds.
    pub(crate) at: i64,
    pub(crate) actor: u32,
    pub(crate) via: Option<u32>,
    pub(crate) action: u32,
    /// The kind of its target.
    pub(crate) kind: u32,
    pub(crate) target: u32,
    pub(crate) related: Option<u32>,
    pub(crate) outcome: u32,
    pub(crate) operation: Option<&'a str>,
}

/// A table of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Time,
    Actor,
    Action,
    Kind,
    Target,
    Outcome,
    Operation,
}

impl Table {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time => "by_time",
            Self::Actor => "by_actor",
            Self::Action => "by_action",
            Self::Kind => "by_kind",
            Self::Target => "by_target",
            Self::Outcome => "by_outcome",
            Self::Operation => "by_operation",
        }
    }
}

/// One way in: a table, and the keys to read there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arm {
    pub(crate) table: Table,
    pub(crate) keys: Keys,
    /// Only entries of the event's own actor or target, or only of those in `via` or `related`.
    pub(crate) own: Option<bool>,
    /// What all of its entries meet.
    pub(crate) met: Met,
}

impl Arm {
    /// Everything, by time.
    fn all() -> Self {
        Self {
            table: Table::Time,
            keys: Keys::All,
            own: None,
            met: Met::None,
        }
    }

    /// Whether an event may stand in it more than once: for its target and for a related object.
    pub(crate) fn may_repeat(&self) -> bool {
        self.own != Some(true) && matches!(self.table, Table::Actor | Table::Kind | Table::Target)
    }
}

/// The condition that a way in meets by itself: its entries need not be tested for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    None,
    Actor,
    Anyone,
    Via,
    Action,
    /// That at this place in the list of objects.
    Object(usize),
    Search,
    Outcome,
}

/// What is read of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// All of the workspace.
    All,
    /// These.
    Numbers(Numbers),
    /// This operation.
    Operation(String),
}

/// How a page is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing can match.
    Nothing,
    /// The arms are read in time order and merged.
    InOrder(Vec<Arm>),
    /// The values that are sorted by are taken one after the other, each one's entries in time
    /// order; only these values, where the filter leaves no others.
    Walk {
        table: Table,
        only: Option<Numbers>,
        instead: Option<Instead>,
    },
    /// The arms are read whole, and sorted.
    Gather(Vec<Arm>),
    /// Those that are asked for by what is sorted by are walked; those that are asked for by what
    /// is beside it (related objects, who carried out) are few, and gathered.
    Both {
        table: Table,
        only: Only,
        met: Met,
        beside: Vec<Arm>,
        instead: Option<Instead>,
    },
}

/// What is done instead of walking on: values that are frequent and hardly ever meet are walked for long, and
/// no page is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instead {
    /// After how many entries.
    pub(crate) after: u64,
    /// These are gathered.
    pub(crate) arms: Vec<Arm>,
}

/// Which of the values that are sorted by are walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    /// These.
    These(Numbers),
    /// The actions that are done to something of these kinds.
    ActionsOn(Numbers),
}

impl Plan {
    /// Walks no longer than gathering takes, where that is less than to walk everything.
    fn or_gather(mut self, gather: Way, counts: &Counts) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, which is not negative"
        )]
        let after = (gather.cost / counts.costs.look) as u64;
        if let (Self::Walk { instead, .. } | Self::Both { instead, .. }, Plan::Gather(arms)) =
            (&mut self, gather.plan)
            && after < counts.total
        {
            *instead = Some(Instead { after, arms });
        }
        self
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arms = |arms: &[Arm]| {
            let names: Vec<_> = arms
                .iter()
                .map(|arm| match &arm.keys {
                    Keys::Numbers(numbers) => format!("{}[{}]", arm.table.name(), numbers.len()),
                    _ => arm.table.name().to_owned(),
                })
                .collect();
            names.join(" + ")
        };
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::InOrder(list) => write!(f, "in order: {}", arms(list)),
            Self::Walk { table, only, .. } => match only {
                Some(only) => write!(f, "walk: {}[{}]", table.name(), only.len()),
                None => write!(f, "walk: {}", table.name()),
            },
            Self::Gather(list) => write!(f, "gather: {}", arms(list)),
            Self::Both {
                table,
                only,
                beside,
                ..
            } => {
                let table = table.name();
                match only {
                    Only::These(only) => write!(f, "walk: {table}[{}]", only.len()),
                    Only::ActionsOn(kinds) => write!(f, "walk: {table} on {} kinds", kinds.len()),
                }?;
                write!(f, ", gather: {}", arms(beside))
            }
        }
    }
}

/// A way to read a page.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) plan: Plan,
    /// About how long it takes, in microseconds.
    pub(crate) cost: f64,
    /// Whether it reads no more than a page, whatever the log is like.
    is_certain: bool,
}

/// What a workspace's log looks like. May be a little behind: only costs follow from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Entries of each actor, action, kind, target by number from 1 (the element at 0 is unused).
    pub(crate) actor: Vec<u64>,
    pub(crate) action: Vec<u64>,
    pub(crate) kind: Vec<u64>,
    pub(crate) target: Vec<u64>,
    /// Of those entries, the events whose own actor, kind or target it is.
    pub(crate) own_actor: Vec<u64>,
    pub(crate) own_kind: Vec<u64>,
    pub(crate) own_target: Vec<u64>,
    pub(crate) outcome: [u64; 3],
    pub(crate) total: u64,
    /// The first and the last time of an event, microseconds.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// How many batches of events had been removed: since then there may be less of anything.
    pub(crate) removals: i64,
    /// What reading it costs.
    pub(crate) costs: Costs,
}

impl Counts {
    /// Whether so little is recorded that all of it is read in a time.
    pub(crate) fn reads_whole_within(&self, time: Duration) -> bool {
        float(self.total) * self.costs.look <= time.as_secs_f64() * 1e6
    }

    /// Whether an actor carries something out for others, as far as is known.
    pub(crate) fn carries_out(&self, actor: u32) -> bool {
        let count = |counts: &[u64]| counts.get(actor as usize).copied();
        count(&self.actor) > count(&self.own_actor)
    }
}

/// What reading costs, microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Costs {
    /// To begin at an entry.
    seek: f64,
    /// To look at the next.
    look: f64,
    /// To read one that is then sorted.
    sort: f64,
    /// One more statement.
    statement: f64,
}

impl Costs {
    /// Of SQLite, whose index holds all that is looked at, in order.
    pub(crate) const SQLITE: Self = Self {
        seek: 2.5,
        look: 0.15,
        sort: 0.35,
        statement: 60.0,
    };
    /// Of PostgreSQL, whose indexes lead to a row elsewhere.
    pub(crate) const POSTGRES: Self = Self {
        seek: 5.0,
        look: 1.0,
        sort: 3.0,
        statement: 300.0,
    };
}

impl Default for Costs {
    fn default() -> Self {
        Self::SQLITE
    }
}

fn sum(counts: &[u64], numbers: &Numbers) -> u64 {
    // What is not counted yet is new, and little.
    numbers
        .list()
        .iter()
        .map(|number| counts.get(*number as usize).copied().unwrap_or(1))
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(number: u64) -> f64 {
    number as f64
}

/// A condition, and the way in that it opens.
struct Opening {
    arms: Vec<Arm>,
    entries: f64,
    seeks: f64,
}

impl Conditions {
    /// Whether all of them hold of an event: what the tests on the index's entries come to, for who
    /// follows the log and reads no index.
    pub(crate) fn hold_of(&self, entry: &Entry<'_>) -> bool {
        let is_in = |numbers: &Option<Numbers>, number: u32| {
            numbers.as_ref().is_none_or(|numbers| numbers.has(number))
        };
        let holds =
            |numbers: &Numbers, number: Option<u32>| number.is_some_and(|one| numbers.has(one));
        is_in(&self.actor, entry.actor)
            && is_in(&self.action, entry.action)
            && is_in(&self.outcome, entry.outcome)
            && self
                .anyone
                .as_ref()
                .is_none_or(|(actors, vias)| actors.has(entry.actor) || holds(vias, entry.via))
            && self
                .via
                .as_ref()
                .is_none_or(|(_, vias)| holds(vias, entry.via))
            && self.objects.iter().all(|object| match object {
                Object::Kinds {
                    kinds,
                    related,
                    own,
                } => *own && kinds.has(entry.kind) || holds(related, entry.related),
                Object::Targets {
                    targets, related, ..
                } => targets.has(entry.target) || holds(related, entry.related),
            })
            && self.search.as_ref().is_none_or(|search| {
                search.targets.has(entry.target)
                    || holds(&search.related, entry.related)
                    || search.actions.has(entry.action)
            })
            && self
                .operation
                .as_deref()
                .is_none_or(|operation| entry.operation == Some(operation))
            && self.since.is_none_or(|since| since <= entry.at)
            && self.until.is_none_or(|until| entry.at <= until)
    }

    /// Whether nothing can match.
    pub(crate) fn is_contradiction(&self) -> bool {
        let none = |numbers: &Option<Numbers>| numbers.as_ref().is_some_and(Numbers::is_empty);
        none(&self.actor)
            || none(&self.action)
            || none(&self.outcome)
            || self
                .anyone
                .as_ref()
                .is_some_and(|(actors, _)| actors.is_empty())
            || self.via.as_ref().is_some_and(|(_, vias)| vias.is_empty())
            || self.objects.iter().any(|object| match object {
                Object::Kinds {
                    kinds,
                    related,
                    own,
                } => (!own || kinds.is_empty()) && related.is_empty(),
                Object::Targets {
                    targets, related, ..
                } => targets.is_empty() && related.is_empty(),
            })
            || self.search.as_ref().is_some_and(|search| {
                search.targets.is_empty() && search.related.is_empty() && search.actions.is_empty()
            })
            || matches!((self.since, self.until), (Some(since), Some(until)) if since > until)
    }

    /// The ways in that the conditions open, one for each that can.
    fn openings(&self, counts: &Counts) -> Vec<Opening> {
        let arm = |table, numbers: &Numbers, own, met| Arm {
            table,
            keys: Keys::Numbers(numbers.clone()),
            own,
            met,
        };
        let open = |arms: Vec<(Arm, u64, usize)>| Opening {
            entries: float(arms.iter().map(|(_, entries, _)| entries).sum()),
            seeks: arms.iter().map(|(_, _, seeks)| float(*seeks as u64)).sum(),
            arms: arms.into_iter().map(|(arm, _, _)| arm).collect(),
        };
        let mut openings = Vec::new();
        if let Some(actors) = &self.actor {
            let entries = sum(&counts.actor, actors);
            openings.push(open(vec![(
                arm(Table::Actor, actors, Some(true), Met::Actor),
                entries,
                actors.len(),
            )]));
        }
        if let Some((actors, _)) = &self.anyone {
            let entries = sum(&counts.actor, actors);
            openings.push(open(vec![(
                arm(Table::Actor, actors, None, Met::Anyone),
                entries,
                actors.len(),
            )]));
        }
        if let Some((actors, _)) = &self.via {
            let entries = sum(&counts.actor, actors);
            openings.push(open(vec![(
                arm(Table::Actor, actors, Some(false), Met::Via),
                entries,
                actors.len(),
            )]));
        }
        if let Some(actions) = &self.action {
            let entries = sum(&counts.action, actions);
            openings.push(open(vec![(
                arm(Table::Action, actions, None, Met::Action),
                entries,
                actions.len(),
            )]));
        }
        for (at, object) in self.objects.iter().enumerate() {
            let (arm, numbers, entries) = match object {
                Object::Kinds { kinds, own, .. } => {
                    let is_own = (!own).then_some(false);
                    let arm = arm(Table::Kind, kinds, is_own, Met::Object(at));
                    (arm, kinds, sum(&counts.kind, kinds))
                }
                Object::Targets { targets, .. } => {
                    let arm = arm(Table::Target, targets, None, Met::Object(at));
                    (arm, targets, sum(&counts.target, targets))
                }
            };
            openings.push(open(vec![(arm, entries, numbers.len())]));
        }
        if let Some(search) = &self.search {
            let targets = sum(&counts.target, &search.targets);
            let actions = sum(&counts.action, &search.actions);
            let mut arms = Vec::new();
            if !search.targets.is_empty() {
                let seeks = search.targets.len();
                arms.push((
                    arm(Table::Target, &search.targets, None, Met::Search),
                    targets,
                    seeks,
                ));
            }
            if !search.actions.is_empty() {
                let seeks = search.actions.len();
                arms.push((
                    arm(Table::Action, &search.actions, None, Met::Search),
                    actions,
                    seeks,
                ));
            }
            openings.push(open(arms));
        }
        if let Some(outcomes) = &self.outcome
            && !outcomes.has(0)
        {
            let entries = outcomes
                .list()
                .iter()
                .filter_map(|at| counts.outcome.get(*at as usize));
            let entries = entries.sum();
            openings.push(open(vec![(
                arm(Table::Outcome, outcomes, None, Met::Outcome),
                entries,
                outcomes.len(),
            )]));
        }
        if let Some(operation) = &self.operation {
            let arm = Arm {
                table: Table::Operation,
                keys: Keys::Operation(operation.clone()),
                own: None,
                met: Met::None,
            };
            // Not counted: an operation is a small part of a log.
            openings.push(open(vec![(arm, (counts.total / 100).min(1_000), 1)]));
        }
        openings
    }

    /// The actors whose own events alone can match; none: anybody's can.
    fn own_actors(&self) -> Option<&Numbers> {
        let acting_themselves = match &self.anyone {
            Some((actors, vias)) if vias.is_empty() => Some(actors),
            _ => None,
        };
        self.actor.as_ref().or(acting_themselves)
    }

    /// Whether finding out who did the actions that are asked for costs less than passing by all
    /// who did not, on a page of `limit` events sorted by actor.
    pub(crate) fn narrowing_pays(&self, counts: &Counts, limit: usize) -> bool {
        let Some(actions) = &self.action else {
            return false;
        };
        let entries = sum(&counts.action, actions);
        let share = (float(entries) / float(counts.total.max(1))).clamp(1e-7, 1.0);
        let passing =
            (float(limit as u64 + 1) / share).min(float(counts.total)) * counts.costs.look;
        let pairs = entries.min((actions.len() * counts.actor.len()) as u64);
        float(pairs) * counts.costs.sort < passing
    }

    /// What part of the log's time is asked for.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn part_of_time(&self, counts: &Counts) -> f64 {
        let whole = (counts.last - counts.first).max(1) as f64;
        let since = self.since.unwrap_or(counts.first).max(counts.first);
        let until = self.until.unwrap_or(counts.last).min(counts.last);
        (((until - since).max(0) as f64) / whole).clamp(0.0, 1.0)
    }

    /// How a page of `limit` events sorted by `sort` is read best. `groups`: how many different
    /// values there are to sort by; `gather_within`: up to which cost all that match are gathered,
    /// whatever walking is estimated to cost.
    pub(crate) fn plan(
        &self,
        sort: Sort,
        counts: &Counts,
        groups: usize,
        limit: usize,
        gather_within: Duration,
    ) -> Plan {
        let gather_within = gather_within.as_secs_f64() * 1e6;
        let mut ways = self.ways(sort, counts, groups, limit).into_iter();
        let Some(first) = ways.next() else {
            return Plan::Nothing;
        };
        let small = first.cost <= gather_within;
        let others = ways.filter(|way| way.is_certain || !small);
        let best = others.min_by(|one, other| one.cost.total_cmp(&other.cost));
        match best {
            Some(best) if best.cost < first.cost => best.plan.or_gather(first, counts),
            _ => first.plan,
        }
    }

    /// The ways to read a page, each of which gives the same, with what they are estimated to cost:
    /// in time order, or gathered, first. None, where nothing can match.
    pub(crate) fn ways(
        &self,
        sort: Sort,
        counts: &Counts,
        groups: usize,
        limit: usize,
    ) -> Vec<Way> {
        if self.is_contradiction() {
            return Vec::new();
        }
        let Costs {
            seek,
            look,
            sort: sorted,
            statement,
        } = counts.costs;
        let all = Arm::all();
        let openings = self.openings(counts);
        // An operation cannot be tested elsewhere: where one is asked for, it is the way in.
        let only = self.operation.as_ref().map(|_| openings.len() - 1);
        let total = float(counts.total.max(1));
        let time = self.part_of_time(counts);
        let wanted = float(limit as u64 + 1);
        let share = |opening: &Opening| (opening.entries / total).clamp(1e-7, 1.0);
        let all_shares: f64 = openings.iter().map(share).product();

        // What reading in time order costs by each way.
        let mut in_order = (wanted / all_shares).min(total * time) * look + seek;
        let mut order_arms = vec![all];
        for (at, opening) in openings.iter().enumerate() {
            let forced = only.is_some();
            if only.is_some_and(|only| only != at) {
                continue;
            }
            let others = all_shares / share(opening);
            let entries = opening.entries * time;
            let cost = (wanted / others).min(entries) * look + opening.seeks * seek;
            if cost < in_order || forced {
                in_order = cost;
                order_arms.clone_from(&opening.arms);
            }
        }
        let Whole {
            arms: gather_arms,
            entries,
            seeks,
        } = self.whole(counts, openings, sorted);
        let gather = entries * sorted + seeks * seek;

        let way = |plan, cost| Way {
            plan,
            cost,
            is_certain: false,
        };
        let (table, restricted) = match sort {
            Sort::Time => return vec![way(Plan::InOrder(order_arms), in_order)],
            Sort::Actor => (Table::Actor, self.own_actors()),
            Sort::Action => (Table::Action, self.action.as_ref()),
            Sort::TargetKind => (Table::Kind, None),
        };
        let mut ways = vec![way(Plan::Gather(gather_arms), gather)];
        if only.is_some() {
            return ways;
        }
        // Walking: the values sorted by, those left by a filter on them, until the page is full.
        let reading = |looked_at: f64, part: f64, groups: usize| {
            let looked_at = looked_at.min(total * part * time);
            let visited =
                (looked_at / (total * part).max(1.0)).clamp(0.0, 1.0) * float(groups as u64);
            let statements = (looked_at / float(CHUNK)).max(1.0) + visited / 500.0;
            looked_at * look + visited * seek + statements * statement
        };
        let filled = |share: f64| wanted / (share * time).max(1e-7);
        let walking = |part: f64, others: f64, groups: usize| reading(filled(others), part, groups);
        let (part, others, groups_left) = match restricted {
            Some(numbers) => {
                let entries = match table {
                    Table::Actor => sum(&counts.actor, numbers),
                    _ => sum(&counts.action, numbers),
                };
                let own = (float(entries) / total).clamp(1e-7, 1.0);
                (own, all_shares / own, numbers.len().min(groups))
            }
            None => (1.0, all_shares, groups),
        };
        let walk = Plan::Walk {
            table,
            only: restricted.cloned(),
            instead: None,
        };
        let apart = self.apart(sort, counts);
        let cost = match &apart {
            // All that has it itself lies together, anywhere; until then there is what has it beside.
            Some(apart) if restricted.is_none() && sort != Sort::Actor => {
                let rest = all_shares / apart.share(total);
                let elsewhere = (total - float(apart.walked)).max(0.0) * time / 2.0;
                let beside = filled(rest * float(apart.beside) / total);
                let looked_at = elsewhere.min(beside) + filled(rest * apart.part());
                reading(looked_at, part, groups_left)
            }
            _ => walking(part, others, groups_left),
        };
        ways.push(Way {
            // Without another filter a page is full after the first values, as many as are wanted.
            is_certain: others >= 1.0 && time >= 1.0,
            ..way(walk, cost)
        });
        if let Some(apart) = apart {
            let part = (float(apart.walked) / total).clamp(1e-7, 1.0);
            let others = apart.part() * all_shares / apart.share(total);
            let gathered = float(apart.beside) * time * sorted + statement;
            let (left, finding_out) = match &apart.only {
                Only::These(numbers) => (numbers.len(), 0.0),
                Only::ActionsOn(_) => (groups, statement),
            };
            let walked = walking(part, others, left.min(groups));
            let both = Plan::Both {
                table,
                only: apart.only,
                met: apart.met,
                beside: vec![apart.arm],
                instead: None,
            };
            ways.push(way(both, walked + gathered + finding_out));
        }
        ways
    }

    /// Where what is asked for tells by what to walk, of the event itself, and what is beside it comes
    /// apart: the two.
    ///
    /// A target's kind is one of few, and so are the actions that are done to it.
    fn apart(&self, sort: Sort, counts: &Counts) -> Option<Apart> {
        if sort == Sort::Actor {
            let (actors, _) = self.anyone.as_ref()?;
            let own = sum(&counts.own_actor, actors);
            return Some(Apart {
                only: Only::These(actors.clone()),
                met: Met::Anyone,
                walked: own,
                own,
                beside: sum(&counts.actor, actors).saturating_sub(own),
                arm: beside(Table::Actor, actors, Met::Anyone),
            });
        }
        let asked = self.objects.iter().enumerate();
        let kinds = asked.clone().find_map(|(at, object)| match object {
            Object::Kinds {
                kinds, own: true, ..
            } => Some((at, kinds)),
            Object::Kinds { .. } | Object::Targets { .. } => None,
        });
        let (kinds, own, all, arm) = if let Some((at, kinds)) = kinds {
            let own = sum(&counts.own_kind, kinds);
            let arm = beside(Table::Kind, kinds, Met::Object(at));
            (kinds, own, sum(&counts.kind, kinds), arm)
        } else {
            let (targets, kinds, met) = match (self.objects.first(), &self.search) {
                (Some(Object::Targets { targets, kinds, .. }), _) => {
                    (targets, kinds, Met::Object(0))
                }
                (None, Some(search)) if search.actions.is_empty() => {
                    (&search.targets, &search.kinds, Met::Search)
                }
                _ => return None,
            };
            let own = sum(&counts.own_target, targets);
            let arm = beside(Table::Target, targets, met);
            let all = sum(&counts.target, targets);
            (kinds.as_ref()?, own, all, arm)
        };
        let is_met = arm.table == Table::Kind && sort == Sort::TargetKind;
        Some(Apart {
            met: if is_met { arm.met } else { Met::None },
            walked: sum(&counts.own_kind, kinds).max(own),
            own,
            beside: all.saturating_sub(own),
            only: match sort {
                Sort::TargetKind => Only::These(kinds.clone()),
                Sort::Action => Only::ActionsOn(kinds.clone()),
                Sort::Time | Sort::Actor => return None,
            },
            arm,
        })
    }
}

/// The entries in which these stand beside what is an event's own.
fn beside(table: Table, numbers: &Numbers, met: Met) -> Arm {
    Arm {
        table,
        keys: Keys::Numbers(numbers.clone()),
        own: Some(false),
        met,
    }
}

/// What is asked for of the event itself, and what of what stands beside it.
struct Apart {
    only: Only,
    /// What all that is walked meets.
    met: Met,
    /// How many events are walked, at least.
    walked: u64,
    /// How many of them have it themselves.
    own: u64,
    /// How many entries have it beside them, and where they stand.
    beside: u64,
    arm: Arm,
}

impl Apart {
    /// The share of all entries that is asked for.
    fn share(&self, total: f64) -> f64 {
        (float(self.own + self.beside) / total).clamp(1e-7, 1.0)
    }

    /// The part of what is walked that is asked for.
    fn part(&self) -> f64 {
        (float(self.own) / float(self.walked.max(1))).clamp(1e-7, 1.0)
    }
}

/// Neighbouring values are read together until they have so many entries.
pub(crate) const CHUNK: u64 = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of a million events: actor 1 does half of it, actors 2 to 1,000 share the rest; action
    /// 1 is nearly all, action 2 one in a thousand; target 5 is rare.
    pub(super) fn counts() -> Counts {
        let mut actor = vec![500; 1_001];
        actor[1] = 500_000;
        let mut target = vec![10; 100_001];
        target[5] = 3;
        Counts {
            own_actor: actor.clone(),
            actor,
            action: vec![0, 999_000, 1_000],
            kind: vec![0, 900_000, 100_000],
            own_kind: vec![0, 900_000, 100_000],
            own_target: target.clone(),
            target,
            outcome: [990_000, 9_000, 1_000],
            total: 1_000_000,
            first: 0,
            last: 1_000_000_000,
            removals: 0,
            costs: Costs::SQLITE,
        }
    }

    fn numbers(list: &[u32]) -> Numbers {
        list.iter().copied().collect()
    }

    fn tables(plan: Plan) -> Vec<Table> {
        match plan {
            Plan::InOrder(arms) | Plan::Gather(arms) => arms.iter().map(|arm| arm.table).collect(),
            Plan::Walk { table, .. } | Plan::Both { table, .. } => vec![table],
            Plan::Nothing => Vec::new(),
        }
    }

    #[test]
    fn without_a_filter_time_is_read() {
        let plan = Conditions::default().plan(Sort::Time, &counts(), 0, 50, Duration::ZERO);
        assert_eq!(tables(plan), [Table::Time]);
    }

    #[test]
    fn a_rare_value_is_read_by_itself_and_a_frequent_one_along_the_time() {
        let rare = Conditions {
            action: Some(numbers(&[2])),
            ..Conditions::default()
        };
        assert_eq!(
            tables(rare.plan(Sort::Time, &counts(), 0, 50, Duration::ZERO)),
            [Table::Action]
        );
        let everyone: Numbers = (1..=1_000).collect();
        let most = Conditions {
            anyone: Some((everyone, Numbers::default())),
            ..Conditions::default()
        };
        assert_eq!(
            tables(most.plan(Sort::Time, &counts(), 0, 50, Duration::ZERO)),
            [Table::Time]
        );
    }

    #[test]
    fn of_two_filters_the_rarer_one_leads() {
        let both = Conditions {
            actor: Some(numbers(&[1])),
            objects: vec![Object::Targets {
                targets: numbers(&[5]),
                related: Numbers::default(),
                kinds: None,
            }],
            ..Conditions::default()
        };
        assert_eq!(
            tables(both.plan(Sort::Time, &counts(), 0, 50, Duration::ZERO)),
            [Table::Target]
        );
    }

    #[test]
    fn sorted_by_actor_a_frequent_filter_walks_and_a_rare_one_is_gathered() {
        let frequent = Conditions {
            action: Some(numbers(&[1])),
            ..Conditions::default()
        };
        let plan = frequent.plan(Sort::Actor, &counts(), 1_000, 50, Duration::ZERO);
        assert_eq!(
            plan,
            Plan::Walk {
                table: Table::Actor,
                only: None,
                instead: None
            }
        );
        let rare = Conditions {
            action: Some(numbers(&[2])),
            ..Conditions::default()
        };
        assert!(matches!(
            rare.plan(Sort::Actor, &counts(), 1_000, 50, Duration::ZERO),
            Plan::Gather(_)
        ));
    }

    #[test]
    fn sorted_by_actor_somebody_who_carries_nothing_out_is_found_among_their_own_events() {
        let somebody = |vias: &[u32]| Conditions {
            anyone: Some((numbers(&[1]), numbers(vias))),
            ..Conditions::default()
        };
        assert_eq!(
            somebody(&[]).plan(Sort::Actor, &counts(), 1_000, 50, Duration::ZERO),
            Plan::Walk {
                table: Table::Actor,
                only: Some(numbers(&[1])),
                instead: None
            }
        );
        let plan = somebody(&[4]).plan(Sort::Actor, &counts(), 1_000, 50, Duration::ZERO);
        assert!(!matches!(plan, Plan::Walk { only: Some(_), .. }), "{plan}");
    }

    #[test]
    fn a_frequent_target_is_walked_by_its_kind_and_by_what_is_done_to_that() {
        let mut counts = counts();
        // A fifth of all that happens to its kind.
        counts.own_target[7] = 20_000;
        counts.target[7] = 20_100;
        let asked = |kinds| Conditions {
            objects: vec![Object::Targets {
                targets: numbers(&[7]),
                related: numbers(&[3]),
                kinds,
            }],
            ..Conditions::default()
        };
        for (sort, only) in [
            (Sort::TargetKind, Only::These(numbers(&[2]))),
            (Sort::Action, Only::ActionsOn(numbers(&[2]))),
        ] {
            let ways = asked(Some(numbers(&[2]))).ways(sort, &counts, 100, 50);
            let both = ways.iter().find_map(|way| match &way.plan {
                Plan::Both {
                    only, met, beside, ..
                } => Some((only, met, &beside[0])),
                _ => None,
            });
            let Some((walked, met, arm)) = both else {
                panic!("{ways:?}");
            };
            assert_eq!((walked, met), (&only, &Met::None), "{sort:?}");
            assert_eq!((arm.table, arm.own), (Table::Target, Some(false)));
        }
        let ways = asked(None).ways(Sort::Action, &counts, 100, 50);
        assert!(!ways.iter().any(|way| matches!(way.plan, Plan::Both { .. })));
    }

    #[test]
    fn who_did_something_is_found_out_only_where_few_did() {
        let did = |actions: &[u32]| Conditions {
            action: Some(numbers(actions)),
            ..Conditions::default()
        };
        assert!(did(&[2]).narrowing_pays(&counts(), 50));
        assert!(!did(&[1]).narrowing_pays(&counts(), 50));
        assert!(!Conditions::default().narrowing_pays(&counts(), 50));
    }

    #[test]
    fn an_operation_is_always_the_way_in() {
        let asked = Conditions {
            operation: Some("bulk".into()),
            objects: vec![Object::Targets {
                targets: numbers(&[5]),
                related: Numbers::default(),
                kinds: None,
            }],
            ..Conditions::default()
        };
        assert_eq!(
            tables(asked.plan(Sort::Time, &counts(), 0, 50, Duration::ZERO)),
            [Table::Operation]
        );
        assert_eq!(
            tables(asked.plan(Sort::Actor, &counts(), 9, 50, Duration::ZERO)),
            [Table::Operation]
        );
    }

    #[test]
    fn what_nobody_has_is_answered_without_reading() {
        let nobody = Conditions {
            actor: Some(Numbers::default()),
            ..Conditions::default()
        };
        assert_eq!(
            nobody.plan(Sort::Time, &counts(), 0, 50, Duration::ZERO),
            Plan::Nothing
        );
        let never = Conditions {
            since: Some(2),
            until: Some(1),
            ..Conditions::default()
        };
        assert_eq!(
            never.plan(Sort::Time, &counts(), 0, 50, Duration::ZERO),
            Plan::Nothing
        );
    }
}
