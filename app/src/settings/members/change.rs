//! Inviting and changing members: plain forms. What came of one stands in the address of the page
//! that is shown next; the link of an invitation does not.

use crate::{address, refusal::Answered, viewer::Asker};
use domain::role::Role;
use leptos::prelude::*;

/// Invites somebody to the workspace whose members are at `path`, sends the browser to the page that
/// shows the link, and tells its address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "invite_member")]
pub async fn invite_member(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] email: String,
    #[server(default)] role: String,
    #[server(default)] last_day: String,
) -> Answered<String> {
    let typed = Typed {
        email,
        role,
        last_day,
        ..Typed::default()
    };
    let page = Page::of(path, tz);
    Ok(answer::invite(Asker::of_request(), &page, typed).await)
}

/// Revokes an invitation, sends the browser to the page that shows what came of it, and tells its
/// address.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "revoke_invite")]
pub async fn revoke_invite(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] invite: String,
) -> Answered<String> {
    let page = Page::of(path, tz);
    Ok(answer::revoke(Asker::of_request(), &page, &invite).await)
}

/// Does to a member what `act` says, `save` (role and last day), `deactivate`, `reactivate` or
/// `remove`; sends the browser to the page that shows what came of it, and tells its address. `list`
/// is the query string of the page: the part of the list on it is shown again.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "change_member")]
pub async fn change_member(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] member: String,
    #[server(default)] act: String,
    #[server(default)] role: String,
    #[server(default)] last_day: String,
    #[server(default)] list: String,
) -> Answered<String> {
    let typed = Typed {
        change: Some(member),
        role,
        last_day,
        ..Typed::default()
    };
    let page = Page {
        list,
        ..Page::of(path, tz)
    };
    Ok(answer::change(Asker::of_request(), &page, &act, typed).await)
}

/// The page that a form was sent from.
struct Page {
    path: String,
    /// The zone of its times.
    tz: String,
    /// Its query string, where the part of the list matters that it showed.
    list: String,
}

impl Page {
    /// The first part of the list.
    fn of(path: String, tz: String) -> Self {
        let list = String::new();
        Self { path, tz, list }
    }
}

/// What went wrong, as the address of the page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No e-mail address.
    Email,
    /// A member already.
    Member,
    /// A member who was deactivated.
    Deactivated,
    /// An account that the operator deactivated.
    Account,
    /// No role.
    Role,
    /// No day.
    Day,
    /// A day that is over.
    DayOver,
    /// Owners are for owners.
    Owners,
    /// The last owner.
    LastOwner,
    /// Oneself.
    Yourself,
    /// It is there no more.
    Gone,
    /// The log cannot be written.
    Unavailable,
}

/// The part of a form that a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The e-mail address.
    Email,
    /// The role.
    Role,
    /// The last day.
    Day,
    /// All of it.
    Whole,
}

impl Fault {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Email, "email"),
        (Self::Member, "member"),
        (Self::Deactivated, "deactivated"),
        (Self::Account, "account"),
        (Self::Role, "role"),
        (Self::Day, "day"),
        (Self::DayOver, "day-over"),
        (Self::Owners, "owners"),
        (Self::LastOwner, "last-owner"),
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
            Self::Email | Self::Member | Self::Deactivated | Self::Account => Part::Email,
            Self::Role => Part::Role,
            Self::Day | Self::DayOver => Part::Day,
            _ => Part::Whole,
        }
    }

    /// What is said of it: what is wrong, and what to do.
    pub fn words(self) -> &'static str {
        match self {
            Self::Email => "Not an email address, such as kim@example.com.",
            Self::Member => "They are a member already. Change their role in the list above.",
            Self::Deactivated => {
                "They are a member who was deactivated. Reactivate them in the list above."
            }
            Self::Account => {
                "The operator of this installation deactivated this account; only the operator can \
                 bring it back."
            }
            Self::Role => "Choose one of these roles.",
            Self::Day => "Not a date. It takes a day as 2026-12-31, or nothing.",
            Self::DayOver => "This day is over already. Choose one to come, or none.",
            Self::Owners => {
                "Only owners make, change, deactivate or remove owners, and revoke their \
                 invitations. Ask one of this workspace's owners."
            }
            Self::LastOwner => {
                "This is the workspace's last owner. Make somebody else an owner first, without a \
                 last day."
            }
            Self::Yourself => {
                "You cannot deactivate or remove yourself. Ask another owner or admin to do it."
            }
            Self::Gone => "It is there no more: somebody else changed it meanwhile.",
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
    pub done: bool,
    /// It was not.
    pub fault: Option<Fault>,
    /// The member whose form is open, by their public id; none: what was typed is an invitation.
    pub change: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// The role.
    pub role: String,
    /// The last day.
    pub last_day: String,
}

impl Typed {
    /// Reads the query string of the page.
    pub fn read(search: &str) -> Self {
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(search.as_bytes()) {
            match &*name {
                "done" => typed.done = true,
                "fault" => typed.fault = Fault::read(&value),
                "change" => typed.change = Some(value.into_owned()),
                "email" => typed.email = value.into_owned(),
                "role" => typed.role = value.into_owned(),
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

    /// The query string that says it.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if self.done {
            query.append_pair("done", "1");
        }
        if let Some(fault) = self.fault {
            query.append_pair("fault", fault.name());
            let fields = [
                ("email", &self.email),
                ("role", &self.role),
                ("last_day", &self.last_day),
            ];
            if let Some(member) = &self.change {
                query.append_pair("change", member);
            }
            for (name, value) in fields {
                if !value.is_empty() {
                    query.append_pair(name, value);
                }
            }
        }
        query.finish()
    }

    /// Where on the page the form is that something is wrong with; what is wrong with it as a whole
    /// stands at the top.
    fn form(&self) -> Option<String> {
        self.fault.filter(|fault| fault.part() != Part::Whole)?;
        Some(self.change.as_ref().map_or_else(
            || "#m-invite".to_owned(),
            |member| format!("#m-{}", address::encoded(member)),
        ))
    }

    fn role(&self) -> Result<Role, Fault> {
        match self.role.parse() {
            Ok(Role::TenantAdmin) | Err(_) => Err(Fault::Role),
            Ok(role) => Ok(role),
        }
    }

    fn last_day(&self) -> Result<Option<chrono::NaiveDate>, Fault> {
        match self.last_day.trim() {
            "" => Ok(None),
            day => day.parse().map(Some).map_err(|_| Fault::Day),
        }
    }
}

mod answer {
    use super::{Fault, Page, Typed};
    use crate::{
        address, answer,
        refusal::Refusal,
        settings::members::load::{opened, part_of_list, workspace},
        viewer::Asker,
    };
    use domain::question::Zone;
    use store::members::{MemberError, NewInvite};

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

    impl From<MemberError> for Undone {
        fn from(error: MemberError) -> Self {
            Self::Fault(match error {
                MemberError::NoMember | MemberError::NoInvite => Fault::Gone,
                MemberError::OwnersOnly => Fault::Owners,
                MemberError::LastOwner(_) => Fault::LastOwner,
                MemberError::Yourself => Fault::Yourself,
                MemberError::Member(_) => Fault::Member,
                MemberError::DeactivatedMember(_) => Fault::Deactivated,
                MemberError::AccountDeactivated(_) => Fault::Account,
                MemberError::Email(_) => Fault::Email,
                MemberError::LastDay => Fault::DayOver,
                MemberError::Store(error) => {
                    leptos::logging::error!("members were not changed: {error}");
                    Fault::Unavailable
                }
            })
        }
    }

    pub(super) async fn invite(
        asker: Result<Asker, Refusal>,
        page: &Page,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let done = async {
            let (asker, scope) = opened(asker, &page.path).await?;
            let invite = NewInvite {
                email: typed.email.clone(),
                role: typed.role()?,
                last_day: typed.last_day()?,
            };
            let secret = asker.store.invite(&scope, &invite, &asker.by()).await?;
            answer::reveal(&format!(
                "{}/invite?key={}",
                asker.request.public_url,
                secret.reveal()
            ));
            Ok(())
        }
        .await;
        finish(page, done, typed)
    }

    pub(super) async fn revoke(
        asker: Result<Asker, Refusal>,
        page: &Page,
        invite: &str,
    ) -> Result<String, Refusal> {
        let done = async {
            let (asker, scope) = opened(asker, &page.path).await?;
            match asker.store.revoke_invite(&scope, invite, &asker.by()).await {
                // Somebody else was quicker, or it is too old: what was wanted holds. One that was
                // accepted meanwhile shows as a member.
                Ok(()) | Err(MemberError::NoInvite) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        .await;
        finish(page, done, Typed::default())
    }

    pub(super) async fn change(
        asker: Result<Asker, Refusal>,
        page: &Page,
        act: &str,
        typed: Typed,
    ) -> Result<String, Refusal> {
        let done = async {
            let (asker, scope) = opened(asker, &page.path).await?;
            let member = typed.change.clone().unwrap_or_default();
            let (store, by) = (&asker.store, asker.by());
            match act {
                "deactivate" => {
                    store
                        .deactivate_member(&scope, &asker.person, &member, &by)
                        .await?;
                }
                "remove" => {
                    store
                        .remove_member(&scope, &asker.person, &member, &by)
                        .await?;
                }
                "reactivate" => store.reactivate_member(&scope, &member, &by).await?,
                _ => {
                    let (role, last_day) = (typed.role()?, typed.last_day()?);
                    store
                        .change_member(&scope, &member, role, last_day, &by)
                        .await?;
                }
            }
            Ok(())
        }
        .await;
        finish(page, done, typed)
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(page: &Page, done: Result<(), Undone>, mut typed: Typed) -> Result<String, Refusal> {
        let Some(members) = workspace(&page.path).map(|workspace| address::members(&workspace))
        else {
            answer::after_form("/");
            return Err(Refusal::NotFound);
        };
        let refusal = match done {
            Ok(()) => {
                typed = Typed {
                    done: true,
                    ..Typed::default()
                };
                None
            }
            Err(Undone::Fault(fault)) => {
                typed.fault = Some(fault);
                None
            }
            Err(Undone::Refused(refusal)) => {
                typed = Typed::default();
                Some(refusal)
            }
        };
        let mut query = vec![part_of_list(&page.list), typed.query()];
        query.retain(|part| !part.is_empty());
        let there = address::with_query(&members, &query.join("&"));
        let zone = page.tz.parse().unwrap_or_else(|_| Zone::utc());
        let there = format!(
            "{}{}",
            address::in_zone(&there, zone.as_str()),
            typed.form().unwrap_or_default()
        );
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
            change: Some("usr_1".to_owned()),
            role: "auditor".to_owned(),
            last_day: "31.12.".to_owned(),
            ..Typed::default()
        };
        assert_eq!(Typed::read(&typed.query()), typed);
        assert_eq!(Typed::read("email=x&role=owner"), Typed::default());
        let open = Typed::read("change=usr_1&role=owner");
        assert_eq!(open.change.as_deref(), Some("usr_1"));
        assert_eq!(open.role, "");
    }

    #[test]
    fn every_fault_has_a_name_of_its_own() {
        for (fault, name) in Fault::ALL {
            assert_eq!((Fault::read(name), fault.name()), (Some(fault), name));
        }
    }

    #[test]
    fn a_day_is_a_day_of_the_calendar_or_none() {
        let day = |text: &str| {
            let typed = Typed {
                last_day: text.to_owned(),
                ..Typed::default()
            };
            typed.last_day().map(|day| day.map(|day| day.to_string()))
        };
        assert_eq!(day(" "), Ok(None));
        assert_eq!(day("2026-12-31"), Ok(Some("2026-12-31".to_owned())));
        assert_eq!(day("2026-02-30"), Err(Fault::Day));
    }
}
