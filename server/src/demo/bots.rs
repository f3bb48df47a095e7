//! What works at Acme without being anybody: tokens, agents, connected products, and the system.

use domain::event::{Actor, ActorKind};

/// An automation.
#[derive(Debug, PartialEq, Eq)]
pub struct Bot {
    /// What kind of automation.
    pub kind: ActorKind,
    /// The applications' id for it.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it calls itself in its requests; empty where it makes none.
    pub user_agent: &'static str,
    /// Where its requests come from.
    pub ip: &'static str,
}

impl Bot {
    const fn new(
        kind: ActorKind,
        id: &'static str,
        name: &'static str,
        user_agent: &'static str,
        ip: &'static str,
    ) -> Self {
        Self {
            kind,
            id,
            name,
            user_agent,
            ip,
        }
    }

    /// As an actor of an event.
    pub fn actor(&self) -> Actor {
        if self.kind == ActorKind::System {
            return Actor::SYSTEM;
        }
        Actor {
            kind: self.kind,
            id: Some(self.id.to_owned()),
            name: Some(self.name.to_owned()),
            email: None,
        }
    }
}

/// Declares the bots: constant, kind, id, name, user agent, address.
macro_rules! bots {
    ($($about:literal $constant:ident, $kind:ident, $id:literal, $name:literal, $agent:literal,
        $ip:literal;)+) => {
        $(#[doc = $about]
        pub static $constant: Bot = Bot::new(ActorKind::$kind, $id, $name, $agent, $ip);)+
    };
}

bots! {
    "What the applications do by themselves."
    SYSTEM, System, "", "", "", "";
    "Builds and deploys."
    CI, Token, "tok_5d21", "ci-deploy", "acme-ci/4.2 (+https://ci.acme.example)", "192.0.2.17";
    "Carries data between systems at night."
    NIGHTLY, Token, "tok_3be7", "nightly-sync", "nightly-sync/1.9", "192.0.2.23";
    "Applies what the infrastructure repo says."
    TERRAFORM, Token, "tok_a84c", "terraform", "terraform/1.14 acme-provider/0.8", "192.0.2.31";
    "Builds the data models."
    DBT, Token, "tok_c60f", "dbt-runner", "dbt-core/1.11 python/3.13", "2001:db8:4::19";
    "Follows releases and helps with them."
    RELEASE_ASSISTANT, Agent, "agt_7", "Release assistant", "acme-agent/2.6", "192.0.2.60";
    "Works through invoices and mails."
    FINANCE_ASSISTANT, Agent, "agt_12", "Finance assistant", "acme-agent/2.6", "192.0.2.61";
    "Gives newcomers what they need."
    ONBOARDING, Agent, "agt_3", "Onboarding routine", "acme-agent/2.6", "192.0.2.62";
    "Sorts what comes in."
    TRIAGE, Agent, "agt_19", "Triage routine", "acme-agent/2.6", "192.0.2.63";
    "Runs the long tests at night."
    NIGHTLY_QA, Agent, "agt_21", "Nightly QA routine", "acme-agent/2.6", "192.0.2.64";
    "Looks after data quality."
    STEWARD, Agent, "agt_28", "Data steward", "acme-agent/2.6", "2001:db8:4::2c";
    "Code."
    GITHUB, Integration, "int_github_02", "GitHub", "GitHub-Hookshot/7c1f9a2", "192.0.2.90";
    "Customers."
    SALESFORCE, Integration, "int_salesforce_41", "Salesforce", "SFDC-Callout/64.0", "192.0.2.101";
    "Customers, in Europe, the Middle East and Africa."
    HUBSPOT, Integration, "int_hubspot_0c11", "HubSpot EMEA", "HubSpot Connect 2.0", "192.0.2.104";
    "Reads invoices."
    INVOICE_BOT, Integration, "int_rpa_invoice_7a", "RPA invoice bot", "rpa-runner/5.3", "198.51.100.44";
    "Asks questions of the data on somebody's behalf."
    INSIGHTS, Agent, "mcp_51", "Insights MCP client", "insights-mcp/0.14", "203.0.113.77";
    "The door's tablet."
    KIOSK, Token, "tok_f2d0", "kiosk-oslo", "kiosk/3.1 (tablet)", "203.0.113.200";
}

/// Who may carry something out for a person who asks for it.
pub static ASSISTANTS: [&Bot; 4] = [
    &RELEASE_ASSISTANT,
    &FINANCE_ASSISTANT,
    &ONBOARDING,
    &INSIGHTS,
];
