//! In which order events are shown.

use crate::event::UnknownName;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// By what events are sorted. Equal ones follow each other by time, then by order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// When they occurred.
    #[default]
    Time,
    /// The action's name, lowercased.
    Action,
    /// The kind of the target, lowercased.
    TargetKind,
    /// The actor's name, else e-mail, else id, else kind, lowercased.
    Actor,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Time, Self::Action, Self::TargetKind, Self::Actor];

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Action => "action",
            Self::TargetKind => "target_kind",
            Self::Actor => "actor",
        }
    }

    /// The direction where none is asked for: the newest first, texts from A.
    pub const fn usual_order(self) -> Order {
        match self {
            Self::Time => Order::Descending,
            Self::Action | Self::TargetKind | Self::Actor => Order::Ascending,
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|sort| sort.as_str() == text)
            .ok_or_else(|| UnknownName {
                value: text.to_owned(),
                accepted: "time, action, target_kind, actor".to_owned(),
            })
    }
}

/// In which direction. The whole key (sort value, time, number) turns with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// From the smallest.
    #[serde(rename = "asc")]
    Ascending,
    /// From the greatest.
    #[serde(rename = "desc")]
    Descending,
}

impl Order {
    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }

    /// The other direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

impl FromStr for Order {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(UnknownName {
                value: text.to_owned(),
                accepted: "asc, desc".to_owned(),
            }),
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
