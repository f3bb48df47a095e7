//! Signed notes (C2SP `signed-note`): a text, and under it lines of those who signed it. Daybook signs
//! with Ed25519, and passes over signatures of other kinds.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// What the specification calls Ed25519.
const ED25519: u8 = 1;
/// So many signatures of a note are read.
const SIGNATURES_MOST: usize = 64;

/// A text is not a verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a verifier key of Ed25519, which is written NAME+ID+KEY")]
pub struct KeyError;

/// Whether a key may be called so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .contains(|letter: char| letter == '+' || letter.is_whitespace() || letter.is_control())
}

/// By which a note's signature says whose it is: no more than a hint.
fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

/// A public key and its name, by which notes are verified. Written `NAME+ID+KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A public key that signs under a name.
    ///
    /// # Errors
    ///
    /// These bytes are no key, or nobody can be called so.
    pub fn new(name: &str, key: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError)?;
        if !is_name(name) || key.is_weak() {
            return Err(KeyError);
        }
        let name = name.to_owned();
        Ok(Self { name, key })
    }

    /// Under which name it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key itself.
    pub fn key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The key's fingerprint, SHA-256 in hexadecimal digits: the same for every tenant.
    pub fn fingerprint(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.key.as_bytes()))
    }

    /// The note that this key signed so. It is as good as its signature.
    pub fn signed(&self, text: String, signature: Vec<u8>) -> Note {
        let line = NoteSignature {
            name: self.name.clone(),
            key_id: key_id(&self.name, &self.key),
            signature,
        };
        Note {
            text,
            signatures: vec![line],
        }
    }

    /// Whether this line says that it is of this key.
    fn may_have_made(&self, line: &NoteSignature) -> bool {
        line.name == self.name && line.key_id == key_id(&self.name, &self.key)
    }

    fn verifies(&self, text: &str, line: &NoteSignature) -> bool {
        let Ok(signature) = Signature::from_slice(&line.signature) else {
            return false;
        };
        self.key.verify_strict(text.as_bytes(), &signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, key } = self;
        let id = HEXLOWER.encode(&key_id(name, key));
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(key.as_bytes());
        write!(f, "{name}+{id}+{}", BASE64.encode(&bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError)?;
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| KeyError)?;
        let (kind, key) = bytes.split_first().ok_or(KeyError)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| KeyError)?;
        let found = Self::new(name, key)?;
        if *kind != ED25519 || id != HEXLOWER.encode(&key_id(name, &found.key)) {
            return Err(KeyError);
        }
        Ok(found)
    }
}

/// A secret key and the name under which it signs. It does not print itself.
#[derive(Clone)]
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.name)
    }
}

impl Signer {
    /// The key made of a secret, under a name.
    ///
    /// # Errors
    ///
    /// Nobody can be called so.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(secret);
        if !is_name(name) {
            return Err(KeyError);
        }
        let name = name.to_owned();
        Ok(Self { name, key })
    }

    /// By which its notes are verified.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs a text, which ends its last line.
    pub fn sign(&self, text: String) -> Note {
        let signature = ed25519_dalek::Signer::sign(&self.key, text.as_bytes());
        self.verifier().signed(text, signature.to_bytes().to_vec())
    }
}

/// A line under a note: who says to have signed it, and what they wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// What its id is.
    pub key_id: [u8; 4],
    /// The signature, of whatever kind.
    pub signature: Vec<u8>,
}

/// A text with those who signed it; nothing of it counts before it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text, whose last line is ended.
    pub text: String,
    /// Who signed.
    pub signatures: Vec<NoteSignature>,
}

/// A text is no signed note, or nobody who is known signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no signed note.
    #[error(
        "is no signed note: a text, an empty line, and lines that begin with \u{2014} and a name"
    )]
    Malformed,
    /// None of the known keys signed it.
    #[error("is signed by none of the known keys")]
    Unknown,
    /// It says to be signed by a known key, and is not.
    #[error("is signed by a known key, but not as it stands: it was altered")]
    Altered,
}

impl Note {
    /// By which of these keys it is signed.
    ///
    /// # Errors
    ///
    /// By none, or a signature that says to be of one of them is not.
    pub fn verified_by<'k>(&self, keys: &'k [VerifierKey]) -> Result<&'k VerifierKey, NoteError> {
        let mut found = Err(NoteError::Unknown);
        for line in &self.signatures {
            for key in keys.iter().filter(|key| key.may_have_made(line)) {
                if !key.verifies(&self.text, line) {
                    return Err(NoteError::Altered);
                }
                found = found.or(Ok(key));
            }
        }
        found
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let mut bytes = line.key_id.to_vec();
            bytes.extend_from_slice(&line.signature);
            writeln!(f, "\u{2014} {} {}", line.name, BASE64.encode(&bytes))?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let is_plain = text.chars().all(|letter| letter == '\n' || letter >= ' ');
        // The last empty line is what the text ends before.
        let (body, lines) = text
            .rfind("\n\n")
            .and_then(|at| Some((text.get(..=at)?, text.get(at + 2..)?)))
            .filter(|_| is_plain)
            .ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures = lines
            .split('\n')
            .take(SIGNATURES_MOST + 1)
            .map(signature)
            .collect::<Option<Vec<_>>>()
            .filter(|signatures| signatures.len() <= SIGNATURES_MOST)
            .ok_or(NoteError::Malformed)?;
        Ok(Self {
            text: body.to_owned(),
            signatures,
        })
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        signature(line).ok_or(NoteError::Malformed)
    }
}

/// A line of a signature.
fn signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
    let (key_id, signature) = bytes.split_first_chunk()?;
    (is_name(name) && !signature.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        key_id: *key_id,
        signature: signature.to_vec(),
    })
}
