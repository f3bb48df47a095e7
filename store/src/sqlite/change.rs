//! A change of what is administered, in one transaction with the events that tell of it.

use super::{
    Inner, Kept,
    admit::Admitted,
    append::{Appender, NewErasure, NewRelease},
    keeper::Keeper,
};
use crate::{
    StoreError,
    access::{Tenant, Workspace},
    administration::By,
    database::Connection,
    postgres,
};
use domain::{
    event::{Action, NewEvent, Object, Source, Target},
    time::Timestamp,
};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::MutexGuard;

/// An open change. Nobody else changes anything until it is finished; dropped unfinished, it is undone.
pub(crate) struct Change<'a> {
    writing: Writing<'a>,
    pub(crate) now: Timestamp,
    finished: bool,
}

/// What writes a change.
enum Writing<'a> {
    Sqlite(&'a Arc<Keeper>, MutexGuard<'a, Appender>),
    Postgres(Box<postgres::Turn<'a>>),
}

/// Where an event is recorded: a workspace, or the tenant itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Log {
    pub(crate) ws: i64,
    pub(crate) tenant: i64,
}

impl From<&Workspace> for Log {
    fn from(workspace: &Workspace) -> Self {
        Self {
            ws: workspace.id,
            tenant: workspace.tenant.id,
        }
    }
}

impl From<&Tenant> for Log {
    fn from(tenant: &Tenant) -> Self {
        Self {
            ws: -tenant.id,
            tenant: tenant.id,
        }
    }
}

impl Inner {
    /// Begins a change.
    pub(crate) async fn change(&self) -> Result<Change<'_>, StoreError> {
        let writing = match &self.kept {
            Kept::Sqlite(keeper) => {
                let mut appender = keeper.appender.lock().await;
                appender.begin(keeper.mark()).await?;
                Writing::Sqlite(keeper, appender)
            }
            Kept::Postgres(server) => Writing::Postgres(Box::new(server.change().await?)),
        };
        Ok(Change {
            writing,
            now: self.clock.now(),
            finished: false,
        })
    }
}

impl Change<'_> {
    /// The connection of the transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        match &mut self.writing {
            Writing::Sqlite(_, appender) => &mut appender.connection,
            Writing::Postgres(turn) => &mut turn.appender.connection,
        }
    }

    /// Records an event of Daybook's own in the transaction.
    pub(crate) async fn record(&mut self, log: Log, event: NewEvent) -> Result<(), StoreError> {
        let admitted = Admitted::new(log.ws, log.tenant, event, Some(Source::Daybook), self.now)
            .map_err(|_| StoreError::Database("an event of Daybook's own is broken".to_owned()))?;
        match &mut self.writing {
            Writing::Sqlite(_, appender) => {
                appender.stage(admitted, self.now).await?;
            }
            Writing::Postgres(turn) => turn.appender.stage(admitted),
        }
        Ok(())
    }

    /// Makes a release, of which the event that was recorded last tells.
    pub(crate) fn release(&mut self, release: NewRelease) {
        match &mut self.writing {
            Writing::Sqlite(_, appender) => appender.stage_release(release),
            Writing::Postgres(turn) => turn.appender.stage_release(release),
        }
    }

    /// Makes a release by erasure, of which the event that was recorded last tells.
    pub(crate) fn erase(&mut self, erasure: NewErasure) -> Result<(), StoreError> {
        match &mut self.writing {
            Writing::Sqlite(_, appender) => appender.stage_erasure(erasure),
            Writing::Postgres(turn) => {
                turn.appender.stage_erasure(erasure);
                Ok(())
            }
        }
    }

    /// Reads again which workspaces record, after the change switched one.
    pub(crate) async fn recording_changed(&mut self) -> Result<(), StoreError> {
        match &mut self.writing {
            Writing::Sqlite(_, appender) => appender.read_recording().await,
            // There each group looks itself.
            Writing::Postgres(_) => Ok(()),
        }
    }

    async fn roll_back(&mut self) {
        match &mut self.writing {
            Writing::Sqlite(_, appender) => appender.rollback().await,
            Writing::Postgres(turn) => turn.appender.rollback().await,
        }
    }

    /// Commits the change if it went well, else undoes it. Its events can be found when this
    /// returns.
    pub(crate) async fn finish<T, E: From<StoreError>>(
        mut self,
        result: Result<T, E>,
    ) -> Result<T, E> {
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                self.roll_back().await;
                self.finished = true;
                return Err(error);
            }
        };
        let now = self.now;
        let committed = match &mut self.writing {
            Writing::Sqlite(keeper, appender) => {
                let committed = appender.commit().await;
                committed.map(|n| Some((Arc::clone(keeper), n)))
            }
            Writing::Postgres(turn) => {
                let committed = turn.appender.commit(now).await;
                turn.arrivals.came_to_server();
                committed.map(|()| None)
            }
        };
        self.finished = true;
        let to_follow = committed?;
        drop(self);
        if let Some((keeper, n)) = to_follow {
            keeper.recorded(n);
        }
        Ok(value)
    }
}

impl Drop for Change<'_> {
    /// Whoever asked went away in the middle of the change: undo it, so that others can write.
    /// PostgreSQL does so itself when the connection is closed.
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Writing::Sqlite(keeper, _) = &self.writing {
            let keeper = Arc::clone(keeper);
            tokio::spawn(async move { keeper.appender.lock().await.rollback().await });
        }
    }
}

/// An event of Daybook's own.
pub(crate) fn told(
    by: &By,
    action: &'static str,
    target: Target,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<NewEvent, StoreError> {
    let action: Action = action
        .parse()
        .map_err(|_| StoreError::Database(format!("{action} is no action")))?;
    let object = |value: Option<Value>| -> Option<Object> {
        match value {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        }
    };
    let mut event = NewEvent::new(by.actor.clone(), action, target);
    event.metadata.clone_from(&by.metadata);
    event.context.clone_from(&by.context);
    event.before = object(before);
    event.after = object(after);
    Ok(event)
}

/// A target of one of Daybook's own kinds.
pub(crate) fn target(
    kind: &'static str,
    id: impl Into<String>,
    name: impl Into<String>,
) -> Result<Target, StoreError> {
    Ok(Target {
        kind: kind
            .parse()
            .map_err(|_| StoreError::Database(format!("{kind} is no kind")))?,
        id: Some(id.into()),
        name: Some(name.into()),
        url: None,
    })
}
