use super::{entry, events, html, log, now, of_object, of_tenant, opening, own, page, shown};
use crate::log::view::{
    CountView, HoldNoticeView, LastView, LogView, NoticesView, RelaxedView, WhenView,
};
use domain::question::{Query, Unknown};

#[test]
fn each_row_names_its_entry_and_opens_by_a_link() {
    let events = events();
    let html = page(shown(log("range=30d", &events)));
    for event in &events {
        assert!(html.contains(&format!("data-event-id=\"{}\"", event.id)));
        let link = format!(
            "href=\"/acme/growth/audit?range=30d&amp;open={}#e-",
            event.id
        );
        assert!(html.contains(&link), "{link}");
    }
}

/// The sample's events, of which the third to the fifth are of one operation.
fn with_operation() -> Vec<domain::event::Event> {
    let mut events = events();
    for event in &mut events {
        event.operation = None;
    }
    for event in &mut events[2..5] {
        event.operation = Some("review".to_owned());
    }
    events
}

#[test]
fn entries_of_one_operation_are_one_row_and_each_is_in_the_html() {
    let events = with_operation();
    let html = page(shown(log("", &events)));
    assert_eq!(html.matches("class=\"row bundle\"").count(), 1);
    assert!(html.contains("<b>3</b> entries of one operation"));
    assert!(html.contains("href=\"/acme/growth/audit?operation=review\""));
    for event in &events {
        assert!(html.contains(&format!("data-event-id=\"{}\"", event.id)));
    }
    assert!(html.contains("<details class=\"unfold\">"));
    // Where one of them is open it is to be seen.
    let html = page(opening("", log("", &events), &events[3]));
    assert!(html.contains("<details class=\"unfold\" open>"));
    let html = page(opening("", log("", &events), &events[0]));
    assert!(html.contains("<details class=\"unfold\">"));
}

#[test]
fn a_link_to_be_copied_has_the_time_that_is_shown() {
    let events = events();
    let mut log = log("range=7d", &events);
    log.fixed = Some((
        "2026-05-05T09:20".parse().unwrap(),
        "2026-05-12T09:20:59".parse().unwrap(),
    ));
    let html = page(opening("range=7d", log, &events[4]));
    let id = events[4].id;
    let fixed = "since=2026-05-05T09%3A20%3A00&amp;until=2026-05-12T09%3A20%3A59";
    assert!(html.contains(&format!(
        "href=\"/acme/growth/audit?{fixed}&amp;open={id}#e-{id}\""
    )));
    assert!(html.contains(&format!("href=\"/acme/growth/audit?{fixed}\"")));
    // The page's own links go on.
    assert!(html.contains("href=\"/acme/growth/audit?range=7d#e-"));
}

#[test]
fn an_open_entry_stands_under_its_row_and_its_row_closes_it() {
    let events = events();
    let html = page(opening("range=30d", log("range=30d", &events), &events[4]));
    let id = events[4].id;
    let row = html.find(&format!("id=\"e-{id}\"")).unwrap();
    let entry = html.find(&format!("id=\"d-{id}\"")).unwrap();
    let next = html.find(&format!("id=\"e-{}\"", events[5].id)).unwrap();
    assert!(row < entry && entry < next);
    assert!(html.contains(&format!("href=\"/acme/growth/audit?range=30d#e-{id}\"")));
    assert_eq!(html.matches("aria-expanded=\"true\"").count(), 1);
}

#[test]
fn an_open_entry_that_is_not_on_the_page_stands_above_it() {
    let events = events();
    let html = page(opening("", log("", &events[..3]), &events[4]));
    let apart = html.find("data-apart").unwrap();
    let entry = html.find(&format!("id=\"d-{}\"", events[4].id)).unwrap();
    let ledger = html.find("aria-busy").unwrap();
    assert!(apart < entry && entry < ledger);
    let unknown = crate::log::Shown {
        open: Some("0197".to_owned()),
        ..shown(log("", &events[..3]))
    };
    assert!(page(unknown).contains("There is no entry"));
}

#[test]
fn what_is_not_understood_is_said_beside_its_field_and_kept() {
    let bad = "since=2026-05-11&until=2026-05-32&verb=rotat&outcome=maybe&limit=900";
    let html = page(shown(log(bad, &events()[..2])));
    for field in ["until", "verb", "outcome"] {
        assert!(html.contains(&format!("id=\"f-{field}-error\"")), "{field}");
    }
    assert!(html.contains("value=\"2026-05-32\""));
    assert!(html.contains("<code>limit</code>"));
    assert!(!html.contains("id=\"f-since-error\""));
}

#[test]
fn everybody_sees_that_recording_is_off_and_that_a_shorter_retention_waits() {
    let mut log = log("", &events());
    log.notices.recording_off = Some(("Ingrid Solheim".to_owned(), when()));
    log.notices.pending = Some(("30 days".to_owned(), when(), "Priya Raman".to_owned()));
    let html = page(shown(log));
    assert!(html.contains("Ingrid Solheim turned it off"));
    assert!(html.contains("Priya Raman asked for 30 days"));
}

#[test]
fn a_legal_hold_is_told_with_who_when_and_why_and_that_nothing_is_deleted_meanwhile() {
    let mut log = log("", &events());
    log.notices.hold = Some(HoldNoticeView {
        by: "Ingrid Solheim".to_owned(),
        at: when(),
        reason: "Lawsuit with Initech".to_owned(),
    });
    log.notices.pending = Some(("30 days".to_owned(), when(), "Priya Raman".to_owned()));
    let html = page(shown(log));
    assert!(html.contains("A legal hold stands."));
    assert!(html.contains("Ingrid Solheim placed it on"));
    assert!(html.contains("“Lawsuit with Initech”"));
    assert!(html.contains("nothing is deleted while the legal hold stands"));
    assert!(!html.contains("older entries are deleted"));
}

#[test]
fn where_nothing_matches_one_click_asks_for_everything() {
    let search = "q=salesforce&actor=jonas&range=7d&tz=Europe%2FOslo";
    let query = Query::read(search, Unknown::Ignored).query;
    let html = page(shown(LogView::empty(query)));
    assert!(html.contains("Nothing matches these filters"));
    assert!(html.contains("Remove one of the filters above"));
    assert!(html.contains("href=\"/acme/growth/audit?tz=Europe%2FOslo\">Clear all filters"));
}

#[test]
fn where_nothing_matches_it_says_without_which_filter_something_would() {
    let query = |search| Query::read(search, Unknown::Refused).query;
    let mut log = LogView::empty(query("q=salesforce&actor=jonas"));
    log.relaxed = Some(Vec::new());
    let html = page(shown(log.clone()));
    assert!(html.contains("No single one of them is the reason"));
    log.relaxed = Some(vec![RelaxedView {
        words: "actor jonas".to_owned(),
        without: query("q=salesforce"),
        count: CountView::Exactly(1_204),
    }]);
    let html = page(shown(log));
    assert!(html.contains("Without one of them something does:"));
    assert!(
        html.contains(
            "href=\"/acme/growth/audit?q=salesforce\" data-stay=\"\">Without actor jonas"
        )
    );
    assert!(html.contains("1,204 entries"));
}

#[test]
fn a_workspace_without_entries_tells_how_to_send_the_first() {
    let mut first = log("", &[]);
    first.first = Some("https://audit.acme.example".to_owned());
    let html = page(shown(first));
    assert!(html.contains("curl https://audit.acme.example/api/v1/events"));
    assert!(html.contains("--workspace acme/growth"));
}

#[test]
fn an_object_s_tab_tells_who_changed_it_last_and_leads_to_it() {
    let events = events();
    let mut object = log("", &events[8..9]);
    object.last = Some(LastView {
        by: "Dmitri Volkov".to_owned(),
        at: when(),
    });
    object.count = CountView::Exactly(6);
    let html = page(of_object(opening("", object, &events[8])));
    assert!(html.contains("Last changed by"));
    assert!(html.contains("Dmitri Volkov"));
    assert!(html.contains("Open the integration"));
    // Its kind is given, so nothing asks for one.
    assert!(!html.contains("name=\"target_kind\""));
}

#[test]
fn a_tenant_s_page_says_of_each_entry_where_it_lies_and_lets_one_choose() {
    let mut events = events();
    events[3].workspace = Some("revenue".parse().unwrap());
    events[2].workspace = None;
    let search = "workspace=revenue&verb=create";
    let html = page_of_tenant(of_tenant(
        opening(search, log(search, &events), &events[3]),
        &events,
    ));
    assert!(html.contains("<h1>Audit, all workspaces</h1>"));
    assert!(html.contains("<col class=\"c-workspace\""));
    for name in ["Growth", "Revenue", "Acme Inc"] {
        assert!(
            html.contains(&format!("<span class=\"clip\" title=\"{name}\">{name}")),
            "{name}"
        );
    }
    // A field to choose with, a token to take away, and the open entry's own workspace.
    assert!(
        html.contains("<option value=\"revenue\" selected>Revenue</option>"),
        "{html}"
    );
    assert!(html.contains("Remove the filter workspace Revenue"));
    assert!(html.contains("href=\"/acme/audit?workspace=revenue\""));
    // Objects lie in workspaces: rows lead there, and the tenant's own entries nowhere.
    let id = |at: usize| {
        let target = &events[at].target;
        format!(
            "/objects/{}/{}/audit",
            target.kind,
            target.id.as_ref().unwrap()
        )
    };
    assert!(html.contains(&format!("href=\"/acme/revenue{}", id(3))));
    assert!(html.contains(&format!("href=\"/acme/growth{}", id(4))));
    let row = format!("data-event-id=\"{}\"", events[2].id);
    let row = html
        .split(&row)
        .nth(1)
        .unwrap()
        .split("</tr>")
        .next()
        .unwrap();
    assert!(!row.contains("/objects/"), "{row}");
    // Everything else stays on the tenant's page, and the bar leads to each workspace.
    assert!(html.contains(&format!("href=\"/acme/audit?{search}#e-").replace('&', "&amp;")));
    let action = crate::address::encoded(events[3].action.as_str());
    assert!(html.contains(&format!("href=\"/acme/audit?action={action}\"")));
    assert!(html.contains("All workspaces"));
    assert!(html.contains("href=\"/acme/growth/audit\""));
}

#[test]
fn a_tenant_s_page_says_in_which_workspaces_recording_is_off() {
    let mut shown = of_tenant(shown(log("", &events())), &events());
    let off = NoticesView {
        recording_off: Some(("Ingrid Solheim".to_owned(), when())),
        ..NoticesView::default()
    };
    let settings = "/acme/growth/settings".to_owned();
    shown.log.within.told = vec![("Growth".to_owned(), settings, off)];
    shown.log.within.more = 2;
    let html = page_of_tenant(shown);
    assert!(html.contains("Recording is off in Growth."));
    assert!(html.contains("href=\"/acme/growth/settings\""));
    assert!(html.contains("2 more workspaces"));
}

fn page_of_tenant(shown: crate::log::Shown) -> String {
    use crate::log::Page;
    use leptos::prelude::*;
    html("/acme/audit", move || view! { <Page shown/> })
}

#[test]
fn my_activity_asks_for_nobody_and_says_of_no_entry_whose_it_is() {
    let events = events();
    let html = page(own(opening("", log("", &events), &events[4])));
    assert!(html.contains("<h1>My activity</h1>"));
    for absent in [
        "name=\"actor\"",
        "name=\"actor_kind\"",
        "c-actor",
        "name=\"workspace\"",
    ] {
        assert!(!html.contains(absent), "{absent}");
    }
    assert!(html.contains("name=\"target_kind\"") && html.contains("<col class=\"c-target\""));
    assert!(html.contains("action=\"/acme/growth/me\""));
    assert!(!html.contains("?actor_id="));
    // The name in the bar is the way here.
    let end = html.find("who-name clip").unwrap();
    let tag = html[..end].rfind("<a ").unwrap();
    assert!(
        html[tag..end].contains("href=\"/acme/growth/me\""),
        "{}",
        &html[tag..end]
    );
}

#[test]
fn what_the_browser_fills_in_is_hidden_until_then() {
    let html = page(shown(log("", &events())));
    assert!(html.contains("<li hidden data-browser-zone"));
    assert!(html.contains("id=\"trouble\" role=\"alert\" hidden"));
}

#[test]
fn an_entry_tells_how_long_ago_it_was_in_a_way_that_can_go_on() {
    let event = &events()[0];
    let shown = entry("", event).row.when;
    let html = page(shown_of(event));
    let passed = now().micros() / 1_000 - shown.millis;
    assert!(html.contains(&format!("data-passed=\"{passed}\"")));
}

fn shown_of(event: &domain::event::Event) -> crate::log::Shown {
    shown(log("", std::slice::from_ref(event)))
}

fn when() -> WhenView {
    super::Local::new(&"Europe/Oslo".parse().unwrap(), now()).when(now())
}
