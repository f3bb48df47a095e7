-- People, sessions and tokens. Secrets are kept as hashes only.

CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    -- How events name them: never the e-mail.
    public_id TEXT NOT NULL UNIQUE,
    -- Lowercased, by which they sign in.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Argon2id, in PHC form.
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    last_workspace INTEGER REFERENCES workspace (id)
) STRICT;

CREATE TABLE membership (
    person INTEGER NOT NULL REFERENCES person (id),
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    role TEXT NOT NULL CHECK (role IN ('member', 'auditor', 'admin', 'owner')),
    created_at INTEGER NOT NULL,
    -- The first moment at which the role is over.
    until INTEGER,
    PRIMARY KEY (person, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX membership_by_workspace ON membership (workspace);

CREATE TABLE tenant_admin (
    person INTEGER NOT NULL REFERENCES person (id),
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    created_at INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (person, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    -- SHA-256 of the secret that the browser keeps.
    secret BLOB NOT NULL PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person (id),
    created_at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_person ON session (person);

CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    -- None: the token is good in the whole tenant.
    workspace INTEGER REFERENCES workspace (id),
    -- SHA-256 of the secret.
    secret BLOB NOT NULL UNIQUE,
    -- JSON list.
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires INTEGER,
    -- Seconds before now: the oldest time of an event that it may send.
    oldest INTEGER,
    last_used INTEGER,
    revoked_at INTEGER
) STRICT;

-- What host products say of their own people.
CREATE TABLE actor_state (
    ws INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    deactivated_at INTEGER,
    PRIMARY KEY (ws, kind, id)
) STRICT, WITHOUT ROWID;

-- The last hour in which somebody's look at a log was recorded.
CREATE TABLE look (
    ws INTEGER NOT NULL,
    reader TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (ws, reader)
) STRICT, WITHOUT ROWID;

-- Failed sign-ins of the last quarter of an hour, for an account or an address.
CREATE TABLE sign_in_failure (
    subject TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_failure_by_subject ON sign_in_failure (subject, at);
