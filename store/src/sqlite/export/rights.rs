//! Whether somebody who takes a log away still may: an export can take long, and what was revoked is
//! to stop.

use crate::{
    StoreError,
    access::{ExportScope, Holder},
    database,
    sqlite::{Inner, dictionaries::damaged, sign_in::is_shut_out},
};
use domain::role::Role;

/// The token ?1, where it is good at the time ?2.
pub(in crate::sqlite) const TOKEN: &str = "SELECT 1 FROM token WHERE id = ?1 AND revoked_at IS NULL AND (expires IS NULL OR expires > ?2)";

/// The roles of the person ?1 at the time ?2 in the tenant ?3 and the workspace ?4.
pub(in crate::sqlite) const ROLES: &str = "SELECT 'tenant_admin' FROM tenant_admin \
         WHERE person = ?1 AND tenant = ?3 AND (until IS NULL OR until > ?2) \
     UNION ALL SELECT role FROM membership \
         WHERE person = ?1 AND workspace = ?4 AND deactivated_at IS NULL \
             AND (until IS NULL OR until > ?2)";

impl Inner {
    /// Whether the right to export is still its holder's.
    pub(in crate::sqlite) async fn may_still_export(
        &self,
        scope: &ExportScope,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut connection = self.readers.acquire().await?;
        match scope.holder {
            Holder::Operator => Ok(true),
            Holder::Token(token) => {
                let found: Option<i64> = database::query_scalar(TOKEN)
                    .bind(token)
                    .bind(now.micros())
                    .fetch_optional(&mut *connection)
                    .await?;
                Ok(found.is_some())
            }
            Holder::Person(person) => {
                if is_shut_out(&mut connection, person, now).await? {
                    return Ok(false);
                }
                let scope = scope.scope();
                let roles: Vec<String> = database::query_scalar(ROLES)
                    .bind(person)
                    .bind(now.micros())
                    .bind(scope.tenant().id)
                    .bind(scope.workspace().map(|workspace| workspace.id))
                    .fetch_all(&mut *connection)
                    .await?;
                for role in roles {
                    let role: Role = role.parse().map_err(|_| damaged("a role is broken"))?;
                    if role.reads_the_log() {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}
