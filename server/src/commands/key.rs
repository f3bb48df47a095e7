//! `daybook key`.

use super::{CommandError, remark, say};
use crate::witness::Folder;
use clap::Subcommand;
use indicatif::HumanCount;
use store::{Store, administration::By, holds::Reason, proof::witness::Place};

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Makes a new key that signs checkpoints from now on; what was signed before stays as good as it
    /// was. The new key is in the key file, which every server of the installation needs
    Rotate,
    /// Accepts that the database is an older copy than what was signed before, because you brought it
    /// back on purpose: it is signed as it is. Every tenant's log that lost entries tells of it. With
    /// servers on several machines, run it on each: each remembers by itself what it signed
    AcceptRestore {
        /// Why, 1 to 1000 characters: everybody who reads the log reads it
        #[arg(long, value_name = "TEXT")]
        reason: Reason,
    },
}

impl Key {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Rotate => rotate(store, by).await,
            Self::AcceptRestore { reason } => accept(store, &reason, by).await,
        }
    }
}

async fn rotate(store: &Store, by: &By) -> Result<(), CommandError> {
    let rotated = store.rotate_key(by).await?;
    say(format_args!(
        "{} signs from {} on, in place of {}",
        rotated.key, rotated.at, rotated.before
    ))?;
    remark(format_args!(
        "The key file {} holds the new key: bring it to every other machine with a server of this \
         installation, and put a copy of it where you keep one.",
        rotated.key_file.display()
    ));
    Ok(())
}

async fn accept(store: &Store, reason: &Reason, by: &By) -> Result<(), CommandError> {
    let mut witnessed = Vec::new();
    for witness in store.witnesses().await? {
        if let Place::File(folder) = &witness.place {
            let notes = Folder::new(folder).newest().await.map_err(|error| {
                let name = &witness.name;
                CommandError::Failed(format!(
                    "what the witness {name} holds cannot be read: {error}"
                ))
            })?;
            witnessed.extend(notes);
        }
    }
    let accepted = store.accept_restore(reason, &witnessed, by).await?;
    if accepted.is_empty() {
        remark(
            "What was signed before on this machine is a past of what the database holds: there is nothing \
             to accept here.",
        );
    }
    let is_any = !accepted.is_empty();
    for log in accepted {
        say(format_args!(
            "{}: checkpoints covered {} entries and cover {} now; what the database holds is signed from \
             here on.",
            log.tenant,
            HumanCount(log.signed),
            HumanCount(log.holds)
        ))?;
    }
    if is_any {
        remark(
            "Where servers run on other machines too, run this on each of them: each remembers by itself \
             what it signed, and signs nothing that conflicts with it until that is accepted there.",
        );
    }
    Ok(())
}
