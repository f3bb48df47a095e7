//! Who looked at a checkpoint too, and signed that they did (C2SP `tlog-cosignature`): a witness, with
//! Ed25519 and the time at which it saw nothing newer.

use super::note::{KeyError, Note, NoteSignature};
use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// What the specification calls an Ed25519 cosignature.
const COSIGNATURE: u8 = 4;
/// How many bytes a cosignature has: the time, and the signature.
pub const COSIGNATURE_BYTES: usize = 8 + 64;

/// The public key of a witness, and its name. Written `NAME+ID+KEY`, as witnesses publish it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

/// A witness's signature of a checkpoint, which was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The line, as it stands under the checkpoint.
    pub line: NoteSignature,
    /// When the witness signed, in seconds since 1970.
    pub at: u64,
}

impl WitnessKey {
    /// A public key that cosigns under a name.
    ///
    /// # Errors
    ///
    /// These bytes are no key, or nobody can be called so.
    pub fn new(name: &str, key: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError)?;
        if !super::note::is_name(name) || key.is_weak() {
            return Err(KeyError);
        }
        let name = name.to_owned();
        Ok(Self { name, key })
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By which its lines say whose they are: no more than a hint.
    fn id(&self) -> [u8; 4] {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', COSIGNATURE])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }

    /// The line that holds these bytes of a cosignature; as good as they are.
    pub fn line(&self, signature: Vec<u8>) -> NoteSignature {
        NoteSignature {
            name: self.name.clone(),
            key_id: self.id(),
            signature,
        }
    }

    /// The text that a witness signs.
    pub fn message(at: u64, checkpoint: &str) -> String {
        format!("cosignature/v1\ntime {at}\n{checkpoint}")
    }

    /// The witness's cosignature of a text among lines that may be of others too; none where none of them
    /// is its, and good.
    pub fn cosignature(&self, checkpoint: &str, lines: &[NoteSignature]) -> Option<Cosignature> {
        let id = self.id();
        let mut ours = lines
            .iter()
            .filter(|line| line.name == self.name && line.key_id == id);
        ours.find_map(|line| {
            let (at, signature) = line.signature.split_first_chunk::<8>()?;
            let at = u64::from_be_bytes(*at);
            let signature = Signature::from_slice(signature).ok()?;
            let message = Self::message(at, checkpoint);
            let is_good = at > 0
                && at <= i64::MAX.unsigned_abs()
                && self
                    .key
                    .verify_strict(message.as_bytes(), &signature)
                    .is_ok();
            is_good.then(|| Cosignature {
                line: line.clone(),
                at,
            })
        })
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = HEXLOWER.encode(&self.id());
        let mut bytes = vec![COSIGNATURE];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{id}+{}", self.name, BASE64.encode(&bytes))
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError)?;
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| KeyError)?;
        let (kind, key) = bytes.split_first().ok_or(KeyError)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| KeyError)?;
        let found = Self::new(name, key)?;
        if *kind != COSIGNATURE || id != HEXLOWER.encode(&found.id()) {
            return Err(KeyError);
        }
        Ok(found)
    }
}

impl Note {
    /// All notes of a text in which they stand one after the other, as whoever keeps checkpoints in a
    /// file adds them. Empty lines between them are passed over.
    ///
    /// # Errors
    ///
    /// One of them is no signed note: its place, from 1.
    pub fn all_of(text: &str) -> Result<Vec<Self>, usize> {
        let mut notes = Vec::new();
        let mut one = String::new();
        let mut is_signed = false;
        for line in text.split_inclusive('\n') {
            let is_signature = line.starts_with('\u{2014}');
            if is_signed && !is_signature {
                let note = one.parse().map_err(|_| notes.len() + 1)?;
                notes.push(note);
                one.clear();
                is_signed = false;
            }
            if one.is_empty() && line.trim().is_empty() {
                continue;
            }
            is_signed |= is_signature;
            one.push_str(line);
        }
        if !one.is_empty() {
            let note = one.parse().map_err(|_| notes.len() + 1)?;
            notes.push(note);
        }
        Ok(notes)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::proof::Signer;
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    const CHECKPOINT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn witness(name: &str, byte: u8) -> (SigningKey, WitnessKey) {
        let secret = SigningKey::from_bytes(&[byte; 32]);
        let key = WitnessKey::new(name, secret.verifying_key().as_bytes()).unwrap();
        (secret, key)
    }

    fn cosigned(secret: &SigningKey, key: &WitnessKey, at: u64, text: &str) -> NoteSignature {
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend(
            secret
                .sign(WitnessKey::message(at, text).as_bytes())
                .to_bytes(),
        );
        key.line(bytes)
    }

    #[test]
    fn the_example_of_the_specification_is_a_line_of_the_right_form() {
        let note: Note = format!(
            "{CHECKPOINT}\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXE\
             hZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
        )
        .parse()
        .unwrap();
        assert_eq!(note.signatures[0].signature.len(), COSIGNATURE_BYTES);
        let (at, _) = note.signatures[0].signature.split_first_chunk().unwrap();
        assert_eq!(u64::from_be_bytes(*at), 1_679_315_147);
    }

    #[test]
    fn a_cosignature_counts_for_its_witness_its_text_and_its_time_alone() {
        let (secret, key) = witness("w.example/1", 7);
        let line = cosigned(&secret, &key, 1_679_315_147, CHECKPOINT);
        let found = key.cosignature(CHECKPOINT, std::slice::from_ref(&line));
        assert_eq!(found.unwrap().at, 1_679_315_147);
        let (other_secret, other) = witness("w.example/1", 8);
        let unknown = cosigned(&other_secret, &other, 5, CHECKPOINT);
        // Those of others are passed over.
        let both = [unknown.clone(), line.clone()];
        assert!(key.cosignature(CHECKPOINT, &both).is_some());
        assert!(key.cosignature(CHECKPOINT, &[unknown]).is_none());
        assert!(
            key.cosignature(&format!("{CHECKPOINT}more\n"), std::slice::from_ref(&line))
                .is_none()
        );
        for place in 0..COSIGNATURE_BYTES {
            let mut altered = line.clone();
            altered.signature[place] ^= 1;
            assert!(key.cosignature(CHECKPOINT, &[altered]).is_none(), "{place}");
        }
        // Without a time it is no statement that this is the newest.
        let timeless = cosigned(&secret, &key, 0, CHECKPOINT);
        assert!(key.cosignature(CHECKPOINT, &[timeless]).is_none());
        // What signs notes cosigns none.
        let signer = Signer::new("w.example/1", &[7; 32]).unwrap();
        let signed = signer.sign(CHECKPOINT.to_owned());
        assert!(key.cosignature(CHECKPOINT, &signed.signatures).is_none());
    }

    #[test]
    fn a_witnesss_key_is_written_as_it_is_read_and_is_no_key_that_signs_notes() {
        let (_, key) = witness("w.example/1", 7);
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let signer = Signer::new("w.example/1", &[7; 32]).unwrap();
        assert!(signer.verifier().to_string().parse::<WitnessKey>().is_err());
        assert!(
            key.to_string()
                .replace("w.ex", "v.ex")
                .parse::<WitnessKey>()
                .is_err()
        );
        for odd in [
            "",
            "w",
            "w+00000000",
            "w+00000000+AAAA",
            "a b+00000000+AAAA",
        ] {
            assert!(odd.parse::<WitnessKey>().is_err(), "{odd}");
        }
    }

    #[test]
    fn what_is_cut_off_in_a_file_of_notes_is_told_by_its_place() {
        let signer = Signer::new("a", &[1; 32]).unwrap();
        let note = signer.sign("a\n1\nAAAA\n".to_owned()).to_string();
        let cut = format!("{note}{note}a\n2\n");
        assert_eq!(Note::all_of(&cut), Err(3));
        assert_eq!(Note::all_of(""), Ok(Vec::new()));
        assert_eq!(Note::all_of("\n\n"), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn notes_one_after_the_other_are_read_as_each_alone(
            sizes in prop::collection::vec((1_u64.., 0..3_usize, 0..3_usize), 0..6)
        ) {
            let signer = Signer::new("a", &[1; 32]).unwrap();
            let (secret, key) = witness("w", 7);
            let mut text = String::new();
            let mut expected = Vec::new();
            for (size, cosignatures, empty) in sizes {
                let mut note = signer.sign(format!("a\n{size}\nAAAA\n"));
                for at in 0..cosignatures {
                    let line = cosigned(&secret, &key, at as u64 + 1, &note.text);
                    note.signatures.push(line);
                }
                text.push_str(&note.to_string());
                text.push_str(&"\n".repeat(empty));
                expected.push(note);
            }
            prop_assert_eq!(Note::all_of(&text), Ok(expected));
        }
    }
}
