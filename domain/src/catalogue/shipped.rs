//! The packs, as the build made them into a table.

use super::Entry;
use crate::{category::Category, verb::Verb};

include!(concat!(env!("OUT_DIR"), "/packs.rs"));
