//! A log to record into, as applications do it through one server or several.

use crate::error::BenchError;
use domain::{
    event::NewEvent,
    question::Query,
    retention::Retention,
    role::{Role, TokenScope},
    slug::WorkspacePath,
};
use std::sync::{Arc, Mutex, PoisonError};
use store::{
    Options, Store,
    access::TokenGrant,
    administration::{By, NewPerson, NewToken, Place, TokenPlace},
    question::Count,
    recording::{Door, Receipt, Redaction},
    settings::SettingsChange,
};
use tokio::task::JoinSet;

/// The workspace that nearly everything happens in, and a small one beside it.
pub const LARGE: &str = "acme/growth";
pub const SMALL: &str = "acme/revenue";

/// Who owns the large workspace.
pub const OWNER: &str = "ingrid.solheim@acme.example";
/// The owner's password.
pub const PASSWORD: &str = "a password for measuring";

/// A log with its two workspaces, and the servers through which it is recorded into.
pub struct Log {
    servers: Vec<Server>,
    large: String,
    small: String,
}

/// One server, and who sends to each workspace through it.
#[derive(Clone)]
struct Server {
    store: Store,
    large: Door,
    small: Door,
}

impl Log {
    /// Makes a log in an empty database.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub async fn create(options: Options) -> Result<Self, BenchError> {
        let store = Store::open(options).await?;
        let by = operator();
        let place = |path: &str| {
            path.parse::<WorkspacePath>()
                .map_err(|error| BenchError::Unfit(error.to_string()))
        };
        let (large, small) = (place(LARGE)?, place(SMALL)?);
        store.create_tenant(&large.tenant, "Acme Inc", &by).await?;
        for (path, name) in [(&large, "Growth"), (&small, "Revenue")] {
            store.create_workspace(path, name, &by).await?;
            let forever = SettingsChange {
                retention: Some(Retention::Forever),
                now: true,
                ..SettingsChange::default()
            };
            if let Some(scope) = store.operator_settings(path).await? {
                store.change_settings(&scope, forever, &by).await?;
            }
        }
        let owner = NewPerson {
            email: OWNER.to_owned(),
            name: "Ingrid Solheim".to_owned(),
            place: Place::Workspace(large.clone(), Role::Owner),
            until: None,
        };
        store.create_person(&owner, PASSWORD, &by).await?;
        let mut log = Self {
            large: token(&store, large).await?,
            small: token(&store, small).await?,
            servers: Vec::new(),
        };
        log.join(store).await?;
        Ok(log)
    }

    /// A log that is there, of which one place alone is recorded into.
    ///
    /// # Errors
    ///
    /// The token is not good.
    pub async fn of_one_place(store: Store, token: String) -> Result<Self, BenchError> {
        let mut log = Self {
            large: token.clone(),
            small: token,
            servers: Vec::new(),
        };
        log.join(store).await?;
        Ok(log)
    }

    /// Records through another server of the same log too.
    ///
    /// # Errors
    ///
    /// It is another log's.
    pub async fn join(&mut self, store: Store) -> Result<(), BenchError> {
        self.servers.push(Server {
            large: door(&store, &self.large).await?,
            small: door(&store, &self.small).await?,
            store,
        });
        Ok(())
    }

    /// The same log, recorded into through its first server alone.
    pub fn alone(&self) -> Self {
        Self {
            servers: self.servers[..1].to_vec(),
            large: self.large.clone(),
            small: self.small.clone(),
        }
    }

    /// The token that reads and writes the large workspace.
    pub fn token(&self) -> &str {
        &self.large
    }

    /// Sends a batch to a workspace, and waits until it is durable; it is found from then on.
    ///
    /// # Errors
    ///
    /// It was not recorded.
    pub async fn send(&self, place: &str, batch: Vec<NewEvent>) -> Result<(), BenchError> {
        self.servers[0].send(place, batch).await
    }

    /// Records batches: all senders take one after the other until none is left, each through one of
    /// the servers.
    ///
    /// # Errors
    ///
    /// Something was not recorded.
    pub async fn record(
        &self,
        batches: Vec<(&'static str, Vec<NewEvent>)>,
        senders: usize,
    ) -> Result<(), BenchError> {
        let waiting = Arc::new(Mutex::new(batches.into_iter()));
        let mut sending = JoinSet::new();
        for server in self.servers.iter().cycle().take(senders) {
            let waiting = Arc::clone(&waiting);
            let server = server.clone();
            sending.spawn(async move {
                loop {
                    let next = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .next();
                    let Some((place, batch)) = next else {
                        return Ok::<_, BenchError>(());
                    };
                    server.send(place, batch).await?;
                }
            });
        }
        while let Some(sender) = sending.join_next().await {
            sender.map_err(|error| BenchError::Unfit(error.to_string()))??;
        }
        Ok(())
    }

    /// Waits until everything recorded is indexed.
    ///
    /// # Errors
    ///
    /// The index cannot follow.
    pub async fn wait_for_index(&self) -> Result<(), BenchError> {
        self.servers[0].store.wait_for_index(|_, _| ()).await?;
        Ok(())
    }

    /// Makes a checkpoint of what none covers.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub async fn cover(&self) -> Result<(), BenchError> {
        Ok(self.servers[0].store.cover().await?)
    }

    /// Makes sure that the large workspace holds at least so many events.
    ///
    /// # Errors
    ///
    /// It holds fewer.
    pub async fn holds(&self, expected: u64) -> Result<(), BenchError> {
        let store = &self.servers[0].store;
        let scope = grant(store, &self.large).await?.read_scope()?;
        let count = store.count(&scope, &Query::default()).await;
        if matches!(count, Ok(Count::Exactly(found)) if found >= expected) {
            return Ok(());
        }
        Err(BenchError::Unfit(format!(
            "{expected} events were recorded, and {count:?} are found"
        )))
    }

    /// Closes the log.
    pub async fn close(self) {
        for server in self.servers {
            server.store.close().await;
        }
    }
}

impl Server {
    async fn send(&self, place: &str, batch: Vec<NewEvent>) -> Result<(), BenchError> {
        let door = if place == SMALL {
            self.small.clone()
        } else {
            self.large.clone()
        };
        let store = self.store.clone();
        // As the server does: nobody waits for a thread meanwhile.
        let admitting = tokio::task::spawn_blocking(move || {
            let admitted = batch.into_iter().map(|event| store.admit(&door, event));
            admitted.collect::<Result<Vec<_>, _>>()
        });
        let admitted = admitting
            .await
            .map_err(|error| BenchError::Unfit(error.to_string()))?;
        let receipts = self
            .store
            .record(admitted.map_err(BenchError::Refused)?)
            .await?;
        let all = receipts
            .iter()
            .all(|receipt| matches!(receipt, Receipt::Recorded(_)));
        if all {
            Ok(())
        } else {
            Err(BenchError::Unfit(
                "an event was taken for a duplicate".to_owned(),
            ))
        }
    }
}

/// Makes a token that sends to a workspace and reads it.
async fn token(store: &Store, place: WorkspacePath) -> Result<String, BenchError> {
    let token = NewToken {
        place: TokenPlace::Workspace(place),
        name: "measuring".to_owned(),
        scopes: vec![TokenScope::EventsWrite, TokenScope::EventsRead],
        expires: None,
        oldest_seconds: None,
    };
    let secret = store.create_token(&token, &operator()).await?;
    Ok(secret.reveal().to_owned())
}

async fn door(store: &Store, secret: &str) -> Result<Door, BenchError> {
    Ok(Door::token(&grant(store, secret).await?, Redaction::On)?)
}

/// What a token opens.
///
/// # Errors
///
/// The token is not good.
pub async fn grant(store: &Store, secret: &str) -> Result<TokenGrant, BenchError> {
    store
        .token(secret)
        .await?
        .ok_or_else(|| BenchError::Unfit("the set's token is not good any more".to_owned()))
}

fn operator() -> By {
    By::operator("bench")
}
