//! What a log says when it has something to say.

use super::{
    About,
    ledger::Columns,
    row::Rows,
    view::{CountView, EntryView, HoldNoticeView, LogView, NoticesView, RelaxedView, WithinView},
};
use crate::{
    address::Links,
    icon::Icon,
    live::TROUBLE,
    number::{entries, grouped},
};
use domain::{
    question::{Fault, Filter},
    slug::WorkspacePath,
};
use leptos::prelude::*;
use std::sync::Arc;

/// For when the server does not answer, or its log cannot be read: what was on screen stays then,
/// and the browser shows this, with the reason.
#[component]
pub(super) fn Trouble(read_at: String) -> impl IntoView {
    view! {
        <div class="notice bad" id=TROUBLE role="alert" hidden>
            <Icon name="warn"/>
            <p>
                <strong></strong>
                " "
                <span></span>
                {format!(" What you see is from {read_at}. Nothing is lost; try again.")}
            </p>
            <a class="button end" href="" data-retry="">
                "Try again"
            </a>
        </div>
    }
    .into_any()
}

/// Recording is off; a shorter retention waits; a legal hold stands.
#[component]
pub(super) fn Notices(
    notices: NoticesView,
    /// Of which workspace, on a page of several.
    #[prop(optional, into)]
    of: Option<String>,
    /// Settings, for those who may see them.
    settings: Option<String>,
    zone: String,
) -> impl IntoView {
    let link = move || {
        settings.clone().map(|settings| {
            view! {
                <a class="end" href=settings>
                    "Settings"
                </a>
            }
        })
    };
    let of = of.map(|name| format!(" in {name}")).unwrap_or_default();
    let off = notices.recording_off.map(|(by, at)| {
        view! {
            <div class="notice warn">
                <Icon name="pause"/>
                <p>
                    <strong>{format!("Recording is off{of}.")}</strong>
                    {format!(" {by} turned it off on ")}
                    <time datetime=at.iso>{at.date} " " {at.clock}</time>
                    {format!(" {zone}. What applications send since then is not kept.")}
                </p>
                {link()}
            </div>
        }
    });
    let held = notices.hold.is_some();
    let pending = notices.pending.map(|(retention, from, by)| {
        let then = if held {
            format!(
                " {zone} on, older entries expire, but nothing is deleted while the legal hold \
                 stands. Any owner can cancel it until then.",
            )
        } else {
            format!(" {zone} on, older entries are deleted. Any owner can cancel it until then.")
        };
        view! {
            <div class="notice warn">
                <Icon name="history"/>
                <p>
                    <strong>{format!("A shorter retention is waiting{of}.")}</strong>
                    {format!(" {by} asked for {retention}. From ")}
                    <time datetime=from.iso>{from.date} " " {from.clock}</time>
                    {then}
                </p>
                {link()}
            </div>
        }
    });
    let hold = notices.hold.map(|HoldNoticeView { by, at, reason }| {
        view! {
            <div class="notice warn" data-hold="">
                <Icon name="lock"/>
                <p>
                    <strong>{format!("A legal hold stands{of}.")}</strong>
                    {format!(" {by} placed it on ")}
                    <time datetime=at.iso>{at.date} " " {at.clock}</time>
                    {format!(" {zone}: “{reason}” While it stands, nothing is deleted.")}
                </p>
                {link()}
            </div>
        }
    });
    view! {
        {off}
        {pending}
        {hold}
    }
    .into_any()
}

/// The same of a tenant's workspaces, each with its settings.
#[component]
pub(super) fn Within(within: WithinView, zone: String) -> impl IntoView {
    let WithinView { told, more } = within;
    let told = told
        .into_iter()
        .map(|(name, settings, notices)| {
            view! { <Notices notices of=name settings=Some(settings) zone=zone.clone()/> }
        })
        .collect::<Vec<_>>();
    let more = (more > 0).then(|| {
        let workspaces = if more == 1 { "workspace" } else { "workspaces" };
        view! {
            <div class="notice warn">
                <Icon name="info"/>
                <p>
                    {format!(
                        "The same holds of {more} more {workspaces}: recording is off, a shorter \
                         retention is waiting, or a legal hold stands. Their own pages say which.",
                    )}
                </p>
            </div>
        }
    });
    view! {
        {told}
        {more}
    }
    .into_any()
}

/// Parameters with a field of their own, which say beside it what is wrong.
const BESIDE_FIELDS: [&str; 10] = [
    "q",
    "workspace",
    "actor",
    "action",
    "verb",
    "target_kind",
    "outcome",
    "since",
    "until",
    "tz",
];

/// What was given, and what is wrong with it.
pub(super) fn told(fault: &Fault) -> String {
    // Some reasons name the value themselves.
    if fault.reason.starts_with('"') {
        fault.reason.clone()
    } else {
        format!("“{}” {}", fault.value, fault.reason)
    }
}

/// What is wrong with parameters that have no field, and that something is.
#[component]
pub(super) fn Faults(log: Arc<LogView>, about: About) -> impl IntoView {
    if log.faults.is_empty() {
        return None;
    }
    let (beside, apart): (Vec<_>, Vec<_>) = log.faults.iter().partition(|fault| {
        BESIDE_FIELDS.contains(&&*fault.parameter) && about.has_field(&fault.parameter)
    });
    let names: Vec<&str> = beside.iter().map(|fault| &*fault.parameter).collect();
    let apart = apart
        .into_iter()
        .map(|fault| {
            view! {
                <span class="fault">
                    <code>{fault.parameter.clone()}</code>
                    {format!(" {}. ", told(fault))}
                </span>
            }
        })
        .collect::<Vec<_>>();
    let beside = (!names.is_empty()).then(|| format!("See {} below. ", names.join(", ")));
    Some(view! {
        <div class="notice bad" role="alert">
            <Icon name="warn"/>
            <p>
                <strong>"Part of this address could not be understood."</strong>
                " "
                {apart}
                {beside}
                "The entries shown are those that the rest of it asks for."
            </p>
        </div>
    })
}

/// The address opens an entry that is not on this page: it is shown all the same.
#[component]
pub(super) fn Apart(
    links: Arc<Links>,
    open: String,
    entry: Option<EntryView>,
    about: About,
    now: i64,
) -> impl IntoView {
    let close = links.closed();
    match entry {
        Some(entry) => {
            let rows = Rows { links, about, now };
            let row = rows
                .row(&entry.row, Some(&open), Some(&entry))
                .into_string();
            view! {
                <section
                    class="apart-entry"
                    data-apart=""
                    aria-label="The entry that this address opens"
                >
                    <div class="notice">
                        <Icon name="info"/>
                        <p>"The entry that this address opens is not among those below."</p>
                        <a class="end" href=close data-stay="">
                            "Close it"
                        </a>
                    </div>
                    <table class="ledger">
                        <caption class="sr-only">"The entry that this address opens"</caption>
                        <Columns about/>
                        <thead class="sr-only">
                            <tr>
                                <th scope="col">"Performed on"</th>
                                {about
                                    .has_workspaces()
                                    .then(|| view! { <th scope="col">"Workspace"</th> })}
                                {about
                                    .has_actors()
                                    .then(|| view! { <th scope="col">"Actor"</th> })}
                                <th scope="col">"Action"</th>
                                {about
                                    .has_targets()
                                    .then(|| view! { <th scope="col">"Target"</th> })}
                                <th scope="col">"Change"</th>
                            </tr>
                        </thead>
                        <tbody inner_html=row></tbody>
                    </table>
                </section>
            }
            .into_any()
        }
        None => view! {
            <div class="notice" data-apart="">
                <Icon name="info"/>
                <p>
                    "There is no entry " <code>{open}</code>
                    {match about {
                        About::Tenant => " here. It may have been deleted as too old.",
                        About::Workspace | About::Object => {
                            " here. It may have been deleted as too old, or belong to another \
                             workspace."
                        }
                        About::Own => {
                            " here. It may have been deleted as too old, or tell of what somebody \
                             else did."
                        }
                    }}
                </p>
                <a class="end" href=close data-stay="">
                    "Close"
                </a>
            </div>
        }
        .into_any(),
    }
}

/// Nothing matches.
#[component]
pub(super) fn Nothing(
    links: Arc<Links>,
    about: About,
    /// Whether the search stopped before it had seen everything.
    searched: bool,
    /// What would match, without one of the filters.
    relaxed: Option<Vec<RelaxedView>>,
) -> impl IntoView {
    let query = &links.query;
    let everything = links.filtered(|filter| {
        *filter = Filter {
            tz: filter.tz.take(),
            ..Filter::default()
        };
    });
    let (heading, words, link) = if searched {
        (
            "Nothing found so far",
            "The search stopped before it had seen the whole log. “Older →” goes on from there.",
            None,
        )
    } else if query.cursor.is_some() {
        (
            "Nothing more",
            "There is no entry further on.",
            Some((links.to(&query.from_start()), "To the first page")),
        )
    } else if query.filter.is_empty() {
        let words = match about {
            About::Tenant | About::Workspace => {
                "What your applications send appears here as soon as it arrives."
            }
            About::Own => "What you do in this workspace appears here as soon as it is recorded.",
            About::Object => "Nothing that was recorded is about this object.",
        };
        ("No entries yet", words, None)
    } else {
        (
            "Nothing matches these filters",
            match relaxed.as_deref() {
                None => "Remove one of the filters above, or ask for everything.",
                Some([]) => {
                    "No single one of them is the reason. Remove several, or ask for everything."
                }
                Some(_) => "Without one of them something does:",
            },
            Some((everything, "Clear all filters")),
        )
    };
    let link = link.map(|(href, words)| {
        view! {
            <p>
                <a href=href>{words}</a>
            </p>
        }
    });
    let relaxed = relaxed
        .into_iter()
        .flatten()
        .map(
            |RelaxedView {
                 words,
                 without,
                 count,
             }| {
                let gives = match count {
                    CountView::Exactly(count) => format!("{} {}", grouped(count), entries(count)),
                    CountView::MoreThan(count) => format!("more than {} entries", grouped(count)),
                    CountView::Unknown => "entries".to_owned(),
                };
                view! {
                    <li>
                        <a href=links.to(&without) data-stay="">
                            {format!("Without {words}")}
                        </a>
                        " "
                        <span class="quiet num">{gives}</span>
                    </li>
                }
            },
        )
        .collect::<Vec<_>>();
    let relaxed = (!relaxed.is_empty()).then(|| view! { <ul class="relaxed">{relaxed}</ul> });
    view! {
        <section class="nothing ruled" id="entries" tabindex="-1" aria-labelledby="nothing">
            <h2 id="nothing">{heading}</h2>
            <p>{words}</p>
            {relaxed}
            {link}
        </section>
    }
    .into_any()
}

/// The cursor belongs to another question.
#[component]
pub(super) fn LostCursor(links: Arc<Links>) -> impl IntoView {
    let first = links.to(&links.query.from_start());
    view! {
        <section class="nothing ruled" id="entries" tabindex="-1" aria-labelledby="nothing">
            <h2 id="nothing">"This page of the log cannot be found again"</h2>
            <p>
                "Its address was cut or changed, or it was made for other filters. The filters \
                 themselves are kept."
            </p>
            <p>
                <a href=first>"To the first page"</a>
            </p>
        </section>
    }
    .into_any()
}

/// Nothing came from an application yet: how to send the first entry.
#[component]
pub(super) fn First(
    public_url: String,
    workspace: WorkspacePath,
    settings: Option<String>,
    /// Where tokens are made, for those who may make them.
    tokens: Option<String>,
) -> impl IntoView {
    let token =
        format!("daybook token create --workspace {workspace} --name first --scope events:write");
    let curl = first_entry(&public_url);
    let make = match tokens {
        Some(tokens) => view! {
            <p>
                "Make a token that may write, in " <a href=tokens>"Settings → API tokens"</a>
                " or with a command on the server. It is shown once."
            </p>
        }
        .into_any(),
        None => view! { <p>"On the server, make a token that may write. It is shown once."</p> }
            .into_any(),
    };
    let settings = settings.map(|settings| {
        view! {
            <p class="quiet">
                "How long entries are kept, and whether they are recorded, stands in "
                <a href=settings>"Settings"</a> "."
            </p>
        }
    });
    view! {
        <section class="nothing ruled first" aria-labelledby="first">
            <h2 id="first">"No entries from your applications yet"</h2>
            <p>
                "What they send appears here as soon as it arrives. Until then there is only what \
                 Daybook records of itself."
            </p>
            <ol class="steps">
                <li>
                    {make}
                    <Command id="first-token" label="A command that makes a token" text=token/>
                </li>
                <li>
                    <p>
                        "Send an entry from any terminal, with the token as "
                        <code>"DAYBOOK_TOKEN"</code> ":"
                    </p>
                    <Command
                        id="first-curl"
                        label="A command that sends the first entry"
                        text=curl
                    />
                </li>
            </ol>
            {settings}
        </section>
    }
    .into_any()
}

/// A command that sends a first entry, with the token as `DAYBOOK_TOKEN`.
pub(crate) fn first_entry(public_url: &str) -> String {
    format!(
        r#"curl {public_url}/api/v1/events \
  -H "Authorization: Bearer $DAYBOOK_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{{
    "actor":  {{"kind": "user", "id": "usr_1", "name": "Ingrid Solheim"}},
    "action": "MEMBER_ROLE_UPDATED",
    "target": {{"kind": "member", "id": "usr_51c0", "name": "Tom Okafor"}},
    "before": {{"role": "viewer"}},
    "after":  {{"role": "admin"}}
  }}'"#
    )
}

/// A command to copy.
#[component]
pub(crate) fn Command(id: &'static str, label: &'static str, text: String) -> impl IntoView {
    view! {
        <div class="command">
            <pre tabindex="0" role="region" aria-label=label>
                <code id=id>{text}</code>
            </pre>
            <button class="button needs-live" type="button" data-copy=id>
                <Icon name="copy"/>
                " Copy"
            </button>
        </div>
    }
    .into_any()
}
