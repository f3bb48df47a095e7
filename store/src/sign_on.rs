//! Signing in at an OpenID Connect provider: who comes from there, and what their groups give them.

use crate::{Store, StoreError, revealing};
use chrono::TimeDelta;
use domain::{role::Role, slug::WorkspacePath, time::Timestamp};
use std::{collections::BTreeSet, str::FromStr};

/// How long somebody may take at the provider.
pub const LASTS: TimeDelta = TimeDelta::minutes(10);

/// For whom it is sealed what a browser keeps meanwhile: for nobody who is known yet. No public id
/// looks like this.
const NOBODY_YET: &str = "sign-on";

/// Who the provider says that somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// How it names them, for ever.
    pub subject: String,
    /// Their e-mail address.
    pub email: Email,
    /// Their name.
    pub name: Option<String>,
    /// The groups that they are in now.
    pub groups: BTreeSet<String>,
}

/// What a provider says of an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Email {
    /// It names none.
    None,
    /// It does not say that the address is theirs.
    Unverified(String),
    /// The address is theirs.
    Verified(String),
}

/// Who has a role by signing in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Who is in this group of the provider's.
    Named(String),
    /// Everybody, written `*`.
    Everybody,
}

/// A role that a group gives in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRole {
    /// To whom.
    pub group: Group,
    /// Where.
    pub workspace: WorkspacePath,
    /// Which; never that of a tenant admin.
    pub role: Role,
}

/// The roles that groups give, written `group=TENANT/WORKSPACE:role,…`. The name of a group may hold
/// anything but `,` and `=`; spaces at its ends do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRoles(Vec<GroupRole>);

impl GroupRoles {
    /// All of them, as they were written.
    pub fn all(&self) -> &[GroupRole] {
        &self.0
    }

    /// Whether some role is everybody's.
    pub(crate) fn has_default(&self) -> bool {
        self.0.iter().any(|role| role.group == Group::Everybody)
    }

    /// The roles of who is in these groups.
    pub(crate) fn of<'a>(
        &'a self,
        groups: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a GroupRole> {
        self.0.iter().filter(move |role| match &role.group {
            Group::Named(name) => groups.contains(name),
            Group::Everybody => true,
        })
    }
}

/// Why the roles that groups give were not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{part}\" {reason}; write group=TENANT/WORKSPACE:role, separated by commas")]
pub struct GroupRolesError {
    part: String,
    reason: String,
}

impl FromStr for GroupRoles {
    type Err = GroupRolesError;

    fn from_str(text: &str) -> Result<Self, GroupRolesError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',')
            .map(group_role)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn group_role(part: &str) -> Result<GroupRole, GroupRolesError> {
    let wrong = |reason: String| GroupRolesError {
        part: part.trim().to_owned(),
        reason,
    };
    let (group, given) = part
        .split_once('=')
        .ok_or_else(|| wrong("names no role".to_owned()))?;
    let (workspace, role) = given
        .rsplit_once(':')
        .ok_or_else(|| wrong("names no role".to_owned()))?;
    let group = match group.trim() {
        "" => return Err(wrong("names no group".to_owned())),
        "*" => Group::Everybody,
        name => Group::Named(name.to_owned()),
    };
    let workspace = workspace
        .trim()
        .parse()
        .map_err(|error| wrong(format!("names no workspace: {error}")))?;
    let role = match role.trim().parse() {
        Ok(Role::TenantAdmin) => {
            let reason = "gives a role that only the operator gives, for a whole tenant";
            return Err(wrong(reason.to_owned()));
        }
        Ok(role) => role,
        Err(_) => {
            let reason = "gives no role: there are member, auditor, admin and owner";
            return Err(wrong(reason.to_owned()));
        }
    };
    Ok(GroupRole {
        group,
        workspace,
        role,
    })
}

/// Why somebody whom the provider knows was not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignOnRefusal {
    /// The provider tells no e-mail address of somebody who is new.
    #[error("the provider tells no e-mail address")]
    NoEmail,
    /// It does not say that the address is theirs.
    #[error("the provider has not verified the e-mail address")]
    Unverified,
    /// The account of this address is bound to somebody else at the provider.
    #[error("the account of this e-mail address belongs to another identity of the provider")]
    AnotherIdentity,
    /// The account is deactivated, or every membership of it is.
    #[error("the account is deactivated")]
    Deactivated,
    /// They are new, and have a role nowhere.
    #[error("no group gives a role")]
    NoRole,
    /// They are new and have a role nowhere, but an invitation waits for them.
    #[error("an invitation waits for an answer")]
    Invited,
}

impl SignOnRefusal {
    /// How the event that tells of it names it.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::NoEmail => "no_email",
            Self::Unverified => "email_not_verified",
            Self::AnotherIdentity => "another_identity",
            Self::Deactivated => "deactivated",
            Self::NoRole => "no_role",
            Self::Invited => "invited",
        }
    }
}

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignOnError {
    /// They may not.
    #[error(transparent)]
    Refused(SignOnRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Seals what a browser keeps while somebody is at the provider: only this installation opens
    /// it, within [`LASTS`] from now.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn seal_sign_on(&self, text: &str) -> Result<String, StoreError> {
        let lasts = LASTS.num_microseconds().unwrap_or_default();
        let until = Timestamp::from_micros(self.now().micros().saturating_add(lasts));
        revealing::seal(&self.inner.keys.sign_on, NOBODY_YET, until, text)
    }

    /// Opens what was sealed; none if it was altered, or its time is over.
    pub fn open_sign_on(&self, sealed: &str) -> Option<String> {
        revealing::open(&self.inner.keys.sign_on, NOBODY_YET, self.now(), sealed)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> GroupRoles {
        text.parse().unwrap()
    }

    fn named(name: &str, workspace: &str, role: Role) -> GroupRole {
        GroupRole {
            group: Group::Named(name.to_owned()),
            workspace: workspace.parse().unwrap(),
            role,
        }
    }

    #[test]
    fn groups_are_named_with_where_and_what() {
        let roles = read(
            "admins=acme/growth:admin, audit team = acme/revenue:auditor,*=acme/growth:member",
        );
        let everybody = GroupRole {
            group: Group::Everybody,
            ..named("", "acme/growth", Role::Member)
        };
        assert_eq!(
            roles.all(),
            [
                named("admins", "acme/growth", Role::Admin),
                named("audit team", "acme/revenue", Role::Auditor),
                everybody,
            ]
        );
        assert!(roles.has_default());
        assert_eq!(read(" ").all(), []);
    }

    #[test]
    fn a_group_may_be_named_as_providers_name_theirs() {
        for name in ["/acme/ops:team", "CN=no", "a b;c", "ops*", "8f0e…", "Ærlig"] {
            let text = format!("{name}=acme/growth:owner");
            if name.contains('=') {
                assert!(text.parse::<GroupRoles>().is_err(), "{name}");
                continue;
            }
            assert_eq!(read(&text).all(), [named(name, "acme/growth", Role::Owner)]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, told) in [
            ("admins", "\"admins\" names no role"),
            ("admins=acme/growth", "names no role"),
            ("=acme/growth:admin", "names no group"),
            ("admins=acme:admin", "names no workspace"),
            ("admins=acme/Growth:admin", "names no workspace"),
            ("admins=acme/growth:chief", "gives no role"),
            ("admins=acme/growth:tenant_admin", "only the operator"),
            ("admins=acme/growth:admin,", "\"\" names no role"),
        ] {
            let error = text.parse::<GroupRoles>().unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn who_is_in_a_group_has_its_roles_and_everybodys() {
        let roles = read("a=acme/x:admin,b=acme/y:member,*=acme/z:member");
        let of = |groups: &[&str]| {
            let groups = groups.iter().map(|&name| name.to_owned()).collect();
            let places: Vec<_> = roles
                .of(&groups)
                .map(|role| role.workspace.to_string())
                .collect();
            places
        };
        assert_eq!(of(&["a", "c"]), ["acme/x", "acme/z"]);
        assert_eq!(of(&["*"]), ["acme/z"]);
        assert_eq!(of(&["A"]), ["acme/z"]);
    }
}
