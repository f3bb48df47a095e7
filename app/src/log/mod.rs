//! The one log component: the Audit page and an object's Audit tab are the same log in another
//! scope. Its whole state is the address.

#[cfg(feature = "ssr")]
mod answer;
#[cfg(feature = "ssr")]
mod chips;
#[cfg(feature = "ssr")]
mod compose;
#[cfg(feature = "ssr")]
mod count;
#[cfg(feature = "ssr")]
mod entry;
#[cfg(feature = "ssr")]
mod filters;
#[cfg(feature = "ssr")]
mod foot;
#[cfg(feature = "ssr")]
mod head;
#[cfg(feature = "ssr")]
mod ledger;
pub(crate) mod load;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod range;
#[cfg(feature = "ssr")]
mod row;
#[cfg(feature = "ssr")]
mod states;
#[cfg(feature = "ssr")]
mod tokens;
#[cfg(feature = "ssr")]
pub mod view;
pub(crate) mod when;
#[cfg(feature = "ssr")]
mod zone;

#[cfg(feature = "ssr")]
pub(crate) use compose::Local;
#[cfg(feature = "ssr")]
pub use page::{About, Log};
#[cfg(feature = "ssr")]
use page::{Page, Shown};

#[cfg(all(test, feature = "ssr"))]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests;
