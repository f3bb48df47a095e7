//! Addresses of pages: a path read and written in one place, percent-encoded as RFC 3986 has it.

use domain::{
    question::{Query, Subject},
    slug::{Slug, WorkspacePath},
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

/// The list of the workspace's objects.
pub fn objects(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/objects")
}

/// The workspace's settings.
pub fn settings(workspace: &WorkspacePath) -> String {
    format!("/{workspace}/settings")
}

/// Where a signed-out visitor signs in, and from where they come back to `next`.
pub fn login(next: &str) -> String {
    format!("/login?next={}", encoded(next))
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

/// Where a log is shown: a workspace's Audit page, or the Audit tab of one of its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAddress {
    /// The workspace.
    pub workspace: WorkspacePath,
    /// The object, on its own tab.
    pub subject: Option<Subject>,
}

impl LogAddress {
    /// Reads a path: `/acme/growth/audit`, `/acme/growth/objects/integration/int%2F1/audit`.
    pub fn read(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let (tenant, workspace, subject) = match segments[..] {
            [tenant, workspace, "audit"] => (tenant, workspace, None),
            [tenant, workspace, "objects", kind, id, "audit"] => {
                let subject = Subject {
                    kind: decoded(kind)?.parse().ok()?,
                    id: decoded(id).filter(|id| !id.is_empty())?,
                };
                (tenant, workspace, Some(subject))
            }
            _ => return None,
        };
        Some(Self {
            workspace: workspace_path(tenant, workspace)?,
            subject,
        })
    }

    /// The path.
    pub fn path(&self) -> String {
        match &self.subject {
            None => audit(&self.workspace),
            Some(subject) => object(&self.workspace, subject),
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

/// The object whose Overview lies at a path.
pub fn overview_of(path: &str) -> Option<(WorkspacePath, Subject)> {
    let address = LogAddress::read(&format!("{}/audit", path.strip_suffix('/').unwrap_or(path)))?;
    Some((address.workspace, address.subject?))
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
}

impl Links {
    /// The links of the page that shows `query` at `address`.
    pub fn new(address: &LogAddress, query: Query) -> Self {
        Self {
            path: address.path(),
            question: query.query_string(),
            query,
        }
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

    /// The page with another filter, from its start.
    pub fn filtered(&self, change: impl FnOnce(&mut domain::question::Filter)) -> String {
        let mut filter = self.query.filter.clone();
        change(&mut filter);
        self.to(&self.query.with_filter(filter))
    }

    /// Everything of the same time: other filters are dropped, then `change` is made.
    pub fn only(&self, change: impl FnOnce(&mut domain::question::Filter)) -> String {
        self.filtered(|filter| {
            *filter = domain::question::Filter {
                since: filter.since,
                until: filter.until,
                range: filter.range,
                tz: filter.tz.take(),
                ..domain::question::Filter::default()
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
            let address = LogAddress {
                workspace: workspace.clone(),
                subject: Some(subject("pipeline/run", id)),
            };
            let object = (workspace.clone(), address.subject.clone().unwrap());
            let overview = overview(&workspace, &object.1);
            assert_eq!(overview_of(&overview), Some(object), "{id}");
            assert_eq!(LogAddress::read(&address.path()), Some(address), "{id}");
        }
        let address = LogAddress::read("/acme/growth/objects/x/int%2F1/audit").unwrap();
        assert_eq!(address.subject, Some(subject("x", "int/1")));
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
            "/acme/audit",
            "/Acme/growth/audit",
            "/acme/growth/objects/x/%FF/audit",
            "/acme/growth/objects/x//audit",
            "/acme/growth/settings",
        ] {
            assert_eq!(LogAddress::read(path), None, "{path}");
        }
    }

    #[test]
    fn the_open_row_is_no_part_of_the_question() {
        let (asked, open) = without_open("q=a+b&open=0197&sort=actor");
        assert_eq!(asked, "q=a+b&sort=actor");
        assert_eq!(open.as_deref(), Some("0197"));
        assert_eq!(without_open("open="), (String::new(), None));
    }
}
