//! The company as Daybook knows it: its workspaces, its people and their roles, its tokens.

use super::{
    Plan, Step,
    calendar::{City, is_weekend},
    dice::Dice,
    people::{CAST, Place, named},
    script::{Clock, oslo},
};
use chrono::{Datelike, NaiveTime, TimeDelta};
use domain::{
    retention::Retention,
    role::Role,
    slug::{Slug, SlugError},
    time::Timestamp,
};

/// The customer organization of the demo.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its slug.
    pub tenant: Slug,
    /// Its name.
    pub name: &'static str,
    /// Its workspaces.
    pub workspaces: [Workspace; 2],
    /// Who has an account in Daybook.
    pub people: Vec<Person>,
    /// What programs use to send and to read.
    pub tokens: Vec<Token>,
}

/// An account inside the company.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its slug.
    pub slug: Slug,
    /// Its name.
    pub name: &'static str,
}

/// Somebody who may sign in.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their name.
    pub name: &'static str,
    /// Their address.
    pub email: String,
    /// What they do, in words.
    pub title: &'static str,
    /// Their roles now.
    pub memberships: Vec<Membership>,
    /// When they got their account.
    pub joined: Timestamp,
    /// When they were deactivated.
    pub left: Option<Timestamp>,
}

/// What somebody may do where.
#[derive(Clone, Debug)]
pub struct Membership {
    /// In which workspace; none: in the tenant.
    pub workspace: Option<Slug>,
    /// As what.
    pub role: Role,
}

/// A token for Daybook's own API.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its name.
    pub name: &'static str,
    /// For which workspace.
    pub workspace: Slug,
    /// What it may do.
    pub scopes: &'static [&'static str],
    /// Who made it, by their place in [`Company::people`].
    pub by: usize,
    /// When.
    pub made: Timestamp,
}

/// Roles that people did not have from the start: who, where, what before, how many days ago it
/// changed, and who changed it.
const PROMOTIONS: [(&str, Place, Role, i64, &str); 3] = [
    (
        "Vikram Shetty",
        Place::Growth,
        Role::Member,
        72,
        "Ingrid Solheim",
    ),
    (
        "Daniel Ortiz",
        Place::Revenue,
        Role::Member,
        44,
        "Helena Braga",
    ),
    (
        "Lucía Fernández",
        Place::Growth,
        Role::Member,
        16,
        "Ingrid Solheim",
    ),
];

/// Who looks at the log, and in how many of a thousand cases on a workday.
const READERS: [(&str, i64); 8] = [
    ("Ingrid Solheim", 220),
    ("Tom Okafor", 260),
    ("Priya Raman", 180),
    ("Aylin Demir", 320),
    ("Helena Braga", 160),
    ("Samuel Adeyemi", 120),
    ("Bartholomew Featherstonehaugh", 40),
    ("Ruth Abelson", 150),
];

impl Company {
    /// The company of a plan.
    ///
    /// # Errors
    ///
    /// When a name in this file is no slug.
    pub fn new(plan: &Plan) -> Result<Self, SlugError> {
        let [growth, revenue] = Place::ALL.map(|place| {
            let slug: Result<Slug, _> = place.slug().parse();
            slug.map(|slug| Workspace {
                slug,
                name: place.name(),
            })
        });
        let (growth, revenue) = (growth?, revenue?);
        let of = |place| match place {
            Place::Growth => growth.slug.clone(),
            Place::Revenue => revenue.slug.clone(),
        };
        let people = (0..CAST.len()).map(|index| {
            let character = &CAST[index];
            let tenant = character.growth == Some(Role::TenantAdmin);
            let memberships = if tenant {
                vec![Membership {
                    workspace: None,
                    role: Role::TenantAdmin,
                }]
            } else {
                let roles = Place::ALL.map(|place| (place, character.role(place)));
                let given = roles
                    .into_iter()
                    .filter_map(|(place, role)| Some((place, role?)));
                given
                    .map(|(place, role)| Membership {
                        workspace: Some(of(place)),
                        role,
                    })
                    .collect()
            };
            Person {
                name: character.name,
                email: character.email(),
                title: character.title,
                memberships,
                joined: joined(plan, index),
                left: left(plan.now, index).filter(|at| *at > plan.start()),
            }
        });
        let people = people.collect();
        let token = |name, place, scopes, by, ago: i64| Token {
            name,
            workspace: of(place),
            scopes,
            by: named(by),
            made: back(plan, ago),
        };
        let tokens = vec![
            token(
                "growth-apps",
                Place::Growth,
                &["events:write"],
                "Tom Okafor",
                400,
            ),
            token(
                "revenue-apps",
                Place::Revenue,
                &["events:write"],
                "Samuel Adeyemi",
                400,
            ),
            token(
                "grafana",
                Place::Growth,
                &["events:read"],
                "Katrin Vogel",
                60,
            ),
            token(
                "quarterly-export",
                Place::Revenue,
                &["events:read", "events:export"],
                "Aylin Demir",
                27,
            ),
        ];
        Ok(Self {
            tenant: "acme".parse()?,
            name: "Acme Inc",
            workspaces: [growth, revenue],
            people,
            tokens,
        })
    }

    /// What Daybook itself does, in the order of time.
    pub(super) fn own_steps(&self, plan: &Plan, dice: &mut Dice) -> Vec<Step> {
        let mut steps: Vec<Step> = self
            .workspaces
            .iter()
            .map(|workspace| Step::SetRetention {
                at: plan.start(),
                workspace: workspace.slug.clone(),
                retention: Retention::Years(1),
            })
            .collect();
        for (person, about) in self.people.iter().enumerate() {
            for membership in &about.memberships {
                steps.push(Step::AddMember {
                    at: about.joined,
                    person,
                    workspace: membership.workspace.clone(),
                    role: self.first_role(plan, person, membership),
                });
            }
            if let Some(at) = about.left {
                let by = named("Aylin Demir");
                steps.push(Step::Deactivate { at, person, by });
            }
        }
        for (name, place, _, ago, by) in PROMOTIONS {
            let (person, by, at) = (named(name), named(by), back(plan, ago));
            let role = CAST[person].role(place).filter(|_| at > plan.start());
            let workspace = self.workspaces[place as usize].slug.clone();
            steps.extend(role.map(|role| Step::ChangeRole {
                at,
                person,
                workspace,
                role,
                by,
            }));
        }
        for (token, about) in self.tokens.iter().enumerate() {
            steps.push(Step::CreateToken {
                at: about.made,
                token,
            });
        }
        steps.extend(self.sign_ins(plan, dice));
        steps.sort_by_key(Step::at);
        steps
    }

    /// The role that a membership began with.
    fn first_role(&self, plan: &Plan, person: usize, membership: &Membership) -> Role {
        let promotion = PROMOTIONS.iter().find(|(name, place, _, ago, _)| {
            *name == self.people[person].name
                && membership
                    .workspace
                    .as_ref()
                    .is_some_and(|slug| slug.as_str() == place.slug())
                && back(plan, *ago) > plan.start()
        });
        promotion.map_or(membership.role, |(_, _, role, _, _)| *role)
    }

    fn sign_ins(&self, plan: &Plan, dice: &mut Dice) -> Vec<Step> {
        let mut steps = Vec::new();
        for ago in 0..i64::from(plan.days) {
            for (name, per_mille) in READERS {
                let person = named(name);
                let city = CAST[person].city;
                let day = city.date(plan.now.plus(-TimeDelta::days(ago)));
                let time = super::calendar::working_time(dice);
                let at = city.moment(day, time);
                let inside = at > self.people[person].joined && at < plan.now;
                if dice.chance(per_mille) && !is_weekend(day) && inside {
                    steps.push(Step::SignIn { at, person });
                }
            }
        }
        steps
    }
}

/// When somebody of the cast came, as Daybook has it: not before the story begins.
fn joined(plan: &Plan, index: usize) -> Timestamp {
    match CAST[index].came {
        0 => plan.start(),
        days => back(plan, days.into()),
    }
}

/// Half past nine in Oslo, on the workday so many days ago; not before the story begins.
fn back(plan: &Plan, days: i64) -> Timestamp {
    let day = Clock::new(plan.now).workday(days.unsigned_abs());
    let minute = 10 + day.day();
    let at = City::Oslo.moment(
        day,
        NaiveTime::from_hms_opt(9, minute, 0).unwrap_or_default(),
    );
    at.max(plan.start())
}

/// Whether somebody of the cast is there at a moment.
pub(super) fn is_there(index: usize, plan: &Plan, at: Timestamp) -> bool {
    let gone = match CAST[index].name {
        // He still has his account that evening, and uses it once more.
        "Dmitri Volkov" => Some(oslo(Clock::new(plan.now).dmitris_last(), (16, 40, 0))),
        "Kofi Mensah" => Some(oslo(Clock::new(plan.now).incident(), (16, 0, 0))),
        _ => None,
    };
    at >= joined(plan, index) && gone.is_none_or(|gone| at < gone)
}

/// When somebody of the cast was deactivated: Dmitri, on the morning after his last day.
fn left(now: Timestamp, index: usize) -> Option<Timestamp> {
    let clock = Clock::new(now);
    match CAST[index].name {
        "Dmitri Volkov" => Some(oslo(clock.dmitris_last() + chrono::Days::new(1), (8, 0, 0))),
        "Kofi Mensah" => Some(oslo(clock.incident(), (17, 25, 0))),
        _ => None,
    }
}
