//! The texts of one workspace, in memory: numbers to texts for showing events, texts to numbers for
//! recording them, and what a filter's texts come to as sets of numbers.
//!
//! A dictionary only grows, as the tables that it mirrors do. Numbers are dense from 1.

use crate::{
    access::Myself,
    erasure::Address,
    plan::{Numbers, Search},
    texts::Texts,
};
use domain::{
    catalogue::Catalogue,
    category::Category,
    event::{Action, Actor, Target, TargetKind},
    question::{Filter, Subject},
    verb::Verb,
};
use itertools::Itertools;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    hash::Hash,
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, PoisonError},
};

/// Of objects that are so much fewer than all, a list in the order of names is sorted anew; of more,
/// the order of all is gone through.
const FEW: usize = 16;

/// What so many searches came to is kept: whoever searches turns pages, sorts, and narrows down.
const SEARCHES: usize = 8;

/// A number in a dictionary, from 1.
pub(crate) type Number = u32;

/// An action with the class that its sender gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NamedAction {
    pub(crate) action: Action,
    pub(crate) verb: Option<Verb>,
    pub(crate) category: Option<Category>,
}

/// What the catalogue says of an action, with what its sender gave, which wins.
#[derive(Clone, Debug)]
pub(crate) struct ReadAction {
    pub(crate) named: NamedAction,
    pub(crate) verb: Verb,
    pub(crate) category: Category,
    pub(crate) label: Arc<str>,
    lowercase: Box<str>,
    lowercase_label: Box<str>,
}

impl ReadAction {
    fn new(named: NamedAction, catalogue: &Catalogue) -> Self {
        let reading = catalogue.reading(named.action.as_str());
        Self {
            verb: named.verb.unwrap_or(reading.verb),
            category: named.category.unwrap_or(reading.category),
            lowercase: named.action.as_str().to_lowercase().into_boxed_str(),
            lowercase_label: reading.label.to_lowercase().into_boxed_str(),
            label: Arc::from(&*reading.label),
            named,
        }
    }
}

/// Values in the order of a text, those of equal text together.
#[derive(Debug, Default)]
pub(crate) struct Ranked(BTreeMap<Box<str>, Vec<Number>>);

impl Ranked {
    pub(crate) fn add(&mut self, text: String, number: Number) {
        self.0
            .entry(text.into_boxed_str())
            .or_default()
            .push(number);
    }

    /// The groups of equal text from `text` on (itself included), in ascending or descending order;
    /// from the beginning where there is none.
    pub(crate) fn groups(
        &self,
        from: Option<&str>,
        ascending: bool,
    ) -> Box<dyn Iterator<Item = (&str, &[Number])> + '_> {
        use std::ops::Bound::Included;
        match (from, ascending) {
            (None, true) => Box::new(self.0.iter().map(|(text, list)| (&**text, &**list))),
            (None, false) => Box::new(self.0.iter().rev().map(|(text, list)| (&**text, &**list))),
            (Some(from), true) => Box::new(
                self.0
                    .range::<str, _>((Included(from), Unbounded))
                    .map(|(text, list)| (&**text, &**list)),
            ),
            (Some(from), false) => Box::new(
                self.0
                    .range::<str, _>((Unbounded, Included(from)))
                    .rev()
                    .map(|(text, list)| (&**text, &**list)),
            ),
        }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The texts of one workspace (or of a tenant's own events).
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    actors: Vec<Actor>,
    actor_texts: Texts,
    actor_numbers: HashMap<Actor, Number>,
    actors_by_id: HashMap<Box<str>, Vec<Number>>,
    /// By the e-mail, lowercased.
    actors_by_email: HashMap<Box<str>, Vec<Number>>,
    pub(crate) actors_by_name: Ranked,
    vias: Vec<Box<[Number]>>,
    via_numbers: HashMap<Box<[Number]>, Number>,
    actions: Vec<ReadAction>,
    /// What actions are read through, and the number that the workspace's own entries in it have; 0:
    /// there were never any.
    catalogue: Catalogue,
    catalogue_version: i64,
    action_numbers: HashMap<NamedAction, Number>,
    pub(crate) actions_by_name: Ranked,
    kinds: Vec<TargetKind>,
    kind_numbers: HashMap<TargetKind, Number>,
    pub(crate) kinds_by_name: Ranked,
    targets: Vec<Target>,
    target_texts: Texts,
    target_numbers: HashMap<Target, Number>,
    targets_by_id: HashMap<Box<str>, Vec<Number>>,
    related: Vec<Box<[Number]>>,
    related_numbers: HashMap<Box<[Number]>, Number>,
    /// The sets that a target is in, ascending; and those that hold one of a kind.
    related_with_target: HashMap<Number, Vec<Number>>,
    related_with_kind: HashMap<TargetKind, Vec<Number>>,
    /// The last searches, newest first.
    searches: Mutex<VecDeque<Searched>>,
    /// The objects by name, as far as a list of them was last asked for.
    objects: Mutex<ObjectsByName>,
}

/// Where an object stands among those of its kind: by the name that came up last (lowercased), else
/// by the id; and by the first number under which it was named.
type NamePlace = (Box<str>, Number);

/// The objects of each kind in the order of their names.
#[derive(Debug, Default)]
struct ObjectsByName {
    /// The last target that is in it.
    known: Number,
    order: HashMap<TargetKind, BTreeSet<NamePlace>>,
}

/// Which objects are asked for.
pub(crate) struct ObjectsOf<'a> {
    /// Those of the kinds of which this is true.
    pub(crate) kinds: &'a (dyn Fn(&TargetKind) -> bool + Sync),
    /// Those that were ever named as one of these targets; none: any.
    pub(crate) targets: Option<&'a Numbers>,
}

/// What a search came to, and how far the tables were known then.
#[derive(Clone, Debug)]
struct Searched {
    text: String,
    known: Sizes,
    found: Search,
}

/// How far each of the tables is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) actor: Number,
    pub(crate) via: Number,
    pub(crate) action: Number,
    pub(crate) kind: Number,
    pub(crate) target: Number,
    pub(crate) related: Number,
}

impl Sizes {
    /// Whether any of the tables goes further than in `others`.
    pub(crate) fn is_beyond(self, others: Self) -> bool {
        self.actor > others.actor
            || self.via > others.via
            || self.action > others.action
            || self.kind > others.kind
            || self.target > others.target
            || self.related > others.related
    }
}

impl ObjectsByName {
    /// Takes in the targets that came up since, at most so many: an object that has a new name moves
    /// to it.
    fn extend(&mut self, texts: &Dictionary, most: Number) {
        let last = (next(&texts.targets) - 1).min(self.known.saturating_add(most));
        for target in self.known + 1..=last {
            let (Some(object), Some(kind)) = (texts.object(target), texts.target(target)) else {
                continue;
            };
            let kind = &kind.kind;
            let was = (object != target).then(|| texts.name_before(object, target));
            let is = texts.name_before(object, target + 1);
            if was.as_ref() == Some(&is) {
                continue;
            }
            let order = match self.order.get_mut(kind) {
                Some(order) => order,
                None => self.order.entry(kind.clone()).or_default(),
            };
            if let Some(was) = was {
                order.remove(&(was, object));
            }
            order.insert((is, object));
        }
        self.known = last;
    }
}

fn next<T>(list: &[T]) -> Number {
    Number::try_from(list.len() + 1).unwrap_or(Number::MAX)
}

fn at<T>(list: &[T], number: Number) -> Option<&T> {
    list.get((number as usize).checked_sub(1)?)
}

/// Notes that a set, newer than those noted before, holds `key`.
fn note<K: Clone + Eq + Hash>(sets: &mut HashMap<K, Vec<Number>>, key: &K, set: Number) {
    let sets = match sets.get_mut(key) {
        Some(sets) => sets,
        None => sets.entry(key.clone()).or_default(),
    };
    if sets.last() != Some(&set) {
        sets.push(set);
    }
}

/// Numbers from 1 of the elements that hold.
fn numbers_where<T>(list: &[T], holds: impl Fn(&T) -> bool) -> Numbers {
    list.iter()
        .zip(1..)
        .filter(|(element, _)| holds(element))
        .map(|(_, number)| number)
        .collect()
}

/// The numbers of each id and kind that is wanted, the newest first, at most so many of each. The numbers of an id
/// are gone through once, however many are wanted and of however many kinds.
fn ways_of<'a, K: Ord>(
    wanted: impl Iterator<Item = (&'a str, K)>,
    by_id: &HashMap<Box<str>, Vec<Number>>,
    kind: impl Fn(Number) -> Option<K>,
    most: usize,
) -> Vec<Vec<Number>> {
    let mut ids: BTreeMap<&str, BTreeMap<K, Vec<Number>>> = BTreeMap::new();
    for (id, kind) in wanted {
        ids.entry(id).or_default().entry(kind).or_default();
    }
    for (id, kinds) in &mut ids {
        for number in by_id.get(*id).into_iter().flatten().rev() {
            let ways = kind(*number).and_then(|kind| kinds.get_mut(&kind));
            if let Some(ways) = ways.filter(|ways| ways.len() < most) {
                ways.push(*number);
            }
        }
    }
    let ids = ids.into_values();
    ids.flat_map(BTreeMap::into_values).collect()
}

/// Whether an address names an actor: by their e-mail, or in place of an id or a name.
pub(crate) fn actor_is(actor: &Actor, address: &Address) -> bool {
    let texts = [&actor.email, &actor.id, &actor.name];
    texts.into_iter().any(|text| address.is(text.as_deref()))
}

impl Dictionary {
    pub(crate) fn sizes(&self) -> Sizes {
        let size = |length: usize| Number::try_from(length).unwrap_or(Number::MAX);
        Sizes {
            actor: size(self.actors.len()),
            via: size(self.vias.len()),
            action: size(self.actions.len()),
            kind: size(self.kinds.len()),
            target: size(self.targets.len()),
            related: size(self.related.len()),
        }
    }

    pub(crate) fn actor(&self, number: Number) -> Option<&Actor> {
        at(&self.actors, number)
    }

    pub(crate) fn via(&self, number: Number) -> Option<Vec<Actor>> {
        at(&self.vias, number)?
            .iter()
            .map(|member| self.actor(*member).cloned())
            .collect()
    }

    /// The numbers of a chain, nearest first.
    pub(crate) fn chain(&self, number: Number) -> Option<&[Number]> {
        at(&self.vias, number).map(|members| &**members)
    }

    /// The members of a chain, nearest first.
    pub(crate) fn via_members(&self, number: Number) -> Option<Vec<&Actor>> {
        let members = at(&self.vias, number)?.iter();
        members.map(|member| self.actor(*member)).collect()
    }

    pub(crate) fn action(&self, number: Number) -> Option<&ReadAction> {
        at(&self.actions, number)
    }

    pub(crate) fn kind(&self, number: Number) -> Option<&TargetKind> {
        at(&self.kinds, number)
    }

    pub(crate) fn target(&self, number: Number) -> Option<&Target> {
        at(&self.targets, number)
    }

    pub(crate) fn related(&self, number: Number) -> Option<Vec<Target>> {
        let members = at(&self.related, number)?;
        members
            .iter()
            .map(|member| self.target(*member).cloned())
            .collect()
    }

    /// The members of a set of related objects.
    pub(crate) fn related_members(&self, number: Number) -> Option<Vec<&Target>> {
        let members = at(&self.related, number)?.iter();
        members.map(|member| self.target(*member)).collect()
    }

    /// The numbers of a set of related objects.
    pub(crate) fn related_numbers(&self, number: Number) -> &[Number] {
        at(&self.related, number).map_or(&[], |members| members)
    }

    /// The numbers under which an object was named that has the number `target`, ascending. None is
    /// named without an id.
    pub(crate) fn ways_to_name(&self, target: Number) -> impl DoubleEndedIterator<Item = Number> {
        self.of_its_kind(target, self.of_its_id(target))
    }

    /// What an object was called last (lowercased) before the number `before` came up, else its id.
    fn name_before(&self, object: Number, before: Number) -> Box<str> {
        let same = self.of_its_id(object);
        let known = same.partition_point(|number| *number < before);
        let known = same.get(..known).unwrap_or_default();
        let mut ways = self.of_its_kind(object, known).rev();
        let name = ways.find_map(|way| self.target(way)?.name.as_deref());
        let id = || self.target(object).and_then(|target| target.id.as_deref());
        name.or_else(id)
            .unwrap_or_default()
            .to_lowercase()
            .into_boxed_str()
    }

    /// The targets with the id of one.
    fn of_its_id(&self, target: Number) -> &[Number] {
        let id = self.target(target).and_then(|target| target.id.as_deref());
        id.filter(|id| !id.is_empty())
            .and_then(|id| self.targets_by_id.get(id))
            .map_or(&[], |same| same)
    }

    /// Those of its kind.
    fn of_its_kind<'a>(
        &'a self,
        target: Number,
        some: &'a [Number],
    ) -> impl DoubleEndedIterator<Item = Number> + 'a {
        let kind = |number| self.target(number).map(|target| &target.kind);
        let wanted = kind(target);
        let some = some.iter().copied();
        some.filter(move |number| self.target(*number).map(|target| &target.kind) == wanted)
    }

    /// The first number under which an object was named: which object a target is.
    pub(crate) fn object(&self, target: Number) -> Option<Number> {
        self.ways_to_name(target).next()
    }

    /// Puts what came up lately, at most `most` texts, in the order of objects' names; whether all
    /// are. With very many it takes a while, during which whoever holds this dictionary stops others
    /// from recording: so a part at a time.
    pub(crate) fn sort_objects(&self, most: Number) -> bool {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.extend(self, most);
        objects.known == next(&self.targets) - 1
    }

    /// Objects in the order of their names: those after (or before) a name and object, at most so
    /// many.
    pub(crate) fn objects_by_name(
        &self,
        of: &ObjectsOf<'_>,
        after: Option<(&str, Number)>,
        ascending: bool,
        most: usize,
    ) -> Vec<(String, Number)> {
        let after: Option<NamePlace> = after.map(|(name, object)| (Box::from(name), object));
        let from = after.as_ref().map_or(Unbounded, Excluded);
        let range = if ascending {
            (from, Unbounded)
        } else {
            (Unbounded, from)
        };
        let named = |(name, object): &NamePlace| (name.to_string(), *object);
        if let Some(targets) = of
            .targets
            .filter(|targets| targets.len() <= self.targets.len() / FEW)
        {
            let objects = targets.list().iter().filter_map(|target| {
                let object = self.object(*target)?;
                let is_of = (of.kinds)(&self.target(object)?.kind);
                is_of.then(|| (self.name_before(object, Number::MAX), object))
            });
            let objects: BTreeSet<NamePlace> = objects.collect();
            let objects = objects.range::<NamePlace, _>(range);
            return if ascending {
                objects.take(most).map(named).collect()
            } else {
                objects.rev().take(most).map(named).collect()
            };
        }
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.extend(self, Number::MAX);
        let kinds = objects.order.iter().filter(|(kind, _)| (of.kinds)(kind));
        let runs = kinds.map(|(_, run)| run.range::<NamePlace, _>(range));
        let is_of = |(_, object): &&NamePlace| {
            of.targets
                .is_none_or(|targets| self.ways_to_name(*object).any(|way| targets.has(way)))
        };
        if ascending {
            let order = runs.kmerge();
            order.filter(is_of).take(most).map(named).collect()
        } else {
            let order = runs
                .map(Iterator::rev)
                .kmerge_by(|one: &&NamePlace, other: &&NamePlace| one > other);
            order.filter(is_of).take(most).map(named).collect()
        }
    }

    pub(crate) fn actor_number(&self, actor: &Actor) -> Option<Number> {
        self.actor_numbers.get(actor).copied()
    }

    pub(crate) fn via_number(&self, members: &[Number]) -> Option<Number> {
        self.via_numbers.get(members).copied()
    }

    pub(crate) fn action_number(&self, action: &NamedAction) -> Option<Number> {
        self.action_numbers.get(action).copied()
    }

    pub(crate) fn kind_number(&self, kind: &TargetKind) -> Option<Number> {
        self.kind_numbers.get(kind).copied()
    }

    pub(crate) fn target_number(&self, target: &Target) -> Option<Number> {
        self.target_numbers.get(target).copied()
    }

    pub(crate) fn related_number(&self, members: &[Number]) -> Option<Number> {
        self.related_numbers.get(members).copied()
    }

    pub(crate) fn add_actor(&mut self, actor: Actor) {
        let number = next(&self.actors);
        // Who has no name is found by the kind, where it is nobody's.
        let name = match &actor.name {
            None if actor.kind.is_nobody() => Some(actor.kind.as_str()),
            name => name.as_deref(),
        };
        self.actor_texts.add([name, actor.email.as_deref()]);
        self.actors_by_name
            .add(actor.sort_name().to_lowercase(), number);
        if let Some(id) = &actor.id {
            let same = self.actors_by_id.entry(id.as_str().into());
            same.or_default().push(number);
        }
        if let Some(email) = &actor.email {
            let same = self.actors_by_email.entry(email.to_lowercase().into());
            same.or_default().push(number);
        }
        self.actor_numbers.insert(actor.clone(), number);
        self.actors.push(actor);
    }

    pub(crate) fn add_via(&mut self, members: Box<[Number]>) {
        self.via_numbers.insert(members.clone(), next(&self.vias));
        self.vias.push(members);
    }

    pub(crate) fn add_action(&mut self, named: NamedAction) {
        let number = next(&self.actions);
        self.actions_by_name
            .add(named.action.as_str().to_lowercase(), number);
        self.action_numbers.insert(named.clone(), number);
        self.actions.push(ReadAction::new(named, &self.catalogue));
    }

    /// What actions are read through.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The number that the workspace's own entries in it have.
    pub(crate) fn catalogue_version(&self) -> i64 {
        self.catalogue_version
    }

    /// Reads every action anew through a catalogue, where that is newer than the known one.
    pub(crate) fn read_through(&mut self, catalogue: Catalogue, version: i64) {
        if version <= self.catalogue_version {
            return;
        }
        for read in &mut self.actions {
            *read = ReadAction::new(read.named.clone(), &catalogue);
        }
        self.catalogue = catalogue;
        self.catalogue_version = version;
        // What was searched found actions by what they were called.
        self.searches
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn add_kind(&mut self, kind: TargetKind) {
        let number = next(&self.kinds);
        self.kinds_by_name.add(kind.as_str().to_lowercase(), number);
        self.kind_numbers.insert(kind.clone(), number);
        self.kinds.push(kind);
    }

    pub(crate) fn add_target(&mut self, target: Target) {
        self.target_texts
            .add([target.id.as_deref(), target.name.as_deref()]);
        let number = next(&self.targets);
        if let Some(id) = &target.id {
            let same = self.targets_by_id.entry(id.as_str().into());
            same.or_default().push(number);
        }
        self.target_numbers.insert(target.clone(), number);
        self.targets.push(target);
    }

    pub(crate) fn add_related(&mut self, members: Box<[Number]>) {
        let number = next(&self.related);
        for member in &members {
            note(&mut self.related_with_target, member, number);
            if let Some(target) = at(&self.targets, *member) {
                note(&mut self.related_with_kind, &target.kind, number);
            }
        }
        self.related_numbers.insert(members.clone(), number);
        self.related.push(members);
    }

    /// The chains in which one of `actors` is.
    fn vias_with(&self, actors: &Numbers) -> Numbers {
        numbers_where(&self.vias, |members| {
            members.iter().any(|member| actors.has(*member))
        })
    }

    /// The sets of related objects in which one of `targets` is.
    pub(crate) fn related_with(&self, targets: &Numbers) -> Numbers {
        let sets = targets
            .list()
            .iter()
            .filter_map(|target| self.related_with_target.get(target));
        sets.flatten().copied().collect()
    }

    /// Actors of which `text` (lowercase) is a part of the name or e-mail, and the chains with one.
    pub(crate) fn actors_like(&self, text: &str) -> (Numbers, Numbers) {
        let actors = self.actor_texts.with(text, 0).into_iter().collect();
        let vias = self.vias_with(&actors);
        (actors, vias)
    }

    /// The numbers of the actors of whose name or e-mail `text` (lowercase) is a part, ascending; of an empty
    /// text all.
    pub(crate) fn actors_with(&self, text: &str) -> Vec<Number> {
        if text.is_empty() {
            return (1..next(&self.actors)).collect();
        }
        self.actor_texts.with(text, 0)
    }

    /// The same of targets, by their ids and names.
    pub(crate) fn targets_with_text(&self, text: &str) -> Vec<Number> {
        if text.is_empty() {
            return (1..next(&self.targets)).collect();
        }
        self.target_texts.with(text, 0)
    }

    /// Who has one of these numbers, each once: the numbers under which they were named, the newest first, at most
    /// so many. Somebody is the same by the kind and the id; who has no id only as long as they are called the
    /// same, and has one number.
    pub(crate) fn ways_to_name_actors(&self, numbers: &[Number], most: usize) -> Vec<Vec<Number>> {
        let with_id = numbers.iter().filter_map(|number| {
            let actor = self.actor(*number)?;
            Some((actor.id.as_deref()?, actor.kind))
        });
        let kind = |number| self.actor(number).map(|actor| actor.kind);
        let mut ways = ways_of(with_id, &self.actors_by_id, kind, most);
        let is_without = |number: &&Number| {
            let actor = self.actor(**number);
            actor.is_some_and(|actor| actor.id.is_none())
        };
        let without_id = numbers.iter().filter(is_without);
        ways.extend(without_id.map(|number| vec![*number]));
        ways
    }

    /// The same of objects, by their kinds and ids. None is named without an id.
    pub(crate) fn ways_to_name_objects(&self, numbers: &[Number], most: usize) -> Vec<Vec<Number>> {
        let with_id = numbers.iter().filter_map(|number| {
            let target = self.target(*number)?;
            let id = target.id.as_deref().filter(|id| !id.is_empty())?;
            Some((id, &target.kind))
        });
        let kind = |number| self.target(number).map(|target| &target.kind);
        ways_of(with_id, &self.targets_by_id, kind, most)
    }

    /// Actors that the filter's ids and kinds name; none: it names none.
    pub(crate) fn actors_named(&self, filter: &Filter) -> Option<Numbers> {
        if filter.actor_id.is_empty() && filter.actor_kind.is_empty() {
            return None;
        }
        Some(numbers_where(&self.actors, |actor| {
            (filter.actor_id.is_empty()
                || actor
                    .id
                    .as_ref()
                    .is_some_and(|id| filter.actor_id.contains(id)))
                && (filter.actor_kind.is_empty() || filter.actor_kind.contains(&actor.kind))
        }))
    }

    /// Somebody as each time that they were named: their numbers.
    pub(crate) fn actors_who_are(&self, myself: &Myself) -> Numbers {
        let by_id = self.actors_by_id.get(myself.id.as_str());
        let by_email = self.actors_by_email.get(myself.email.as_str());
        let named = by_id.into_iter().chain(by_email).flatten().copied();
        named
            .filter(|number| self.actor(*number).is_some_and(|actor| myself.is(actor)))
            .collect()
    }

    /// The actors whom an address names: by their e-mail, or in place of an id or a name.
    pub(crate) fn actors_of(&self, address: &Address) -> Vec<Number> {
        let theirs = numbers_where(&self.actors, |actor| actor_is(actor, address));
        theirs.list().to_vec()
    }

    /// The other actors with the kind and the id of one of these.
    pub(crate) fn actors_with_ids_of(&self, actors: &[Number]) -> Vec<Number> {
        let mut others = BTreeSet::new();
        for actor in actors.iter().filter_map(|number| self.actor(*number)) {
            let same = actor.id.as_deref().and_then(|id| self.actors_by_id.get(id));
            others.extend(same.into_iter().flatten().filter(|number| {
                let other = self.actor(**number);
                other.is_some_and(|other| other.kind == actor.kind)
            }));
        }
        others
            .into_iter()
            .filter(|number| !actors.contains(number))
            .collect()
    }

    /// The actors with one of these ids, and the chains with one of them.
    pub(crate) fn carried_out_by(&self, ids: &[String]) -> (Numbers, Numbers) {
        let actors = numbers_where(&self.actors, |actor| {
            actor.id.as_ref().is_some_and(|id| ids.contains(id))
        });
        let vias = self.vias_with(&actors);
        (actors, vias)
    }

    /// Actions that the filter's actions, verbs and categories name; none: it names none.
    pub(crate) fn actions_named(&self, filter: &Filter) -> Option<Numbers> {
        if filter.action.is_empty() && filter.verb.is_empty() && filter.category.is_empty() {
            return None;
        }
        Some(numbers_where(&self.actions, |read| {
            (filter.action.is_empty() || filter.action.contains(&read.named.action))
                && (filter.verb.is_empty() || filter.verb.contains(&read.verb))
                && (filter.category.is_empty() || filter.category.contains(&read.category))
        }))
    }

    /// Actions of which `text` (lowercase) is a part of the name or of the label.
    fn actions_like(&self, text: &str) -> Numbers {
        numbers_where(&self.actions, |read| {
            read.lowercase.contains(text) || read.lowercase_label.contains(text)
        })
    }

    /// Kinds that are named.
    pub(crate) fn kinds_named(&self, kinds: &[TargetKind]) -> Numbers {
        numbers_where(&self.kinds, |kind| kinds.contains(kind))
    }

    /// Of which kinds targets are.
    pub(crate) fn kinds_of(&self, targets: &Numbers) -> Numbers {
        let numbers = targets.list().iter();
        numbers
            .filter_map(|number| self.kind_number(&self.target(*number)?.kind))
            .collect()
    }

    /// Targets of one of these kinds (any, where none is named) with one of these ids (likewise).
    pub(crate) fn targets_named(&self, kinds: &[TargetKind], ids: &[String]) -> Numbers {
        self.targets_with(ids, |target| {
            kinds.is_empty() || kinds.contains(&target.kind)
        })
    }

    /// An object as each time that it was named: its numbers.
    pub(crate) fn targets_of(&self, subject: &Subject) -> Numbers {
        self.targets_with(std::slice::from_ref(&subject.id), |target| {
            subject.is(target)
        })
    }

    /// The targets with one of these ids of which `holds` is true.
    fn targets_with(&self, ids: &[String], holds: impl Fn(&Target) -> bool) -> Numbers {
        ids.iter()
            .filter_map(|id| self.targets_by_id.get(id.as_str()))
            .flatten()
            .copied()
            .filter(|number| self.target(*number).is_some_and(&holds))
            .collect()
    }

    /// The sets of related objects in which one is of these kinds.
    pub(crate) fn related_of_kinds(&self, kinds: &[TargetKind]) -> Numbers {
        let sets = kinds
            .iter()
            .filter_map(|kind| self.related_with_kind.get(kind));
        sets.flatten().copied().collect()
    }

    /// What `text` (lowercase) is a part of. Tables only grow: where the same was searched before,
    /// only what came since is looked at.
    pub(crate) fn search(&self, text: &str) -> Search {
        let before = {
            let mut all = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
            let at = all.iter().position(|searched| searched.text == text);
            at.and_then(|at| all.remove(at))
        };
        let known = self.sizes();
        let searched = match before {
            Some(before) if before.known == known => before,
            before => {
                let (found, from) =
                    before.map_or_else(Default::default, |before| (before.found, before.known));
                Searched {
                    text: text.to_owned(),
                    known,
                    found: self.search_on(text, found, from),
                }
            }
        };
        let found = searched.found.clone();
        let mut all = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front(searched);
        all.truncate(SEARCHES);
        found
    }

    /// What was found in the tables as far as `known`, and what they hold beyond.
    fn search_on(&self, text: &str, found: Search, known: Sizes) -> Search {
        let new = self.target_texts.with(text, known.target);
        let targets = if new.is_empty() {
            found.targets
        } else {
            found.targets.list().iter().copied().chain(new).collect()
        };
        let is_new = |number: &Number| *number > known.related;
        let later: Vec<Number> = if targets.list().len() > self.related.len() {
            let map = targets.map();
            let is_target = |number: &Number| map.get(*number as usize - 1) == Some(&1);
            let sets = self.related.iter().zip(1..).skip(known.related as usize);
            sets.filter(|(members, _)| members.iter().any(is_target))
                .map(|(_, number)| number)
                .collect()
        } else {
            let sets = self.related_with(&targets);
            sets.list().iter().copied().filter(is_new).collect()
        };
        let related = found.related.list().iter().copied();
        Search {
            related: related.chain(later).collect(),
            targets,
            actions: self.actions_like(text),
            kinds: None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::event::ActorKind;
    use proptest::{collection::vec, option, prelude::*};

    /// A list of objects as it is defined: all of them, sorted, then what is asked for.
    fn defined(
        texts: &Dictionary,
        of: &ObjectsOf<'_>,
        after: Option<(&str, Number)>,
        ascending: bool,
        most: usize,
    ) -> Vec<(String, Number)> {
        let mut objects = BTreeMap::new();
        for (target, number) in texts.targets.iter().zip(1..) {
            let Some(object) = texts.object(number) else {
                continue;
            };
            let (name, is_found) = objects
                .entry(object)
                .or_insert_with(|| (target.id.clone().unwrap().to_lowercase(), false));
            if let Some(given) = &target.name {
                *name = given.to_lowercase();
            }
            *is_found |= of.targets.is_none_or(|targets| targets.has(number));
        }
        let mut all: Vec<(String, Number)> = objects
            .into_iter()
            .filter(|(object, (_, is_found))| {
                *is_found && (of.kinds)(&texts.target(*object).unwrap().kind)
            })
            .map(|(object, (name, _))| (name, object))
            .collect();
        all.sort();
        if !ascending {
            all.reverse();
        }
        all.retain(|(name, object)| {
            let here = (name.as_str(), *object);
            after.is_none_or(|after| {
                if ascending {
                    here > after
                } else {
                    here < after
                }
            })
        });
        all.truncate(most);
        all
    }

    proptest! {
        #[test]
        fn objects_by_name_are_those_asked_for_in_their_order(
            given in vec(("[ab]", option::of("[a-c]"), option::of("[A-C]{1,2}")), 0..120),
            found in option::of(vec(1..120_u32, 0..40)),
            kinds in "[ab]{0,2}",
            after in option::of(("[a-c]{0,2}", 0..40_u32)),
            ascending: bool,
            most in 0..20_usize,
            at_once in 1..50_u32,
        ) {
            let mut texts = Dictionary::default();
            for (kind, id, name) in given {
                let target = Target { kind: kind.parse().unwrap(), id, name, url: None };
                if texts.target_number(&target).is_none() {
                    texts.add_target(target);
                }
            }
            while !texts.sort_objects(at_once) {}
            let known = texts.sizes().target;
            let found: Option<Numbers> =
                found.map(|all| all.into_iter().filter(|number| *number <= known).collect());
            let of = ObjectsOf {
                kinds: &|kind| kinds.contains(kind.as_str()),
                targets: found.as_ref(),
            };
            let after = after.as_ref().map(|(name, object)| (name.as_str(), *object));
            prop_assert_eq!(
                texts.objects_by_name(&of, after, ascending, most),
                defined(&texts, &of, after, ascending, most)
            );
        }
    }

    fn actor(kind: ActorKind, id: Option<&str>, name: &str) -> Actor {
        Actor {
            kind,
            id: id.map(str::to_owned),
            name: Some(name.to_owned()),
            email: None,
        }
    }

    #[test]
    fn who_has_no_id_is_nobody_else_and_who_has_one_is_the_same_however_called() {
        let mut texts = Dictionary::default();
        for (kind, id, name) in [
            (ActorKind::Anonymous, None, "Bob"),
            (ActorKind::User, Some("1"), "Kim"),
            (ActorKind::Anonymous, None, "Eve"),
            (ActorKind::System, Some("1"), "Cron"),
            (ActorKind::User, Some("1"), "Kim Berg"),
            (ActorKind::User, Some("2"), "Kim"),
            (ActorKind::User, Some("1"), "Berg"),
        ] {
            texts.add_actor(actor(kind, id, name));
        }
        let ways = |numbers: &[Number], most| {
            let mut ways = texts.ways_to_name_actors(numbers, most);
            ways.sort_unstable();
            ways
        };
        assert_eq!(ways(&[1], 9), [[1]]);
        assert_eq!(ways(&[2, 5], 9), [[7, 5, 2]]);
        assert_eq!(ways(&[2, 5], 2), [[7, 5]]);
        assert_eq!(
            ways(&[1, 2, 3, 4, 5, 6, 7, 8], 9),
            [vec![1], vec![3], vec![4], vec![6], vec![7, 5, 2]]
        );
    }

    #[test]
    fn an_object_is_the_same_by_kind_and_id_however_called() {
        let mut texts = Dictionary::default();
        for (kind, id, name) in [
            ("secret", Some("1"), "Key"),
            ("user", Some("1"), "Kim"),
            ("secret", None, "Key"),
            ("secret", Some("1"), "New key"),
            ("secret", Some(""), "Key"),
        ] {
            texts.add_target(Target {
                kind: kind.parse().unwrap(),
                id: id.map(str::to_owned),
                name: Some(name.to_owned()),
                url: None,
            });
        }
        let mut ways = texts.ways_to_name_objects(&[1, 2, 3, 4, 5], 9);
        ways.sort_unstable();
        assert_eq!(ways, [vec![2], vec![4, 1]]);
        assert_eq!(texts.ways_to_name_objects(&[1], 1), [[4]]);
    }

    #[test]
    fn of_however_many_that_are_found_no_more_ways_are_listed_than_there_are() {
        const EACH: Number = 50_000;
        let mut texts = Dictionary::default();
        for at in 0..EACH {
            texts.add_actor(actor(ActorKind::Anonymous, None, &format!("a{at}")));
        }
        for at in 0..EACH {
            texts.add_actor(actor(ActorKind::User, Some("1"), &format!("b{at}")));
        }
        // Most of them would be the same, were they told by the kind alone, or gone through for each name.
        let found: Vec<Number> = (1..=2 * EACH).collect();
        let ways = texts.ways_to_name_actors(&found, 1_000);
        assert_eq!(ways.len(), EACH as usize + 1);
        let listed: usize = ways.iter().map(Vec::len).sum();
        assert_eq!(listed, EACH as usize + 1_000);
    }
}
