//! The Blame tab: who set each field of an object, when, and what it was before; the object at a past
//! moment; and what changed between two.

mod load;
mod table;
pub(super) mod view;

use super::page::{NothingRecorded, ObjectPage, Shown};
use crate::{address, icon::Icon, log::ObjectTab, pages::loaded};
use domain::blame::Existence;
use leptos::prelude::*;
use table::{Read, strip, table};
use view::{AskedView, BlameView, KnownView, MomentView, ShownView};

/// So many of the last moments at which something changed are listed.
const LISTED: usize = 40;

/// The object at the request's address.
#[component]
pub fn Blame() -> impl IntoView {
    loaded(
        |asker, path, search| async move { load::blame(asker, &path, &search).await },
        |shown| {
            if !shown.asked.faults.is_empty() {
                crate::answer::status(400);
            }
            view! { <Page shown/> }.into_any()
        },
    )
}

#[component]
pub(super) fn Page(shown: BlameView) -> impl IntoView {
    let BlameView {
        frame,
        subject,
        object,
        zone,
        now,
        asked,
        known,
    } = shown;
    let workspace = frame.workspace.path.clone();
    let path = address::blame(&workspace, &subject);
    let called = object.name.clone();
    let title = format!("{called}, Blame");
    let is_understood = asked.faults.is_empty();
    let told = known.as_ref();
    let told = told.map(|known| (known.changes, known.moments.clone()));
    // What is not understood is said beside the field.
    let told = told.or_else(|| (!is_understood).then(Default::default));
    let moments = told.map(|(changes, moments)| {
        view! { <Moments path=path.clone() zone=zone.clone() asked=asked.clone() changes moments/> }
    });
    let below = match known {
        Some(known) => {
            let zone = zone.clone();
            view! { <Known known asked called zone now/> }.into_any()
        }
        None if is_understood => view! { <NothingRecorded id="fields"/> }.into_any(),
        None => view! { <NotUnderstood asked/> }.into_any(),
    };
    let shown = Shown {
        frame,
        object,
        zone,
        tab: ObjectTab::Blame,
        title,
        path,
        stays: &["at", "compare", "field", "removed"],
        skip: ("#fields", "Skip to the fields"),
    };
    view! {
        <ObjectPage shown>
            {moments}
            {below}
        </ObjectPage>
    }
    .into_any()
}

/// What is said where the address asks for what there cannot be, but for what its fields say.
#[component]
fn NotUnderstood(asked: AskedView) -> impl IntoView {
    let others = asked
        .faults
        .iter()
        .filter(|(name, _)| name != "at" && name != "compare");
    let said = others
        .map(|(name, reason)| view! { <p class="error">{format!("{name}: {reason}")}</p> })
        .collect_view();
    view! {
        <div id="fields" tabindex="-1">
            {said}
        </div>
    }
    .into_any()
}

/// Which moment is shown, and how another is chosen.
#[component]
fn Moments(
    path: String,
    zone: String,
    asked: AskedView,
    changes: u64,
    moments: Vec<MomentView>,
) -> impl IntoView {
    let strip = strip(&moments).into_string();
    let has_moments = !moments.is_empty();
    let words = match changes {
        1 => "1 change".to_owned(),
        changes => format!("{} changes", crate::number::grouped(changes)),
    };
    let listed = moments
        .into_iter()
        .take(LISTED)
        .map(|moment| {
            view! {
                <li>
                    <a href=moment.there aria-current=moment.is_shown.then_some("true")>
                        <time datetime=moment.when.iso title=moment.when.exact>
                            {moment.when.date}
                            " "
                            {moment.when.clock}
                        </time>
                        " "
                        <span class="quiet">{moment.what}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    let menu = has_moments.then(|| {
        view! {
            <details class="menu to-end">
                <summary class="button">{words} " " <Icon name="chevron-down"/></summary>
                <div class="menu-panel">
                    <ul>
                        <li>
                            <a href=asked.now.clone()>"Now"</a>
                        </li>
                        {listed}
                    </ul>
                </div>
            </details>
        }
    });
    let stop = (!asked.compare.is_empty()).then(|| {
        view! {
            <a class="button plain" href=asked.alone.clone()>
                "Stop comparing"
            </a>
        }
    });
    let kept = [
        ("tz", Some(zone).filter(|zone| zone != "UTC")),
        ("field", asked.field.clone()),
        ("removed", asked.removed.then(|| "true".to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        value.map(|value| view! { <input type="hidden" name=name value=value/> })
    })
    .collect_view();
    view! {
        <section class="moments" aria-label="The moment shown">
            <form method="get" action=path>
                {kept}
                <MomentField
                    name="at"
                    label="State at"
                    example="now"
                    value=asked.at.clone()
                    fault=asked.fault("at").map(str::to_owned)
                />
                <MomentField
                    name="compare"
                    label="Compare with"
                    example="another moment"
                    value=asked.compare.clone()
                    fault=asked.fault("compare").map(str::to_owned)
                />
                <button class="button" type="submit">
                    "Show"
                </button>
                {stop}
                {menu}
            </form>
            <div inner_html=strip></div>
        </section>
    }
    .into_any()
}

#[component]
fn MomentField(
    name: &'static str,
    label: &'static str,
    example: &'static str,
    value: String,
    fault: Option<String>,
) -> impl IntoView {
    let id = format!("b-{name}");
    let error_id = format!("b-{name}-error");
    let wrong = fault.is_some();
    let error = fault.map(|_| {
        view! {
            <p class="error" id=error_id.clone()>
                <Icon name="warn"/>
                "Not a date. 2026-05-12, or with a time."
            </p>
        }
    });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type="text"
                value=value
                placeholder=example
                title="A date and time, 2026-05-12 08:30, or a date, which is its end"
                autocomplete="off"
                aria-invalid=wrong.then_some("true")
                aria-describedby=wrong.then_some(error_id)
            />
            {error}
        </div>
    }
    .into_any()
}

/// What the object's events come to.
#[component]
fn Known(
    known: KnownView,
    asked: AskedView,
    called: String,
    zone: String,
    now: i64,
) -> impl IntoView {
    let gaps = known
        .gaps
        .iter()
        .map(|gap| view! { <li>{gap.clone()}</li> })
        .collect_view();
    let gaps = (!known.gaps.is_empty()).then(|| {
        view! {
            <section class="notice warn gaps" aria-label="What is not known">
                <Icon name="warn"/>
                <ul>{gaps}</ul>
            </section>
        }
    });
    let opened = asked.field.clone().map(|field| {
        let closed = asked.closed.clone();
        let until = known.at.clone().map(|at| format!(", until {at}"));
        view! {
            <header class="opened">
                <h2>"History of " <code>{field}</code> {until}</h2>
                <a href=closed>"All fields"</a>
            </header>
        }
    });
    let nothing = match (&known.shown, known.existence) {
        (ShownView::Fields(fields), existence) if fields.is_empty() => {
            Some(match (existence, &known.at) {
                (Existence::There, _) => "No entry gave a state of it.",
                (Existence::Untold, None) => "No entry tells of its state.",
                (Existence::Untold, Some(_)) => "No entry until then tells of its state.",
                (Existence::Deleted, None) => "It is not there any more.",
                (Existence::Deleted, Some(_)) => "It was not there then, as far as is recorded.",
            })
        }
        (ShownView::History(settings), _) if settings.is_empty() => {
            Some("No entry tells of this field.")
        }
        _ => None,
    };
    let gone = match known.shown {
        ShownView::Fields(_) if known.gone > 0 => {
            let words = match (asked.removed, known.gone) {
                (true, _) => "Without the fields that are gone".to_owned(),
                (false, 1) => "Show 1 field that is gone".to_owned(),
                (false, gone) => format!("Show {gone} fields that are gone"),
            };
            let other = asked.other_removed.clone();
            Some(view! { <p class="age-key"><a href=other>{words}</a></p> })
        }
        _ => None,
    };
    let body = match nothing {
        Some(words) => view! { <p class="quiet">{words}</p> }.into_any(),
        None => {
            let read = Read { now, zone: &zone };
            let all = asked.alone.clone();
            let html = table(&known, &called, &all, read).into_string();
            view! { <div class="blame-table" inner_html=html></div> }.into_any()
        }
    };
    view! {
        {gaps}
        {opened}
        <div id="fields" tabindex="-1">
            {body}
        </div>
        {gone}
    }
    .into_any()
}
