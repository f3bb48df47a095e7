//! Whether anything that goes into the bundle has changed.

use crate::Result;
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// All that the bundle is made from or with, but for the compiler.
const INPUTS: [&str; 9] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "app",
    "domain",
    "frontend",
    "package-lock.json",
    "style",
    "xtask",
];

/// A hash, in hexadecimal, of every input's path and content and of `also`.
///
/// # Errors
/// When an input is missing or cannot be read.
pub fn hash(also: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        collect(Path::new(input), &mut files)?;
    }
    files.sort();

    let mut hasher = Sha256::new();
    let mut add = |bytes: &[u8]| {
        // With its length, so that what ends here and begins there cannot be confused.
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for file in files {
        add(file.as_os_str().as_encoded_bytes());
        add(&fs::read(&file)?);
    }
    for part in also {
        add(part.as_bytes());
    }
    Ok(hexadecimal(&hasher.finalize()))
}

/// Bytes in lowercase hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
