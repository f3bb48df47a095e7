//! What the server finds out for the page on people's data: the words are made from the settings and
//! from the very limits that the store goes by.

use super::view::{PartView, PersonalDataView};
use crate::{address, frame::Frame, log::Local, refusal::Refusal, viewer::Asker};
use chrono::TimeDelta;
use domain::{
    catalogue::Catalogue,
    event::TargetKind,
    question::{Query, Unknown},
    redaction::Added,
    retention::Retention,
    slug::WorkspacePath,
};
use store::{
    holds::Hold,
    members::INVITE,
    people::{FAILURES_WITHIN, SESSION},
    recording::never_expires,
    settings::{People, Settings},
};

const WHAT: &str = "What";
const FROM: &str = "From where";
const FOR: &str = "What for";
const WHO: &str = "Who sees it";
const LONG: &str = "How long";

/// The workspace whose page lies at a path.
fn workspace(path: &str) -> Option<WorkspacePath> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, workspace, "settings", "personal-data"] => {
            address::workspace_path(tenant, workspace)
        }
        _ => None,
    }
}

/// What is stored about people in the workspace whose page lies at `path`.
pub(super) async fn personal_data(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<PersonalDataView, Refusal> {
    let asker = asker?;
    let path = workspace(path).ok_or(Refusal::NotFound)?;
    let opened = asker.person.settings_scope(&path);
    let (scope, frame) =
        match opened.and_then(|scope| Ok((scope, Frame::of(&asker.person, &path)?))) {
            Ok(opened) => opened,
            Err(refused) => return Err(asker.refusal(refused).await),
        };
    let settings = asker.store.settings(&scope).await?;
    let people = asker.store.people(&scope).await?;
    let hold = asker.store.hold(&scope).await?;
    let redaction = asker.store.redaction(&scope).await?;
    asker.remember_zone(scope.workspace(), search).await;
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    let now = asker.store.now();
    let local = Local::new(&zone, now);
    Ok(PersonalDataView {
        frame,
        at: format!("{} {zone}", local.second(now)),
        kept: kept(&settings, hold.as_ref(), &local),
        held: hold.map(|hold| {
            format!(
                "A legal hold stands since {} {zone}, placed by {}: while it does, nothing is deleted, \
                 expired or not.",
                local.second(hold.placed.at),
                hold.placed.by
            )
        }),
        for_good: for_good(),
        parts: parts(&settings, people, &redaction.added),
        zone: zone.to_string(),
    })
}

/// The labels of the actions of which Daybook's own entries never expire, by name.
fn for_good() -> Vec<String> {
    let mut labels: Vec<String> = Catalogue::shipped()
        .iter()
        .filter(|entry| never_expires(entry.action))
        .map(|entry| entry.label.to_owned())
        .collect();
    labels.sort();
    labels
}

/// How long entries are kept now.
fn kept(settings: &Settings, hold: Option<&Hold>, local: &Local) -> Vec<String> {
    let mut said = Vec::new();
    said.push(match settings.effective {
        Retention::Forever => {
            "This workspace keeps entries for its lifetime: none expires.".to_owned()
        }
        kept => format!(
            "This workspace keeps entries for {} from when they occurred. What is older has expired \
             and is deleted automatically; how much was deleted, and up to when, is itself an entry.",
            kept.words()
        ),
    });
    if settings.effective != settings.retention {
        said.push(format!(
            "Its owners set {}; the plan of the operator makes it {}.",
            settings.retention.words(),
            settings.effective.words()
        ));
    }
    if let Some(pending) = &settings.pending {
        said.push(format!(
            "From {} {} on its owners want {}{}.",
            local.second(pending.from),
            local.zone(),
            pending.retention.words(),
            if hold.is_some() {
                ", which deletes nothing while the legal hold stands"
            } else {
                ""
            }
        ));
    }
    said.push(
        "With the content of an entry everything goes that it says of people; what stays of it is \
         its number, its times and a hash, by which it can be proved that nothing else is missing."
            .to_owned(),
    );
    said
}

/// A span of time in words: "14 days", "15 minutes".
fn span(span: TimeDelta) -> String {
    let (count, unit) = match (span.num_days(), span.num_hours(), span.num_minutes()) {
        (0, 0, minutes) => (minutes, "minute"),
        (0, hours, _) => (hours, "hour"),
        (days, ..) => (days, "day"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s}")
}

/// How many of the names or paths are named that a workspace has taken out: enough for the records of
/// most, and still a text. The page of redaction lists all.
const NAMED: usize = 20;

/// So many of them, by name: "2 names (email, iban)".
fn listed(all: &[impl ToString], one: &str) -> Option<String> {
    let s = if all.len() == 1 { "" } else { "s" };
    let mut named: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    if all.len() > NAMED {
        named.push(format!(
            "and {} more, all listed under Redaction",
            all.len() - NAMED
        ));
    }
    (!all.is_empty()).then(|| format!("{} {one}{s} ({})", all.len(), named.join(", ")))
}

/// What is taken out of the entries of applications.
fn taken_out(added: &Added) -> String {
    let own = [
        listed(added.names(), "name").map(|names| format!("values under {names}")),
        listed(added.places(), "path").map(|paths| format!("what stands in {paths}")),
    ];
    let own: Vec<String> = own.into_iter().flatten().collect();
    let own = if own.is_empty() {
        "This workspace adds nothing to that under Redaction: names and addresses of people are not \
         taken out."
            .to_owned()
    } else {
        format!(
            "This workspace has taken out as well: {}. That holds for what was recorded since each \
             was added. Names and addresses of people are taken out where these cover them, and \
             nowhere else.",
            own.join("; ")
        )
    };
    format!(
        "Values whose names say that they are credentials, such as passwords, tokens and keys, in \
         what changed, in further details and in what is said of the request: a mark takes their \
         place before anything is written, and tells only whether two are equal. {own} Who did it, \
         on whose behalf, whom it concerned and the description are always stored as they are sent. \
         A token that may send without all this can leave it out."
    )
}

/// Each kind of data.
#[expect(clippy::too_many_lines, reason = "it is one text")]
fn parts(settings: &Settings, people: People, added: &Added) -> Vec<PartView> {
    let access = &settings.object_access;
    let guarded: Vec<&str> = access.guarded().iter().map(TargetKind::as_str).collect();
    let objects = match (access.for_members, guarded.is_empty()) {
        (false, _) => "The pages of objects are open to the same people only.".to_owned(),
        (true, true) => format!(
            "What concerns one object, all {} people of the workspace see on that object’s page.",
            people.all
        ),
        (true, false) => format!(
            "What concerns one object, all {} people of the workspace see on that object’s page, \
             but for objects of the kinds {}.",
            people.all,
            guarded.join(", ")
        ),
    };
    let readers = format!(
        "Owners, admins and auditors of the workspace and the tenant’s admins, {} people now, and \
         programs with a token that may read.",
        people.readers
    );
    vec![
        PartView {
            heading: "Entries of your applications",
            facts: vec![
                (
                    WHAT,
                    "Who did something, or on whose behalf: name, email address and the id that the \
                     application gives them. People whom it concerned, where an application names \
                     them as the target or as related. What changed, and what the application adds: \
                     a description, further details, and of the request its network address, browser \
                     (user agent), id and location."
                        .to_owned(),
                ),
                (
                    FROM,
                    "From the applications that hold a token of this workspace or of its tenant, and \
                     from files that the operator imports."
                        .to_owned(),
                ),
                (
                    FOR,
                    "To find out who did what and when: investigation, review, proof.".to_owned(),
                ),
                (
                    WHO,
                    format!(
                        "{readers} {objects} Everybody sees their own entries under My activity."
                    ),
                ),
                (
                    LONG,
                    "As said above. When the last entry that names somebody is deleted, so are their \
                     name, address and id."
                        .to_owned(),
                ),
                ("What is never stored", taken_out(added)),
            ],
        },
        PartView {
            heading: "Entries of Daybook’s own",
            facts: vec![
                (
                    WHAT,
                    "Who signed in or out, failed to, looked at the log, or changed members, tokens \
                     or settings: name, email address, Daybook’s own id for them, network address \
                     and browser. Of members that were added or invited, their name, address and \
                     role, and the group that gave it. Of accounts that sign in at the sign-on \
                     provider, the identity there that they are bound to, and a name or address that \
                     changed there. Of a look at the log, which filters were used, never their words."
                        .to_owned(),
                ),
                (
                    FROM,
                    "From what people do in Daybook, and from the sign-on provider when they sign in \
                     there."
                        .to_owned(),
                ),
                (
                    FOR,
                    "So that whoever watches others is watched too.".to_owned(),
                ),
                (WHO, format!("{readers} {objects}")),
                (
                    LONG,
                    "As said above, but for the entries that never expire. What concerns the whole \
                     tenant stands in the tenant’s own log and stays as long as the longest of its \
                     workspaces keeps entries."
                        .to_owned(),
                ),
            ],
        },
        PartView {
            heading: "Accounts and roles",
            facts: vec![
                (
                    WHAT,
                    "Name, email address, a hash of the password (Argon2id), when the account was \
                     made and whether it is deactivated; the roles with their beginnings and last \
                     days, and for a role that a group of the sign-on provider gives, the name of \
                     that group; for who signs in there, their identity: the provider’s address \
                     (issuer) and its id for them (subject), and since when; the workspace and time \
                     zone looked at last."
                        .to_owned(),
                ),
                (
                    FROM,
                    "From the operator, from who invited somebody, from themselves when they \
                     accepted, and, where the operator set one up, from the sign-on provider at each \
                     sign-in there: name, address, identity and groups. Of the groups only one that \
                     gives a role here is stored."
                        .to_owned(),
                ),
                (FOR, "To sign in, and to say who may do what.".to_owned()),
                (
                    WHO,
                    "The admins and owners of the workspaces that somebody belongs to, the tenant’s \
                     admins, and the operator. Who is refused a page is told the names of those to \
                     ask. The identity and the group stand on no page but in entries of Daybook’s \
                     own. Nobody sees a password."
                        .to_owned(),
                ),
                (
                    LONG,
                    "For the lifetime of the installation: nothing removes an account. The \
                     operator can only end it, and then it stays, deactivated, so that past entries \
                     can be labelled; a role that was taken away stays like that too. The identity \
                     stays until the operator unbinds it."
                        .to_owned(),
                ),
            ],
        },
        PartView {
            heading: "Sessions",
            facts: vec![
                (
                    WHAT,
                    "Whose a session is, when it began and ends, and a hash of its secret. The browser \
                     keeps the secret in a cookie that serves nothing but being signed in."
                        .to_owned(),
                ),
                (FROM, "From signing in.".to_owned()),
                (FOR, "To know who asks.".to_owned()),
                (WHO, "Nobody.".to_owned()),
                (
                    LONG,
                    format!(
                        "Up to {}. It is deleted on signing out; when somebody is deactivated, here or \
                         in another workspace, removed from one, or given a new password; when a \
                         sign-in finds that the groups at the sign-on provider no longer give them a \
                         workspace; when the operator unbinds their account from that provider; and \
                         once it is over, with the next sign-in of anybody.",
                        span(SESSION)
                    ),
                ),
            ],
        },
        PartView {
            heading: "Failed sign-ins",
            facts: vec![
                (
                    WHAT,
                    "The email address that was typed and the network address, for counting. An entry \
                     in the log is made only where the address is somebody’s."
                        .to_owned(),
                ),
                (FROM, "From the sign-in page.".to_owned()),
                (FOR, "To stop whoever guesses passwords.".to_owned()),
                (WHO, "Nobody.".to_owned()),
                (
                    LONG,
                    format!(
                        "They count for {}. They are deleted with the next failed sign-in of anybody \
                         after that, or when that account or address signs in.",
                        span(FAILURES_WITHIN)
                    ),
                ),
            ],
        },
        PartView {
            heading: "Invitations",
            facts: vec![
                (
                    WHAT,
                    "The email address and the role of who is invited, the name of who invited them, \
                     when, what came of it, and a hash of the link’s secret."
                        .to_owned(),
                ),
                (FROM, "From the admins and owners who invite.".to_owned()),
                (FOR, "To let somebody become a member.".to_owned()),
                (
                    WHO,
                    "Admins and owners of the workspace and the tenant’s admins, while it waits for an \
                     answer."
                        .to_owned(),
                ),
                (
                    LONG,
                    format!(
                        "The link is good for {}. The record stays: nothing removes it.",
                        span(INVITE)
                    ),
                ),
            ],
        },
        PartView {
            heading: "Names beside settings, tokens and holds",
            facts: vec![
                (
                    WHAT,
                    "The name of who last set a setting, created or revoked a token, placed or lifted \
                     a legal hold; when a token was last used; when each reader of the log, by their \
                     id, was last noted; which people your applications say are deactivated, by their \
                     id."
                        .to_owned(),
                ),
                (FROM, "From what people and programs do.".to_owned()),
                (
                    FOR,
                    "So that the pages can say who decided what, and since when.".to_owned(),
                ),
                (
                    WHO,
                    "Who may open the page in question; holds, owners, admins and auditors.".to_owned(),
                ),
                (
                    LONG,
                    "Settings until they are set again, a reader’s time until the next one; the others \
                     stay. A legal hold can be neither changed nor removed."
                        .to_owned(),
                ),
            ],
        },
    ]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::{retention::Plan, time::Timestamp};
    use store::settings::{Changed, ObjectAccess, Pending};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn settings(set: &str, plan: Plan) -> Settings {
        let retention = set.parse().unwrap();
        Settings {
            retention,
            retention_set: None,
            pending: None,
            plan,
            effective: plan.holds(retention),
            recording: true,
            recording_set: None,
            discarded: 0,
            created_at: time("2026-01-01T00:00:00Z"),
            object_access: ObjectAccess::new(true, vec!["user".parse().unwrap()]),
            object_access_set: None,
        }
    }

    fn local() -> Local {
        Local::new(&"UTC".parse().unwrap(), time("2026-05-12T09:20:00Z"))
    }

    #[test]
    fn how_long_entries_are_kept_is_what_holds_now() {
        let said = |settings: &Settings| kept(settings, None, &local()).join(" ");
        assert!(said(&settings("90d", Plan::default())).contains("entries for 90 days from"));
        assert!(said(&settings("forever", Plan::default())).contains("none expires"));
        let cap = Plan::new(None, Some(Retention::Years(1))).unwrap();
        let capped = said(&settings("2y", cap));
        assert!(capped.contains("entries for 1 year from") && capped.contains("set 2 years"));
        let changed = Changed {
            by: "Olga".to_owned(),
            at: time("2026-05-12T09:00:00Z"),
        };
        let mut waiting = settings("90d", Plan::default());
        waiting.pending = Some(Pending {
            retention: Retention::Days(30),
            from: time("2026-05-19T09:00:00Z"),
            asked: changed.clone(),
        });
        assert!(
            said(&waiting).contains("From 2026-05-19 09:00:00 UTC on its owners want 30 days.")
        );
        let hold = Hold {
            reason: "x".to_owned(),
            placed: changed,
        };
        let held = kept(&waiting, Some(&hold), &local()).join(" ");
        assert!(
            held.contains("deletes nothing while the legal hold stands"),
            "{held}"
        );
    }

    #[test]
    fn who_sees_objects_is_what_the_settings_say() {
        let people = People {
            all: 38,
            readers: 5,
        };
        let text =
            |settings: &Settings| format!("{:?}", parts(settings, people, &Added::default()));
        let mut some = settings("90d", Plan::default());
        assert!(text(&some).contains("all 38 people") && text(&some).contains("of the kinds user"));
        some.object_access = ObjectAccess::new(false, Vec::new());
        assert!(!text(&some).contains("38 people") && text(&some).contains("5 people now"));
    }

    /// What is said under a name of a part.
    fn said(heading: &str, name: &str, added: &Added) -> String {
        let people = People { all: 1, readers: 1 };
        let all = parts(&settings("90d", Plan::default()), people, added);
        let part = all.into_iter().find(|part| part.heading == heading);
        let facts = part.unwrap().facts;
        facts.into_iter().find(|(it, _)| *it == name).unwrap().1
    }

    #[test]
    fn what_the_workspace_itself_has_taken_out_is_named() {
        let never = |names: &[&str], places: &[&str]| {
            let added = Added::new(
                names.iter().map(|name| name.parse().unwrap()).collect(),
                places.iter().map(|place| place.parse().unwrap()).collect(),
            )
            .unwrap();
            said(
                "Entries of your applications",
                "What is never stored",
                &added,
            )
        };
        let nothing = never(&[], &[]);
        assert!(nothing.contains("names and addresses of people are not taken out."));
        let some = never(&["national_id", "email"], &["metadata.customer.iban"]);
        for words in [
            "values under 2 names (email, national_id);",
            "what stands in 1 path (metadata.customer.iban).",
            "since each was added",
            "whom it concerned and the description are always stored",
        ] {
            assert!(some.contains(words), "{words}: {some}");
        }
        assert!(!some.contains("not taken out") && !some.contains("adds nothing"));
        let names: Vec<String> = ('a'..='u').map(|letter| format!("{letter}x")).collect();
        assert_eq!(names.len(), NAMED + 1);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let many = never(&names, &[]);
        assert!(many.contains("21 names (ax, ") && many.contains("tx, and 1 more, all"));
        assert!(!many.contains("ux") && !many.contains("what stands in"));
    }

    #[test]
    fn what_comes_of_single_sign_on_is_named() {
        let account = |name| said("Accounts and roles", name, &Added::default());
        for words in ["(issuer)", "(subject)", "name of that group"] {
            assert!(account(WHAT).contains(words), "{words}");
        }
        assert!(account(FROM).contains("from the sign-on provider at each sign-in"));
        let own = said("Entries of Daybook’s own", WHAT, &Added::default());
        assert!(own.contains("identity there") && own.contains("group that gave it"));
    }

    #[test]
    fn nothing_is_promised_that_no_command_does() {
        for part in ["Accounts and roles", "Invitations"] {
            let long = said(part, LONG, &Added::default());
            assert!(!long.contains("operator removes"), "{part}: {long}");
            assert!(long.contains("nothing removes"), "{part}: {long}");
        }
        let long = said("Sessions", LONG, &Added::default());
        for ends in [
            "signing out",
            "is deactivated",
            "removed from one",
            "new password",
            "no longer give them a workspace",
            "unbinds",
        ] {
            assert!(long.contains(ends), "{ends}: {long}");
        }
    }

    #[test]
    fn spans_are_those_that_the_store_goes_by() {
        assert_eq!(span(SESSION), "14 days");
        assert_eq!(span(FAILURES_WITHIN), "15 minutes");
        assert_eq!(span(INVITE), "7 days");
        assert_eq!(span(TimeDelta::hours(1)), "1 hour");
    }

    #[test]
    fn what_never_expires_is_named() {
        let labels = for_good();
        for label in ["Legal hold placed", "Legal hold lifted", "Plan changed"] {
            assert!(
                labels.iter().any(|known| known == label),
                "{label}: {labels:?}"
            );
        }
        assert!(!labels.iter().any(|label| label == "Member added"));
    }
}
