//! Adding, changing and removing entries: a plain form. What came of it stands in the address of the
//! page that is shown next.

#![allow(
    clippy::too_many_arguments,
    reason = "each field of the form is an argument"
)]

use crate::{refusal::Answered, viewer::Asker};
use leptos::prelude::*;

/// Adds, changes or removes an entry of the catalogue of the page at `path`, sends the browser there,
/// and tells its address. `change`: the action whose entry is changed; empty: a new one. `act`:
/// `remove` removes it.
///
/// # Errors
///
/// The server does not answer.
#[server(prefix = "/ui", endpoint = "save_catalogue_entry")]
pub async fn save_catalogue_entry(
    path: String,
    #[server(default)] tz: String,
    #[server(default)] after: String,
    #[server(default)] change: String,
    #[server(default)] act: String,
    #[server(default)] action: String,
    #[server(default)] category: String,
    #[server(default)] verb: String,
    #[server(default)] label: String,
) -> Answered<String> {
    let typed = super::said::Typed {
        action,
        category,
        verb,
        label,
    };
    let asked = answer::Asked {
        after: Some(after).filter(|after| !after.is_empty()),
        change: Some(change).filter(|change| !change.is_empty()),
        removes: act == "remove",
        typed,
    };
    Ok(answer::save(Asker::of_request(), &path, &tz, asked).await)
}

mod answer {
    use crate::{
        address, answer,
        refusal::Refusal,
        settings::{
            catalogue::{
                load::{opened, workspace},
                said::{Came, Said, Typed},
            },
            load::zone_named,
        },
        viewer::Asker,
    };
    use domain::event::Action;
    use store::{
        Store,
        access::SettingsScope,
        administration::By,
        catalogue::{CatalogueError, EntryChange},
    };

    /// What the form asks for.
    pub(super) struct Asked {
        pub(super) after: Option<String>,
        pub(super) change: Option<String>,
        pub(super) removes: bool,
        pub(super) typed: Typed,
    }

    pub(super) async fn save(
        asker: Result<Asker, Refusal>,
        path: &str,
        tz: &str,
        asked: Asked,
    ) -> Result<String, Refusal> {
        let answer = async {
            let (asker, scope) = opened(asker, path).await?;
            let by = asker.by();
            let done = match asked.change.as_deref().map(str::parse::<Action>) {
                Some(Ok(action)) if asked.removes => {
                    remove(&asker.store, &scope, &action, &by).await
                }
                Some(Ok(action)) => change(&asker.store, &scope, action, &asked.typed, &by).await,
                _ => add(&asker.store, &scope, &asked.typed, &by).await,
            };
            done.map_err(refusal)
        }
        .await;
        finish(path, tz, answer, asked)
    }

    /// What is wrong, the page that is shown next finds out for itself: then nothing came of it.
    async fn add(
        store: &Store,
        scope: &SettingsScope,
        typed: &Typed,
        by: &By,
    ) -> Result<Option<Came>, CatalogueError> {
        let Ok(entry) = typed.wanted() else {
            return Ok(None);
        };
        match store.add_catalogue_entry(scope, &entry, by).await {
            Ok(()) => Ok(Some(Came::Added(entry.action.into()))),
            Err(CatalogueError::Exists(_) | CatalogueError::Full) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn change(
        store: &Store,
        scope: &SettingsScope,
        action: Action,
        typed: &Typed,
        by: &By,
    ) -> Result<Option<Came>, CatalogueError> {
        let typed = Typed {
            action: action.to_string(),
            ..typed.clone()
        };
        let Ok(entry) = typed.wanted() else {
            return Ok(None);
        };
        match store.change_catalogue_entry(scope, &entry, by).await {
            Ok(EntryChange::Changed) => Ok(Some(Came::Changed(action.into()))),
            Ok(EntryChange::Same) => Ok(Some(Came::Same(action.into()))),
            Err(CatalogueError::Missing(_)) => Ok(Some(Came::Missing(action.into()))),
            Err(error) => Err(error),
        }
    }

    async fn remove(
        store: &Store,
        scope: &SettingsScope,
        action: &Action,
        by: &By,
    ) -> Result<Option<Came>, CatalogueError> {
        match store.remove_catalogue_entry(scope, action, by).await {
            Ok(()) => Ok(Some(Came::Removed(action.to_string()))),
            Err(CatalogueError::Missing(_)) => Ok(Some(Came::Missing(action.to_string()))),
            Err(error) => Err(error),
        }
    }

    /// Where to look next. A form is sent there also when it was refused: that page then says why.
    fn finish(
        path: &str,
        tz: &str,
        answer: Result<Option<Came>, Refusal>,
        asked: Asked,
    ) -> Result<String, Refusal> {
        let Some(page) = workspace(path).map(|workspace| address::catalogue(&workspace)) else {
            answer::after_form("/");
            return Err(answer.err().unwrap_or(Refusal::NotFound));
        };
        let zone = zone_named(tz);
        let removes = asked.removes;
        let kept = |outcome: Option<Came>| {
            let is_done = matches!(
                outcome,
                Some(Came::Added(_) | Came::Changed(_) | Came::Same(_) | Came::Removed(_))
            );
            // Of an entry that is gone, what was typed may become a new one.
            let is_gone = matches!(outcome, Some(Came::Missing(_)));
            let said = Said {
                after: asked.after.clone(),
                begin: None,
                change: asked.change.clone().filter(|_| !is_done && !is_gone),
                typed: Some(Typed {
                    action: match &asked.change {
                        Some(action) => action.clone(),
                        None => asked.typed.action.clone(),
                    },
                    ..asked.typed.clone()
                })
                .filter(|_| !is_done && !removes),
                outcome,
            };
            said.address(&page, zone.as_str())
        };
        match answer {
            Ok(outcome) => {
                let address = kept(outcome);
                answer::after_form(&address);
                Ok(address)
            }
            Err(refusal) => {
                let failed = matches!(refusal, Refusal::Unavailable(_)).then_some(Came::Failed);
                let address = if failed.is_some() {
                    kept(failed)
                } else {
                    address::in_zone(&page, zone.as_str())
                };
                answer::after_form(&address);
                Err(refusal)
            }
        }
    }

    fn refusal(error: CatalogueError) -> Refusal {
        match error {
            CatalogueError::ReadOnly => Refusal::NotFound,
            CatalogueError::Store(error) => error.into(),
            error => Refusal::Unavailable(error.to_string()),
        }
    }
}
