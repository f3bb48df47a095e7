//! What the server finds out for the settings page.

use crate::{
    address,
    frame::Frame,
    log::Local,
    number::{entries, grouped},
    refusal::Refusal,
    settings::{
        change::Typed,
        holds::{load::holds, said::Said},
        view::{ExpiringView, ObjectsView, PendingView, RetentionView, SettingsView},
    },
    viewer::Asker,
};
use domain::{
    event::TargetKind,
    question::{Query, Unknown, Zone},
    retention::{Plan, Retention},
    slug::WorkspacePath,
};
use store::{
    access::SettingsScope,
    settings::{People, Settings},
};

/// The workspace whose settings lie at a path.
pub(super) fn workspace(path: &str) -> Option<WorkspacePath> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        [tenant, workspace, "settings"] => address::workspace_path(tenant, workspace),
        _ => None,
    }
}

/// The workspace of whose settings the page that is called `place` lies at a path.
pub(super) fn workspace_at(path: &str, place: &str) -> Option<WorkspacePath> {
    path.strip_suffix(place)
        .and_then(|settings| settings.strip_suffix('/'))
        .and_then(workspace)
}

/// The zone that a page's query string names; UTC where it names none.
pub(super) fn zone_of(search: &str) -> Zone {
    Query::read(search, Unknown::Ignored).query.filter.zone()
}

/// The zone of a name; UTC where there is none of it.
pub(super) fn zone_named(name: &str) -> Zone {
    zone_of(&format!("tz={}", address::encoded(name)))
}

/// Who asks, and whose settings they may see.
pub(super) async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, SettingsScope), Refusal> {
    opened_in(asker, workspace(path)).await
}

/// The same on the page of the settings that is called `place`.
pub(super) async fn opened_at(
    asker: Result<Asker, Refusal>,
    path: &str,
    place: &str,
) -> Result<(Asker, SettingsScope), Refusal> {
    opened_in(asker, workspace_at(path, place)).await
}

async fn opened_in(
    asker: Result<Asker, Refusal>,
    workspace: Option<WorkspacePath>,
) -> Result<(Asker, SettingsScope), Refusal> {
    let asker = asker?;
    let workspace = workspace.ok_or(Refusal::NotFound)?;
    match asker.person.settings_scope(&workspace) {
        Ok(scope) => Ok((asker, scope)),
        Err(refused) => Err(asker.refusal(refused).await),
    }
}

/// The settings at `path`, their times in the zone that the query string names.
pub(super) async fn settings(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
    typed: &Typed,
) -> Result<SettingsView, Refusal> {
    let (asker, scope) = opened(asker, path).await?;
    let settings = asker.store.settings(&scope).await?;
    let people = asker.store.people(&scope).await?;
    let frame = match Frame::of(&asker.person, &scope.workspace().path()) {
        Ok(frame) => frame,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    asker.remember_zone(scope.workspace(), search).await;
    let zone = Query::read(search, Unknown::Ignored).query.filter.zone();
    let local = Local::new(&zone, asker.store.now());
    let asked = typed.retention().ok().filter(|_| typed.asks);
    let expiring = match asked {
        Some(asked) => expiring(&asker, &scope, asked, &local).await?,
        None => None,
    };
    let holds = holds(&asker, &scope, Said::read(search), &local).await?;
    Ok(SettingsView {
        holds,
        frame,
        may_change: scope.may_change(),
        zone: zone.to_string(),
        retention: fields(settings.retention),
        plan: plan(&settings),
        retention_history: retention_history(&settings, &local),
        recording_history: recording_history(&settings, &local),
        objects: objects(&settings, people, &local),
        recording: settings.recording,
        expiring,
        pending: settings.pending.map(|pending| PendingView {
            words: pending.retention.words(),
            from: format!("{} {zone}", local.second(pending.from)),
            by: pending.asked.by,
            asked: local.second(pending.asked.at),
        }),
    })
}

/// What a shorter retention deletes, seven days from now, of what there is now.
async fn expiring(
    asker: &Asker,
    scope: &SettingsScope,
    asked: Retention,
    local: &Local,
) -> Result<Option<ExpiringView>, Refusal> {
    let Some(expiring) = asker.store.would_expire(scope, asked).await? else {
        return Ok(None);
    };
    let zone = local.zone();
    // The last moment that is deleted.
    let last = expiring.before.plus(chrono::TimeDelta::microseconds(-1));
    let export = address::export_until(&scope.workspace().path(), &last.to_string());
    Ok(Some(ExpiringView {
        export: (expiring.events > 0).then_some(export),
        retention: asked.to_string(),
        words: asked.words(),
        entries: (expiring.events > 0)
            .then(|| format!("{} {}", grouped(expiring.events), entries(expiring.events))),
        before: format!("{} {zone}", local.second(expiring.before)),
        from: format!("{} {zone}", local.second(expiring.from)),
    }))
}

fn fields(retention: Retention) -> RetentionView {
    let (kind, days, years) = match retention {
        Retention::Days(days) => ("days", days, 1),
        Retention::Years(years) => ("years", 90, years),
        Retention::Forever => ("forever", 90, 1),
    };
    RetentionView {
        kind: kind.to_owned(),
        days: days.to_string(),
        years: years.to_string(),
    }
}

fn objects(settings: &Settings, people: People, local: &Local) -> ObjectsView {
    let access = &settings.object_access;
    let count = |number: u64| match number {
        1 => "1 person".to_owned(),
        number => format!("{number} people"),
    };
    let guarded: Vec<&str> = access.guarded().iter().map(TargetKind::as_str).collect();
    ObjectsView {
        opened_by: access.word().to_owned(),
        guarded: guarded.join(" "),
        everyone: count(people.all),
        readers: count(people.readers),
        history: match &settings.object_access_set {
            Some(changed) => format!("Set by {} on {}", changed.by, local.second(changed.at)),
            None => "As the workspace began".to_owned(),
        },
    }
}

fn plan(settings: &Settings) -> Option<String> {
    let Plan { floor, cap } = settings.plan;
    let allowed = match (floor, cap) {
        (None, None) => return None,
        (Some(floor), None) => format!("at least {}", floor.words()),
        (None, Some(cap)) => format!("at most {}", cap.words()),
        (Some(floor), Some(cap)) => {
            format!("at least {}, at most {}", floor.words(), cap.words())
        }
    };
    let held = if settings.effective == settings.retention {
        String::new()
    } else {
        format!(" What holds is {}.", settings.effective.words())
    };
    Some(format!("Your plan keeps {allowed}.{held}"))
}

fn retention_history(settings: &Settings, local: &Local) -> String {
    let words = settings.retention.words();
    match &settings.retention_set {
        Some(changed) => format!(
            "Set to {words} by {} on {}",
            changed.by,
            local.second(changed.at)
        ),
        None => format!("{words}, as the workspace began"),
    }
}

fn recording_history(settings: &Settings, local: &Local) -> String {
    match (&settings.recording_set, settings.recording) {
        (None, _) => format!(
            "On since {}, never turned off",
            local.second(settings.created_at)
        ),
        (Some(changed), true) => format!(
            "Turned on by {} on {}",
            changed.by,
            local.second(changed.at)
        ),
        (Some(changed), false) => {
            let events = if settings.discarded == 1 {
                "entry was"
            } else {
                "entries were"
            };
            format!(
                "Turned off by {} on {}; {} {events} not kept since",
                changed.by,
                local.second(changed.at),
                settings.discarded
            )
        }
    }
}
