//! The time range: presets as links, and two fields for any other.

use super::view::LogView;
use crate::{address::Links, icon::Icon, live::FORM};
use domain::question::{Filter, Range};
use leptos::prelude::*;
use std::sync::Arc;

/// The presets, and the dates where they were chosen.
#[component]
pub(super) fn RangePicker(links: Arc<Links>, log: Arc<LogView>) -> impl IntoView {
    let filter = &links.query.filter;
    let has_fault = |name| log.fault(name).is_some();
    let custom = filter.since.is_some()
        || filter.until.is_some()
        || has_fault("since")
        || has_fault("until");
    let current = |is: bool| is.then_some("true");
    let timed = |change: &dyn Fn(&mut Filter)| {
        links.filtered(|filter| {
            filter.since = None;
            filter.until = None;
            filter.range = None;
            change(filter);
        })
    };
    let presets = Range::ALL
        .map(|range| {
            let words = match range {
                Range::Day => "24 hours",
                Range::Week => "7 days",
                Range::Month => "30 days",
                Range::Quarter => "90 days",
            };
            let href = timed(&|filter| filter.range = Some(range));
            view! {
                <li>
                    <a href=href data-stay="" aria-current=current(filter.range == Some(range))>
                        <span class="sr-only">"Last "</span>
                        {words}
                    </a>
                </li>
            }
        })
        .collect_view();
    let all = timed(&|_| {});
    let chosen = if custom {
        links.closed()
    } else {
        let (since, until) = &log.dates;
        timed(&|filter| {
            filter.since = since.parse().ok();
            filter.until = until.parse().ok();
        })
    };
    let dates = custom.then(|| view! { <Dates links=links.clone() log=log.clone()/> });

    view! {
        <div class="range">
            <nav aria-label="Time range">
                <ul class="segments">
                    {presets}
                    <li>
                        <a href=all data-stay="" aria-current=current(!custom && filter.range.is_none())>
                            "All"
                        </a>
                    </li>
                    <li>
                        <a href=chosen data-stay="" aria-current=current(custom)>
                            "Custom"
                        </a>
                    </li>
                </ul>
            </nav>
            {dates}
        </div>
    }
    .into_any()
}

#[component]
fn Dates(links: Arc<Links>, log: Arc<LogView>) -> impl IntoView {
    let filter = &links.query.filter;
    let text = |moment: Option<domain::question::Moment>| {
        moment.map(|moment| moment.to_string().replace('T', " "))
    };
    let (since, until) = (text(filter.since), text(filter.until));
    view! {
        <div class="range-dates" role="group" aria-label="Dates">
            <DateField log=log.clone() name="since" label="Since" example="2026-05-11" value=since/>
            <span aria-hidden="true">"–"</span>
            <DateField log=log name="until" label="Until" example="2026-05-12" value=until/>
        </div>
    }
    .into_any()
}

#[component]
fn DateField(
    log: Arc<LogView>,
    name: &'static str,
    label: &'static str,
    example: &'static str,
    value: Option<String>,
) -> impl IntoView {
    let fault = log.fault(name);
    let wrong = fault.is_some();
    let value = fault.map_or(value, |fault| Some(fault.value.clone()));
    let id = format!("f-{name}");
    let error_id = format!("f-{name}-error");
    let described = wrong.then(|| error_id.clone());
    let hint = format!("A date, {example}, or a date and time, {example} 08:30");
    let error = wrong.then(|| {
        view! {
            <p class="error" id=error_id>
                <Icon name="warn"/>
                {format!("Not a date. {example}, or with a time.")}
            </p>
        }
    });
    view! {
        <div class="field">
            <label class="sr-only" for=id.clone()>
                {label}
            </label>
            <input
                form=FORM
                id=id
                name=name
                type="text"
                value=value.unwrap_or_default()
                placeholder=example
                title=hint
                autocomplete="off"
                aria-invalid=wrong.then_some("true")
                aria-describedby=described
            />
            {error}
        </div>
    }
    .into_any()
}
