//! What arrives while somebody looks at a page: a line says how many entries are new, and nothing
//! moves until they ask for them. While nobody looks, because the tab is hidden, nothing is asked.

use super::{NEWS, place::Place};
use crate::{load::load_news, refusal::Refusal};
use futures_util::future::{AbortHandle, abortable};
use leptos::prelude::{document, window};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlElement};

/// How many seconds the server waits for something new.
const WAIT: u8 = 25;
/// How long to rest where nothing was new.
const REST: Duration = Duration::from_secs(1);
/// The same where something was: where much arrives, it is said every few seconds.
const BETWEEN: Duration = Duration::from_secs(3);
/// How long to rest at first where the server does not answer; then twice as long each time.
const TROUBLED: Duration = Duration::from_secs(5);
/// And so long at most.
const TROUBLED_MOST: Duration = Duration::from_mins(1);
/// More new entries are not counted.
const MOST: u64 = 1_000;

/// What is new to the page on screen.
#[derive(Default)]
pub(super) struct News {
    /// The page; none where no log is on screen.
    place: RefCell<Option<Place>>,
    /// How many entries are new.
    entries: Cell<u64>,
    /// The last number that was looked at.
    looked_to: Cell<u64>,
    /// Ends the waiting for more.
    waiting: RefCell<Option<AbortHandle>>,
}

impl News {
    /// Another page is on screen, as it was just read.
    pub(super) fn begin(self: &Rc<Self>, place: &Place) {
        let shown_to = line().and_then(|line| line.get_attribute("data-shown-to")?.parse().ok());
        self.entries.set(0);
        self.looked_to.set(shown_to.unwrap_or_default());
        self.place.replace(shown_to.map(|_| place.clone()));
        self.watch();
    }

    /// Waits for what arrives, from where it was left, as long as the page can be seen.
    pub(super) fn watch(self: &Rc<Self>) {
        if let Some(waiting) = self.waiting.take() {
            waiting.abort();
        }
        if document().hidden() || self.entries.get() > MOST {
            return;
        }
        let Some(place) = self.place.borrow().clone() else {
            return;
        };
        let (waiting, end) = abortable(follow(Rc::clone(self), place));
        self.waiting.replace(Some(end));
        spawn_local(async move {
            // Where it was ended, another page is on screen, or none can be seen.
            let _ = waiting.await;
        });
    }
}

async fn follow(news: Rc<News>, place: Place) {
    let mut troubled = TROUBLED;
    while news.entries.get() <= MOST {
        let after = news.looked_to.get();
        let told = load_news(place.path.clone(), place.question.clone(), after, WAIT).await;
        let rest = match told {
            Ok(Ok(told)) => {
                troubled = TROUBLED;
                news.looked_to.set(told.next.max(after));
                if told.entries == 0 {
                    REST
                } else {
                    news.entries.set(news.entries.get() + told.entries);
                    say(news.entries.get());
                    BETWEEN
                }
            }
            Ok(Err(Refusal::Unavailable(_))) | Err(_) => {
                let rest = troubled;
                troubled = (troubled * 2).min(TROUBLED_MOST);
                rest
            }
            // They may not look any more: the page says so when they next ask it for something.
            Ok(Err(_)) => return,
        };
        pause(rest).await;
    }
}

/// Says how many entries are new, and leaves the rows where they are.
fn say(entries: u64) {
    let Some(link) = line().and_then(|line| line.query_selector("a").ok()?) else {
        return;
    };
    if let Ok(Some(words)) = link.query_selector("span") {
        words.set_text_content(Some(&words_for(entries)));
    }
    let before = top_of_entries();
    // It is only said.
    let _ = link.remove_attribute("hidden");
    // Where there was no room for it in its line.
    let moved = top_of_entries() - before;
    if moved != 0 {
        window().scroll_by_with_x_and_y(0.0, f64::from(moved));
    }
}

fn words_for(entries: u64) -> String {
    match entries {
        1 => "1 new entry".to_owned(),
        2..=MOST => format!("{entries} new entries"),
        _ => "More than 1,000 new entries".to_owned(),
    }
}

fn top_of_entries() -> i32 {
    let entries = document().get_element_by_id("entries");
    entries.map_or(0, |entries| {
        entries.unchecked_into::<HtmlElement>().offset_top()
    })
}

fn line() -> Option<Element> {
    document().get_element_by_id(NEWS)
}

/// Waits for so long.
pub(super) async fn pause(rest: Duration) {
    let millis = i32::try_from(rest.as_millis()).unwrap_or(i32::MAX);
    let passed = js_sys::Promise::new(&mut |done, _| {
        let set = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, millis);
        if set.is_err() {
            // The page is going: nothing waits for it any more.
            let _ = done.call0(&wasm_bindgen::JsValue::NULL);
        }
    });
    let _ = JsFuture::from(passed).await;
}

#[cfg(test)]
mod tests {
    use super::words_for;

    #[test]
    fn so_many_are_new() {
        assert_eq!(words_for(1), "1 new entry");
        assert_eq!(words_for(27), "27 new entries");
        assert_eq!(words_for(1_200), "More than 1,000 new entries");
    }
}
