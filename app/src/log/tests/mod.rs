//! The pages of a log, rendered from sample events as the server renders them.

use super::{
    Page, Shown,
    compose::{self, Local},
    view::{CountView, EntryView, LogView, ObjectView, PlaceView, RowView, ScopeView},
};
use crate::{
    address::LogAddress,
    frame::{Bar, Frame, Place, TenantFrame, TenantPlace},
};
use domain::{
    catalogue::Catalogue,
    event::Event,
    question::{Query, Subject, Unknown},
    time::Timestamp,
};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{components::Router, location::RequestUrl};
use std::sync::Arc;
use store::question::{ActionChoice, Choices, Offered};

mod pages;

/// Events of two days, the newest first.
pub(in crate::log) fn events() -> Vec<Event> {
    serde_json::from_str(include_str!("events.json")).unwrap()
}

/// When the pages are read.
pub(in crate::log) fn now() -> Timestamp {
    "2026-05-12T09:20:00Z".parse().unwrap()
}

pub(in crate::log) fn label(event: &Event) -> String {
    let catalogue = Catalogue::default();
    catalogue.reading(event.action.as_str()).label.into_owned()
}

/// Renders a view as the server does, at an address.
pub(crate) fn html<V: IntoView + 'static>(
    address: &str,
    view: impl FnOnce() -> V + Send + 'static,
) -> String {
    // Tests of one process share it.
    let _ = any_spawner::Executor::init_futures_executor();
    let owner = Owner::new();
    let html = owner.with(|| {
        provide_context(RequestUrl::new(address));
        provide_meta_context();
        view! { <Router>{view()}</Router> }.to_html()
    });
    drop(owner);
    html
}

pub(crate) fn frame() -> Frame {
    let place = |path: &str, name: &str, role: &str| Place {
        path: path.parse().unwrap(),
        tenant: "Acme Inc".to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        reads_the_log: role != "member",
    };
    let workspace = place("acme/growth", "Growth", "owner");
    Frame {
        name: "Ingrid Solheim".to_owned(),
        role: "owner".to_owned(),
        workspaces: vec![workspace.clone(), place("acme/revenue", "Revenue", "admin")],
        workspace,
        tenants: Vec::new(),
        reads_the_log: true,
        opens_objects: true,
        reads_settings: true,
        manages: true,
        fault: None,
        single_keys: true,
    }
}

fn choices() -> Choices {
    use domain::category::Category as C;
    let categories = [
        (C::Deployments, 914),
        (C::Pipelines, 806),
        (C::Integrations, 512),
        (C::AuthTokens, 377),
        (C::Members, 291),
        (C::Repos, 188),
        (C::Secrets, 164),
        (C::Workspace, 72),
        (C::Invites, 61),
        (C::Agent, 55),
    ];
    let choice = |event: &Event| ActionChoice {
        action: event.action.clone(),
        label: label(event),
        category: event.category,
        verb: event.verb,
        events: 1,
    };
    let mut actions: Vec<_> = events().iter().map(choice).collect();
    actions.sort_by(|one, other| one.label.cmp(&other.label));
    actions.dedup();
    let kinds = ["api_token", "deployment", "integration", "member", "secret"];
    let kinds = kinds.map(|kind| kind.parse().unwrap()).to_vec();
    Choices {
        events: 3_591,
        categories: categories.to_vec(),
        offered: Arc::new(Offered { actions, kinds }),
    }
}

/// A page as the server would make it of `events`.
fn log(search: &str, events: &[Event]) -> LogView {
    let read = Query::read(search, Unknown::Ignored);
    let local = Local::new(&read.query.filter.zone(), now());
    let rows = events
        .iter()
        .map(|event| compose::row(event, &label(event), &local))
        .collect();
    LogView {
        faults: read.faults,
        words: compose::words(&read.query.filter),
        zone: read.query.filter.zone().to_string(),
        now: now().micros() / 1_000,
        read_at: local.clock(now()),
        days: compose::days(events, rows, read.query.sort, &local, (false, true)),
        older: Some("o1".to_owned()),
        count: CountView::Exactly(2_258),
        ..LogView::empty(read.query)
    }
}

/// An entry in full.
fn entry(search: &str, event: &Event) -> EntryView {
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    compose::entry(event, &label(event), &Local::new(&zone, now()))
}

/// A workspace's page that shows `log`.
fn shown(log: LogView) -> Shown {
    Shown {
        address: LogAddress::Workspace("acme/growth".parse().unwrap()),
        scope: ScopeView {
            may_export: true,
            frame: Bar::Workspace(frame()),
            choices: choices(),
            object: None,
        },
        log,
        open: None,
        entry: None,
    }
}

/// The same with an entry open.
fn opening(search: &str, log: LogView, event: &Event) -> Shown {
    Shown {
        open: Some(event.id.to_string()),
        entry: Some(entry(search, event)),
        ..shown(log)
    }
}

/// An object's tab.
fn of_object(shown: Shown) -> Shown {
    let object = ObjectView {
        name: "RPA invoice bot".to_owned(),
        kind: "integration".to_owned(),
        id: "int_rpa_invoice_7a".to_owned(),
        url: Some("https://app.acme.example/integrations/7a".to_owned()),
    };
    let subject = Subject {
        kind: "integration".parse().unwrap(),
        id: object.id.clone(),
    };
    Shown {
        address: LogAddress::Object("acme/growth".parse().unwrap(), subject),
        scope: ScopeView {
            may_export: true,
            object: Some(object),
            ..shown.scope
        },
        ..shown
    }
}

/// A tenant's page, of these events.
fn of_tenant(shown: Shown, events: &[Event]) -> Shown {
    let frame = frame();
    let tenant = TenantPlace {
        slug: "acme".parse().unwrap(),
        name: "Acme Inc".to_owned(),
    };
    let names = [("growth", "Growth"), ("revenue", "Revenue")];
    let mut log = shown.log;
    log.workspaces = names
        .map(|(slug, name)| (slug.to_owned(), name.to_owned()))
        .to_vec();
    let place = |row: &mut RowView| {
        let event = events.iter().find(|event| event.id.to_string() == row.id);
        let workspace = event.unwrap().workspace.clone();
        let slug = workspace.as_ref().map(domain::slug::Slug::as_str);
        let name = names.iter().find(|(known, _)| Some(*known) == slug);
        row.place = Some(PlaceView {
            name: name.map_or("Acme Inc", |(_, name)| name).to_owned(),
            workspace,
        });
    };
    log.days
        .iter_mut()
        .flat_map(|day| &mut day.rows)
        .for_each(place);
    let mut entry = shown.entry;
    entry.iter_mut().map(|entry| &mut entry.row).for_each(place);
    Shown {
        address: LogAddress::Tenant(tenant.slug.clone()),
        scope: ScopeView {
            may_export: true,
            frame: Bar::Tenant(TenantFrame {
                name: frame.name,
                tenants: vec![tenant.clone()],
                tenant,
                workspaces: frame.workspaces,
                fault: None,
                single_keys: true,
            }),
            ..shown.scope
        },
        log,
        entry,
        ..shown
    }
}

/// What the person did themselves.
fn own(shown: Shown) -> Shown {
    Shown {
        address: LogAddress::Own("acme/growth".parse().unwrap()),
        ..shown
    }
}

fn page(shown: Shown) -> String {
    html("/acme/growth/audit", move || view! { <Page shown/> })
}
