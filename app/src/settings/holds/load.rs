//! What the server finds out for the section on legal holds.

use super::{
    said::Said,
    view::{HoldView, HoldsView, PastHoldView},
};
use crate::{address, log::Local, refusal::Refusal, viewer::Asker};
use store::{access::SettingsScope, holds::Hold};

/// The holds of a workspace, those of the past from where the address says on.
pub(in crate::settings) async fn holds(
    asker: &Asker,
    scope: &SettingsScope,
    said: Said,
    local: &Local,
) -> Result<HoldsView, Refusal> {
    let found = asker.store.holds(scope, said.before).await?;
    let page = address::settings(&scope.workspace().path());
    let from = |before: Option<i64>| {
        let said = Said {
            before,
            ..Said::default()
        };
        said.address(&page, local.zone())
    };
    let shown = |hold: Hold| HoldView {
        reason: hold.reason,
        by: hold.placed.by,
        at: local.when(hold.placed.at),
    };
    let last = found.past.last().map(|past| past.id);
    Ok(HoldsView {
        zone: local.zone().to_owned(),
        standing: found.standing.map(shown),
        newest: said.before.is_some().then(|| from(None)),
        earlier: last.filter(|_| found.more).map(|last| from(Some(last))),
        past: found
            .past
            .into_iter()
            .map(|past| PastHoldView {
                placed: shown(past.hold),
                lifted: HoldView {
                    reason: past.lifted.reason,
                    by: past.lifted.changed.by,
                    at: local.when(past.lifted.changed.at),
                },
            })
            .collect(),
        said,
    })
}
