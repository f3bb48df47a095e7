//! API tokens: made, listed, revoked, and recognized by their secret.

use super::{
    Store,
    change::{Change, Log, target, told},
    dictionaries::damaged,
    directory::{need_tenant, need_workspace, slug, tenant_of, workspace_of},
    settings::effective_retention,
};
use crate::{
    StoreError,
    access::{Kept, Reach, Secret, TokenGrant, TokensOf, TokensScope},
    administration::{
        AdministrationError, By, CreatedToken, NewToken, Revocation, TokenListed, TokenPage,
        TokenPlace, WantedToken,
    },
    database::{self, Connection, Row},
    keys::random,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{role::TokenScope, time::Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

/// How much older than now "last used" may be before it is written again.
const LAST_USED_EVERY: i64 = 60_000_000;

/// How many tokens a page lists, of the workspace and of the tenant.
const PAGE: i64 = 50;

/// What is listed of tokens, as [`listed`] reads it.
macro_rules! list {
    ($rest:literal) => {
        concat!(
            "SELECT k.public_id, k.name, t.slug, w.slug, k.scopes, k.created_at, k.created_by, \
                 k.expires, k.oldest, k.last_used, k.revoked_at, k.revoked_by \
             FROM token k JOIN tenant t ON t.id = k.tenant LEFT JOIN workspace w ON w.id = k.workspace ",
            $rest
        )
    };
}

// Each reads one range of an index, from its end, and no more than a page of it. A tenant's own
// tokens are those of no workspace.
const GOOD: &str = list!(
    "WHERE k.tenant = ? AND k.workspace IS NOT DISTINCT FROM ? AND k.revoked_at IS NULL AND k.id < ? \
     ORDER BY k.id DESC LIMIT ?"
);
const REVOKED: &str = list!(
    "WHERE k.tenant = ? AND k.workspace IS NOT DISTINCT FROM ? AND k.revoked_at IS NOT NULL AND k.id < ? \
     ORDER BY k.id DESC LIMIT ?"
);

/// A new public id: `tok_…`, `usr_…`.
pub(super) fn public_id(prefix: &str) -> Result<String, StoreError> {
    let bytes = random::<9>()?;
    // No `-` or `_` within: ids are selected by a double click.
    let text: String = URL_SAFE_NO_PAD
        .encode(bytes)
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                'x'
            }
        })
        .collect();
    Ok(format!("{prefix}_{text}"))
}

/// A new secret of 256 bits.
pub(super) fn secret(prefix: &str) -> Result<Secret, StoreError> {
    Ok(Secret(format!(
        "{prefix}{}",
        URL_SAFE_NO_PAD.encode(random::<32>()?)
    )))
}

/// What of a secret is stored.
pub(super) fn fingerprint(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

impl Store {
    /// Makes a token; its secret is given once, and only its hash is kept.
    ///
    /// # Errors
    ///
    /// There is no such place, or the token would be good for nothing.
    pub async fn create_token(
        &self,
        token: &NewToken,
        by: &By,
    ) -> Result<Secret, AdministrationError> {
        check(token, self.now())?;
        let mut change = self.inner.change().await?;
        let result = create_token(&mut change, token, by).await;
        Ok(change.finish(result).await?.secret)
    }

    /// Makes a token of the workspace or the tenant that somebody manages; its secret is given once, and only its
    /// hash is kept.
    ///
    /// # Errors
    ///
    /// It has no name, would be good for nothing, or for no time.
    pub async fn create_token_of(
        &self,
        scope: impl Into<TokensScope>,
        wanted: WantedToken,
        by: &By,
    ) -> Result<CreatedToken, AdministrationError> {
        let token = NewToken {
            place: match scope.into().0 {
                TokensOf::Workspace(workspace) => TokenPlace::Workspace(workspace.path()),
                TokensOf::Tenant(tenant) => TokenPlace::Tenant(tenant.slug),
            },
            name: wanted.name,
            scopes: wanted.scopes,
            expires: wanted.expires,
            oldest_seconds: wanted.oldest_seconds,
        };
        check(&token, self.now())?;
        let mut change = self.inner.change().await?;
        let result = create_token(&mut change, &token, by).await;
        change.finish(result).await
    }

    /// All tokens, without their secrets: for the operator.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn tokens(&self) -> Result<Vec<TokenListed>, StoreError> {
        let rows = database::query(list!(
            "ORDER BY t.slug, w.slug IS NOT NULL, w.slug, k.created_at"
        ))
        .fetch_all(&self.inner.readers)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// A page of the tokens of a workspace or of a tenant itself, those that are good and those that
    /// were: the first, or the one after a token of an earlier page, by its id.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn tokens_of(
        &self,
        scope: impl Into<TokensScope>,
        after: Option<&str>,
    ) -> Result<TokenPage, StoreError> {
        let scope = scope.into();
        let mut connection = self.inner.readers.acquire().await?;
        let (tenant, workspace) = (scope.tenant().id, scope.workspace().map(|it| it.id));
        let (mut revoked, mut below, is_first) = match after {
            None => (false, i64::MAX, true),
            Some(id) => match found(&mut connection, &scope, id).await? {
                Some((place, token)) => (token.revoked_at.is_some(), place, false),
                None => (false, i64::MAX, true),
            },
        };
        // One more than the page has, to see whether there are more.
        let wanted = PAGE + 1;
        let mut rows = Vec::new();
        loop {
            let statement = if revoked { REVOKED } else { GOOD };
            let missing = wanted - i64::try_from(rows.len()).unwrap_or(wanted);
            rows.extend(
                database::query(statement)
                    .bind(tenant)
                    .bind(workspace)
                    .bind(below)
                    .bind(missing)
                    .fetch_all(&mut *connection)
                    .await?,
            );
            if revoked || cut(&rows) {
                break;
            }
            (revoked, below) = (true, i64::MAX);
        }
        let of_tenant = if is_first && workspace.is_some() {
            database::query(GOOD)
                .bind(tenant)
                .bind(None::<i64>)
                .bind(i64::MAX)
                .bind(wanted)
                .fetch_all(&mut *connection)
                .await?
        } else {
            Vec::new()
        };
        Ok(TokenPage {
            more: cut(&rows),
            tokens: page(&rows)?,
            more_of_tenant: cut(&of_tenant),
            of_tenant: page(&of_tenant)?,
        })
    }

    /// A token of a workspace, or of a tenant itself, by its id; none where the place has no such
    /// token, whether another has or not.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn token_of(
        &self,
        scope: impl Into<TokensScope>,
        id: &str,
    ) -> Result<Option<TokenListed>, StoreError> {
        let mut connection = self.inner.readers.acquire().await?;
        let found = found(&mut connection, &scope.into(), id).await?;
        Ok(found.map(|(_, token)| token))
    }

    /// Revokes a token: it is good for nothing from the next request on.
    ///
    /// # Errors
    ///
    /// There is no such token, or it was revoked before.
    pub async fn revoke_token(&self, id: &str, by: &By) -> Result<(), AdministrationError> {
        let mut change = self.inner.change().await?;
        let result = match revoke_token(&mut change, None, id, by).await {
            Ok(Revocation::Revoked) => Ok(()),
            Ok(Revocation::Before) => Err(AdministrationError::Invalid(format!(
                "the token {id} is revoked already"
            ))),
            Err(error) => Err(error),
        };
        change.finish(result).await
    }

    /// Revokes a token of the workspace, or of the tenant itself, that somebody manages.
    ///
    /// # Errors
    ///
    /// The place has no such token, whether another has or not.
    pub async fn revoke_token_of(
        &self,
        scope: impl Into<TokensScope>,
        id: &str,
        by: &By,
    ) -> Result<Revocation, AdministrationError> {
        let scope = scope.into();
        let mut change = self.inner.change().await?;
        let result = revoke_token(&mut change, Some(&scope), id, by).await;
        change.finish(result).await
    }

    /// The token with this secret, if it is good now. An application's many connections bring the
    /// same one at the same time: it is looked up once for all of them, never before they came.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn token(&self, secret: &str) -> Result<Option<TokenGrant>, StoreError> {
        let fingerprint = fingerprint(secret);
        // Of those who share an answer, the one who looked it up notes the use, after the others
        // have it.
        let mut is_due = false;
        let look_up = async || {
            let found = self.look_token_up(&fingerprint).await?;
            Ok::<_, StoreError>(found.map(|(grant, due)| {
                is_due = due;
                grant
            }))
        };
        let grant = self.inner.tokens.ask(&fingerprint, look_up).await?;
        if let Some(grant) = grant.as_ref().filter(|_| is_due) {
            self.note_use(grant, self.now()).await;
        }
        Ok(grant)
    }

    /// A token by its fingerprint, and whether that it is used is to be noted again.
    async fn look_token_up(
        &self,
        fingerprint: &[u8],
    ) -> Result<Option<(TokenGrant, bool)>, StoreError> {
        let now = self.now();
        let mut connection = self.inner.readers.acquire().await?;
        let row = database::query(
            "SELECT k.id, k.public_id, k.name, k.scopes, k.oldest, k.last_used, \
                 t.id, t.slug, t.name, w.id, w.slug, w.name, t.id, t.slug, t.name, \
                 w.redaction_version \
             FROM token k JOIN tenant t ON t.id = k.tenant LEFT JOIN workspace w ON w.id = k.workspace \
             WHERE k.secret = ? AND k.revoked_at IS NULL AND (k.expires IS NULL OR k.expires > ?)",
        )
        .bind(fingerprint)
        .bind(now.micros())
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let mut workspaces = Vec::new();
        let reach = if row.try_get::<Option<i64>>(9)?.is_some() {
            let workspace = workspace_of(&row, 9)?;
            let retention = effective_retention(&mut connection, workspace.id, now).await?;
            workspaces.push(Kept {
                id: workspace.id,
                slug: workspace.slug.clone(),
                retention,
                rules: self
                    .inner
                    .rules(&mut connection, workspace.id, row.try_get(15)?)
                    .await?,
            });
            Reach::Workspace(workspace)
        } else {
            let tenant = tenant_of(&row, 6)?;
            let all: Vec<(i64, String, i64)> = database::query_as(
                "SELECT id, slug, redaction_version FROM workspace WHERE tenant = ?",
            )
            .bind(tenant.id)
            .fetch_all(&mut *connection)
            .await?;
            for (id, name, version) in all {
                let retention = effective_retention(&mut connection, id, now).await?;
                workspaces.push(Kept {
                    id,
                    slug: slug(&name)?,
                    retention,
                    rules: self.inner.rules(&mut connection, id, version).await?,
                });
            }
            Reach::Tenant(tenant)
        };
        let grant = TokenGrant {
            id: row.try_get(0)?,
            public_id: row.try_get(1)?,
            name: row.try_get(2)?,
            reach,
            workspaces,
            scopes: scopes(row.try_get(3)?)?,
            oldest_seconds: row.try_get(4)?,
        };
        let last_used: Option<i64> = row.try_get(5)?;
        let is_due = last_used.is_none_or(|last| last + LAST_USED_EVERY < now.micros());
        Ok(Some((grant, is_due)))
    }

    /// Notes that a token is in use. It is not worth failing a request for.
    async fn note_use(&self, grant: &TokenGrant, now: Timestamp) {
        let noted = async {
            if let super::Kept::Postgres(server) = &self.inner.kept {
                return server.note_use(grant.id, now).await;
            }
            let mut change = self.inner.change().await?;
            let result = database::query("UPDATE token SET last_used = ? WHERE id = ?")
                .bind(now.micros())
                .bind(grant.id)
                .execute(change.connection())
                .await
                .map(drop)
                .map_err(StoreError::from);
            change.finish(result).await
        };
        match noted.await {
            // An installation that moves, or has moved, answers and notes nothing.
            Ok(()) | Err(StoreError::Moving(_)) => {}
            Err(error) => tracing::warn!(
                "the use of the token {} was not noted: {error}",
                grant.public_id
            ),
        }
    }
}

fn scopes(text: &str) -> Result<Vec<TokenScope>, StoreError> {
    serde_json::from_str(text).map_err(|_| damaged("a token's scopes are broken"))
}

/// A token from the columns of [`list`].
fn listed(row: &Row) -> Result<TokenListed, StoreError> {
    let tenant: &str = row.try_get(2)?;
    let workspace: Option<&str> = row.try_get(3)?;
    let time = |column: usize| -> Result<Option<Timestamp>, StoreError> {
        Ok(row
            .try_get::<Option<i64>>(column)?
            .map(Timestamp::from_micros))
    };
    Ok(TokenListed {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        place: workspace.map_or_else(|| tenant.to_owned(), |slug| format!("{tenant}/{slug}")),
        scopes: scopes(row.try_get(4)?)?,
        created_at: Timestamp::from_micros(row.try_get(5)?),
        created_by: row.try_get(6)?,
        expires: time(7)?,
        oldest_seconds: row.try_get(8)?,
        last_used: time(9)?,
        revoked_at: time(10)?,
        revoked_by: row.try_get(11)?,
    })
}

/// Whether there are more than a page.
fn cut(rows: &[Row]) -> bool {
    i64::try_from(rows.len()).is_ok_and(|count| count > PAGE)
}

/// No more than a page.
fn page(rows: &[Row]) -> Result<Vec<TokenListed>, StoreError> {
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    rows.iter().take(most).map(listed).collect()
}

/// A token of a workspace, or of a tenant itself, by its public id, and its number.
async fn found(
    connection: &mut Connection,
    scope: &TokensScope,
    id: &str,
) -> Result<Option<(i64, TokenListed)>, StoreError> {
    let number: Option<i64> = database::query_scalar(
        "SELECT id FROM token WHERE public_id = ? AND tenant = ? AND workspace IS NOT DISTINCT FROM ?",
    )
    .bind(id)
    .bind(scope.tenant().id)
    .bind(scope.workspace().map(|workspace| workspace.id))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(number) = number else {
        return Ok(None);
    };
    let row = database::query(list!("WHERE k.id = ?"))
        .bind(number)
        .fetch_one(connection)
        .await?;
    Ok(Some((number, listed(&row)?)))
}

/// Whether a token can be made so.
fn check(token: &NewToken, now: Timestamp) -> Result<(), AdministrationError> {
    super::directory::check_name(&token.name)?;
    if token.scopes.is_empty() {
        return Err(AdministrationError::Invalid(
            "a token needs at least one scope".into(),
        ));
    }
    if token.expires.is_some_and(|expires| expires <= now) {
        return Err(AdministrationError::Invalid(
            "the token would have expired already".into(),
        ));
    }
    Ok(())
}

async fn create_token(
    change: &mut Change<'_>,
    token: &NewToken,
    by: &By,
) -> Result<CreatedToken, AdministrationError> {
    let (log, tenant, workspace, place) = match &token.place {
        TokenPlace::Workspace(path) => {
            let workspace = need_workspace(change.connection(), path).await?;
            let log = Log::from(&workspace);
            (
                log,
                workspace.tenant.id,
                Some(workspace.id),
                path.to_string(),
            )
        }
        TokenPlace::Tenant(slug) => {
            let tenant = need_tenant(change.connection(), slug).await?;
            (Log::from(&tenant), tenant.id, None, slug.to_string())
        }
    };
    let secret = secret("dbk_")?;
    let id = public_id("tok")?;
    let scopes = serde_json::to_string(&token.scopes)
        .map_err(|error| AdministrationError::Invalid(error.to_string()))?;
    let now = change.now;
    database::query(
        "INSERT INTO token (public_id, name, tenant, workspace, secret, scopes, created_at, \
             created_by, expires, oldest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.clone())
    .bind(token.name.trim())
    .bind(tenant)
    .bind(workspace)
    .bind(fingerprint(secret.reveal()))
    .bind(scopes)
    .bind(now.micros())
    .bind(by.actor.sort_name())
    .bind(token.expires.map(Timestamp::micros))
    .bind(token.oldest_seconds)
    .execute(change.connection())
    .await
    .map_err(StoreError::from)?;
    let event = told(
        by,
        "API_TOKEN_CREATED",
        target("api_token", id.clone(), token.name.trim())?,
        None,
        Some(json!({
            "name": token.name.trim(),
            "place": place,
            "scopes": token.scopes,
            "expires": token.expires,
            "oldest_seconds": token.oldest_seconds,
        })),
    )?;
    change.record(log, event).await?;
    Ok(CreatedToken { id, secret })
}

/// Revokes a token, which must be one of `within` where that is given.
async fn revoke_token(
    change: &mut Change<'_>,
    within: Option<&TokensScope>,
    id: &str,
    by: &By,
) -> Result<Revocation, AdministrationError> {
    let missing = || AdministrationError::Missing(format!("token {id}"));
    let row = database::query(
        "SELECT id, name, tenant, workspace, revoked_at FROM token WHERE public_id = ?",
    )
    .bind(id)
    .fetch_optional(change.connection())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(missing)?;
    let column = |error: sqlx::Error| StoreError::from(error);
    let tenant: i64 = row.try_get(2).map_err(column)?;
    let workspace: Option<i64> = row.try_get(3).map_err(column)?;
    let is_there = |scope: &TokensScope| {
        tenant == scope.tenant().id && workspace == scope.workspace().map(|it| it.id)
    };
    // One of elsewhere is answered like one that never was.
    if !within.is_none_or(is_there) {
        return Err(missing());
    }
    if row.try_get::<Option<i64>>(4).map_err(column)?.is_some() {
        return Ok(Revocation::Before);
    }
    let name: String = row.try_get(1).map_err(column)?;
    let now = change.now;
    database::query("UPDATE token SET revoked_at = ?, revoked_by = ? WHERE id = ?")
        .bind(now.micros())
        .bind(by.actor.sort_name())
        .bind(row.try_get::<i64>(0).map_err(column)?)
        .execute(change.connection())
        .await
        .map_err(StoreError::from)?;
    let event = told(
        by,
        "API_TOKEN_REVOKED",
        target("api_token", id, name)?,
        Some(json!({"revoked": false})),
        Some(json!({"revoked": true})),
    )?;
    change
        .record(
            Log {
                ws: workspace.unwrap_or(-tenant),
                tenant,
            },
            event,
        )
        .await?;
    Ok(Revocation::Revoked)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{DatabaseUrl, Options};
    use sqlx::Row as _;

    #[tokio::test]
    async fn a_page_of_tokens_is_read_from_an_index_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("daybook.db"));
        let store = Store::open(Options::new(database)).await.unwrap();
        for (statement, index) in [
            (GOOD, "token_by_place"),
            (REVOKED, "token_revoked_by_place"),
        ] {
            let text =
                super::super::sql::made_of_our_own_texts(format!("EXPLAIN QUERY PLAN {statement}"));
            let steps: Vec<String> = sqlx::query(text)
                .fetch_all(store.inner.readers.sqlite().unwrap())
                .await
                .unwrap()
                .iter()
                .map(|row| row.get("detail"))
                .collect();
            let seeks = format!("SEARCH k USING INDEX {index} (tenant=? AND workspace=?");
            assert!(
                steps.iter().any(|step| step.starts_with(&seeks)),
                "{steps:?}"
            );
            assert!(
                steps.iter().all(|step| step.starts_with("SEARCH ")),
                "{steps:?}"
            );
        }
    }
}
