//! What was signed last, kept beside the key file: whoever has the database alone, and takes checkpoints
//! out of it, does not make a server that begins anew forget them.
//!
//! The file is written whole or not at all, every few seconds at most: it is a lower bound of what was
//! signed, and what is signed in between is remembered by the process that signed it.

use crate::{
    StoreError,
    keys::{draft, keep_access},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    leaf::Hash,
    proof::{Checkpoint, Origin},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How often the file is written at most.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// How many leaves a tree had, and its root.
pub(super) type Tree = (u64, Hash);

/// What a line of the file begins with: what was signed last.
const SIGNED: &str = "signed";
/// Or what was signed once, and is accepted not to be a past of the log any more.
const ACCEPTED: &str = "accepted";

/// What is remembered, by whose checkpoints they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    signed: BTreeMap<String, Tree>,
    accepted: BTreeSet<(String, u64, [u8; 32])>,
}

impl Known {
    /// The file's text.
    fn text(&self) -> String {
        let mut text = String::from(
            "# What this Daybook installation signed last. A server that finds less in its database\n\
             # signs nothing of it: see docs/proof.md before you remove or change this.\n",
        );
        let line = |text: &mut String, what: &str, origin: &str, size: u64, root: &[u8; 32]| {
            let _ = writeln!(text, "{what} {origin} {size} {}", STANDARD.encode(root));
        };
        for (origin, (size, root)) in &self.signed {
            line(&mut text, SIGNED, origin, *size, &root.0);
        }
        for (origin, size, root) in &self.accepted {
            line(&mut text, ACCEPTED, origin, *size, root);
        }
        text
    }

    /// Reads a file's text; none where it is no such file, or was cut off.
    fn read(text: &str) -> Option<Self> {
        let mut known = Self::default();
        for line in text.strip_suffix('\n')?.split('\n') {
            if line.starts_with('#') {
                continue;
            }
            let mut words = line.split(' ');
            let (what, origin) = (words.next()?, words.next()?.to_owned());
            let size: u64 = words.next()?.parse().ok()?;
            let root: [u8; 32] = STANDARD.decode(words.next()?).ok()?.try_into().ok()?;
            match (what, words.next()) {
                (SIGNED, None) => known.add(origin, (size, Hash(root))),
                (ACCEPTED, None) => {
                    known.accepted.insert((origin, size, root));
                }
                _ => return None,
            }
        }
        known.forget_accepted();
        Some(known)
    }

    /// Remembers a tree, where none larger is, and it is not accepted to be no past of the log any more.
    fn add(&mut self, origin: String, tree: Tree) {
        if self.accepted.contains(&(origin.clone(), tree.0, tree.1.0)) {
            return;
        }
        let known = self.signed.entry(origin).or_insert(tree);
        if tree.0 >= known.0 {
            *known = tree;
        }
    }

    /// Adds what others know: of what they accepted nothing is remembered as signed.
    fn join(&mut self, others: Self) {
        self.accepted.extend(others.accepted);
        self.forget_accepted();
        for (origin, tree) in others.signed {
            self.add(origin, tree);
        }
    }

    fn forget_accepted(&mut self) {
        let accepted = &self.accepted;
        self.signed
            .retain(|origin, (size, root)| !accepted.contains(&(origin.clone(), *size, root.0)));
    }
}

/// What a process remembers of what was signed.
#[derive(Debug)]
pub(crate) struct Memory {
    file: PathBuf,
    known: Known,
    /// Whether the file does not have all of it.
    is_new: bool,
    written: Option<Instant>,
    /// Whether it was told that the file cannot be written.
    is_told: bool,
}

/// What is remembered cannot be kept, or read.
fn cannot(what: &str, file: &Path, error: impl std::fmt::Display) -> StoreError {
    StoreError::Keys(format!(
        "what was signed last cannot be {what} {}: {error}",
        file.display()
    ))
}

impl Memory {
    /// What stands beside a key file.
    pub(super) fn beside(key_file: &Path) -> Self {
        let mut file = key_file.as_os_str().to_owned();
        file.push(".signed");
        let file = PathBuf::from(file);
        let known = match read(&file) {
            Ok(known) => known,
            Err(error) => {
                tracing::error!("{error}; it is begun anew");
                Known::default()
            }
        };
        Self {
            file,
            known,
            is_new: false,
            written: None,
            is_told: false,
        }
    }

    /// What was signed last under a name.
    pub(super) fn signed(&self, origin: &Origin) -> Option<Tree> {
        self.known.signed.get(origin.as_str()).copied()
    }

    /// Remembers what was signed.
    pub(super) fn add(&mut self, origin: &Origin, tree: Tree) {
        if self.signed(origin) != Some(tree) {
            self.known.add(origin.as_str().to_owned(), tree);
            self.is_new = true;
        }
    }

    /// Forgets what somebody accepted meanwhile, in another process, to be no past of the log any more.
    pub(super) fn look_again(&mut self, origin: &Origin) {
        if self.signed(origin).is_some() {
            self.read_again();
        }
    }

    /// Learns what others signed and accepted meanwhile.
    pub(super) fn read_again(&mut self) {
        match read(&self.file) {
            Ok(found) => self.known.join(found),
            Err(error) => tracing::debug!("{error}"),
        }
    }

    /// Whether a checkpoint is accepted not to be a past of the log.
    pub(super) fn is_accepted(&self, checkpoint: &Checkpoint) -> bool {
        let Checkpoint { origin, size, root } = checkpoint;
        let sought = (origin.as_str().to_owned(), *size, root.0);
        self.known.accepted.contains(&sought)
    }

    /// The size of the largest checkpoint that is accepted not to be a past of the log; 0 where none is.
    pub(super) fn accepted(&self, origin: &Origin) -> u64 {
        let accepted = self.known.accepted.iter();
        let ours = accepted.filter(|(of, ..)| of == origin.as_str());
        ours.map(|(_, size, _)| *size).max().unwrap_or(0)
    }

    /// Accepts that checkpoints of a log are no pasts of it any more: what is signed next is what it is
    /// now. Kept at once.
    pub(super) fn accept(
        &mut self,
        origin: &Origin,
        checkpoints: &[Checkpoint],
    ) -> Result<(), StoreError> {
        let _turn = turn(&self.file)?;
        let mut known = read(&self.file)?;
        known.join(self.known.clone());
        known.signed.remove(origin.as_str());
        let accepted = checkpoints.iter().map(|checkpoint| {
            (
                checkpoint.origin.as_str().to_owned(),
                checkpoint.size,
                checkpoint.root.0,
            )
        });
        known.accepted.extend(accepted);
        write(&self.file, &known)?;
        self.known = known;
        self.is_new = false;
        Ok(())
    }

    /// What is to be written now, if anything is: to be given to [`keep`], in a thread that may wait.
    pub(super) fn due(
        &mut self,
        is_last: bool,
    ) -> Option<impl FnOnce() -> Result<(), StoreError> + Send + use<>> {
        let is_due = is_last || self.written.is_none_or(|at| at.elapsed() >= WRITE_EVERY);
        if !self.is_new || !is_due {
            return None;
        }
        self.is_new = false;
        self.written = Some(Instant::now());
        let (file, known) = (self.file.clone(), self.known.clone());
        Some(move || {
            // Others sign too, and accept.
            let _turn = turn(&file)?;
            let text = text_of(&file)?;
            let found = text.as_deref().map(Known::read);
            if matches!(found, Some(None)) {
                tracing::error!(
                    "{}",
                    cannot("read from", &file, "it is broken and begun anew")
                );
            }
            let mut all = found.flatten().unwrap_or_default();
            all.join(known);
            write(&file, &all)
        })
    }

    /// Tells, once, that the file could not be written.
    pub(super) fn not_kept(&mut self, error: &StoreError) {
        self.is_new = true;
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                "{error}: a server that begins anew does not know what was signed before"
            );
        }
    }
}

/// The turn to read the file and write it, of all processes, until it is let go of: the lock of its folder,
/// because the file itself is another one after each writing.
fn turn(file: &Path) -> Result<File, StoreError> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let opened = File::open(folder.unwrap_or(Path::new(".")));
    let locked = opened.and_then(|folder| folder.lock().map(|()| folder));
    locked.map_err(|error| cannot("written to", file, error))
}

/// What is in the file; none where there is none.
fn text_of(file: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read from", file, error)),
    }
}

fn read(file: &Path) -> Result<Known, StoreError> {
    match text_of(file)? {
        Some(text) => Known::read(&text).ok_or_else(|| cannot("read from", file, "it is broken")),
        None => Ok(Known::default()),
    }
}

/// Writes the file, so that who may read the one of before, or else the key file, may read it: a command that
/// somebody else runs keeps no server from it.
fn write(file: &Path, known: &Known) -> Result<(), StoreError> {
    let written = draft(file, &known.text()).and_then(|draft| {
        let like = [file.to_owned(), file.with_extension("")];
        let kept = match like.iter().find(|like| like.exists()) {
            Some(like) => give_access(like, &draft),
            None => Ok(()),
        };
        kept.and_then(|()| fs::rename(&draft, file))
            .inspect_err(|_| {
                let _ = fs::remove_file(&draft);
            })
    });
    written.map_err(|error| cannot("written to", file, error))
}

/// Gives a file to whom another belongs. Who may not give it away keeps it where the other belongs to the
/// superuser, who reads it anyway.
fn give_access(like: &Path, made: &Path) -> io::Result<()> {
    match keep_access(like, made) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && is_of_superuser(like)? => {
            fs::set_permissions(made, fs::metadata(like)?.permissions())
        }
        kept => kept,
    }
}

#[cfg(unix)]
fn is_of_superuser(file: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(file)?.uid() == 0)
}

#[cfg(not(unix))]
fn is_of_superuser(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::slug::Slug;
    use uuid::Uuid;

    fn origin(tenant: &str) -> Origin {
        Origin::new(Uuid::nil(), &tenant.parse::<Slug>().unwrap())
    }

    fn tree(size: u64, byte: u8) -> Tree {
        (size, Hash([byte; 32]))
    }

    fn keep(memory: &mut Memory) {
        memory.due(true).unwrap()().unwrap();
    }

    #[test]
    fn what_was_signed_is_known_to_who_comes_next_and_of_two_who_write_the_larger_stays() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("daybook.key");
        let (acme, globex) = (origin("acme"), origin("globex"));
        let mut one = Memory::beside(&key);
        let mut other = Memory::beside(&key);
        one.add(&acme, tree(5, 1));
        keep(&mut one);
        other.add(&acme, tree(3, 2));
        other.add(&globex, tree(2, 3));
        keep(&mut other);
        let found = Memory::beside(&key);
        assert_eq!(found.signed(&acme), Some(tree(5, 1)));
        assert_eq!(found.signed(&globex), Some(tree(2, 3)));
        assert_eq!(found.signed(&origin("initech")), None);
        // Nothing is written where there is nothing new, nor every time.
        assert!(one.due(true).is_none());
        one.add(&acme, tree(6, 1));
        assert!(one.due(false).is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_accepted_elsewhere_comes_back_by_nobody_who_still_remembers_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("daybook.key");
        let (acme, globex) = (origin("acme"), origin("globex"));
        let mut server = Memory::beside(&key);
        server.add(&globex, tree(50, 1));
        keep(&mut server);
        let mut command = Memory::beside(&key);
        let accepted = Checkpoint {
            origin: globex.clone(),
            size: 50,
            root: Hash([1; 32]),
        };
        command
            .accept(&globex, std::slice::from_ref(&accepted))
            .unwrap();
        command.add(&globex, tree(46, 2));
        keep(&mut command);
        // It is of another tenant that the server has something new.
        server.add(&acme, tree(7, 3));
        keep(&mut server);
        for found in [Memory::beside(&key), {
            server.look_again(&globex);
            server
        }] {
            assert_eq!(found.signed(&globex), Some(tree(46, 2)));
            assert_eq!(found.signed(&acme), Some(tree(7, 3)));
            assert!(found.is_accepted(&accepted));
        }
    }

    #[test]
    fn what_is_accepted_is_forgotten_as_signed_and_known_as_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("daybook.key");
        let acme = origin("acme");
        let mut memory = Memory::beside(&key);
        memory.add(&acme, tree(9, 1));
        keep(&mut memory);
        let checkpoint = Checkpoint {
            origin: acme.clone(),
            size: 9,
            root: Hash([1; 32]),
        };
        memory
            .accept(&acme, std::slice::from_ref(&checkpoint))
            .unwrap();
        memory.add(&acme, tree(4, 2));
        keep(&mut memory);
        let found = Memory::beside(&key);
        assert_eq!(found.signed(&acme), Some(tree(4, 2)));
        assert!(found.is_accepted(&checkpoint));
        assert_eq!(found.accepted(&acme), 9);
        let another = Checkpoint {
            root: Hash([2; 32]),
            ..checkpoint
        };
        assert!(!found.is_accepted(&another));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_belongs_to_whom_the_key_file_belongs_and_is_read_by_the_same() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("daybook.db.key");
        fs::write(&key, "secret").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        // Nobody but the superuser gives a file away.
        let is_given = chown(&key, Some(4_321), Some(4_321)).is_ok();
        let mut command = Memory::beside(&key);
        command.add(&origin("acme"), tree(5, 1));
        keep(&mut command);
        let of = |path: &Path| {
            let of = fs::metadata(path).unwrap();
            (of.uid(), of.gid(), of.mode() & 0o777)
        };
        let signed = folder.path().join("daybook.db.key.signed");
        assert_eq!(of(&signed), of(&key));
        assert_eq!(is_given, of(&signed).0 == 4_321);
        // It stays so when it is written again.
        command.add(&origin("acme"), tree(6, 1));
        keep(&mut command);
        assert_eq!(of(&signed), of(&key));
    }

    #[test]
    fn a_file_that_was_cut_off_is_none() {
        let mut known = Known::default();
        known.add("daybook/x/acme".to_owned(), tree(12, 1));
        let text = known.text();
        assert_eq!(Known::read(&text), Some(known));
        for length in 0..text.len() {
            let read = text.get(..length).and_then(Known::read);
            // What ends before a line does tells less, and nothing that is not so.
            assert!(read.is_none_or(|read| read == Known::default()), "{length}");
        }
        for broken in [
            "signed a 1\n",
            "signed a x AAAA\n",
            "x\n",
            "lost a 1 AA==\n",
        ] {
            assert_eq!(Known::read(broken), None, "{broken}");
        }
    }
}
