//! One moment of the story: who acts, where, and what becomes the event.

use super::{
    bots::{ASSISTANTS, Bot},
    calendar::City,
    dice::Dice,
    families::KINDS,
    people::{CAST, Character, LEAVERS, Place},
    world::{Thing, World, kind_named},
};
use chrono::{Days, NaiveDate};
use domain::{
    event::{Actor, ActorKind, NewEvent, Object, Outcome, Target},
    time::Timestamp,
};
use serde_json::{Value, json};

/// Makes an object of what is written like JSON.
macro_rules! object {
    ({$($content:tt)*}) => {
        match serde_json::json!({$($content)*}) {
            serde_json::Value::Object(object) => object,
            _ => serde_json::Map::new(),
        }
    };
}
pub(super) use object;

/// Who acts.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// A person, by their place in [`CAST`].
    Person(usize),
    /// An automation.
    Bot(&'static Bot),
}

impl Who {
    /// As an actor of an event.
    pub fn actor(self) -> Actor {
        match self {
            Self::Person(index) => person_actor(&CAST[index]),
            Self::Bot(bot) => bot.actor(),
        }
    }

    /// The person, where it is one.
    pub fn person(self) -> Option<&'static Character> {
        match self {
            Self::Person(index) => Some(&CAST[index]),
            Self::Bot(_) => None,
        }
    }
}

/// A person as an actor.
pub fn person_actor(person: &Character) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some(person.id.to_owned()),
        name: Some(person.name.to_owned()),
        email: Some(person.email()),
    }
}

/// A person as an object that an event concerns.
pub fn person_target(person: &Character) -> Option<Target> {
    Some(Target {
        kind: "user".parse().ok()?,
        id: Some(person.id.to_owned()),
        name: Some(person.name.to_owned()),
        url: Some(format!("https://app.acme.example/people/{}", person.id)),
    })
}

/// What is going on, and what is noted of it so far.
pub struct Scene<'a> {
    /// Everything there is.
    pub world: &'a World,
    /// Chance.
    pub dice: &'a mut Dice,
    /// When.
    pub at: Timestamp,
    /// In which workspace.
    pub place: Place,
    /// Who acts.
    pub who: Who,
    /// Who carries it out for them.
    pub via: Vec<Actor>,
    /// What they write about it.
    pub note: Option<String>,
    /// Other context.
    pub metadata: Object,
    /// What else it concerns.
    pub related: Vec<Target>,
    /// What ties it to others.
    pub operation: Option<String>,
    /// How it ends.
    pub outcome: Outcome,
}

impl<'a> Scene<'a> {
    /// A moment of which nothing is noted yet.
    pub fn new(
        world: &'a World,
        dice: &'a mut Dice,
        at: Timestamp,
        place: Place,
        who: Who,
    ) -> Self {
        Self {
            world,
            dice,
            at,
            place,
            who,
            via: Vec::new(),
            note: None,
            metadata: Object::new(),
            related: Vec::new(),
            operation: None,
            outcome: Outcome::Success,
        }
    }

    /// A new thing of a kind, by the kind's place among all. None where every name that it could
    /// have is taken: runs may share a name, what lasts may not.
    pub fn invent(&mut self, kind: usize) -> Option<Thing> {
        let about = KINDS[kind];
        let others = self.world.shelf(kind, self.place);
        let name = (0..12).find_map(|_| {
            let name = (about.titled)(self);
            let free = about.fleeting || others.iter().all(|thing| thing.name != name);
            free.then_some(name)
        })?;
        let id = format!("{}_{}", about.prefix, self.dice.hex(8));
        let state = (about.state)(self, &name);
        Some(Thing {
            id,
            name,
            state,
            kept: false,
        })
    }

    /// Notes something in the metadata.
    pub fn tell(&mut self, name: &str, value: impl Into<Value>) {
        self.metadata.insert(name.to_owned(), value.into());
    }

    /// At times a person writes down why.
    pub fn says(&mut self, notes: &[&str]) {
        if self.note.is_none() && self.who.person().is_some() && self.dice.chance(340) {
            self.note = Some(self.dice.pick(notes).to_owned());
        }
    }

    /// Relates the event to a person.
    pub fn concerns(&mut self, person: &Character) {
        self.related.extend(person_target(person));
    }

    /// Relates the event to the thing of a kind and name, where there is one.
    pub fn involves(&mut self, kind: &str, name: &str) {
        let Some(kind) = kind_named(kind) else {
            return;
        };
        let mut things = self.world.shelf(kind, self.place).iter();
        let thing = things.find(|thing| thing.name == name);
        let target = thing.and_then(|thing| thing_target(kind, self.place, thing));
        self.related.extend(target);
    }

    /// The name of some thing of a kind, else what is given.
    pub fn name_of(&mut self, kind: &str, otherwise: &str) -> String {
        let thing = self.world.some(kind, self.place, self.dice);
        thing.map_or_else(|| otherwise.to_owned(), |thing| thing.name.clone())
    }

    /// Somebody of this workspace who is there by now.
    pub fn colleague(&mut self) -> &'static Character {
        for _ in 0..20 {
            let person = &CAST[self.dice.index(CAST.len())];
            let stays = person.came == 0 && !LEAVERS.contains(&person.name);
            if stays && person.role(self.place).is_some() && person.pace > 20 {
                return person;
            }
        }
        &CAST[0]
    }

    /// The address of whoever acts, or of somebody who looks after what automation makes.
    pub fn owner(&mut self) -> String {
        let person = self.who.person();
        person.unwrap_or_else(|| self.colleague()).email()
    }

    /// The day so many days from now, as `2026-05-12`.
    pub fn day(&self, ahead: u64) -> String {
        let today = City::Oslo.date(self.at);
        let day = today.checked_add_days(Days::new(ahead)).unwrap_or(today);
        day.to_string()
    }

    /// The day so many days ago.
    pub fn days_ago(&self, days: u64) -> NaiveDate {
        let today = City::Oslo.date(self.at);
        today.checked_sub_days(Days::new(days)).unwrap_or(today)
    }

    /// This moment to the second, as states tell times.
    pub fn clock(&self) -> String {
        self.at.datetime().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// How many seconds have gone by since the time in a field.
    pub fn seconds_since(&self, state: &Object, path: &str) -> i64 {
        let began: Option<Timestamp> = text(state, path).parse().ok();
        began
            .map_or(1, |began| (self.at.micros() - began.micros()) / 1_000_000)
            .max(1)
    }

    /// One of a list.
    pub fn pick<'b>(&mut self, list: &[&'b str]) -> &'b str {
        self.dice.pick(list)
    }

    /// Lets an assistant, a connected product or both carry it out for the person.
    pub fn through_assistants(&mut self) {
        let first = self.dice.pick(&ASSISTANTS);
        self.via.push(first.actor());
        if self.dice.chance(120) {
            self.via.push(super::bots::GITHUB.actor());
        }
    }

    /// Where the request came from; nothing for what the system does by itself.
    fn context(&mut self) -> Option<Object> {
        let request = format!("req_{}", self.dice.hex(10));
        match self.who {
            Who::Bot(bot) if bot.ip.is_empty() => None,
            Who::Bot(bot) => Some(object!({
                "ip": bot.ip,
                "user_agent": bot.user_agent,
                "request_id": request,
            })),
            Who::Person(index) => {
                let (ip, user_agent) = self.desk(index);
                let location = CAST[index].city.location();
                // Dmitri works from Bergen.
                let location = match CAST[index].mailbox {
                    "dmitri.volkov" => "Bergen, NO",
                    _ => location,
                };
                Some(object!({
                    "ip": ip,
                    "user_agent": user_agent,
                    "request_id": request,
                    "location": location,
                }))
            }
        }
    }

    /// The address and browser of a person: nearly always the same, at times from home or a phone.
    fn desk(&mut self, index: usize) -> (String, &'static str) {
        const BROWSERS: [&str; 6] = [
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
        ];
        const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";
        let browser = BROWSERS[(index * 7 + 3) % BROWSERS.len()];
        match self.dice.below(100) {
            0..=2 => (format!("2001:db8:71::{:x}", 0x1a0 + index), PHONE),
            3..=24 => (format!("198.51.100.{}", 7 + index), browser),
            // An office shares an address.
            _ => (
                format!("203.0.113.{}", 24 + CAST[index].city as usize),
                browser,
            ),
        }
    }

    /// The event of what was noted: `action` done to `target`, which changed so.
    ///
    /// None where a name is not one: the tables of names are wrong then.
    pub fn event(
        mut self,
        action: &str,
        target: Option<Target>,
        change: (Option<Object>, Option<Object>),
    ) -> Option<NewEvent> {
        let context = self.context();
        let mut event = NewEvent::new(self.who.actor(), action.parse().ok()?, target?);
        if let Who::Bot(bot) = self.who
            && bot.kind == ActorKind::Token
        {
            let key = format!("{}-{}", bot.name, self.dice.hex(16));
            event.idempotency_key = Some(key);
        }
        event.workspace = Some(self.place.slug().parse().ok()?);
        event.occurred_at = Some(self.at);
        event.via = self.via;
        event.related = self.related;
        event.operation = self.operation;
        event.outcome = self.outcome;
        event.description = self.note;
        (event.before, event.after) = change;
        event.metadata = (!self.metadata.is_empty()).then_some(self.metadata);
        event.context = context;
        Some(event)
    }
}

/// A thing as the target of an event, with a link to it in its application.
pub fn thing_target(kind: usize, place: Place, thing: &Thing) -> Option<Target> {
    let kind = KINDS[kind].name;
    Some(Target {
        kind: kind.parse().ok()?,
        id: Some(thing.id.clone()),
        name: Some(thing.name.clone()),
        url: Some(format!(
            "https://app.acme.example/{}/{kind}/{}",
            place.slug(),
            thing.id
        )),
    })
}

/// The fields that differ between two states: as they were, and as they are. `whole`: every field.
pub fn change(old: &Object, new: &Object, whole: bool) -> Option<(Option<Object>, Option<Object>)> {
    if old == new {
        return None;
    }
    if whole {
        return Some((Some(old.clone()), Some(new.clone())));
    }
    let unlike = |one: &Object, other: &Object| -> Object {
        let fields = one
            .iter()
            .filter(|(name, value)| other.get(*name) != Some(*value));
        fields
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    Some((Some(unlike(old, new)), Some(unlike(new, old))))
}

/// Sets a field, nested ones by their path: `schedule.cron`.
pub fn put(state: &mut Object, path: &str, value: impl Into<Value>) {
    match path.split_once('.') {
        None => {
            state.insert(path.to_owned(), value.into());
        }
        Some((name, rest)) => {
            let inner = state.entry(name).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// A field by its path; null where there is none.
pub fn get<'v>(state: &'v Object, path: &str) -> &'v Value {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (state.get(name), rest) {
        (Some(Value::Object(inner)), Some(rest)) => get(inner, rest),
        (Some(value), None) => value,
        _ => &Value::Null,
    }
}

/// A whole number by its path, 0 where there is none.
pub fn number(state: &Object, path: &str) -> i64 {
    get(state, path).as_i64().unwrap_or(0)
}

/// A text by its path, empty where there is none.
pub fn text<'v>(state: &'v Object, path: &str) -> &'v str {
    get(state, path).as_str().unwrap_or("")
}

/// A list, made where there is none.
pub fn list<'v>(state: &'v mut Object, name: &str) -> Option<&'v mut Vec<Value>> {
    let value = state.entry(name).or_insert_with(|| json!([]));
    value.as_array_mut()
}

/// Sets a field to another of the values than it has.
pub fn choose(state: &mut Object, scene: &mut Scene, path: &str, values: &[&str]) {
    let others: Vec<&str> = values
        .iter()
        .copied()
        .filter(|value| *value != text(state, path))
        .collect();
    if !others.is_empty() {
        put(state, path, scene.pick(&others));
    }
}

/// Sets a number to another of the values than it has.
pub fn tune(state: &mut Object, scene: &mut Scene, path: &str, values: &[i64]) {
    let has = number(state, path);
    let others: Vec<i64> = values
        .iter()
        .copied()
        .filter(|value| *value != has)
        .collect();
    if !others.is_empty() {
        put(state, path, others[scene.dice.index(others.len())]);
    }
}

/// Sets a field to the value after the one that it has; the last one stays.
pub fn advance(state: &mut Object, path: &str, values: &[&str]) {
    let now = values.iter().position(|value| is(state, path, value));
    if let Some(next) = values.get(now.map_or(0, |now| now + 1)) {
        put(state, path, *next);
    }
}

/// Takes one of the values out of a list where it is in, puts it in where it is not.
pub fn toggle(state: &mut Object, scene: &mut Scene, name: &str, values: &[&str]) {
    let value = scene.pick(values);
    let Some(elements) = list(state, name) else {
        return;
    };
    match elements.iter().position(|element| element == value) {
        // A list is not emptied by the way.
        Some(at) if elements.len() > 1 => {
            elements.remove(at);
        }
        Some(_) => {}
        None => elements.push(value.into()),
    }
}

/// Turns a yes into a no, and back.
pub fn flip(state: &mut Object, path: &str) {
    let now = get(state, path).as_bool().unwrap_or(false);
    put(state, path, !now);
}

/// Whether a field holds this text.
pub fn is(state: &Object, path: &str, value: &str) -> bool {
    text(state, path) == value
}

/// Whether a field says yes.
pub fn is_on(state: &Object, path: &str) -> bool {
    get(state, path).as_bool().unwrap_or(false)
}
