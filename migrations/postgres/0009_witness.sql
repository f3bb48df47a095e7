-- Who keeps checkpoints outside this installation, what they said, and what the background check found.

-- Each is given the newest checkpoint of every tenant, at most once in so many seconds.
CREATE TABLE witness (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- 'file', 'webhook', 'daybook' or 'tlog'.
    kind TEXT NOT NULL,
    -- A folder, or an address on the web.
    address TEXT NOT NULL,
    -- Of one that signs: by which it is verified.
    public TEXT,
    -- Of another Daybook: the token that it gave us, sealed.
    token TEXT,
    every BIGINT NOT NULL CHECK (every BETWEEN 1 AND 86400),
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL
);

-- What each of them holds of each tenant, and since when it takes nothing.
CREATE TABLE witnessed (
    witness BIGINT NOT NULL REFERENCES witness (id),
    tenant BIGINT NOT NULL REFERENCES tenant (id),
    size BIGINT NOT NULL DEFAULT 0,
    at BIGINT,
    failing_since BIGINT,
    fault TEXT,
    -- It holds a checkpoint of so many entries that is no past of this log.
    ahead BIGINT,
    PRIMARY KEY (witness, tenant)
);

-- What witnesses signed, as it stands under the checkpoint of that size.
CREATE TABLE cosignature (
    tenant BIGINT NOT NULL REFERENCES tenant (id),
    size BIGINT NOT NULL,
    -- The witness's key, by which it was verified.
    public TEXT NOT NULL,
    signature BYTEA NOT NULL CHECK (length(signature) = 72),
    PRIMARY KEY (tenant, size, public)
);
CREATE TRIGGER cosignature_stays BEFORE UPDATE OR DELETE ON cosignature
    FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER cosignature_is_not_emptied BEFORE TRUNCATE ON cosignature EXECUTE FUNCTION refuse();

-- How far the check that runs beside the server came, and what it found last.
CREATE TABLE background_check (
    tenant BIGINT PRIMARY KEY REFERENCES tenant (id),
    -- So many entries are checked in this round, and come to this root.
    checked BIGINT NOT NULL DEFAULT 0,
    root BYTEA,
    -- What the entries up to there permit, as JSON.
    rules TEXT,
    -- When the last round that found nothing wrong ended, and of how many entries it was.
    passed_at BIGINT,
    passed BIGINT,
    -- When something wrong was found first, and what.
    failed_at BIGINT,
    fault TEXT
);

-- What is wrong is asked for with every page, and is nothing nearly always.
CREATE INDEX background_check_at_fault ON background_check (tenant) WHERE fault IS NOT NULL;

-- Of several servers one does what is to be done once, for as long as it says that it does.
CREATE TABLE lease (
    what TEXT PRIMARY KEY,
    holder BYTEA NOT NULL,
    until BIGINT NOT NULL
);

REVOKE ALL ON witness, witnessed, cosignature, background_check, lease FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON witness TO daybook_server;
GRANT SELECT, INSERT ON cosignature TO daybook_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON witnessed TO daybook_server;
GRANT SELECT, INSERT, UPDATE ON background_check, lease TO daybook_server;
