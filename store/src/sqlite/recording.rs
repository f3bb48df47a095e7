//! Through the door: what is checked of an event against its workspace.

use super::{
    Store,
    admit::{Admitted, fault},
    settings::effective_retention,
};
use crate::{
    StoreError,
    access::{Reach, Workspace},
    recording::{Door, Entrance, Receipt, RecordError, Redaction},
};
use chrono::TimeDelta;
use domain::{
    event::{Bounds, FieldError, NewEvent, Source},
    redaction::redact,
    retention::Retention,
    time::Timestamp,
};

impl Store {
    /// What times events may have now.
    pub fn bounds(&self) -> Bounds {
        Bounds { now: self.now() }
    }

    /// The door for imports by the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn import_door(&self, workspace: &Workspace) -> Result<Door, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let retention = effective_retention(&mut connection, workspace.id, self.now()).await?;
        let rules = self.inner.rules_of(&mut connection, workspace.id).await?;
        Ok(Door(Entrance::Import(workspace.clone(), retention, rules)))
    }

    /// Lets an event in: checks it against its workspace, takes credentials out, and hashes it.
    ///
    /// # Errors
    ///
    /// What is wrong with it: a workspace that is not the sender's to name, or a time before what
    /// the workspace keeps or the token may send.
    pub fn admit(&self, door: &Door, mut event: NewEvent) -> Result<Admitted, Vec<FieldError>> {
        let now = self.now();
        let occurred_at = event.occurred_at.unwrap_or(now);
        let (ws, tenant, source, rules) = match &door.0 {
            Entrance::Token(grant, redaction) => {
                let tenant = grant.tenant();
                let kept = match (&grant.reach, &event.workspace) {
                    (Reach::Tenant(_), None) => None,
                    (Reach::Tenant(_), Some(slug)) => {
                        let found = grant.workspaces.iter().find(|kept| kept.slug == *slug);
                        Some(found.ok_or_else(|| {
                            fault(
                                "workspace",
                                &format!("there is no workspace \"{slug}\" in this tenant"),
                            )
                        })?)
                    }
                    (_, slug) => {
                        let own = grant.workspaces.first();
                        let own = own.ok_or_else(|| fault("workspace", "is not there any more"))?;
                        if slug.as_ref().is_some_and(|slug| *slug != own.slug) {
                            let reason = format!("this token sends to \"{}\" only", own.slug);
                            return Err(fault("workspace", &reason));
                        }
                        Some(own)
                    }
                };
                // A tenant's own events stay as long as the longest of its workspaces.
                let longest = || grant.workspaces.iter().map(|kept| kept.retention).max();
                let keeps = kept.map_or_else(
                    || longest().unwrap_or(Retention::DEFAULT),
                    |kept| kept.retention,
                );
                not_expired(occurred_at, keeps, now)?;
                if let Some(seconds) = grant.oldest_seconds {
                    let oldest = now.plus(-TimeDelta::seconds(seconds));
                    if occurred_at < oldest {
                        let reason = format!(
                            "is older than this token may send; the oldest taken now is {oldest}"
                        );
                        return Err(fault("occurred_at", &reason));
                    }
                }
                // What is of no workspace is no workspace's to say.
                let rules = kept.map_or(self.inner.rules.built_in(), |kept| &kept.rules);
                (
                    kept.map_or(-tenant, |kept| kept.id),
                    tenant,
                    None,
                    (*redaction == Redaction::On).then_some(rules),
                )
            }
            Entrance::Import(workspace, retention, rules) => {
                not_expired(occurred_at, *retention, now)?;
                (
                    workspace.id,
                    workspace.tenant.id,
                    Some(Source::Import),
                    Some(rules),
                )
            }
            Entrance::Demo(workspace, _) => {
                let rules = self.inner.rules.built_in();
                (workspace.id, workspace.tenant.id, None, Some(rules))
            }
        };
        if let Some(rules) = rules {
            redact(&mut event, rules, &self.inner.redaction, &ws.to_be_bytes());
        }
        let mut admitted = Admitted::new(ws, tenant, event, source, now)?;
        if let Entrance::Demo(_, recorded_at) = &door.0 {
            admitted.recorded_at = Some(*recorded_at);
        }
        Ok(admitted)
    }

    /// Records events: a receipt for each, in their order, when they are durable and can be found.
    /// All or nothing.
    ///
    /// # Errors
    ///
    /// The queue is full, or the store failed; then nothing was recorded, unless it is that it is not
    /// known ([`StoreError::InDoubt`]).
    pub async fn record(&self, events: Vec<Admitted>) -> Result<Vec<Receipt>, RecordError> {
        self.inner.enqueue(events).await
    }
}

/// Nothing is taken only to be deleted.
fn not_expired(
    occurred_at: Timestamp,
    retention: Retention,
    now: Timestamp,
) -> Result<(), Vec<FieldError>> {
    match retention.keeps_from(now) {
        Some(oldest) if occurred_at < oldest => {
            let reason = format!(
                "is older than the workspace keeps ({retention}); the oldest taken now is {oldest}"
            );
            Err(fault("occurred_at", &reason))
        }
        _ => Ok(()),
    }
}
