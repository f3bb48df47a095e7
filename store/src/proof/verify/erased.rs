//! Whether what was erased might be: each part under a release that names it, each release under its own
//! entry, which names the same, and none while a legal hold stood.

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
    sqlite::damaged,
};
use domain::{
    erasure::Erased,
    event::{NewEvent, Part, Parts},
    slug::Slug,
};
use std::collections::HashMap;

/// All releases by erasure, by tenant.
pub(super) async fn read(
    connection: &mut Connection,
) -> Result<HashMap<i64, Vec<(Erasure, Erased)>>, StoreError> {
    let mut all: HashMap<i64, Vec<(Erasure, Erased)>> = HashMap::new();
    let mut after = 0;
    loop {
        let some = read::erasures(connection, after).await?;
        let Some(last) = some.last() else {
            return Ok(all);
        };
        after = last.id;
        for erasure in some {
            let mut named = Erased::default();
            for event in read::erased_events(connection, erasure.id).await? {
                let bits = u8::try_from(event.parts).ok();
                let parts = bits.and_then(Parts::from_bits);
                let parts = parts.ok_or_else(|| damaged("what a release names cannot be read"))?;
                named.add(count(event.seq)?, parts);
            }
            let of_tenant = all.entry(erasure.tenant).or_default();
            of_tenant.push((erasure, named));
        }
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
            Self::Release(what) => Wrong::Release { tenant, seq, what },
        }
    }
}

fn words(parts: Parts) -> String {
    let words: Vec<&str> = parts.list().iter().map(|part| part.as_str()).collect();
    words.join(", ")
}

/// The releases by erasure of a tenant.
#[derive(Default)]
pub(super) struct Erasures {
    /// By the number of the entry that tells of each.
    releases: HashMap<u64, (Erasure, Erased)>,
    /// What they name of an entry: its log, the last entry that tells of one, and the parts.
    named: HashMap<u64, (i64, u64, Parts)>,
    told: Vec<ErasedUnder>,
}

impl Erasures {
    pub(super) fn new(all: Vec<(Erasure, Erased)>) -> Self {
        let mut erasures = Self::default();
        for (erasure, named) in all {
            let told = erasure.seq.unsigned_abs();
            for (seq, parts) in named.each() {
                let of = erasures
                    .named
                    .entry(seq)
                    .or_insert((erasure.ws, told, Parts::NONE));
                of.1 = of.1.min(told);
                // A release names entries of its own log alone.
                if of.0 == erasure.ws {
                    of.2 = of.2.and(parts);
                }
            }
            erasures.releases.insert(told, (erasure, named));
        }
        erasures
    }

    /// Follows an entry, of which these parts are gone, in the order of arrival.
    pub(super) fn judge(
        &mut self,
        leaf: &Leaf,
        facts: &Facts,
        gone: Parts,
        rules: &Rules,
    ) -> Result<(), Fault> {
        if !gone.is_empty() {
            let named = self.named.get(&leaf.seq);
            // What tells of it came later.
            let named = named.filter(|(ws, told, _)| *ws == leaf.ws && *told > leaf.seq);
            let unnamed = gone.without(named.map_or(Parts::NONE, |(.., parts)| *parts));
            if !unnamed.is_empty() {
                return Err(Fault::Unnamed(unnamed));
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
            (Some(told), Some((erasure, named))) => {
                self.judge_release(leaf, told, (&erasure, &named), rules)
            }
        }
    }

    fn judge_release(
        &mut self,
        leaf: &Leaf,
        told: &Told,
        (erasure, named): (&Erasure, &Erased),
        rules: &Rules,
    ) -> Result<(), Fault> {
        let after = told.after.as_ref();
        let said = after.and_then(|after| Erased::read(after.get("erased")?));
        if erasure.ws != leaf.ws || said.as_ref() != Some(named) {
            return Err(Fault::Release("covers something else than that entry says"));
        }
        if rules.is_held(leaf.ws) {
            return Err(Fault::Release("was not permitted: a legal hold stood"));
        }
        let parts = named.each().map(|(_, parts)| parts);
        self.told.push(ErasedUnder {
            seq: leaf.seq,
            id: leaf.id,
            reason: told.reason.clone(),
            entries: named.len() as u64,
            parts: parts.fold(Parts::NONE, Parts::and),
            is_under_way: erasure.finished_at.is_none(),
        });
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
