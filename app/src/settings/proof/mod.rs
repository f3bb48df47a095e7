//! Settings → Proof: what is signed of the log, by which key, who keeps it elsewhere, and what the check
//! beside the server found.

mod load;
#[cfg(test)]
mod tests;
pub mod view;

use super::places::{Current, Places};
use crate::{
    frame::{Framed, Here},
    icon::Icon,
    log::{InZone, view::WhenView},
    pages::loaded,
};
use leptos::prelude::*;
use leptos_meta::Title;
use view::{CheckView, CheckpointView, KeyView, ProofView, WitnessView};

/// The proof of a workspace's, or a tenant's, log.
#[component]
pub fn ProofPage() -> impl IntoView {
    loaded(
        |asker, path, search| async move { load::proof(asker, &path, &search).await },
        |proof| view! { <Page proof/> }.into_any(),
    )
}

#[component]
fn Page(proof: ProofView) -> impl IntoView {
    let ProofView {
        of,
        zone,
        path,
        check,
        newest,
        keys,
        witnesses,
    } = proof;
    let name = of.name().to_owned();
    let title = format!("Proof, {name}");
    let heading = if of.is_tenant() {
        "Settings, all workspaces"
    } else {
        "Settings"
    };
    let places = view! { <Places frame=of.clone() zone=zone.clone() current=Current::Proof/> };
    view! {
        <Title text=title/>
        <Framed frame=of here=Here::Settings zone=zone skip=("#settings", "Skip to the settings")>
            <div class="page">
                <header class="page-head">
                    <h1>{heading}</h1>
                    <InZone words=name path=path.clone() kept=&[]/>
                </header>
                <div class="settings wide">
                    {places}
                    <div id="settings" tabindex="-1" class="proof">
                        <Check check/>
                        <Newest newest path/>
                        <Keys keys/>
                        <Witnesses witnesses/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

fn moment(at: WhenView) -> impl IntoView {
    let minute = at.clock.get(..5).unwrap_or(&at.clock).to_owned();
    view! { <time datetime=at.iso title=at.exact>{at.date} " " {minute}</time> }
}

/// What the check beside the server found.
#[component]
fn Check(check: CheckView) -> impl IntoView {
    let CheckView {
        entries,
        passed,
        checked,
        failing,
    } = check;
    let found = match (failing, passed) {
        (true, _) => view! {
            <p class="failing">
                <Icon name="warn"/>
                <strong>"Something is wrong: "</strong>
                "what was found is told above."
            </p>
        }
        .into_any(),
        (false, Some((count, at))) => view! {
            <p class="passed">
                <Icon name="check"/>
                {format!("All {count} entries of the time were found to be what was signed: ")}
                {moment(at)}
            </p>
        }
        .into_any(),
        (false, None) => view! { <p>"It has not looked at all of them yet."</p> }.into_any(),
    };
    let under_way =
        checked.map(|checked| view! { <p>{format!("It is at entry {checked} now.")}</p> });
    view! {
        <section class="setting" aria-labelledby="s-check">
            <div class="about">
                <h2 id="s-check">"Background check"</h2>
                <p>
                    "While the server runs it computes the proof again from what is recorded, from the \
                     first entry to the last, over and over."
                </p>
            </div>
            <div class="control said">
                {found}
                {under_way}
                <p class="quiet">
                    {format!("The log has {entries} entries of the whole tenant. ")}
                    "It believes the database alone: only a checkpoint that was kept elsewhere shows \
                     whether all of it was replaced."
                </p>
            </div>
        </section>
    }
    .into_any()
}

/// The newest checkpoint, to be taken along.
#[component]
fn Newest(newest: Option<CheckpointView>, path: String) -> impl IntoView {
    let download = format!("{path}/checkpoint");
    let control = match newest {
        None => {
            view! { <p>"There is none yet: one is made within a second of the first entry."</p> }
                .into_any()
        }
        Some(CheckpointView { size, at, text }) => view! {
            <p>
                {format!("Of {size} entries, made ")}
                {moment(at)}
                "."
            </p>
            <pre tabindex="0" role="region" aria-label="The newest checkpoint">
                <code id="checkpoint">{text}</code>
            </pre>
            <p class="acts">
                <button class="button needs-live" type="button" data-copy="checkpoint">
                    <Icon name="copy"/>
                    "Copy it"
                </button>
                <a class="button" href=download rel="external" download="">
                    <Icon name="export"/>
                    "Save it as a file"
                </a>
            </p>
        }
        .into_any(),
    };
    view! {
        <section class="setting" aria-labelledby="s-checkpoint">
            <div class="about">
                <h2 id="s-checkpoint">"Newest checkpoint"</h2>
                <p>
                    "How many entries there are and the hash over all of them, signed. Kept where \
                     nobody here can change it, it shows later that none of them was altered."
                </p>
            </div>
            <div class="control said">{control}</div>
        </section>
    }
    .into_any()
}

/// The keys that sign, the one of now first.
#[component]
fn Keys(keys: Vec<KeyView>) -> impl IntoView {
    let keys = keys
        .into_iter()
        .map(|key| {
            let when = match key.until {
                None => view! { "Signs since " {moment(key.from)} }.into_any(),
                Some(until) => {
                    view! { "Signed from " {moment(key.from)} " to " {moment(until)} }.into_any()
                }
            };
            view! {
                <div class="key">
                    <p>{when}</p>
                    <p>
                        <code class="long">{key.text}</code>
                    </p>
                    <p class="quiet">
                        "Fingerprint (SHA-256) "
                        <code class="long">{key.fingerprint}</code>
                    </p>
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="setting" aria-labelledby="s-key">
            <div class="about">
                <h2 id="s-key">"Public key"</h2>
                <p>
                    "By which anybody checks that a checkpoint is this log's. Write it down elsewhere: \
                     who can replace the log can replace this page."
                </p>
            </div>
            <div class="control said">{keys}</div>
        </section>
    }
    .into_any()
}

/// Who keeps checkpoints elsewhere.
#[component]
fn Witnesses(witnesses: Vec<WitnessView>) -> impl IntoView {
    if witnesses.is_empty() {
        return view! {
            <section class="listing" aria-labelledby="s-witnesses">
                <h2 id="s-witnesses">"Witnesses"</h2>
                <p>
                    "Nobody keeps checkpoints elsewhere by themselves. The operator adds who does, with "
                    <code>"daybook witness add"</code>
                    "; until then save one now and then."
                </p>
            </section>
        }
        .into_any();
    }
    let rows = witnesses
        .into_iter()
        .map(|witness| {
            let holds = match witness.holds {
                None => view! { "nothing yet" }.into_any(),
                Some((size, at)) => view! {
                    {format!("{size} entries")}
                    <p class="quiet">"since " {moment(at)}</p>
                }
                .into_any(),
            };
            let state = match witness.failing {
                None => view! { "well" }.into_any(),
                Some((since, why)) => view! {
                    <span class="tag" data-outcome="denied">
                        "takes nothing"
                    </span>
                    <p class="quiet">"since " {moment(since)} ": " {why}</p>
                }
                .into_any(),
            };
            view! {
                <tr>
                    <th scope="row">
                        <span class="strong">{witness.name}</span>
                        <p class="quiet">{witness.kind}</p>
                    </th>
                    <td data-label="Holds">{holds}</td>
                    <td data-label="State">{state}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="listing" aria-labelledby="s-witnesses">
            <h2 id="s-witnesses">"Witnesses"</h2>
            <p>"They keep checkpoints where this installation cannot change them."</p>
            <table class="list">
                <caption class="sr-only">"Who keeps checkpoints elsewhere"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Witness"</th>
                        <th scope="col">"Holds"</th>
                        <th scope="col">"State"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}
