//! Settings → API tokens: which there are, making one, revoking one.

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
    log::{Command, view::WhenView},
    pages::Refused,
    viewer::Asker,
};
use change::{CreateToken, RevokeToken};
use domain::role::TokenScope;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use said::{Faults, Typed};
use store::administration::TokenState;
use view::{Created, Outcome, TokenView, TokensView};

/// The API tokens of a workspace, or of a tenant itself.
#[component]
pub fn TokensPage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    // What another form gave meanwhile, in another tab, is no secret: it is not shown as one.
    let secret = crate::answer::revealed().filter(|text| text.starts_with("dbk_"));
    view! {
        <Suspense>
            {Suspend::new(async move {
                match load::tokens(asker, &path, &search, secret).await {
                    Ok(tokens) => {
                        if tokens.faults.any() {
                            crate::answer::status(400);
                        }
                        view! { <Page tokens/> }.into_any()
                    }
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page(tokens: TokensView) -> impl IntoView {
    let TokensView {
        of,
        zone,
        today,
        tokens,
        here,
        first,
        older,
        of_tenant,
        more_of_tenant,
        tenant_page,
        outcome,
        revoking,
        typed,
        faults,
    } = tokens;
    let words = of.name().to_owned();
    let title = format!("API tokens, {}", of.name());
    let path = of.tokens();
    let is_tenant = of.is_tenant();
    let heading = if is_tenant {
        "Settings, all workspaces"
    } else {
        "Settings"
    };
    let places = view! { <Places frame=of.clone() zone=zone.clone() current=Current::Tokens/> };
    let (caption, belongs) = if is_tenant {
        (
            "The tokens of the tenant",
            "Programs send entries and ask for them with a token. Each of these is good in the \
             tenant and in all its workspaces, those to come included, and can be revoked at any \
             time; that it was created or revoked is an entry in the tenant’s own log. A program of \
             one workspace needs no more than a token of that workspace.",
        )
    } else {
        (
            "The tokens of this workspace",
            "Programs send entries and ask for them with a token. Each belongs to this workspace \
             alone and can be revoked at any time; that it was created or revoked is an entry in \
             the log.",
        )
    };
    let ask = Ask {
        path: path.clone(),
        zone: zone.clone(),
        back: here.clone(),
    };
    // One that is on another page of the list is asked for above it.
    let apart = revoking
        .clone()
        .filter(|asked| !tokens.iter().any(|token| token.id == asked.id))
        .map(|token| view! { <Confirm token ask=ask.clone()/> });
    let list = if tokens.is_empty() && first.is_none() {
        view! {
            <p class="none">
                "There are none. An application needs one to send entries: create the first below."
            </p>
        }
        .into_any()
    } else {
        view! { <List caption tokens revoking ask/> }.into_any()
    };
    let pages = (first.is_some() || older.is_some()).then(|| {
        let first = first.map(|first| {
            view! {
                <a class="button" href=first rel="first">
                    "← Newest"
                </a>
            }
        });
        let older = older.map(|older| {
            view! {
                <a class="button" href=older rel="next">
                    "More →"
                </a>
            }
        });
        view! {
            <nav class="more" aria-label="Pages of tokens">
                {first}
                {older}
            </nav>
        }
    });
    view! {
        <Title text=title/>
        <Framed frame=of here=Here::Settings zone=zone.clone() skip=("#settings", "Skip to the tokens")>
            <div class="page">
                <header class="page-head">
                    <h1>{heading}</h1>
                    <crate::log::InZone words path=path.clone() kept=&["after"]/>
                </header>
                <div class="settings wide">
                    {places}
                    <div id="settings" tabindex="-1">
                        {outcome.map(|outcome| view! { <Came outcome is_tenant/> })}
                        {faults.any().then(|| view! { <NotMade/> })}
                        {apart}
                        <section class="listing" aria-labelledby="s-tokens">
                            <div class="listing-head">
                                <h2 id="s-tokens">"API tokens"</h2>
                                <a class="button" href="#new">
                                    "New token"
                                </a>
                            </div>
                            <p>{belongs}</p>
                            {list}
                            {pages}
                        </section>
                        {(!of_tenant.is_empty())
                            .then(|| {
                                view! {
                                    <OfTenant tokens=of_tenant more=more_of_tenant page=tenant_page/>
                                }
                            })}
                        <New is_tenant path zone here today typed faults/>
                    </div>
                </div>
            </div>
        </Framed>
    }
    .into_any()
}

/// What came of the form before.
#[component]
fn Came(outcome: Outcome, is_tenant: bool) -> impl IntoView {
    let unknown = if is_tenant {
        "There is no such token of the tenant."
    } else {
        "There is no such token in this workspace."
    };
    match outcome {
        Outcome::Created(created) => view! { <Made created/> }.into_any(),
        Outcome::Revoked(token) => view! {
            <div class="notice good" role="status">
                <Icon name="check"/>
                <p>
                    <strong>{format!("“{}” is revoked.", token.name)}</strong>
                    " What is sent with it is refused from now on. The change is an entry in the \
                     log."
                </p>
            </div>
        }
        .into_any(),
        Outcome::RevokedBefore(token) => {
            let by = token
                .revoked_by
                .map(|by| format!(" by {by}"))
                .unwrap_or_default();
            let at = token.revoked.map(|at| {
                view! {
                    ", on "
                    <Moment at/>
                }
            });
            view! {
                <div class="notice" role="status">
                    <Icon name="info"/>
                    <p>
                        <strong>{format!("“{}” was revoked before{by}", token.name)}</strong> {at}
                        ". It is good for nothing since then, and nothing was left to do."
                    </p>
                </div>
            }
            .into_any()
        }
        Outcome::Unknown => view! {
            <div class="notice bad" role="alert">
                <Icon name="warn"/>
                <p>
                    <strong>{unknown}</strong>
                    " Nothing was changed. Below are those that there are."
                </p>
            </div>
        }
        .into_any(),
        Outcome::Failed => view! {
            <div class="notice bad" role="alert">
                <Icon name="warn"/>
                <p>
                    <strong>"Nothing was changed."</strong>
                    " The log cannot be written at the moment. Try again; what you typed is kept \
                     below."
                </p>
            </div>
        }
        .into_any(),
    }
}

/// A token was made: its secret, once, and how to try it.
#[component]
fn Made(created: Created) -> impl IntoView {
    let name = created.token.name;
    let Some((secret, command)) = created.secret else {
        return view! {
            <div class="notice" role="status">
                <Icon name="info"/>
                <p>
                    <strong>{format!("“{name}” was created.")}</strong>
                    " Its secret was shown once and is not kept. If nobody has it, revoke this \
                     token and create another."
                </p>
            </div>
        }
        .into_any();
    };
    let try_it = command.map(|command| {
        view! {
            <p>"To try it, paste this into a terminal:"</p>
            <Command id="token-command" label="A command that tries the token" text=command/>
        }
    });
    view! {
        <section class="notice good revealed" aria-labelledby="made">
            <Icon name="check"/>
            <h2 id="made">{format!("“{name}” is created. This is its secret:")}</h2>
            <Command id="token-secret" label="The token’s secret" text=secret/>
            <p>
                <strong>"It is shown once."</strong>
                " Only its hash is kept, so nobody can show it again. Copy it now to where it is \
                 used, and to no chat or ticket; if it is lost, revoke the token and create another."
            </p>
            {try_it}
        </section>
    }
    .into_any()
}

/// The form below says why.
#[component]
fn NotMade() -> impl IntoView {
    view! {
        <div class="notice bad" role="alert">
            <Icon name="warn"/>
            <p>
                <strong>"No token was created."</strong>
                " See below what is missing or not understood; what you typed is kept."
            </p>
            <a class="end" href="#new">
                "To the form"
            </a>
        </div>
    }
}

/// Where a question about a token is answered, and where it leads when it is not.
#[derive(Clone)]
struct Ask {
    path: String,
    zone: String,
    back: String,
}

/// Whether to revoke a token.
#[component]
fn Confirm(token: TokenView, ask: Ask) -> impl IntoView {
    let used = match token.last_used {
        Some((at, words)) => view! {
            {format!("It was last used {words}, on ")}
            <Moment at/>
            ". "
        }
        .into_any(),
        None => view! { "It was never used. " }.into_any(),
    };
    view! {
        <div class="notice warn" id="revoke" tabindex="-1" role="group" aria-labelledby="revoke-words">
            <Icon name="warn"/>
            <p>
                <strong id="revoke-words">{format!("Revoke “{}”?", token.name)}</strong>
                " "
                {used}
                "Whatever still uses it is refused from the next request on, and it cannot be \
                 made good again."
            </p>
            <form class="end acts" method="post" action=RevokeToken::url()>
                <input type="hidden" name="path" value=ask.path/>
                <input type="hidden" name="tz" value=ask.zone/>
                <input type="hidden" name="token" value=token.id/>
                <button class="button danger" type="submit">
                    "Revoke it"
                </button>
                <a class="button plain" href=ask.back>
                    "Keep it"
                </a>
            </form>
        </div>
    }
    .into_any()
}

/// The tenant's tokens, which are good here too.
#[component]
fn OfTenant(
    tokens: Vec<TokenView>,
    more: bool,
    /// The tenant's own page of them, for who administers it.
    page: Option<String>,
) -> impl IntoView {
    let more = more.then(|| {
        view! { <p>"There are more: the tenant’s own settings list all of them."</p> }
    });
    let manage = match page {
        Some(page) => view! {
            "You create and revoke them in "
            <a href=page>"the tenant’s settings"</a>
            "."
        }
        .into_any(),
        None => view! { "The tenant’s admins create and revoke them, in its settings." }.into_any(),
    };
    view! {
        <section class="listing" aria-labelledby="s-tenant">
            <h2 id="s-tenant">"Tokens of the tenant"</h2>
            <p>
                "They are good in all its workspaces, this one included. "
                {manage}
            </p>
            <List caption="The tokens of the tenant" tokens/>
            {more}
        </section>
    }
    .into_any()
}

/// Tokens, as a table; without acts where none can be revoked here.
#[component]
fn List(
    caption: &'static str,
    tokens: Vec<TokenView>,
    /// The token that is to be revoked, if somebody says so once more.
    #[prop(optional_no_strip)]
    revoking: Option<TokenView>,
    #[prop(optional, into)] ask: Option<Ask>,
) -> impl IntoView {
    let acts = ask
        .is_some()
        .then(|| view! { <th scope="col"><span class="sr-only">"Revoke"</span></th> });
    let rows = tokens
        .into_iter()
        .map(|token| {
            let asked = revoking
                .clone()
                .filter(|asked| asked.id == token.id)
                .zip(ask.clone())
                .map(|(token, ask)| {
                    view! {
                        <tr class="asked">
                            <td colspan="6">
                                <Confirm token ask/>
                            </td>
                        </tr>
                    }
                });
            view! {
                <Row token acts=ask.is_some()/>
                {asked}
            }
        })
        .collect_view();
    view! {
        <table class="list">
            <caption class="sr-only">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"Token"</th>
                    <th scope="col">"May"</th>
                    <th scope="col">"Created"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col">"Good until"</th>
                    {acts}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(token: TokenView, acts: bool) -> impl IntoView {
    let gone = (token.state != TokenState::Good).then_some("gone");
    let scopes = token
        .scopes
        .iter()
        .map(|scope| view! { <li><code>{*scope}</code></li> })
        .collect_view();
    let oldest = token
        .oldest
        .map(|words| view! { <p class="quiet">{words}</p> });
    let made_by = token
        .created_by
        .map(|by| view! { <p class="quiet">"by " {by}</p> });
    let used = match token.last_used {
        Some((at, words)) => {
            view! { <time datetime=at.iso title=at.exact>{words}</time> }.into_any()
        }
        None => view! { "never" }.into_any(),
    };
    let until = match (token.revoked, token.expires) {
        (Some(at), _) => {
            let by = token
                .revoked_by
                .map(|by| view! { <p class="quiet">"by " {by}</p> });
            view! {
                <span class="tag" data-outcome="denied">
                    "revoked"
                </span>
                " "
                <Moment at/>
                {by}
            }
            .into_any()
        }
        (None, Some(at)) => {
            let expired = (token.state == TokenState::Expired).then(|| {
                view! {
                    <span class="tag" data-outcome="denied">
                        "expired"
                    </span>
                    " "
                }
            });
            view! {
                {expired}
                <Moment at/>
            }
            .into_any()
        }
        (None, None) => view! { "no end" }.into_any(),
    };
    let name = match token.history {
        Some(history) => view! {
            <a class="strong" href=history title="What the log knows of it">
                {token.name.clone()}
            </a>
        }
        .into_any(),
        None => view! { <span class="strong">{token.name.clone()}</span> }.into_any(),
    };
    let id = token.id.clone();
    let acts = acts.then(|| {
        let revoke = token.revoke.map(|revoke| {
            view! {
                <a class="button danger" href=revoke>
                    "Revoke"
                    <span class="sr-only">{format!(" “{}”", token.name)}</span>
                </a>
            }
        });
        view! { <td class="acts">{revoke}</td> }
    });
    view! {
        <tr class=gone data-token=id>
            <th scope="row">
                {name}
                <code class="quiet">{token.id}</code>
            </th>
            <td data-label="May">
                <ul>{scopes}</ul>
                {oldest}
            </td>
            <td data-label="Created">
                <Moment at=token.created/>
                {made_by}
            </td>
            <td data-label="Last used">{used}</td>
            <td data-label="Good until">{until}</td>
            {acts}
        </tr>
    }
    .into_any()
}

/// A moment to the minute, and exactly for who looks closer.
#[component]
pub(in crate::settings) fn Moment(at: WhenView) -> impl IntoView {
    let minute = at.clock.get(..5).unwrap_or(&at.clock).to_owned();
    view! {
        <time datetime=at.iso title=at.exact>
            {at.date}
            " "
            {minute}
        </time>
    }
}

/// What each scope opens.
const fn words(scope: TokenScope, is_tenant: bool) -> &'static str {
    match scope {
        TokenScope::EventsRead if is_tenant => {
            "Ask for the entries of the tenant and of all its workspaces, with everything in them."
        }
        TokenScope::EventsWrite => "Send entries. What an application needs, and all that most do.",
        TokenScope::EventsRead => {
            "Ask for the entries of this workspace: all of them, with everything in them."
        }
        TokenScope::EventsExport => "Take the entries away as a file.",
        TokenScope::ActorsWrite => {
            "Label people of your application as deactivated, on all their entries."
        }
        TokenScope::EventsUnredacted => {
            "Send entries whose passwords and keys are recorded as they are, where it asks for \
             that. Few need it."
        }
    }
}

/// The form for a new token.
#[component]
fn New(
    /// Whether it is a token of a whole tenant.
    is_tenant: bool,
    path: String,
    zone: String,
    /// Where the page is without what was typed.
    here: String,
    today: String,
    typed: Typed,
    faults: Faults,
) -> impl IntoView {
    let described = |hint: &str, id: &str, wrong: bool| {
        if wrong {
            format!("{id}-error {hint}")
        } else {
            hint.to_owned()
        }
    };
    let invalid = |fault: &Option<String>| fault.is_some().then_some("true");
    let wrong = |id: &'static str, fault: Option<String>| {
        fault.map(|words| view! { <Wrong id=format!("{id}-error") words/> })
    };
    let name_described = described("t-name-hint", "t-name", faults.name.is_some());
    let expires_described = described("t-expires-hint", "t-expires", faults.expires.is_some());
    let oldest_described = described("t-oldest-hint", "t-oldest", faults.oldest.is_some());
    let (name_invalid, expires_invalid, oldest_invalid) = (
        invalid(&faults.name),
        invalid(&faults.expires),
        invalid(&faults.oldest),
    );
    let scopes_described = faults.scopes.is_some().then_some("t-scopes-error");
    let scopes = TokenScope::ALL
        .map(|scope| {
            let chosen = typed.scopes.iter().any(|chosen| chosen == scope.as_str());
            let id = format!("t-{}", scope.as_str().replace(':', "-"));
            let hint = format!("{id}-hint");
            view! {
                <div class="choice">
                    <input
                        type="checkbox"
                        id=id.clone()
                        name="scopes[]"
                        value=scope.as_str()
                        checked=chosen
                        aria-describedby=hint.clone()
                    />
                    <label for=id>
                        <code>{scope.as_str()}</code>
                    </label>
                    <p class="hint" id=hint>
                        {words(scope, is_tenant)}
                    </p>
                </div>
            }
        })
        .collect_view();
    view! {
        <form id="new" method="post" action=CreateToken::url() aria-labelledby="s-new">
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            <section class="setting" aria-labelledby="s-new">
                <div class="about">
                    <h2 id="s-new">"New token"</h2>
                    <p>"One for each program: then each can be revoked without stopping others."</p>
                    <p>"Its secret is shown once, on the page that comes next."</p>
                </div>
                <div class="control">
                    <div class="field">
                        <label for="t-name">"Name"</label>
                        <input
                            id="t-name"
                            name="name"
                            type="text"
                            value=typed.name
                            maxlength="200"
                            required
                            autocomplete="off"
                            spellcheck="false"
                            aria-invalid=name_invalid
                            aria-describedby=name_described
                        />
                        {wrong("t-name", faults.name)}
                        <p class="hint" id="t-name-hint">
                            "What uses it, such as “billing” or “ci”. It tells tokens apart, here \
                             and in the log."
                        </p>
                    </div>
                    <fieldset class="field" aria-describedby=scopes_described>
                        <legend class="label">"What it may do"</legend>
                        {wrong("t-scopes", faults.scopes)}
                        {scopes}
                    </fieldset>
                    <div class="field">
                        <label for="t-expires">"Last day, if it has one"</label>
                        <input
                            id="t-expires"
                            name="expires"
                            type="date"
                            min=today
                            max="9999-12-31"
                            value=typed.expires
                            aria-invalid=expires_invalid
                            aria-describedby=expires_described
                        />
                        {wrong("t-expires", faults.expires)}
                        <p class="hint" id="t-expires-hint">
                            "Good to the end of that day in UTC; without one, until it is revoked."
                        </p>
                    </div>
                    <div class="field">
                        <label for="t-oldest">"Oldest entry that it may send, in days"</label>
                        <input
                            id="t-oldest"
                            name="oldest"
                            type="number"
                            min="1"
                            max="36500"
                            value=typed.oldest
                            aria-invalid=oldest_invalid
                            aria-describedby=oldest_described
                        />
                        {wrong("t-oldest", faults.oldest)}
                        <p class="hint" id="t-oldest-hint">
                            "A leaked token must not rewrite last month: what says that it occurred \
                             more days ago is refused. Leave it empty for one that brings an old \
                             log in; then it may send as far back as the workspace keeps entries."
                        </p>
                    </div>
                </div>
            </section>
            <div class="save">
                <button class="button primary" type="submit">
                    "Create token"
                </button>
                <a class="button plain" href=here>
                    "Discard"
                </a>
                <span>"A new token is an entry in the log."</span>
            </div>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests;
