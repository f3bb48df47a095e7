//! The family of actions that a chip shows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A family of actions. The list is closed: a sender may name one of these and no other.
///
/// Its text (in the API, in filters, in exports) is [`Category::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The workspace as a whole: its name, its labels, its notes and tasks.
    Workspace,
    /// Who belongs to a workspace, and in which role.
    Members,
    /// Signing in, API tokens and keys, access rules.
    AuthTokens,
    /// Connections to other products.
    Integrations,
    /// Registries of packages, images and other artifacts.
    ArtifactRepos,
    /// Pipelines and their runs.
    Pipelines,
    /// Source repositories.
    Repos,
    /// Proposals to do something better.
    Improvements,
    /// Questions asked back, and their answers.
    Clarifications,
    /// Invitations to a workspace.
    Invites,
    /// Agents, assistants and routines.
    Agent,
    /// Data models, data connections, enrichments, audiences, stored data.
    Data,
    /// Synchronization with customer systems, and its rules.
    CrmSyncs,
    /// Dashboards, charts, reports, funnels.
    DashboardsReports,
    /// Providers of language models, and clients of the Model Context Protocol.
    LlmMcp,
    /// Releases brought to an environment.
    Deployments,
    /// Running services, their domains and what they run on.
    Services,
    /// Projects.
    Projects,
    /// Workflows and their runs.
    Workflows,
    /// Notification channels, alerts and webhooks.
    Notifications,
    /// Subscriptions, licenses, payment.
    Billing,
    /// Environments with their configuration, and the runners that work in them.
    EnvironmentsRunners,
    /// Journeys.
    Journeys,
    /// Secrets, encryption keys, certificates.
    Secrets,
    /// Jobs and processes.
    JobsProcesses,
    /// Settings, those of the audit log among them.
    Settings,
    /// Tenants, organizations and the accounts in them.
    Accounts,
    /// What the catalogue does not know.
    Other,
}

impl Category {
    /// Every category, in the order in which they are offered.
    pub const ALL: [Self; 28] = [
        Self::Workspace,
        Self::Members,
        Self::AuthTokens,
        Self::Integrations,
        Self::ArtifactRepos,
        Self::Pipelines,
        Self::Repos,
        Self::Improvements,
        Self::Clarifications,
        Self::Invites,
        Self::Agent,
        Self::Data,
        Self::CrmSyncs,
        Self::DashboardsReports,
        Self::LlmMcp,
        Self::Deployments,
        Self::Services,
        Self::Projects,
        Self::Workflows,
        Self::Notifications,
        Self::Billing,
        Self::EnvironmentsRunners,
        Self::Journeys,
        Self::Secrets,
        Self::JobsProcesses,
        Self::Settings,
        Self::Accounts,
        Self::Other,
    ];

    /// Its one textual form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Members => "members",
            Self::AuthTokens => "auth_tokens",
            Self::Integrations => "integrations",
            Self::ArtifactRepos => "artifact_repos",
            Self::Pipelines => "pipelines",
            Self::Repos => "repos",
            Self::Improvements => "improvements",
            Self::Clarifications => "clarifications",
            Self::Invites => "invites",
            Self::Agent => "agent",
            Self::Data => "data",
            Self::CrmSyncs => "crm_syncs",
            Self::DashboardsReports => "dashboards_reports",
            Self::LlmMcp => "llm_mcp",
            Self::Deployments => "deployments",
            Self::Services => "services",
            Self::Projects => "projects",
            Self::Workflows => "workflows",
            Self::Notifications => "notifications",
            Self::Billing => "billing",
            Self::EnvironmentsRunners => "environments_runners",
            Self::Journeys => "journeys",
            Self::Secrets => "secrets",
            Self::JobsProcesses => "jobs_processes",
            Self::Settings => "settings",
            Self::Accounts => "accounts",
            Self::Other => "other",
        }
    }

    /// What the screen calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Workspace => "Workspace",
            Self::Members => "Members",
            Self::AuthTokens => "Auth & tokens",
            Self::Integrations => "Integrations",
            Self::ArtifactRepos => "Artifact repos",
            Self::Pipelines => "Pipelines",
            Self::Repos => "Repos",
            Self::Improvements => "Improvements",
            Self::Clarifications => "Clarifications",
            Self::Invites => "Invites",
            Self::Agent => "Agent",
            Self::Data => "Data",
            Self::CrmSyncs => "CRM syncs",
            Self::DashboardsReports => "Dashboards & reports",
            Self::LlmMcp => "LLM & MCP",
            Self::Deployments => "Deployments",
            Self::Services => "Services",
            Self::Projects => "Projects",
            Self::Workflows => "Workflows",
            Self::Notifications => "Notifications",
            Self::Billing => "Billing",
            Self::EnvironmentsRunners => "Environments & runners",
            Self::Journeys => "Journeys",
            Self::Secrets => "Secrets",
            Self::JobsProcesses => "Jobs & processes",
            Self::Settings => "Settings",
            Self::Accounts => "Accounts",
            Self::Other => "Other",
        }
    }

    /// Two letters that stand for it where there is no room for its label; no two share them.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Workspace => "WS",
            Self::Members => "ME",
            Self::AuthTokens => "AU",
            Self::Integrations => "IN",
            Self::ArtifactRepos => "AR",
            Self::Pipelines => "PI",
            Self::Repos => "RE",
            Self::Improvements => "IM",
            Self::Clarifications => "CL",
            Self::Invites => "IV",
            Self::Agent => "AG",
            Self::Data => "DA",
            Self::CrmSyncs => "CR",
            Self::DashboardsReports => "DB",
            Self::LlmMcp => "LM",
            Self::Deployments => "DE",
            Self::Services => "SV",
            Self::Projects => "PR",
            Self::Workflows => "WF",
            Self::Notifications => "NO",
            Self::Billing => "BI",
            Self::EnvironmentsRunners => "EN",
            Self::Journeys => "JO",
            Self::Secrets => "SE",
            Self::JobsProcesses => "JP",
            Self::Settings => "ST",
            Self::Accounts => "AC",
            Self::Other => "OT",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no category. Its message names those that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is not one of {}",
    Category::ALL.map(Category::as_str).join(", ")
)]
pub struct UnknownCategory {
    /// What was given.
    pub given: String,
}

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(text: &str) -> Result<Self, UnknownCategory> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == text)
            .ok_or_else(|| UnknownCategory {
                given: text.to_owned(),
            })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn its_text_is_read_back_as_itself_alone_and_in_json() {
        for category in Category::ALL {
            assert_eq!(category.as_str().parse::<Category>().unwrap(), category);
            let json = serde_json::to_string(&category).unwrap();
            assert_eq!(json, format!("\"{category}\""));
            assert_eq!(serde_json::from_str::<Category>(&json).unwrap(), category);
        }
    }

    #[test]
    fn they_are_those_of_the_contract_in_its_order() {
        assert_eq!(
            Category::ALL.map(Category::as_str).join(" "),
            "workspace members auth_tokens integrations artifact_repos pipelines repos \
             improvements clarifications invites agent data crm_syncs dashboards_reports llm_mcp \
             deployments services projects workflows notifications billing environments_runners \
             journeys secrets jobs_processes settings accounts other"
        );
        assert!(Category::ALL.is_sorted());
    }

    #[test]
    fn marks_are_two_capitals_and_no_two_are_alike() {
        let marks: BTreeSet<_> = Category::ALL
            .iter()
            .map(|category| category.mark())
            .collect();
        let labels: BTreeSet<_> = Category::ALL
            .iter()
            .map(|category| category.label())
            .collect();
        assert_eq!(
            (marks.len(), labels.len()),
            (Category::ALL.len(), Category::ALL.len())
        );
        assert!(marks.iter().all(|mark| mark.len() == 2));
        assert!(
            marks
                .iter()
                .all(|mark| mark.bytes().all(|byte| byte.is_ascii_uppercase()))
        );
    }

    #[test]
    fn anything_else_is_refused_with_the_list_of_what_is_accepted() {
        for text in ["", "Members", "auth-tokens", "LLM & MCP"] {
            let message = text.parse::<Category>().unwrap_err().to_string();
            assert!(message.contains(&format!("{text:?}")), "{message}");
            let named = |category: &Category| message.contains(category.as_str());
            assert!(Category::ALL.iter().all(named), "{message}");
        }
    }
}
