//! Telling the story: days are filled with moments, moments become events, events become durable.

use super::{
    Company, Plan, Step,
    bots::{Bot, CI},
    calendar::{City, is_frozen, night_time, working_time},
    company::is_there,
    days::{Day, spread},
    dice::Dice,
    families::KINDS,
    people::{CAST, Place, Team},
    repertoire::Repertoire,
    scene::Who,
    script::{Beat, Happening, script},
    stage::{Doing, create, pass, perform, touch},
    world::{Act, By, Effect, Then, World, furnish, kind_named},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    event::{ActorKind, NewEvent},
    slug::{Slug, SlugError},
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
};

/// Why something is about to happen.
#[derive(Clone, Debug)]
enum Cue {
    /// Somebody of the staff works.
    Work(usize),
    /// Automation works.
    Automation,
    /// The same person goes on with the same thing.
    Again(usize, ThingAt),
    /// It comes of something else.
    Consequence(Who, ThingAt, usize),
    /// The script has it.
    Script,
}

/// Where a thing is to be found.
#[derive(Clone, Debug)]
struct ThingAt {
    kind: usize,
    place: Place,
    id: String,
}

/// A moment at which something happens; ordered by time, then as they were thought of.
struct Moment {
    at: Timestamp,
    order: u64,
    cue: Cue,
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The steps of a story, one after the other.
pub struct Story {
    plan: Plan,
    slugs: [Slug; 2],
    dice: Dice,
    world: World,
    days: VecDeque<Day>,
    moments: BinaryHeap<Reverse<Moment>>,
    order: u64,
    /// Events that days still hold, and those of them that consequences have taken the place of.
    fresh: usize,
    taken: usize,
    script: VecDeque<Beat>,
    own: VecDeque<Step>,
    /// Events that have occurred and are not durable yet, by when they will be.
    waiting: BTreeMap<(Timestamp, u64), (Place, Box<NewEvent>)>,
    staff: [[Repertoire; Team::ALL.len()]; 2],
    automation: [Repertoire; 2],
    last: Timestamp,
}

impl Story {
    /// The story of a plan, at its beginning.
    pub(super) fn new(plan: Plan, company: &Company) -> Result<Self, SlugError> {
        let mut dice = Dice::new(plan.seed);
        let mut world = World::empty();
        furnish(&mut world, &mut dice, plan.start());

        // What lies before the log begins has happened; what is more than was asked for too.
        let mut beats: VecDeque<Beat> = script(plan.now).into();
        let early = beats.iter().filter(|beat| beat.at <= plan.start()).count();
        let silent = early.max(beats.len().saturating_sub(plan.events));
        for beat in beats.drain(..silent) {
            pass(&mut world, &beat);
        }

        let fresh = plan.events - beats.len();
        let days = spread(&plan, fresh, &mut dice);
        let own = company.own_steps(&plan, &mut dice).into();
        let staff = Place::ALL.map(|place| {
            Team::ALL.map(|team| {
                Repertoire::new(place, |kind, act| {
                    let teams = KINDS[kind].teams;
                    let theirs = teams.is_empty() || teams.contains(&team);
                    if theirs { act.people } else { 0 }
                })
            })
        });
        let automation = Place::ALL.map(|place| Repertoire::new(place, |_, act| act.bots.0));
        let mut story = Self {
            plan,
            slugs: [
                Place::Growth.slug().parse()?,
                Place::Revenue.slug().parse()?,
            ],
            dice,
            world,
            days,
            moments: BinaryHeap::new(),
            order: 0,
            fresh,
            taken: 0,
            script: beats,
            own,
            waiting: BTreeMap::new(),
            staff,
            automation,
            last: plan.start(),
        };
        let times: Vec<Timestamp> = story.script.iter().map(|beat| beat.at).collect();
        for at in times {
            story.plan_for(at, Cue::Script);
        }
        Ok(story)
    }

    fn plan_for(&mut self, at: Timestamp, cue: Cue) {
        self.order += 1;
        let order = self.order;
        self.moments.push(Reverse(Moment { at, order, cue }));
    }

    /// When the next moment is, with every day filled that could come before it.
    fn next_moment(&mut self) -> Option<Timestamp> {
        loop {
            let next = self.moments.peek().map(|Reverse(moment)| moment.at);
            // Where the sun rises first, a day begins hours before it does in UTC.
            let due = self.days.front().is_some_and(|day| {
                let begins = Timestamp::from(day.date.and_time(chrono::NaiveTime::MIN).and_utc());
                next.is_none_or(|next| begins.plus(-TimeDelta::hours(15)) <= next)
            });
            if !due {
                return next;
            }
            if let Some(day) = self.days.pop_front() {
                self.fill(&day);
            }
        }
    }

    /// Puts a day's work into the day.
    fn fill(&mut self, day: &Day) {
        for _ in 0..day.events {
            let person = self
                .dice
                .chance(day.people)
                .then(|| self.somebody(day.date))
                .flatten();
            match person {
                Some((person, at)) => self.plan_for(at, Cue::Work(person)),
                None => {
                    let at = self.sometime(day.date);
                    self.plan_for(at, Cue::Automation);
                }
            }
        }
    }

    fn is_inside(&self, at: Timestamp) -> bool {
        self.plan.start() < at && at < self.plan.now.plus(TimeDelta::seconds(-30))
    }

    /// Somebody who works on a day, and when.
    fn somebody(&mut self, date: NaiveDate) -> Option<(usize, Timestamp)> {
        for _ in 0..40 {
            let person = self.dice.index(CAST.len());
            let about = &CAST[person];
            let willing = about.pace * about.city.diligence(date) / 100;
            if self.dice.below(100) >= willing {
                continue;
            }
            let at = about.city.moment(date, working_time(&mut self.dice));
            if self.is_inside(at) && is_there(person, &self.plan, at) {
                return Some((person, at));
            }
        }
        None
    }

    /// Some time of a day, more often at night.
    fn sometime(&mut self, date: NaiveDate) -> Timestamp {
        for _ in 0..40 {
            let at = Timestamp::from(date.and_time(night_time(&mut self.dice)).and_utc());
            if self.is_inside(at) {
                return at;
            }
        }
        let begin = Timestamp::from(date.and_time(chrono::NaiveTime::MIN).and_utc());
        let first = begin.max(self.plan.start()).micros() + 1;
        let end = begin.plus(TimeDelta::days(1)).min(self.plan.now).micros();
        Timestamp::from_micros(first + self.dice.below(end - first))
    }

    /// Lets a moment happen; every moment gives one event, or none where a consequence has taken
    /// its place.
    fn happen(&mut self, moment: Moment) {
        // No two events occur at once: their order is never in doubt.
        let at = moment
            .at
            .max(Timestamp::from_micros(self.last.micros() + 1));
        let told = match moment.cue {
            Cue::Script => self.script.pop_front().and_then(|beat| self.play(at, beat)),
            Cue::Work(person) => {
                if self.is_taken() {
                    return;
                }
                self.work(at, person)
            }
            Cue::Automation => {
                if self.is_taken() {
                    return;
                }
                None
            }
            Cue::Again(person, thing) => self.go_on(at, person, &thing),
            Cue::Consequence(who, thing, act) => self
                .world
                .find(thing.kind, thing.place, &thing.id)
                .and_then(|index| self.act(at, thing.place, who, (thing.kind, act), Some(index))),
        };
        let told = told
            .or_else(|| self.automate(at))
            .or_else(|| self.fall_back(at));
        if let Some((place, event)) = told {
            self.last = at;
            self.send(at, place, event);
        }
    }

    /// The next step that is ready: one of Daybook's own, or an event that becomes durable.
    fn deliver(&mut self, own: Option<Timestamp>, durable: Option<Timestamp>) -> Option<Step> {
        if own.is_some_and(|own| durable.is_none_or(|durable| own <= durable)) {
            return self.own.pop_front();
        }
        let ((recorded_at, _), (place, event)) = self.waiting.pop_first()?;
        Some(Step::Record {
            workspace: self.slugs[place as usize].clone(),
            event,
            recorded_at,
        })
    }

    /// Whether a consequence has taken the place of this fresh moment.
    fn is_taken(&mut self) -> bool {
        self.fresh -= 1;
        let taken = self.taken > 0;
        if taken {
            self.taken -= 1;
        }
        taken
    }

    /// Plans a consequence, in the place of a fresh moment to come; not where there is none.
    fn follow(&mut self, at: Timestamp, cue: Cue) {
        if self.taken < self.fresh && self.is_inside(at) {
            self.taken += 1;
            self.plan_for(at, cue);
        }
    }

    /// An event on its way to Daybook.
    fn send(&mut self, at: Timestamp, place: Place, event: NewEvent) {
        // What the applications do by themselves is never offline.
        let late = match self.dice.below(10_000) {
            _ if event.actor.kind == ActorKind::System => 0,
            0..=3 => self.dice.between(60 * 3_600, 84 * 3_600) * 1_000,
            4..=24 => self.dice.between(2 * 3_600, 9 * 3_600) * 1_000,
            25..=60 => self.dice.between(700, 3_000) * 1_000,
            _ => 0,
        };
        let soon = at.plus(TimeDelta::microseconds(self.dice.between(38_000, 310_000)));
        let later = soon.plus(TimeDelta::milliseconds(late));
        let recorded = if later < self.plan.now {
            later
        } else {
            soon.min(self.plan.now)
        };
        self.order += 1;
        self.waiting
            .insert((recorded.max(at), self.order), (place, Box::new(event)));
    }

    /// A person does what is theirs to do.
    fn work(&mut self, at: Timestamp, person: usize) -> Option<(Place, NewEvent)> {
        let about = &CAST[person];
        let team = about.team as usize;
        for _ in 0..24 {
            let place = *[Place::Growth, Place::Revenue].get(self.dice.index(2))?;
            if about.role(place).is_none() {
                continue;
            }
            let (kind, act) = self.staff[place as usize][team].draw(&mut self.dice);
            // Who may not, tries it once in a while.
            if KINDS[kind].acts[act].admin && !about.administers(place) && !self.dice.chance(50) {
                continue;
            }
            let told = self.act(at, place, Who::Person(person), (kind, act), None);
            if told.is_some() {
                return told;
            }
        }
        None
    }

    /// A person goes on with what they are at.
    fn go_on(
        &mut self,
        at: Timestamp,
        person: usize,
        thing: &ThingAt,
    ) -> Option<(Place, NewEvent)> {
        let acts = KINDS[thing.kind].acts;
        for _ in 0..6 {
            let index = self.world.find(thing.kind, thing.place, &thing.id)?;
            let act = self.dice.index(acts.len());
            let what = &acts[act];
            let may = !what.admin || CAST[person].administers(thing.place);
            let fits = matches!(what.effect, Effect::Edit(_) | Effect::Use(_));
            // What ends or hands over a thing is not what one does on the way.
            let usual = what.people >= 12 && self.dice.below(40) < what.people;
            if may && fits && usual {
                let told = self.act(
                    at,
                    thing.place,
                    Who::Person(person),
                    (thing.kind, act),
                    Some(index),
                );
                if told.is_some() {
                    return told;
                }
            }
        }
        self.work(at, person)
    }

    /// Automation does what is its to do.
    fn automate(&mut self, at: Timestamp) -> Option<(Place, NewEvent)> {
        for _ in 0..24 {
            let place = if self.dice.chance(560) {
                Place::Growth
            } else {
                Place::Revenue
            };
            let (kind, act) = self.automation[place as usize].draw(&mut self.dice);
            let bots = KINDS[kind].acts[act].bots.1;
            let bot: &'static Bot = bots[self.dice.index(bots.len())];
            let told = self.act(at, place, Who::Bot(bot), (kind, act), None);
            if told.is_some() {
                return told;
            }
        }
        None
    }

    /// What can always happen.
    fn fall_back(&mut self, at: Timestamp) -> Option<(Place, NewEvent)> {
        let kind = kind_named("pipeline_run")?;
        self.act(at, Place::Growth, Who::Bot(&CI), (kind, 0), None)
    }

    /// An act of somebody, done to the thing at `index` of its shelf or to some thing; none where
    /// it cannot be done now.
    fn act(
        &mut self,
        at: Timestamp,
        place: Place,
        who: Who,
        (kind, act): (usize, usize),
        index: Option<usize>,
    ) -> Option<(Place, NewEvent)> {
        let what = &KINDS[kind].acts[act];
        let frozen = what.frozen && is_frozen(City::Oslo.date(at));
        if frozen && (who.person().is_none() || !self.dice.chance(120)) {
            return None;
        }
        let index = match what.effect {
            Effect::Create => None,
            _ => Some(index.or_else(|| self.suitable(kind, place, what))?),
        };
        let doing = Doing {
            at,
            place,
            who,
            kind,
            what,
            operation: None,
        };
        let told = match index {
            None => create(&mut self.world, &mut self.dice, &doing)?,
            Some(index) => touch(&mut self.world, &mut self.dice, &doing, index)?,
        };
        if let Some(id) = told.goes_on {
            self.consequences(&doing, ThingAt { kind, place, id });
        }
        Some((place, told.event))
    }

    /// Plans what comes of an act.
    fn consequences(&mut self, doing: &Doing, thing: ThingAt) {
        let mut drawn = self.dice.below(1_000);
        for then in doing.what.then {
            drawn -= then.per_mille;
            if drawn < 0 {
                self.follow_up(doing, then, thing);
                return;
            }
        }
        // People often do more than one thing to what they are at.
        if let Who::Person(person) = doing.who
            && !KINDS[thing.kind].fleeting
            && self.dice.chance(240)
        {
            let at = doing
                .at
                .plus(TimeDelta::milliseconds(self.dice.between(18_000, 900_000)));
            self.follow(at, Cue::Again(person, thing));
        }
    }

    fn follow_up(&mut self, doing: &Doing, then: &Then, thing: ThingAt) {
        let acts = KINDS[thing.kind].acts;
        let Some(act) = acts.iter().position(|act| act.action == then.action) else {
            return;
        };
        let (first, last) = then.after;
        let mut at = doing.at.plus(TimeDelta::microseconds(
            self.dice.between(first * 1_000_000, last * 1_000_000),
        ));
        let who = match then.by {
            By::Bot(bot) => Who::Bot(bot),
            By::Same => doing.who,
            By::Colleague => {
                let found = (0..10).find_map(|_| {
                    let found = self.at_work(thing.place, acts[act].admin, at);
                    if found.is_none() {
                        at = at.plus(TimeDelta::minutes(self.dice.between(90, 400)));
                    }
                    found
                });
                match found {
                    Some(person) => Who::Person(person),
                    None => return,
                }
            }
        };
        self.follow(at, Cue::Consequence(who, thing, act));
    }

    /// Somebody of a workspace who works at a moment.
    fn at_work(&mut self, place: Place, admin: bool, at: Timestamp) -> Option<usize> {
        for _ in 0..60 {
            let person = self.dice.index(CAST.len());
            let about = &CAST[person];
            let fits = about.role(place).is_some() && (!admin || about.administers(place));
            if fits
                && self.dice.below(80) < about.pace
                && about.city.is_working(at)
                && is_there(person, &self.plan, at)
            {
                return Some(person);
            }
        }
        None
    }

    /// Plays a beat of the script.
    fn play(&mut self, at: Timestamp, beat: Beat) -> Option<(Place, NewEvent)> {
        let place = beat.place;
        if let Happening::Ordinary(nth) = beat.happening {
            let kind = kind_named(beat.kind)?;
            let what = KINDS[kind]
                .acts
                .iter()
                .find(|act| act.action == beat.action)?;
            let things = self.world.shelf(kind, place);
            let fit = |index: &usize| !things[*index].kept && (what.when)(&things[*index].state);
            let index = (0..things.len()).filter(fit).nth(nth)?;
            let doing = Doing {
                at,
                place,
                who: beat.who,
                kind,
                what,
                operation: Some(&beat),
            };
            let told = touch(&mut self.world, &mut self.dice, &doing, index)?;
            return Some((place, told.event));
        }
        let event = perform(&mut self.world, &mut self.dice, at, beat)?;
        Some((place, event))
    }

    /// Some thing that an act can be done to; the first ones of a shelf are the busy ones.
    fn suitable(&mut self, kind: usize, place: Place, what: &Act) -> Option<usize> {
        let things = self.world.shelf(kind, place);
        for _ in 0..6 {
            let index = self.dice.early_index(things.len());
            let thing = things.get(index)?;
            if !thing.kept && (what.when)(&thing.state) {
                return Some(index);
            }
        }
        None
    }
}

impl Iterator for Story {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let next = self.next_moment();
            let durable = self.waiting.first_key_value().map(|((at, _), _)| *at);
            let own = self.own.front().map(Step::at);
            let ready = [own, durable].into_iter().flatten().min();
            // What still has to occur becomes durable no sooner than it occurs.
            let first = next.is_some_and(|next| ready.is_none_or(|ready| next < ready));
            if !first {
                return self.deliver(own, durable);
            }
            if let Some(Reverse(moment)) = self.moments.pop() {
                self.happen(moment);
            }
        }
    }
}
