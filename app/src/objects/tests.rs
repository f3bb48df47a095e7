//! The pages of objects, rendered as the server renders them.

use super::{list, overview, view::*};
use crate::log::{
    Local,
    tests::{frame, html},
    view::{CountView, LastView, ObjectView, WhenView},
};
use domain::{event::ActorKind, question::Subject, time::Timestamp};
use leptos::prelude::*;
use store::objects::ObjectsOrder;

fn when(time: &str) -> WhenView {
    let now: Timestamp = "2026-05-12T09:20:00Z".parse().unwrap();
    let zone = "Europe/Oslo".parse().unwrap();
    Local::new(&zone, now).when(time.parse().unwrap())
}

fn object() -> ObjectView {
    ObjectView {
        name: "RPA invoice bot".to_owned(),
        kind: "integration".to_owned(),
        id: "int/7a".to_owned(),
        url: Some("https://app.acme.example/integrations/7a".to_owned()),
    }
}

fn known() -> KnownView {
    let touched = TouchedView {
        name: "Dmitri Volkov".to_owned(),
        kind: ActorKind::User,
        deactivated: true,
        entries: 1_204,
        last: when("2026-05-11T20:48:09Z"),
        there: Some("/acme/growth/objects/integration/int%2F7a/audit?actor_id=usr_9".to_owned()),
    };
    KnownView {
        first_seen: when("2025-11-12T08:40:55Z"),
        last_seen: when("2026-05-12T04:00:02Z"),
        is_cut: false,
        entries: CountView::MoreThan(10_000),
        changed: Some(LastView {
            by: "system".to_owned(),
            at: when("2026-05-12T04:00:02Z"),
        }),
        names: vec![
            (
                "RPA invoice bot".to_owned(),
                when("2026-03-03T09:22:19Z"),
                when("2026-05-12T04:00:02Z"),
            ),
            (
                "Invoices".to_owned(),
                when("2025-11-12T08:40:55Z"),
                when("2026-03-02T09:22:19Z"),
            ),
        ],
        other_names: 0,
        touched: vec![touched],
        touched_among: Some(10_000),
        newest: Vec::new(),
    }
}

fn page(known: Option<KnownView>) -> String {
    html("/acme/growth/objects/integration/int%2F7a", move || {
        let shown = OverviewView {
            frame: frame(),
            subject: Subject {
                kind: "integration".parse().unwrap(),
                id: "int/7a".to_owned(),
            },
            object: object(),
            zone: "Europe/Oslo".to_owned(),
            now: 0,
            known,
        };
        view! { <overview::Page shown/> }
    })
}

#[test]
fn an_overview_leads_to_the_list_to_its_kind_and_to_the_audit_tab() {
    let page = page(Some(known()));
    let zone = "tz=Europe%2FOslo";
    for link in [
        format!("href=\"/acme/growth/objects?{zone}\""),
        format!("href=\"/acme/growth/objects?kind=integration&amp;{zone}\""),
        format!("href=\"/acme/growth/objects/integration/int%2F7a?{zone}\" aria-current=\"page\""),
        format!("href=\"/acme/growth/objects/integration/int%2F7a/audit?{zone}\""),
        "href=\"https://app.acme.example/integrations/7a\"".to_owned(),
    ] {
        assert!(page.contains(&link), "{link} in {page}");
    }
}

#[test]
fn an_overview_tells_names_and_who_touched_it() {
    let page = page(Some(known()));
    for words in [
        "Last changed by",
        "2025-11-12",
        "more than 10,000 entries",
        "Invoices",
        "Dmitri Volkov",
        "deactivated",
        "1,204",
        "Of the newest 10,000 entries.",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("or earlier") && !page.contains("other names"));
    let cut = self::page(Some(KnownView {
        is_cut: true,
        other_names: 980,
        touched_among: None,
        ..known()
    }));
    assert!(cut.contains("or earlier") && cut.contains("And more than 980 other names."));
    assert!(!cut.contains("Of the newest"));
}

#[test]
fn an_object_that_no_entry_names_has_an_overview_that_says_so() {
    let page = page(None);
    assert!(page.contains("Nothing that was recorded is about this object."));
    assert!(page.contains("int/7a") && !page.contains("First seen"));
}

fn listed(search: &str, change: impl FnOnce(&mut ListView)) -> String {
    let object = ListedView {
        name: "RPA invoice bot".to_owned(),
        kind: "integration".to_owned(),
        id: "int/7a".to_owned(),
        last_seen: when("2026-05-12T04:00:02Z"),
        there: "/acme/growth/objects/integration/int%2F7a".to_owned(),
    };
    let mut list = ListView {
        frame: frame(),
        asked: Asked::read(search),
        kinds: vec!["integration".to_owned(), "pipeline".to_owned()],
        is_guarded: false,
        order: ObjectsOrder::LastSeen,
        now: 0,
        objects: vec![object],
        next: Some("/acme/growth/objects?cursor=n".to_owned()),
        previous: Some("/acme/growth/objects?cursor=p".to_owned()),
        stopped: false,
        lost_cursor: false,
    };
    change(&mut list);
    html("/acme/growth/objects", move || {
        view! { <list::Page list/> }
    })
}

#[test]
fn the_list_leads_to_objects_and_to_its_other_pages() {
    let page = listed("", |_| ());
    for words in [
        "href=\"/acme/growth/objects/integration/int%2F7a\"",
        "rel=\"next\" href=\"/acme/growth/objects?cursor=n\"",
        "rel=\"prev\" href=\"/acme/growth/objects?cursor=p\"",
        "Older →",
        "Those seen last come first.",
        "<option value=\"pipeline\">",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains(">Clear<"));
}

#[test]
fn what_was_searched_stays_in_the_form() {
    let page = listed("q=a%22b&kind=pipeline&tz=Europe%2FOslo", |list| {
        list.order = ObjectsOrder::Name;
    });
    for words in [
        "value=\"a&quot;b\"",
        "<option value=\"pipeline\" selected>",
        "name=\"tz\" value=\"Europe/Oslo\"",
        "By name.",
        "Next →",
        ">Clear<",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
}

#[test]
fn an_empty_list_says_why() {
    let empty = |search: &str, change: fn(&mut ListView)| {
        listed(search, |list| {
            list.objects.clear();
            list.next = None;
            change(list);
        })
    };
    for (page, words) in [
        (empty("", |_| ()), "No objects yet"),
        (empty("q=x", |_| ()), "Nothing matches"),
        (empty("kind=a+b", |_| ()), "“a b” is not a kind."),
        (
            empty("kind=secret", |list| list.is_guarded = true),
            "Objects of this kind are not open to you",
        ),
        (
            empty("cursor=x", |list| list.lost_cursor = true),
            "This page of the list cannot be found again",
        ),
        (empty("cursor=x", |_| ()), "Nothing more"),
        (
            empty("cursor=x", |list| {
                list.stopped = true;
                list.next = Some("/acme/growth/objects?cursor=n".to_owned());
            }),
            "Nothing found so far",
        ),
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
}

#[test]
fn a_page_of_the_list_keeps_what_was_asked() {
    let workspace = "acme/growth".parse().unwrap();
    let asked = Asked::read("q=a+b&kind=x&cursor=old&tz=Europe%2FOslo");
    assert_eq!(
        asked.at(&workspace, Some("new")),
        "/acme/growth/objects?q=a+b&kind=x&tz=Europe%2FOslo&cursor=new"
    );
    let asked = Asked::read("q=&kind=&cursor=");
    assert!(!asked.is_narrowed());
    assert_eq!(asked.at(&workspace, None), "/acme/growth/objects");
}
