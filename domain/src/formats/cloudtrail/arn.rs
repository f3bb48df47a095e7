//! Amazon Resource Names, and which object of which kind one names.
//!
//! An object is called by different names in different records (its ARN, its name, its ARN with a
//! path or a version). Here each comes to one id, so that everything that ever touched the object
//! is found together: what is unique by itself (buckets, instances, keys) has its plain id, what is
//! unique in an account only has its ARN.

use super::super::fields;
use crate::event::Target;

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
pub(super) struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN; none if the text is not one alone.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.contains(char::is_whitespace) {
            return None;
        }
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (!arn.service.is_empty() && !arn.resource.is_empty()).then_some(arn)
    }

    fn with(&self, resource: &str) -> String {
        let Self {
            partition,
            service,
            region,
            account,
            ..
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The object that it names; none if it names no single one.
    pub(super) fn object(&self) -> Option<Target> {
        let resource = self.resource.strip_suffix(":*").unwrap_or(self.resource);
        if resource.contains(['*', '?', '$']) || matches!(resource, "root" | "") {
            return None;
        }
        if self.service == "s3" && self.account.is_empty() {
            return Some(match resource.split_once('/') {
                Some((_, "")) => return None,
                Some((bucket, key)) => s3_object(bucket, key)?,
                None => object("s3_bucket", resource, Some(resource))?,
            });
        }
        let Some((kind, rest)) = resource
            .find(['/', ':'])
            .map(|at| (&resource[..at], &resource[at + 1..]))
            .filter(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
        else {
            let kind = match self.service {
                "sns" => "sns_topic",
                "sqs" => "sqs_queue",
                other => other,
            };
            return object(kind, &self.with(resource), Some(resource));
        };
        let last = rest.rsplit('/').next().unwrap_or(rest);
        match (self.service, kind) {
            ("ec2", _) => object(&kind_name("ec2", kind), last, None),
            ("kms", "key") => object("kms_key", rest, None),
            // A name is used once in an account, whatever its path.
            ("iam", "user" | "role" | "group" | "instance-profile") => object(
                &kind_name("iam", kind),
                &self.with(&format!("{kind}/{last}")),
                Some(last),
            ),
            ("secretsmanager", "secret") => {
                let name = without_suffix(rest);
                object(
                    "secretsmanager_secret",
                    &self.with(&format!("secret:{name}")),
                    Some(name),
                )
            }
            ("ssm", "parameter") => {
                // The names of parameters in a folder begin with the slash.
                let name = if rest.contains('/') {
                    &resource[kind.len()..]
                } else {
                    rest
                };
                object("ssm_parameter", &self.with(resource), Some(name))
            }
            ("lambda", "function") => {
                let name = rest.split(':').next().unwrap_or(rest);
                object(
                    "lambda_function",
                    &self.with(&format!("function:{name}")),
                    Some(name),
                )
            }
            ("logs", "log-group") => {
                let name = rest.split(':').next().unwrap_or(rest);
                object(
                    "logs_log_group",
                    &self.with(&format!("log-group:{name}")),
                    Some(name),
                )
            }
            ("rds", "db") => object("rds_db_instance", &self.with(resource), Some(rest)),
            ("rds", "snapshot" | "cluster" | "cluster-snapshot") => {
                object(&kind_name("rds_db", kind), &self.with(resource), Some(rest))
            }
            _ => object(
                &kind_name(self.service, kind),
                &self.with(resource),
                Some(rest),
            ),
        }
    }
}

/// An object in a bucket.
pub(super) fn s3_object(bucket: &str, key: &str) -> Option<Target> {
    object("s3_object", &format!("{bucket}/{key}"), Some(key))
}

/// An object with what it is known by.
pub(super) fn object(kind: &str, id: &str, name: Option<&str>) -> Option<Target> {
    Some(Target {
        kind: fields::kind(kind)?,
        id: Some(id.to_owned()),
        name: name.map(str::to_owned),
        url: None,
    })
}

fn kind_name(service: &str, kind: &str) -> String {
    format!("{service}_{kind}").replace('-', "_")
}

/// The name of a secret, without the six characters that AWS adds to it in an ARN.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((begin, end))
            if end.len() == 6
                && !begin.is_empty()
                && end.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            begin
        }
        _ => name,
    }
}
