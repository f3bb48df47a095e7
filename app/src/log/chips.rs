//! Families of actions, one click each.

use crate::{address::Links, icon::Icon, live::FORM, number::grouped};
use domain::{category::Category, question::Filter};
use leptos::prelude::*;
use std::sync::Arc;
use store::question::Choices;

/// How many families are on the page; the others are behind "More".
const SHOWN: usize = 6;

/// Two letters that stand for a family.
#[component]
pub(super) fn Mark(category: Category) -> impl IntoView {
    view! {
        <span class="mark" data-category=category.as_str() aria-hidden="true">
            {category.mark()}
        </span>
    }
    .into_any()
}

/// All, and the families in use.
#[component]
pub(super) fn Chips(links: Arc<Links>, choices: Choices) -> impl IntoView {
    let filter = &links.query.filter;
    // The counts are of the whole log: where another filter holds they would tell something else.
    let plain = Filter {
        category: Vec::new(),
        ..filter.clone()
    }
    .is_empty();
    let is_active = |category: &Category| filter.category.contains(category);
    let shown = choices
        .categories
        .iter()
        .enumerate()
        .filter(|(at, (category, _))| *at < SHOWN || is_active(category))
        .map(|(_, (category, entries))| (*category, Some(*entries)));
    let unused = filter
        .category
        .iter()
        .filter(|active| !choices.categories.iter().any(|(used, _)| used == *active))
        .map(|category| (*category, None));
    let chips = shown
        .chain(unused)
        .map(|(category, entries)| {
            let without = |filter: &mut Filter| filter.category.retain(|other| *other != category);
            let (href, several) = if is_active(&category) {
                (links.filtered(without), None)
            } else {
                let several = links.filtered(|filter| filter.category.push(category));
                (
                    links.filtered(|filter| filter.category = vec![category]),
                    Some(several),
                )
            };
            let count = entries
                .filter(|_| plain)
                .map(|entries| view! { <span class="num">{grouped(entries)}</span> });
            view! {
                <li>
                    <a
                        class="chip"
                        href=href
                        data-stay=""
                        data-several=several
                        aria-current=is_active(&category).then_some("true")
                    >
                        <Mark category/>
                        {category.label()}
                        {count}
                    </a>
                </li>
            }
        })
        .collect_view();
    let all = links.filtered(|filter| filter.category.clear());
    let total = plain.then(|| view! { <span class="num">{grouped(choices.events)}</span> });
    let more = has_more(&choices).then(|| {
        view! { <More chosen=filter.category.clone() choices=choices.clone() plain/> }
    });

    view! {
        <nav class="chips" aria-label="Categories">
            <ul>
                <li>
                    <a
                        class="chip all"
                        href=all
                        data-stay=""
                        aria-current=filter.category.is_empty().then_some("true")
                    >
                        "All"
                        {total}
                    </a>
                </li>
                {chips}
            </ul>
            {more}
        </nav>
    }
    .into_any()
}

/// Whether there are more families than the page shows: then "More" offers all of them.
pub(super) fn has_more(choices: &Choices) -> bool {
    choices.categories.len() > SHOWN
}

#[component]
fn More(chosen: Vec<Category>, choices: Choices, plain: bool) -> impl IntoView {
    let boxes = choices
        .categories
        .into_iter()
        .map(|(category, entries)| {
            let count = plain.then(|| view! { <span class="num">{grouped(entries)}</span> });
            view! {
                <li>
                    <label>
                        <input
                            type="checkbox"
                            form=FORM
                            name="category"
                            value=category.as_str()
                            checked=chosen.contains(&category)
                        />
                        <Mark category/>
                        {category.label()}
                        {count}
                    </label>
                </li>
            }
        })
        .collect_view();
    view! {
        <details class="menu to-end">
            <summary class="chip">"More " <Icon name="chevron-down"/></summary>
            <div class="menu-panel">
                <p class="menu-head">"Choose several"</p>
                <ul>{boxes}</ul>
                <p class="menu-foot">
                    <button class="button primary" type="submit" form=FORM>
                        "Apply"
                    </button>
                </p>
            </div>
        </details>
    }
    .into_any()
}
