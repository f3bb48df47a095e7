//! Who set each field of objects with long histories, in a log of its own.

use crate::{
    error::BenchError,
    log::{LARGE, Log, grant},
    recording::empty,
    report::{Row, Times, Unit},
};
use chrono::TimeDelta;
use domain::{
    blame::Asked,
    event::{Actor, ActorKind, NewEvent, Object, Target},
    json::Path as FieldPath,
    question::Subject,
    time::Timestamp,
};
use serde_json::json;
use std::{fs, path::Path, time::Instant};
use store::{DatabaseUrl, Options, Store, blame::BlameQuery};

/// How long blame of an object with so many events may take, in milliseconds.
const BAR: (u64, f64) = (10_000, 100.0);
/// How many events objects have, and how many objects have so many.
const LENGTHS: [(u64, usize); 2] = [(BAR.0, 9), (100_000, 3)];
/// How often each is asked for, after the first time.
const ROUNDS: usize = 3;
/// How many fields an object has.
const FIELDS: u64 = 20;
/// How many events are recorded at once.
const BATCH: usize = 1_000;

/// What an object's events give.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// The whole object, before and after.
    Whole,
    /// The field that changed.
    WhatChanged,
}

impl Gives {
    const fn kind(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::WhatChanged => "part",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Whole => "whole states of 20 fields",
            Self::WhatChanged => "the field that changed",
        }
    }
}

/// Asks who set each field, and for the history of one, of objects with 10,000 and 100,000 events.
///
/// # Errors
///
/// The log cannot be made, or not be asked.
pub async fn measure(folder: &Path) -> Result<Vec<Row>, BenchError> {
    let folder = empty(&folder.join("blaming"))?;
    let options = || Options::new(DatabaseUrl::Sqlite(folder.join("daybook.db")));
    let log = Log::create(options()).await?;
    let secret = log.token().to_owned();
    for gives in [Gives::Whole, Gives::WhatChanged] {
        for (length, objects) in LENGTHS {
            for object in 0..objects {
                let mut batch = Vec::with_capacity(BATCH);
                for n in 0..length {
                    batch.push(event(gives, &id(length, object), n)?);
                    if batch.len() == BATCH {
                        log.send(LARGE, std::mem::take(&mut batch)).await?;
                    }
                }
            }
        }
    }
    log.close().await;
    let store = Store::open(options()).await?;
    store.wait_for_index(|_, _| ()).await?;
    let rows = ask(&store, &secret).await;
    store.close().await;
    fs::remove_dir_all(&folder).map_err(BenchError::file(&folder))?;
    rows
}

async fn ask(store: &Store, secret: &str) -> Result<Vec<Row>, BenchError> {
    let scope = grant(store, secret).await?.read_scope()?;
    let field: Option<FieldPath> = "field_7".parse().ok();
    let mut rows = Vec::new();
    for gives in [Gives::Whole, Gives::WhatChanged] {
        for (length, objects) in LENGTHS {
            for (field, of) in [(None, ""), (field.clone(), ", one field's history")] {
                // The first question begins at the beginning, the others where it came to.
                let (mut firsts, mut others) = (Vec::new(), Vec::new());
                for object in 0..objects {
                    let query = BlameQuery {
                        workspace: None,
                        subject: Subject {
                            kind: kind(gives)?,
                            id: id(length, object),
                        },
                        asked: Asked {
                            field: field.clone(),
                            ..Asked::default()
                        },
                    };
                    for round in 0..=ROUNDS {
                        let begun = Instant::now();
                        let found = store.blame(&scope, &query).await;
                        let times = if round == 0 { &mut firsts } else { &mut others };
                        times.push(begun.elapsed());
                        let found = found.map_err(|error| BenchError::Unfit(error.to_string()))?;
                        if found.is_none_or(|found| found.blame.changes != length) {
                            let unfit =
                                format!("{length} changes were recorded, and others are told");
                            return Err(BenchError::Unfit(unfit));
                        }
                    }
                }
                let firsts: Times = firsts.into_iter().collect();
                let others: Times = others.into_iter().collect();
                for (times, which) in [(firsts, "first questions"), (others, "further ones")] {
                    let what = format!(
                        "blame of an object with {length} events, {}{of}: {which}, p50",
                        gives.words()
                    );
                    let row = Row::new(what, Unit::Milliseconds, times.median());
                    rows.push(if length == BAR.0 { row.bar(BAR.1) } else { row });
                }
            }
        }
    }
    Ok(rows)
}

/// The id of one of the objects that have so many events.
fn id(length: u64, object: usize) -> String {
    format!("{length}-{object}")
}

fn kind(gives: Gives) -> Result<domain::event::TargetKind, BenchError> {
    let kind = gives.kind().parse();
    kind.map_err(|_| BenchError::Unfit("no kind".to_owned()))
}

/// The event number `n` of an object: one field after the other is set to that number.
fn event(gives: Gives, id: &str, n: u64) -> Result<NewEvent, BenchError> {
    let name = |field: u64| format!("field_{field}");
    // The last number before `n` that a field was set to.
    let value = |field: u64, n: u64| {
        let set = (n + FIELDS - 1 - field) / FIELDS;
        match set {
            0 => json!({"of": "the beginning", "at": field}),
            set => json!({"of": "a change", "at": (set - 1) * FIELDS + field}),
        }
    };
    let fields = match gives {
        Gives::Whole => 0..FIELDS,
        Gives::WhatChanged => n % FIELDS..n % FIELDS + 1,
    };
    let state = |n: u64| -> Object {
        let fields = fields.clone();
        fields.map(|field| (name(field), value(field, n))).collect()
    };
    let actor = Actor {
        kind: ActorKind::User,
        id: Some(format!("usr_{}", n % 40)),
        name: Some(format!("Person {}", n % 40)),
        email: None,
    };
    let target = Target {
        kind: kind(gives)?,
        id: Some(id.to_owned()),
        name: Some("Checkout".to_owned()),
        url: None,
    };
    let action = "SERVICE_UPDATED".parse();
    let action = action.map_err(|_| BenchError::Unfit("no action".to_owned()))?;
    let mut event = NewEvent::new(actor, action, target);
    let seconds = i64::try_from(n).unwrap_or_default();
    let begin: Timestamp = crate::data::end_of_set().plus(TimeDelta::days(-60));
    event.occurred_at = Some(begin.plus(TimeDelta::seconds(seconds)));
    event.before = Some(state(n));
    event.after = Some(state(n + 1));
    Ok(event)
}
