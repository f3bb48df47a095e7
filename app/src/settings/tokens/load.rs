//! What the server finds out for the page of API tokens.

use super::{
    said::{Came, Faults, Said},
    view::{Created, Outcome, TokenView, TokensView},
};
use crate::{
    address,
    ago::ago,
    frame::{Frame, TenantFrame},
    log::{Local, first_entry},
    refusal::Refusal,
    settings::{load::zone_of, places::Of},
    viewer::Asker,
};
use domain::{
    question::Subject,
    role::TokenScope,
    slug::{Slug, WorkspacePath},
    time::Timestamp,
};
use store::{
    access::TokensScope,
    administration::{TokenListed, TokenState},
};

/// How the secret of a token begins: what else a form gave the page to show is none of its.
const SECRETS_BEGIN: &str = "dbk_";

/// Whose tokens are managed at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A workspace.
    Workspace(WorkspacePath),
    /// A tenant itself.
    Tenant(Slug),
}

impl Owner {
    /// Reads a path: `/acme/growth/settings/tokens`, `/acme/settings/tokens`.
    pub(super) fn read(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match segments[..] {
            [tenant, workspace, "settings", "tokens"] => {
                address::workspace_path(tenant, workspace).map(Self::Workspace)
            }
            [tenant, "settings", "tokens"] => tenant.parse().ok().map(Self::Tenant),
            _ => None,
        }
    }

    /// The path.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Workspace(workspace) => address::tokens(workspace),
            Self::Tenant(tenant) => address::tenant_tokens(tenant),
        }
    }
}

/// Who asks, and whose tokens they may manage.
pub(super) async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, Of, TokensScope), Refusal> {
    let asker = asker?;
    let person = &asker.person;
    let opened = match Owner::read(path).ok_or(Refusal::NotFound)? {
        Owner::Workspace(workspace) => person.management_scope(&workspace).and_then(|scope| {
            let frame = Frame::of(person, &workspace)?;
            Ok((Of::Workspace(frame), TokensScope::from(&scope)))
        }),
        Owner::Tenant(tenant) => person.tenant_administration(&tenant).map(|scope| {
            let frame = TenantFrame::of(person, scope.tenant());
            (Of::Tenant(frame), TokensScope::from(&scope))
        }),
    };
    match opened {
        Ok((of, scope)) => Ok((asker, of, scope)),
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
    let (asker, of, scope) = opened(asker, path).await?;
    let said = Said::read(search);
    if let Some(workspace) = scope.workspace() {
        asker.remember_zone(workspace, search).await;
    }
    let now = asker.store.now();
    let zone = zone_of(search);
    let list = List {
        path: of.tokens(),
        owner: match &of {
            Of::Workspace(frame) => Owner::Workspace(frame.workspace.path.clone()),
            Of::Tenant(frame) => Owner::Tenant(frame.tenant.slug.clone()),
        },
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
        tenant_page: asker
            .person
            .tenant_administration(&scope.tenant().slug)
            .ok()
            .map(|scope| address::tenant_tokens(&scope.tenant().slug))
            .map(|page| address::in_zone(&page, &list.zone)),
        outcome,
        revoking,
        typed: said.typed.unwrap_or_default(),
        faults,
        zone: list.zone,
        of,
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
    owner: Owner,
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

    /// One of the place's own.
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
            let page = match &self.owner {
                Owner::Workspace(workspace) => address::object(workspace, &subject),
                Owner::Tenant(tenant) => address::object_in_tenant(tenant, &subject),
            };
            address::in_zone(&page, &self.zone)
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
