//! The installation's secrets: in a file beside the log, never in it.

use crate::StoreError;
use domain::proof::{KeyError, Signer};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::{
    fmt::{self, Write as _},
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
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
    pub(crate) fn fingerprint(&self) -> [u8; 16] {
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

    /// The key as one that signs under a name.
    pub(crate) fn signer(&self, name: &str) -> Result<Signer, KeyError> {
        Signer::new(name, &self.0)
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
    pub(crate) signing: Key,
    /// Signs them from the moment on at which the database says so: a rotation is under way, or was
    /// cut short.
    next_signing: Option<Key>,
    /// Signed them before: a database that is brought back from before a rotation knows one of these.
    previous_signing: Vec<Key>,
    /// Seals cursors.
    pub(crate) cursor: Key,
    /// Seals what browsers keep for a moment.
    pub(crate) revealing: Key,
    /// Seals what they keep while somebody signs in elsewhere.
    pub(crate) sign_on: Key,
    /// Seals the tokens that other installations gave us.
    pub(crate) witness: Key,
    /// Makes the pseudonyms of those who were erased.
    pub(crate) pseudonym: Key,
}

/// By what the database knows its key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprints {
    pub(crate) redaction: [u8; 16],
    pub(crate) signing: [u8; 16],
}

/// What the lines of a key file are called.
const REDACTION: &str = "redaction";
const SIGNING: &str = "signing";
const NEXT_SIGNING: &str = "next-signing";
const PREVIOUS_SIGNING: &str = "previous-signing";

impl Keys {
    fn new(
        redaction: Key,
        signing: Key,
        next_signing: Option<Key>,
        previous_signing: Vec<Key>,
    ) -> Self {
        let cursor = redaction.derived("daybook cursor");
        let revealing = redaction.derived("daybook revealing");
        let sign_on = redaction.derived("daybook sign-on");
        let witness = redaction.derived("daybook witness");
        let pseudonym = redaction.derived("daybook pseudonym");
        Self {
            redaction,
            signing,
            next_signing,
            previous_signing,
            cursor,
            revealing,
            sign_on,
            witness,
            pseudonym,
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
        let lines = |name: &'static str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .filter(move |(key, _)| key.trim() == name)
                .map(|(_, hex)| from_hex(hex.trim()).map(Key))
        };
        let broken = |name: &str| {
            StoreError::Keys(format!(
                "the key file {} holds no {name} key of 64 hex digits; bring it back from a copy",
                path.display()
            ))
        };
        let all = |name: &'static str| {
            let keys = lines(name).map(|key| key.ok_or_else(|| broken(name)));
            keys.collect::<Result<Vec<Key>, _>>()
        };
        let key = |name: &'static str| {
            let first = all(name)?.into_iter().next();
            first.ok_or_else(|| broken(name))
        };
        Ok(Some(Self::new(
            key(REDACTION)?,
            key(SIGNING)?,
            all(NEXT_SIGNING)?.into_iter().next(),
            all(PREVIOUS_SIGNING)?,
        )))
    }

    /// Whether these are the keys that the database knows, the signing one apart.
    pub(crate) fn are_of(&self, redaction: &[u8]) -> bool {
        self.redaction.fingerprint() == redaction
    }

    /// The same keys with the signing key that the database knows: the one of the file; the next one,
    /// where a rotation was cut short; or one of those before, where the database was brought back from
    /// before a rotation. None: the file has none of them.
    pub(crate) fn signing_with(mut self, signing: &[u8]) -> Option<Self> {
        let is_known = |key: &Key| key.fingerprint() == signing;
        if is_known(&self.signing) {
            return Some(self);
        }
        let known = match self.next_signing.take_if(|next| is_known(next)) {
            Some(next) => next,
            None => {
                let place = self.previous_signing.iter().position(is_known)?;
                self.previous_signing.remove(place)
            }
        };
        self.sign_with(known);
        Some(self)
    }

    /// Another key signs, and the one that did is one of those before.
    fn sign_with(&mut self, signing: Key) {
        let before = std::mem::replace(&mut self.signing, signing);
        self.previous_signing.push(before);
    }

    /// Adds the signing key that is to come next to the file, unless a rotation that was cut short did.
    /// It signs nothing before the database knows it.
    pub(crate) fn with_next_signing(mut self, path: &Path) -> Result<(Self, Key), StoreError> {
        if let Some(next) = &self.next_signing {
            let next = next.clone();
            return Ok((self, next));
        }
        let next = Key::random()?;
        self.next_signing = Some(next.clone());
        self.replace(path)?;
        Ok((self, next))
    }

    /// Ends the rotation to a key that the database knows now: in the file, too, it is the one that signs.
    /// Where another rotation came after it meanwhile, the file is left as that made it.
    pub(crate) fn end_rotation(path: &Path, signing: &Key) -> Result<(), StoreError> {
        let Some(mut keys) = Self::read(path)? else {
            return Ok(());
        };
        if let Some(next) = keys.next_signing.take_if(|next| *next == *signing) {
            keys.sign_with(next);
            keys.replace(path)?;
        }
        Ok(())
    }

    /// The file's text.
    fn text(&self) -> String {
        let mut text = String::from(
            "# The secrets of this Daybook installation. Keep a copy apart from the database:\n\
             # without this file the server does not start.\n",
        );
        let keys = [
            (REDACTION, Some(&self.redaction)),
            (SIGNING, Some(&self.signing)),
            (NEXT_SIGNING, self.next_signing.as_ref()),
        ];
        let keys = keys
            .into_iter()
            .filter_map(|(name, key)| Some((name, key?)));
        let previous = self.previous_signing.iter();
        for (name, key) in keys.chain(previous.map(|key| (PREVIOUS_SIGNING, key))) {
            let _ = write!(text, "{name} = ");
            for byte in key.0 {
                let _ = write!(text, "{byte:02x}");
            }
            text.push('\n');
        }
        text
    }

    /// Writes the file anew, whole or not at all; whose it is and who may read it stays as it was.
    fn replace(&self, path: &Path) -> Result<(), StoreError> {
        let failed = |error| cannot("write", path, &error);
        // The file itself, where the path is a link to it.
        let path = &fs::canonicalize(path).map_err(failed)?;
        let written = draft(path, &self.text()).and_then(|draft| {
            keep_access(path, &draft)
                .and_then(|()| fs::rename(&draft, path))
                .inspect_err(|_| {
                    let _ = fs::remove_file(&draft);
                })
        });
        written.map_err(failed)?;
        // The name is durable too.
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// Makes a key file with new secrets, readable by its owner only. Where another process makes
    /// it at the same moment, its keys are taken.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let keys = Self::new(Key::random()?, Key::random()?, None, Vec::new());
        let written = draft(path, &keys.text()).and_then(|draft| {
            let linked = fs::hard_link(&draft, path);
            let _ = fs::remove_file(&draft);
            linked
        });
        match written {
            Ok(()) => Ok(keys),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path)?
                .ok_or_else(|| StoreError::Keys(format!("{} came and went", path.display()))),
            Err(error) => Err(cannot("write", path, &error)),
        }
    }
}

/// Gives a file to whom another belongs, and lets those read it who may read that.
#[cfg(unix)]
pub(crate) fn keep_access(known: &Path, made: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let (known, ours) = (fs::metadata(known)?, fs::metadata(made)?);
    if (known.uid(), known.gid()) != (ours.uid(), ours.gid()) {
        chown(made, Some(known.uid()), Some(known.gid()))?;
    }
    fs::set_permissions(made, known.permissions())
}

#[cfg(not(unix))]
pub(crate) fn keep_access(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes a text beside a file, durably and readable by its owner only: no process ever reads half of the
/// file itself.
pub(crate) fn draft(path: &Path, text: &str) -> io::Result<PathBuf> {
    let draft = path.with_extension(format!("key-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
    });
    match written {
        Ok(()) => Ok(draft),
        Err(error) => {
            let _ = fs::remove_file(&draft);
            Err(error)
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(path: &Path) -> Keys {
        Keys::read(path).unwrap().unwrap()
    }

    #[test]
    fn a_rotation_that_is_cut_short_anywhere_leaves_a_file_that_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daybook.key");
        let before = Keys::create(&path).unwrap();
        let old = before.fingerprints().signing;
        // The database does not know the next one yet.
        let (_, next) = before.clone().with_next_signing(&path).unwrap();
        let found = read(&path).signing_with(&old).unwrap();
        assert_eq!(found.signing, before.signing);
        assert_eq!(found.redaction, before.redaction);
        // Begun again, it goes on with the same.
        let (_, again) = read(&path).with_next_signing(&path).unwrap();
        assert_eq!(again, next);
        // The database knows it, and the file was not written since.
        let found = read(&path).signing_with(&next.fingerprint()).unwrap();
        assert_eq!(found.signing, next);
        // It was.
        Keys::end_rotation(&path, &next).unwrap();
        let found = read(&path);
        assert_eq!(
            (found.signing.clone(), found.next_signing.clone()),
            (next.clone(), None)
        );
        // A database that is brought back from before it is opened with the file of now.
        let back = found.clone().signing_with(&old).unwrap();
        assert_eq!(back.signing, before.signing);
        assert!(found.clone().signing_with(&[7; 16]).is_none());
        // A rotation that ends late leaves what a later one wrote.
        let (_, third) = read(&path).with_next_signing(&path).unwrap();
        Keys::end_rotation(&path, &next).unwrap();
        assert_eq!(read(&path).next_signing, Some(third.clone()));
        Keys::end_rotation(&path, &third).unwrap();
        let found = read(&path);
        assert_eq!(found.signing, third);
        for known in [&before.signing, &next, &third] {
            let keys = found.clone().signing_with(&known.fingerprint()).unwrap();
            assert_eq!(keys.signing, *known);
        }
        assert!(found.are_of(&before.fingerprints().redaction));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daybook.key");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let keys = Keys::create(&path).unwrap();
        assert_eq!(mode(), 0o600);
        keys.with_next_signing(&path).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    #[cfg(unix)]
    fn a_rotation_leaves_the_file_where_it_is_and_to_those_who_may_read_it() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (
            folder.path().join("daybook.key"),
            folder.path().join("link"),
        );
        let keys = Keys::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let (_, next) = keys.with_next_signing(&link).unwrap();
        assert_eq!(read(&path).next_signing, Some(next));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}
