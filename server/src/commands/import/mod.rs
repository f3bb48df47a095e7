//! `daybook import`: one thread unpacks, parses and checks, while the store writes.

mod files;

use super::{CommandError, remark, say, settings};
use clap::Args;
use domain::{
    event::{Bounds, FieldError, NewEvent, Object},
    formats::Format,
    retention::Retention,
    slug::WorkspacePath,
    time::Timestamp,
};
pub(super) use files::unpacked;
use files::{Input, Inputs};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::Value;
use std::{
    io::{self, Write},
    path::PathBuf,
};
use store::{
    Store,
    administration::By,
    recording::{Admitted, Door, Receipt},
};
use tokio::sync::mpsc;

/// How many events are recorded together.
const BATCH: usize = 1_000;
/// How many batches are ready to be written while one is.
const AHEAD: usize = 4;
/// How many files the log names.
const FILES_TOLD: usize = 100;

/// Records what other logs hold: Daybook's own export, AWS CloudTrail, GitHub
#[derive(Debug, Args)]
pub struct Import {
    /// The workspace that takes the events, as TENANT/WORKSPACE
    #[arg(long, value_name = "W")]
    workspace: WorkspacePath,
    /// What the files are: daybook, cloudtrail or github
    #[arg(long)]
    format: Format,
    /// Passes over events that are older than the workspace keeps
    #[arg(long)]
    skip_expired: bool,
    /// Reads everything and records nothing
    #[arg(long)]
    dry_run: bool,
    /// The files, packed with gzip or not
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// What became of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    recorded: u64,
    duplicates: u64,
    refused: u64,
    expired: u64,
    discarded: u64,
    /// Files that could not be read to their end.
    broken: u64,
}

impl Import {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let path = &self.workspace;
        let scope = settings::scope(store, path).await?;
        let held = store.settings(&scope).await?;
        if !held.recording {
            return Err(CommandError::Failed(format!(
                "recording is off in {path}, an import would be discarded: first daybook settings \
                 set --workspace {path} --recording on"
            )));
        }
        let inputs = Inputs::find(&self.files)?;
        let keeps = Keeps {
            retention: held.effective,
            from: held.effective.keeps_from(store.now()),
        };
        let door = store.import_door(scope.workspace()).await?;
        let reading = Reading {
            store: store.clone(),
            door,
            format: self.format,
            bounds: store.bounds(),
            keeps,
        };
        if self.dry_run {
            return self.rehearse(reading, inputs).await;
        }
        if !self.skip_expired {
            self.refuse_expired(&reading, &inputs).await?;
        }
        // Only the index can tell what was recorded before.
        store.wait_for_index(|_, _| ()).await?;
        let tally = record(reading, inputs).await?;
        let told = self.told(tally);
        store.note_import(scope.workspace(), by, told).await?;
        self.end(tally, "")
    }

    /// Stops where there are events that would be deleted as soon as they are recorded.
    async fn refuse_expired(&self, reading: &Reading, inputs: &Inputs) -> Result<(), CommandError> {
        let Some(from) = reading.keeps.from else {
            return Ok(());
        };
        let (format, bounds, inputs) = (reading.format, reading.bounds, inputs.clone());
        let expired = on_a_thread(move || {
            let bar = reading_bar(&inputs, "Looking at times");
            let mut expired = 0_u64;
            for input in inputs.iter() {
                // What cannot be read is told when it is to be recorded.
                for record in input.records(format, bounds, &bar)?.flatten() {
                    expired += u64::from(record.event.is_ok_and(|event| is_before(&event, from)));
                }
            }
            bar.finish_and_clear();
            Ok(expired)
        })
        .await?;
        if expired == 0 {
            return Ok(());
        }
        Err(CommandError::Failed(format!(
            "nothing was imported: {}; {}",
            reading.keeps.words(expired, &self.workspace),
            self.advice()
        )))
    }

    /// How to go on where events are older than the workspace keeps.
    fn advice(&self) -> String {
        format!(
            "keep them longer (daybook settings set --workspace {} --retention …), or pass over \
             them with --skip-expired",
            self.workspace
        )
    }

    /// Reads everything and records nothing.
    async fn rehearse(self, reading: Reading, inputs: Inputs) -> Result<(), CommandError> {
        let keeps = reading.keeps;
        let (tally, events) = on_a_thread(move || {
            let mut events = 0;
            let tally = reading.read(&inputs, |batch| {
                events += batch.len() as u64;
                true
            })?;
            Ok((tally, events))
        })
        .await?;
        say(format_args!(
            "Nothing was recorded (--dry-run): {} can be, {} cannot be read, {}.",
            HumanCount(events),
            HumanCount(tally.refused),
            keeps.words(tally.expired, &self.workspace),
        ))?;
        if tally.expired > 0 && !self.skip_expired {
            remark(format_args!("To go on: {}.", self.advice()));
            return Err(CommandError::Told);
        }
        tally.status()
    }

    /// What the log tells of this import.
    fn told(&self, tally: Tally) -> Object {
        let names: Vec<Value> = self
            .files
            .iter()
            .take(FILES_TOLD)
            .filter_map(|file| file.file_name())
            .map(|name| name.to_string_lossy().into_owned().into())
            .collect();
        let mut told = Object::new();
        told.insert("format".to_owned(), self.format.as_str().into());
        told.insert("files".to_owned(), names.into());
        told.insert("file_count".to_owned(), self.files.len().into());
        told.insert("recorded".to_owned(), tally.recorded.into());
        told.insert("duplicates".to_owned(), tally.duplicates.into());
        told.insert("refused".to_owned(), tally.refused.into());
        told.insert("expired".to_owned(), tally.expired.into());
        told
    }

    /// The last lines, and whether all was done.
    fn end(&self, tally: Tally, note: &str) -> Result<(), CommandError> {
        let mut line = format!(
            "{}: {} recorded, {} duplicates, {} refused",
            self.workspace,
            HumanCount(tally.recorded),
            HumanCount(tally.duplicates),
            HumanCount(tally.refused)
        );
        if tally.expired > 0 {
            line.push_str(", ");
            line.push_str(&HumanCount(tally.expired).to_string());
            line.push_str(" passed over because they are older than is kept");
        }
        if tally.discarded > 0 {
            line.push_str(", ");
            line.push_str(&HumanCount(tally.discarded).to_string());
            line.push_str(" discarded because recording was switched off meanwhile");
        }
        say(format_args!("{line}.{note}"))?;
        tally.status()
    }
}

impl Tally {
    fn status(self) -> Result<(), CommandError> {
        if self.refused + self.discarded + self.broken == 0 {
            Ok(())
        } else {
            Err(CommandError::Told)
        }
    }

    fn count(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            match receipt {
                Receipt::Recorded(_) => self.recorded += 1,
                Receipt::Duplicate(_) => self.duplicates += 1,
                Receipt::Discarded => self.discarded += 1,
            }
        }
    }
}

/// What the workspace keeps.
#[derive(Clone, Copy, Debug)]
struct Keeps {
    retention: Retention,
    from: Option<Timestamp>,
}

impl Keeps {
    fn words(self, expired: u64, workspace: &WorkspacePath) -> String {
        let (are, events) = if expired == 1 {
            ("is", "event")
        } else {
            ("are", "events")
        };
        format!(
            "{} {events} {are} older than the {} that {workspace} keeps",
            HumanCount(expired),
            self.retention.words()
        )
    }
}

fn is_before(event: &NewEvent, from: Timestamp) -> bool {
    event.occurred_at.is_some_and(|time| time < from)
}

/// How records become events that can be written.
struct Reading {
    store: Store,
    door: Door,
    format: Format,
    bounds: Bounds,
    keeps: Keeps,
}

impl Reading {
    /// Reads all files and hands out what can be recorded, until `take` says that it takes no more.
    /// What cannot be read is told with its place.
    fn read(
        &self,
        inputs: &Inputs,
        mut take: impl FnMut(Vec<Admitted>) -> bool,
    ) -> Result<Tally, CommandError> {
        let bar = reading_bar(inputs, "Reading");
        let mut tally = Tally::default();
        let mut batch = Vec::with_capacity(BATCH);
        for input in inputs.iter() {
            for record in input.records(self.format, self.bounds, &bar)? {
                let record = match record {
                    Ok(record) => record,
                    Err(error) => {
                        tally.broken += 1;
                        report(&bar, input, format_args!("cannot be read further: {error}"));
                        break;
                    }
                };
                let event = record.event.map_err(|reason| reason.to_string());
                let admitted = match event {
                    Ok(event) if self.is_expired(&event) => {
                        tally.expired += 1;
                        continue;
                    }
                    Ok(event) => self
                        .store
                        .admit(&self.door, event)
                        .map_err(|faults| in_words(&faults)),
                    Err(reason) => Err(reason),
                };
                match admitted {
                    Ok(admitted) => batch.push(admitted),
                    Err(reason) => {
                        tally.refused += 1;
                        let place = record.place;
                        let reason = match place.record {
                            Some(number) => format!("{}: record {number}: {reason}", place.line),
                            None => format!("{}: {reason}", place.line),
                        };
                        report(&bar, input, reason);
                    }
                }
                if batch.len() == BATCH {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    if !take(full) {
                        return Ok(tally);
                    }
                }
            }
        }
        bar.finish_and_clear();
        if !batch.is_empty() {
            take(batch);
        }
        Ok(tally)
    }

    fn is_expired(&self, event: &NewEvent) -> bool {
        self.keeps.from.is_some_and(|from| is_before(event, from))
    }
}

/// Records all that can be read.
async fn record(reading: Reading, inputs: Inputs) -> Result<Tally, CommandError> {
    let store = reading.store.clone();
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let reader = on_a_thread(move || {
        // Nobody takes any more: the store failed, which is told there.
        reading.read(&inputs, |batch| sender.blocking_send(batch).is_ok())
    });
    let writer = async move {
        let mut tally = Tally::default();
        while let Some(batch) = receiver.recv().await {
            match store.record(batch).await {
                Ok(receipts) => tally.count(&receipts),
                Err(error) => return Err((tally, CommandError::from(error))),
            }
        }
        Ok(tally)
    };
    let (read, written) = tokio::join!(reader, writer);
    let written = written.map_err(|(tally, error)| {
        CommandError::Failed(format!(
            "{error} (so far {} were recorded and stay; import the same files again when this is \
             mended: nothing is recorded twice)",
            HumanCount(tally.recorded)
        ))
    })?;
    Ok(Tally {
        recorded: written.recorded,
        duplicates: written.duplicates,
        discarded: written.discarded,
        ..read?
    })
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(CommandError::Failed("reading the files failed".to_owned())))
}

/// A bar over the bytes of all files; on a terminal only.
fn reading_bar(inputs: &Inputs, what: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(inputs.bytes())
        .with_style(style)
        .with_message(what)
}

/// `FILE:LINE: reason` on standard error, the bar kept out of the way.
fn report(bar: &ProgressBar, input: &Input, reason: impl std::fmt::Display) {
    bar.suspend(|| {
        let _ = writeln!(io::stderr(), "{}:{reason}", input.name());
    });
}

fn in_words(faults: &[FieldError]) -> String {
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.reason))
        .collect();
    faults.join("; ")
}
