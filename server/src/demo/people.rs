//! Who works at Acme, where, on what, and what they may do.

use super::calendar::City;
use domain::role::Role;

/// What somebody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Team {
    /// Services, deployments, secrets, pipelines.
    Platform,
    /// Data models, dashboards, language models.
    Data,
    /// Customers: CRM, audiences, journeys.
    Revenue,
    /// Invoices, accounts, processes.
    Finance,
    /// What is built next: projects, improvements, reports.
    Product,
    /// Members, invitations, settings.
    Lead,
}

impl Team {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::Platform,
        Self::Data,
        Self::Revenue,
        Self::Finance,
        Self::Product,
        Self::Lead,
    ];
}

/// One of the two workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Growth.
    Growth,
    /// Revenue.
    Revenue,
}

impl Place {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Growth, Self::Revenue];

    /// As in addresses.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Growth => "growth",
            Self::Revenue => "revenue",
        }
    }

    /// As on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Growth => "Growth",
            Self::Revenue => "Revenue",
        }
    }
}

/// Somebody, as this file has them.
pub struct Character {
    /// Their name.
    pub name: &'static str,
    /// What stands before `@acme.example`.
    pub mailbox: &'static str,
    /// The applications' id for them.
    pub id: &'static str,
    /// What they do, in words.
    pub title: &'static str,
    /// Where they are.
    pub city: City,
    /// What they work on.
    pub team: Team,
    /// Their role in Growth.
    pub growth: Option<Role>,
    /// Their role in Revenue.
    pub revenue: Option<Role>,
    /// How much they do, against the others.
    pub pace: i64,
    /// How many days ago they came; 0: before the log begins.
    pub came: u16,
}

impl Character {
    /// Their address.
    pub fn email(&self) -> String {
        format!("{}@acme.example", self.mailbox)
    }

    /// Their role in a workspace.
    pub const fn role(&self, place: Place) -> Option<Role> {
        match place {
            Place::Growth => self.growth,
            Place::Revenue => self.revenue,
        }
    }

    /// Whether they may do in a workspace what admins may.
    pub const fn administers(&self, place: Place) -> bool {
        matches!(
            self.role(place),
            Some(Role::Admin | Role::Owner | Role::TenantAdmin)
        )
    }
}

const OWNER: Option<Role> = Some(Role::Owner);
const ADMIN: Option<Role> = Some(Role::Admin);
const MEMBER: Option<Role> = Some(Role::Member);
const AUDITOR: Option<Role> = Some(Role::Auditor);
const TENANT: Option<Role> = Some(Role::TenantAdmin);

/// Makes the table below readable as one: a person a line.
macro_rules! cast {
    ($($name:literal, $mailbox:literal, $id:literal, $title:literal, $city:ident, $team:ident,
        $growth:expr, $revenue:expr, $pace:literal, $came:literal;)+) => {
        /// Everyone.
        pub const CAST: &[Character] = &[$(Character {
            name: $name,
            mailbox: $mailbox,
            id: $id,
            title: $title,
            city: City::$city,
            team: Team::$team,
            growth: $growth,
            revenue: $revenue,
            pace: $pace,
            came: $came,
        }),+];
    };
}

cast! {
    "Ingrid Solheim", "ingrid.solheim", "usr_10a4", "Head of Growth", Oslo, Lead, OWNER, ADMIN, 60, 0;
    "Tom Okafor", "tom.okafor", "usr_51c0", "Platform lead", Oslo, Platform, ADMIN, None, 80, 0;
    "Alex Kim", "alex.kim", "usr_1f3b", "Integration engineer", Oslo, Platform, ADMIN, MEMBER, 90, 0;
    "Priya Raman", "priya.raman", "usr_2a71", "Site reliability engineer", Oslo, Platform, ADMIN, None, 90, 0;
    "Mara Lindqvist", "mara.lindqvist", "usr_6d18", "Release engineer", Oslo, Platform, MEMBER, None, 100, 0;
    "Dmitri Volkov", "dmitri.volkov", "usr_9a03", "Automation engineer", Oslo, Finance, MEMBER, MEMBER, 55, 0;
    "Kofi Mensah", "kofi.mensah", "usr_0d9e", "Growth analyst", Oslo, Product, MEMBER, None, 30, 0;
    "Kim Berg", "kim.berg", "usr_4e20", "Product manager", Oslo, Product, MEMBER, None, 40, 0;
    "Sigrid Aasen", "sigrid.aasen", "usr_83bd", "Backend engineer", Oslo, Platform, MEMBER, None, 70, 0;
    "Henrik Dahl", "henrik.dahl", "usr_b5e1", "Backend engineer", Oslo, Platform, MEMBER, None, 55, 0;
    "Nora Bakken", "nora.bakken", "usr_c7f2", "Product designer", Oslo, Product, MEMBER, None, 25, 131;
    "Emil Haugen", "emil.haugen", "usr_3c94", "Data engineer", Oslo, Data, MEMBER, MEMBER, 60, 0;
    "Jonas Weber", "jonas.weber", "usr_72e5", "Analytics engineer", Berlin, Data, MEMBER, MEMBER, 85, 0;
    "Aiko Tanaka", "aiko.tanaka", "usr_77f2", "CRM specialist", Berlin, Revenue, MEMBER, MEMBER, 50, 0;
    "Katrin Vogel", "katrin.vogel", "usr_e018", "Site reliability engineer", Berlin, Platform, ADMIN, MEMBER, 60, 0;
    "Felix Brandt", "felix.brandt", "usr_a6c3", "Frontend engineer", Berlin, Platform, MEMBER, None, 60, 0;
    "Aylin Demir", "aylin.demir", "usr_5b7f", "Security engineer", Berlin, Lead, ADMIN, ADMIN, 35, 0;
    "Moritz Keller", "moritz.keller", "usr_d249", "Controller", Berlin, Finance, None, MEMBER, 40, 0;
    "Greta Lorenz", "greta.lorenz", "usr_98aa", "Data scientist", Berlin, Data, MEMBER, None, 35, 88;
    "Lucía Fernández", "lucia.fernandez", "usr_08d6", "Data modelling lead", Lisbon, Data, ADMIN, MEMBER, 80, 0;
    "Helena Braga", "helena.braga", "usr_f31c", "Head of Revenue", Lisbon, Lead, None, OWNER, 50, 0;
    "Tiago Marques", "tiago.marques", "usr_6ab2", "Lifecycle marketing", Lisbon, Revenue, MEMBER, MEMBER, 55, 0;
    "Inês Carvalho", "ines.carvalho", "usr_1d5e", "Accounts receivable", Lisbon, Finance, None, MEMBER, 50, 0;
    "Rui Teixeira", "rui.teixeira", "usr_43f8", "Frontend engineer", Lisbon, Platform, MEMBER, None, 45, 0;
    "Beatriz Nunes", "beatriz.nunes", "usr_b90d", "Product analyst", Lisbon, Product, MEMBER, MEMBER, 30, 56;
    "Samuel Adeyemi", "samuel.adeyemi", "usr_2e67", "Revenue operations lead", NewYork, Revenue, None, ADMIN, 75, 0;
    "Grace Whitfield", "grace.whitfield", "usr_c05a", "Sales operations", NewYork, Revenue, None, MEMBER, 60, 0;
    "Daniel Ortiz", "daniel.ortiz", "usr_7fd1", "CRM administrator", NewYork, Revenue, None, ADMIN, 65, 0;
    "Hannah Cole", "hannah.cole", "usr_38be", "Customer success", NewYork, Revenue, None, MEMBER, 30, 0;
    "Marcus Reed", "marcus.reed", "usr_e4a9", "Financial analyst", NewYork, Finance, None, MEMBER, 35, 0;
    "Olivia Park", "olivia.park", "usr_5c12", "Product manager", NewYork, Product, MEMBER, MEMBER, 35, 0;
    "Bartholomew Featherstonehaugh", "bartholomew.featherstonehaugh", "usr_0001", "Group IT", NewYork, Lead, TENANT, TENANT, 15, 0;
    "Ruth Abelson", "ruth.abelson", "usr_ad17", "External auditor", NewYork, Lead, AUDITOR, AUDITOR, 0, 97;
    "Ananya Iyer", "ananya.iyer", "usr_64d3", "Backend engineer", Bengaluru, Platform, MEMBER, None, 75, 0;
    "Rohan Kulkarni", "rohan.kulkarni", "usr_f8b6", "Data engineer", Bengaluru, Data, MEMBER, MEMBER, 70, 0;
    "Vikram Shetty", "vikram.shetty", "usr_19ce", "Site reliability engineer", Bengaluru, Platform, ADMIN, None, 55, 0;
    "Meera Nair", "meera.nair", "usr_8e45", "Machine learning engineer", Bengaluru, Data, MEMBER, None, 45, 0;
    "Arjun Desai", "arjun.desai", "usr_d7a0", "Quality engineer", Bengaluru, Product, MEMBER, None, 45, 0;
    "Kavya Rao", "kavya.rao", "usr_26f9", "Billing engineer", Bengaluru, Finance, MEMBER, MEMBER, 45, 0;
    "Farhan Siddiqui", "farhan.siddiqui", "usr_bb31", "Backend engineer", Bengaluru, Platform, MEMBER, None, 50, 33;
}

/// Who leaves before the story ends.
pub const LEAVERS: [&str; 2] = ["Dmitri Volkov", "Kofi Mensah"];

/// The person of a name, by their place in [`CAST`].
pub fn named(name: &str) -> usize {
    CAST.iter()
        .position(|person| person.name == name)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nobody_shares_a_name_an_address_or_an_id() {
        let distinct =
            |of: fn(&Character) -> &'static str| CAST.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(distinct(|person| person.name), CAST.len());
        assert_eq!(distinct(|person| person.mailbox), CAST.len());
        assert_eq!(distinct(|person| person.id), CAST.len());
    }

    #[test]
    fn there_are_forty_and_everyone_has_a_workspace() {
        assert_eq!(CAST.len(), 40);
        for place in Place::ALL {
            let has = |role| CAST.iter().any(|person| person.role(place) == Some(role));
            for role in Role::ALL {
                assert!(has(role), "{role:?} in {}", place.name());
            }
        }
        for person in CAST {
            assert!(
                person.growth.is_some() || person.revenue.is_some(),
                "{}",
                person.name
            );
        }
    }
}
