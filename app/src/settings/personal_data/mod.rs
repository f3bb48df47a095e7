//! Settings → Personal data: what is stored about people, from where, what for, who sees it and how
//! long, for the records of processing that GDPR art. 30 asks for.

mod load;
pub mod view;

use super::places::{Current, Places};
use crate::{
    address,
    frame::{Framed, Here},
    icon::Icon,
    log::InZone,
    pages::Refused,
    viewer::Asker,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use view::{PartView, PersonalDataView};

/// What is stored about people in a workspace.
#[component]
pub fn PersonalDataPage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    view! {
        <Suspense>
            {Suspend::new(async move {
                match load::personal_data(asker, &path, &search).await {
                    Ok(data) => view! { <Page data/> }.into_any(),
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page(data: PersonalDataView) -> impl IntoView {
    let PersonalDataView {
        frame,
        zone,
        at,
        kept,
        held,
        for_good,
        parts,
    } = data;
    let name = frame.workspace.name.clone();
    let words = name.clone();
    let path = address::personal_data(&frame.workspace.path);
    let title = format!("Personal data, {name}");
    let own = address::own(&frame.workspace.path);
    let erasures = address::with_query(
        &address::audit(&frame.workspace.path),
        "action=AUDIT_CONTENT_ERASED",
    );
    let places =
        view! { <Places frame=frame.clone() zone=zone.clone() current=Current::PersonalData/> };
    let held = held.map(|words| {
        view! {
            <div class="notice warn">
                <Icon name="lock"/>
                <p>{words}</p>
            </div>
        }
    });
    let kept = kept
        .into_iter()
        .map(|words| view! { <p>{words}</p> })
        .collect_view();
    let for_good = for_good
        .into_iter()
        .map(|label| view! { <li>{label}</li> })
        .collect_view();
    let parts = parts
        .into_iter()
        .enumerate()
        .map(|(number, part)| view! { <Part number part/> })
        .collect_view();
    view! {
        <Title text=title/>
        <Framed frame=Some(frame) here=Here::Settings zone=zone skip=("#settings", "Skip to the text")>
            <div class="page">
                <header class="page-head">
                    <h1>"Settings"</h1>
                    <InZone words path kept=&[]/>
                </header>
                <div class="settings">
                    {places}
                    <div id="settings" tabindex="-1" class="personal-data">
                        <section class="setting" aria-labelledby="p-what">
                            <div class="about">
                                <h2 id="p-what">"Personal data"</h2>
                                <p>"As of " {at}</p>
                            </div>
                            <div class="control said">
                                <p>
                                    "What this installation stores about people in the workspace "
                                    <strong>{name}</strong>
                                    ", from where, what for, who sees it and for how long: for your \
                                     records of processing activities (GDPR art. 30). It is made from \
                                     the settings as they are now. Printed, it is the text alone."
                                </p>
                                <p>
                                    "Whoever runs the installation and holds its files can read all \
                                     of it. Who is responsible, where the installation stands, and who else \
                                     handles its data, such as copies of the database, is for you and \
                                     the operator to add."
                                </p>
                                {held}
                            </div>
                        </section>
                        <section class="setting" aria-labelledby="p-long">
                            <div class="about">
                                <h2 id="p-long">"How long entries are kept"</h2>
                            </div>
                            <div class="control said">
                                {kept}
                                <p>
                                    "These entries of Daybook’s own never expire, because others are \
                                     judged by them: each holds the name, address and id of who did \
                                     it, and the reason that they gave."
                                </p>
                                <ul class="for-good">{for_good}</ul>
                            </div>
                        </section>
                        {parts}
                        <section class="setting" aria-labelledby="p-rights">
                            <div class="about">
                                <h2 id="p-rights">"What people can ask for"</h2>
                            </div>
                            <div class="control said">
                                <p>
                                    <strong>"To see it. "</strong>
                                    "Every member sees what they did themselves under "
                                    <a href=own>"My activity"</a>
                                    "; for anybody else, who reads the log finds it by name, email \
                                     address or id."
                                </p>
                                <p>
                                    <strong>"To have it corrected. "</strong>
                                    "No entry is ever changed, not even by the operator: a correction \
                                     is a further entry."
                                </p>
                                <p>
                                    <strong>"To have it erased. "</strong>
                                    "This is for the operator of the installation to decide and do: a \
                                     person is taken out of all that they did or carried out, or parts \
                                     out of one entry. It is told in the log, by number and without a \
                                     name ("
                                    <a href=erasures>"what was erased here"</a>
                                    "), and a legal hold stops it."
                                </p>
                            </div>
                        </section>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// One kind of data.
#[component]
fn Part(number: usize, part: PartView) -> impl IntoView {
    let id = format!("p-part-{number}");
    let heading = id.clone();
    let facts = part
        .facts
        .into_iter()
        .map(|(name, words)| {
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd>{words}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="setting" aria-labelledby=heading>
            <div class="about">
                <h2 id=id>{part.heading}</h2>
            </div>
            <dl class="control stored">{facts}</dl>
        </section>
    }
    .into_any()
}
