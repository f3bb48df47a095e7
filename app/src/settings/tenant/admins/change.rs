//! Adding, limiting and removing a tenant's admins: plain forms. What came of one stands in the
//! address of the page that is shown next.

use crate::{address, refusal::Answered, viewer::Asker};
use chrono::NaiveDate;
use leptos::prelude::*;

/// Makes somebody an admin of the tenant whose admins are at `path`, sends the browser to the page
/// that shows what came of it, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "add_tenant_admin")]
pub async fn add_tenant_admin(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] email: String,
    #[server(default)] last_day: String,
) -> Answered<String> {
    let typed = Typed {
        email,
        last_day,
        ..Typed::default()
    };
    Ok(answer::add(Asker::of_request(), &path, &tz, typed).await)
}

/// Does to an admin of the tenant what `act` says, `save` (the last day) or `remove`; sends the
/// browser to the page that shows what came of it, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "change_tenant_admin")]
pub async fn change_tenant_admin(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] admin: String,
    #[server(default)] act: String,
    #[server(default)] last_day: String,
) -> Answered<String> {
    let typed = Typed {
        change: Some(admin),
        last_day,
        ..Typed::default()
    };
    Ok(answer::change(Asker::of_request(), &path, &tz, &act, typed).await)
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Somebody became an admin.
    Added,
    /// The last day is another one.
    Saved,
    /// The role was taken away.
    Removed,
}

impl Done {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Added, "added"),
        (Self::Saved, "saved"),
        (Self::Removed, "removed"),
    ];

    fn read(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(done, name)| (name == text).then_some(done))
    }

    fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(done, name)| (done == self).then_some(name))
            .unwrap_or_default()
    }

    /// What is said of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Added => "They are an admin of the tenant now.",
            Self::Saved => "The last day is saved.",
            Self::Removed => {
                "The role is taken away, from their next click on. What they are in single \
                 workspaces stays."
            }
        }
    }
}

/// What went wrong, as the address of the page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No e-mail address.
    Email,
    /// Nobody in the tenant has it.
    NotInTenant,
    /// An admin already.
    Admin,
    /// An account that the operator deactivated.
    Account,
    /// No day.
    Day,
    /// A day that is over.
    DayOver,
    /// The last admin.
    LastAdmin,
    /// Oneself.
    Yourself,
    /// They are none any more.
    Gone,
    /// The log cannot be written.
    Unavailable,
}

/// The part of a form that a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The e-mail address.
    Email,
    /// The last day.
    Day,
    /// All of it.
    Whole,
}

impl Fault {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Email, "email"),
        (Self::NotInTenant, "not-in-tenant"),
        (Self::Admin, "admin"),
        (Self::Account, "account"),
        (Self::Day, "day"),
        (Self::DayOver, "day-over"),
        (Self::LastAdmin, "last-admin"),
        (Self::Yourself, "yourself"),
        (Self::Gone, "gone"),
        (Self::Unavailable, "unavailable"),
    ];

    fn read(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(fault, name)| (name == text).then_some(fault))
    }

    fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(fault, name)| (fault == self).then_some(name))
            .unwrap_or_default()
    }

    /// What it is about.
    pub fn part(self) -> Part {
        match self {
            Self::Email | Self::NotInTenant | Self::Admin | Self::Account => Part::Email,
            Self::Day | Self::DayOver => Part::Day,
            Self::LastAdmin | Self::Yourself | Self::Gone | Self::Unavailable => Part::Whole,
        }
    }

    /// What is said of it: what is wrong, and what to do.
    pub fn words(self) -> &'static str {
        match self {
            Self::Email => "Not an email address, such as kim@example.com.",
            Self::NotInTenant => {
                "Nobody who belongs to a workspace of this tenant has this address, or they were \
                 deactivated there. Invite them to a workspace first, or ask the operator of this \
                 installation."
            }
            Self::Admin => "They are an admin already. Change their last day in the list above.",
            Self::Account => {
                "The operator of this installation deactivated this account; only the operator can \
                 bring it back."
            }
            Self::Day => "Not a date. It takes a day as 2026-12-31, or nothing.",
            Self::DayOver => "This day is over already. Choose one to come, or none.",
            Self::LastAdmin => {
                "Nothing was changed: this is the tenant’s last admin without a last day. Make \
                 somebody else one first; or else only the operator of this installation can."
            }
            Self::Yourself => {
                "Nothing was changed: nobody takes this role from themselves. Ask another admin of \
                 the tenant."
            }
            Self::Gone => "Nothing was changed: they are no admin of the tenant any more.",
            Self::Unavailable => {
                "Nothing was changed: the log cannot be written at the moment. Try again; what you \
                 typed is kept."
            }
        }
    }
}

/// What was typed into a form, and what came of it, as the address of the page says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// It was done.
    pub done: Option<Done>,
    /// It was not.
    pub fault: Option<Fault>,
    /// The admin whose form is open, by their public id; none: what was typed is somebody to add.
    pub change: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// The last day.
    pub last_day: String,
}

impl Typed {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "done" => typed.done = Done::read(&value),
                "fault" => typed.fault = Fault::read(&value),
                "change" => typed.change = Some(value.into_owned()),
                "email" => typed.email = value.into_owned(),
                "last_day" => typed.last_day = value.into_owned(),
                _ => {}
            }
        }
        if typed.fault.is_none() {
            return Self {
                done: typed.done,
                change: typed.change,
                ..Self::default()
            };
        }
        typed
    }

    /// The address that says it, of the page at `path`, its times in `zone`.
    fn address(&self, path: &str, zone: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if zone != "UTC" {
            query.append_pair("tz", zone);
        }
        if let Some(done) = self.done {
            query.append_pair("done", done.name());
        }
        if let Some(fault) = self.fault {
            query.append_pair("fault", fault.name());
            let fields = [
                ("change", self.change.as_deref().unwrap_or_default()),
                ("email", &self.email),
                ("last_day", &self.last_day),
            ];
            for (name, value) in fields {
                if !value.is_empty() {
                    // No address is longer than an e-mail address may be.
                    let kept: String = value.chars().take(300).collect();
                    query.append_pair(name, &kept);
                }
            }
        }
        let form = match (self.fault.map(Fault::part), &self.change) {
            (None | Some(Part::Whole), _) => String::new(),
            (Some(_), None) => "#a-add".to_owned(),
            (Some(_), Some(admin)) => format!("#a-{}", address::encoded(admin)),
        };
        format!("{}{form}", address::with_query(path, &query.finish()))
    }

    fn last_day(&self) -> Result<Option<NaiveDate>, Fault> {
        match self.last_day.trim() {
            "" => Ok(None),
            day => day.parse().map(Some).map_err(|_| Fault::Day),
        }
    }
}

mod answer {
    use super::{Done, Fault, Typed};
    use crate::{
        address, answer,
        refusal::Refusal,
        settings::{
            load::zone_named,
            tenant::{admins::load::tenant_at, load::administered},
        },
        viewer::Asker,
    };
    use store::tenants::AdminError;

    /// Why nothing was changed: what was typed, or who asks.
    enum Undone {
        Fault(Fault),
        Refused(Refusal),
    }

    impl From<Fault> for Undone {
        fn from(fault: Fault) -> Self {
            Self::Fault(fault)
        }
    }

    impl From<Refusal> for Undone {
        fn from(refusal: Refusal) -> Self {
            Self::Refused(refusal)
        }
    }

    impl From<AdminError> for Undone {
        fn from(error: AdminError) -> Self {
            Self::Fault(match error {
                AdminError::NoAdmin => Fault::Gone,
                AdminError::NotInTenant(_) => Fault::NotInTenant,
                AdminError::Admin(_) => Fault::Admin,
                AdminError::AccountDeactivated(_) => Fault::Account,
                AdminError::Email(_) => Fault::Email,
                AdminError::LastDay => Fault::DayOver,
                AdminError::LastAdmin(_) => Fault::LastAdmin,
                AdminError::Yourself => Fault::Yourself,
                AdminError::Store(error) => {
                    leptos::logging::error!("a tenant's admins were not changed: {error}");
                    Fault::Unavailable
                }
            })
        }
    }

    pub(super) async fn add(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let done = async {
            let (asker, scope) = administered(asker, tenant_at(path)).await?;
            let last_day = typed.last_day()?;
            asker
                .store
                .add_admin(&scope, &typed.email, last_day, &asker.by())
                .await?;
            Ok(Done::Added)
        }
        .await;
        finish(path, tz, done, typed)
    }

    pub(super) async fn change(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        act: &str,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let done = async {
            let (asker, scope) = administered(asker, tenant_at(path)).await?;
            let admin = typed.change.clone().unwrap_or_default();
            let (store, by) = (&asker.store, asker.by());
            if act == "remove" {
                store
                    .remove_admin(&scope, &asker.person, &admin, &by)
                    .await?;
                return Ok(Done::Removed);
            }
            let last_day = typed.last_day()?;
            store
                .change_admin(&scope, &asker.person, &admin, last_day, &by)
                .await?;
            Ok(Done::Saved)
        }
        .await;
        finish(path, tz, done, typed)
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(
        path: &str,
        tz: &str,
        done: Result<Done, Undone>,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let Some(page) = tenant_at(path).map(|tenant| address::tenant_admins(&tenant)) else {
            answer::after_form("/");
            return Err(Refusal::NotFound);
        };
        let zone = zone_named(tz);
        let (typed, refusal) = match done {
            Ok(done) => {
                let done = Some(done);
                (
                    Typed {
                        done,
                        ..Typed::default()
                    },
                    None,
                )
            }
            Err(Undone::Fault(fault)) => {
                let fault = Some(fault);
                (Typed { fault, ..typed }, None)
            }
            Err(Undone::Refused(refusal)) => (Typed::default(), Some(refusal)),
        };
        let there = typed.address(&page, zone.as_str());
        answer::after_form(&there);
        refusal.map_or(Ok(there), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_and_not_understood_is_kept_in_the_address() {
        let typed = Typed {
            fault: Some(Fault::Day),
            email: "kim & co".to_owned(),
            last_day: "31.12.".to_owned(),
            ..Typed::default()
        };
        let address = typed.address("/acme/settings/admins", "Europe/Oslo");
        assert!(address.ends_with("#a-add"), "{address}");
        let search = address.split(['?', '#']).nth(1).unwrap_or_default();
        assert_eq!(Typed::read(search), typed);
        assert_eq!(Typed::read("email=x&last_day=y"), Typed::default());
        let open = Typed::read("change=usr_1");
        assert_eq!(open.change.as_deref(), Some("usr_1"));
    }

    #[test]
    fn every_outcome_has_a_name_of_its_own() {
        for (fault, name) in Fault::ALL {
            assert_eq!((Fault::read(name), fault.name()), (Some(fault), name));
        }
        for (done, name) in Done::ALL {
            assert_eq!((Done::read(name), done.name()), (Some(done), name));
        }
    }
}
