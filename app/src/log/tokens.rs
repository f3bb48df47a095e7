//! What is set now, each filter removable.

use super::{compose::end, count::CountLine, news::News, view::LogView};
use crate::{address::Links, icon::Icon};
use domain::{
    category::Category,
    question::{Filter, Query},
};
use leptos::prelude::*;
use std::sync::Arc;

/// A filter that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    key: &'static str,
    value: String,
    /// The question without it.
    without: Query,
}

/// The filters that hold, and how many entries they leave.
#[component]
pub(super) fn Active(links: Arc<Links>, log: Arc<LogView>) -> impl IntoView {
    let tokens = tokens(&links.query, &log.people, &log.workspaces);
    let clear = (!tokens.is_empty()).then(|| {
        let href = links.filtered(|filter| {
            *filter = Filter {
                tz: filter.tz.take(),
                ..Filter::default()
            };
        });
        view! {
            <a class="clear" href=href data-stay="" data-whole="">
                "Clear all"
            </a>
        }
    });
    let share = (!tokens.is_empty()).then(|| {
        view! {
            <a class="clear" href=links.shared() data-copy="link">
                "Copy link"
                <span class="sr-only">" to what is shown"</span>
            </a>
        }
    });
    let tokens = tokens
        .into_iter()
        .map(
            |Token {
                 key,
                 value,
                 without,
             }| {
                let label = format!("Remove the filter {key} {value}");
                let title = format!("{key}: {value}");
                view! {
                    <li class="token">
                        <span class="clip" title=title>
                            <span class="key">{key}</span>
                            " "
                            {value}
                        </span>
                        <a href=links.to(&without) data-stay="" aria-label=label title="Remove">
                            <Icon name="close"/>
                        </a>
                    </li>
                }
            },
        )
        .collect::<Vec<_>>();
    let news = log
        .shown_to
        .map(|shown_to| view! { <News links=links.clone() shown_to/> });
    let list =
        (!tokens.is_empty()).then(|| view! { <ul aria-label="Active filters">{tokens}</ul> });
    view! {
        <div class="active">
            {list}
            {clear}
            {share}
            {news}
            <CountLine count=log.count/>
        </div>
    }
    .into_any()
}

/// The filters of a question. `people`: names for ids; `workspaces`: names for slugs.
fn tokens(
    query: &Query,
    people: &[(String, String)],
    workspaces: &[(String, String)],
) -> Vec<Token> {
    let start = query.from_start();
    let pairs = start.pairs();
    pairs
        .iter()
        .enumerate()
        .filter_map(|(at, (name, value))| {
            let (key, value) = told(name, value, people, workspaces)?;
            let rest = pairs
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .map(|(_, (name, value))| ((*name).into(), value.as_str().into()));
            Some(Token {
                key,
                value,
                without: Query::read_pairs(rest, domain::question::Unknown::Ignored).query,
            })
        })
        .collect()
}

/// The parameters that are filters, each in words with all that was given for it, and the question without
/// it: what can be dropped where nothing matches. Since, until and range are one, the time.
pub(super) fn relaxations(
    query: &Query,
    people: &[(String, String)],
    workspaces: &[(String, String)],
) -> Vec<(String, Query)> {
    let start = query.from_start();
    let pairs = start.pairs();
    let mut dropped: Vec<(&str, String)> = Vec::new();
    for (name, value) in &pairs {
        let Some((key, value)) = told(name, value, people, workspaces) else {
            continue;
        };
        let name = drops(name);
        match dropped.iter_mut().find(|(other, _)| *other == name) {
            Some((_, words)) if name != "time" => {
                words.push_str(", ");
                words.push_str(&value);
            }
            Some(_) => {}
            None if name == "time" => dropped.push((name, "the time".to_owned())),
            None => dropped.push((name, format!("{key} {value}"))),
        }
    }
    let without = |dropped: &str| {
        let rest = pairs.iter().filter(|(name, _)| drops(name) != dropped);
        let rest = rest.map(|(name, value)| ((*name).into(), value.as_str().into()));
        Query::read_pairs(rest, domain::question::Unknown::Ignored).query
    };
    dropped
        .into_iter()
        .map(|(name, words)| (words, without(name)))
        .collect()
}

/// What is dropped together with a parameter.
fn drops(name: &str) -> &str {
    match name {
        "since" | "until" | "range" => "time",
        name => name,
    }
}

/// A parameter in words; none for those that are no filter.
fn told(
    name: &str,
    value: &str,
    people: &[(String, String)],
    workspaces: &[(String, String)],
) -> Option<(&'static str, String)> {
    let called = |all: &[(String, String)]| {
        let known = all.iter().find(|(id, _)| id == value);
        known.map_or_else(|| value.to_owned(), |(_, name)| name.clone())
    };
    let person = || called(people);
    let same = || value.to_owned();
    Some(match name {
        "workspace" => ("workspace", called(workspaces)),
        "category" => {
            let label = value.parse::<Category>().map(Category::label);
            ("category", label.map_or_else(|_| same(), str::to_owned))
        }
        "verb" => ("verb", same()),
        "action" => ("action", same()),
        "outcome" => ("outcome", same()),
        "actor" => ("actor", same()),
        "actor_id" => ("actor", person()),
        "actor_kind" if value == "system" => ("actor", "system only".to_owned()),
        "actor_kind" => ("kind of actor", same()),
        "via_id" => ("via", person()),
        "target_kind" => ("kind", same()),
        "target_id" => ("target", same()),
        "q" => ("search", same()),
        "operation" => ("operation", same()),
        "since" => ("since", value.replace('T', " ")),
        "until" => ("until", value.parse().map_or_else(|_| same(), end)),
        "range" => {
            let words = value.parse::<domain::question::Range>();
            (
                "range",
                words.map_or_else(|_| same(), |range| range.words().to_owned()),
            )
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::question::Unknown;

    #[test]
    fn a_filter_can_be_dropped_with_all_that_was_given_for_it() {
        let text = "category=members&category=secrets&q=kim&since=2026-05-01&until=2026-05-02&tz=Asia%2FTokyo";
        let query = Query::read(text, Unknown::Refused).query;
        let dropped: Vec<_> = relaxations(&query, &[], &[])
            .into_iter()
            .map(|(words, without)| (words, without.query_string()))
            .collect();
        let expected = [
            (
                "category Members, Secrets",
                "q=kim&since=2026-05-01&until=2026-05-02&tz=Asia%2FTokyo",
            ),
            (
                "search kim",
                "category=members&category=secrets&since=2026-05-01&until=2026-05-02&tz=Asia%2FTokyo",
            ),
            (
                "the time",
                "category=members&category=secrets&q=kim&tz=Asia%2FTokyo",
            ),
        ];
        assert_eq!(dropped.len(), expected.len(), "{dropped:?}");
        for expected in expected {
            assert!(
                dropped.contains(&(expected.0.to_owned(), expected.1.to_owned())),
                "{expected:?} in {dropped:?}"
            );
        }
    }

    #[test]
    fn each_filter_is_a_token_that_takes_itself_away_and_goes_to_the_start() {
        let text = "workspace=growth&category=members&category=secrets&actor_id=usr_1&q=kim&tz=Europe%2FOslo\
                    &sort=actor&cursor=abc";
        let query = Query::read(text, Unknown::Refused).query;
        let people = [("usr_1".to_owned(), "Alex Kim".to_owned())];
        let workspaces = [("growth".to_owned(), "Growth".to_owned())];
        let told: Vec<_> = tokens(&query, &people, &workspaces)
            .into_iter()
            .map(|token| {
                (
                    format!("{} {}", token.key, token.value),
                    token.without.query_string(),
                )
            })
            .collect();
        let rest = "&tz=Europe%2FOslo&sort=actor";
        assert_eq!(
            told,
            [
                (
                    "workspace Growth".to_owned(),
                    format!("category=members&category=secrets&actor_id=usr_1&q=kim{rest}")
                ),
                (
                    "category Members".to_owned(),
                    format!("workspace=growth&category=secrets&actor_id=usr_1&q=kim{rest}")
                ),
                (
                    "category Secrets".to_owned(),
                    format!("workspace=growth&category=members&actor_id=usr_1&q=kim{rest}")
                ),
                (
                    "actor Alex Kim".to_owned(),
                    format!("workspace=growth&category=members&category=secrets&q=kim{rest}")
                ),
                (
                    "search kim".to_owned(),
                    format!(
                        "workspace=growth&category=members&category=secrets&actor_id=usr_1{rest}"
                    )
                ),
            ]
        );
    }
}
