//! What the pages of a workspace have in common: who asks, what they find out, and why not.

use super::Refused;
use crate::{refusal::Refusal, viewer::Asker};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The page at the request's address: what `load` finds out for who asks, of the path and the query
/// string, as `show` sets it; or why it is not shown.
pub(crate) fn loaded<Found, Loading>(
    load: impl FnOnce(Result<Asker, Refusal>, String, String) -> Loading + Send + 'static,
    show: impl FnOnce(Found) -> AnyView + Send + 'static,
) -> AnyView
where
    Loading: Future<Output = Result<Found, Refusal>> + Send + 'static,
    Found: 'static,
{
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let loading = load(Asker::of_request(), path, search);
    view! {
        <Suspense>
            {Suspend::new(async move {
                match loading.await {
                    Ok(found) => show(found),
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}
