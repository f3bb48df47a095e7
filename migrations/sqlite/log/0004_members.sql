-- Memberships that are over for now, and invitations.

ALTER TABLE membership ADD COLUMN deactivated_at INTEGER;

-- Who may become a member by a link that is good once. The link's secret is kept as a hash only.
CREATE TABLE invite (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    -- Lowercased: whose invitation it is.
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('member', 'auditor', 'admin', 'owner')),
    -- The first moment at which the role is over.
    until INTEGER,
    secret BLOB NOT NULL UNIQUE,
    -- The name of who invited.
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- The first moment at which the link is no longer good.
    expires INTEGER NOT NULL,
    accepted_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX invite_by_workspace ON invite (workspace, email);
