//! What a page does once WebAssembly runs. Everything here makes quicker what links and forms do
//! without it: the address stays the only state, the server renders, and what it rendered takes the
//! place of what is on screen.

mod chart;
mod clipboard;
mod clock;
mod completion;
mod export;
mod keys;
mod morph;
mod news;
mod place;
mod question;

use crate::{
    load::{load_chart, load_entry, load_log, set_single_keys},
    refusal::Refusal,
};
use chart::Chart;
use clock::all;
use completion::{Chosen, Completion};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::{
    ev,
    prelude::{
        document, set_interval, set_timeout_with_handle, window, window_event_listener,
        window_event_listener_untyped,
    },
};
use news::News;
use place::Place;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, Event, FocusOptions, FormData, HtmlAnchorElement, HtmlElement, HtmlFormElement,
    HtmlInputElement, HtmlSelectElement, KeyboardEvent, MouseEvent,
};

/// The id of the form that holds the filter.
pub const FORM: &str = "filter";
/// The id of the form that takes away what a log shows.
pub const EXPORT_FORM: &str = export::FORM;
/// The id of the notice that the server does not answer.
pub const TROUBLE: &str = "trouble";

/// The id of the chart of when entries occurred.
pub const CHART: &str = "chart";

/// The name of the box that says whether single keys do something.
pub const SINGLE_KEYS: &str = keys::SWITCH;

/// The id of where it says how many entries are new.
pub const NEWS: &str = "news";

/// Text fields that apply while somebody types.
const TYPED: [&str; 2] = ["q", "actor"];
/// How long typing rests before it is applied.
const REST: Duration = Duration::from_millis(250);
/// How often relative times are set anew.
const TICK: Duration = Duration::from_secs(30);

/// Makes the page live. Called once, when the page has loaded.
pub fn begin() {
    let live = Rc::new(Live::new());
    clock::offer_zone(&here());
    let on = Rc::clone(&live);
    window_event_listener(ev::click, move |event| on.click(&event));
    let on = Rc::clone(&live);
    window_event_listener(ev::input, move |event| on.input(&event));
    let on = Rc::clone(&live);
    window_event_listener(ev::change, move |event| on.change(&event));
    let on = Rc::clone(&live);
    window_event_listener(ev::submit, move |event| on.submit(&event));
    let on = Rc::clone(&live);
    window_event_listener(ev::keydown, move |event| {
        on.key(&event);
    });
    let on = Rc::clone(&live);
    window_event_listener(ev::mouseover, move |event| {
        on.chart.over(element(&event).as_ref());
    });
    let on = Rc::clone(&live);
    window_event_listener(ev::focusout, move |event| {
        if let Some(target) = element(&event) {
            on.chart.left(&target);
            on.completion.left(&target);
        }
    });
    let on = Rc::clone(&live);
    window_event_listener(ev::mousemove, move |event| on.chart.moved(&event));
    let on = Rc::clone(&live);
    window_event_listener(ev::mousedown, move |event| {
        if let Some(target) = element(&event) {
            on.chart.down(&event, &target);
            if matches!(target.closest(".completions"), Ok(Some(_))) {
                // The focus stays in the field.
                event.prevent_default();
            }
        }
    });
    let on = Rc::clone(&live);
    window_event_listener(ev::mouseup, move |_| {
        if let Some(there) = on.chart.up() {
            on.go_on(there);
        }
    });
    let on = Rc::clone(&live);
    window_event_listener(ev::popstate, move |event| on.returned(&event.state()));
    let on = Rc::clone(&live);
    window_event_listener_untyped("visibilitychange", move |_| on.news.watch());
    live.news.begin(&here());
    live.finish_chart();
    live.completion.begin();
    set_interval(
        move || clock::set_times(js_sys::Date::now() - live.read_at.get()),
        TICK,
    );
}

/// What is on screen, and what was asked since.
struct Live {
    /// What is on screen.
    shown: RefCell<Place>,
    /// When that was read, by the browser's clock in milliseconds.
    read_at: Cell<f64>,
    /// How often something was asked: an answer that is not to the last question comes too late.
    asked: Cell<u32>,
    /// The fields that somebody changed since the filter was last applied: no answer touches them.
    edited: RefCell<BTreeSet<String>>,
    /// Typing rests.
    rest: RefCell<Option<TimeoutHandle>>,
    /// The address came of typing: further typing replaces it in the history.
    typed: Cell<bool>,
    /// What arrived since.
    news: Rc<News>,
    /// What is chosen on the chart.
    chart: Chart,
    /// What completes a field.
    completion: Rc<Completion>,
    /// Whether single keys do something is being noted.
    notes_keys: Cell<bool>,
}

impl Live {
    fn new() -> Self {
        Self {
            shown: RefCell::new(here()),
            read_at: Cell::new(js_sys::Date::now()),
            asked: Cell::new(0),
            edited: RefCell::default(),
            rest: RefCell::default(),
            typed: Cell::new(false),
            news: Rc::default(),
            chart: Chart::default(),
            completion: Rc::default(),
            notes_keys: Cell::new(false),
        }
    }

    /// A click anywhere on the page: links, rows, copying.
    fn click(self: &Rc<Self>, event: &MouseEvent) {
        let Some(target) = element(event) else {
            return;
        };
        close_menus(Some(&target));
        if event.default_prevented() || event.button() != 0 {
            return;
        }
        if let Ok(Some(option)) = target.closest(".completions [role=option]") {
            if let Some(chosen) = self.completion.choose(&option) {
                self.complete(&chosen);
            }
        } else if let Ok(Some(copied)) = target.closest("[data-copy]") {
            event.prevent_default();
            clipboard::copy(&copied);
        } else if let Ok(Some(button)) = target.closest("[data-export-cancel]") {
            export::cancel(&button);
        } else if let Ok(Some(button)) = target.closest("[data-export-close]") {
            export::close(&button);
        } else if let Ok(Some(_)) = target.closest("[data-retry]") {
            event.prevent_default();
            self.load(false, None);
        } else if let Some(at) = Chart::bar_at(&target) {
            let modified = event.ctrl_key() || event.meta_key() || event.shift_key();
            if !modified && let Some(there) = chart::span_of(at, at) {
                event.prevent_default();
                self.go_on(there);
            }
        } else if let Ok(Some(link)) = target.closest("a[href]") {
            self.follow(event, &link.unchecked_into());
        } else if let Ok(Some(row)) = target.closest("tr.row")
            && !matches!(
                target.closest("button, input, select, label, summary"),
                Ok(Some(_))
            )
            && !is_selecting()
            && let Ok(Some(opener)) = row.query_selector("a.opener")
        {
            let opener: HtmlAnchorElement = opener.unchecked_into();
            let there = Place::read(&opener.pathname(), &opener.search());
            if here().is_log() {
                self.go_on(there);
            } else {
                // A few rows on another page: they open on their log's own.
                let _ = window().location().set_href(&opener.href());
            }
        } else if let Ok(Some(bundle)) = target.closest("tr.bundle")
            && !matches!(target.closest("summary"), Ok(Some(_)))
            && !is_selecting()
            && let Ok(Some(details)) = bundle.query_selector("details")
        {
            // It says by itself whether it is open.
            let _ = details.toggle_attribute("open");
        }
    }

    fn follow(self: &Rc<Self>, event: &MouseEvent, link: &HtmlAnchorElement) {
        let several = event.ctrl_key() || event.meta_key();
        if several && let Some(address) = link.get_attribute("data-several") {
            event.prevent_default();
            let (path, search) = address.split_once('?').unwrap_or((&address, ""));
            self.go_on(Place::read(path, search));
            return;
        }
        let there = Place::read(&link.pathname(), &link.search());
        let stays = link.has_attribute("data-stay");
        let here = here();
        let modified = several || event.shift_key() || event.alt_key();
        if !modified && link.class_name() == "fresh" {
            event.prevent_default();
            self.renew(&here, there);
            return;
        }
        let elsewhere = !link.target().is_empty()
            || link.has_attribute("download")
            || Some(link.origin()) != window().location().origin().ok()
            || !here.is_log()
            || !there.is_log();
        // A link to where one is leads to a place on the page, or asks for it anew.
        if modified || elsewhere || (here == there && !stays) {
            return;
        }
        event.prevent_default();
        if let Ok(Some(menu)) = link.closest("details.menu") {
            close(&menu);
        }
        if stays && !link.has_attribute("data-whole") {
            self.go_on(there);
        } else {
            self.applied();
            self.go(&there, !stays, false);
        }
    }

    /// Shows what is new: the page on screen anew, or the first one, which is `there`.
    fn renew(self: &Rc<Self>, here: &Place, there: Place) {
        if question::has_cursor(&here.question) {
            self.applied();
            self.go(&there, false, false);
        } else {
            self.asked.set(self.asked.get().wrapping_add(1));
            self.ask(here.clone(), None);
        }
        // The link goes; who follows it by keyboard goes on at the entries.
        if let Some(entries) = document().get_element_by_id("entries") {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            // Nothing else depends on where the focus is.
            let _ = entries
                .unchecked_into::<HtmlElement>()
                .focus_with_options(&options);
        }
    }

    /// Goes where a link of the page on screen leads, which tells what to change on it: what was asked
    /// or typed since then holds too.
    fn go_on(self: &Rc<Self>, there: Place) {
        let shown = self.shown.borrow().clone();
        let place = if there.path == shown.path {
            let mut asked = here().question;
            if self.rest.borrow().is_some()
                && let Some(form) = form()
            {
                asked = question::merged(&shown.question, &asked, &said(&form));
            }
            let question = question::merged(&shown.question, &asked, &there.question);
            Place { question, ..there }
        } else {
            there
        };
        self.applied();
        self.go(&place, false, false);
    }

    /// Everything that was typed is applied now.
    fn applied(&self) {
        if let Some(rest) = self.rest.take() {
            rest.clear();
        }
        self.edited.borrow_mut().clear();
        self.typed.set(false);
    }

    /// Shows another place. `scroll`: from its top; `replace`: in the history, in place of this one.
    fn go(self: &Rc<Self>, there: &Place, scroll: bool, replace: bool) {
        if *there == here() {
            return;
        }
        let Ok(history) = window().history() else {
            return;
        };
        let address = there.address();
        let moved = if replace {
            history.replace_state_with_url(&JsValue::NULL, "", Some(&address))
        } else {
            // Back returns to where the page was scrolled.
            let left = window().scroll_y().map_or(JsValue::NULL, JsValue::from);
            history
                .replace_state(&left, "")
                .and_then(|()| history.push_state_with_url(&JsValue::NULL, "", Some(&address)))
        };
        if moved.is_err() {
            // Browsers limit how often pages may do this: then the page is loaded as without script.
            let _ = window().location().set_href(&address);
            return;
        }
        self.load(true, scroll.then_some(0.0));
    }

    /// The browser went back or forward. `state`: how far that place was scrolled.
    fn returned(self: &Rc<Self>, state: &JsValue) {
        if !here().is_log() {
            return;
        }
        self.applied();
        self.load(true, state.as_f64());
    }

    /// Asks for what the address says; not for what is on screen, where `unless_shown` says so.
    /// `scroll`: where to, in pixels from the top, once it is there.
    fn load(self: &Rc<Self>, unless_shown: bool, scroll: Option<f64>) {
        let here = here();
        // Answers to earlier questions come too late now.
        self.asked.set(self.asked.get().wrapping_add(1));
        let is_shown = self.shown.borrow().asks_as(&here);
        if is_shown && all("[data-apart]").is_empty() {
            let opened = opened();
            if here.open == opened && unless_shown {
                set_busy(false);
                return;
            }
            match here.open.as_deref() {
                None if opened.is_some() => {
                    close_rows();
                    hide_trouble();
                    set_busy(false);
                    return;
                }
                Some(id) => {
                    if let Some(row) = row(id) {
                        self.open(here, row);
                        return;
                    }
                }
                None => {}
            }
        }
        self.ask(here, scroll);
    }

    /// Asks for a whole page.
    fn ask(self: &Rc<Self>, place: Place, scroll: Option<f64>) {
        let asked = self.asked.get();
        let live = Rc::clone(self);
        set_busy(true);
        spawn_local(async move {
            let answer = load_log(place.path.clone(), place.search()).await;
            if live.asked.get() != asked {
                return;
            }
            match answer {
                Ok(Ok(screen)) => {
                    if live.show(&screen.html).is_err() {
                        load_anew();
                        return;
                    }
                    document().set_title(&screen.title);
                    clock::offer_zone(&place);
                    live.news.begin(&place);
                    *live.shown.borrow_mut() = place;
                    live.read_at.set(js_sys::Date::now());
                    live.chart.begin();
                    live.finish_chart();
                    if let Some(y) = scroll {
                        window().scroll_to_with_x_and_y(0.0, y);
                        // Where it is an entry that one goes to, it is looked at.
                        if let Some(row) = opened().and_then(|id| row(&id))
                            && y == 0.0
                        {
                            row.scroll_into_view();
                        }
                    }
                }
                other => in_trouble(other.map(Result::err)),
            }
        });
    }

    /// Asks for the whole chart, where the page that is on screen did not wait for it.
    fn finish_chart(self: &Rc<Self>) {
        if all(&format!("#{CHART}[data-unfinished]")).is_empty() {
            return;
        }
        let live = Rc::clone(self);
        let place = self.shown.borrow().clone();
        spawn_local(async move {
            let answer = load_chart(place.path.clone(), place.question.clone()).await;
            // Whoever is about to choose a time goes on.
            while live.chart.is_in_use() {
                news::pause(REST).await;
            }
            // Where it does not come, what there is of it stays.
            if live.shown.borrow().asks_as(&place)
                && let Ok(Ok(Some(html))) = answer
                && let Some(chart) = document().get_element_by_id(CHART)
                && morph::morph(&chart, &html, &|_| false).is_ok()
            {
                live.chart.begin();
            }
        });
    }

    /// Puts a page in the place of the one on screen.
    fn show(&self, html: &str) -> Result<(), JsValue> {
        let frame = document()
            .query_selector(".frame")?
            .ok_or("there is no page")?;
        let focused = document().active_element();
        // A field that goes with what was typed into it says so at once, and that is noted there.
        let edited = self.edited.borrow().clone();
        let keeps = |field: &str| edited.contains(field) || field == keys::SWITCH;
        morph::morph(&frame, html, &keeps)?;
        self.completion.begin();
        // Where the focus went with what is gone, it goes to the entries, not to the page's start.
        if focused.is_some_and(|element| !element.is_connected() && element.tag_name() != "BODY")
            && let Some(entries) = document().get_element_by_id("entries")
        {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            entries
                .unchecked_into::<HtmlElement>()
                .focus_with_options(&options)?;
        }
        Ok(())
    }

    /// Asks for the entry of a row, and opens it in its place.
    fn open(self: &Rc<Self>, place: Place, row: Element) {
        let asked = self.asked.get();
        let live = Rc::clone(self);
        set_busy(false);
        spawn_local(async move {
            let id = place.open.clone().unwrap_or_default();
            let answer = load_entry(place.path.clone(), place.question.clone(), id.clone()).await;
            if live.asked.get() != asked {
                return;
            }
            match answer {
                Ok(Ok(Some(html))) => {
                    close_rows();
                    hide_trouble();
                    if let Ok(Some(entry)) = morph::parsed(&html)
                        && row.after_with_node_1(&entry).is_ok()
                    {
                        set_opened(&row, &id, true);
                        unfold(&row);
                    } else {
                        load_anew();
                    }
                }
                // It is gone: the page says so.
                Ok(Ok(None)) => live.ask(place, None),
                other => in_trouble(other.map(Result::err)),
            }
        });
    }

    /// Somebody changes a field of the filter.
    fn input(self: &Rc<Self>, event: &Event) {
        let Some((field, _)) = field(event) else {
            return;
        };
        self.edited.borrow_mut().insert(field.clone());
        let input = event.target().and_then(|target| target.dyn_into().ok());
        if let Some(input) = input {
            self.completion.typed(&input, here());
        }
        if !TYPED.contains(&&*field) {
            return;
        }
        if let Some(rest) = self.rest.take() {
            rest.clear();
        }
        let live = Rc::clone(self);
        let rest = set_timeout_with_handle(
            move || {
                let replace = live.typed.get();
                live.apply(replace);
                live.typed.set(true);
            },
            REST,
        );
        self.rest.replace(rest.ok());
    }

    /// Notes whether single keys do something, for the person: as the box says when it is noted, however
    /// often it was changed meanwhile.
    fn note_keys(self: &Rc<Self>) {
        if self.notes_keys.replace(true) {
            return;
        }
        let live = Rc::clone(self);
        spawn_local(async move {
            loop {
                let on = keys::are_on();
                match set_single_keys(on).await {
                    Ok(Ok(())) if keys::are_on() == on => break,
                    Ok(Ok(())) => {}
                    other => {
                        keys::set(!on);
                        in_trouble(other.map(Result::err));
                        break;
                    }
                }
            }
            live.notes_keys.set(false);
        });
    }

    /// A field of the filter has another value, or the switch of the keys.
    fn change(self: &Rc<Self>, event: &Event) {
        if let Some(target) = element(event)
            && target.get_attribute("name").as_deref() == Some(keys::SWITCH)
        {
            self.note_keys();
            return;
        }
        let Some((_, applies)) = field(event) else {
            return;
        };
        if applies {
            let rests = self.rest.borrow().is_some();
            self.apply(self.typed.get() && rests);
        }
    }

    /// The filter's form is sent.
    fn submit(self: &Rc<Self>, event: &Event) {
        if let Some(form) = element(event).filter(|form| form.id() == EXPORT_FORM)
            && !event.default_prevented()
        {
            close_menus(None);
            export::begin(&form.unchecked_into());
        }
        if element(event).is_some_and(|form| form.id() == FORM) && here().is_log() {
            event.prevent_default();
            close_menus(None);
            self.apply(false);
        }
    }

    /// Asks what the filter's form says.
    fn apply(self: &Rc<Self>, replace: bool) {
        let Some(form) = form() else {
            return;
        };
        let here = here();
        let shown = self.shown.borrow().question.clone();
        let question = question::merged(&shown, &here.question, &said(&form));
        self.applied();
        let there = Place {
            path: here.path.clone(),
            open: here.open.clone().filter(|_| question == here.question),
            question,
        };
        self.go(&there, false, replace);
    }

    /// Asks for what was chosen in place of what was typed.
    fn complete(self: &Rc<Self>, chosen: &Chosen) {
        let mut asked = here().question;
        if self.rest.borrow().is_some()
            && let Some(form) = form()
        {
            let shown = self.shown.borrow().question.clone();
            asked = question::merged(&shown, &asked, &said(&form));
        }
        let there = Place {
            question: question::completed(&asked, &chosen.field, &chosen.adds),
            open: None,
            ..here()
        };
        let replace = self.typed.get();
        self.applied();
        self.go(&there, false, replace);
    }

    /// A key goes down: in a field that is completed, on the chart, or anywhere.
    fn key(self: &Rc<Self>, event: &KeyboardEvent) {
        let (is_done, chosen) = self.completion.key(event, here());
        if let Some(chosen) = chosen {
            self.complete(&chosen);
        }
        if is_done {
            return;
        }
        if let Some(there) = self.chart.key(event) {
            self.go_on(there);
        }
        if !keys::pressed(event) && event.key() == "Escape" && !event.default_prevented() {
            self.escape(event);
        }
    }

    /// Closes the menus, else the open row.
    fn escape(self: &Rc<Self>, event: &Event) {
        if close_menus(None) {
            return;
        }
        let in_field = element(event)
            .is_some_and(|target| matches!(target.closest("input, select"), Ok(Some(_))));
        let here = here();
        if !in_field && here.open.is_some() && here.is_log() {
            self.go(&Place { open: None, ..here }, false, false);
        }
    }
}

/// Where the browser is.
fn here() -> Place {
    let location = window().location();
    Place::read(
        &location.pathname().unwrap_or_default(),
        &location.search().unwrap_or_default(),
    )
}

/// Loads the page as without script, which also says why it is not shown.
fn load_anew() {
    // The browser is leaving already where this fails.
    let _ = window().location().reload();
}

fn form() -> Option<HtmlFormElement> {
    document().get_element_by_id(FORM)?.dyn_into().ok()
}

/// What the filter's form says, as a query string.
fn said(form: &HtmlFormElement) -> String {
    let pairs = FormData::new_with_form(form)
        .ok()
        .and_then(|data| js_sys::try_iter(&data).ok().flatten())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let entry: js_sys::Array = entry.dyn_into().ok()?;
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        })
        .collect::<Vec<_>>();
    question::asked(&pairs)
}

/// The filter's field that an event is about, by name, and whether a change of it applies at once: in
/// a menu of boxes, several are chosen first.
fn field(event: &Event) -> Option<(String, bool)> {
    let target = element(event)?;
    let (name, form, applies) = if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
        let in_menu = input.type_() == "checkbox" && matches!(input.closest(".menu"), Ok(Some(_)));
        (input.name(), input.form(), !in_menu)
    } else if let Some(select) = target.dyn_ref::<HtmlSelectElement>() {
        (select.name(), select.form(), true)
    } else {
        return None;
    };
    (form?.id() == FORM).then_some((name, applies))
}

fn element(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Whether text is selected: a click that ends a selection opens no row.
fn is_selecting() -> bool {
    matches!(window().get_selection(), Ok(Some(selection)) if !selection.is_collapsed())
}

/// Closes the menus that are open, but for the one around `inside`; tells whether there was any.
fn close_menus(inside: Option<&Element>) -> bool {
    let mut any = false;
    for menu in all("details.menu[open]") {
        if inside.is_none_or(|inside| !menu.contains(Some(inside))) {
            close(&menu);
            any = true;
        }
    }
    any
}

/// Closes a menu. The focus does not get lost in it.
fn close(menu: &Element) {
    let focused = document().active_element();
    if focused.is_some_and(|focused| menu.contains(Some(&focused)))
        && let Ok(Some(summary)) = menu.query_selector("summary")
    {
        // Nothing else depends on where the focus is.
        let _ = summary.unchecked_into::<HtmlElement>().focus();
    }
    let _ = menu.remove_attribute("open");
}

/// The rows on screen are those of an earlier question.
fn set_busy(busy: bool) {
    for log in all(".log") {
        // It is only said.
        let _ = log.set_attribute("aria-busy", if busy { "true" } else { "false" });
    }
}

/// The row of an entry, in the ledger.
fn row(id: &str) -> Option<Element> {
    document().get_element_by_id(&format!("e-{id}"))
}

/// The id of the entry that is open.
fn opened() -> Option<String> {
    all("tr.row.is-open")
        .first()?
        .get_attribute("data-event-id")
}

/// Unfolds the operation that a row is of.
fn unfold(row: &Element) {
    if let Ok(Some(operation)) = row.closest("tbody.operation")
        && let Ok(Some(details)) = operation.query_selector("tr.bundle details")
    {
        // The row is there also where it cannot be seen.
        let _ = details.set_attribute("open", "");
    }
}

fn close_rows() {
    for row in all("tr.row.is-open") {
        let id = row.get_attribute("data-event-id").unwrap_or_default();
        if let Some(entry) = document().get_element_by_id(&format!("d-{id}")) {
            entry.remove();
        }
        set_opened(&row, &id, false);
    }
}

/// Makes a row say whether it is open, as the server renders it.
fn set_opened(row: &Element, id: &str, open: bool) {
    row.set_class_name(if open { "row is-open" } else { "row" });
    let Ok(Some(opener)) = row.query_selector("a.opener") else {
        return;
    };
    let opener: HtmlAnchorElement = opener.unchecked_into();
    let mut there = Place::read(&opener.pathname(), &opener.search());
    there.open = (!open).then(|| id.to_owned());
    opener.set_href(&format!("{}#e-{id}", there.address()));
    let set = opener
        .set_attribute("aria-expanded", if open { "true" } else { "false" })
        .and_then(|()| {
            if open {
                opener.set_attribute("aria-controls", &format!("d-{id}"))
            } else {
                opener.remove_attribute("aria-controls")
            }
        });
    if set.is_err() {
        load_anew();
    }
}

/// What was asked for did not come: says why, or leaves it to the page.
fn in_trouble<E>(refusal: Result<Option<Refusal>, E>) {
    let (what, why) = match refusal {
        Ok(Some(Refusal::Unavailable(why))) => {
            ("The log cannot be read at the moment.", format!("{why}."))
        }
        Ok(_) => {
            load_anew();
            return;
        }
        Err(_) => ("The server does not answer.", String::new()),
    };
    set_busy(false);
    let Some(notice) = document().get_element_by_id(TROUBLE) else {
        return;
    };
    for (selector, words) in [("strong", what), ("span", &why)] {
        if let Ok(Some(place)) = notice.query_selector(selector) {
            place.set_text_content(Some(words));
        }
    }
    // Where it cannot be shown, there is nobody to tell.
    let _ = notice.remove_attribute("hidden");
}

fn hide_trouble() {
    if let Some(notice) = document().get_element_by_id(TROUBLE) {
        // It goes with the next page at the latest.
        let _ = notice.set_attribute("hidden", "");
    }
}
