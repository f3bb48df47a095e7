//! Events: recording them, listing them, looking at one, taking them away.

mod batch;
pub mod export;
pub mod list;
mod receipt;
pub mod record;
pub mod show;
