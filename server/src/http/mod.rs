//! The server: how it is configured, what every request passes through, and how it stops.

#[cfg(test)]
mod access;
mod caller;
mod connections;
mod measure;
mod router;

pub use caller::Caller;
pub use measure::{CHECK_FAULTS, ENTRIES_CHECKED, EVENTS_EXPIRED, SIGN_IN_FAILURES};

use crate::{
    background,
    sign_in::Ways,
    witness::{self, Web},
};
use ipnet::IpNet;
use std::{
    any::Any, convert::Infallible, fmt, io, net::SocketAddr, str::FromStr, sync::Arc,
    time::Duration,
};
use store::{Store, StoreError};
use tokio::net::TcpListener;
use url::Url;

/// How long requests in flight may take once the server is stopping.
const LAST_REQUESTS_MOST: Duration = Duration::from_secs(7);
/// How long the last checkpoints may take after them.
const COVERING_MOST: Duration = Duration::from_secs(1);
/// How long the store may take to close, these included.
const CLOSING_MOST: Duration = Duration::from_secs(2);

/// How the server is reached, and whom it believes.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where it listens; port 0 takes one that is free.
    pub listen: SocketAddr,
    /// How people reach it from outside. With `https` cookies are `Secure`.
    pub public_url: Option<Url>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What opens `/metrics` to others than this machine.
    pub metrics_token: Option<Secret>,
    /// How people sign in.
    pub sign_in: Ways,
}

impl ServeConfig {
    /// Whether browsers reach the server by `https`.
    pub fn is_secure(&self) -> bool {
        self.public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "https")
    }
}

/// A secret of the configuration. It does not print itself.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text, to be compared.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The public address cannot be what browsers name as the origin of their requests.
    #[error("{0} cannot be the public address: it must begin with http:// or https://")]
    PublicUrl(Url),
    /// Measurements cannot be taken.
    #[error("measurements cannot be taken: {0}")]
    Metrics(String),
    /// Standard output, where the address is told, is closed.
    #[error("the address cannot be told on standard output: {0}")]
    Output(io::Error),
}

/// Serves until `stop` resolves, then finishes the requests in flight and closes the store, within
/// ten seconds in all. As soon as requests are taken, one line on standard output tells the
/// address: `listening on http://127.0.0.1:3000`.
///
/// # Errors
///
/// It could not begin.
pub async fn serve(store: Store, config: ServeConfig, stop: impl Future) -> Result<(), ServeError> {
    let address = config.listen;
    let cannot_listen = |source| ServeError::Listen { address, source };
    let metrics = measure::start().map_err(ServeError::Metrics)?;
    let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
    let config = Arc::new(ServeConfig {
        listen: listener.local_addr().map_err(cannot_listen)?,
        ..config
    });
    let router = router::router(&store, &config, metrics)?;
    tell(config.listen).map_err(ServeError::Output)?;

    let work = background::begin(&store);
    let stop = async {
        stop.await;
        // Who waits for events is answered with none: nobody has to be cut off for it.
        store.end_waits();
    };
    connections::serve(listener, router, stop, LAST_REQUESTS_MOST).await;
    drop(work);
    bring_the_last(&store).await;
    let closing = store.close_within(COVERING_MOST);
    if tokio::time::timeout(CLOSING_MOST, closing).await.is_err() {
        tracing::warn!("the store did not close in time; it is brought in order at the next start");
    }
    Ok(())
}

/// Has the last checkpoints made, and brings them to witnesses, as far as there is time.
async fn bring_the_last(store: &Store) {
    let last = async {
        store.cover().await?;
        if let Ok(web) = Web::new() {
            witness::bring_all(store, &web).await?;
        }
        Ok::<_, StoreError>(())
    };
    match tokio::time::timeout(COVERING_MOST, last).await {
        Ok(Ok(()) | Err(StoreError::Moving(_))) => {}
        Ok(Err(error)) => tracing::warn!("witnesses did not get the last checkpoints: {error}"),
        Err(_) => tracing::warn!("some witnesses did not take the last checkpoints in time"),
    }
}

fn tell(address: SocketAddr) -> io::Result<()> {
    use io::Write;
    let mut output = io::stdout().lock();
    writeln!(output, "listening on http://{address}")?;
    output.flush()
}

/// What a panic says of itself.
pub fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}
