//! Whether what was erased might be: each part under a release that names it, each release under its own
//! entry, which names the same, and none while a legal hold stood; and whether those who were erased stand
//! under the pseudonym that it tells, and what is said to be gone is.

use super::{
    ErasedUnder, Leaf, Wrong,
    content::{Facts, Told},
    count,
    rules::Rules,
};
use crate::{
    StoreError,
    copy::read::{self, Erasure},
    database::Connection,
    sqlite::{Body, damaged},
};
use domain::{
    erasure::Erased,
    event::{Actor, NewEvent, Object, Part, Parts},
    slug::Slug,
};
use std::collections::HashMap;

/// A release by erasure, with what it names.
pub(super) struct Released {
    erasure: Erasure,
    named: Erased,
    /// Whether its entry names the same, and the pseudonym that it tells. That it does is looked at when that
    /// entry is.
    is_told: bool,
    pseudonym: Option<String>,
}

/// All releases by erasure, by tenant.
pub(super) async fn read(
    connection: &mut Connection,
) -> Result<HashMap<i64, Vec<Released>>, StoreError> {
    let mut all: HashMap<i64, Vec<Released>> = HashMap::new();
    for erasure in erasures(connection).await? {
        let tenant = erasure.tenant;
        let released = Released::read(connection, erasure).await?;
        all.entry(tenant).or_default().push(released);
    }
    Ok(all)
}

/// Those of a tenant.
pub(super) async fn read_of(
    connection: &mut Connection,
    tenant: i64,
) -> Result<Vec<Released>, StoreError> {
    let mut all = Vec::new();
    for erasure in erasures(connection).await? {
        if erasure.tenant == tenant {
            all.push(Released::read(connection, erasure).await?);
        }
    }
    Ok(all)
}

async fn erasures(connection: &mut Connection) -> Result<Vec<Erasure>, StoreError> {
    let mut all: Vec<Erasure> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.id);
        let some = read::erasures(connection, after).await?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

impl Released {
    async fn read(connection: &mut Connection, erasure: Erasure) -> Result<Self, StoreError> {
        let seq = erasure.seq;
        let at = |error: StoreError| {
            error.at(format_args!(
                "the release by erasure that entry {seq} tells of"
            ))
        };
        let mut named = Erased::default();
        for event in read::erased_events(connection, erasure.id)
            .await
            .map_err(at)?
        {
            let bits = u8::try_from(event.parts).ok();
            let parts = bits.and_then(Parts::from_bits);
            let parts = parts.ok_or_else(|| at(damaged("what it names cannot be read")))?;
            named.add(count(event.seq).map_err(at)?, parts);
        }
        // Its entry comes later than those that it names.
        let entry = read::events_as_they_are(connection, erasure.tenant, (seq - 1, seq)).await?;
        let content = entry.into_iter().next().and_then(|entry| entry.content);
        let body = content.and_then(|content| serde_json::from_str(&content.body?).ok());
        let after = body.and_then(|body: Body| body.after);
        Ok(Self {
            is_told: erased_in(after.as_ref()).as_ref() == Some(&named),
            pseudonym: pseudonym_in(after.as_ref()),
            erasure,
            named,
        })
    }
}

/// What the entry of a release names.
fn erased_in(after: Option<&Object>) -> Option<Erased> {
    Erased::read(after?.get("erased")?)
}

/// The pseudonym that the entry of a release tells.
fn pseudonym_in(after: Option<&Object>) -> Option<String> {
    Some(after?.get("pseudonym")?.as_str()?.to_owned())
}

/// Under whom an entry stands, of which that was erased.
pub(super) struct Stands {
    actor: Actor,
    via: Vec<Actor>,
}

impl Stands {
    /// None where neither was.
    pub(super) fn of(event: &NewEvent, gone: Parts) -> Option<Box<Self>> {
        let is_of_use = gone.has(Part::Actor) || gone.has(Part::Via);
        is_of_use.then(|| {
            Box::new(Self {
                actor: event.actor.clone(),
                via: event.via.clone(),
            })
        })
    }
}

/// What of an entry stands where an erased part stood, and should not.
pub(super) fn fault(event: &NewEvent, gone: Parts) -> Option<&'static str> {
    let says = |part: Part| match part {
        Part::Facts => true,
        Part::Actor => event.actor.name.is_some() || event.actor.email.is_some(),
        // Of a chain only those who were erased are told by pseudonyms.
        Part::Via => false,
        Part::Objects => event
            .related
            .iter()
            .chain([&event.target])
            .any(|object| object.id.is_some() || object.name.is_some() || object.url.is_some()),
        Part::Change => event.before.is_some() || event.after.is_some(),
        Part::Details => {
            event.description.is_some()
                || event.idempotency_key.is_some()
                || event.metadata.is_some()
        }
        Part::Context => event.context.is_some(),
    };
    let is_said = gone.list().iter().any(|part| says(*part));
    is_said.then_some("a part of it was erased, and something stands in its place")
}

/// What is wrong with what was erased.
pub(super) enum Fault {
    /// These parts of the entry are named by no release.
    Unnamed(Parts),
    /// These are named by one that is finished, and are there.
    Left(Parts),
    /// The entry stands under somebody else.
    Strange(&'static str),
    /// The release of the entry is not right.
    Release(&'static str),
}

impl Fault {
    pub(super) fn of(self, tenant: &Slug, leaf: &Leaf) -> Wrong {
        let (tenant, seq, id) = (tenant.clone(), leaf.seq, leaf.id);
        match self {
            Self::Unnamed(parts) => Wrong::Unerased {
                tenant,
                seq,
                id,
                parts: words(parts),
            },
            Self::Left(parts) => Wrong::Left {
                tenant,
                seq,
                id,
                parts: words(parts),
            },
            Self::Strange(what) => Wrong::Altered {
                tenant,
                seq,
                id,
                what,
            },
            Self::Release(what) => Wrong::Release { tenant, seq, what },
        }
    }
}

fn words(parts: Parts) -> String {
    let words: Vec<&str> = parts.list().iter().map(|part| part.as_str()).collect();
    words.join(", ")
}

/// What releases name of an entry.
struct Named {
    /// The entry's log.
    ws: i64,
    /// The first entry that tells of one of them.
    told: u64,
    /// Which parts,
    parts: Parts,
    /// and which of them by one that says that it is finished.
    finished: Parts,
    /// By which, in the order of their places, with the parts.
    by: Vec<(usize, Parts)>,
}

/// The releases by erasure of a tenant.
#[derive(Default)]
pub(super) struct Erasures {
    all: Vec<Released>,
    /// The places of those that no entry told of yet, by the number of the entry that is to.
    releases: HashMap<u64, usize>,
    /// What they name, by the entry's number.
    named: HashMap<u64, Named>,
    told: Vec<ErasedUnder>,
}

impl Erasures {
    pub(super) fn new(all: Vec<Released>) -> Self {
        let mut erasures = Self::default();
        for (at, released) in all.iter().enumerate() {
            let Released { erasure, named, .. } = released;
            // One that names something else than its entry is found when that is looked at.
            let is_finished = erasure.finished_at.is_some() && released.is_told;
            let told = erasure.seq.unsigned_abs();
            for (seq, parts) in named.each() {
                let of = erasures.named.entry(seq).or_insert_with(|| Named {
                    ws: erasure.ws,
                    told,
                    parts: Parts::NONE,
                    finished: Parts::NONE,
                    by: Vec::with_capacity(1),
                });
                of.told = of.told.min(told);
                // A release names entries of its own log alone.
                if of.ws == erasure.ws {
                    of.parts = of.parts.and(parts);
                    of.by.push((at, parts));
                    if is_finished {
                        of.finished = of.finished.and(parts);
                    }
                }
            }
            erasures.releases.insert(told, at);
        }
        erasures.all = all;
        erasures
    }

    /// Follows an entry, of which these parts are gone, in the order of arrival.
    pub(super) fn judge(
        &mut self,
        leaf: &Leaf,
        facts: &Facts,
        (gone, stands): (Parts, Option<&Stands>),
        rules: &Rules,
    ) -> Result<(), Fault> {
        let named = self.named.get(&leaf.seq);
        // What tells of it came later.
        let named = named.filter(|named| named.ws == leaf.ws && named.told > leaf.seq);
        let unnamed = gone.without(named.map_or(Parts::NONE, |named| named.parts));
        if !unnamed.is_empty() {
            return Err(Fault::Unnamed(unnamed));
        }
        if let Some(named) = named.filter(|_| !matches!(facts, Facts::Gone)) {
            let left = named.finished.without(gone);
            if !left.is_empty() {
                return Err(Fault::Left(left));
            }
            if let Some(stands) = stands {
                self.judge_stands(stands, named, gone)?;
            }
        }
        let told = match facts {
            Facts::Telling(told) if told.action == "AUDIT_CONTENT_ERASED" => Some(&**told),
            _ => None,
        };
        match (told, self.releases.remove(&leaf.seq)) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(Fault::Release("is not there")),
            (None, Some(_)) => Err(Fault::Release(
                "is none: that entry tells of something else, or is gone",
            )),
            (Some(told), Some(at)) => {
                let released = self.all.get(at);
                let under = released.map(|released| released.judge(leaf, told, rules));
                self.told.extend(under.transpose()?);
                Ok(())
            }
        }
    }

    /// Whether those under whom an entry stands are those that the releases tell of.
    fn judge_stands(&self, stands: &Stands, named: &Named, gone: Parts) -> Result<(), Fault> {
        let by = named.by.iter();
        let releases: Vec<(&Released, Parts)> = by
            .filter_map(|(at, parts)| Some((self.all.get(*at)?, *parts)))
            .collect();
        if gone.has(Part::Actor) {
            let mut of_actor = releases
                .iter()
                .filter(|(_, parts)| parts.has(Part::Actor))
                .map(|(released, _)| released.pseudonym.as_deref());
            let id = stands.actor.id.as_deref();
            if !of_actor.any(|pseudonym| pseudonym.is_some() && pseudonym == id) {
                return Err(Fault::Strange(
                    "who did it was erased, and does not stand under the pseudonym that the release \
                     tells",
                ));
            }
        }
        if gone.has(Part::Via) {
            let finished = releases.iter().filter(|(released, parts)| {
                parts.has(Part::Via) && released.erasure.finished_at.is_some()
            });
            for (released, parts) in finished {
                let is_right = match &released.pseudonym {
                    Some(pseudonym) => {
                        let mut theirs = stands.via.iter().filter(|one| is_called(one, pseudonym));
                        // With an event's actor all who carried it out may have gone, each under a
                        // pseudonym of their own.
                        theirs.next().is_some()
                            || (parts.has(Part::Actor) && stands.via.iter().all(is_erased))
                    }
                    None => stands.via.iter().all(is_erased),
                };
                if !is_right {
                    return Err(Fault::Strange(
                        "somebody who carried it out was erased, and nobody there stands under the \
                         pseudonym that the release tells",
                    ));
                }
            }
            let told = |id: &str| {
                let mut told = releases
                    .iter()
                    .filter_map(|(released, _)| released.pseudonym.as_deref());
                told.any(|pseudonym| pseudonym == id)
            };
            let is_named = |one: &Actor| one.name.is_some() || one.email.is_some();
            let mut members = stands.via.iter();
            if members.any(|one| is_named(one) && one.id.as_deref().is_some_and(told)) {
                return Err(Fault::Strange(
                    "somebody who carried it out was erased, and is named beside their pseudonym",
                ));
            }
        }
        Ok(())
    }

    /// Leaves out the releases that entries up to a number told of: those were judged before.
    pub(super) fn pass(&mut self, size: u64) {
        self.releases.retain(|told, _| *told > size);
    }

    /// A release that no entry told of.
    pub(super) fn untold(&self) -> Option<u64> {
        self.releases.keys().min().copied()
    }

    /// What was erased under which release.
    pub(super) fn told(&mut self) -> Vec<ErasedUnder> {
        std::mem::take(&mut self.told)
    }
}

/// Whether somebody stands under a pseudonym, and under nothing else.
fn is_called(one: &Actor, pseudonym: &str) -> bool {
    one.id.as_deref() == Some(pseudonym) && one.name.is_none() && one.email.is_none()
}

/// Whether somebody stands under some pseudonym.
fn is_erased(one: &Actor) -> bool {
    let id = one.id.as_deref().unwrap_or_default();
    id.starts_with("erased-") && is_called(one, id)
}

impl Released {
    /// Whether it is what its entry tells of, and might be.
    fn judge(&self, leaf: &Leaf, told: &Told, rules: &Rules) -> Result<ErasedUnder, Fault> {
        let Self {
            erasure,
            named,
            pseudonym,
            ..
        } = self;
        let after = told.after.as_ref();
        let said = erased_in(after);
        let is_told = said.as_ref() == Some(named) && pseudonym_in(after) == *pseudonym;
        if erasure.ws != leaf.ws || !is_told {
            return Err(Fault::Release("covers something else than that entry says"));
        }
        if rules.is_held(leaf.ws) {
            return Err(Fault::Release("was not permitted: a legal hold stood"));
        }
        let parts = named.each().map(|(_, parts)| parts);
        Ok(ErasedUnder {
            seq: leaf.seq,
            id: leaf.id,
            reason: told.reason.clone(),
            entries: named.len() as u64,
            parts: parts.fold(Parts::NONE, Parts::and),
            is_under_way: erasure.finished_at.is_none(),
        })
    }
}
