//! Where events live. This page is the promise that a store keeps, whichever database is behind it:
//! what is recorded is durable before its sender hears of it, is numbered without a gap in the
//! order of arrival, is never changed, and is found by any question that `domain` can put.
//!
//! Every read takes a [`Scope`], and only [`access`] makes one, for somebody whose right to it was
//! checked: a forgotten check does not compile.

// The tests within share the log of those outside, which name this crate.
#[cfg(test)]
extern crate self as store;

pub mod access;
pub mod administration;
pub mod backup;
pub mod blame;
pub mod catalogue;
pub mod clock;
mod coalescing;
pub mod copy;
mod cursor;
mod database;
mod days;
mod dictionary;
pub mod erasure;
pub mod error;
pub mod export;
pub mod feed;
pub mod holds;
mod ids;
mod keys;
pub mod members;
pub mod objects;
pub mod options;
pub mod people;
mod plan;
mod postgres;
pub mod proof;
pub mod question;
pub mod recording;
pub mod redaction;
pub mod retention;
pub mod revealing;
pub mod settings;
pub mod sign_on;
mod sqlite;
pub mod tenants;
mod texts;

pub use access::Scope;
pub use error::StoreError;
pub use options::{DatabaseUrl, Options, PostgresUrl, Readiness, ReplicaStanding};
pub use sqlite::{Snapshot, Store, discard_index};
