use super::*;

const FILE: &str = include_str!("../samples/cloudtrail.json");
const LINES: &str = include_str!("../samples/cloudtrail.ndjson");

/// The one event with this number in the sample.
fn event(number: usize) -> NewEvent {
    events(Format::Cloudtrail, FILE).swap_remove(number - 1)
}

/// Actor and via of an event.
fn chain(event: &NewEvent) -> Vec<String> {
    std::iter::once(&event.actor)
        .chain(&event.via)
        .map(who)
        .collect()
}

fn objects(event: &NewEvent) -> Vec<String> {
    std::iter::once(&event.target)
        .chain(&event.related)
        .map(what)
        .collect()
}

#[test]
fn every_type_of_identity_has_its_actor() {
    let chains: Vec<_> = events(Format::Cloudtrail, FILE)
        .iter()
        .map(|event| chain(event).join(" < "))
        .collect();
    assert_eq!(
        chains,
        [
            "user arn:aws:iam::111122223333:user/staff/alice (alice) < token AKIAEXAMPLE0000000001 (AKIAEXAMPLE0000000001)",
            "user arn:aws:iam::111122223333:root (root)",
            "integration arn:aws:sts::111122223333:assumed-role/reports/i-0abc1234def567890 (i-0abc1234def567890) < token arn:aws:iam::111122223333:role/reports (reports)",
            "user arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/kim@example.com (kim@example.com) < token arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef (AWSReservedSSO_Admin_0123456789abcdef)",
            "user arn:aws:iam::111122223333:user/staff/alice (alice) < token AKIAEXAMPLE0000000001 (AKIAEXAMPLE0000000001)",
            "integration arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForRDS/SLRManagement (SLRManagement) < integration rds.amazonaws.com (rds.amazonaws.com) < token arn:aws:iam::111122223333:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS (AWSServiceRoleForRDS)",
            "integration cloudtrail.amazonaws.com (cloudtrail.amazonaws.com)",
            "integration secretsmanager.amazonaws.com (secretsmanager.amazonaws.com)",
            "token AROAOTHEREXAMPLE:backup (backup)",
            "anonymous - (-)",
            "integration arn:aws:iam::111122223333:oidc-provider/token.actions.example.com:sts.amazonaws.com:repo:acme/web:ref:refs/heads/main (repo:acme/web:ref:refs/heads/main)",
            "user c2FtbA==:kim@example.com (kim@example.com)",
            "user 0000-person (-)",
            "user d-900:joe (joe)",
            "user arn:aws:sts::111122223333:federated-user/bob (bob) < user arn:aws:iam::111122223333:user/broker (broker)",
            "user AIDAEXAMPLEALICE (alice)",
            "user arn:aws:iam::111122223333:user/staff/alice (alice) < integration secretsmanager.amazonaws.com (secretsmanager.amazonaws.com)",
            "system - (-)",
            "anonymous - (-)",
        ]
    );
}

#[test]
fn a_persons_address_is_their_email() {
    assert_eq!(event(4).actor.email.as_deref(), Some("kim@example.com"));
    assert_eq!(event(12).actor.email.as_deref(), Some("kim@example.com"));
    assert_eq!(event(1).actor.email, None);
}

#[test]
fn the_target_is_what_the_event_speaks_of_and_the_rest_is_related() {
    let table: Vec<_> = events(Format::Cloudtrail, FILE)
        .iter()
        .map(|event| format!("{}: {}", event.action, objects(event).join(", ")))
        .collect();
    assert_eq!(
        table,
        [
            "iam:CreateAccessKey: access_key AKIAEXAMPLE0000000002 (AKIAEXAMPLE0000000002), iam_user arn:aws:iam::111122223333:user/deploy (deploy)",
            "iam:AttachRolePolicy: iam_role arn:aws:iam::111122223333:role/reports (reports), iam_policy arn:aws:iam::aws:policy/AdministratorAccess (AdministratorAccess)",
            "s3:GetObject: s3_object acme-ledger/2026/q1.csv (2026/q1.csv), s3_bucket acme-ledger (acme-ledger)",
            "ec2:TerminateInstances: ec2_instance i-0abc1234def567890 (-), ec2_instance i-0abc1234def567891 (-)",
            "sts:AssumeRole: iam_role arn:aws:iam::111122223333:role/admin (admin)",
            "ec2:CreateNetworkInterface: ec2_network_interface eni-0aaaaaaaaaaaaaaa2 (-), ec2_subnet subnet-0aaaaaaaaaaaaaaa1 (-)",
            "s3:GetBucketAcl: s3_bucket acme-trail (acme-trail)",
            "secretsmanager:StartSecretVersionDelete: secretsmanager_secret arn:aws:secretsmanager:eu-north-1:111122223333:secret:billing/db (billing/db)",
            "s3:PutObject: s3_object acme-backup/a.tar (a.tar), s3_bucket acme-backup (acme-backup)",
            "s3:GetObject: s3_object acme-backup/a.tar (a.tar), s3_bucket acme-backup (acme-backup)",
            "sts:AssumeRoleWithWebIdentity: iam_role arn:aws:iam::111122223333:role/deploy (deploy), sts_assumed_role arn:aws:sts::111122223333:assumed-role/deploy/gh (deploy/gh)",
            "sts:AssumeRoleWithSAML: iam_role arn:aws:iam::111122223333:role/reports (reports)",
            "signin:CredentialChallenge: signin - (-)",
            "workspaces:DescribeWorkspaces: workspaces - (-)",
            "sqs:SendMessage: sqs - (-)",
            "signin:ConsoleLogin: signin - (-)",
            "kms:Decrypt: kms_key 11111111-2222-3333-4444-555555555555 (-), secretsmanager_secret arn:aws:secretsmanager:eu-north-1:111122223333:secret:billing/db (billing/db)",
            "health:AbuseReport: health - (-)",
            "config:Evaluate: config - (-)",
        ]
    );
}

#[test]
fn what_was_refused_is_denied_and_what_failed_is_a_failure() {
    let outcomes = |wanted| -> Vec<String> {
        events(Format::Cloudtrail, FILE)
            .iter()
            .filter(|event| event.outcome == wanted)
            .map(|event| event.action.to_string())
            .collect()
    };
    let denied = ["ec2:TerminateInstances", "sts:AssumeRole", "s3:GetObject"];
    assert_eq!(outcomes(Outcome::Denied), denied);
    assert_eq!(outcomes(Outcome::Failure), ["signin:ConsoleLogin"]);
    assert_eq!(
        event(16).description.as_deref(),
        Some("Failed authentication")
    );
}

#[test]
fn everything_told_is_in_the_event_once() {
    let event = event(3);
    assert_eq!(
        Value::from(event.metadata.unwrap()),
        json!({
            "additional_event_data": {"bytesTransferredOut": 89.0, "x-amz-id-2": "abc="},
            "aws_region": "eu-north-1",
            "event_category": "Data",
            "event_type": "AwsApiCall",
            "event_version": "1.09",
            "management_event": true,
            "read_only": true,
            "recipient_account_id": "111122223333",
            "request_parameters": {"Host": "acme-ledger.s3.amazonaws.com", "bucketName": "acme-ledger", "key": "2026/q1.csv"},
            "resources": [
                {"ARN": "arn:aws:s3:::acme-ledger/2026/q1.csv", "type": "AWS::S3::Object"},
                {"ARN": "arn:aws:s3:::acme-ledger", "accountId": "111122223333", "type": "AWS::S3::Bucket"},
            ],
            "user_identity": {
                "accessKeyId": "ASIAEXAMPLE0000000009",
                "accountId": "111122223333",
                "principalId": "AROAEXAMPLE",
                "sessionContext": {
                    "attributes": {"creationDate": "2026-05-12T08:00:00Z", "mfaAuthenticated": "false"},
                    "ec2RoleDelivery": "2.0",
                    "sessionIssuer": {"accountId": "111122223333", "principalId": "AROAEXAMPLE", "type": "Role"},
                },
                "type": "AssumedRole",
            },
        })
    );
    assert_eq!(
        Value::from(event.context.unwrap()),
        json!({"ip": "203.0.113.9", "request_id": "req-3", "user_agent": "aws-cli/2.15"})
    );
    let key = "cloudtrail:00000000-0000-4000-8000-000000000003";
    assert_eq!(event.idempotency_key.as_deref(), Some(key));
    assert_eq!((event.before, event.after), (None, None));
}

#[test]
fn members_that_nobody_knows_and_large_numbers_are_kept() {
    let metadata = event(18).metadata.unwrap();
    assert_eq!(
        metadata["something_new"],
        json!({"deep": [1, "9007199254740993"]})
    );
}

#[test]
fn the_time_may_be_in_timestamp_and_a_bad_line_does_not_stop_the_rest() {
    let records = read(Format::Cloudtrail, LINES.as_bytes());
    let told: Vec<_> = records
        .iter()
        .map(|record| match &record.event {
            Ok(event) => format!(
                "{}: {} {}",
                record.place,
                event.occurred_at.unwrap(),
                who(&event.actor)
            ),
            Err(reason) => format!("{}: {reason}", record.place),
        })
        .collect();
    assert_eq!(
        told,
        [
            "line 1: 2026-05-12T09:30:03.250000Z token arn:aws:sts::111122223333:assumed-role/reports/nightly-export (nightly-export)",
            "line 2: is not JSON: expected ident",
            "line 3: eventTime is missing: eventTime and @timestamp tell the time",
            "line 4: 2026-05-12T09:21:03.000000Z token arn:aws:sts::111122223333:assumed-role/ops/manual (manual)",
        ]
    );
}

#[test]
fn a_record_without_an_id_has_the_same_key_however_it_is_written() {
    let event = |text: &str| events(Format::Cloudtrail, text).swap_remove(0);
    let one = event(r#"{"eventName":"A","eventTime":"2026-05-12T09:00:00Z"}"#);
    let same = event(r#"{ "eventTime": "2026-05-12T09:00:00Z", "eventName": "A" }"#);
    let other = event(r#"{"eventName":"B","eventTime":"2026-05-12T09:00:00Z"}"#);
    assert_eq!(one.idempotency_key, same.idempotency_key);
    assert_ne!(one.idempotency_key, other.idempotency_key);
}

#[test]
fn an_action_with_other_characters_keeps_its_name_in_the_metadata() {
    let text = r#"{"eventName":"Löschen ab","eventSource":"x.example","eventTime":"2026-05-12T09:00:00Z"}"#;
    let event = events(Format::Cloudtrail, text).swap_remove(0);
    assert_eq!(event.action.as_str(), "x.example:L_schen_ab");
    assert_eq!(event.metadata.unwrap()["event_name"], "Löschen ab");
}
