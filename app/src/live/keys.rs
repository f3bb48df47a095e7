//! Keys for those who read a log by keyboard. The sheet behind `?` names them.

use super::{FORM, all};
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

/// The menu that names the keys.
const SHEET: &str = "details.keys";

/// Does what a key stands for, where it stands for something here; whether it did.
pub(super) fn pressed(event: &KeyboardEvent) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if modified || event.default_prevented() || is_writing(event) {
        return false;
    }
    let done = match event.key().as_str() {
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

/// Goes to the row after the one that has the focus, or before it; to the first that is on screen, where
/// none has.
fn step(by: isize) -> Option<()> {
    let openers = all("tr.row a.opener");
    let at = match here(&openers) {
        Some(at) => at.checked_add_signed(by)?,
        None => openers.iter().position(|opener| {
            let height = window().inner_height().ok();
            let height = height.and_then(|height| height.as_f64()).unwrap_or(0.0);
            (0.0..height).contains(&opener.get_bounding_client_rect().top())
        })?,
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
    let menu = document().query_selector(SHEET).ok()??;
    if menu.has_attribute("open") {
        super::close(&menu);
        return Some(());
    }
    menu.set_attribute("open", "").ok()?;
    let summary = menu.query_selector("summary").ok()??;
    summary.dyn_into::<HtmlElement>().ok()?.focus().ok()
}
