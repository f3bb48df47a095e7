//! What a fold comes to: the fields that are there, and those that were.

use super::{Slot, Then, Track, Went, is_empty_holder};
use crate::{
    blame::{Difference, Field, Gone},
    diff::is_same,
    json::{Path, path::Segment},
};

impl Slot {
    /// The fields that are and were here; of the fields, those alone that `wanted` leads to. Where it
    /// names the place of an element and something is there, those that had the place before are left
    /// out.
    pub(in crate::blame) fn into_fields(self, wanted: Option<&Path>) -> Found {
        let mut found = Found::default();
        self.collect(&mut Path::default(), None, &mut found);
        if let Some(wanted) = wanted {
            let leads_to = |path: &Path| path.segments().starts_with(wanted.segments());
            found.fields.retain(|field| leads_to(&field.path));
            let is_taken = !found.fields.is_empty();
            let named = wanted.segments().len();
            found.removed.retain(|field| {
                let had_the_place = field.gone.is_some_and(|gone| gone.length <= named);
                leads_to(&field.path) && !(is_taken && had_the_place)
            });
            found.differences.retain(|field| leads_to(&field.path));
        }
        found
    }

    fn collect(self, path: &mut Path, gone: Option<Gone>, found: &mut Found) {
        let holds_something = self.holds_something();
        if let Some(track) = self.track {
            let Track {
                last,
                history,
                then,
            } = *track;
            // What holds something did not go, but what it was before may be asked for.
            let gave_way = last.value.is_none() && holds_something;
            if let Then::Was(before) = then {
                let is_other = match (&before, &last.value) {
                    (Some(before), Some(after)) => !is_same(before, after),
                    (Some(before), None) => !gave_way || !is_empty_holder(before),
                    (None, after) => after.is_some(),
                };
                if is_other {
                    found.differences.push(Difference {
                        path: path.clone(),
                        before,
                        last: last.clone(),
                        gone,
                    });
                }
            }
            if !gave_way || !history.is_empty() {
                let fields = match last.value {
                    Some(_) if gone.is_none() => &mut found.fields,
                    _ => &mut found.removed,
                };
                fields.push(Field {
                    path: path.clone(),
                    last,
                    history,
                    gone,
                });
            }
        }
        for (name, member) in self.members {
            path.push(Segment::Member(name));
            member.collect(path, gone, found);
            path.pop();
        }
        for (place, element) in self.elements.into_iter().enumerate() {
            path.push(Segment::Element(place));
            element.collect(path, gone, found);
            path.pop();
        }
        for Went { place, element, .. } in self.gone.into_values().flatten() {
            path.push(Segment::Element(place));
            let went = element.told.map(|at| Gone {
                at,
                length: path.segments().len(),
            });
            element.collect(path, gone.or(went), found);
            path.pop();
        }
    }
}

/// The fields of an object.
#[derive(Debug, Default)]
pub(in crate::blame) struct Found {
    pub(in crate::blame) fields: Vec<Field>,
    pub(in crate::blame) removed: Vec<Field>,
    pub(in crate::blame) differences: Vec<Difference>,
}
