//! Events: recording them, listing them, counting them, following them, looking at one, taking them away.

mod batch;
pub mod export;
pub mod feed;
pub mod histogram;
pub mod list;
mod receipt;
pub mod record;
pub mod show;
