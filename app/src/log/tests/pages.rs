use super::{About, CountView, LogView, Refusal, Shown, events, log, now};
use crate::log::view::{LastView, WhenView};
use domain::question::{Query, Unknown};

#[test]
fn each_row_names_its_entry_and_opens_by_a_link() {
    let events = events();
    let html = Shown::new(log("range=30d", &events)).html();
    for event in &events {
        assert!(html.contains(&format!("data-event-id=\"{}\"", event.id)));
        let link = format!(
            "href=\"/acme/growth/audit?range=30d&amp;open={}#e-",
            event.id
        );
        assert!(html.contains(&link), "{link}");
    }
}

#[test]
fn preview() {
    let Ok(folder) = std::env::var("PREVIEW") else {
        return;
    };
    let write = |name: &str, html: String| {
        let page = format!(
            "<!doctype html><html lang=en data-live><head><meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'><title>t</title><link rel=stylesheet href=style/app.css></head><body>{html}</body></html>"
        );
        std::fs::write(format!("{folder}/{name}.html"), page).unwrap();
    };
    let events = events();
    let oslo = "range=30d&tz=Europe%2FOslo&category=deployments&category=integrations&category=auth_tokens&category=members&category=secrets";
    write(
        "audit",
        Shown::opening(oslo, log(oslo, &events), &events[4]).html(),
    );
    write("plain", Shown::new(log("", &events)).html());
    let bad = "since=2026-05-11&until=2026-05-32&tz=Europe%2FOslo&verb=update&outcome=maybe&limit=900&actor_kind=system";
    let mut states = log(bad, &events[..8]);
    states.notices.recording_off = Some(("Ingrid Solheim".to_owned(), when()));
    states.notices.pending = Some(("30 days".to_owned(), when(), "Ingrid Solheim".to_owned()));
    states.newer = Some("n1".to_owned());
    states.searched_to = Some("2026-02-03 10:00:00".to_owned());
    write(
        "states",
        Shown {
            busy: true,
            trouble: Some(Refusal::Unreachable),
            ..Shown::new(states)
        }
        .html(),
    );
    let search = "q=salesforce&actor=jonas&category=secrets&verb=rotate&range=7d&tz=Europe%2FOslo";
    let query = Query::read(search, Unknown::Ignored).query;
    let mut empty = LogView::empty(query);
    empty.words = "last 7 days".to_owned();
    write("empty", Shown::new(empty.clone()).html());
    let mut first = log("", &[]);
    first.older = None;
    first.first = Some("https://audit.acme.example".to_owned());
    write("first", Shown::new(first).html());
    let mut object = log("tz=Europe%2FOslo", &events[8..9]);
    object.last = Some(LastView {
        by: "system".to_owned(),
        at: when(),
    });
    object.older = None;
    object.count = CountView::Exactly(6);
    write(
        "object",
        Shown {
            about: About::Object,
            ..Shown::opening("tz=Europe%2FOslo", object, &events[8])
        }
        .html(),
    );
    write(
        "apart",
        Shown::opening("", log("", &events[..3]), &events[4]).html(),
    );
}

fn when() -> WhenView {
    super::Local::new(&"Europe/Oslo".parse().unwrap(), now()).when(now())
}
