#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Actions that products of each kind record under these very names, what Daybook records of itself,
/// and what its importers bring.
const NAMED: &[&str] = &[
    // Journeys and runners.
    "INVITE_CREATED invitation:create MEMBER_ROLE_UPDATED SECRET_ADDED SECRET_CREATED \
     SECRET_ROTATED secret:rotate ENVIRONMENT_CONFIGURED ENVIRONMENT_CONFIGURATION_UPDATED \
     environment:configuration_update RUNNER_UPDATED JOURNEY_CREATED JOURNEY_DELETED \
     JOURNEY_ACCESS_CHANGED JOURNEY_ACCESS_UPDATED journey:access_change",
    // Agents, repos and pipelines.
    "REPOSITORY_RUN_CLAIM MEMBERSHIP_DEFAULTED AGENT_REASSIGNMENT_QUEUED \
     GROUP_MEMBERSHIP_VOL_QUEUE MEMBER_ADDED MEMBER_PROMOTED MEMBER_REMOVED TOKEN_MINTED \
     TOKEN_ROTATED INTEGRATION_CONNECTED TRACKER_CONNECTED ROUTINE_REASSIGNED \
     REPO_ONBOARDED PIPELINE_RUN_COMPLETED IMPROVEMENT_CREATED IMPROVEMENT_ACCEPTED \
     CLARIFICATION_ASKED CLARIFICATION_ANSWERED ARTIFACT_REPO_CREATED ARTIFACT_REPO_UPDATED \
     ARTIFACT_REPO_DELETED INVITE_SENT INVITE_ACCEPTED INVITE_REVOKED",
    // Data models and CRM syncs.
    "DATA_MODEL_CREATED DATA_MODEL_UPDATED DATA_MODEL_DELETED DATA_CONNECTION_CREATED \
     DATA_CONNECTION_UPDATED DATA_CONNECTION_DELETED DATA_CONNECTION_AUTHORIZED \
     data_connection:authorize CRM_SYNC_CONFIGURATION_CREATED \
     CRM_SYNC_CONFIGURATION_UPDATED CRM_SYNC_CONFIGURATION_DELETED CRM_SYNC_RULE_CREATED \
     CRM_SYNC_RULE_UPDATED CRM_SYNC_RULE_DELETED ENRICHMENT_CREATED ENRICHMENT_UPDATED \
     ENRICHMENT_DELETED AUDIENCE_CREATED AUDIENCE_UPDATED AUDIENCE_DELETED \
     DASHBOARD_CREATED DASHBOARD_UPDATED DASHBOARD_DELETED CHART_CREATED CHART_UPDATED \
     CHART_DELETED AGENT_CREATED AGENT_UPDATED AGENT_DELETED LLM_PROVIDER_CREATED \
     LLM_PROVIDER_UPDATED LLM_PROVIDER_DELETED LLM_CONFIGURATION_UPDATED TASK_CREATED \
     TASK_UPDATED TASK_DELETED NOTE_CREATED NOTE_UPDATED NOTE_DELETED LABEL_CREATED \
     LABEL_UPDATED LABEL_DELETED INVITATION_CREATED INVITATION_DELETED \
     WORKSPACE_SETTINGS_UPDATED WORKSPACE_SETTINGS_RESET WORKSPACE_RESET MCP_CLIENT_CREATED \
     MCP_CLIENT_AUTHORIZED MCP_CLIENT_DELETED REPORT_CREATED REPORT_UPDATED REPORT_DELETED \
     FUNNEL_CREATED FUNNEL_UPDATED FUNNEL_DELETED",
    // Tenants and accounts.
    "USER_CREATED USER_UPDATED INVITATION_ACCEPTED PROCESS_CREATED PROCESS_UPDATED \
     PROCESS_DELETED JOB_COMPLETED PROCESS_MEMBER_ADDED PROCESS_MEMBER_REMOVED \
     SETTINGS_UPDATED API_KEY_CREATED API_KEY_DEACTIVATED LICENSE_ACTIVATED ACCOUNT_CREATED \
     ACCOUNT_UPDATED",
    // Deployments and services.
    "deployment:create deployment:cancel deployment:rollback deployment:delete \
     DEPLOYMENT_CREATED service:create service:update service:delete \
     service:custom_domain_add service:custom_domain_update service:custom_domain_change \
     service:custom_domain_remove service:ai_scan service:ai_scan_start \
     service:ai_scan_complete project:create project:update project:delete workflow:create \
     workflow:update workflow:delete workflow:enable workflow:disable \
     notification_channel:create notification_channel:update notification_channel:delete \
     organization:create organization:update organization:delete \
     organization:ai_config_update organization:audit_config_update integration:github_link \
     integration:github_update integration:github_unlink github_installation:link \
     github_installation:update github_installation:unlink integration:slack_connect \
     integration:slack_disconnect slack:connect slack:disconnect subscription:activate \
     subscription:scale_up subscription:scale_down subscription:update subscription:cancel",
    // Seen in every log of this kind.
    "RPA_CREDENTIALS_UPDATED API_TOKEN_EXPIRED integration:disable integration:update \
     integration:authorize",
    // Of Daybook itself.
    "SIGNED_IN SIGNED_OUT SIGN_IN_FAILED PASSWORD_CHANGED TENANT_CREATED WORKSPACE_CREATED \
     WORKSPACE_UPDATED PLAN_UPDATED MEMBER_INVITED MEMBER_DEACTIVATED MEMBER_REACTIVATED \
     ACTOR_DEACTIVATED ACTOR_REACTIVATED API_TOKEN_CREATED API_TOKEN_REVOKED \
     AUDIT_RETENTION_UPDATED AUDIT_RETENTION_CANCELLED AUDIT_RECORDING_UPDATED \
     AUDIT_OBJECT_ACCESS_UPDATED AUDIT_CATALOGUE_UPDATED AUDIT_REDACTION_UPDATED \
     AUDIT_HOLD_PLACED AUDIT_HOLD_LIFTED AUDIT_EVENTS_EXPIRED AUDIT_CONTENT_ERASED \
     AUDIT_LOG_READ AUDIT_EXPORT_STARTED AUDIT_EXPORT_FINISHED AUDIT_IMPORT_FINISHED \
     AUDIT_COPY_FINISHED AUDIT_VIEW_SAVED AUDIT_VIEW_DELETED AUDIT_LOG_REVIEWED \
     AUDIT_WATCH_CREATED AUDIT_WATCH_UPDATED AUDIT_WATCH_DELETED AUDIT_FINDING_RAISED \
     AUDIT_FINDING_REVIEWED AUDIT_SIGNING_KEY_ROTATED AUDIT_WITNESS_ADDED \
     AUDIT_WITNESS_REMOVED AUDIT_RESTORE_ACCEPTED",
    // What the importers bring.
    "signin:ConsoleLogin sts:AssumeRole iam:CreateAccessKey s3:PutBucketPolicy s3:GetObject \
     cloudtrail:DeleteTrail cloudtrail:StopLogging ec2:RunInstances \
     ec2:AuthorizeSecurityGroupIngress org.add_member repo.create repo.destroy \
     protected_branch.policy_override",
];

/// Names that no pack knows, and how they are read.
const UNKNOWN: &[(&str, Verb, &str)] = &[
    ("WIDGET_FROBNICATED", Verb::Other, "Widget frobnicated"),
    ("widget:frobnicated", Verb::Other, "Widget frobnicated"),
    ("widget:create", Verb::Create, "Widget created"),
    ("WIDGET_CREATED", Verb::Create, "Widget created"),
    ("widget.created", Verb::Create, "Widget created"),
    ("WidgetCreated", Verb::Create, "Widget created"),
    ("widget/rotate", Verb::Rotate, "Widget rotated"),
    (
        "widget-token.revoked",
        Verb::Deactivate,
        "Widget token revoked",
    ),
    ("WIDGET_ROLE_UPDATED", Verb::Update, "Widget role updated"),
    ("widget:canceled", Verb::Cancel, "Widget canceled"),
    ("widget:cancel", Verb::Cancel, "Widget cancelled"),
    ("widget:roll_back", Verb::Rollback, "Widget rolled back"),
    ("widget:rollback", Verb::Rollback, "Widget rolled back"),
    ("widget:scale_up", Verb::Update, "Widget scaled up"),
    ("widget.logged_in", Verb::Authenticate, "Widget logged in"),
    (
        "WIDGET_EXPORT_STARTED",
        Verb::Export,
        "Widget export started",
    ),
    ("WIDGET_SYNC_FAILED", Verb::Run, "Widget sync failed"),
    ("WIDGET_REASSIGNMENT", Verb::Transfer, "Widget reassignment"),
    ("widget.add_member", Verb::Create, "Widget member added"),
    ("widget.add_to_group", Verb::Create, "Widget added to group"),
    ("widget.cancel_run", Verb::Cancel, "Widget run cancelled"),
    ("widget:run", Verb::Run, "Widget run"),
    (
        "WIDGET_API_KEY_DELETED",
        Verb::Delete,
        "Widget API key deleted",
    ),
    (
        "widget:mcp_url_updated",
        Verb::Update,
        "Widget MCP URL updated",
    ),
    ("s3.amazonaws.com:GetObject", Verb::Read, "Get object"),
    (
        "iam.amazonaws.com:CreateAccessKey",
        Verb::Create,
        "Create access key",
    ),
    (
        "ec2.amazonaws.com:DescribeInstances",
        Verb::Read,
        "Describe instances",
    ),
    ("rds:DescribeDBClusters", Verb::Read, "Describe DB clusters"),
    ("iam:ListSSHPublicKeys", Verb::Read, "List SSH public keys"),
    (
        "ec2:ModifyVpcAttribute",
        Verb::Update,
        "Modify VPC attribute",
    ),
    (
        "backup:DeleteBackupVault",
        Verb::Delete,
        "Delete backup vault",
    ),
    ("transfer:TagResource", Verb::Update, "Tag resource"),
    ("lambda:GetFunction20150331v2", Verb::Read, "Get function"),
    (
        "cloudfront:CreateDistribution2020_05_31",
        Verb::Create,
        "Create distribution",
    ),
    ("kms.amazonaws.com:Encrypt", Verb::Run, "KMS encrypted"),
    ("ec2:DescribeVPCs", Verb::Read, "Describe VPCs"),
    (
        "ec2:DescribeNetworkAcls",
        Verb::Read,
        "Describe network ACLs",
    ),
    (
        "iam:ListAttachedRolePolicies",
        Verb::Read,
        "List attached role policies",
    ),
    ("ecr:BatchGetImage", Verb::Read, "Batch get image"),
    (
        "x:StartWidgetVersionDelete",
        Verb::Delete,
        "Start widget version delete",
    ),
    ("InviteLinkRemoved", Verb::Delete, "Invite link removed"),
    ("document:sign", Verb::Approve, "Document signed"),
    (
        "widget.ready_for_review",
        Verb::Approve,
        "Widget ready for review",
    ),
    ("LOGIN_FAILED", Verb::Authenticate, "Login failed"),
    (
        "google.iam.admin.v1.SetIamPolicy",
        Verb::Update,
        "Set IAM policy",
    ),
    ("GitHubAppInstalled", Verb::Create, "GitHub app installed"),
    ("OAuthClientRemoved", Verb::Delete, "OAuth client removed"),
    ("x", Verb::Other, "X"),
    ("::", Verb::Other, "::"),
    ("", Verb::Other, ""),
];

fn shipped(action: &str) -> Option<&'static Entry<'static>> {
    Catalogue::shipped()
        .iter()
        .find(|entry| entry.action == action)
}

#[test]
fn every_action_that_is_named_has_an_entry() {
    let named = NAMED.iter().flat_map(|group| group.split_whitespace());
    let missing: Vec<_> = named.filter(|action| shipped(action).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_action_is_there_twice_and_all_are_sorted() {
    assert!(Catalogue::shipped().is_sorted_by(|one, next| one.action < next.action));
}

#[test]
fn every_category_but_other_is_in_use_and_every_verb_too() {
    let entries = Catalogue::shipped();
    let unused: Vec<_> = Category::ALL
        .into_iter()
        .filter(|category| entries.iter().all(|entry| entry.category != *category))
        .collect();
    assert_eq!(unused, [Category::Other]);
    let unused: Vec<_> = Verb::ALL
        .into_iter()
        .filter(|verb| entries.iter().all(|entry| entry.verb != *verb))
        .collect();
    assert_eq!(unused, [Verb::Other]);
}

#[test]
fn what_is_shown_is_short_and_adds_something() {
    for entry in Catalogue::shipped() {
        let Entry {
            action,
            label,
            description,
            ..
        } = entry;
        assert!(label.len() <= 60, "{action}: {label}");
        assert!(
            label.starts_with(|first: char| first.is_uppercase()),
            "{action}: {label}"
        );
        if let Some(text) = description {
            assert!(text.len() <= 120, "{action}: {text}");
            assert_ne!(text.trim_end_matches('.'), *label, "{action}");
        }
    }
}

#[test]
fn a_shipped_action_is_read_as_its_entry_says() {
    let catalogue = Catalogue::default();
    for entry in Catalogue::shipped() {
        let reading = catalogue.reading(entry.action);
        assert!(reading.known);
        assert_eq!(
            (
                reading.verb,
                reading.category,
                &*reading.label,
                reading.description
            ),
            (entry.verb, entry.category, entry.label, entry.description)
        );
    }
    let role = catalogue.reading("MEMBER_ROLE_UPDATED");
    assert_eq!(
        (role.verb, role.category),
        (Verb::Update, Category::Members)
    );
    assert_eq!(role.label, "Member role changed");
}

#[test]
fn what_daybook_records_of_itself_is_in_the_families_where_people_look_for_it() {
    let catalogue = Catalogue::default();
    for (action, verb, category) in [
        ("SIGNED_IN", Verb::Authenticate, Category::AuthTokens),
        ("TENANT_CREATED", Verb::Create, Category::Accounts),
        ("MEMBER_REMOVED", Verb::Delete, Category::Members),
        ("INVITE_REVOKED", Verb::Cancel, Category::Invites),
        ("API_TOKEN_REVOKED", Verb::Deactivate, Category::AuthTokens),
        ("AUDIT_RETENTION_UPDATED", Verb::Update, Category::Settings),
        (
            "AUDIT_RETENTION_CANCELLED",
            Verb::Cancel,
            Category::Settings,
        ),
        ("AUDIT_EVENTS_EXPIRED", Verb::Delete, Category::Settings),
        ("AUDIT_LOG_READ", Verb::Read, Category::Settings),
        ("AUDIT_EXPORT_STARTED", Verb::Export, Category::Settings),
        (
            "AUDIT_SIGNING_KEY_ROTATED",
            Verb::Rotate,
            Category::Settings,
        ),
    ] {
        let reading = catalogue.reading(action);
        assert_eq!(
            (reading.verb, reading.category),
            (verb, category),
            "{action}"
        );
    }
}

#[test]
fn an_unknown_action_is_read_from_its_name_and_belongs_to_other() {
    let catalogue = Catalogue::default();
    for (action, verb, label) in UNKNOWN {
        let reading = catalogue.reading(action);
        assert_eq!((reading.verb, &*reading.label), (*verb, *label), "{action}");
        assert_eq!(
            (reading.category, reading.known),
            (Category::Other, false),
            "{action}"
        );
        assert_eq!(reading.description, None, "{action}");
    }
}

#[test]
fn names_are_compared_to_the_letter() {
    let catalogue = Catalogue::default();
    let reading = catalogue.reading("member_removed");
    assert!(!reading.known);
    assert_eq!(
        (reading.verb, &*reading.label),
        (Verb::Delete, "Member removed")
    );
}

#[test]
fn a_workspace_s_own_entries_win_and_the_later_of_two_holds() {
    let own = |action: &str, label: &str| OwnedEntry {
        action: action.parse().unwrap(),
        category: Category::Journeys,
        verb: Verb::Approve,
        label: label.parse().unwrap(),
    };
    let catalogue = Catalogue::new(vec![
        own("WIDGET_FROBNICATED", "Replaced"),
        own("MEMBER_REMOVED", "Person gone"),
        own("WIDGET_FROBNICATED", "Widget done"),
    ]);
    for (action, label) in [
        ("WIDGET_FROBNICATED", "Widget done"),
        ("MEMBER_REMOVED", "Person gone"),
    ] {
        let reading = catalogue.reading(action);
        assert_eq!(&*reading.label, label);
        assert_eq!(
            (reading.verb, reading.category),
            (Verb::Approve, Category::Journeys)
        );
        assert!(reading.known);
    }
    assert_eq!(catalogue.reading("MEMBER_ADDED").label, "Member added");

    let entries: Vec<_> = catalogue.entries().collect();
    let actions: BTreeSet<_> = entries.iter().map(|entry| entry.action).collect();
    assert_eq!(actions.len(), entries.len());
    assert_eq!(entries.len(), Catalogue::shipped().len() + 1);
    assert_eq!(
        entries.iter().filter(|entry| entry.pack.is_none()).count(),
        2
    );
}

#[test]
fn an_own_entry_is_read_from_json_and_refuses_what_is_no_verb_or_category() {
    let json = r#"{"action": "X", "category": "llm_mcp", "verb": "run", "label": "X run"}"#;
    let entry: OwnedEntry = serde_json::from_str(json).unwrap();
    assert_eq!((entry.category, entry.verb), (Category::LlmMcp, Verb::Run));
    for wrong in [
        json.replace("run\",", "explode\","),
        json.replace("llm_mcp", "LLM"),
        json.replace("\"X\"", "\"X Y\""),
        json.replace("X run", "  "),
    ] {
        assert!(
            serde_json::from_str::<OwnedEntry>(&wrong).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_label_is_a_line_of_a_certain_length() {
    let read = |text: &str| text.parse::<Label>();
    assert_eq!(read(" Door opened ").unwrap().as_str(), "Door opened");
    assert!(read(&"ø".repeat(128)).is_ok());
    assert_eq!(read(&"ø".repeat(129)), Err(LabelError::Length));
    assert_eq!(read(" "), Err(LabelError::Length));
    assert_eq!(read("a\nb"), Err(LabelError::Control));
}

/// The same words in each house style.
fn styles(words: &[String]) -> Vec<String> {
    let capital = |word: &String| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    vec![
        words.join("_").to_uppercase(),
        words.join("_"),
        words.join(":"),
        words.join("."),
        words.join("/"),
        words.join("-"),
        words.iter().map(capital).collect(),
    ]
}

fn word() -> impl Strategy<Value = String> {
    let telling = prop::sample::select(vec![
        "create", "created", "remove", "rotated", "run", "export", "list", "started", "failed",
        "sign", "in", "scale", "up", "roll", "back", "invite", "deletion", "set", "to",
    ]);
    prop_oneof![telling.prop_map(str::to_owned), "[b-df-hj-np-tv-z]{3,8}"]
}

proptest! {
    #[test]
    fn reading_never_panics_and_always_has_something_to_show(action in "\\PC{0,40}") {
        let catalogue = Catalogue::default();
        let reading = catalogue.reading(&action);
        prop_assert_eq!(reading.label.is_empty(), action.is_empty());
    }

    #[test]
    fn reading_never_panics_on_what_looks_like_a_name(action in "[A-Za-z0-9_.:/vé-]{1,40}") {
        let catalogue = Catalogue::default();
        prop_assert!(!catalogue.reading(&action).label.is_empty());
    }

    #[test]
    fn the_verb_is_the_same_in_every_house_style(words in prop::collection::vec(word(), 1..5)) {
        let catalogue = Catalogue::default();
        let readings: Vec<_> =
            styles(&words).iter().map(|name| catalogue.reading(name)).filter(|r| !r.known)
            .map(|reading| reading.verb).collect();
        prop_assert!(readings.windows(2).all(|two| two[0] == two[1]), "{:?}: {:?}", words, readings);
    }

    #[test]
    fn a_telling_last_word_decides(
        thing in "[b-df-hj-np-tv-z]{3,8}",
        (word, verb) in prop::sample::select(vec![
            ("created", Verb::Create), ("deleted", Verb::Delete), ("rotated", Verb::Rotate),
            ("disabled", Verb::Disable), ("exported", Verb::Export), ("viewed", Verb::Read),
        ]),
    ) {
        for name in styles(&[thing, "update".to_owned(), word.to_owned()]) {
            prop_assert_eq!(Catalogue::default().reading(&name).verb, verb, "{}", name);
        }
    }
}
