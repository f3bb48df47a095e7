//! What an event is and what may be asked of a log. Pure: no I/O, no clock, no database; compiles
//! to WebAssembly, so that the server and the browser mean the same by a question.

pub mod blame;
pub mod catalogue;
pub mod category;
pub mod diff;
pub mod erasure;
pub mod event;
pub mod export;
pub mod formats;
pub mod json;
pub mod leaf;
pub mod proof;
pub mod question;
pub mod redaction;
pub mod retention;
pub mod role;
pub mod slug;
pub mod time;
pub mod verb;
