//! One finding-out for all who ask the same at the same time.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex as AsyncMutex;

/// Finds out what many ask at the same time once for all of them. Nobody is told what was found out
/// before they asked: whoever asks gets an answer that was begun afterwards. Nothing is kept
/// beyond those who wait.
#[derive(Debug)]
pub(crate) struct Coalescing<K, V> {
    asked: Mutex<HashMap<K, Arc<Asked<V>>>>,
}

/// What somebody asks.
#[derive(Debug)]
struct Asked<V> {
    /// How many answers were begun.
    begun: AtomicU64,
    /// The last answer, and which it is. Who finds one out holds it meanwhile.
    answer: AsyncMutex<Option<(u64, V)>>,
}

impl<K, V> Default for Coalescing<K, V> {
    fn default() -> Self {
        Self {
            asked: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Coalescing<K, V> {
    /// The answer to `key`: found out by `find`, or by somebody else who began after this was asked. Where
    /// it may be an error, that is the answer for all of them too: it may have taken long, and they would
    /// wait for their own one after the other.
    pub(crate) async fn ask(&self, key: &K, find: impl AsyncFnOnce() -> V) -> V {
        let asked = {
            let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(key.clone()).or_insert_with(|| {
                Arc::new(Asked {
                    begun: AtomicU64::new(0),
                    answer: AsyncMutex::new(None),
                })
            }))
        };
        // The entry goes with the last who waits, also where one gives up waiting.
        let asked = Waiting {
            all: self,
            key,
            asked: Some(asked),
        };
        asked.answer(find).await
    }
}

/// One who waits for an answer.
struct Waiting<'a, K: Eq + Hash, V> {
    all: &'a Coalescing<K, V>,
    key: &'a K,
    /// Taken when it lets go.
    asked: Option<Arc<Asked<V>>>,
}

impl<K: Eq + Hash, V: Clone> Waiting<'_, K, V> {
    async fn answer(&self, find: impl AsyncFnOnce() -> V) -> V {
        let Some(asked) = &self.asked else {
            return find().await;
        };
        let known = asked.begun.load(Ordering::Acquire);
        let mut answer = asked.answer.lock().await;
        if let Some((which, value)) = &*answer
            && *which > known
        {
            return value.clone();
        }
        let which = asked.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let value = find().await;
        *answer = Some((which, value.clone()));
        value
    }
}

impl<K: Eq + Hash, V> Drop for Waiting<'_, K, V> {
    fn drop(&mut self) {
        let mut all = self
            .all
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Let go of within the lock, or two who leave at the same time would each see the other.
        drop(self.asked.take());
        if all
            .get(self.key)
            .is_some_and(|asked| Arc::strong_count(asked) == 1)
        {
            all.remove(self.key);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use tokio::{sync::Notify, task::JoinSet};

    #[tokio::test]
    async fn those_who_ask_while_one_finds_out_share_the_next_answer_or_error() {
        let coalescing = Arc::new(Coalescing::<u8, Result<u64, u64>>::default());
        let found = Arc::new(AtomicU64::new(0));
        let go_on = Arc::new(Notify::new());
        let began = Arc::new(Notify::new());
        let first = tokio::spawn({
            let (coalescing, found) = (Arc::clone(&coalescing), Arc::clone(&found));
            let (began, go_on) = (Arc::clone(&began), Arc::clone(&go_on));
            async move {
                let find = async || {
                    began.notify_one();
                    go_on.notified().await;
                    Ok(found.fetch_add(1, Ordering::SeqCst))
                };
                coalescing.ask(&1, find).await
            }
        });
        began.notified().await;
        let mut others = JoinSet::new();
        for _ in 0..20 {
            let (coalescing, found) = (Arc::clone(&coalescing), Arc::clone(&found));
            others.spawn(async move {
                let find = async || Err(found.fetch_add(1, Ordering::SeqCst));
                coalescing.ask(&1, find).await
            });
        }
        // All of them wait: an entry is held by the map and by each who asks.
        let waiting = || {
            let all = coalescing.asked.lock().unwrap();
            all.get(&1).map_or(0, Arc::strong_count)
        };
        while waiting() < 22 {
            tokio::task::yield_now().await;
        }
        go_on.notify_one();
        assert_eq!(first.await.unwrap(), Ok(0));
        let answers = others.join_all().await;
        // Not the first one's: that was begun before they asked.
        assert_eq!(answers, [Err(1); 20]);
        assert!(coalescing.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_finding_out_leaves_it_to_the_next() {
        let coalescing = Arc::new(Coalescing::<u8, u64>::default());
        let began = Arc::new(Notify::new());
        let first = tokio::spawn({
            let (coalescing, began) = (Arc::clone(&coalescing), Arc::clone(&began));
            async move {
                let find = async || {
                    began.notify_one();
                    std::future::pending().await
                };
                coalescing.ask(&1, find).await
            }
        });
        began.notified().await;
        first.abort();
        assert_eq!(coalescing.ask(&1, async || 7).await, 7);
        assert!(first.await.is_err());
        assert!(coalescing.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn nothing_is_kept() {
        let coalescing = Coalescing::<u8, Result<u64, &str>>::default();
        for answer in [Err("broken"), Ok(7), Ok(8)] {
            assert_eq!(coalescing.ask(&1, async || answer).await, answer);
        }
        assert!(coalescing.asked.lock().unwrap().is_empty());
    }
}
