-- Who keeps checkpoints outside this installation, what they said, and what the background check found.

-- Each is given the newest checkpoint of every tenant, at most once in so many seconds.
CREATE TABLE witness (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- 'file', 'webhook', 'daybook' or 'tlog'.
    kind TEXT NOT NULL,
    -- A folder, or an address on the web.
    address TEXT NOT NULL,
    -- Of one that signs: by which it is verified.
    public TEXT,
    -- Of another Daybook: the token that it gave us, sealed.
    token TEXT,
    every INTEGER NOT NULL CHECK (every BETWEEN 1 AND 86400),
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;

-- What each of them holds of each tenant, and since when it takes nothing.
CREATE TABLE witnessed (
    witness INTEGER NOT NULL REFERENCES witness (id),
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    size INTEGER NOT NULL DEFAULT 0,
    at INTEGER,
    failing_since INTEGER,
    fault TEXT,
    -- It holds a checkpoint of so many entries that is no past of this log.
    ahead INTEGER,
    PRIMARY KEY (witness, tenant)
) STRICT, WITHOUT ROWID;

-- What witnesses signed, as it stands under the checkpoint of that size.
CREATE TABLE cosignature (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    size INTEGER NOT NULL,
    -- The witness's key, by which it was verified.
    public TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 72),
    PRIMARY KEY (tenant, size, public)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER cosignature_stays BEFORE DELETE ON cosignature
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a cosignature cannot be removed'); END;
CREATE TRIGGER cosignature_keeps BEFORE UPDATE ON cosignature
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a cosignature cannot be changed'); END;

-- How far the check that runs beside the server came, and what it found last.
CREATE TABLE background_check (
    tenant INTEGER PRIMARY KEY REFERENCES tenant (id),
    -- So many entries are checked in this round, and come to this root.
    checked INTEGER NOT NULL DEFAULT 0,
    root BLOB,
    -- What the entries up to there permit, as JSON.
    rules TEXT,
    -- When the last round that found nothing wrong ended, and of how many entries it was.
    passed_at INTEGER,
    passed INTEGER,
    -- When something wrong was found first, and what.
    failed_at INTEGER,
    fault TEXT
) STRICT;

-- What is wrong is asked for with every page, and is nothing nearly always.
CREATE INDEX background_check_at_fault ON background_check (tenant) WHERE fault IS NOT NULL;

-- Of several servers one does what is to be done once, for as long as it says that it does.
CREATE TABLE lease (
    what TEXT PRIMARY KEY,
    holder BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT;
