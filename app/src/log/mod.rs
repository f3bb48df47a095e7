//! The one log component: the Audit pages of a workspace and of a tenant, an object's Audit tab and My
//! activity are the same log in another scope. Its whole state is the address.

mod about;
pub(crate) mod answer;
pub(crate) mod chart;
mod chips;
pub(crate) mod completion;
mod compose;
mod count;
pub(crate) mod entry;
pub(crate) mod export;
mod filters;
mod foot;
mod head;
mod ledger;
mod news;
mod page;
mod range;
mod row;
mod states;
mod tokens;
pub mod view;
mod when;
mod zone;

pub use about::About;
pub(crate) use compose::{Local, actor_of, row as row_of, value};
pub use export::PROVED;
pub(crate) use head::{LastChanged, ObjectTab, ObjectTop};
pub(crate) use ledger::Newest;
pub use page::Log;
pub(crate) use page::Page;
use page::Shown;
pub(crate) use states::{Command, first_entry};
pub(crate) use when::Ago;
pub(crate) use zone::{InZone, ZoneMenu, ZoneView};

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests;
