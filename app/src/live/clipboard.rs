//! Copying, and saying so.

use leptos::prelude::{document, set_timeout, window};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlAnchorElement, Response};

/// How long a copied thing says so.
const SAID: Duration = Duration::from_secs(2);

/// What a link is marked with where not its address is copied, but what it leads to.
const CONTENT: &str = "content";

/// What a button is marked with where its own value is copied.
const VALUE: &str = "value";

/// Copies what an element stands for: the address that it links to, what lies there, its value, or the
/// text of the element that its `data-copy` names by id.
pub(super) fn copy(copied: &Element) {
    let named = copied.get_attribute("data-copy").unwrap_or_default();
    let text = match copied.dyn_ref::<HtmlAnchorElement>() {
        Some(link) if named == CONTENT => {
            let (address, copied) = (link.href(), copied.clone());
            spawn_local(async move {
                match content(&address).await {
                    Some(text) => write(copied, Some(text)),
                    None => say("What is to be copied could not be read. Try again in a moment."),
                }
            });
            return;
        }
        Some(link) => Some(link.href()),
        None if named == VALUE => copied.get_attribute(VALUE),
        None => document()
            .get_element_by_id(&named)
            .and_then(|place| place.text_content()),
    };
    write(copied.clone(), text);
}

/// What lies at an address; none where it is not given.
async fn content(address: &str) -> Option<String> {
    let answer = JsFuture::from(window().fetch_with_str(address))
        .await
        .ok()?;
    let answer: Response = answer.dyn_into().ok()?;
    if !answer.ok() {
        return None;
    }
    JsFuture::from(answer.text().ok()?).await.ok()?.as_string()
}

/// Writes a text where it can be pasted from, and says so.
fn write(copied: Element, text: Option<String>) {
    let navigator = window().navigator();
    let clipboard = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"));
    // Browsers give no clipboard to pages that came over plain http from another machine.
    let Some(text) = text.filter(|_| clipboard.is_ok_and(|clipboard| clipboard.is_object())) else {
        say("This browser lets only pages that came over https copy.");
        return;
    };
    let written = navigator.clipboard().write_text(&text);
    spawn_local(async move {
        if JsFuture::from(written).await.is_err() {
            say("The browser did not let this be copied.");
            return;
        }
        say("Copied");
        if copied.set_attribute("data-copied", "").is_ok() {
            set_timeout(
                move || {
                    // Nothing else depends on whether the mark goes.
                    let _ = copied.remove_attribute("data-copied");
                    say("");
                },
                SAID,
            );
        }
    });
}

/// Says something to screen readers.
pub(super) fn say(words: &str) {
    if let Some(said) = document().get_element_by_id("said") {
        said.set_text_content(Some(words));
    }
}
