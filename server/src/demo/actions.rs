//! The actions that the story uses, and how the catalogue should read them.

use domain::{category::Category, verb::Verb};

/// Writes the table below by category.
macro_rules! readings {
    ($($category:ident: $($action:literal $verb:ident),+;)+) => {
        /// Every action of the story, with the category and the verb that the catalogue gives it.
        pub const READINGS: &[(&str, Category, Verb)] =
            &[$($(($action, Category::$category, Verb::$verb)),+),+];

        /// Every action of the story.
        pub const ACTIONS: &[&str] = &[$($($action),+),+];
    };
}

readings! {
    Workspace:
        "LABEL_CREATED" Create,
        "LABEL_DELETED" Delete,
        "LABEL_UPDATED" Update,
        "NOTE_CREATED" Create,
        "NOTE_DELETED" Delete,
        "NOTE_UPDATED" Update,
        "TASK_ASSIGNED" Assign,
        "TASK_COMPLETED" Update,
        "TASK_CREATED" Create,
        "TASK_DELETED" Delete,
        "TASK_REOPENED" Restore,
        "TASK_UPDATED" Update,
        "workspace:export" Export,
        "workspace:update" Update;
    Members:
        "GROUP_CREATED" Create,
        "GROUP_MEMBERSHIP_VOL_QUEUE" Update,
        "GROUP_UPDATED" Update,
        "MEMBERSHIP_DEFAULTED" Assign,
        "MEMBERSHIP_UPDATED" Update,
        "MEMBER_ADDED" Create,
        "MEMBER_PROMOTED" Update,
        "MEMBER_REMOVED" Delete,
        "MEMBER_ROLE_UPDATED" Update,
        "USER_CREATED" Create,
        "USER_ROLE_CHANGED" Update,
        "USER_UPDATED" Update;
    AuthTokens:
        "API_KEY_CREATED" Create,
        "API_KEY_DEACTIVATED" Deactivate,
        "API_KEY_UPDATED" Update,
        "API_TOKEN_CREATED" Create,
        "API_TOKEN_EXPIRED" Deactivate,
        "API_TOKEN_REVOKED" Deactivate,
        "API_TOKEN_ROTATED" Rotate,
        "API_TOKEN_UPDATED" Update,
        "SESSION_REVOKED" Deactivate,
        "TOKEN_MINTED" Create,
        "USER_IMPERSONATED" Authenticate,
        "USER_LOGGED_IN" Authenticate;
    Integrations:
        "INTEGRATION_CONNECTED" Activate,
        "INTEGRATION_SYNCED" Run,
        "INTEGRATION_TESTED" Run,
        "RPA_CREDENTIALS_UPDATED" Update,
        "github_installation:link" Assign,
        "github_installation:unlink" Unassign,
        "github_installation:update" Update,
        "integration:authorize" Authorize,
        "integration:disable" Disable,
        "integration:disconnect" Deactivate,
        "integration:enable" Enable,
        "integration:update" Update,
        "slack:connect" Activate,
        "slack:disconnect" Deactivate;
    ArtifactRepos:
        "ARTIFACT_PUBLISHED" Create,
        "ARTIFACT_REPO_CONNECTED" Activate,
        "ARTIFACT_REPO_REMOVED" Delete,
        "ARTIFACT_REPO_UPDATED" Update;
    Pipelines:
        "PIPELINE_CREATED" Create,
        "PIPELINE_DELETED" Delete,
        "PIPELINE_DISABLED" Disable,
        "PIPELINE_ENABLED" Enable,
        "PIPELINE_RUN_CANCELLED" Cancel,
        "PIPELINE_RUN_COMPLETED" Run,
        "PIPELINE_RUN_FAILED" Run,
        "PIPELINE_RUN_RETRIED" Run,
        "PIPELINE_RUN_STARTED" Run,
        "PIPELINE_SCHEDULE_UPDATED" Update,
        "pipeline:update" Update;
    Repos:
        "REPOSITORY_RUN_CLAIM" Assign,
        "REPO_ACCESS_UPDATED" Update,
        "REPO_OFFBOARDED" Delete,
        "REPO_ONBOARDED" Create,
        "repo:archive" Deactivate,
        "repo:update" Update;
    Improvements:
        "IMPROVEMENT_ACCEPTED" Approve,
        "IMPROVEMENT_APPLIED" Run,
        "IMPROVEMENT_PROPOSED" Create,
        "IMPROVEMENT_REJECTED" Reject;
    Clarifications:
        "CLARIFICATION_ANSWERED" Update,
        "CLARIFICATION_ASKED" Create,
        "CLARIFICATION_EXPIRED" Deactivate;
    Invites:
        "INVITATION_ACCEPTED" Approve,
        "INVITATION_CREATED" Create,
        "INVITE_ACCEPTED" Approve,
        "INVITE_EXPIRED" Deactivate,
        "INVITE_REVOKED" Cancel,
        "USER_INVITED" Create;
    Agent:
        "AGENT_CREATED" Create,
        "AGENT_DELETED" Delete,
        "AGENT_DISABLED" Disable,
        "AGENT_ENABLED" Enable,
        "AGENT_REASSIGNMENT_QUEUED" Transfer,
        "AGENT_UPDATED" Update,
        "ROUTINE_CREATED" Create,
        "ROUTINE_DELETED" Delete,
        "ROUTINE_REASSIGNED" Transfer,
        "ROUTINE_UPDATED" Update;
    Data:
        "AUDIENCE_CREATED" Create,
        "AUDIENCE_DELETED" Delete,
        "AUDIENCE_EXPORTED" Export,
        "AUDIENCE_SYNCED" Run,
        "AUDIENCE_UPDATED" Update,
        "DATA_CONNECTION_AUTHORIZED" Authorize,
        "DATA_CONNECTION_CREATED" Create,
        "DATA_CONNECTION_DELETED" Delete,
        "DATA_CONNECTION_UPDATED" Update,
        "DATA_MODEL_CREATED" Create,
        "DATA_MODEL_DELETED" Delete,
        "DATA_MODEL_PUBLISHED" Activate,
        "DATA_MODEL_REFRESHED" Run,
        "DATA_MODEL_ROLLED_BACK" Rollback,
        "DATA_MODEL_UPDATED" Update,
        "ENRICHMENT_CREATED" Create,
        "ENRICHMENT_DELETED" Delete,
        "ENRICHMENT_DISABLED" Disable,
        "ENRICHMENT_ENABLED" Enable,
        "ENRICHMENT_RUN" Run,
        "ENRICHMENT_UPDATED" Update;
    CrmSyncs:
        "CRM_SYNC_CONFIGURATION_CREATED" Create,
        "CRM_SYNC_CONFIGURATION_DELETED" Delete,
        "CRM_SYNC_CONFIGURATION_UPDATED" Update,
        "CRM_SYNC_CREATED" Create,
        "CRM_SYNC_DELETED" Delete,
        "CRM_SYNC_FAILED" Run,
        "CRM_SYNC_PAUSED" Disable,
        "CRM_SYNC_RESUMED" Enable,
        "CRM_SYNC_RULE_CREATED" Create,
        "CRM_SYNC_RULE_DELETED" Delete,
        "CRM_SYNC_RULE_UPDATED" Update,
        "CRM_SYNC_RUN" Run;
    DashboardsReports:
        "CHART_CREATED" Create,
        "CHART_DELETED" Delete,
        "CHART_UPDATED" Update,
        "DASHBOARD_CREATED" Create,
        "DASHBOARD_DELETED" Delete,
        "DASHBOARD_EXPORTED" Export,
        "DASHBOARD_SHARED" Authorize,
        "DASHBOARD_UPDATED" Update,
        "DASHBOARD_VIEWED" Read,
        "FUNNEL_CREATED" Create,
        "FUNNEL_DELETED" Delete,
        "FUNNEL_UPDATED" Update,
        "REPORT_CREATED" Create,
        "REPORT_DELETED" Delete,
        "REPORT_EXPORTED" Export,
        "REPORT_RUN" Run,
        "REPORT_UPDATED" Update;
    LlmMcp:
        "LLM_CONFIGURATION_CREATED" Create,
        "LLM_CONFIGURATION_UPDATED" Update,
        "LLM_PROVIDER_ADDED" Create,
        "LLM_PROVIDER_KEY_ROTATED" Rotate,
        "LLM_PROVIDER_REMOVED" Delete,
        "LLM_PROVIDER_UPDATED" Update,
        "MCP_CLIENT_AUTHORIZED" Authorize,
        "MCP_CLIENT_REGISTERED" Create,
        "MCP_CLIENT_REVOKED" Deactivate,
        "MCP_CLIENT_UPDATED" Update,
        "organization:ai_config_update" Update;
    Deployments:
        "deployment:approve" Approve,
        "deployment:cancel" Cancel,
        "deployment:complete" Run,
        "deployment:create" Create,
        "deployment:delete" Delete,
        "deployment:fail" Run,
        "deployment:rollback" Rollback,
        "feature_flag:create" Create,
        "feature_flag:delete" Delete,
        "feature_flag:disable" Disable,
        "feature_flag:enable" Enable,
        "feature_flag:update" Update;
    Services:
        "service:ai_scan_apply" Update,
        "service:ai_scan_complete" Run,
        "service:ai_scan_dismiss" Reject,
        "service:ai_scan_fail" Run,
        "service:ai_scan_start" Run,
        "service:create" Create,
        "service:custom_domain_add" Create,
        "service:custom_domain_remove" Delete,
        "service:custom_domain_update" Update,
        "service:custom_domain_verify" Approve,
        "service:delete" Delete,
        "service:scale" Update,
        "service:update" Update;
    Projects:
        "project:archive" Deactivate,
        "project:create" Create,
        "project:delete" Delete,
        "project:member_add" Assign,
        "project:member_remove" Unassign,
        "project:restore" Restore,
        "project:transfer" Transfer,
        "project:update" Update;
    Workflows:
        "workflow:create" Create,
        "workflow:delete" Delete,
        "workflow:disable" Disable,
        "workflow:enable" Enable,
        "workflow:run" Run,
        "workflow:update" Update;
    Notifications:
        "alert:acknowledge" Approve,
        "alert:create" Create,
        "alert:resolve" Update,
        "alert:update" Update,
        "notification_channel:create" Create,
        "notification_channel:delete" Delete,
        "notification_channel:test" Run,
        "notification_channel:update" Update;
    Billing:
        "LICENSE_ACTIVATED" Activate,
        "LICENSE_ASSIGNED" Assign,
        "LICENSE_UNASSIGNED" Unassign,
        "subscription:activate" Activate,
        "subscription:cancel" Cancel,
        "subscription:scale_down" Update,
        "subscription:scale_up" Update,
        "subscription:update" Update;
    EnvironmentsRunners:
        "ENVIRONMENT_CONFIGURATION_UPDATED" Update,
        "ENVIRONMENT_CREATED" Create,
        "ENVIRONMENT_LOCKED" Disable,
        "ENVIRONMENT_UNLOCKED" Enable,
        "ENVIRONMENT_VARIABLE_DELETED" Delete,
        "ENVIRONMENT_VARIABLE_SET" Create,
        "ENVIRONMENT_VARIABLE_UPDATED" Update,
        "RUNNER_DISABLED" Disable,
        "RUNNER_ENABLED" Enable,
        "RUNNER_REGISTERED" Create,
        "RUNNER_REMOVED" Delete,
        "RUNNER_UPDATED" Update;
    Journeys:
        "JOURNEY_ACCESS_UPDATED" Update,
        "JOURNEY_CREATED" Create,
        "JOURNEY_DELETED" Delete,
        "JOURNEY_PUBLISHED" Activate,
        "JOURNEY_RUN" Run,
        "JOURNEY_UPDATED" Update;
    Secrets:
        "SECRET_CREATED" Create,
        "SECRET_DELETED" Delete,
        "SECRET_EXPIRED" Deactivate,
        "SECRET_READ" Read,
        "SECRET_ROTATED" Rotate,
        "SECRET_UPDATED" Update;
    JobsProcesses:
        "JOB_CANCELLED" Cancel,
        "JOB_COMPLETED" Run,
        "JOB_FAILED" Run,
        "JOB_QUEUED" Run,
        "JOB_RETRIED" Run,
        "PROCESS_CREATED" Create,
        "PROCESS_DELETED" Delete,
        "PROCESS_MEMBER_ADDED" Assign,
        "PROCESS_MEMBER_REMOVED" Unassign,
        "PROCESS_STARTED" Run,
        "PROCESS_UPDATED" Update;
    Settings:
        "SETTINGS_UPDATED" Update,
        "WORKSPACE_SETTINGS_RESET" Restore,
        "WORKSPACE_SETTINGS_UPDATED" Update,
        "organization:audit_config_update" Update;
    Accounts:
        "ACCOUNT_ACTIVATED" Activate,
        "ACCOUNT_CREATED" Create,
        "ACCOUNT_DEACTIVATED" Deactivate,
        "ACCOUNT_UPDATED" Update,
        "organization:create" Create,
        "organization:delete" Delete,
        "organization:update" Update;
    Other:
        "kiosk:heartbeat" Other;
}
