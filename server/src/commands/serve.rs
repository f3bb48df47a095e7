//! `daybook serve`.

use super::{CommandError, Installation, say};
use crate::{
    environment::{self, VariableError},
    http::{self, Secret, ServeConfig},
};
use clap::Args;
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

/// The server and its background work; stops on SIGTERM or Ctrl-C within ten seconds
#[derive(Debug, Args)]
#[command(after_help = environment::help())]
pub struct Serve {
    /// The address to listen on, as IP:PORT; port 0 takes one that is free
    /// [default: `DAYBOOK_LISTEN`, else 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    /// Serves until it is told to stop, having finished what it accepted.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        let config = self.config()?;
        for line in words(installation, &config) {
            say(line)?;
        }
        // Before the store is opened: who is told to stop while it opens stops after it.
        let stop = stop()?;
        let store = installation.open().await?;
        // It closes the store too.
        http::serve(store, config, stop)
            .await
            .map_err(|error| CommandError::Failed(error.to_string()))
    }

    fn config(&self) -> Result<ServeConfig, VariableError> {
        let public_url = environment::PUBLIC_URL.get::<PublicUrl>()?;
        let proxies = environment::TRUSTED_PROXIES.get::<Networks>()?;
        let metrics_token = environment::METRICS_TOKEN.get::<Secret>()?;
        Ok(ServeConfig {
            listen: match self.listen {
                Some(address) => address,
                None => environment::LISTEN.value()?,
            },
            public_url: public_url.map(|PublicUrl(url)| url),
            trusted_proxies: proxies.map(|Networks(all)| all).unwrap_or_default(),
            metrics_token,
        })
    }
}

/// What the server uses, one line each, without secrets.
fn words(installation: &Installation, config: &ServeConfig) -> Vec<String> {
    let proxies: Vec<_> = config
        .trusted_proxies
        .iter()
        .map(IpNet::to_string)
        .collect();
    let cookies = if config.is_secure() {
        "cookies are Secure"
    } else {
        "cookies go over http too"
    };
    vec![
        format!("daybook {}", env!("CARGO_PKG_VERSION")),
        format!("  database         {}", installation.database),
        format!("  key file         {}", installation.key_file().display()),
        format!("  listen           {}", config.listen),
        match &config.public_url {
            Some(url) => format!("  public address   {url} ({cookies})"),
            None => format!("  public address   not set ({cookies})"),
        },
        match proxies.as_slice() {
            [] => "  trusted proxies  none".to_owned(),
            proxies => format!("  trusted proxies  {}", proxies.join(", ")),
        },
        match &config.metrics_token {
            Some(_) => "  metrics token    set (hidden)".to_owned(),
            None => "  metrics token    not set (/metrics answers to loopback only)".to_owned(),
        },
        format!("  told here        {}", environment::LOG.shown()),
    ]
}

/// Resolves when the server is told to stop, by SIGTERM or Ctrl-C.
fn stop() -> Result<impl Future<Output = ()>, CommandError> {
    let cannot = |error| CommandError::Failed(format!("signals cannot be taken: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// An address on the web where the server may be found.
struct PublicUrl(Url);

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "write where browsers find the server, such as https://audit.example.com";
        let url: Url = text.parse().map_err(|_| wanted)?;
        let alone = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if alone { Ok(Self(url)) } else { Err(wanted) }
    }
}

/// Networks, separated by commas; an address alone is a network of one.
struct Networks(Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|part| {
                let part = part.trim();
                part.parse::<IpNet>()
                    .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| {
                        format!(
                            "\"{part}\" is no address or network; write them as 10.0.0.0/8, ::1"
                        )
                    })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_an_origin() {
        for text in ["https://audit.example.com", "http://127.0.0.1:3000/"] {
            assert!(text.parse::<PublicUrl>().is_ok(), "{text}");
        }
        for text in [
            "audit.example.com",
            "ftp://audit.example.com",
            "https://example.com/audit",
            "https://u:p@example.com",
            "https://example.com?x",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let read = |text: &str| text.parse::<Networks>().map(|Networks(all)| all.len());
        assert_eq!(read("10.0.0.0/8, ::1,192.0.2.7"), Ok(3));
        assert!(read("10.0.0.0/40").is_err());
        assert!(read("proxy.example.com").is_err());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let installation = Installation {
            database: store::DatabaseUrl::Sqlite("x.db".into()),
            key_file: None,
        };
        let config = ServeConfig {
            listen: ([127, 0, 0, 1], 3000).into(),
            public_url: None,
            trusted_proxies: Vec::new(),
            metrics_token: Some(Secret::from("hunter2hunter2".to_owned())),
        };
        let shown = words(&installation, &config).join("\n");
        assert!(shown.contains("set (hidden)") && !shown.contains("hunter2"));
        assert!(shown.contains("x.db.key"));
    }
}
