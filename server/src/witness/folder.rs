//! A witness that is a folder: each tenant has a file there, to which every checkpoint is added. It is
//! never made shorter; best it lies where this machine can add and not change.

use domain::proof::Note;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use store::{
    Store, StoreError,
    proof::witness::{Compared, Outcome, ToWitness},
};

/// How the files are called, after the tenant.
const ENDING: &str = "checkpoints";
/// The last checkpoint of a file lies within so many bytes of its end.
const TAIL: u64 = 64 * 1024;

/// A folder that keeps checkpoints.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder of this path.
    pub fn new(path: &str) -> Self {
        Self(path.into())
    }

    /// Makes it, where it is missing.
    ///
    /// # Errors
    ///
    /// It cannot be made, or is a file.
    pub fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)
    }

    /// Adds a checkpoint to its tenant's file, durably; not after one that the log does not begin with, which
    /// stays the last until somebody has looked at it, nor after one that goes further.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn add(&self, store: &Store, checkpoint: &ToWitness) -> Result<Outcome, StoreError> {
        let path = self.0.join(format!("{}.{ENDING}", checkpoint.slug));
        let file = path.clone();
        let last = match tokio::task::spawn_blocking(move || last_of(&file)).await {
            Ok(Ok(last)) => last,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(Err(error)) => {
                let fault = format!("the file cannot be read: {error}");
                return Ok(Outcome::Failed(fault));
            }
            Err(_) => return Ok(Outcome::Failed("the file was not read".to_owned())),
        };
        if let Some(last) = last {
            match store.compare(&last).await? {
                Compared::Conflict(conflict) => return Ok(Outcome::Conflict(conflict)),
                Compared::Past(size) if size >= checkpoint.size => return Ok(Outcome::Taken),
                Compared::Past(_) | Compared::Accepted | Compared::Strange => {}
            }
        }
        let text = checkpoint.note.to_string();
        let added = tokio::task::spawn_blocking(move || add(&path, &text)).await;
        Ok(match added {
            Ok(Ok(())) => Outcome::Taken,
            Ok(Err(error)) => Outcome::Failed(format!("the file cannot be written: {error}")),
            Err(_) => Outcome::Failed("the file was not written".to_owned()),
        })
    }

    /// The last checkpoint of each file.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be read.
    pub async fn newest(&self) -> io::Result<Vec<Note>> {
        let folder = self.0.clone();
        let read = tokio::task::spawn_blocking(move || newest(&folder)).await;
        read.map_err(io::Error::other)?
    }
}

fn add(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn newest(folder: &Path) -> io::Result<Vec<Note>> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            found.extend(last_of(&path)?);
        }
    }
    Ok(found)
}

/// The last checkpoint in a file; none where there is none that is whole.
fn last_of(path: &Path) -> io::Result<Option<Note>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    // One begins after the signatures of the one before; the last of all may be cut off.
    let mut starts: Vec<usize> = vec![0];
    let mut at = 0;
    let mut is_signed = false;
    for line in tail.split_inclusive('\n') {
        let is_signature = line.starts_with('\u{2014}');
        if is_signed && !is_signature {
            starts.push(at);
        }
        is_signed = is_signature;
        at += line.len();
    }
    let mut end = tail.len();
    for start in starts.into_iter().rev() {
        let note = tail.get(start..end).and_then(|one| one.parse().ok());
        if note.is_some() {
            return Ok(note);
        }
        end = start;
    }
    Ok(None)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::proof::Signer;

    fn note(size: usize) -> Note {
        let signer = Signer::new("a", &[1; 32]).unwrap();
        signer.sign(format!("a\n{size}\nAAAA\n"))
    }

    #[test]
    fn the_last_checkpoint_is_found_however_long_a_file_is_and_where_it_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.checkpoints");
        assert_eq!(newest(folder.path()).unwrap(), []);
        assert_eq!(newest(&folder.path().join("none")).unwrap(), []);
        for size in 0..1_000 {
            add(&path, &note(size).to_string()).unwrap();
        }
        assert!(fs::metadata(&path).unwrap().len() > TAIL);
        assert_eq!(newest(folder.path()).unwrap(), [note(999)]);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(Note::all_of(&text).unwrap().len(), 1_000);
        let cut = note(1_000).to_string();
        fs::write(&path, format!("{text}{}", &cut[..8])).unwrap();
        assert_eq!(newest(folder.path()).unwrap(), [note(999)]);
    }
}
