//! The family of an action.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The family of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    #[expect(missing_docs)]
    Workspace,
    #[expect(missing_docs)]
    Members,
    #[expect(missing_docs)]
    AuthTokens,
    #[expect(missing_docs)]
    Integrations,
    #[expect(missing_docs)]
    ArtifactRepos,
    #[expect(missing_docs)]
    Pipelines,
    #[expect(missing_docs)]
    Repos,
    #[expect(missing_docs)]
    Improvements,
    #[expect(missing_docs)]
    Clarifications,
    #[expect(missing_docs)]
    Invites,
    #[expect(missing_docs)]
    Agent,
    #[expect(missing_docs)]
    Data,
    #[expect(missing_docs)]
    CrmSyncs,
    #[expect(missing_docs)]
    DashboardsReports,
    #[expect(missing_docs)]
    LlmMcp,
    #[expect(missing_docs)]
    Deployments,
    #[expect(missing_docs)]
    Services,
    #[expect(missing_docs)]
    Projects,
    #[expect(missing_docs)]
    Workflows,
    #[expect(missing_docs)]
    Notifications,
    #[expect(missing_docs)]
    Billing,
    #[expect(missing_docs)]
    EnvironmentsRunners,
    #[expect(missing_docs)]
    Journeys,
    #[expect(missing_docs)]
    Secrets,
    #[expect(missing_docs)]
    JobsProcesses,
    #[expect(missing_docs)]
    Settings,
    #[expect(missing_docs)]
    Accounts,
    #[expect(missing_docs)]
    Other,
}

impl Category {
    /// All of them.
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

    /// Its name.
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

    /// For the screen.
    pub const fn label(self) -> &'static str {
        self.as_str()
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Category {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|v| v.as_str() == text)
            .ok_or_else(|| "unknown".into())
    }
}
