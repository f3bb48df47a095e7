//! What people see. The server (`ssr`) renders every page, complete, and answers with HTML what the
//! browser asks for later; the browser (`browser`) renders nothing: it makes live what is there, so
//! that little has to be loaded before the page can be used. The pages know neither HTTP nor SQL: the
//! server provides a `store::Store`, a `viewer::Viewer` and an `answer::Answer` by context.

#![recursion_limit = "256"]

pub mod address;
mod ago;
#[cfg(feature = "ssr")]
pub mod answer;
#[cfg(feature = "ssr")]
mod app;
#[cfg(feature = "ssr")]
pub mod frame;
#[cfg(feature = "ssr")]
mod icon;
pub mod live;
mod load;
#[cfg(feature = "ssr")]
pub mod log;
mod number;
#[cfg(feature = "ssr")]
mod objects;
#[cfg(feature = "ssr")]
mod pages;
pub mod refusal;
#[cfg(feature = "ssr")]
pub mod settings;
#[cfg(feature = "ssr")]
mod textarea;
#[cfg(feature = "ssr")]
pub mod viewer;

#[cfg(feature = "ssr")]
pub use app::App;

/// The document's title for what a page is called.
#[cfg(feature = "ssr")]
fn full_title(page: &str) -> String {
    format!("{page} · Daybook")
}
