//! `daybook user`.

use super::{CommandError, arguments::day, remark, say};
use chrono::NaiveDate;
use clap::{ArgGroup, Subcommand};
use domain::{
    role::Role,
    slug::{Slug, WorkspacePath},
};
use std::io::{self, BufRead, IsTerminal};
use store::{
    Store,
    administration::{By, NewPerson, Place},
};

/// How many characters a password has at least.
const PASSWORD_LEAST: usize = 8;

#[derive(Debug, Subcommand)]
pub enum User {
    /// Adds a person to a workspace, or as admin of a tenant
    #[command(group = ArgGroup::new("place").required(true))]
    Create {
        /// The e-mail address by which they sign in
        #[arg(long)]
        email: String,
        /// Their name
        #[arg(long)]
        name: String,
        /// owner, admin, auditor or member of a workspace; `tenant_admin` of a tenant
        #[arg(long)]
        role: Role,
        /// The workspace, as TENANT/WORKSPACE
        #[arg(long, value_name = "W", group = "place")]
        workspace: Option<WorkspacePath>,
        /// The tenant, for the role `tenant_admin`
        #[arg(long, group = "place")]
        tenant: Option<Slug>,
        /// The password is the first line of standard input, at least 8 characters
        #[arg(long, required = true)]
        password_stdin: bool,
        /// The role's last day, until its end in UTC
        #[arg(long, value_name = "DATE", value_parser = day)]
        until: Option<NaiveDate>,
    },
    /// Takes away a person's access; their sessions end at once
    Deactivate {
        /// Their e-mail address
        #[arg(long)]
        email: String,
    },
    /// Sets a person's password
    Password {
        /// Their e-mail address
        #[arg(long)]
        email: String,
        /// The password is the first line of standard input, at least 8 characters
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Forgets whose account it is at the single sign-on provider: who next signs in there with this
    /// verified e-mail address gets it
    Unbind {
        /// Their e-mail address
        #[arg(long)]
        email: String,
    },
}

impl User {
    /// Does what was asked.
    pub async fn run(self, store: &Store, by: &By) -> Result<(), CommandError> {
        match self {
            Self::Create {
                email,
                name,
                role,
                workspace,
                tenant,
                until,
                password_stdin: _,
            } => {
                let place = place(role, workspace, tenant)?;
                let today = store.now().datetime().date_naive();
                if let Some(until) = until.filter(|until| *until < today) {
                    let reason = format!("--until {until} is over already");
                    return Err(CommandError::Usage(reason));
                }
                let password = password()?;
                let said = match &place {
                    Place::Workspace(path, role) => format!("{email} is {role} of {path}."),
                    Place::Tenant(slug) => format!("{email} is admin of the tenant {slug}."),
                };
                let person = NewPerson {
                    email,
                    name,
                    place,
                    until,
                };
                store.create_person(&person, &password, by).await?;
                say(said)
            }
            Self::Deactivate { email } => {
                store.deactivate_person(&email, by).await?;
                say(format_args!("{email} is deactivated."))
            }
            Self::Password { email, .. } => {
                let password = password()?;
                store.set_password(&email, &password, by).await?;
                say(format_args!("{email} has a new password."))
            }
            Self::Unbind { email } => {
                store.unbind_person(&email, by).await?;
                say(format_args!(
                    "{email} is bound to nobody at a provider; the sessions are ended."
                ))
            }
        }
    }
}

/// Where a role is held: a tenant's admins by tenant, all others by workspace.
fn place(
    role: Role,
    workspace: Option<WorkspacePath>,
    tenant: Option<Slug>,
) -> Result<Place, CommandError> {
    let wanted = match (role, workspace, tenant) {
        (Role::TenantAdmin, None, Some(tenant)) => return Ok(Place::Tenant(tenant)),
        (Role::TenantAdmin, ..) => "the role tenant_admin is held in a tenant: give --tenant",
        (role, Some(path), None) => return Ok(Place::Workspace(path, role)),
        _ => "this role is held in a workspace: give --workspace TENANT/WORKSPACE",
    };
    Err(CommandError::Usage(wanted.to_owned()))
}

/// Reads a password from standard input.
fn password() -> Result<String, CommandError> {
    let input = io::stdin().lock();
    if input.is_terminal() {
        remark("The password, at least 8 characters, then Enter (it is shown as you type):");
    }
    first_line(input).map_err(CommandError::Usage)
}

/// The first line without its end, which must be long enough.
fn first_line(mut input: impl BufRead) -> Result<String, String> {
    let mut line = String::new();
    input
        .read_line(&mut line)
        .map_err(|error| format!("the password cannot be read from standard input: {error}"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("there is no password: give it as the first line of standard input".into());
    }
    if line.chars().count() < PASSWORD_LEAST {
        return Err(format!(
            "this password is too short: it needs at least {PASSWORD_LEAST} characters"
        ));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_without_its_end() {
        for text in [
            "correct horse",
            "correct horse\n",
            "correct horse\r\nmore\n",
        ] {
            assert_eq!(first_line(text.as_bytes()).as_deref(), Ok("correct horse"));
        }
        assert_eq!(first_line(&b" 8 chars"[..]).as_deref(), Ok(" 8 chars"));
    }

    #[test]
    fn a_password_has_at_least_eight_characters() {
        assert!(first_line(&b"seven c\n"[..]).is_err_and(|told| told.contains("at least 8")));
        assert!(first_line("æøåæøåæø\n".as_bytes()).is_ok());
        assert!(first_line(&b"\n"[..]).is_err());
        assert!(first_line(&b""[..]).is_err());
        assert!(first_line(&b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\n"[..]).is_err());
    }
}
