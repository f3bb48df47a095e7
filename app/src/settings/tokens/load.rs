//! What the server finds out for the page of API tokens.

use super::{
    said::{Came, Faults, Said},
    view::{Created, Outcome, TokenView, TokensView},
};
use crate::{
    address,
    ago::ago,
    frame::Frame,
    log::{Local, first_entry},
    refusal::Refusal,
    settings::load::zone_of,
    viewer::Asker,
};
use domain::{question::Subject, role::TokenScope, slug::WorkspacePath, time::Timestamp};
use store::{
    access::ManagementScope,
    administration::{TokenListed, TokenState},
};

/// How the secret of a token begins: what else a form gave the page to show is none of its.
const SECRETS_BEGIN: &str = "dbk_";

/// The workspace whose tokens are managed at a path.
pub(super) fn workspace(path: &str) -> Option<WorkspacePath> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, workspace, "settings", "tokens"] => address::workspace_path(tenant, workspace),
        _ => None,
    }
}

/// Who asks, and whose tokens they may manage.
pub(super) async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, ManagementScope), Refusal> {
    let asker = asker?;
    let workspace = workspace(path).ok_or(Refusal::NotFound)?;
    match asker.person.management_scope(&workspace) {
        Ok(scope) => Ok((asker, scope)),
        Err(refused) => Err(asker.management_refusal(refused).await),
    }
}

/// The tokens at `path`, on the page of them that the query string asks for. `secret`: what the form
/// before gave this page to show.
pub(super) async fn tokens(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
    secret: Option<String>,
) -> Result<TokensView, Refusal> {
    let (asker, scope) = opened(asker, path).await?;
    let said = Said::read(search);
    let frame = match Frame::of(&asker.person, &scope.workspace().path()) {
        Ok(frame) => frame,
        Err(refused) => return Err(asker.management_refusal(refused).await),
    };
    let now = asker.store.now();
    let zone = zone_of(search);
    let list = List {
        path: address::tokens(&frame.workspace.path),
        workspace: frame.workspace.path.clone(),
        local: Local::new(&zone, now),
        zone: zone.to_string(),
        after: said.after.clone(),
        now,
    };
    let page = asker.store.tokens_of(&scope, said.after.as_deref()).await?;
    let older = page
        .tokens
        .last()
        .filter(|_| page.more)
        .map(|last| list.after(Some(last.id.clone())));
    let (mut outcome, mut revoking) = (None, None);
    match &said.outcome {
        None => {}
        Some(Came::Failed) => outcome = Some(Outcome::Failed),
        Some(Came::Unknown) => outcome = Some(Outcome::Unknown),
        Some(
            came @ (Came::Created(id) | Came::Revoke(id) | Came::Revoked(id) | Came::Before(id)),
        ) => match asker.store.token_of(&scope, id).await? {
            None => outcome = Some(Outcome::Unknown),
            Some(token) => {
                let is_revoked = token.state(now) == TokenState::Revoked;
                let shown = list.token(&token);
                match came {
                    Came::Created(_) => {
                        let secret = secret
                            .filter(|secret| secret.starts_with(SECRETS_BEGIN))
                            .map(|secret| {
                                let command = command(&token, &secret, &asker.request.public_url);
                                (secret, command)
                            });
                        outcome = Some(Outcome::Created(Created {
                            token: shown,
                            secret,
                        }));
                    }
                    Came::Revoke(_) if !is_revoked => revoking = Some(shown),
                    // An address that was kept says only what is so.
                    Came::Revoked(_) if !is_revoked => {}
                    Came::Revoked(_) => outcome = Some(Outcome::Revoked(shown)),
                    _ if is_revoked => outcome = Some(Outcome::RevokedBefore(shown)),
                    _ => {}
                }
            }
        },
    }
    let faults = match &said.typed {
        Some(typed) => typed.wanted(now).err().unwrap_or_default(),
        None => Faults::default(),
    };
    Ok(TokensView {
        today: now.datetime().date_naive().to_string(),
        tokens: page.tokens.iter().map(|token| list.token(token)).collect(),
        here: list.after(said.after.clone()),
        first: said.after.is_some().then(|| list.after(None)),
        older,
        of_tenant: page
            .of_tenant
            .iter()
            .map(|token| list.token_of_tenant(token))
            .collect(),
        more_of_tenant: page.more_of_tenant,
        outcome,
        revoking,
        typed: said.typed.unwrap_or_default(),
        faults,
        zone: list.zone,
        frame,
    })
}

/// A command that tries a new token: it sends a first entry, or asks for the newest.
fn command(token: &TokenListed, secret: &str, public_url: &str) -> Option<String> {
    let line = if token.scopes.contains(&TokenScope::EventsWrite) {
        first_entry(public_url)
    } else if token.scopes.contains(&TokenScope::EventsRead) {
        format!(
            "curl \"{public_url}/api/v1/events?limit=5\" \\\n  \
             -H \"Authorization: Bearer $DAYBOOK_TOKEN\""
        )
    } else {
        return None;
    };
    Some(format!("DAYBOOK_TOKEN={secret}\n{line}"))
}

/// Where tokens are listed, and how their times are written.
struct List {
    path: String,
    workspace: WorkspacePath,
    local: Local,
    zone: String,
    after: Option<String>,
    now: Timestamp,
}

impl List {
    /// The page after a token.
    fn after(&self, after: Option<String>) -> String {
        let said = Said {
            after,
            ..Said::default()
        };
        said.address(&self.path, &self.zone)
    }

    /// One of the workspace.
    fn token(&self, token: &TokenListed) -> TokenView {
        let revoke = Said {
            after: self.after.clone(),
            outcome: Some(Came::Revoke(token.id.clone())),
            typed: None,
        };
        let history = "api_token".parse().ok().map(|kind| {
            let subject = Subject {
                kind,
                id: token.id.clone(),
            };
            address::in_zone(&address::object(&self.workspace, &subject), &self.zone)
        });
        TokenView {
            revoke: (token.state(self.now) != TokenState::Revoked)
                .then(|| revoke.address(&self.path, &self.zone)),
            history,
            ..self.token_of_tenant(token)
        }
    }

    /// One of the tenant: it is neither changed here nor told of in the workspace's log.
    fn token_of_tenant(&self, token: &TokenListed) -> TokenView {
        let when = |time: Timestamp| self.local.when(time);
        TokenView {
            id: token.id.clone(),
            name: token.name.clone(),
            scopes: token.scopes.iter().map(|scope| scope.as_str()).collect(),
            oldest: token.oldest_seconds.map(|seconds| {
                let days = seconds / 86_400;
                let s = if days == 1 { "" } else { "s" };
                format!("nothing older than {days} day{s}")
            }),
            created: when(token.created_at),
            created_by: token.created_by.clone(),
            last_used: token.last_used.map(|used| {
                let used_at = when(used);
                let passed = self.now.micros() / 1_000 - used_at.millis;
                let words = ago(passed, used_at.days_ago);
                (used_at, words)
            }),
            expires: token.expires.map(when),
            state: token.state(self.now),
            revoked: token.revoked_at.map(when),
            revoked_by: token.revoked_by.clone(),
            history: None,
            revoke: None,
        }
    }
}
