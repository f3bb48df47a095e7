//! Whether a standby answers. One that takes what is asked and says nothing would cost everybody who asks
//! it the wait: after one who waited in vain, the others pass it by for a while.

use super::within;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long it is passed by at the least.
const LASTS: Duration = Duration::from_secs(5);

/// When a standby answered last, and since when it has been silent.
#[derive(Debug, Default)]
pub(crate) struct Silence(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    last: Option<Instant>,
    silent: Option<Instant>,
}

impl Silence {
    fn heard_of(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was answered.
    fn heard(&self) {
        self.heard_of().last = Some(Instant::now());
    }

    /// What was asked then was waited for in vain. Where others were answered meanwhile, it was only too
    /// much that was asked, or there were too many who asked.
    pub(crate) fn missed(&self, asked: Instant) {
        let mut heard = self.heard_of();
        if heard.last.is_none_or(|last| last < asked) {
            heard.silent = Some(Instant::now());
        }
    }

    /// Whether it is to be passed by.
    pub(crate) fn is_on(&self) -> bool {
        self.heard_of().silent.is_some()
    }

    /// It said that it is well: tells whether it is to be passed by all the same, because whoever asked
    /// more of it waited in vain just now.
    pub(crate) fn goes_on(&self, now: Instant) -> bool {
        let mut heard = self.heard_of();
        heard.silent = heard.silent.filter(|since| now < *since + LASTS);
        heard.silent.is_some()
    }
}

/// How long an answer is waited for, and where it is noted whether one came.
pub(super) struct Patience {
    pub(super) limit: Duration,
    pub(super) silence: Option<Arc<Silence>>,
}

impl Patience {
    /// Waits for an answer. What is given up must not be gone on with on the same connection.
    pub(super) async fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let asked = Instant::now();
        let answered = within(self.limit, answer).await;
        if let Some(silence) = &self.silence {
            match &answered {
                Ok(_) | Err(sqlx::Error::Database(_)) => silence.heard(),
                Err(_) if asked.elapsed() >= self.limit => silence.missed(asked),
                // It was there to break off.
                Err(_) => {}
            }
        }
        answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    fn patience(silence: &Arc<Silence>) -> Patience {
        Patience {
            limit: Duration::from_millis(50),
            silence: Some(Arc::clone(silence)),
        }
    }

    #[tokio::test]
    async fn who_waits_in_vain_is_the_last_to_ask_for_a_while() {
        let silence = Arc::new(Silence::default());
        let patience = patience(&silence);
        assert_eq!(patience.wait(ready(Ok(7))).await.ok(), Some(7));
        assert!(!silence.is_on());
        assert!(patience.wait(pending::<Result<(), _>>()).await.is_err());
        let now = Instant::now();
        assert!(silence.is_on());
        assert!(silence.goes_on(now) && silence.is_on());
        assert!(!silence.goes_on(now + LASTS) && !silence.is_on());
    }

    #[tokio::test]
    async fn one_that_answers_others_is_asked_on() {
        let silence = Arc::new(Silence::default());
        let patience = patience(&silence);
        let another = patience.wait(ready(Ok(())));
        let (waited, _) = tokio::join!(patience.wait(pending::<Result<(), _>>()), another);
        assert!(waited.is_err() && !silence.is_on());
    }

    #[tokio::test]
    async fn who_is_told_at_once_that_it_broke_off_did_not_wait() {
        let silence = Arc::new(Silence::default());
        let broken = Err::<(), _>(sqlx::Error::PoolClosed);
        assert!(patience(&silence).wait(ready(broken)).await.is_err());
        assert!(!silence.is_on());
    }
}
