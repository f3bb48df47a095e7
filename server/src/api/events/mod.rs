//! Events: recording them, listing them, looking at one.

mod batch;
pub mod list;
mod receipt;
pub mod record;
pub mod show;
