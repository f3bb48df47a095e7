//! The state of the company: every object as it is now, so that each change starts where the last
//! one ended.

use super::{
    dice::Dice,
    families::KINDS,
    people::Place,
    scene::{Scene, Who},
};
use domain::event::{Object, Outcome};

/// A thing that things happen to.
#[derive(Clone, Debug)]
pub struct Thing {
    /// Its id.
    pub id: String,
    /// Its name now.
    pub name: String,
    /// Its state now.
    pub state: Object,
    /// Whether the script alone decides what happens to it.
    pub kept: bool,
}

/// What kind of thing, and what happens to things of that kind.
pub struct Kind {
    /// The kind of the target.
    pub name: &'static str,
    /// What ids begin with.
    pub prefix: &'static str,
    /// How much happens to it in Growth and in Revenue, in percent of its actions' weights.
    pub share: [i64; 2],
    /// Who works on it; empty: everyone.
    pub teams: &'static [super::people::Team],
    /// Whether changes tell the whole object, or only the fields that changed.
    pub whole: bool,
    /// How many there are when the log begins.
    pub stock: usize,
    /// How many there are at most.
    pub most: usize,
    /// Whether it comes and goes by itself (a run, a deployment): the oldest is then left behind.
    pub fleeting: bool,
    /// What a new one is called.
    pub titled: fn(&mut Scene) -> String,
    /// What a new one of that name is like.
    pub state: fn(&mut Scene, &str) -> Object,
    /// What happens.
    pub acts: &'static [Act],
}

/// What an act does to its object.
#[derive(Clone, Copy)]
pub enum Effect {
    /// There is a new one.
    Create,
    /// It is gone.
    Delete,
    /// It changes.
    Edit(fn(&mut Object, &mut Scene)),
    /// Something is done with it that leaves it as it is.
    Use(fn(&Object, &mut Scene)),
}

/// What may be done to things of a kind.
#[derive(Clone, Copy)]
pub struct Act {
    /// The action's name.
    pub action: &'static str,
    /// What it does.
    pub effect: Effect,
    /// How often people do it.
    pub people: i64,
    /// How often automation does it, and which.
    pub bots: (i64, &'static [&'static super::bots::Bot]),
    /// When it may be done.
    pub when: fn(&Object) -> bool,
    /// Whether only admins may.
    pub admin: bool,
    /// What people write about it, and in how many of a thousand cases.
    pub notes: (i64, &'static [&'static str]),
    /// How it goes wrong, one for each case, and in how many of a thousand cases.
    pub fails: (i64, &'static [(Outcome, &'static str)]),
    /// What comes of it: at most one of these.
    pub then: &'static [Then],
    /// Whether nothing happens to the thing afterwards.
    pub last: bool,
    /// Whether it is refused while production is frozen.
    pub frozen: bool,
}

/// What comes of an act, after a while.
#[derive(Clone, Copy)]
pub struct Then {
    /// In how many of a thousand cases.
    pub per_mille: i64,
    /// After how many seconds, from and to.
    pub after: (i64, i64),
    /// What is done to the same thing.
    pub action: &'static str,
    /// By whom.
    pub by: By,
}

/// Who does what comes of an act.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// The same.
    Same,
    /// Somebody else of the workspace.
    Colleague,
    /// An automation.
    Bot(&'static super::bots::Bot),
}

impl Act {
    /// An act that nobody does yet.
    pub const fn new(action: &'static str, effect: Effect) -> Self {
        Self {
            action,
            effect,
            people: 0,
            bots: (0, &[]),
            when: |_| true,
            admin: false,
            notes: (0, &[]),
            fails: (0, &[]),
            then: &[],
            last: false,
            frozen: false,
        }
    }

    /// People do it, so often.
    pub const fn people(mut self, weight: i64) -> Self {
        self.people = weight;
        self
    }

    /// Automation does it, so often.
    pub const fn bots(mut self, weight: i64, which: &'static [&'static super::bots::Bot]) -> Self {
        self.bots = (weight, which);
        self
    }

    /// It may be done only to what is like this.
    pub const fn when(mut self, condition: fn(&Object) -> bool) -> Self {
        self.when = condition;
        self
    }

    /// Only admins may do it; others are refused.
    pub const fn admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// What people write about it.
    pub const fn notes(mut self, per_mille: i64, notes: &'static [&'static str]) -> Self {
        self.notes = (per_mille, notes);
        self
    }

    /// How it goes wrong.
    pub const fn fails(
        mut self,
        per_mille: i64,
        reasons: &'static [(Outcome, &'static str)],
    ) -> Self {
        self.fails = (per_mille, reasons);
        self
    }

    /// What comes of it.
    pub const fn then(mut self, next: &'static [Then]) -> Self {
        self.then = next;
        self
    }

    /// Nothing happens to the thing afterwards.
    pub const fn last(mut self) -> Self {
        self.last = true;
        self
    }
}

impl Act {
    /// It is refused while production is frozen.
    pub const fn unless_frozen(mut self) -> Self {
        self.frozen = true;
        self
    }
}

impl Then {
    /// What an automation, or somebody, does after so many seconds in so many of a thousand cases.
    pub const fn new(per_mille: i64, after: (i64, i64), action: &'static str, by: By) -> Self {
        Self {
            per_mille,
            after,
            action,
            by,
        }
    }
}

/// Every thing there is, by kind (its place in [`KINDS`]) and workspace.
pub struct World {
    shelves: Vec<[Vec<Thing>; 2]>,
}

impl World {
    /// A world in which there is nothing yet.
    pub fn empty() -> Self {
        Self {
            shelves: KINDS.iter().map(|_| [Vec::new(), Vec::new()]).collect(),
        }
    }

    /// The things of a kind in a workspace, the oldest first.
    pub fn shelf(&self, kind: usize, place: Place) -> &[Thing] {
        &self.shelves[kind][place as usize]
    }

    /// The same, to change.
    pub fn shelf_mut(&mut self, kind: usize, place: Place) -> &mut Vec<Thing> {
        &mut self.shelves[kind][place as usize]
    }

    /// The place of a thing on its shelf.
    pub fn find(&self, kind: usize, place: Place, id: &str) -> Option<usize> {
        // What was made last is what is asked for most.
        self.shelf(kind, place)
            .iter()
            .rposition(|thing| thing.id == id)
    }

    /// Some thing of a kind, the older ones more often; none of those that the script keeps.
    pub fn some(&self, kind: &str, place: Place, dice: &mut Dice) -> Option<&Thing> {
        let things = self.shelf(kind_named(kind)?, place);
        let drawn = things.get(dice.early_index(things.len()));
        drawn.filter(|thing| !thing.kept)
    }
}

/// The place of a kind in [`KINDS`].
pub fn kind_named(name: &str) -> Option<usize> {
    KINDS.iter().position(|kind| kind.name == name)
}

/// Fills the shelves with what was there before the log begins.
pub fn furnish(world: &mut World, dice: &mut Dice, at: domain::time::Timestamp) {
    for (index, kind) in KINDS.iter().enumerate() {
        for place in Place::ALL {
            let share = kind.share[place as usize].min(100);
            let stock = (0..kind.stock).filter(|_| dice.below(100) < share).count();
            for _ in 0..stock {
                let mut scene = Scene::new(world, dice, at, place, Who::Bot(&super::bots::SYSTEM));
                let thing = scene.invent(index);
                world.shelf_mut(index, place).extend(thing);
            }
        }
    }
}
