//! Legal holds: placed and lifted by owners, told in the log, and kept by the database itself.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod log;

use chrono::TimeDelta;
use domain::{event::Event, question::Query, role::Role};
use log::{BEGINNING, Log, event, object, operator, time, user};
use store::{
    access::{Scope, SettingsScope, SignedIn},
    administration::By,
    clock::Clock,
    holds::{HoldError, PAGE, Reason},
};

const GROWTH: &str = "acme/growth";
const REVENUE: &str = "acme/revenue";

fn reason(text: &str) -> Reason {
    text.parse().unwrap()
}

fn settings(person: &SignedIn, workspace: &str) -> SettingsScope {
    person.settings_scope(&workspace.parse().unwrap()).unwrap()
}

/// An owner of growth, their proof, and the log.
async fn owned() -> (Log, SettingsScope, By) {
    let log = Log::new().await;
    let owner = log.owner(GROWTH).await;
    let scope = settings(&owner, GROWTH);
    (log, scope, By::person(&owner, None))
}

/// What of an action was recorded, the newest first.
async fn told(log: &Log, workspace: &str, action: &str) -> Vec<Event> {
    let scope = log.scope(workspace).await;
    let mut events = log.walk(&scope, &Query::default()).await;
    events.retain(|event| event.action.as_str() == action);
    events
}

fn later(log: &Log, delta: TimeDelta) {
    log.clock.set(log.clock.now().plus(delta));
}

async fn notices_of(log: &Log, scope: &Scope) -> Option<String> {
    let mut snapshot = log.store.snapshot(scope).await.unwrap();
    let notices = snapshot.notices().await.unwrap();
    snapshot.end().await;
    notices.hold.map(|hold| hold.reason)
}

#[test]
fn a_reason_is_one_line_of_1_to_1000_characters() {
    assert_eq!(reason(" a\r\nb\tc\n").as_str(), "a b c");
    assert_eq!(reason(&"ø".repeat(1_000)).as_str().chars().count(), 1_000);
    for wrong in ["", " \n ", &"x".repeat(1_001), "a\u{7}b"] {
        assert!(wrong.parse::<Reason>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_hold_is_placed_once_and_lifted_once_and_both_are_told() {
    let (log, scope, by) = owned().await;
    assert_eq!(log.store.hold(&scope).await.unwrap(), None);
    let none = log.store.lift_hold(&scope, &reason("x"), &by).await;
    assert!(matches!(none, Err(HoldError::NoneStands)), "{none:?}");

    let placed = log
        .store
        .place_hold(&scope, &reason("Lawsuit"), &by)
        .await
        .unwrap();
    assert_eq!(placed.reason, "Lawsuit");
    assert_eq!(placed.placed.by, "Ingrid Solheim");
    assert_eq!(placed.placed.at, time(BEGINNING));
    assert_eq!(log.store.hold(&scope).await.unwrap(), Some(placed.clone()));
    later(&log, TimeDelta::days(1));
    let again = log
        .store
        .place_hold(&scope, &reason("More"), &operator())
        .await;
    let Err(HoldError::Stands(stands)) = again else {
        panic!("{again:?}");
    };
    assert_eq!(stands, placed);

    log.store
        .lift_hold(&scope, &reason("Settled"), &operator())
        .await
        .unwrap();
    let holds = log.store.holds(&scope, None).await.unwrap();
    assert_eq!((holds.standing, holds.more), (None, false));
    let [past] = &holds.past[..] else {
        panic!("{:?}", holds.past);
    };
    assert_eq!(past.hold, placed);
    assert_eq!(past.lifted.reason, "Settled");
    assert_eq!(past.lifted.changed.by, "system");
    let again = log.store.lift_hold(&scope, &reason("x"), &by).await;
    assert!(matches!(again, Err(HoldError::NoneStands)), "{again:?}");

    // Each once, with reason, before and after; neither ever expires.
    let since = serde_json::json!(placed.placed.at);
    let stands = serde_json::json!({"hold": {
        "reason": "Lawsuit", "placed_by": "Ingrid Solheim", "since": since,
    }});
    let none = serde_json::json!({"hold": null});
    for (action, why, before, after) in [
        ("AUDIT_HOLD_PLACED", "Lawsuit", &none, &stands),
        ("AUDIT_HOLD_LIFTED", "Settled", &stands, &none),
    ] {
        let told = told(&log, GROWTH, action).await;
        let [event] = &told[..] else {
            panic!("{action}: {told:?}");
        };
        let value = serde_json::to_value(event).unwrap();
        assert_eq!((&value["before"], &value["after"]), (before, after));
        assert_eq!(value["metadata"]["reason"], why);
        assert_eq!(value["target"]["kind"], "legal_hold");
        assert_eq!(value["source"], "daybook");
    }
    let kept = log
        .number(&format!(
            "SELECT count(*) FROM content c JOIN leaf l ON {} \
             JOIN action a ON {}a.ws = l.ws AND a.num = c.action \
             WHERE a.action LIKE 'AUDIT_HOLD_%' AND c.keep",
            log::same("l", "c"),
            if log::postgres().is_some() {
                "a.tenant = l.tenant AND "
            } else {
                ""
            }
        ))
        .await;
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn owners_and_tenant_admins_place_and_lift_and_others_only_see() {
    let log = Log::new().await;
    for (name, place, role, may) in [
        ("auditor", GROWTH, Role::Auditor, false),
        ("admin", GROWTH, Role::Admin, false),
        ("owner", GROWTH, Role::Owner, true),
        ("tenant", "acme", Role::TenantAdmin, true),
    ] {
        let person = log
            .person(&format!("{name}@acme.example"), place, role)
            .await;
        let (scope, by) = (settings(&person, GROWTH), By::person(&person, None));
        let placed = log.store.place_hold(&scope, &reason("x"), &by).await;
        let stands = log.store.hold(&scope).await.unwrap();
        assert_eq!((placed.is_ok(), stands.is_some()), (may, may), "{name}");
        let lifted = log.store.lift_hold(&scope, &reason("y"), &by).await;
        assert_eq!(lifted.is_ok(), may, "{name}");
        if !may {
            assert!(matches!(placed, Err(HoldError::ReadOnly)), "{name}");
            assert!(matches!(lifted, Err(HoldError::ReadOnly)), "{name}");
        }
    }
    let member = log
        .person("member@acme.example", GROWTH, Role::Member)
        .await;
    assert!(member.settings_scope(&GROWTH.parse().unwrap()).is_err());
    assert_eq!(told(&log, GROWTH, "AUDIT_HOLD_PLACED").await.len(), 2);
}

#[tokio::test]
async fn each_workspace_has_holds_of_its_own_and_its_history_goes_on_page_by_page() {
    let (log, scope, by) = owned().await;
    let other = log.person("nils@acme.example", REVENUE, Role::Owner).await;
    let other_scope = settings(&other, REVENUE);
    log.store
        .place_hold(&other_scope, &reason("of revenue"), &by)
        .await
        .unwrap();
    for number in 0..=PAGE {
        let why = reason(&format!("number {number}"));
        log.store.place_hold(&scope, &why, &by).await.unwrap();
        log.store.lift_hold(&scope, &why, &by).await.unwrap();
    }
    let first = log.store.holds(&scope, None).await.unwrap();
    assert_eq!((first.past.len(), first.more), (PAGE, true));
    assert_eq!(first.past[0].hold.reason, format!("number {PAGE}"));
    let last = first.past.last().unwrap().id;
    let second = log.store.holds(&scope, Some(last)).await.unwrap();
    assert_eq!((second.past.len(), second.more), (1, false));
    assert_eq!(second.past[0].lifted.reason, "number 0");
    assert_eq!(second.standing, None);

    let all = log.store.all_holds(None).await.unwrap();
    assert_eq!(all.len(), PAGE + 2);
    assert_eq!(all[0].hold.reason, "of revenue");
    assert_eq!(all[0].lifted, None);
    let path = REVENUE.parse().unwrap();
    let of_revenue = log.store.all_holds(Some(&path)).await.unwrap();
    assert_eq!(of_revenue.len(), 1);
}

#[tokio::test]
async fn who_reads_the_whole_log_is_told_of_a_hold_and_who_it_may_be_about_is_not() {
    let (log, scope, by) = owned().await;
    log.store
        .place_hold(&scope, &reason("Lawsuit"), &by)
        .await
        .unwrap();
    let path = GROWTH.parse().unwrap();
    let auditor = log
        .person("auditor@acme.example", GROWTH, Role::Auditor)
        .await;
    let whole = auditor.audit_scope(&path).unwrap();
    assert_eq!(notices_of(&log, &whole).await.as_deref(), Some("Lawsuit"));
    let own = auditor.own_scope(&path).unwrap();
    assert_eq!(notices_of(&log, &own).await, None);

    let admin = log
        .person("tina@acme.example", "acme", Role::TenantAdmin)
        .await;
    let tenant = admin.tenant_scope(&"acme".parse().unwrap()).unwrap();
    let mut snapshot = log.store.snapshot(&tenant).await.unwrap();
    let (told, more) = snapshot.notices_within(3).await.unwrap();
    snapshot.end().await;
    let [(workspace, notices)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((workspace.name.as_str(), more), ("Growth", 0));
    assert_eq!(notices.hold.as_ref().unwrap().reason, "Lawsuit");
    log.store
        .lift_hold(&scope, &reason("over"), &by)
        .await
        .unwrap();
    assert_eq!(notices_of(&log, &whole).await, None);
    let mut snapshot = log.store.snapshot(&tenant).await.unwrap();
    assert_eq!(snapshot.notices_within(3).await.unwrap(), (Vec::new(), 0));
    snapshot.end().await;
}

#[tokio::test]
async fn the_database_lets_nobody_change_remove_or_replace_a_hold() {
    let (log, scope, by) = owned().await;
    for why in ["first", "second"] {
        log.store
            .place_hold(&scope, &reason(why), &by)
            .await
            .unwrap();
        if why == "first" {
            log.store
                .lift_hold(&scope, &reason("over"), &by)
                .await
                .unwrap();
        }
    }
    let before = log.store.all_holds(None).await.unwrap();
    for statement in [
        "DELETE FROM hold",
        "DELETE FROM hold WHERE lifted_at IS NOT NULL",
        "UPDATE hold SET reason = 'another'",
        "UPDATE hold SET lifted_at = NULL, lifted_by = NULL, lifted_reason = NULL",
        "UPDATE hold SET lifted_at = 1 WHERE lifted_at IS NULL",
        "UPDATE hold SET lifted_at = 1, lifted_by = 'x', lifted_reason = 'y', placed_by = 'z' \
         WHERE lifted_at IS NULL",
        "UPDATE hold SET lifted_reason = 'another' WHERE lifted_at IS NOT NULL",
        "INSERT OR REPLACE INTO hold SELECT * FROM hold WHERE lifted_at IS NULL",
        "INSERT OR REPLACE INTO hold (id, workspace, reason, placed_by, placed_at, lifted_reason, \
         lifted_by, lifted_at) SELECT id, workspace, reason, placed_by, placed_at, 'x', 'y', 1 \
         FROM hold WHERE lifted_at IS NULL",
        "REPLACE INTO hold SELECT * FROM hold WHERE lifted_at IS NOT NULL",
        "INSERT INTO hold (id, workspace, reason, placed_by, placed_at) SELECT max(id) + 1, \
         workspace, 'third', 'x', 1 FROM hold",
        "INSERT INTO hold (id, workspace, reason, placed_by, placed_at) SELECT 77, id, 'x', 'y', 1 \
         FROM workspace WHERE slug = 'revenue'",
    ] {
        // Only SQLite has these.
        if log::postgres().is_some() && statement.contains("REPLACE") {
            continue;
        }
        let words = log.refused(statement).await;
        assert!(words.contains("hold"), "{statement}: {words}");
    }
    assert_eq!(log.store.all_holds(None).await.unwrap(), before);
}

#[tokio::test]
async fn nothing_leaves_the_log_while_a_hold_stands_not_even_under_a_release() {
    let (log, scope, by) = owned().await;
    let grant = log.token(GROWTH).await;
    let made = |at: &str| {
        let on = object("secret", "sec_1", "SALESFORCE");
        event(user("usr_1", "Alex Kim"), "secret:rotate", on, at)
    };
    log.record(&grant, vec![made(BEGINNING), made(BEGINNING)])
        .await;
    later(&log, TimeDelta::days(200));
    let now = log.clock.now();
    log.record(&grant, vec![made(&now.to_string())]).await;

    let n = log::n();
    let (columns, tenant) = if log::postgres().is_some() {
        ("tenant, ws, seq", "1, ")
    } else {
        ("ws, n", "")
    };
    // A release of what is older than the 90 days that the workspace keeps.
    let release = |before: TimeDelta| {
        format!(
            "INSERT INTO release (id, {columns}, before, events) SELECT \
             (SELECT coalesce(max(id), 0) + 1 FROM release), {tenant}w.id, \
             (SELECT max({n}) FROM leaf), {}, 2 FROM workspace w WHERE w.slug = 'growth'",
            now.plus(-before).micros()
        )
    };
    log.execute(&release(TimeDelta::days(91))).await;
    let expired = format!(
        "DELETE FROM content WHERE NOT keep AND {n} IN (SELECT {n} FROM leaf WHERE occurred_at = {} \
         AND ws = (SELECT id FROM workspace WHERE slug = 'growth'))",
        time(BEGINNING).micros()
    );
    let emptied = "UPDATE actor SET id = NULL, name = NULL, email = NULL \
         WHERE ws = (SELECT id FROM workspace WHERE slug = 'growth') AND id = 'usr_1'";

    log.store
        .place_hold(&scope, &reason("Lawsuit"), &by)
        .await
        .unwrap();
    // What an unfinished release still covers stays, and no other is made.
    // Triggers on a node see no hold: they refuse whoever is not carrying a release out.
    let is_distributed = log.is_distributed().await;
    let words = log.refused(&expired).await;
    let told = ["while a legal hold stands", "append-only"][usize::from(is_distributed)];
    assert!(words.contains(told), "{words}");
    let carried_out = "SELECT remove_batch(1, 1000)";
    if log::postgres().is_some() {
        let words = log.refused(carried_out).await;
        assert!(words.contains("while a legal hold stands"), "{words}");
    }
    log.refused(emptied).await;
    let words = log.refused(&release(TimeDelta::days(91))).await;
    assert!(words.contains("while a legal hold stands"), "{words}");
    // Nor of what the tenant itself has recorded.
    let of_tenant = format!(
        "INSERT INTO release (id, {columns}, before, events) SELECT \
         (SELECT coalesce(max(id), 0) + 1 FROM release), {tenant}-t.id, \
         (SELECT max({n}) FROM leaf), 1, 0 FROM tenant t"
    );
    let words = log.refused(&of_tenant).await;
    assert!(words.contains("while a legal hold stands"), "{words}");

    log.store
        .lift_hold(&scope, &reason("Settled"), &by)
        .await
        .unwrap();
    // The same statements, so that what refused them was the hold.
    if is_distributed {
        assert!(log.number(carried_out).await >= 2);
    } else {
        assert!(log.execute(&expired).await >= 2);
        assert!(log.execute(emptied).await >= 1);
    }
    log.execute(&release(TimeDelta::days(91))).await;
    // A release has the log's last event.
    log.record(&grant, vec![made(&now.to_string())]).await;
    log.execute(&of_tenant).await;
}
