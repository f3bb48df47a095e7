//! Actors: what is true of them now.

pub mod put;
