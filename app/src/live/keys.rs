//! Keys for those who read a log by keyboard. The sheet behind `?` names them.

use super::{FORM, all};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement, HtmlInputElement, KeyboardEvent};

/// The menu that names the keys.
const SHEET: &str = "details.keys";

/// The name of the box that says whether single keys do something.
pub(super) const SWITCH: &str = "single_keys";

/// Does what a key stands for, where it stands for something here; whether it did.
pub(super) fn pressed(event: &KeyboardEvent) -> bool {
    if !are_on() {
        return false;
    }
    let key = event.key();
    // On many keyboards brackets are written with these.
    let is_bracket = matches!(&*key, "[" | "]") && event.alt_key();
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if modified && !is_bracket || event.default_prevented() || is_writing(event) {
        return false;
    }
    let done = match &*key {
        "/" => search(),
        "j" => step(1),
        "k" => step(-1),
        "[" => follow("a[rel=prev]"),
        "]" => follow("a[rel=next]"),
        "?" => sheet(),
        _ => None,
    };
    if done.is_some() {
        event.prevent_default();
    }
    done.is_some()
}

/// Whether single keys do something: whoever speaks to their computer, or presses keys by mistake, can
/// switch them off.
pub(super) fn are_on() -> bool {
    switch().is_none_or(|switch| switch.checked())
}

/// Sets the box that says so.
pub(super) fn set(on: bool) {
    if let Some(switch) = switch() {
        switch.set_checked(on);
    }
}

fn switch() -> Option<HtmlInputElement> {
    let switch = document().query_selector(&format!("{SHEET} input[name={SWITCH}]"));
    switch.ok()??.dyn_into().ok()
}

/// Whether the key is part of what somebody writes, or chooses in a list.
fn is_writing(event: &KeyboardEvent) -> bool {
    let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
    target.is_some_and(|target| {
        matches!(
            target.closest("input:not([type=checkbox], [type=radio]), select, textarea"),
            Ok(Some(_))
        )
    })
}

fn search() -> Option<()> {
    let field = document()
        .query_selector(&format!("#{FORM} input[name=q]"))
        .ok()??;
    let field: HtmlInputElement = field.dyn_into().ok()?;
    // Where there is little room the filters are folded.
    if let Ok(Some(fold)) = field.closest("details") {
        fold.set_attribute("open", "").ok()?;
    }
    field.focus().ok()?;
    field.select();
    Some(())
}

/// Goes to the row after the one that has the focus, or before it; where none has, to the first that is on
/// screen or below it, else to the last.
fn step(by: isize) -> Option<()> {
    let mut openers = all("tr.row .opener");
    // Those of an operation may be folded away.
    openers.retain(|opener| {
        let opener: Option<&HtmlElement> = opener.dyn_ref();
        opener.is_some_and(|opener| opener.offset_width() > 0)
    });
    let at = match here(&openers) {
        Some(at) => at.checked_add_signed(by)?,
        None => openers
            .iter()
            .position(|opener| opener.get_bounding_client_rect().top() >= 0.0)
            .or_else(|| openers.len().checked_sub(1))?,
    };
    let opener: HtmlElement = openers.into_iter().nth(at)?.dyn_into().ok()?;
    opener.focus().ok()
}

/// The place of the row that has the focus, or of which the open entry has it.
fn here(openers: &[Element]) -> Option<usize> {
    let focused = document().active_element()?;
    let mut row = focused.closest("tr.row, tr.entry").ok()??;
    if row.class_name() == "entry" {
        row = row.previous_element_sibling()?;
    }
    openers.iter().position(|opener| row.contains(Some(opener)))
}

fn follow(selector: &str) -> Option<()> {
    let link = document().query_selector(selector).ok()??;
    link.dyn_into::<HtmlElement>().ok()?.click();
    Some(())
}

/// Opens the sheet, or closes it.
fn sheet() -> Option<()> {
    let menu: HtmlElement = document().query_selector(SHEET).ok()??.dyn_into().ok()?;
    if menu.offset_width() == 0 {
        // There is no room for it.
        return None;
    }
    if menu.has_attribute("open") {
        super::close(&menu);
        return Some(());
    }
    menu.set_attribute("open", "").ok()?;
    let summary = menu.query_selector("summary").ok()??;
    let options = FocusOptions::new();
    // What is read stays on screen.
    options.set_prevent_scroll(true);
    let summary: HtmlElement = summary.dyn_into().ok()?;
    summary.focus_with_options(&options).ok()
}
