//! What the server finds out for a log page: who asks, what they may read, and the answer, ready to
//! be set.

use crate::{
    address::{self, Links, LogAddress, without_open},
    frame::{Bar, Frame, TenantFrame},
    load::News,
    log::{
        About, Shown,
        compose::{self, Local},
        tokens::relaxations,
        view::{
            ChartView, CountView, EntryView, HoldNoticeView, LastView, LogView, NoticesView,
            ObjectView, PlaceView, ProvedView, RelaxedView, RowView, ScopeView, WithinView,
        },
    },
    number::grouped,
    refusal::Refusal,
    viewer::{Asker, scope_at},
};
use chrono::NaiveDate;
use domain::{
    event::{Event, EventId, Source},
    question::{Fault, FeedQuery, HistogramQuery, Limit, Moment, Query, Read, Span, Unknown, Wait},
    slug::Slug,
};
use leptos::logging;
use std::{sync::Arc, time::Duration};
use store::{
    Snapshot,
    access::Scope,
    question::{Count, Page, QuestionError},
    settings::Notices,
};

/// How long a page waits for its chart to be counted; the browser asks for the rest, if there is some.
const CHART_WITHIN: Duration = Duration::from_millis(25);

/// Of so many workspaces of a tenant its page says what is to be known; of others, that there is.
const NOTICES_MOST: usize = 3;

/// A page of a log, complete: the address asks for it, and may open an entry.
pub(crate) async fn shown(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<Shown, Refusal> {
    let (asker, address, scope) = opened(asker, path).await?;
    let (search, open) = without_open(search);
    let workspaces = Workspaces::of(&asker, &scope);
    let read = workspaces.checked(Query::read(&search, Unknown::Ignored));
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let answered = loop {
        let read = read.clone();
        let answered = async {
            let log = log(&asker, &address, &mut snapshot, &workspaces, read).await?;
            let entry = match &open {
                Some(id) => {
                    let entry = entry(&mut snapshot, &workspaces, id, &log.query).await?;
                    proved(&asker, &address, &scope, &log.query, entry).await?
                }
                None => None,
            };
            let scope = around(&asker, &address, &scope, &mut snapshot).await?;
            Ok((scope, log, entry))
        };
        let answered: Result<_, Refusal> = answered.await;
        if !is_asked_again(&mut snapshot, &answered).await? {
            break answered;
        }
    };
    snapshot.end().await;
    let (around, log, entry) = answered?;
    if log.query.cursor.is_none() {
        // It has a place for all that recording takes, which is much: it is not carried about.
        Box::pin(note(&asker, &scope, &log.query)).await;
    }
    Ok(Shown {
        address,
        scope: around,
        log,
        open,
        entry,
    })
}

/// Whether an answer is to be asked for again, of another state that was taken for it: where the log failed
/// to give it, and not where it was refused to who asks.
pub(crate) async fn is_asked_again<T>(
    snapshot: &mut Snapshot,
    answered: &Result<T, Refusal>,
) -> Result<bool, Refusal> {
    Ok(match answered {
        Err(Refusal::Unavailable(_)) => snapshot.begin_again().await?,
        Ok(_) | Err(Refusal::SignedOut | Refusal::NotFound | Refusal::NoAccess(_)) => false,
    })
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
    let workspaces = Workspaces::of(&asker, &scope);
    let query = workspaces
        .checked(Query::read(&search, Unknown::Ignored))
        .query;
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let entry = loop {
        let entry = entry(&mut snapshot, &workspaces, id, &query).await;
        if !is_asked_again(&mut snapshot, &entry).await? {
            break entry;
        }
    };
    let now = snapshot.now();
    snapshot.end().await;
    let entry = proved(&asker, &address, &scope, &query, entry?).await?;
    let about = About::of(&address);
    let fixed = fixed(
        &query,
        query.filter.span(now),
        &Local::new(&query.filter.zone(), now),
    );
    let links = Arc::new(Links::new(&address, query).fixed_at(fixed));
    Ok(entry.map(|entry| (links, about, entry)))
}

/// What arrived after number `after` of the entries that the page asks for, its cursor apart; waits for
/// it, so many seconds at most.
pub(crate) async fn news(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
    after: u64,
    wait: u8,
) -> Result<News, Refusal> {
    let (asker, _, scope) = opened(asker, path).await?;
    let (search, _) = without_open(search);
    let workspaces = Workspaces::of(&asker, &scope);
    let read = workspaces.checked(Query::read(&search, Unknown::Ignored));
    let asked = FeedQuery {
        after,
        wait: Wait::try_from(wait).unwrap_or(Wait::MOST),
        filter: read.query.filter.clone(),
        limit: Some(Limit::MOST),
    };
    match asker.store.news(&scope, &asked, &asker.by()).await {
        Ok(news) => {
            note(&asker, &scope, &read.query).await;
            Ok(News {
                entries: news.entries,
                next: news.next,
            })
        }
        Err(QuestionError::Store(error)) => Err(error.into()),
        Err(other) => Err(Refusal::Unavailable(other.to_string())),
    }
}

/// On a tenant's page: what the tenant and its workspaces are called.
enum Workspaces {
    /// There is but one, and nothing to choose from.
    One,
    /// All of a tenant.
    All {
        /// What the tenant is called.
        tenant: String,
        /// How addresses and how people name its workspaces, by name.
        named: Vec<(Slug, String)>,
    },
}

impl Workspaces {
    fn of(asker: &Asker, scope: &Scope) -> Self {
        if scope.workspace().is_some() {
            return Self::One;
        }
        // Who administers a tenant counts as a member of each of its workspaces.
        let workspaces = asker
            .person
            .memberships
            .iter()
            .map(|member| &member.workspace);
        let of_tenant = workspaces.filter(|workspace| workspace.tenant == *scope.tenant());
        Self::All {
            tenant: scope.tenant().name.clone(),
            named: of_tenant
                .map(|workspace| (workspace.slug.clone(), workspace.name.clone()))
                .collect(),
        }
    }

    /// A question without the workspaces that cannot be asked for here, which are faults.
    fn checked(&self, mut read: Read) -> Read {
        let asked = std::mem::take(&mut read.query.filter.workspace);
        for slug in asked {
            let reason = match self {
                Self::One => "cannot be chosen here: this page is of one workspace",
                Self::All { named, .. } => {
                    if named.iter().any(|(known, _)| *known == slug) {
                        read.query.filter.workspace.push(slug);
                        continue;
                    }
                    "is no workspace of this tenant"
                }
            };
            read.faults.push(Fault {
                parameter: "workspace".to_owned(),
                value: slug.to_string(),
                reason: reason.to_owned(),
            });
        }
        read
    }

    /// Where an event lies, for its row; none where all lie in one workspace.
    fn place(&self, event: &Event) -> Option<PlaceView> {
        let Self::All { tenant, named } = self else {
            return None;
        };
        let name = match &event.workspace {
            None => tenant.clone(),
            Some(slug) => {
                let known = named.iter().find(|(known, _)| known == slug);
                known.map_or_else(|| slug.to_string(), |(_, name)| name.clone())
            }
        };
        Some(PlaceView {
            name,
            workspace: event.workspace.clone(),
        })
    }

    /// How addresses and how people name them.
    fn names(&self) -> Vec<(String, String)> {
        let named = match self {
            Self::One => &[],
            Self::All { named, .. } => named.as_slice(),
        };
        let names = named.iter();
        names
            .map(|(slug, name)| (slug.to_string(), name.clone()))
            .collect()
    }
}

/// Who asks, and what they may read at `path`.
async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, LogAddress, Scope), Refusal> {
    let asker = asker?;
    let address = LogAddress::read(path).ok_or(Refusal::NotFound)?;
    match scope_at(&asker.person, &address) {
        Ok(scope) => Ok((asker, address, scope)),
        Err(refused) => Err(asker.refusal(refused).await),
    }
}

/// What stays while the question changes.
async fn around(
    asker: &Asker,
    address: &LogAddress,
    scope: &Scope,
    snapshot: &mut Snapshot,
) -> Result<ScopeView, Refusal> {
    let frame = match scope.workspace() {
        None => Bar::Tenant(TenantFrame::of(&asker.person, scope.tenant())),
        Some(workspace) => match Frame::of(&asker.person, &workspace.path()) {
            Ok(frame) => Bar::Workspace(frame),
            Err(refused) => return Err(asker.refusal(refused).await),
        },
    };
    let object = match address {
        LogAddress::Tenant(_) | LogAddress::Workspace(_) | LogAddress::Own(_) => None,
        LogAddress::Object(_, subject) => {
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
        may_export: asker.person.export_scope(scope).is_ok(),
        object,
        choices: snapshot.choices().await?,
    })
}

async fn log(
    asker: &Asker,
    address: &LogAddress,
    snapshot: &mut Snapshot,
    workspaces: &Workspaces,
    read: Read,
) -> Result<LogView, Refusal> {
    let Read { query, mut faults } = read;
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
    let count = counted(snapshot, &query.from_start()).await;
    let notices = snapshot.notices().await?;
    let (within, more) = snapshot.notices_within(NOTICES_MOST).await?;
    let now = snapshot.now();
    let local = Local::new(&query.filter.zone(), now);
    let rows = page
        .events
        .iter()
        .map(|event| {
            let label = snapshot.label(event);
            RowView {
                place: workspaces.place(event),
                ..compose::row(event, &label, &local)
            }
        })
        .collect();
    let last = match address {
        LogAddress::Object(..) => last(snapshot, &local).await?,
        LogAddress::Tenant(_) | LogAddress::Workspace(_) | LogAddress::Own(_) => None,
    };
    let is_workspace = matches!(address, LogAddress::Workspace(_));
    let first = is_workspace
        && query.filter.is_empty()
        && query.cursor.is_none()
        && page.older.is_none()
        && page
            .events
            .iter()
            .all(|event| event.source == Some(Source::Daybook));
    let first = first.then(|| asker.request.public_url.clone());
    let is_drawn = About::of(address).has_chart() && first.is_none();
    let chart = if is_drawn {
        chart(snapshot, &query, CHART_WITHIN).await
    } else {
        None
    };
    let people = people(&query, &page.events);
    let has_searched_all = query.cursor.is_none() && page.searched_to.is_none();
    let relaxed = if page.events.is_empty() && has_searched_all && faults.is_empty() {
        relaxed(snapshot, &query, &people, &workspaces.names()).await
    } else {
        None
    };
    let fixed = fixed(&query, page.span, &local);
    let shown_to = snapshot.shown_to(&query).await?;
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
        chart,
        notices: told(notices, &local),
        within: WithinView {
            told: within
                .into_iter()
                .map(|(workspace, notices)| {
                    let settings = address::settings(&workspace.path());
                    (workspace.name, settings, told(notices, &local))
                })
                .collect(),
            more,
        },
        people,
        relaxed,
        workspaces: workspaces.names(),
        last,
        first,
        older: page.older,
        newer: page.newer,
        shown_to,
        fixed,
        query,
        faults,
    })
}

/// From when until when a question asks that asks for a time that goes on, `span` being what it comes to. A
/// later page's time is in its cursor already, whenever it is asked for.
fn fixed(query: &Query, span: Span, local: &Local) -> Option<(Moment, Moment)> {
    let goes_on = query.filter.range.is_some() && query.cursor.is_none();
    goes_on.then(|| local.fixed(span)).flatten()
}

/// How many entries a question asks for, where that is cheap to know.
async fn counted(snapshot: &mut Snapshot, query: &Query) -> CountView {
    match snapshot.count(query).await {
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
    }
}

/// Where nothing matches a question: the filters without which something does; none where it has but one.
async fn relaxed(
    snapshot: &mut Snapshot,
    query: &Query,
    people: &[(String, String)],
    workspaces: &[(String, String)],
) -> Option<Vec<RelaxedView>> {
    let relaxations = relaxations(query, people, workspaces);
    if relaxations.len() < 2 {
        return None;
    }
    let mut relaxed = Vec::new();
    for (words, without) in relaxations {
        let count = counted(snapshot, &without).await;
        let is_any = match count {
            CountView::Exactly(count) => count > 0,
            CountView::MoreThan(_) => true,
            // Whether there is any is cheap to know.
            CountView::Unknown => {
                let first = Query {
                    limit: Limit::try_from(1).ok(),
                    ..without.clone()
                };
                let page = snapshot.page(&first).await;
                page.is_ok_and(|page| !page.events.is_empty())
            }
        };
        if is_any {
            relaxed.push(RelaxedView {
                words,
                without,
                count,
            });
        }
    }
    Some(relaxed)
}

/// When the entries that a question asks for occurred, as far as it is counted within a time.
async fn chart(snapshot: &mut Snapshot, query: &Query, within: Duration) -> Option<ChartView> {
    let asked = HistogramQuery {
        filter: query.filter.clone(),
        ..HistogramQuery::default()
    };
    match snapshot.histogram_within(&asked, within).await {
        Ok(histogram) => {
            let local = Local::new(&histogram.tz, snapshot.now());
            Some(compose::chart(&histogram, &local))
        }
        Err(error) => {
            // What was found is worth showing without it.
            if let QuestionError::Store(error) = error {
                logging::error!("when entries occurred was not counted: {error}");
            }
            None
        }
    }
}

/// One state of the log at `path`, and what `search` asks of it.
pub(super) async fn asked(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<(Snapshot, About, Query), Refusal> {
    let (asker, address, scope) = opened(asker, path).await?;
    let (search, _) = without_open(search);
    let workspaces = Workspaces::of(&asker, &scope);
    let query = workspaces
        .checked(Query::read(&search, Unknown::Ignored))
        .query;
    let snapshot = asker.store.snapshot(&scope).await?;
    note(&asker, &scope, &query).await;
    Ok((snapshot, About::of(&address), query))
}

/// The chart of the page that `search` asks for, counted for as long as it may take.
pub(crate) async fn counted_chart(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<Option<(Arc<Links>, ChartView)>, Refusal> {
    let (asker, address, scope) = opened(asker, path).await?;
    if !About::of(&address).has_chart() {
        return Ok(None);
    }
    let (search, _) = without_open(search);
    let workspaces = Workspaces::of(&asker, &scope);
    let read = workspaces.checked(Query::read(&search, Unknown::Ignored));
    let mut snapshot = asker.store.snapshot(&scope).await?;
    let chart = chart(&mut snapshot, &read.query, Duration::MAX).await;
    snapshot.end().await;
    note(&asker, &scope, &read.query).await;
    let links = Arc::new(Links::new(&address, read.query));
    Ok(chart.map(|chart| (links, chart)))
}

fn told(notices: Notices, local: &Local) -> NoticesView {
    NoticesView {
        recording_off: notices
            .recording_off
            .map(|changed| (changed.by, local.when(changed.at))),
        pending: notices.pending.map(|pending| {
            let words = pending.retention.words();
            (words, local.when(pending.from), pending.asked.by)
        }),
        hold: notices.hold.map(|hold| HoldNoticeView {
            at: local.when(hold.placed.at),
            by: hold.placed.by,
            reason: hold.reason,
        }),
    }
}

async fn entry(
    snapshot: &mut Snapshot,
    workspaces: &Workspaces,
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
    let label = snapshot.label(&event);
    let mut entry = compose::entry(&event, &label, &local);
    entry.row.place = workspaces.place(&event);
    if let (Some(erased), Some(workspace)) = (&mut entry.erased, compose::workspace(&event)) {
        let told = snapshot.erased_under(&event).await?;
        let there = |id: &EventId| {
            let question = address::opening("action=AUDIT_CONTENT_ERASED", &id.to_string());
            let page = address::with_query(&address::audit(&workspace), &question);
            address::in_zone(&page, local.zone())
        };
        erased.under = told.iter().map(there).collect();
    }
    Ok(Some(entry))
}

/// An entry with what proves it.
async fn proved(
    asker: &Asker,
    address: &LogAddress,
    scope: &Scope,
    query: &Query,
    entry: Option<EntryView>,
) -> Result<Option<EntryView>, Refusal> {
    let Some(mut entry) = entry else {
        return Ok(None);
    };
    let local = Local::new(&query.filter.zone(), asker.store.now());
    let covering = asker.store.covering(scope, entry.seq).await?;
    entry.proof = Some(ProvedView {
        covered: covering.map(|by| (grouped(by.size), local.when(by.made_at))),
        there: address.proof_of(&entry.row.id),
    });
    Ok(Some(entry))
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
