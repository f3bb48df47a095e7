//! Answering questions: one page of the answer, or one event.

use super::{
    Store,
    change::Log,
    snapshot::{Snapshot, Sought},
};
use crate::{
    StoreError,
    access::{Reach, Scope},
    cursor::{Cursor, Heading, Place},
    database::{self, Connection, Dialect},
    question::{Page, QuestionError},
};
use domain::{
    event::{Event, EventId},
    question::{Order, Query},
};

impl Store {
    /// One page of the answer to a question.
    ///
    /// # Errors
    ///
    /// The cursor is not this question's, a filter names what the scope does not have, or the store
    /// failed.
    pub async fn page(&self, scope: &Scope, query: &Query) -> Result<Page, QuestionError> {
        let mut snapshot = self.snapshot(scope).await?;
        let page = loop {
            let page = snapshot.page(query).await;
            if !matches!(page, Err(QuestionError::Store(_))) || !snapshot.begin_again().await? {
                break page;
            }
        };
        snapshot.end().await;
        page
    }

    /// One event, if the scope holds it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn event(&self, scope: &Scope, id: EventId) -> Result<Option<Event>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        self.event_in(&mut connection, scope, id).await
    }

    async fn event_in(
        &self,
        connection: &mut Connection,
        scope: &Scope,
        id: EventId,
    ) -> Result<Option<Event>, StoreError> {
        let by_id = match connection.dialect() {
            Dialect::Sqlite => "SELECT n, ws FROM leaf WHERE id = ? AND tenant = ?",
            Dialect::Postgres => "SELECT seq, ws FROM leaf WHERE id = ? AND tenant = ?",
        };
        let row: Option<(i64, i64)> = database::query_as(by_id)
            .bind(&id.0.as_bytes()[..])
            .bind(scope.tenant().id)
            .fetch_optional(&mut *connection)
            .await?;
        let tenant = scope.tenant().id;
        let Some((n, ws)) = row else { return Ok(None) };
        if scope
            .workspace()
            .is_some_and(|workspace| workspace.id != ws)
        {
            return Ok(None);
        }
        let shared = self
            .inner
            .dictionary(connection, Log { ws, tenant })
            .await?;
        let events = self
            .inner
            .events(connection, scope.tenant(), &[(ws, shared)], &[n], None)
            .await?;
        Ok(events.into_iter().next().filter(|event| {
            let is_about = scope.subject().is_none_or(|subject| {
                std::iter::once(&event.target)
                    .chain(&event.related)
                    .any(|object| subject.is(object))
            });
            let mut myself = scope.myself().into_iter();
            is_about && myself.all(|myself| myself.is(&event.actor.actor))
        }))
    }
}

impl Snapshot {
    /// One page of the answer to a question.
    ///
    /// # Errors
    ///
    /// The cursor is not this question's, a filter names what the scope does not have, or the store
    /// failed.
    pub async fn page(&mut self, query: &Query) -> Result<Page, QuestionError> {
        let store = self.store.clone();
        let key = &store.inner.keys.cursor;
        let question = question_text(&self.scope, query);
        let cursor = cursor_of(&store, &self.scope, query)?;
        let walk_began = cursor.as_ref().map_or(self.now, |cursor| cursor.walk_began);
        let span = query.filter.span(walk_began);
        let asked = self.asked(&query.filter, span)?;
        let up_to = cursor.as_ref().map_or(self.head, |cursor| cursor.up_to);
        let heading = cursor
            .as_ref()
            .map_or(Heading::Older, |cursor| cursor.heading);
        let direction = match heading {
            Heading::Older => query.direction(),
            Heading::Newer => query.direction().reversed(),
        };
        let limit = query.page_size();
        // Of a tenant's log each workspace is asked for a page, and they are merged: one statement
        // or a few for each, however long the log, and none for those that have nothing of what is
        // asked for.
        let mut found: Vec<(Place, usize)> = Vec::new();
        let connection = self.transaction.connection();
        for (at, asked) in asked.iter().enumerate() {
            let sought = Sought {
                sort: query.sort,
                direction,
                after: cursor.as_ref().map(|cursor| &cursor.place),
                up_to,
                limit: limit + 1,
            };
            let places = asked.places(connection, sought).await?;
            found.extend(places.into_iter().map(|place| (place, at)));
        }
        found.sort_by(|(one, _), (other, _)| {
            let ascending = (&one.text, one.at, one.n).cmp(&(&other.text, other.at, other.n));
            if direction == Order::Ascending {
                ascending
            } else {
                ascending.reverse()
            }
        });
        let more = found.len() > limit;
        found.truncate(limit);
        if heading == Heading::Newer {
            found.reverse();
        }
        let seal = |heading, place: &Place| {
            let cursor = Cursor {
                heading,
                up_to,
                walk_began,
                place: place.clone(),
            };
            cursor.seal(key, &question)
        };
        let first = found.first().map(|(place, _)| place);
        let last = found.last().map(|(place, _)| place);
        let (older, newer) = match (&cursor, heading) {
            (None, _) => (
                last.filter(|_| more)
                    .map(|place| seal(Heading::Older, place)),
                None,
            ),
            // A page beyond which nothing is left still leads back to where it was reached from.
            (Some(from), Heading::Older) => (
                last.filter(|_| more)
                    .map(|place| seal(Heading::Older, place)),
                Some(seal(Heading::Newer, first.unwrap_or(&from.place))),
            ),
            (Some(from), Heading::Newer) => (
                Some(seal(Heading::Older, last.unwrap_or(&from.place))),
                first
                    .filter(|_| more)
                    .map(|place| seal(Heading::Newer, place)),
            ),
        };
        let numbers: Vec<i64> = found.iter().map(|(place, _)| place.n).collect();
        let times = || found.iter().map(|(place, _)| place.at);
        let times = times().min().zip(times().max());
        let texts = self.texts();
        let connection = self.transaction.connection();
        let events = store
            .inner
            .events(connection, self.scope.tenant(), &texts, &numbers, times)
            .await?;
        Ok(Page {
            events,
            older,
            newer,
            searched_to: None,
            span,
        })
    }

    /// One event, if the scope holds it.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn event(&mut self, id: EventId) -> Result<Option<Event>, StoreError> {
        let connection = self.transaction.connection();
        self.store.event_in(connection, &self.scope, id).await
    }
}

/// Where a question goes on.
pub(super) fn cursor_of(
    store: &Store,
    scope: &Scope,
    query: &Query,
) -> Result<Option<Cursor>, QuestionError> {
    let Some(text) = &query.cursor else {
        return Ok(None);
    };
    let key = &store.inner.keys.cursor;
    let cursor = Cursor::open(text, key, &question_text(scope, query));
    cursor.map(Some).ok_or(QuestionError::Cursor)
}

/// What a cursor is bound to: whose it is, and the question without its page.
fn question_text(scope: &Scope, query: &Query) -> String {
    let whose = match &scope.0 {
        Reach::Tenant(tenant) => format!("tenant {}", tenant.id),
        Reach::Workspace(workspace) => format!("workspace {}", workspace.id),
        Reach::Object(workspace, subject) => {
            format!("object {} {} {:?}", workspace.id, subject.kind, subject.id)
        }
        Reach::Own(workspace, myself) => format!("own {} {}", workspace.id, myself.id),
    };
    let question = Query {
        limit: None,
        cursor: None,
        ..query.clone()
    };
    format!("{whose}\n{}", question.query_string())
}
