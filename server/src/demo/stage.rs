//! Acts as they are done: the thing changes, and the event tells how.

use super::{
    dice::Dice,
    families::KINDS,
    people::{CAST, Place},
    scene::{Scene, Who, change, person_actor, put, thing_target},
    script::{Beat, Happening},
    world::{Act, Effect, Thing, World, kind_named},
};
use domain::{
    event::{NewEvent, Object, Outcome, Target},
    time::Timestamp,
};
use serde_json::Value;

/// Somebody does something.
pub struct Doing<'a> {
    /// When.
    pub at: Timestamp,
    /// In which workspace.
    pub place: Place,
    /// Who.
    pub who: Who,
    /// To what kind of thing, by its place in [`KINDS`].
    pub kind: usize,
    /// What.
    pub what: &'static Act,
    /// The beat that this is part of, where many things are done as one.
    pub operation: Option<&'a Beat>,
}

/// What became of it.
pub struct Told {
    /// The event.
    pub event: NewEvent,
    /// The thing's id, where more may happen to it.
    pub goes_on: Option<String>,
}

impl Doing<'_> {
    fn scene<'s>(&self, world: &'s World, dice: &'s mut Dice) -> Scene<'s> {
        let mut scene = Scene::new(world, dice, self.at, self.place, self.who);
        if let Some(beat) = self.operation {
            scene.via.clone_from(&beat.via);
            scene.operation.clone_from(&beat.operation);
            scene.note = beat.note.map(str::to_owned);
        } else if self.who.person().is_some() && KINDS[self.kind].name != "session" {
            accompany(&mut scene);
        }
        scene
    }

    /// How it goes wrong, where it does.
    fn trouble(&self, dice: &mut Dice) -> Option<(Outcome, &'static str)> {
        if self.operation.is_some() {
            return None;
        }
        if let Some(person) = self.who.person()
            && self.what.admin
            && !person.administers(self.place)
        {
            let tokens = self.what.action.contains("TOKEN_CREATED");
            let reason = if tokens {
                "members may not create tokens"
            } else {
                "needs the role admin"
            };
            return Some((Outcome::Denied, reason));
        }
        if self.what.frozen && super::calendar::is_frozen(super::calendar::City::Oslo.date(self.at))
        {
            return Some((
                Outcome::Denied,
                "production is frozen: fixes only, with two approvals",
            ));
        }
        let (per_mille, reasons) = self.what.fails;
        (!reasons.is_empty() && dice.chance(per_mille)).then(|| reasons[dice.index(reasons.len())])
    }

    /// What people write about it.
    fn annotate(&self, scene: &mut Scene) {
        let (per_mille, notes) = self.what.notes;
        if scene.note.is_none() && !notes.is_empty() && scene.dice.chance(per_mille) {
            let bot = self.who.person().is_none();
            // A bot of the company writes no remarks; the system gives its reason.
            if !bot || self.who.actor().name.is_none() {
                scene.note = Some(scene.dice.pick(notes).to_owned());
            }
        }
    }
}

/// At times an assistant does it for the person, or an admin in the person's place.
fn accompany(scene: &mut Scene) {
    match scene.dice.below(1_000) {
        0..70 => scene.through_assistants(),
        70..74 => {
            let admins = CAST.iter().filter(|person| person.administers(scene.place));
            let admins: Vec<_> = admins.filter(|person| person.pace > 30).collect();
            let admin = admins[scene.dice.index(admins.len())];
            if Some(admin.id) != scene.who.person().map(|person| person.id) {
                scene.via.push(person_actor(admin));
                scene.tell("impersonation", "support access, 15 minutes");
            }
        }
        _ => {}
    }
}

/// A new thing. None where there are as many of its kind as there may be.
pub fn create(world: &mut World, dice: &mut Dice, doing: &Doing) -> Option<Told> {
    let (kind, about) = (doing.kind, KINDS[doing.kind]);
    let full = world.shelf(kind, doing.place).len() >= about.most;
    if full && !about.fleeting {
        return None;
    }
    let trouble = doing.trouble(dice);
    let mut scene = doing.scene(world, dice);
    let thing = scene.invent(kind)?;
    let target = thing_target(kind, doing.place, &thing);
    if let Some((outcome, reason)) = trouble {
        scene.outcome = outcome;
        scene.note = Some(reason.to_owned());
        // What never came to be has a name and no id.
        let target = Target {
            id: None,
            url: None,
            ..target?
        };
        let event = scene.event(doing.what.action, Some(target), (None, None))?;
        return Some(Told {
            event,
            goes_on: None,
        });
    }
    doing.annotate(&mut scene);
    let event = scene.event(doing.what.action, target, (None, Some(thing.state.clone())))?;
    let id = thing.id.clone();
    let shelf = world.shelf_mut(kind, doing.place);
    if full && let Some(oldest) = shelf.iter().position(|thing| !thing.kept) {
        shelf.remove(oldest);
    }
    shelf.push(thing);
    Some(Told {
        event,
        goes_on: Some(id),
    })
}

/// Something done to the thing at `index` of its shelf. None where it cannot be done to this one,
/// or would leave it as it is.
pub fn touch(world: &mut World, dice: &mut Dice, doing: &Doing, index: usize) -> Option<Told> {
    let (kind, about, what) = (doing.kind, KINDS[doing.kind], doing.what);
    let mut thing = world.shelf(kind, doing.place).get(index)?.clone();
    if !(what.when)(&thing.state) {
        return None;
    }
    let trouble = doing.trouble(dice);
    let mut scene = doing.scene(world, dice);
    let target = thing_target(kind, doing.place, &thing);
    if let Some((outcome, reason)) = trouble {
        scene.outcome = outcome;
        scene.note = Some(reason.to_owned());
        let event = scene.event(what.action, target, (None, None))?;
        let goes_on = Some(thing.id);
        return Some(Told { event, goes_on });
    }
    let changed = match what.effect {
        Effect::Create => return None,
        Effect::Delete => (Some(thing.state.clone()), None),
        Effect::Use(used) => {
            used(&thing.state, &mut scene);
            (None, None)
        }
        Effect::Edit(edit) => {
            let old = thing.state.clone();
            edit(&mut thing.state, &mut scene);
            change(&old, &thing.state, about.whole)?
        }
    };
    doing.annotate(&mut scene);
    let event = scene.event(what.action, target, changed)?;
    let gone = what.last || matches!(what.effect, Effect::Delete);
    let id = thing.id.clone();
    let shelf = world.shelf_mut(kind, doing.place);
    if gone {
        shelf.remove(index);
    } else {
        shelf[index] = thing;
    }
    Some(Told {
        event,
        goes_on: (!gone).then_some(id),
    })
}

/// A beat of the script. None where its thing is not there.
pub fn perform(world: &mut World, dice: &mut Dice, at: Timestamp, beat: Beat) -> Option<NewEvent> {
    let (kind, place) = (kind_named(beat.kind)?, beat.place);
    let (thing, changed) = after(world, &beat)?;
    let mut scene = Scene::new(world, dice, at, place, beat.who);
    scene.via.clone_from(&beat.via);
    scene.note = beat.note.map(str::to_owned);
    scene.metadata.clone_from(&beat.metadata);
    scene.related.clone_from(&beat.related);
    scene.operation.clone_from(&beat.operation);
    scene.outcome = beat.outcome;
    let mut target = thing_target(kind, place, &thing)?;
    if thing.id.is_empty() {
        (target.id, target.url) = (None, None);
    }
    let event = scene.event(beat.action, Some(target), changed)?;
    settle(world, &beat, thing);
    Some(event)
}

/// A beat that happens before the log begins: nobody tells of it.
pub fn pass(world: &mut World, beat: &Beat) {
    if let Some((thing, _)) = after(world, beat) {
        settle(world, beat, thing);
    }
}

/// The fields before, and the fields after.
type Changed = (Option<Object>, Option<Object>);

/// The thing as a beat leaves it, and how that differs from what it was.
fn after(world: &World, beat: &Beat) -> Option<(Thing, Changed)> {
    let kind = kind_named(beat.kind)?;
    let shelf = world.shelf(kind, beat.place);
    let found = || {
        world
            .find(kind, beat.place, beat.id)
            .map(|index| shelf[index].clone())
    };
    let named = |name: &str, state| Thing {
        id: beat.id.to_owned(),
        name: name.to_owned(),
        state,
        kept: true,
    };
    match &beat.happening {
        Happening::Creates(name, state) => {
            let thing = named(name, state.clone());
            Some((thing, (None, Some(state.clone()))))
        }
        Happening::Tries(name) => Some((named(name, Object::new()), (None, None))),
        Happening::Deletes => {
            let thing = found()?;
            let state = thing.state.clone();
            Some((thing, (Some(state), None)))
        }
        Happening::Sets(fields) if beat.outcome != Outcome::Denied => {
            let mut thing = found()?;
            let old = thing.state.clone();
            for (path, value) in fields {
                if value == &Value::Null {
                    thing.state.remove(*path);
                } else {
                    put(&mut thing.state, path, value.clone());
                }
            }
            let changed = change(&old, &thing.state, KINDS[kind].whole);
            Some((thing, changed.unwrap_or((None, None))))
        }
        Happening::Sets(_) | Happening::Leaves => Some((found()?, (None, None))),
        Happening::Ordinary(_) => None,
    }
}

/// Puts the thing where it belongs after a beat.
fn settle(world: &mut World, beat: &Beat, thing: Thing) {
    let Some(kind) = kind_named(beat.kind) else {
        return;
    };
    let index = world.find(kind, beat.place, beat.id);
    let shelf = world.shelf_mut(kind, beat.place);
    match (&beat.happening, index) {
        (Happening::Tries(_), _) => {}
        (Happening::Deletes, Some(index)) => {
            shelf.remove(index);
        }
        (_, Some(index)) => shelf[index] = thing,
        (_, None) => shelf.push(thing),
    }
}
