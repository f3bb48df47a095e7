-- That nothing was altered: the tree over each tenant's leaves, what was signed of it, and with which
-- keys. It is made of `leaf`, and what is here is never changed: who changes a leaf is found by it.

-- The public keys that checkpoints were signed with, one after the other. The secret ones are in the key
-- file; `installation.signing_key` is the fingerprint of the one that signs now.
CREATE TABLE signing_key (
    id INTEGER PRIMARY KEY,
    public BLOB NOT NULL UNIQUE CHECK (length(public) = 32),
    since INTEGER NOT NULL,
    -- NULL: it signs now.
    until INTEGER
) STRICT;

CREATE UNIQUE INDEX signing_key_of_now ON signing_key (until IS NULL) WHERE until IS NULL;

CREATE TRIGGER signing_key_stays BEFORE DELETE ON signing_key
BEGIN SELECT RAISE(ABORT, 'a signing key is rotated, not removed'); END;
CREATE TRIGGER signing_key_ends_once BEFORE UPDATE ON signing_key
BEGIN
    SELECT RAISE(ABORT, 'a signing key can end, once, and not be changed')
    WHERE NEW.id IS NOT OLD.id OR NEW.public IS NOT OLD.public OR NEW.since IS NOT OLD.since
        OR (OLD.until IS NOT NULL AND NEW.until IS NOT OLD.until);
END;
CREATE TRIGGER signing_key_is_next BEFORE INSERT ON signing_key
BEGIN
    SELECT RAISE(ABORT, 'a signing key has the next number, after the last one ended')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM signing_key)
        OR EXISTS (SELECT 1 FROM signing_key WHERE until IS NULL OR public = NEW.public);
END;

-- The hashes of each tenant's tree, 256 to a tile: at level 0 those of its leaves, at each other level
-- the roots of whole tiles of the one below. The last tile of a level grows.
CREATE TABLE tile (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    place INTEGER NOT NULL CHECK (place >= 0),
    hashes BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (tenant, level, place)
) STRICT;

CREATE TRIGGER tile_stays BEFORE DELETE ON tile
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a tile cannot be removed'); END;
CREATE TRIGGER tile_grows BEFORE UPDATE ON tile
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a tile grows, and cannot be changed')
    WHERE NEW.tenant IS NOT OLD.tenant OR NEW.level IS NOT OLD.level OR NEW.place IS NOT OLD.place
        OR substr(NEW.hashes, 1, length(OLD.hashes)) IS NOT OLD.hashes;
END;
CREATE TRIGGER tile_is_next BEFORE INSERT ON tile
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a tile has the next place')
    WHERE NEW.place IS NOT (
        SELECT coalesce(max(place), -1) + 1 FROM tile WHERE tenant = NEW.tenant AND level = NEW.level
    );
END;

-- What was signed of each tenant's tree: how many leaves it had, and its root.
CREATE TABLE checkpoint (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    size INTEGER NOT NULL CHECK (size > 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    made_at INTEGER NOT NULL,
    key INTEGER NOT NULL REFERENCES signing_key (id),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (tenant, size)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a checkpoint cannot be removed'); END;
CREATE TRIGGER checkpoint_keeps BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'the log is append-only: a checkpoint cannot be changed'); END;
CREATE TRIGGER checkpoint_is_next BEFORE INSERT ON checkpoint
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only: a checkpoint covers more than the last one, and no more than there is')
    WHERE NEW.size <= (SELECT max(size) FROM checkpoint WHERE tenant = NEW.tenant)
        OR NEW.size > (SELECT coalesce(max(seq), 0) FROM leaf WHERE tenant = NEW.tenant);
END;
