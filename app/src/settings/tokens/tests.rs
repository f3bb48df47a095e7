//! The page of API tokens, rendered as the server renders it.

use super::{Page, said::*, view::*};
use crate::log::{
    tests::{frame, html},
    view::WhenView,
};
use leptos::prelude::*;
use store::administration::TokenState;

fn when(date: &str) -> WhenView {
    WhenView {
        iso: format!("{date}T09:14:03.000000Z"),
        exact: format!("{date} 09:14:03.000000 UTC"),
        date: date.to_owned(),
        clock: "09:14:03".to_owned(),
        millis: 0,
        days_ago: 1,
    }
}

fn token(id: &str, name: &str) -> TokenView {
    TokenView {
        id: id.to_owned(),
        name: name.to_owned(),
        scopes: vec!["events:write"],
        oldest: Some("nothing older than 30 days".to_owned()),
        created: when("2026-05-01"),
        created_by: Some("Ingrid Solheim".to_owned()),
        last_used: None,
        expires: None,
        state: TokenState::Good,
        revoked: None,
        revoked_by: None,
        history: Some(format!("/acme/growth/objects/api_token/{id}/audit")),
        revoke: Some(format!("?revoke={id}#revoke")),
    }
}

fn revoked(id: &str, name: &str) -> TokenView {
    TokenView {
        state: TokenState::Revoked,
        revoked: Some(when("2026-05-02")),
        revoked_by: Some("Priya Raman".to_owned()),
        revoke: None,
        ..token(id, name)
    }
}

fn view() -> TokensView {
    TokensView {
        of: frame().into(),
        zone: "UTC".to_owned(),
        today: "2026-05-12".to_owned(),
        tokens: vec![token("tok_1", "ci"), revoked("tok_2", "old")],
        here: "/acme/growth/settings/tokens".to_owned(),
        first: None,
        older: None,
        of_tenant: Vec::new(),
        more_of_tenant: false,
        tenant_page: None,
        outcome: None,
        revoking: None,
        typed: Typed::default(),
        faults: Faults::default(),
    }
}

fn page(tokens: TokensView) -> String {
    html("/acme/growth/settings/tokens", move || {
        view! { <Page tokens/> }
    })
}

/// The part of a page between two texts.
fn between<'a>(html: &'a str, from: &str, to: &str) -> &'a str {
    let from = html
        .find(from)
        .unwrap_or_else(|| panic!("no {from}: {html}"));
    let rest = &html[from..];
    &rest[..rest.find(to).unwrap_or(rest.len())]
}

#[test]
fn only_what_is_not_revoked_can_be() {
    let html = page(view());
    let good = between(&html, "data-token=\"tok_1\"", "</tr>");
    assert!(good.contains("?revoke=tok_1") && good.contains("never"));
    let gone = between(&html, "data-token=\"tok_2\"", "</tr>");
    assert!(!gone.contains("?revoke=") && gone.contains("Priya Raman"));
    assert!(!html.contains("/ui/revoke_token"), "nothing was asked");
}

#[test]
fn revoking_is_asked_for_beneath_the_token() {
    let html = page(TokensView {
        revoking: Some(token("tok_1", "ci")),
        ..view()
    });
    let asked = between(&html, "data-token=\"tok_1\"", "data-token=\"tok_2\"");
    assert!(asked.contains("Revoke “ci”?") && asked.contains("never used"));
    assert!(asked.contains("name=\"token\" value=\"tok_1\""));
    // Also where it is on another page of the list, and once only.
    let html = page(TokensView {
        revoking: Some(token("tok_9", "far")),
        ..view()
    });
    assert!(html.contains("Revoke “far”?"));
    assert_eq!(html.matches("/ui/revoke_token").count(), 1);
}

#[test]
fn a_secret_stands_on_the_page_that_was_given_it_and_on_no_other() {
    let created = |secret| TokensView {
        outcome: Some(Outcome::Created(Created {
            token: token("tok_1", "ci"),
            secret,
        })),
        ..view()
    };
    let command = "DAYBOOK_TOKEN=dbk_x\ncurl".to_owned();
    let html = page(created(Some(("dbk_x".to_owned(), Some(command)))));
    assert!(between(&html, "id=\"token-secret\"", "</code>").contains("dbk_x"));
    assert!(html.contains("data-copy=\"token-secret\"") && html.contains("It is shown once."));
    let html = page(created(None));
    assert!(html.contains("was shown once and is not kept") && !html.contains("token-secret"));
    let debug = format!("{:?}", created(Some(("dbk_x".to_owned(), None))));
    assert!(!debug.contains("dbk_x"), "{debug}");
}

#[test]
fn what_is_wrong_stands_beside_its_field_with_what_was_typed() {
    let typed = Typed {
        name: "a name".to_owned(),
        scopes: vec!["events:read".to_owned()],
        expires: "2026-05-01".to_owned(),
        oldest: "x".to_owned(),
    };
    let html = page(TokensView {
        typed,
        faults: Faults {
            expires: Some("That day is over.".to_owned()),
            ..Faults::default()
        },
        ..view()
    });
    let field = between(&html, "id=\"t-expires\"", "</div>");
    assert!(field.contains("value=\"2026-05-01\"") && field.contains("aria-invalid=\"true\""));
    assert!(field.contains("id=\"t-expires-error\"") && field.contains("That day is over."));
    assert!(html.contains("aria-describedby=\"t-expires-error t-expires-hint\""));
    assert!(between(&html, "id=\"t-name\"", ">").contains("value=\"a name\""));
    assert!(between(&html, "id=\"t-events-read\"", ">").contains("checked"));
    assert!(!between(&html, "id=\"t-events-write\"", ">").contains("checked"));
    assert!(html.contains("No token was created."));
}

#[test]
fn a_new_token_may_send_and_nothing_else_unless_somebody_says_so() {
    let html = page(view());
    for scope in ["write", "read", "export", "unredacted"] {
        let tag = format!("id=\"t-events-{scope}\"");
        let is_checked = between(&html, &tag, ">").contains("checked");
        assert_eq!(is_checked, scope == "write", "{scope}");
    }
    assert!(!between(&html, "id=\"t-actors-write\"", ">").contains("checked"));
}

#[test]
fn the_tenants_tokens_are_shown_and_not_revoked_here() {
    let of_tenant = TokenView {
        history: None,
        revoke: None,
        ..token("tok_3", "whole tenant")
    };
    let html = page(TokensView {
        of_tenant: vec![of_tenant],
        more_of_tenant: true,
        ..view()
    });
    let part = between(&html, "Tokens of the tenant", "id=\"new\"");
    assert!(part.contains("whole tenant") && part.contains("list all of them"));
    assert!(!part.contains("Revoke"), "{part}");
    assert!(!page(view()).contains("Tokens of the tenant"));
}

#[test]
fn the_places_of_settings_are_those_open_to_who_looks() {
    let html = page(view());
    let places = between(&html, "class=\"places\"", "</nav>").to_owned();
    for address in ["", "/members", "/tokens"] {
        let link = format!("href=\"/acme/growth/settings{address}\"");
        assert!(places.contains(&link), "{address}: {places}");
    }
    let current = between(&places, "/settings/tokens", ">");
    assert!(current.contains("aria-current=\"page\""), "{current}");
    assert_eq!(places.matches("aria-current").count(), 1);
}

#[test]
fn a_long_list_leads_on_and_back() {
    let pages = |first: Option<&str>, older: Option<&str>| {
        let html = page(TokensView {
            first: first.map(str::to_owned),
            older: older.map(str::to_owned),
            ..view()
        });
        let nav = html.contains("Pages of tokens");
        let next = html.contains("href=\"?after=tok_2\" rel=\"next\"");
        (nav, next, html.contains("rel=\"first\""))
    };
    assert_eq!(pages(None, None), (false, false, false));
    assert_eq!(pages(None, Some("?after=tok_2")), (true, true, false));
    assert_eq!(pages(Some("?"), Some("?after=tok_2")), (true, true, true));
    assert_eq!(pages(Some("?"), None), (true, false, true));
}

#[test]
fn a_token_whose_last_day_is_over_says_so() {
    let expired = TokenView {
        state: TokenState::Expired,
        expires: Some(when("2026-05-10")),
        ..token("tok_1", "ci")
    };
    let html = page(TokensView {
        tokens: vec![expired],
        ..view()
    });
    let row = between(&html, "data-token=\"tok_1\"", "</tr>");
    assert!(
        row.contains("expired") && row.contains("2026-05-10"),
        "{row}"
    );
}
