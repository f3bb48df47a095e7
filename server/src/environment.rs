//! What is set by environment variables: each with its default and its words for `--help`.

use std::{env, ffi::OsString, fmt::Display, str::FromStr};

/// An environment variable that the program reads.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds where it is not set; empty: nothing does.
    default: &'static str,
    /// What it is for.
    about: &'static str,
}

/// Where the log is.
pub const DATABASE_URL: Variable = Variable {
    name: "DAYBOOK_DATABASE_URL",
    default: "sqlite:data/daybook.db",
    about: "where the log is, as --database: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE",
};
/// A standby of the database, which is read from too.
pub const DATABASE_READ_URL: Variable = Variable {
    name: "DAYBOOK_DATABASE_READ_URL",
    default: "",
    about: "a read replica of the PostgreSQL database, as --read-database, which pages and exports are \
            read from as far as it has kept up: postgres://USER:PASSWORD@HOST/DATABASE",
};
/// The address that the server listens on.
pub const LISTEN: Variable = Variable {
    name: "DAYBOOK_LISTEN",
    default: "127.0.0.1:3000",
    about: "the address that the server listens on, as serve --listen: IP:PORT",
};
/// The address by which browsers know the server.
pub const PUBLIC_URL: Variable = Variable {
    name: "DAYBOOK_PUBLIC_URL",
    default: "",
    about: "the address by which browsers know the server; with https:// cookies are Secure",
};
/// Who may say for whom a request was made.
pub const TRUSTED_PROXIES: Variable = Variable {
    name: "DAYBOOK_TRUSTED_PROXIES",
    default: "",
    about: "whose X-Forwarded-For is believed: addresses and networks, separated by commas",
};
/// Where the installation's secrets are.
pub const KEY_FILE: Variable = Variable {
    name: "DAYBOOK_KEY_FILE",
    default: "",
    about: "the installation's secrets; where it is not set, PATH.key beside an SQLite database, and \
            data/daybook.key with PostgreSQL",
};
/// What opens `/metrics` to others than this machine.
pub const METRICS_TOKEN: Variable = Variable {
    name: "DAYBOOK_METRICS_TOKEN",
    default: "",
    about: "who brings it may read /metrics; without it loopback alone may",
};
/// Where people sign in with an account that they have elsewhere.
pub const OIDC_ISSUER: Variable = Variable {
    name: "DAYBOOK_OIDC_ISSUER",
    default: "",
    about: "single sign-on: the OpenID Connect provider, as it names itself: https://id.example.com",
};
/// How the provider knows this installation.
pub const OIDC_CLIENT_ID: Variable = Variable {
    name: "DAYBOOK_OIDC_CLIENT_ID",
    default: "",
    about: "single sign-on: the id of this installation at the provider",
};
/// By what the provider knows this installation.
pub const OIDC_CLIENT_SECRET: Variable = Variable {
    name: "DAYBOOK_OIDC_CLIENT_SECRET",
    default: "",
    about: "single sign-on: the secret of this installation there, unless it is a public client",
};
/// Where the provider names groups.
pub const OIDC_GROUPS_CLAIM: Variable = Variable {
    name: "DAYBOOK_OIDC_GROUPS_CLAIM",
    default: "groups",
    about: "single sign-on: the claim that names somebody's groups",
};
/// What groups give.
pub const OIDC_ROLES: Variable = Variable {
    name: "DAYBOOK_OIDC_ROLES",
    default: "",
    about: "single sign-on: what groups give, as group=TENANT/WORKSPACE:role,…; the group * is \
            everybody. Where no group is *, and there is one workspace, who is new is a member of it",
};
/// Whether passwords sign in.
pub const PASSWORDS: Variable = Variable {
    name: "DAYBOOK_PASSWORDS",
    default: "on",
    about: "whether passwords sign in: on, or off where people sign in with single sign-on alone",
};
/// How much is told on standard error.
pub const LOG: Variable = Variable {
    name: "RUST_LOG",
    default: "warn,daybook=info",
    about: "how much is told on standard error",
};

const ALL: [&Variable; 14] = [
    &DATABASE_URL,
    &DATABASE_READ_URL,
    &LISTEN,
    &PUBLIC_URL,
    &TRUSTED_PROXIES,
    &KEY_FILE,
    &METRICS_TOKEN,
    &OIDC_ISSUER,
    &OIDC_CLIENT_ID,
    &OIDC_CLIENT_SECRET,
    &OIDC_GROUPS_CLAIM,
    &OIDC_ROLES,
    &PASSWORDS,
    &LOG,
];

/// An environment variable holds what cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {reason}")]
pub struct VariableError {
    name: &'static str,
    reason: String,
}

impl Variable {
    /// What it is set to; none where it is not set, or empty.
    ///
    /// # Errors
    ///
    /// It holds what cannot be read.
    pub fn get<T: FromStr<Err: Display>>(&self) -> Result<Option<T>, VariableError> {
        self.read(env::var_os(self.name))
    }

    /// What it is set to, or its default.
    ///
    /// # Errors
    ///
    /// It holds what cannot be read.
    pub fn value<T: FromStr<Err: Display>>(&self) -> Result<T, VariableError> {
        match self.get()? {
            Some(value) => Ok(value),
            None => self.parse(self.default),
        }
    }

    /// What holds in words: what it is set to, or its default.
    pub fn shown(&self) -> String {
        env::var(self.name)
            .ok()
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| self.default.to_owned())
    }

    /// The error that says what is wrong with its value.
    pub fn error(&self, reason: impl Display) -> VariableError {
        VariableError {
            name: self.name,
            reason: reason.to_string(),
        }
    }

    fn read<T: FromStr<Err: Display>>(
        &self,
        set: Option<OsString>,
    ) -> Result<Option<T>, VariableError> {
        let Some(set) = set.filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let text = set
            .into_string()
            .map_err(|_| self.error("is not text in UTF-8"))?;
        self.parse(&text).map(Some)
    }

    fn parse<T: FromStr<Err: Display>>(&self, text: &str) -> Result<T, VariableError> {
        text.parse().map_err(|error: T::Err| {
            // A secret is not repeated, not even where it is wrong.
            let secrets = [METRICS_TOKEN.name, OIDC_CLIENT_SECRET.name];
            let may_hold_one = [DATABASE_URL.name, DATABASE_READ_URL.name];
            let is_secret = secrets.contains(&self.name)
                || (may_hold_one.contains(&self.name) && text.contains("://"));
            if is_secret {
                return self.error(error);
            }
            self.error(format_args!("is \"{text}\": {error}"))
        })
    }
}

/// The variables with their defaults, for `--help`.
pub fn help() -> String {
    let mut text = "Environment:\n".to_owned();
    for Variable {
        name,
        default,
        about,
    } in ALL
    {
        let default = match *default {
            "" => "not set",
            default => default,
        };
        text.push_str("  ");
        text.push_str(name);
        text.push_str("\n          ");
        text.push_str(about);
        text.push_str(" [default: ");
        text.push_str(default);
        text.push_str("]\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        assert_eq!(LISTEN.read::<SocketAddr>(None), Ok(None));
        assert_eq!(LISTEN.read::<SocketAddr>(Some("".into())), Ok(None));
    }

    #[test]
    fn a_value_that_cannot_be_read_is_named_with_its_variable() {
        let told = LISTEN
            .read::<SocketAddr>(Some("everywhere".into()))
            .map_err(|error| error.to_string());
        assert!(
            told.as_ref()
                .is_err_and(|told| told.starts_with("DAYBOOK_LISTEN is \"everywhere\": ")),
            "{told:?}"
        );
    }

    #[test]
    fn the_password_of_a_database_is_not_repeated() {
        let set = || Some("postgres://daybook:hunter2@db:port/x".into());
        let database = DATABASE_URL.read::<store::DatabaseUrl>(set()).map(drop);
        let replica = DATABASE_READ_URL
            .read::<store::PostgresUrl>(set())
            .map(drop);
        for (told, name) in [
            (database, "DAYBOOK_DATABASE_URL "),
            (replica, "DAYBOOK_DATABASE_READ_URL "),
        ] {
            let told = told.map_err(|error| error.to_string());
            assert!(
                told.as_ref()
                    .is_err_and(|told| told.starts_with(name) && !told.contains("hunter2")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn every_variable_is_named_in_the_help_with_its_default() {
        let help = help();
        for variable in ALL {
            assert!(help.contains(variable.name));
            assert!(help.contains(variable.default));
        }
    }
}
