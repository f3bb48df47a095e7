//! A change of what is administered, in one transaction with the events that tell of it.

use super::{
    Inner,
    admit::Admitted,
    append::{Appender, NewRelease},
};
use crate::{
    StoreError,
    access::{Tenant, Workspace},
    administration::By,
    database::Connection,
};
use domain::{
    event::{Action, NewEvent, Object, Source, Target},
    time::Timestamp,
};
use serde_json::Value;
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::MutexGuard;

/// An open change. Nobody else writes until it is finished; dropped unfinished, it is undone.
pub(crate) struct Change<'a> {
    inner: &'a Arc<Inner>,
    appender: MutexGuard<'a, Appender>,
    pub(crate) now: Timestamp,
    finished: bool,
}

/// Where an event is recorded: a workspace, or the tenant itself.
#[derive(Clone, Copy, Debug)]
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
    pub(crate) async fn change(self: &Arc<Self>) -> Result<Change<'_>, StoreError> {
        let mut appender = self.appender.lock().await;
        appender.begin(self.mark()).await?;
        Ok(Change {
            inner: self,
            appender,
            now: self.clock.now(),
            finished: false,
        })
    }
}

impl Change<'_> {
    /// The connection of the transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.appender.connection
    }

    /// Records an event of Daybook's own in the transaction.
    pub(crate) async fn record(&mut self, log: Log, event: NewEvent) -> Result<(), StoreError> {
        let admitted = Admitted::new(log.ws, log.tenant, event, Some(Source::Daybook), self.now)
            .map_err(|_| StoreError::Database("an event of Daybook's own is broken".to_owned()))?;
        self.appender.stage(admitted, self.now).await?;
        Ok(())
    }

    /// Makes a release, of which the event that was recorded last tells.
    pub(crate) fn release(&mut self, release: NewRelease) {
        self.appender.stage_release(release);
    }

    /// Reads again which workspaces record, after the change switched one.
    pub(crate) async fn recording_changed(&mut self) -> Result<(), StoreError> {
        self.appender.read_recording().await
    }

    /// Commits the change if it went well, else undoes it. Its events can be found when this
    /// returns; where there is no room for the index, as soon as there is.
    pub(crate) async fn finish<T, E: From<StoreError>>(
        mut self,
        result: Result<T, E>,
    ) -> Result<T, E> {
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                self.appender.rollback().await;
                self.finished = true;
                return Err(error);
            }
        };
        let committed = self.appender.commit().await;
        self.finished = true;
        let n = committed?;
        let inner = self.inner;
        drop(self);
        inner.own_head.store(n, Ordering::Release);
        inner.nudge.notify_one();
        inner.followed(n).await;
        Ok(value)
    }
}

impl Drop for Change<'_> {
    /// Whoever asked went away in the middle of the change: undo it, so that others can write.
    fn drop(&mut self) {
        if !self.finished {
            let inner = Arc::clone(self.inner);
            tokio::spawn(async move { inner.appender.lock().await.rollback().await });
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
