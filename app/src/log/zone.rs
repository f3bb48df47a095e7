//! The zone that times are shown in, and how to choose another.

use super::view::LogView;
use crate::{address::Links, icon::Icon, live::FORM};
use domain::question::Zone;
use leptos::prelude::*;
use std::sync::Arc;

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

/// The zone's name, which opens to others.
#[component]
pub(super) fn ZoneMenu(links: Arc<Links>, log: Arc<LogView>) -> impl IntoView {
    let fault = log.fault("tz").cloned();
    let typed = match (&fault, &links.query.filter.tz) {
        (Some(fault), _) => fault.value.clone(),
        (None, Some(zone)) => zone.to_string(),
        (None, None) => String::new(),
    };
    let now = log.zone.clone();
    let current = |zone: &str| (log.zone == zone).then_some("true");
    let utc = links.filtered(|filter| filter.tz = None);
    let options = COMMON
        .map(|zone| view! { <option value=zone></option> })
        .collect_view();
    let wrong = fault.is_some();
    let error = fault.map(|_| {
        view! {
            <p class="error" id="f-tz-error">
                <Icon name="warn"/>
                "No such time zone. Takes a name like Europe/Oslo."
            </p>
        }
    });

    view! {
        <details class="menu zone" open=wrong>
            <summary>
                <span class="sr-only">"Time zone: "</span>
                {now}
                <Icon name="chevron-down"/>
            </summary>
            <div class="menu-panel">
                <p class="menu-head">"Dates are read, and times shown, in"</p>
                <ul>
                    // Which zone that is, only the browser knows.
                    <li hidden data-browser-zone="">
                        <a href=utc.clone() data-stay="">
                            <span></span>
                            <span class="quiet">"this browser"</span>
                        </a>
                    </li>
                    <li>
                        <a href=utc data-stay="" aria-current=current(Zone::utc().as_str())>
                            "UTC"
                        </a>
                    </li>
                </ul>
                <div class="field">
                    <label for="f-tz">"Another, by its name"</label>
                    <div class="with-button">
                        <input
                            form=FORM
                            id="f-tz"
                            name="tz"
                            type="text"
                            value=typed
                            placeholder="UTC"
                            list="zones"
                            autocomplete="off"
                            spellcheck="false"
                            aria-invalid=wrong.then_some("true")
                            aria-describedby=wrong.then_some("f-tz-error")
                        />
                        <button class="button" type="submit" form=FORM>
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
