//! Objects: what is known of one.

pub mod blame;
