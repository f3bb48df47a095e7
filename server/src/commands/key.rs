//! `daybook key`.

use super::{CommandError, remark, say};
use clap::Subcommand;
use store::{Store, administration::By};

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Makes a new key that signs checkpoints from now on; what was signed before stays as good as it
    /// was. The new key is in the key file, which every server of the installation needs
    Rotate,
}

impl Key {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let Self::Rotate = self;
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
}
