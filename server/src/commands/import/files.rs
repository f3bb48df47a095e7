//! The files to import: found, unpacked and read.

use super::super::CommandError;
use domain::{
    event::Bounds,
    formats::{Format, Reader, Record},
};
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// How many bytes are read at once.
const BUFFER: usize = 1024 * 1024;
/// What a gzip file begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The files to import, each of which could be opened.
#[derive(Clone, Debug)]
pub struct Inputs(Arc<[Input]>);

/// A file to import.
#[derive(Debug)]
pub struct Input {
    path: PathBuf,
    bytes: u64,
}

impl Inputs {
    /// Looks that every file is there and can be read.
    ///
    /// # Errors
    ///
    /// One cannot.
    pub fn find(files: &[PathBuf]) -> Result<Self, CommandError> {
        files
            .iter()
            .map(|path| Input::find(path))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// All of them, in the order in which they were named.
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.0.iter()
    }

    /// How many bytes they have, as they lie on the disk.
    pub fn bytes(&self) -> u64 {
        self.iter().map(|input| input.bytes).sum()
    }
}

impl Input {
    fn find(path: &Path) -> Result<Self, CommandError> {
        let about = fs::metadata(path).map_err(|error| failed(path, &error))?;
        if !about.is_file() {
            // It is read twice, which a pipe cannot be.
            let reason = format!("{} is not a file", path.display());
            return Err(CommandError::Failed(reason));
        }
        File::open(path).map_err(|error| failed(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            bytes: about.len(),
        })
    }

    /// Its name, as it was given.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Its records; `bar` goes on with every byte read.
    ///
    /// # Errors
    ///
    /// The file cannot be opened any more.
    pub fn records(
        &self,
        format: Format,
        bounds: Bounds,
        bar: &ProgressBar,
    ) -> Result<impl Iterator<Item = io::Result<Record>> + use<>, CommandError> {
        let file = File::open(&self.path).map_err(|error| failed(&self.path, &error))?;
        let input = unpacked(bar.wrap_read(file)).map_err(|error| failed(&self.path, &error))?;
        Ok(Reader::new(format, input, bounds))
    }
}

/// The bytes of a file, unpacked where they are packed with gzip, whatever its name.
pub(in crate::commands) fn unpacked(file: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut packed = BufReader::with_capacity(BUFFER, file);
    if packed.fill_buf()?.starts_with(&GZIP) {
        let unpacked = MultiGzDecoder::new(packed);
        return Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked)));
    }
    Ok(Box::new(packed))
}

fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Failed(format!("{} cannot be read: {error}", path.display()))
}
