//! `daybook serve`.

use super::{CommandError, Installation, say, told_to_stop};
use crate::{
    environment::{self, VariableError},
    http::{self, Secret, ServeConfig},
    sign_in::{
        Ways,
        oidc::{Issuer, Provider, Registration},
    },
    witness,
};
use clap::Args;
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};
use store::{Store, StoreError, sign_on::GroupRoles};
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

/// How long it is waited for what witnesses hold.
const LOOK_BACK: Duration = Duration::from_secs(5);

/// Compares the log with what witnesses on this machine hold. Whatever is in the way of that is told, and keeps
/// nobody from recording.
async fn look_back(store: &Store) {
    let why = match tokio::time::timeout(LOOK_BACK, witness::look_back(store)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!("what witnesses hold was not compared with the log: {why}");
}

impl Serve {
    /// Serves until it is told to stop, having finished what it accepted.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        let config = self.config()?;
        for line in words(installation, &config) {
            say(line)?;
        }
        // Before the store is opened: who is told to stop while it opens stops after it.
        let stop = told_to_stop()?;
        let store = installation.open().await?;
        if let Some(target) = store.moves_to().await? {
            tracing::warn!(
                "this installation was taken to {target} by daybook copy: questions are answered, and \
                 nothing is recorded or changed here"
            );
        }
        if let Some(provider) = config.sign_in.provider() {
            warn_of_unknown(&store, provider.roles()).await?;
        }
        // Before anything is signed that conflicts with what they hold.
        look_back(&store).await;
        // It closes the store too.
        http::serve(store, config, stop)
            .await
            .map_err(|error| CommandError::Failed(error.to_string()))
    }

    fn config(&self) -> Result<ServeConfig, VariableError> {
        let public_url = environment::PUBLIC_URL.get::<PublicUrl>()?;
        let proxies = environment::TRUSTED_PROXIES.get::<Networks>()?;
        let metrics_token = environment::METRICS_TOKEN.get::<Secret>()?;
        let public_url = public_url.map(|PublicUrl(url)| url);
        let sign_in = ways(public_url.as_ref())?;
        Ok(ServeConfig {
            listen: match self.listen {
                Some(address) => address,
                None => environment::LISTEN.value()?,
            },
            public_url,
            trusted_proxies: proxies.map(|Networks(all)| all).unwrap_or_default(),
            metrics_token,
            sign_in,
        })
    }
}

/// How people sign in, by what is set.
fn ways(public_url: Option<&Url>) -> Result<Ways, VariableError> {
    use environment::{
        OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_GROUPS_CLAIM, OIDC_ISSUER, OIDC_ROLES, PASSWORDS,
        PUBLIC_URL,
    };
    let Switch(passwords) = PASSWORDS.value()?;
    let client_id = OIDC_CLIENT_ID.get::<String>()?;
    let client_secret = OIDC_CLIENT_SECRET.get::<String>()?;
    let roles = OIDC_ROLES.get::<GroupRoles>()?;
    let Some(issuer) = OIDC_ISSUER.get::<Issuer>()? else {
        if !passwords {
            return Err(PASSWORDS
                .error("is \"off\", and DAYBOOK_OIDC_ISSUER is not set: nobody could sign in"));
        }
        let alone = [
            client_id.is_some().then_some(&OIDC_CLIENT_ID),
            client_secret.is_some().then_some(&OIDC_CLIENT_SECRET),
            roles.is_some().then_some(&OIDC_ROLES),
        ];
        return match alone.into_iter().flatten().next() {
            Some(alone) => Err(OIDC_ISSUER.error(format_args!(
                "is not set, but {} is: single sign-on needs both",
                alone.name
            ))),
            None => Ok(Ways::Passwords),
        };
    };
    let missing = |variable: &environment::Variable, what: &str| {
        variable.error(format_args!(
            "is not set, and single sign-on (DAYBOOK_OIDC_ISSUER) needs it: {what}"
        ))
    };
    let client_id =
        client_id.ok_or_else(|| missing(&OIDC_CLIENT_ID, "the id that the provider gave you"))?;
    let public_url = public_url.ok_or_else(|| {
        missing(
            &PUBLIC_URL,
            "the provider sends people back there, such as https://audit.example.com",
        )
    })?;
    let provider = Provider::new(Registration {
        issuer,
        client_id,
        client_secret,
        public_url: public_url.clone(),
        groups_claim: OIDC_GROUPS_CLAIM.value()?,
        roles: roles.unwrap_or_default(),
    });
    let provider = Arc::new(provider.map_err(|error| OIDC_ISSUER.error(error))?);
    Ok(if passwords {
        Ways::Both(provider)
    } else {
        Ways::SignOn(provider)
    })
}

/// Tells of workspaces that groups should open and that are not there. They may come later.
async fn warn_of_unknown(store: &Store, roles: &GroupRoles) -> Result<(), StoreError> {
    for role in roles.all() {
        if store.workspace(&role.workspace).await?.is_none() {
            tracing::warn!(
                "{} names the workspace {}, which is not there (yet)",
                environment::OIDC_ROLES.name,
                role.workspace
            );
        }
    }
    Ok(())
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
    let mut words = vec![
        format!("daybook {}", env!("CARGO_PKG_VERSION")),
        format!("  database         {}", installation.database),
        match &installation.replica {
            Some(replica) => format!("  read replica     {replica}"),
            None => "  read replica     not set".to_owned(),
        },
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
    ];
    words.extend(words_of_signing_in(&config.sign_in));
    words.push(format!("  told here        {}", environment::LOG.shown()));
    words
}

fn words_of_signing_in(ways: &Ways) -> Vec<String> {
    let mut words = Vec::new();
    match ways.provider() {
        None => words.push("  single sign-on   not set".to_owned()),
        Some(provider) => {
            let secret = if provider.has_secret() {
                "secret set (hidden)"
            } else {
                "no secret: a public client"
            };
            let roles = match provider.roles().all().len() {
                0 => "groups give no roles".to_owned(),
                1 => "1 role for groups".to_owned(),
                some => format!("{some} roles for groups"),
            };
            words.push(format!("  single sign-on   {}", provider.issuer()));
            words.push(format!(
                "    client         {} ({secret})",
                provider.client_id()
            ));
            words.push(format!("    back to        {}", provider.redirect()));
            words.push(format!(
                "    groups         claim {}, {roles}",
                provider.groups_claim()
            ));
        }
    }
    words.push(format!(
        "  passwords        {}",
        if ways.take_passwords() { "on" } else { "off" }
    ));
    words
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

/// `on` or `off`.
struct Switch(bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("write on or off"),
        }
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
#[expect(clippy::unwrap_used, reason = "tests")]
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
            replica: None,
            key_file: None,
        };
        let provider = Provider::new(Registration {
            issuer: "https://id.example.com".parse().unwrap(),
            client_id: "daybook".to_owned(),
            client_secret: Some("hunter2hunter2".to_owned()),
            public_url: "https://audit.example.com".parse().unwrap(),
            groups_claim: "groups".to_owned(),
            roles: GroupRoles::default(),
        })
        .unwrap();
        let config = ServeConfig {
            listen: ([127, 0, 0, 1], 3000).into(),
            public_url: None,
            trusted_proxies: Vec::new(),
            metrics_token: Some(Secret::from("hunter2hunter2".to_owned())),
            sign_in: Ways::Both(Arc::new(provider)),
        };
        let shown = words(&installation, &config).join("\n");
        assert!(shown.contains("set (hidden)") && !shown.contains("hunter2"));
        assert!(shown.contains("x.db.key"));
        assert!(shown.contains("https://audit.example.com/login/oidc/callback"));
    }
}
