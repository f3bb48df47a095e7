//! Who keeps checkpoints outside this installation, and how they are brought there.

#[cfg(test)]
mod bringing;
mod folder;
mod web;

pub use folder::Folder;
pub use web::Web;

use std::{fmt, str::FromStr, time::Duration};
use store::{
    Store, StoreError,
    proof::witness::{Outcome, Place, ToWitness, Witness},
};
use url::{Host, Url};

/// An address that checkpoints are sent to: `https`, or `http` on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "write an address such as https://witness.example.com; without https only on \
                      this machine";
        let url: Url = text.trim().parse().map_err(|_| wanted)?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_right = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        if is_right && url.has_host() && url.fragment().is_none() {
            Ok(Self(url))
        } else {
            Err(wanted)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().trim_end_matches('/').fmt(f)
    }
}

/// Brings a checkpoint to a witness, and notes what came of it. Gives whether it has it now.
///
/// # Errors
///
/// The store failed.
pub async fn bring(
    store: &Store,
    web: &Web,
    witness: &Witness,
    checkpoint: &ToWitness,
) -> Result<bool, StoreError> {
    let mut brought = checkpoint.clone();
    let outcome = match &witness.place {
        Place::File(folder) => Folder::new(folder).add(store, checkpoint).await,
        Place::Webhook(address) => Ok(web.post(address, checkpoint).await),
        Place::Daybook(address, token) => Ok(web.record(address, token, checkpoint).await),
        Place::Tlog(address, key) => {
            web.cosign(store, witness, (address, key), &mut brought)
                .await
        }
    };
    let outcome = match outcome {
        // What is wrong with one log keeps no other from its witnesses.
        Err(error @ StoreError::Damaged(_)) => Outcome::Failed(error.to_string()),
        outcome => outcome?,
    };
    store.note_witnessed(witness, &brought, &outcome).await?;
    match outcome {
        Outcome::Taken | Outcome::Signed(..) => Ok(true),
        Outcome::Failed(_) | Outcome::Ahead(_) | Outcome::Conflict(_) => Ok(false),
    }
}

/// Reads back what witnesses on this machine hold, and compares it with the log, before anything is signed
/// that conflicts with it. What does is noted.
///
/// # Errors
///
/// The store failed.
pub async fn look_back(store: &Store) -> Result<(), StoreError> {
    for witness in store.witnesses().await? {
        let Place::File(folder) = &witness.place else {
            continue;
        };
        match Folder::new(folder).newest().await {
            Ok(notes) => {
                for conflict in store.hold_to(&witness, &notes).await? {
                    tracing::error!("the witness {} {conflict}", witness.name);
                }
            }
            Err(error) => tracing::warn!(
                "what the witness {} holds cannot be compared with the log: {error}",
                witness.name
            ),
        }
    }
    Ok(())
}

/// Brings every witness what it does not hold yet, once, however short it is since the last: for a server
/// that stops.
///
/// # Errors
///
/// The store failed.
pub async fn bring_all(store: &Store, web: &Web) -> Result<(), StoreError> {
    let mut work = tokio::task::JoinSet::new();
    for witness in store.witnesses().await? {
        let (store, web) = (store.clone(), web.clone());
        work.spawn(async move {
            for (checkpoint, _) in store.to_witness(&witness).await? {
                bring(&store, &web, &witness, &checkpoint).await?;
            }
            Ok::<_, StoreError>(())
        });
    }
    while let Some(done) = work.join_next().await {
        done.map_err(|_| StoreError::Closing)??;
    }
    Ok(())
}

/// How long to wait after so many failures in a row.
pub fn patience(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_secs(5);
    const MOST: Duration = Duration::from_hours(1);
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST.saturating_mul(doubled).min(MOST)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_go_nowhere_unprotected_but_on_this_machine() {
        for text in [
            "https://w.example",
            "https://w.example/hook?key=x",
            "http://127.0.0.1:4000",
            "http://localhost/x",
            "http://[::1]:1",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text, "{text}");
        }
        for text in [
            "",
            "w.example",
            "http://w.example",
            "ftp://w.example",
            "https://w.example#x",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_does_not_answer_is_asked_less_and_less_often() {
        assert_eq!(patience(1), Duration::from_secs(5));
        assert_eq!(patience(3), Duration::from_secs(20));
        assert_eq!(patience(99), Duration::from_hours(1));
    }
}
