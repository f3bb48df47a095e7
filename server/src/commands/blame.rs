//! `daybook blame`.

use super::{CommandError, remark, say};
use crate::api::objects::blame::Blame as Document;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use domain::{
    blame::{Existence, Field, Gap, GapKind, LeftWhat, Origin, Setting, Silent, history},
    diff::short,
    event::{Actor, TargetKind},
    json::Path,
    question::{BlameParameters, Moment, Subject},
    slug::WorkspacePath,
    time::Timestamp,
};
use serde_json::Value;
use store::{
    Store,
    blame::{BlameQuery, ObjectBlame},
    question::QuestionError,
};

/// How many characters of a value are shown.
const VALUE_MOST: usize = 48;

/// Shows who set each field of an object, when, and what it was before
#[derive(Debug, Args)]
pub struct Blame {
    /// The workspace, as TENANT/WORKSPACE
    #[arg(long, value_name = "W")]
    workspace: WorkspacePath,
    /// The object's kind
    kind: TargetKind,
    /// The object's id
    id: String,
    /// The moment whose state is shown: a date (its end) or a date and time, in UTC [default: now]
    #[arg(long, value_name = "T")]
    at: Option<Moment>,
    /// The path of a field: its whole history, newest first
    #[arg(long, value_name = "PATH")]
    field: Option<Path>,
    /// Fields that are gone too
    #[arg(long)]
    removed: bool,
    /// As JSON, as the API answers
    #[arg(long)]
    json: bool,
}

impl Blame {
    /// Does what was asked.
    pub async fn run(self, store: &Store) -> Result<(), CommandError> {
        let workspace = &self.workspace;
        let scope = store.operator_log(workspace).await?;
        let scope = scope
            .ok_or_else(|| CommandError::Failed(format!("there is no workspace {workspace}")))?;
        store.wait_for_index(|_, _| ()).await?;
        let asked = BlameParameters {
            at: self.at,
            field: self.field,
            removed: self.removed,
            ..BlameParameters::default()
        };
        let subject = Subject {
            kind: self.kind,
            id: self.id,
        };
        let query = BlameQuery {
            workspace: None,
            subject: subject.clone(),
            asked: asked.asked(),
        };
        let found = store.blame(&scope, &query).await;
        let found = found.map_err(|error| match error {
            QuestionError::Store(error) => CommandError::Store(error),
            other => CommandError::Failed(other.to_string()),
        })?;
        let found = found.ok_or_else(|| {
            let Subject { kind, id } = &subject;
            CommandError::Failed(format!("no event of {workspace} names the {kind} \"{id}\""))
        })?;
        if self.json {
            let document = Document::new(&found, &asked, &subject);
            let text = serde_json::to_string(&document);
            return say(text.map_err(|error| CommandError::Failed(error.to_string()))?);
        }
        print(&found, &asked)
    }
}

/// Prints what is known on standard output, and what is not on standard error.
fn print(found: &ObjectBlame, asked: &BlameParameters) -> Result<(), CommandError> {
    let blame = &found.blame;
    let rows = if asked.field.is_some() {
        history(blame.fields.iter().chain(&blame.removed))
    } else {
        let gone = blame.removed.iter().filter(|_| asked.removed);
        let fields = blame.fields.iter().chain(gone);
        fields.map(|field| (field, &field.last)).collect()
    };
    if rows.is_empty() {
        remark(match (&asked.field, blame.existence) {
            (Some(field), _) => {
                let field = one_line(&field.to_string());
                format!("Nothing is known of a field {field}.")
            }
            (None, Existence::There) => "No event gave a state of it.".to_owned(),
            (None, Existence::Untold) => {
                format!("No event until {} tells of its state.", second(found.at))
            }
            (None, Existence::Deleted) => format!("It was not there at {}.", second(found.at)),
        });
    } else {
        say(table(&rows))?;
    }
    for gap in &found.gaps {
        remark(in_words(gap));
    }
    Ok(())
}

fn table(rows: &[(&Field, &Setting)]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "FIELD", "VALUE", "SET BY", "SET ON", "BEFORE", "CHANGES", "EVENT",
        ]);
    for (field, setting) in rows {
        let (by, on, event) = match &setting.origin {
            Origin::Event(author) => {
                let who = std::iter::once(&*author.actor).chain(&*author.via);
                let who: Vec<&str> = who.map(Actor::sort_name).collect();
                (
                    who.join(" via "),
                    second(author.occurred_at),
                    author.event.to_string(),
                )
            }
            Origin::Initial => (
                "not known".to_owned(),
                "before the log".to_owned(),
                String::new(),
            ),
            Origin::Outside {
                since,
                until,
                silent,
            } => (
                match silent {
                    None => "outside the log".to_owned(),
                    Some(silent) => format!("not told, perhaps {}", those(silent)),
                },
                format!("{} to {}", second(*since), second(*until)),
                named(silent.as_deref()),
            ),
            Origin::Erased {
                since,
                until,
                silent,
            } => (
                format!("erased, perhaps {}", those(silent)),
                match since {
                    Some(since) => format!("{} to {}", second(*since), second(*until)),
                    None => format!("until {}", second(*until)),
                },
                named(Some(silent)),
            ),
        };
        table.add_row([
            one_line(&field.path.to_string()),
            value(setting.value.as_ref(), "(removed)"),
            one_line(&by),
            on,
            value(setting.previous.as_ref(), "-"),
            setting.changes.to_string(),
            event,
        ]);
    }
    table.trim_fmt()
}

/// Events of which one may have set a field.
fn those(silent: &Silent) -> String {
    let what = match silent.erased {
        0 => "without a state",
        erased if erased == silent.events => "that were erased",
        _ => "without a state or erased",
    };
    match silent.events {
        1 if silent.erased == 1 => "1 event that was erased".to_owned(),
        1 => "1 event without a state".to_owned(),
        events => format!("one of {events} events {what}"),
    }
}

/// The only one of them; none of several.
fn named(silent: Option<&Silent>) -> String {
    match silent {
        Some(Silent {
            events: 1, named, ..
        }) => named.iter().map(ToString::to_string).collect(),
        _ => String::new(),
    }
}

fn value(value: Option<&Value>, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| short(value, VALUE_MOST))
}

/// A name, which may hold what would turn a terminal's line.
fn one_line(text: &str) -> String {
    short(&Value::from(text), usize::MAX)
}

/// A moment as people read it, to the second, in UTC.
fn second(time: Timestamp) -> String {
    time.datetime().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What is not known.
fn in_words(gap: &Gap) -> String {
    let since = gap.since.map(|since| format!(" from {}", second(since)));
    let since = since.unwrap_or_default();
    let until = gap.until.map_or_else(
        || " until now".to_owned(),
        |until| format!(" until {}", second(until)),
    );
    match gap.kind {
        GapKind::Retention => {
            format!("What occurred{since}{until} may have been deleted because it had expired.")
        }
        GapKind::RecordingOff => format!("Nothing was recorded{since}{until}."),
        GapKind::NoState => {
            let events = count(gap.count, "event", "events");
            format!("{events}{since}{until} gave no state before or after.")
        }
        GapKind::Erased => {
            let events = count(gap.count, "event", "events");
            format!("What {events}{since}{until} changed was erased.")
        }
        GapKind::ObjectsErased => {
            let events = count(gap.count, "event", "events");
            format!(
                "Of {events}{since}{until} it was erased what they were about: it was something of \
                 this kind, and it may have been this."
            )
        }
        GapKind::LeftOut(what) => match what {
            LeftWhat::Instant => {
                let events = count(gap.count, "event", "events");
                format!(
                    "{events}{since}{until} are too many of one instant to be put in order: what \
                     they changed is left out."
                )
            }
            LeftWhat::Gone => {
                let fields = count(gap.count, "field that went", "fields that went");
                format!("{fields}{until} are left out: there are too many.")
            }
            LeftWhat::History => {
                let values = count(gap.count, "value", "values");
                format!("{values} that were set{until} are left out: there are too many.")
            }
            LeftWhat::Later => {
                let events = count(gap.count, "event", "events");
                format!("{events}{since}{until} are left out: the object has grown too large.")
            }
            LeftWhat::Switches => format!(
                "Recording was switched too often{since}{until} for each time to be looked at."
            ),
        },
    }
}

fn count(count: Option<u64>, one: &str, more: &str) -> String {
    match count {
        Some(1) => format!("1 {one}"),
        count => format!("{} {more}", count.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

    use super::*;

    #[test]
    fn what_a_member_is_called_cannot_turn_the_terminal() {
        let setting = Setting {
            value: Some(Value::from(1)),
            previous: None,
            was_absent: false,
            origin: Origin::Initial,
            changes: 0,
        };
        let field = Field {
            path: "[\"a\u{9b}31m\u{7f}b\u{202e}c\"]".parse().unwrap(),
            last: setting.clone(),
            history: Vec::new(),
            gone: None,
        };
        let table = table(&[(&field, &setting)]);
        assert!(table.contains("[\"a 31m b c\"]"), "{table}");
    }
}
