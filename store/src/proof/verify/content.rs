//! What an entry says, put together from the tables, and whether that is what was recorded.

use super::{Leaf, Wrong, erased};
use crate::{
    StoreError,
    copy::{
        read,
        tables::{ACTION, ACTOR, KIND, RELATED, TARGET, TEXTS, VIA},
    },
    database::{Connection, Value},
    dictionary::Number,
    sqlite::{
        Body, KeyHash,
        erasure::{proofs, read_parts},
        key_hash,
    },
};
use domain::{
    category::Category,
    event::{
        Action, Actor, EventId, NewEvent, Object, Outcome, Part, Parts, Source, Target, TargetKind,
    },
    leaf::{Hash, proven_parts_hash},
    slug::Slug,
    time::Timestamp,
    verb::Verb,
};
use std::{collections::HashMap, str::FromStr};

/// So many texts are read at a time.
const TEXTS_AT_ONCE: usize = 5_000;

/// An entry that was checked by itself.
pub(super) struct Checked {
    pub(super) leaf: Leaf,
    pub(super) hash: Hash,
    pub(super) facts: Facts,
    /// Which of its parts were erased.
    pub(super) gone: Parts,
    /// Under whom it stands, where that was.
    pub(super) stands: Option<Box<erased::Stands>>,
}

/// What is to be known of an entry besides its leaf.
pub(super) enum Facts {
    /// What it says is gone.
    Gone,
    /// Nothing.
    Plain,
    /// It tells of what is permitted.
    Telling(Box<Told>),
}

/// What one of Daybook's own entries tells of what is permitted.
pub(super) struct Told {
    pub(super) action: String,
    pub(super) after: Option<Object>,
    /// Why, where it says so.
    pub(super) reason: Option<String>,
}

/// The texts of a workspace, or of the tenant itself; one that cannot be is none.
#[derive(Debug, Default)]
struct OfLog {
    actors: Vec<Option<Actor>>,
    via: Vec<Option<Vec<Number>>>,
    actions: Vec<Option<Named>>,
    kinds: Vec<Option<TargetKind>>,
    targets: Vec<Option<(Number, Target)>>,
    related: Vec<Option<Vec<Number>>>,
}

/// An action, with what its sender said of it.
#[derive(Debug)]
struct Named {
    action: Action,
    verb: Option<Verb>,
    category: Option<Category>,
}

/// The texts of a tenant, by log.
#[derive(Debug, Default)]
pub(super) struct Texts(HashMap<i64, OfLog>);

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn given<T: FromStr>(value: Option<&Value>) -> Result<Option<T>, T::Err> {
    text(value).map(|text| text.parse()).transpose()
}

fn parsed<T: FromStr>(value: Option<&Value>) -> Option<T> {
    text(value)?.parse().ok()
}

fn members(row: &[Value]) -> Option<Vec<Number>> {
    serde_json::from_str(&text(row.first())?).ok()
}

fn actor(row: &[Value]) -> Option<Actor> {
    Some(Actor {
        kind: parsed(row.first())?,
        id: text(row.get(1)),
        name: text(row.get(2)),
        email: text(row.get(3)),
    })
}

fn action(row: &[Value]) -> Option<Named> {
    Some(Named {
        action: parsed(row.first())?,
        verb: given(row.get(1)).ok()?,
        category: given(row.get(2)).ok()?,
    })
}

fn target(kinds: &[Option<TargetKind>], row: &[Value]) -> Option<(Number, Target)> {
    let Some(Value::Integer(kind)) = row.first() else {
        return None;
    };
    let kind = Number::try_from(*kind).ok()?;
    let target = Target {
        kind: at(kinds, kind)?.clone(),
        id: text(row.get(1)),
        name: text(row.get(2)),
        url: text(row.get(3)),
    };
    Some((kind, target))
}

fn at<T>(all: &[Option<T>], number: Number) -> Option<&T> {
    // Numbers count from 1.
    all.get((number as usize).checked_sub(1)?)?.as_ref()
}

impl Texts {
    pub(super) async fn of(connection: &mut Connection, tenant: i64) -> Result<Self, StoreError> {
        let mut texts = Self::default();
        for ws in read::logs(connection, tenant).await? {
            let mut of_log = OfLog::default();
            // What others refer to comes first.
            for table in [KIND, ACTOR, ACTION, VIA, TARGET, RELATED] {
                let mut after = 0;
                loop {
                    let some = read::texts(
                        connection,
                        &TEXTS[table],
                        (tenant, ws),
                        after,
                        TEXTS_AT_ONCE,
                    )
                    .await?;
                    let Some((last, _)) = some.last() else { break };
                    let before = after;
                    after = *last;
                    for (number, row) in (before + 1..).zip(&some) {
                        // One that is missing moves none of the others into its place.
                        of_log.add(table, row.1.as_slice(), row.0 == number);
                    }
                }
            }
            texts.0.insert(ws, of_log);
        }
        Ok(texts)
    }
}

impl OfLog {
    fn add(&mut self, table: usize, row: &[Value], is_in_place: bool) {
        let row = if is_in_place { row } else { &[] };
        match table {
            ACTOR => self.actors.push(actor(row)),
            VIA => self.via.push(members(row)),
            ACTION => self.actions.push(action(row)),
            KIND => self.kinds.push(parsed(row.first())),
            TARGET => self.targets.push(target(&self.kinds, row)),
            _ => self.related.push(members(row)),
        }
    }

    /// An event, as it was given; none where something that it refers to is not there.
    fn event(&self, content: &read::Content) -> Option<(NewEvent, Option<Source>)> {
        let Named {
            action,
            verb,
            category,
        } = at(&self.actions, content.action)?;
        let (kind, target) = at(&self.targets, content.target)?;
        if content.kind.is_some_and(|copied| copied != *kind) {
            return None;
        }
        let actor = at(&self.actors, content.actor)?;
        let mut event = NewEvent::new(actor.clone(), action.clone(), target.clone());
        (event.verb, event.category) = (*verb, *category);
        if let Some(via) = content.via {
            let members = at(&self.via, via)?.iter();
            event.via = members
                .map(|actor| at(&self.actors, *actor).cloned())
                .collect::<Option<_>>()?;
        }
        if let Some(related) = content.related {
            let members = at(&self.related, related)?.iter();
            event.related = members
                .map(|target| at(&self.targets, *target).map(|(_, target)| target.clone()))
                .collect::<Option<_>>()?;
        }
        event.outcome = match content.outcome {
            0 => Outcome::Success,
            1 => Outcome::Failure,
            2 => Outcome::Denied,
            _ => return None,
        };
        let source = match content.source {
            None => None,
            Some(1) => Some(Source::Daybook),
            Some(2) => Some(Source::Import),
            Some(_) => return None,
        };
        event.operation.clone_from(&content.operation);
        let body = content.body.as_deref().map(serde_json::from_str::<Body>);
        let body = body.transpose().ok()?.unwrap_or_default();
        event.description = body.description;
        event.idempotency_key = body.idempotency_key;
        event.before = body.before;
        event.after = body.after;
        event.metadata = body.metadata;
        event.context = body.context;
        Some((event, source))
    }
}

/// Checks that what an entry says is what its leaf was made of; gives the leaf's hash. Of what was
/// erased the hash is believed: whether it may be gone is looked at elsewhere.
pub(super) fn check(
    event: read::Event,
    tenant: &Slug,
    texts: &Texts,
    workspaces: &HashMap<i64, Slug>,
) -> Result<Checked, Wrong> {
    let seq = event.seq.cast_unsigned();
    let id = EventId(event.id);
    let altered = |what: &'static str| Wrong::Altered {
        tenant: tenant.clone(),
        seq,
        id,
        what,
    };
    let leaf = Leaf {
        seq,
        id,
        ws: event.ws,
        occurred_at: Timestamp::from_micros(event.occurred_at),
        recorded_at: Timestamp::from_micros(event.recorded_at),
        parts: Hash(event.parts),
    };
    let hash = leaf
        .hash(tenant, workspaces)
        .ok_or_else(|| altered("it lies in a workspace that is not the tenant's"))?;
    let Some(content) = event.content else {
        return Ok(Checked {
            leaf,
            hash,
            facts: Facts::Gone,
            gone: Parts::NONE,
            stands: None,
        });
    };
    let given = texts
        .0
        .get(&event.ws)
        .and_then(|texts| texts.event(&content));
    let (given, source) =
        given.ok_or_else(|| altered("something that it refers to is not there, or not valid"))?;
    let proofs = read_parts(content.erased).and_then(|gone| {
        Ok((
            gone,
            proofs(gone, &content.salt, content.proofs.as_deref())?,
        ))
    });
    let (gone, proofs) = proofs.map_err(|_| altered("what proves it cannot be read"))?;
    if proven_parts_hash(&given, source, proofs.each()) != leaf.parts {
        return Err(altered("its content is another than its leaf was made of"));
    }
    // What it is found by, and what keeps it, are copies of what was hashed.
    let key: Option<KeyHash> = given
        .idempotency_key
        .as_deref()
        .map(|key| key_hash(event.ws, key));
    if content.key != key {
        return Err(altered(
            "the hash that its idempotency key is found by is another's",
        ));
    }
    let is_ours = source == Some(Source::Daybook);
    let action = given.action.as_str();
    if let Some(what) = erased::fault(&given, gone) {
        return Err(altered(what));
    }
    let keeps = is_ours && crate::sqlite::never_expires(action);
    if content.keep != keeps {
        return Err(altered(
            "whether retention passes it by is not as its action says",
        ));
    }
    if keeps && gone.has(Part::Change) {
        return Err(altered(
            "the log is judged by what it said, and that was erased",
        ));
    }
    let stands = erased::Stands::of(&given, gone);
    let facts = if keeps {
        Facts::Telling(Box::new(Told {
            action: action.to_owned(),
            after: given.after,
            reason: given.description,
        }))
    } else {
        Facts::Plain
    };
    Ok(Checked {
        leaf,
        hash,
        facts,
        gone,
        stands,
    })
}
