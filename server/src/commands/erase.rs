//! `daybook erase`.

use super::{
    CommandError, Installation, arguments::minute, operator, reindex::counting, remark, say,
    settings,
};
use chrono::TimeDelta;
use clap::{ArgGroup, Args};
use domain::{
    event::{EventId, Part, Parts},
    slug::WorkspacePath,
};
use indicatif::{HumanCount, ProgressBar};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use store::{
    Store,
    access::SettingsScope,
    erasure::{
        Address, Cleaned, Damaged, Elsewhere, ErasureError, Extent, Progress, Release, Released,
        What,
    },
    holds::Reason,
    retention::Removal,
};

/// How often it is looked how far another process is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Takes parts of one event out of the log, or a person out of all that they did or carried out. The log
/// tells of it, and stays provable
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct Erase {
    /// The workspace, as TENANT/WORKSPACE
    #[arg(long, value_name = "W")]
    workspace: WorkspacePath,
    /// The event, by its id
    #[arg(long, value_name = "ID", group = "what")]
    event: Option<EventId>,
    /// A part of the event: actor, via, objects, change, details or context; can be given several times
    /// [default: all of these]
    #[arg(long, value_name = "P", conflicts_with = "person")]
    part: Vec<Part>,
    /// The person, by their e-mail address
    #[arg(long, value_name = "E", group = "what")]
    person: Option<Address>,
    /// Why, 1 to 1000 characters, without the address: everybody who reads the log reads it
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    /// Says what would be erased, and erases nothing
    #[arg(long)]
    dry_run: bool,
}

impl From<ErasureError> for CommandError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Store(error) => Self::Store(error),
            ErasureError::Facts | ErasureError::ReasonTells => Self::Usage(error.to_string()),
            ErasureError::Held(_)
            | ErasureError::UnknownEvent(_)
            | ErasureError::Expired(_)
            | ErasureError::Judges { .. }
            | ErasureError::Altered(_) => Self::Failed(error.to_string()),
        }
    }
}

impl Erase {
    /// Does what was asked.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        let store = installation.open().await?;
        let done = self.erase(&store).await;
        store.close().await;
        let done = done?;
        tell_cleaned(done.cleaned)?;
        tell_damage(&done.damaged)
    }

    fn what(&self) -> Result<What, CommandError> {
        match (&self.person, self.event) {
            (Some(person), None) => Ok(What::Person(person.clone())),
            (None, Some(event)) => {
                let parts = self.part.iter().copied().collect::<Parts>();
                Ok(What::Event(event, (!parts.is_empty()).then_some(parts)))
            }
            _ => Err(CommandError::Usage(
                "either --event or --person says what is to be erased".to_owned(),
            )),
        }
    }

    /// Erases, and tells what.
    async fn erase(&self, store: &Store) -> Result<Done, CommandError> {
        let scope = settings::scope(store, &self.workspace).await?;
        let what = self.what()?;
        let mut done = Done::default();
        done.texts
            .extend(self.person.iter().map(ToString::to_string));
        // What is sought must be in the index.
        store.wait_for_index(|_, _| ()).await?;
        if self.dry_run {
            if let What::Person(address) = &what
                && self
                    .reason
                    .as_str()
                    .to_lowercase()
                    .contains(address.as_str())
            {
                return Err(ErasureError::ReasonTells.into());
            }
            let extent = store.would_erase(&scope, &what).await?;
            self.tell(&extent, "would be erased")?;
        } else {
            // Whom an earlier one was about, which was cut short before it was cleaned, is not known here.
            done.is_more_gone = store.is_to_be_cleaned(TimeDelta::zero()).await?;
            loop {
                let by = operator();
                let released = store.erase(&scope, &what, &self.reason, &by).await?;
                let (made, extent, is_all) = match released {
                    Released::Unfinished(earlier) => {
                        // Nor what these erase.
                        done.is_more_gone = true;
                        carry_out(store, &earlier, 0).await?;
                        done.damaged.extend(store.erasure_damage(&earlier).await?);
                        continue;
                    }
                    Released::Made(made, extent) => (made, extent, true),
                    Released::Part(made, extent) => (made, extent, false),
                    Released::Nothing(extent) => (Vec::new(), extent, true),
                };
                carry_out(store, &made, extent.all()).await?;
                self.tell(&extent, "erased")?;
                done.damaged.extend(store.erasure_damage(&made).await?);
                done.damaged.extend(extent.damaged);
                done.texts.extend(extent.texts);
                if is_all {
                    break;
                }
            }
            // At once: the server does it too, where nobody else did, and cannot know what to look for.
            let texts: Vec<String> = done.texts.iter().cloned().collect();
            let texts = (!done.is_more_gone).then_some(&texts[..]);
            done.cleaned = store.clean(texts).await?;
        }
        if let Some(address) = &self.person {
            self.tell_mentions(store, &scope, address).await?;
        }
        Ok(done)
    }

    /// Says what went, or would go.
    fn tell(&self, extent: &Extent, done: &str) -> Result<(), CommandError> {
        let workspace = &self.workspace;
        if extent.events.is_empty() {
            match (&self.person, self.event) {
                (Some(person), _) => say(format_args!(
                    "{workspace}: {person} stands nowhere as actor or via; nothing is erased."
                ))?,
                (_, event) => say(format_args!(
                    "{workspace}: nothing is left to erase of event {}.",
                    event.map_or_else(String::new, |event| event.to_string())
                ))?,
            }
        }
        for (parts, events) in &extent.events {
            say(format_args!(
                "{workspace}: of {} {done}: {}",
                counted(*events),
                words(*parts)
            ))?;
        }
        if let Some(pseudonym) = extent.pseudonym.as_ref().filter(|_| extent.all() > 0) {
            say(format_args!("{workspace}: in its place stands {pseudonym}"))?;
        }
        if extent.same_ids > 0 {
            say(format_args!(
                "{workspace}: {} by the same id, without the address, are left as they are",
                counted(extent.same_ids)
            ))?;
        }
        Ok(())
    }

    /// Lists the events that mention an address elsewhere.
    async fn tell_mentions(
        &self,
        store: &Store,
        scope: &SettingsScope,
        address: &Address,
    ) -> Result<(), CommandError> {
        let workspace = &self.workspace;
        let bar = ProgressBar::new(0).with_style(counting());
        let mut first = true;
        let mentions = store
            .mentions::<CommandError>(
                scope,
                address,
                self.dry_run,
                |mention| {
                    if std::mem::take(&mut first) {
                        say(format_args!(
                            "{workspace}: these still mention the address; erase what should go with \
                             --event and --part:"
                        ))?;
                    }
                    bar.suspend(|| {
                        say(format_args!(
                            "{}  {}  {}  {}",
                            mention.id,
                            minute(mention.occurred_at),
                            mention.action,
                            words(mention.parts)
                        ))
                    })
                },
                |looked, all| {
                    bar.set_length(all);
                    bar.set_position(looked);
                },
            )
            .await;
        bar.finish_and_clear();
        match mentions? {
            0 => say(format_args!(
                "{workspace}: no other part of an event mentions the address."
            ))?,
            1 => say(format_args!("{workspace}: 1 event mentions the address."))?,
            mentions => say(format_args!(
                "{workspace}: {} mention the address.",
                counted(mentions)
            ))?,
        }
        let Elsewhere {
            account,
            invitations,
        } = store.stands_elsewhere(scope, address).await?;
        if account {
            remark(format_args!(
                "There is an account with this address, which is no matter of the log: it stays (see \
                 daybook user deactivate)."
            ));
        }
        if invitations > 0 {
            remark(format_args!(
                "{} of this workspace, which are no matter of the log, were sent to this address: they \
                 stay.",
                match invitations {
                    1 => "1 invitation".to_owned(),
                    many => format!("{} invitations", HumanCount(many)),
                }
            ));
        }
        Ok(())
    }
}

/// What came of erasing.
#[derive(Debug, Default)]
struct Done {
    /// By which texts what went can be told where it lies about.
    texts: BTreeSet<String>,
    /// Whether more went than these tell of.
    is_more_gone: bool,
    damaged: Vec<Damaged>,
    cleaned: Cleaned,
}

/// Tells of what could not be erased, and that the command did not do all.
fn tell_damage(damaged: &[Damaged]) -> Result<(), CommandError> {
    let told: BTreeMap<_, _> = damaged.iter().map(|it| (it.id.0, &it.what)).collect();
    if told.is_empty() {
        return Ok(());
    }
    for (id, what) in &told {
        remark(format_args!(
            "Event {id} is not erased: it cannot be read ({what})."
        ));
    }
    let were = if told.len() == 1 { "was" } else { "were" };
    Err(CommandError::Failed(format!(
        "{} cannot be read, and {were} passed over; all else is erased: see daybook verify",
        counted(told.len() as u64)
    )))
}

fn tell_cleaned(cleaned: Cleaned) -> Result<(), CommandError> {
    if cleaned.rewritten {
        remark("The database's file was written anew, so that its free pages hold nothing of it.");
    }
    if cleaned.is_left {
        return Err(CommandError::Failed(
            "it is erased, but others were using the database all the time: its free pages may still \
             hold some of it; run the same command again"
                .to_owned(),
        ));
    }
    Ok(())
}

fn words(parts: Parts) -> String {
    let names: Vec<&str> = parts.list().iter().map(|part| part.as_str()).collect();
    names.join(", ")
}

fn counted(events: u64) -> String {
    match events {
        1 => "1 event".to_owned(),
        events => format!("{} events", HumanCount(events)),
    }
}

/// Erases what releases cover, or watches the process that does.
async fn carry_out(store: &Store, releases: &[Release], events: u64) -> Result<(), CommandError> {
    let bar = ProgressBar::new(events).with_style(counting());
    let mut is_told = false;
    loop {
        match store.erasure_progress(releases).await? {
            Progress::Finished => break,
            Progress::Suspended => {
                bar.finish_and_clear();
                return Err(CommandError::Failed(
                    "a legal hold was placed meanwhile: what is not erased yet stays until it is lifted"
                        .to_owned(),
                ));
            }
            Progress::UnderWay => {}
        }
        match store.remove_some().await? {
            Removal::Erased { events: 0, .. } | Removal::Nothing => {}
            Removal::Erased { events, .. } => bar.inc(events),
            Removal::Some { .. } => tokio::time::sleep(LOOK_EVERY).await,
            Removal::Elsewhere => {
                if !std::mem::replace(&mut is_told, true) {
                    remark("The running server erases it; waiting for it.");
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}
