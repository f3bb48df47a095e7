//! The filter: a GET form whose fields have the parameters' names.

use super::{About, chips::has_more, states::told, view::LogView};
use crate::{address::Links, icon::Icon, live::FORM, number::grouped};
use domain::{
    event::{Outcome, TargetKind},
    question::{Filter, Order, Query, Sort},
    verb::Verb,
};
use leptos::prelude::*;
use maud::html;
use std::{
    borrow::Cow,
    cmp::{Ordering, Reverse},
    sync::Arc,
};
use store::question::{ActionChoice, Choices, Offered};

/// So many actions are offered at once: more are no list to choose from, and half of a page.
const ACTIONS_MOST: usize = 300;
/// Of more, so many: those used most.
const ACTIONS_OF_MORE: usize = 250;

/// The parameters whose fields fold away where the page is narrow.
const IN_FOLD: [&str; 7] = [
    "q",
    "workspace",
    "actor",
    "action",
    "verb",
    "target_kind",
    "outcome",
];

/// The row of filters, each above the column that it narrows.
#[component]
pub(super) fn Filters(
    links: Arc<Links>,
    log: Arc<LogView>,
    choices: Choices,
    about: About,
) -> impl IntoView {
    let fields = Fields::of(&links.query, &log);
    let hidden = hidden(&fields, about, has_more(&choices))
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let set = fields.set(about);
    let summary = if set == 0 {
        "Filters".to_owned()
    } else {
        format!("Filters, {set} set")
    };
    let search = TextField {
        name: "q",
        label: "Search",
        placeholder: if about.has_targets() {
            "Target or action"
        } else {
            "Action"
        },
    };
    let actor = TextField {
        name: "actor",
        label: "Actor",
        placeholder: "Name or email",
    };
    let (offered, rarer) = offered_actions(&choices.offered, &links.query.filter);
    let actions = offered.into_iter().map(|choice| {
        let action = choice.action.as_str();
        let text = if choice.label == action {
            Cow::Borrowed(action)
        } else {
            Cow::Owned(format!("{} · {action}", choice.label))
        };
        (action, text)
    });
    let rarer = (rarer > 0).then(|| {
        let rarer = u64::try_from(rarer).unwrap_or_default();
        format!(
            "{} rarer ones: choose a category or a verb, or search",
            grouped(rarer)
        )
    });
    let action = fields.select("action", "Action", "Any action", actions, rarer);
    let verbs = Verb::ALL
        .into_iter()
        .map(|verb| (verb.as_str(), verb.label().into()));
    let verb = fields.select("verb", "Verb", "Any verb", verbs, None);
    let kinds = choices.offered.kinds.iter().map(TargetKind::as_str);
    let workspace = about.has_workspaces().then(|| {
        let workspaces = log.workspaces.iter();
        let workspaces = workspaces.map(|(slug, name)| (slug.as_str(), name.as_str().into()));
        let select = fields.select("workspace", "Workspace", "Any", workspaces, None);
        view! { <div class="field">{select}</div> }
    });
    let kind = about.has_targets().then(|| {
        let select = fields.select(
            "target_kind",
            "Target kind",
            "Any kind",
            kinds.map(|kind| (kind, kind.into())),
            None,
        );
        view! { <div class="field">{select}</div> }
    });
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
    let outcomes = outcomes.map(|outcome| (outcome, outcome.into()));
    let outcome = fields.select("outcome", "Outcome", "Any outcome", outcomes, None);
    let system = fields.system();
    let is_wrong = log.faults.iter().any(|fault| {
        let parameter = &*fault.parameter;
        IN_FOLD.contains(&parameter) && about.has_field(parameter)
    });
    let actor = about.has_actors().then(|| {
        let only = view! {
            <label class="only">
                <input type="checkbox" name="actor_kind" value="system" checked=system/>
                "system only"
            </label>
        };
        view! { <div class="field">{fields.text(&actor, only)}</div> }
    });

    view! {
        <details class="fold" open=is_wrong>
            <summary class="button">
                <Icon name="filter"/>
                {summary}
                <Icon name="chevron-down"/>
            </summary>
            <form
                class=if about == About::Object { "filters few" } else { "filters" }
                id=FORM
                method="get"
                action=links.path().to_owned()
                role="search"
                aria-label="Filter entries"
            >
                <div class="field search">
                    {fields.text(&search, ())}
                    <Icon name="search"/>
                    <kbd class="needs-live" aria-hidden="true">"/"</kbd>
                </div>
                {workspace}
                {actor}
                <div class="pair">
                    <div class="field">{action}</div>
                    <div class="field">{verb}</div>
                </div>
                {kind}
                <div class="last">
                    <div class="field">{outcome}</div>
                    <button class="button" type="submit">
                        "Apply"
                    </button>
                </div>
                {sorting(&links.query, about)}
                {hidden}
            </form>
        </details>
    }
    .into_any()
}

/// The actions to choose from, and how many there are beside them. Of very many, those of the
/// families and verbs that are asked for; of still very many, those that are used most.
fn offered_actions<'a>(offered: &'a Offered, filter: &Filter) -> (Vec<&'a ActionChoice>, usize) {
    let all = &offered.actions;
    if all.len() <= ACTIONS_MOST {
        return (all.iter().collect(), 0);
    }
    let mut fitting: Vec<&ActionChoice> = all
        .iter()
        .filter(|choice| {
            (filter.category.is_empty() || filter.category.contains(&choice.category))
                && (filter.verb.is_empty() || filter.verb.contains(&choice.verb))
        })
        .collect();
    if fitting.len() <= ACTIONS_MOST {
        return (fitting, 0);
    }
    let rarer = fitting.len() - ACTIONS_OF_MORE;
    let rank = |choice: &ActionChoice| {
        let is_chosen = filter.action.contains(&choice.action);
        Reverse((is_chosen, choice.events))
    };
    let mut ranks: Vec<_> = fitting.iter().map(|choice| rank(choice)).collect();
    let (_, least, _) = ranks.select_nth_unstable(ACTIONS_OF_MORE - 1);
    let least = *least;
    // They stay in the order of their labels. Of those used as often as the last the first are taken.
    let mut free = ACTIONS_OF_MORE - fitting.iter().filter(|choice| rank(choice) < least).count();
    fitting.retain(|choice| match rank(choice).cmp(&least) {
        Ordering::Less => true,
        Ordering::Equal if free > 0 => {
            free -= 1;
            true
        }
        _ => false,
    });
    (fitting, rarer)
}

/// What the fields hold: what was asked, and what was given and not understood.
struct Fields<'a> {
    asked: Vec<(&'static str, String)>,
    log: &'a LogView,
}

struct TextField {
    name: &'static str,
    label: &'static str,
    placeholder: &'static str,
}

impl<'a> Fields<'a> {
    fn of(query: &Query, log: &'a LogView) -> Self {
        Self {
            asked: query.pairs(),
            log,
        }
    }

    /// The value of a field: what was given where it was not understood, else the first.
    fn value(&self, name: &str) -> &str {
        if let Some(fault) = self.log.fault(name) {
            return &fault.value;
        }
        let mut asked = self.asked.iter();
        asked
            .find_map(|(other, value)| (*other == name).then_some(value.as_str()))
            .unwrap_or_default()
    }

    /// Whether only what no person did is asked for.
    fn system(&self) -> bool {
        let mut asked = self.asked.iter();
        asked.any(|(name, value)| *name == "actor_kind" && value == "system")
    }

    /// How many of the fields in the fold hold something.
    fn set(&self, about: About) -> usize {
        let set = IN_FOLD
            .into_iter()
            .filter(|name| about.has_field(name) && !self.value(name).is_empty());
        set.count() + usize::from(about.has_actors() && self.system())
    }

    fn error(&self, name: &'static str) -> (Option<String>, impl IntoView + use<>) {
        let fault = self.log.fault(name);
        let id = fault.map(|_| format!("f-{name}-error"));
        let error = fault.map(|fault| {
            view! {
                <p class="error" id=format!("f-{name}-error")>
                    <Icon name="warn"/>
                    {match name {
                        "q" | "actor" => told(fault),
                        // The field itself lists what it takes.
                        _ => format!("“{}” is none of these.", fault.value),
                    }}
                </p>
            }
        });
        (id, error)
    }

    fn text(&self, field: &TextField, beside: impl IntoView + 'static) -> AnyView {
        let id = format!("f-{}", field.name);
        let beside = beside.into_any();
        let (described, error) = self.error(field.name);
        view! {
            <div class="label-line">
                <label for=id.clone()>{field.label}</label>
                {beside}
            </div>
            <input
                id=id
                name=field.name
                type="text"
                enterkeyhint="search"
                value=self.value(field.name).to_owned()
                placeholder=field.placeholder
                autocomplete="off"
                spellcheck="false"
                aria-invalid=described.is_some().then_some("true")
                aria-describedby=described
            />
            <div
                class="completions"
                id=format!("c-{}", field.name)
                role="listbox"
                aria-label=format!("{}: what exists", field.label)
                data-kept=""
                hidden
            ></div>
            {error}
        }
        .into_any()
    }

    fn select<'o>(
        &self,
        name: &'static str,
        label: &'static str,
        any: &'static str,
        options: impl Iterator<Item = (&'o str, Cow<'o, str>)>,
        beyond: Option<String>,
    ) -> AnyView {
        let id = format!("f-{name}");
        let chosen = self.value(name);
        let mut is_offered = chosen.is_empty();
        let (described, error) = self.error(name);
        // There may be hundreds: as one text they are set at once.
        let html = html! {
            option value="" { (any) }
            @for (value, text) in options {
                @let is_chosen = value == chosen;
                @let () = is_offered |= is_chosen;
                option value=(value) selected[is_chosen] { (text) }
            }
            @if !is_offered {
                option value=(chosen) selected { (chosen) }
            }
            @if let Some(beyond) = beyond {
                option disabled { (beyond) }
            }
        };
        view! {
            <label for=id.clone()>{label}</label>
            <select
                id=id
                name=name
                aria-invalid=described.is_some().then_some("true")
                aria-describedby=described
                inner_html=html.into_string()
            ></select>
            {error}
        }
        .into_any()
    }
}

/// The parameters that the form keeps and that none of its fields holds. Not the cursor: another
/// filter begins at its start.
fn hidden(fields: &Fields<'_>, about: About, has_more: bool) -> Vec<(&'static str, String)> {
    let mut seen: Vec<&'static str> = Vec::new();
    let mut hidden = Vec::new();
    for (name, value) in fields.asked.iter().cloned() {
        let again = seen.contains(&name);
        seen.push(name);
        let has_field = match name {
            "q" | "since" | "until" | "tz" | "sort" | "order" | "cursor" => true,
            "category" => has_more,
            "actor" => about.has_actors(),
            "actor_kind" => about.has_actors() && value == "system",
            "workspace" => about.has_workspaces() && !again,
            // A field holds one value: the others of several stay beside it.
            "action" | "verb" | "outcome" => !again,
            "target_kind" => about.has_targets() && !again,
            _ => false,
        };
        if !has_field {
            hidden.push((name, value));
        }
    }
    hidden
}

/// How to sort where the heads of the columns are not shown.
fn sorting(query: &Query, about: About) -> AnyView {
    let direction = query.direction();
    let sorts = [
        (Sort::Time, "Time"),
        (Sort::Action, "Action"),
        (Sort::TargetKind, "Target kind"),
        (Sort::Actor, "Actor"),
    ];
    let sorts = sorts
        .into_iter()
        .filter(|(sort, _)| about.sorts_by(*sort) || query.sort == *sort)
        .map(|(sort, label)| {
            view! {
                <option value=sort.as_str() selected=sort == query.sort>
                    {label}
                </option>
            }
        })
        .collect::<Vec<_>>();
    let orders = [
        (Order::Descending, "Newest or Z first"),
        (Order::Ascending, "Oldest or A first"),
    ]
    .map(|(order, label)| {
        view! {
            <option value=order.as_str() selected=order == direction>
                {label}
            </option>
        }
    })
    .collect_view();
    view! {
        <div class="field narrow-only">
            <label for="f-sort">"Sort by"</label>
            <select id="f-sort" name="sort">
                {sorts}
            </select>
        </div>
        <div class="field narrow-only">
            <label for="f-order">"Order"</label>
            <select id="f-order" name="order">
                {orders}
            </select>
        </div>
    }
    .into_any()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::{category::Category, question::Unknown};

    fn kept(search: &str, has_more: bool) -> String {
        kept_about(About::Workspace, search, has_more)
    }

    fn kept_about(about: About, search: &str, has_more: bool) -> String {
        let query = Query::read(search, Unknown::Refused).query;
        let log = LogView::empty(query.clone());
        let fields = Fields::of(&query, &log);
        let hidden = hidden(&fields, about, has_more);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden)
            .finish()
    }

    /// So many actions, each used less than the one before it; every third is of secrets.
    fn many(actions: usize) -> Offered {
        let choice = |at: usize| ActionChoice {
            action: format!("ACTION_{at:04}").parse().unwrap(),
            label: format!("Action {at:04}"),
            category: if at.is_multiple_of(3) {
                Category::Secrets
            } else {
                Category::Members
            },
            verb: if at.is_multiple_of(2) {
                Verb::Read
            } else {
                Verb::Create
            },
            events: (10_000 - at) as u64,
        };
        Offered {
            actions: (0..actions).map(choice).collect(),
            kinds: Vec::new(),
        }
    }

    #[test]
    fn of_very_many_actions_those_asked_for_and_used_most_are_offered() {
        let offered = |actions: usize, search: &str| {
            let filter = Query::read(search, Unknown::Refused).query.filter;
            let list = many(actions);
            let (offered, rarer) = offered_actions(&list, &filter);
            let names = offered.iter().map(|choice| choice.action.to_string());
            (names.collect::<Vec<_>>(), rarer)
        };
        let (all, rarer) = offered(ACTIONS_MOST, "category=secrets");
        assert_eq!((all.len(), rarer), (ACTIONS_MOST, 0));

        let (most, rarer) = offered(700, "");
        assert_eq!((most.len(), rarer), (250, 450));
        assert_eq!(most.last().unwrap(), "ACTION_0249");
        assert!(most.is_sorted());
        // What is chosen is always there.
        let (most, _) = offered(700, "action=ACTION_0600");
        assert_eq!(most.last().unwrap(), "ACTION_0600");
        // A family narrows the list, and so does a verb: then all of theirs are there.
        let (secrets, rarer) = offered(700, "category=secrets");
        assert_eq!((secrets.len(), rarer), (234, 0));
        let (created, rarer) = offered(700, "category=secrets&verb=create");
        assert_eq!((created.len(), rarer), (117, 0));
    }

    #[test]
    fn the_form_keeps_what_its_fields_do_not_hold_but_for_the_page() {
        assert_eq!(
            kept(
                "q=kim&actor_id=usr_1&operation=o&range=7d&limit=25&cursor=abc&sort=actor",
                true
            ),
            "actor_id=usr_1&operation=o&range=7d&limit=25"
        );
        assert_eq!(kept("category=secrets", true), "");
        assert_eq!(kept("category=secrets", false), "category=secrets");
        assert_eq!(
            kept("actor_kind=system&actor_kind=token", true),
            "actor_kind=token"
        );
        assert_eq!(
            kept("action=A&action=B&since=2026-05-01&tz=UTC", true),
            "action=B"
        );
        assert_eq!(
            kept_about(About::Tenant, "workspace=a&workspace=b&actor=kim", true),
            "workspace=b"
        );
        assert_eq!(
            kept_about(About::Own, "actor=kim&actor_kind=system", true),
            "actor=kim&actor_kind=system"
        );
    }
}
