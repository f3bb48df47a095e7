//! `daybook verify`.

mod file;

use super::{CommandError, Installation, kept, reindex::counting, say};
use clap::Args;
use indicatif::{HumanCount, ProgressBar};
use std::path::PathBuf;
use store::proof::verify::{VerifiedTenant, VerifyError, verify};

/// Checks that nothing in the log was altered: every entry, the tree over them, and every checkpoint.
/// It needs no key file, and runs beside a server too. With --export: an exported file, without any log
#[derive(Debug, Args)]
pub struct Verify {
    /// Checks a file of daybook export --with-proof instead, packed with gzip or not; - is standard input
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// The keys that are trusted to sign the file's checkpoint: what /api/v1/proof/keys answers, or a
    /// verifier key a line [default: those in the file itself]
    #[arg(long, value_name = "FILE", requires = "export")]
    keys: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere, or a file of many, as witnesses keep them, or of the events
    /// that another Daybook recorded of them: that what each was signed of is how this log begins. Can be
    /// given several times. With --export they are compared as far as a file can tell
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

impl From<VerifyError> for CommandError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Store(error) => Self::Store(error),
            VerifyError::Wrong(_) | VerifyError::NoInstallation(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl Verify {
    /// Does what was asked.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        let kept = self.checkpoint.iter().map(|path| kept::read(path));
        let kept = kept.collect::<Result<Vec<_>, _>>()?.concat();
        if let Some(path) = self.export {
            return file::verify(path, self.keys.as_deref(), kept).await;
        }
        let bar = ProgressBar::new(0).with_style(counting());
        let verified = verify(&installation.options(), &kept, |checked, all| {
            bar.set_length(all);
            bar.set_position(checked);
        })
        .await;
        bar.finish_and_clear();
        let verified = verified?;
        for tenant in &verified.tenants {
            tell(tenant)?;
        }
        match verified.kept {
            0 => say(
                "Not checked: whether this database is an older copy, has lost its newest entries \
                 together with their checkpoints, was altered where checkpoints were removed and made \
                 anew, or was made anew with another key. That takes a checkpoint that was kept \
                 elsewhere (--checkpoint).",
            )?,
            1 => say("The checkpoint that was kept elsewhere is a past of this log.")?,
            kept => say(format_args!(
                "All {kept} checkpoints that were kept elsewhere are pasts of these logs."
            ))?,
        }
        if verified.is_searched_alike {
            say("What the log is searched by is what was recorded.")
        } else {
            say(
                "Not checked: the index that the log is searched by. It is not there, or not this log's \
                 as it is now; whoever opens the log makes it anew.",
            )
        }
    }
}

fn tell(log: &VerifiedTenant) -> Result<(), CommandError> {
    let tenant = &log.tenant;
    say(format_args!(
        "{tenant}: all {} entries are what was recorded, in the order in which they arrived",
        HumanCount(log.entries)
    ))?;
    if log.released > 0 {
        say(format_args!(
            "{tenant}: what {} of them said was deleted, under releases that its settings permitted",
            HumanCount(log.released)
        ))?;
    }
    for erased in &log.erased {
        let parts: Vec<&str> = erased
            .parts
            .list()
            .iter()
            .map(|part| part.as_str())
            .collect();
        let reason = erased.reason.as_ref();
        say(format_args!(
            "{tenant}: under the release that entry {} ({}) tells of, of {} of them {} erased: {}{}",
            erased.seq,
            erased.id,
            HumanCount(erased.entries),
            if erased.is_under_way {
                "is being"
            } else {
                "was"
            },
            parts.join(", "),
            reason.map_or_else(String::new, |reason| format!(" (\u{201c}{reason}\u{201d})"))
        ))?;
    }
    let Some((covered, at)) = log.covered else {
        return say(format_args!(
            "{tenant}: no checkpoint covers them: whether they were altered cannot be seen"
        ));
    };
    match log.uncovered() {
        0 => say(format_args!(
            "{tenant}: the newest of {} checkpoints covers all of them, made at {at}",
            HumanCount(log.checkpoints)
        )),
        uncovered => say(format_args!(
            "{tenant}: the newest of {} checkpoints covers {}, made at {at}; no checkpoint covers the \
             newest {}: whether these were altered cannot be seen",
            HumanCount(log.checkpoints),
            HumanCount(covered),
            HumanCount(uncovered)
        )),
    }
}
