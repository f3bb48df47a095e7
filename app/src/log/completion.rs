//! What completes what somebody types in a field of the filter: from what exists in the log, most used first.

use super::{About, answer};
use crate::{
    number::{entries, grouped},
    refusal::Refusal,
    viewer::Asker,
};
use domain::{
    event::ActorKind,
    question::{Filter, Subject},
};
use maud::{Markup, html};
use std::collections::HashMap;
use store::{
    Snapshot, StoreError,
    question::{ActionChoice, ActorChoice, ObjectChoice},
};

/// So many of each are offered.
const ACTORS_MOST: usize = 10;
const ACTIONS_MOST: usize = 6;
const KINDS_MOST: usize = 3;
const OBJECTS_MOST: usize = 8;

/// A list of what may be meant, under one heading.
struct Group {
    heading: &'static str,
    options: Vec<Choice>,
}

/// Something to choose: what it is called, and what choosing it adds to the question.
struct Choice {
    name: String,
    /// What tells it from others of that name.
    beside: Option<String>,
    /// How many entries it has, where that is known exactly.
    entries: Option<u64>,
    adds: Vec<(&'static str, String)>,
}

/// What may be meant by `text` in a field of the log at `path`, as a listbox holds it: nothing that `search` asks
/// for already. Empty where there is nothing.
pub(crate) async fn completions(
    asker: Result<Asker, Refusal>,
    path: &str,
    search: &str,
    field: &str,
    text: &str,
) -> Result<String, Refusal> {
    let (mut snapshot, about, query) = answer::asked(asker, path, search).await?;
    let text = text.trim();
    let groups = loop {
        let groups = match field {
            "actor" if about.has_actors() => actors(&mut snapshot, &query.filter, text).await,
            "q" => things(&mut snapshot, about, &query.filter, text).await,
            _ => Ok(Vec::new()),
        };
        let groups = groups.map_err(Refusal::from);
        if !answer::is_asked_again(&mut snapshot, &groups).await? {
            break groups;
        }
    };
    snapshot.end().await;
    Ok(options(field, &groups?).into_string())
}

async fn actors(
    snapshot: &mut Snapshot,
    filter: &Filter,
    text: &str,
) -> Result<Vec<Group>, StoreError> {
    // Those who are asked for already make room for others.
    let most = ACTORS_MOST + filter.actor_id.len() + filter.actor_kind.len();
    let found = snapshot.complete_actors(text, most).await?;
    Ok(groups([("Actors", people(found, filter))]))
}

/// Those who are not asked for already.
fn people(found: Vec<ActorChoice>, filter: &Filter) -> Vec<Choice> {
    let mut looks: HashMap<(String, Option<String>), usize> = HashMap::new();
    for actor in &found {
        let look = (actor.name.clone(), actor.email.clone());
        *looks.entry(look).or_default() += 1;
    }
    let options = found.into_iter().filter_map(|actor| {
        let ActorChoice {
            kind,
            id,
            name,
            email,
            events,
            is_exact,
        } = actor;
        // The same person may be known by several ids, as an application's and as Daybook's own.
        let look = (name, email);
        let is_alone = looks.get(&look).is_none_or(|count| *count < 2);
        let (name, email) = look;
        let by_kind = ("actor_kind", kind.to_string());
        let mut entries = is_exact.then_some(events);
        let (adds, beside) = match id {
            Some(id) if filter.actor_id.contains(&id) => return None,
            Some(id) => {
                let shown = (id != name && (email.is_none() || !is_alone)).then(|| id.clone());
                (vec![("actor_id", id)], [email, shown])
            }
            None => {
                let is_called = name != kind.as_str();
                let text = email.clone().or_else(|| is_called.then(|| name.clone()));
                let is_asked_for = filter.actor_kind.contains(&kind)
                    && text
                        .as_ref()
                        .is_none_or(|text| filter.actor.as_ref() == Some(text));
                if is_asked_for {
                    return None;
                }
                match text {
                    // Nothing asks for exactly those without an id; this finds nobody else who is not called alike.
                    Some(text) => (vec![by_kind, ("actor", text)], [email, None]),
                    None => {
                        // All of the kind are found, also those who are called something.
                        entries = None;
                        (vec![by_kind], [None, None])
                    }
                }
            }
        };
        let kind = (kind != ActorKind::User && kind.as_str() != name).then(|| kind.to_string());
        let beside = beside.into_iter().flatten().filter(|text| *text != name);
        let beside: Vec<String> = kind.into_iter().chain(beside).collect();
        Some(Choice {
            name,
            beside: (!beside.is_empty()).then(|| beside.join(" · ")),
            entries,
            adds,
        })
    });
    options.take(ACTORS_MOST).collect()
}

/// Actions, kinds of objects, and objects.
async fn things(
    snapshot: &mut Snapshot,
    about: About,
    filter: &Filter,
    text: &str,
) -> Result<Vec<Group>, StoreError> {
    let offered = snapshot.choices().await?.offered;
    let actions = actions(&offered.actions, filter, text);
    let (mut kinds, mut objects) = (Vec::new(), Vec::new());
    if about.has_targets() {
        let most = KINDS_MOST + filter.target_kind.len();
        kinds = snapshot.complete_kinds(text, most).await?;
        kinds.retain(|kind| !filter.target_kind.contains(kind));
        kinds.truncate(KINDS_MOST);
        let most = OBJECTS_MOST + filter.target_id.len();
        objects = snapshot.complete_objects(text, most).await?;
        objects.retain(|object| !filter.target_id.contains(&object.id));
        objects.truncate(OBJECTS_MOST);
    }
    let kinds = kinds.into_iter().map(|kind| Choice {
        name: kind.to_string(),
        beside: None,
        entries: None,
        adds: vec![("target_kind", kind.to_string())],
    });
    let objects = objects.into_iter().map(object);
    Ok(groups([
        ("Actions", actions),
        ("Kinds of targets", kinds.collect()),
        ("Targets", objects.collect()),
    ]))
}

/// Those of which the text is a part of the label or the name, most used first.
fn actions(all: &[ActionChoice], filter: &Filter, text: &str) -> Vec<Choice> {
    let wanted = text.to_lowercase();
    let mut found: Vec<&ActionChoice> = all
        .iter()
        .filter(|choice| !filter.action.contains(&choice.action))
        .filter(|choice| {
            choice.label.to_lowercase().contains(&wanted)
                || choice.action.as_str().to_lowercase().contains(&wanted)
        })
        .collect();
    found.sort_by_key(|choice| std::cmp::Reverse(choice.events));
    let found = found.into_iter().take(ACTIONS_MOST);
    found
        .map(|choice| {
            let action = choice.action.to_string();
            Choice {
                name: choice.label.clone(),
                beside: (choice.label != action).then(|| action.clone()),
                entries: None,
                adds: vec![("action", action)],
            }
        })
        .collect()
}

fn object(object: ObjectChoice) -> Choice {
    let Subject { kind, id } = Subject {
        kind: object.kind,
        id: object.id,
    };
    let beside = match &object.name {
        Some(name) if *name != id => format!("{kind} · {id}"),
        _ => kind.to_string(),
    };
    Choice {
        name: object.name.unwrap_or_else(|| id.clone()),
        beside: Some(beside),
        entries: None,
        adds: vec![("target_kind", kind.to_string()), ("target_id", id)],
    }
}

fn groups<const N: usize>(all: [(&'static str, Vec<Choice>); N]) -> Vec<Group> {
    let all = all.into_iter().filter(|(_, options)| !options.is_empty());
    all.map(|(heading, options)| Group { heading, options })
        .collect()
}

/// What a listbox holds. Each option has an id, by which the field says which one is chosen next.
fn options(field: &str, groups: &[Group]) -> Markup {
    html! {
        @for (at, group) in groups.iter().enumerate() {
            @let heading = format!("c-{field}-{at}");
            div role="group" aria-labelledby=(heading) {
                div.heading id=(heading) role="presentation" { (group.heading) }
                @for (place, choice) in group.options.iter().enumerate() {
                    (option(&format!("{heading}-{place}"), choice))
                }
            }
        }
    }
}

fn option(id: &str, choice: &Choice) -> Markup {
    let adds = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&choice.adds)
        .finish();
    html! {
        div.choice role="option" id=(id) aria-selected="false" data-adds=(adds) {
            span.clip { (choice.name) }
            @if let Some(beside) = &choice.beside {
                " "
                span.beside.clip { (beside) }
            }
            @if let Some(count) = choice.entries {
                " "
                span.many { (grouped(count)) span.sr-only { " " (entries(count)) } }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::{category::Category, question::Query, question::Unknown, verb::Verb};

    fn choice(action: &str, label: &str, events: u64) -> ActionChoice {
        ActionChoice {
            action: action.parse().unwrap(),
            label: label.to_owned(),
            category: Category::Secrets,
            verb: Verb::Rotate,
            events,
        }
    }

    #[test]
    fn actions_are_found_by_label_and_name_most_used_first_but_for_those_asked_for() {
        let all = [
            choice("SECRET_CREATED", "Secret created", 7),
            choice("SECRET_ROTATED", "Secret rotated", 9),
            choice("TOKEN_ROTATED", "Token renewed", 12),
            choice("MEMBER_REMOVED", "Member removed", 90),
        ];
        let found = |search: &str, text: &str| -> Vec<String> {
            let filter = Query::read(search, Unknown::Refused).query.filter;
            let found = actions(&all, &filter, text);
            found.into_iter().map(|choice| choice.name).collect()
        };
        assert_eq!(found("", "rotated"), ["Token renewed", "Secret rotated"]);
        assert_eq!(found("", "SECRET"), ["Secret rotated", "Secret created"]);
        assert_eq!(found("action=SECRET_ROTATED", "secret"), ["Secret created"]);
        assert_eq!(found("", "nothing"), [""; 0]);
    }

    #[test]
    fn who_is_called_the_same_is_told_apart_by_the_id_and_who_is_asked_for_is_left_out() {
        let person = |id: &str, name: &str, email: Option<&str>| ActorChoice {
            kind: ActorKind::User,
            id: Some(id.to_owned()),
            name: name.to_owned(),
            email: email.map(str::to_owned),
            events: 1,
            is_exact: true,
        };
        let system = ActorChoice {
            kind: ActorKind::System,
            id: None,
            ..person("", "system", None)
        };
        let found = vec![
            person("usr_1", "Kim", Some("kim@example.com")),
            person("usr_2", "Kim", Some("kim@example.com")),
            person("usr_3", "Kim", Some("other@example.com")),
            person("usr_4", "Kim", None),
            system,
        ];
        let told = |search: &str| -> Vec<String> {
            let filter = Query::read(search, Unknown::Refused).query.filter;
            let people = people(found.clone(), &filter);
            let beside = people.into_iter().map(|choice| choice.beside);
            beside.map(Option::unwrap_or_default).collect()
        };
        assert_eq!(
            told(""),
            [
                "kim@example.com · usr_1",
                "kim@example.com · usr_2",
                "other@example.com",
                "usr_4",
                ""
            ]
        );
        assert_eq!(
            told("actor_id=usr_1&actor_id=usr_2&actor_kind=system").len(),
            2
        );
    }

    #[test]
    fn who_has_no_id_is_asked_for_by_the_kind_and_what_they_are_called() {
        let nobody = |name: &str, email: Option<&str>| ActorChoice {
            kind: ActorKind::Anonymous,
            id: None,
            name: name.to_owned(),
            email: email.map(str::to_owned),
            events: 3,
            is_exact: true,
        };
        let found = vec![
            nobody("Bob", Some("bob@example.com")),
            nobody("eve@example.com", Some("eve@example.com")),
            nobody("Mallory", None),
            nobody("anonymous", None),
        ];
        let told = |search: &str| -> Vec<String> {
            let filter = Query::read(search, Unknown::Refused).query.filter;
            let people = people(found.clone(), &filter).into_iter();
            let told = people.map(|choice| {
                let adds = choice
                    .adds
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"));
                let adds = adds.collect::<Vec<_>>().join("&");
                let beside = choice.beside.unwrap_or_default();
                format!("{} ({beside}) {:?} {adds}", choice.name, choice.entries)
            });
            told.collect()
        };
        let all = [
            "Bob (anonymous · bob@example.com) Some(3) actor_kind=anonymous&actor=bob@example.com",
            "eve@example.com (anonymous) Some(3) actor_kind=anonymous&actor=eve@example.com",
            "Mallory (anonymous) Some(3) actor_kind=anonymous&actor=Mallory",
            "anonymous () None actor_kind=anonymous",
        ];
        assert_eq!(told(""), all);
        assert_eq!(told("actor=bob%40example.com"), all);
        assert_eq!(told("actor_kind=anonymous"), all[..3]);
        assert_eq!(
            told("actor_kind=anonymous&actor=bob%40example.com"),
            all[1..3]
        );
    }

    #[test]
    fn what_was_counted_in_part_is_not_told() {
        let person = |id: &str, is_exact| ActorChoice {
            kind: ActorKind::User,
            id: Some(id.to_owned()),
            name: id.to_owned(),
            email: None,
            events: 7,
            is_exact,
        };
        let found = vec![person("usr_1", true), person("usr_2", false)];
        let people = people(found, &Filter::default()).into_iter();
        let entries: Vec<_> = people.map(|choice| choice.entries).collect();
        assert_eq!(entries, [Some(7), None]);
    }

    #[test]
    fn an_option_says_what_it_adds_and_is_text_whatever_it_holds() {
        let choice = object(ObjectChoice {
            kind: "secret".parse().unwrap(),
            id: "a&b=c".to_owned(),
            name: Some("<b>key</b>".to_owned()),
            entries: 3,
        });
        let groups = groups([("Targets", vec![choice]), ("Actions", Vec::new())]);
        let html = options("q", &groups).into_string();
        assert!(
            html.contains(r#"data-adds="target_kind=secret&amp;target_id=a%26b%3Dc""#),
            "{html}"
        );
        assert!(html.contains("&lt;b&gt;key&lt;/b&gt;"), "{html}");
        assert_eq!(html.matches(r#"role="group""#).count(), 1);
    }
}
