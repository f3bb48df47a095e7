//! The bytes that a proof is made of, written in lowercase hexadecimal digits.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A text is not so many bytes in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {digits} hexadecimal digits in lowercase")]
pub struct HexError {
    /// How many digits are taken.
    pub digits: usize,
}

/// Makes a newtype over bytes that are written in hexadecimal digits.
macro_rules! hex_bytes {
    ($(#[$about:meta])* $name:ident, $length:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; $length]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                HEXLOWER.encode_display(&self.0).fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                let fault = HexError { digits: 2 * $length };
                let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| fault)?;
                bytes.try_into().map(Self).map_err(|_| fault)
            }
        }

        impl TryFrom<String> for $name {
            type Error = HexError;

            fn try_from(text: String) -> Result<Self, HexError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(bytes: $name) -> Self {
                bytes.to_string()
            }
        }
    };
}

hex_bytes! {
    /// Random bytes, of an event or derived for one of its parts, that keep what is hashed from
    /// being guessed.
    Salt, 16
}

hex_bytes! {
    /// A SHA-256 hash: of a part, of all parts, of a leaf or a node of the tree.
    Hash, 32
}
