//! The installation's secrets: in a file beside the log, never in it.

use crate::StoreError;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::{
    fmt::{self, Write as _},
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    path::Path,
};

/// A secret of 256 bits. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl Key {
    fn random() -> Result<Self, StoreError> {
        random::<32>().map(Self)
    }

    /// A key for another purpose, made from this one, so that the file holds few.
    fn derived(&self, purpose: &str) -> Self {
        Self(mac(self, &[purpose.as_bytes()]))
    }

    /// By what the database knows the right file; tells nothing of the key.
    fn fingerprint(&self) -> [u8; 16] {
        let hash = Sha256::new()
            .chain_update(b"daybook key")
            .chain_update(self.0)
            .finalize();
        let mut print = [0; 16];
        print.copy_from_slice(&hash[..16]);
        print
    }

    /// One that tests know.
    #[cfg(test)]
    pub(crate) const fn for_tests(byte: u8) -> Self {
        Self([byte; 32])
    }

    /// The key itself, for whoever computes with it.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// HMAC-SHA256 (RFC 2104) over the pieces, one after the other.
pub(crate) fn mac(key: &Key, pieces: &[&[u8]]) -> [u8; 32] {
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(&key.0);
    let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&padded.into());
    for piece in pieces {
        mac.update(piece);
    }
    mac.finalize().into_bytes().into()
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Keys(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

/// The secrets of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// Marks redacted values.
    pub(crate) redaction: Key,
    /// Signs checkpoints.
    signing: Key,
    /// Seals cursors.
    pub(crate) cursor: Key,
    /// Seals what browsers keep for a moment.
    pub(crate) revealing: Key,
    /// Seals what they keep while somebody signs in elsewhere.
    pub(crate) sign_on: Key,
}

/// By what the database knows its key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprints {
    pub(crate) redaction: [u8; 16],
    pub(crate) signing: [u8; 16],
}

impl Keys {
    fn new(redaction: Key, signing: Key) -> Self {
        let cursor = redaction.derived("daybook cursor");
        let revealing = redaction.derived("daybook revealing");
        let sign_on = redaction.derived("daybook sign-on");
        Self {
            redaction,
            signing,
            cursor,
            revealing,
            sign_on,
        }
    }

    /// What the database should know.
    pub(crate) fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            redaction: self.redaction.fingerprint(),
            signing: self.signing.fingerprint(),
        }
    }

    /// Reads the key file; none if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot("read", path, &error)),
        };
        let key = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .and_then(|(_, hex)| from_hex(hex.trim()))
                .map(Key)
                .ok_or_else(|| {
                    StoreError::Keys(format!(
                        "the key file {} holds no {name} key of 64 hex digits; bring it back from a copy",
                        path.display()
                    ))
                })
        };
        Ok(Some(Self::new(key("redaction")?, key("signing")?)))
    }

    /// Makes a key file with new secrets, readable by its owner only. Where another process makes
    /// it at the same moment, its keys are taken.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let keys = Self::new(Key::random()?, Key::random()?);
        let mut text = String::from(
            "# The secrets of this Daybook installation. Keep a copy apart from the database:\n\
             # without this file the server does not start.\n",
        );
        for (name, key) in [("redaction", &keys.redaction), ("signing", &keys.signing)] {
            let _ = write!(text, "{name} = ");
            for byte in key.0 {
                let _ = write!(text, "{byte:02x}");
            }
            text.push('\n');
        }
        // Written whole under another name first: no process ever reads half of it.
        let draft = path.with_extension(format!("key-{}", std::process::id()));
        let _ = fs::remove_file(&draft);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&draft)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .and_then(|()| fs::hard_link(&draft, path));
        let _ = fs::remove_file(&draft);
        match written {
            Ok(()) => Ok(keys),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path)?
                .ok_or_else(|| StoreError::Keys(format!("{} came and went", path.display()))),
            Err(error) => Err(cannot("write", path, &error)),
        }
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Keys(format!(
        "cannot {what} the key file {}: {error}",
        path.display()
    ))
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}
