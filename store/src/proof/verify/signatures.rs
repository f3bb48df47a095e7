//! The signatures of checkpoints, verified in threads while the log is read on: a log that grows slowly has
//! almost as many checkpoints as entries, and a signature takes longer than an entry.

use crate::StoreError;
use domain::proof::{Checkpoint, VerifierKey};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::task::JoinHandle;

/// So many are verified at a time.
const PIECE: usize = 128;
/// So many pieces are verified while others are gathered.
const AHEAD: usize = 4;

/// A checkpoint that the database says is signed so.
struct Signed {
    checkpoint: Checkpoint,
    key: i64,
    signature: Vec<u8>,
}

/// A tenant's keys by their numbers, under the name that they sign its checkpoints with.
type Keys = Arc<HashMap<i64, VerifierKey>>;

/// Signatures that are being verified.
pub(super) struct Signatures {
    keys: Keys,
    gathered: Vec<Signed>,
    /// Each gives the size of the first checkpoint that is not signed as it says.
    under_way: VecDeque<JoinHandle<Option<u64>>>,
}

impl Signatures {
    /// None yet.
    pub(super) fn new(keys: HashMap<i64, VerifierKey>) -> Self {
        Self {
            keys: Arc::new(keys),
            gathered: Vec::new(),
            under_way: VecDeque::new(),
        }
    }

    /// Adds one. Gives the size of the first, so far, that is not signed as it says; it may be told of
    /// later.
    pub(super) async fn add(
        &mut self,
        checkpoint: Checkpoint,
        key: i64,
        signature: Vec<u8>,
    ) -> Result<Option<u64>, StoreError> {
        self.gathered.push(Signed {
            checkpoint,
            key,
            signature,
        });
        if self.gathered.len() < PIECE {
            return Ok(None);
        }
        self.begin();
        if self.under_way.len() <= AHEAD {
            return Ok(None);
        }
        self.first().await
    }

    /// Waits for all: the size of the first that is not signed as it says.
    pub(super) async fn settle(&mut self) -> Result<Option<u64>, StoreError> {
        self.begin();
        while !self.under_way.is_empty() {
            let wrong = self.first().await?;
            if wrong.is_some() {
                return Ok(wrong);
            }
        }
        Ok(None)
    }

    fn begin(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let (gathered, keys) = (std::mem::take(&mut self.gathered), Arc::clone(&self.keys));
        self.under_way
            .push_back(tokio::task::spawn_blocking(move || {
                let wrong = gathered.into_iter().find(|signed| !is_right(signed, &keys));
                wrong.map(|signed| signed.checkpoint.size)
            }));
    }

    async fn first(&mut self) -> Result<Option<u64>, StoreError> {
        match self.under_way.pop_front() {
            Some(first) => first.await.map_err(|_| StoreError::Closing),
            None => Ok(None),
        }
    }
}

fn is_right(signed: &Signed, keys: &HashMap<i64, VerifierKey>) -> bool {
    keys.get(&signed.key).is_some_and(|key| {
        let note = key.signed(signed.checkpoint.to_string(), signed.signature.clone());
        note.verified_by(std::slice::from_ref(key)).is_ok()
    })
}
