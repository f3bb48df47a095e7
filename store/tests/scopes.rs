//! Who sees what of a tenant: its admins all of it, a workspace's people their workspace, everybody
//! what they did themselves, and nobody anything else, whatever they ask with.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use domain::{
    event::{Event, EventId, NewEvent, TargetKind},
    question::{Query, Unknown},
    role::Role,
    slug::Slug,
};
use log::{BEGINNING, Log, event, limit, object, user};
use store::{
    Scope,
    access::{Refused, SignedIn},
    administration::By,
    question::{Choices, Count, QuestionError},
    settings::SettingsChange,
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";

/// A log in which Kim and Alex did things in Growth, and Kim in Revenue.
struct Place {
    log: Log,
    /// Administers the tenant.
    tina: SignedIn,
    /// Owner of Growth.
    olga: SignedIn,
    /// Member of Growth.
    kim: SignedIn,
}

fn did(who: &str, action: &str, kind: &str) -> NewEvent {
    event(
        user(&format!("app_{who}"), who),
        action,
        object(kind, "o_1", "Something"),
        BEGINNING,
    )
}

impl Place {
    async fn new() -> Self {
        let log = Log::new().await;
        let growth = log.token(GROWTH).await;
        let mut events = Vec::new();
        for _ in 0..5 {
            events.push(did("Kim", "REPORT_READ", "report"));
            events.push(did("Alex", "SECRET_ROTATED", "secret"));
        }
        log.record(&growth, events).await;
        let revenue = log.token(REVENUE).await;
        let events = (0..5).map(|_| did("Kim", "INVOICE_SENT", "invoice"));
        log.record(&revenue, events.collect()).await;
        Self {
            tina: log
                .person("tina@acme.example", "acme", Role::TenantAdmin)
                .await,
            olga: log.person("olga@acme.example", GROWTH, Role::Owner).await,
            kim: log.person("Kim@acme.example", GROWTH, Role::Member).await,
            log,
        }
    }

    fn whole(&self) -> Scope {
        self.tina.tenant_scope(&"acme".parse().unwrap()).unwrap()
    }

    fn growth(&self) -> Scope {
        self.olga.audit_scope(&GROWTH.parse().unwrap()).unwrap()
    }

    fn kims(&self) -> Scope {
        self.kim.own_scope(&GROWTH.parse().unwrap()).unwrap()
    }

    async fn all(&self, scope: &Scope) -> Vec<Event> {
        self.log.walk(scope, &limit(500)).await
    }

    async fn event(&self, scope: &Scope, id: EventId) -> Option<Event> {
        self.log.store.event(scope, id).await.unwrap()
    }
}

fn question(text: &str) -> Query {
    let read = Query::read(text, Unknown::Refused);
    assert!(read.faults.is_empty(), "{text}: {:?}", read.faults);
    read.query
}

#[tokio::test]
async fn only_a_tenants_admins_open_its_page_and_its_members_are_told_so() {
    let place = Place::new().await;
    let acme = "acme".parse().unwrap();
    for member in [&place.olga, &place.kim] {
        let refused = member.tenant_scope(&acme);
        assert!(
            matches!(&refused, Err(Refused::NoTenantAccess { tenant }) if tenant.slug == acme),
            "{refused:?}"
        );
    }
    let tenant = place.whole().tenant().clone();
    let admins = place.log.store.tenant_admins(&tenant).await.unwrap();
    let emails: Vec<_> = admins.iter().map(|(_, email)| &**email).collect();
    assert_eq!(emails, ["tina@acme.example"]);

    // Who belongs elsewhere is not even told that it exists.
    let store = &place.log.store;
    let globex = "globex".parse().unwrap();
    store
        .create_tenant(&globex, "Globex", &log::operator())
        .await
        .unwrap();
    let stranger = place
        .log
        .person("zoe@globex.example", "globex", Role::TenantAdmin)
        .await;
    assert_eq!(stranger.tenant_scope(&acme), Err(Refused::NotFound));
    assert_eq!(place.tina.tenant_scope(&globex), Err(Refused::NotFound));
    let nowhere = "nowhere".parse().unwrap();
    assert_eq!(place.olga.tenant_scope(&nowhere), Err(Refused::NotFound));
    // Nor does anybody have a log of their own where they are no member.
    let revenue = REVENUE.parse().unwrap();
    assert_eq!(place.kim.own_scope(&revenue), Err(Refused::NotFound));
    let growth = GROWTH.parse().unwrap();
    assert_eq!(stranger.own_scope(&growth), Err(Refused::NotFound));
}

#[tokio::test]
async fn a_workspaces_people_see_nothing_of_another_workspace() {
    let place = Place::new().await;
    let growth = place.growth();
    let all = place.all(&place.whole()).await;
    let is_of_growth = |event: &&Event| {
        let slug = event.workspace.as_ref().map(Slug::as_str);
        slug == Some("growth")
    };
    let own: Vec<_> = all.iter().filter(is_of_growth).map(|one| one.id).collect();
    let shown = place.all(&growth).await;
    assert_eq!(shown.iter().map(|one| one.id).collect::<Vec<_>>(), own);
    assert!(own.len() < all.len());
    // Not by its id: Revenue's and the tenant's own events are not there.
    for event in &all {
        let found = place.event(&growth, event.id).await;
        assert_eq!(found.is_some(), own.contains(&event.id), "{event:?}");
    }
    // Not by naming the workspace, the own one included: there is nothing to choose.
    for asked in ["workspace=revenue", "workspace=growth&workspace=revenue"] {
        for scope in [&growth, &place.kims()] {
            let refused = place.log.store.page(scope, &question(asked)).await;
            assert!(
                matches!(
                    refused,
                    Err(QuestionError::Parameter {
                        parameter: "workspace",
                        ..
                    })
                ),
                "{asked}"
            );
            let counted = place.log.store.count(scope, &question(asked)).await;
            assert!(counted.is_err(), "{asked}");
        }
    }
    // Nor by a cursor that leads on in somebody else's log.
    let wide = place.log.store.page(&place.whole(), &limit(2)).await;
    let cursor = wide.unwrap().older.unwrap();
    let of_kim = place.log.store.page(&place.kims(), &limit(2)).await;
    let of_kim = of_kim.unwrap().older.unwrap();
    let of_growth = place.log.store.page(&growth, &limit(2)).await;
    let of_growth = of_growth.unwrap().older.unwrap();
    for (scope, foreign) in [
        (&growth, &cursor),
        (&growth, &of_kim),
        (&place.kims(), &cursor),
        (&place.kims(), &of_growth),
        (&place.whole(), &of_growth),
    ] {
        let refused = place.log.store.page(scope, &limit(2).at(foreign)).await;
        assert!(matches!(refused, Err(QuestionError::Cursor)), "{scope:?}");
    }
    let colleague = place
        .log
        .person("app@acme.example", GROWTH, Role::Member)
        .await
        .own_scope(&GROWTH.parse().unwrap())
        .unwrap();
    let refused = place
        .log
        .store
        .page(&colleague, &limit(2).at(&of_kim))
        .await;
    assert!(matches!(refused, Err(QuestionError::Cursor)));
}

#[tokio::test]
async fn everybody_sees_what_they_did_themselves_and_nothing_of_others() {
    let place = Place::new().await;
    let kims = place.kims();
    let all = place.all(&place.whole()).await;
    for event in &all {
        let actor = &event.actor.actor;
        let email = actor.email.as_deref().map(str::to_lowercase);
        let is_kims = email.as_deref() == Some("kim@acme.example")
            && event.workspace.as_ref().map(Slug::as_str) == Some("growth");
        let found = place.event(&kims, event.id).await;
        assert_eq!(found.is_some(), is_kims, "{event:?}");
    }
    // Their own address with another case, and Daybook's own events of them: both are theirs.
    let actions = |events: &[Event]| {
        let mut actions: Vec<_> = events.iter().map(|one| one.action.to_string()).collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    };
    let shown = place.all(&kims).await;
    assert_eq!(actions(&shown), ["REPORT_READ", "SIGNED_IN"]);
    assert_eq!(shown.len(), 6);

    // What there is to choose from tells nothing of what others do.
    let mut snapshot = place.log.store.snapshot(&kims).await.unwrap();
    let choices = snapshot.choices().await.unwrap();
    snapshot.end().await;
    assert_eq!(choices.events, 6);
    let offered = choices.offered.actions.iter();
    let mut offered: Vec<_> = offered
        .map(|one| (one.action.as_str(), one.events))
        .collect();
    offered.sort_unstable();
    assert_eq!(offered, [("REPORT_READ", 5), ("SIGNED_IN", 1)]);
    let kinds: Vec<_> = choices
        .offered
        .kinds
        .iter()
        .map(TargetKind::as_str)
        .collect();
    assert_eq!(kinds, ["report", "user"]);

    // Who did nothing yet has nothing to choose from.
    let tinas = place.tina.own_scope(&GROWTH.parse().unwrap()).unwrap();
    assert!(place.all(&tinas).await.is_empty());
    let mut snapshot = place.log.store.snapshot(&tinas).await.unwrap();
    assert_eq!(snapshot.choices().await.unwrap(), Choices::default());
    assert_eq!(
        snapshot.count(&Query::default()).await.unwrap(),
        Count::Exactly(0)
    );
    snapshot.end().await;
}

#[tokio::test]
async fn a_look_at_a_tenants_log_is_told_in_its_own_and_one_at_ones_own_events_nowhere() {
    let place = Place::new().await;
    let whole = place.whole();
    let looks = question("action=AUDIT_LOG_READ");
    let store = &place.log.store;
    let by = By::person(&place.kim, None);
    store.note_look(&place.kims(), &by, &["q"]).await.unwrap();
    assert!(place.log.walk(&whole, &looks).await.is_empty());
    let by = By::person(&place.tina, None);
    store.note_look(&whole, &by, &["workspace"]).await.unwrap();
    store.note_look(&whole, &by, &[]).await.unwrap();
    let told = place.log.walk(&whole, &looks).await;
    assert_eq!(told.len(), 1, "once in an hour");
    assert_eq!(told[0].workspace, None);
    assert_eq!(told[0].target.kind.as_str(), "tenant");
    assert_eq!(told[0].target.id.as_deref(), Some("acme"));
    assert_eq!(
        told[0].metadata.as_ref().unwrap()["filters"][0],
        "workspace"
    );
}

#[tokio::test]
async fn a_tenants_choices_are_those_of_all_its_workspaces_together() {
    let place = Place::new().await;
    let whole = place.whole();
    let all = place.all(&whole).await;
    let mut snapshot = place.log.store.snapshot(&whole).await.unwrap();
    let choices = snapshot.choices().await.unwrap();
    snapshot.end().await;
    assert_eq!(choices.events, all.len() as u64);
    for action in ["REPORT_READ", "SECRET_ROTATED", "INVOICE_SENT"] {
        let mut offered = choices.offered.actions.iter();
        let choice = offered.find(|one| one.action.as_str() == action).unwrap();
        assert_eq!(choice.events, 5, "{action}");
    }
    let mut snapshot = place.log.store.snapshot(&place.growth()).await.unwrap();
    let choices = snapshot.choices().await.unwrap();
    snapshot.end().await;
    let mut offered = choices.offered.actions.iter();
    assert!(!offered.any(|one| one.action.as_str() == "INVOICE_SENT"));
}

#[tokio::test]
async fn a_tenants_admins_are_told_in_which_workspaces_recording_is_off() {
    let place = Place::new().await;
    let store = &place.log.store;
    let told = async |scope: &Scope, most| {
        let mut snapshot = store.snapshot(scope).await.unwrap();
        let told = snapshot.notices_within(most).await.unwrap();
        snapshot.end().await;
        told
    };
    assert_eq!(told(&place.whole(), 3).await, (Vec::new(), 0));
    let off = |path: &'static str, change| async move {
        let path = path.parse().unwrap();
        let scope = store.operator_settings(&path).await.unwrap().unwrap();
        let by = log::operator();
        store.change_settings(&scope, change, &by).await.unwrap();
    };
    let recording = SettingsChange {
        recording: Some(false),
        ..SettingsChange::default()
    };
    let shorter = SettingsChange {
        retention: Some("30d".parse().unwrap()),
        ..SettingsChange::default()
    };
    off(REVENUE, recording).await;
    off(GROWTH, shorter).await;
    let (both, more) = told(&place.whole(), 3).await;
    let names: Vec<_> = both
        .iter()
        .map(|(workspace, notices)| {
            let (off, waits) = (notices.recording_off.is_some(), notices.pending.is_some());
            (&*workspace.name, off, waits)
        })
        .collect();
    assert_eq!(names, [("Growth", false, true), ("Revenue", true, false)]);
    assert_eq!(more, 0);
    let (first, more) = told(&place.whole(), 1).await;
    assert_eq!((first.len(), more), (1, 1));
    // Others' logs say nothing of other workspaces.
    assert_eq!(told(&place.growth(), 3).await, (Vec::new(), 0));
}

#[tokio::test]
async fn counting_a_tenants_log_reads_no_more_than_counting_a_workspaces() {
    let log = Log::new().await;
    let grant = log.token("acme").await;
    let made = |slug: &str, n: usize| {
        let mut made = did("Kim", ["A", "B"][n % 2], "report");
        made.workspace = Some(slug.parse().unwrap());
        let before = chrono::TimeDelta::seconds(i64::try_from(n).unwrap());
        made.occurred_at = Some(log::time(BEGINNING).plus(-before));
        made
    };
    // Two filters together are not counted beforehand: their entries are read.
    let asked = question("action=A&target_kind=report");
    let whole = grant.read_scope().unwrap();
    for slug in ["growth", "revenue"] {
        for from in (0..14_000).step_by(2_000) {
            let batch = (from..from + 2_000).map(|n| made(slug, n)).collect();
            log.record(&grant, batch).await;
        }
        // What the index does not have yet is in memory, and counted there.
        log.store.wait_for_index(|_, _| ()).await.unwrap();
        let count = log.store.count(&whole, &asked).await.unwrap();
        match slug {
            "growth" => assert_eq!(count, Count::Exactly(7_000)),
            // Those of both would have to be read.
            _ => assert_eq!(count, Count::Unknown),
        }
    }
    // What is counted already is told, however much it is.
    let kept = log
        .store
        .count(&whole, &question("action=A"))
        .await
        .unwrap();
    assert_eq!(kept, Count::Exactly(14_000));
}
