//! What was acted on: `CloudTrail` tells it in `resources`, in the request, in the answer, or in the
//! message of an error, and in each service differently.

use super::{
    super::fields::{self, text},
    arn::{Arn, object, s3_object},
};
use crate::event::{Object, Target};
use serde_json::Value;

/// How many objects may be found beside the target.
const RELATED_MOST: usize = 16;
/// What AWS writes in place of what it does not tell.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The objects of an event.
pub(super) struct Objects {
    pub target: Target,
    pub related: Vec<Target>,
}

/// Where the objects lie that a record calls by their names alone.
pub(super) struct Whereabouts {
    partition: &'static str,
    region: String,
    account: String,
}

impl Whereabouts {
    pub(super) fn of(record: &Object) -> Self {
        let region = text(record, "awsRegion").unwrap_or_default();
        let identity = record.get("userIdentity").and_then(Value::as_object);
        let account = text(record, "recipientAccountId")
            .or_else(|| text(identity?, "accountId"))
            .unwrap_or_default();
        Self {
            partition: match region {
                region if region.starts_with("cn-") => "aws-cn",
                region if region.starts_with("us-gov-") => "aws-us-gov",
                _ => "aws",
            },
            region: region.to_owned(),
            account: account.to_owned(),
        }
    }
}

/// Members of requests that name an object: the service, the member, what the object's kind is,
/// and what stands before the name in its ARN.
const NAMED: [(&str, &str, &str, &str); 24] = [
    ("iam", "userName", "iam_user", "user/"),
    ("iam", "roleName", "iam_role", "role/"),
    ("iam", "groupName", "iam_group", "group/"),
    (
        "iam",
        "instanceProfileName",
        "iam_instance_profile",
        "instance-profile/",
    ),
    ("lambda", "functionName", "lambda_function", "function:"),
    ("cloudtrail", "name", "cloudtrail_trail", "trail/"),
    ("cloudtrail", "trailName", "cloudtrail_trail", "trail/"),
    ("cloudtrail", "trailNameList", "cloudtrail_trail", "trail/"),
    (
        "secretsmanager",
        "secretId",
        "secretsmanager_secret",
        "secret:",
    ),
    ("secretsmanager", "name", "secretsmanager_secret", "secret:"),
    ("rds", "dBInstanceIdentifier", "rds_db_instance", "db:"),
    (
        "rds",
        "dBSnapshotIdentifier",
        "rds_db_snapshot",
        "snapshot:",
    ),
    ("rds", "dBClusterIdentifier", "rds_db_cluster", "cluster:"),
    (
        "rds",
        "dBClusterSnapshotIdentifier",
        "rds_db_cluster_snapshot",
        "cluster-snapshot:",
    ),
    ("dynamodb", "tableName", "dynamodb_table", "table/"),
    ("logs", "logGroupName", "logs_log_group", "log-group:"),
    ("ecr", "repositoryName", "ecr_repository", "repository/"),
    ("ecs", "cluster", "ecs_cluster", "cluster/"),
    ("eks", "name", "eks_cluster", "cluster/"),
    ("eks", "clusterName", "eks_cluster", "cluster/"),
    (
        "cloudformation",
        "stackName",
        "cloudformation_stack",
        "stack/",
    ),
    ("sqs", "queueName", "sqs_queue", ""),
    ("events", "name", "events_rule", "rule/"),
    ("codebuild", "projectName", "codebuild_project", "project/"),
];

/// Ids that tell by their beginning what they are the id of.
const NUMBERED: [(&str, &str); 19] = [
    ("i-", "ec2_instance"),
    ("vol-", "ec2_volume"),
    ("snap-", "ec2_snapshot"),
    ("ami-", "ec2_image"),
    ("vpc-", "ec2_vpc"),
    ("subnet-", "ec2_subnet"),
    ("sg-", "ec2_security_group"),
    ("rtb-", "ec2_route_table"),
    ("rtbassoc-", "ec2_route_table_association"),
    ("igw-", "ec2_internet_gateway"),
    ("nat-", "ec2_natgateway"),
    ("eni-", "ec2_network_interface"),
    ("acl-", "ec2_network_acl"),
    ("eipalloc-", "ec2_elastic_ip"),
    ("lt-", "ec2_launch_template"),
    ("vpce-", "ec2_vpc_endpoint"),
    ("pcx-", "ec2_vpc_peering_connection"),
    ("tgw-", "ec2_transit_gateway"),
    ("fl-", "ec2_vpc_flow_log"),
];

/// Finds the objects of a record; the one that the event's name speaks of is the target.
pub(super) fn find(
    service: &str,
    event_name: &str,
    record: &Object,
    whereabouts: &Whereabouts,
) -> Option<Objects> {
    let mut found = Found(Vec::new());
    let part = |name: &str| record.get(name).and_then(Value::as_object);
    let (request, answer) = (part("requestParameters"), part("responseElements"));

    if service == "iam" {
        let created = answer.and_then(|answer| answer.get("accessKey")?.as_object());
        for keys in [created, request].into_iter().flatten() {
            if let Some(key) = text(keys, "accessKeyId").filter(|key| *key != HIDDEN) {
                found.add(object("access_key", key, Some(key)));
            }
        }
        // Who creates a key for themselves names nobody in the request.
        if let Some(created) = created {
            found.named("iam", created, whereabouts);
        }
    }
    for resource in record
        .get("resources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(arn) = resource.get("ARN").or_else(|| resource.get("arn")) {
            found.add(
                arn.as_str()
                    .and_then(Arn::read)
                    .and_then(|arn| arn.object()),
            );
        }
    }
    if let Some(request) = request {
        match service {
            "s3" => found.s3(request),
            "ssm" => found.ssm(event_name, request, whereabouts),
            "kms" => found.kms(request, whereabouts),
            _ => {}
        }
        found.named(service, request, whereabouts);
    }
    for name in [
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "serviceEventDetails",
    ] {
        if let Some(value) = record.get(name) {
            found.walk(value);
        }
    }
    // A request that was refused is often not told: the message is.
    if let Some((_, refused)) =
        text(record, "errorMessage").and_then(|told| told.split_once("on resource: "))
    {
        let arn = refused.split_whitespace().next().and_then(Arn::read);
        found.add(arn.and_then(|arn| arn.object()));
    }
    found.choose(service, event_name)
}

/// The objects found so far, each once.
struct Found(Vec<Target>);

impl Found {
    fn add(&mut self, target: Option<Target>) {
        if let Some(target) = target
            && !self
                .0
                .iter()
                .any(|known| known.kind == target.kind && known.id == target.id)
        {
            self.0.push(target);
        }
    }

    /// Adds what the members of [`NAMED`] name: one, or a list.
    fn named(&mut self, service: &str, request: &Object, whereabouts: &Whereabouts) {
        for (_, member, kind, prefix) in NAMED.iter().filter(|named| named.0 == service) {
            each_text(request.get(*member), |name| {
                self.add(whereabouts.object(service, kind, prefix, name));
            });
        }
    }

    fn s3(&mut self, request: &Object) {
        let Some(bucket) = text(request, "bucketName").or_else(|| text(request, "bucket")) else {
            return;
        };
        if let Some(key) = text(request, "key") {
            self.add(s3_object(bucket, key));
        }
        self.add(object("s3_bucket", bucket, Some(bucket)));
        if let Some((bucket, key)) = text(request, "x-amz-copy-source")
            .and_then(|source| source.trim_start_matches('/').split_once('/'))
        {
            self.add(s3_object(bucket, key));
        }
    }

    fn ssm(&mut self, event_name: &str, request: &Object, whereabouts: &Whereabouts) {
        let mut parameter = |name: &str| {
            let prefix = if name.starts_with('/') {
                "parameter"
            } else {
                "parameter/"
            };
            self.add(whereabouts.object("ssm", "ssm_parameter", prefix, name));
        };
        if event_name.contains("Parameter") {
            each_text(request.get("name"), &mut parameter);
            each_text(request.get("names"), &mut parameter);
        }
        if text(request, "resourceType") == Some("Parameter") {
            each_text(request.get("resourceId"), &mut parameter);
        }
        let document = match text(request, "documentName") {
            None if event_name.contains("Document") => text(request, "name"),
            told => told,
        };
        if let Some(name) = document {
            self.add(whereabouts.object("ssm", "ssm_document", "document/", name));
        }
    }

    fn kms(&mut self, request: &Object, whereabouts: &Whereabouts) {
        let Some(key) = text(request, "keyId").filter(|key| !key.starts_with("arn:")) else {
            return;
        };
        if key.starts_with("alias/") {
            self.add(whereabouts.object("kms", "kms_alias", "", key));
        } else {
            self.add(object("kms_key", key, None));
        }
    }

    /// Adds every ARN and every numbered object that is told somewhere in a value.
    fn walk(&mut self, value: &Value) {
        match value {
            Value::String(told) => {
                let arn = Arn::read(told).and_then(|arn| arn.object());
                self.add(arn.or_else(|| numbered(told)));
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.walk(element)),
            Value::Object(object) => {
                for (name, value) in object {
                    // A filter, a policy, a label speaks of objects that nothing happens to.
                    let lower = name.to_ascii_lowercase();
                    if !lower.starts_with("filter")
                        && !lower.ends_with("policy")
                        && !lower.ends_with("policydocument")
                        && !lower.starts_with("tag")
                    {
                        self.walk(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The target is what the event's name names first, as `AttachRolePolicy` the role, else what
    /// was found first.
    fn choose(mut self, service: &str, event_name: &str) -> Option<Objects> {
        let event_name = event_name.to_ascii_lowercase();
        let named = |target: &Target| {
            let kind = target.kind.as_str();
            let words: &[&str] = match kind {
                "access_key" => &["accesskey"],
                "ec2_route_table" => &["routetable", "route"],
                "ec2_elastic_ip" => &["address"],
                _ => &[&kind
                    .split_once('_')
                    .map_or(kind, |(_, word)| word)
                    .replace('_', "")],
            };
            words
                .iter()
                .filter_map(|word| Some((event_name.find(word)?, usize::MAX - word.len())))
                .min()
        };
        let first = self
            .0
            .iter()
            .enumerate()
            .filter_map(|(at, target)| Some((named(target)?, at)))
            .min()
            .map_or(0, |(_, at)| at);
        let target = if self.0.is_empty() {
            // The service itself.
            Target {
                kind: fields::kind(if service.is_empty() { "aws" } else { service })?,
                id: None,
                name: None,
                url: None,
            }
        } else {
            self.0.remove(first)
        };
        self.0.truncate(RELATED_MOST);
        Some(Objects {
            target,
            related: self.0,
        })
    }
}

impl Whereabouts {
    /// The object that a service calls by `name`, which may be its ARN as well.
    fn object(&self, service: &str, kind: &str, prefix: &str, name: &str) -> Option<Target> {
        if name == HIDDEN {
            return None;
        }
        if let Some(arn) = Arn::read(name) {
            return arn.object();
        }
        // IAM is everywhere the same.
        let region = if service == "iam" { "" } else { &self.region };
        let Self {
            partition, account, ..
        } = self;
        let id = format!("arn:{partition}:{service}:{region}:{account}:{prefix}{name}");
        object(kind, &id, Some(name))
    }
}

/// What an id such as `i-0abc…` is the id of.
fn numbered(told: &str) -> Option<Target> {
    let at = told.find('-')? + 1;
    let (prefix, number) = told.split_at_checked(at)?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !(8..=20).contains(&number.len()) || !number.bytes().all(plain) {
        return None;
    }
    let (_, kind) = NUMBERED.iter().find(|(known, _)| *known == prefix)?;
    object(kind, told, None)
}

fn each_text(value: Option<&Value>, mut visit: impl FnMut(&str)) {
    match value {
        Some(Value::String(text)) if !text.is_empty() => visit(text),
        Some(Value::Array(elements)) => {
            for text in elements.iter().filter_map(Value::as_str) {
                visit(text);
            }
        }
        _ => {}
    }
}
