//! Objects: the list of them, and what is known of one.

mod blame;
mod list;
mod load;
mod overview;
mod page;
mod view;

pub use blame::Blame;
pub use list::Objects;
pub use overview::Overview;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
