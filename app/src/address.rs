//! Addresses of pages: a path read and written in one place, percent-encoded as RFC 3986 has it.

use domain::{
    json::{Path, path::Segment},
    question::{Filter, Moment, Query, Subject},
    slug::{Slug, WorkspacePath},
    time::Timestamp,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is written as it is in a segment of a path: RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as a segment of a path, or as a value in a query string.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn decoded(segment: &str) -> Option<String> {
    percent_decode_str(segment)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// The workspace's Audit page.
pub fn audit(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/audit")
}

/// Where what occurred in a workspace until a moment, itself included, is taken away as a file.
pub fn export_until(workspace: &WorkspacePath, moment: &str) -> String {
    format!("{}/export?until={}", audit(workspace), encoded(moment))
}

/// The tenant's Audit page: all its workspaces.
pub fn tenant_audit(tenant: &Slug) -> String {
    format!("/{tenant}/audit")
}

/// My activity: what the person who is signed in did in the workspace.
pub fn own(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/me")
}

/// The list of the workspace's objects.
pub fn objects(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/objects")
}

/// The workspace's settings.
pub fn settings(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings")
}

/// What is stored about people in the workspace, in its settings.
pub fn personal_data(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings/personal-data")
}

/// How the proof of the workspace's log stands, in its settings.
pub fn proof(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings/proof")
}

/// How the proof of the tenant's log stands, in its settings.
pub fn tenant_proof(tenant: &Slug) -> String {
    format!("/{tenant}/settings/proof")
}

/// The tenant's settings: its plan and workspaces.
pub fn tenant_settings(tenant: &Slug) -> String {
    format!("/{tenant}/settings")
}

/// The tenant's admins, in its settings.
pub fn tenant_admins(tenant: &Slug) -> String {
    format!("/{tenant}/settings/admins")
}

/// The tenant's own API tokens, in its settings.
pub fn tenant_tokens(tenant: &Slug) -> String {
    format!("/{tenant}/settings/tokens")
}

/// The workspace's members, in its settings.
pub fn members(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings/members")
}

/// The workspace's API tokens, in its settings.
pub fn tokens(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings/tokens")
}

/// What the workspace says of actions itself, in its settings.
pub fn catalogue(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings/catalogue")
}

/// What is taken out before it is recorded, in the workspace's settings.
pub fn redaction(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings/redaction")
}

/// Where a signed-out visitor signs in, and from where they come back to `next`.
pub fn login(next: &str) -> String {
    format!("/login?next={}", encoded(next))
}

/// Where somebody signs in at the provider, and from where they come back to `next`; empty: to the start
/// page.
pub fn sign_on(next: &str) -> String {
    match next {
        "" => "/login/oidc".to_owned(),
        next => format!("/login/oidc?next={}", encoded(next)),
    }
}

/// A path with a query string, which may be empty.
pub fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// An address of a page whose times are in `zone`, an IANA name. UTC needs no naming.
pub fn in_zone(path: &str, zone: &str) -> String {
    if zone == "UTC" {
        path.to_owned()
    } else {
        let and = if path.contains('?') { '&' } else { '?' };
        format!("{path}{and}tz={}", encoded(zone))
    }
}

/// Where a log is shown, and so what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAddress {
    /// A tenant's Audit page: all its workspaces.
    Tenant(Slug),
    /// A workspace's Audit page.
    Workspace(WorkspacePath),
    /// The Audit tab of one of a workspace's objects.
    Object(WorkspacePath, Subject),
    /// My activity: what the person who is signed in did in a workspace.
    Own(WorkspacePath),
}

impl LogAddress {
    /// Reads a path: `/acme/audit`, `/acme/growth/audit`, `/acme/growth/me`,
    /// `/acme/growth/objects/integration/int%2F1/audit`.
    pub fn read(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        Some(match segments[..] {
            [tenant, "audit"] => Self::Tenant(tenant.parse().ok()?),
            [tenant, workspace, "audit"] => Self::Workspace(workspace_path(tenant, workspace)?),
            [tenant, workspace, "me"] => Self::Own(workspace_path(tenant, workspace)?),
            [tenant, workspace, "objects", kind, id, "audit"] => {
                let subject = Subject {
                    kind: decoded(kind)?.parse().ok()?,
                    id: decoded(id).filter(|id| !id.is_empty())?,
                };
                Self::Object(workspace_path(tenant, workspace)?, subject)
            }
            _ => return None,
        })
    }

    /// Where an entry that is shown there is proved.
    pub fn proof_of(&self, id: &str) -> String {
        format!("{}/proof?event={id}", self.path())
    }

    /// The path.
    pub fn path(&self) -> String {
        match self {
            Self::Tenant(tenant) => tenant_audit(tenant),
            Self::Workspace(workspace) => audit(workspace),
            Self::Object(workspace, subject) => object(workspace, subject),
            Self::Own(workspace) => own(workspace),
        }
    }
}

/// An object's Audit tab.
pub fn object(workspace: &WorkspacePath, subject: &Subject) -> String {
    object_page(workspace, subject, "/audit")
}

/// An object's Overview.
pub fn overview(workspace: &WorkspacePath, subject: &Subject) -> String {
    object_page(workspace, subject, "")
}

/// An object's Blame tab: who set each of its fields.
pub fn blame(workspace: &WorkspacePath, subject: &Subject) -> String {
    object_page(workspace, subject, "/blame")
}

/// The object whose Blame tab lies at a path.
pub fn blame_of(path: &str) -> Option<(WorkspacePath, Subject)> {
    overview_of(path.strip_suffix("/blame")?)
}

/// The whole history of one field of an object; where its path names it by its place in a list, that is
/// of the state at a moment.
pub fn history_of(
    workspace: &WorkspacePath,
    subject: &Subject,
    field: &Path,
    at: Timestamp,
) -> String {
    let is_in_list = |segment: &Segment| matches!(segment, Segment::Element(_));
    let at = field.segments().iter().any(is_in_list).then_some(at);
    let at = at.map(|at| format!("&at={}", encoded(&at.to_string())));
    let query = format!(
        "field={}{}",
        encoded(&field.to_string()),
        at.unwrap_or_default()
    );
    with_query(&blame(workspace, subject), &query)
}

/// The object whose Overview lies at a path.
pub fn overview_of(path: &str) -> Option<(WorkspacePath, Subject)> {
    let tab = format!("{}/audit", path.strip_suffix('/').unwrap_or(path));
    match LogAddress::read(&tab)? {
        LogAddress::Object(workspace, subject) => Some((workspace, subject)),
        _ => None,
    }
}

/// What a tenant's log tells of one of its own objects.
pub fn object_in_tenant(tenant: &Slug, subject: &Subject) -> String {
    let (kind, id) = (encoded(subject.kind.as_str()), encoded(&subject.id));
    format!("{}?target_kind={kind}&target_id={id}", tenant_audit(tenant))
}

/// The list of the workspace's objects of a kind.
pub fn objects_of(workspace: &WorkspacePath, kind: &str) -> String {
    format!("{}?kind={}", objects(workspace), encoded(kind))
}

fn object_page(workspace: &WorkspacePath, subject: &Subject, tab: &str) -> String {
    let kind = encoded(subject.kind.as_str());
    let id = match subject.id.as_str() {
        // Browsers take these two for steps in the path, however they are encoded: they are left
        // to the Audit page.
        "." | ".." => {
            let id = encoded(&subject.id);
            return format!("{}?target_kind={kind}&target_id={id}", audit(workspace));
        }
        id => encoded(id),
    };
    format!("/{workspace}/objects/{kind}/{id}{tab}")
}

/// A workspace by the two segments that name it in a path; none where they are no slugs.
pub fn workspace_path(tenant: &str, workspace: &str) -> Option<WorkspacePath> {
    Some(WorkspacePath {
        tenant: tenant.parse::<Slug>().ok()?,
        workspace: workspace.parse::<Slug>().ok()?,
    })
}

/// The parameter that opens a row.
const OPEN: &str = "open";

/// Takes the open row out of a query string: what is asked, and which row is open.
pub fn without_open(search: &str) -> (String, Option<String>) {
    let mut rest = form_urlencoded::Serializer::new(String::new());
    let mut open = None;
    for (name, value) in form_urlencoded::parse(search.as_bytes()) {
        if name == OPEN {
            open = Some(value.into_owned()).filter(|id| !id.is_empty());
        } else {
            rest.append_pair(&name, &value);
        }
    }
    (rest.finish(), open)
}

/// A query string that also opens a row.
pub fn opening(question: &str, id: &str) -> String {
    let and = if question.is_empty() { "" } else { "&" };
    format!("{question}{and}{OPEN}={}", encoded(id))
}

/// The links of one shown page of a log: each is the same page asked a little differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    path: String,
    /// What the page shows.
    pub query: Query,
    /// The same, as a query string.
    question: String,
    /// The same for others, whenever they look: a time that goes on, as it was when the page was read.
    fixed: String,
}

impl Links {
    /// The links of the page that shows `query` at `address`.
    pub fn new(address: &LogAddress, query: Query) -> Self {
        Self {
            path: address.path(),
            question: query.query_string(),
            fixed: query.query_string(),
            query,
        }
    }

    /// The same, where the question asks for a time that goes on, which is this one now.
    #[must_use]
    pub fn fixed_at(mut self, span: Option<(Moment, Moment)>) -> Self {
        if let Some((since, until)) = span {
            let mut filter = self.query.filter.clone();
            (filter.range, filter.since, filter.until) = (None, Some(since), Some(until));
            self.fixed = self.query.with_filter(filter).query_string();
        }
        self
    }

    /// The page as it is to be sent to others: they see the same, also later.
    pub fn shared(&self) -> String {
        with_query(&self.path, &self.fixed)
    }

    /// The same with a row open.
    pub fn shared_opening(&self, id: &str) -> String {
        format!(
            "{}#e-{id}",
            with_query(&self.path, &opening(&self.fixed, id))
        )
    }

    /// The path of all of them.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The page that shows another question.
    pub fn to(&self, query: &Query) -> String {
        with_query(&self.path, &query.query_string())
    }

    /// The same page with a row open.
    pub fn opening(&self, id: &str) -> String {
        with_query(&self.path, &opening(&self.question, id))
    }

    /// The same page with no row open.
    pub fn closed(&self) -> String {
        with_query(&self.path, &self.question)
    }

    /// Where all pages of what it shows are taken away as a file.
    pub fn export(&self) -> String {
        let whole = Query {
            limit: None,
            ..self.query.from_start()
        };
        with_query(&format!("{}/export", self.path), &whole.query_string())
    }

    /// The page with another filter, from its start.
    pub fn filtered(&self, change: impl FnOnce(&mut Filter)) -> String {
        let mut filter = self.query.filter.clone();
        change(&mut filter);
        self.to(&self.query.with_filter(filter))
    }

    /// Everything of another time, in its order, with a row open: what else was done around an entry, in its
    /// workspace where the page shows several.
    pub fn around(
        &self,
        workspace: Option<&Slug>,
        (since, until): (Moment, Moment),
        id: &str,
    ) -> String {
        let filter = Filter {
            workspace: workspace.cloned().into_iter().collect(),
            since: Some(since),
            until: Some(until),
            tz: self.query.filter.tz.clone(),
            ..Filter::default()
        };
        let query = Query {
            limit: self.query.limit,
            ..Query::default().with_filter(filter)
        };
        let question = opening(&query.query_string(), id);
        format!("{}#e-{id}", with_query(&self.path, &question))
    }

    /// Everything of the same time that is part of an operation; of a workspace, where the page shows several.
    pub fn operation(&self, workspace: Option<&Slug>, operation: String) -> String {
        self.only(|filter| {
            filter.workspace.extend(workspace.cloned());
            filter.operation = Some(operation);
        })
    }

    /// Everything of the same time: other filters are dropped, then `change` is made.
    pub fn only(&self, change: impl FnOnce(&mut Filter)) -> String {
        self.filtered(|filter| {
            *filter = Filter {
                since: filter.since,
                until: filter.until,
                range: filter.range,
                tz: filter.tz.take(),
                ..Filter::default()
            };
            change(filter);
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn subject(kind: &str, id: &str) -> Subject {
        Subject {
            kind: kind.parse().unwrap(),
            id: id.to_owned(),
        }
    }

    #[test]
    fn an_object_with_any_id_has_a_path_that_names_it() {
        let workspace: WorkspacePath = "acme/growth".parse().unwrap();
        for id in ["int_1", "a/b", "100%", "%2F", "å b?c#d&e", "../x"] {
            let address = LogAddress::Object(workspace.clone(), subject("pipeline/run", id));
            let object = (workspace.clone(), subject("pipeline/run", id));
            let overview = overview(&workspace, &object.1);
            assert_eq!(
                blame_of(&blame(&workspace, &object.1)),
                Some(object.clone()),
                "{id}"
            );
            assert_eq!(overview_of(&overview), Some(object), "{id}");
            assert_eq!(LogAddress::read(&address.path()), Some(address), "{id}");
        }
        let address = LogAddress::read("/acme/growth/objects/x/int%2F1/audit").unwrap();
        assert_eq!(
            address,
            LogAddress::Object(workspace, subject("x", "int/1"))
        );
    }

    #[test]
    fn a_log_has_one_path_and_the_path_says_what_it_is_about() {
        let workspace: WorkspacePath = "acme/growth".parse().unwrap();
        for (path, address) in [
            ("/acme/audit", LogAddress::Tenant("acme".parse().unwrap())),
            (
                "/acme/growth/audit",
                LogAddress::Workspace(workspace.clone()),
            ),
            ("/acme/growth/me", LogAddress::Own(workspace)),
        ] {
            assert_eq!(address.path(), path);
            assert_eq!(LogAddress::read(path), Some(address), "{path}");
        }
    }

    #[test]
    fn what_is_no_object_has_no_overview() {
        for path in [
            "/acme/growth/objects",
            "/acme/growth/objects/integration",
            "/acme/growth/objects/integration/int_1/audit",
            "/acme/growth/objects/no%20kind/int_1",
            "/acme/growth",
        ] {
            assert_eq!(overview_of(path), None, "{path}");
        }
    }

    #[test]
    fn a_zone_is_one_more_parameter() {
        assert_eq!(in_zone("/a", "UTC"), "/a");
        assert_eq!(in_zone("/a", "Europe/Oslo"), "/a?tz=Europe%2FOslo");
        assert_eq!(
            in_zone("/a?kind=b", "Europe/Oslo"),
            "/a?kind=b&tz=Europe%2FOslo"
        );
    }

    #[test]
    fn what_is_no_log_is_not_read() {
        for path in [
            "/",
            "/audit",
            "/Acme/audit",
            "/settings/audit",
            "/acme/me",
            "/acme/growth/me/audit",
            "/Acme/growth/audit",
            "/acme/growth/objects/x/%FF/audit",
            "/acme/growth/objects/x//audit",
            "/acme/growth/settings",
        ] {
            assert_eq!(LogAddress::read(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_shared_asks_for_the_time_that_is_shown_now() {
        use domain::question::Unknown;
        let address = LogAddress::read("/acme/growth/audit").unwrap();
        let links = |search: &str| {
            Links::new(&address, Query::read(search, Unknown::Refused).query).fixed_at(Some((
                "2026-05-05T11:20".parse().unwrap(),
                "2026-05-12T11:20:59.999999".parse().unwrap(),
            )))
        };
        let week = links("q=kim&range=7d&tz=Europe%2FOslo");
        assert_eq!(
            week.shared(),
            "/acme/growth/audit?q=kim&since=2026-05-05T11%3A20%3A00\
             &until=2026-05-12T11%3A20%3A59.999999&tz=Europe%2FOslo"
        );
        assert!(
            week.shared_opening("0197")
                .ends_with("Oslo&open=0197#e-0197")
        );
        // The page itself goes on.
        assert!(week.opening("0197").contains("range=7d"));
        let all = Links::new(&address, Query::default()).fixed_at(None);
        assert_eq!(all.shared(), "/acme/growth/audit");
    }

    #[test]
    fn the_open_row_is_no_part_of_the_question() {
        let (asked, open) = without_open("q=a+b&open=0197&sort=actor");
        assert_eq!(asked, "q=a+b&sort=actor");
        assert_eq!(open.as_deref(), Some("0197"));
        assert_eq!(without_open("open="), (String::new(), None));
    }
}
