//! The closed lists and the short names that an event is made of.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A value is none of a closed list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{value}\" is not one of {accepted}")]
pub struct UnknownName {
    /// What was given.
    pub value: String,
    /// What is taken, separated by commas.
    pub accepted: String,
}

/// Makes a closed list: an enum with its names in the contract.
macro_rules! closed_list {
    ($(#[$about:meta])* $list:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $list {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl $list {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the outside contract.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $list {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $list {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(UnknownName {
                        value: text.to_owned(),
                        accepted: [$($name),+].join(", "),
                    }),
                }
            }
        }
    };
}

closed_list! {
    /// What kind of somebody acts.
    ActorKind {
        /// A person.
        User = "user",
        /// An API token: named automation.
        Token = "token",
        /// A routine, an assistant.
        Agent = "agent",
        /// A connected product.
        Integration = "integration",
        /// Nobody: automatic.
        System = "system",
        /// Somebody who was not signed in.
        Anonymous = "anonymous",
    }
}

impl ActorKind {
    /// Whether this kind needs neither id nor name.
    pub const fn is_nobody(self) -> bool {
        matches!(self, Self::System | Self::Anonymous)
    }
}

closed_list! {
    /// How an action ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was tried and failed.
        Failure = "failure",
        /// It was refused.
        Denied = "denied",
    }
}

closed_list! {
    /// Who wrote an event, where it was not an application through the API.
    Source {
        /// Daybook, of itself.
        Daybook = "daybook",
        /// An import of what another log held.
        Import = "import",
    }
}

closed_list! {
    /// The parts of an event that are hashed, and may be shown or erased, each for itself.
    Part {
        /// Action, outcome, kinds: what happened, naming nobody.
        Facts = "facts",
        /// Who did it.
        Actor = "actor",
        /// Who carried it out.
        Via = "via",
        /// What it concerns.
        Objects = "objects",
        /// Before and after.
        Change = "change",
        /// Note, metadata, key.
        Details = "details",
        /// Address, user agent, request.
        Context = "context",
    }
}

/// Why a text is not the name of an action or of a kind of target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {most} of the characters A-Z a-z 0-9 _ . : / -")]
pub struct NameError {
    /// The most characters that it may have.
    pub most: usize,
}

fn check_name(text: &str, most: usize) -> Result<(), NameError> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'/' | b'-');
    if text.is_empty() || text.len() > most || !text.bytes().all(plain) {
        return Err(NameError { most });
    }
    Ok(())
}

/// Makes a newtype over a short name of [`check_name`]'s characters.
macro_rules! short_name {
    ($(#[$about:meta])* $name:ident, $most:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check_name(text, $most).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check_name(&text, $most).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

short_name! {
    /// What was done, as a short name: `MEMBER_ROLE_UPDATED`, `deployment:create`.
    Action, 128
}

short_name! {
    /// What kind of thing was acted on: `integration`, `api_token`.
    TargetKind, 64
}
