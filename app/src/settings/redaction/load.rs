//! What the server finds out for the page of redaction.

use super::{
    said::{Came, Faults, Said, Typed},
    view::RedactionView,
};
use crate::{
    address,
    frame::Frame,
    log::Local,
    refusal::Refusal,
    settings::load::{opened_at, workspace_at, zone_of},
    viewer::Asker,
};
use domain::{redaction::Added, slug::WorkspacePath};
use store::access::SettingsScope;

/// The last segment of the page's path.
const PLACE: &str = "redaction";

/// The workspace whose redaction lies at a path.
pub(super) fn workspace(path: &str) -> Option<WorkspacePath> {
    workspace_at(path, PLACE)
}

/// Who asks, and whose redaction they may see.
pub(super) async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, SettingsScope), Refusal> {
    opened_at(asker, path, PLACE).await
}

/// What the workspace of the page at `path` has taken out.
pub(super) async fn redaction(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<RedactionView, Refusal> {
    let (asker, scope) = opened(asker, path).await?;
    let said = Said::read(search);
    let frame = match Frame::of(&asker.person, &scope.workspace().path()) {
        Ok(frame) => frame,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    asker.remember_zone(scope.workspace(), search).await;
    let zone = zone_of(search);
    let local = Local::new(&zone, asker.store.now());
    let settings = asker.store.redaction(&scope).await?;
    let added = &settings.added;
    let names = added.names().iter().map(ToString::to_string);
    let places = added.places().iter().map(ToString::to_string);
    let mut faults = match &said.typed {
        Some(typed) => typed.wanted().err().unwrap_or_default(),
        None => Faults::default(),
    };
    if said.outcome == Some(Came::TooMany) && !faults.any() {
        faults = too_many(added, said.typed.as_ref());
    }
    Ok(RedactionView {
        may_change: scope.may_change(),
        here: address::in_zone(&address::redaction(&frame.workspace.path), zone.as_str()),
        names: names.collect(),
        places: places.collect(),
        history: match &settings.set {
            Some(changed) => format!("Changed by {} on {}", changed.by, local.second(changed.at)),
            None => "As the workspace began".to_owned(),
        },
        outcome: said.outcome.filter(|came| *came != Came::TooMany),
        was_sent: said.typed.is_some(),
        typed: said.typed.unwrap_or_default(),
        faults,
        zone: zone.to_string(),
        frame,
    })
}

/// Which of them there are too many of.
fn too_many(added: &Added, typed: Option<&Typed>) -> Faults {
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    let words = |what: &str, there: usize, most: usize| {
        format!("There can be {most} {what}, and there are {there} now. Remove some first.")
    };
    let more_names = typed.map_or(0, |typed| lines(&typed.names));
    let (names, places) = (added.names().len(), added.places().len());
    if names + more_names > Added::NAMES_MOST {
        Faults {
            names: Some(words("names", names, Added::NAMES_MOST)),
            paths: None,
        }
    } else {
        Faults {
            names: None,
            paths: Some(words("paths", places, Added::PLACES_MOST)),
        }
    }
}
