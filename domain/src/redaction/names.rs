//! Which names of members say that the value is a credential.
//!
//! The rule, on the words of a name:
//!
//! 1. Somewhere there is the name of a credential: one of [`credential`]'s, alone or run together,
//!    in the singular or plural, or one that the workspace adds. Of several that end at the same
//!    word the longest counts, so that "next token", which pages, is not a "token".
//! 2. Nothing before it says that only its number, price or presence is meant: `max_tokens`,
//!    `cost_per_token`, `has_password`, `public_api_key`.
//! 3. What comes after it, if anything does, does not say that something *about* it is meant: the
//!    last word is none of [`about`]'s. `token_id` and `password_changed_at` speak about one;
//!    `password_confirmation`, `API_KEY_PROD` and `secret_value` are one. Some names are so common
//!    for other things that they count only where nothing comes after: `session_cookie` does,
//!    `cookie_banner` does not.
//!
//! In doubt a value is taken out: what has been written to a log that cannot be edited stays there.

use super::words::Words;
use std::collections::BTreeSet;

/// The names that are redacted: Daybook's own, and those that a workspace adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Lowercase, without anything between the words.
    added: BTreeSet<String>,
}

/// What a name says of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing, or something about a credential.
    Nothing,
    /// It is a credential.
    Credential,
    /// It is several credentials, or, as a number, how many.
    Several,
    /// It holds credentials beside other things, whose own names tell them apart.
    Holder,
}

impl Names {
    /// Daybook's own names.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// These names and more. A name is added in any notation (`national_id`, `nationalId`) and
    /// holds in every other, also as a part of a longer name (`old_national_id`).
    #[must_use]
    pub fn with(mut self, added: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let joined = added
            .into_iter()
            .map(|name| Words::of(name.as_ref()).joined())
            .filter(|joined| !joined.is_empty());
        self.added.extend(joined);
        self
    }

    /// Whether the name says that the value is a credential.
    pub fn is_credential(&self, name: &str) -> bool {
        self.says(name) != Says::Nothing
    }

    pub(super) fn says(&self, name: &str) -> Says {
        let words = Words::of(name);
        if words.run(0, words.len()) == "auth" {
            // Alone it stands for the whole of what signs in; at the end of a name, for the way.
            return Says::Holder;
        }
        (1..=words.len())
            .map(|end| self.says_up_to(&words, end))
            .find(|says| *says != Says::Nothing)
            .unwrap_or(Says::Nothing)
    }

    /// What the longest name of a credential says whose last word is the one before `end`.
    fn says_up_to(&self, words: &Words, end: usize) -> Says {
        let Some((first, class, plural)) =
            (0..end).find_map(|first| self.class(words, first, end).map(|(c, p)| (first, c, p)))
        else {
            return Says::Nothing;
        };
        let is_last = end == words.len();
        let counts = match class {
            Class::Other => false,
            Class::Added => is_last || !is_about(words, end),
            Class::Password | Class::Secret | Class::Holder => {
                !is_counted(words, first)
                    && (class == Class::Password || !is_disclosed(words, first))
                    && (is_last
                        || (class == Class::Password && is_derived(words))
                        || !is_about(words, end))
            }
            Class::Last => is_last && !is_counted(words, first),
        };
        match class {
            _ if !counts => Says::Nothing,
            Class::Holder => Says::Holder,
            Class::Password | Class::Secret | Class::Last if plural && is_last => Says::Several,
            _ => Says::Credential,
        }
    }

    /// What the words from `first` up to `end` are the name of, and whether in the plural.
    fn class(&self, words: &Words, first: usize, end: usize) -> Option<(Class, bool)> {
        let run = words.run(first, end);
        let singular = run.strip_suffix('s').unwrap_or_default();
        if self.added.contains(run) || self.added.contains(singular) {
            return Some((Class::Added, false));
        }
        let one = |class| (class, run == "pass");
        credential(run)
            .map(one)
            .or_else(|| credential(singular).map(|class| (class, !singular.ends_with("code"))))
            .or_else(|| {
                let alone = end == first + 1;
                let tail = |text: &str| alone.then(|| run_together(text)).flatten();
                let whole = tail(run).map(|class| (class, false));
                whole.or_else(|| tail(singular).map(|class| (class, true)))
            })
    }
}

/// How far the name of a credential carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// A secret that people choose: what is derived from it gives it away too.
    Password,
    /// A secret.
    Secret,
    /// As [`Class::Secret`], but only where nothing comes after.
    Last,
    /// What holds credentials beside other things.
    Holder,
    /// What the workspace added.
    Added,
    /// No credential, though its last word alone would be one.
    Other,
}

/// What a name, without anything between its words, is the name of.
fn credential(name: &str) -> Option<Class> {
    Some(match name {
        "password" | "passwd" | "passwrd" | "passphrase" | "passcode" | "pincode"
        | "passwordhash" => Class::Password,
        "secret" | "token" | "accesstoken" | "apitoken" | "apikey" | "appkey" | "authkey"
        | "accesskey" | "accountkey" | "clientkey" | "secretkey" | "sharedkey" | "privatekey"
        | "privkey" | "signingkey" | "encryptionkey" | "decryptionkey" | "hmackey"
        | "masterkey" | "rootkey" | "sessionkey" | "sshkey" | "gpgkey" | "pgpkey" | "sslkey"
        | "tlskey" | "serviceaccountkey" | "servicekey" | "storagekey" | "licensekey"
        | "licencekey" | "recoverykey" | "recoverycode" | "recoveryphrase" | "backupcode"
        | "verificationcode" | "authcode" | "authorizationcode" | "mfacode" | "facode"
        | "otpcode" | "seedphrase" | "mnemonic" | "securityanswer" | "connectionstring"
        | "connstring" | "connstr" | "csrf" | "xsrf" | "kubeconfig" | "dockerconfigjson"
        | "htpasswd" | "netrc" => Class::Secret,
        "pass" | "pwd" | "pw" | "pswd" | "psw" | "pin" | "otp" | "totp" | "jwt" | "pat"
        | "bearer" | "cookie" | "authheader" | "samlassertion" | "samlresponse" | "dsn"
        | "databaseurl" | "databaseuri" | "dburl" | "dburi" | "redisurl" | "redisuri"
        | "mongourl" | "mongouri" | "mongodburl" | "mongodburi" | "postgresurl"
        | "postgresqlurl" | "mysqlurl" | "amqpurl" | "brokerurl" | "resetlink" | "reseturl"
        | "magiclink" | "phpsessid" | "jsessionid" | "connectsid" | "cvv" | "cvc" | "pfx"
        | "pem" | "keystore" => Class::Last,
        "credential" | "cred" | "authorization" | "basicauth" | "httpauth" | "proxyauth" => {
            Class::Holder
        }
        // Where a list goes on, a request that is sent twice, and the pieces of a text.
        "nexttoken" | "pagetoken" | "nextpagetoken" | "continuationtoken" | "paginationtoken"
        | "cursortoken" | "resumetoken" | "synctoken" | "idempotencytoken"
        | "clientrequesttoken" | "cancellationtoken" | "designtoken" | "stoptoken" | "eostoken"
        | "bostoken" | "padtoken" | "firsttoken" => Class::Other,
        _ => return None,
    })
}

/// The class of a word that ends in the name of a credential, as `dbpassword` and `authtoken` do:
/// of names that no other word ends in.
fn run_together(word: &str) -> Option<Class> {
    let ends = |names: &[&str]| names.iter().any(|name| word.ends_with(name));
    if ends(&["password", "passwd", "passphrase"]) {
        Some(Class::Password)
    } else if ends(&[
        "secret",
        "token",
        "apikey",
        "privatekey",
        "secretkey",
        "accesskey",
    ]) {
        Some(Class::Secret)
    } else {
        None
    }
}

/// Whether what comes before a credential's name says that its number, price or presence is meant.
fn is_counted(words: &Words, first: usize) -> bool {
    let leads = first > 0
        && matches!(
            words.word(0),
            "has"
                | "had"
                | "is"
                | "was"
                | "needs"
                | "requires"
                | "require"
                | "required"
                | "allows"
                | "allow"
                | "uses"
                | "max"
                | "maximum"
                | "min"
                | "minimum"
                | "num"
                | "number"
                | "total"
                | "count"
                | "average"
                | "avg"
        );
    leads || (0..first).any(|at| words.word(at) == "per")
}

/// Whether a credential's name follows a word that says that it may be known.
fn is_disclosed(words: &Words, first: usize) -> bool {
    let before = first.checked_sub(1).map_or("", |at| words.word(at));
    matches!(before, "public" | "publishable" | "hashed")
}

/// Whether the last word names what is computed from a password and can be tried against guesses.
fn is_derived(words: &Words) -> bool {
    matches!(
        words.word(words.len() - 1),
        "hash" | "digest" | "salt" | "hint"
    )
}

/// Whether what follows a credential's name says that something about it is meant.
fn is_about(words: &Words, end: usize) -> bool {
    let last = words.word(words.len() - 1);
    (end..words.len()).any(|at| words.word(at) == "per")
        || about(last)
        || last.strip_suffix('s').is_some_and(about)
}

/// Whether a word, as the last of a name that has a credential in it, says that something about the
/// credential is meant.
fn about(word: &str) -> bool {
    match word {
        // These end like the words below, and are still the credential.
        "encrypted" | "encoded" | "hashed" | "salted" | "wrapped" | "sealed" | "seed" | "string"
        | "confirmation" | "verification" => false,
        // Which one.
        "id" | "identifier" | "uid" | "uuid" | "guid" | "arn" | "name" | "username" | "label"
        | "title" | "alias" | "ref" | "reference" | "selector" | "number" | "index" | "prefix"
        | "suffix" | "four" | "eight" | "fingerprint" | "thumbprint" | "checksum" | "hash"
        | "digest" | "serial"
        // What it is like.
        | "type" | "kind" | "format" | "length" | "len" | "size" | "strength" | "score"
        | "complexity" | "lowercase" | "uppercase" | "character" | "entropy" | "quality" | "algorithm" | "alg" | "cipher" | "class"
        | "category" | "level" | "mode" | "method" | "scheme" | "version" | "revision" | "status"
        | "state" | "description" | "note" | "comment" | "tag" | "symbol"
        // When, and how long.
        | "at" | "on" | "in" | "by" | "since" | "until" | "after" | "before" | "date" | "day"
        | "time" | "timestamp" | "age" | "ttl" | "expiry" | "expires" | "expire" | "exp" | "hour"
        | "minute" | "second" | "ms" | "interval" | "timeout" | "period" | "lifetime" | "validity"
        | "duration" | "window" | "schedule" | "history"
        // How many, and how much.
        | "count" | "counter" | "total" | "limit" | "quota" | "budget" | "cap" | "threshold"
        | "max" | "min" | "rate" | "usage" | "use" | "used" | "cost" | "price" | "attempt"
        | "failure" | "error" | "bucket"
        // What may be done with it, and what was.
        | "policy" | "rule" | "requirement" | "setting" | "option" | "preference" | "config"
        | "scope" | "permission" | "role" | "grant" | "audience" | "access" | "reset" | "change"
        | "update" | "request" | "check" | "review" | "scan" | "alert" | "event" | "reason"
        | "result" | "report" | "action" | "detail" | "info" | "metadata" | "meta" | "message"
        // Whose it is, and where.
        | "owner" | "user" | "creator" | "issuer" | "provider" | "manager" | "holder" | "client"
        | "app" | "agent" | "device" | "email" | "group" | "team" | "project" | "workspace"
        | "tenant" | "environment" | "account" | "service" | "server" | "host" | "domain"
        | "region" | "location" | "source" | "origin" | "store" | "vault" | "backend" | "engine"
        | "endpoint" | "url" | "uri" | "link" | "path" | "file" | "filename" | "directory" | "dir"
        | "mount" | "page" | "form" | "field" | "header" | "parameter" | "param" | "attribute"
        | "property" | "variable" | "var" | "column" | "table" | "template" | "placeholder" => true,
        _ => word.ends_with("ed") || word.ends_with("ing") || word.ends_with("ion"),
    }
}
