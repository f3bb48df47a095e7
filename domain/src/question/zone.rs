//! The time zone that dates are read in and times are shown in.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A time zone by its IANA name: `Europe/Oslo`, `UTC`.
///
/// The table of all zones is larger than the rest of the browser's bundle, so only the server has
/// it (feature `zones`) and knows whether a zone exists; the browser checks how the name is
/// written, and asks the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

/// A text is not the name of a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the IANA name of a time zone, such as Europe/Oslo, America/New_York or UTC")]
pub struct ZoneError;

impl Zone {
    /// Universal time.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The zone's rules.
    #[cfg(feature = "zones")]
    pub fn rules(&self) -> chrono_tz::Tz {
        self.0.parse().unwrap_or(chrono_tz::UTC)
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        #[cfg(feature = "zones")]
        let exists = text.parse::<chrono_tz::Tz>().is_ok();
        #[cfg(not(feature = "zones"))]
        let exists = !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'-' | b'+')
            });
        if exists {
            Ok(Self(text.to_owned()))
        } else {
            Err(ZoneError)
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
