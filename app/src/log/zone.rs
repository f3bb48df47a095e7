//! The zone that times are shown in, and how to choose another.

use super::view::LogView;
use crate::{
    address::{Links, with_query},
    icon::Icon,
    live::FORM,
};
use domain::question::{Query, Unknown, Zone};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The id of the form that asks for another zone, where the page has no filters.
const OWN_FORM: &str = "zone";

/// What people choose most; any other name can be typed.
const COMMON: [&str; 26] = [
    "Africa/Johannesburg",
    "Africa/Lagos",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Toronto",
    "Asia/Dubai",
    "Asia/Hong_Kong",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Oslo",
    "Europe/Paris",
    "Europe/Warsaw",
    "Pacific/Auckland",
    "UTC",
];

/// The zone of a page, and how another is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneView {
    /// Its name.
    zone: String,
    /// The zone that the address names, as it was typed.
    typed: String,
    /// There is no such zone.
    is_wrong: bool,
    /// The same page in UTC.
    utc: String,
    /// The same page, its address naming no zone: the browser adds its own.
    unnamed: String,
    /// The form with the field for another; none: the page's form of filters.
    form: Option<OwnForm>,
}

/// A form that asks for a page in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OwnForm {
    path: String,
    /// What else is asked there.
    kept: Vec<(String, String)>,
}

impl ZoneView {
    /// Of a page of a log.
    pub(super) fn of_log(links: &Links, log: &LogView) -> Self {
        let fault = log.fault("tz");
        let tz = links.query.filter.tz.as_ref();
        let typed = fault.map(|fault| fault.value.clone());
        let utc = links.filtered(|filter| filter.tz = None);
        Self {
            zone: log.zone.clone(),
            typed: typed
                .or_else(|| tz.map(Zone::to_string))
                .unwrap_or_default(),
            is_wrong: fault.is_some(),
            unnamed: utc.clone(),
            utc,
            form: None,
        }
    }

    /// Of the page at a path, as the request asks for it; the parameters of these names go on being
    /// asked. UTC is named: pages that are opened from elsewhere, without a zone, are not to change
    /// the one that is remembered.
    pub(crate) fn of_page(path: &str, kept: &[&str]) -> Self {
        let search = use_location().search.get_untracked();
        Self::of_search(path, &search, kept)
    }

    fn of_search(path: &str, search: &str, kept: &[&str]) -> Self {
        let read = Query::read(search, Unknown::Ignored);
        let mut faults = read.faults.into_iter();
        let fault = faults.find(|fault| fault.parameter == "tz");
        let tz = read.query.filter.tz.as_ref();
        let is_wrong = fault.is_some();
        let typed = fault.map(|fault| fault.value);
        let kept: Vec<(String, String)> = form_urlencoded::parse(search.as_bytes())
            .into_owned()
            .filter(|(name, _)| kept.contains(&name.as_str()))
            .collect();
        let asked = |more: &[(String, String)]| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.extend_pairs(kept.iter().chain(more)).finish();
            with_query(path, &query)
        };
        Self {
            typed: typed
                .or_else(|| tz.map(Zone::to_string))
                .unwrap_or_default(),
            is_wrong,
            utc: asked(&[("tz".to_owned(), Zone::utc().to_string())]),
            unnamed: asked(&[]),
            zone: read.query.filter.zone().to_string(),
            form: Some(OwnForm {
                path: path.to_owned(),
                kept,
            }),
        }
    }
}

/// What a page shows, and the zone of its times, which opens to others.
#[component]
pub(crate) fn InZone(
    words: String,
    /// The page's path.
    path: String,
    /// The parameters that another zone leaves as they are.
    kept: &'static [&'static str],
) -> impl IntoView {
    view! {
        <div class="page-words">
            <span>{words} ", times in"</span>
            <ZoneMenu zone=ZoneView::of_page(&path, kept)/>
        </div>
    }
    .into_any()
}

/// The zone's name, which opens to others.
#[component]
pub(crate) fn ZoneMenu(zone: ZoneView) -> impl IntoView {
    let ZoneView {
        zone: now,
        typed,
        is_wrong,
        utc,
        unnamed,
        form,
    } = zone;
    let is_utc = (now == Zone::utc().as_str()).then_some("true");
    let options = COMMON
        .map(|zone| view! { <option value=zone></option> })
        .collect_view();
    let error = is_wrong.then(|| {
        view! {
            <p class="error" id="f-tz-error">
                <Icon name="warn"/>
                "No such time zone. Takes a name like Europe/Oslo."
            </p>
        }
    });
    // Other pages read the days that are typed there in UTC.
    let (form_id, words) = match form {
        Some(_) => (OWN_FORM, "Times are shown in"),
        None => (FORM, "Dates are read, and times shown, in"),
    };
    let form = form.map(|OwnForm { path, kept }| {
        let kept = kept
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
            .collect_view();
        view! {
            <form id=OWN_FORM method="get" action=path>
                {kept}
            </form>
        }
    });

    view! {
        <details class="menu zone" open=is_wrong>
            <summary>
                <span class="sr-only">"Time zone: "</span>
                {now}
                <Icon name="chevron-down"/>
            </summary>
            <div class="menu-panel">
                <p class="menu-head">{words}</p>
                <ul>
                    // Which zone that is, only the browser knows.
                    <li hidden data-browser-zone="">
                        <a href=unnamed data-stay="">
                            <span></span>
                            <span class="quiet">"this browser"</span>
                        </a>
                    </li>
                    <li>
                        <a href=utc data-stay="" aria-current=is_utc>
                            "UTC"
                        </a>
                    </li>
                </ul>
                {form}
                <div class="field">
                    <label for="f-tz">"Another, by its name"</label>
                    <div class="with-button">
                        <input
                            form=form_id
                            id="f-tz"
                            name="tz"
                            type="text"
                            value=typed
                            placeholder="UTC"
                            list="zones"
                            autocomplete="off"
                            spellcheck="false"
                            aria-invalid=is_wrong.then_some("true")
                            aria-describedby=is_wrong.then_some("f-tz-error")
                        />
                        <button class="button" type="submit" form=form_id>
                            "Apply"
                        </button>
                    </div>
                    {error}
                    <datalist id="zones">{options}</datalist>
                </div>
            </div>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_zone_leaves_what_is_asked_as_it_is() {
        let search = "q=a+b&page=2&done=1&tz=Europe%2FOslo";
        let view = ZoneView::of_search("/x", search, &["q", "page"]);
        assert_eq!((&*view.zone, &*view.typed), ("Europe/Oslo", "Europe/Oslo"));
        assert_eq!(view.unnamed, "/x?q=a+b&page=2");
        assert_eq!(view.utc, "/x?q=a+b&page=2&tz=UTC");
        assert!(!view.is_wrong);
    }

    #[test]
    fn a_zone_that_is_none_is_said_and_kept() {
        let view = ZoneView::of_search("/x", "tz=Nowhere", &[]);
        assert_eq!((&*view.zone, &*view.typed), ("UTC", "Nowhere"));
        assert!(view.is_wrong);
    }
}
