//! `daybook export`.

use super::{CommandError, told_to_stop};
use clap::Args;
use domain::{
    event::Parts,
    export::Format,
    question::{Fault, Query, Unknown},
    slug::WorkspacePath,
};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    pin::{Pin, pin},
    thread,
    time::Duration,
};
use store::{
    Store,
    administration::By,
    export::{Broken, Export as File, ExportError, State, Wanted},
};
use tokio::sync::oneshot;

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// Writes a workspace's events to standard output: CSV, NDJSON or JSON
#[derive(Debug, Args)]
pub struct Export {
    /// The workspace, as TENANT/WORKSPACE
    #[arg(long, value_name = "W")]
    workspace: WorkspacePath,
    /// csv, ndjson or json
    #[arg(long)]
    format: Format,
    /// With each row what proves that it was recorded so, and a checkpoint at the end (ndjson): see
    /// `daybook verify --export`
    #[arg(long)]
    with_proof: bool,
    /// The parts that are shown, with commas: facts, actor, via, objects, change, details, context. Of the
    /// others nothing is, but their hashes [default: all]
    #[arg(long, value_name = "P,…", requires = "with_proof")]
    parts: Option<Parts>,
    #[command(flatten)]
    asked: Box<Asked>,
}

/// Which events, and in which order: the parameters of a page's address.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters (those that may be repeated match any of their values)")]
struct Asked {
    /// A family of actions; may be repeated
    #[arg(long)]
    category: Vec<String>,
    /// A class of actions; may be repeated
    #[arg(long)]
    verb: Vec<String>,
    /// An action; may be repeated
    #[arg(long)]
    action: Vec<String>,
    /// success, failure or denied; may be repeated
    #[arg(long)]
    outcome: Vec<String>,
    /// A part of the name or e-mail of the actor, or of anyone who carried it out
    #[arg(long)]
    actor: Option<String>,
    /// An actor's id; may be repeated
    #[arg(long, value_name = "ID")]
    actor_id: Vec<String>,
    /// A kind of actor; may be repeated
    #[arg(long, value_name = "KIND")]
    actor_kind: Vec<String>,
    /// The id of who carried it out; may be repeated
    #[arg(long, value_name = "ID")]
    via_id: Vec<String>,
    /// A kind of the target or of a related object; may be repeated
    #[arg(long, value_name = "KIND")]
    target_kind: Vec<String>,
    /// The id of the target or of a related object; may be repeated
    #[arg(long, value_name = "ID")]
    target_id: Vec<String>,
    /// A part of the id or name of the target or of a related object, or of the action
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// What ties the events of one bulk change together
    #[arg(long, value_name = "TEXT")]
    operation: Option<String>,
    /// From when: a date, or a date and time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until when: a date (its end), or a date and time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Stands for since and until: 24h, 7d, 30d or 90d
    #[arg(long)]
    range: Option<String>,
    /// The time zone in which dates are read [default: UTC]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// time, action, `target_kind` or actor [default: time]
    #[arg(long)]
    sort: Option<String>,
    /// desc or asc [default: desc for time, asc for the others]
    #[arg(long)]
    order: Option<String>,
}

impl Asked {
    /// The question, as it is read everywhere.
    fn query(&self) -> Result<Query, CommandError> {
        let several = [
            ("category", &self.category),
            ("verb", &self.verb),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("actor_id", &self.actor_id),
            ("actor_kind", &self.actor_kind),
            ("via_id", &self.via_id),
            ("target_kind", &self.target_kind),
            ("target_id", &self.target_id),
        ];
        let one = [
            ("actor", &self.actor),
            ("q", &self.q),
            ("operation", &self.operation),
            ("since", &self.since),
            ("until", &self.until),
            ("range", &self.range),
            ("tz", &self.tz),
            ("sort", &self.sort),
            ("order", &self.order),
        ];
        let several = several.into_iter().flat_map(|(name, values)| {
            let values = values.iter();
            values.map(move |value| (name, value))
        });
        let one = one
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let pairs = several.chain(one);
        let read = Query::read_pairs(
            pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value.as_str()))),
            Unknown::Refused,
        );
        match read.faults.as_slice() {
            [] => Ok(read.query),
            faults => Err(CommandError::Usage(in_words(faults))),
        }
    }
}

fn in_words(faults: &[Fault]) -> String {
    let faults = faults.iter().map(|fault| {
        let option = fault.parameter.replace('_', "-");
        let reason = &fault.reason;
        format!("--{option} \"{}\" {reason}", fault.value)
    });
    faults.collect::<Vec<_>>().join("; ")
}

impl Export {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let query = self.asked.query()?;
        if self.with_proof && self.format != Format::Ndjson {
            return Err(CommandError::Usage(format!(
                "--with-proof is for --format ndjson: proofs stand in no {} file",
                self.format.label()
            )));
        }
        let path = &self.workspace;
        let scope = store
            .operator_export(path)
            .await?
            .ok_or_else(|| CommandError::Failed(format!("there is no workspace {path}")))?;
        // Signals are taken from here on: what is begun is told to have ended.
        let mut stop = pin!(told_to_stop()?);
        // The index may have to be made first, of a whole log.
        tokio::select! {
            biased;
            () = &mut stop => {
                let why = "it was stopped before the export began; nothing was written";
                return Err(CommandError::Failed(why.to_owned()));
            }
            made = store.wait_for_index(|_, _| ()) => made?,
        };
        let wanted = Wanted {
            query,
            format: self.format,
            proof: self.with_proof.then(|| self.parts.unwrap_or(Parts::ALL)),
            name: None,
            patience: None,
        };
        let mut file = store
            .export(&scope, wanted, by)
            .await
            .map_err(|error| match error {
                ExportError::Busy
                | ExportError::BusyWithYours
                | ExportError::NoPlaceForProofs
                | ExportError::Unproven(_) => CommandError::Failed(error.to_string()),
                ExportError::Question(error) => CommandError::Failed(error.to_string()),
            })?;
        let bar = bar(&file);
        let written = write(&mut file, &bar, stop).await;
        bar.finish_and_clear();
        // The log tells that it broke off before this returns: the store is closed after it.
        drop(file);
        written
    }
}

/// Writes a file to standard output, until it ends or breaks off.
async fn write(
    file: &mut File,
    bar: &ProgressBar,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), CommandError> {
    let mut bytes = 0_u64;
    loop {
        let piece = tokio::select! {
            biased;
            () = &mut stop => return Err(stopped(file)),
            piece = file.next() => piece,
        };
        let piece = match piece {
            Some(Ok(piece)) => piece,
            Some(Err(broken)) => {
                let why = match broken {
                    Broken::Stopped | Broken::Cancelled => "it was stopped".to_owned(),
                    other => other.to_string(),
                };
                return Err(CommandError::Failed(broke_off(file, &why)));
            }
            None => break,
        };
        bytes += piece.len() as u64;
        let written = tokio::select! {
            biased;
            () = &mut stop => return Err(stopped(file)),
            written = print(piece) => written,
        };
        match written {
            // Whoever stops reading (`| head`) has had enough; the file is not whole all the same.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Err(CommandError::Told);
            }
            written => written?,
        }
        bar.set_position(file.progress().rows);
        bar.set_message(HumanBytes(bytes).to_string());
    }
    match file.progress().state {
        State::Whole(_) => Ok(()),
        // The end of the stream tells that it is.
        State::Running | State::Broken(_) => Err(CommandError::Told),
    }
}

/// Writes a piece to standard output, on a thread of its own: where nobody reads there, it is left
/// behind, and keeps the program from nothing.
async fn print(piece: Vec<u8>) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().spawn(move || {
        let mut out = io::stdout().lock();
        let written = out.write_all(&piece).and_then(|()| out.flush());
        // Where it was stopped meanwhile, nobody wants to know.
        let _ = tell.send(written);
    })?;
    told.await
        .unwrap_or_else(|_| Err(io::Error::other("writing failed")))
}

/// Breaks a file off because the command was told to stop.
fn stopped(file: &File) -> CommandError {
    file.cancel();
    CommandError::Failed(broke_off(file, "it was stopped"))
}

fn broke_off(file: &File, why: &str) -> String {
    let rows = HumanCount(file.progress().rows);
    format!("the export broke off after {rows} events, and what was written is not whole: {why}")
}

/// A bar over the events, on a terminal; none where the events themselves go there.
fn bar(file: &File) -> ProgressBar {
    if io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match file.progress().of {
        Some(of) => (
            ProgressBar::new(of),
            "Exporting {wide_bar} {human_pos} of {human_len}, {msg}, {eta} left",
        ),
        None => (
            ProgressBar::new_spinner(),
            "Exporting {spinner} {human_pos}, {msg}, {elapsed}",
        ),
    };
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(DRAWN_EVERY);
    bar
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};
    use domain::question::PARAMETERS;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        export: Export,
    }

    #[test]
    fn each_filter_parameter_is_an_option() {
        let command = Line::command();
        let options: Vec<String> = command
            .get_arguments()
            .filter_map(|argument| Some(argument.get_long()?.replace('-', "_")))
            .collect();
        for parameter in PARAMETERS {
            let is_there = options.iter().any(|option| option == parameter);
            // A page of it is nothing that can be asked for.
            assert_eq!(
                is_there,
                !["limit", "cursor"].contains(&parameter),
                "{parameter}"
            );
        }
    }

    #[test]
    fn options_ask_what_an_address_asks() {
        let line = "export --workspace a/b --format csv --target-kind integration --target-kind user \
                    --since 2026-05-01 --q x --sort actor --order desc --actor-id usr_1";
        let line = Line::try_parse_from(line.split_whitespace()).unwrap();
        let query = line.export.asked.query().unwrap().query_string();
        let text = "actor_id=usr_1&target_kind=integration&target_kind=user&q=x&since=2026-05-01\
                    &sort=actor&order=desc";
        assert_eq!(query, text);
    }

    #[test]
    fn a_value_that_is_not_taken_is_named_by_its_option() {
        let line = "export --workspace a/b --format csv --actor-kind robot";
        let line = Line::try_parse_from(line.split_whitespace()).unwrap();
        let told = line.export.asked.query().unwrap_err().to_string();
        assert!(told.starts_with("--actor-kind \"robot\" "), "{told}");
    }
}
