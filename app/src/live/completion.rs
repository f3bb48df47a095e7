//! A field that is completed while somebody types: a combobox with a list of what exists, as ARIA 1.2 has it. The
//! focus stays in the field; what is typed goes on to be a filter by itself, until something is chosen. Without
//! script the field is a plain one.

use super::{clipboard::say, clock::all, place::Place};
use crate::load::load_completions;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::{document, set_timeout_with_handle};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

/// How long typing rests before it is asked what may be meant.
const REST: Duration = Duration::from_millis(120);

/// The list of a field is known by this, and the field's name.
const LIST: &str = "c-";
/// And the field itself by this.
const FIELD: &str = "f-";

/// Something that was chosen.
pub(super) struct Chosen {
    /// The name of the field that it completes.
    pub(super) field: String,
    /// What it adds to the question, as a query string.
    pub(super) adds: String,
}

/// The list that is open, if one is.
#[derive(Default)]
pub(super) struct Completion {
    /// The name of its field.
    open: RefCell<Option<String>>,
    /// Which of its options is chosen next.
    active: Cell<Option<usize>>,
    /// How often something was asked: an answer that is not to the last question comes too late.
    asked: Cell<u32>,
    /// Typing rests.
    rest: RefCell<Option<TimeoutHandle>>,
}

impl Completion {
    /// Another page is on screen: its fields say what they are, and whether their list is open.
    pub(super) fn begin(&self) {
        for list in all(".completions") {
            let id = list.id();
            let Some(field) = id.strip_prefix(LIST).and_then(input) else {
                continue;
            };
            for (name, value) in [
                ("role", "combobox"),
                ("aria-autocomplete", "list"),
                ("aria-haspopup", "listbox"),
                ("aria-controls", &*id),
            ] {
                // It is only said.
                let _ = field.set_attribute(name, value);
            }
            self.tell(&field);
        }
    }

    /// Somebody types in a field at a place: what may be meant is asked for when they rest.
    pub(super) fn typed(self: &Rc<Self>, field: &HtmlInputElement, place: Place) {
        if list_of(field).is_none() {
            return;
        }
        self.forget();
        if field.value().trim().is_empty() {
            self.close();
            return;
        }
        let (completion, field) = (Rc::clone(self), field.clone());
        let rest = set_timeout_with_handle(move || completion.ask(field, place), REST);
        self.rest.replace(rest.ok());
    }

    /// What is being asked, or is about to be, is of no use any more.
    fn forget(&self) {
        self.asked.set(self.asked.get().wrapping_add(1));
        if let Some(rest) = self.rest.take() {
            rest.clear();
        }
    }

    /// Asks what may be meant by what a field says now.
    fn ask(self: &Rc<Self>, field: HtmlInputElement, place: Place) {
        let asked = self.asked.get().wrapping_add(1);
        self.asked.set(asked);
        let completion = Rc::clone(self);
        spawn_local(async move {
            let text = field.value();
            let answer =
                load_completions(place.path, place.question, field.name(), text.clone()).await;
            // Who went on meanwhile, or elsewhere, is not told of it.
            if completion.asked.get() != asked || !has_focus(&field) || field.value() != text {
                return;
            }
            // Where no answer comes, the field is a plain one.
            if let Ok(Ok(html)) = answer {
                completion.show(&field, &html);
            }
        });
    }

    fn show(&self, field: &HtmlInputElement, html: &str) {
        let is_another = self.open.borrow().as_deref() != Some(&*field.name());
        if is_another || html.is_empty() {
            self.close();
        }
        let Some(list) = list_of(field).filter(|_| !html.is_empty()) else {
            return;
        };
        self.active.set(None);
        list.set_inner_html(html);
        if list.remove_attribute("hidden").is_err() {
            return;
        }
        self.open.replace(Some(field.name()));
        self.tell(field);
        let count = options(&list).len();
        let s = if count == 1 { "" } else { "s" };
        say(&format!("{count} suggestion{s}"));
    }

    /// Closes the list; whether one was open.
    pub(super) fn close(&self) -> bool {
        self.active.set(None);
        let Some(field) = self.open.take().as_deref().and_then(input) else {
            return false;
        };
        if let Some(list) = list_of(&field) {
            // What is hidden is out of the way, whatever it holds.
            let _ = list.set_attribute("hidden", "");
            list.set_inner_html("");
        }
        self.tell(&field);
        true
    }

    /// The focus left an element.
    pub(super) fn left(&self, element: &Element) {
        if list_of(element).is_some() {
            self.forget();
            self.close();
        }
    }

    /// A key goes down in a field: whether it was for its list, and what was chosen by it.
    pub(super) fn key(
        self: &Rc<Self>,
        event: &KeyboardEvent,
        place: Place,
    ) -> (bool, Option<Chosen>) {
        let target = event.target().and_then(|target| target.dyn_into().ok());
        let Some(field) = target.filter(|field: &HtmlInputElement| list_of(field).is_some()) else {
            return (false, None);
        };
        if event.is_composing() || event.ctrl_key() || event.meta_key() {
            return (false, None);
        }
        let is_open = self.open.borrow().is_some();
        let mut chosen = None;
        match &*event.key() {
            "ArrowDown" if is_open && !event.alt_key() => self.step(&field, 1),
            "ArrowUp" if is_open && !event.alt_key() => self.step(&field, -1),
            "ArrowDown" if !is_open => self.ask(field, place),
            "ArrowUp" | "Escape" if is_open => {
                self.close();
            }
            "Enter" if is_open && self.active.get().is_some() => {
                let option = self.active_option(&field);
                chosen = option.and_then(|option| self.choose(&option));
            }
            key => {
                // What was typed is sent, or left: what may be meant is of no use any more.
                if matches!(key, "Enter" | "Tab" | "Escape") {
                    self.forget();
                    self.close();
                }
                return (false, None);
            }
        }
        event.prevent_default();
        (true, chosen)
    }

    /// Takes an option: what it adds. Its field is empty then.
    pub(super) fn choose(&self, option: &Element) -> Option<Chosen> {
        let adds = option.get_attribute("data-adds")?;
        let list = option.closest(".completions").ok()??;
        let field = input(list.id().strip_prefix(LIST)?)?;
        field.set_value("");
        self.forget();
        self.close();
        Some(Chosen {
            field: field.name(),
            adds,
        })
    }

    /// Goes to the option after the active one, or before it; past the last one, to none.
    fn step(&self, field: &HtmlInputElement, by: isize) {
        let count = list_of(field).map_or(0, |list| options(&list).len());
        let next = match (self.active.get(), by) {
            (None, 1..) => Some(0),
            (None, _) => count.checked_sub(1),
            (Some(at), by) => at.checked_add_signed(by),
        };
        self.active.set(next.filter(|next| *next < count));
        self.tell(field);
    }

    fn active_option(&self, field: &HtmlInputElement) -> Option<Element> {
        let options = options(&list_of(field)?);
        options.into_iter().nth(self.active.get()?)
    }

    /// Makes a field and its list say what is open, and what is active.
    fn tell(&self, field: &HtmlInputElement) {
        let is_open = self.open.borrow().as_deref() == Some(&*field.name());
        let expanded = if is_open { "true" } else { "false" };
        let _ = field.set_attribute("aria-expanded", expanded);
        let Some(list) = list_of(field).filter(|_| is_open) else {
            let _ = field.remove_attribute("aria-activedescendant");
            return;
        };
        let active = self.active_option(field);
        for option in options(&list) {
            let is_active = active.as_ref() == Some(&option);
            let _ = option.set_attribute("aria-selected", if is_active { "true" } else { "false" });
        }
        match active {
            Some(option) => {
                let _ = field.set_attribute("aria-activedescendant", &option.id());
                in_sight(&list, &option);
            }
            None => {
                let _ = field.remove_attribute("aria-activedescendant");
            }
        }
    }
}

/// Scrolls a list so far that an option of it is seen.
fn in_sight(list: &Element, option: &Element) {
    let Some(option) = option.dyn_ref::<HtmlElement>() else {
        return;
    };
    let (top, bottom) = (
        option.offset_top(),
        option.offset_top() + option.offset_height(),
    );
    if top < list.scroll_top() {
        list.set_scroll_top(top);
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}

fn has_focus(field: &HtmlInputElement) -> bool {
    document().active_element().as_ref() == Some(field.as_ref())
}

fn input(name: &str) -> Option<HtmlInputElement> {
    let field = document().get_element_by_id(&format!("{FIELD}{name}"));
    field?.dyn_into().ok()
}

/// The list of a field; none where it is not completed.
fn list_of(field: &Element) -> Option<Element> {
    let name = field.id();
    document().get_element_by_id(&format!("{LIST}{}", name.strip_prefix(FIELD)?))
}

fn options(list: &Element) -> Vec<Element> {
    let Ok(found) = list.query_selector_all("[role=option]") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into().ok())
        .collect()
}
