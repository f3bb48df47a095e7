//! What the server finds out for a log page: who asks, what they may read, and the answer, ready to
//! be set.

use crate::{
    address::{Links, LogAddress, without_open},
    frame::Frame,
    log::{
        About, Shown,
        compose::{self, Local},
        view::{CountView, EntryView, LastView, LogView, NoticesView, ObjectView, ScopeView},
    },
    refusal::Refusal,
    viewer::Asker,
};
use chrono::NaiveDate;
use domain::{
    event::{Event, EventId, Source},
    question::{Fault, Query, Read, Unknown},
};
use leptos::logging;
use std::sync::Arc;
use store::{
    Snapshot,
    access::Scope,
    question::{Count, Page, QuestionError},
};

/// A page of a log, complete: the address asks for it, and may open an entry.
pub(crate) async fn shown(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<Shown, Refusal> {
    let (asker, address, scope) = opened(asker, path).await?;
    let (search, open) = without_open(search);
    let Read { query, faults } = Query::read(&search, Unknown::Ignored);
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let answered = async {
        let log = log(&asker, &address, &scope, &mut snapshot, query, faults).await?;
        let entry = match &open {
            Some(id) => entry(&asker, &address, &scope, &mut snapshot, id, &log.query).await?,
            None => None,
        };
        Ok(Shown {
            scope: around(&asker, &address, &mut snapshot).await?,
            about: about(&address),
            log,
            open,
            entry,
        })
    };
    let answered: Result<Shown, Refusal> = answered.await;
    snapshot.end().await;
    if let Ok(shown) = &answered
        && shown.log.query.cursor.is_none()
    {
        note(&asker, &scope, &shown.log.query).await;
    }
    answered
}

/// An entry, as it opens on the page that `search` asks for.
pub(crate) async fn opened_entry(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
    id: &str,
) -> Result<Option<(Arc<Links>, About, EntryView)>, Refusal> {
    let (asker, address, scope) = opened(asker, path).await?;
    let (search, _) = without_open(search);
    let query = Query::read(&search, Unknown::Ignored).query;
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let entry = entry(&asker, &address, &scope, &mut snapshot, id, &query).await;
    snapshot.end().await;
    let entry = entry?;
    let about = about(&address);
    let links = Arc::new(Links::new(&address, query));
    Ok(entry.map(|entry| (links, about, entry)))
}

fn about(address: &LogAddress) -> About {
    match address.subject {
        None => About::Workspace,
        Some(_) => About::Object,
    }
}

/// Who asks, and what they may read at `path`.
async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, LogAddress, Scope), Refusal> {
    let asker = asker?;
    let address = LogAddress::read(path).ok_or(Refusal::NotFound)?;
    let scope = match &address.subject {
        None => asker.person.audit_scope(&address.workspace),
        Some(subject) => asker
            .person
            .object_scope(&address.workspace, subject.clone()),
    };
    match scope {
        Ok(scope) => Ok((asker, address, scope)),
        Err(refused) => Err(asker.refusal(refused).await),
    }
}

/// What stays while the question changes.
async fn around(
    asker: &Asker,
    address: &LogAddress,
    snapshot: &mut Snapshot,
) -> Result<ScopeView, Refusal> {
    let frame = match Frame::of(&asker.person, &address.workspace) {
        Ok(frame) => frame,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    let object = match &address.subject {
        None => None,
        Some(subject) => {
            let known = snapshot.object().await?;
            let (name, url) = known.map_or((None, None), |known| (known.name, known.url));
            Some(ObjectView {
                name: name.unwrap_or_else(|| subject.id.clone()),
                kind: subject.kind.to_string(),
                id: subject.id.clone(),
                url,
            })
        }
    };
    Ok(ScopeView {
        frame,
        object,
        choices: snapshot.choices().await?,
    })
}

async fn log(
    asker: &Asker,
    address: &LogAddress,
    scope: &Scope,
    snapshot: &mut Snapshot,
    query: Query,
    mut faults: Vec<Fault>,
) -> Result<LogView, Refusal> {
    let (page, lost_cursor) = match snapshot.page(&query).await {
        Ok(page) => (page, false),
        Err(QuestionError::Cursor) => (Page::default(), true),
        Err(QuestionError::Parameter { parameter, reason }) => {
            faults.push(Fault {
                parameter: parameter.to_owned(),
                value: given(&query, parameter),
                reason,
            });
            (Page::default(), false)
        }
        Err(QuestionError::Store(error)) => return Err(error.into()),
    };
    let count = match snapshot.count(&query.from_start()).await {
        Ok(Count::Exactly(count)) => CountView::Exactly(count),
        Ok(Count::MoreThan(count)) => CountView::MoreThan(count),
        Ok(Count::Unknown) => CountView::Unknown,
        Err(error) => {
            // What was found is worth showing without knowing how much there is.
            if let QuestionError::Store(error) = error {
                logging::error!("what matches was not counted: {error}");
            }
            CountView::Unknown
        }
    };
    let notices = snapshot.notices().await?;
    let now = snapshot.now();
    let local = Local::new(&query.filter.zone(), now);
    let rows = page
        .events
        .iter()
        .map(|event| {
            let label = asker.store.label(scope, &event.action);
            compose::row(event, &label, &local, &address.workspace)
        })
        .collect();
    let last = match &address.subject {
        Some(_) => last(snapshot, &local).await?,
        None => None,
    };
    let first = query.filter.is_empty()
        && query.cursor.is_none()
        && page.older.is_none()
        && page
            .events
            .iter()
            .all(|event| event.source == Some(Source::Daybook));
    let goes_on = (page.newer.is_some(), page.older.is_some());
    Ok(LogView {
        lost_cursor,
        words: compose::words(&query.filter),
        zone: query.filter.zone().to_string(),
        now: now.micros().div_euclid(1_000),
        read_at: local.clock(now),
        dates: dates(&page, &local),
        days: compose::days(&page.events, rows, query.sort, &local, goes_on),
        searched_to: page.searched_to.map(|time| local.second(time)),
        count,
        notices: NoticesView {
            recording_off: notices
                .recording_off
                .map(|changed| (changed.by, local.when(changed.at))),
            pending: notices.pending.map(|pending| {
                let words = pending.retention.words();
                (words, local.when(pending.from), pending.asked.by)
            }),
        },
        people: people(&query, &page.events),
        last,
        first: (first && address.subject.is_none()).then(|| asker.request.public_url.clone()),
        older: page.older,
        newer: page.newer,
        query,
        faults,
    })
}

async fn entry(
    asker: &Asker,
    address: &LogAddress,
    scope: &Scope,
    snapshot: &mut Snapshot,
    id: &str,
    query: &Query,
) -> Result<Option<EntryView>, Refusal> {
    let Ok(id) = id.parse::<EventId>() else {
        return Ok(None);
    };
    let Some(event) = snapshot.event(id).await? else {
        return Ok(None);
    };
    let local = Local::new(&query.filter.zone(), snapshot.now());
    let label = asker.store.label(scope, &event.action);
    Ok(Some(compose::entry(
        &event,
        &label,
        &local,
        &address.workspace,
    )))
}

/// Notes that somebody looked, and where. A log that cannot be written at the moment can still
/// be read: whoever has to find out why needs it most then.
pub(crate) async fn note(asker: &Asker, scope: &Scope, query: &Query) {
    let names = query.filter.names();
    if let Err(error) = asker.store.note_look(scope, &asker.by(), &names).await {
        logging::error!("a look at the log was not recorded: {error}");
    }
    if let Some(workspace) = scope.workspace()
        && scope.subject().is_none()
        && let zone = query
            .filter
            .tz
            .as_ref()
            .filter(|zone| zone.as_str() != "UTC")
        && let Err(error) = asker.store.note_place(&asker.person, workspace, zone).await
    {
        logging::error!("where somebody looked was not noted: {error}");
    }
}

/// Who changed an object last, and when.
pub(crate) async fn last(
    snapshot: &mut Snapshot,
    local: &Local,
) -> Result<Option<LastView>, Refusal> {
    let change = snapshot.last_change().await?;
    Ok(change.map(|event| LastView {
        by: event.actor.actor.sort_name().to_owned(),
        at: local.when(event.occurred_at),
    }))
}

/// First and last day of what was apart, else of what is shown.
fn dates(page: &Page, local: &Local) -> (String, String) {
    let text = |date: NaiveDate| date.format("%Y-%m-%d").to_string();
    let times = || page.events.iter().map(|event| event.occurred_at);
    let since = page.span.since.or_else(|| times().min());
    let until = page.span.until.or_else(|| times().max());
    (
        text(since.map_or_else(|| local.today(), |time| local.date(time))),
        text(until.map_or_else(|| local.today(), |time| local.date(time))),
    )
}

/// The names of those whom the filter names by id, where the page shows them.
fn people(query: &Query, events: &[Event]) -> Vec<(String, String)> {
    let filter = &query.filter;
    filter
        .actor_id
        .iter()
        .chain(&filter.via_id)
        .filter_map(|id| {
            let actors = events
                .iter()
                .flat_map(|event| std::iter::once(&event.actor.actor).chain(&event.via));
            let known = actors
                .filter(|actor| actor.id.as_ref() == Some(id))
                .find_map(|actor| actor.name.clone().or_else(|| actor.email.clone()))?;
            Some((id.clone(), known))
        })
        .collect()
}

/// What was given for a parameter.
fn given(query: &Query, parameter: &str) -> String {
    query
        .pairs()
        .into_iter()
        .find_map(|(name, value)| (name == parameter).then_some(value))
        .unwrap_or_default()
}
