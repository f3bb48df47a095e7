//! An installation with everybody who could ask it for something.

use chrono::TimeDelta;
use domain::{
    catalogue::OwnedEntry,
    category::Category,
    event::{Actor as Doer, EventId, NewEvent},
    role::{Role, TokenScope},
    slug::WorkspacePath,
    verb::Verb,
};
use std::{collections::HashMap, fmt, fs, path::Path};
use store::{
    DatabaseUrl, Options, Store,
    access::SignedIn,
    administration::{By, NewPerson, NewToken, Place, TokenPlace},
    clock::{Clock, SetClock},
    members::NewInvite,
    recording::{Door, Receipt, Redaction},
    redaction::RedactionChange,
};
use tempfile::TempDir;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse";
/// What the events of the two workspaces are about: nobody else may ever read it.
const GROWTH_SECRET: &str = "Falcon plan";
const REVENUE_SECRET: &str = "Osprey plan";

/// Somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Without cookie or token.
    Nobody,
    /// An owner in another tenant.
    Elsewhere,
    /// An owner of the tenant's other workspace.
    Neighbour,
    /// An auditor whose last day is over.
    FormerAuditor,
    /// A member who was deactivated.
    Deactivated,
    /// A member.
    Member,
    /// An auditor.
    Auditor,
    /// An admin.
    Admin,
    /// An owner.
    Owner,
    /// An admin of the tenant.
    TenantAdmin,
    /// A token that is none.
    WrongToken,
    /// A token that was revoked.
    RevokedToken,
    /// A token that may send only.
    WriteToken,
    /// A token that may read only.
    ReadToken,
    /// A token that may do everything in the workspace.
    WorkspaceToken,
    /// A token that may do everything in the tenant's other workspace.
    NeighbourToken,
    /// A token that may do everything in the whole tenant.
    TenantToken,
}

impl Actor {
    pub const ALL: [Self; 17] = [
        Self::Nobody,
        Self::Elsewhere,
        Self::Neighbour,
        Self::FormerAuditor,
        Self::Deactivated,
        Self::Member,
        Self::Auditor,
        Self::Admin,
        Self::Owner,
        Self::TenantAdmin,
        Self::WrongToken,
        Self::RevokedToken,
        Self::WriteToken,
        Self::ReadToken,
        Self::WorkspaceToken,
        Self::NeighbourToken,
        Self::TenantToken,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Elsewhere => "owner in another tenant",
            Self::Neighbour => "owner of the other workspace",
            Self::FormerAuditor => "former auditor",
            Self::Deactivated => "deactivated member",
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::TenantAdmin => "tenant admin",
            Self::WrongToken => "wrong token",
            Self::RevokedToken => "revoked token",
            Self::WriteToken => "write token",
            Self::ReadToken => "read token",
            Self::WorkspaceToken => "token",
            Self::NeighbourToken => "token of the other workspace",
            Self::TenantToken => "token of the tenant",
        }
    }

    /// The headers that say who it is.
    pub fn headers(self, place: &Installation) -> Vec<(&'static str, String)> {
        place.headers.get(&self).cloned().into_iter().collect()
    }

    /// What this one must never be told, whatever they ask.
    pub fn hidden(self) -> &'static [&'static str] {
        match self {
            Self::TenantAdmin | Self::TenantToken => &[],
            Self::Neighbour | Self::NeighbourToken => &[GROWTH_SECRET],
            Self::Member
            | Self::Auditor
            | Self::Admin
            | Self::Owner
            | Self::ReadToken
            | Self::WorkspaceToken => &[REVENUE_SECRET],
            _ => &[GROWTH_SECRET, REVENUE_SECRET],
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An installation that is asked; closed, so that it can be copied.
pub struct Installation {
    folder: TempDir,
    clock: SetClock,
    headers: HashMap<Actor, (&'static str, String)>,
    /// Tokens that read everything of each tenant.
    readers: Vec<String>,
    /// What stands for what in addresses and bodies: `{event}`.
    names: Vec<(&'static str, String)>,
}

/// A copy of it, open.
pub struct Copied {
    pub store: Store,
    /// Tokens that read everything of each tenant.
    readers: Vec<String>,
    _folder: TempDir,
}

fn operator() -> By {
    By::operator("tester")
}

fn growth() -> WorkspacePath {
    "acme/growth".parse().unwrap()
}

fn revenue() -> WorkspacePath {
    "acme/revenue".parse().unwrap()
}

async fn open(folder: &Path, clock: &SetClock) -> Store {
    let options = Options {
        clock: std::sync::Arc::new(clock.clone()),
        ..Options::new(DatabaseUrl::Sqlite(folder.join("daybook.db")))
    };
    Store::open(options).await.unwrap()
}

/// Makes a person, and signs them in: what their browser sends.
async fn person(store: &Store, name: &str, place: Place, until: Option<&str>) -> String {
    let person = NewPerson {
        email: format!("{}@acme.example", name.to_lowercase()),
        name: name.to_owned(),
        place,
        until: until.map(|day| day.parse().unwrap()),
    };
    store
        .create_person(&person, PASSWORD, &operator())
        .await
        .unwrap();
    let session = store
        .sign_in(&person.email, PASSWORD, None, None)
        .await
        .unwrap();
    session.secret.reveal().to_owned()
}

async fn signed_in(store: &Store, secret: &str) -> SignedIn {
    store.session(secret).await.unwrap().unwrap()
}

async fn token(store: &Store, place: TokenPlace, name: &str, scopes: &[TokenScope]) -> String {
    let token = NewToken {
        place,
        name: name.to_owned(),
        scopes: scopes.to_vec(),
        expires: None,
        oldest_seconds: None,
    };
    let secret = store.create_token(&token, &operator()).await.unwrap();
    secret.reveal().to_owned()
}

/// Records an event as an application does, and gives its id.
async fn record(store: &Store, secret: &str, name: &str) -> String {
    let grant = store.token(secret).await.unwrap().unwrap();
    let door = Door::token(&grant, Redaction::On).unwrap();
    let doer: Doer = serde_json::from_value(serde_json::json!({
        "kind": "user", "id": "usr_1", "name": "Alex Kim", "email": "alex@acme.example",
    }))
    .unwrap();
    let target = serde_json::from_value(serde_json::json!({
        "kind": "plan", "id": "pln_1", "name": name, "url": null,
    }))
    .unwrap();
    let event = NewEvent::new(doer, "PLAN_CHANGED".parse().unwrap(), target);
    let admitted = store.admit(&door, event).unwrap();
    let receipts = store.record(vec![admitted]).await.unwrap();
    let [Receipt::Recorded(placed)] = &receipts[..] else {
        panic!("{receipts:?}");
    };
    placed.id.to_string()
}

impl Installation {
    #[expect(clippy::too_many_lines, reason = "it is a list of who there is")]
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = SetClock::at("2026-05-12T09:00:00Z".parse().unwrap());
        let store = open(folder.path(), &clock).await;
        for (tenant, name) in [("acme", "Acme Inc"), ("globex", "Globex")] {
            let slug = tenant.parse().unwrap();
            store.create_tenant(&slug, name, &operator()).await.unwrap();
        }
        for (path, name) in [
            ("acme/growth", "Growth"),
            ("acme/revenue", "Revenue"),
            ("globex/main", "Main"),
        ] {
            let path = path.parse().unwrap();
            store
                .create_workspace(&path, name, &operator())
                .await
                .unwrap();
        }

        let mut cookies = Vec::new();
        let at = |role| Place::Workspace(growth(), role);
        for (actor, name, place, until) in [
            (
                Actor::Elsewhere,
                "Elsa",
                Place::Workspace("globex/main".parse().unwrap(), Role::Owner),
                None,
            ),
            (
                Actor::Neighbour,
                "Nils",
                Place::Workspace(revenue(), Role::Owner),
                None,
            ),
            (
                Actor::FormerAuditor,
                "Fred",
                at(Role::Auditor),
                Some("2026-05-12"),
            ),
            (Actor::Deactivated, "Dora", at(Role::Member), None),
            (Actor::Member, "Mia", at(Role::Member), None),
            (Actor::Auditor, "Aron", at(Role::Auditor), None),
            (Actor::Admin, "Adam", at(Role::Admin), None),
            (Actor::Owner, "Olga", at(Role::Owner), None),
            (
                Actor::TenantAdmin,
                "Tara",
                Place::Tenant("acme".parse().unwrap()),
                None,
            ),
        ] {
            cookies.push((actor, person(&store, name, place, until).await));
        }
        let cookie = |wanted: Actor| -> &str {
            let mut all = cookies.iter();
            all.find_map(|(actor, cookie)| (*actor == wanted).then_some(cookie))
                .unwrap()
        };

        let (here, there) = (
            TokenPlace::Workspace(growth()),
            TokenPlace::Workspace(revenue()),
        );
        let mut tokens = Vec::new();
        for (actor, place, name, scopes) in [
            (
                Actor::RevokedToken,
                here.clone(),
                "revoked",
                &TokenScope::ALL[..],
            ),
            (
                Actor::WriteToken,
                here.clone(),
                "write",
                &[TokenScope::EventsWrite],
            ),
            (
                Actor::ReadToken,
                here.clone(),
                "read",
                &[TokenScope::EventsRead],
            ),
            (Actor::WorkspaceToken, here, "all", &TokenScope::ALL),
            (Actor::NeighbourToken, there, "other", &TokenScope::ALL),
            (
                Actor::TenantToken,
                TokenPlace::Tenant("acme".parse().unwrap()),
                "tenant",
                &TokenScope::ALL,
            ),
        ] {
            tokens.push((actor, token(&store, place, name, scopes).await));
        }
        let secret = |wanted: Actor| -> &str {
            let mut all = tokens.iter();
            all.find_map(|(actor, secret)| (*actor == wanted).then_some(secret))
                .unwrap()
        };
        // Nobody is asked to revoke these.
        let mut readers = Vec::new();
        for tenant in ["acme", "globex"] {
            let whole = TokenPlace::Tenant(tenant.parse().unwrap());
            readers.push(token(&store, whole, "reader", &[TokenScope::EventsRead]).await);
        }
        let listed = store.tokens().await.unwrap();
        let token_id = |name: &str| listed.iter().find(|it| it.name == name).unwrap().id.clone();
        store
            .revoke_token(&token_id("revoked"), &operator())
            .await
            .unwrap();

        let event = record(&store, secret(Actor::WorkspaceToken), GROWTH_SECRET).await;
        let other_event = record(&store, secret(Actor::NeighbourToken), REVENUE_SECRET).await;

        let olga = signed_in(&store, cookie(Actor::Owner)).await;
        let manages = olga.management_scope(&growth()).unwrap();
        let nils = signed_in(&store, cookie(Actor::Neighbour)).await;
        let manages_other = nils.management_scope(&revenue()).unwrap();
        let invite = |email: &str| NewInvite {
            email: email.to_owned(),
            role: Role::Member,
            last_day: None,
        };
        let by = By::person(&olga, None);
        let key = store
            .invite(&manages, &invite("new@acme.example"), &by)
            .await
            .unwrap();
        store
            .invite(&manages_other, &invite("x@acme.example"), &by)
            .await
            .unwrap();
        let members = store.members(&manages, "", 0).await.unwrap().members;
        let member = |name: &str| {
            members
                .iter()
                .find(|it| it.name == name)
                .unwrap()
                .id
                .clone()
        };
        store
            .deactivate_member(&manages, &olga, &member("Dora"), &by)
            .await
            .unwrap();
        // One of the tenant's admins whom no request is sent by, and a hold that stands.
        let ulla = Place::Tenant("acme".parse().unwrap());
        let other_admin = signed_in(&store, &person(&store, "Ulla", ulla, None).await).await;
        let tara = signed_in(&store, cookie(Actor::TenantAdmin)).await;
        let settings = nils.settings_scope(&revenue()).unwrap();
        store
            .place_hold(&settings, &"Tax audit".parse().unwrap(), &operator())
            .await
            .unwrap();
        // What can be removed from the settings.
        let settings = olga.settings_scope(&growth()).unwrap();
        let gate = OwnedEntry {
            action: "gate:open".parse().unwrap(),
            category: Category::Accounts,
            verb: Verb::Run,
            label: "Gate opened".parse().unwrap(),
        };
        store
            .add_catalogue_entry(&settings, &gate, &operator())
            .await
            .unwrap();
        let shoe = RedactionChange::Add {
            names: vec!["shoe_size".parse().unwrap()],
            places: vec!["metadata.shoe".parse().unwrap()],
        };
        store
            .change_redaction(&settings, shoe, &operator())
            .await
            .unwrap();
        let names = vec![
            ("{event}", event),
            ("{other_admin}", other_admin.public_id.clone()),
            ("{tenant_admin}", tara.public_id.clone()),
            ("{other_event}", other_event),
            ("{member}", member("Mia")),
            ("{other_member}", nils.public_id.clone()),
            (
                "{invite}",
                store.invites(&manages).await.unwrap()[0].id.clone(),
            ),
            (
                "{other_invite}",
                store.invites(&manages_other).await.unwrap()[0].id.clone(),
            ),
            ("{key}", key.reveal().to_owned()),
            ("{token}", token_id("write")),
            ("{other_token}", token_id("other")),
            ("{tenant_token}", token_id("tenant")),
        ];

        clock.set(clock.now().plus(TimeDelta::days(2)));
        store.close().await;
        let mut headers: HashMap<_, _> = cookies
            .into_iter()
            .map(|(actor, secret)| (actor, ("cookie", format!("daybook_session={secret}"))))
            .collect();
        headers.extend(
            tokens
                .into_iter()
                .chain([(Actor::WrongToken, format!("dbk_{}", "x".repeat(43)))])
                .map(|(actor, secret)| (actor, ("authorization", format!("Bearer {secret}")))),
        );
        Self {
            folder,
            clock,
            headers,
            readers,
            names,
        }
    }

    /// A text with what its names stand for.
    pub fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(name, value);
        }
        text
    }

    /// An address with names for what differs from one run to the next.
    pub fn named(&self, address: &str) -> String {
        let mut address = address.to_owned();
        for (name, value) in &self.names {
            address = address.replace(value, name);
        }
        // Where to come back to stands in the question already, and an id that was made just now is
        // another one in each run.
        for new in ["?next=", "?created="] {
            if let Some((page, _)) = address.split_once(new) {
                return format!("{page}{new}…");
            }
        }
        address
    }

    /// A copy of its own.
    pub async fn copy(&self) -> Copied {
        let folder = TempDir::new().unwrap();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            // A closed log has everything in its files; its last connection may still be going.
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with("-wal") || name.ends_with("-shm") {
                continue;
            }
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        Copied {
            store: open(folder.path(), &self.clock).await,
            readers: self.readers.clone(),
            _folder: folder,
        }
    }
}

impl Copied {
    /// How many events it has, of all tenants.
    pub async fn head(&self) -> u64 {
        let mut all = 0;
        for reader in &self.readers {
            all += self.events(reader).await.len() as u64;
        }
        all
    }

    /// The actions of the events that came after so many, in their order of arrival.
    pub async fn told_after(&self, head: u64) -> Vec<String> {
        let mut events = Vec::new();
        for reader in &self.readers {
            events.extend(self.events(reader).await);
        }
        events.sort();
        let told = events.split_off(usize::try_from(head).unwrap());
        told.into_iter().map(|(_, action)| action).collect()
    }

    /// The events of a tenant: when each came, and its action.
    async fn events(&self, reader: &str) -> Vec<(EventId, String)> {
        let grant = self.store.token(reader).await.unwrap().unwrap();
        let scope = grant.read_scope().unwrap();
        let query = domain::question::Query {
            limit: domain::question::Limit::try_from(500).ok(),
            ..Default::default()
        };
        let events = self.store.page(&scope, &query).await.unwrap().events;
        let told = events
            .into_iter()
            .map(|event| (event.id, event.action.to_string()));
        told.collect()
    }

    pub async fn close(self) {
        self.store.close().await;
    }
}
