//! What everything is measured with: events made from a seed, skewed as a company's are. A few
//! actors, objects and actions have most of the events; most of them have few.

use chrono::TimeDelta;
use domain::{
    catalogue::Catalogue,
    category::Category,
    event::{Action, Actor, ActorKind, NewEvent, Object, Outcome, Target, TargetKind},
    time::Timestamp,
    verb::Verb,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use serde_json::{Value, json};

/// Changes whenever the same seed gives other events: sets of other versions are made again.
pub const VERSION: u32 = 1;

/// How many actors there are.
pub const ACTORS: usize = 2_000;
/// How many objects there are in all, the same number in each family.
pub const OBJECTS: usize = 200_000;
/// Over how long events are spread.
const DAYS: i64 = 90;
/// How late a late event is at most.
const LATEST_HOURS: i64 = 72;
/// After how many events the next bulk change begins, and how many events it has.
const BULK_EVERY: u64 = 4_000;
const BULK_SIZE: u64 = 40;
/// The one operation that is frequent: five in a thousand events belong to it.
pub const FREQUENT_OPERATION: &str = "nightly-reconciliation";

/// When the events of a measured set end: always the same, so that a seed gives the same set on any
/// day.
pub fn end_of_set() -> Timestamp {
    // 2026-06-30T18:00:00Z
    Timestamp::from_micros(1_782_842_400_000_000)
}

/// Families of objects, the busiest first, each with its kinds.
const FAMILIES: [(Category, &[&str]); 27] = [
    (Category::Deployments, &["deployment"]),
    (Category::Pipelines, &["pipeline", "pipeline_run"]),
    (Category::JobsProcesses, &["job", "process"]),
    (Category::Data, &["data_model", "audience"]),
    (Category::Services, &["service", "domain"]),
    (Category::AuthTokens, &["api_token"]),
    (Category::Workflows, &["workflow"]),
    (Category::CrmSyncs, &["crm_sync"]),
    (Category::EnvironmentsRunners, &["environment", "runner"]),
    (Category::Integrations, &["integration"]),
    (Category::Repos, &["repo"]),
    (Category::Members, &["user"]),
    (Category::DashboardsReports, &["dashboard", "report"]),
    (Category::Agent, &["agent"]),
    (Category::Secrets, &["secret"]),
    (Category::Notifications, &["channel", "alert"]),
    (Category::ArtifactRepos, &["artifact_repo"]),
    (Category::Projects, &["project"]),
    (Category::Journeys, &["journey"]),
    (Category::LlmMcp, &["llm_provider"]),
    (Category::Settings, &["setting"]),
    (Category::Workspace, &["workspace"]),
    (Category::Improvements, &["improvement"]),
    (Category::Invites, &["invite"]),
    (Category::Billing, &["subscription"]),
    (Category::Clarifications, &["clarification"]),
    (Category::Accounts, &["account"]),
];

/// Packs of the catalogue whose actions other products send, or Daybook itself.
const FOREIGN_PACKS: [&str; 3] = ["aws_cloudtrail", "github", "daybook"];

const FIRST_NAMES: [&str; 40] = [
    "Alex", "Åse", "Bianca", "Carlos", "Chidi", "Dana", "Elif", "Emma", "Farid", "Freya", "Goran",
    "Hana", "Ingrid", "Ivan", "Jonas", "Julia", "Kim", "Lars", "Leila", "Łukasz", "Maja", "Marco",
    "Mei", "Nadia", "Noah", "Olga", "Omar", "Paula", "Priya", "Quentin", "Rosa", "Ruben", "Sofia",
    "Tariq", "Tove", "Uma", "Viktor", "Wanda", "Yusuf", "Zoë",
];
const LAST_NAMES: [&str; 50] = [
    "Abara",
    "Almeida",
    "Andersen",
    "Baran",
    "Berg",
    "Bianchi",
    "Bondar",
    "Castillo",
    "Chen",
    "Dahl",
    "Demir",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Fontaine",
    "Garcia",
    "Haddad",
    "Hansen",
    "Horvat",
    "Ito",
    "Jansen",
    "Kaya",
    "Kim",
    "Kowalski",
    "Kumar",
    "Larsen",
    "Lindqvist",
    "Lopez",
    "Mensah",
    "Moreau",
    "Müller",
    "Nakamura",
    "Novak",
    "Nowak",
    "Okafor",
    "Olsen",
    "Park",
    "Petrov",
    "Popescu",
    "Quist",
    "Rahman",
    "Rossi",
    "Sato",
    "Schmidt",
    "Silva",
    "Solheim",
    "Tanaka",
    "Virtanen",
    "Weber",
    "Yilmaz",
];
const THINGS: [&str; 16] = [
    "checkout",
    "billing",
    "search",
    "ingest",
    "reporting",
    "mailer",
    "catalog",
    "gateway",
    "identity",
    "ledger",
    "inventory",
    "pricing",
    "support",
    "warehouse",
    "frontend",
    "telemetry",
];
const REGIONS: [&str; 4] = ["eu-north-1", "eu-west-1", "us-east-1", "ap-southeast-2"];
const TIERS: [&str; 3] = ["standard", "critical", "experimental"];
const NOTES: [&str; 4] = [
    "partial rotation, the rest follows on Monday",
    "asked for in the weekly review",
    "rolled out to a tenth first",
    "taken over from the old system as it was",
];

/// Chance from a seed, in whole numbers only: the same everywhere.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `end`, which it never is; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A place in a list of `len`.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of a list.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.index(list.len())]
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.index(last + 1);
            list.swap(last, other);
        }
    }

    fn signed(&mut self, end: i64) -> i64 {
        let end = u64::try_from(end).unwrap_or(0);
        i64::try_from(self.below(end)).unwrap_or(0)
    }
}

/// Draws places as Zipf's law has it: the second comes half as often as the first, the tenth a tenth
/// as often.
pub struct Zipf(Vec<u64>);

impl Zipf {
    /// For a list of `len`.
    pub fn new(len: usize) -> Self {
        let mut sum = 0;
        let sums = (1..=len as u64).map(|rank| {
            sum += (1 << 40) / rank;
            sum
        });
        Self(sums.collect())
    }

    /// A place, from 0.
    pub fn draw(&self, dice: &mut Dice) -> usize {
        let drawn = dice.below(self.0.last().copied().unwrap_or(0));
        self.0.partition_point(|sum| *sum <= drawn)
    }
}

/// A family of objects, and what is done to them.
pub struct Family {
    /// What the catalogue calls it.
    pub category: Category,
    /// The kinds of its objects.
    pub kinds: Vec<TargetKind>,
    /// What is done to them, the most frequent first.
    pub actions: Vec<FamilyAction>,
    often: Zipf,
}

/// An action of a family.
pub struct FamilyAction {
    /// Its name.
    pub action: Action,
    /// What the catalogue says that it does.
    pub verb: Verb,
    /// What the catalogue calls it.
    pub label: &'static str,
}

impl Family {
    /// One of its objects, by how busy it is: 0 is the busiest.
    pub fn object(&self, rank: usize) -> Target {
        let kind = self.kinds[rank % self.kinds.len()].clone();
        let thing = THINGS[rank % THINGS.len()];
        Target {
            id: Some(format!("{}_{rank:05}", kind.as_str())),
            name: Some(format!("{thing}-{}-{rank}", kind.as_str())),
            kind,
            url: None,
        }
    }
}

/// Who and what there is in the events.
pub struct World {
    /// Who acts, the busiest first.
    pub actors: Vec<Actor>,
    /// Those of them who carry out what people ask for, the busiest first.
    pub agents: Vec<Actor>,
    /// What is acted on, the busiest family first.
    pub families: Vec<Family>,
    acting: Zipf,
    carrying: Zipf,
    concerned: Zipf,
    acted_on: Zipf,
}

impl World {
    /// The world of all sets.
    pub fn new() -> Self {
        let mut dice = Dice::new(0);
        let actors: Vec<Actor> = (0..ACTORS).map(actor).collect();
        let agents: Vec<Actor> = actors
            .iter()
            .filter(|actor| actor.kind == ActorKind::Agent)
            .cloned()
            .collect();
        let families: Vec<Family> = FAMILIES
            .iter()
            .filter_map(|(category, kinds)| family(*category, kinds, &mut dice))
            .collect();
        Self {
            acting: Zipf::new(actors.len()),
            carrying: Zipf::new(agents.len()),
            concerned: Zipf::new(families.len()),
            acted_on: Zipf::new(OBJECTS / families.len().max(1)),
            actors,
            agents,
            families,
        }
    }

    /// How many objects each family has.
    pub fn objects_in_family(&self) -> usize {
        OBJECTS / self.families.len().max(1)
    }
}

/// The actor of a rank: automation among the busiest, people among the rest.
fn actor(rank: usize) -> Actor {
    let automatic = |kind: ActorKind, what: &str| Actor {
        kind,
        id: Some(format!("{}_{rank:04}", kind.as_str())),
        name: Some(format!("{what} {rank}")),
        email: None,
    };
    match rank {
        0 => return Actor::SYSTEM,
        1_500 => {
            return Actor {
                kind: ActorKind::Anonymous,
                ..Actor::SYSTEM
            };
        }
        1..=60 => match rank % 6 {
            1 => return automatic(ActorKind::Token, "ci token"),
            3 => return automatic(ActorKind::Agent, "release assistant"),
            5 => return automatic(ActorKind::Integration, "warehouse connector"),
            _ => {}
        },
        _ => {}
    }
    // A number without a common factor with 2,000: each full name comes once.
    let person = (rank * 919 + 13) % ACTORS;
    let first = FIRST_NAMES[person % FIRST_NAMES.len()];
    let last = LAST_NAMES[person / FIRST_NAMES.len()];
    Actor {
        kind: ActorKind::User,
        id: Some(format!("usr_{rank:04}")),
        name: Some(format!("{first} {last}")),
        email: Some(format!(
            "{}.{}@acme.example",
            first.to_lowercase(),
            last.to_lowercase()
        )),
    }
}

/// A family with its actions from the catalogue; none where the catalogue has no action for it.
fn family(category: Category, kinds: &[&str], dice: &mut Dice) -> Option<Family> {
    let mut actions: Vec<FamilyAction> = Catalogue::shipped()
        .iter()
        .filter(|entry| {
            entry.category == category
                && entry.pack.is_none_or(|pack| !FOREIGN_PACKS.contains(&pack))
        })
        .filter_map(|entry| {
            Some(FamilyAction {
                action: entry.action.parse().ok()?,
                verb: entry.verb,
                label: entry.label,
            })
        })
        .collect();
    if actions.is_empty() {
        return None;
    }
    // How often something is done has nothing to do with its place in the alphabet.
    dice.shuffle(&mut actions);
    Some(Family {
        category,
        kinds: kinds.iter().filter_map(|kind| kind.parse().ok()).collect(),
        often: Zipf::new(actions.len()),
        actions,
    })
}

/// A set of events: what it is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// What chance begins with.
    pub seed: u64,
    /// How many events there are.
    pub events: u64,
    /// When they end.
    pub end: Timestamp,
}

impl Set {
    /// Its events in the order in which they are sent.
    pub fn events(self, world: &World) -> Events<'_> {
        Events {
            set: self,
            world,
            dice: Dice::new(self.seed),
            number: 0,
        }
    }
}

/// The events of a set, one after the other.
pub struct Events<'a> {
    set: Set,
    world: &'a World,
    dice: Dice,
    number: u64,
}

impl Iterator for Events<'_> {
    type Item = NewEvent;

    fn next(&mut self) -> Option<NewEvent> {
        if self.number >= self.set.events {
            return None;
        }
        let number = self.number;
        self.number += 1;
        Some(self.event(number))
    }
}

impl Events<'_> {
    fn event(&mut self, number: u64) -> NewEvent {
        let world = self.world;
        let dice = &mut self.dice;
        let actor = world.actors[world.acting.draw(dice)].clone();
        let family = &world.families[world.concerned.draw(dice)];
        let done = &family.actions[family.often.draw(dice)];
        let target = family.object(world.acted_on.draw(dice));
        let (before, after) = states(dice, done.verb, &target);

        let mut event = NewEvent::new(actor, done.action.clone(), target);
        if event.actor.kind == ActorKind::User && dice.chance(60) {
            event.via = vec![world.agents[world.carrying.draw(dice)].clone()];
        }
        if dice.chance(60) {
            let other = &world.families[world.concerned.draw(dice)];
            event.related = vec![other.object(world.acted_on.draw(dice))];
        }
        event.operation = if number % BULK_EVERY < BULK_SIZE {
            Some(bulk_operation(number / BULK_EVERY))
        } else if dice.chance(5) {
            Some(FREQUENT_OPERATION.to_owned())
        } else {
            None
        };
        event.outcome = match dice.below(1_000) {
            0..10 => Outcome::Denied,
            10..45 => Outcome::Failure,
            _ => Outcome::Success,
        };
        event.idempotency_key = Some(format!("bench-{}-{number:09}", self.set.seed));
        event.description = dice.chance(100).then(|| dice.pick(&NOTES).to_owned());
        event.before = before;
        event.after = after;
        event.context = Some(context(dice));
        event.occurred_at = Some(self.occurred_at(number));
        event
    }

    /// Times rise from event to event, but for two in a hundred, which come late.
    fn occurred_at(&mut self, number: u64) -> Timestamp {
        let whole = TimeDelta::days(DAYS).num_microseconds().unwrap_or(0);
        let begin = self.set.end.micros() - whole;
        let step = whole / i64::try_from(self.set.events.max(1)).unwrap_or(i64::MAX);
        let number = i64::try_from(number).unwrap_or(0);
        let mut at = begin + step * number + self.dice.signed(step);
        if self.dice.chance(20) {
            let late = TimeDelta::hours(LATEST_HOURS).num_microseconds();
            at -= self.dice.signed(late.unwrap_or(0));
        }
        Timestamp::from_micros(at.max(begin))
    }
}

/// The name of a bulk change.
pub fn bulk_operation(number: u64) -> String {
    format!("bulk-{number:05}")
}

/// What an object looked like before and after: about 200 bytes together.
fn states(dice: &mut Dice, verb: Verb, target: &Target) -> (Option<Object>, Option<Object>) {
    let state = |dice: &mut Dice| {
        let mut state = Object::new();
        state.insert("name".to_owned(), json!(target.name));
        state.insert(
            "owner".to_owned(),
            json!(format!("usr_{:04}", dice.index(ACTORS))),
        );
        state.insert("region".to_owned(), json!(dice.pick(&REGIONS)));
        state.insert("replicas".to_owned(), json!(1 + dice.below(12)));
        state.insert("tier".to_owned(), json!(dice.pick(&TIERS)));
        state
    };
    let before = state(dice);
    let mut after = before.clone();
    after.insert("replicas".to_owned(), json!(13 + dice.below(12)));
    if dice.chance(500) {
        after.insert("region".to_owned(), json!(dice.pick(&REGIONS)));
    }
    match verb {
        Verb::Create => (None, Some(after)),
        Verb::Delete => (Some(before), None),
        _ => (Some(before), Some(after)),
    }
}

/// Where it came from: about 100 bytes.
fn context(dice: &mut Dice) -> Object {
    let mut context = Object::new();
    let address = format!("203.0.{}.{}", dice.below(256), dice.below(256));
    context.insert("ip".to_owned(), json!(address));
    context.insert("user_agent".to_owned(), json!("acme-platform/4.2"));
    let request = format!("req_{:016x}", dice.below(u64::MAX));
    context.insert("request_id".to_owned(), json!(request));
    context
}

/// An event as its sender writes it.
pub fn as_json(event: &NewEvent) -> Value {
    let actor = |actor: &Actor| json!({"kind": actor.kind, "id": actor.id, "name": actor.name, "email": actor.email});
    let object =
        |object: &Target| json!({"kind": object.kind, "id": object.id, "name": object.name});
    let mut value = json!({
        "idempotency_key": event.idempotency_key,
        "occurred_at": event.occurred_at,
        "actor": actor(&event.actor),
        "action": event.action,
        "target": object(&event.target),
        "outcome": event.outcome,
        "context": event.context,
    });
    let mut add = |name: &str, given: Value| value[name] = given;
    if !event.via.is_empty() {
        add("via", event.via.iter().map(actor).collect());
    }
    if !event.related.is_empty() {
        add("related", event.related.iter().map(object).collect());
    }
    if let Some(operation) = &event.operation {
        add("operation", json!(operation));
    }
    if let Some(description) = &event.description {
        add("description", json!(description));
    }
    if let Some(before) = &event.before {
        add("before", json!(before));
    }
    if let Some(after) = &event.after {
        add("after", json!(after));
    }
    value
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use domain::event::Bounds;

    const SET: Set = Set {
        seed: 7,
        events: 2_000,
        end: Timestamp::from_micros(1_782_842_400_000_000),
    };

    #[test]
    fn a_seed_gives_the_same_events_again_and_another_seed_others() {
        let world = World::new();
        let events: Vec<_> = SET.events(&world).collect();
        assert_eq!(events.len(), 2_000);
        assert!(SET.events(&World::new()).eq(events.iter().cloned()));
        let other = Set { seed: 8, ..SET };
        assert!(!other.events(&world).eq(events.iter().cloned()));
    }

    #[test]
    fn every_event_is_one_that_the_api_takes_and_reads_as_it_was_made() {
        let bounds = Bounds { now: SET.end };
        for event in SET.events(&World::new()) {
            let read = NewEvent::from_json(as_json(&event), bounds).unwrap();
            assert_eq!(read, event);
        }
    }

    #[test]
    fn few_have_most_and_most_have_few() {
        let zipf = Zipf::new(1_000);
        let mut dice = Dice::new(1);
        let mut drawn = vec![0_u32; 1_000];
        for _ in 0..100_000 {
            drawn[zipf.draw(&mut dice)] += 1;
        }
        assert!(drawn[0] > 5 * drawn[9] && drawn[9] > 5 * drawn[99]);
        assert!(drawn[0] < 20_000);
    }

    #[test]
    fn times_lie_within_the_set_and_some_come_late() {
        let world = World::new();
        let times: Vec<_> = SET
            .events(&world)
            .filter_map(|event| event.occurred_at)
            .collect();
        let begin = SET.end.plus(-TimeDelta::days(DAYS));
        assert!(times.iter().all(|at| begin <= *at && *at < SET.end));
        let late = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((10..100).contains(&late), "{late}");
    }

    #[test]
    fn no_two_people_have_the_same_name() {
        let names: std::collections::BTreeSet<_> =
            (0..ACTORS).map(|rank| actor(rank).name).collect();
        // Two of them are nobody, and have none.
        assert_eq!(names.len(), ACTORS - 1);
    }
}
