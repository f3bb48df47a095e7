//! What the server finds out for the Blame tab.

use super::view::{
    AskedView, BeforeView, BlameView, DifferenceView, FieldView, KnownView, MomentView, PathView,
    SetView, ShownView, SilentView,
};
use crate::{
    address::{self, Links, LogAddress},
    frame::Frame,
    log::{
        Local, actor_of,
        answer::note,
        value::{changed, whole},
        view::{ObjectView, Sign},
    },
    number::grouped,
    refusal::Refusal,
    viewer::Asker,
};
use chrono::TimeDelta;
use domain::{
    blame::{
        Asked, Difference, Field, Gap, GapKind, Gone, LeftWhat, Moment as Changed, Origin, Setting,
        Silent, What, history,
    },
    event::{Actor, ShownActor},
    json::{Path, path::Segment},
    question::{BlameParameters, Filter, Moment, Query, Subject, Unknown, Zone},
    slug::WorkspacePath,
    time::Timestamp,
};
use store::{
    blame::{BlameQuery, ObjectBlame},
    question::QuestionError,
};

/// The object at `path`, as the query string asks.
pub(super) async fn blame(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<BlameView, Refusal> {
    let asker = asker?;
    let (workspace, subject) = address::blame_of(path).ok_or(Refusal::NotFound)?;
    let opened = asker.person.object_scope(&workspace, subject.clone());
    let opened = opened.and_then(|scope| Ok((scope, Frame::of(&asker.person, &workspace)?)));
    let (scope, frame) = match opened {
        Ok(opened) => opened,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    let (parameters, faults) = BlameParameters::read(search, Unknown::Ignored);
    let asked = parameters.asked();
    let query = BlameQuery {
        workspace: None,
        subject: subject.clone(),
        asked: asked.clone(),
    };
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let found = loop {
        let found = snapshot.blame(&query).await;
        if !matches!(found, Err(QuestionError::Store(_))) || !snapshot.begin_again().await? {
            break found;
        }
    };
    let now = snapshot.now();
    snapshot.end().await;
    let found = found.map_err(|error| match error {
        QuestionError::Store(error) => error.into(),
        other => Refusal::Unavailable(other.to_string()),
    })?;
    note(&asker, &scope, &Query::default()).await;
    if let Some(workspace) = scope.workspace() {
        asker.remember_zone(workspace, search).await;
    }
    let zone = parameters.zone();
    let page = Page {
        path: address::blame(&workspace, &subject),
        workspace,
        subject,
        local: Local::new(&zone, now),
        zone,
        now,
        parameters,
        asked,
    };
    let faults = faults.into_iter();
    let faults: Vec<(String, String, String)> = faults
        .map(|fault| (fault.parameter, fault.value, fault.reason))
        .collect();
    let known = found.as_ref();
    let target = known.map(|found| found.object.clone());
    Ok(BlameView {
        frame,
        object: ObjectView {
            name: target
                .as_ref()
                .and_then(|target| target.name.clone())
                .unwrap_or_else(|| page.subject.id.clone()),
            kind: page.subject.kind.to_string(),
            id: page.subject.id.clone(),
            url: target.and_then(|target| target.url),
        },
        zone: page.zone.to_string(),
        now: now.micros().div_euclid(1_000),
        known: known
            .filter(|_| faults.is_empty())
            .map(|found| page.known(found)),
        asked: page.asked_view(&faults),
        subject: page.subject,
    })
}

/// A page, as it is asked for.
struct Page {
    path: String,
    workspace: WorkspacePath,
    subject: Subject,
    zone: Zone,
    local: Local,
    now: Timestamp,
    parameters: BlameParameters,
    asked: Asked,
}

/// Which links a page has: with this moment, compared with that, and with this field opened.
#[derive(Clone, Default)]
struct Leads {
    at: Option<Timestamp>,
    compare: Option<Timestamp>,
    field: Option<String>,
    removed: bool,
}

impl Page {
    /// What it shows now.
    fn leads(&self) -> Leads {
        Leads {
            at: self.asked.at,
            compare: self.asked.compare,
            field: self.parameters.field.as_ref().map(Path::to_string),
            removed: self.parameters.removed,
        }
    }

    fn to(&self, leads: Leads) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let moment = |moment: Timestamp| moment.to_string();
        let given = [
            ("at", leads.at.map(moment)),
            ("compare", leads.compare.map(moment)),
            ("field", leads.field),
            ("removed", leads.removed.then(|| "true".to_owned())),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        let path = address::with_query(&self.path, &query.finish());
        address::in_zone(&path, self.zone.as_str())
    }

    /// A moment as a field for it holds it: in the zone, no finer than it has to be.
    fn typed(&self, moment: Timestamp) -> String {
        let micros = moment.micros().rem_euclid(1_000_000);
        let second = self.local.second(moment);
        if micros == 0 {
            second
        } else {
            format!("{second}.{micros:06}")
        }
    }

    fn asked_view(&self, faults: &[(String, String, String)]) -> AskedView {
        let given = |name: &str, moment: Option<Timestamp>| {
            let mut faults = faults.iter();
            match faults.find(|(parameter, ..)| parameter == name) {
                Some((_, value, _)) => value.clone(),
                None => moment.map(|moment| self.typed(moment)).unwrap_or_default(),
            }
        };
        let leads = self.leads();
        AskedView {
            at: given("at", self.asked.at),
            compare: given("compare", self.asked.compare),
            field: leads.field.clone(),
            removed: leads.removed,
            faults: faults
                .iter()
                .map(|(parameter, _, reason)| (parameter.clone(), reason.clone()))
                .collect(),
            now: self.to(Leads {
                at: None,
                compare: None,
                ..leads.clone()
            }),
            alone: self.to(Leads {
                compare: None,
                ..leads.clone()
            }),
            closed: self.to(Leads {
                field: None,
                ..leads.clone()
            }),
            other_removed: self.to(Leads {
                removed: !leads.removed,
                ..leads
            }),
        }
    }

    fn known(&self, found: &ObjectBlame) -> KnownView {
        let blame = &found.blame;
        let moments = blame.moments.iter().rev();
        KnownView {
            existence: blame.existence,
            at: self.asked.at.map(|at| self.typed(at)),
            shown: self.shown(found),
            gone: blame.removed.len(),
            gaps: found.gaps.iter().map(|gap| self.in_words(gap)).collect(),
            changes: blame.changes,
            moments: moments.map(|moment| self.moment(moment)).collect(),
        }
    }

    fn shown(&self, found: &ObjectBlame) -> ShownView {
        let blame = &found.blame;
        if let Some(compare) = self.asked.compare {
            let differences = blame.differences.iter();
            let changed: Vec<_> = differences
                .map(|difference| self.difference(difference, found))
                .collect();
            let later = changed.iter().filter(|one| one.after.is_some()).count();
            return ShownView::Differences {
                moments: (
                    self.typed(compare),
                    self.asked
                        .at
                        .map_or_else(|| "now".to_owned(), |at| self.typed(at)),
                ),
                same: blame.fields.len().saturating_sub(later),
                changed,
            };
        }
        if self.parameters.field.is_some() {
            let all = history(blame.fields.iter().chain(&blame.removed));
            let all = all.into_iter();
            return ShownView::History(
                all.map(|(field, setting)| self.field(field, setting, found))
                    .collect(),
            );
        }
        let gone = blame.removed.iter().filter(|_| self.parameters.removed);
        let mut fields: Vec<&Field> = blame.fields.iter().chain(gone).collect();
        // Those set last first; of one event, in the order of their paths.
        fields.sort_by_key(|field| std::cmp::Reverse(field.last.origin.at()));
        let fields = fields.into_iter();
        ShownView::Fields(
            fields
                .map(|field| self.field(field, &field.last, found))
                .collect(),
        )
    }

    fn field(&self, field: &Field, setting: &Setting, found: &ObjectBlame) -> FieldView {
        let (before, value) = match (&setting.previous, &setting.value) {
            (Some(before), Some(value)) => {
                let (before, value) = changed(before, value);
                (BeforeView::Value(before), Some(value))
            }
            (Some(before), None) => (BeforeView::Value(whole(before)), None),
            (None, value) => {
                let before = if setting.was_absent {
                    BeforeView::NotSet
                } else {
                    BeforeView::Unknown
                };
                (before, value.as_ref().map(whole))
            }
        };
        FieldView {
            path: path_of(&field.path),
            history: self.history(&field.path, field.gone),
            value,
            set: self.set(&setting.origin, found),
            before,
            changes: Some(setting.changes).filter(|_| setting.origin != Origin::Initial),
            age: self.age(setting.origin.at()),
        }
    }

    /// The history of a field: of an element that is gone, as it was just before it went, because another
    /// may have its place.
    fn history(&self, path: &Path, gone: Option<Gone>) -> String {
        let shown = self.leads();
        let before = gone.map(|gone| gone.at.plus(TimeDelta::microseconds(-1)));
        self.to(Leads {
            field: Some(path.to_string()),
            compare: None,
            at: before.or(shown.at),
            ..shown
        })
    }

    fn set(&self, origin: &Origin, found: &ObjectBlame) -> SetView {
        match origin {
            Origin::Initial => SetView::Initial,
            Origin::Outside {
                since,
                until,
                silent,
            } => SetView::Outside {
                since: self.local.when(*since),
                until: self.local.when(*until),
                silent: silent
                    .as_deref()
                    .map(|silent| self.silent(silent, Some(*since), *until)),
            },
            Origin::Erased {
                since,
                until,
                silent,
            } => SetView::Erased {
                since: since.map(|since| self.local.when(since)),
                until: self.local.when(*until),
                silent: self.silent(silent, *since, *until),
            },
            Origin::Event(author) => {
                let actor = ShownActor {
                    deactivated: found.is_deactivated(&author.actor),
                    actor: Actor::clone(&author.actor),
                };
                let query = Query {
                    filter: Filter {
                        until: Some(Moment::Absolute(author.occurred_at)),
                        tz: self.parameters.tz.clone(),
                        ..Filter::default()
                    },
                    ..Query::default()
                };
                let tab = LogAddress::Object(self.workspace.clone(), self.subject.clone());
                let id = author.event.to_string();
                let before = author.occurred_at.plus(TimeDelta::microseconds(-1));
                SetView::Event {
                    actor: actor_of(&actor, &author.via),
                    when: self.local.when(author.occurred_at),
                    entry: format!("{}#e-{id}", Links::new(&tab, query).opening(&id)),
                    before: self.to(Leads {
                        at: Some(before),
                        ..Leads::default()
                    }),
                }
            }
        }
    }

    /// Entries between two moments, of which one may have set a field.
    fn silent(&self, silent: &Silent, since: Option<Timestamp>, until: Timestamp) -> SilentView {
        let query = Query {
            filter: Filter {
                since: since.map(Moment::Absolute),
                until: Some(Moment::Absolute(until)),
                tz: self.parameters.tz.clone(),
                ..Filter::default()
            },
            ..Query::default()
        };
        let tab = LogAddress::Object(self.workspace.clone(), self.subject.clone());
        let links = Links::new(&tab, query);
        let what = match (silent.events, silent.erased) {
            (_, 0) => "gave no state",
            (1, _) => "was erased",
            (events, erased) if events == erased => "were erased",
            _ => "gave no state or were erased",
        };
        match (silent.events, silent.named.as_slice()) {
            (1, [only]) => SilentView {
                words: format!("1 entry that {what}"),
                entries: format!("{}#e-{only}", links.opening(&only.to_string())),
            },
            (events, _) => SilentView {
                words: format!("one of {} entries that {what}", grouped(events)),
                entries: links.closed(),
            },
        }
    }

    fn difference(&self, difference: &Difference, found: &ObjectBlame) -> DifferenceView {
        let (sign, before, after) = match (&difference.before, &difference.last.value) {
            (Some(before), Some(after)) => {
                let (before, after) = changed(before, after);
                (Sign::Changed, Some(before), Some(after))
            }
            (before, None) => (Sign::Removed, before.as_ref().map(whole), None),
            (None, after) => (Sign::Added, None, after.as_ref().map(whole)),
        };
        DifferenceView {
            path: path_of(&difference.path),
            history: self.history(&difference.path, difference.gone),
            sign,
            before,
            after,
            set: self.set(&difference.last.origin, found),
        }
    }

    fn moment(&self, moment: &Changed) -> MomentView {
        let what = match moment.what {
            What::Created => "created".to_owned(),
            What::Deleted => "deleted".to_owned(),
            What::Changed(1) => "1 field".to_owned(),
            What::Changed(fields) => format!("{fields} fields"),
            What::Erased => "erased".to_owned(),
        };
        let shown = [self.asked.at, self.asked.compare];
        MomentView {
            when: self.local.when(moment.at),
            what,
            there: self.to(Leads {
                at: Some(moment.at),
                compare: None,
                ..self.leads()
            }),
            is_shown: shown.contains(&Some(moment.at)),
        }
    }

    /// How long ago a moment was, from 1 to 5.
    fn age(&self, moment: Option<Timestamp>) -> u8 {
        let Some(moment) = moment else { return 5 };
        let micros = self.now.micros().saturating_sub(moment.micros());
        match TimeDelta::microseconds(micros).num_days() {
            ..7 => 1,
            7..45 => 2,
            45..120 => 3,
            _ => 4,
        }
    }

    /// What is not known.
    fn in_words(&self, gap: &Gap) -> String {
        let second = |moment: Timestamp| self.local.second(moment);
        let since = gap.since.map(second);
        let until = gap.until.map(second);
        match gap.kind {
            GapKind::Retention => {
                let until = until.unwrap_or_else(|| "now".to_owned());
                match since {
                    Some(since) => format!(
                        "Entries of what occurred from {since} until {until} may have been deleted, \
                         because they had expired."
                    ),
                    None => format!(
                        "Entries of what occurred before {until} may have been deleted, because they \
                         had expired."
                    ),
                }
            }
            GapKind::RecordingOff => match (since.unwrap_or_default(), until) {
                (since, Some(until)) => {
                    format!(
                        "Recording was off from {since} until {until}: changes then are unknown."
                    )
                }
                (since, None) => {
                    format!("Recording is off since {since}: changes since then are unknown.")
                }
            },
            GapKind::NoState => format!(
                "{} gave no state before or after: what changed is unknown.",
                entries(gap.count, since, until)
            ),
            GapKind::Erased => format!(
                "What {} gave was erased: that something changed is known, and not what.",
                entries(gap.count, since, until)
            ),
            GapKind::ObjectsErased => format!(
                "Of {} it was erased what they were about: it was something of this kind, and it may \
                 have been this.",
                entries(gap.count, since, until)
            ),
            GapKind::LeftOut(what) => {
                let until = until.unwrap_or_else(|| "now".to_owned());
                let count = grouped(gap.count.unwrap_or_default());
                match what {
                    LeftWhat::Instant => format!(
                        "{} are too many of one instant to be put in order: what they changed is \
                         left out.",
                        entries(gap.count, since, Some(until))
                    ),
                    LeftWhat::Gone => format!(
                        "Of fields and elements that went, {count} are left out, those that went \
                         until {until}. What came back of them is told as if it had never been there."
                    ),
                    LeftWhat::History => format!(
                        "Of this history, {count} values are left out, those set until {until}."
                    ),
                    LeftWhat::Later => format!(
                        "The object has grown too large: {} are left out.",
                        entries(gap.count, since, Some(until))
                    ),
                    LeftWhat::Switches => format!(
                        "Before {until} recording was switched too often for each time to be looked \
                         at: it may have been off."
                    ),
                }
            }
        }
    }
}

/// How many entries, and when.
fn entries(count: Option<u64>, since: Option<String>, until: Option<String>) -> String {
    let since = since.unwrap_or_default();
    match (count.unwrap_or(1), until) {
        (1, _) => format!("1 entry, on {since},"),
        (count, Some(until)) => {
            format!("{} entries, from {since} until {until},", grouped(count))
        }
        (count, None) => format!("{} entries, from {since} on,", grouped(count)),
    }
}

/// A path as it is shown: what holds the last name, and that with what follows it.
fn path_of(path: &Path) -> PathView {
    let segments = path.segments();
    let last = segments
        .iter()
        .rposition(|segment| matches!(segment, Segment::Member(_)));
    let (parent, _) = segments.split_at(last.unwrap_or_default());
    let whole = path.to_string();
    let mut length = Path::from(parent.to_vec()).to_string().len();
    if whole[length..].starts_with('.') {
        length += 1;
    }
    let (parent, name) = whole.split_at(length);
    PathView {
        parent: parent.to_owned(),
        name: name.to_owned(),
    }
}
