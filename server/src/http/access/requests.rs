//! What is asked: at least one request of each address that the server knows.

use axum::http::Method;
use std::fmt;

/// A request. Names in braces are filled in by the installation.
pub struct Asked {
    /// The address, as the server knows it.
    pub route: &'static str,
    /// What is particular about this request.
    about: &'static str,
    /// Where it goes.
    pub uri: &'static str,
    /// JSON, or the fields of a form.
    pub body: &'static str,
}

impl Asked {
    pub fn method(&self) -> Method {
        match self.route.split(' ').next() {
            // One that changes something stands for all.
            Some("ANY") => Method::POST,
            Some(method) => method.parse().unwrap_or_default(),
            None => Method::GET,
        }
    }

    /// Whether it is a function of a page, which answers with data that says whether it is refused.
    pub fn is_of_a_page(&self) -> bool {
        self.uri.starts_with("/ui/") && self.method() == Method::GET
    }

    /// What a browser says that it takes: a page, or data for one.
    pub fn accepts(&self) -> &'static str {
        if self.is_of_a_page() {
            "application/json"
        } else {
            "text/html"
        }
    }

    pub fn media_type(&self) -> &'static str {
        if self.body.starts_with('{') {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.route)?;
        if !self.about.is_empty() {
            write!(f, ", {}", self.about)?;
        }
        Ok(())
    }
}

const fn get(route: &'static str, about: &'static str, uri: &'static str) -> Asked {
    Asked {
        route,
        about,
        uri,
        body: "",
    }
}

const fn send(
    route: &'static str,
    about: &'static str,
    uri: &'static str,
    body: &'static str,
) -> Asked {
    Asked {
        route,
        about,
        uri,
        body,
    }
}

const AUDIT: &str = "GET /{tenant}/{workspace}/audit";
const OBJECT: &str = "GET /{tenant}/{workspace}/objects/{kind}/{id}/audit";
const EVENTS: &str = "GET /api/v1/events";
const SENT: &str = r#"{"actor": {"kind": "system"}, "action": "TRIED", "target": {"kind": "plan", "id": "pln_2"}}"#;

pub const REQUESTS: &[Asked] = &[
    get("GET /", "", "/"),
    get("GET /login", "", "/login"),
    get(
        "GET /login/oidc",
        "while the provider is down",
        "/login/oidc?next=/acme/growth/audit",
    ),
    get(
        "GET /login/oidc/callback",
        "that nobody asked for",
        "/login/oidc/callback?code=x&state=y",
    ),
    get("GET /invite", "", "/invite?key={key}"),
    get("GET /invite", "with a wrong key", "/invite?key=no"),
    get(AUDIT, "", "/acme/growth/audit"),
    get(AUDIT, "one that is not there", "/acme/nowhere/audit"),
    get(
        AUDIT,
        "naming the other workspace",
        "/acme/growth/audit?workspace=revenue",
    ),
    get(AUDIT, "opening an entry", "/acme/growth/audit?open={event}"),
    get(
        AUDIT,
        "opening the other workspace's",
        "/acme/growth/audit?open={other_event}",
    ),
    get(
        "GET /{tenant}/{workspace}/settings",
        "",
        "/acme/growth/settings",
    ),
    get(
        "GET /{tenant}/{workspace}/settings/personal-data",
        "",
        "/acme/growth/settings/personal-data",
    ),
    get(
        "GET /{tenant}/{workspace}/settings/proof",
        "",
        "/acme/growth/settings/proof",
    ),
    get(
        "GET /{tenant}/{workspace}/settings/proof/checkpoint",
        "",
        "/acme/growth/settings/proof/checkpoint",
    ),
    get("GET /{tenant}/settings/proof", "", "/acme/settings/proof"),
    get(
        "GET /{tenant}/settings/proof/checkpoint",
        "",
        "/acme/settings/proof/checkpoint",
    ),
    get(
        "GET /{tenant}/audit/proof",
        "",
        "/acme/audit/proof?event={event}",
    ),
    get(
        "GET /{tenant}/{workspace}/audit/proof",
        "",
        "/acme/growth/audit/proof?event={event}",
    ),
    get(
        "GET /{tenant}/{workspace}/audit/proof",
        "of the other workspace's",
        "/acme/growth/audit/proof?event={other_event}",
    ),
    get(
        "GET /{tenant}/{workspace}/me/proof",
        "of somebody else's",
        "/acme/growth/me/proof?event={event}",
    ),
    get("GET /{tenant}/settings", "", "/acme/settings"),
    get(
        "GET /{tenant}/settings",
        "of one that is not there",
        "/initech/settings",
    ),
    get("GET /{tenant}/settings/admins", "", "/acme/settings/admins"),
    get("GET /{tenant}/settings/tokens", "", "/acme/settings/tokens"),
    get(
        "GET /{tenant}/{workspace}/settings/catalogue",
        "",
        "/acme/growth/settings/catalogue",
    ),
    get(
        "GET /{tenant}/{workspace}/settings/redaction",
        "",
        "/acme/growth/settings/redaction",
    ),
    get(
        "GET /{tenant}/{workspace}/settings/members",
        "",
        "/acme/growth/settings/members",
    ),
    get(
        "GET /{tenant}/{workspace}/objects",
        "",
        "/acme/growth/objects",
    ),
    get(
        "GET /{tenant}/{workspace}/objects",
        "of a guarded kind",
        "/acme/growth/objects?kind=user",
    ),
    get(
        "GET /{tenant}/{workspace}/objects/{kind}/{id}",
        "of a guarded kind",
        "/acme/growth/objects/user/{member}",
    ),
    get(
        "GET /{tenant}/{workspace}/objects/{kind}/{id}/audit",
        "of a guarded kind",
        "/acme/growth/objects/user/{member}/audit",
    ),
    get(
        "GET /{tenant}/{workspace}/objects/{kind}/{id}",
        "",
        "/acme/growth/objects/plan/pln_1",
    ),
    get(
        "GET /{tenant}/{workspace}/objects/{kind}/{id}/audit/proof",
        "of another object's",
        "/acme/growth/objects/plan/pln_1/audit/proof?event={other_event}",
    ),
    get(
        "GET /{tenant}/{workspace}/objects/{kind}/{id}/blame",
        "",
        "/acme/growth/objects/plan/pln_1/blame",
    ),
    get(
        "GET /{tenant}/{workspace}/objects/{kind}/{id}/blame",
        "of a guarded kind",
        "/acme/growth/objects/user/{member}/blame",
    ),
    get(OBJECT, "", "/acme/growth/objects/plan/pln_1/audit"),
    get(
        OBJECT,
        "opening the other workspace's entry",
        "/acme/growth/objects/plan/pln_1/audit?open={other_event}",
    ),
    get("GET /{tenant}/audit", "", "/acme/audit"),
    get(
        "GET /{tenant}/audit",
        "opening an entry of a workspace",
        "/acme/audit?open={other_event}",
    ),
    get(
        "GET /{tenant}/audit",
        "of one that is not there",
        "/initech/audit",
    ),
    get("GET /{tenant}/{workspace}/me", "", "/acme/growth/me"),
    get(
        "GET /{tenant}/{workspace}/me",
        "opening another's entry",
        "/acme/growth/me?open={event}",
    ),
    get(
        "GET /{tenant}/{workspace}/settings/tokens",
        "",
        "/acme/growth/settings/tokens",
    ),
    get("GET /ui/log", "", "/ui/log?path=/acme/growth/audit&search="),
    get(
        "GET /ui/log",
        "of the tenant",
        "/ui/log?path=/acme/audit&search=",
    ),
    get(
        "GET /ui/log",
        "of oneself",
        "/ui/log?path=/acme/growth/me&search=",
    ),
    get(
        "GET /ui/news",
        "",
        "/ui/news?path=/acme/growth/audit&search=&after=0&wait=0",
    ),
    get(
        "GET /ui/news",
        "of the tenant",
        "/ui/news?path=/acme/audit&search=&after=0&wait=0",
    ),
    get(
        "GET /ui/news",
        "of oneself",
        "/ui/news?path=/acme/growth/me&search=&after=0&wait=0",
    ),
    get(
        "GET /ui/chart",
        "",
        "/ui/chart?path=/acme/growth/audit&search=",
    ),
    get(
        "GET /ui/chart",
        "of the tenant",
        "/ui/chart?path=/acme/audit&search=",
    ),
    get(
        "GET /ui/completions",
        "",
        "/ui/completions?path=/acme/growth/audit&search=&field=actor&text=a",
    ),
    get(
        "GET /ui/completions",
        "of the tenant",
        "/ui/completions?path=/acme/audit&search=&field=q&text=a",
    ),
    get(
        "GET /ui/completions",
        "of oneself",
        "/ui/completions?path=/acme/growth/me&search=&field=actor&text=a",
    ),
    get(
        "GET /ui/entry",
        "",
        "/ui/entry?path=/acme/growth/audit&search=&id={event}",
    ),
    get(
        "GET /ui/entry",
        "the other workspace's",
        "/ui/entry?path=/acme/growth/audit&search=&id={other_event}",
    ),
    send(
        "POST /{tenant}/{workspace}/audit/export",
        "",
        "/acme/growth/audit/export?outcome=success",
        "format=csv",
    ),
    send(
        "POST /{tenant}/{workspace}/audit/export",
        "as what there is not",
        "/acme/growth/audit/export",
        "format=xls",
    ),
    send(
        "POST /{tenant}/{workspace}/audit/export",
        "naming the other workspace",
        "/acme/growth/audit/export?workspace=revenue",
        "format=csv",
    ),
    send(
        "POST /{tenant}/{workspace}/objects/{kind}/{id}/audit/export",
        "",
        "/acme/growth/objects/plan/pln_1/audit/export",
        "format=json",
    ),
    send(
        "POST /{tenant}/audit/export",
        "",
        "/acme/audit/export",
        "format=ndjson",
    ),
    get(
        "GET /ui/export",
        "one that is not there",
        "/ui/export?name=export-of-nobody",
    ),
    send(
        "POST /ui/cancel_export",
        "one that is not there",
        "/ui/cancel_export",
        "name=export-of-nobody",
    ),
    send(
        "POST /ui/set_single_keys",
        "",
        "/ui/set_single_keys",
        "on=false",
    ),
    send(
        "POST /ui/save_settings",
        "",
        "/ui/save_settings",
        "path=/acme/growth/settings&retention=days&days=100&recording=on",
    ),
    send(
        "POST /ui/save_settings",
        "keeping entries for a shorter time, which is meant",
        "/ui/save_settings",
        "path=/acme/growth/settings&retention=days&days=30&recording=on&sure=30d",
    ),
    send(
        "POST /ui/cancel_retention",
        "with nothing to cancel",
        "/ui/cancel_retention",
        "path=/acme/growth/settings",
    ),
    send(
        "POST /ui/place_hold",
        "",
        "/ui/place_hold",
        "path=/acme/growth/settings&reason=Lawsuit",
    ),
    send(
        "POST /ui/place_hold",
        "where one stands",
        "/ui/place_hold",
        "path=/acme/revenue/settings&reason=Lawsuit",
    ),
    send(
        "POST /ui/lift_hold",
        "",
        "/ui/lift_hold",
        "path=/acme/revenue/settings&reason=Settled",
    ),
    send(
        "POST /ui/lift_hold",
        "with none to lift",
        "/ui/lift_hold",
        "path=/acme/growth/settings&reason=Settled",
    ),
    send(
        "POST /ui/add_tenant_admin",
        "",
        "/ui/add_tenant_admin",
        "path=/acme/settings/admins&email=mia@acme.example",
    ),
    send(
        "POST /ui/add_tenant_admin",
        "somebody of another tenant",
        "/ui/add_tenant_admin",
        "path=/acme/settings/admins&email=elsa@acme.example",
    ),
    send(
        "POST /ui/change_tenant_admin",
        "",
        "/ui/change_tenant_admin",
        "path=/acme/settings/admins&admin={other_admin}&act=save&last_day=2099-12-31",
    ),
    send(
        "POST /ui/change_tenant_admin",
        "taking the role away",
        "/ui/change_tenant_admin",
        "path=/acme/settings/admins&admin={other_admin}&act=remove",
    ),
    send(
        "POST /ui/change_tenant_admin",
        "taking one's own",
        "/ui/change_tenant_admin",
        "path=/acme/settings/admins&admin={tenant_admin}&act=remove",
    ),
    send(
        "POST /ui/save_catalogue_entry",
        "",
        "/ui/save_catalogue_entry",
        "path=/acme/growth/settings/catalogue&action=door:open&category=accounts&verb=run&label=Door",
    ),
    send(
        "POST /ui/save_catalogue_entry",
        "removing one that is not there",
        "/ui/save_catalogue_entry",
        "path=/acme/growth/settings/catalogue&change=door:shut&act=remove",
    ),
    send(
        "POST /ui/save_catalogue_entry",
        "removing one",
        "/ui/save_catalogue_entry",
        "path=/acme/growth/settings/catalogue&change=gate:open&act=remove",
    ),
    send(
        "POST /ui/add_redaction",
        "",
        "/ui/add_redaction",
        "path=/acme/growth/settings/redaction&names=national_id&paths=metadata.customer.iban",
    ),
    send(
        "POST /ui/remove_redaction",
        "a name",
        "/ui/remove_redaction",
        "path=/acme/growth/settings/redaction&name=shoe_size",
    ),
    send(
        "POST /ui/remove_redaction",
        "a path",
        "/ui/remove_redaction",
        "path=/acme/growth/settings/redaction&place=metadata.shoe",
    ),
    send(
        "POST /ui/remove_redaction",
        "one that is not there",
        "/ui/remove_redaction",
        "path=/acme/growth/settings/redaction&name=national_id",
    ),
    send(
        "POST /ui/invite_member",
        "",
        "/ui/invite_member",
        "path=/acme/growth/settings/members&email=y@acme.example&role=member",
    ),
    send(
        "POST /ui/invite_member",
        "as an owner",
        "/ui/invite_member",
        "path=/acme/growth/settings/members&email=y@acme.example&role=owner",
    ),
    send(
        "POST /ui/revoke_invite",
        "",
        "/ui/revoke_invite",
        "path=/acme/growth/settings/members&invite={invite}",
    ),
    send(
        "POST /ui/revoke_invite",
        "the other workspace's",
        "/ui/revoke_invite",
        "path=/acme/growth/settings/members&invite={other_invite}",
    ),
    send(
        "POST /ui/change_member",
        "",
        "/ui/change_member",
        "path=/acme/growth/settings/members&member={member}&act=save&role=auditor",
    ),
    send(
        "POST /ui/change_member",
        "deactivating",
        "/ui/change_member",
        "path=/acme/growth/settings/members&member={member}&act=deactivate",
    ),
    send(
        "POST /ui/change_member",
        "removing",
        "/ui/change_member",
        "path=/acme/growth/settings/members&member={member}&act=remove",
    ),
    send(
        "POST /ui/change_member",
        "the other workspace's",
        "/ui/change_member",
        "path=/acme/growth/settings/members&member={other_member}&act=deactivate",
    ),
    send(
        "POST /ui/create_token",
        "",
        "/ui/create_token",
        "path=/acme/growth/settings/tokens&name=ci&scopes[0]=events:write",
    ),
    send(
        "POST /ui/create_token",
        "of the tenant",
        "/ui/create_token",
        "path=/acme/settings/tokens&name=ci&scopes[0]=events:write",
    ),
    send(
        "POST /ui/revoke_token",
        "the tenant's, on its own page",
        "/ui/revoke_token",
        "path=/acme/settings/tokens&token={tenant_token}",
    ),
    send(
        "POST /ui/revoke_token",
        "a workspace's, on the tenant's page",
        "/ui/revoke_token",
        "path=/acme/settings/tokens&token={token}",
    ),
    send(
        "POST /ui/revoke_token",
        "",
        "/ui/revoke_token",
        "path=/acme/growth/settings/tokens&token={token}",
    ),
    send(
        "POST /ui/revoke_token",
        "the other workspace's",
        "/ui/revoke_token",
        "path=/acme/growth/settings/tokens&token={other_token}",
    ),
    send(
        "POST /ui/revoke_token",
        "the tenant's",
        "/ui/revoke_token",
        "path=/acme/growth/settings/tokens&token={tenant_token}",
    ),
    send(
        "POST /login",
        "",
        "/login",
        "email=olga@acme.example&password=correct+horse",
    ),
    send(
        "POST /login",
        "with a wrong password",
        "/login",
        "email=olga@acme.example&password=wrong",
    ),
    send("POST /logout", "", "/logout", "x=1"),
    send(
        "POST /invite",
        "",
        "/invite",
        "key={key}&name=New&password=correct+horse",
    ),
    get(
        "GET /api/v1/events/export",
        "",
        "/api/v1/events/export?format=ndjson",
    ),
    get(
        "GET /api/v1/events/export",
        "of the other workspace",
        "/api/v1/events/export?format=csv&workspace=revenue",
    ),
    get(
        "GET /api/v1/events/histogram",
        "",
        "/api/v1/events/histogram?buckets=3",
    ),
    get(
        "GET /api/v1/events/histogram",
        "of the other workspace",
        "/api/v1/events/histogram?workspace=revenue",
    ),
    get(EVENTS, "", "/api/v1/events"),
    get(
        EVENTS,
        "of the other workspace",
        "/api/v1/events?workspace=revenue",
    ),
    send("POST /api/v1/events", "", "/api/v1/events", SENT),
    get("GET /api/v1/feed", "", "/api/v1/feed?after=0"),
    get(
        "GET /api/v1/feed",
        "of the other workspace",
        "/api/v1/feed?workspace=revenue",
    ),
    get("GET /api/v1/events/{id}", "", "/api/v1/events/{event}"),
    get(
        "GET /api/v1/events/{id}",
        "of the other workspace",
        "/api/v1/events/{other_event}",
    ),
    get(
        "GET /api/v1/objects/{kind}/{id}/blame",
        "",
        "/api/v1/objects/plan/pln_1/blame",
    ),
    get(
        "GET /api/v1/objects/{kind}/{id}/blame",
        "of the other workspace",
        "/api/v1/objects/plan/pln_1/blame?workspace=revenue",
    ),
    send(
        "PUT /api/v1/actors/{kind}/{id}",
        "",
        "/api/v1/actors/user/usr_1",
        r#"{"deactivated": true}"#,
    ),
    get(
        "GET /api/v1/proof/checkpoint",
        "",
        "/api/v1/proof/checkpoint",
    ),
    get(
        "GET /api/v1/proof/inclusion",
        "",
        "/api/v1/proof/inclusion?event={event}",
    ),
    get(
        "GET /api/v1/proof/inclusion",
        "of the other workspace",
        "/api/v1/proof/inclusion?event={other_event}",
    ),
    get(
        "GET /api/v1/proof/consistency",
        "",
        "/api/v1/proof/consistency?from=0&to=0",
    ),
    get("GET /api/v1/proof/keys", "", "/api/v1/proof/keys"),
    get("GET /api/v1/openapi.json", "", "/api/v1/openapi.json"),
    send("ANY /api", "", "/api", "{}"),
    send("ANY /api/", "", "/api/", "{}"),
    send("ANY /api/{*rest}", "", "/api/v2/events", "{}"),
    get("GET /pkg/{name}", "one that is not there", "/pkg/app.css"),
    get("GET /healthz", "", "/healthz"),
    get("GET /readyz", "", "/readyz"),
    get("GET /metrics", "", "/metrics"),
];
