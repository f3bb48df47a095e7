//! The demo's story: half a year at Acme, a company that is not there, told as the audit events
//! that its applications would have sent. People have roles, working hours and holidays; automation
//! works at night; every object changes from the state in which it was left; and there is an
//! incident to find.
//!
//! Pure: a seed and a moment in, steps out. It touches no database and no clock.

mod bots;
mod calendar;
mod company;
mod days;
mod dice;
mod families;
mod people;
mod repertoire;
mod scene;
mod script;
mod stage;
mod story;
mod world;

#[cfg(test)]
mod actions;
#[cfg(test)]
mod tests;

pub use company::Company;
pub use story::Story;

use domain::{
    event::NewEvent,
    retention::Retention,
    role::Role,
    slug::{Slug, SlugError},
    time::Timestamp,
};

/// What story is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many events the applications send, exactly.
    pub events: usize,
    /// Over how many days, at least one.
    pub days: u32,
    /// What chance begins with: the same seed and moment tell the same story.
    pub seed: u64,
    /// When the story ends: no event is later.
    pub now: Timestamp,
}

impl Plan {
    /// When the story begins.
    pub fn start(self) -> Timestamp {
        let days = i64::from(self.days.max(1));
        Timestamp::from_micros(self.now.micros() - days * 86_400_000_000)
    }
}

/// What happens next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A workspace keeps its events so long.
    SetRetention {
        /// When.
        at: Timestamp,
        /// Which workspace.
        workspace: Slug,
        /// How long.
        retention: Retention,
    },
    /// A person gets a role: in a workspace, or (a tenant admin) in the tenant.
    AddMember {
        /// When.
        at: Timestamp,
        /// Who, by their place in [`Company::people`].
        person: usize,
        /// Where; none: in the tenant.
        workspace: Option<Slug>,
        /// As what.
        role: Role,
    },
    /// A person's role in a workspace changes.
    ChangeRole {
        /// When.
        at: Timestamp,
        /// Whose, by their place in [`Company::people`].
        person: usize,
        /// Where.
        workspace: Slug,
        /// To what.
        role: Role,
        /// By whom, by their place in [`Company::people`].
        by: usize,
    },
    /// A person is deactivated everywhere.
    Deactivate {
        /// When.
        at: Timestamp,
        /// Who, by their place in [`Company::people`].
        person: usize,
        /// By whom, by their place in [`Company::people`].
        by: usize,
    },
    /// A token for Daybook's own API is made.
    CreateToken {
        /// When.
        at: Timestamp,
        /// Which, by its place in [`Company::tokens`].
        token: usize,
    },
    /// A person signs in to Daybook.
    SignIn {
        /// When.
        at: Timestamp,
        /// Who, by their place in [`Company::people`].
        person: usize,
    },
    /// An application's event becomes durable.
    Record {
        /// Whose event it is.
        workspace: Slug,
        /// The event, with its workspace and the time at which it occurred.
        event: Box<NewEvent>,
        /// When it becomes durable: a moment after it occurred, at times hours or days.
        recorded_at: Timestamp,
    },
}

impl Step {
    /// When it happens to Daybook.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::SetRetention { at, .. }
            | Self::AddMember { at, .. }
            | Self::ChangeRole { at, .. }
            | Self::Deactivate { at, .. }
            | Self::CreateToken { at, .. }
            | Self::SignIn { at, .. }
            | Self::Record {
                recorded_at: at, ..
            } => *at,
        }
    }
}

/// The company, and what happens to it: steps in the order in which they reach Daybook
/// ([`Step::at`] never falls), exactly [`Plan::events`] of them [`Step::Record`].
///
/// # Errors
///
/// When a workspace of the company has no possible slug, which the tests rule out.
pub fn story(plan: &Plan) -> Result<(Company, Story), SlugError> {
    let company = Company::new(plan)?;
    let story = Story::new(*plan, &company)?;
    Ok((company, story))
}
