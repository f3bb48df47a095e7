//! What there is to choose from in the filters of a scope.

use super::Store;
use crate::{
    StoreError,
    access::{Reach, Scope},
    dictionary::Dictionary,
    question::{ActionChoice, Choices},
};
use domain::{
    category::Category,
    event::{Action, TargetKind},
};
use sqlx::{Row, SqliteConnection};
use std::collections::HashMap;

impl Store {
    /// What exists in a scope's log: its families, actions and kinds, with how many events each.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn choices(&self, scope: &Scope) -> Result<Choices, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let mut actions: HashMap<Action, ActionChoice> = HashMap::new();
        let mut kinds: HashMap<TargetKind, u64> = HashMap::new();
        let mut by_category: HashMap<Category, u64> = HashMap::new();
        let mut events = 0;
        for ws in self.shelves_of(&mut connection, scope).await? {
            let shared = self.inner.dictionary(&mut connection, ws).await?;
            let targets = scope
                .subject()
                .map(|subject| shared.read().targets_of(subject));
            let (by_action, by_kind) = match targets {
                None => (
                    counted(
                        &mut connection,
                        "SELECT key, events FROM i.count_action WHERE ws = ?1 AND events > 0",
                        ws,
                        None,
                    )
                    .await?,
                    counted(
                        &mut connection,
                        "SELECT key, entries FROM i.count_kind WHERE ws = ?1 AND entries > 0",
                        ws,
                        None,
                    )
                    .await?,
                ),
                Some(targets) => {
                    let list: Vec<String> =
                        targets.list().iter().map(ToString::to_string).collect();
                    let by_action = counted(
                        &mut connection,
                        "SELECT x.action, count(DISTINCT x.n) FROM json_each(?2) j \
                         CROSS JOIN i.by_target x WHERE x.ws = ?1 AND x.key = j.value \
                         GROUP BY x.action",
                        ws,
                        Some(format!("[{}]", list.join(","))),
                    )
                    .await?;
                    (by_action, Vec::new())
                }
            };
            let dictionary = shared.read();
            for (number, count) in by_action {
                events += count;
                if let Some(read) = dictionary.action(number) {
                    *by_category.entry(read.category).or_default() += count;
                }
                add_action(&mut actions, &dictionary, number, count);
            }
            for (number, count) in by_kind {
                if let Some(kind) = dictionary.kind(number) {
                    *kinds.entry(kind.clone()).or_default() += count;
                }
            }
        }
        let mut actions: Vec<ActionChoice> = actions.into_values().collect();
        actions.sort_by(|one, other| {
            other
                .events
                .cmp(&one.events)
                .then_with(|| one.action.cmp(&other.action))
        });
        let mut categories: Vec<_> = by_category.into_iter().collect();
        categories.sort_by(|(one, most), (other, more)| more.cmp(most).then(one.cmp(other)));
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort();
        Ok(Choices {
            events,
            categories,
            actions,
            kinds,
        })
    }

    /// The catalogue's label for an action.
    pub fn label(&self, _scope: &Scope, action: &Action) -> String {
        self.inner
            .dictionaries
            .catalogue()
            .reading(action.as_str())
            .label
            .into_owned()
    }

    async fn shelves_of(
        &self,
        connection: &mut SqliteConnection,
        scope: &Scope,
    ) -> Result<Vec<i64>, StoreError> {
        match &scope.0 {
            Reach::Workspace(workspace) | Reach::Object(workspace, _) => Ok(vec![workspace.id]),
            Reach::Tenant(tenant) => {
                let all: Vec<i64> = sqlx::query_scalar("SELECT id FROM workspace WHERE tenant = ?")
                    .bind(tenant.id)
                    .fetch_all(connection)
                    .await?;
                Ok(std::iter::once(-tenant.id).chain(all).collect())
            }
        }
    }
}

async fn counted(
    connection: &mut SqliteConnection,
    statement: &'static str,
    ws: i64,
    list: Option<String>,
) -> Result<Vec<(u32, u64)>, StoreError> {
    let query = sqlx::query(statement).bind(ws);
    let query = match list {
        Some(list) => query.bind(list),
        None => query,
    };
    let rows = query.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let key = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default();
            let events = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
            Ok((key, events))
        })
        .collect()
}

fn add_action(
    actions: &mut HashMap<Action, ActionChoice>,
    dictionary: &Dictionary,
    number: u32,
    events: u64,
) {
    let Some(read) = dictionary.action(number) else {
        return;
    };
    actions
        .entry(read.named.action.clone())
        .or_insert_with(|| ActionChoice {
            action: read.named.action.clone(),
            label: read.label.to_string(),
            category: read.category,
            verb: read.verb,
            events: 0,
        })
        .events += events;
}
