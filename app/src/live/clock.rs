//! What only the browser knows: its time zone, and how time goes on.

use super::place::Place;
use crate::{address::encoded, ago::ago};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement};

/// Sets relative times anew. `since`: how many milliseconds ago the page was read.
pub(super) fn set_times(since: f64) {
    for element in all("[data-passed]") {
        let number = |name| element.get_attribute(name)?.parse::<i64>().ok();
        if let (Some(passed), Some(midnights)) = (number("data-passed"), number("data-midnights")) {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds on a page")]
            let words = ago(passed + since.max(0.0) as i64, midnights);
            element.set_text_content(Some(&words));
        }
    }
}

/// Offers the browser's own zone where zones are chosen.
pub(super) fn offer_zone(here: &Place) {
    let Some(zone) = browser_zone().filter(|zone| zone != "UTC") else {
        return;
    };
    let tz = format!("tz={}", encoded(&zone));
    for item in all("[data-browser-zone]") {
        let Ok(Some(link)) = item.query_selector("a") else {
            continue;
        };
        let link: HtmlAnchorElement = link.unchecked_into();
        let and = if link.search().is_empty() { '?' } else { '&' };
        link.set_href(&format!("{}{}{and}{tz}", link.pathname(), link.search()));
        if here.question.split('&').any(|pair| pair == tz) {
            // Nothing else depends on whether it is marked.
            let _ = link.set_attribute("aria-current", "true");
        }
        if let Some(name) = link.first_element_child() {
            name.set_text_content(Some(&zone));
        }
        let _ = item.remove_attribute("hidden");
    }
}

/// The browser's time zone by its IANA name.
fn browser_zone() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into())
        .ok()?
        .as_string()
}

/// The elements that a selector names.
pub(super) fn all(selector: &str) -> Vec<Element> {
    let Ok(found) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into().ok())
        .collect()
}
