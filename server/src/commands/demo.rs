//! `daybook demo`: has the story of a company happen to an empty database.

use super::{CommandError, Installation, operator, reindex::counting, remark, say};
use crate::demo::{Company, Plan, Step, Story, story};
use clap::{Args, value_parser};
use comfy_table::{Table, presets};
use domain::{
    event::NewEvent,
    role::{Role, TokenScope},
    slug::{Slug, WorkspacePath},
    time::Timestamp,
};
use indicatif::{HumanCount, ProgressBar};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use store::{
    Store,
    access::{Secret, SignedIn, Workspace},
    administration::{By, NewPerson, NewToken, Place, TokenPlace},
    clock::{Clock, SetClock, SystemClock},
    people::SignInError,
    recording::{Admitted, Door},
    settings::SettingsChange,
};

/// Everybody's password.
const PASSWORD: &str = "daybook-demo";
/// How many events are recorded together.
const BATCH: usize = 1_000;
/// How many members are shown of each workspace.
const MEMBERS_SHOWN: usize = 2;

/// Fills an empty database with a believable tenant, and prints who can sign in
#[derive(Debug, Args)]
pub struct Demo {
    /// How many events its applications send
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u32).range(1..))]
    events: u32,
    /// Over how many days, up to now
    #[arg(long, value_name = "D", default_value_t = 200, value_parser = value_parser!(u32).range(1..=365))]
    days: u32,
    /// Another seed tells another story
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Demo {
    /// Does what was asked.
    pub async fn run(self, installation: &Installation) -> Result<(), CommandError> {
        let plan = Plan {
            events: usize::try_from(self.events).unwrap_or(usize::MAX),
            days: self.days,
            seed: self.seed,
            now: full_hour(SystemClock.now()),
        };
        let clock = SetClock::at(plan.now);
        let store = installation.open_at(Arc::new(clock.clone())).await?;
        let done = fill(&store, clock, plan, installation).await;
        store.close().await;
        done
    }
}

async fn fill(
    store: &Store,
    clock: SetClock,
    plan: Plan,
    installation: &Installation,
) -> Result<(), CommandError> {
    if !store.tenants().await?.is_empty() {
        return Err(CommandError::Failed(format!(
            "{} has tenants already, and the demo wants an empty database: name another one with \
             --database",
            installation.database
        )));
    }
    let (company, story) = story(&plan).map_err(|error| CommandError::Failed(error.to_string()))?;
    let bar = ProgressBar::new(plan.events as u64).with_style(counting());
    let mut stage = Stage::set(store, clock, company, &plan, bar).await?;
    stage.play(story).await?;
    stage.clock.set(plan.now);
    let place = stage.path(&stage.company.workspaces[0].slug);
    let token = NewToken {
        place: TokenPlace::Workspace(place.clone()),
        name: "trying-out".to_owned(),
        scopes: vec![TokenScope::EventsWrite, TokenScope::EventsRead],
        expires: None,
        oldest_seconds: None,
    };
    let secret = store.create_token(&token, &operator()).await?;
    store.wait_for_index(|_, _| ()).await?;
    stage.bar.finish_and_clear();
    stage.tell(&plan, &place, &secret)
}

/// The last full hour: whoever fills two databases in the same hour gets the same story twice.
fn full_hour(now: Timestamp) -> Timestamp {
    const HOUR: i64 = 3_600_000_000;
    Timestamp::from_micros(now.micros() - now.micros().rem_euclid(HOUR))
}

/// The company as it comes to be in the store.
struct Stage<'a> {
    store: &'a Store,
    clock: SetClock,
    company: Company,
    workspaces: HashMap<Slug, Workspace>,
    /// Who signed in last with what.
    sessions: HashMap<usize, Secret>,
    /// Who has an account.
    arrived: HashSet<usize>,
    waiting: Vec<Admitted>,
    bar: ProgressBar,
}

impl<'a> Stage<'a> {
    /// The company before anything happens.
    async fn set(
        store: &'a Store,
        clock: SetClock,
        company: Company,
        plan: &Plan,
        bar: ProgressBar,
    ) -> Result<Self, CommandError> {
        clock.set(plan.start());
        let by = operator();
        store
            .create_tenant(&company.tenant, company.name, &by)
            .await?;
        let mut workspaces = HashMap::new();
        for about in &company.workspaces {
            let path = WorkspacePath {
                tenant: company.tenant.clone(),
                workspace: about.slug.clone(),
            };
            let workspace = store.create_workspace(&path, about.name, &by).await?;
            workspaces.insert(about.slug.clone(), workspace);
        }
        Ok(Self {
            store,
            clock,
            company,
            workspaces,
            sessions: HashMap::new(),
            arrived: HashSet::new(),
            waiting: Vec::with_capacity(BATCH),
            bar,
        })
    }

    /// Has it all happen, in its order: what is recorded before a change is made is written before
    /// it too.
    async fn play(&mut self, story: Story) -> Result<(), CommandError> {
        for step in story {
            match step {
                Step::Record {
                    workspace,
                    event,
                    recorded_at,
                } => self.record(&workspace, *event, recorded_at).await?,
                step => {
                    self.flush().await?;
                    self.clock.set(step.at());
                    self.change(step).await?;
                }
            }
        }
        self.flush().await
    }

    async fn record(
        &mut self,
        workspace: &Slug,
        event: NewEvent,
        recorded_at: Timestamp,
    ) -> Result<(), CommandError> {
        let door = Door::demo(self.workspace(workspace)?, recorded_at);
        self.clock.set(recorded_at);
        let admitted = self.store.admit(&door, event).map_err(|faults| {
            let words: Vec<_> = faults
                .iter()
                .map(|fault| format!("{} {}", fault.field, fault.reason))
                .collect();
            CommandError::Failed(format!(
                "an event of the demo is not valid: {}",
                words.join("; ")
            ))
        })?;
        self.waiting.push(admitted);
        if self.waiting.len() == BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), CommandError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.waiting, Vec::with_capacity(BATCH));
        let events = batch.len() as u64;
        self.store.record(batch).await?;
        self.bar.inc(events);
        Ok(())
    }

    /// What is not an application's event: a change in Daybook itself.
    async fn change(&mut self, step: Step) -> Result<(), CommandError> {
        match step {
            Step::SetRetention {
                workspace,
                retention,
                ..
            } => {
                let scope = super::settings::scope(self.store, &self.path(&workspace)).await?;
                let change = SettingsChange {
                    retention: Some(retention),
                    ..SettingsChange::default()
                };
                self.store
                    .change_settings(&scope, change, &operator())
                    .await?;
            }
            Step::AddMember {
                person,
                workspace,
                role,
                ..
            } => self.add(person, workspace.as_ref(), role).await?,
            Step::ChangeRole {
                person,
                workspace,
                role,
                by,
                ..
            } => {
                let by = self.by(by).await?;
                let path = self.path(&workspace);
                self.change_role(person, &path, role, &by).await?;
            }
            Step::Deactivate { person, by, .. } => {
                let by = self.by(by).await?;
                let email = &self.company.people[person].email;
                self.store.deactivate_person(email, &by).await?;
            }
            Step::CreateToken { token, .. } => self.make_token(token).await?,
            Step::SignIn { person, .. } => {
                self.sign_in(person).await?;
            }
            // Those go with others in batches.
            Step::Record { .. } => {}
        }
        Ok(())
    }

    async fn add(
        &mut self,
        person: usize,
        workspace: Option<&Slug>,
        role: Role,
    ) -> Result<(), CommandError> {
        let about = &self.company.people[person];
        let place = match workspace {
            Some(slug) => Place::Workspace(self.path(slug), role),
            None => Place::Tenant(self.company.tenant.clone()),
        };
        let new = NewPerson {
            email: about.email.clone(),
            name: about.name.to_owned(),
            place,
            until: None,
        };
        self.store
            .create_person(&new, PASSWORD, &operator())
            .await?;
        self.arrived.insert(person);
        Ok(())
    }

    async fn change_role(
        &self,
        person: usize,
        path: &WorkspacePath,
        role: Role,
        by: &By,
    ) -> Result<(), CommandError> {
        let missing = |what: &str| CommandError::Failed(format!("there is no {what} {path}"));
        let scope = self.store.operator_members(path).await?;
        let scope = scope.ok_or_else(|| missing("workspace"))?;
        let email = &self.company.people[person].email;
        let found = self.store.members(&scope, email, 0).await?.members;
        let member = found.into_iter().find(|member| member.email == *email);
        let member = member.ok_or_else(|| missing("such member of"))?;
        let (id, last_day) = (&member.id, member.last_day);
        let changed = self
            .store
            .change_member(&scope, id, role, last_day, by)
            .await;
        changed.map_err(|error| CommandError::Failed(error.to_string()))
    }

    async fn make_token(&mut self, token: usize) -> Result<(), CommandError> {
        let about = self.company.tokens[token].clone();
        let scopes = about
            .scopes
            .iter()
            .map(|scope| scope.parse())
            .collect::<Result<_, _>>();
        let new = NewToken {
            place: TokenPlace::Workspace(self.path(&about.workspace)),
            name: about.name.to_owned(),
            scopes: scopes.map_err(|error: domain::event::UnknownName| {
                CommandError::Failed(error.to_string())
            })?,
            expires: None,
            oldest_seconds: None,
        };
        let by = self.by(about.by).await?;
        self.store.create_token(&new, &by).await?;
        Ok(())
    }

    /// Who does something: a person who is signed in, and signs in where they are not.
    async fn by(&mut self, person: usize) -> Result<By, CommandError> {
        if !self.arrived.contains(&person) {
            return Ok(operator());
        }
        if let Some(signed_in) = self.signed_in(person).await? {
            return Ok(By::person(&signed_in, None));
        }
        self.sign_in(person).await?;
        let signed_in = self.signed_in(person).await?;
        Ok(signed_in.map_or_else(operator, |signed_in| By::person(&signed_in, None)))
    }

    async fn signed_in(&self, person: usize) -> Result<Option<SignedIn>, CommandError> {
        match self.sessions.get(&person) {
            Some(secret) => Ok(self.store.session(secret.reveal()).await?),
            None => Ok(None),
        }
    }

    async fn sign_in(&mut self, person: usize) -> Result<(), CommandError> {
        let email = &self.company.people[person].email;
        match self.store.sign_in(email, PASSWORD, None, None).await {
            Ok(session) => {
                self.sessions.insert(person, session.secret);
                Ok(())
            }
            // Who has left is turned away: that is part of the story.
            Err(SignInError::Wrong | SignInError::TooMany { .. }) => Ok(()),
            Err(SignInError::Store(error)) => Err(error.into()),
        }
    }

    fn path(&self, workspace: &Slug) -> WorkspacePath {
        WorkspacePath {
            tenant: self.company.tenant.clone(),
            workspace: workspace.clone(),
        }
    }

    fn workspace(&self, slug: &Slug) -> Result<&Workspace, CommandError> {
        self.workspaces
            .get(slug)
            .ok_or_else(|| CommandError::Failed(format!("the demo has no workspace {slug}")))
    }

    /// Prints what is there, and who can sign in.
    fn tell(
        &self,
        plan: &Plan,
        place: &WorkspacePath,
        secret: &Secret,
    ) -> Result<(), CommandError> {
        let (table, more) = self.accounts();
        say(format_args!(
            "{} is there, with {} events of the last {} days.\n\nWho can sign in:",
            self.company.name,
            HumanCount(plan.events as u64),
            plan.days
        ))?;
        say(table)?;
        if more > 0 {
            say(format_args!(
                "and {more} more members, with the same password."
            ))?;
        }
        say(format_args!(
            "\nAn API token of {place} that sends and reads events, for trying curl:\n  {}",
            secret.reveal()
        ))?;
        remark("Start the server: daybook serve");
        Ok(())
    }

    /// The accounts that are good, those who may do most first, and how many members are left out.
    fn accounts(&self) -> (String, usize) {
        let mut rows = Vec::new();
        for person in self
            .company
            .people
            .iter()
            .filter(|person| person.left.is_none())
        {
            for membership in &person.memberships {
                let place = match &membership.workspace {
                    Some(slug) => self.path(slug).to_string(),
                    None => self.company.tenant.to_string(),
                };
                rows.push((membership.role, place, person));
            }
        }
        rows.sort_by(|(role, place, _), (other, elsewhere, _)| {
            other.cmp(role).then_with(|| place.cmp(elsewhere))
        });
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_header(["E-MAIL", "PASSWORD", "ROLE", "WHERE", "WHO"]);
        let mut members: HashMap<&str, usize> = HashMap::new();
        let mut more = 0;
        for (role, place, person) in &rows {
            let shown = members.entry(place).or_default();
            *shown += usize::from(*role == Role::Member);
            if *shown > MEMBERS_SHOWN {
                more += 1;
                continue;
            }
            let who = format!("{}, {}", person.name, person.title);
            table.add_row([&*person.email, PASSWORD, role.label(), place, &who]);
        }
        (table.trim_fmt(), more)
    }
}
