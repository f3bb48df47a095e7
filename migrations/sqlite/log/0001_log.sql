-- The log: what was recorded, in the order of arrival, and what is administered. Appended to, never
-- changed; the triggers below refuse it to everybody, the server included.
--
-- Times are microseconds since 1970, UTC. `ws` is a workspace's id, or minus a tenant's id for the
-- events of the tenant itself.

CREATE TABLE installation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16),
    created_at INTEGER NOT NULL,
    -- Fingerprints of the secrets in the key file, by which the right file is known.
    redaction_key BLOB NOT NULL,
    signing_key BLOB NOT NULL
) STRICT;

CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- The plan: the least and the most retention that its workspaces may have.
    floor TEXT,
    cap TEXT
) STRICT;

CREATE TABLE workspace (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    retention TEXT NOT NULL,
    retention_by TEXT,
    retention_at INTEGER,
    -- A shorter retention that waits, from when it holds, who asked for it and when.
    pending TEXT,
    pending_from INTEGER,
    pending_by TEXT,
    pending_at INTEGER,
    recording INTEGER NOT NULL DEFAULT 1 CHECK (recording IN (0, 1)),
    recording_by TEXT,
    recording_at INTEGER,
    -- Events that were sent and not kept since recording was switched off.
    discarded INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, slug)
) STRICT;

-- What was recorded, and when: the leaves of the proof. They stay for ever.
CREATE TABLE leaf (
    n INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    seq INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    ws INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    parts BLOB NOT NULL CHECK (length(parts) = 32)
) STRICT;

CREATE UNIQUE INDEX leaf_by_seq ON leaf (tenant, seq);
CREATE UNIQUE INDEX leaf_by_id ON leaf (id);

-- What an event says. Its texts that come again and again stand in the tables below.
CREATE TABLE content (
    n INTEGER PRIMARY KEY REFERENCES leaf (n),
    actor INTEGER NOT NULL,
    via INTEGER,
    action INTEGER NOT NULL,
    target INTEGER NOT NULL,
    related INTEGER,
    outcome INTEGER NOT NULL,
    operation TEXT,
    -- The first 128 bits of SHA-256 over `ws` and the idempotency key, in two halves.
    key INTEGER,
    key_rest INTEGER,
    salt BLOB NOT NULL CHECK (length(salt) = 16),
    -- 1: Daybook's own, 2: imported.
    source INTEGER,
    -- Whether retention passes it by.
    keep INTEGER NOT NULL DEFAULT 0,
    -- JSON: description, idempotency_key, before, after, metadata, context; NULL when there is none.
    body TEXT
) STRICT;

-- Texts, said once for each workspace as they were then, numbered from 1 without a gap.
CREATE TABLE actor (
    ws INTEGER NOT NULL, num INTEGER NOT NULL,
    kind TEXT NOT NULL, id TEXT, name TEXT, email TEXT,
    PRIMARY KEY (ws, num)
) STRICT, WITHOUT ROWID;

-- Chains of those who carried something out: JSON lists of actors' numbers.
CREATE TABLE via (
    ws INTEGER NOT NULL, num INTEGER NOT NULL,
    members TEXT NOT NULL,
    PRIMARY KEY (ws, num)
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
    ws INTEGER NOT NULL, num INTEGER NOT NULL,
    action TEXT NOT NULL, verb TEXT, category TEXT,
    PRIMARY KEY (ws, num)
) STRICT, WITHOUT ROWID;

CREATE TABLE kind (
    ws INTEGER NOT NULL, num INTEGER NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (ws, num)
) STRICT, WITHOUT ROWID;

CREATE TABLE target (
    ws INTEGER NOT NULL, num INTEGER NOT NULL,
    kind INTEGER NOT NULL, id TEXT, name TEXT, url TEXT,
    PRIMARY KEY (ws, num)
) STRICT, WITHOUT ROWID;

-- Sets of other objects that an event concerns: JSON lists of targets' numbers.
CREATE TABLE related (
    ws INTEGER NOT NULL, num INTEGER NOT NULL,
    members TEXT NOT NULL,
    PRIMARY KEY (ws, num)
) STRICT, WITHOUT ROWID;

-- Nobody changes or removes what was recorded.
CREATE TRIGGER leaf_keeps BEFORE UPDATE ON leaf
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a leaf cannot be changed'); END;
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a leaf cannot be removed'); END;
CREATE TRIGGER content_keeps BEFORE UPDATE ON content
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event cannot be changed'); END;
CREATE TRIGGER content_stays BEFORE DELETE ON content
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event cannot be removed'); END;
CREATE TRIGGER actor_keeps BEFORE UPDATE ON actor
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an actor cannot be changed'); END;
CREATE TRIGGER actor_stays BEFORE DELETE ON actor
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an actor cannot be removed'); END;
CREATE TRIGGER via_keeps BEFORE UPDATE ON via
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a chain cannot be changed'); END;
CREATE TRIGGER via_stays BEFORE DELETE ON via
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a chain cannot be removed'); END;
CREATE TRIGGER action_keeps BEFORE UPDATE ON action
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an action cannot be changed'); END;
CREATE TRIGGER action_stays BEFORE DELETE ON action
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an action cannot be removed'); END;
CREATE TRIGGER kind_keeps BEFORE UPDATE ON kind
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a kind cannot be changed'); END;
CREATE TRIGGER kind_stays BEFORE DELETE ON kind
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a kind cannot be removed'); END;
CREATE TRIGGER target_keeps BEFORE UPDATE ON target
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a target cannot be changed'); END;
CREATE TRIGGER target_stays BEFORE DELETE ON target
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a target cannot be removed'); END;
CREATE TRIGGER related_keeps BEFORE UPDATE ON related
BEGIN SELECT RAISE(ABORT, 'the log is append-only: related objects cannot be changed'); END;
CREATE TRIGGER related_stays BEFORE DELETE ON related
BEGIN SELECT RAISE(ABORT, 'the log is append-only: related objects cannot be removed'); END;
CREATE TRIGGER installation_stays BEFORE DELETE ON installation
BEGIN SELECT RAISE(ABORT, 'an installation cannot be removed'); END;

-- `INSERT OR REPLACE` passes by the triggers above: what is appended must be new, and next.
CREATE TRIGGER leaf_is_next BEFORE INSERT ON leaf
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a leaf has the next number')
    WHERE NEW.n IS NOT (SELECT coalesce(max(n), 0) + 1 FROM leaf)
        OR NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM leaf WHERE tenant = NEW.tenant)
        OR NEW.id <= (SELECT max(id) FROM leaf);
END;
CREATE TRIGGER content_is_next BEFORE INSERT ON content
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an event comes once, with its leaf')
    WHERE NEW.n <= (SELECT max(n) FROM content)
        OR NOT EXISTS (SELECT 1 FROM leaf WHERE n = NEW.n);
END;
CREATE TRIGGER actor_is_next BEFORE INSERT ON actor
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an actor has the next number')
    WHERE NEW.num IS NOT (SELECT coalesce(max(num), 0) + 1 FROM actor WHERE ws = NEW.ws);
END;
CREATE TRIGGER via_is_next BEFORE INSERT ON via
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a chain has the next number')
    WHERE NEW.num IS NOT (SELECT coalesce(max(num), 0) + 1 FROM via WHERE ws = NEW.ws);
END;
CREATE TRIGGER action_is_next BEFORE INSERT ON action
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: an action has the next number')
    WHERE NEW.num IS NOT (SELECT coalesce(max(num), 0) + 1 FROM action WHERE ws = NEW.ws);
END;
CREATE TRIGGER kind_is_next BEFORE INSERT ON kind
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a kind has the next number')
    WHERE NEW.num IS NOT (SELECT coalesce(max(num), 0) + 1 FROM kind WHERE ws = NEW.ws);
END;
CREATE TRIGGER target_is_next BEFORE INSERT ON target
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a target has the next number')
    WHERE NEW.num IS NOT (SELECT coalesce(max(num), 0) + 1 FROM target WHERE ws = NEW.ws);
END;
CREATE TRIGGER related_is_next BEFORE INSERT ON related
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: related objects have the next number')
    WHERE NEW.num IS NOT (SELECT coalesce(max(num), 0) + 1 FROM related WHERE ws = NEW.ws);
END;
