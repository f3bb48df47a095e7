//! What is written beforehand: the things that only the script touches, and what happens to them,
//! each at its time. What lies before the log begins happens all the same, and is not told.

mod bulk;
mod incident;
mod invoice_bot;
mod scenes;

use super::{
    bots::Bot,
    calendar::{City, is_weekend, weekday_from},
    people::{Place, named},
    scene::Who,
};
use chrono::{Days, NaiveDate, NaiveTime};
use domain::{
    event::{Actor, Object, Outcome, Target},
    time::Timestamp,
};
use serde_json::Value;

/// What a beat does to its thing.
pub enum Happening {
    /// There is a new one, of this name and state.
    Creates(&'static str, Object),
    /// These fields are set, by their paths; null takes one away.
    Sets(Vec<(&'static str, Value)>),
    /// It is gone.
    Deletes,
    /// It stays as it is.
    Leaves,
    /// Something that is tried on a thing that does not come to be, of this name.
    Tries(&'static str),
    /// The act of the beat's name, done to the thing at this place of its shelf.
    Ordinary(usize),
}

/// One event of the script.
pub struct Beat {
    /// When.
    pub at: Timestamp,
    /// In which workspace.
    pub place: Place,
    /// Who acts.
    pub who: Who,
    /// Who carries it out.
    pub via: Vec<Actor>,
    /// What is done.
    pub action: &'static str,
    /// To what kind of thing.
    pub kind: &'static str,
    /// Its id.
    pub id: &'static str,
    /// What becomes of it.
    pub happening: Happening,
    /// How it ends.
    pub outcome: Outcome,
    /// What is written about it.
    pub note: Option<&'static str>,
    /// Other context.
    pub metadata: Object,
    /// What else it concerns.
    pub related: Vec<Target>,
    /// What ties it to others.
    pub operation: Option<String>,
}

impl Beat {
    /// Somebody does something to the thing of a kind and id, which leaves it as it is so far.
    pub fn new(
        at: Timestamp,
        place: Place,
        who: Who,
        action: &'static str,
        (kind, id): (&'static str, &'static str),
    ) -> Self {
        Self {
            at,
            place,
            who,
            via: Vec::new(),
            action,
            kind,
            id,
            happening: Happening::Leaves,
            outcome: Outcome::Success,
            note: None,
            metadata: Object::new(),
            related: Vec::new(),
            operation: None,
        }
    }

    /// It comes to be.
    pub fn creates(mut self, name: &'static str, state: Object) -> Self {
        self.happening = Happening::Creates(name, state);
        self
    }

    /// Fields of it are set.
    pub fn sets(mut self, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        self.happening = Happening::Sets(fields.into_iter().collect());
        self
    }

    /// It goes.
    pub fn deletes(mut self) -> Self {
        self.happening = Happening::Deletes;
        self
    }

    /// It is tried, and does not come to be.
    pub fn tries(mut self, name: &'static str) -> Self {
        self.happening = Happening::Tries(name);
        self
    }

    /// It is done as always, to the thing at this place of its shelf.
    pub fn routinely(mut self, nth: usize) -> Self {
        self.happening = Happening::Ordinary(nth);
        self
    }

    /// It fails.
    pub fn fails(mut self, reason: &'static str) -> Self {
        self.outcome = Outcome::Failure;
        self.note = Some(reason);
        self
    }

    /// It is refused.
    pub fn denied(mut self, reason: &'static str) -> Self {
        self.outcome = Outcome::Denied;
        self.note = Some(reason);
        self
    }

    /// Somebody writes about it.
    pub fn note(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    /// Something is known beside it.
    pub fn tell(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// An automation carries it out.
    pub fn via(mut self, bot: &Bot) -> Self {
        self.via.push(bot.actor());
        self
    }

    /// It concerns a person too.
    pub fn concerns(mut self, name: &str) -> Self {
        let person = &super::people::CAST[named(name)];
        self.related.extend(super::scene::person_target(person));
        self
    }

    /// It is part of something larger.
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }
}

/// Days and moments counted back from now.
#[derive(Clone, Copy)]
pub struct Clock {
    now: Timestamp,
    today: NaiveDate,
}

impl Clock {
    /// The clock of a moment.
    pub fn new(now: Timestamp) -> Self {
        let today = City::Oslo.date(now);
        Self { now, today }
    }

    /// The day so many days ago.
    pub fn ago(self, days: u64) -> NaiveDate {
        self.today
            .checked_sub_days(Days::new(days))
            .unwrap_or(self.today)
    }

    /// The day so many days ago, or the Monday after it.
    pub fn workday(self, days: u64) -> NaiveDate {
        weekday_from(self.ago(days))
    }

    /// The day of the incident: about six days ago.
    pub fn incident(self) -> NaiveDate {
        self.workday(6)
    }

    /// Dmitri's last day: some days ago, with a workday after it.
    pub fn dmitris_last(self) -> NaiveDate {
        (3..7)
            .map(|days| self.ago(days))
            .find(|day| !is_weekend(*day) && !is_weekend(*day + Days::new(1)))
            .unwrap_or(self.ago(4))
    }

    /// The day on which the model was thought to be saved.
    pub fn lost_save(self) -> NaiveDate {
        (2..5)
            .map(|days| self.ago(days))
            .find(|day| !is_weekend(*day))
            .unwrap_or(self.ago(2))
    }

    /// Now.
    pub const fn now(self) -> Timestamp {
        self.now
    }
}

/// A moment in Oslo, with what the clock's hand shows below the second made from the time itself.
pub fn oslo(day: NaiveDate, (hour, minute, second): (u32, u32, u32)) -> Timestamp {
    let micros = (hour * 7_919 + minute * 104_729 + second * 15_485_863) % 1_000_000;
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micros);
    City::Oslo.moment(day, time.unwrap_or_default())
}

/// Somebody, by name.
pub fn who(name: &str) -> Who {
    Who::Person(named(name))
}

/// The whole script, in the order of time.
pub fn script(now: Timestamp) -> Vec<Beat> {
    let clock = Clock::new(now);
    let mut beats = incident::beats(clock);
    beats.extend(invoice_bot::beats(clock));
    beats.extend(bulk::beats(clock));
    beats.extend(scenes::beats(clock));
    beats.retain(|beat| beat.at < clock.now());
    beats.sort_by_key(|beat| beat.at);
    beats
}
