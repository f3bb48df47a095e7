//! The object that a scope is about: what it is called, and what changed it last.

use super::snapshot::Snapshot;
use crate::{StoreError, dictionary::Dictionary, plan::Numbers, question::QuestionError};
use domain::{
    event::{Event, Target},
    question::{Filter, Limit, Query, Subject},
    verb::Verb,
};
use sqlx::SqliteConnection;

/// What Daybook records of a look at a log.
pub(crate) const LOOK: &str = "AUDIT_LOG_READ";

impl Snapshot {
    /// An object scope's object, by the newest name and the newest address that were given for it;
    /// none where the scope is no object's, or no event names it. That somebody looked at the object
    /// names it as it was known then, and tells nothing new.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn object(&mut self) -> Result<Option<Target>, StoreError> {
        let (Some(subject), Some(shelf)) = (self.scope.subject(), self.shelves.first()) else {
            return Ok(None);
        };
        let (targets, looks) = {
            let texts = shelf.texts.read();
            (texts.targets_of(subject), looks(&texts))
        };
        let mut given = Vec::with_capacity(targets.len());
        for number in targets.list() {
            let connection = self.transaction.connection();
            let newest = newest_use(connection, shelf.ws, *number, &looks).await?;
            if let (Some(place), Some(target)) = (newest, shelf.texts.read().target(*number)) {
                given.push((place, target.clone()));
            }
        }
        given.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
        Ok(as_given(
            subject,
            given.into_iter().map(|(_, target)| target),
        ))
    }

    /// The newest event of a scope that changed something: whose verb is not `read`, whatever it
    /// came to. Found through the index: the scope's entries are read from the newest on, until one
    /// is no look.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn last_change(&mut self) -> Result<Option<Event>, StoreError> {
        let changes = Verb::ALL.into_iter().filter(|verb| *verb != Verb::Read);
        let question = Query {
            filter: Filter {
                verb: changes.collect(),
                ..Filter::default()
            },
            limit: Limit::try_from(1).ok(),
            ..Query::default()
        };
        match self.page(&question).await {
            Ok(page) => Ok(page.events.into_iter().next()),
            Err(QuestionError::Store(error)) => Err(error),
            // Neither has a cursor, nor names a workspace.
            Err(other) => Err(StoreError::Database(other.to_string())),
        }
    }
}

/// The actions by which looks are recorded.
fn looks(dictionary: &Dictionary) -> Numbers {
    let filter = Filter {
        action: LOOK.parse().into_iter().collect(),
        ..Filter::default()
    };
    dictionary.actions_named(&filter).unwrap_or_default()
}

/// Time and number of the newest event, looks apart, that names a target as number `target` has it.
async fn newest_use(
    connection: &mut SqliteConnection,
    ws: i64,
    target: u32,
    looks: &Numbers,
) -> Result<Option<(i64, i64)>, StoreError> {
    let looks: Vec<String> = looks.list().iter().map(ToString::to_string).collect();
    Ok(sqlx::query_as(
        "SELECT at, n FROM i.by_target WHERE ws = ? AND key = ? \
         AND action NOT IN (SELECT value FROM json_each(?)) ORDER BY at DESC, n DESC LIMIT 1",
    )
    .bind(ws)
    .bind(i64::from(target))
    .bind(format!("[{}]", looks.join(",")))
    .fetch_optional(connection)
    .await?)
}

/// An object by what it was given as, newest first: an event may name it by its id alone, and its
/// name stays what it was.
fn as_given(subject: &Subject, given: impl Iterator<Item = Target>) -> Option<Target> {
    let mut known: Option<Target> = None;
    for target in given {
        let known = known.get_or_insert_with(|| Target {
            kind: subject.kind.clone(),
            id: Some(subject.id.clone()),
            name: None,
            url: None,
        });
        known.name = known.name.take().or(target.name);
        known.url = known.url.take().or(target.url);
    }
    known
}
