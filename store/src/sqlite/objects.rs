//! The list of a workspace's objects.
//!
//! Without a search or a kind it is sorted by when each was last seen: the log is walked from its
//! newest entry on, and an object stands where its newest entry does. Where that would take too long
//! (few objects have nearly all entries), and with a search or a kind, it is sorted by name, from the
//! texts in memory, and only those on the page are looked up. Either way a page reads a bounded part
//! of the index, and a walk shows the log as it was when its first page was asked for.

use super::{
    Store,
    object::{At, as_given, looks, newest, newest_uses},
    snapshot::{Shelf, Snapshot},
    tail::InOrder,
};
use crate::{
    StoreError,
    access::{ObjectsScope, Reach, Scope},
    cursor::{Cursor, Heading, Place},
    database::{Dialect, FromRow, Sql},
    dictionary::{Dictionary, Number, ObjectsOf},
    objects::{KnownObject, ObjectsOrder, ObjectsPage, ObjectsQuery},
    plan::{Conditions, Numbers},
    question::QuestionError,
};
use domain::{event::TargetKind, question::Order, time::Timestamp};
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

/// So many entries are looked through for a page by when objects were seen last.
const ENTRIES_MOST: usize = 10_000;
/// So many at a time, at first and then.
const ENTRIES_AT_ONCE: (usize, usize) = (200, 1_000);
/// So many objects are looked up for a page by name: some are in memory of which there is no event.
const OBJECTS_MOST: usize = 2_000;
/// So many texts at a time are put in the order of objects' names, when the first list after a start
/// is asked for.
const SORTED_AT_ONCE: Number = 20_000;

/// What a page is asked of.
struct Walk<'a> {
    scope: &'a ObjectsScope,
    heading: Heading,
    /// After this place, in the direction of the heading.
    after: Option<Place>,
    up_to: i64,
    /// So many objects are wanted.
    wanted: usize,
}

/// What was found in the direction of the heading.
struct Found {
    /// Objects with their places, nearest first.
    objects: Vec<(Place, KnownObject)>,
    /// Where it stopped before there was nothing more, if it did before it had found enough.
    stopped: Option<Place>,
}

impl Store {
    /// A page of the objects that somebody may open. An object is what any event names by kind and
    /// id, as its target or as a related one; that somebody looked at its log names none.
    ///
    /// # Errors
    ///
    /// The cursor is not this list's, or the store failed.
    pub async fn objects(
        &self,
        scope: &ObjectsScope,
        query: &ObjectsQuery,
    ) -> Result<ObjectsPage, QuestionError> {
        let whole = Scope(Reach::Workspace(scope.workspace.clone()));
        let mut snapshot = self.snapshot(&whole).await?;
        let page = loop {
            let page = snapshot.objects(scope, query).await;
            if !matches!(page, Err(QuestionError::Store(_))) || !snapshot.begin_again().await? {
                break page;
            }
        };
        snapshot.end().await;
        page
    }
}

impl Snapshot {
    async fn objects(
        &mut self,
        scope: &ObjectsScope,
        query: &ObjectsQuery,
    ) -> Result<ObjectsPage, QuestionError> {
        let Some(shelf) = self.shelves.first().cloned() else {
            return Err(QuestionError::Cursor);
        };
        let (cursor, order) = self.began(scope, query)?;
        let limit = query.limit.max(1);
        let walk = Walk {
            scope,
            heading: cursor
                .as_ref()
                .map_or(Heading::Older, |cursor| cursor.heading),
            after: cursor.as_ref().map(|cursor| cursor.place.clone()),
            up_to: cursor.as_ref().map_or(self.head, |cursor| cursor.up_to),
            // One more tells whether it goes on.
            wanted: limit + 1,
        };
        let (found, order) = match order {
            ObjectsOrder::Name => (self.by_name(&shelf, &walk, query).await?, order),
            ObjectsOrder::LastSeen => match self.by_last_seen(&shelf, &walk).await? {
                found
                    if found.stopped.is_some()
                        && found.objects.len() < limit
                        && cursor.is_none() =>
                {
                    let by_name = self.by_name(&shelf, &walk, query).await?;
                    (by_name, ObjectsOrder::Name)
                }
                found => (found, order),
            },
        };
        let question = question(scope, query, order);
        let key = &self.store.inner.keys.cursor;
        let began = cursor.as_ref().map_or(self.now, |cursor| cursor.walk_began);
        let seal = |heading, place: &Place| {
            let cursor = Cursor {
                heading,
                up_to: walk.up_to,
                walk_began: began,
                place: place.clone(),
            };
            cursor.seal(key, &question)
        };
        let Found {
            mut objects,
            stopped,
        } = found;
        let more = objects.len() > limit;
        objects.truncate(limit);
        let is_short = stopped.is_some() && objects.len() < limit;
        // On in the direction of the walk: from where it stopped, else after the last one.
        let last = objects.last().map(|(place, _)| place);
        let on = stopped.as_ref().or_else(|| last.filter(|_| more));
        let on = on.map(|place| seal(walk.heading, place));
        // And back to where it came from, also where nothing is left.
        let back = walk.after.as_ref().map(|after| {
            let nearest = objects.first().map_or(after, |(place, _)| place);
            match walk.heading {
                Heading::Older => seal(Heading::Newer, nearest),
                Heading::Newer => seal(Heading::Older, nearest),
            }
        });
        let (next, previous) = match walk.heading {
            Heading::Older => (on, back),
            Heading::Newer => {
                objects.reverse();
                (back, on)
            }
        };
        let offered = self.choices().await?.offered;
        let kinds = offered.kinds.iter().filter(|kind| scope.has(kind));
        Ok(ObjectsPage {
            objects: objects.into_iter().map(|(_, object)| object).collect(),
            order,
            next,
            previous,
            stopped: is_short,
            kinds: kinds.cloned().collect(),
        })
    }

    /// Where the walk goes on, and how it is sorted.
    fn began(
        &self,
        scope: &ObjectsScope,
        query: &ObjectsQuery,
    ) -> Result<(Option<Cursor>, ObjectsOrder), QuestionError> {
        let orders: &[ObjectsOrder] = if query.q.is_none() && query.kind.is_none() {
            &[ObjectsOrder::LastSeen, ObjectsOrder::Name]
        } else {
            &[ObjectsOrder::Name]
        };
        let Some(text) = &query.cursor else {
            return Ok((None, orders.first().copied().unwrap_or(ObjectsOrder::Name)));
        };
        let key = &self.store.inner.keys.cursor;
        let opened = orders.iter().find_map(|order| {
            let cursor = Cursor::open(text, key, &question(scope, query, *order))?;
            Some((Some(cursor), *order))
        });
        opened.ok_or(QuestionError::Cursor)
    }

    /// Objects by name, from memory; those of which there is no event in the snapshot are passed over.
    async fn by_name(
        &mut self,
        shelf: &Shelf,
        walk: &Walk<'_>,
        query: &ObjectsQuery,
    ) -> Result<Found, StoreError> {
        let looks = looks(&shelf.texts.read());
        let found = query.q.as_ref().map(|text| {
            let texts = shelf.texts.read();
            texts.search(&text.to_lowercase()).targets
        });
        // Who records has a turn in between.
        while !shelf.texts.read().sort_objects(SORTED_AT_ONCE) {
            tokio::task::yield_now().await;
        }
        let kinds = |kind: &TargetKind| {
            query.kind.as_ref().is_none_or(|wanted| wanted == kind) && walk.scope.has(kind)
        };
        let of = ObjectsOf {
            kinds: &kinds,
            targets: found.as_ref(),
        };
        let mut after = walk.after.as_ref().map(|place| {
            let object = Number::try_from(place.n).unwrap_or_default();
            (place.text.clone(), object)
        });
        let mut objects = Vec::new();
        let mut looked_up = 0;
        loop {
            let most = walk.wanted - objects.len();
            let candidates = {
                let texts = shelf.texts.read();
                let after = after
                    .as_ref()
                    .map(|(name, object)| (name.as_str(), *object));
                texts.objects_by_name(&of, after, walk.heading == Heading::Older, most)
            };
            let is_end = candidates.len() < most;
            looked_up += candidates.len();
            let numbers: Vec<Number> = candidates.iter().map(|(_, object)| *object).collect();
            let known = self.known(shelf, &numbers, &looks, walk.up_to).await?;
            for (name, object) in &candidates {
                if let Some((_, known)) = known.get(object) {
                    objects.push((name_place(name, *object), known.clone()));
                }
            }
            if let Some(last) = candidates.into_iter().next_back() {
                after = Some(last);
            }
            if is_end || objects.len() >= walk.wanted {
                return Ok(Found {
                    objects,
                    stopped: None,
                });
            }
            if looked_up >= OBJECTS_MOST {
                let stopped = after.map(|(name, object)| name_place(&name, object));
                return Ok(Found { objects, stopped });
            }
        }
    }

    /// Objects by when they were last seen: each stands where its newest entry does.
    async fn by_last_seen(&mut self, shelf: &Shelf, walk: &Walk<'_>) -> Result<Found, StoreError> {
        let looks = looks(&shelf.texts.read());
        let is_older = walk.heading == Heading::Older;
        // From this entry on, itself included; of the first one, only what is beyond the place.
        let mut from: At = match (&walk.after, is_older) {
            (Some(after), _) => (after.at, after.n),
            (None, true) => (i64::MAX, i64::MAX),
            (None, false) => (i64::MIN, i64::MIN),
        };
        let mut known: HashMap<Number, (At, KnownObject)> = HashMap::new();
        let mut objects = Vec::new();
        let mut read = 0;
        loop {
            let most = if read == 0 {
                ENTRIES_AT_ONCE.0
            } else {
                ENTRIES_AT_ONCE.1
            };
            let entries = self
                .entries(shelf, from, is_older, walk.up_to, most)
                .await?;
            read += entries.len();
            let named: Vec<(At, Vec<Number>)> = {
                let texts = shelf.texts.read();
                let entries = entries.iter().filter(|entry| !looks.has(entry.action));
                entries
                    .map(|entry| (entry.at, objects_of(&texts, entry, walk.scope)))
                    .collect()
            };
            let new: BTreeSet<Number> = named
                .iter()
                .flat_map(|(_, objects)| objects)
                .filter(|object| !known.contains_key(object))
                .copied()
                .collect();
            let new: Vec<Number> = new.into_iter().collect();
            known.extend(self.known(shelf, &new, &looks, walk.up_to).await?);
            for (at, of_entry) in &named {
                let mut places: Vec<(usize, Number)> =
                    of_entry.iter().copied().enumerate().collect();
                if !is_older {
                    places.reverse();
                }
                for (place, object) in places {
                    let place = seen_place(*at, place);
                    let here = known.get(&object).filter(|(last, _)| last == at);
                    let Some((_, known)) = here else { continue };
                    if walk
                        .after
                        .as_ref()
                        .is_none_or(|after| is_beyond(&place, after, is_older))
                    {
                        objects.push((place, known.clone()));
                    }
                    if objects.len() >= walk.wanted {
                        return Ok(Found {
                            objects,
                            stopped: None,
                        });
                    }
                }
            }
            let Some(last) = entries.last().filter(|_| entries.len() == most) else {
                return Ok(Found {
                    objects,
                    stopped: None,
                });
            };
            let (at, n) = last.at;
            if read >= ENTRIES_MOST {
                // Everything of that entry was looked at, in either direction.
                let place = if is_older { usize::MAX } else { 0 };
                let stopped = Some(seen_place((at, n), place));
                return Ok(Found { objects, stopped });
            }
            from = if is_older { (at, n - 1) } else { (at, n + 1) };
        }
    }

    /// Entries from a place on, in time order.
    async fn entries(
        &mut self,
        shelf: &Shelf,
        from: At,
        is_older: bool,
        up_to: i64,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let connection = self.transaction.connection();
        let within = shelf.within(connection);
        let (sign, word) = if is_older {
            ("<=", "DESC")
        } else {
            (">=", "ASC")
        };
        // Of each class the partitions are read in their order.
        let classes = match within.dialect {
            Dialect::Sqlite => vec![String::new()],
            Dialect::Postgres => {
                let class = |class: &i64| format!(" AND x.at {sign} ? AND x.class = {class}");
                within.classes.iter().map(class).collect()
            }
        };
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows: Vec<(i64, i64, Number, Option<Number>, Number)> = Vec::new();
        for class in &classes {
            let mut sql = Sql::default();
            sql.add("SELECT x.at, x.n, x.target, x.related, x.action FROM ");
            within.table(&mut sql, "by_time");
            sql.add(" x");
            within.is_ours(&mut sql, "x");
            let _ = write!(sql.text, " AND (x.at, x.n) {sign} (?, ?){class}");
            sql.values.extend([from.0.into(), from.1.into()]);
            if !class.is_empty() {
                sql.values.push(from.0.into());
            }
            sql.with(" AND x.n <= ?", up_to);
            let _ = write!(sql.text, " ORDER BY x.at {word}, x.n {word}");
            sql.with(" LIMIT ?", limit);
            for row in sql.untold().fetch_all(&mut *connection).await? {
                rows.push(FromRow::from_row(&row)?);
            }
        }
        let all = Conditions::default();
        // This place included.
        let in_order = if is_older {
            InOrder {
                direction: Order::Descending,
                after: Some((from.0, from.1.saturating_add(1))),
                up_to,
            }
        } else {
            InOrder {
                direction: Order::Ascending,
                after: Some((from.0, from.1.saturating_sub(1))),
                up_to,
            }
        };
        let in_tail = shelf.tail.in_order(in_order, &all).take(most);
        rows.extend(in_tail.map(|row| (row.at, row.n, row.target, row.related, row.action)));
        if classes.len() > 1 || !shelf.tail.is_empty() {
            rows.sort_unstable_by_key(|row| (row.0, row.1));
            if is_older {
                rows.reverse();
            }
            rows.truncate(most);
        }
        let entries = rows
            .into_iter()
            .map(|(at, n, target, related, action)| Entry {
                at: (at, n),
                target,
                related,
                action,
            });
        Ok(entries.collect())
    }

    /// What is known of objects up to an event, and where their newest entry is.
    async fn known(
        &mut self,
        shelf: &Shelf,
        objects: &[Number],
        looks: &Numbers,
        up_to: i64,
    ) -> Result<HashMap<Number, (At, KnownObject)>, StoreError> {
        let mut ways: Vec<Number> = Vec::with_capacity(objects.len());
        let mut object_of: HashMap<Number, Number> = HashMap::new();
        {
            let texts = shelf.texts.read();
            for object in objects {
                let all: Vec<Number> = texts.ways_to_name(*object).collect();
                for way in newest(&all) {
                    ways.push(way);
                    object_of.insert(way, *object);
                }
            }
        }
        let connection = self.transaction.connection();
        let uses = newest_uses(connection, shelf, &ways, looks, up_to).await?;
        let mut by_object: HashMap<Number, Vec<(Number, At)>> = HashMap::new();
        for (way, at) in uses {
            if let Some(object) = object_of.get(&way) {
                by_object.entry(*object).or_default().push((way, at));
            }
        }
        let texts = shelf.texts.read();
        let known = by_object.into_iter().filter_map(|(object, uses)| {
            let target = as_given(&texts, &uses)?;
            let (_, last) = uses.first()?;
            let known = KnownObject {
                kind: target.kind,
                id: target.id?,
                name: target.name,
                last_seen: Timestamp::from_micros(last.0),
            };
            Some((object, (*last, known)))
        });
        Ok(known.collect())
    }
}

/// An entry, as the index has it in time order.
struct Entry {
    at: At,
    target: Number,
    related: Option<Number>,
    action: Number,
}

/// The objects of an entry that are in the scope: its target first, each once.
fn objects_of(texts: &Dictionary, entry: &Entry, scope: &ObjectsScope) -> Vec<Number> {
    let related = entry
        .related
        .map_or(&[][..], |set| texts.related_numbers(set));
    let mut objects: Vec<Number> = Vec::with_capacity(1 + related.len());
    for number in std::iter::once(entry.target).chain(related.iter().copied()) {
        if let Some(object) = texts.object(number)
            && texts
                .target(object)
                .is_some_and(|target| scope.has(&target.kind))
            && !objects.contains(&object)
        {
            objects.push(object);
        }
    }
    objects
}

fn name_place(name: &str, object: Number) -> Place {
    Place {
        text: name.to_owned(),
        at: 0,
        n: object.into(),
    }
}

/// The `place`th object of the entry at `at`.
fn seen_place((at, n): At, place: usize) -> Place {
    Place {
        text: place.to_string(),
        at,
        n,
    }
}

/// Whether a place comes after another in the direction of a walk.
fn is_beyond(place: &Place, other: &Place, is_older: bool) -> bool {
    let nth = |place: &Place| place.text.parse::<usize>().unwrap_or_default();
    let key = |place: &Place| (std::cmp::Reverse((place.at, place.n)), nth(place));
    if is_older {
        key(place) > key(other)
    } else {
        key(place) < key(other)
    }
}

/// What a cursor is bound to: whose list it is, and what it is asked.
fn question(scope: &ObjectsScope, query: &ObjectsQuery, order: ObjectsOrder) -> String {
    let kind = query.kind.as_ref().map(TargetKind::as_str);
    format!(
        "objects {} {order:?} {kind:?} {:?}",
        scope.workspace.id, query.q
    )
}
