//! The pages of objects, rendered as the server renders them.

use super::{
    blame::{
        self,
        view::{
            AskedView, BeforeView, BlameView, DifferenceView, FieldView, MomentView, PathView,
            SetView, ShownView, SilentView,
        },
    },
    list, overview,
    view::*,
};
use crate::log::{
    Local, actor_of,
    tests::{frame, html},
    value::whole,
    view::{CountView, LastView, ObjectView, Sign, WhenView},
};
use domain::{
    blame::Existence,
    event::{Actor, ActorKind, ShownActor},
    question::Subject,
    time::Timestamp,
};
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

const BLAME: &str = "/acme/growth/objects/integration/int%2F7a/blame";

fn field(path: (&str, &str), set: SetView) -> FieldView {
    FieldView {
        path: PathView {
            parent: path.0.to_owned(),
            name: path.1.to_owned(),
        },
        history: format!("{BLAME}?field={}{}", path.0, path.1),
        value: Some(whole(&"svc_2".into())),
        set,
        before: BeforeView::NotSet,
        changes: Some(1_234),
        age: 2,
    }
}

fn by_dmitri() -> SetView {
    let actor = Actor {
        kind: ActorKind::User,
        id: Some("usr_9".to_owned()),
        name: Some("Dmitri Volkov".to_owned()),
        email: None,
    };
    let assistant = Actor {
        kind: ActorKind::Agent,
        name: Some("Finance assistant".to_owned()),
        ..actor.clone()
    };
    let shown = ShownActor {
        actor,
        deactivated: true,
    };
    SetView::Event {
        actor: actor_of(&shown, &[assistant]),
        when: when("2026-05-11T20:48:09Z"),
        entry: "/acme/growth/objects/integration/int%2F7a/audit?open=7#e-7".to_owned(),
        before: format!("{BLAME}?at=2026-05-11T20%3A48%3A08.999999Z"),
    }
}

fn blamed(asked: AskedView, shown: ShownView) -> String {
    blamed_with(asked, |known| known.shown = shown)
}

fn blamed_with(asked: AskedView, change: impl FnOnce(&mut blame::view::KnownView)) -> String {
    let moment = |time: &str, what: &str| MomentView {
        when: when(time),
        what: what.to_owned(),
        there: format!("{BLAME}?at={time}"),
        is_shown: false,
    };
    let mut known = blame::view::KnownView {
        existence: Existence::There,
        at: None,
        shown: ShownView::Fields(Vec::new()),
        gone: 0,
        gaps: Vec::new(),
        changes: 2,
        moments: vec![
            moment("2026-05-11T20:48:09Z", "2 fields"),
            moment("2025-11-12T08:40:55Z", "created"),
        ],
    };
    change(&mut known);
    let faulty = !asked.faults.is_empty();
    html(BLAME, move || {
        let shown = BlameView {
            frame: frame(),
            subject: Subject {
                kind: "integration".parse().unwrap(),
                id: "int/7a".to_owned(),
            },
            object: object(),
            zone: "Europe/Oslo".to_owned(),
            now: 0,
            asked,
            known: (!faulty).then_some(known),
        };
        view! { <blame::Page shown/> }
    })
}

#[test]
fn each_field_leads_to_its_history_to_its_entry_and_to_the_state_before() {
    let fields = vec![
        field(("credentials.", "user"), by_dmitri()),
        field(("", "enabled"), SetView::Initial),
        field(
            ("", "region"),
            SetView::Outside {
                since: when("2025-11-12T08:40:55Z"),
                until: when("2026-05-12T04:00:02Z"),
                silent: None,
            },
        ),
        field(
            ("", "size"),
            SetView::Outside {
                since: when("2025-11-12T08:40:55Z"),
                until: when("2026-05-12T04:00:02Z"),
                silent: Some(SilentView {
                    words: "one of 3 entries that gave no state".to_owned(),
                    entries: "/acme/growth/objects/integration/int%2F7a/audit?since=1".to_owned(),
                }),
            },
        ),
        field(
            ("", "owner"),
            SetView::Erased {
                since: None,
                until: when("2026-05-12T04:00:02Z"),
                silent: SilentView {
                    words: "1 entry that was erased".to_owned(),
                    entries: "/acme/growth/objects/integration/int%2F7a/audit?open=8#e-8"
                        .to_owned(),
                },
            },
        ),
    ];
    let page = blamed(AskedView::default(), ShownView::Fields(fields));
    for part in [
        "aria-current=\"page\">Blame</a>",
        "<span class=\"parent\">credentials.<wbr></span>user",
        "href=\"/acme/growth/objects/integration/int%2F7a/blame?field=credentials.user\"",
        "href=\"/acme/growth/objects/integration/int%2F7a/audit?open=7#e-7\"",
        "at=2026-05-11T20%3A48%3A08.999999Z\">before this</a>",
        "via Finance assistant",
        "deactivated",
        "1,234",
        "not known",
        "outside the log",
        "no entry tells who",
        "not told",
        "audit?since=1\">one of 3 entries that gave no state</a>",
        "erased",
        "audit?open=8#e-8\">1 entry that was erased</a>",
        "2 changes",
        "created",
        "class=\"strip\"",
        "name=\"compare\"",
        "type=\"hidden\" name=\"tz\" value=\"Europe/Oslo\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("Stop comparing"));
}

#[test]
fn what_is_not_known_is_said_above_the_fields() {
    let page = blamed_with(AskedView::default(), |known| {
        known.gaps = vec!["Recording was off.".to_owned()];
        known.gone = 2;
    });
    let (said, fields) = (page.find("Recording was off."), page.find("id=\"fields\""));
    assert!(said.unwrap() < fields.unwrap(), "{page}");
    assert!(page.contains("Show 2 fields that are gone"));
    assert!(page.contains("No entry gave a state of it."));
    for (existence, at, words) in [
        (Existence::Deleted, None, "It is not there any more."),
        (Existence::Untold, None, "No entry tells of its state."),
        (
            Existence::Untold,
            Some("2026-01-01 00:00:00"),
            "No entry until then tells of its state.",
        ),
    ] {
        let page = blamed_with(AskedView::default(), |known| {
            known.existence = existence;
            known.at = at.map(str::to_owned);
        });
        assert!(page.contains(words), "{words} in {page}");
    }
}

#[test]
fn two_moments_stand_side_by_side() {
    let changed = DifferenceView {
        path: PathView {
            parent: String::new(),
            name: "enabled".to_owned(),
        },
        history: format!("{BLAME}?field=enabled"),
        sign: Sign::Removed,
        before: Some(whole(&true.into())),
        after: None,
        set: by_dmitri(),
    };
    let asked = AskedView {
        compare: "2026-03-03 10:22:19".to_owned(),
        alone: format!("{BLAME}?alone"),
        ..AskedView::default()
    };
    let shown = ShownView::Differences {
        moments: ("2026-03-03 10:22:19".to_owned(), "now".to_owned()),
        changed: vec![changed],
        same: 6,
    };
    let page = blamed(asked, shown);
    for part in [
        "1 field changed, 6 did not.",
        "<th scope=\"col\">2026-03-03 10:22:19</th><th scope=\"col\">now</th>",
        "data-change=\"removed\"",
        "<del>true</del>",
        "<td class=\"absent\">removed</td>",
        "Stop comparing",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn a_moment_that_is_none_is_said_beside_its_field_and_what_was_typed_stays() {
    let asked = AskedView {
        at: "soon".to_owned(),
        faults: vec![
            ("at".to_owned(), "is not a date".to_owned()),
            ("field".to_owned(), "not a path".to_owned()),
        ],
        ..AskedView::default()
    };
    let page = blamed(asked, ShownView::Fields(Vec::new()));
    for part in [
        "value=\"soon\"",
        "id=\"b-at-error\"",
        "aria-invalid=\"true\"",
        "field: not a path",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("No entries yet") && !page.contains("b-compare-error"));
}
