//! Events: recording them, listing them, following them, looking at one.

mod batch;
pub mod feed;
pub mod list;
mod receipt;
pub mod record;
pub mod show;
