//! What the server finds out for the pages of objects.

use super::view::{Asked, KnownView, ListView, ListedView, OverviewView, TouchedView};
use crate::{
    address::{self, LogAddress},
    frame::Frame,
    log::{
        Local,
        answer::{is_asked_again, last, note},
        row_of,
        view::{CountView, ObjectView},
    },
    refusal::Refusal,
    viewer::Asker,
};
use domain::{
    event::{Actor, ActorKind},
    question::{Filter, Limit, Query, Subject, Unknown, Zone},
    slug::WorkspacePath,
};
use leptos::logging;
use store::{
    Snapshot,
    access::Scope,
    objects::{ObjectsOrder, ObjectsPage, ObjectsQuery, Overview},
    question::{Count, QuestionError},
};

/// So many names of an object are shown.
const NAMES_MOST: usize = 20;
/// So many of its newest entries.
const NEWEST: u16 = 5;

/// The object at `path`, its times in the zone that the query string names.
pub(super) async fn overview(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<OverviewView, Refusal> {
    let asker = asker?;
    let (workspace, subject) = address::overview_of(path).ok_or(Refusal::NotFound)?;
    let opened = asker.person.object_scope(&workspace, subject.clone());
    let opened = opened.and_then(|scope| Ok((scope, Frame::of(&asker.person, &workspace)?)));
    let (scope, frame) = match opened {
        Ok(opened) => opened,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    let zone = zone(search);
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let known = loop {
        let known = known(&scope, &subject, &mut snapshot, &zone).await;
        if !is_asked_again(&mut snapshot, &known).await? {
            break known;
        }
    };
    let now = snapshot.now();
    snapshot.end().await;
    let (object, known) = known?;
    note(&asker, &scope, &Query::default()).await;
    if let Some(workspace) = scope.workspace() {
        asker.remember_zone(workspace, search).await;
    }
    Ok(OverviewView {
        frame,
        subject,
        object,
        zone: zone.to_string(),
        now: now.micros().div_euclid(1_000),
        known,
    })
}

async fn known(
    scope: &Scope,
    subject: &Subject,
    snapshot: &mut Snapshot,
    zone: &Zone,
) -> Result<(ObjectView, Option<KnownView>), Refusal> {
    let object = |name: Option<String>, url| ObjectView {
        name: name.unwrap_or_else(|| subject.id.clone()),
        kind: subject.kind.to_string(),
        id: subject.id.clone(),
        url,
    };
    let (Some(overview), Some(workspace)) = (snapshot.overview().await?, scope.workspace()) else {
        return Ok((object(None, None), None));
    };
    let local = Local::new(zone, snapshot.now());
    let changed = last(snapshot, &local).await?;
    let newest = Query {
        limit: Limit::try_from(NEWEST).ok(),
        ..Query::default()
    };
    let newest = match snapshot.page(&newest).await {
        Ok(page) => page.events,
        Err(QuestionError::Store(error)) => return Err(error.into()),
        Err(other) => return Err(Refusal::Unavailable(other.to_string())),
    };
    let workspace = workspace.path();
    let newest = newest.iter().map(|event| {
        let label = snapshot.label(event);
        row_of(event, &label, &local)
    });
    let newest = newest.collect();
    let Overview {
        object: target,
        names,
        first_seen,
        last_seen,
        is_cut,
        entries,
        touched,
        touched_among,
    } = overview;
    let other_names = names.len().saturating_sub(NAMES_MOST);
    let names = names.into_iter().take(NAMES_MOST);
    let names = names.map(|named| (named.name, local.when(named.since), local.when(named.last)));
    let touched = touched.into_iter().map(|touched| TouchedView {
        name: touched.actor.actor.sort_name().to_owned(),
        kind: touched.actor.actor.kind,
        deactivated: touched.actor.deactivated,
        entries: touched.entries,
        last: local.when(touched.last),
        there: entries_of(&workspace, subject, &touched.actor.actor, zone),
    });
    let known = KnownView {
        first_seen: local.when(first_seen),
        last_seen: local.when(last_seen),
        is_cut,
        entries: match entries {
            Count::Exactly(count) => CountView::Exactly(count),
            Count::MoreThan(count) => CountView::MoreThan(count),
            Count::Unknown => CountView::Unknown,
        },
        changed,
        names: names.collect(),
        other_names,
        touched: touched.collect(),
        touched_among,
        newest,
    };
    Ok((object(target.name, target.url), Some(known)))
}

/// What somebody did to an object, on its Audit tab.
fn entries_of(
    workspace: &WorkspacePath,
    subject: &Subject,
    actor: &Actor,
    zone: &Zone,
) -> Option<String> {
    let mut filter = Filter {
        tz: Some(zone.clone()).filter(|zone| zone.as_str() != "UTC"),
        ..Filter::default()
    };
    match (&actor.id, actor.kind) {
        (Some(id), kind) => {
            filter.actor_id.push(id.clone());
            filter.actor_kind.push(kind);
        }
        (None, kind @ (ActorKind::System | ActorKind::Anonymous)) => filter.actor_kind.push(kind),
        _ => return None,
    }
    let query = Query {
        filter,
        ..Query::default()
    };
    let path = address::object(workspace, subject);
    // An object that browsers take for a step in the path has no tab of its own.
    LogAddress::read(&path)?;
    Some(address::with_query(&path, &query.query_string()))
}

fn zone(search: &str) -> Zone {
    Query::read(search, Unknown::Ignored).query.filter.zone()
}

impl Asked {
    /// Reads the query string of the list. An empty value counts as not given.
    pub(super) fn read(search: &str) -> Self {
        let mut asked = Self {
            zone: zone(search).to_string(),
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            let given = Some(value.into_owned()).filter(|value| !value.is_empty());
            match &*name {
                "q" => asked.q = given,
                "kind" => asked.kind = given,
                "cursor" => asked.cursor = given,
                _ => {}
            }
        }
        asked
    }

    /// The address of the list that asks for the same, at another place.
    pub(super) fn at(&self, workspace: &WorkspacePath, cursor: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let zone = Some(self.zone.as_str()).filter(|zone| *zone != "UTC");
        let given = [
            ("q", self.q.as_deref()),
            ("kind", self.kind.as_deref()),
            ("tz", zone),
            ("cursor", cursor),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        address::with_query(&address::objects(workspace), &query.finish())
    }
}

/// The workspace whose objects are listed at a path.
fn workspace_of(path: &str) -> Option<WorkspacePath> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, workspace, "objects"] => address::workspace_path(tenant, workspace),
        _ => None,
    }
}

/// The list of objects at `path`, as the query string asks.
pub(super) async fn list(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<ListView, Refusal> {
    let asker = asker?;
    let workspace = workspace_of(path).ok_or(Refusal::NotFound)?;
    let opened = asker.person.objects_scope(&workspace);
    let opened = opened.and_then(|scope| Ok((scope, Frame::of(&asker.person, &workspace)?)));
    let (scope, frame) = match opened {
        Ok(opened) => opened,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    let asked = Asked::read(search);
    let kind = asked.kind.as_deref().and_then(|kind| kind.parse().ok());
    let is_guarded = kind.as_ref().is_some_and(|kind| !scope.has(kind));
    let query = ObjectsQuery {
        q: asked.q.clone(),
        kind,
        cursor: asked.cursor.clone(),
        ..ObjectsQuery::default()
    };
    let (mut page, lost_cursor) = match asker.store.objects(&scope, &query).await {
        Ok(page) => (page, false),
        // What there is to choose from is told all the same.
        Err(QuestionError::Cursor) => {
            let query = ObjectsQuery {
                cursor: None,
                ..query
            };
            (found(asker.store.objects(&scope, &query).await)?, true)
        }
        other => (found(other)?, false),
    };
    if lost_cursor || asked.kind_is_wrong() {
        page.objects.clear();
        (page.next, page.previous, page.stopped) = (None, None, false);
    }
    let zone = zone(search);
    let now = asker.store.now();
    let local = Local::new(&zone, now);
    let kept = (zone.as_str() != "UTC").then_some(&zone);
    let noted = asker
        .store
        .note_place(&asker.person, scope.workspace(), kept);
    if let Err(error) = noted.await {
        logging::error!("where somebody looked was not noted: {error}");
    }
    let at = |cursor: Option<String>| cursor.map(|cursor| asked.at(&workspace, Some(&cursor)));
    let ObjectsPage {
        objects,
        order,
        next,
        previous,
        stopped,
        kinds,
    } = page;
    let (next, previous) = (at(next), at(previous));
    let objects = objects.into_iter().map(|object| {
        let subject = Subject {
            kind: object.kind.clone(),
            id: object.id.clone(),
        };
        let there = address::overview(&workspace, &subject);
        ListedView {
            name: object.name.unwrap_or_else(|| object.id.clone()),
            kind: object.kind.to_string(),
            id: object.id,
            last_seen: local.when(object.last_seen),
            there: address::in_zone(&there, zone.as_str()),
        }
    });
    Ok(ListView {
        frame,
        kinds: kinds.iter().map(ToString::to_string).collect(),
        is_guarded,
        order: if asked.is_narrowed() {
            ObjectsOrder::Name
        } else {
            order
        },
        now: now.micros().div_euclid(1_000),
        objects: objects.collect(),
        next,
        previous,
        stopped,
        lost_cursor,
        asked,
    })
}

fn found(page: Result<ObjectsPage, QuestionError>) -> Result<ObjectsPage, Refusal> {
    page.map_err(|error| match error {
        QuestionError::Store(error) => error.into(),
        other => Refusal::Unavailable(other.to_string()),
    })
}
