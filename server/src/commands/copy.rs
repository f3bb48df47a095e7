//! `daybook copy`.

use super::{CommandError, Installation, operator, remark, say, told_to_stop};
use clap::Args;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use store::{
    DatabaseUrl,
    copy::{self, CopyError, Outcome, Step},
};

/// `daybook copy`.
#[derive(Debug, Args)]
#[command(
    about = "Moves the whole installation to another database, from SQLite to PostgreSQL or back, while \
it is in use: numbers, ids, idempotency keys, releases, holds, people and tokens included",
    after_help = "The target is a new, empty database, and takes the source's key file \
(DAYBOOK_KEY_FILE, else the one beside the source). What is recorded is copied while servers go on with \
the source. Then the source takes nothing any more: writes are answered with 503 and Retry-After, \
questions go on. What came last is copied, both are read and compared, and the source stays closed to \
writes for good; start the servers on the target then. Where the two differ nothing is opened, and the \
source goes on. Stopped or killed, run the same again: it goes on where it was."
)]
pub struct Copy {
    /// The database that holds the installation
    #[arg(long, value_name = "URL")]
    from: DatabaseUrl,
    /// The new, empty database that it moves to
    #[arg(long, value_name = "URL", required_unless_present = "abandon")]
    to: Option<DatabaseUrl>,
    /// Lets the source take writes again whose copy was not finished; what was copied stays closed
    #[arg(long, conflicts_with = "to")]
    abandon: bool,
    /// With --abandon: also where the installation has moved. Only where the other database is lost:
    /// what was recorded there is not here
    #[arg(long, requires = "abandon")]
    force: bool,
}

/// How often a line tells how far it is, where nobody watches.
const TELL_EVERY: Duration = Duration::from_secs(10);

impl Copy {
    /// Does what was asked.
    pub async fn run(self, key_file: Option<PathBuf>) -> Result<(), CommandError> {
        let source = Installation {
            database: self.from.clone(),
            replica: None,
            key_file,
        };
        let from = source.options();
        let Some(to) = self.to else {
            copy::abandon(&from, self.force).await?;
            return say(format_args!("{} takes what is sent again.", self.from));
        };
        // Servers are started with it elsewhere.
        let to = to.absolute();
        let stop = told_to_stop()?;
        let is_told = Arc::new(AtomicBool::new(false));
        let watch = tokio::spawn({
            let is_told = Arc::clone(&is_told);
            async move {
                stop.await;
                is_told.store(true, Ordering::Release);
            }
        });
        let begun = Instant::now();
        let mut progress = Progress::new();
        let by = operator();
        let copied = copy::copy(&from, &to, &by, |step| {
            progress.tell(step);
            if is_told.load(Ordering::Acquire) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await;
        watch.abort();
        progress.bar.finish_and_clear();
        match copied? {
            Outcome::MovedBefore(at) => say(format_args!(
                "This installation has moved to {to} before, at {at}; nothing was to be done."
            ))?,
            Outcome::Moved(copied) => {
                say(format_args!(
                    "{} events (tenants: {}), of which {} still say what happened, moved to {to} in {}; \
                     for {} of that the source took nothing.",
                    HumanCount(copied.events),
                    HumanCount(copied.tenants),
                    HumanCount(copied.contents),
                    HumanDuration(begun.elapsed()),
                    HumanDuration(copied.fenced_for),
                ))?;
                say(format_args!(
                    "Both were read and are the same: SHA-256 {}.",
                    copied.hash
                ))?;
            }
        }
        say(format_args!(
            "{} answers questions as before and takes nothing any more. Start the servers with \
             DAYBOOK_DATABASE_URL={to} and DAYBOOK_KEY_FILE={}.",
            self.from,
            source.key_file().display()
        ))
    }
}

impl From<CopyError> for CommandError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::SameDatabase => Self::Usage(error.to_string()),
            CopyError::Store(error) => Self::Store(error),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// How far it is: a bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: ProgressBar,
    told: Option<Instant>,
}

impl Progress {
    fn new() -> Self {
        Self {
            bar: ProgressBar::new(0).with_style(counting()),
            told: None,
        }
    }

    fn tell(&mut self, step: Step) {
        match step {
            Step::Copied {
                events,
                of,
                is_fenced,
            } => self.count(if is_fenced { "copied last" } else { "copied" }, events, of),
            Step::Indexed { events, of } => self.count("in the index", events, of),
            Step::Compared { events, of } => self.count("compared", events, of),
            Step::Removed => self.line("What was removed meanwhile is removed in the copy."),
            Step::Fenced => {
                self.line("The source takes nothing any more; what came last is copied.");
            }
            Step::Administered => self.line("All is copied; both are read and compared."),
            Step::Same => self.line("Both are the same."),
            Step::Told | Step::Moved => {}
        }
    }

    fn count(&mut self, what: &'static str, events: u64, of: u64) {
        self.bar.set_message(what);
        self.bar.set_length(of);
        self.bar.set_position(events);
        let is_due = self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        if self.bar.is_hidden() && is_due {
            self.told = Some(Instant::now());
            remark(format_args!(
                "{} of {} events {what}",
                HumanCount(events),
                HumanCount(of)
            ));
        }
    }

    fn line(&self, words: &str) {
        self.bar.suspend(|| remark(words));
    }
}

/// A bar that counts events.
fn counting() -> ProgressStyle {
    ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} events {msg}, {per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
}
