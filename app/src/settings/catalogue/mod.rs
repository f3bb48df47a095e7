//! Settings → Catalogue: what the workspace says of actions itself.

mod change;
mod load;
pub mod said;
pub mod view;

use super::{
    Wrong,
    places::{Current, Places},
    tokens::Moment,
};
use crate::{
    frame::{Framed, Here},
    icon::Icon,
    log::InZone,
    number::{entries, grouped},
    pages::Refused,
    viewer::Asker,
};
use change::SaveCatalogueEntry;
use domain::{category::Category, verb::Verb};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use said::{Came, Typed};
use view::{CatalogueView, EntryLine, FormView, UnknownLine, UnknownView};

/// A workspace's own entries of the catalogue.
#[component]
pub fn CataloguePage() -> impl IntoView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let asker = Asker::of_request();
    view! {
        <Suspense>
            {Suspend::new(async move {
                match load::catalogue(asker, &path, &search).await {
                    Ok(catalogue) => {
                        if catalogue.form.as_ref().is_some_and(|form| form.faults.any()) {
                            crate::answer::status(400);
                        }
                        view! { <Page catalogue/> }.into_any()
                    }
                    Err(refusal) => view! { <Refused refusal/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page(catalogue: CatalogueView) -> impl IntoView {
    let CatalogueView {
        frame,
        may_change,
        zone,
        entries,
        all,
        here,
        first,
        next,
        unknown,
        outcome,
        form,
    } = catalogue;
    let words = frame.workspace.name.clone();
    let title = format!("Catalogue, {}", frame.workspace.name);
    let path = crate::address::catalogue(&frame.workspace.path);
    let page = path.clone();
    let places =
        view! { <Places frame=frame.clone() zone=zone.clone() current=Current::Catalogue/> };
    let read_only = (!may_change).then(|| {
        view! {
            <div class="notice">
                <Icon name="info"/>
                <p>"You see these entries and cannot change them: owners do."</p>
            </div>
        }
    });
    let was_in_vain = outcome.is_none() && form.as_ref().is_some_and(|form| form.was_sent);
    let list = if entries.is_empty() && first.is_none() {
        view! {
            <p class="none">
                "There are none. Every action is shown as the catalogue that comes with Daybook has \
                 it, or as its name reads."
            </p>
        }
        .into_any()
    } else {
        let caption = "The workspace’s own entries";
        view! { <List caption entries may_change/> }.into_any()
    };
    let new = may_change.then(|| {
        view! {
            <a class="button" href=format!("{}#entry", here.clone())>
                "New entry"
            </a>
        }
    });
    let form = form.map(|form| view! { <Entry form path zone=zone.clone() here=here.clone()/> });
    view! {
        <Title text=title/>
        <Framed
            frame=Some(frame)
            here=Here::Settings
            zone=zone.clone()
            skip=("#settings", "Skip to the catalogue")
        >
            <div class="page">
                <header class="page-head">
                    <h1>"Settings"</h1>
                    <InZone words path=page kept=&["after", "change", "begin"]/>
                </header>
                {read_only}
                <div class="settings wide">
                    {places}
                    <div id="settings" tabindex="-1">
                        {outcome.map(|came| view! { <Outcome came/> })}
                        {was_in_vain.then(|| view! { <NotSaved/> })}
                        <section class="listing" aria-labelledby="s-catalogue">
                            <div class="listing-head">
                                <h2 id="s-catalogue">"Catalogue of actions"</h2>
                                {new}
                            </div>
                            <p>
                                "The catalogue says how an action is shown: its label, the category \
                                 whose chip it is under, and the verb that it counts as. These are \
                                 this workspace’s own entries. Each holds before what comes with \
                                 Daybook, for past entries of the log too, at the next look; \
                                 nothing that was recorded changes. A verb or category that an \
                                 application sent with an entry stays."
                            </p>
                            {list}
                            <Pages first next all/>
                        </section>
                        <Unknown unknown/>
                        {form}
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
        Came::Added(action) => (
            "notice good",
            "check",
            "status",
            format!("The entry for {action} is added."),
            "It holds from now on, for past entries too. The change is an entry in the log.",
        ),
        Came::Changed(action) => (
            "notice good",
            "check",
            "status",
            format!("The entry for {action} is changed."),
            "It holds from now on, for past entries too. The change is an entry in the log.",
        ),
        Came::Removed(action) => (
            "notice good",
            "check",
            "status",
            format!("The entry for {action} is removed."),
            "The action is shown as it is everywhere. The change is an entry in the log.",
        ),
        Came::Same(action) => (
            "notice",
            "info",
            "status",
            format!("The entry for {action} says just that already."),
            "Nothing was changed.",
        ),
        Came::Missing(action) => (
            "notice bad",
            "warn",
            "alert",
            format!("There is no entry for {action} any more."),
            "Nothing was changed: somebody removed it meanwhile.",
        ),
        Came::Failed => (
            "notice bad",
            "warn",
            "alert",
            "Nothing was changed.".to_owned(),
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
            <a class="end" href="#entry">
                "To the form"
            </a>
        </div>
    }
}

/// The way through a long list.
#[component]
fn Pages(first: Option<String>, next: Option<String>, all: u64) -> impl IntoView {
    (first.is_some() || next.is_some()).then(|| {
        let first = first.map(|first| {
            view! {
                <a class="button" href=first rel="first">
                    "← First"
                </a>
            }
        });
        let next = next.map(|next| {
            view! {
                <a class="button" href=next rel="next">
                    "More →"
                </a>
            }
        });
        view! {
            <nav class="more" aria-label="Pages of entries">
                {first}
                {next}
                <span class="quiet">{format!("{} in all, by the action’s name", grouped(all))}</span>
            </nav>
        }
    })
}

/// Entries, as a table.
#[component]
fn List(caption: &'static str, entries: Vec<EntryLine>, may_change: bool) -> impl IntoView {
    let acts =
        may_change.then(|| view! { <th scope="col"><span class="sr-only">"Change"</span></th> });
    let rows = entries
        .into_iter()
        .map(|entry| view! { <Row entry/> })
        .collect_view();
    view! {
        <table class="list">
            <caption class="sr-only">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"Action"</th>
                    <th scope="col">"Shown as"</th>
                    <th scope="col">"Category"</th>
                    <th scope="col">"Verb"</th>
                    <th scope="col">"Changed"</th>
                    {acts}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(entry: EntryLine) -> impl IntoView {
    let instead = entry
        .instead_of
        .map(|label| view! { <p class="quiet">{format!("instead of “{label}”")}</p> });
    let acts = entry.change.map(|change| {
        view! {
            <td class="acts">
                <a class="button" href=change>
                    "Change"
                    <span class="sr-only">{format!(" the entry for {}", entry.action)}</span>
                </a>
            </td>
        }
    });
    let named = entry.action.clone();
    view! {
        <tr data-action=named>
            <th scope="row">
                <a href=entry.there title="The log’s entries with this action">
                    <code>{entry.action}</code>
                </a>
            </th>
            <td class="text" data-label="Shown as">
                <div>
                    {entry.label}
                    {instead}
                </div>
            </td>
            <td data-label="Category">{entry.category}</td>
            <td data-label="Verb">{entry.verb}</td>
            <td data-label="Changed">
                <div>
                    <Moment at=entry.at/>
                    <p class="quiet">"by " {entry.by}</p>
                </div>
            </td>
            {acts}
        </tr>
    }
    .into_any()
}

/// The actions that nothing is said of.
#[component]
fn Unknown(unknown: Option<UnknownView>) -> impl IntoView {
    let body = match unknown {
        None => view! {
            <p class="none">
                "The index of the log is being made. They are listed here as soon as it is ready."
            </p>
        }
        .into_any(),
        Some(unknown) if unknown.actions.is_empty() => view! {
            <p class="none">"There are none: the catalogue knows every action in the log."</p>
        }
        .into_any(),
        Some(UnknownView { actions, more }) => {
            let begins = actions.iter().any(|action| action.begin.is_some());
            let acts = begins.then(
                || view! { <th scope="col"><span class="sr-only">"Add an entry"</span></th> },
            );
            let rows = actions
                .into_iter()
                .map(|action| view! { <UnknownRow action/> })
                .collect_view();
            let more = (more > 0).then(|| {
                let more = grouped(u64::try_from(more).unwrap_or_default());
                view! { <p>{format!("There are {more} more, used less.")}</p> }
            });
            view! {
                <table class="list">
                    <caption class="sr-only">"Actions that no entry names"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Action"</th>
                            <th scope="col">"Shown as"</th>
                            <th scope="col">"Verb"</th>
                            <th scope="col">"In the log"</th>
                            {acts}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
                {more}
            }
            .into_any()
        }
    };
    view! {
        <section class="listing" id="unknown" aria-labelledby="s-unknown">
            <h2 id="s-unknown">"Actions that no entry names"</h2>
            <p>
                "They are in this workspace’s log. Their label and verb are read from the name, and \
                 their category is “Other” until an entry says more."
            </p>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn UnknownRow(action: UnknownLine) -> impl IntoView {
    let used = format!("{} {}", grouped(action.events), entries(action.events));
    let acts = action.begin.map(|begin| {
        view! {
            <td class="acts">
                <a class="button" href=begin>
                    "Add an entry"
                    <span class="sr-only">{format!(" for {}", action.action)}</span>
                </a>
            </td>
        }
    });
    let named = action.action.clone();
    view! {
        <tr data-unknown=named>
            <th scope="row">
                <code>{action.action}</code>
            </th>
            <td class="text" data-label="Shown as">
                <span>{action.label}</span>
            </td>
            <td data-label="Verb">{action.verb}</td>
            <td data-label="In the log">
                <a class="num" href=action.there>
                    {used}
                </a>
            </td>
            {acts}
        </tr>
    }
    .into_any()
}

/// The form for an entry: a new one, or one that is changed.
#[component]
fn Entry(form: FormView, path: String, zone: String, here: String) -> impl IntoView {
    let FormView {
        change,
        typed,
        faults,
        without,
        ..
    } = form;
    let after = form_urlencoded::parse(
        here.split_once('?')
            .map_or("", |(_, query)| query)
            .as_bytes(),
    )
    .find(|(name, _)| name == "after")
    .map(|(_, after)| {
        view! { <input type="hidden" name="after" value=after.into_owned()/> }
    });
    let (title, save) = match &change {
        Some(action) => (format!("Change the entry for {action}"), "Save the entry"),
        None => ("New entry".to_owned(), "Add the entry"),
    };
    let about = if change.is_some() {
        "Removed, the action is shown again as everywhere, past entries included."
    } else {
        "For an action of your own, or to show one otherwise than Daybook does. It may be one that \
         the log does not hold yet."
    };
    let remove = change.is_some().then(|| {
        view! {
            <button class="button danger" type="submit" name="act" value="remove" formnovalidate>
                "Remove the entry"
            </button>
        }
    });
    let changing = change.clone().map(|action| {
        view! { <input type="hidden" name="change" value=action/> }
    });
    view! {
        <form
            id="entry"
            method="post"
            action=SaveCatalogueEntry::url()
            aria-labelledby="s-entry"
        >
            <input type="hidden" name="path" value=path/>
            <input type="hidden" name="tz" value=zone/>
            {after}
            {changing}
            <section class="setting" aria-labelledby="s-entry">
                <div class="about">
                    <h2 id="s-entry">{title}</h2>
                    <p>{about}</p>
                    {without.map(|words| view! { <p>{words}</p> })}
                </div>
                <div class="control">
                    <Fields typed faults fixed=change.is_some()/>
                </div>
            </section>
            <div class="save">
                <button class="button primary" type="submit">
                    {save}
                </button>
                {remove}
                <a class="button plain" href=here>
                    "Discard"
                </a>
                <span>"Each change is an entry in the log."</span>
            </div>
        </form>
    }
    .into_any()
}

/// The fields of an entry. `fixed`: the action is not to be changed.
#[component]
fn Fields(typed: Typed, faults: said::Faults, fixed: bool) -> impl IntoView {
    let action = Field {
        id: "c-action",
        label: "Action",
        hint: "Its name to the letter, as applications send it: INVOICE_PAID, door:open.",
        fault: faults.action,
    };
    let label = Field {
        id: "c-label",
        label: "Label",
        hint: "A short sentence in the past tense, such as “Invoice paid”: 1 to 128 characters.",
        fault: faults.label,
    };
    let category = Field {
        id: "c-category",
        label: "Category",
        hint: "The chip that it is found under.",
        fault: faults.category,
    };
    let verb = Field {
        id: "c-verb",
        label: "Verb",
        hint: "What kind of doing it is.",
        fault: faults.verb,
    };
    let families = Category::ALL.map(|one| (one.as_str(), one.label()));
    let verbs = Verb::ALL.map(|one| (one.as_str(), one.label()));
    let name = if fixed {
        view! {
            <div class="field">
                <span class="label">"Action"</span>
                <code>{typed.action}</code>
            </div>
        }
        .into_any()
    } else {
        view! {
            <TextField field=action name="action" value=typed.action code=true/>
        }
        .into_any()
    };
    view! {
        {name}
        <TextField field=label name="label" value=typed.label code=false/>
        <SelectField field=category name="category" value=typed.category all=families.to_vec()/>
        <SelectField field=verb name="verb" value=typed.verb all=verbs.to_vec()/>
    }
    .into_any()
}

/// What stands around a field.
struct Field {
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    fault: Option<String>,
}

impl Field {
    fn hint_id(&self) -> String {
        format!("{}-hint", self.id)
    }

    /// The ids of what describes it.
    fn described(&self) -> String {
        let hint = self.hint_id();
        match &self.fault {
            Some(_) => format!("{}-error {hint}", self.id),
            None => hint,
        }
    }

    fn invalid(&self) -> Option<&'static str> {
        self.fault.is_some().then_some("true")
    }

    /// What stands below it.
    fn below(self) -> AnyView {
        let hint = self.hint_id();
        let error = self
            .fault
            .map(|words| view! { <Wrong id=format!("{}-error", self.id) words/> });
        view! {
            {error}
            <p class="hint" id=hint>{self.hint}</p>
        }
        .into_any()
    }
}

#[component]
fn TextField(field: Field, name: &'static str, value: String, code: bool) -> impl IntoView {
    let (described, invalid) = (field.described(), field.invalid());
    view! {
        <div class="field">
            <label for=field.id>{field.label}</label>
            <input
                id=field.id
                name=name
                type="text"
                value=value
                maxlength="128"
                required
                autocomplete="off"
                autocapitalize=code.then_some("none")
                spellcheck=if code { "false" } else { "true" }
                aria-invalid=invalid
                aria-describedby=described
            />
            {field.below()}
        </div>
    }
    .into_any()
}

#[component]
fn SelectField(
    field: Field,
    name: &'static str,
    value: String,
    all: Vec<(&'static str, &'static str)>,
) -> impl IntoView {
    let (described, invalid) = (field.described(), field.invalid());
    let none_chosen = !all.iter().any(|(one, _)| *one == value);
    let options = all
        .into_iter()
        .map(|(one, words)| {
            let chosen = one == value;
            view! {
                <option value=one selected=chosen>
                    {words}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=field.id>{field.label}</label>
            <select
                id=field.id
                name=name
                required
                aria-invalid=invalid
                aria-describedby=described
            >
                <option value="" selected=none_chosen>
                    "Choose one"
                </option>
                {options}
            </select>
            {field.below()}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests;
