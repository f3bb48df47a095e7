//! What remains of an event when all of its content has gone, and its hash.

use super::Hash;
use crate::{event::EventId, slug::Slug, time::Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The version of the header's form.
const VERSION: u8 = 1;

/// That an event was recorded: when, where, and the hash over its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The event's id.
    pub id: EventId,
    /// When it occurred.
    pub occurred_at: Timestamp,
    /// The hash over its parts.
    pub parts: Hash,
    /// When it became durable.
    pub recorded_at: Timestamp,
    /// Its number in the order of arrival in the tenant, from 1; its index in the tree is one less.
    pub seq: u64,
    /// The customer organization, whose tree the leaf is in.
    pub tenant: &'a Slug,
    /// The account inside it; none for an event of the tenant itself.
    pub workspace: Option<&'a Slug>,
}

impl Header<'_> {
    /// The header in RFC 8785 form.
    pub fn canonical(&self) -> String {
        let Self {
            id,
            occurred_at,
            parts,
            recorded_at,
            seq,
            tenant,
            workspace,
        } = self;
        let mut out = String::with_capacity(384);
        // Nothing here needs an escape, and a number up to 2^53 is written by its digits. Writing
        // into a text cannot fail.
        let _ = write!(
            out,
            r#"{{"id":"{id}","occurred_at":"{occurred_at}","parts":"{parts}","recorded_at":"{recorded_at}","seq":{seq},"tenant":"{tenant}","v":{VERSION}"#
        );
        if let Some(workspace) = workspace {
            let _ = write!(out, r#","workspace":"{workspace}""#);
        }
        out.push('}');
        out
    }
}

/// The leaf of an event in its tenant's tree: SHA-256 of a zero byte and the header (RFC 9162,
/// section 2.1.1).
pub fn leaf_hash(header: &Header<'_>) -> Hash {
    let digest = Sha256::new()
        .chain_update([0])
        .chain_update(header.canonical());
    Hash(digest.finalize().into())
}
