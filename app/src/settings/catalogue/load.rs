//! What the server finds out for the page of the catalogue.

use super::{
    said::{Came, Faults, Said, Typed},
    view::{CatalogueView, EntryLine, FormView, UnknownLine, UnknownView},
};
use crate::{
    address,
    frame::Frame,
    log::Local,
    refusal::Refusal,
    settings::load::{opened_at, workspace_at, zone_of},
    viewer::Asker,
};
use domain::{catalogue::Catalogue, event::Action, slug::WorkspacePath};
use store::{
    StoreError,
    access::SettingsScope,
    catalogue::{ENTRIES_MOST, OwnEntry, UnknownAction},
};

/// The last segment of the page's path.
const PLACE: &str = "catalogue";

/// The workspace whose catalogue lies at a path.
pub(super) fn workspace(path: &str) -> Option<WorkspacePath> {
    workspace_at(path, PLACE)
}

/// Who asks, and whose catalogue they may see.
pub(super) async fn opened(
    asker: Result<Asker, Refusal>,
    path: &str,
) -> Result<(Asker, SettingsScope), Refusal> {
    opened_at(asker, path, PLACE).await
}

/// The catalogue at `path`, on the page of it that the query string asks for.
pub(super) async fn catalogue(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
) -> Result<CatalogueView, Refusal> {
    let (asker, scope) = opened(asker, path).await?;
    let mut said = Said::read(search);
    let frame = match Frame::of(&asker.person, &scope.workspace().path()) {
        Ok(frame) => frame,
        Err(refused) => return Err(asker.refusal(refused).await),
    };
    asker.remember_zone(scope.workspace(), search).await;
    let zone = zone_of(search);
    let list = List {
        path: address::catalogue(&frame.workspace.path),
        workspace: frame.workspace.path.clone(),
        local: Local::new(&zone, asker.store.now()),
        zone: zone.to_string(),
        may_change: scope.may_change(),
        after: said.after.clone(),
    };
    // What is no action is after none.
    let after: Option<Action> = said.after.as_deref().and_then(|after| after.parse().ok());
    let page = asker
        .store
        .catalogue_entries(&scope, after.as_ref())
        .await?;
    let unknown = match asker.store.unknown_actions(&scope).await {
        Ok(unknown) => Some(UnknownView {
            actions: unknown.actions.iter().map(|it| list.unknown(it)).collect(),
            more: unknown.more,
        }),
        // What is said of actions can be read and changed meanwhile.
        Err(StoreError::Indexing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let outcome = said.outcome.take();
    let outcome = match outcome {
        Some(came) => true_now(&asker, &scope, came).await?,
        None => None,
    };
    let form = if scope.may_change() {
        Some(form(&asker, &scope, said, page.all).await?)
    } else {
        None
    };
    let next = page.entries.last().filter(|_| page.more);
    Ok(CatalogueView {
        may_change: scope.may_change(),
        all: page.all,
        here: list.address(Said {
            after: list.after.clone(),
            ..Said::default()
        }),
        first: list.after.is_some().then(|| list.address(Said::default())),
        next: next.map(|last| {
            list.address(Said {
                after: Some(last.entry.action.to_string()),
                ..Said::default()
            })
        }),
        entries: page.entries.iter().map(|entry| list.entry(entry)).collect(),
        unknown,
        outcome,
        form,
        zone: list.zone,
        frame,
    })
}

/// What came of a form, if it is so: an address that was kept says only what is true.
async fn true_now(
    asker: &Asker,
    scope: &SettingsScope,
    came: Came,
) -> Result<Option<Came>, Refusal> {
    let (action, is_there) = match &came {
        Came::Failed => return Ok(Some(came)),
        Came::Added(action) | Came::Changed(action) | Came::Same(action) => (action, true),
        Came::Removed(action) | Came::Missing(action) => (action, false),
    };
    let Ok(action) = action.parse() else {
        return Ok(None);
    };
    let found = asker.store.catalogue_entry(scope, &action).await?;
    Ok((found.is_some() == is_there).then_some(came))
}

/// The form: what was typed, or what it begins with.
async fn form(
    asker: &Asker,
    scope: &SettingsScope,
    said: Said,
    all: u64,
) -> Result<FormView, Refusal> {
    let entry_of = async |action: &str| match action.trim().parse::<Action>() {
        Ok(action) => asker.store.catalogue_entry(scope, &action).await,
        Err(_) => Ok(None),
    };
    // An entry that is gone cannot be changed: what was typed may become a new one.
    let changed = match &said.change {
        Some(action) => entry_of(action).await?,
        None => None,
    };
    let change = changed.as_ref().map(|own| own.entry.action.to_string());
    let was_sent = said.typed.is_some();
    let begun = said.begin.filter(|action| action.parse::<Action>().is_ok());
    let typed = match (said.typed, changed, begun) {
        (Some(typed), ..) => typed,
        (None, Some(own), _) => Typed::of(&own.entry),
        (None, None, Some(action)) => {
            let catalogue = Catalogue::default();
            let reading = catalogue.reading(&action);
            Typed {
                label: reading.label.into_owned(),
                verb: reading.verb.as_str().to_owned(),
                category: if reading.known {
                    reading.category.as_str().to_owned()
                } else {
                    String::new()
                },
                action,
            }
        }
        (None, None, None) => Typed::default(),
    };
    let mut faults = Faults::default();
    if was_sent {
        faults = typed.wanted().err().unwrap_or_default();
        if change.is_none() && faults.action.is_none() {
            if entry_of(&typed.action).await?.is_some() {
                faults.action = Some(format!(
                    "There is an entry for {} already. Change that one.",
                    typed.action.trim()
                ));
            } else if all >= ENTRIES_MOST {
                faults.action = Some(format!(
                    "A workspace has at most {ENTRIES_MOST} entries of its own, and this one has as \
                     many. Remove one that is no longer needed first."
                ));
            }
        }
    }
    let named = change.as_deref().unwrap_or(&typed.action);
    let without = (!named.is_empty() && named.parse::<Action>().is_ok()).then(|| {
        let catalogue = Catalogue::default();
        let reading = catalogue.reading(named);
        format!(
            "Without it, this action is shown as “{}”: {}, in {}.",
            reading.label,
            reading.verb.label(),
            reading.category.label()
        )
    });
    Ok(FormView {
        change,
        typed,
        faults,
        was_sent,
        without,
    })
}

/// Where entries are listed, and how their times are written.
struct List {
    path: String,
    workspace: WorkspacePath,
    local: Local,
    zone: String,
    may_change: bool,
    after: Option<String>,
}

impl List {
    fn address(&self, said: Said) -> String {
        said.address(&self.path, &self.zone)
    }

    /// The log's entries with an action.
    fn there(&self, action: &Action) -> String {
        let audit = address::audit(&self.workspace);
        let action = address::encoded(action.as_str());
        address::in_zone(&format!("{audit}?action={action}"), &self.zone)
    }

    fn entry(&self, own: &OwnEntry) -> EntryLine {
        let entry = &own.entry;
        let action = entry.action.as_str();
        EntryLine {
            action: action.to_owned(),
            label: entry.label.to_string(),
            instead_of: Catalogue::shipped_entry(action).map(|shipped| shipped.label.to_owned()),
            category: entry.category.label(),
            verb: entry.verb.label(),
            by: own.changed.by.clone(),
            at: self.local.when(own.changed.at),
            there: self.there(&entry.action),
            change: self.may_change.then(|| {
                self.address(Said {
                    after: self.after.clone(),
                    change: Some(action.to_owned()),
                    ..Said::default()
                })
            }),
        }
    }

    fn unknown(&self, unknown: &UnknownAction) -> UnknownLine {
        UnknownLine {
            action: unknown.action.to_string(),
            label: unknown.label.clone(),
            verb: unknown.verb.label(),
            events: unknown.events,
            there: self.there(&unknown.action),
            begin: self.may_change.then(|| {
                self.address(Said {
                    after: self.after.clone(),
                    begin: Some(unknown.action.to_string()),
                    ..Said::default()
                })
            }),
        }
    }
}
