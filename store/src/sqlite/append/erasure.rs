//! Making a release by erasure, with the event that tells of it.

use super::Appender;
use crate::{
    StoreError,
    dictionary::Number,
    sqlite::{append::Numbered, change::Log, dictionaries::Shared},
};
use domain::event::{NewEvent, Part, Parts};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use std::sync::Arc;

/// A release by erasure, of which the event that was recorded last tells.
#[derive(Debug)]
pub(crate) struct NewErasure {
    /// The next number of a release.
    pub(crate) id: i64,
    pub(crate) ws: i64,
    pub(crate) tenant: i64,
    pub(crate) events: Vec<NewErased>,
    /// What stands in place of what is erased.
    pub(crate) shapes: Vec<NewEvent>,
}

/// An event that it covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewErased {
    /// Its number in the installation, or, on PostgreSQL, in the tenant.
    pub(crate) n: i64,
    pub(crate) parts: Parts,
    /// Which of the shapes its erased parts get.
    pub(crate) shape: usize,
}

/// The texts that an erased event refers to, where they are others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewTexts {
    pub(crate) actor: Option<Number>,
    pub(crate) via: Option<Number>,
    pub(crate) target: Option<Number>,
    pub(crate) related: Option<Number>,
}

impl NewErased {
    /// Its new texts, where its shape has these.
    pub(crate) fn texts(&self, shapes: &[Numbered]) -> Option<NewTexts> {
        let shape = shapes.get(self.shape)?;
        let (parts, has) = (self.parts, |part| self.parts.has(part));
        debug_assert!(!parts.is_empty());
        Some(NewTexts {
            actor: has(Part::Actor).then_some(shape.actor),
            via: shape.via.filter(|_| has(Part::Via)),
            target: has(Part::Objects).then_some(shape.target),
            related: shape.related.filter(|_| has(Part::Objects)),
        })
    }
}

/// A release whose event is staged.
#[derive(Debug)]
pub(super) struct Staged {
    /// The event's number.
    n: i64,
    erasure: NewErasure,
    shapes: Vec<Numbered>,
}

impl Appender {
    /// Makes a release in the open transaction, of which its event was staged last.
    pub(crate) fn stage_erasure(&mut self, erasure: NewErasure) -> Result<(), StoreError> {
        let texts = self.staged.texts.get_mut(&erasure.ws);
        let texts = texts.ok_or(StoreError::Closing)?;
        let shapes = erasure.shapes.iter();
        let shapes = shapes.map(|shape| texts.numbers_of(shape)).collect();
        self.staged.erasures.push(Staged {
            n: self.staged.head,
            erasure,
            shapes,
        });
        Ok(())
    }

    /// The texts of a log.
    pub(crate) async fn texts(&mut self, log: Log) -> Result<Arc<Shared>, StoreError> {
        self.extend(log).await
    }
}

impl Staged {
    pub(super) async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Self { n, erasure, shapes } = self;
        let events: Vec<Value> = erasure
            .events
            .iter()
            .map(|event| {
                let texts = event.texts(&shapes).ok_or(StoreError::Closing)?;
                let parts = event.parts.bits();
                let NewTexts {
                    actor,
                    via,
                    target,
                    related,
                } = texts;
                Ok(json!([event.n, parts, actor, via, target, related]))
            })
            .collect::<Result<_, StoreError>>()?;
        sqlx::query(
            "INSERT INTO erasure_event (erasure, n, parts, actor, via, target, related) \
             SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
             FROM json_each(?2)",
        )
        .bind(erasure.id)
        .bind(Value::from(events).to_string())
        .execute(&mut *connection)
        .await?;
        sqlx::query("INSERT INTO erasure (id, ws, n, events) VALUES (?, ?, ?, ?)")
            .bind(erasure.id)
            .bind(erasure.ws)
            .bind(n)
            .bind(i64::try_from(erasure.events.len()).unwrap_or(i64::MAX))
            .execute(connection)
            .await?;
        Ok(())
    }
}
