//! What an installation consists of: its tables, with their columns. A test holds this to both schemas,
//! so that nothing can be added to either and be forgotten when it moves.

use crate::database::Value;
use sha2::{Digest, Sha256};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Integer,
    Flag,
    Text,
    Bytes,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Type)],
    /// So many of the columns, the first, name a row. None: rows may be equal.
    pub(super) key: usize,
    pub(super) kept: Kept,
}

/// What becomes of the rows of a table that is administered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// They change and stay, and others refer to them: they are brought up to date one by one.
    Ever,
    /// They come, and neither change nor go.
    Added,
    /// They come and go: all of them are written anew.
    Anew,
}

use Kept::{Added, Anew, Ever};
use Type::{Bytes, Flag, Integer, Text};

/// Who the installation is.
pub(super) const INSTALLATION: Table = Table {
    name: "installation",
    columns: &[
        ("one", Integer),
        ("id", Bytes),
        ("created_at", Integer),
        ("redaction_key", Bytes),
        ("signing_key", Bytes),
    ],
    key: 1,
    kept: Ever,
};

/// Legal holds, which are lifted and not changed.
pub(super) const HOLD: Table = Table {
    name: "hold",
    columns: &[
        ("id", Integer),
        ("workspace", Integer),
        ("reason", Text),
        ("placed_by", Text),
        ("placed_at", Integer),
        ("lifted_reason", Text),
        ("lifted_by", Text),
        ("lifted_at", Integer),
    ],
    key: 1,
    kept: Ever,
};

pub(super) const TENANT: Table = Table {
    name: "tenant",
    columns: &[
        ("id", Integer),
        ("slug", Text),
        ("name", Text),
        ("created_at", Integer),
        ("floor", Text),
        ("cap", Text),
    ],
    key: 1,
    kept: Ever,
};

pub(super) const WORKSPACE: Table = Table {
    name: "workspace",
    columns: &[
        ("id", Integer),
        ("tenant", Integer),
        ("slug", Text),
        ("name", Text),
        ("created_at", Integer),
        ("retention", Text),
        ("retention_by", Text),
        ("retention_at", Integer),
        ("pending", Text),
        ("pending_from", Integer),
        ("pending_by", Text),
        ("pending_at", Integer),
        ("recording", Flag),
        ("recording_by", Text),
        ("recording_at", Integer),
        ("discarded", Integer),
        ("object_tabs", Text),
        ("guarded_kinds", Text),
        ("object_access_by", Text),
        ("object_access_at", Integer),
        ("catalogue_version", Integer),
        ("redaction_names", Text),
        ("redaction_paths", Text),
        ("redaction_version", Integer),
        ("redaction_by", Text),
        ("redaction_at", Integer),
    ],
    key: 1,
    kept: Ever,
};

/// What else is administered, and what proves that nothing was altered, in an order in which what is referred to comes first.
pub(super) const ADMINISTERED: &[Table] = &[
    TENANT,
    WORKSPACE,
    Table {
        name: "person",
        columns: &[
            ("id", Integer),
            ("public_id", Text),
            ("email", Text),
            ("name", Text),
            ("password", Text),
            ("created_at", Integer),
            ("deactivated_at", Integer),
            ("last_workspace", Integer),
            ("last_zone", Text),
            ("single_keys", Flag),
        ],
        key: 1,
        kept: Ever,
    },
    Table {
        name: "membership",
        columns: &[
            ("person", Integer),
            ("workspace", Integer),
            ("role", Text),
            ("created_at", Integer),
            ("until", Integer),
            ("deactivated_at", Integer),
            ("role_from", Text),
            ("role_group", Text),
            ("given_role", Text),
            ("removed_at", Integer),
        ],
        key: 2,
        kept: Anew,
    },
    Table {
        name: "tenant_admin",
        columns: &[
            ("person", Integer),
            ("tenant", Integer),
            ("created_at", Integer),
            ("until", Integer),
        ],
        key: 2,
        kept: Anew,
    },
    Table {
        name: "session",
        columns: &[
            ("secret", Bytes),
            ("person", Integer),
            ("created_at", Integer),
            ("until", Integer),
        ],
        key: 1,
        kept: Anew,
    },
    Table {
        name: "token",
        columns: &[
            ("id", Integer),
            ("public_id", Text),
            ("name", Text),
            ("tenant", Integer),
            ("workspace", Integer),
            ("secret", Bytes),
            ("scopes", Text),
            ("created_at", Integer),
            ("created_by", Text),
            ("expires", Integer),
            ("oldest", Integer),
            ("last_used", Integer),
            ("revoked_at", Integer),
            ("revoked_by", Text),
        ],
        key: 1,
        kept: Anew,
    },
    Table {
        name: "invite",
        columns: &[
            ("id", Integer),
            ("public_id", Text),
            ("workspace", Integer),
            ("email", Text),
            ("role", Text),
            ("until", Integer),
            ("secret", Bytes),
            ("created_by", Text),
            ("created_at", Integer),
            ("expires", Integer),
            ("accepted_at", Integer),
            ("revoked_at", Integer),
        ],
        key: 1,
        kept: Anew,
    },
    Table {
        name: "identity",
        columns: &[
            ("issuer", Text),
            ("subject", Text),
            ("person", Integer),
            ("created_at", Integer),
        ],
        key: 2,
        kept: Anew,
    },
    Table {
        name: "actor_state",
        columns: &[
            ("ws", Integer),
            ("kind", Text),
            ("id", Text),
            ("deactivated_at", Integer),
        ],
        key: 3,
        kept: Anew,
    },
    Table {
        name: "look",
        columns: &[("ws", Integer), ("reader", Text), ("at", Integer)],
        key: 2,
        kept: Anew,
    },
    Table {
        name: "sign_in_failure",
        columns: &[("subject", Text), ("at", Integer)],
        key: 0,
        kept: Anew,
    },
    Table {
        name: "catalogue_entry",
        columns: &[
            ("workspace", Integer),
            ("action", Text),
            ("category", Text),
            ("verb", Text),
            ("label", Text),
            ("changed_by", Text),
            ("changed_at", Integer),
        ],
        key: 2,
        kept: Anew,
    },
    Table {
        name: "signing_key",
        columns: &[
            ("id", Integer),
            ("public", Bytes),
            ("since", Integer),
            ("until", Integer),
        ],
        key: 1,
        kept: Ever,
    },
    Table {
        name: "tile",
        columns: &[
            ("tenant", Integer),
            ("level", Integer),
            ("place", Integer),
            ("hashes", Bytes),
        ],
        key: 3,
        kept: Ever,
    },
    Table {
        name: "checkpoint",
        columns: &[
            ("tenant", Integer),
            ("size", Integer),
            ("root", Bytes),
            ("made_at", Integer),
            ("key", Integer),
            ("signature", Bytes),
        ],
        key: 2,
        kept: Added,
    },
    Table {
        name: "witness",
        columns: &[
            ("id", Integer),
            ("name", Text),
            ("kind", Text),
            ("address", Text),
            ("public", Text),
            ("token", Text),
            ("every", Integer),
            ("added_by", Text),
            ("added_at", Integer),
        ],
        key: 1,
        kept: Anew,
    },
    Table {
        name: "witness_number",
        columns: &[("one", Integer), ("last", Integer)],
        key: 1,
        kept: Ever,
    },
    Table {
        name: "witnessed",
        columns: &[
            ("witness", Integer),
            ("tenant", Integer),
            ("size", Integer),
            ("at", Integer),
            ("failing_since", Integer),
            ("fault", Text),
            ("ahead", Integer),
        ],
        key: 2,
        kept: Anew,
    },
    Table {
        name: "cosignature",
        columns: &[
            ("tenant", Integer),
            ("size", Integer),
            ("public", Text),
            ("signature", Bytes),
        ],
        key: 3,
        kept: Added,
    },
];

/// The tables of texts, with what each holds beside the log (`ws`) and the number (`num`); those that
/// refer to others first: what is read after them holds what they refer to.
pub(crate) const TEXTS: [Table; 6] = [
    Table {
        name: "related",
        columns: &[("members", Text)],
        key: 0,
        kept: Ever,
    },
    Table {
        name: "via",
        columns: &[("members", Text)],
        key: 0,
        kept: Ever,
    },
    Table {
        name: "target",
        columns: &[
            ("kind", Integer),
            ("id", Text),
            ("name", Text),
            ("url", Text),
        ],
        key: 0,
        kept: Ever,
    },
    Table {
        name: "actor",
        columns: &[
            ("kind", Text),
            ("id", Text),
            ("name", Text),
            ("email", Text),
        ],
        key: 0,
        kept: Ever,
    },
    Table {
        name: "kind",
        columns: &[("kind", Text)],
        key: 0,
        kept: Ever,
    },
    Table {
        name: "action",
        columns: &[("action", Text), ("verb", Text), ("category", Text)],
        key: 0,
        kept: Ever,
    },
];

/// Where a table of texts stands in [`TEXTS`].
pub(crate) const RELATED: usize = 0;
pub(crate) const VIA: usize = 1;
pub(crate) const TARGET: usize = 2;
pub(crate) const ACTOR: usize = 3;
pub(crate) const KIND: usize = 4;
pub(crate) const ACTION: usize = 5;

/// A row's values.
pub(crate) type Row = Vec<Value>;

/// Hashes values so that no two lists of them have the same bytes.
pub(super) fn hash_values<'v>(hash: &mut Sha256, values: impl IntoIterator<Item = &'v Value>) {
    for value in values {
        match value {
            Value::Integer(number) => {
                hash.update([1]);
                hash.update(number.to_be_bytes());
            }
            Value::Flag(flag) => hash.update([2, u8::from(*flag)]),
            // What was typed in a form may have one of these, which PostgreSQL cannot store.
            Value::Text(text) if text.contains('\0') => {
                hash_bytes(hash, 3, text.replace('\0', "\u{FFFD}").as_bytes());
            }
            Value::Text(text) => hash_bytes(hash, 3, text.as_bytes()),
            Value::Bytes(bytes) => hash_bytes(hash, 4, bytes),
            Value::NoInteger | Value::NoText | Value::NoBytes => hash.update([0]),
            Value::Numbers(_) | Value::Texts(_) => hash.update([255]),
        }
    }
}

/// Hashes bytes with what they are, and how many.
pub(super) fn hash_bytes(hash: &mut Sha256, what: u8, bytes: &[u8]) {
    hash.update([what]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
