//! What happens at Acme, family by family: the kinds of things there are, what they are like, and
//! what people and automation do with them. Weights are shares of what is done, not counts.

mod accounts;
mod agents;
mod billing;
mod crm;
mod dashboards;
mod data;
mod deployments;
mod environments;
mod improvements;
mod integrations;
mod invites;
mod journeys;
mod llm;
mod members;
mod notifications;
mod office;
mod pipelines;
mod processes;
mod projects;
mod repos;
mod secrets;
mod services;
mod settings;
mod tokens;
mod workflows;
mod workspace;

use super::world::Kind;

/// Every kind of thing. What others are made of comes first.
pub static KINDS: &[&Kind] = &[
    &services::SERVICE,
    &deployments::DEPLOYMENT,
    &deployments::FEATURE_FLAG,
    &environments::ENVIRONMENT,
    &environments::VARIABLE,
    &environments::RUNNER,
    &secrets::SECRET,
    &tokens::API_TOKEN,
    &tokens::API_KEY,
    &tokens::SESSION,
    &integrations::INTEGRATION,
    &integrations::GITHUB_INSTALLATION,
    &integrations::SLACK,
    &repos::REPO,
    &repos::ARTIFACT_REPO,
    &pipelines::PIPELINE,
    &pipelines::PIPELINE_RUN,
    &agents::AGENT,
    &agents::ROUTINE,
    &improvements::IMPROVEMENT,
    &improvements::CLARIFICATION,
    &data::DATA_MODEL,
    &data::DATA_CONNECTION,
    &data::ENRICHMENT,
    &data::AUDIENCE,
    &crm::CRM_SYNC,
    &crm::CRM_SYNC_CONFIGURATION,
    &dashboards::DASHBOARD,
    &dashboards::CHART,
    &dashboards::REPORT,
    &dashboards::FUNNEL,
    &llm::LLM_PROVIDER,
    &llm::LLM_CONFIGURATION,
    &llm::MCP_CLIENT,
    &projects::PROJECT,
    &workflows::WORKFLOW,
    &notifications::CHANNEL,
    &notifications::ALERT,
    &journeys::JOURNEY,
    &processes::PROCESS,
    &processes::JOB,
    &accounts::ACCOUNT,
    &accounts::ORGANIZATION,
    &billing::SUBSCRIPTION,
    &billing::LICENSE,
    &members::MEMBER,
    &members::USER,
    &members::GROUP,
    &invites::INVITE,
    &invites::INVITATION,
    &workspace::TASK,
    &workspace::NOTE,
    &workspace::LABEL,
    &workspace::WORKSPACE,
    &settings::SETTINGS,
    &office::DEVICE,
];
