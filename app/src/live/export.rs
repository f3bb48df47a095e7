//! What a page tells of the exports that were begun on it. The browser saves the file by itself, which
//! keeps nothing of it in memory; how far it is, the server knows.

use super::morph;
use crate::{
    load::{cancel_export, load_export},
    refusal::Refusal,
};
use leptos::prelude::{document, set_timeout};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlFormElement, HtmlInputElement};

/// The form that begins an export.
pub(super) const FORM: &str = "export";
/// The id of the place where exports are told of. It lies beside the page, so that it stays while the
/// page goes on to other questions.
const PLACE: &str = "exports";
/// How often it is asked how far an export is.
const EVERY: Duration = Duration::from_millis(500);
/// How often in a row there may be no answer, or no such export, before nothing more is told of it.
const MISSED_MOST: u32 = 20;

/// An export is asked for: gives it a name, by which the server tells of it.
pub(super) fn begin(form: &HtmlFormElement) {
    // It is known by who asked for it too: it need not be hard to guess.
    let part = || js_sys::Math::random().to_string().replace(['.', '-'], "");
    let name = format!("export-{}-{}", part(), part());
    let Ok(Some(field)) = form.query_selector("input[name=export]") else {
        return;
    };
    field.unchecked_into::<HtmlInputElement>().set_value(&name);
    follow(name, 0);
}

/// Tells how far an export is, and again in a while, until it is over.
fn follow(name: String, missed: u32) {
    set_timeout(
        move || {
            spawn_local(async move {
                let missed = match load_export(name.clone()).await {
                    Ok(Ok(Some(screen))) => {
                        if show(&name, &screen.html).is_err() {
                            return;
                        }
                        if let Some(said) = screen.said {
                            super::clipboard::say(&said);
                            return;
                        }
                        0
                    }
                    Ok(Err(Refusal::SignedOut)) => return,
                    _ if missed >= MISSED_MOST => return,
                    _ => missed + 1,
                };
                follow(name, missed);
            });
        },
        EVERY,
    );
}

/// Breaks off the export that a button names.
pub(super) fn cancel(button: &Element) {
    let name = button.get_attribute("data-export-cancel");
    let Some(name) = name else { return };
    // Twice is no better than once.
    let _ = button.set_attribute("disabled", "");
    spawn_local(async move {
        // What came of it is told where it is told how far it is.
        let _ = cancel_export(name).await;
    });
}

/// Takes away what is told of an export that is over.
pub(super) fn close(button: &Element) {
    if let Ok(Some(line)) = button.closest("[data-export]") {
        line.remove();
    }
    if let Some(place) = document().get_element_by_id(PLACE)
        && place.child_element_count() == 0
    {
        place.remove();
    }
}

/// Puts the line about an export where the one before was.
fn show(name: &str, html: &str) -> Result<(), JsValue> {
    let place = match document().get_element_by_id(PLACE) {
        Some(place) => place,
        None => {
            let place = document().create_element("aside")?;
            place.set_id(PLACE);
            place.set_attribute("aria-label", "Exports")?;
            document()
                .body()
                .ok_or("there is no page")?
                .append_child(&place)?;
            place
        }
    };
    // Names are our own, of digits and letters.
    match place.query_selector(&format!("[data-export=\"{name}\"]"))? {
        Some(line) => morph::morph(&line, html, &|_| false),
        None => {
            let line = morph::parsed(html)?.ok_or("the answer holds no element")?;
            place.append_child(&line).map(drop)
        }
    }
}
