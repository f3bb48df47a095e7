//! What pointing at a chart, dragging over it and arrow keys do: they choose bars, whose numbers are told
//! and whose time is then asked for.

use super::{CHART, place::Place};
use crate::number::{entries, grouped};
use leptos::prelude::document;
use std::{cell::Cell, ops::RangeInclusive};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

/// What the time that is chosen is drawn as.
const SPAN: &str = "span";

/// Which bars of the chart on screen are chosen.
#[derive(Default)]
pub(super) struct Chart {
    /// The bar that was chosen first and the one that was chosen last, by their places.
    chosen: Cell<Option<(usize, usize)>>,
    /// Whether a button of the mouse is held down over them.
    is_dragged: Cell<bool>,
}

impl Chart {
    /// Another page is on screen.
    pub(super) fn begin(&self) {
        self.chosen.set(None);
        self.is_dragged.set(false);
    }

    /// The bar that a click is on.
    pub(super) fn bar_at(target: &Element) -> Option<usize> {
        let bar = target.closest("[data-bar]").ok()??;
        bar.get_attribute("data-bar")?.parse().ok()
    }

    /// The mouse comes over something else: a bar, or nothing of the chart.
    pub(super) fn over(&self, target: Option<&Element>) {
        if self.is_dragged.get() {
            return;
        }
        match target.and_then(Self::bar_at) {
            Some(at) => self.choose(at, at),
            None if self.chosen.get().is_some() && !is_focused() => self.choose_none(),
            None => {}
        }
    }

    /// The mouse moves: where it is dragged, so does the end of what is chosen.
    pub(super) fn moved(&self, event: &MouseEvent) {
        if !self.is_dragged.get() {
            return;
        }
        if event.buttons() & 1 == 0 {
            // It was let go where nobody saw it.
            self.choose_none();
        } else if let Some(at) = bar_below(event) {
            let from = self.chosen.get().map_or(at, |(from, _)| from);
            self.choose(from, at);
        }
    }

    /// A button of the mouse goes down: dragging begins on a bar.
    pub(super) fn down(&self, event: &MouseEvent, target: &Element) {
        let modified = event.ctrl_key() || event.meta_key() || event.shift_key();
        if event.button() != 0 || modified {
            return;
        }
        if let Some(at) = Self::bar_at(target) {
            // Neither is text selected, nor the link dragged away.
            event.prevent_default();
            self.is_dragged.set(true);
            self.choose(at, at);
        }
    }

    /// It goes up: where several bars were chosen, gives the page that shows their time. One is clicked.
    pub(super) fn up(&self) -> Option<Place> {
        if !self.is_dragged.take() {
            return None;
        }
        let (from, to) = self.chosen.get()?;
        (from != to).then(|| span_of(from, to)).flatten()
    }

    /// A key goes down: arrows choose, and Enter gives the page that shows what is chosen.
    pub(super) fn key(&self, event: &KeyboardEvent) -> Option<Place> {
        let target: Element = event.target()?.dyn_into().ok()?;
        let modified = event.alt_key() || event.ctrl_key() || event.meta_key();
        if modified || !is_pointer(&target) {
            return None;
        }
        let last = bars().len().checked_sub(1)?;
        let chosen = self.chosen.get();
        let (from, to) = chosen.unwrap_or((last, last));
        let next = match event.key().as_str() {
            // The first press says where one is.
            "ArrowLeft" | "ArrowDown" if chosen.is_some() => to.saturating_sub(1),
            "ArrowRight" | "ArrowUp" if chosen.is_some() => (to + 1).min(last),
            "ArrowLeft" | "ArrowDown" | "ArrowRight" | "ArrowUp" => to,
            "PageUp" => (to + 10).min(last),
            "PageDown" => to.saturating_sub(10),
            "Home" => 0,
            "End" => last,
            "Enter" => {
                event.prevent_default();
                let (from, to) = chosen?;
                return span_of(from, to);
            }
            "Escape" if chosen.is_some() => {
                event.prevent_default();
                self.choose_none();
                return None;
            }
            _ => return None,
        };
        event.prevent_default();
        self.choose(if event.shift_key() { from } else { next }, next);
        None
    }

    fn choose(&self, from: usize, to: usize) {
        if self.chosen.replace(Some((from, to))) != Some((from, to)) {
            self.show();
        }
    }

    fn choose_none(&self) {
        self.begin();
        self.show();
    }

    /// Shows and tells what is chosen.
    fn show(&self) {
        let chosen = self.chosen.get();
        let among = |at: usize| chosen.is_some_and(|(from, to)| in_order(from, to).contains(&at));
        for (at, bar) in bars().iter().enumerate() {
            // What is only shown need not succeed.
            let _ = if among(at) {
                bar.set_attribute("class", "is-here")
            } else {
                bar.remove_attribute("class")
            };
        }
        let is_several = chosen.is_some_and(|(from, to)| from != to);
        if let Some(drawing) = part("svg") {
            let _ = drawing.set_attribute("class", if is_several { SPAN } else { "" });
        }
        let (time, numbers) = chosen
            .and_then(|(from, to)| told(in_order(from, to)))
            .unwrap_or_default();
        if let (Some(bold), Some(rest)) = (part("output b"), part("output span")) {
            bold.set_text_content(Some(&time));
            rest.set_text_content(Some(&numbers));
        }
        if let (Some((_, to)), Some(pointer)) = (chosen, part(".pointer")) {
            let _ = pointer.set_attribute("aria-valuenow", &(to + 1).to_string());
            let _ = pointer.set_attribute("aria-valuetext", &format!("{time}{numbers}"));
        }
    }

    /// Whether somebody is about to choose.
    pub(super) fn is_in_use(&self) -> bool {
        self.chosen.get().is_some()
    }

    /// The focus goes elsewhere: nothing is chosen by it any more.
    pub(super) fn left(&self, target: &Element) {
        if is_pointer(target) && !self.is_dragged.get() {
            self.choose_none();
        }
    }
}

fn in_order(from: usize, to: usize) -> RangeInclusive<usize> {
    from.min(to)..=from.max(to)
}

fn part(selector: &str) -> Option<Element> {
    document()
        .get_element_by_id(CHART)?
        .query_selector(selector)
        .ok()?
}

fn all_of(selector: &str) -> Vec<Element> {
    super::all(&format!("#{CHART} {selector}"))
}

fn bars() -> Vec<Element> {
    all_of("[data-bar]")
}

/// Whether who uses the keyboard is on the chart.
fn is_focused() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|element| is_pointer(&element))
}

/// Whether it is what the keyboard stands on.
fn is_pointer(element: &Element) -> bool {
    element.get_attribute("role").as_deref() == Some("slider")
}

/// The bar below the mouse, or the one nearest to it on its side.
fn bar_below(event: &MouseEvent) -> Option<usize> {
    let plot: HtmlElement = part(".plot")?.dyn_into().ok()?;
    let rectangle = plot.get_bounding_client_rect();
    let across = (f64::from(event.client_x()) - rectangle.left()) / rectangle.width().max(1.0);
    let hits = all_of("[data-bar] .hit");
    let ends = hits.iter().map(|hit| {
        let number = |name: &str| {
            let text = hit.get_attribute(name)?;
            text.parse::<f64>().ok()
        };
        number("x").unwrap_or(0.0) + number("width").unwrap_or(0.0)
    });
    let ends: Vec<f64> = ends.collect();
    let whole = ends.last().copied()?;
    let at = ends.iter().position(|end| across * whole.max(1.0) < *end);
    Some(at.unwrap_or(ends.len() - 1))
}

/// The page that shows the time from one bar to another: they lead to the same page but for the time.
pub(super) fn span_of(from: usize, to: usize) -> Option<Place> {
    let bars = bars();
    let ends = in_order(from, to);
    let first = bars.get(*ends.start())?.get_attribute("href")?;
    let last = bars.get(*ends.end())?.get_attribute("href")?;
    let (path, search) = last.split_once('?')?;
    let since = |search: &str| {
        form_urlencoded::parse(search.as_bytes())
            .find_map(|(name, value)| (name == "since").then(|| value.into_owned()))
    };
    let begins = since(first.split_once('?')?.1)?;
    let pairs = form_urlencoded::parse(search.as_bytes()).map(|(name, value)| {
        let value = if name == "since" {
            begins.clone().into()
        } else {
            value
        };
        (name, value)
    });
    let question = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Some(Place::read(path, &question))
}

/// What the table says of some bars together: their time, and their numbers in words.
fn told(chosen: RangeInclusive<usize>) -> Option<(String, String)> {
    let names: Vec<String> = all_of("thead th").iter().map(text).collect();
    let rows = all_of("tbody tr");
    let rows = rows.get(chosen)?;
    let time = |row: &Element| {
        row.query_selector("th")
            .ok()
            .flatten()
            .map(|head| text(&head))
    };
    let (first, last) = (time(rows.first()?)?, time(rows.last()?)?);
    let mut sums = vec![0_u64; names.len().saturating_sub(1)];
    for row in rows {
        let cells = row.query_selector_all("td").ok()?;
        for (at, sum) in sums.iter_mut().enumerate() {
            let cell = cells.get(u32::try_from(at).ok()?)?;
            *sum += number(&cell.text_content().unwrap_or_default());
        }
    }
    let total = sums.first().copied()?;
    let of_each = names.iter().skip(2).zip(sums.iter().skip(1));
    let mut parts: Vec<(&String, u64)> = of_each
        .map(|(name, sum)| (name, *sum))
        .filter(|(_, sum)| *sum > 0)
        .collect();
    parts.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(name, sum)| format!("{name} {}", grouped(sum)))
        .collect();
    let mut numbers = format!(" · {} {}", grouped(total), entries(total));
    if !parts.is_empty() {
        numbers.push_str(" · ");
        numbers.push_str(&parts.join(", "));
    }
    Some((joined(&first, &last), numbers))
}

/// The time from the first bar's beginning to the last one's end: "2026-05-12 08:00–16:00" and
/// "2026-05-13 00:00–08:00" come to "2026-05-12 08:00 to 2026-05-13 08:00".
fn joined(first: &str, last: &str) -> String {
    if first == last {
        return first.to_owned();
    }
    let begins = first.split(['–']).next().unwrap_or(first);
    let begins = begins.split(" to ").next().unwrap_or(begins);
    let ends = match last.split_once('–') {
        Some((start, clock)) => {
            let date = start.split(' ').next().unwrap_or(start);
            // Where it ends at midnight, that is the next day's: then its beginning names it better.
            if clock == "00:00" {
                format!("{date} 24:00")
            } else {
                format!("{date} {clock}")
            }
        }
        None => last.split(" to ").last().unwrap_or(last).to_owned(),
    };
    format!("{begins} to {ends}")
}

fn text(element: &Element) -> String {
    element.text_content().unwrap_or_default()
}

/// A number as the table writes it.
fn number(text: &str) -> u64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{joined, number};

    #[test]
    fn the_time_of_several_bars_is_from_the_first_to_the_last() {
        for (first, last, both) in [
            ("2026-05-12", "2026-05-12", "2026-05-12"),
            ("2026-05-12", "2026-05-14", "2026-05-12 to 2026-05-14"),
            (
                "2026-05-12 08:00–16:00",
                "2026-05-13 00:00–08:00",
                "2026-05-12 08:00 to 2026-05-13 08:00",
            ),
            (
                "2026-05-12 08:00–16:00",
                "2026-05-12 16:00–00:00",
                "2026-05-12 08:00 to 2026-05-12 24:00",
            ),
            (
                "2026-05-04 to 2026-05-10",
                "2026-05-11 to 2026-05-17",
                "2026-05-04 to 2026-05-17",
            ),
            ("2026-04", "2026-05", "2026-04 to 2026-05"),
        ] {
            assert_eq!(joined(first, last), both);
        }
    }

    #[test]
    fn a_number_is_read_as_it_is_written() {
        assert_eq!(number("41,872"), 41_872);
        assert_eq!(number("0"), 0);
    }
}
