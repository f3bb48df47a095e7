//! What the page does once WebAssembly has taken it over. Everything here makes quicker what links
//! and forms do without it: the address stays the only state.

use crate::address;
use domain::question::{Query, Unknown};
use leptos::{ev, leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::{sync::Arc, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Element, FormData, HtmlAnchorElement, HtmlElement, HtmlFormElement, HtmlInputElement,
    HtmlSelectElement, MouseEvent,
};

/// How long typing rests before it is applied.
const REST: Duration = Duration::from_millis(250);
/// How long a copied thing says so.
const SAID: Duration = Duration::from_secs(2);
/// How often relative times are set anew.
const TICK: Duration = Duration::from_secs(30);
/// The id of the form that holds the filter.
pub const FORM: &str = "filter";

type Navigate = Arc<dyn Fn(&str, NavigateOptions) + Send + Sync>;

/// Goes from page to page without loading them anew.
#[derive(Clone, Copy)]
pub struct Live {
    navigate: StoredValue<Navigate>,
    /// The field that somebody is typing in, until what they typed is applied.
    typing: StoredValue<Option<String>>,
    rest: StoredValue<Option<TimeoutHandle>>,
    /// The address on screen came of typing: further typing replaces it in the history.
    typed: StoredValue<bool>,
    /// The browser's clock, in milliseconds, now and then; 0 before it runs.
    tick: RwSignal<f64>,
    /// The browser's time zone, once it is known.
    pub zone: RwSignal<Option<String>>,
}

impl Live {
    /// For one page, inside the router.
    pub fn new() -> Self {
        let live = Self {
            navigate: StoredValue::new(Arc::new(use_navigate())),
            typing: StoredValue::new(None),
            rest: StoredValue::new(None),
            typed: StoredValue::new(false),
            tick: RwSignal::new(0.0),
            zone: RwSignal::new(None),
        };
        Effect::new(move |_| live.begin());
        live
    }

    /// The page's own, or a new one where the page has none.
    pub fn of_page() -> Self {
        use_context().unwrap_or_else(Self::new)
    }

    fn begin(self) {
        self.zone.set(browser_zone());
        if let Ok(interval) =
            set_interval_with_handle(move || self.tick.set(js_sys::Date::now()), TICK)
        {
            on_cleanup(move || interval.clear());
        }
        let keys = window_event_listener(ev::keydown, |event| {
            if event.key() == "Escape" {
                close_menus(None);
            }
        });
        let clicks = window_event_listener(ev::click, |event| {
            close_menus(element(&event).as_ref());
        });
        on_cleanup(move || {
            keys.remove();
            clicks.remove();
        });
    }

    /// How many milliseconds have passed since `began` by the browser's clock, as of the last tick.
    pub fn since(self, began: f64) -> f64 {
        (self.tick.get() - began).max(0.0)
    }

    /// Shows an address of this site. The router's own history keeps no count of pages left with
    /// the browser's Forward button, and then forgets to write an address: here it is written
    /// first.
    fn go(self, address: &str, scroll: bool, replace: bool) {
        let window = window();
        let location = window.location();
        let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
        if here == address {
            return;
        }
        if !replace
            && let Ok(history) = window.history()
            && history
                .push_state_with_url(&JsValue::NULL, "", Some(address))
                .is_err()
        {
            return;
        }
        let options = NavigateOptions {
            resolve: false,
            replace: true,
            scroll,
            ..NavigateOptions::default()
        };
        self.navigate
            .with_value(|navigate| navigate(address, options));
    }

    /// Shows an address as if a link had been followed.
    pub fn show(self, address: &str) {
        self.rested();
        self.go(address, true, false);
    }

    /// A click anywhere on the page: links, rows, copying.
    pub fn click(self, event: &MouseEvent) {
        let Some(target) = element(event) else {
            return;
        };
        if event.default_prevented() || event.button() != 0 {
            return;
        }
        if let Ok(Some(copied)) = target.closest("[data-copy]") {
            event.prevent_default();
            copy(&copied);
        } else if let Ok(Some(link)) = target.closest("a[href]") {
            self.follow(event, link.unchecked_into());
        } else if let Ok(Some(row)) = target.closest("tr.row")
            && !matches!(
                target.closest("button, input, select, label, summary"),
                Ok(Some(_))
            )
            && !is_selecting()
            && let Ok(Some(opener)) = row.query_selector("a.opener")
        {
            let opener: HtmlAnchorElement = opener.unchecked_into();
            self.rested();
            self.go(&(opener.pathname() + &opener.search()), false, false);
        }
    }

    fn follow(self, event: &MouseEvent, link: HtmlAnchorElement) {
        let several = event.ctrl_key() || event.meta_key();
        if several && let Some(address) = link.get_attribute("data-several") {
            event.prevent_default();
            self.rested();
            self.go(&address, false, false);
            return;
        }
        let elsewhere = !link.target().is_empty()
            || link.has_attribute("download")
            || link.rel().split(' ').any(|word| word == "external")
            || Some(link.origin()) != window().location().origin().ok();
        if several || event.shift_key() || event.alt_key() || elsewhere {
            return;
        }
        event.prevent_default();
        let address = link.pathname() + &link.search();
        let location = window().location();
        let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
        if address == here && !link.hash().is_empty() {
            let place = document().get_element_by_id(&link.hash()[1..]);
            if let Some(place) = place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
                // A place that cannot be focused stays where it is.
                let _ = place.focus();
            }
            return;
        }
        self.rested();
        self.go(&address, !link.has_attribute("data-stay"), false);
        if let Ok(Some(menu)) = link.closest("details.menu") {
            // Nothing else depends on whether the menu closes.
            let _ = menu.remove_attribute("open");
        }
    }

    /// Nobody is typing any more.
    fn rested(self) {
        if let Some(rest) = self.rest.try_update_value(Option::take).flatten() {
            rest.clear();
        }
        self.typing.set_value(None);
        self.typed.set_value(false);
    }

    /// Asks what the filter's form says.
    fn apply(self, replace: bool) {
        let form = document()
            .get_element_by_id(FORM)
            .and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
        if let Some(form) = form
            && let Ok(data) = FormData::new_with_form(&form)
            && let Ok(path) = window().location().pathname()
        {
            self.go(
                &address::with_query(&path, &asked(&pairs(&data))),
                false,
                replace,
            );
        }
    }

    /// Somebody types in a text field of the filter: it is applied when they rest.
    pub fn typing(self, field: String) {
        self.typing.set_value(Some(field));
        if let Some(rest) = self.rest.try_update_value(Option::take).flatten() {
            rest.clear();
        }
        let rest = set_timeout_with_handle(
            move || {
                let replace = self.typed.get_value();
                self.rested();
                self.typed.set_value(true);
                self.apply(replace);
            },
            REST,
        );
        self.rest.set_value(rest.ok());
    }

    /// A field of the filter has another value.
    pub fn changed(self) {
        let replace = self.typed.get_value() && self.typing.with_value(Option::is_some);
        self.rested();
        self.apply(replace);
    }

    /// The filter's form is sent.
    pub fn submitted(self) {
        close_menus(None);
        self.changed();
    }

    /// Sets the fields of the filter to what the page's address says, but for one that somebody is
    /// typing in.
    pub fn set_fields(self) {
        let Some(form) = document()
            .get_element_by_id(FORM)
            .and_then(|form| form.dyn_into::<HtmlFormElement>().ok())
        else {
            return;
        };
        let fields = form.elements();
        for field in (0..fields.length()).filter_map(|at| fields.item(at)) {
            if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
                let typing = self
                    .typing
                    .with_value(|typing| typing.as_deref() == Some(&*input.name()));
                if input.type_() == "checkbox" {
                    input.set_checked(input.default_checked());
                } else if !typing && input.value() != input.default_value() {
                    input.set_value(&input.default_value());
                }
            } else if let Some(select) = field.dyn_ref::<HtmlSelectElement>()
                && let Ok(chosen) = select.query_selector("option[selected]")
            {
                let value = chosen.and_then(|option| option.get_attribute("value"));
                select.set_value(&value.unwrap_or_default());
            }
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

/// The query string for what a form says: as a question is always written, with what could not be
/// understood at its end, so that the server can say what is wrong with it.
fn asked(pairs: &[(String, String)]) -> String {
    let borrowed = pairs
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    let read = Query::read_pairs(borrowed, Unknown::Ignored);
    let faults = read
        .faults
        .iter()
        .map(|fault| (&*fault.parameter, &*fault.value));
    form_urlencoded::Serializer::new(read.query.query_string())
        .extend_pairs(faults)
        .finish()
}

fn pairs(data: &FormData) -> Vec<(String, String)> {
    let Ok(Some(entries)) = js_sys::try_iter(data) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let entry: js_sys::Array = entry.dyn_into().ok()?;
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        })
        .collect()
}

fn element(event: &MouseEvent) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Whether text is selected: a click that ends a selection opens no row.
fn is_selecting() -> bool {
    matches!(window().get_selection(), Ok(Some(selection)) if !selection.is_collapsed())
}

/// Closes the menus that are open, but for the one around `inside`.
fn close_menus(inside: Option<&Element>) {
    let Ok(menus) = document().query_selector_all("details.menu[open]") else {
        return;
    };
    for menu in (0..menus.length()).filter_map(|at| menus.item(at)) {
        if !menu.contains(inside.map(AsRef::as_ref))
            && let Some(menu) = menu.dyn_ref::<Element>()
        {
            // Nothing else depends on whether the menu closes.
            let _ = menu.remove_attribute("open");
        }
    }
}

/// Copies what an element stands for: the address that it links to, or the text of the element
/// that its `data-copy` names by id.
fn copy(copied: &Element) {
    let named = copied.get_attribute("data-copy").unwrap_or_default();
    let text = match copied.dyn_ref::<HtmlAnchorElement>() {
        Some(link) => Some(link.href()),
        None => document()
            .get_element_by_id(&named)
            .and_then(|place| place.text_content()),
    };
    let navigator = window().navigator();
    let clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into());
    // Browsers give no clipboard to pages that came over plain http from another machine.
    let Some(text) = text.filter(|_| clipboard.is_ok_and(|clipboard| clipboard.is_object())) else {
        say("This browser lets only pages that came over https copy.");
        return;
    };
    // The promise is left to itself: the text is in the clipboard, or the browser told them why not.
    let _ = navigator.clipboard().write_text(&text);
    say("Copied");
    let copied = copied.clone();
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
}

/// Says something to screen readers.
fn say(words: &str) {
    if let Some(said) = document().get_element_by_id("said") {
        said.set_text_content(Some(words));
    }
}

/// The browser's time zone by its IANA name.
fn browser_zone() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into())
        .ok()?
        .as_string()
}

/// The browser's clock in milliseconds; 0 on the server.
pub fn browser_now() -> f64 {
    if cfg!(feature = "hydrate") {
        js_sys::Date::now()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_form_asks_for_what_its_filled_fields_say() {
        let form = pairs(&[
            ("q", "salesforce"),
            ("actor", ""),
            ("action", ""),
            ("sort", "time"),
            ("order", "desc"),
            ("category", "secrets"),
            ("category", "members"),
        ]);
        assert_eq!(
            asked(&form),
            "category=secrets&category=members&q=salesforce"
        );
    }

    #[test]
    fn what_cannot_be_understood_is_still_asked() {
        let form = pairs(&[("q", "kim"), ("until", "2026-05-32")]);
        assert_eq!(asked(&form), "q=kim&until=2026-05-32");
    }
}
