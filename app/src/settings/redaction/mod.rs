//! Settings → Redaction: what is taken out of events before they are recorded.

mod change;
mod load;
pub mod said;
pub mod view;

use super::{
    Wrong,
    places::{Current, Places},
};
use crate::{
    frame::{Framed, Here},
    icon::Icon,
    log::InZone,
    pages::Refused,
    textarea::inside_textarea,
    viewer::Asker,
};
use change::{AddRedaction, RemoveRedaction};
use domain::redaction::Added;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use said::{Came, Faults, TYPED_MOST, Typed};
use view::RedactionView;

/// What a workspace has taken out at the door.
#[component]
pub fn RedactionPage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    view! {
        <Suspense>
            {Suspend::new(async move {
                match load::redaction(asker, &path, &search).await {
                    Ok(redaction) => {
                        if redaction.faults.any() {
                            crate::answer::status(400);
                        }
                        view! { <Page redaction/> }.into_any()
                    }
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page(redaction: RedactionView) -> impl IntoView {
    let RedactionView {
        frame,
        may_change,
        zone,
        here,
        names,
        places,
        history,
        outcome,
        was_sent,
        typed,
        faults,
    } = redaction;
    let words = frame.workspace.name.clone();
    let title = format!("Redaction, {}", frame.workspace.name);
    let path = crate::address::redaction(&frame.workspace.path);
    let page = path.clone();
    let beside =
        view! { <Places frame=frame.clone() zone=zone.clone() current=Current::Redaction/> };
    let read_only = (!may_change).then(|| {
        view! {
            <div class="notice">
                <Icon name="info"/>
                <p>"You see what is taken out and cannot change it: owners do."</p>
            </div>
        }
    });
    let in_vain = (outcome.is_none() && was_sent).then(|| view! { <NotSaved/> });
    let remove = may_change.then(|| Removing {
        path: path.clone(),
        zone: zone.clone(),
    });
    let form = may_change.then(|| {
        view! { <Add path zone=zone.clone() here typed faults/> }
    });
    view! {
        <Title text=title/>
        <Framed
            frame=Some(frame)
            here=Here::Settings
            zone=zone.clone()
            skip=("#settings", "Skip to redaction")
        >
            <div class="page">
                <header class="page-head">
                    <h1>"Settings"</h1>
                    <InZone words path=page kept=&[]/>
                </header>
                {read_only}
                <div class="settings">
                    {beside}
                    <div id="settings" tabindex="-1">
                        {outcome.map(|came| view! { <Outcome came/> })}
                        {in_vain}
                        <section class="listing" aria-labelledby="s-redaction">
                            <h2 id="s-redaction">"Redaction"</h2>
                            <p>
                                "What is taken out of an entry’s before, after, metadata and \
                                 context never reaches the disk. In its place stands a mark, which \
                                 tells whether a value is the same as another of this workspace, \
                                 and not what it is. Nobody can read it back."
                            </p>
                            <p>
                                <strong>"A change holds for what is recorded from then on."</strong>
                                " What is in the log already stays as it was recorded."
                            </p>
                        </section>
                        <Listed
                            id="names"
                            title="Names that this workspace adds"
                            none="There are none."
                            field="name"
                            all=names
                            remove=remove.clone()
                        />
                        <Listed
                            id="paths"
                            title="Paths that this workspace adds"
                            none="There are none."
                            field="place"
                            all=places
                            remove=remove
                        />
                        <p class="quiet history">{history}</p>
                        {form}
                        <BuiltIn/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// What came of the form before.
#[component]
fn Outcome(came: Came) -> impl IntoView {
    let (class, icon, role, strong, rest) = match came {
        Came::Saved => (
            "notice good",
            "check",
            "status",
            "Saved.",
            "It holds for what is recorded from now on. The change is an entry in the log.",
        ),
        Came::Same => (
            "notice",
            "info",
            "status",
            "It is so already.",
            "Nothing was changed.",
        ),
        // The form says of which.
        Came::TooMany => (
            "notice bad",
            "warn",
            "alert",
            "Nothing was changed.",
            "There would be too many.",
        ),
        Came::Failed => (
            "notice bad",
            "warn",
            "alert",
            "Nothing was changed.",
            "The log cannot be written at the moment. Try again; what you typed is kept below.",
        ),
    };
    view! {
        <div class=class role=role>
            <Icon name=icon/>
            <p>
                <strong>{strong}</strong>
                " "
                {rest}
            </p>
        </div>
    }
    .into_any()
}

/// The form below says why.
#[component]
fn NotSaved() -> impl IntoView {
    view! {
        <div class="notice bad" role="alert">
            <Icon name="warn"/>
            <p>
                <strong>"Nothing was changed."</strong>
                " See below what is missing or not understood; what you typed is kept."
            </p>
            <a class="end" href="#add">
                "To the form"
            </a>
        </div>
    }
}

/// Where a form that removes one leads.
#[derive(Clone)]
struct Removing {
    path: String,
    zone: String,
}

/// Names or paths, each with the button that removes it, where that may be.
#[component]
fn Listed(
    id: &'static str,
    title: &'static str,
    none: &'static str,
    /// The field that names one in the form.
    field: &'static str,
    all: Vec<String>,
    #[prop(optional_no_strip)] remove: Option<Removing>,
) -> impl IntoView {
    let heading = format!("s-{id}");
    let labelled = heading.clone();
    let body = if all.is_empty() {
        view! { <p class="none">{none}</p> }.into_any()
    } else {
        let items = all
            .into_iter()
            .map(|one| {
                let button = remove.clone().map(|Removing { path, zone }| {
                    view! {
                        <form method="post" action=RemoveRedaction::url()>
                            <input type="hidden" name="path" value=path/>
                            <input type="hidden" name="tz" value=zone/>
                            <input type="hidden" name=field value=one.clone()/>
                            <Removal one=one.clone()/>
                        </form>
                    }
                });
                view! {
                    <li>
                        <code>{one}</code>
                        {button}
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="taken-out">{items}</ul> }.into_any()
    };
    view! {
        <section class="listing" id=id aria-labelledby=labelled>
            <h2 id=heading>{title}</h2>
            {body}
        </section>
    }
    .into_any()
}

/// Removes a name or a path, once it was said what that means.
#[component]
fn Removal(one: String) -> impl IntoView {
    let of = format!(" {one}");
    let named = of.clone();
    view! {
        <details class="removal">
            <summary class="button">"Remove…" <span class="sr-only">{of}</span></summary>
            <div class="notice warn">
                <Icon name="warn"/>
                <p>
                    <strong>{format!("No longer take out {one}?")}</strong>
                    " What is sent from now on is recorded as it is, unless something else on this \
                     page covers it, and stays readable in the log: adding this again later does not \
                     take it out. Marks that are in the log already stay marks."
                </p>
                <div class="end acts">
                    <button class="button danger" type="submit">
                        "Remove it"
                        <span class="sr-only">{named}</span>
                    </button>
                </div>
            </div>
        </details>
    }
    .into_any()
}

/// The form that adds names and paths.
#[component]
fn Add(path: String, zone: String, here: String, typed: Typed, faults: Faults) -> impl IntoView {
    view! {
        <form id="add" method="post" action=AddRedaction::url() aria-labelledby="s-add">
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            <section class="setting" aria-labelledby="s-add">
                <div class="about">
                    <h2 id="s-add">"Take out more"</h2>
                    <p>
                        {format!(
                            "Up to {} names and {} paths, one a line.",
                            Added::NAMES_MOST,
                            Added::PLACES_MOST,
                        )}
                    </p>
                </div>
                <div class="control">
                    <Lines
                        id="r-names"
                        name="names"
                        label="Names of members"
                        value=typed.names
                        fault=faults.names
                    >
                        "Compared word by word, in any notation: "
                        <code>"national_id"</code>
                        " is also "
                        <code>"nationalId"</code>
                        " and "
                        <code>"old_national_id"</code>
                        ", at any depth."
                    </Lines>
                    <Lines
                        id="r-paths"
                        name="paths"
                        label="Paths"
                        value=typed.paths
                        fault=faults.paths
                    >
                        "Exactly there: "
                        <code>"metadata.customer.iban"</code>
                        ", "
                        <code>"after.cards[0].number"</code>
                        "; "
                        <code>"after.cards[].number"</code>
                        " is that of every element of the list. A name with other signs is quoted: "
                        <code>"context[\"x-user\"]"</code>
                        "."
                    </Lines>
                </div>
            </section>
            <div class="save">
                <button class="button primary" type="submit">
                    "Add them"
                </button>
                <a class="button plain" href=here>
                    "Discard"
                </a>
                <span>"Each change is an entry in the log."</span>
            </div>
        </form>
    }
    .into_any()
}

/// A field of several lines, with what is wrong and a hint.
#[component]
fn Lines(
    id: &'static str,
    name: &'static str,
    label: &'static str,
    value: String,
    fault: Option<String>,
    children: Children,
) -> impl IntoView {
    let (hint, error) = (format!("{id}-hint"), format!("{id}-error"));
    let invalid = fault.is_some().then_some("true");
    let described = if fault.is_some() {
        format!("{error} {hint}")
    } else {
        hint.clone()
    };
    let wrong = fault.map(|words| view! { <Wrong id=error words/> });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <textarea
                id=id
                name=name
                rows="4"
                maxlength=TYPED_MOST.to_string()
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                aria-invalid=invalid
                aria-describedby=described
            >
                {inside_textarea(&value)}
            </textarea>
            {wrong}
            <p class="hint" id=hint>
                {children()}
            </p>
        </div>
    }
    .into_any()
}

/// What is taken out in every workspace, in words.
#[component]
fn BuiltIn() -> impl IntoView {
    let examples = |all: &'static [&'static str]| {
        all.iter()
            .map(|name| view! { <code>{*name}</code> " " })
            .collect_view()
    };
    view! {
        <section class="listing" aria-labelledby="s-built-in">
            <h2 id="s-built-in">"Taken out everywhere"</h2>
            <p>
                "Values whose name says that they are credentials, in every notation "
                "(password, dbPassword, DB-PASSWORD) and at any depth:"
            </p>
            <dl class="facts built-in">
                <div>
                    <dt>"Passwords"</dt>
                    <dd>
                        {examples(
                            &["password", "passphrase", "passcode", "pwd", "pin", "password_hash"],
                        )}
                    </dd>
                </div>
                <div>
                    <dt>"Secrets and tokens"</dt>
                    <dd>
                        {examples(
                            &[
                                "client_secret",
                                "webhook_secret",
                                "access_token",
                                "refresh_token",
                                "id_token",
                                "jwt",
                                "bearer",
                                "csrf",
                            ],
                        )}
                    </dd>
                </div>
                <div>
                    <dt>"Keys"</dt>
                    <dd>
                        {examples(
                            &[
                                "api_key",
                                "privateKey",
                                "access_key",
                                "signing_key",
                                "encryption_key",
                                "ssh_key",
                                "license_key",
                                "pem",
                            ],
                        )}
                    </dd>
                </div>
                <div>
                    <dt>"Codes"</dt>
                    <dd>
                        {examples(
                            &[
                                "otp",
                                "mfa_code",
                                "recovery_code",
                                "backup_code",
                                "seed_phrase",
                                "cvv",
                            ],
                        )}
                    </dd>
                </div>
                <div>
                    <dt>"What signs in"</dt>
                    <dd>
                        {examples(
                            &[
                                "authorization",
                                "cookie",
                                "credentials",
                                "session_key",
                                "connection_string",
                                "database_url",
                                "dsn",
                                "reset_link",
                            ],
                        )}
                    </dd>
                </div>
            </dl>
            <p>
                "Not what is only said about one: "
                {examples(
                    &[
                        "secret_name",
                        "token_id",
                        "password_changed_at",
                        "max_tokens",
                        "has_password",
                        "public_key",
                    ],
                )}
                "stay. So do null, true, false and what is empty: they tell whether there is a \
                 value. What a name and a value standing side by side say ({\"name\": \"password\", \
                 \"value\": …}) is understood too."
            </p>
            <p>
                "An application whose API token has "
                <code>"events:unredacted"</code>
                " may ask for its entries to be recorded as they are; then nothing is taken out, "
                "what this workspace adds included."
            </p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests;
