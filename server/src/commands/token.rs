//! `daybook token`.

use super::{
    CommandError,
    arguments::{day, days, end_of, minute},
    remark, say,
};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use domain::{
    role::TokenScope,
    slug::{Slug, WorkspacePath},
};
use store::{
    Store,
    administration::{By, NewToken, TokenListed, TokenPlace},
};

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Makes a token and prints its secret, once
    Create(Create),
    /// Lists all tokens
    List,
    /// Takes a token's rights away, from the next request on
    Revoke {
        /// The token's id, as listed: tok_…
        #[arg(long)]
        id: String,
    },
}

#[derive(Debug, Args)]
#[group(skip)]
pub struct Create {
    #[command(flatten)]
    place: PlaceArguments,
    /// Its name, which the log shows
    #[arg(long)]
    name: String,
    /// What it may do: `events:write`, `events:read`, `events:export`, `actors:write`,
    /// `events:unredacted`; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<TokenScope>,
    /// Its last day, until its end in UTC
    #[arg(long, value_name = "DATE", value_parser = day)]
    expires: Option<NaiveDate>,
    /// The oldest events that it may send, in days before now, as in 30d
    #[arg(long, value_name = "DAYS", value_parser = days)]
    oldest: Option<i64>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PlaceArguments {
    /// The workspace that it is good in, as TENANT/WORKSPACE
    #[arg(long, value_name = "W")]
    workspace: Option<WorkspacePath>,
    /// The tenant that it is good in, with all its workspaces
    #[arg(long)]
    tenant: Option<Slug>,
}

impl Token {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Create(create) => create.run(store, by).await,
            Self::List => {
                let tokens = store.tokens().await?;
                if tokens.is_empty() {
                    remark("There are no tokens; daybook token create makes one.");
                    return Ok(());
                }
                say(table(&tokens))
            }
            Self::Revoke { id } => {
                store.revoke_token(&id, by).await?;
                say(format_args!("The token {id} is revoked."))
            }
        }
    }
}

impl Create {
    async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        let place = match (self.place.workspace, self.place.tenant) {
            (Some(path), _) => TokenPlace::Workspace(path),
            (None, Some(tenant)) => TokenPlace::Tenant(tenant),
            (None, None) => {
                let reason = "a token is good in a workspace or in a tenant: say which";
                return Err(CommandError::Usage(reason.to_owned()));
            }
        };
        let expires = self.expires.map(end_of);
        if expires.is_some_and(|expires| expires <= store.now()) {
            let reason = "--expires names a day that is over already";
            return Err(CommandError::Usage(reason.to_owned()));
        }
        let mut scopes = self.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let token = NewToken {
            place,
            name: self.name,
            scopes,
            expires,
            oldest_seconds: self.oldest,
        };
        let secret = store.create_token(&token, by).await?;
        remark("Keep this secret: it is shown this once, and only its hash is stored.");
        // Alone on standard output, so that a script can take it.
        use_line(secret.reveal())
    }
}

/// Prints what a script waits for: here a reader who went away is a failure.
fn use_line(line: &str) -> Result<(), CommandError> {
    use std::io::Write;
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// The tokens as a table.
fn table(tokens: &[TokenListed]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "ID",
        "NAME",
        "GOOD IN",
        "SCOPES",
        "CREATED",
        "GOOD UNTIL",
        "LAST USED",
    ]);
    for token in tokens {
        let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        let until = match (token.revoked_at, token.expires) {
            (Some(revoked), _) => format!("revoked {}", minute(revoked)),
            (None, Some(expires)) => minute(expires),
            (None, None) => "-".to_owned(),
        };
        table.add_row([
            token.id.clone(),
            token.name.clone(),
            token.place.clone(),
            scopes.join(" "),
            minute(token.created_at),
            until,
            token.last_used.map_or_else(|| "never".to_owned(), minute),
        ]);
    }
    table.trim_fmt()
}
