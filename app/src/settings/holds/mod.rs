//! Settings → Audit log: the legal hold that stands, placing and lifting one, and those of the past.

mod change;
pub(super) mod load;
pub mod said;
pub mod view;

use super::Wrong;
use crate::{icon::Icon, log::view::WhenView, textarea::inside_textarea};
use change::{LiftHold, PlaceHold};
use leptos::{prelude::*, server_fn::ServerFn};
use said::Came;
use store::holds::{REASON_MOST, Reason};
use view::{HoldView, HoldsView, PastHoldView};

/// The section on legal holds.
#[component]
pub(super) fn Holds(holds: HoldsView, may_change: bool, path: String) -> impl IntoView {
    let HoldsView {
        zone,
        standing,
        past,
        newest,
        earlier,
        said,
    } = holds;
    let stands = standing.is_some();
    let came = said
        .outcome
        .map(|came| view! { <Outcome came stands typed=said.typed.clone()/> });
    // What was typed belongs to the form that it was typed into, if that is still there.
    let typed = match said.outcome {
        Some(Came::NoPlacingReason) if !stands => Some(said.typed.clone()),
        Some(Came::NoLiftingReason) if stands => Some(said.typed.clone()),
        Some(Came::Failed) => Some(said.typed.clone()),
        _ => None,
    }
    .unwrap_or_default();
    let is_fault = said.is_fault() && (said.outcome == Some(Came::NoLiftingReason)) == stands;
    let state = match &standing {
        Some(hold) => view! { <Standing hold=hold.clone() zone=zone.clone()/> }.into_any(),
        None => view! { <p class="plan">"No legal hold stands."</p> }.into_any(),
    };
    let form = may_change.then(|| {
        view! { <Form stands typed is_fault path=path.clone() zone=zone.clone()/> }
    });
    view! {
        <section class="setting" id="hold" aria-labelledby="s-hold">
            <div class="about">
                <h2 id="s-hold">"Legal hold"</h2>
                <p>
                    "While one stands, nothing of this workspace is deleted by any path, nor \
                     anything of the tenant’s own log: not by retention, and not on anybody’s \
                     request."
                </p>
                <p>
                    "Owners place and lift it. Both are entries that never expire, and the Audit \
                     page shows who placed it, when and why."
                </p>
            </div>
            <div class="control">
                {came}
                {state}
                {form}
                <Past past newest earlier/>
            </div>
        </section>
    }
    .into_any()
}

/// What came of the form before.
#[component]
fn Outcome(came: Came, stands: bool, typed: String) -> impl IntoView {
    let good = |words: &'static str| {
        view! {
            <div class="notice good" role="status">
                <Icon name="check"/>
                <p>{words}</p>
            </div>
        }
        .into_any()
    };
    let bad = |strong: &'static str, words: String| {
        view! {
            <div class="notice bad" role="alert">
                <Icon name="warn"/>
                <p>
                    <strong>{strong}</strong>
                    " "
                    {words}
                </p>
            </div>
        }
        .into_any()
    };
    let kept = if typed.is_empty() {
        String::new()
    } else {
        format!(" You had written: “{typed}”")
    };
    match (came, stands) {
        // An address that was kept says only what is so.
        (Came::Placed, false) | (Came::Lifted, true) => ().into_any(),
        (Came::Placed, true) => good(
            "The legal hold stands. From now on nothing is deleted. It is an entry in the log.",
        ),
        (Came::Lifted, false) => good(
            "The legal hold is lifted. What has expired is deleted again. It is an entry in the log.",
        ),
        (Came::NoPlacingReason | Came::NoLiftingReason, _) => bad(
            "Nothing was changed.",
            "See below what is missing; what you wrote is kept.".to_owned(),
        ),
        (Came::Stands, _) => bad(
            "A legal hold stands already; none was added.",
            format!("Somebody placed it before you did, and nothing is deleted.{kept}"),
        ),
        (Came::NoneStands, _) => bad(
            "There was no legal hold to lift.",
            format!("Somebody lifted it before you did; nothing was changed.{kept}"),
        ),
        (Came::Failed, _) => bad(
            "Nothing was changed.",
            "The log cannot be written at the moment. Try again; what you wrote is kept below."
                .to_owned(),
        ),
    }
}

/// The hold that stands.
#[component]
fn Standing(hold: HoldView, zone: String) -> impl IntoView {
    let HoldView { reason, by, at } = hold;
    view! {
        <div class="notice warn" data-hold="">
            <Icon name="lock"/>
            <p>
                <strong>"A legal hold stands."</strong>
                {format!(" {by} placed it on ")}
                <time datetime=at.iso>{at.date} " " {at.clock}</time>
                {format!(" {zone}: “{reason}”")}
            </p>
        </div>
    }
    .into_any()
}

/// Places a hold, or lifts the one that stands.
#[component]
fn Form(stands: bool, typed: String, is_fault: bool, path: String, zone: String) -> impl IntoView {
    let (action, label, button, class, hint) = if stands {
        (
            LiftHold::url(),
            "Why it is lifted",
            "Lift the legal hold",
            "button danger",
            "What has expired meanwhile is deleted soon after. Everybody who reads the log reads the \
             reason, and it stays there for good.",
        )
    } else {
        (
            PlaceHold::url(),
            "Why it is placed",
            "Place a legal hold",
            "button",
            "Such as the matter and its number. Everybody who reads the log reads the reason, and it \
             stays there for good.",
        )
    };
    let fault = is_fault.then(|| match typed.parse::<Reason>() {
        Err(error) => {
            let words = error.to_string();
            let mut letters = words.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), letters.as_str())
        }
        // An address that was kept: what was typed is good now.
        Ok(_) => "Nothing was changed yet: send it again.".to_owned(),
    });
    let described = if fault.is_some() {
        "h-reason-error h-reason-hint"
    } else {
        "h-reason-hint"
    };
    let invalid = fault.is_some().then_some("true");
    let error = fault.map(|words| view! { <Wrong id="h-reason-error" words/> });
    view! {
        <form class="control" method="post" action=action>
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            <div class="field">
                <label for="h-reason">{label}</label>
                <textarea
                    id="h-reason"
                    name="reason"
                    rows="3"
                    maxlength=REASON_MOST.to_string()
                    required
                    aria-invalid=invalid
                    aria-describedby=described
                >
                    {inside_textarea(&typed)}
                </textarea>
                {error}
                <p class="hint" id="h-reason-hint">
                    {hint}
                </p>
            </div>
            <div class="acts">
                <button class=class type="submit">
                    {button}
                </button>
            </div>
        </form>
    }
    .into_any()
}

/// Holds that were lifted.
#[component]
fn Past(past: Vec<PastHoldView>, newest: Option<String>, earlier: Option<String>) -> impl IntoView {
    if past.is_empty() && newest.is_none() {
        return ().into_any();
    }
    let moment = |at: WhenView| {
        view! { <time datetime=at.iso title=at.exact>{at.date} " " {at.clock}</time> }
    };
    let rows = past
        .into_iter()
        .map(|PastHoldView { placed, lifted }| {
            view! {
                <li>
                    <p>
                        {format!("{} placed it on ", placed.by)} {moment(placed.at)}
                        {format!(": “{}”", placed.reason)}
                    </p>
                    <p>
                        {format!("{} lifted it on ", lifted.by)} {moment(lifted.at)}
                        {format!(": “{}”", lifted.reason)}
                    </p>
                </li>
            }
        })
        .collect_view();
    let link = |there: Option<String>, words: &'static str| {
        there.map(|there| view! { <a class="button" href=there>{words}</a> })
    };
    let pages = (newest.is_some() || earlier.is_some()).then(|| {
        view! {
            <nav class="acts" aria-label="Pages of past legal holds">
                {link(newest, "← Newest")}
                {link(earlier, "Earlier →")}
            </nav>
        }
    });
    view! {
        <h3>"Past legal holds"</h3>
        <ol class="past-holds">{rows}</ol>
        {pages}
    }
    .into_any()
}
